"""How value, reductions and assumptions are called, for the page and the terminal alike."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from gongfen.facts.amounts import MICRO, US_PER_SECOND
from gongfen.reports.words import N_, Words
from gongfen.value import Layer, Learned, Swing, Swings, Valued, Worth
from gongfen.value.by_rule import BOOKED
from gongfen.value.worth import Machine, Skilled

RULE_NAMES = {
    "booked": N_("as booked"),
    "rowthorn": N_("Rowthorn (default)"),
    "wage": N_("ratio of wages"),
    "hilferding": N_("Hilferding"),
    "uniform": N_("uniform"),
}
BOOKED_BY = {
    "rowthorn": N_("by Rowthorn"),
    "wage": N_("by wages"),
    "hilferding": N_("by Hilferding"),
    "uniform": N_("uniform"),
    "stated": N_("stated by the standard"),
    "unit": N_("the unit"),
    "unpaid": N_("unpaid: counts as simple"),
    "unknown": N_("rule not stated"),
}
LAYER_NAMES = {
    "1": N_("1 knowledge and prompting"),
    "2": N_("2 data"),
    "3": N_("3 model"),
    "4": N_("4 evaluation"),
    "5": N_("5 operations"),
    "6": N_("6 product"),
    "7": N_("7 compliance"),
    "8": N_("8 business"),
    "machine": N_("machines (objectified labour)"),
    "data": N_("bought data (objectified labour)"),
    "energy": N_("energy (objectified labour)"),
    "site": N_("sites (objectified labour)"),
    "opening": N_("from older books"),
    "training": N_("training phase"),
    "inference": N_("inference phase"),
    "operation": N_("operation phase"),
    "recycled": N_("came back as data"),
    "employed": N_("employed"),
    "crowd": N_("crowd"),
    "on-demand": N_("on-demand"),
    "unpaid": N_("unpaid"),
    "": N_("machines and purchases"),
    "unknown": N_("unknown"),
}
CODES = {"machine": "M", "data": "D", "energy": "E", "site": "S", "opening": "O"}
"""One letter for what came from outside; the eight labours have their numbers."""
ORIGINS = {
    "life-cycle": N_("λ by life cycle"),
    "input-output": N_("λ by an input–output table"),
    "price": N_("λ from a price: circular"),
    "unknown": N_("origin of λ not stated"),
}
MEASURES = {
    "value": N_("value T + L"),
    "rent-avg": N_("rent by average theory p − μ(T + L)"),
    "rent-repro": N_("rent by reproduction theory p − μL"),
}
RANGES = {
    "rule": N_("a published rule"),
    "rivals": N_("least to most that was published"),
    "half-double": N_("half to double: nobody published another"),
    "switch": N_("one or the other"),
}
_SAID = {
    "kept": N_("kept"),
    "left out": N_("left out"),
    "memo": N_("in memo"),
    "counted": N_("counted"),
}


def rule_name(rule: str, words: Words) -> str:
    """What a reduction is called."""
    return words.gettext(RULE_NAMES.get(rule, rule))


def layer_name(name: str, words: Words) -> str:
    """A kind, a phase, a standing, or an outside source."""
    return words.gettext(LAYER_NAMES.get(name, name))


def machine_note(machine: Machine, words: Words) -> str:
    """Where a device's coefficients are from; what was read off a price is called circular."""
    return words.gettext("; ").join(words.gettext(ORIGINS[origin]) for origin in machine.origins)


def lacking(valued: Valued, words: Words) -> str:
    """Why a rule has no answer."""
    parts = []
    for what, found in groupby(sorted(valued.lacking, key=lambda one: one.what), key=lambda one: one.what):
        skills = words.gettext(", ").join(one.skill for one in found)
        said = N_("no fact about skill %(skills)s") if what == "skill" else N_("no wages for skill %(skills)s")
        parts.append(words.say(said, skills=skills))
    return words.gettext("; ").join(parts)


def by_hand(answer: Worth, words: Words) -> str:
    """What the sums above are made of, to the last digit: whoever doubts them can multiply."""
    return words.say(
        "to multiply by hand: μ = %(melt)s an hour, T = %(past)s, L = %(now)s, T + L = %(both)s",
        melt=words.money(answer.melt_micro, answer.currency),
        past=words.decimal_hours(answer.transferred_uslh),
        now=words.decimal_hours(answer.living_uslh),
        both=words.decimal_hours(answer.uslh),
    )


def counted_as(skill: Skilled) -> str:
    """What an hour of a skill counts."""
    return f"× {skill.num}/{skill.den}" if skill.den != 1 else f"× {skill.num}"


def found_by(skill: Skilled, words: Words) -> str:
    """The rule by which that was found, or that it only is said to be."""
    rule = words.gettext(BOOKED_BY[skill.rule])
    return words.say("claimed: %(rule)s", rule=rule) if skill.claimed else rule


def claim_said(skill: Skilled, words: Words) -> str:
    """That a reduction is not what the rule that it names gives, as far as the book knows."""
    return words.say(
        "%(skill)s counts %(counts)s, which is claimed to be %(rule)s: "
        "as far as the book knows, that rule does not give it.",
        skill=skill.skill,
        counts=counted_as(skill),
        rule=words.gettext(BOOKED_BY[skill.rule]),
    )


def learned_said(one: Learned, words: Words) -> str:
    """What the rules of reduction are computed from, for one skill."""

    def time(microseconds: int) -> str:
        return words.seconds(Decimal(microseconds) / US_PER_SECOND)

    said = words.say(
        "%(skill)s: T_s study %(study)s, T_t teaching %(teach)s, H working life %(life)s",
        skill=one.skill,
        study=time(one.study_us),
        teach=time(one.teach_us),
        life=time(one.life_us),
    )
    if one.wage_micro is None or one.simple_wage_micro is None:
        return words.say("%(said)s; wages unknown", said=said)
    wages = one.wage_micro, one.simple_wage_micro
    wage, simple = (words.number(Decimal(micro) / MICRO, least=2, most=6) for micro in wages)
    return words.say("%(said)s; wages %(wage)s : %(simple)s", said=said, wage=wage, simple=simple)


def swing_name(swing: Swing, words: Words) -> str:
    """What is assumed; ≈ where the answer is an approximation."""
    names = {
        "reduction": words.say("reduction: %(rule)s", rule=rule_name(swing.about, words)),
        "machine": words.say("λ of %(device)s", device=swing.about),
        "uses": words.say("N̂, planned uses of %(model)s", model=swing.about),
        "social-average": words.gettext("social average"),
        "unpaid": words.gettext("unpaid labour"),
        "business": words.gettext("business labour"),
        "melt": words.gettext("μ, money for an hour"),
    }
    circular = f" ({words.gettext('λ from a price: circular')})" if swing.circular else ""
    return names[swing.name] + (" ≈" if swing.approximate else "") + circular


def swing_ends(swing: Swing, currency: str, words: Words) -> tuple[str, str]:
    """The assumption at both ends, with its unit."""
    return _end(swing, swing.low, currency, words), _end(swing, swing.high, currency, words)


def _end(swing: Swing, said: str, currency: str, words: Words) -> str:
    if swing.name == "reduction":
        return words.gettext(RULE_NAMES[BOOKED]) if said == BOOKED else words.gettext("by this rule")
    if swing.name == "machine":
        return words.say("%(time)s an hour", time=words.hours(int(Decimal(said))))
    if swing.name == "uses":
        return words.number(Decimal(said), most=1)
    if swing.name == "melt":
        return words.money(int(Decimal(said)), currency)
    return words.gettext(_SAID[said])


def base_of(swings: Swings, currency: str, words: Words) -> str:
    """The answer as things are: marked where unmeasured labour makes it a bound, as both ends of every swing are."""
    mark = "" if not swings.unmeasured else "≥ " if swings.measure == "value" else "≤ "
    return mark + answer_of(swings, swings.base, currency, words)


def answer_of(swings: Swings, amount: int | None, currency: str, words: Words) -> str:
    """An answer in its unit, to the last digit: ends that lie close together are not to look alike."""
    if amount is None:
        return words.gettext("unknown")
    return words.decimal_hours(amount) if swings.measure == "value" else words.money(amount, currency)


def summed(layers: Sequence[Layer], by: str) -> list[tuple[str, str, int]]:
    """(part, name, micro-SLH) by ``kind``, ``phase`` or ``standing``: T first, in the order of the layers."""
    sums: dict[tuple[str, str], int] = {}
    for layer in layers:
        key = (layer.part, str(getattr(layer, by)))
        sums[key] = sums.get(key, 0) + layer.uslh
    return [(part, name, uslh) for (part, name), uslh in sums.items()]

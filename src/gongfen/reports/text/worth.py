"""What outputs are worth, on a terminal: the answer first, then under each reduction, then what is in it."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from gongfen.facts.amounts import round_half_up
from gongfen.reports.text.pictures import rent_band
from gongfen.reports.text.replies import STRONGEST, table, taken_back
from gongfen.reports.words import N_, Words
from gongfen.reports.worth_words import (
    MEASURES,
    answer_of,
    base_of,
    by_hand,
    counted_as,
    found_by,
    lacking,
    layer_name,
    learned_said,
    machine_note,
    rule_name,
    summed,
    swing_ends,
    swing_name,
)
from gongfen.value import Swing, Swings, Worth
from gongfen.value.worth import Out

BAR = 20
PAST, NOW = "▒", "█"


def worth(answer: Worth, words: Words) -> RenderableType:
    """The whole answer."""
    parts: list[RenderableType] = [Text(", ".join(answer.outputs), style="bold"), _sums(answer, words)]
    parts.append(Text(by_hand(answer, words), "dim"))
    parts += rent_band(answer, words)
    if answer.gated:
        note = words.say(
            "no living labour entered %(outputs)s: what is booked on it passes nothing on, and T counts 0",
            outputs=words.gettext(", ").join(answer.gated),
        )
        parts.append(Text(note, "yellow"))
    for one in answer.spent:
        note = words.say(
            "%(model)s was past its plan, or had lost all, when it was used for %(outputs)s: "
            "it passed on what was left, if anything",
            model=one.model,
            outputs=words.gettext(", ").join(one.outputs),
        )
        parts.append(Text(note, "yellow"))
    parts += [Text(), *_reductions(answer, words), *_composition(answer, words)]
    parts += taken_back(answer.taken_back, words)
    if answer.unmeasured:
        parts.append(
            Text(words.gettext("Some labour behind it was never measured: the true amount is at least this."), "yellow")
        )
    return Group(*parts)


def _sums(answer: Worth, words: Words) -> RenderableType:
    rows = table(words, "", N_("labour"), N_("money"), numbers=(1, 2))
    least = "≥ " if answer.unmeasured else ""

    def money(micro: int | None) -> str:
        return words.gettext("unknown: not sold") if micro is None else words.money(micro, answer.currency)

    rows.add_row(
        words.gettext("T transferred: data, model, machines"), least + words.hours(answer.transferred_uslh), ""
    )
    at_least = "≥ " if answer.untimed else ""
    rows.add_row(
        words.gettext("L living: prompting, review, operation"), at_least + words.hours(answer.living_uslh), ""
    )
    total = least + words.hours(answer.uslh)
    rows.add_row(words.gettext("value μ(T + L)"), total, least + money(answer.value_micro), style="bold")
    if answer.quantity > 1:
        each = round_half_up(answer.uslh, answer.quantity), round_half_up(answer.value_micro, answer.quantity)
        name = words.say("one of its %(all)s copies", all=words.number(answer.quantity))
        rows.add_row(name, least + words.hours(each[0]), least + money(each[1]))
    price = words.gettext("price p")
    if answer.copies_sold is not None and answer.sold_uslh is not None:
        sold, all_ = words.number(answer.copies_sold), words.number(answer.quantity)
        price = words.say("price p, of %(sold)s of %(all)s copies: so the rents", sold=sold, all=all_)
    of_these = "" if answer.sold_uslh is None else least + words.hours(answer.sold_uslh)
    rows.add_row(price, of_these, money(answer.price_micro))
    most = "≤ " if answer.unmeasured and answer.rent_avg_micro is not None else ""
    rows.add_row(words.gettext("rent by average theory p − μ(T + L)"), "", most + money(answer.rent_avg_micro))
    at_most = "≤ " if answer.untimed and answer.rent_repro_micro is not None else ""
    rows.add_row(words.gettext("rent by reproduction theory p − μL"), "", at_most + money(answer.rent_repro_micro))
    if answer.price_micro is not None:
        rows.add_row(words.gettext("what the theories differ by, μT"), "", least + money(answer.past_micro))
    return rows


def _reductions(answer: Worth, words: Words) -> Iterable[RenderableType]:
    """The same under each rule, side by side."""
    rows = table(
        words,
        N_("complex labour reduced"),
        "T + L",
        N_("value"),
        N_("rent, average"),
        N_("rent, reproduction"),
        numbers=(1, 2, 3, 4),
    )
    notes = []
    least = "≥ " if answer.unmeasured else ""
    for one in answer.by_rule:
        name, style = rule_name(one.rule, words), "bold" if one.rule == "booked" else ""
        if one.uslh is None or one.value_micro is None:
            rows.add_row(name, *[words.gettext("unknown")] * 4, style="dim")
            notes.append(Text(words.say("%(rule)s is unknown: %(why)s", rule=name, why=lacking(one, words)), "yellow"))
            continue
        most = (answer.unmeasured, answer.untimed)
        rents = [
            words.gettext("unknown")
            if micro is None
            else ("≤ " if at_most else "") + words.money(micro, answer.currency)
            for micro, at_most in zip((one.rent_avg_micro, one.rent_repro_micro), most, strict=True)
        ]
        value = words.money(one.value_micro, answer.currency)
        rows.add_row(name, least + words.decimal_hours(one.uslh), least + value, *rents, style=style)
        if one.rule == "booked" and answer.without_unpaid is not None:
            rows.add_row(*_unpaid_out(answer, answer.without_unpaid, words))
    return (rows, *notes, *(Text(learned_said(one, words), "dim") for one in answer.learned))


def _unpaid_out(answer: Worth, out: Out, words: Words) -> Iterable[str]:
    """The row of the answer without unpaid labour."""
    least = "≥ " if answer.unmeasured else ""
    most = ["≤ " if bound else "" for bound in (answer.unmeasured, answer.untimed)]
    yield words.gettext("unpaid labour out")
    yield least + words.decimal_hours(out.transferred_uslh + out.living_uslh)
    yield least + words.money(out.value_micro, answer.currency)
    for micro, mark in zip((out.rent_avg_micro, out.rent_repro_micro), most, strict=True):
        yield words.gettext("unknown") if micro is None else mark + words.money(micro, answer.currency)


def _composition(answer: Worth, words: Words) -> Iterable[RenderableType]:
    """What is in it: by kind with the outside sources, phase, standing, skill, maker; of an empty one, nothing."""
    most = max([answer.uslh, 1])
    legend = Text(words.say("%(past)s T transferred  %(now)s L living", past=PAST, now=NOW), "dim")
    kinds = table(words, N_("labour in it, by kind"), "", "", numbers=(1,))
    outside = {machine.device: machine for machine in answer.machines}
    for name, split in _split(answer, "kind"):
        if name in LAYERS_OUTSIDE:
            continue
        kinds.add_row(layer_name(name, words), words.hours(sum(split)), _bar(split, most))
    for name, uslh in answer.by_external.items():
        group, _, device = name.partition(":")
        note = f" ({machine_note(outside[device], words)})" if group == "machine" else ""
        kinds.add_row(name + note, words.hours(uslh), _bar((uslh, 0), most))
    if not kinds.row_count:
        return []
    parts: list[RenderableType] = [Text(), legend, kinds]
    for by, title in (("phase", N_("by phase")), ("standing", N_("by standing"))):
        rows = table(words, title, "", "", numbers=(1,))
        for name, split in _split(answer, by):
            rows.add_row(layer_name(name, words), words.hours(sum(split)), _bar(split, most))
        parts += [Text(), rows]
    skills = table(words, N_("by skill"), "", N_("an hour counts"), N_("found"), numbers=(1, 2))
    for skill in answer.skills:
        skills.add_row(skill.skill, words.hours(skill.uslh), counted_as(skill), found_by(skill, words))
    makers = table(words, N_("by maker"), "", numbers=(1,))
    ranked = sorted(answer.by_maker.items(), key=lambda row: (-row[1], row[0]))
    for maker, uslh in ranked[:STRONGEST]:
        makers.add_row(maker, words.hours(uslh))
    parts += [Text(), skills, Text(), makers]
    if len(ranked) > STRONGEST:
        more = words.counted("%(n)s more maker", "%(n)s more makers", len(ranked) - STRONGEST)
        parts.append(Text(words.say("… and %(more)s (--json shows all)", more=more), "dim"))
    return parts


LAYERS_OUTSIDE = ("machine", "data", "energy", "site", "opening")


def _split(answer: Worth, by: str) -> Iterable[tuple[str, tuple[int, int]]]:
    """Each name with its T and its L."""
    found: dict[str, tuple[int, int]] = {}
    for part, name, uslh in summed(answer.layers, by):
        past, now = found.get(name, (0, 0))
        found[name] = (past + uslh, now) if part == "T" else (past, now + uslh)
    return found.items()


def _bar(split: tuple[int, int], most: int) -> Text:
    """A bar of two shades; whatever is more than nothing is seen."""
    past, now = (max((BAR * 2 * uslh + most) // (2 * most), min(uslh, 1)) for uslh in split)
    return Text.assemble((PAST * past, "cyan"), (NOW * now, "red"))


# -- which assumption moves it most ------------------------------------------------------------------------------------


def tornado(found: Sequence[Swings], currency: str, words: Words) -> RenderableType:
    """For the value and each rent: every assumption between its ends, the widest swing first."""
    parts: list[RenderableType] = [Text(words.gettext("Which assumption moves it most"), style="bold")]
    for swings in found:
        if swings.base is not None:
            parts += [Text(), *_one_tornado(swings, currency, words)]
    parts += [
        Text(),
        Text(words.gettext("One at a time, the others as booked. ≈ is an approximation, made without booking again.")),
    ]
    return Group(*parts)


def _one_tornado(swings: Swings, currency: str, words: Words) -> Iterable[RenderableType]:
    assert swings.base is not None, "asked before"
    head = words.say(
        "%(what)s, now %(base)s",
        what=words.gettext(MEASURES[swings.measure]),
        base=base_of(swings, currency, words),
    )
    rows = table(words, N_("assumption"), N_("from … to"), N_("gives"), "")
    moving = [one for one in swings.bars if one.width != 0]
    ends = [end for one in moving for end in (one.at_low, one.at_high) if end is not None]
    scale = (min([*ends, swings.base]), max([*ends, swings.base]))
    for one in moving:
        low, high = swing_ends(one, currency, words)
        gives = [answer_of(swings, end, currency, words) for end in (one.at_low, one.at_high)]
        rows.add_row(swing_name(one, words), f"{low} … {high}", " … ".join(gives), _range_bar(one, swings.base, scale))
    still = [swing_name(one, words) for one in swings.bars if one.width == 0]
    parts: list[RenderableType] = [Text(head, "bold"), *([rows] if moving else [])]
    if still:
        parts.append(Text(words.say("moved by nothing of: %(names)s", names=words.gettext(", ").join(still)), "dim"))
    return parts


def _range_bar(swing: Swing, base: int, scale: tuple[int, int]) -> Text:
    """From one end to the other, with a line where the answer is now."""
    if swing.at_low is None or swing.at_high is None:
        return Text("?" * BAR, "dim")
    least, most = scale
    length = max(most - least, 1)

    def place(value: int) -> int:
        return (2 * (value - least) * (BAR - 1) + length) // (2 * length)

    start, end = sorted((place(swing.at_low), place(swing.at_high)))
    middle = place(base)
    signs = [NOW if start <= at <= end else "·" for at in range(BAR)]
    signs[middle] = "┃"
    return Text("".join(signs), "red")

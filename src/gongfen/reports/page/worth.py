"""The page's part on worth: composition, price against value, reductions, the tornado, indicators over time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gongfen.reports.charts.drawing import Saying
from gongfen.reports.charts.over_time import Line, over_time
from gongfen.reports.charts.price_band import Priced, price_band
from gongfen.reports.charts.stacked_bars import Piece, Stack, stacked_bars
from gongfen.reports.charts.tornado import Sway, tornado
from gongfen.reports.story import Month, OutputStory, Story
from gongfen.reports.words import N_, Words
from gongfen.reports.worth_words import (
    CODES,
    MEASURES,
    RANGES,
    answer_of,
    base_of,
    by_hand,
    claim_said,
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
from gongfen.value import Layer, Swings, Worth
from gongfen.value.by_rule import money

MOST_BARS = 12
"""Outputs in one picture, the most valuable; the tables have all of them."""
SHAPES = ("wide", "upright")
LIVING_KINDS = frozenset("12345678")
Pictures = Mapping[str, Markup]


@dataclass(frozen=True, slots=True)
class Composition:
    """What outputs are made of, one way of dividing it."""

    title: str
    pictures: Pictures
    names: tuple[str, ...]
    """Columns of the table: T or L, and what."""
    rows: tuple[tuple[int, tuple[int, ...]], ...]
    """Output by its number, and its amounts, micro-SLH."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """The answer under one rule of reduction."""

    name: str
    uslh: int | None
    value_micro: int | None
    rent_avg_micro: int | None
    rent_repro_micro: int | None
    why: str
    """Why it is unknown."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One skill, and how its hours were counted."""

    skill: str
    uslh: int
    counts: str
    found: str
    claimed: bool


@dataclass(frozen=True, slots=True)
class Varied:
    """One assumption in a table."""

    name: str
    low: str
    high: str
    at_low: str
    at_high: str
    range: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One tornado: of the value, or of a rent."""

    name: str
    pictures: Pictures
    rows: tuple[Varied, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """A picture over time."""

    name: str
    pictures: Pictures


@dataclass(frozen=True, slots=True)
class WorthPart:
    """Everything that this part of the page shows."""

    worth: Worth | None
    """``None``: no standard is published, and labour has no expression in money."""
    transferred_uslh: int
    living_uslh: int
    unmeasured: bool
    """T + L is a lower bound."""
    untimed: bool
    """L is a lower bound, and rent by reproduction theory an upper one."""
    by_hand: str
    """μ, T and L to the last digit; empty without a standard."""
    of_sold: bool
    """The sums are of the outputs that were sold; there are others on the page."""
    band: Pictures
    """Empty without a standard."""
    priced: tuple[tuple[int, OutputStory, int, int], ...]
    """Number, output, μL and μ(T + L) of what was sold of it; empty without a standard."""
    left_out: int
    """Outputs that the pictures do not show."""
    compositions: tuple[Composition, ...]
    ruled: tuple[Ruled, ...]
    skills: tuple[Counted, ...]
    claims: tuple[str, ...]
    """Which reductions are only claimed to be by the rule that they name."""
    learned: tuple[str, ...]
    """What the rules are computed from, skill by skill."""
    spent: tuple[tuple[str, tuple[int, ...]], ...]
    """Models that were past their plan, or had lost all, with the outputs, by number, that were made with them then."""
    machines: tuple[tuple[str, int, int | None, str, bool], ...]
    """Device, micro-SLH, λ, where λ is from, whether that is circular."""
    tornadoes: tuple[Measured, ...]
    indicators: tuple[Indicator, ...]
    silent: tuple[str, ...]
    """Indicators of which no month is known: a picture of them would be empty."""
    months: tuple[Month, ...]


def worth_part(story: Story, words: Words, key: str) -> WorthPart | None:
    """The part in one language; ``None`` when nothing is known of it."""
    if not story.months and (not story.outputs or not (story.worth or any(one.layers for one in story.outputs))):
        return None
    numbered = list(enumerate(story.outputs, 1))
    largest = sorted(numbered, key=lambda row: (-row[1].transferred_uslh - row[1].living_uslh, row[0]))[:MOST_BARS]
    shown = sorted(largest)
    worth = story.worth
    named = set(worth.outputs) if worth else {one.output for one in story.outputs}
    together = [one for one in story.outputs if one.output in named]
    drawn, silent = _indicators(story.months, story.currency, words, key)
    return WorthPart(
        worth=worth,
        transferred_uslh=worth.transferred_uslh if worth else sum(one.transferred_uslh for one in together),
        living_uslh=worth.living_uslh if worth else sum(one.living_uslh for one in together),
        unmeasured=worth.unmeasured if worth else any(one.unmeasured for one in together),
        untimed=worth.untimed if worth else any(one.untimed for one in together),
        by_hand=by_hand(worth, words) if worth else "",
        of_sold=bool(worth) and len(together) < len(story.outputs),
        band=_band(shown, story, words, key) if worth else {},
        priced=tuple((n, output, _of_living(output, story), value_sold(output) or 0) for n, output in numbered)
        if worth
        else (),
        left_out=len(numbered) - len(shown),
        compositions=_compositions(shown, numbered, words, key),
        ruled=_ruled(worth, words) if worth else (),
        skills=tuple(
            Counted(one.skill, one.uslh, counted_as(one), found_by(one, words), one.claimed)
            for one in (worth.skills if worth else ())
        ),
        claims=tuple(claim_said(one, words) for one in (worth.skills if worth else ()) if one.claimed),
        learned=tuple(learned_said(one, words) for one in (worth.learned if worth else ())),
        spent=_spent(numbered),
        machines=tuple(
            (one.device, one.uslh, one.uslh_per_hour, machine_note(one, words), one.circular)
            for one in (worth.machines if worth else ())
        ),
        tornadoes=tuple(
            _tornado(swings, worth.currency, words, key)
            for swings in story.swings
            if worth and swings.base is not None and swings.bars
        ),
        indicators=drawn,
        silent=silent,
        months=story.months,
    )


def _spent(numbered: Sequence[tuple[int, OutputStory]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Every model that passed on less, with all outputs on the page that it was used for then, sold or not."""
    found: dict[str, list[int]] = {}
    for n, output in numbered:
        for model in output.spent:
            found.setdefault(model, []).append(n)
    return tuple((model, tuple(made)) for model, made in sorted(found.items()))


def _ruled(worth: Worth, words: Words) -> tuple[Ruled, ...]:
    """The answer as booked, without unpaid labour if there is some, and under each rule of reduction."""
    booked, *rules = (
        Ruled(
            name=rule_name(one.rule, words),
            uslh=one.uslh,
            value_micro=one.value_micro,
            rent_avg_micro=one.rent_avg_micro,
            rent_repro_micro=one.rent_repro_micro,
            why=lacking(one, words),
        )
        for one in worth.by_rule
    )
    if (paid := worth.without_unpaid) is None:
        return booked, *rules
    out = Ruled(
        name=words.gettext("unpaid labour out"),
        uslh=paid.transferred_uslh + paid.living_uslh,
        value_micro=paid.value_micro,
        rent_avg_micro=paid.rent_avg_micro,
        rent_repro_micro=paid.rent_repro_micro,
        why="",
    )
    return booked, out, *rules


def _both(draw: Callable[..., str], key: str, title: str, finding: str) -> Pictures:
    """A picture for a desk and for a phone."""
    return {
        shape: Markup(  # noqa: S704 — charts escape
            draw(saying=Saying(key=f"{key}-{shape}", title=title, finding=finding), narrow=shape == "upright")
        )
        for shape in SHAPES
    }


def _output(n: int, words: Words) -> str:
    return words.say("Output %(n)s", n=words.number(n))


# -- price against value -----------------------------------------------------------------------------------------------


def _of_living(output: OutputStory, story: Story) -> int:
    """μL, such that both rents differ by μT to the last unit."""
    if output.price_micro is not None and output.rent_repro_micro is not None:
        return output.price_micro - output.rent_repro_micro
    return money(output.living_uslh, story.melt_micro or 0)


def price_said(output: OutputStory, currency: str, words: Words) -> str:
    """What an output fetched: in its own currencies where no rate is published."""
    if output.unrated:
        return " + ".join(words.money(amount, of) for of, amount in output.unrated)
    return words.gettext("not sold") if output.price_micro is None else words.money(output.price_micro, currency)


def value_sold(output: OutputStory) -> int | None:
    """The value that a price is held against: of several copies, of those that were sold; of an unsold one, all."""
    if output.price_micro is not None and output.rent_avg_micro is not None:
        return output.price_micro - output.rent_avg_micro
    return output.value_micro


def _band(shown: Sequence[tuple[int, OutputStory]], story: Story, words: Words, key: str) -> Pictures:
    currency = story.currency

    def note(n: int, output: OutputStory) -> str:
        price = price_said(output, currency, words)
        return words.say(
            "%(output)s: price %(price)s, μL %(living)s, μ(T + L) %(value)s",
            output=_output(n, words),
            price=price,
            living=words.money(_of_living(output, story), currency),
            value=words.money(value_sold(output) or 0, currency),
        )

    rows = [
        Priced(
            name=_output(n, words),
            living=_of_living(output, story),
            value=value_sold(output) or 0,
            price=output.price_micro,
            note=note(n, output),
            open=output.unmeasured,
        )
        for n, output in shown
    ]
    above = sum(o.price_micro is not None and o.price_micro > (value_sold(o) or 0) for _, o in shown)
    finding = words.counted(
        "%(n)s output was sold above its value; a table follows.",
        "%(n)s outputs were sold above their value; a table follows.",
        above,
    )
    return _both(
        lambda **how: price_band(
            rows, axis=words.gettext("money"), unit=lambda micro: words.money(micro, currency), **how
        ),
        f"{key}-band",
        words.gettext("Price against value"),
        finding,
    )


# -- what value is made of ---------------------------------------------------------------------------------------------

DIVISIONS = (("kind", N_("by kind")), ("phase", N_("by phase")), ("standing", N_("by standing")))


def _compositions(
    shown: Sequence[tuple[int, OutputStory]], numbered: Sequence[tuple[int, OutputStory]], words: Words, key: str
) -> tuple[Composition, ...]:
    if not any(output.layers for _, output in numbered):
        return ()
    return tuple(_composition(shown, numbered, by, title, words, key) for by, title in DIVISIONS)


def _composition(
    shown: Sequence[tuple[int, OutputStory]],
    numbered: Sequence[tuple[int, OutputStory]],
    by: str,
    title: str,
    words: Words,
    key: str,
) -> Composition:
    all_ = summed([layer for _, output in numbered for layer in output.layers], by)
    columns = [(part, name) for part, name, _ in sorted(all_, key=lambda row: row[0] == "L")]
    stacks = [
        Stack(
            name=_output(n, words),
            amount=("≥ " if output.unmeasured else "") + words.hours(output.transferred_uslh + output.living_uslh),
            pieces=tuple(_piece(part, name, uslh, words) for part, name, uslh in summed(output.layers, by)),
            open=output.unmeasured,
        )
        for n, output in shown
    ]
    finding = words.gettext("T first, then L; each part is named where there is room, and in the table that follows.")
    said = words.say("What value is made of, %(by)s", by=words.gettext(title))
    return Composition(
        title=words.gettext(title),
        pictures=_both(lambda **how: stacked_bars(stacks, **how), f"{key}-made-{by}", said, finding),
        names=tuple(f"{part}: {layer_name(name, words)}" for part, name in columns),
        rows=tuple((n, _amounts(output.layers, by, columns)) for n, output in numbered),
    )


def _amounts(layers: Sequence[Layer], by: str, columns: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    found = {(part, name): uslh for part, name, uslh in summed(layers, by)}
    return tuple(found.get(column, 0) for column in columns)


def _piece(part: str, name: str, uslh: int, words: Words) -> Piece:
    said = layer_name(name, words)
    tone = "living" if part == "L" else "machine" if name in CODES or not name else "past"
    code = name if name in LIVING_KINDS else CODES.get(name, said)
    return Piece(value=uslh, tone=tone, code=code, note=f"{part}: {said}: {words.hours(uslh)}")


# -- the tornado -------------------------------------------------------------------------------------------------------


def _tornado(swings: Swings, currency: str, words: Words, key: str) -> Measured:
    assert swings.base is not None, "asked before"

    def answer(amount: int | None) -> str:
        return answer_of(swings, amount, currency, words)

    moving = [one for one in swings.bars if one.width != 0]
    rows = [
        Sway(
            name=swing_name(one, words),
            settings=" … ".join(swing_ends(one, currency, words)),
            gives=f"{answer(one.at_low)} … {answer(one.at_high)}",
            low=one.at_low,
            high=one.at_high,
            approximate=one.approximate,
        )
        for one in moving
    ]
    name = words.gettext(MEASURES[swings.measure])
    known = [one for one in moving if one.width is not None]
    if known:
        finding = words.say("Of those that can be told, %(name)s moves it most; a table follows.",
                            name=swing_name(known[0], words))  # fmt: skip
    else:
        finding = words.gettext("No assumption that can be told moves it; a table follows.")
    said = words.say("now %(base)s", base=base_of(swings, currency, words))
    base = swings.base
    return Measured(
        name=name,
        pictures=_both(
            lambda **how: tornado(rows, base=base, said=said, **how),
            f"{key}-tornado-{swings.measure}",
            words.say("Which assumption moves it most: %(what)s", what=name),
            finding,
        ),
        rows=tuple(
            Varied(
                swing_name(one, words),
                *swing_ends(one, currency, words),
                answer(one.at_low),
                answer(one.at_high),
                words.gettext(RANGES[one.range]),
            )
            for one in swings.bars
        ),
    )


# -- over time ---------------------------------------------------------------------------------------------------------


def _indicators(
    months: Sequence[Month], currency: str, words: Words, key: str
) -> tuple[tuple[Indicator, ...], tuple[str, ...]]:
    """Money on one scale; labour, e and q each on their own. With the names of those of which nothing is known."""
    if not months:
        return (), ()
    times = [month.month for month in months]
    lines = {
        "money": (
            words.gettext("Sales, value and rent"),
            lambda micro: words.money(micro, currency),
            [
                Line(name=words.gettext("sales"), values=tuple(month.sales_micro for month in months)),
                Line(name=words.gettext("value μ(T + L)"), values=tuple(month.value_micro for month in months)),
                Line(name=words.gettext("rent, average"), values=tuple(month.rent_avg_micro for month in months)),
                Line(name=words.gettext("rent, reproduction"), values=tuple(m.rent_repro_micro for m in months)),
            ],
        ),
        "labour": (
            words.gettext("Living labour"),
            words.hours,
            [Line(name="L", values=tuple(month.living_uslh for month in months))],
        ),
        "e": (
            words.gettext("Rate of surplus"),
            words.ratio,
            [Line(name="e = s/v", values=tuple(month.surplus_rate_ppm for month in months))],
        ),
        "q": (
            words.gettext("Organic composition"),
            words.ratio,
            [Line(name="q = c/v", values=tuple(month.composition_ppm for month in months))],
        ),
    }
    known = {which for which, (_, _, drawn) in lines.items() if any({*line.values} - {None} for line in drawn)}
    finding = words.gettext("What is unknown is a gap; a table follows.")
    return tuple(
        Indicator(name, _both(_drawn(times, drawn, unit), f"{key}-time-{which}", name, finding))
        for which, (name, unit, drawn) in lines.items()
        if which in known
    ), tuple(name for which, (name, _, _) in lines.items() if which not in known)


def _drawn(times: Sequence[str], lines: Sequence[Line], unit: Callable[[int], str]) -> Callable[..., str]:
    return lambda **how: over_time(times, lines, unit=unit, **how)

"""Indicators, producers, sectors and models on a terminal: what is unknown says so, and why."""

from collections.abc import Iterable
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from gongfen.reports.ledger import (
    Composite,
    Estimator,
    Indicators,
    Models,
    Owners,
    Prices,
    Producers,
    Rates,
    Sector,
    Sectors,
)
from gongfen.reports.recorded import recorded
from gongfen.reports.text.ledger import GIVEN, bar, clock, listing, meter_rows, trimmed
from gongfen.reports.text.pictures import months
from gongfen.reports.text.replies import STRONGEST, table
from gongfen.reports.words import N_, Words

PPM = 1_000_000
OWNED = {
    "model": N_("owners of models"),
    "machine": N_("owners of machines"),
    "data": N_("owners of data"),
    "site": N_("owners of sites"),
}
SPEEDS = ("FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s")
FINE = 10**12
"""Parts in which a labour value is drawn: an hour is a lot beside a unit of money."""
DIGITS = 6
"""Decimals of a labour value on the screen; --json has twelve."""


def indicators(answer: Indicators, words: Words) -> RenderableType:
    """c, v, s and what follows; shares; prices against values; owners."""
    when = answer.period or words.gettext("altogether")
    melt = words.money(answer.melt_micro, answer.currency)
    head = words.say(
        "%(when)s, by standard %(standard)s: μ = %(melt)s an hour", when=when, standard=answer.standard, melt=melt
    )
    parts: list[RenderableType] = [
        Text(head, "bold"),
        Text(_as_of(answer, words), "dim"),
        *_capital(answer, words),
        Text(),
        _shares(answer, words),
    ]
    parts += [Text(), *_prices(answer.prices, answer.currency, words)]
    if answer.lower_bounds_sold:
        note = words.counted(
            "the value of %(n)s output sold is a lower bound", "the value of %(n)s outputs sold is a lower bound",
            len(answer.lower_bounds_sold),
        )  # fmt: skip
        parts.append(Text(note, "yellow"))
    if answer.unrated:
        note = words.say(
            "no rate is published for %(currencies)s: what they count into is unknown",
            currencies=words.gettext(", ").join(answer.unrated),
        )
        parts.append(Text(note, "yellow"))
    parts += [Text(), *_owners(answer.owners, words)]
    parts += months(answer.months, answer.currency, words)
    note = N_("dispersion of q: unknown, for this is one producer; several: gongfen books indicators --table FILE")
    parts.append(Text(words.gettext(note), "dim"))
    return Group(*parts)


def _as_of(answer: Indicators, words: Words) -> str:
    facts = words.counted("after %(n)s fact", "after %(n)s facts", answer.size)
    if answer.closed_by:
        closed = words.say("the period is closed by %(close)s; a later correction shows here", close=answer.closed_by)
        return f"{facts}; {closed}"
    return facts + "; " + words.gettext("not closed: what is recorded later for these days shows here")


def _capital(answer: Indicators, words: Words) -> Iterable[RenderableType]:
    least = "≥ " if answer.lower_bound else ""
    rates = answer.rates
    rows = listing(3)
    amounts = [int(Decimal(one or "0") * PPM) for one in (rates.constant, rates.variable, rates.surplus)]
    if rates.variable is None:
        amounts[2] = answer.living_uslh or 0  # of which nobody knows what came back in wages
    most = max(sum(map(abs, amounts)), 1)
    colours = ("cyan", "green", "red") if rates.variable is not None else ("cyan", "green", "white")
    bars = [bar(amount, most, style) for amount, style in zip(amounts, colours, strict=True)]

    def row(name: str, said: str | None, drawn: Text, mark: str = "") -> None:
        shown, seen = (words.gettext("unknown"), Text()) if said is None else (mark + hours(said, words), drawn)
        rows.add_row(words.gettext(name), shown, seen)

    row(N_("c, objectified labour from outside"), rates.constant, bars[0], least)
    partly = bool(answer.without_wage)
    row(N_("v, wages in labour: wages/μ"), rates.variable, bars[1], "≥ " if partly else "")
    row(N_("s = L − v, labour beyond the wages"), rates.surplus, bars[2], _between(least, partly=partly))
    row(N_("W = c + v + s"), rates.value, Text.assemble(*bars), least)
    yield rows
    inside = [
        f"{words.gettext(GIVEN[name])} {words.hours(uslh)}" for name, uslh in answer.constant.items()
    ]  # what c is made of
    if inside:
        yield Text(words.say("c: %(parts)s", parts=words.gettext(", ").join(inside)), "dim")
    yield Text(_living(answer, words), "dim")
    if not answer.wages_recorded:
        note = N_("no wage is recorded, so v, s, e, q and r are unknown: gongfen record wage …")
        yield Text(words.gettext(note), "yellow")
    elif answer.wages_micro is None:
        note = N_("wages lack a rate into %(currency)s, so v, s, e, q and r are unknown: gongfen record rate …")
        yield Text(words.say(note, currency=answer.currency), "yellow")
    elif answer.without_wage:
        note = words.counted(
            "of %(n)s maker of paid labour no wage is recorded: v is at least, and s, e and r at most, what is stated",
            "of %(n)s makers of paid labour no wage is recorded: v is at least, and s, e and r at most, what is stated",
            len(answer.without_wage),
        )
        yield Text(note, "yellow")
    if answer.lower_bound:
        yield Text(words.gettext("Some of this labour was never measured: c and L are at least this."), "yellow")
    yield Text()
    yield _rates(rates, words, least, partly=partly)
    if answer.unpaid_uslh and answer.surplus_rate_paid_ppm is not None:
        said = words.say("without the unpaid labour e is %(rate)s", rate=ratio(answer.surplus_rate_paid_ppm, words))
        yield Text(said, "dim")


def _living(answer: Indicators, words: Words) -> str:
    if answer.living_uslh is None:
        return words.gettext("L: no living labour is recorded")
    parts = [words.say("L: living labour %(time)s", time=words.hours(answer.living_uslh))]
    if answer.unpaid_uslh:
        parts.append(words.say("of it unpaid %(time)s", time=words.hours(answer.unpaid_uslh)))
    if answer.not_necessary_uslh:
        said = words.say("not in it, not socially necessary: %(time)s", time=words.hours(answer.not_necessary_uslh))
        parts.append(said)
    return words.gettext("; ").join(parts)


def _between(least: str, *, partly: bool) -> str:
    """The mark of what grows with labour and shrinks with wages, where labour or wages may be more than is known."""
    return ("≈ " if least else "≤ ") if partly else least


def _rates(rates: Rates, words: Words, least: str, *, partly: bool) -> RenderableType:
    """With L and c at least so much, e and q are at least so much too, and r may lie on either side.

    With wages that are known in part (``partly``), all three are at most so much.
    """
    rows = listing()
    either = _between(least, partly=partly)
    for name, found, mark in (
        (N_("rate of surplus e = s/v"), rates.surplus_rate_ppm, either),
        (N_("organic composition q = c/v"), rates.composition_ppm, either),
        (N_("rate of profit r = s/(c + v)"), rates.profit_rate_ppm, "≈ " if least else either),
    ):
        rows.add_row(words.gettext(name), ratio(found, words) if found is None else mark + ratio(found, words))
    return rows


def _shares(answer: Indicators, words: Words) -> RenderableType:
    rows = listing()

    def money(micro: int | None) -> str:
        return words.gettext("unknown") if micro is None else words.money(micro, answer.currency)

    def percent(ppm: int | None) -> str:
        return words.gettext("unknown") if ppm is None else words.percent(ppm)

    rows.add_row(words.gettext("sales"), money(answer.sales_micro))
    rows.add_row(words.gettext("wages"), money(answer.wages_micro))
    rows.add_row(words.gettext("dividends given out"), money(answer.dividends_micro))
    rows.add_row(words.gettext("labour share: wages and dividends of sales"), percent(answer.labour_share_ppm))
    rows.add_row(words.gettext("of it by dividends alone"), percent(answer.dividend_share_ppm))
    return rows


def _prices(prices: Prices | None, unit: str, words: Words) -> Iterable[RenderableType]:
    if prices is None:
        yield Text(words.gettext("prices against values: nothing was sold"), "dim")
        return
    if not prices.counted:
        head = N_("prices against values: unknown, for of nothing that was sold both are known")
        yield Text(words.gettext(head), "yellow")
        yield from _outliers(prices, words)
        return
    head = words.counted(
        "prices against values, over %(n)s of which both are known",
        "prices against values, over %(n)s of which both are known", prices.counted,
    )  # fmt: skip
    yield Text(head, "bold")
    rows = listing()
    mark = f"{unit} " if unit else ""

    def amount(said: str | None) -> str:
        if said is None:
            return words.gettext("unknown")
        return mark + words.number(Decimal(said), most=2 if abs(Decimal(said)) >= 1 else DIGITS)

    rows.add_row(words.gettext("Σpq, what it fetched"), amount(prices.price))
    if unit:
        rows.add_row(words.gettext("μΣvq, the labour in it"), amount(prices.value))
    rows.add_row(words.gettext("α, money for an hour as sold"), amount(prices.scale))
    rows.add_row("MAWD", ratio(prices.mawd_ppm, words))
    rows.add_row("CV(p/v)", ratio(prices.variation_ppm, words))
    rows.add_row("d", ratio(prices.distance_ppm, words))
    yield rows
    yield from _outliers(prices, words)


def _outliers(prices: Prices, words: Words) -> Iterable[RenderableType]:
    for one in prices.outliers[:STRONGEST]:
        said = N_("%(name)s bears rent: its price is %(ratio)s times that of average labour")
        if not one.bears_rent:
            said = N_("%(name)s gives value away: its price is %(ratio)s times that of average labour")
        yield Text(words.say(said, name=one.name, ratio=ratio(one.ratio_ppm, words)), "yellow")
    if prices.without_value:
        first = words.gettext(", ").join(prices.without_value[:STRONGEST])
        yield Text(words.say("a price, and no labour recorded in it: %(names)s", names=first), "yellow")
    if prices.left_out:
        first = words.gettext(", ").join(prices.left_out[:STRONGEST])
        more = " …" if len(prices.left_out) > STRONGEST else ""
        yield Text(words.say("left out, price or value unknown: %(names)s", names=first + more), "dim")


def _owners(owners: Iterable[Owners], words: Words) -> Iterable[RenderableType]:
    found = list(owners)
    if not found:
        yield Text(words.gettext("concentration of owners: unknown, for no rent is recorded"), "dim")
        return
    rows = table(words, N_("concentration (HHI)"), "", "", numbers=(1,))
    for one in found:
        names = words.gettext(", ").join(
            f"{owner} {words.number(Decimal(amount), most=2)}" for owner, amount in one.amounts.items()
        )
        rows.add_row(words.gettext(OWNED[one.owned]), ratio(one.concentration_ppm, words), names)
    yield rows


def hours(decimals: str, words: Words) -> str:
    """Hours in decimals; less than one as a person reads time."""
    number = Decimal(decimals)
    if abs(number) < 1:
        return words.hours(int((number * PPM).to_integral_value()))
    return words.say("%(n)s h", n=words.number(number, most=2))


def ratio(ppm: int | None, words: Words) -> str:
    """A ratio in plain decimals; unknown says so."""
    return words.gettext("unknown") if ppm is None else words.number(Decimal(ppm) / PPM, most=5)


# -- several producers, several sectors --------------------------------------------------------------------------------


def producers(answer: Producers, words: Words) -> RenderableType:
    """Producers side by side."""
    rows = table(
        words, N_("producer"), N_("revenue"), "c", "v", "s", "q", "e", "r", numbers=(1, 2, 3, 4, 5, 6, 7)
    )  # fmt: skip
    for one in answer.producers:
        rows.add_row(one.producer, _plain(one.revenue, words), *_row(one.rates, words))
    rows.add_row(words.gettext("together"), "", *_row(answer.together, words), style="bold")
    spread = listing()
    spread.add_row(words.gettext("q of all together, Σc/Σv"), ratio(answer.composition_mean_ppm, words))
    spread.add_row(words.gettext("dispersion of q, counted by v (CV)"), ratio(answer.composition_variation_ppm, words))
    spread.add_row(words.gettext("concentration of sellers (HHI)"), ratio(answer.sellers_ppm, words))
    parts: list[RenderableType] = [rows, Text(), spread]
    if answer.composition_left_out:
        names = words.gettext(", ").join(answer.composition_left_out)
        parts.append(Text(words.say("q is unknown of: %(names)s", names=names), "dim"))
    if answer.owners:
        parts += [Text(), *_owners(answer.owners, words)]
    else:
        parts.append(Text(words.gettext("concentration of owners: unknown, for not every owner is named"), "dim"))
    return Group(*parts, Text(), *_prices(answer.prices, "", words))


def _row(rates: Rates, words: Words) -> list[str]:
    amounts = [_plain(one, words) for one in (rates.constant, rates.variable, rates.surplus)]
    return amounts + [
        ratio(one, words) for one in (rates.composition_ppm, rates.surplus_rate_ppm, rates.profit_rate_ppm)
    ]


def _plain(said: str | None, words: Words) -> str:
    return words.gettext("unknown") if said is None else words.number(Decimal(said), most=2)


def sectors(answer: Sectors, words: Words) -> RenderableType:
    """Labour values of a table."""
    known = [one for one in answer.sectors if one.value is not None]
    most = max([int(Decimal(one.value or "0") * FINE) for one in known] or [1]) or 1
    priced = answer.prices is not None
    columns = [
        N_("sector"),
        N_("output"),
        N_("direct labour"),
        N_("labour value"),
        *([N_("price/value")] if priced else []),
    ]
    rows = table(words, *columns, "", numbers=range(1, len(columns)))
    for one in answer.sectors:
        rows.add_row(one.sector, *_sector(one, words, priced=priced), _value_bar(one, most))
    verdict = N_("✓ v·y = l·x: the labour in the final product, %(embodied)s, is all that was done, %(labour)s")
    if not answer.holds:
        verdict = N_("✗ v·y ≠ l·x: %(embodied)s in the final product, %(labour)s done")
    said = words.say(
        verdict, embodied=_digits(answer.embodied, words, DIGITS), labour=_digits(answer.labour, words, DIGITS)
    )
    parts: list[RenderableType] = [rows, Text(), Text(said, "green" if answer.holds else "red"), Text()]
    if answer.prices is None:
        note = N_("no prices: give a column price, or say that the flows are money: --money")
        return Group(*parts, Text(words.gettext(note), "dim"))
    return Group(*parts, *_prices(answer.prices, "", words))


def _sector(one: Sector, words: Words, *, priced: bool) -> list[str]:
    none = words.gettext("makes nothing")
    cells = [_digits(one.output, words, 2)]
    cells += [none if said is None else _digits(said, words, DIGITS) for said in (one.direct, one.value)]
    return [*cells, *([ratio(one.ratio_ppm, words)] if priced else [])]


def _value_bar(one: Sector, most: int) -> Text:
    return bar(int(Decimal(one.value or "0") * FINE), most)


def _digits(said: str, words: Words, most: int) -> str:
    return words.number(Decimal(said), most=most)


# -- models ------------------------------------------------------------------------------------------------------------


def models(answer: Models, words: Words) -> RenderableType:
    """Every model, each unit by itself, and the estimate below."""
    if not answer.models:
        return Text(words.gettext("No model is recorded: gongfen record model …, or gongfen train"))
    parts: list[RenderableType] = []
    for one in answer.models:
        parts += [_composite(one, words), Text()]
    parts.append(Text(words.gettext("Each unit stands by itself; machine hours are never added to hours."), "dim"))
    parts.append(Text())
    if answer.estimator is not None:
        return Group(*parts, *_estimator(answer.estimator, words))
    head = words.gettext("no estimate of labour from machine hours × data governance × parameters")
    reason = words.say("why not: %(reason)s", reason=recorded(words, answer.why_not or ""))
    return Group(*parts, Text(head, "bold"), Text(reason), *_left_out(answer, words))


def _left_out(answer: Models, words: Words) -> Iterable[RenderableType]:
    if answer.left_out:
        first = words.gettext(", ").join(answer.left_out[:STRONGEST])
        more = " …" if len(answer.left_out) > STRONGEST else ""
        said = words.say("lower bounds, or without machine hours or data governance: %(names)s", names=first + more)
        yield Text(said, "dim")


def _composite(one: Composite, words: Words) -> RenderableType:
    rows = table(words, one.model, "", numbers=(1,))
    least, unknown = "≥ " if one.lower_bound else "", words.gettext("unknown")

    def time(microseconds: int | None) -> str:
        return unknown if microseconds is None else clock(microseconds, words)

    rows.add_row(words.gettext("labour that went into it, by the ledger"), least + words.hours(one.labour_uslh))
    rows.add_row(words.gettext("living hours, of the clock"), time(one.living_us))
    rows.add_row(words.gettext("data governance, kind 2 (data)"), time(one.data_us))
    rows.add_row(words.gettext("data governance, kind 7 (compliance)"), time(one.compliance_us))
    for device in one.meters:
        for name, said in meter_rows(device, words):
            rows.add_row(f"{device.device}: {name}", said)
    if not one.meters:
        rows.add_row(words.gettext("machine time"), unknown)
    rows.add_row(words.gettext("parameters"), words.number(one.parameters))
    flop = unknown if one.pf_days is None else f"{trimmed(one.pf_days)} PF-days"
    by = {"recorded": N_("computing, as recorded"), "6ND": N_("computing, estimated as 6·N·D")}
    rows.add_row(words.gettext(by.get(one.flop_by, N_("computing"))), flop)
    for speed in one.speeds:
        said = words.scaled(speed.flop_per_second, SPEEDS, most=2)
        if speed.utilisation_ppm is not None and speed.peak_flop_per_second is not None:
            peak = words.scaled(speed.peak_flop_per_second, SPEEDS, most=2)
            said = words.say("%(speed)s = %(share)s of %(peak)s", speed=said, peak=peak,
                             share=words.percent(speed.utilisation_ppm))  # fmt: skip
        rows.add_row(words.say("%(device)s: computing, of one machine", device=speed.device), said)
    if one.unmeasured:
        said = words.counted("%(n)s fact without a time", "%(n)s facts without a time", one.unmeasured)
        rows.add_row(words.gettext("labour that nobody measured"), said)
    return rows


def _estimator(found: Estimator, words: Words) -> Iterable[RenderableType]:
    head = words.counted(
        "estimate, fitted to %(n)s model: never in the ledger", "estimate, fitted to %(n)s models: never in the ledger",
        found.models,
    )  # fmt: skip
    yield Text(head, "bold")
    names = ("a", "b₁", "b₂", "b₃")
    line = words.gettext(", ").join(
        f"{name} = {_digits(one, words, 4)} ± {_digits(error, words, 4)}"
        for name, one, error in zip(names, found.coefficients, found.errors, strict=True)
    )
    formula = N_("ln L̂ = a + b₁ ln(machine hours) + b₂ ln(hours of data governance) + b₃ ln(parameters)")
    yield Text(words.gettext(formula))
    yield Text(line, "dim")
    rows = table(words, N_("model"), N_("booked"), N_("estimate"), N_("95% of such models"), numbers=(1, 2, 3))
    for one in found.estimates:
        span = f"{words.hours(one.low_uslh)} … {words.hours(one.high_uslh)}"
        rows.add_row(one.model, words.hours(one.booked_uslh), words.hours(one.typical_uslh), span)
    yield rows

"""What the worth of outputs hangs on, and how the book's indicators moved, month by month."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction

from gongfen.book.answers import Dated, converted, price_of
from gongfen.book.bookkeeping.capital import Given
from gongfen.book.bookkeeping.ledger import corrected_in
from gongfen.book.recording.booked import day_of
from gongfen.book.recording.record import Record
from gongfen.errors import MissingAssumptionError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM, USLH_PER_HOUR, round_half_up
from gongfen.reports.story import Month
from gongfen.value import Carried, Swings, capital, swings, worth

MOST_MONTHS = 24
"""The newest months of a long history."""
MONTH = slice(0, 7)
YEAR = 4


def swings_of(record: Record, outputs: tuple[str, ...]) -> tuple[Swings, ...]:
    """Which assumptions the worth of outputs hangs on. Raises UnknownWorkError, MissingAssumptionError."""
    outputs = tuple(dict.fromkeys(outputs))
    standard = record.state.standards.get("*")
    price = price_of(record, outputs, standard.currency) if standard else None
    return swings(record.state, outputs, price, carried_by_models(record, outputs))


def carried_by_models(record: Record, outputs: tuple[str, ...]) -> tuple[Carried, ...]:
    """What each model passed on into these outputs, as its plan stands now.

    Exact while a plan stands as it was first made; what was planned anew, or added to the model later, is read as if it
    had been so from the beginning.
    """
    sums: dict[str, int] = {}
    for output in outputs:
        for model, uses in _uses(record, output):
            stock = record.state.stocks.get(model)
            if stock is not None and stock.planned:
                sums[model] = sums.get(model, 0) + round_half_up(
                    stock.base * uses.numerator, stock.planned * uses.denominator
                )
    found = []
    for model, uslh in sorted(sums.items()):
        stock = record.state.stocks.get(model)
        assert stock is not None
        assert stock.planned
        found.append(Carried(model=model, uslh=uslh, planned=stock.planned, used=stock.used))
    return tuple(found)


def _uses(record: Record, output: str) -> Iterator[tuple[str, Fraction]]:
    """Models that an output was made with, and how many uses of each are its own."""
    known = record.state.works.get(output)
    for seq in known.made if known else ():
        making = record.fact(seq).body
        if isinstance(making, k.Make):
            copies = {one: found.quantity for one in making.outputs if (found := record.state.works.get(one))}
            for use in making.inputs:
                used = record.state.works.get(use.work)
                if used is not None and used.kind == "model":
                    yield use.work, Fraction(use.uses * copies[output], sum(copies.values()))


# -- month by month ----------------------------------------------------------------------------------------------------


def months_of(record: Record, currency: str) -> tuple[Month, ...]:
    """Sales, value, rents, e and q from the first month in which money moved, or else labour; ``None`` is unknown.

    What was given and paid in a month is counted as in :mod:`gongfen.book.bookkeeping.capital`; an output's value, in
    the month of its first sale.
    """
    standard, given = None, dict[str, Given]()
    corrected = corrected_in(record.state)
    for _, fact in record.facts():
        if isinstance(fact.body, k.Standard):
            standard = fact.body
        elif fact.id not in corrected:
            for month in _months_touched(fact):
                given.setdefault(month, Given(month)).add(fact, standard)
    in_force = record.state.standards.get("*")
    moved = [month for month, one in given.items() if one.sales or one.wages]
    moved = moved or [month for month, one in given.items() if one.living is not None]
    if not moved:
        return ()
    seen: set[str] = set()
    found = []
    for month in _every_month(min(moved), max(month for month, one in given.items() if one != Given(month))):
        one = given.get(month, Given(month))
        found.append(_month(record, one, tuple(sorted({*one.sold} - seen)), in_force, currency))
        seen.update(one.sold)
    return tuple(found[-MOST_MONTHS:])


def months_in(record: Record, period: str | None, currency: str) -> tuple[Month, ...]:
    """The months of a year, or of all; none of what is itself a month or a day. Within ``reading``."""
    if period is not None and len(period) > YEAR:
        return ()
    return tuple(one for one in months_of(record, currency) if one.month.startswith(period or ""))


def _months_touched(fact: Fact) -> tuple[str, ...]:
    """The months in which a fact may count."""
    match fact.body:
        case k.Labour() as body if body.days > 1:
            last = date.fromisoformat(body.day) + timedelta(days=body.days - 1)
            return tuple(_every_month(body.day[MONTH], last.isoformat()[MONTH]))
        case k.Labour() | k.Wage() | k.Sale() | k.Compute() | k.Purchase() | k.Opening():
            return (day_of(fact)[MONTH],)
    return ()


def _month(record: Record, given: Given, outputs: tuple[str, ...], standard: k.Standard | None, currency: str) -> Month:
    sales = _in(record, given.sales, currency)
    wages = _in(record, given.wages, standard.currency) if standard else None
    constant = sum(given.constant.values()) if given.constant else None
    ours = capital(
        constant=None if constant is None else Fraction(constant),
        living=None if given.living is None else Fraction(given.living),
        wages=None if wages is None else Fraction(wages),
        melt=Fraction(standard.melt_micro, USLH_PER_HOUR) if standard and standard.melt_micro else None,
    )
    value = worth(record.state, outputs, sales) if outputs and standard and standard.currency == currency else None
    return Month(
        month=given.period,
        sales_micro=sales,
        value_micro=value.value_micro if value else None,
        rent_avg_micro=value.rent_avg_micro if value else None,
        rent_repro_micro=value.rent_repro_micro if value else None,
        living_uslh=given.living,
        surplus_rate_ppm=_ppm(ours.surplus_rate),
        composition_ppm=_ppm(ours.composition),
        unmeasured=given.lower_bound,
        value_at_least=value is not None and value.unmeasured,
        untimed=value is not None and value.untimed,
    )


def _ppm(ratio: Fraction | None) -> int | None:
    return None if ratio is None else round(ratio * PPM)


def _in(record: Record, sums: Mapping[Dated, int] | None, into: str) -> int | None:
    """Amounts in one currency; unknown where no rate is published, as a picture has room for a gap."""
    try:
        if sums is None:
            return None
        return sum(converted(record, amount, currency, into, day) for (currency, day), amount in sums.items())
    except MissingAssumptionError:
        return None


def _every_month(first: str, last: str) -> Iterator[str]:
    start, end = (12 * int(name[:4]) + int(name[5:]) - 1 for name in (first, last))
    return (f"{at // 12:04}-{at % 12 + 1:02}" for at in range(start, end + 1))

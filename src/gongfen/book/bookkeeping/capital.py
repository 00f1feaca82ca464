"""c, v and s of a book, its prices against its values, and who owns what it works with.

**Which labour is which letter.** For the whole book, or for a period (``economics.md``, section 3, step 7):

- **c**: labour that came in from outside, objectified: machines by λ, bought data, energy, sites, and what an older
  book held (``compute``, ``purchase``, ``opening`` facts).
- **L**: all living labour, of every kind, phase and standing, paid and unpaid, reduced to simple labour (``labour``).
- **v** = wages/μ: the labour that the workers get back in their wages (``wage``).
- **s** = L − v, and **W** = c + v + s = c + L.

So it is the labour *given* in the period, not that in what was sold: the book is one enterprise, and what it has not
yet sold lies in its stocks. Not in L: labour beyond the social average and labour that was thrown away (it makes no
value), and business labour where the standard keeps it in memo (circulation). Unpaid labour is in L; the rate of
surplus without it stands beside. Nothing that was corrected counts.

What nobody recorded is unknown: without a ``wage`` fact v, s, e, q and r are; with labour that nobody measured, L and c
are lower bounds. Labour counts on its days, everything else on its day; what names no day, on that of its saying.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

import msgspec

from gongfen.accounts import passing
from gongfen.accounts.chart import OPENING
from gongfen.accounts.copies import part_sold
from gongfen.accounts.periods import BOOKS, spread_over_days
from gongfen.book.answers import Dated, converted, price_of
from gongfen.book.bookkeeping.ledger import corrected_in
from gongfen.book.periods import check_period
from gongfen.book.recording.booked import day_of
from gongfen.book.recording.record import Record
from gongfen.errors import MissingAssumptionError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import MICRO, PPM, USLH_PER_HOUR, apportion
from gongfen.progress import Progress, silent
from gongfen.reports.ledger import Indicators, OfProducer, Outlying, Owners, Prices, Producers, Rates
from gongfen.value import (
    Capital,
    Deviation,
    Priced,
    capital,
    concentration,
    decimal,
    deviation,
    dispersion,
    labour_share,
)
from gongfen.value.economy.producer_table import Producer
from gongfen.value.worth import standard_in_force, value_together

STEP = 1_000
OWNED = ("model", "machine", "data", "site")
HOURS = 6
"""Decimals in which hours and money are said: micro-units."""
Key = TypeVar("Key")


@dataclass(slots=True)
class Given:
    """What facts say was given in a period. Micro-SLH; money by currency and day. ``None``: nobody said."""

    period: str
    constant: dict[str, int] = field(default_factory=dict)
    living: int | None = None
    unpaid: int = 0
    not_necessary: int = 0
    lower_bound: bool = False
    wages: dict[Dated, int] | None = None
    employed: set[str] = field(default_factory=set)
    """Makers whose labour was paid for: employed, on the crowd, on demand."""
    waged: set[str] = field(default_factory=set)
    rents: dict[str, dict[tuple[str, Dated], int]] = field(default_factory=dict)
    """Owned → (owner, (currency, day)) → micro-units."""
    dividends: dict[Dated, int] = field(default_factory=dict)
    """By the day of the settlement."""
    sales: dict[Dated, int] | None = None
    sold: list[str] = field(default_factory=list)

    def covers(self, day: str) -> bool:
        """Whether a day, or a part of time that a settlement names, lies in the period."""
        return day.startswith(self.period)

    def add(self, fact: Fact, standard: k.Standard | None) -> None:
        """Count one fact, under the standard that was in force when it was booked."""
        match fact.body:
            case k.Labour() as body:
                self._labour(body, standard)
            case k.Compute() as body if self.covers(day_of(fact)):
                self._outside("machine", passing.machine_labour(standard, body))
            case k.Purchase() as body if self.covers(day_of(fact)):
                self._outside(body.source, body.embodied_uslh)
            case k.Opening() as body if self.covers(fact.at):
                if body.lots:
                    self._outside(OPENING, sum(lot.amount_uslh for lot in body.lots))
            case k.Wage() as body if self.covers(body.day):
                self.wages = _plus(self.wages or {}, (body.currency, body.day), body.amount_micro)
                self.waged.add(body.maker)
            case k.Rent() as body if self.covers(body.day):
                _plus(self.rents.setdefault(body.owned, {}), (body.owner, (body.currency, body.day)), body.amount_micro)
            case k.Settlement() as body if self.covers(body.period):
                _plus(self.dividends, (body.currency, fact.at[:10]), body.total_micro)
            case k.Sale() as body if self.covers(body.day):
                self.sales = _plus(self.sales or {}, (body.currency, body.day), body.price_micro)
                self.sold.append(body.output)

    def _labour(self, body: k.Labour, standard: k.Standard | None) -> None:
        if body.standing != "unpaid" and self.covers(body.day):
            self.employed.add(body.maker)
        if body.labour_us is None:
            self.lower_bound = self.lower_bound or self.covers(body.day)
            return
        if passing.is_circulation(standard, body):
            return
        _, needed, unneeded = passing.simple_labour(standard, body)
        days: dict[bool, int] = {}
        for day, labour_us in spread_over_days(body):
            _plus(days, self.covers(day), labour_us)
        if True not in days:
            return
        parts = {str(inside): labour_us for inside, labour_us in days.items()}
        within = apportion(needed, parts)[str(True)] if body.labour_us else 0
        self.living = (self.living or 0) + within
        self.unpaid += within if body.standing == "unpaid" else 0
        self.not_necessary += apportion(unneeded, parts)[str(True)] if body.labour_us else 0

    def _outside(self, source: str, uslh: int | None) -> None:
        if uslh is None:
            self.lower_bound = True
        else:
            _plus(self.constant, source, uslh)


def _plus(sums: dict[Key, int], key: Key, amount: int) -> dict[Key, int]:
    sums[key] = sums.get(key, 0) + amount
    return sums


def given_in(record: Record, period: str | None, progress: Progress = silent) -> Given:
    """One pass over the facts. Within ``reading``."""
    found = Given(period or "")
    standard: k.Standard | None = None
    size, corrected = record.size_seen, corrected_in(record.state)
    for seq, fact in record.facts(0, size):
        if seq % STEP == 0:
            progress(seq, size)
        if isinstance(fact.body, k.Standard):
            standard = fact.body
        elif fact.id not in corrected:
            found.add(fact, standard)
    return found


def indicators_of(record: Record, period: str | None, progress: Progress = silent) -> Indicators:
    """Of a period, or altogether. Within ``reading``. Raises MissingAssumptionError without a standard, InputError."""
    if period is not None:
        check_period(period)
    standard = standard_in_force(record.state)
    given = given_in(record, period, progress)
    money = _Exchange(record, standard.currency)
    melt = Fraction(standard.melt_micro, USLH_PER_HOUR)
    wages, revenue = money.of(given.wages), money.of(given.sales)
    dividends = money.of(given.dividends) or 0
    constant = sum(given.constant.values()) if given.constant else None
    ours = capital(_known(constant), _known(given.living), _known(wages), melt or None)
    paid = None if given.living is None else given.living - given.unpaid
    of_paid = capital(_known(constant), _known(paid), _known(wages), melt or None)
    owners = tuple(money.owners(owned, given.rents[owned]) for owned in OWNED if owned in given.rents)
    sold = tuple(dict.fromkeys(given.sold))
    return Indicators(
        period=period,
        size=record.size_seen,
        closed_by=record.state.closed.get(f"{BOOKS}|{period}") if period else None,
        standard=standard.standard,
        currency=standard.currency,
        melt_micro=standard.melt_micro,
        constant=dict(sorted(given.constant.items())),
        constant_uslh=constant,
        living_uslh=given.living,
        unpaid_uslh=None if given.living is None else given.unpaid,
        not_necessary_uslh=given.not_necessary,
        lower_bound=given.lower_bound,
        wages_micro=wages,
        wages_recorded=given.wages is not None,
        without_wage=tuple(sorted(given.employed - given.waged)),
        rates=msgspec.structs.replace(
            rates_of(ours, USLH_PER_HOUR),
            value=said(
                _known(None if constant is None or given.living is None else constant + given.living), USLH_PER_HOUR
            ),
        ),
        surplus_rate_paid_ppm=ppm(of_paid.surplus_rate),
        sales_micro=revenue,
        dividends_micro=dividends,
        labour_share_ppm=ppm(labour_share(_known(wages), Fraction(dividends), _known(revenue))),
        dividend_share_ppm=ppm(labour_share(Fraction(0), Fraction(dividends), _known(revenue))),
        prices=_prices_of_outputs(record, sold, standard) if sold else None,
        lower_bounds_sold=tuple(
            one for one in sold if (stock := record.state.stocks.get(one)) is None or stock.is_lower_bound
        ),
        owners=owners,
        months=(),
        unrated=tuple(sorted(money.unrated)),
    )


class _Exchange:
    """Money of several currencies in the one of the standard; where a rate is missing, the sum is unknown."""

    def __init__(self, record: Record, currency: str) -> None:
        self._record = record
        self._currency = currency
        self.unrated: set[str] = set()

    def of(self, sums: Mapping[Dated, int] | None) -> int | None:
        if sums is None:
            return None
        parts = [self.one(amount, dated) for dated, amount in sums.items()]
        return None if None in parts else sum(part for part in parts if part is not None)

    def one(self, amount: int, dated: Dated) -> int | None:
        currency, day = dated
        try:
            return converted(self._record, amount, currency, self._currency, day)
        except MissingAssumptionError:
            self.unrated.add(currency)
            return None

    def owners(self, owned: str, rents: Mapping[tuple[str, Dated], int]) -> Owners:
        """Owners of one kind of thing, by the rent that each was paid."""
        sums: dict[str, int | None] = {}
        for (owner, dated), amount in sorted(rents.items()):
            one, before = self.one(amount, dated), sums.get(owner, 0)
            sums[owner] = None if one is None or before is None else before + one
        amounts = {owner: _known(amount) for owner, amount in sums.items()}
        return owners_of(owned, {owner: None if a is None else a * Fraction(1, MICRO) for owner, a in amounts.items()})


def _prices_of_outputs(record: Record, sold: tuple[str, ...], standard: k.Standard) -> Prices:
    """Each output that was sold in the period, with all that it fetched ever, against all the labour in it.

    One that was made of another that was sold too counts with what was added to it: labour is in the sum once.
    """
    values = {name: past + now for name, (past, now) in value_together(record.state, sold).items()}
    priced = {}
    for name in sold:
        try:
            price = price_of(record, (name,), standard.currency)
        except MissingAssumptionError:
            price = None
        value = None if name not in values else values[name] * part_sold(record.state, name)
        priced[name] = Priced(
            None if price is None else Fraction(price, MICRO), None if value is None else Fraction(value, USLH_PER_HOUR)
        )
    return prices_of(priced, deviation(priced, Fraction(standard.melt_micro, MICRO)))


# -- several producers -------------------------------------------------------------------------------------------------


def producers_of(producers: Iterable[Producer]) -> Producers:
    """Several producers: their rates, how far their compositions lie apart, and who sells and owns how much.

    Each owner counts with the revenue of the producers that use what is theirs.
    """
    rows = tuple(producers)
    known = [row.capital for row in rows if row.capital.value is not None]
    together = Capital(
        constant=_summed(known, lambda one: one.constant),
        variable=_summed(known, lambda one: one.variable),
        surplus=_summed(known, lambda one: one.surplus),
    )
    spread = dispersion({row.name: row.capital for row in rows})
    priced = {row.name: Priced(row.revenue, _from_zero(row.capital.value)) for row in rows}
    owners = [
        owners_of(owned, found)
        for owned, name in (("model", _model_owner), ("machine", _machine_owner))
        if (found := _by_owner(rows, name)) is not None
    ]
    return Producers(
        producers=tuple(
            OfProducer(producer=row.name, revenue=said(row.revenue), rates=rates_of(row.capital, 1)) for row in rows
        ),
        together=rates_of(together, 1),
        composition_mean_ppm=ppm(spread.mean),
        composition_variation_ppm=ppm(spread.variation),
        composition_left_out=spread.left_out,
        sellers_ppm=ppm(concentration({row.name: row.revenue for row in rows})),
        owners=tuple(owners),
        prices=prices_of(priced, deviation(priced)),
    )


def _summed(known: list[Capital], part: Callable[[Capital], Fraction | None]) -> Fraction | None:
    return sum((part(one) or Fraction(0) for one in known), Fraction(0)) if known else None


def _from_zero(value: Fraction | None) -> Fraction | None:
    """A value that a deviation can be of: what is below zero has no price to be held against."""
    return None if value is None or value < 0 else value


def _model_owner(row: Producer) -> str | None:
    return row.model


def _machine_owner(row: Producer) -> str | None:
    return row.machines


def _by_owner(rows: tuple[Producer, ...], owner: Callable[[Producer], str | None]) -> dict[str, Fraction | None] | None:
    """Owner → revenue; ``None`` where the owner of anything is unknown: then so is the concentration."""
    sums: dict[str, Fraction | None] = {}
    for row in rows:
        name = owner(row)
        if name is None:
            return None
        before = sums.get(name, Fraction(0))
        sums[name] = None if before is None or row.revenue is None else before + row.revenue
    return sums


# -- as they are said --------------------------------------------------------------------------------------------------


def rates_of(ours: Capital, unit: int) -> Rates:
    """Amounts in hours, rates in parts per million; ``unit`` of the amounts makes an hour."""
    return Rates(
        constant=said(ours.constant, unit),
        variable=said(ours.variable, unit),
        surplus=said(ours.surplus, unit),
        value=said(ours.value, unit),
        surplus_rate_ppm=ppm(ours.surplus_rate),
        composition_ppm=ppm(ours.composition),
        profit_rate_ppm=ppm(ours.profit_rate),
    )


def owners_of(owned: str, amounts: Mapping[str, Fraction | None]) -> Owners:
    """Who owns what; amounts of the same unit, unknown ones left out of the list."""
    return Owners(
        owned=owned,
        concentration_ppm=ppm(concentration(amounts)),
        amounts={owner: said(amount) or "" for owner, amount in amounts.items() if amount is not None},
    )


def prices_of(priced: Mapping[str, Priced], found: Deviation) -> Prices:
    """A deviation, as it is said; of one alone there is none: it is its own average."""
    counted = len(priced) - len(found.left_out)
    spread = (found.mawd, found.variation, found.distance) if counted > 1 else (None, None, None)
    return Prices(
        counted=counted,
        price=said(found.price) if counted else None,
        value=said(found.value) if counted else None,
        scale=said(found.scale),
        mawd_ppm=ppm(spread[0]),
        variation_ppm=ppm(spread[1]),
        distance_ppm=ppm(spread[2]),
        outliers=tuple(
            Outlying(name=one.name, ratio_ppm=ppm(one.ratio) or 0, bears_rent=one.bears_rent) for one in found.outliers
        ),
        left_out=found.left_out,
        without_value=found.without_value,
    )


def said(amount: Fraction | None, unit: int = 1) -> str | None:
    """In decimals, without the zeros at the end.

    >>> said(Fraction(715, 2)), said(None)
    ('357.5', None)
    """
    if amount is None:
        return None
    text = decimal(amount * Fraction(1, unit), HOURS)
    return text.rstrip("0").rstrip(".")


def ppm(ratio: Fraction | None) -> int | None:
    """Parts per million, the nearest; unknown stays unknown."""
    return None if ratio is None else round(ratio * PPM)


def _known(amount: int | None) -> Fraction | None:
    return None if amount is None else Fraction(amount)

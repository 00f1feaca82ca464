"""Which assumption the worth of a lot hangs on most: what can be varied from its vector, without booking again.

| assumption | from … to | exact? |
|---|---|---|
| reduction | as booked … one of the rules | yes: every amount says by which fraction it was counted |
| λ of a device | least … most that a standard published | with one only, half … double: yes; with rivals: no |
| N̂, planned uses of the model | half … double | no: as if every use so far had carried the same |
| social average | kept … left out | no: what lies in 5820, by maker and kind, follows what did enter works |
| unpaid labour | counted … left out | yes |
| business labour | in memo … counted | out of a lot: yes; into it: no, it follows all living labour |
| μ, for the rents | as λ, in one currency | yes |

One at a time, the others as they are. An approximation says how far the answer may move, not what a second book would
hold to the last unit: for that, record the same facts under another standard.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from gongfen.accounts.chart import LABOUR_UNIT, NOT_NECESSARY, UNPAID, read_source
from gongfen.accounts.copies import parts_sold
from gongfen.accounts.state import State
from gongfen.facts.amounts import US_PER_HOUR, USLH_PER_HOUR
from gongfen.facts.kinds import Standard
from gongfen.value.by_rule import BOOKED, Factors, rounded
from gongfen.value.lot import Lot, is_now, lot_of
from gongfen.value.reductions import RULES
from gongfen.value.rent import rents
from gongfen.value.sensitivity import Assumption, Bar, tornado
from gongfen.value.worth import PRICE, origins_of, standard_in_force

BUSINESS = 8
Name = Literal["reduction", "machine", "uses", "social-average", "unpaid", "business", "melt"]
Measure = Literal["value", "rent-avg", "rent-repro"]
MEASURES: tuple[Measure, ...] = ("value", "rent-avg", "rent-repro")
Setting = Fraction | str
Settings = Mapping[str, Setting]


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What a model passed on into a lot, and how far its plan has got."""

    model: str
    uslh: int
    planned: int
    """N̂, as it stands."""
    used: int
    """Uses of that plan."""


class Swing(msgspec.Struct, frozen=True, kw_only=True):
    """One assumption at both ends, and the answer there: micro-SLH for the value, micro-units of money for a rent."""

    name: Name
    about: str
    """The rule, the device, the model; empty for the others."""
    low: str
    """A whole number of the assumption's unit (micro-SLH an hour, uses, micro-units), or a word."""
    high: str
    range: Literal["rule", "rivals", "half-double", "switch"]
    """Where the ends are from."""
    at_low: int | None
    at_high: int | None
    """``None``: unknown there."""
    approximate: bool
    circular: bool = False
    """The coefficient was read off a price."""

    @property
    def width(self) -> int | None:
        """From one end to the other."""
        return None if self.at_low is None or self.at_high is None else abs(self.at_high - self.at_low)


class Swings(msgspec.Struct, frozen=True, kw_only=True):
    """A tornado: the widest swing first, unknown ones before it."""

    measure: Measure
    base: int | None
    """``None``: nothing was sold, so there is no rent."""
    unmeasured: bool = False
    """Labour in it was never measured: a value is at least, a rent at most, what is stated."""
    bars: tuple[Swing, ...]


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An assumption as it is, at both ends, and what is told of it. Numbers are multiples of what they are now."""

    name: Name
    about: str = ""
    base: Setting
    low: Setting
    high: Setting
    told: tuple[str, str]
    range: Literal["rule", "rivals", "half-double", "switch"]
    approximate: bool = False
    circular: bool = False

    @property
    def key(self) -> str:
        return f"{self.name}|{self.about}"


def swings(
    state: State,
    outputs: tuple[str, ...],
    price_micro: int | None,
    carried: Sequence[Carried] = (),
    copies: Mapping[str, int] | None = None,
) -> tuple[Swings, ...]:
    """Of the value of ``outputs`` together, and of both rents. ``copies`` as in :func:`gongfen.value.worth.worth`.

    Raises UnknownWorkError, or MissingAssumptionError when no standard has been published.
    """
    standard = standard_in_force(state)
    lot, sold = lot_of(state, outputs), lot_of(state, outputs, parts_sold(state, outputs, copies))
    lying = _Lying(state, lot, standard, carried, sold)
    asked = tuple(lying.assumptions())
    return tuple(_measured(measure, lying, asked, price_micro) for measure in MEASURES)


def _measured(measure: Measure, lying: "_Lying", asked: Sequence[_Asked], price_micro: int | None) -> Swings:
    def answer(settings: Settings) -> Fraction | None:
        found = lying.amounts(settings)
        if measure == "value" or found is None:
            return None if found is None else found[0] + found[1]
        if price_micro is None:
            return None
        past, now = (rounded(one * lying.part) for one in found)
        both = rents(price_micro, past, now, _number(settings, MELT) * Fraction(1, USLH_PER_HOUR))
        return both.average if measure == "rent-avg" else both.reproduction

    if measure != "value" and price_micro is None:
        return Swings(measure=measure, base=None, bars=())
    varied = {one.key: one for one in asked if one.name != "melt" or measure != "value"}
    found = tornado(
        {key: one.base for key, one in varied.items()},
        [Assumption(name=key, low=one.low, high=one.high) for key, one in varied.items()],
        answer,
    )
    return Swings(
        measure=measure,
        base=_whole(found.base),
        unmeasured=lying.is_bound(measure),
        bars=tuple(_swing(varied[bar.assumption.name], bar) for bar in found.bars),
    )


def _swing(asked: _Asked, bar: Bar[Setting]) -> Swing:
    return Swing(
        name=asked.name,
        about=asked.about,
        low=asked.told[0],
        high=asked.told[1],
        range=asked.range,
        at_low=_whole(bar.at_low),
        at_high=_whole(bar.at_high),
        approximate=asked.approximate,
        circular=asked.circular,
    )


def _whole(amount: Fraction | None) -> int | None:
    """The nearest whole number; halves go away from zero."""
    if amount is None:
        return None
    return rounded(amount) if amount >= 0 else -rounded(-amount)


def _number(settings: Settings, key: str) -> Fraction:
    found = settings.get(key, Fraction(1))
    assert isinstance(found, Fraction), f"{key} is a number"
    return found


MELT = "melt|"
MEMO, COUNTED, KEPT, LEFT_OUT = "memo", "counted", "kept", "left out"


class _Lying:
    """A lot, and what is needed to ask it again."""

    def __init__(self, state: State, lot: Lot, standard: Standard, carried: Sequence[Carried], sold: Lot) -> None:
        self._state, self._lot, self._standard, self._carried = state, lot, standard, carried
        whole = lot.past_uslh + lot.now_uslh
        self.part = Fraction(sold.past_uslh + sold.now_uslh, whole) if whole else Fraction(1)
        """Of the labour in it, what is in the copies that were sold: the rents are of those."""
        self._factors = Factors(state)
        self._published = [one for _, one in state.standards.prefixed("seq|")]
        self._unneeded = _unneeded(state) if lot.living or lot.external else {}

    def is_bound(self, measure: Measure) -> bool:
        """Whether labour that nobody measured makes an answer a bound: of L alone, or of T + L."""
        return self._lot.untimed if measure == "rent-repro" else self._lot.unmeasured

    # -- what there is to ask ------------------------------------------------------------------------------------------

    def assumptions(self) -> Iterator[_Asked]:
        """Every assumption that this lot could hang on, whether or not it does."""
        for rule in RULES:
            yield _Asked(
                name="reduction", about=rule, base=BOOKED, low=BOOKED, high=rule, told=(BOOKED, rule), range="rule"
            )
        yield from self._of_machines()
        for one in self._carried:
            yield _half_double(name="uses", about=one.model, now=one.planned, approximate=True)
        accounts = {source.account for source in self._lot.living} | {source.account for source in self._lot.external}
        if not accounts.isdisjoint(self._unneeded):
            yield _switch("social-average", KEPT, LEFT_OUT, approximate=True)
        if any(source.standing == UNPAID for source in self._lot.living):
            yield _switch("unpaid", COUNTED, LEFT_OUT, approximate=False)
        if self._standard.business == "counted":
            if any(source.labour_kind == BUSINESS for source in self._lot.living):
                yield _switch("business", COUNTED, MEMO, approximate=False)
        elif self._circulation():
            yield _switch("business", MEMO, COUNTED, approximate=True)
        yield self._of_melt()

    def _of_machines(self) -> Iterator[_Asked]:
        now = {one.device: one for one in self._standard.machines}
        for source in sorted(self._lot.external):
            one = now.get(source.name) if source.source == "machine" else None
            if one is None or not one.uslh_per_hour:
                continue
            rates = {
                rival.uslh_per_hour
                for published in self._published
                for rival in published.machines
                if rival.device == one.device
            }
            yield _ranged(
                name="machine",
                about=one.device,
                now=one.uslh_per_hour,
                rivals=rates,
                approximate=len(rates) > 1,
                circular=PRICE in origins_of(self._state, one.device),
            )

    def _of_melt(self) -> _Asked:
        """μ itself, and no multiple of it: it may be 0."""
        now = self._standard.melt_micro
        rivals = [one.melt_micro for one in self._published if one.currency == self._standard.currency]
        low, high = min((now, *rivals)), max((now, *rivals))
        alone = low == high
        ends = (Fraction(now, 2), Fraction(2 * now)) if alone else (Fraction(low), Fraction(high))
        return _Asked(
            name="melt",
            base=Fraction(now),
            low=ends[0],
            high=ends[1],
            told=_halved_and_doubled(now) if alone else (str(low), str(high)),
            range="half-double" if alone else "rivals",
        )

    # -- what it would be ----------------------------------------------------------------------------------------------

    def amounts(self, settings: Settings) -> tuple[Fraction, Fraction] | None:
        """T and L in micro-SLH; ``None`` where a rule lacks what it needs."""
        rule = next(
            (str(settings[key]) for key in settings if key.startswith("reduction|") and settings[key] != BOOKED), BOOKED
        )
        kept = settings.get("social-average|", KEPT) == KEPT
        business, no_unpaid = settings.get("business|", ""), settings.get("unpaid|") == LEFT_OUT
        past = now = Fraction(0)
        for source, amount in self._lot.living.items():
            factor = self._factors.factor(source, rule)
            if factor is None:
                return None
            if (source.labour_kind == BUSINESS and business == MEMO) or (source.standing == UNPAID and no_unpaid):
                continue
            more = factor * amount * (1 if kept else self._unneeded.get(source.account, 1))
            past, now = (past, now + more) if is_now(source) else (past + more, now)
        for outside, amount in self._lot.external.items():
            factor = _number(settings, f"machine|{outside.name}") if outside.source == "machine" else Fraction(1)
            past += factor * amount * (1 if kept else self._unneeded.get(outside.account, 1))
        for one in self._carried:
            planned = _number(settings, f"uses|{one.model}")
            past += min(Fraction(one.uslh), past) * (_times(one, planned) - 1)
        if self._standard.business != "counted" and business == COUNTED:
            now += self._circulation()
        return past, now

    def _circulation(self) -> Fraction:
        """The book's business labour, as simple labour, in the lot's proportion of all living labour."""
        worked = -sum(us for _, us in self._state.balances.prefixed("9000:circulation:"))
        given = -sum(
            uslh
            for name in ("4000:living:", "4100:living-unpaid:")
            for key, uslh in self._state.balances.prefixed(name)
        )
        if worked <= 0 or given <= 0:
            return Fraction(0)
        return Fraction(worked * USLH_PER_HOUR, US_PER_HOUR) * Fraction(sum(self._lot.living.values()), given)


def _times(carried: Carried, planned: Fraction) -> Fraction:
    """How much more each use so far would have carried, had N̂ been ``planned`` times what it is.

    Labour is conserved: however few uses were planned, those that were could not carry more than there was.
    """
    return Fraction(1) if planned == 1 else min(Fraction(1, planned), Fraction(carried.planned, max(carried.used, 1)))


def _unneeded(state: State) -> dict[str, Fraction]:
    """Account of a source → all that it gave, over what of it was socially necessary; without those where all was."""
    lost: dict[str, int] = {}
    for key, amount in state.lost.prefixed(f"{NOT_NECESSARY}|"):
        account = read_source(key.partition("|")[2]).account
        lost[account] = lost.get(account, 0) + amount
    found = {}
    for account, amount in lost.items():
        given = -(state.balances.get(f"{account}|{LABOUR_UNIT}") or 0)
        if 0 < amount < given:
            found[account] = Fraction(given, given - amount)
    return found


def _ranged(
    *, name: Name, now: int, rivals: Iterable[int], about: str = "", approximate: bool = False, circular: bool = False
) -> _Asked:
    """From the least to the most that anybody published; where all say the same, from half of it to double."""
    low, high = min((now, *rivals)), max((now, *rivals))
    if low == high:
        return _half_double(name=name, about=about, now=now, circular=circular)
    return _Asked(
        name=name,
        about=about,
        base=Fraction(1),
        low=Fraction(low, now),
        high=Fraction(high, now),
        told=(str(low), str(high)),
        range="rivals",
        approximate=approximate,
        circular=circular,
    )


def _half_double(*, name: Name, about: str, now: int, approximate: bool = False, circular: bool = False) -> _Asked:
    return _Asked(
        name=name,
        about=about,
        base=Fraction(1),
        low=Fraction(1, 2),
        high=Fraction(2),
        told=_halved_and_doubled(now),
        range="half-double",
        approximate=approximate,
        circular=circular,
    )


def _switch(name: Name, now: str, other: str, *, approximate: bool) -> _Asked:
    return _Asked(name=name, base=now, low=now, high=other, told=(now, other), range="switch", approximate=approximate)


def _halved_and_doubled(now: int) -> tuple[str, str]:
    return f"{now // 2}.5" if now % 2 else str(now // 2), str(2 * now)

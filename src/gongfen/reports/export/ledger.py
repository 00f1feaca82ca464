"""What the books give to an export: facts with what they booked, balances, and the log that they follow from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gongfen.accounts.chart import LABOUR_UNIT, METERS

Form = Literal["beancount", "hledger", "csv", "parquet", "statement", "prov"]
Table = Literal["postings", "balances"]
Entries = tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]
"""(why, postings of (account, amount, unit)), entry by entry."""

MEMO = {"us", *METERS}
"""Units that stand beside both ledgers: what business, machines and their energy took."""


class Booked(NamedTuple):
    """One fact that booked something."""

    seq: int
    id: str
    at: str
    """When it was said."""
    day: str
    """The day that the fact names; else the day on which it was said."""
    kind: str
    sample: bool
    entries: Entries


class Balance(NamedTuple):
    """What one account holds in one unit; debits are positive."""

    account: str
    unit: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Both ledgers after ``size`` facts of a log. What is many is read piece by piece, as often as it is asked for."""

    origin: str
    size: int
    root: str
    """Hex."""
    sample: bool
    """Some of these numbers rest on sample data."""
    days: Callable[[], tuple[str, str]]
    """The first and the last day that a fact is dated with: found by reading them all."""
    facts: Callable[[], Iterator[Booked]]
    """In the order of the log."""
    balances: Callable[[], Iterator[Balance]]
    """In the order of account and unit; every account that was ever booked to."""


class Commodity(NamedTuple):
    """How one of our units is written in decimals: exactly."""

    name: str
    digits: int
    """An amount of ours is a whole number of 10 to the power of minus so many."""
    says: str


_COMMODITIES = {
    LABOUR_UNIT: Commodity("SLH", 6, "hours of simple labour"),
    "us": Commodity("SECOND", 6, "seconds of business labour: circulation, in no work"),
    "device-us": Commodity("DEVICESECOND", 6, "seconds that a device ran"),
    "mwh": Commodity("WATTHOUR", 3, "watt-hours of electricity"),
    "tokens": Commodity("TOKEN", 0, "tokens"),
    "gflop": Commodity("GFLOP", 0, "10^9 floating-point operations"),
}
"""Of money the name is the currency's; these have more letters than a currency, but for SLH."""
_MONEY_CALLED_SLH = Commodity("SLHMONEY", 6, "money of the currency SLH, which is no hour of labour")


def commodity(unit: str) -> Commodity:
    """The commodity of a unit of the books; no two units share one.

    >>> commodity("uslh").name, commodity("EUR").name, commodity("SLH").name
    ('SLH', 'EUR', 'SLHMONEY')
    """
    if (found := _COMMODITIES.get(unit)) is not None:
        return found
    assert unit.isupper(), f"the unit {unit} has no commodity yet"
    return _MONEY_CALLED_SLH if unit == "SLH" else Commodity(unit, 6, f"money, {unit}")


def exact(amount: int, digits: int) -> str:
    """A whole number of 10^-digits as a decimal, with every digit.

    >>> exact(-1, 6), exact(2_500_000, 6), exact(7, 0)
    ('-0.000001', '2.500000', '7')
    """
    if not digits:
        return str(amount)
    whole, rest = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{whole}.{rest:0{digits}}"


def units_of(ledger: Ledger) -> list[str]:
    """The units that something was booked in, labour first, then money, then the rest."""
    return sorted(
        {balance.unit for balance in ledger.balances()}, key=lambda unit: (unit != LABOUR_UNIT, unit in MEMO, unit)
    )


def why_of(fact: Booked) -> str:
    """The reasons of a fact's entries on one line: each once, as a person reads it."""
    return clean("; ".join(dict.fromkeys(why for why, _ in fact.entries)))


def clean(text: str) -> str:
    """A text on one line: what does not show itself becomes a space."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def without_memo(ledger: Ledger) -> Ledger:
    """The two ledgers alone. Every entry stands in one unit, so what is left balances as before."""

    def facts() -> Iterator[Booked]:
        for fact in ledger.facts():
            kept = tuple(
                (why, postings) for why, postings in fact.entries if not all(unit in MEMO for _, _, unit in postings)
            )
            if kept:
                yield fact._replace(entries=kept)

    return Ledger(
        origin=ledger.origin,
        size=ledger.size,
        root=ledger.root,
        sample=ledger.sample,
        days=ledger.days,
        facts=facts,
        balances=lambda: (balance for balance in ledger.balances() if balance.unit not in MEMO),
    )

"""The chart of accounts: names and numbers, and the labour behind a stock (``economics.md``, section 2).

Labour ledger, in micro-SLH: 4… sources (credit), 1… stocks (debit), 5000 outputs (debit), 58… losses, 9… memo.
Money ledger, in micro-units of a currency: cash, sales, purchases, wages, rent, dividends, dividend-payable,
owed:unidentified, equity:opening.
"""

from typing import Literal

import msgspec

LABOUR_UNIT = "uslh"
UNIDENTIFIED = "owed:unidentified"
CASH, SALES, PURCHASES, DIVIDENDS = "cash", "sales", "purchases", "dividends"
WAGES, RENT = "wages", "rent"
EQUITY = "equity:opening"
"""What the book began with, less what it owed."""
PASSED_ON = "passed-on"
NOT_NECESSARY = "not-necessary"

StockKind = Literal["data", "prompt", "deployment", "training", "dataset", "model", "output"]

_STOCKS: dict[StockKind, str] = {
    "data": "1100:data",
    "dataset": "1100:dataset",
    "model": "1200:model",
    "deployment": "1300:deployment",
    "prompt": "1400:prompt",
    "training": "1500:training-of-people",
    "output": "5000:output",
}


def stock_account(kind: StockKind, work: str) -> str:
    """The account in which the labour of a work rests."""
    return f"{_STOCKS[kind]}:{work}"


def a_stock(kind: StockKind) -> str:
    """A work by its kind, in an error: ``data``, or ``a model``."""
    return "data" if kind == "data" else f"a {kind}"


_LOSSES = {
    "obsolescence": "5800:obsolescence",
    "idle": "5810:idle",
    NOT_NECESSARY: "5820:not-necessary",
    "decay": "5830:decay",
    PASSED_ON: "5890:passed-on",
}
"""The last holds what a correction took back after it had passed on: outputs show it, and nobody worked it."""


LOST = tuple(reason for reason in _LOSSES if reason != PASSED_ON)
"""Reasons for which a work loses labour."""


def loss_account(reason: str, work: str) -> str:
    """Where the labour goes that a work loses."""
    return f"{_LOSSES[reason]}:{work}"


METERS = {"device-us": "9100", "mwh": "9200", "tokens": "9300", "gflop": "9400"}
"""What machines use, kept apart, each in its own unit: never added to hours, nor to one another."""


def meter_accounts(unit: str, device: str) -> tuple[str, str]:
    """(what was used on a device, what the meter gave)."""
    return f"{METERS[unit]}:{unit}:{device}", f"{METERS[unit]}:meter:{unit}"


def payable(maker: str) -> str:
    """What is owed to a maker."""
    return f"dividend-payable:{maker}"


SIMPLE = "simple"
UNPAID = "unpaid"


class Living(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where living labour came from. Its text is the key of a lot's vector, so every breakdown can be read off it."""

    labour_kind: int
    phase: str
    standing: str
    quality: str
    maker: str
    skill: str = SIMPLE
    num: int = 1
    den: int = 1
    """An hour was counted as ``num/den`` hours of simple labour."""

    def __str__(self) -> str:
        """The vector key."""
        key = f"living|{self.labour_kind}|{self.phase}|{self.standing}|{self.quality}|{self.maker}"
        return (
            key if self.num == self.den == 1 and self.skill == SIMPLE else f"{key}|{self.skill}|{self.num}|{self.den}"
        )

    @property
    def account(self) -> str:
        """4000 living, or 4100 for the unpaid: on a line of its own, with the result in and out."""
        if self.standing == UNPAID:
            return f"4100:living-unpaid:{self.labour_kind}:{self.maker}"
        return f"4000:living:{self.labour_kind}:{self.maker}"


OPENING = "opening"


class External(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where labour came from that was already objectified: machines, energy, sites, bought data, an older book."""

    source: str
    name: str

    def __str__(self) -> str:
        """The vector key."""
        return f"external|{self.source}|{self.name}"

    @property
    def account(self) -> str:
        """4300 for bought data, 4900 for what was there at the opening, 4200 for the rest."""
        if self.source == OPENING:
            return f"4900:opening:{self.name}"
        return f"{'4300' if self.source == 'data' else '4200'}:external:{self.source}:{self.name}"


Source = Living | External


def read_source(key: str) -> Source:
    """The source behind a vector key."""
    group, *rest = key.split("|")
    if group == "living":
        labour_kind, phase, standing, quality, maker, *reduced = rest
        if not reduced:
            return Living(int(labour_kind), phase, standing, quality, maker)
        skill, num, den = reduced
        return Living(int(labour_kind), phase, standing, quality, maker, skill, int(num), int(den))
    source, name = rest
    return External(source, name)


RECYCLED = "recycled"
"""The phase of living labour that came back as data: it is past labour for whatever is made with it."""


def as_past(vector: dict[str, int]) -> dict[str, int]:
    """The labour of outputs that become data or a model: what was living when they were made has become past."""
    found: dict[str, int] = {}
    for key, amount in vector.items():
        group, *rest = key.split("|")
        if group == "living" and rest[1] != "training":
            rest[1] = RECYCLED
        past = "|".join((group, *rest))
        found[past] = found.get(past, 0) + amount
    return found

"""The chart of accounts: names and numbers, and the labour behind a stock (``economics.md``, section 2).

Labour ledger, in micro-SLH: 4… sources (credit), 1… stocks (debit), 5000 outputs (debit), 58… losses, 9… memo.
Money ledger, in micro-units of a currency: cash, sales, purchases, dividends, dividend-payable, owed:unidentified.
"""

from typing import Literal

import msgspec

LABOUR_UNIT = "uslh"
UNIDENTIFIED = "owed:unidentified"
CASH, SALES, PURCHASES, DIVIDENDS = "cash", "sales", "purchases", "dividends"

StockKind = Literal["data", "prompt", "deployment", "dataset", "model", "output"]

_STOCKS: dict[StockKind, str] = {
    "data": "1100:data",
    "dataset": "1100:dataset",
    "model": "1200:model",
    "deployment": "1300:deployment",
    "prompt": "1400:prompt",
    "output": "5000:output",
}


def stock_account(kind: StockKind, work: str) -> str:
    """The account in which the labour of a work rests."""
    return f"{_STOCKS[kind]}:{work}"


def payable(maker: str) -> str:
    """What is owed to a maker."""
    return f"dividend-payable:{maker}"


class Living(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where living labour came from. Its text is the key of a lot's vector, so every breakdown can be read off it."""

    labour_kind: int
    phase: str
    standing: str
    quality: str
    maker: str

    def __str__(self) -> str:
        """The vector key."""
        return f"living|{self.labour_kind}|{self.phase}|{self.standing}|{self.quality}|{self.maker}"

    @property
    def account(self) -> str:
        """4000 living, or 4100 for the unpaid: on a line of its own, with the result in and out."""
        if self.standing == "unpaid":
            return f"4100:living-unpaid:{self.labour_kind}:{self.maker}"
        return f"4000:living:{self.labour_kind}:{self.maker}"


class External(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where labour came from that was already objectified: machines, energy, sites, bought data."""

    source: str
    name: str

    def __str__(self) -> str:
        """The vector key."""
        return f"external|{self.source}|{self.name}"

    @property
    def account(self) -> str:
        """4300 for bought data, 4200 for the rest."""
        return f"{'4300' if self.source == 'data' else '4200'}:external:{self.source}:{self.name}"


Source = Living | External


def read_source(key: str) -> Source:
    """The source behind a vector key."""
    group, *rest = key.split("|")
    if group == "living":
        labour_kind, phase, standing, quality, maker = rest
        return Living(int(labour_kind), phase, standing, quality, maker)
    source, name = rest
    return External(source, name)

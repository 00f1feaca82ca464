"""What the book knows after so many facts: makers, works, stocks, balances, assumptions, sales.

State is a fold over facts. It lives in tables, which may be dicts (a verifier, a test) or rows of a database (a book):
the same code runs on both, and gives the same rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from gongfen.accounts.chart import StockKind
from gongfen.accounts.stocks import Batch, Stock
from gongfen.facts import Fact
from gongfen.facts.kinds import Influence, Part, Policy, Rate, Skill, Standard

Row = TypeVar("Row")


class Table(Protocol[Row]):
    """Rows by key, in the order of their keys."""

    def get(self, key: str) -> Row | None:
        """The row, or ``None``."""

    def set(self, key: str, row: Row) -> None:
        """Put the row there."""

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Row]]:
        """Rows whose key begins so, ordered by the code points of their keys."""


class Rows(Generic[Row]):
    """A table in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        # The dict's own methods: these two are called some twenty times a fact.
        self.get: Callable[[str], Row | None] = self.rows.get
        self.set: Callable[[str, Row], None] = self.rows.__setitem__

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Row]]:
        """Rows whose key begins so, ordered by the code points of their keys."""
        keys = sorted(key for key in self.rows if key.startswith(prefix)) if prefix else sorted(self.rows)
        return zip(keys, map(self.rows.__getitem__, keys), strict=True)


class Maker(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An enrolled maker."""

    form: str
    people: int
    details_sha256: str | None = None
    """The commitment in force to the maker's personal details; ``None``: there are none, or they were forgotten."""


class HeldKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A maker's own key."""

    key: str
    maker: str
    public: str
    """32 bytes in base64."""
    since: int
    """Number of the fact that brought it."""
    ended: int | None = None
    """Number of the fact that ended it; ``None``: it is valid."""
    why: Literal["replaced", "revoked"] | None = None
    """By which kind of fact it ended."""


class Flag(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a signed fact is in doubt: its key had ended, with fact ``ended``."""

    key: str
    ended: int
    why: Literal["replaced", "revoked"]


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A work that the book has heard of."""

    kind: StockKind
    sha256: str
    makers: tuple[Part, ...] = ()
    quantity: int = 1
    members: tuple[str, ...] = ()
    """Of a data set: its works. Of a model: the data sets that it was trained on."""
    model: str | None = None
    """Of an output: the model that it was made with."""
    seq: int
    """The fact that recorded it."""
    made: tuple[int, ...] = ()
    """The facts that say how it was made."""
    spent: tuple[str, ...] = ()
    """Of an output: models and deployments that were past their plan, or had lost all, when it was made with them."""


class Sold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A sale, under the key ``currency|day|sale``."""

    output: str
    price_micro: int
    labour: dict[str, int]
    """Maker → living labour in the output when it was sold, micro-SLH: labour added later cannot claim the price."""
    seq: int
    copies: int | None = None
    """Of an output that is several copies: how many; ``None``: the output is one copy."""
    reversed: bool = False
    """A correction took it back."""


class Published(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A policy, and since when it stands in the log."""

    policy: Policy
    seq: int


Said = Callable[[str], tuple[int, Fact] | None]
"""Finds an earlier fact by its id, with its number."""


@dataclass(frozen=True, slots=True)
class State:
    """Every table. ``TABLES`` says what each holds."""

    makers: Table[Maker]
    works: Table[Known]
    stocks: Table[Stock]
    batches: Table[Batch]
    """What outputs of one making share, by the number of its fact, in 16 digits."""
    balances: Table[int]
    """``account|unit`` → balance."""
    days: Table[int]
    """``maker|day`` → microseconds worked."""
    standards: Table[Standard]
    """By id; the one in force also under ``*``, and each in its turn under ``seq|…``."""
    policies: Table[Published]
    """By id; the newest also under ``*``, and each in its turn under ``currency|seq``."""
    influences: Table[Influence]
    """Settlement-grade measurements, by id; the newest for a target under ``target|…``."""
    sales: Table[Sold]
    copies: Table[int]
    """Of outputs that are several copies: how many were sold, all of them by a sale that does not say how many."""
    closed: Table[str]
    """``currency|period`` → its settlement; ``books|period`` → the fact that closed it for the labour ledger."""
    carried: Table[int]
    """Currency → what the last settlement could not divide into coins."""
    names: Table[int]
    """``kind|name`` → seq of the fact that took the name: names are given once. Those of works are among the works."""
    keys: Table[HeldKey]
    """Makers' own keys, by name; those of a maker also under ``maker|MAKER|name``."""
    flags: Table[Flag]
    """Number of the fact in 16 digits → why its signature is in doubt."""
    skills: Table[Skill]
    rates: Table[Rate]
    """``currency|into|day`` → the newest that was published for that day."""
    lost: Table[int]
    """``reason|source`` → micro-SLH that the works lost of it: losses have makers, too."""
    idled: Table[str]
    """``work|first day`` → the last day of a loss by standing idle."""
    origin: str = ""
    """The book's public name: signatures are for one book."""
    said: Said = lambda _fact_id: None
    """What a correction takes back."""


TABLES: dict[str, Any] = {
    "makers": Maker,
    "works": Known,
    "stocks": Stock,
    "batches": Batch,
    "balances": int,
    "days": int,
    "standards": Standard,
    "policies": Published,
    "influences": Influence,
    "sales": Sold,
    "copies": int,
    "closed": str,
    "carried": int,
    "names": int,
    "keys": HeldKey,
    "flags": Flag,
    "skills": Skill,
    "rates": Rate,
    "lost": int,
    "idled": str,
}
"""Name → type of a row: what a store needs to keep them."""


def state_in(table: Callable[[str, Any], Any], origin: str = "", said: Said = lambda _fact_id: None) -> State:
    """A state of the book ``origin``, whose tables are made by ``table(name, row type)``."""
    return State(**{name: table(name, row) for name, row in TABLES.items()}, origin=origin, said=said)


def state_in_memory(origin: str = "", said: Said = lambda _fact_id: None) -> State:
    """An empty state of the book ``origin``, in dicts."""
    return state_in(lambda _name, _row: Rows(), origin, said)

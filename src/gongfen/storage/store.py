"""What a book needs of the place where its bytes lie. SQLite and PostgreSQL both give it, and tests in memory do.

A store keeps rows and knows nothing of what they mean: the journal (entries, hashes of full subtrees, checkpoints),
texts by hash, and the rows of the views. What is appended is never changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

EntryRow = tuple[int, str, bytes, bytes]
"""(number, id, leaf hash, bytes) of an entry."""
Node = tuple[int, int, bytes]
"""(level, index, hash of 32 bytes) of a full subtree."""
ViewRow = tuple[str, str, bytes]
"""(table, key, row)."""
TouchRow = tuple[str, int, bytes]
"""(name, number of the first fact, numbers of all facts that are about it since the last such row)."""
PostingRow = tuple[int, bytes]
"""(number of the first fact, what these facts booked)."""
PersonRow = tuple[str, str, str, bool]
"""(maker, salt, details, whether they wait for the log to commit to them)."""


class Entry(NamedTuple):
    """One row of the log."""

    seq: int
    fact_id: str
    leaf: bytes
    """RFC 9162 leaf hash of ``data``, 32 bytes."""
    data: bytes


class Store(Protocol):
    """One book's bytes."""

    @property
    def place(self) -> str:
        """Where it is, in words for a person."""

    # -- the journal -----------------------------------------------------------------------------------------------

    def size(self) -> int:
        """How many entries there are."""

    def meta(self, key: str) -> str | None:
        """A setting of the book: its origin, its keys, its schema version."""

    def put_meta(self, key: str, value: str) -> None:
        """Set it, within the open transaction."""

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Entry]:
        """Entries in their order, from ``start`` up to but without ``end``. Memory does not grow with their number."""

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """The numbers of those ids that are in the log."""

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Hashes of full subtrees of 2^level leaves, from index ``first`` on; level 0 is the leaves themselves."""

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Every signed checkpoint, by size."""

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint."""

    def cosigned(self) -> str | None:
        """The newest checkpoint with cosignatures of witnesses: the largest, and of several the one kept last.

        None of a size that the log has not signed: a row that says so was not kept by a book.
        """

    def all_cosigned(self) -> Iterator[tuple[int, str]]:
        """Every checkpoint with cosignatures, under the size that its row says, in the order of their keeping."""

    def keep_cosigned(self, size: int, note: str) -> None:
        """Keep a checkpoint with cosignatures of witnesses, within the open transaction."""

    def append(self, entries: Sequence[EntryRow], nodes: Sequence[Node]) -> None:
        """Add entries, and the subtrees that they fill, within the open transaction."""

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint, within the open transaction."""

    # -- texts, people ---------------------------------------------------------------------------------------------

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash (hex), unchecked, or ``None``."""

    def blob_names(self) -> Iterator[str]:
        """The hashes of all kept texts, in order."""

    def put_blob(self, name: str, data: bytes) -> None:
        """Keep a text under its hash, within the open transaction. Twice is once."""

    def put_person(self, maker: str, salt: str, details: str, *, waiting: bool = False) -> None:
        """Keep personal details outside the log, at once; ``waiting``: beside those there are, until adopted."""

    def person(self, maker: str, *, waiting: bool = False) -> tuple[str, str] | None:
        """(salt, details) of a maker, or ``None`` when there are none, or no longer any."""

    def adopt_person(self, maker: str) -> bool:
        """Put a maker's details that wait in the place of those before, which are overwritten; whether any waited."""

    def forget_person(self, maker: str, *, only_waiting: bool = False) -> bool:
        """Delete a maker's details, all or only those that wait, and overwrite them; whether there were any."""

    def people(self) -> Iterator[PersonRow]:
        """Everybody's details, by maker."""

    # -- the views -------------------------------------------------------------------------------------------------

    def viewed(self) -> int:
        """How many facts the kept views have seen."""

    def view_row(self, table: str, key: str) -> bytes | None:
        """A row of a view."""

    def view_rows(self, table: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        """(key, row) of every row whose key begins so, ordered by the code points of their keys."""

    def view_names(self) -> list[str]:
        """The tables of which rows are kept, in order."""

    def touches(self, name: str | None = None) -> Iterator[TouchRow]:
        """The rows of the index under a name, by their first fact; of all names, by name, when none is given."""

    def postings(self, seq: int | None = None) -> Iterator[PostingRow]:
        """The row in which a fact's postings stand; all rows in order when none is named."""

    def keep_views(
        self, rows: Iterable[ViewRow], touches: Iterable[TouchRow], postings: Iterable[PostingRow], viewed: int
    ) -> None:
        """Extend the kept views up to ``viewed`` facts, within the open transaction."""

    def drop_views(self) -> None:
        """Throw the kept views away, within the open transaction; the journal stays."""

    # -- the whole -------------------------------------------------------------------------------------------------

    def writing(self) -> AbstractContextManager[None]:
        """One transaction, alone: everything in it is written, or nothing."""

    def reading(self) -> AbstractContextManager[None]:
        """One unchanging sight of everything, whatever others write. May be nested, and within ``writing``."""

    def flaws(self) -> list[str]:
        """What the database itself finds wrong with its files."""

    def unguarded(self) -> list[str]:
        """What should refuse changes of the log, or could carry details away, and is not as a book has it."""

    def close(self) -> None:
        """Let go of the place."""


def behind(prefix: str) -> str | None:
    """The least text behind all those that begin with ``prefix``, by code points; ``None`` when there is none."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return None
    after = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if after == 0xD800 else after)  # surrogates are no characters

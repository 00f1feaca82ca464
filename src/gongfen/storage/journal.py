"""What every store must do: append, read, prove. A second implementation (PostgreSQL) follows; this is its contract."""

from collections.abc import Iterator
from typing import Protocol

from gongfen.proof.merkle import Subtree


class Journal(Protocol):
    """An append-only sequence of entries with a Merkle tree over them."""

    subtree: Subtree

    @property
    def size(self) -> int:
        """How many entries there are."""

    def append(self, fact_id: str, data: bytes) -> int:
        """Write one entry within the open transaction; its sequence number, from 0."""

    def read(self, seq: int) -> bytes:
        """The entry's bytes."""

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Entries in their order."""

    def find(self, fact_id: str) -> int | None:
        """The sequence number of a fact's id."""

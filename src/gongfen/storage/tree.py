"""The Merkle tree over a store's entries: its root, its proofs, and what an append adds to it."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import count

from gongfen.errors import DamagedBookError
from gongfen.proof.merkle import HASH_BYTES, Frontier, root, subtrees_of
from gongfen.storage.connection import BACKUP
from gongfen.storage.store import EntryRow, Node, Store

TILE = 8
"""Subtrees of 2⁸, 2¹⁶, … leaves are kept; smaller ones are hashed again from the leaves."""


class Tree:
    """Hashes of one store. Its cache is one right edge: some twenty hashes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._frontier: Frontier | None = None

    def subtree(self, level: int, index: int) -> bytes:
        """Hash of a full subtree, 32 bytes. Raises DamagedBookError when hashes are missing."""
        kept = level // TILE * TILE
        first, count = index << (level - kept), 1 << (level - kept)
        hashes = self._store.hashes(kept, first, count)
        if len(hashes) != count or not all(isinstance(found, bytes) and len(found) == HASH_BYTES for found in hashes):
            raise DamagedBookError(f"{self._store.place}, tree level {kept},", f"lacks hashes from {first} on", BACKUP)
        return root(count, subtrees_of(hashes))

    def root(self, size: int | None = None) -> bytes:
        """The root of all entries, 32 bytes, within or outside a transaction; ``size``: how many, if that is known."""
        return self._edge(self._store.size() if size is None else size).root()

    def extend(self, first: int, new: Sequence[tuple[str, bytes]]) -> tuple[list[EntryRow], list[Node]]:
        """The rows of (id, bytes) pairs behind ``first`` entries, and the subtrees of whole tiles that they fill."""
        edge = self._edge(first)
        leaves = [sha256(b"\x00" + data).digest() for _, data in new]
        entries = [(seq, fact_id, leaf, data) for seq, (fact_id, data), leaf in zip(count(first), new, leaves)]
        return entries, edge.extend(leaves, TILE)

    def forget(self) -> None:
        """Drop the right edge: what it grew by was rolled back."""
        self._frontier = None

    def _edge(self, size: int) -> Frontier:
        if self._frontier is None or self._frontier.size != size:
            self._frontier = Frontier(size, self.subtree)
        return self._frontier

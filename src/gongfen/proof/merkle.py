"""RFC 6962 / 9162 Merkle trees over hashes: roots, inclusion and consistency proofs, and their checks.

Leaf ``SHA-256(0x00 ‖ data)``, node ``SHA-256(0x01 ‖ left ‖ right)`` (RFC 9162, 2.1.1). A tree of any size is made
of *perfect* subtrees, whose hashes never change once they are full. Everything here asks for those alone, through
``subtree(level, index)``: the hash over leaves ``index·2^level`` up to ``(index+1)·2^level``. So a proof over a million
leaves reads some twenty hashes, wherever they are kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()

Subtree = Callable[[int, int], bytes]
"""``subtree(level, index)`` → hash of a full subtree, 32 bytes."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry, 32 bytes (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, 32 bytes (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def subtrees_of(leaves: Sequence[bytes]) -> Subtree:
    """The subtrees of leaf hashes held in memory."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def root(size: int, subtree: Subtree) -> bytes:
    """Root of the first ``size`` leaves, 32 bytes (RFC 9162, 2.1.1)."""
    return _range_hash(0, size, subtree) if size else EMPTY_ROOT


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes held in memory, 32 bytes."""
    return root(len(leaves), subtrees_of(leaves))


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root of ``size`` leaves (RFC 9162, 2.1.3.1)."""
    assert 0 <= index < size, f"leaf {index} of {size}"
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The hashes that show that ``new`` leaves begin with the first ``old`` of them (RFC 9162, 2.1.4.1)."""
    assert 0 <= old <= new, f"{old} leaves within {new}"
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(start, end, subtree))
    return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``leaf`` is number ``index`` under a root of ``size`` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(step, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, step)
        node, last = node >> 1, last >> 1
    return last == 0 and found == expected


def check_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of ``new`` leaves only adds to the tree of ``old`` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    steps = iter([old_root, *path] if old & (old - 1) == 0 else path)
    return _grown(old - 1, new - 1, steps, old_root, new_root)


def _grown(node: int, last: int, steps: Iterator[bytes], old_root: bytes, new_root: bytes) -> bool:
    while node & 1:
        node, last = node >> 1, last >> 1
    first = next(steps, None)
    if first is None:
        return False
    was = now = first
    for step in steps:
        if last == 0:
            return False
        if node & 1 or node == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            now = node_hash(now, step)
        node, last = node >> 1, last >> 1
    return last == 0 and was == old_root and now == new_root


def _split(leaves: int) -> int:
    """The largest power of two smaller than ``leaves``."""
    return 1 << (leaves - 1).bit_length() - 1


def _range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    """Hash over the leaves from ``start`` to ``end``, where ``start`` is a multiple of the next power of two."""
    hashes: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(subtree(level, start >> level))
        start += 1 << level
    found = hashes.pop()
    while hashes:
        found = node_hash(hashes.pop(), found)
    return found


class Frontier:
    """The right edge of a growing tree: its full subtrees, largest first. Appending costs one hash on average."""

    def __init__(self, size: int, subtree: Subtree) -> None:
        self.size = size
        self._hashes: list[bytes] = []
        """One for each bit of ``size`` that is set, from the highest."""
        start = 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                self._hashes.append(subtree(level, start >> level))
                start += 1 << level

    def extend(self, leaves: Iterable[bytes], every: int = 1) -> list[tuple[int, int, bytes]]:
        """Add leaf hashes; gives (level, index, hash) of the subtrees filled at every so-manyth level."""
        filled: list[tuple[int, int, bytes]] = []
        hashes = self._hashes
        for leaf in leaves:
            found, index, level = leaf, self.size, 0
            while index & 1:
                found = sha256(b"\x01" + hashes.pop() + found).digest()
                index >>= 1
                level += 1
                if level % every == 0:
                    filled.append((level, index, found))
            hashes.append(found)
            self.size += 1
        return filled

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.extend((leaf,))

    def root(self) -> bytes:
        """The root, 32 bytes."""
        if not self._hashes:
            return EMPTY_ROOT
        found = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            found = node_hash(left, found)
        return found

"""A log as static files that any web server can serve: tiles of 256 hashes, and bundles of 256 entries.

Format: c2sp.org/tlog-tiles. ``tile/<level>/<index>`` holds up to 256 hashes, 32 bytes each: at level 0 the leaves, at
level *l* the subtrees over ``256^l`` leaves, each the hash of one full tile below. ``tile/entries/<index>`` holds up
to 256 entries, each after its length (two bytes, big-endian). The last tile of a level may be partial: ``.p/<width>``.
A full tile never changes.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.merkle import HASH_BYTES, Frontier, Subtree, leaf_hash, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
ENTRIES = -1
"""The level of entry bundles, which lie below the leaves' hashes."""
MOST_ENTRY_BYTES = (1 << 16) - 1
MOST_LEVEL = 63
MOST_INDEX = 1 << 63
MOST_CHARACTERS = 64
PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
REMEDY = "fetch the file again; if it stays so, do not trust this mirror"

Fetch = Callable[[str], bytes]
"""``fetch(path)`` → the bytes of a file of the log; a LookupError or an OSError says that it is not there."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A file: hashes at ``level``, or entries (level -1); the ``index``-th of its level, ``width`` things wide."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its place below the log's address, as in ``tile/0/x001/x234/067.p/5`` (tlog-tiles, "Merkle Tree")."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = str(self.index)
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        parts = [digits[place : place + 3] for place in range(0, len(digits), 3)]
        index = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        return f"tile/{level}/{index}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Read a path; raises ProofError when it is none, or written in another way than ``path`` writes it."""
        found = PATH.fullmatch(path) if len(path) <= MOST_CHARACTERS else None
        if not found:
            raise ProofError(f"path {path[:40]!r}", "is not a tile's", "see c2sp.org/tlog-tiles")
        level, index, width = found.groups()
        tile = cls(
            ENTRIES if level == "entries" else int(level),
            int(index.replace("x", "").replace("/", "")),
            int(width or WIDTH),
        )
        if tile.level > MOST_LEVEL or tile.index >= MOST_INDEX or tile.path != path:
            raise ProofError(f"path {path[:40]!r}", "is not a tile's", "see c2sp.org/tlog-tiles")
        return tile


def tiles(size: int, old: int = 0) -> Iterator[Tile]:
    """The hash tiles of a tree of ``size`` leaves, level by level; with ``old``, those that a tree of ``old`` lacked.

    Full ones and the last partial one of each level (tlog-tiles, "Partial Tiles"). No empty ones.
    """
    assert 0 <= old <= size, f"{old} leaves within {size}"
    level = 0
    while size:
        yield from _row(level, size, old)
        level, size, old = level + 1, size >> HEIGHT, old >> HEIGHT


def bundles(size: int, old: int = 0) -> Iterator[Tile]:
    """The entry bundles of a log of ``size`` entries; with ``old``, those that a log of ``old`` lacked."""
    assert 0 <= old <= size, f"{old} entries within {size}"
    yield from _row(ENTRIES, size, old)


def files(
    size: int, old: int, subtree: Subtree, entries: Callable[[int, int], Iterable[bytes]]
) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every file to add when a log grows from ``old`` to ``size`` entries, bundles first.

    ``entries(start, end)`` gives the entries from ``start`` up to ``end``, ``subtree`` the hashes of the full tree.
    Publish the checkpoint after them. Raises ProofError when an entry is longer than 65,535 bytes.
    """
    for tile in bundles(size, old):
        start = tile.index * WIDTH
        yield tile.path, write_entries(list(entries(start, start + tile.width)))
    for tile in tiles(size, old):
        start = tile.index * WIDTH
        hashes = [subtree(tile.level * HEIGHT, index) for index in range(start, start + tile.width)]
        yield tile.path, write_hashes(hashes)


def write_hashes(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a hash tile: 1 to 256 hashes of 32 bytes, one after the other."""
    assert 1 <= len(hashes) <= WIDTH, f"{len(hashes)} hashes"
    assert all(len(one) == HASH_BYTES for one in hashes), "a hash has 32 bytes"
    return b"".join(hashes)


def read_hashes(data: bytes, tile: Tile) -> list[bytes]:
    """The hashes of a tile; raises ProofError, naming the file, when it has not exactly its width of them."""
    if len(data) != tile.width * HASH_BYTES:
        raise ProofError(tile.path, f"has {len(data)} bytes, not {tile.width * HASH_BYTES}", REMEDY)
    return [data[place : place + HASH_BYTES] for place in range(0, len(data), HASH_BYTES)]


def write_entries(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle of 1 to 256 entries; raises ProofError for an entry of more than 65,535 bytes."""
    assert 1 <= len(entries) <= WIDTH, f"{len(entries)} entries"
    for place, entry in enumerate(entries):
        if len(entry) > MOST_ENTRY_BYTES:
            reason = f"has {len(entry)} bytes, of {MOST_ENTRY_BYTES} at most"
            raise ProofError(f"entry {place} of the bundle", reason, "log it by its hash")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_entries(data: bytes, tile: Tile) -> list[bytes]:
    """The entries of a bundle (tlog-tiles, "Log entries"); raises ProofError, naming the file, when it is malformed."""
    entries: list[bytes] = []
    place = 0
    while place < len(data) and len(entries) < tile.width:
        start = place + 2
        place = start + int.from_bytes(data[place:start], "big")
        entries.append(data[start:place])
    # The last entry's end may lie beyond the bytes; then the bundle was cut short.
    if place != len(data) or len(entries) != tile.width:
        raise ProofError(tile.path, f"does not hold exactly {tile.width} entries", REMEDY)
    return entries


class TileReader:
    """The full subtrees of a tree of ``size`` leaves, read from its tiles: a ``merkle.Subtree``.

    With it, ``merkle.root``, ``inclusion_proof`` and ``consistency_proof`` work from a mirror's files alone. Nothing is
    checked but lengths: compare what comes out with a signed root. Keeps the last ``kept`` tiles (8 KiB each).
    Raises ProofError, naming the file, when one is missing or malformed.
    """

    def __init__(self, size: int, fetch: Fetch, kept: int = 64) -> None:
        self.size = size
        self._fetch = fetch
        self._kept = kept
        self._tiles: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def __call__(self, level: int, index: int) -> bytes:
        """Hash over the leaves from ``index·2^level`` up to ``(index+1)·2^level``, 32 bytes."""
        assert (index + 1) << level <= self.size, f"subtree {level}, {index} is not full among {self.size} leaves"
        row, height = divmod(level, HEIGHT)
        first = index << height
        hashes = self._hashes(row, first // WIDTH)[first % WIDTH : first % WIDTH + (1 << height)]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[n], hashes[n + 1]) for n in range(0, len(hashes), 2)]
        return hashes[0]

    def _hashes(self, level: int, index: int) -> list[bytes]:
        found = self._tiles.get((level, index))
        if found is None:
            width = min(WIDTH, (self.size >> level * HEIGHT) - index * WIDTH)
            found = read_hashes(*fetched(Tile(level, index, width), self._fetch))
            self._tiles[level, index] = found
            if len(self._tiles) > self._kept:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end((level, index))
        return found


def fetched(tile: Tile, fetch: Fetch) -> tuple[bytes, Tile]:
    """The bytes of a tile, cut to its width; raises ProofError when it is missing.

    A log may drop a partial tile once the full one is there (tlog-tiles, "Partial Tiles"), so that is tried next.
    """
    try:
        return fetch(tile.path), tile
    except (LookupError, OSError):
        if tile.width == WIDTH:
            raise ProofError(tile.path, "is missing", REMEDY) from None
    whole = Tile(tile.level, tile.index)
    try:
        data = fetch(whole.path)
    except (LookupError, OSError):
        raise ProofError(tile.path, "is missing", REMEDY) from None
    if tile.level == ENTRIES:
        return write_entries(read_entries(data, whole)[: tile.width]), tile
    return write_hashes(read_hashes(data, whole)[: tile.width]), tile


def check_tiles(checkpoint: Checkpoint, fetch: Fetch) -> int:
    """An outsider's full check of a mirrored log: how many files there are, and all of them are right.

    Reads every entry bundle once, recomputes every tile and the root, and compares them with the files and with the
    ``checkpoint``, whose signatures the caller has checked. Needs memory for one bundle and one tile a level. Raises
    ProofError that names the first wrong file; ``checkpoint`` when the files agree with one another but not with it.
    """
    building = _Building(checkpoint.size, fetch)
    for bundle in bundles(checkpoint.size):
        building.add(bundle)
    building.end()
    if building.frontier.root() != checkpoint.root:
        _blame(checkpoint, fetch, building.differing)
    if building.wrong:
        raise ProofError(building.wrong.path, "does not hold the hashes of the log's entries", REMEDY)
    return building.files


class _Building:
    """The tree of the entries so far: its right edge, and the last, still growing tile of each level."""

    def __init__(self, size: int, fetch: Fetch) -> None:
        self.frontier = Frontier(0, _nothing)
        self.files = 0
        self.wrong: Tile | None = None
        """The first hash tile that is not as recomputed from the entries."""
        self.differing: Tile | None = None
        """The first bundle whose tile of leaves says otherwise."""
        self._size = size
        self._fetch = fetch
        self._rows: dict[int, list[bytes]] = {}
        """The hashes so far in the last tile of each level above the leaves."""

    def add(self, bundle: Tile) -> None:
        """Take in one entry bundle, and compare each hash tile that it fills."""
        self.files += 1
        leaves = [leaf_hash(entry) for entry in read_entries(*fetched(bundle, self._fetch))]
        self._compare(Tile(0, bundle.index, bundle.width), leaves)
        for level, index, found in self.frontier.extend(leaves, HEIGHT):
            row = self._rows.setdefault(level // HEIGHT, [])
            row.append(found)
            if len(row) == WIDTH:
                self._compare(Tile(level // HEIGHT, index // WIDTH), row)
                row.clear()

    def end(self) -> None:
        """Compare the partial tiles at the right edge above the leaves."""
        for level, row in self._rows.items():
            if row:
                self._compare(Tile(level, (self._size >> level * HEIGHT) // WIDTH, len(row)), row)

    def _compare(self, tile: Tile, row: list[bytes]) -> None:
        self.files += 1
        if read_hashes(*fetched(tile, self._fetch)) == row:
            return
        self.wrong = self.wrong or tile
        if tile.level == 0:
            self.differing = self.differing or Tile(ENTRIES, tile.index, tile.width)


def _blame(checkpoint: Checkpoint, fetch: Fetch, differing: Tile | None) -> None:
    """Raise ProofError for what is wrong when the entries do not give the signed root.

    If the leaves' tiles do give it, the first bundle that differs from its tile is wrong. If neither does, that bundle
    is the first file about which the mirror contradicts itself. If bundles and tiles agree, the mirror is of another
    tree than the one that was signed.
    """
    if not differing:
        raise ProofError("checkpoint", "has another root than the mirror's entries", REMEDY)
    reason = (
        "does not hold the entries of the signed log"
        if _leaves_hold(checkpoint, fetch)
        else ("does not agree with its tile of hashes, and neither gives the signed root")
    )
    raise ProofError(differing.path, reason, REMEDY)


def _leaves_hold(checkpoint: Checkpoint, fetch: Fetch) -> bool:
    """Whether the tiles of leaves alone give the signed root."""
    frontier = Frontier(0, _nothing)
    for tile in _row(0, checkpoint.size, 0):
        frontier.extend(read_hashes(*fetched(tile, fetch)))
    return frontier.root() == checkpoint.root


def _row(level: int, size: int, old: int) -> Iterator[Tile]:
    """The tiles of one level that has ``size`` hashes, from the first that ``old`` hashes did not fill."""
    if size > old:
        for index in range(old // WIDTH, (size - 1) // WIDTH + 1):
            yield Tile(level, index, min(WIDTH, size - index * WIDTH))


def _nothing(level: int, index: int) -> bytes:
    """The subtrees of an empty tree."""
    raise AssertionError(f"an empty tree has no subtree {level}, {index}")

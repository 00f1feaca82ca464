"""Tiles: the specification's examples, every small log grown and read back, and every altered file named."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ProofError
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.tiles import (
    ENTRIES,
    MOST_ENTRY_BYTES,
    Tile,
    TileReader,
    bundles,
    check_tiles,
    files,
    read_entries,
    read_hashes,
    tiles,
    write_entries,
    write_hashes,
)

EDGES = (1, 2, 5, 254, 255, 256, 257, 511, 512, 513, 1000)


def entry(number: int) -> bytes:
    return b"fact %d" % number * (number % 3)


def entries(start: int, end: int) -> Iterator[bytes]:
    return map(entry, range(start, end))


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(one) for one in entries(0, size)]


def mirror(size: int, old: int = 0) -> dict[str, bytes]:
    return dict(files(size, old, merkle.subtrees_of(leaves(size)), entries))


def head(size: int) -> Checkpoint:
    return Checkpoint("example.org/log", size, merkle.root_of(leaves(size)))


# Paths


# From c2sp.org/tlog-tiles ("Merkle Tree"), and the borders of its rules.
@pytest.mark.parametrize(
    ("tile", "path"),
    [(Tile(0, 1_234_067, 5), "tile/0/x001/x234/067.p/5"), (Tile(ENTRIES, 1_234_067, 5), "tile/entries/x001/x234/067.p/5"),
     (Tile(0, 0), "tile/0/000"), (Tile(ENTRIES, 0), "tile/entries/000"), (Tile(63, 999, 255), "tile/63/999.p/255"),
     (Tile(1, 1000), "tile/1/x001/000"), (Tile(7, (1 << 63) - 1, 1), "tile/7/x009/x223/x372/x036/x854/x775/807.p/1")],
)  # fmt: skip
def test_paths_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    ["", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/-1/000",
     "tile/0/x000/000", "tile/0/001/000", "tile/0/x001", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/05",
     "tile/0/000.p/", "tile/0/000.p/1/", "/tile/0/000", "tile/0/000\n", "tile/data/000", "tile/8/0/000", "../tile/0/000",
     "tile/0/٠٠٠", "tile/7/x009/x223/x372/x036/x854/x775/808", "tile/0/" + "x999/" * 20 + "999", "tile/entries/entries"],
)  # fmt: skip
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(ProofError, match="is not a tile's"):
        Tile.parse(path)


@given(st.integers(ENTRIES, 63), st.integers(0, (1 << 63) - 1), st.integers(1, 256))
def test_every_path_comes_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path) == tile


@given(st.text() | st.text("tile/entrsx0129.p", max_size=30))
def test_any_path_is_refused_or_written_so(path: str) -> None:
    try:
        assert Tile.parse(path).path == path
    except ProofError:
        return


# Which files there are


def test_the_example_of_the_specification() -> None:
    """c2sp.org/tlog-tiles, "Partial Tiles": a tree of 70,000 leaves, and one of 256."""
    found = list(tiles(70_000))
    assert Counter((one.level, one.width == 256) for one in found) == {
        (0, True): 273, (0, False): 1, (1, True): 1, (1, False): 1, (2, False): 1,
    }  # fmt: skip
    assert [one.width for one in found if one.width < 256] == [112, 17, 1]
    assert [one.path for one in tiles(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(tiles(0)) == list(bundles(0)) == []


@pytest.mark.parametrize("old", [0, 1, 5, 255, 256, 257, 512, 65_536, 65_792])
def test_new_tiles_are_those_that_the_older_tree_lacked(old: int) -> None:
    for size in sorted({old + grown for grown in (0, 1, 3, 255, 256, 257, 65_536)}):
        assert set(tiles(size, old)) == set(tiles(size)) - set(tiles(old))
        assert set(bundles(size, old)) == set(bundles(size)) - set(bundles(old))


# Contents


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_entries_come_back(some: list[bytes]) -> None:
    assert read_entries(write_entries(some), Tile(ENTRIES, 0, len(some))) == some


def test_an_entry_has_at_most_65535_bytes() -> None:
    longest = bytes(MOST_ENTRY_BYTES)
    assert write_entries([b"a", longest])[:5] == b"\x00\x01a\xff\xff"
    assert read_entries(write_entries([longest]), Tile(ENTRIES, 0, 1)) == [longest]
    with pytest.raises(ProofError, match="entry 1 of the bundle has 65536 bytes"):
        write_entries([b"", longest + b"\0"])


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\0\0", b"\0\1", b"\0\1a", b"\0\1a\0", b"\0\1a\0\1", b"\0\1a\0\1bc", b"\0\1a\0\1b\0", b"\0\1a\0\1b\0\0",
     b"\0\1a\0\2b", b"\xff\xffa\0\1b"],
)  # fmt: skip
def test_malformed_bundles_are_named(data: bytes) -> None:
    with pytest.raises(ProofError, match=r"tile/entries/003\.p/2 does not hold exactly 2 entries"):
        read_entries(data, Tile(ENTRIES, 3, 2))


@given(st.binary(), st.integers(1, 256))
def test_any_bytes_are_refused_or_read_as_they_are(data: bytes, width: int) -> None:
    for read, write, level in ((read_entries, write_entries, ENTRIES), (read_hashes, write_hashes, 0)):
        try:
            assert write(read(data, Tile(level, 0, width))) == data
        except ProofError:
            continue


@pytest.mark.parametrize("length", [0, 1, 63, 65, 96])
def test_tiles_of_another_length_are_named(length: int) -> None:
    with pytest.raises(ProofError, match=r"tile/1/003\.p/2 has .* bytes, not 64"):
        read_hashes(bytes(length), Tile(1, 3, 2))


# A log's files


@pytest.mark.parametrize("size", [*range(1, 12), *EDGES])
def test_a_log_that_grew_in_steps_has_every_file_of_every_head(size: int) -> None:
    grown: dict[str, bytes] = {}
    steps = sorted({0, size // 3, size // 2, size - 1, size})
    for old, new in pairwise(steps):
        grown |= mirror(new, old)
        assert {one.path for one in (*tiles(new), *bundles(new))} <= set(grown)
        assert check_tiles(head(new), grown.__getitem__) == len([*tiles(new), *bundles(new)])
    assert grown.items() >= mirror(size).items()


@pytest.mark.parametrize("size", [*range(1, 12), *EDGES])
def test_proofs_and_roots_from_tiles_alone(size: int) -> None:
    subtree = merkle.subtrees_of(leaves(size))
    reader = TileReader(size, mirror(size).__getitem__, kept=2)
    assert merkle.root(size, reader) == merkle.root(size, subtree)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        assert merkle.inclusion_proof(index, size, reader) == merkle.inclusion_proof(index, size, subtree)
        assert merkle.consistency_proof(index, size, reader) == merkle.consistency_proof(index, size, subtree)


def test_three_levels_of_tiles() -> None:
    """66,000 leaves: more than 256 full tiles at the bottom."""
    size = 66_000
    held = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    subtree = merkle.subtrees_of(held)
    found = dict(files(size, 0, subtree, lambda start, end: (b"%d" % number for number in range(start, end))))
    reader = TileReader(size, found.__getitem__)
    assert "tile/2/000.p/1" in found
    assert merkle.root(size, reader) == merkle.root(size, subtree)
    assert merkle.inclusion_proof(65_000, size, reader) == merkle.inclusion_proof(65_000, size, subtree)
    assert check_tiles(Checkpoint("o", size, merkle.root(size, subtree)), found.__getitem__) == len(found)


def test_a_reader_keeps_few_tiles_and_reads_them_once() -> None:
    stored, asked = mirror(1000), Counter[str]()

    def fetch(path: str) -> bytes:
        asked[path] += 1
        return stored[path]

    reader = TileReader(1000, fetch, kept=4)
    merkle.root(1000, reader)
    merkle.inclusion_proof(990, 1000, reader)
    assert set(asked.values()) == {1}
    for index in range(1000):
        reader(0, index)
    assert len(reader._tiles) <= 4


def test_a_full_tile_stands_in_for_a_partial_one_that_was_dropped() -> None:
    stored = {
        path: data for path, data in mirror(600).items() if ".p/" not in path or "/002.p/" in path or "/1/" in path
    }
    assert "tile/0/001.p/44" not in stored
    with pytest.raises(ProofError, match=r"tile/1/000\.p/1 is missing"):
        check_tiles(head(300), stored.__getitem__)
    stored["tile/1/000.p/1"] = stored["tile/1/000.p/2"][:32]
    reader = TileReader(300, stored.__getitem__)
    assert merkle.inclusion_proof(280, 300, reader)[0] == merkle.leaf_hash(entry(281))
    assert check_tiles(head(300), stored.__getitem__) == 5


def test_an_empty_log_has_no_files() -> None:
    assert check_tiles(Checkpoint("o", 0, merkle.EMPTY_ROOT), {}.__getitem__) == 0
    with pytest.raises(ProofError, match="checkpoint has another root"):
        check_tiles(Checkpoint("o", 0, bytes(32)), {}.__getitem__)


# Attacks on a mirror


def altered(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(("size", "step"), [(5, 1), (258, 61)])
def test_every_altered_byte_of_every_file_is_found_and_its_file_named(size: int, step: int) -> None:
    stored, signed = mirror(size), head(size)
    assert check_tiles(signed, stored.__getitem__) == len(stored)
    for path, data in stored.items():
        for place in range(0, len(data), step if len(data) > 100 else 1):
            with pytest.raises(ProofError) as found:
                check_tiles(signed, (stored | {path: altered(data, place)}).__getitem__)
            assert found.value.thing == path, place


@pytest.mark.parametrize("size", [5, 258])
def test_every_missing_short_or_long_file_is_named(size: int) -> None:
    stored, signed = mirror(size), head(size)
    for path, data in stored.items():
        for other in ({}, {path: b""}, {path: data[:-1]}, {path: data + b"\0"}):
            with pytest.raises(ProofError) as found:
                check_tiles(signed, ({one: stored[one] for one in stored if one != path} | other).__getitem__)
            assert found.value.thing == path


def test_a_file_system_without_the_file_is_a_missing_file() -> None:
    def fetch(path: str) -> bytes:
        raise FileNotFoundError(path)

    with pytest.raises(ProofError, match=r"tile/entries/000\.p/5 is missing"):
        check_tiles(head(5), fetch)
    with pytest.raises(ProofError, match=r"tile/0/000\.p/5 is missing"):
        TileReader(5, fetch)(0, 0)


def rewritten(size: int, number: int) -> Iterable[tuple[str, bytes]]:
    """The files of a log that tells another story about one entry, in every file."""

    def other(start: int, end: int) -> Iterator[bytes]:
        return (b"forged" if one == number else entry(one) for one in range(start, end))

    return files(size, 0, merkle.subtrees_of([merkle.leaf_hash(one) for one in other(0, size)]), other)


@pytest.mark.parametrize("size", [5, 258])
def test_a_mirror_rewritten_in_every_file_is_of_another_tree(size: int) -> None:
    with pytest.raises(ProofError, match="checkpoint has another root than the mirror's entries"):
        check_tiles(head(size), dict(rewritten(size, 1)).__getitem__)


def test_a_bundle_rewritten_alone_is_named_and_so_is_one_with_its_tile() -> None:
    stored, forged = mirror(258), dict(rewritten(258, 257))
    alone = stored | {"tile/entries/001.p/2": forged["tile/entries/001.p/2"]}
    with pytest.raises(ProofError, match=r"tile/entries/001\.p/2 does not hold the entries of the signed log"):
        check_tiles(head(258), alone.__getitem__)
    both = alone | {"tile/0/001.p/2": forged["tile/0/001.p/2"], "tile/0/000": altered(stored["tile/0/000"], 9)}
    with pytest.raises(ProofError, match=r"tile/entries/000 does not agree with its tile of hashes, and neither"):
        check_tiles(head(258), both.__getitem__)


def test_two_entries_in_another_order_are_found() -> None:
    stored = mirror(5)
    swapped = write_entries([entry(n) for n in (0, 2, 1, 3, 4)])
    with pytest.raises(ProofError, match=r"tile/entries/000\.p/5 does not hold"):
        check_tiles(head(5), (stored | {"tile/entries/000.p/5": swapped}).__getitem__)

"""The tree: RFC vectors, every small tree with every proof and every corruption, then large ones."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.proof import merkle

# The eight entries and roots of the Certificate Transparency reference implementation (RFC 6962 test data).
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Its published proofs (merkle_tree_test: inclusion of a leaf, counted from 0, and consistency of two sizes).
A, B, C, D, E, F, G = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
INCLUSION = {(0, 1): [], (0, 8): [A, B, C], (5, 8): [D, E, F], (2, 3): [ROOTS[1]], (1, 5): [ROOTS[0], B, D]}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [G, E, F], (2, 5): [B, D]}
SMALL = 65
"""Every tree below it is tried whole."""


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(count)]


def slow_root(hashes: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word: an independent oracle."""
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    half = split(len(hashes))
    return sha256(b"\x01" + slow_root(hashes[:half]) + slow_root(hashes[half:])).digest()


def split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def slow_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    half = split(len(hashes))
    if index < half:
        return [*slow_path(index, hashes[:half]), slow_root(hashes[half:])]
    return [*slow_path(index - half, hashes[half:]), slow_root(hashes[:half])]


def slow_proof(old: int, hashes: list[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of RFC 6962, section 2.1.2, word for word; ``whole``: the old root is known."""
    if old == len(hashes):
        return [] if whole else [slow_root(hashes)]
    half = split(len(hashes))
    if old <= half:
        return [*slow_proof(old, hashes[:half], whole=whole), slow_root(hashes[half:])]
    return [*slow_proof(old - half, hashes[half:], whole=False), slow_root(hashes[:half])]


def test_published_proofs_of_the_reference_entries() -> None:
    hashes = [merkle.leaf_hash(entry) for entry in ENTRIES]
    subtree = merkle.subtrees_of(hashes)
    for (index, size), due in INCLUSION.items():
        path = merkle.inclusion_proof(index, size, subtree)
        assert [one.hex() for one in path] == due
        assert merkle.check_inclusion(hashes[index], index, size, path, bytes.fromhex(ROOTS[size - 1]))
    for (old, size), due in CONSISTENCY.items():
        path = merkle.consistency_proof(old, size, subtree)
        assert [one.hex() for one in path] == due
        roots = (bytes.fromhex(ROOTS[count - 1]) for count in (old, size))
        assert merkle.check_consistency(old, size, path, *roots)


@pytest.mark.parametrize("size", range(1, 9))
def test_all_proofs_of_the_reference_entries_are_those_of_the_rfc(size: int) -> None:
    """What the reference does not print follows from the definition, which is another program than ours."""
    hashes = [merkle.leaf_hash(entry) for entry in ENTRIES[:size]]
    subtree = merkle.subtrees_of(hashes)
    for index in range(size):
        assert list(merkle.inclusion_proof(index, size, subtree)) == slow_path(index, hashes)
    for old in range(1, size + 1):
        assert list(merkle.consistency_proof(old, size, subtree)) == slow_proof(old, hashes)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_reference_entries(size: int) -> None:
    assert merkle.root_of([merkle.leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.root_of([]) == sha256(b"").digest() == merkle.Frontier(0, merkle.subtrees_of([])).root()


@pytest.mark.parametrize("size", range(1, SMALL))
def test_every_inclusion_proof_of_every_small_tree_and_no_altered_one(size: int) -> None:
    hashes = leaves(size)
    top, subtree = merkle.root_of(hashes), merkle.subtrees_of(hashes)
    assert top == slow_root(hashes)
    for index in range(size):
        path = merkle.inclusion_proof(index, size, subtree)
        assert path == slow_path(index, hashes)
        assert merkle.check_inclusion(hashes[index], index, size, path, top)
        assert not merkle.check_inclusion(bytes(32), index, size, path, top)
        assert not merkle.check_inclusion(hashes[index], index, size, [*path, bytes(32)], top)
        for other in range(-1, size + 2):
            assert other == index or not merkle.check_inclusion(hashes[index], other, size, path, top)
        for place in range(len(path)):
            assert not merkle.check_inclusion(hashes[index], index, size, path[:place] + path[place + 1 :], top)
            altered = [*path]
            altered[place] = bytes(32)
            assert not merkle.check_inclusion(hashes[index], index, size, altered, top)


@pytest.mark.parametrize("new", range(SMALL))
def test_every_consistency_proof_of_every_small_tree_and_no_altered_one(new: int) -> None:
    hashes = leaves(new)
    top, subtree = merkle.root_of(hashes), merkle.subtrees_of(hashes)
    for old in range(new + 1):
        before = merkle.root_of(hashes[:old])
        path = merkle.consistency_proof(old, new, subtree)
        assert path == (slow_proof(old, hashes) if old else [])
        assert merkle.check_consistency(old, new, path, before, top)
        assert not merkle.check_consistency(old, new, [*path, bytes(32)], before, top)
        if old:
            assert not merkle.check_consistency(old, new, path, bytes(32), top)
        if old != new and old:
            assert not merkle.check_consistency(old, new, path, before, bytes(32))
        for place in range(len(path)):
            altered = [*path]
            altered[place] = bytes(32)
            assert not merkle.check_consistency(old, new, altered, before, top)
            assert not merkle.check_consistency(old, new, path[:place] + path[place + 1 :], before, top)


@given(st.integers(1, 3_000), st.data())
def test_proofs_of_large_trees_hold(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    top, subtree = merkle.root_of(hashes), merkle.subtrees_of(hashes)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    assert merkle.check_inclusion(hashes[index], index, size, merkle.inclusion_proof(index, size, subtree), top)
    path = merkle.consistency_proof(old, size, subtree)
    assert merkle.check_consistency(old, size, path, merkle.root_of(hashes[:old]), top)


@pytest.mark.parametrize("start", [0, 1, 5, 8, 255, 256, 300])
def test_a_frontier_grows_to_the_same_roots_and_names_every_subtree_it_fills(start: int) -> None:
    hashes = leaves(start + 70)
    frontier = merkle.Frontier(start, merkle.subtrees_of(hashes[:start]))
    for size in range(start, start + 70):
        assert frontier.root() == merkle.root_of(hashes[:size])
        for level, index, found in frontier.extend([hashes[size]]):
            assert found == merkle.root_of(hashes[index << level : (index + 1) << level])

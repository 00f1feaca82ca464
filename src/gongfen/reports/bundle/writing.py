"""A bundle is written: part by part, the facts one at a time, the same bytes for the same log."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Self

import msgspec

from gongfen.facts import decode
from gongfen.proof.merkle import inclusion_proof, leaf_hash, subtrees_of
from gongfen.reports.bundle.evidence import Evidence
from gongfen.reports.bundle.parts import (
    BLOBS,
    FACTS,
    LEAVES,
    PROOFS,
    README,
    SMALL_VERIFIER,
    SUMS,
    Proof,
    small_verifier,
    sums_text,
)


def write_bundle(
    facts: Iterable[bytes], checkpoint: str, key: str, blobs: Iterable[bytes], witnesses: str = ""
) -> bytes:
    """The bundle of the first ``size`` entries, where ``checkpoint`` says the size. The same log gives the same bytes.

    ``key``: the book's verifier keys, a line each. ``blobs``: texts of outputs, and the body of every entry that the
    log holds by hash. ``witnesses``: the book's policy (c2sp.org/tlog-policy), if it has one. Facts go by once.
    """
    kept = {sha256(blob).hexdigest(): blob for blob in blobs}
    leaves: list[bytes] = []
    found = Evidence()

    def lines() -> Iterator[bytes]:
        for seq, entry in enumerate(facts):
            leaves.append(leaf_hash(entry))
            found.add(seq, decode(entry, kept.get))
            yield entry + b"\n"

    with _Writing() as out:
        out.put("README.txt", [README.encode()])
        out.put(SMALL_VERIFIER, [small_verifier()])
        out.put("checkpoint", [checkpoint.encode()])
        out.put("key", [f"{key}\n".encode()])
        if witnesses:
            out.put("witnesses", [witnesses.encode()])
        out.put(FACTS, lines())
        out.put(LEAVES, leaves)
        out.put(PROOFS, _proofs(found.numbers(), leaves))
        for name in sorted(kept):
            out.put(BLOBS + name, [kept[name]])
        return out.close()


def _proofs(numbers: Iterable[int], leaves: Sequence[bytes]) -> Iterator[bytes]:
    subtree = subtrees_of(leaves)
    for seq in numbers:
        path = tuple(step.hex() for step in inclusion_proof(seq, len(leaves), subtree))
        yield msgspec.json.encode(Proof(path=path, seq=seq)) + b"\n"


class _Writing:
    """A zip that depends on its contents alone, written part by part."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._archive = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED)
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """One part, a piece at a time."""
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        digest = sha256()
        with self._archive.open(entry, "w") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        self._sums[name] = digest.hexdigest()

    def close(self) -> bytes:
        """The bytes of the zip, with the sums of all its parts as the last of them."""
        self.put(SUMS, [sums_text(self._sums)])
        self._archive.close()
        return self._buffer.getvalue()


def zipped(parts: dict[str, bytes]) -> bytes:
    """The zip of a bundle's parts, with their sums computed anew."""
    with _Writing() as out:
        for name, content in parts.items():
            if name != SUMS:
                out.put(name, [content])
        return out.close()

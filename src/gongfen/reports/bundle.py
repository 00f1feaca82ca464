"""The audit bundle: a log with its proofs in one zip, that verifies far from the book that wrote it.

Inside: ``checkpoint`` (the signed note, with its witnesses), ``facts.jsonl`` (canonical bytes, a fact a line, from
number 0), ``leaves`` (their RFC 6962 hashes, 32 bytes each), ``proofs.jsonl`` (an inclusion proof for every fact that a
settlement rests on), ``blobs/…`` (texts and long bodies by hash), ``key`` and ``witnesses`` (as the book claims them;
check with those that were published), ``README.txt``, ``verify.py`` (a verifier that needs no Gongfen) and
``SHA256SUMS`` (of all parts). Facts go by one at a time: neither writing nor verifying holds them.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from struct import error as StructError  # noqa: N812 - it is one
from typing import Self

import msgspec

from gongfen import accounts
from gongfen.errors import GongfenError, ProofError
from gongfen.facts import Fact, decode, reread
from gongfen.facts.kinds import Output
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import Cosignature, WitnessVerifier, cosignatures, read_verifier
from gongfen.proof.merkle import HASH_BYTES, Frontier, check_inclusion, inclusion_proof, leaf_hash, subtrees_of
from gongfen.proof.note import NoteVerifier, read_note
from gongfen.proof.policy import CosignerVerifier, Policy
from gongfen.reports.evidence import Evidence
from gongfen.reports.replay import Replay, Settled

README = """An audit bundle of a Gongfen book. Verify it without Gongfen (Python 3.11 and its package cryptography):

    python -I verify.py FILE --key 'KEY THAT THE BOOK PUBLISHED'

Take verify.py from a source that you trust, or read it: it is one file, written to be read. The one in here is a copy.
With Gongfen:  gongfen verify FILE --key 'KEY THAT THE BOOK PUBLISHED'

It proves: these facts stand in the signed log, unaltered and complete; each settlement follows from them to the cent.
It does not prove: that the facts are true of the world, that nobody was shown another log, that money arrived.

这是工分账本的审计包。不装工分也能核验（需要 Python 3.11 及其 cryptography 包）：

    python -I verify.py 文件 --key '账本公布的公钥'

请从可信的来源取得 verify.py，或者通读一遍：它只有一个文件，写来就是给人读的。包里这份只是副本。
装有工分：  gongfen verify 文件 --key '账本公布的公钥'

它证明：这些事实完整、未经改动地记在已签名的日志里；每次结算都可由它们重算到分。
它不证明：事实符合世界的实情；没有人见到另一份日志；款项已经到账。
"""
FACTS, LEAVES, PROOFS, SUMS, SMALL_VERIFIER = "facts.jsonl", "leaves", "proofs.jsonl", "SHA256SUMS", "verify.py"
NEEDED = ("checkpoint", "key", FACTS, LEAVES, PROOFS)
PARTS = (*NEEDED, "README.txt", SMALL_VERIFIER, "witnesses", SUMS)
BLOBS = "blobs/"
MOST_BYTES = 1 << 30
PIECE_BYTES = 1 << 16
ASK = "ask for a new bundle; do not trust this copy"

Progress = Callable[[int, int], None]


class _Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: tuple[str, ...]
    seq: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds. A bundle that does not hold raises instead."""

    origin: str
    size: int
    root: str
    keys: tuple[str, ...]
    key_from_bundle: bool
    """The keys came with the bundle: they show that the bundle agrees with itself, not whose it is."""
    since: int | None
    """Facts of the older checkpoint, with which this log begins."""
    witnesses: tuple[Cosignature, ...]
    """Who else saw this checkpoint."""
    witnesses_named: int
    witnesses_from_bundle: bool
    """The witnesses are those that the book names itself; how many it has is said, and not judged."""
    proofs: int
    blobs: int
    own_verifier: bool
    """The bundle's ``verify.py`` is the one of this version of Gongfen, or it has none."""
    settlements: tuple[Settled, ...]


# -- writing -----------------------------------------------------------------------------------------------------------


def small_verifier() -> bytes:
    """The file ``verify.py`` that travels in every bundle."""
    from gongfen.reports import verify  # noqa: PLC0415 - it loads what a book at work has no need of

    return Path(verify.__file__).read_bytes()


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
        yield msgspec.json.encode(_Proof(path=path, seq=seq)) + b"\n"


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
        self.put(SUMS, [_sums_text(self._sums)])
        self._archive.close()
        return self._buffer.getvalue()


def _sums_text(sums: dict[str, str]) -> bytes:
    """What ``sha256sum`` prints, and ``sha256sum -c`` checks, in the order of the names."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums) if name != SUMS).encode()


def zipped(parts: dict[str, bytes]) -> bytes:
    """The zip of a bundle's parts, with their sums computed anew."""
    with _Writing() as out:
        for name, content in parts.items():
            if name != SUMS:
                out.put(name, [content])
        return out.close()


# -- reading -----------------------------------------------------------------------------------------------------------


class Unpacked:
    """The parts of a zip, each of them read through once: its bytes counted and hashed, and not held.

    What counts is what is read. The sizes that the zip itself names are not trusted. Raises ProofError when the zip is
    damaged, foreign or hostile.
    """

    def __init__(self, data: bytes) -> None:
        self.sums: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self._entries: dict[str, zipfile.ZipInfo] = {}
        left = MOST_BYTES
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            for entry in self._archive.infolist():
                if entry.filename == BLOBS and not entry.file_size:
                    continue
                self._check_name(entry)
                digest, size = sha256(), 0
                with self._archive.open(entry) as file:
                    while piece := file.read(PIECE_BYTES):
                        digest.update(piece)
                        size += len(piece)
                        if size > left:
                            raise ProofError("bundle", f"unpacks to more than {MOST_BYTES >> 20} MiB", ASK)
                left -= size
                if size != entry.file_size:
                    raise ProofError(f"bundle, {entry.filename},", "is damaged: its length is wrong", ASK)
                self.sums[entry.filename], self.sizes[entry.filename] = digest.hexdigest(), size
                self._entries[entry.filename] = entry
        except _DAMAGE as error:
            raise ProofError("bundle", f"is not a whole zip file: {error}", ASK) from None

    def _check_name(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ProofError(f"bundle, {name[:60]!r},", "is packed in a way that a bundle never is", ASK)
        if not name.startswith(BLOBS) and name not in PARTS:
            raise ProofError(f"bundle, {name[:60]!r},", "is no part of a bundle", ASK)
        if name in self._entries:
            raise ProofError(f"bundle, {name},", "is there twice", ASK)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """A whole part; raises ProofError when it is missing."""
        if name not in self._entries:
            raise ProofError(f"bundle, {name},", "is missing", ASK)
        return self._archive.read(self._entries[name])

    def text(self, name: str) -> str:
        """A part that is text; raises ProofError when it is missing, or none."""
        try:
            return self.read(name).decode()
        except UnicodeDecodeError:
            raise ProofError(f"bundle, {name},", "is not text", ASK) from None

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a part, without their newlines, one at a time; the last may lack its newline."""
        with self._archive.open(self._entries[name]) as file:
            for line in file:
                yield line.removesuffix(b"\n")

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash (hex), or ``None``."""
        return self.read(BLOBS + name) if BLOBS + name in self._entries else None

    def blobs(self) -> Iterator[tuple[str, str]]:
        """The name that each blob has, and the hash (hex) that it should be."""
        return ((name.removeprefix(BLOBS), found) for name, found in self.sums.items() if name.startswith(BLOBS))


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, StructError, NotImplementedError, RuntimeError, LookupError, ValueError, EOFError,
    OSError, OverflowError,
)  # fmt: skip
"""All that ``zipfile`` was seen to raise on altered bytes."""


def unzipped(data: bytes) -> dict[str, bytes]:
    """All parts of a bundle, held; raises ProofError when the zip is damaged, foreign or hostile."""
    parts = Unpacked(data)
    return {name: parts.read(name) for name in parts.sums}


# -- verifying ---------------------------------------------------------------------------------------------------------


def verify_bundle(
    data: bytes,
    verifiers: NoteVerifier | Sequence[NoteVerifier] | None,
    progress: Progress | None = None,
    *,
    since: str | None = None,
    witnesses: Sequence[CosignerVerifier] = (),
    quorum: int | None = None,
) -> Verdict:
    """Check everything in a bundle; raises ProofError naming what fails first, and where.

    ``verifiers``: the published keys, each of which must have signed. Without them those in the bundle are used, and
    the verdict says so. ``since``: an older checkpoint, signed by the same keys, which this log must extend.
    ``witnesses``: public keys of witnesses, ``quorum`` of whom, else all, must have cosigned; without them the verdict
    says which of the book's own witnesses have.
    """
    parts = Unpacked(data)
    for name in NEEDED:
        if name not in parts:
            raise ProofError(f"bundle, {name},", "is missing", ASK)
    keys = _keys(parts, verifiers)
    checkpoint = open_checkpoint(parts.text("checkpoint"), *keys)
    older = open_checkpoint(since, *keys) if since is not None else None
    seen, named = _witnesses(parts, witnesses, quorum)
    _check_tree(parts, checkpoint, older)
    blobs = _check_blobs(parts)
    found = Evidence()
    settlements = _replayed(_facts(parts, found), accounts.state_in_memory(checkpoint.origin), progress)
    proofs = _check_proofs(parts, found, checkpoint)
    _check_sums(parts)
    return Verdict(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        keys=tuple(map(str, keys)),
        key_from_bundle=not verifiers,
        since=older.size if older else None,
        witnesses=seen,
        witnesses_named=named,
        witnesses_from_bundle=not witnesses and "witnesses" in parts,
        proofs=proofs,
        blobs=blobs,
        own_verifier=SMALL_VERIFIER not in parts or parts.read(SMALL_VERIFIER) == small_verifier(),
        settlements=settlements,
    )


def _keys(parts: Unpacked, given: NoteVerifier | Sequence[NoteVerifier] | None) -> tuple[NoteVerifier, ...]:
    if given:
        return tuple(given) if isinstance(given, Sequence) else (given,)
    found = tuple(read_verifier(line) for line in parts.text("key").split())
    if not found or any(isinstance(key, WitnessVerifier) for key in found):
        raise ProofError("bundle, key,", "names no key of a log", ASK)
    return found


def _witnesses(
    parts: Unpacked, given: Sequence[CosignerVerifier], quorum: int | None
) -> tuple[tuple[Cosignature, ...], int]:
    """Who cosigned, of how many; raises ProofError when a line is false, or too few of those given are there."""
    note = read_note(parts.text("checkpoint"))
    if given:
        Policy.of((), given, min(len(given), 1))
        needed = len(given) if quorum is None else quorum
        seen = cosignatures(note, given)
        if len(seen) < needed:
            reason = f"was cosigned by {len(seen)} of {len(given)} witnesses; {needed} are asked for"
            raise ProofError("checkpoint", reason, "ask the book for a checkpoint that they have seen")
        return seen, len(given)
    if "witnesses" not in parts:
        return (), 0
    policy = Policy.parse(parts.text("witnesses"))
    return cosignatures(note, [one.verifier for one in policy.witnesses]), len(policy.witnesses)


def _check_tree(parts: Unpacked, checkpoint: Checkpoint, older: Checkpoint | None) -> None:
    """Every entry's bytes give its leaf, all leaves the signed root, and the first of them the older root."""
    leaves, size = parts.read(LEAVES), checkpoint.size
    whole, count = _counted(parts)
    if not whole or count != size or len(leaves) != size * HASH_BYTES:
        reason = f"holds {count} facts and {len(leaves) // HASH_BYTES} leaves, where the checkpoint signs {size}"
        raise ProofError("bundle", reason, ASK)
    if older is not None and older.size > size:
        reason = f"ends with {size} facts; the older checkpoint signs {older.size}"
        raise ProofError("bundle", reason, "keep both: facts were lost, or this is the older one")
    frontier = Frontier(0, lambda _level, _index: b"")
    for seq, line in enumerate(parts.lines(FACTS)):
        _check_older(frontier, older)
        leaf = leaf_hash(line)
        if leaf != leaves[seq * HASH_BYTES : (seq + 1) * HASH_BYTES]:
            raise ProofError(f"bundle, fact {seq},", "was altered: its bytes do not give its leaf hash", ASK)
        frontier.append(leaf)
    _check_older(frontier, older)
    if frontier.root() != checkpoint.root:
        raise ProofError("bundle", "does not lead to the signed root: facts were altered, added or left out", ASK)


def _counted(parts: Unpacked) -> tuple[bool, int]:
    """Whether the last fact ends with a newline, and how many there are."""
    count, last = 0, 0
    for line in parts.lines(FACTS):
        count, last = count + 1, last + len(line) + 1
    return last == parts.sizes[FACTS], count


def _check_older(frontier: Frontier, older: Checkpoint | None) -> None:
    if older is not None and frontier.size == older.size and frontier.root() != older.root:
        reason = f"was rewritten: its first {older.size} facts are not those of the older checkpoint"
        raise ProofError("bundle", reason, "keep both: together they are evidence against the book")


def _facts(parts: Unpacked, found: Evidence) -> Iterator[tuple[bytes, Fact]]:
    """Every entry with its fact, one at a time, in canonical form and each id once."""
    seen: set[str] = set()
    for seq, line in enumerate(parts.lines(FACTS)):
        try:
            fact = reread(line, parts.blob)
        except GongfenError as error:
            raise ProofError(f"bundle, fact {seq},", f"cannot be read: {error}", ASK) from None
        if fact.id in seen:
            raise ProofError(f"bundle, fact {seq},", f"has the id {fact.id} of an earlier fact", ASK)
        seen.add(fact.id)
        if isinstance(fact.body, Output) and parts.sizes.get(BLOBS + fact.body.sha256) not in (
            None,
            fact.body.size_bytes,
        ):
            reason = f"claims {fact.body.size_bytes} bytes of {parts.sizes[BLOBS + fact.body.sha256]}"
            raise ProofError(f"bundle, fact {seq},", reason, ASK)
        found.add(seq, fact)
        yield line, fact


def _check_proofs(parts: Unpacked, found: Evidence, checkpoint: Checkpoint) -> int:
    leaves = parts.read(LEAVES)
    proven: set[int] = set()
    last = -1
    for line in parts.lines(PROOFS):
        try:
            proof = msgspec.json.decode(line, type=_Proof)
            path = [bytes.fromhex(step) for step in proof.path]
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ProofError("bundle, proofs.jsonl,", f"cannot be read: {error}", ASK) from None
        if msgspec.json.encode(_Proof(path=tuple(step.hex() for step in path), seq=proof.seq)) != line:
            raise ProofError("bundle, proofs.jsonl,", "is not written as a proof is", ASK)
        if proof.seq <= last:
            raise ProofError("bundle, proofs.jsonl,", "is out of order", ASK)
        last = proof.seq
        leaf = leaves[proof.seq * HASH_BYTES : (proof.seq + 1) * HASH_BYTES]
        if not check_inclusion(leaf, proof.seq, checkpoint.size, path, checkpoint.root):
            raise ProofError(f"bundle, fact {proof.seq},", "has an inclusion proof that does not hold", ASK)
        proven.add(proof.seq)
    for seq in found.numbers():
        if seq not in proven:
            raise ProofError(f"bundle, fact {seq}{_kind(parts, seq)},", "has no inclusion proof", ASK)
    return len(proven)


def _kind(parts: Unpacked, seq: int) -> str:
    """The kind of a fact, in brackets, to name it by."""
    line = next(line for number, line in enumerate(parts.lines(FACTS)) if number == seq)
    return f" ({decode(line).kind})"


def _replayed(
    log: Iterable[tuple[bytes, Fact]], state: accounts.State, progress: Progress | None
) -> tuple[Settled, ...]:
    frontier = Frontier(0, lambda _level, _index: b"")
    again = Replay(state, ASK)
    for seq, (line, fact) in enumerate(log):
        again.book(seq, fact, frontier.root)
        frontier.append(leaf_hash(line))
        if progress:
            progress(seq + 1, 0)
    return again.finish()


def _check_blobs(parts: Unpacked) -> int:
    count = 0
    for name, found in parts.blobs():
        if name != found:
            raise ProofError(f"bundle, blobs/{name[:16]}…,", "is not what its hash says", ASK)
        count += 1
    return count


def _check_sums(parts: Unpacked) -> None:
    """No part was altered on its way: also those on which nothing rests, as README.txt."""
    said = parts.read(SUMS)
    if said == _sums_text(parts.sums):
        return
    due = set(_sums_text(parts.sums).splitlines())
    wrong = sorted(line.split(b"  ")[-1] for line in due.symmetric_difference(said.splitlines()))
    name = wrong[0].decode(errors="replace")[:60] if wrong else SUMS
    raise ProofError(f"bundle, {name},", f"is not what {SUMS} says", ASK)

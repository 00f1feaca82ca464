"""The audit bundle: a log with its proofs in one zip, that verifies far from the book that wrote it.

Inside: ``checkpoint`` (the signed note), ``facts.jsonl`` (canonical bytes, a fact a line, from number 0), ``leaves``
(their RFC 6962 hashes, 32 bytes each), ``proofs.jsonl`` (an inclusion proof for every fact that a settlement rests on),
``blobs/…`` (texts by hash), ``key`` (as the book claims it; check with the one that was published) and ``README.txt``.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import msgspec

from gongfen import accounts, shares
from gongfen.errors import GongfenError, ProofError
from gongfen.facts import Fact, checked, decode
from gongfen.facts.kinds import Output, Settlement
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.merkle import HASH_BYTES, Frontier, check_inclusion, inclusion_proof, leaf_hash, root, subtrees_of
from gongfen.proof.note import Verifier
from gongfen.reports.evidence import evidence

README = """An audit bundle of a Gongfen book. Verify it with:  gongfen verify FILE --key 'KEY THAT THE BOOK PUBLISHED'
It proves: these facts stand in the signed log, unaltered and complete; each settlement follows from them to the cent.
It does not prove: that the facts are true of the world, that nobody was shown another log, that money arrived.

这是工分账本的审计包。验证方法：gongfen verify 文件 --key '账本公布的公钥'
它证明：这些事实完整、未经改动地记在已签名的日志里；每次结算都可由它们重算到分。
它不证明：事实符合世界的实情；没有人见到另一份日志；款项已经到账。
"""
PARTS = ("README.txt", "checkpoint", "key", "facts.jsonl", "leaves", "proofs.jsonl")
MOST_BYTES = 1 << 30
ASK = "ask for a new bundle; do not trust this copy"

Progress = Callable[[int, int], None]


class _Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seq: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """One settlement that was recomputed."""

    settlement: str
    period: str
    currency: str
    total_micro: int
    makers: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds. A bundle that does not hold raises instead."""

    origin: str
    size: int
    root: str
    key: str
    key_from_bundle: bool
    """The key came with the bundle: it shows that the bundle agrees with itself, not whose it is."""
    proofs: int
    blobs: int
    settlements: tuple[Settled, ...]


def write_bundle(facts: Iterable[bytes], checkpoint: str, key: str, blobs: Iterable[bytes]) -> bytes:
    """The bundle of the first ``size`` facts, where ``checkpoint`` says the size. The same log gives the same bytes."""
    data = list(facts)
    leaves = [leaf_hash(entry) for entry in data]
    subtree = subtrees_of(leaves)
    proofs = [
        _Proof(seq=seq, path=tuple(step.hex() for step in inclusion_proof(seq, len(data), subtree)))
        for seq in evidence(enumerate(map(decode, data)))
    ]
    parts = {
        "README.txt": README.encode(),
        "checkpoint": checkpoint.encode(),
        "key": f"{key}\n".encode(),
        "facts.jsonl": b"".join(entry + b"\n" for entry in data),
        "leaves": b"".join(leaves),
        "proofs.jsonl": b"".join(msgspec.json.encode(proof, order="sorted") + b"\n" for proof in proofs),
        **{f"blobs/{sha256(blob).hexdigest()}": blob for blob in blobs},
    }
    return zipped(parts)


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip that depends on its contents alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The parts of a bundle; raises ProofError when the zip is damaged, foreign or hostile."""
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ProofError("bundle", "unpacks to more than 1 GiB", ASK)
            for entry in archive.infolist():
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ProofError(f"bundle, {entry.filename},", "is packed in a way that a bundle never is", ASK)
                if not entry.filename.startswith("blobs/") and entry.filename not in PARTS:
                    raise ProofError(f"bundle, {entry.filename[:60]!r},", "is no part of a bundle", ASK)
                if entry.filename in parts:
                    raise ProofError(f"bundle, {entry.filename},", "is there twice", ASK)
                parts[entry.filename] = _part(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise ProofError("bundle", f"is not a whole zip file: {error}", ASK) from None
    return parts


def _part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        content = archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ProofError(f"bundle, {entry.filename},", f"is damaged: {error}", ASK) from None
    if len(content) != entry.file_size:
        raise ProofError(f"bundle, {entry.filename},", "is damaged: its length is wrong", ASK)
    return content


def verify_bundle(data: bytes, verifier: Verifier | None, progress: Progress | None = None) -> Verdict:
    """Check everything in a bundle; raises ProofError naming what fails first, and where.

    Without ``verifier`` the key in the bundle is used, and the verdict says so.
    """
    parts = unzipped(data)
    for name in ("checkpoint", "key", "facts.jsonl", "leaves", "proofs.jsonl"):
        if name not in parts:
            raise ProofError(f"bundle, {name},", "is missing", ASK)
    key = verifier or Verifier.parse(_text(parts, "key"))
    checkpoint = open_checkpoint(_text(parts, "checkpoint"), key)
    log = _facts(parts, checkpoint)
    proofs = _check_proofs(parts["proofs.jsonl"], log, checkpoint)
    settlements = replay(log, accounts.state_in_memory(), progress)
    return Verdict(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        key=str(key),
        key_from_bundle=verifier is None,
        proofs=proofs,
        blobs=_check_blobs(parts, log),
        settlements=settlements,
    )


def _text(parts: dict[str, bytes], name: str) -> str:
    try:
        return parts[name].decode()
    except UnicodeDecodeError:
        raise ProofError(f"bundle, {name},", "is not text", ASK) from None


def _facts(parts: dict[str, bytes], checkpoint: Checkpoint) -> list[tuple[bytes, Fact]]:
    """Every fact, once its bytes lead to the signed root."""
    lines = parts["facts.jsonl"].split(b"\n")
    leaves = parts["leaves"]
    if lines.pop() or len(lines) != checkpoint.size or len(leaves) != checkpoint.size * HASH_BYTES:
        reason = f"holds {len(lines)} facts and {len(leaves) // HASH_BYTES} leaves, where the checkpoint signs"
        raise ProofError("bundle", f"{reason} {checkpoint.size}", ASK)
    hashes = [leaves[i : i + HASH_BYTES] for i in range(0, len(leaves), HASH_BYTES)]
    for seq, (line, leaf) in enumerate(zip(lines, hashes, strict=True)):
        if leaf_hash(line) != leaf:
            raise ProofError(f"bundle, fact {seq},", "was altered: its bytes do not give its leaf hash", ASK)
    if root(len(hashes), subtrees_of(hashes)) != checkpoint.root:
        raise ProofError("bundle", "does not lead to the signed root: facts were altered, added or left out", ASK)
    log = [(line, _fact(seq, line)) for seq, line in enumerate(lines)]
    seen: set[str] = set()
    for seq, (_, fact) in enumerate(log):
        if fact.id in seen:
            raise ProofError(f"bundle, fact {seq},", f"has the id {fact.id} of an earlier fact", ASK)
        seen.add(fact.id)
    return log


def _fact(seq: int, line: bytes) -> Fact:
    try:
        fact = decode(line)
        if checked(fact) != line:
            raise ProofError(f"bundle, fact {seq},", "is not in canonical form", ASK)
    except GongfenError as error:
        raise ProofError(f"bundle, fact {seq},", f"cannot be read: {error}", ASK) from None
    return fact


def _check_proofs(part: bytes, log: list[tuple[bytes, Fact]], checkpoint: Checkpoint) -> int:
    try:
        proofs = [msgspec.json.decode(line, type=_Proof) for line in part.splitlines()]
        paths = {proof.seq: [bytes.fromhex(step) for step in proof.path] for proof in proofs}
    except (msgspec.DecodeError, ValueError) as error:
        raise ProofError("bundle, proofs.jsonl,", f"cannot be read: {error}", ASK) from None
    if not all(a.seq < b.seq for a, b in pairwise(proofs)):
        raise ProofError("bundle, proofs.jsonl,", "is out of order", ASK)
    needed = evidence((seq, fact) for seq, (_, fact) in enumerate(log))
    for seq in needed:
        if seq not in paths:
            raise ProofError(f"bundle, fact {seq} ({log[seq][1].kind}),", "has no inclusion proof", ASK)
    for seq, path in paths.items():
        line = log[seq][0] if 0 <= seq < len(log) else b""
        if not check_inclusion(leaf_hash(line), seq, checkpoint.size, path, checkpoint.root):
            raise ProofError(f"bundle, fact {seq},", "has an inclusion proof that does not hold", ASK)
    return len(paths)


def replay(
    log: Iterable[tuple[bytes, Fact]],
    state: accounts.State,
    progress: Progress | None = None,
    booked: dict[int, list[accounts.Entry]] | None = None,
) -> tuple[Settled, ...]:
    """Book every fact again into an empty ``state``, into ``booked`` if it is given, and recompute every settlement.

    Raises ProofError naming the first fact that could not have been booked, or the settlement that does not follow.
    """
    frontier = Frontier(0, lambda _level, _index: b"")
    settled: list[Settled] = []
    for seq, (line, fact) in enumerate(log):
        body = fact.body
        if isinstance(body, Settlement):
            if body.size != seq or body.root != frontier.root().hex():
                thing = f"settlement {body.settlement}"
                raise ProofError(thing, "names a state of the log that is not the one before it", ASK)
            shares.check_settlement(state, body)
            settled.append(Settled(body.settlement, body.period, body.currency, body.total_micro, len(body.lines)))
        try:
            entries = accounts.book(state, fact, seq)
        except GongfenError as error:
            raise ProofError(f"fact {seq} ({fact.kind})", f"could not have been booked: {error}", ASK) from None
        if booked is not None:
            booked[seq] = entries
        for _ in frontier.append(leaf_hash(line)):
            pass
        if progress:
            progress(seq + 1, 0)
    given, held = accounts.conservation(state)
    if given != held:
        raise ProofError("the books", f"do not balance: {given} micro-SLH in, {held} at rest", ASK)
    return tuple(settled)


def _check_blobs(parts: dict[str, bytes], log: list[tuple[bytes, Fact]]) -> int:
    blobs = {name.removeprefix("blobs/"): content for name, content in parts.items() if name.startswith("blobs/")}
    for name, content in blobs.items():
        if sha256(content).hexdigest() != name:
            raise ProofError(f"bundle, blobs/{name[:16]}…,", "is not what its hash says", ASK)
    for seq, (_, fact) in enumerate(log):
        if isinstance(fact.body, Output) and fact.body.sha256 in blobs:
            size = len(blobs[fact.body.sha256])
            if size != fact.body.size_bytes:
                raise ProofError(f"bundle, fact {seq},", f"claims {fact.body.size_bytes} bytes of {size}", ASK)
    return len(blobs)

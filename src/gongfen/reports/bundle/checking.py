"""A bundle is verified: every byte, every proof, every signature asked for, and each settlement computed again."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from gongfen import accounts
from gongfen.errors import ForkError, GongfenError, ProofError
from gongfen.facts import Fact, decode, reread
from gongfen.facts.kinds import Correction, Output
from gongfen.progress import Progress
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from gongfen.proof.cosignature import Cosignature, WitnessVerifier, cosignatures, read_verifier
from gongfen.proof.merkle import HASH_BYTES, Frontier, check_inclusion, leaf_hash
from gongfen.proof.note import Note, NoteVerifier, read_note
from gongfen.proof.policy import CosignerVerifier, Policy
from gongfen.proof.witness import KEEP_BOTH
from gongfen.reports.bundle.evidence import Evidence
from gongfen.reports.bundle.parts import (
    ASK,
    BLOBS,
    FACTS,
    LEAVES,
    NEEDED,
    PROOFS,
    SMALL_VERIFIER,
    SUMS,
    Proof,
    small_verifier,
    sums_text,
)
from gongfen.reports.bundle.replay import Replay, Settled
from gongfen.reports.bundle.unpacking import Unpacked


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
    signed: int
    """Facts that makers have signed themselves."""
    flagged: int
    """Facts whose key had ended before them."""
    flagged_facts: tuple[int, ...]
    """Their numbers."""


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
    contradicted = _check_tree(parts, checkpoint, older)
    if older is not None and contradicted:
        reason = f"was rewritten: its first {older.size} facts are not those of the older checkpoint"
        raise ForkError("bundle", reason, KEEP_BOTH, since or "", parts.text("checkpoint"))
    blobs = _check_blobs(parts)
    found = Evidence()
    again = _replayed(_facts(parts, found), checkpoint.origin, _corrected(parts), progress)
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
        settlements=again.settlements,
        signed=again.signed,
        flagged=len(again.flagged),
        flagged_facts=again.flagged,
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
        check_witnesses(note, given)
        Policy.of((), given, min(len(given), 1))
        needed = len(given) if quorum is None else quorum
        seen = cosignatures(note, given)
        if len(seen) < needed:
            reason = f"was cosigned by {len(seen)} of {len(given)} witnesses; {needed} are asked for"
            missing = ", ".join(key.name for key in given if not note.signatures_of(key))
            raise ProofError("checkpoint", reason, f"ask for a bundle whose checkpoint these have cosigned: {missing}")
        return seen, len(given)
    if "witnesses" not in parts:
        return (), 0
    policy = Policy.parse(parts.text("witnesses"))
    return cosignatures(note, [one.verifier for one in policy.witnesses]), len(policy.witnesses)


def check_witnesses(note: Note, given: Sequence[CosignerVerifier]) -> None:
    """Raise ProofError when a log is named as a witness of itself: its own second key, say, which always signs."""
    origin = read_checkpoint(note.text).origin
    if any(key.name == origin for key in given):
        raise ProofError(f"witness {origin}", "is the log itself", "name those who watch it")


def _check_tree(parts: Unpacked, checkpoint: Checkpoint, older: Checkpoint | None) -> bool:
    """Every entry's bytes give its leaf, all leaves the signed root; whether the first of them contradict the older."""
    leaves, size = parts.read(LEAVES), checkpoint.size
    whole, count = _counted(parts)
    if not whole or count != size or len(leaves) != size * HASH_BYTES:
        reason = f"holds {count} facts and {len(leaves) // HASH_BYTES} leaves, where the checkpoint signs {size}"
        raise ProofError("bundle", reason, ASK)
    if older is not None and older.size > size:
        reason = f"ends with {size} facts; the older checkpoint signs {older.size}"
        raise ProofError("bundle", reason, "keep both: facts were lost, or this is the older one")
    frontier = Frontier(0, lambda _level, _index: b"")
    contradicted = _contradicts(frontier, older)
    for seq, line in enumerate(parts.lines(FACTS)):
        leaf = leaf_hash(line)
        if leaf != leaves[seq * HASH_BYTES : (seq + 1) * HASH_BYTES]:
            raise ProofError(f"bundle, fact {seq},", "was altered: its bytes do not give its leaf hash", ASK)
        frontier.append(leaf)
        contradicted |= _contradicts(frontier, older)
    if frontier.root() != checkpoint.root:
        raise ProofError("bundle", "does not lead to the signed root: facts were altered, added or left out", ASK)
    return contradicted


def _counted(parts: Unpacked) -> tuple[bool, int]:
    """Whether the last fact ends with a newline, and how many there are."""
    count, last = 0, 0
    for line in parts.lines(FACTS):
        count, last = count + 1, last + len(line) + 1
    return last == parts.sizes[FACTS], count


def _contradicts(frontier: Frontier, older: Checkpoint | None) -> bool:
    return older is not None and frontier.size == older.size and frontier.root() != older.root


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
            proof = msgspec.json.decode(line, type=Proof)
            path = [bytes.fromhex(step) for step in proof.path]
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise ProofError("bundle, proofs.jsonl,", f"cannot be read: {error}", ASK) from None
        if msgspec.json.encode(Proof(path=tuple(step.hex() for step in path), seq=proof.seq)) != line:
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


def _corrected(parts: Unpacked) -> frozenset[str]:
    """The ids of the facts that later ones take back."""
    found = set[str]()
    for line in parts.lines(FACTS):
        if b'"kind":"correction"' in line:
            with suppress(GongfenError):  # what cannot be read is reported where all are read
                body = decode(line).body
                if isinstance(body, Correction):
                    found.add(body.fact)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Replayed:
    """What came out when every fact was booked again: settlements, signed facts, and the numbers of flagged ones."""

    settlements: tuple[Settled, ...]
    signed: int
    flagged: tuple[int, ...]


def _replayed(
    log: Iterable[tuple[bytes, Fact]], origin: str, corrected: frozenset[str], progress: Progress | None
) -> _Replayed:
    frontier = Frontier(0, lambda _level, _index: b"")
    earlier: dict[str, tuple[int, Fact]] = {}
    state, signed = accounts.state_in_memory(origin, earlier.get), 0
    again = Replay(state, ASK)
    for seq, (line, fact) in enumerate(log):
        again.book(seq, fact, frontier.root)
        signed += fact.signed is not None
        frontier.append(leaf_hash(line))
        if fact.id in corrected:
            earlier[fact.id] = (seq, fact)
        if progress:
            progress(seq + 1, 0)
    return _Replayed(again.finish(), signed, tuple(int(seq) for seq, _ in state.flags.prefixed("")))


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
    if said == sums_text(parts.sums):
        return
    due = set(sums_text(parts.sums).splitlines())
    wrong = sorted(line.split(b"  ")[-1] for line in due.symmetric_difference(said.splitlines()))
    name = wrong[0].decode(errors="replace")[:60] if wrong else SUMS
    raise ProofError(f"bundle, {name},", f"is not what {SUMS} says", ASK)

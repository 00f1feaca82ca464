"""Whether a book agrees with itself: every byte, hash, signature, settlement and answer.

The log is read once. What is read is hashed, decoded and booked again into answers of its own, in a temporary place;
then both sets of answers are compared row by row. Memory does not grow with the log.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gongfen import accounts
from gongfen.book.proving.witnessing import kept_policy
from gongfen.book.recording import people
from gongfen.book.recording.record import KEPT_TOGETHER, TOGETHER, Record
from gongfen.errors import BookPlaceError, DamagedBookError, ForkError, GongfenError, ProofError
from gongfen.facts import Elsewhere, Fact, reread, reread_together
from gongfen.facts.references import references
from gongfen.progress import Progress
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import cosignatures
from gongfen.proof.merkle import Frontier, leaf_hash, root
from gongfen.proof.note import FETCH_AGAIN, read_note
from gongfen.proof.policy import CosignerVerifier, LogVerifier
from gongfen.proof.witness import KEEP_BOTH
from gongfen.reports.bundle.replay import Replay, Settled
from gongfen.storage import Entry, Views, create_store
from gongfen.storage.connection import BACKUP
from gongfen.storage.tree import TILE

_numbers = msgspec.msgpack.Decoder(list[int])
REMEDY = "throw the answers away and make them again: gongfen log rebuild"


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds of a book. One that does not hold raises instead."""

    origin: str
    size: int
    root: str
    checkpoints: int
    """Signed checkpoints that were checked; ``cosigned``: how many of them are kept with cosignatures of witnesses."""
    cosigned: int
    since: int | None
    """How many facts the older checkpoint signs that this log was compared with; ``None``: it was with none."""
    waiting: tuple[str, ...]
    """Makers of whom details wait that the log does not commit to."""
    settlements: tuple[Settled, ...]
    signed: int
    """Facts that makers have signed themselves."""
    flagged: int
    """Facts whose key had ended."""
    key_from_book: bool
    """The key came from the book itself: it shows that the book agrees with itself, not whose it is."""


def verify_record(
    record: Record,
    verifiers: Sequence[LogVerifier] = (),
    since: str | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Check a whole book; raises DamagedBookError or ProofError naming the first thing that does not agree.

    ``verifiers``: the keys to check with, else the book's own. ``since``: an older signed checkpoint, of which this log
    must be an extension: it finds a log that was cut short or rewritten and signed again. Raises ForkError, with both
    heads, when the book agrees with itself and both heads cannot be true.
    """
    store, keys = record.store, tuple(verifiers) or record.verifiers
    if flaws := store.flaws():
        raise DamagedBookError(str(record.path), f"is a damaged database: {flaws[0]}", BACKUP)
    if not verifiers:
        record.own_key.check()
    for key in keys:
        if key.name != record.origin:
            reason = f"calls itself {record.origin}, but its key is of {key.name}"
            raise DamagedBookError(str(record.path), reason, BACKUP)
    for name in store.blob_names():
        record.blob(name)
    with record.reading(), TemporaryDirectory(prefix="gongfen-verify-") as place:
        signed, cosigned = list(_signed(record, keys)), list(_cosigned(record, keys))
        older = None if since is None else _Older(record, since, keys)
        again = _Again(Path(place), record)
        try:
            log = read_log(record, [*signed, *cosigned], again.book, progress)
            if log.size and not any(checkpoint.size == log.size for checkpoint in signed):
                raise DamagedBookError(str(record.path), "holds facts that no checkpoint signs", BACKUP)
            if older is not None:
                older.check(log.size)
            settlements = again.finish()
            _compare(record, again)
            if gaps := store.unguarded():
                raise DamagedBookError(str(record.path), f"is open to changes: {gaps[0]}", BACKUP)
            waiting = people.check_details(record)
            flagged = sum(1 for _ in again.state.flags.prefixed(""))
        finally:
            again.store.close()
    return Verified(
        origin=record.origin,
        size=log.size,
        root=log.root().hex(),
        checkpoints=len(signed) + len(cosigned) + (older is not None),
        cosigned=len(cosigned),
        since=older.head.size if older else None,
        waiting=waiting,
        settlements=settlements,
        signed=again.signed,
        flagged=flagged,
        key_from_book=not verifiers,
    )


# -- checkpoints -------------------------------------------------------------------------------------------------------


def _signed(record: Record, keys: Sequence[LogVerifier]) -> Iterator[Checkpoint]:
    """Every kept checkpoint; each signs the size under which it is kept."""
    for size, note in record.store.checkpoints():
        yield _filed(record, f"checkpoint of {size} facts,", size, note, keys)


def _cosigned(record: Record, keys: Sequence[LogVerifier]) -> Iterator[Checkpoint]:
    """Every checkpoint that was kept with cosignatures; those of witnesses that the book's policy knows hold.

    Witnesses that were in an earlier policy only cannot be asked for their keys: their lines are passed over.
    """
    policy = kept_policy(record)
    known = tuple(witness.verifier for witness in policy.witnesses) if policy else ()
    ours = {(key.name, key.key_id) for key in (*keys, *record.verifiers)}
    for size, note in record.store.all_cosigned():
        what = f"cosigned checkpoint of {size} facts,"
        checkpoint = _filed(record, what, size, note, keys, known)
        if all((line.name, line.key_id) in ours for line in read_note(note).lines):
            raise DamagedBookError(f"{record.path}, {what}", "has lost its cosignatures", BACKUP)
        yield checkpoint


def _filed(
    record: Record,
    what: str,
    size: int,
    note: str,
    keys: Sequence[LogVerifier],
    witnesses: Sequence[CosignerVerifier] = (),
) -> Checkpoint:
    """A kept head whose signatures hold, and which signs the size under which it is kept. It is named by its row."""
    thing = f"{record.path}, {what}"
    try:
        checkpoint = open_checkpoint(note, *keys)
        cosignatures(read_note(note), witnesses)
    except ProofError as error:
        if error.remedy == FETCH_AGAIN or set(keys) <= set(record.verifiers):
            raise DamagedBookError(thing, error.reason, BACKUP) from None
        raise ProofError(thing, error.reason, error.remedy) from None  # it may be the key that is another's
    if checkpoint.size != size:
        raise DamagedBookError(thing, f"signs {checkpoint.size} facts", BACKUP)
    return checkpoint


class _Older:
    """A head that somebody has kept, held against the log once this has shown that it leads to its own signed head."""

    def __init__(self, record: Record, note: str, keys: Sequence[LogVerifier]) -> None:
        self.head = open_checkpoint(note, *keys)
        self._note = note
        self._record = record

    def check(self, size: int) -> None:
        """Raises DamagedBookError when the log has become shorter, and ForkError when it became another."""
        record, head = self._record, self.head
        if head.size > size:
            reason = f"has lost facts: {head.size} were signed, {size} are there"
            raise DamagedBookError(str(record.path), reason, "keep both: see who set it back, or cut it")
        if root(head.size, record.tree.subtree) != head.root:
            reason = f"has signed {size} facts that do not begin with the {head.size} of the older checkpoint"
            raise ForkError(f"the log {record.origin}", reason, KEEP_BOTH, self._note, record.checkpoint())


# -- the log -----------------------------------------------------------------------------------------------------------

Each = Callable[[int, Fact, Callable[[], bytes]], None]
"""What is done with a fact: its number, itself, and how to get the root of the log before it."""


def read_log(
    record: Record, signed: Iterable[Checkpoint], each: Each | None = None, progress: Progress | None = None
) -> Frontier:
    """Hash and parse every entry, and hold the tree against every kept hash and signed checkpoint."""
    place, store = str(record.path), record.store
    frontier = Frontier(0, record.tree.subtree)
    waiting = sorted(signed, key=lambda checkpoint: checkpoint.size, reverse=True)
    size, leaves = 0, list[bytes]()

    def grow() -> bytes:
        for level, index, found in frontier.extend(leaves, TILE):
            if store.hashes(level, index, 1) != [found]:
                thing = f"{place}, tree level {level}, hash {index},"
                raise DamagedBookError(thing, "is not what its leaves give", BACKUP)
        leaves.clear()
        return frontier.root()

    total = store.size()
    for entry, fact in _read_entries(record, place):
        if entry.seq != size:
            raise DamagedBookError(f"{place}, fact {size},", "is missing", BACKUP)
        if each:
            each(size, fact, grow)
        leaves.append(entry.leaf)
        size += 1
        while waiting and waiting[-1].size <= size:
            checkpoint = waiting.pop()
            if checkpoint.size == size and checkpoint.root != grow():
                reason = "does not have the root that its checkpoint signs"
                raise DamagedBookError(f"{place}, log of {size} facts,", reason, BACKUP)
        if progress and not size % 1_000:
            progress(size, total)
    grow()
    if waiting:
        reason = f"has lost facts: {waiting[-1].size} were signed, {size} are there"
        raise DamagedBookError(place, reason, BACKUP)
    return frontier


def _read_entries(record: Record, place: str) -> Iterator[tuple[Entry, Fact]]:
    """Every entry with its fact: many at once, and one by one where something is not as it should be."""
    entries = record.store.entries()
    while part := list(islice(entries, TOGETHER)):
        try:
            hashed = [sha256(b"\x00" + entry.data).digest() for entry in part]
        except TypeError:  # a damaged row may hold anything
            hashed = []
        facts = reread_together([entry.data for entry in part]) if hashed == [entry.leaf for entry in part] else None
        if facts is not None and [fact.id for fact in facts] == [entry.fact_id for entry in part]:
            yield from zip(part, facts, strict=True)
        else:
            yield from ((entry, _read_entry(record, place, entry)) for entry in part)


def _read_entry(record: Record, place: str, entry: Entry) -> Fact:
    if not isinstance(entry.data, bytes) or leaf_hash(entry.data) != entry.leaf:
        thing = f"{place}, fact {entry.seq},"
        raise DamagedBookError(thing, "was altered: its bytes do not give its leaf hash", BACKUP)
    try:
        fact = reread(entry.data, record.blob)
    except BookPlaceError:
        raise  # the place is away: that says nothing about the fact
    except GongfenError as error:
        raise DamagedBookError(f"{place}, fact {entry.seq},", f"cannot be read: {error}", BACKUP) from None
    if isinstance(fact.body, Elsewhere):
        thing = f"{place}, fact {entry.seq},"
        raise DamagedBookError(thing, "is known by its hash only: its body is lost", "restore the body's bytes")
    if fact.id != entry.fact_id:
        raise DamagedBookError(f"{place}, fact {entry.seq},", "is filed under another id", BACKUP)
    return fact


# -- the answers -------------------------------------------------------------------------------------------------------


class _Again:
    """The answers, made a second time from what was read."""

    def __init__(self, place: Path, record: Record) -> None:
        self._record = record
        self.store = create_store(place / "again.db", {"origin": record.origin})
        self.views = Views(self.store)
        self.state = accounts.state_in(self.views.table, record.origin, self._said)
        self.replay = Replay(self.state, BACKUP)
        self.signed = 0

    def book(self, seq: int, fact: Fact, root: Callable[[], bytes]) -> None:
        """Book a fact, and index what it booked. Raises ProofError where it could not have been booked."""
        self.signed += fact.signed is not None
        entries = self.replay.book(seq, fact, root)
        self.views.note(seq, references(fact), tuple(entries))
        if self.views.pending >= KEPT_TOGETHER:
            self.keep()

    def _said(self, fact_id: str) -> tuple[int, Fact] | None:
        """What a correction takes back: among the facts that were booked already."""
        seq = self._record.find(fact_id)
        return None if seq is None or seq >= self.views.seen else (seq, self._record.fact(seq))

    def keep(self) -> None:
        """Put aside what lies in memory."""
        with self.store.writing():
            self.views.keep()

    def finish(self) -> tuple[Settled, ...]:
        """The settlements, once the books balance."""
        self.keep()
        return self.replay.finish()


def _compare(record: Record, again: _Again) -> None:
    """The answers that are kept ready are those that the facts give."""
    for name in accounts.TABLES:
        kept, due = (getattr(state, name).prefixed("") for state in (record.state, again.state))
        _same(record, f"view {name}", kept, due)
    _same(record, "index", record.views.all_touches(), again.views.all_touches())
    _same(record, "postings", record.views.all_bookings(), again.views.all_bookings())
    for name in record.store.view_names():
        if name not in accounts.TABLES:
            raise DamagedBookError(f"{record.path}, view {name[:60]},", "is none of a book's", REMEDY)
    for name, first, seqs in record.store.touches():
        if _numbers.decode(seqs)[:1] != [first]:
            thing = f"{record.path}, index, {name[:60]}, from fact {first} on,"
            raise DamagedBookError(thing, "is filed under another number", REMEDY)


def _same(
    record: Record, what: str, kept: Iterator[tuple[object, object]], due: Iterator[tuple[object, object]]
) -> None:
    for ours, theirs in zip_longest(kept, due):
        if ours != theirs:
            key = min(str(row[0]) for row in (ours, theirs) if row)
            raise DamagedBookError(f"{record.path}, {what}, {key},", "is not what the facts give", REMEDY)

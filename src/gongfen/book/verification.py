"""Whether a book agrees with itself: every byte, hash, signature, settlement and answer."""

from dataclasses import dataclass

from gongfen import accounts
from gongfen.book.recording import Progress, Record
from gongfen.errors import DamagedBookError, GongfenError
from gongfen.facts import Fact, checked, decode
from gongfen.facts.references import references
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.merkle import Frontier, leaf_hash
from gongfen.proof.note import Verifier
from gongfen.reports.bundle import Settled, replay
from gongfen.storage.connection import BACKUP
from gongfen.storage.sqlite import TILE


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds of a book. One that does not hold raises instead."""

    origin: str
    size: int
    root: str
    checkpoints: int
    settlements: tuple[Settled, ...]


def verify_record(
    record: Record, verifier: Verifier | None = None, since: str | None = None, progress: Progress | None = None
) -> Verified:
    """Check a whole book; raises DamagedBookError or ProofError naming the first thing that does not agree.

    ``verifier``: the key to check with, else the book's own. ``since``: an older signed checkpoint, of which this log
    must be an extension: it finds a log that was cut short or rewritten and signed again.
    """
    store, key = record.store, verifier or record.verifier
    if flaws := store.flaws():
        raise DamagedBookError(str(record.path), f"is a damaged database: {flaws[0]}", BACKUP)
    if key.name != record.origin:
        raise DamagedBookError(str(record.path), f"calls itself {record.origin}, but its key is of {key.name}", BACKUP)
    for name in store.blob_names():
        store.blob(name)
    signed = [open_checkpoint(note, key) for _, note in store.checkpoints()]
    if since is not None:
        signed.append(open_checkpoint(since, key))
    log, found = _read_log(record, sorted(signed, key=lambda checkpoint: checkpoint.size))
    if log and not any(checkpoint.size == len(log) for checkpoint in signed):
        raise DamagedBookError(str(record.path), "holds facts that no checkpoint signs", BACKUP)
    state = accounts.state_in_memory()
    booked: dict[int, list[accounts.Entry]] = {}
    settlements = replay(log, state, progress, booked)
    _compare_views(record, [fact for _, fact in log], state)
    _compare_postings(record, booked)
    return Verified(record.origin, len(log), found.hex(), len(signed), settlements)


def _read_log(record: Record, signed: list[Checkpoint]) -> tuple[list[tuple[bytes, Fact]], bytes]:
    place, store = str(record.path), record.store
    log: list[tuple[bytes, Fact]] = []
    frontier = Frontier(0, store.subtree)
    nodes: dict[tuple[int, int], bytes] = {}
    waiting = list(signed)
    for seq, fact_id, leaf, data in store.leaves():
        if seq != len(log):
            raise DamagedBookError(f"{place}, fact {len(log)},", "is missing", BACKUP)
        fact = _read_fact(place, seq, fact_id, leaf, data)
        log.append((data, fact))
        for level, index, found in frontier.append(leaf):
            if level and level % TILE == 0:
                nodes[level, index] = found
        while waiting and waiting[0].size <= seq + 1:
            checkpoint = waiting.pop(0)
            if checkpoint.size == seq + 1 and checkpoint.root != frontier.root():
                reason = "does not have the root that its checkpoint signs"
                raise DamagedBookError(f"{place}, log of {seq + 1} facts,", reason, BACKUP)
    if waiting:
        reason = f"has lost facts: {waiting[0].size} were signed, {len(log)} are there"
        raise DamagedBookError(place, reason, BACKUP)
    for (level, index), found in nodes.items():
        if store.subtree(level, index) != found:
            raise DamagedBookError(f"{place}, tree level {level}, hash {index},", "is not what its leaves give", BACKUP)
    return log, frontier.root()


def _read_fact(place: str, seq: int, fact_id: str, leaf: bytes, data: bytes) -> Fact:
    if leaf_hash(data) != leaf:
        raise DamagedBookError(f"{place}, fact {seq},", "was altered: its bytes do not give its leaf hash", BACKUP)
    try:
        fact = decode(data)
        same = checked(fact) == data
    except GongfenError as error:
        raise DamagedBookError(f"{place}, fact {seq},", f"cannot be read: {error}", BACKUP) from None
    if not same or fact.id != fact_id:
        raise DamagedBookError(f"{place}, fact {seq},", "is not in canonical form, or filed under another id", BACKUP)
    return fact


def _compare_views(record: Record, log: list[Fact], state: accounts.State) -> None:
    """The answers that are kept ready are those that the facts give."""
    touched: dict[str, list[int]] = {}
    for seq, fact in enumerate(log):
        for ref in references(fact):
            touched.setdefault(ref, []).append(seq)
    remedy = "throw the answers away and make them again: gongfen log rebuild"
    for name in accounts.TABLES:
        kept = dict(getattr(record.state, name).prefixed(""))
        due = dict(getattr(state, name).prefixed(""))
        if kept != due:
            wrong = min(key for key in {*kept, *due} if kept.get(key) != due.get(key))
            raise DamagedBookError(f"{record.path}, view {name}, {wrong},", "is not what the facts give", remedy)
    for ref, seqs in touched.items():
        if record.store.touching(ref) != seqs:
            raise DamagedBookError(f"{record.path}, index of {ref},", "is not what the facts give", remedy)
    if record.store.touches() != sum(map(len, touched.values())):
        raise DamagedBookError(f"{record.path}, index,", "holds more than the facts give", remedy)


def _compare_postings(record: Record, booked: dict[int, list[accounts.Entry]]) -> None:
    """The kept postings are what the facts book."""
    due = [
        (seq, entry.why, posting.account, posting.unit, posting.amount)
        for seq, entries in booked.items()
        for entry in entries
        for posting in entry.postings
    ]
    kept = [(seq, why, account, unit, amount) for seq, _, account, unit, amount, why in record.store.all_postings()]
    if due != kept:
        remedy = "throw the answers away and make them again: gongfen log rebuild"
        raise DamagedBookError(f"{record.path}, the postings,", "are not what the facts give", remedy)

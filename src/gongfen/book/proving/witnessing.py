"""The book asks its witnesses to cosign, and keeps what they answered; and the policy that says how many are enough.

All are asked at once, each within limits of time. A witness says which size it saw last (its answer 409), so the proof
that the log has only grown since begins there. One that saw another history shows that this log has been told twice.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from gongfen.book.proving.fetching import Answer, ask, check_address
from gongfen.book.proving.mirroring import Head, compare, head_of
from gongfen.book.proving.witness import log_name, read_witness_key
from gongfen.book.recording.record import Record
from gongfen.errors import DamagedBookError, ForkError, InputError, MissingAssumptionError, ProofError, UnreachableError
from gongfen.proof.checkpoint import open_checkpoint, read_checkpoint
from gongfen.proof.cosignature import Cosignature, cosignatures
from gongfen.proof.merkle import consistency_proof
from gongfen.proof.note import MOST_BYTES, Note, SignatureLine, read_note
from gongfen.proof.policy import NO_QUORUM, Group, Log, LogVerifier, Policy, Witness
from gongfen.proof.witness import CONFLICT, UNPROCESSABLE, Request, read_conflict, take_cosignatures, two_roots

POLICY = "policy"
"""The name of the policy among the book's settings."""
STALL_S = 10
LONGEST_S = 20
AT_ONCE = 16
ROUNDS = 4
"""Questions to one witness: its size, the head; once more if another head came in between."""
SET_POLICY = "name witnesses: gongfen log policy --witness 'NAME KEY URL' --quorum N"


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What one witness of the policy answered."""

    name: str
    url: str
    answer: Literal["cosigned", "refused", "not reached"]
    at: str = ""
    """When it cosigned, UTC to the second, by its own clock."""
    reason: str = ""
    """Why it did not."""
    head: str = ""
    """Its own head of this log, when that says more than the reason."""


@dataclass(frozen=True, slots=True)
class WitnessedHead:
    """The newest checkpoint after all witnesses were asked."""

    size: int
    root: str
    answers: tuple[WitnessAnswer, ...]
    holds: bool
    """Whether the policy holds, with cosignatures from now or from before."""
    missing: tuple[str, ...]
    """Witnesses whose cosignature is not there, by their names in the policy."""
    note: str
    """The checkpoint with all cosignatures, as it is kept."""
    newer: tuple[str, ...]
    """Signed heads of more entries than the book has, each once, as witnesses know them: it was set back, or forked."""


# -- the policy --------------------------------------------------------------------------------------------------------


def policy_of(record: Record) -> Policy:
    """The book's policy; raises MissingAssumptionError when it has none, DamagedBookError when it cannot be read."""
    if (found := kept_policy(record)) is None:
        raise MissingAssumptionError("the policy of witnesses", "is not set in this book", SET_POLICY)
    return found


def kept_policy(record: Record) -> Policy | None:
    """The book's policy, ``None`` when it has none; raises DamagedBookError when it is none of this book's."""
    text = record.store.meta(POLICY)
    if text is None:
        return None
    thing = f"{record.path}, the policy of witnesses,"
    try:
        policy = Policy.parse(text)
    except ProofError as error:
        raise DamagedBookError(thing, f"cannot be read: {error.thing} {error.reason}", SET_POLICY) from None
    if not _names(policy, record):
        raise DamagedBookError(thing, "does not name the book's log with its key", SET_POLICY)
    return policy


def _names(policy: Policy, record: Record) -> bool:
    return bool(set(record.verifiers) & {log.verifier for log in policy.logs})


def set_policy(record: Record, policy: Policy) -> None:
    """Keep a policy with the book; raises ProofError unless it names this book's log by a key that signs for it."""
    if not _names(policy, record):
        reason = f"does not name the log {record.origin} with its key"
        raise ProofError("policy", reason, "add the line: log KEY, with what `gongfen log key` prints")
    for witness in policy.witnesses:
        if witness.url:
            check_address(witness.url)
    with record.store.writing():
        record.store.put_meta(POLICY, str(policy))


def policy_of_witnesses(record: Record, lines: Sequence[str], quorum: int) -> Policy:
    """``quorum`` of the witnesses in ``lines``, "NAME KEY URL" or "NAME KEY" each; raises ProofError or InputError."""
    witnesses: list[Witness] = []
    for line in lines:
        words = line.split()
        if not 2 <= len(words) <= 3:
            raise InputError(f"witness {line[:60]!r}", "is not NAME KEY URL", "quote the three words together")
        witnesses.append(Witness(words[0], read_witness_key(words[1]), "".join(words[2:])))
    if not 0 <= quorum <= len(witnesses):
        reason = f"asks for {quorum} of {len(witnesses)} witnesses"
        raise ProofError("policy", reason, "name at least as many witnesses as must cosign")
    groups = (Group("quorum", quorum, tuple(one.name for one in witnesses)),) if quorum else ()
    logs = tuple(map(Log, record.verifiers))
    # Reading it again checks all the rules of c2sp.org/tlog-policy.
    return Policy.parse(str(Policy(logs, tuple(witnesses), groups, "quorum" if quorum else NO_QUORUM)))


# -- asking ------------------------------------------------------------------------------------------------------------


def ask_witnesses(record: Record) -> WitnessedHead:
    """Ask all witnesses of the book's policy to cosign its newest checkpoint, and keep what holds.

    Raises ForkError, with both heads, when one of them has cosigned another history of this log, or two of them have
    cosigned two; then nothing is kept.
    MissingAssumptionError without a policy; BookPlaceError in an empty book.
    """
    policy = policy_of(record)
    head = head_of(record)
    talks = [_Talk(record, head, witness) for witness in policy.witnesses]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for _ in range(ROUNDS):
            waiting = [talk for talk in talks if talk.found is None]
            # Proofs are read from the book here, for its connection belongs to this thread; the others only wait.
            questions = [talk.question() for talk in waiting]
            for talk, answer in zip(waiting, pool.map(_asked, waiting, questions), strict=True):
                talk.take(answer)
    answers = tuple(talk.outcome() for talk in talks)
    newer = _newer(answers, head)
    note = _kept(record, head, [line for talk in talks for line in talk.lines])
    opened = read_note(note)
    missing = tuple(one.name for one in policy.witnesses if not cosignatures(opened, (one.verifier,)))
    return WitnessedHead(
        head.checkpoint.size, head.checkpoint.root.hex(), answers, _holds(policy, note), missing, note, newer
    )  # fmt: skip


class _Talk:
    """A conversation with one witness: questions and answers until it has cosigned, or will not."""

    def __init__(self, record: Record, head: Head, witness: Witness) -> None:
        self.witness = witness
        self.found: WitnessAnswer | None = None
        self.lines: tuple[SignatureLine, ...] = ()
        self._record = record
        self._head = head
        self._old = _cosigned_before(record, witness)
        if not witness.url:
            self._end("not reached", "the policy has no address for it")

    def question(self) -> str:
        """The next request: the head, and the proof that the log has grown out of the size that the witness knows."""
        size = self._head.checkpoint.size
        proof = consistency_proof(self._old, size, self._record.tree.subtree)
        return Request(self._old, tuple(proof), self._head.note).text()

    def take(self, answer: Answer | UnreachableError) -> None:
        """Understand an answer. Raises ForkError when it shows another history of this log."""
        if isinstance(answer, UnreachableError):
            self._end("not reached", answer.reason)
            return
        text = answer.body.decode(errors="replace")
        try:
            if answer.status == 200:
                self._cosigned(text)
            elif answer.status == CONFLICT:
                self._conflict(read_conflict(text))
            elif answer.status == UNPROCESSABLE and self._old:
                self._suspect(_first_line(text))
            else:
                self._end("refused", f"{answer.status} {_first_line(text)}".strip())
        except ForkError:
            raise
        except ProofError as error:
            self._end("refused", f"{error.thing} {error.reason}")

    def outcome(self) -> WitnessAnswer:
        """What it came to."""
        if self.found is None:
            self._end("refused", "it says another size each time")
        assert self.found is not None, "just ended"
        return self.found

    def _cosigned(self, text: str) -> None:
        taken = read_note(take_cosignatures(self._head.note, text, (self.witness.verifier,)))
        time = cosignatures(Note(taken.text, taken.lines), (self.witness.verifier,))[0].time_s
        key = self.witness.verifier.name, self.witness.verifier.key_id
        self.lines = tuple(line for line in taken.lines if (line.name, line.key_id) == key)[-1:]
        self.found = WitnessAnswer(self.witness.name, self.witness.url, "cosigned", _instant(time))

    def _conflict(self, knows: int) -> None:
        size = self._head.checkpoint.size
        if knows > size:
            self._suspect(
                f"it has seen {knows} entries of this log, which has {size}: the book was set back, or copied"
            )
        elif knows == self._old == size:
            self._suspect(f"it knows another root for {knows} entries")
        elif knows == self._old:
            self._end("refused", f"it asks for a proof from {knows} entries on, and does not take the one that it got")
        else:
            self._old = knows

    def _suspect(self, reason: str) -> None:
        """The witness knows a head that ours does not grow out of: see which. Raises ForkError when both are signed."""
        head = self._its_head()
        if not head:
            self._end("refused", f"{reason}; it does not show its head")
            return
        keys = self._signed_by(head)
        if open_checkpoint(head, *keys).size <= self._head.checkpoint.size:
            compare((head,), keys, self._head, self._record.tree.subtree)
        self._end("refused", reason, head)

    def _signed_by(self, note: str) -> tuple[LogVerifier, ...]:
        """Those of the book's keys that signed; a witness keeps the signatures of the keys that it knows."""
        opened = read_note(note)
        return tuple(key for key in self._record.verifiers if opened.signatures_of(key))

    def _its_head(self) -> str:
        """The head of this log that a witness of our make shows; empty when it shows none that the book signed."""
        address = f"{self.witness.url.rstrip('/')}/checkpoint/{log_name(self._record.origin)}"
        try:
            answer = ask(address, MOST_BYTES, stall_s=STALL_S, longest_s=LONGEST_S)
            note = answer.body.decode()
            open_checkpoint(note, *(self._signed_by(note) or self._record.verifiers))
        except (UnreachableError, UnicodeDecodeError, ProofError):
            return ""
        return note

    def _end(self, answer: Literal["refused", "not reached"], reason: str, head: str = "") -> None:
        self.found = WitnessAnswer(self.witness.name, self.witness.url, answer, "", reason, head)


def _asked(talk: _Talk, question: str) -> Answer | UnreachableError:
    try:
        address = f"{check_address(talk.witness.url)}/add-checkpoint"
        return ask(address, MOST_BYTES, question.encode(), stall_s=STALL_S, longest_s=LONGEST_S)
    except UnreachableError as error:
        return error
    except InputError as error:
        return UnreachableError(error.thing, error.reason, error.remedy)


def _cosigned_before(record: Record, witness: Witness) -> int:
    """The size that a witness cosigned last, as far as the book knows; it will say if it knows another."""
    kept = record.store.cosigned()
    if kept is None or not cosignatures(read_note(kept), (witness.verifier,)):
        return 0
    return open_checkpoint(kept, *record.verifiers).size


def _kept(record: Record, head: Head, lines: Sequence[SignatureLine]) -> str:
    """The checkpoint with new cosignatures, each in the place of an older one of the same witness, kept in the book."""
    if not lines:
        return head.note
    with record.store.writing():
        there = record.store.cosigned()
        opened = read_note(head.note)
        before = read_note(there) if there else opened
        ours = {(line.name, line.key_id): line for line in opened.lines}
        if before.text == opened.text:
            ours |= {(line.name, line.key_id): line for line in before.lines}
        ours |= {(line.name, line.key_id): line for line in lines}
        note = str(Note(opened.text, tuple(ours.values())))
        record.store.keep_cosigned(head.checkpoint.size, note)
    return note


def _newer(answers: Sequence[WitnessAnswer], head: Head) -> tuple[str, ...]:
    """The heads that are of more entries than ours; raises ForkError when two of them cannot both be true."""
    found: dict[int, tuple[bytes, str]] = {}
    for note in (one.head for one in answers if one.head):
        seen = read_checkpoint(read_note(note).text)
        if seen.size > head.checkpoint.size:
            root, other = found.setdefault(seen.size, (seen.root, note))
            if root != seen.root:
                raise two_roots(seen, other, note)
    return tuple(note for _, (_, note) in sorted(found.items()))


def _holds(policy: Policy, note: str) -> bool:
    try:
        policy.check(note)
    except ProofError:
        return False
    return True


def _instant(time_s: int) -> str:
    """UTC to the second; as the bare number where no calendar reaches."""
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return str(time_s)


def _first_line(text: str) -> str:
    """What a witness says, as one line that is safe to print."""
    line = text.strip().partition("\n")[0][:200]
    return "".join(c if c.isprintable() else "?" for c in line)


def cosigned_at(seen: Cosignature) -> str:
    """When a witness cosigned, UTC to the second."""
    return _instant(seen.time_s)

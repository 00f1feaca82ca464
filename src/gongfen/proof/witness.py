"""What a witness decides when a log shows it a new head, and what it takes to prove that a log told two stories.

Format: c2sp.org/tlog-witness, "add-checkpoint". A log sends ``old <size>``, the proof that its tree only grew since,
an empty line and its signed checkpoint. The witness answers with its cosignature, or says why not. Everything here
is given and decides; keeping state, and keeping it in one transaction with the answer, is for the caller.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gongfen.errors import ForkError, ProofError
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, read_hash, read_number
from gongfen.proof.merkle import EMPTY_ROOT, check_consistency
from gongfen.proof.note import (
    NoteVerifier,
    add_signatures,
    encoded_length,
    read_note,
    read_signature_lines,
)

MOST_BYTES = (1 << 20) + (1 << 12)
"""A note of 1 MiB, and 63 hashes before it."""
MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 400, 403, 404, 409, 422
CORRECT = "correct the request; its form is c2sp.org/tlog-witness"
KEEP_BOTH = "keep both signed checkpoints and show them to others; trust nothing of this log until it is explained"


@dataclass(frozen=True, slots=True)
class Request:
    """A log's request to cosign ``note``: since ``old`` leaves its tree only grew, as ``proof`` shows."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """The body of the request (c2sp.org/tlog-witness, "add-checkpoint")."""
        return "\n".join([f"old {self.old}", *(b64encode(one).decode() for one in self.proof), "", self.note])


@dataclass(frozen=True, slots=True)
class Known:
    """What a witness holds about one log: its keys, and the last head that it cosigned (none: 0 leaves).

    ``note`` is that head as the log signed it; it is the other half of the evidence if the log forks.
    """

    verifiers: tuple[NoteVerifier, ...]
    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The head may be cosigned, once it is kept as the last one: ``note`` as sent, ``checkpoint`` what it says."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The head is not cosigned: an HTTP ``status`` and the ``reason``; 409 says the ``size`` that the witness knows.

    ``fork`` is there when the log signed two roots for one size.
    """

    status: int
    reason: str
    size: int | None = None
    fork: ForkError | None = None

    def body(self) -> str:
        """The body of the answer."""
        return f"{self.reason}\n" if self.size is None else f"{self.size}\n"

    def content_type(self) -> str:
        """The media type of the answer."""
        return TEXT_TYPE if self.size is None else SIZE_TYPE


def read_request(text: str) -> Request:
    """The parts of a request of at most 1 MiB and 63 hashes; raises ProofError when it is malformed.

    Its checkpoint is well formed; who signed it, and whether the tree grew, is for ``consider``.
    """
    thing = "request"
    if encoded_length(text) > MOST_BYTES:
        raise ProofError(thing, "is longer than 1 MiB, or not Unicode text", CORRECT)
    head, empty, note = text.partition("\n\n")
    first, *hashes = head.split("\n")
    if not empty or not first.startswith("old "):
        raise ProofError(thing, "does not begin with the old size, or has no checkpoint", CORRECT)
    old = read_number(first.removeprefix("old "), thing)
    if len(hashes) > MOST_HASHES:
        raise ProofError(thing, f"has more than {MOST_HASHES} hashes", CORRECT)
    proof = tuple(read_hash(one, thing) for one in hashes)
    read_checkpoint(read_note(note).text)
    return Request(old, proof, note)


def consider(text: str, look_up: Callable[[str], Known | None]) -> Accepted | Refusal:
    """What a witness answers to the body of a request.

    ``look_up(origin)`` gives what is known of a log, or None. The order of the checks is the specification's: the form
    (400), the log (404), its signature (403), old size above new (400), old size not the known one (409), the proof
    (422); one size with two roots is a conflict (409). Never raises, whatever the text.
    """
    try:
        request = read_request(text)
    except ProofError as error:
        return Refusal(BAD_REQUEST, str(error))
    opened = read_note(request.note)
    checkpoint = read_checkpoint(opened.text)
    known = look_up(checkpoint.origin)
    if known is None or not known.verifiers:
        return Refusal(NOT_FOUND, "this witness does not know the log")
    try:
        signed = [one for one in known.verifiers if opened.signatures_of(one)]
    except ProofError as error:
        return Refusal(FORBIDDEN, str(error))
    if not signed:
        return Refusal(FORBIDDEN, "no key that this witness knows signed the checkpoint")
    return _grown(request, checkpoint, known)


def _grown(request: Request, checkpoint: Checkpoint, known: Known) -> Accepted | Refusal:
    """The answer to a validly signed checkpoint of a known log."""
    if request.old > checkpoint.size:
        return Refusal(BAD_REQUEST, "the old size is larger than the checkpoint's")
    if request.old != known.size:
        return Refusal(CONFLICT, "the old size is not that of the last cosigned checkpoint", known.size)
    if request.old == 0:
        # Before the first leaf there is nothing to be consistent with, but an empty tree has one root only.
        fits = not request.proof and (checkpoint.size > 0 or checkpoint.root == EMPTY_ROOT)
    elif checkpoint.size == known.size and checkpoint.root != known.root:
        fork = two_roots(checkpoint, known.note, request.note) if known.note else None
        return Refusal(CONFLICT, "the log signed another root for this size", known.size, fork)
    else:
        fits = check_consistency(known.size, checkpoint.size, request.proof, known.root, checkpoint.root)
    if not fits:
        return Refusal(UNPROCESSABLE, "the consistency proof does not hold")
    return Accepted(checkpoint, request.note)


def read_conflict(body: str) -> int:
    """The size that a witness knows, from its answer 409; raises ProofError when there is none."""
    return read_number(body.removesuffix("\n") if body.endswith("\n") else "", "witness's answer")


def take_cosignatures(note: str, answer: str, witnesses: Iterable[NoteVerifier]) -> str:
    """The note with those lines of a witness's ``answer`` that hold under the keys of trusted ``witnesses``.

    Lines of other keys are left out. Raises ProofError when the answer is malformed, when a line of a trusted key is
    false, or when there is no line of one.
    """
    thing, remedy = "witness's answer", "ask the witness again, and check its key"
    if encoded_length(answer) > MOST_BYTES:
        raise ProofError(thing, "is longer than 1 MiB, or not Unicode text", remedy)
    text, lines = read_note(note).text, read_signature_lines(answer)
    keys = {(one.name, one.key_id): one for one in witnesses}
    ours = [line for line in lines if (line.name, line.key_id) in keys]
    if not ours:
        raise ProofError(thing, "holds no cosignature of a trusted witness", remedy)
    for line in ours:
        if not keys[line.name, line.key_id].check(text, line.signature):
            raise ProofError(thing, f"holds a false cosignature of {line.name}", remedy)
    return add_signatures(note, ours)


def one_history(
    first: str,
    second: str,
    verifiers: Sequence[NoteVerifier],
    proof: Sequence[bytes] | None = None,
    origin: str | None = None,
) -> Checkpoint:
    """The later of two signed heads of one log, when nothing shows that the log told two stories.

    Both must be signed by all the ``verifiers``. Raises ForkError, with both notes as evidence, when they have one size
    and two roots: that needs no trust in anybody. With ``proof``, the hashes by which the larger tree shows that it
    begins with the smaller (``merkle.consistency_proof`` over the larger tree's own tiles), also when these fail; that
    is evidence as good as the tiles, so keep them. Raises ProofError when a note does not hold.
    """
    one = open_checkpoint(first, *verifiers, origin=origin)
    two = open_checkpoint(second, *verifiers, origin=origin)
    if one.size == two.size:
        if one.root != two.root:
            raise two_roots(one, first, second)
        return two
    older, newer = sorted((one, two), key=lambda head: head.size)
    if proof is not None and not check_consistency(older.size, newer.size, proof, older.root, newer.root):
        reason = f"has signed {newer.size} entries that do not begin with the {older.size} it signed before"
        raise ForkError(f"the log {newer.origin}", reason, KEEP_BOTH, first, second)
    return newer


def two_roots(head: Checkpoint, first: str, second: str) -> ForkError:
    """The error for two validly signed notes of one size and two roots."""
    reason = f"has signed two roots for {head.size} entries"
    return ForkError(f"the log {head.origin}", reason, KEEP_BOTH, first, second)

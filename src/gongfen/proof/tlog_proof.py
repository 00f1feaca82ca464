"""A receipt in one text file: this entry is number so-and-so of that signed log. Checked offline, without asking us.

Format: c2sp.org/tlog-proof (version 1). Such files end in ``.tlog-proof``.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint, read_checkpoint, read_hash, read_number
from gongfen.proof.merkle import check_inclusion, leaf_hash
from gongfen.proof.note import FETCH_AGAIN, NoteVerifier, encoded_length, read_base64, read_note
from gongfen.proof.policy import Policy, Witnessed

HEADER = "c2sp.org/tlog-proof@v1"
MOST_BYTES = 1 << 20
MOST_HASHES = 63
"""No tree below 2^63 leaves has a longer path."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Entry ``index`` (from 0) is in the tree of the signed checkpoint ``note``; ``path`` leads from it to the root.

    ``extra`` is the application's own, and nobody vouches for it.
    """

    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes = b""

    def text(self) -> str:
        """The file (c2sp.org/tlog-proof, "Format")."""
        extra = [f"extra {b64encode(self.extra).decode()}"] if self.extra else []
        hashes = (b64encode(one).decode() for one in self.path)
        return "\n".join([HEADER, *extra, f"index {self.index}", *hashes, "", self.note])

    def check(self, entry: bytes, policy: Policy) -> Witnessed:
        """The checkpoint and its witnesses, when ``policy`` accepts it and ``entry`` is in its tree.

        Raises ProofError otherwise.
        """
        witnessed = policy.check(self.note)
        self._check_path(entry, witnessed.checkpoint)
        return witnessed

    def check_signed(self, entry: bytes, verifiers: Iterable[NoteVerifier]) -> Checkpoint:
        """The checkpoint, when all the ``verifiers`` signed it and ``entry`` is in its tree; no witness is asked for.

        Raises ProofError otherwise.
        """
        checkpoint = open_checkpoint(self.note, *verifiers)
        self._check_path(entry, checkpoint)
        return checkpoint

    def _check_path(self, entry: bytes, checkpoint: Checkpoint) -> None:
        if not check_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root):
            reason = f"does not show that the entry is number {self.index} of {checkpoint.origin}"
            raise ProofError("log proof", reason, "ask the log for a new one, and check that the entry is unaltered")


def read_proof(text: str) -> TlogProof:
    """The parts of a proof file of at most 1 MiB and 63 hashes; raises ProofError when it is malformed.

    Its checkpoint is well formed; who signed it, and whether the entry is in it, is for ``check``.
    """
    thing = "log proof"
    if encoded_length(text) > MOST_BYTES:
        raise ProofError(thing, "is longer than 1 MiB, or not Unicode text", FETCH_AGAIN)
    head, empty, note = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not empty:
        raise ProofError(thing, f"does not begin with {HEADER}, or has no checkpoint", FETCH_AGAIN)
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = read_base64(lines.pop(0).removeprefix("extra "), thing, FETCH_AGAIN)
        if not extra:
            raise ProofError(thing, "has an empty line of extra data", FETCH_AGAIN)
    if not lines or not lines[0].startswith("index "):
        raise ProofError(thing, "does not say which entry it is about", FETCH_AGAIN)
    index = read_number(lines.pop(0).removeprefix("index "), thing)
    if len(lines) > MOST_HASHES:
        raise ProofError(thing, f"has more than {MOST_HASHES} hashes", FETCH_AGAIN)
    path = tuple(read_hash(line, thing) for line in lines)
    read_checkpoint(read_note(note).text)
    return TlogProof(index, path, note, extra)

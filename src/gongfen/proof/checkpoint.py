"""A log's state in one signed line of three: whose log, how many leaves, which root.

Format: c2sp.org/tlog-checkpoint. The origin is also the name of the key that signs.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from gongfen.errors import ProofError
from gongfen.proof.merkle import HASH_BYTES
from gongfen.proof.note import Signer, Verifier, open_note

ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``size`` leaves have the Merkle root ``root`` (32 bytes) in the log called ``origin``."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text: origin, size, base64 root (c2sp.org/tlog-checkpoint, "Note text")."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    def sign(self, signer: Signer) -> str:
        """The signed checkpoint."""
        assert signer.name == self.origin, "a log signs under its own origin"
        return signer.sign(self.text())


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text; raises ProofError when it is malformed."""
    remedy = "fetch it again from its source; do not trust this copy"
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise ProofError("checkpoint", "does not have the lines origin, size and root", remedy)
    origin, size, encoded = lines[:3]
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", size, re.ASCII):
        raise ProofError("checkpoint", f"has the size {size[:20]!r}", remedy)
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}=", encoded, re.ASCII):
        raise ProofError("checkpoint", "has a root that is not 32 bytes in base64", remedy)
    root = b64decode(encoded)
    if len(root) != HASH_BYTES or b64encode(root).decode() != encoded:
        raise ProofError("checkpoint", "has a root that is not in canonical base64", remedy)
    return Checkpoint(origin, int(size), root)


def open_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint of a note signed by ``verifier``; raises ProofError when anything does not fit."""
    checkpoint = read_checkpoint(open_note(note, verifier))
    if checkpoint.origin != verifier.name:
        raise ProofError(
            "checkpoint",
            f"is of the log {checkpoint.origin}, not of {verifier.name}",
            "ask for the right log",
        )
    return checkpoint

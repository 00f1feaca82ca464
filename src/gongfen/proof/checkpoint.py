"""A log's state in one signed line of three: whose log, how many leaves, which root.

Format: c2sp.org/tlog-checkpoint. The origin is also the name of the keys that sign. A log may sign with several keys,
say Ed25519 for everybody's tools and ML-DSA-44 for the years to come; who opens it says which of them must hold.
"""

import re
from base64 import b64encode
from dataclasses import dataclass

from gongfen.errors import ProofError
from gongfen.proof.merkle import HASH_BYTES
from gongfen.proof.note import FETCH_AGAIN, NoteSigner, NoteVerifier, open_note, read_base64, sign_note

ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
"""A size or an index: no sign, no leading zero, below 10^18 and so below 2^63."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``size`` leaves have the Merkle root ``root`` (32 bytes) in the log called ``origin``.

    ``extensions`` are further lines that a log may add; they are kept as they are and mean nothing here.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note text: origin, size, base64 root, extensions (c2sp.org/tlog-checkpoint, "Note text")."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, *signers: NoteSigner) -> str:
        """The checkpoint, signed by every signer in turn, all of them under the log's origin."""
        assert all(signer.name == self.origin for signer in signers), "a log signs under its own origin"
        return sign_note(self.text(), signers)


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text; raises ProofError when it is malformed."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise ProofError("checkpoint", "does not have the lines origin, size and root", FETCH_AGAIN)
    origin, size, encoded, *extensions = lines[:-1]
    return Checkpoint(origin, read_number(size, "checkpoint"), read_hash(encoded, "checkpoint"), tuple(extensions))


def open_checkpoint(note: str, *verifiers: NoteVerifier, origin: str | None = None) -> Checkpoint:
    """The checkpoint of a note that all the ``verifiers`` have signed; raises ProofError when anything does not fit.

    The log's origin must be the name of the keys; for the few logs whose keys have another name, give ``origin``
    (c2sp.org/tlog-checkpoint, "Signatures": the key name SHOULD match the origin line).
    """
    checkpoint = read_checkpoint(open_note(note, *verifiers))
    for expected in {verifier.name for verifier in verifiers} if origin is None else {origin}:
        if checkpoint.origin != expected:
            reason = f"is of the log {checkpoint.origin}, not of {expected}"
            raise ProofError("checkpoint", reason, "ask for the right log")
    return checkpoint


def read_number(text: str, thing: str) -> int:
    """A decimal number below 10^18 without leading zeros; raises ProofError about ``thing``."""
    if not NUMBER.fullmatch(text):
        raise ProofError(thing, f"has the number {text[:20]!r}", FETCH_AGAIN)
    return int(text)


def read_hash(text: str, thing: str) -> bytes:
    """A SHA-256 hash, 32 bytes in canonical base64; raises ProofError about ``thing``."""
    found = read_base64(text, thing, FETCH_AGAIN) if len(text) == 44 else b""
    if len(found) != HASH_BYTES:
        raise ProofError(thing, "has a hash that is not 32 bytes in base64", FETCH_AGAIN)
    return found

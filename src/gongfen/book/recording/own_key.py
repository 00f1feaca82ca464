"""The book's own key, with which every checkpoint is signed: made with the book, and looked at before it signs."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from gongfen.book.files import write_secret
from gongfen.errors import BookPlaceError, ProofError
from gongfen.proof.cosignature import MLDSA44Signer, WitnessVerifier, read_log_signer, read_verifier
from gongfen.proof.note import NoteSigner, Signer
from gongfen.proof.policy import LogVerifier

ELSEWHERE = "keep it safe elsewhere, or choose another place"


class OwnKey:
    """The key in a file, which must be that of a book: of its name ``origin``, and of its public keys."""

    def __init__(self, path: Path, origin: str, verifiers: Callable[[], tuple[LogVerifier, ...]]) -> None:
        self._path = path
        self._place = str(path)
        self._origin = origin
        self._verifiers = verifiers
        self._read: tuple[tuple[int, int, int], tuple[NoteSigner, ...]] | None = None
        """What the file looked like when it was last read, and what was in it."""

    def signers(self) -> tuple[NoteSigner, ...]:
        """The key. Its file is looked at every time, and read when it is another than before.

        Raises BookPlaceError when it is not there, cannot be read, or is that of another book.
        """
        try:
            found = os.stat(self._place)  # noqa: PTH116 - for every fact that is written alone
        except OSError:
            remedy = "restore it from its backup; without it, only read"
            raise BookPlaceError(f"the key {self._place}", "is not there", remedy) from None
        looks = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._read is None or self._read[0] != looks:
            self._read = (looks, self._signers())
        return self._read[1]

    def check(self) -> None:
        """Raise BookPlaceError if a key lies there that is another than the book names."""
        if os.access(self._path, os.R_OK):
            self.signers()

    def _signers(self) -> tuple[NoteSigner, ...]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            remedy = "check its rights, or restore it from its backup"
            raise BookPlaceError(f"the key {self._place}", f"cannot be read: {error}", remedy) from None
        signers = tuple(read_log_signer(line) for line in text.splitlines())
        if tuple(signer.verifier for signer in signers) != self._verifiers():
            reason = f"is not the key of {self._origin}"
            raise BookPlaceError(f"the key {self._place}", reason, "restore it from its backup")
        return signers


def draw_own_key(origin: str, *, post_quantum: bool) -> list[NoteSigner]:
    """A new key of a book: Ed25519; with ``post_quantum`` a second one, ML-DSA-44."""
    signers: list[NoteSigner] = [Signer(origin, os.urandom(32))]
    if post_quantum:
        signers.append(MLDSA44Signer(origin, os.urandom(32)))
    return signers


def keep_own_key(path: Path, signers: Sequence[NoteSigner]) -> None:
    """Write a new key. Raises BookPlaceError when one is there, be it made this moment, or it cannot be written."""
    if not path.parent.is_dir():
        raise BookPlaceError(str(path.parent), "is not a folder", "make it first, or choose another place")
    write_secret(path, "".join(f"{signer}\n" for signer in signers), ELSEWHERE, f"the key {path}")


def read_log_keys(text: str) -> tuple[LogVerifier, ...]:
    """A log's public keys, a line each; raises ProofError when one is malformed, or none is there."""
    keys = tuple(read_verifier(line) for line in text.split("\n") if line)
    logs = tuple(key for key in keys if not isinstance(key, WitnessVerifier))
    if len(logs) != len(keys) or not logs:
        remedy = "ask the book's owner for what `gongfen log key` prints"
        raise ProofError("the book's key", "is missing, or is a witness's", remedy)
    return logs

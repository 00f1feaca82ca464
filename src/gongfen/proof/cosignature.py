"""Who else saw this checkpoint, and when: timestamped signatures of witnesses, and of logs that use ML-DSA-44.

Format: c2sp.org/tlog-cosignature. Two kinds, both of ``timestamp (8 bytes, big-endian) ‖ signature``:

- 0x04, Ed25519 ``cosignature/v1``, for witnesses: signs the time and the whole text of the checkpoint;
- 0x06, ML-DSA-44 (FIPS 204) ``subtree/v1``, for witnesses and for logs: signs its own name, the time, origin, size
  and root. It does not sign extension lines, so here it neither signs nor holds for a checkpoint that has some.

There is no plain ML-DSA-44 note signature: c2sp.org/tlog-checkpoint ("Signatures") lets a log sign with 0x06. A log
says nothing about the time, so it signs with the timestamp 0, as the specification allows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import read_checkpoint
from gongfen.proof.merkle import EMPTY_ROOT
from gongfen.proof.note import (
    ASK_FOR_KEY,
    ED25519_BYTES,
    RESTORE_KEY,
    Note,
    NoteSigner,
    NoteVerifier,
    SignatureLine,
    Signer,
    Verifier,
    check_ed25519,
    ed25519_public,
    key_id,
    read_note,
    read_signer_key,
    read_verifier_key,
    sign_ed25519,
    write_signer_key,
    write_verifier_key,
)

ED25519_COSIGNATURE = b"\x04"
MLDSA44 = b"\x06"
MLDSA44_PUBLIC_BYTES = 1312
SEED_BYTES = 32
TIME_BYTES = 8
LATEST_S = (1 << 63) - 1
SUBTREE_LABEL = b"subtree/v1\n\x00"


class Cosigner(Protocol):
    """A private key that states a time with its signature."""

    @property
    def name(self) -> str:
        """Its name in signature lines."""

    @property
    def verifier(self) -> NoteVerifier:
        """The public half."""

    def cosignature(self, text: str, time_s: int) -> bytes:
        """Timestamp and signature of a checkpoint's ``text``, at ``time_s`` seconds since 1970 (POSIX)."""


@dataclass(frozen=True, slots=True)
class WitnessVerifier:
    """The public key of a witness, kind 0x04: 32 bytes of Ed25519."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Its four bytes in signature lines."""
        return key_id(self.name, self.public, ED25519_COSIGNATURE)

    def __str__(self) -> str:
        """The verifier key, ``name+id+base64``."""
        return write_verifier_key(self.name, self.public, ED25519_COSIGNATURE)

    @classmethod
    def parse(cls, text: str) -> "WitnessVerifier":
        """Read a verifier key; raises ProofError when it is malformed, of another kind, or its id does not fit."""
        name, kind, public = read_verifier_key(text)
        if kind != ED25519_COSIGNATURE or len(public) != ED25519_BYTES:
            raise ProofError("verifier key", "is not an Ed25519 witness's key", ASK_FOR_KEY)
        return cls(name, public)

    def check(self, text: str, signature: bytes) -> bool:
        """Whether this witness cosigned the checkpoint in ``text`` at the time in ``signature``."""
        try:
            message = _cosignature_v1(text, timestamp(signature))
        except ProofError:
            return False
        return check_ed25519(self.public, message, signature[TIME_BYTES:])


@dataclass(frozen=True, slots=True)
class WitnessSigner:
    """The private key of a witness, kind 0x04. The same seed must serve no other witness and no log."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> WitnessVerifier:
        """The public half."""
        return WitnessVerifier(self.name, ed25519_public(self.seed))

    def __repr__(self) -> str:
        return f"WitnessSigner({self.name!r}, seed kept secret)"

    def __str__(self) -> str:
        """The signer key, ``PRIVATE+KEY+name+id+base64``. Keep it secret."""
        return write_signer_key(self.name, self.verifier.public, self.seed, ED25519_COSIGNATURE)

    @classmethod
    def parse(cls, text: str) -> "WitnessSigner":
        """Read a signer key; raises ProofError when it is malformed, of another kind, or its id does not fit."""
        name, hint, kind, seed = read_signer_key(text)
        if kind != ED25519_COSIGNATURE or len(seed) != SEED_BYTES:
            raise ProofError("signer key", "is not an Ed25519 witness's key", RESTORE_KEY)
        signer = cls(name, seed)
        _must_fit(signer.verifier, hint)
        return signer

    def cosignature(self, text: str, time_s: int) -> bytes:
        """Timestamp and signature, 72 bytes, of a checkpoint's ``text`` at ``time_s``; raises ProofError otherwise."""
        message = _cosignature_v1(text, time_s)
        return time_s.to_bytes(TIME_BYTES, "big") + sign_ed25519(self.seed, message)


@dataclass(frozen=True, slots=True)
class MLDSA44Verifier:
    """A public ML-DSA-44 key, kind 0x06, of a log or a witness: 1,312 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Its four bytes in signature lines."""
        return key_id(self.name, self.public, MLDSA44)

    def __str__(self) -> str:
        """The verifier key, ``name+id+base64``; about 1,800 characters."""
        return write_verifier_key(self.name, self.public, MLDSA44)

    @classmethod
    def parse(cls, text: str) -> "MLDSA44Verifier":
        """Read a verifier key; raises ProofError when it is malformed, of another kind, or its id does not fit."""
        name, kind, public = read_verifier_key(text)
        if kind != MLDSA44 or len(public) != MLDSA44_PUBLIC_BYTES:
            raise ProofError("verifier key", "is not an ML-DSA-44 key", ASK_FOR_KEY)
        return cls(name, public)

    def check(self, text: str, signature: bytes) -> bool:
        """Whether this key signed the checkpoint in ``text``, which has no extension lines, at the time stated."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415

        try:
            message = _subtree_v1(self.name, text, timestamp(signature))
            MLDSA44PublicKey.from_public_bytes(self.public).verify(signature[TIME_BYTES:], message)
        except (ProofError, InvalidSignature):
            return False
        return True


@dataclass(frozen=True, slots=True)
class MLDSA44Signer:
    """A private ML-DSA-44 key, kind 0x06, of a log or a witness: a seed of 32 bytes.

    Each signature is another one: they are made with fresh chance (FIPS 204, "hedged").
    """

    name: str
    seed: bytes

    @property
    def verifier(self) -> MLDSA44Verifier:
        """The public half."""
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415

        key = MLDSA44PrivateKey.from_seed_bytes(self.seed)
        return MLDSA44Verifier(self.name, key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"MLDSA44Signer({self.name!r}, seed kept secret)"

    def __str__(self) -> str:
        """The signer key, ``PRIVATE+KEY+name+id+base64``. Keep it secret."""
        return write_signer_key(self.name, self.verifier.public, self.seed, MLDSA44)

    @classmethod
    def parse(cls, text: str) -> "MLDSA44Signer":
        """Read a signer key; raises ProofError when it is malformed, of another kind, or its id does not fit."""
        name, hint, kind, seed = read_signer_key(text)
        if kind != MLDSA44 or len(seed) != SEED_BYTES:
            raise ProofError("signer key", "is not an ML-DSA-44 key", RESTORE_KEY)
        signer = cls(name, seed)
        _must_fit(signer.verifier, hint)
        return signer

    def signature(self, text: str) -> bytes:
        """A log's signature of its own checkpoint: the timestamp 0 and 2,420 bytes. Raises ProofError otherwise."""
        return self.cosignature(text, 0)

    def cosignature(self, text: str, time_s: int) -> bytes:
        """Timestamp and signature, 2,428 bytes, of a checkpoint's ``text`` at ``time_s``; raises ProofError otherwise.

        ``time_s`` is in seconds since 1970 (POSIX); 0 says nothing about the time.
        """
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey  # noqa: PLC0415

        message = _subtree_v1(self.name, text, time_s)
        return time_s.to_bytes(TIME_BYTES, "big") + MLDSA44PrivateKey.from_seed_bytes(self.seed).sign(message)


def read_verifier(text: str) -> Verifier | WitnessVerifier | MLDSA44Verifier:
    """A verifier key of any of the three kinds; raises ProofError when it is malformed or of another kind."""
    kind = read_verifier_key(text)[1]
    if kind == ED25519_COSIGNATURE:
        return WitnessVerifier.parse(text)
    return MLDSA44Verifier.parse(text) if kind == MLDSA44 else Verifier.parse(text)


def read_log_signer(text: str) -> NoteSigner:
    """The key of a log, Ed25519 (0x01) or ML-DSA-44 (0x06); raises ProofError when malformed or of another kind."""
    return MLDSA44Signer.parse(text) if read_signer_key(text)[2] == MLDSA44 else Signer.parse(text)


def read_cosigner(text: str) -> Cosigner:
    """The key of a witness, Ed25519 (0x04) or ML-DSA-44 (0x06); raises ProofError when malformed or of another kind."""
    return MLDSA44Signer.parse(text) if read_signer_key(text)[2] == MLDSA44 else WitnessSigner.parse(text)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness saw this checkpoint at ``time_s``, seconds since 1970 (POSIX); 0 when it does not say when."""

    witness: str
    time_s: int


def cosign(note: str, cosigner: Cosigner, time_s: int) -> SignatureLine:
    """The line by which ``cosigner`` states that it saw the checkpoint at ``time_s`` (seconds since 1970, POSIX).

    The statement is that of c2sp.org/tlog-cosignature: the log has grown consistently up to here. Whether that is so,
    the witness has checked before (``witness.consider``). ``note.add_signatures`` adds the line to the note. Raises
    ProofError when the note is no checkpoint.
    """
    text = read_note(note).text
    return SignatureLine(cosigner.name, cosigner.verifier.key_id, cosigner.cosignature(text, time_s))


def cosignatures(note: Note, witnesses: Iterable[NoteVerifier]) -> tuple[Cosignature, ...]:
    """Which of the trusted ``witnesses`` cosigned, each once with its latest time, in the order given.

    Lines of others are passed over. Raises ProofError when a line of a trusted witness is false.
    """
    times = ((one.name, [timestamp(signature) for signature in note.signatures_of(one)]) for one in witnesses)
    return tuple(Cosignature(name, max(found)) for name, found in times if found)


def timestamp(signature: bytes) -> int:
    """The time in a cosignature, in seconds since 1970 (POSIX); raises ProofError when it holds none."""
    found = int.from_bytes(signature[:TIME_BYTES], "big")
    if len(signature) <= TIME_BYTES or found > LATEST_S:
        raise ProofError("cosignature", "has no time", "ask the witness for another")
    return found


def _cosignature_v1(text: str, time_s: int) -> bytes:
    """What an Ed25519 witness signs (c2sp.org/tlog-cosignature, "Ed25519 signed message")."""
    assert 0 <= time_s <= LATEST_S, "a time is between 1970 and 2^63 seconds later"
    read_checkpoint(text)
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _subtree_v1(name: str, text: str, time_s: int) -> bytes:
    """What an ML-DSA-44 key signs (c2sp.org/tlog-cosignature, "ML-DSA-44 signed message"); raises ProofError."""
    assert 0 <= time_s <= LATEST_S, "a time is between 1970 and 2^63 seconds later"
    checkpoint = read_checkpoint(text)
    if checkpoint.extensions:
        raise ProofError("checkpoint", "has extension lines, which ML-DSA-44 does not sign", "leave them out")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise ProofError("checkpoint", "is empty but has a root of its own", "compute the root again")
    return b"".join(
        (
            SUBTREE_LABEL,
            _short(name, "cosigner's name"),
            time_s.to_bytes(TIME_BYTES, "big"),
            _short(checkpoint.origin, "log's origin"),
            bytes(8),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _short(text: str, thing: str) -> bytes:
    """One byte of length, then 1 to 255 bytes of UTF-8 (RFC 8446, 3.4)."""
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise ProofError(thing, f"has {len(data)} bytes, of 255 at most", "choose a shorter one")
    return bytes([len(data)]) + data


def _must_fit(verifier: NoteVerifier, hint: str) -> None:
    if verifier.key_id.hex() != hint:
        raise ProofError("signer key", "has an id that does not fit its name and bytes", RESTORE_KEY)

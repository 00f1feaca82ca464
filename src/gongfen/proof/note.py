"""C2SP signed notes: a text, an empty line, and signatures that other people's tools can check.

Format: c2sp.org/signed-note. Signature line ``— <name> <base64(key id ‖ signature)>``; key id = first four bytes of
``SHA-256(name ‖ 0x0A ‖ kind ‖ public key)``. The kind is one byte. This file knows what all kinds share, and the plain
Ed25519 kind (0x01), which signs the text itself. The kinds that sign checkpoints alone are in ``cosignature.py``.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from gongfen.errors import ProofError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = b"\x01"
ED25519_BYTES = 32
SIGNATURE_MARK = "— "
MOST_BYTES = 1 << 20
MOST_SIGNATURES = 100
MOST_KEY_CHARACTERS = 1 << 13
KEY_ID_BYTES = 4
NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
FETCH_AGAIN = "fetch it again from its source; do not trust this copy"
ASK_FOR_KEY = "ask the book's owner for the line that `gongfen log key` prints"
RESTORE_KEY = "restore the key file from its backup"


class NoteVerifier(Protocol):
    """A public key of any kind that can check a note's signature."""

    @property
    def name(self) -> str:
        """Its name in signature lines."""

    @property
    def key_id(self) -> bytes:
        """Its four bytes in signature lines."""

    def check(self, text: str, signature: bytes) -> bool:
        """Whether this key signed ``text``, which ends with a newline. Never raises."""


class NoteSigner(Protocol):
    """A private key of any kind that can sign a note."""

    @property
    def name(self) -> str:
        """Its name in signature lines."""

    @property
    def verifier(self) -> NoteVerifier:
        """The public half."""

    def signature(self, text: str) -> bytes:
        """The signature of ``text``, without the key id."""


def key_id(name: str, public: bytes, kind: bytes = ED25519) -> bytes:
    """Four bytes that help to find the key of a signature line (c2sp.org/signed-note, "Signatures")."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:KEY_ID_BYTES]


def write_verifier_key(name: str, public: bytes, kind: bytes) -> str:
    """A public key in one line, ``name+id+base64(kind ‖ public)`` (c2sp.org/signed-note, "Verifier keys")."""
    return f"{name}+{key_id(name, public, kind).hex()}+{b64encode(kind + public).decode()}"


def read_verifier_key(text: str) -> tuple[str, bytes, bytes]:
    """Name, kind (one byte) and public bytes of a verifier key; raises ProofError when malformed or its id is wrong."""
    # The base64 may hold "+" itself, so split from the left: a name never does.
    parts = text.strip().split("+", 2) if len(text) <= MOST_KEY_CHARACTERS else []
    if len(parts) != 3 or not NAME.fullmatch(parts[0]):
        raise ProofError("verifier key", "is not of the form name+id+base64", ASK_FOR_KEY)
    name, hint, encoded = parts
    raw = read_base64(encoded, "verifier key", ASK_FOR_KEY)
    if key_id(name, raw[1:], raw[:1]).hex() != hint:
        raise ProofError("verifier key", "has an id that does not fit its name and bytes", ASK_FOR_KEY)
    return name, raw[:1], raw[1:]


def write_signer_key(name: str, public: bytes, seed: bytes, kind: bytes) -> str:
    """A private key in one line, ``PRIVATE+KEY+name+id+base64(kind ‖ seed)``. Keep it secret."""
    return f"PRIVATE+KEY+{name}+{key_id(name, public, kind).hex()}+{b64encode(kind + seed).decode()}"


def read_signer_key(text: str) -> tuple[str, str, bytes, bytes]:
    """Name, id in hexadecimal, kind and seed of a signer key; raises ProofError when malformed."""
    parts = text.strip().split("+", 4) if len(text) <= MOST_KEY_CHARACTERS else []
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"] or not NAME.fullmatch(parts[2]):
        raise ProofError("signer key", "is not of the form PRIVATE+KEY+name+id+base64", RESTORE_KEY)
    raw = read_base64(parts[4], "signer key", RESTORE_KEY)
    return parts[2], parts[3], raw[:1], raw[1:]


def check_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of ``public`` (32 bytes) signed ``message`` (RFC 8032, Ed25519)."""
    # Loaded where it is used, here and below: opening a book to read takes no cryptography.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """The signature of ``message``, 64 bytes, always the same (RFC 8032, Ed25519)."""
    return _ed25519(seed).sign(message)


@lru_cache(maxsize=16)
def ed25519_public(seed: bytes) -> bytes:
    """The public key of a seed, 32 bytes (RFC 8032, Ed25519)."""
    return _ed25519(seed).public_key().public_bytes_raw()


@lru_cache(maxsize=16)
def _ed25519(seed: bytes) -> "Ed25519PrivateKey":
    # Kept: to make the key again costs as much as to sign with it, and a log signs every batch.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(seed)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public Ed25519 key (32 bytes) with its name: what an outsider must already hold to check anything."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Its four bytes in signature lines."""
        return key_id(self.name, self.public)

    def __str__(self) -> str:
        """The verifier key, ``name+id+base64``, as the Go checksum database writes it."""
        return write_verifier_key(self.name, self.public, ED25519)

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read a verifier key; raises ProofError when it is malformed, of another kind, or its id does not fit."""
        name, kind, public = read_verifier_key(text)
        if kind != ED25519 or len(public) != ED25519_BYTES:
            raise ProofError("verifier key", "is not an Ed25519 key", ASK_FOR_KEY)
        return cls(name, public)

    def check(self, text: str, signature: bytes) -> bool:
        """Whether this key signed ``text`` (c2sp.org/signed-note, "Ed25519 signatures")."""
        return check_ed25519(self.public, text.encode(), signature)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private Ed25519 key (a seed of 32 bytes) with its name. Its seed is the one secret of a book."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, ed25519_public(self.seed))

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, seed kept secret)"

    def __str__(self) -> str:
        """The signer key as the Go checksum database writes it. Keep it secret."""
        return write_signer_key(self.name, self.verifier.public, self.seed, ED25519)

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Read a signer key; raises ProofError when it is malformed, of another kind, or its id does not fit."""
        name, hint, kind, seed = read_signer_key(text)
        if kind != ED25519 or len(seed) != ED25519_BYTES:
            raise ProofError("signer key", "is not an Ed25519 key", RESTORE_KEY)
        signer = cls(name, seed)
        if signer.verifier.key_id.hex() != hint:
            raise ProofError("signer key", "has an id that does not fit its name and bytes", RESTORE_KEY)
        return signer

    def signature(self, text: str) -> bytes:
        """The signature of ``text``, 64 bytes (c2sp.org/signed-note, "Ed25519 signatures")."""
        return sign_ed25519(self.seed, text.encode())

    def sign(self, text: str) -> str:
        """The signed note of ``text``, which ends with a newline and holds no control characters."""
        return sign_note(text, (self,))


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line under a note. Nothing is checked yet: anybody can write one."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """The line with its newline (c2sp.org/signed-note, "Format")."""
        return f"{SIGNATURE_MARK}{self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A well-formed note. Its text means nothing until a trusted key holds for it."""

    text: str
    lines: tuple[SignatureLine, ...]

    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(map(str, self.lines))

    def signatures_of(self, verifier: NoteVerifier) -> list[bytes]:
        """The signatures of one key, each of which holds; empty when it did not sign.

        Lines of other keys are passed over, as c2sp.org/signed-note ("Signatures") asks, even if they share the name
        or the id. Raises ProofError when a line of this key is false.
        """
        key = verifier.name, verifier.key_id
        ours = [line.signature for line in self.lines if (line.name, line.key_id) == key]
        for signature in ours:
            if not verifier.check(self.text, signature):
                raise ProofError("signed note", f"carries a false signature of {verifier.name}", FETCH_AGAIN)
        return ours


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """The note of ``text``, signed by every signer in turn. The text ends with a newline and holds no control signs."""
    assert text.endswith("\n"), "a note's text ends with a newline"
    assert not CONTROL.search(text), "a note's text holds no control characters"
    assert signers, "a note has a signature"
    lines = (SignatureLine(one.name, one.verifier.key_id, one.signature(text)) for one in signers)
    return str(Note(text, tuple(lines)))


def open_note(note: str, *verifiers: NoteVerifier) -> str:
    """The text of a note that all the ``verifiers`` have signed (at least one is given).

    Lines of other keys are passed over; every line of our keys must hold. Raises ProofError.
    """
    assert verifiers, "a note is opened with a key"
    opened = read_note(note)
    for verifier in verifiers:
        if not opened.signatures_of(verifier):
            remedy = "check with the key that its owner published"
            raise ProofError("signed note", f"is not signed by {verifier}", remedy)
    return opened.text


def read_note(note: str) -> Note:
    """The parts of a note, of which no signature has been checked (c2sp.org/signed-note, "Format").

    At most 1 MiB and 100 signatures. Raises ProofError when it is malformed.
    """
    thing = "signed note"
    if encoded_length(note) > MOST_BYTES:
        raise ProofError(thing, "is longer than 1 MiB, or not Unicode text", FETCH_AGAIN)
    text, mark, signatures = note.rpartition("\n\n")
    if not mark or not signatures.endswith("\n"):
        raise ProofError(thing, "has no signature block", FETCH_AGAIN)
    if CONTROL.search(note):
        raise ProofError(thing, "holds control characters", FETCH_AGAIN)
    return Note(text + "\n", read_signature_lines(signatures))


def read_signature_lines(lines: str) -> tuple[SignatureLine, ...]:
    """One or more signature lines, each with its newline, at most 100; raises ProofError when one is malformed."""
    if not lines.endswith("\n") or lines.count("\n") > MOST_SIGNATURES:
        raise ProofError("signed note", f"has no signatures, or more than {MOST_SIGNATURES}", FETCH_AGAIN)
    return tuple(_signature_line(line) for line in lines[:-1].split("\n"))


def add_signatures(note: str, lines: Sequence[SignatureLine]) -> str:
    """The note with further signature lines at its end, each once; raises ProofError when it is malformed or too long.

    Whether the new lines hold is for their reader to check.
    """
    opened = read_note(note)
    longer = Note(opened.text, tuple(dict.fromkeys((*opened.lines, *lines))))
    read_note(str(longer))
    return str(longer)


def encoded_length(text: str) -> int:
    """Bytes in UTF-8; more than any limit here when the text is none (half of a surrogate pair)."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return MOST_BYTES + 1


def read_base64(text: str, thing: str, remedy: str) -> bytes:
    """The bytes of canonical base64 (RFC 4648, section 4); raises ProofError about ``thing``."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, ValueError):
        raise ProofError(thing, "is not in base64", remedy) from None
    if b64encode(raw).decode() != text:
        raise ProofError(thing, "is not in canonical base64", remedy)
    return raw


def _signature_line(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
    if not line.startswith(SIGNATURE_MARK) or not space or not NAME.fullmatch(name):
        raise ProofError("signed note", f"has a malformed signature line {line[:40]!r}", FETCH_AGAIN)
    blob = read_base64(encoded, "signed note", FETCH_AGAIN)
    if len(blob) <= KEY_ID_BYTES:
        raise ProofError("signed note", "has a signature that is too short", FETCH_AGAIN)
    return SignatureLine(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])

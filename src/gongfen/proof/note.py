"""C2SP signed notes: a text, an empty line, and signatures that other people's tools can check.

Format: c2sp.org/signed-note. Signature line ``— <name> <base64(key id ‖ signature)>``; key id = first four bytes of
``SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)`` for Ed25519 (algorithm byte 0x01).
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256

from gongfen.errors import ProofError

ED25519 = b"\x01"
SIGNATURE_MARK = "— "
MOST_BYTES = 1 << 20
KEY_ID_BYTES = 4


def key_id(name: str, public: bytes) -> bytes:
    """Four bytes that help to find the key of a signature line (c2sp.org/signed-note, "Signature types")."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name: what an outsider must already hold to check anything."""

    name: str
    public: bytes

    def __str__(self) -> str:
        """The verifier key, ``name+id+base64``, as the Go checksum database writes it."""
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read a verifier key; raises ProofError when it is malformed or its id does not fit."""
        remedy = "ask the book's owner for the line that `gongfen log key` prints"
        # The base64 may hold "+" itself, so split from the left: a name never does.
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise ProofError("verifier key", "is not of the form name+id+base64", remedy)
        name, hint, encoded = parts
        raw = _base64(encoded, "verifier key", remedy)
        if raw[:1] != ED25519 or len(raw) != 33:
            raise ProofError("verifier key", "is not an Ed25519 key", remedy)
        if key_id(name, raw[1:]).hex() != hint:
            raise ProofError("verifier key", "has an id that does not fit its name and bytes", remedy)
        return cls(name, raw[1:])

    def check(self, text: str, signature: bytes) -> bool:
        """Whether this key signed ``text``."""
        # Loaded where it is used, here and below: opening a book to read takes no cryptography.
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name. Its seed is the one secret of a book."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return Verifier(self.name, key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, seed kept secret)"

    def __str__(self) -> str:
        """The signer key as the Go checksum database writes it. Keep it secret."""
        hint = key_id(self.name, self.verifier.public).hex()
        return f"PRIVATE+KEY+{self.name}+{hint}+{b64encode(ED25519 + self.seed).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Read a signer key; raises ProofError when it is malformed."""
        remedy = "restore the key file from its backup"
        parts = text.strip().split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
            raise ProofError("signer key", "is not of the form PRIVATE+KEY+name+id+base64", remedy)
        raw = _base64(parts[4], "signer key", remedy)
        if raw[:1] != ED25519 or len(raw) != 33:
            raise ProofError("signer key", "is not an Ed25519 key", remedy)
        signer = cls(parts[2], raw[1:])
        if key_id(signer.name, signer.verifier.public).hex() != parts[3]:
            raise ProofError("signer key", "has an id that does not fit its name and bytes", remedy)
        return signer

    def sign(self, text: str) -> str:
        """The signed note of ``text``, which ends with a newline and holds no control characters."""
        assert text.endswith("\n"), "a note's text ends with a newline"
        assert all(c == "\n" or c >= " " for c in text), "a note's text holds no control characters"
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        blob = key_id(self.name, self.verifier.public) + key.sign(text.encode())
        return f"{text}\n{SIGNATURE_MARK}{self.name} {b64encode(blob).decode()}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """The text of a note that ``verifier`` has signed.

    Lines of other keys are passed over, as c2sp.org/signed-note asks; a line of our key must hold. Raises ProofError.
    """
    thing, remedy = "signed note", "fetch it again from its source; do not trust this copy"
    if len(note.encode()) > MOST_BYTES:
        raise ProofError(thing, "is longer than 1 MiB", remedy)
    text, mark, signatures = note.rpartition("\n\n")
    if not mark or not signatures.endswith("\n"):
        raise ProofError(thing, "has no signature block", remedy)
    text += "\n"
    if any(c != "\n" and c < " " for c in note):
        raise ProofError(thing, "holds control characters", remedy)
    ours = key_id(verifier.name, verifier.public)
    for line in signatures[:-1].split("\n"):
        name, blob = _signature_line(line)
        if name == verifier.name and blob[:KEY_ID_BYTES] == ours:
            if not verifier.check(text, blob[KEY_ID_BYTES:]):
                raise ProofError(thing, f"carries a false signature of {verifier.name}", remedy)
            return text
    raise ProofError(thing, f"is not signed by {verifier}", "check with the key that its owner published")


def _signature_line(line: str) -> tuple[str, bytes]:
    remedy = "fetch it again from its source; do not trust this copy"
    name, space, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
    if not line.startswith(SIGNATURE_MARK) or not space or not name:
        raise ProofError("signed note", f"has a malformed signature line {line[:40]!r}", remedy)
    blob = _base64(encoded, "signed note", remedy)
    if len(blob) <= KEY_ID_BYTES:
        raise ProofError("signed note", "has a signature that is too short", remedy)
    return name, blob


def _base64(text: str, thing: str, remedy: str) -> bytes:
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, ValueError):
        raise ProofError(thing, "is not in base64", remedy) from None
    if b64encode(raw).decode() != text:
        raise ProofError(thing, "is not in canonical base64", remedy)
    return raw

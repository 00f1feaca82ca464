"""A maker's own signature: what is signed, with which key, and whether it holds.

What is signed names its purpose and the book (its origin), so that a signature cannot be carried into another book or
another protocol. The facts that a maker signs, and the proof that they hold the key, are signed under different names.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import msgspec

from gongfen.errors import MakerKeyError
from gongfen.facts import kinds as k
from gongfen.facts.curve import KEY_BYTES, decoded, is_sound
from gongfen.facts.envelope import Fact, Signature, statement
from gongfen.facts.shapes import wrong_names
from gongfen.proof.checkpoint import ORIGIN
from gongfen.proof.note import check_ed25519, ed25519_public, sign_ed25519

FACT = b"gongfen/fact/v1\n"
KEY = b"gongfen/key/v1\n"
NAME_DIGITS = 8
MOST_OF_MAKER = 190
"""Characters of a maker's id in a key's name: the name, too, has 200 at most."""
RESTORE = "restore the key file from its backup, or have the key revoked and make another: gongfen key new"


def sign(fact: Fact, key: str, seed: bytes, origin: str) -> Fact:
    """The fact with its maker's signature, by the key of this name and seed (32 bytes), for the book ``origin``.

    The same fact and key always give the same signature.
    """
    return msgspec.structs.replace(
        fact, signed=Signature(key=key, ed25519=b64encode(sign_ed25519(seed, _fact_message(fact, origin))).decode())
    )


def check_signature(fact: Fact, public: bytes, origin: str) -> bool:
    """Whether the holder of ``public`` (32 bytes) signed this very fact for this very book. Never raises."""
    signature = decoded(fact.signed.ed25519) if fact.signed else None
    return signature is not None and is_sound(public) and check_ed25519(public, _fact_message(fact, origin), signature)


def check_possession(body: k.Key, origin: str) -> bool:
    """Whether whoever made this ``key`` fact holds the secret half of the key that it names. Never raises."""
    public, signature = decoded(body.public), decoded(body.possession)
    if public is None or signature is None or not is_sound(public):
        return False
    return check_ed25519(public, _key_message(origin, body.maker, body.key, body.public), signature)


def public_bytes(public: str) -> bytes:
    """The 32 bytes of a public key that a ``key`` fact gave, whose rules have been checked."""
    found = decoded(public)
    assert found is not None, "a key fact holds canonical base64"
    return found


@dataclass(frozen=True, slots=True)
class MakerKey:
    """A maker's key for one book, with its secret (a seed of 32 bytes). It stays on the maker's own machine."""

    origin: str
    maker: str
    key: str
    """The key's name in the book."""
    seed: bytes

    def __repr__(self) -> str:
        return f"MakerKey({self.key!r} of {self.maker!r} for {self.origin!r}, seed kept secret)"

    @property
    def public(self) -> str:
        """The public half, in base64."""
        return b64encode(ed25519_public(self.seed)).decode()

    def sign(self, fact: Fact) -> Fact:
        """The fact, said and signed by this key's maker."""
        return sign(msgspec.structs.replace(fact, by=self.maker), self.key, self.seed, self.origin)

    def introduce(self, replaces: str | None = None) -> k.Key:
        """The body of the ``key`` fact that makes this key known to the book."""
        message = _key_message(self.origin, self.maker, self.key, self.public)
        possession = b64encode(sign_ed25519(self.seed, message)).decode()
        return k.Key(key=self.key, maker=self.maker, public=self.public, replaces=replaces, possession=possession)

    def write(self) -> str:
        """The text of a key file, with the secret: a line of JSON."""
        seed = b64encode(self.seed).decode()
        said = _KeyFile(
            gongfen_key=1, key=self.key, maker=self.maker, origin=self.origin, public=self.public, secret=seed
        )
        return msgspec.json.encode(said, order="sorted").decode() + "\n"

    @classmethod
    def read(cls, text: str | bytes, place: str = "the key file") -> "MakerKey":
        """The key in the text of a key file; ``place`` names the file. Raises MakerKeyError."""
        try:
            said = msgspec.json.decode(text, type=_KeyFile)
        except (msgspec.DecodeError, UnicodeError):
            raise MakerKeyError(
                place, "is not a maker's key file", "name the file that `gongfen key new` wrote"
            ) from None
        seed = decoded(said.secret)
        if seed is None or len(seed) != KEY_BYTES or wrong_names((said.key, said.maker)):
            raise MakerKeyError(place, "is damaged", RESTORE)
        found = cls(said.origin, said.maker, said.key, seed)
        if not ORIGIN.fullmatch(said.origin) or found.public != said.public:
            raise MakerKeyError(place, "is damaged: its halves do not belong together", RESTORE)
        return found


class _KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    gongfen_key: Literal[1]
    key: k.Id
    maker: k.Id
    origin: str
    public: str
    secret: str


def key_name(maker: str, seed: bytes) -> str:
    """A name for a key that no other key has: its maker's id, and the beginning of the public half's hash."""
    return f"{maker[:MOST_OF_MAKER]}/{sha256(ed25519_public(seed)).hexdigest()[:NAME_DIGITS]}"


def _fact_message(fact: Fact, origin: str) -> bytes:
    return FACT + origin.encode() + b"\n" + statement(fact)


def _key_message(origin: str, maker: str, key: str, public: str) -> bytes:
    return KEY + f"{origin}\n{maker}\n{key}\n{public}".encode()

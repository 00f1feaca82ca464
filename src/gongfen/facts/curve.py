"""Which 32 bytes are a public key that only one holder can sign for (RFC 8032, edwards25519)."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from functools import lru_cache

KEY_BYTES = 32
SIGN_BIT = 1 << 255
P = 2**255 - 19
"""The field of the curve."""
D = -121665 * pow(121666, -1, P) % P
"""The curve: −x² + y² = 1 + D·x²·y²."""


@lru_cache(maxsize=1_024)
def is_sound(public: bytes) -> bool:
    """Whether a public key is written in the one right way, lies on the curve, and is not of small order.

    For a point of small order (1, 2, 4 or 8) anybody can make signatures that hold: it would be a key without a
    holder. Its height y is 0, 1 or −1, or halves to 0: D·y⁴ + 2y² = 1.

    >>> is_sound(bytes(32)), is_sound(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    (False, True)
    """
    if len(public) != KEY_BYTES:
        return False
    y = int.from_bytes(public, "little") & ~SIGN_BIT
    square = y * y % P
    small = y * (square - 1) * (D * square * square + 2 * square - 1) % P == 0
    return y < P and not small and _is_height(square)


def _is_height(square: int) -> bool:
    """Whether the curve has a point at the height y, of which y² is given: x² = (y² − 1)/(Dy² + 1) has a root."""
    x_square = (square - 1) * pow(D * square + 1, -1, P) % P
    return pow(x_square, (P - 1) // 2, P) <= 1


def decoded(text: str) -> bytes | None:
    """The bytes of canonical base64 (RFC 4648, section 4), or ``None``: the same bytes are written in one way only."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, ValueError):
        return None
    return raw if b64encode(raw).decode() == text else None

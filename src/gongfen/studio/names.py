"""Readable ids from the names that people and tools use: of makers, and of works."""

from hashlib import sha256
from unicodedata import category, normalize

from gongfen.facts.shapes import is_unseen

MAX_ID = 200
"""Longest id, in code points."""
UNIDENTIFIED = "unidentified"
"""The maker of a work whose author is not known: nobody is paid in the name of "anonymous"."""
NOBODY = frozenset(("anon", "anonymous", "unknown", "unidentified", "n-a", "佚名", "无名氏", "無名氏", "阙名", "闕名"))
_HASH_DIGITS = 16


def maker_id(name: str) -> str:
    """A readable id from a name: lower case, no accents, letters and digits of any script, joined by hyphens.

    >>> maker_id("José Martí"), maker_id("李白"), maker_id("Anonymous")
    ('jose-marti', '李白', 'unidentified')
    """
    folded = normalize("NFKD", normalize("NFKD", name.casefold()).casefold())  # NFKC_Casefold of UAX 44, decomposed
    plain = "".join(c for c in folded if not "\u0300" <= c <= "\u036f")
    kept = "".join(c if category(c)[0] in "LNM" and not is_unseen(c) else " " for c in normalize("NFKC", plain))
    slug = "-".join(kept.split())
    return UNIDENTIFIED if slug in NOBODY else slug


def tidy(part: str) -> str:
    """A part of a work's id: NFC, hyphens for spaces, control and unseen characters, ``#``, ``/`` and ``|``.

    >>> tidy("Acme  Ltd / web|site")
    'Acme-Ltd-web-site'
    """
    seen = (" " if c in "#/|" or category(c)[0] == "Z" or category(c) == "Cc" or is_unseen(c) else c for c in part)
    return normalize("NFC", "-".join("".join(seen).split())) or "-"


def fitting_id(*parts: str, joint: str = "/") -> str:
    """``part/part``, tidied; what is too long for an id ends in a hash of the whole instead.

    >>> fitting_id("toggl", "Acme Ltd", "Website")
    'toggl/Acme-Ltd/Website'
    """
    whole = joint.join(tidy(part) for part in parts)
    if len(whole) <= MAX_ID:
        return whole
    digest = sha256(whole.encode()).hexdigest()[:_HASH_DIGITS]
    return f"{whole[: MAX_ID - _HASH_DIGITS - 1]}~{digest}"

"""Where the book and what belongs to it lie: what is named, else ``GONGFEN_BOOK``, else ``./gongfen.db``."""

import os
import secrets
from pathlib import Path
from unicodedata import normalize

from gongfen.errors import BookPlaceError
from gongfen.storage import Address
from gongfen.storage.address import is_address

VARIABLE = "GONGFEN_BOOK"
KEY_VARIABLE = "GONGFEN_KEY"
DEFAULT = "gongfen.db"
SAMPLE_DOMAIN = "gongfen.example"


def place_of(named: str | os.PathLike[str] | None) -> Path | Address:
    """The path of the book, or its address on a server. Raises BookPlaceError when it can be none."""
    said = os.fspath(named or os.environ.get(VARIABLE) or DEFAULT)
    if is_address(said):
        return Address(said)
    path = Path(said)
    if not path.name or path.name == "..":  # what lies beside a book is named by it
        raise BookPlaceError(f"the book {said}", "is a folder, not a file", "name a file in it: --book FOLDER/book.db")
    return path


def own_origin() -> str:
    """A name for a book whose owner gives none: no other book has it, so what was signed for one serves no other."""
    return f"{SAMPLE_DOMAIN}/{secrets.token_hex(8)}"


def key_path(place: Path | Address) -> Path:
    """Where a book's signing key lies: beside its file; of a book on a server, where ``GONGFEN_KEY`` says, else here.

    Then it is called by the database: ``./DATABASE.key``.
    """
    if isinstance(place, Path):
        return place.with_name(place.name + ".key")
    return Path(os.environ.get(KEY_VARIABLE) or f"{place.name}.key")


def beside(place: Path | Address, ending: str) -> Path:
    """The place of what belongs to a book and is neither in it nor in its key: beside the file, or beside the key."""
    if isinstance(place, Path):
        return place.with_name(place.name + ending)
    return key_path(place).with_name(place.name + ending)


def user() -> str:
    """Who speaks, unless a program says: the login name, reduced to what an id may hold."""
    name = os.environ.get("GONGFEN_BY") or os.environ.get("USER") or "book"
    return "".join(c for c in normalize("NFC", name) if c.isalnum() or c in "-_.@") or "book"


def cache_folder() -> Path:
    """Where prepared base models are kept between books: ``GONGFEN_CACHE``, else the user's cache."""
    named = os.environ.get("GONGFEN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gongfen"

"""Where the book lies: what is named, else ``GONGFEN_BOOK``, else ``./gongfen.db``."""

import os
from pathlib import Path

VARIABLE = "GONGFEN_BOOK"
DEFAULT = "gongfen.db"


def place_of(named: str | os.PathLike[str] | None) -> Path:
    """The path of the book."""
    return Path(named or os.environ.get(VARIABLE) or DEFAULT)


def user() -> str:
    """Who speaks, unless a program says: the login name, reduced to what an id may hold."""
    name = os.environ.get("GONGFEN_BY") or os.environ.get("USER") or "book"
    return "".join(c for c in name if c.isalnum() or c in "-_.@") or "book"

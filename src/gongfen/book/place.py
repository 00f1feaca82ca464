"""Where the book and its caches lie: what is named, else ``GONGFEN_BOOK``, else ``./gongfen.db``."""

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


def cache_folder() -> Path:
    """Where prepared base models are kept between books: ``GONGFEN_CACHE``, else the user's cache."""
    named = os.environ.get("GONGFEN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gongfen"

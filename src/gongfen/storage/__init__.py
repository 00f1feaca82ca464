"""Where bytes lie: the journal, the views built from it, the texts. In a file, or in a database of a server."""

from pathlib import Path

from gongfen.errors import BookPlaceError
from gongfen.storage import sqlite
from gongfen.storage.address import Address as Address
from gongfen.storage.store import Entry as Entry
from gongfen.storage.store import Store as Store
from gongfen.storage.tree import Tree as Tree
from gongfen.storage.views import Views as Views


def create_store(place: Path | Address, settings: dict[str, str]) -> Store:
    """A new, empty book with its settings. Raises BookPlaceError if one is there."""
    if isinstance(place, Path):
        return sqlite.create_store(place, settings)
    _check_driver(place)
    from gongfen.storage import postgres  # noqa: PLC0415 - a book in a file needs no driver

    return postgres.create_store(place, settings)


def open_store(place: Path | Address) -> Store:
    """A book that is there. Raises BookPlaceError or DamagedBookError."""
    if isinstance(place, Path):
        return sqlite.open_store(place)
    _check_driver(place)
    from gongfen.storage import postgres  # noqa: PLC0415 - a book in a file needs no driver

    return postgres.open_store(place)


def _check_driver(place: Address) -> None:
    try:
        import asyncpg  # noqa: F401, PLC0415 - whether it is there
    except ImportError:
        reason = "lies on a PostgreSQL server, and the driver for it is not installed"
        raise BookPlaceError(str(place), reason, "install it: pip install 'gongfen[postgres]'") from None

"""Personal details in a file of their own beside the book: what is deleted there is overwritten, and nothing else is.

The log holds a salted commitment only. The file is its owner's alone, is never part of a bundle or a published log, and
can be left out of a copy of the book.
"""

import os
from pathlib import Path

from gongfen.errors import BookPlaceError
from gongfen.storage.connection import Connection

_SCHEMA = "CREATE TABLE IF NOT EXISTS person (maker TEXT PRIMARY KEY, salt TEXT NOT NULL, details TEXT NOT NULL) STRICT"


class People:
    """The details of makers. The file is made when the first are kept."""

    def __init__(self, book: Path) -> None:
        self._path = book.with_name(book.name + ".people")
        self._db: Connection | None = None

    def put(self, maker: str, salt: str, details: str) -> None:
        """Keep a maker's details, in place of earlier ones."""
        if not self._path.exists():
            try:
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            except OSError as error:
                remedy = "check the rights of its folder, and the disk"
                raise BookPlaceError(str(self._path), f"cannot be made: {error.strerror}", remedy) from None
        db = self._open()
        db.run(_SCHEMA)
        db.run("INSERT OR REPLACE INTO person VALUES (?, ?, ?)", (maker, salt, details))

    def get(self, maker: str) -> tuple[str, str] | None:
        """(salt, details), or ``None``."""
        if not self._path.exists():
            return None
        row = self._open().row("SELECT salt, details FROM person WHERE maker = ?", (maker,))
        return (row[0], row[1]) if row else None

    def forget(self, maker: str) -> bool:
        """Delete a maker's details and write the file anew without them; whether there were any."""
        if not self._path.exists():
            return False
        db = self._open()
        found = db.run("DELETE FROM person WHERE maker = ?", (maker,)) > 0
        db.run("VACUUM")
        return found

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()

    def _open(self) -> Connection:
        # No write-ahead log: a second file would keep a copy. Deleted bytes are overwritten with zeros.
        if self._db is None:
            self._db = Connection(self._path, "journal_mode = DELETE", "synchronous = FULL", "secure_delete = ON")
        return self._db

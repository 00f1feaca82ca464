"""A SQLite connection whose errors are named: a damaged file, a full disk, a busy book — never a bare traceback."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gongfen.errors import BookPlaceError, DamagedBookError

BACKUP = "restore the book from a backup; do not edit its file"
_OUTSIDE = ("unable to open", "readonly", "locked", "disk is full", "disk I/O", "not authorized")
"""Operational errors that lie outside the file: its place, its rights, its disk, another writer."""


@contextmanager
def named_errors(place: str) -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if any(sign in str(error) for sign in _OUTSIDE):
            remedy = "check the path, its rights, the disk, and who else has it open"
            raise BookPlaceError(place, f"cannot be used: {error}", remedy) from None
        if "no such table" in str(error):
            raise BookPlaceError(place, "is a database, but not a book", "name a book: --book PATH") from None
        raise DamagedBookError(place, f"cannot be read: {error}", BACKUP) from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise DamagedBookError(place, f"is not a readable database: {error}", BACKUP) from None


class Connection:
    """Queries against one file."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        with named_errors(self.place):
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA trusted_schema = OFF")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    def rows(self, query: str, values: object = ()) -> Iterator[tuple[Any, ...]]:
        """Rows, as they are read."""
        with named_errors(self.place):
            cursor = self._db.execute(query, values)  # type: ignore[arg-type]
            while chunk := cursor.fetchmany(1_000):
                yield from chunk

    def row(self, query: str, values: object = ()) -> tuple[Any, ...] | None:
        """The first row."""
        with named_errors(self.place):
            found: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()  # type: ignore[arg-type]
            return found

    def run(self, query: str, values: object = ()) -> None:
        """One statement."""
        with named_errors(self.place):
            self._db.execute(query, values)  # type: ignore[arg-type]

    def run_many(self, query: str, values: Iterable[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        with named_errors(self.place):
            self._db.executemany(query, values)

    def script(self, text: str) -> None:
        """Many statements."""
        with named_errors(self.place):
            self._db.executescript(text)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

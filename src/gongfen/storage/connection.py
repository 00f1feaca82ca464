"""A SQLite connection whose errors are named: a damaged file, a full disk, a busy book — never a bare traceback."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gongfen.errors import BookPlaceError, DamagedBookError

Values = tuple[Any, ...] | list[Any] | Mapping[str, Any]
"""What stands for the marks of a statement: by place, or by name."""
BACKUP = "restore the book from a backup; do not edit its file"
_OUTSIDE = ("unable to open", "readonly", "locked", "disk is full", "disk I/O", "not authorized")
"""Operational errors that lie outside the file: its place, its rights, its disk, another writer."""


class named_errors:  # noqa: N801 - it stands where a context manager is called
    """Turn the database's errors into ours. A class, because it stands around every statement."""

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise ours instead of the database's."""
        if isinstance(error, sqlite3.OperationalError):
            if "within a transaction" in str(error):
                remedy = "finish what is being written first"
                raise BookPlaceError(self.place, "is being written by this very program", remedy) from None
            if any(sign in str(error) for sign in _OUTSIDE):
                remedy = "check the path, its rights, the disk, and who else has it open"
                raise BookPlaceError(self.place, f"cannot be used: {error}", remedy) from None
            if "no such table" in str(error):
                raise BookPlaceError(self.place, "is a database, but not a book", "name a book: --book PATH") from None
            raise DamagedBookError(self.place, f"cannot be read: {error}", BACKUP) from None
        if isinstance(error, sqlite3.ProgrammingError | OverflowError):
            remedy = "use a book in the thread that opened it, while it is open, with numbers below 2^63"
            raise BookPlaceError(self.place, f"cannot be asked so: {error}", remedy) from None
        if isinstance(error, sqlite3.DatabaseError | UnicodeDecodeError):
            raise DamagedBookError(self.place, f"is not a readable database: {error}", BACKUP) from None


class Connection:
    """Queries against one file.

    Where it may not be written, and nobody has it open, it is read as a file that does not change; that it does not is
    checked with every answer. (SQLite would need to write beside it to share it.)
    """

    def __init__(self, path: Path, *settings: str) -> None:
        self.place = str(path)
        self._path = path
        still = not _may_write(path) and not _in_use(path)
        self._still = path.stat() if still else None
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1" if still else path
        with named_errors(self.place):
            self._db = sqlite3.connect(address, isolation_level=None, timeout=30, uri=still)
        try:
            for setting in settings:
                self.run(f"PRAGMA {setting}")
        except BaseException as error:
            self._db.close()
            if isinstance(error, BookPlaceError) and not _may_write(path) and _in_use(path):
                reason = "is open elsewhere or was not closed, and may not be written here"
                raise BookPlaceError(self.place, reason, "open it once where it may be written") from None
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One unchanging sight of the file. Nested, or within a write, it is that of the outermost."""
        outermost = not self._db.in_transaction
        if outermost:
            self.run("BEGIN")
        try:
            yield
        finally:
            if outermost and self._db.in_transaction:
                self.run("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, alone: all of it, or nothing."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self.run("ROLLBACK")
            raise

    def rows(self, query: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
        """Rows, as they are read."""
        with named_errors(self.place):
            cursor = self._db.execute(query, values)
            while chunk := cursor.fetchmany(1_000):
                self._check_still()
                yield from chunk

    def page(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """All rows, at once."""
        with named_errors(self.place):
            found: list[tuple[Any, ...]] = self._db.execute(query, values).fetchall()
        self._check_still()
        return found

    def row(self, query: str, values: Values = ()) -> tuple[Any, ...] | None:
        """The first row."""
        with named_errors(self.place):
            found: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
        self._check_still()
        return found

    def run(self, query: str, values: Values = ()) -> int:
        """One statement; how many rows it changed."""
        with named_errors(self.place):
            return self._db.execute(query, values).rowcount

    def run_many(self, query: str, values: Iterable[tuple[Any, ...]]) -> None:
        """One statement for many rows."""
        with named_errors(self.place):
            self._db.executemany(query, values)

    def run_all(self, text: str) -> None:
        """The statements of a text, within the open transaction."""
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self.run(statement)
                statement = ""

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _check_still(self) -> None:
        """Raise BookPlaceError when a file that was to be still was written to: pages of then and now would mix."""
        if self._still is not None:
            now = self._path.stat()
            if (now.st_mtime_ns, now.st_size) != (self._still.st_mtime_ns, self._still.st_size):
                raise BookPlaceError(self.place, "was written to while it was read", "read it again")


def _may_write(path: Path) -> bool:
    return os.access(path.parent, os.W_OK) and (os.access(path, os.W_OK) or not path.exists())


def _in_use(path: Path) -> bool:
    """Whether a file beside it says that somebody writes, or did not finish."""
    return not path.exists() or any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal"))

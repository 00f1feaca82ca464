"""Personal details in a file of their own beside the book: what is deleted there is overwritten, and nothing else is.

The log holds a salted commitment only. The file is its owner's alone, is never part of a bundle or a published log, and
can be left out of a copy of the book. Details that wait for the log to commit to them lie beside those that it did
commit to.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from gongfen.errors import BookPlaceError
from gongfen.storage.connection import Connection
from gongfen.storage.store import PersonRow

_TABLE = (
    "CREATE TABLE person (maker TEXT NOT NULL, salt TEXT NOT NULL, details TEXT NOT NULL, "
    "waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting IN (0, 1)), PRIMARY KEY (maker, waiting)) STRICT"
)
_EARLY = "CREATE TABLE person (maker TEXT PRIMARY KEY, salt TEXT NOT NULL, details TEXT NOT NULL) STRICT"
"""As it was when details waited under the name ``MAKER|next``."""
_FROM_EARLY = (
    "ALTER TABLE person RENAME TO early",
    _TABLE,
    "INSERT INTO person SELECT maker, salt, details, 0 FROM early WHERE maker NOT LIKE '%|next'",
    "INSERT INTO person SELECT replace(maker, '|next', ''), salt, details, 1 FROM early WHERE maker LIKE '%|next'",
    "DROP TABLE early",
)
_SHAPE = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"


class People:
    """The details of makers. The file is made when the first are kept."""

    def __init__(self, book: Path) -> None:
        self._path = book.with_name(book.name + ".people")
        self._db: Connection | None = None

    def put(self, maker: str, salt: str, details: str, *, waiting: bool) -> None:
        """Keep a maker's details, in place of earlier ones."""
        if not self._path.exists():
            try:
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            except OSError as error:
                remedy = "check the rights of its folder, and the disk"
                raise BookPlaceError(str(self._path), f"cannot be made: {error.strerror}", remedy) from None
        self._open().run("INSERT OR REPLACE INTO person VALUES (?, ?, ?, ?)", (maker, salt, details, int(waiting)))

    def get(self, maker: str, *, waiting: bool) -> tuple[str, str] | None:
        """(salt, details), or ``None``."""
        if not self._path.exists():
            return None
        query = "SELECT salt, details FROM person WHERE maker = ? AND waiting = ?"
        row = self._open().row(query, (maker, int(waiting)))
        return (row[0], row[1]) if row else None

    def adopt(self, maker: str) -> bool:
        """Put the details that wait in the place of those before, whose bytes are overwritten; whether any waited."""
        if self.get(maker, waiting=True) is None:
            return False
        db = self._open()
        with db.writing():
            old = db.run("DELETE FROM person WHERE maker = ? AND waiting = 0", (maker,))
            found = db.run("UPDATE person SET waiting = 0 WHERE maker = ?", (maker,)) > 0
        if old:
            db.run("VACUUM")
        return found

    def forget(self, maker: str, *, only_waiting: bool) -> bool:
        """Delete a maker's details and write the file anew without them; whether there were any."""
        if not self._path.exists():
            return False
        db = self._open()
        found = db.run("DELETE FROM person WHERE maker = ? AND waiting >= ?", (maker, int(only_waiting))) > 0
        db.run("VACUUM")
        return found

    def all(self) -> Iterator[PersonRow]:
        """Everybody's details, by maker; those that wait last."""
        if self._path.exists():
            for maker, salt, details, waiting in self._open().rows("SELECT * FROM person ORDER BY maker, waiting"):
                yield maker, salt, details, bool(waiting)

    def flaws(self) -> list[str]:
        """What SQLite itself finds wrong with the file."""
        if not self._path.exists():
            return []
        rows = [str(row[0]) for row in self._open().rows("PRAGMA integrity_check(10)")]
        return [] if rows == ["ok"] else [f"{self._path.name}: {row}" for row in rows]

    def unguarded(self) -> list[str]:
        """What is in the file beside its one table: a trigger could carry details away before they are deleted."""
        if not self._path.exists():
            return []
        here = {(kind, name, sql) for kind, name, sql in self._open().rows(_SHAPE)}
        wrong = sorted(here ^ {("table", "person", _TABLE)}, key=str)
        return [f"the {kind} {name} of {self._path.name} is not as a book has it" for kind, name, _ in wrong]

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()

    def _open(self) -> Connection:
        # No write-ahead log: a second file would keep a copy. Deleted bytes are overwritten with zeros, and a file that
        # is written anew is not written to a temporary one on the disk first.
        if self._db is None:
            settings = ("journal_mode = DELETE", "synchronous = FULL", "secure_delete = ON", "temp_store = MEMORY")
            db = Connection(self._path, *settings, "trusted_schema = OFF")
            try:
                _bring_to_shape(db)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db


def _bring_to_shape(db: Connection) -> None:
    """Make the table in an empty file, and an early one anew. Any other shape stays, and is found by ``unguarded``."""
    steps = _steps(db)
    if not steps:
        return
    with db.writing():
        for step in _steps(db):  # another program may have been quicker
            db.run(step)
    db.run("VACUUM")


def _steps(db: Connection) -> tuple[str, ...]:
    here = list(db.rows(_SHAPE))
    if not here:
        return (_TABLE,)
    return _FROM_EARLY if here == [("table", "person", _EARLY)] else ()

"""The rows of a view, read when asked for and written when the batch ends."""

from collections.abc import Iterator
from sqlite3 import Connection
from typing import Any, Generic, TypeVar

import msgspec

Row = TypeVar("Row")

_encoder = msgspec.json.Encoder(order="sorted")
MOST_CACHED = 200_000


class SqliteTable(Generic[Row]):
    """One table of the view in SQLite: a cache in front of it, written back by :meth:`flush`."""

    def __init__(self, db: Connection, name: str, row: Any) -> None:  # noqa: ANN401 - a type, which mypy calls Any
        self._db = db
        self._name = name
        self._decode = msgspec.json.Decoder(row).decode
        self._cache: dict[str, Row | None] = {}
        self._changed: set[str] = set()

    def get(self, key: str) -> Row | None:
        """The row, or ``None``."""
        if key not in self._cache:
            found = self._db.execute("SELECT row FROM view WHERE tbl = ? AND key = ?", (self._name, key)).fetchone()
            self._cache[key] = self._decode(found[0]) if found else None
        return self._cache[key]

    def set(self, key: str, row: Row) -> None:
        """Put the row there; the database has it after :meth:`flush`."""
        self._cache[key] = row
        self._changed.add(key)

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Row]]:
        """Rows whose key begins so, ordered by the code points of their keys."""
        self.flush()
        rows = self._db.execute(
            # UTF-8 sorts as code points do, and no text sorts behind U+10FFFF.
            "SELECT key, row FROM view WHERE tbl = ? AND key >= ? AND key < ? ORDER BY key",
            (self._name, prefix, prefix + "\U0010ffff"),
        ).fetchall()
        return ((key, self._decode(row)) for key, row in rows)

    def flush(self) -> None:
        """Write what has changed."""
        if self._changed:
            rows = [(self._name, key, _encoder.encode(self._cache[key])) for key in sorted(self._changed)]
            self._db.executemany("INSERT OR REPLACE INTO view VALUES (?, ?, ?)", rows)
            self._changed.clear()
        if len(self._cache) > MOST_CACHED:
            self._cache.clear()

    def forget(self) -> None:
        """Drop the cache: the database was rolled back, or another process has written."""
        self._cache.clear()
        self._changed.clear()

"""The rows of a view, read when asked for and written when the batch ends."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

from gongfen.errors import DamagedBookError
from gongfen.storage.connection import Connection

Row = TypeVar("Row")

_encoder = msgspec.json.Encoder(order="sorted")
MOST_CACHED = 200_000


class SqliteTable(Generic[Row]):
    """One table of the view in SQLite: a cache in front of it, written back by :meth:`flush`."""

    def __init__(self, db: Connection, name: str, row: Any) -> None:  # noqa: ANN401 - a type, which mypy calls Any
        self._db = db
        self._name = name
        self._decoder = msgspec.json.Decoder(row)
        self._cache: dict[str, Row | None] = {}
        self._changed: set[str] = set()

    def get(self, key: str) -> Row | None:
        """The row, or ``None``."""
        if key not in self._cache:
            found = self._db.row("SELECT row FROM view WHERE tbl = ? AND key = ?", (self._name, key))
            self._cache[key] = self._decoded(key, found[0]) if found else None
        return self._cache[key]

    def set(self, key: str, row: Row) -> None:
        """Put the row there; the database has it after :meth:`flush`."""
        self._cache[key] = row
        self._changed.add(key)

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Row]]:
        """Rows whose key begins so, ordered by the code points of their keys."""
        self.flush()
        rows = list(
            self._db.rows(
                # UTF-8 sorts as code points do; behind the prefix comes its last code point's successor.
                "SELECT key, row FROM view WHERE tbl = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key",
                (self._name, prefix, len(prefix), prefix),
            )
        )
        return ((key, self._decoded(key, row)) for key, row in rows)

    def flush(self) -> None:
        """Write what has changed."""
        if self._changed:
            rows = [(self._name, key, _encoder.encode(self._cache[key])) for key in sorted(self._changed)]
            self._db.run_many("INSERT OR REPLACE INTO view VALUES (?, ?, ?)", rows)
            self._changed.clear()
        if len(self._cache) > MOST_CACHED:
            self._cache.clear()

    def forget(self) -> None:
        """Drop the cache: the database was rolled back, or another process has written."""
        self._cache.clear()
        self._changed.clear()

    def _decoded(self, key: str, row: bytes) -> Row:
        try:
            found: Row = self._decoder.decode(row)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            thing, remedy = f"{self._db.place}, view {self._name}, {key},", "make the views again: gongfen log rebuild"
            raise DamagedBookError(thing, f"cannot be read: {error}", remedy) from None
        return found

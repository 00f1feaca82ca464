"""The journal, its views and its blobs in one SQLite file (write-ahead log, full sync)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from gongfen.errors import BookPlaceError, DamagedBookError
from gongfen.proof.merkle import Frontier, leaf_hash, root, subtrees_of
from gongfen.storage.connection import BACKUP, Connection
from gongfen.storage.tables import SqliteTable

SCHEMA_VERSION = "1"
TILE = 8
"""Subtrees of 2⁸ leaves are kept; smaller ones are hashed again from the leaves."""

PostingRow = tuple[int, int, str, str, int, str]


class SqliteStore:
    """One book's bytes. Opened by :func:`create_store` and :func:`open_store`."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.place = db.place
        self._tables: list[SqliteTable[Any]] = []
        self._frontier: Frontier | None = None
        self._version = -1

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries there are."""
        (last,) = self._one("SELECT max(seq) FROM fact")
        return 0 if last is None else self._whole(last) + 1

    def meta(self, key: str) -> str | None:
        """A setting of the book: its origin, its schema version."""
        row = self._db.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def read(self, seq: int) -> bytes:
        """The entry's bytes."""
        row = self._db.row("SELECT data FROM fact WHERE seq = ?", (seq,))
        if row is None or not isinstance(row[0], bytes):
            raise DamagedBookError(f"{self.place}, fact {seq},", "is missing", BACKUP)
        return row[0]

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Entries in their order."""
        most = 2**62 if end is None else end
        yield from self._db.rows("SELECT seq, data FROM fact WHERE seq >= ? AND seq < ? ORDER BY seq", (start, most))

    def leaves(self) -> Iterator[tuple[int, str, bytes, bytes]]:
        """Every row of the log as it stands: number, id, leaf hash, bytes."""
        yield from self._db.rows("SELECT seq, id, leaf, data FROM fact ORDER BY seq")

    def find(self, fact_id: str) -> int | None:
        """The sequence number of a fact's id."""
        row = self._db.row("SELECT seq FROM fact WHERE id = ?", (fact_id,))
        return row[0] if row else None

    def touching(self, ref: str) -> list[int]:
        """The facts about a work, maker or target, in their order."""
        return [seq for (seq,) in self._db.rows("SELECT seq FROM touch WHERE ref = ? ORDER BY seq", (ref,))]

    def postings(self, seq: int) -> list[PostingRow]:
        """What one fact booked."""
        rows = self._db.rows("SELECT * FROM posting WHERE seq = ? ORDER BY line", (seq,))
        return [(number, line, account, unit, amount, why) for number, line, account, unit, amount, why in rows]

    def all_postings(self) -> Iterator[PostingRow]:
        """What every fact booked, in order."""
        rows = self._db.rows("SELECT * FROM posting ORDER BY seq, line")
        return ((number, line, account, unit, amount, why) for number, line, account, unit, amount, why in rows)

    def touches(self) -> int:
        """How many rows the index has."""
        return self._whole(self._one("SELECT count(*) FROM touch")[0])

    def blob_names(self) -> list[str]:
        """The hashes of all kept texts."""
        return [name for (name,) in self._db.rows("SELECT sha256 FROM blob ORDER BY sha256")]

    def labour_moves(self, unit: str) -> list[int]:
        """The facts that booked something in ``unit``, in their order."""
        return [
            seq for (seq,) in self._db.rows("SELECT DISTINCT seq FROM posting WHERE unit = ? ORDER BY seq", (unit,))
        ]

    def subtree(self, level: int, index: int) -> bytes:
        """Hash of a full subtree, 32 bytes."""
        kept = level // TILE * TILE
        first, count = index << (level - kept), 1 << (level - kept)
        if kept:
            query = "SELECT hash FROM node WHERE level = :level AND idx >= :first AND idx < :end ORDER BY idx"
        else:
            query = "SELECT leaf FROM fact WHERE seq >= :first AND seq < :end ORDER BY seq"
        keys = {"level": kept, "first": first, "end": first + count}
        hashes = [row[0] for row in self._db.rows(query, keys)]
        if len(hashes) != count or not all(isinstance(found, bytes) for found in hashes):
            raise DamagedBookError(f"{self.place}, tree level {kept},", f"lacks hashes from {first} on", BACKUP)
        return root(count, subtrees_of(hashes))

    def checkpoints(self) -> list[tuple[int, str]]:
        """Every signed checkpoint, by size."""
        return [(size, note) for size, note in self._db.rows("SELECT size, note FROM checkpoint ORDER BY size")]

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint."""
        row = self._db.row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return row[0] if row else None

    # -- writing ---------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: everything in it is written, or nothing."""
        self._db.run("BEGIN IMMEDIATE")
        try:
            self._notice_other_writers()
            yield
            for table in self._tables:
                table.flush()
            self._db.run("COMMIT")
            self._version = self._data_version()
        except BaseException:
            if self._db.in_transaction:
                self._db.run("ROLLBACK")
            self.forget()
            raise

    def append(self, fact_id: str, data: bytes) -> int:
        """Write one entry within the open transaction; its sequence number, from 0."""
        if self._frontier is None:
            self._frontier = Frontier(self.size, self.subtree)
        seq, leaf = self._frontier.size, leaf_hash(data)
        self._db.run("INSERT INTO fact VALUES (?, ?, ?, ?)", (seq, leaf, fact_id, data))
        for level, index, found in self._frontier.append(leaf):
            if level and level % TILE == 0:
                self._db.run("INSERT INTO node VALUES (?, ?, ?)", (level, index, found))
        return seq

    def root(self) -> bytes:
        """The root of all entries, 32 bytes, within or outside a transaction."""
        if self._frontier is None or self._frontier.size != self.size:
            self._frontier = Frontier(self.size, self.subtree)
        return self._frontier.root()

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint within the open transaction."""
        self._db.run("INSERT INTO checkpoint VALUES (?, ?)", (size, note))

    def index(self, seq: int, refs: Iterable[str], postings: Iterable[PostingRow]) -> None:
        """Extend the views by one fact within the open transaction."""
        self._db.run_many("INSERT INTO touch VALUES (?, ?)", [(ref, seq) for ref in refs])
        self._db.run_many("INSERT INTO posting VALUES (?, ?, ?, ?, ?, ?)", postings)
        self._db.run("UPDATE viewed SET size = ?", (seq + 1,))

    def put_blob(self, data: bytes) -> str:
        """Keep a text or record under its SHA-256 (hex), which comes back."""
        name = sha256(data).hexdigest()
        self._db.run("INSERT OR IGNORE INTO blob VALUES (?, ?)", (name, data))
        return name

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash, or ``None``; raises DamagedBookError when it is not what its hash says."""
        row = self._db.row("SELECT data FROM blob WHERE sha256 = ?", (name,))
        if row is None:
            return None
        if not isinstance(row[0], bytes) or sha256(row[0]).hexdigest() != name:
            raise DamagedBookError(f"{self.place}, blob {name[:16]}…", "is not what its hash says", BACKUP)
        return row[0]

    def put_person(self, maker: str, salt: str, details: str) -> None:
        """Keep personal details outside the log."""
        self._db.run("INSERT OR REPLACE INTO person VALUES (?, ?, ?)", (maker, salt, details))

    def person(self, maker: str) -> tuple[str, str] | None:
        """(salt, details) of a maker, or ``None`` when there are none, or no longer any."""
        row = self._db.row("SELECT salt, details FROM person WHERE maker = ?", (maker,))
        return (row[0], row[1]) if row else None

    # -- views -----------------------------------------------------------------------------------------------------

    def table(self, name: str, row: Any) -> SqliteTable[Any]:  # noqa: ANN401 - a type, which mypy calls Any
        """A table of the view."""
        table: SqliteTable[Any] = SqliteTable(self._db, name, row)
        self._tables.append(table)
        return table

    @property
    def viewed(self) -> int:
        """How many facts the views have seen."""
        return self._whole(self._one("SELECT size FROM viewed")[0])

    def drop_views(self) -> None:
        """Forget every answer, within the open transaction; the journal stays."""
        for name in ("view", "touch", "posting"):
            self._db.run(f"DELETE FROM {name}")  # noqa: S608 - fixed names
        self._db.run("UPDATE viewed SET size = 0")
        self.forget()

    def view_rows(self) -> Iterator[tuple[Any, ...]]:
        """Every row of every view, in a fixed order: to compare one build with another."""
        yield from self._db.rows("SELECT * FROM view ORDER BY tbl, key")
        yield from self._db.rows("SELECT * FROM touch ORDER BY ref, seq")
        yield from self._db.rows("SELECT * FROM posting ORDER BY seq, line")

    def forget(self) -> None:
        """Drop every cache."""
        self._frontier = None
        for table in self._tables:
            table.forget()

    def refresh(self) -> None:
        """Drop the caches if another process has written since."""
        if not self._db.in_transaction:
            self._notice_other_writers()

    def flaws(self) -> list[str]:
        """What SQLite itself finds wrong with the file."""
        rows = [str(row[0]) for row in self._db.rows("PRAGMA integrity_check(10)")]
        return [] if rows == ["ok"] else rows

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._db.row(query)
        if row is None:
            raise DamagedBookError(self.place, "has lost a row that every book has", BACKUP)
        return row

    def _whole(self, found: object) -> int:
        if not isinstance(found, int):
            raise DamagedBookError(self.place, f"holds {found!r} where a number belongs", BACKUP)
        return found

    def _data_version(self) -> int:
        return self._whole(self._one("PRAGMA data_version")[0])

    def _notice_other_writers(self) -> None:
        version = self._data_version()
        if version != self._version:
            self.forget()
            self._version = version


def create_store(path: Path, origin: str, key: str) -> SqliteStore:
    """A new, empty book file for the log ``origin``, checked with ``key``. Raises BookPlaceError if one is there."""
    if path.exists():
        raise BookPlaceError(str(path), "is already there", "open it, or choose another place with --book")
    if not path.parent.is_dir():
        raise BookPlaceError(str(path.parent), "is not a folder", "make it first, or choose another place with --book")
    from importlib.resources import files  # noqa: PLC0415 - only a new book needs it

    db = Connection(path)
    db.script("BEGIN;" + files("gongfen.storage").joinpath("schema.sql").read_text(encoding="utf-8") + "COMMIT;")
    db.run_many("INSERT INTO meta VALUES (?, ?)", [("origin", origin), ("key", key), ("schema", SCHEMA_VERSION)])
    return SqliteStore(db)


def open_store(path: Path) -> SqliteStore:
    """A book file that is there. Raises BookPlaceError or DamagedBookError."""
    if not path.is_file():
        raise BookPlaceError(f"the book {path}", "is not there", "make one: gongfen init, or name another: --book PATH")
    store = SqliteStore(Connection(path))
    version = store.meta("schema")
    if version != SCHEMA_VERSION:
        raise BookPlaceError(f"the book {path}", f"has schema {version}", "open it with the gongfen that wrote it")
    return store

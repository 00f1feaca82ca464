"""A book in one SQLite file (write-ahead log, full sync): :class:`gongfen.storage.store.Store` on a disk."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from functools import partial
from importlib.resources import files
from itertools import count
from operator import eq, itemgetter
from pathlib import Path
from typing import Any

from gongfen.errors import BookPlaceError, DamagedBookError
from gongfen.storage.connection import BACKUP, Connection
from gongfen.storage.people import People
from gongfen.storage.store import Entry, EntryRow, Node, PersonRow, PostingRow, TouchRow, ViewRow, behind

SCHEMA_VERSION = "2"
CHECKPOINT_TRIES, CHECKPOINT_PAUSE_MS = 40, 50
_FOREVER = 2**62
PAGE = 500
"""Entries that are read at a time."""
_entry = partial(tuple.__new__, Entry)
"""A row as it is read, as an entry: for every fact, so without a look at how many fields it has."""


class SqliteStore:
    """One book's bytes. Opened by :func:`create_store` and :func:`open_store`."""

    def __init__(self, path: Path) -> None:
        self._db = Connection(path, "journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF")
        self._people = People(path)

    @property
    def place(self) -> str:
        """The file."""
        return self._db.place

    # -- the journal -----------------------------------------------------------------------------------------------

    def size(self) -> int:
        """How many entries there are."""
        last = [self._whole(seq) for (seq,) in self._db.rows("SELECT seq FROM fact ORDER BY seq DESC LIMIT 2")]
        if last and last[0] != (last[1] if last[1:] else -1) + 1:
            # A number that was damaged would make the log endless.
            raise self._missing(last[0] - 1)
        return last[0] + 1 if last else 0

    def meta(self, key: str) -> str | None:
        """A setting of the book."""
        row = self._db.row("SELECT value FROM meta WHERE key = ?", (key,))
        return self._text(row[0]) if row else None

    def put_meta(self, key: str, value: str) -> None:
        """Set it."""
        self._db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Entry]:
        """Entries in their order. Read in pages, so that a reader who stops in between holds nothing up."""
        due, most = start, _FOREVER if end is None else end
        query = "SELECT seq, id, leaf, data FROM fact WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
        while due < most and (page := self._db.page(query, (due, most, PAGE))):
            there = sum(map(eq, map(itemgetter(0), page), count(due)))  # numbers rise: once one is missing, all differ
            yield from map(_entry, page[:there])
            due += there
            if there < len(page):
                raise self._missing(due)
        if end is not None and due < min(end, self.size()):
            raise self._missing(due)

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """The numbers of those ids that are in the log."""
        found: dict[str, int] = {}
        for start in range(0, len(ids), 500):
            part = list(ids[start : start + 500])
            places = ",".join("?" * len(part))
            found.update(self._db.rows(f"SELECT id, seq FROM fact WHERE id IN ({places})", part))  # noqa: S608 - marks
        return found

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Hashes of full subtrees."""
        if level:
            query = "SELECT hash FROM node WHERE level = :level AND idx >= :first AND idx < :end ORDER BY idx"
            rows = self._db.rows(query, {"level": level, "first": first, "end": first + count})
        else:
            rows = self._db.rows(
                "SELECT leaf FROM fact WHERE seq >= ? AND seq < ? ORDER BY seq", (first, first + count)
            )
        return [found for (found,) in rows]

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Every signed checkpoint, by size."""
        rows = self._db.rows("SELECT size, note FROM checkpoint ORDER BY size")
        return ((self._whole(size), self._text(note)) for size, note in rows)

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint."""
        row = self._db.row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return self._text(row[0]) if row else None

    def cosigned(self) -> str | None:
        """The newest checkpoint with cosignatures."""
        query = (
            "SELECT note FROM cosigned WHERE size <= (SELECT max(size) FROM checkpoint) "
            "ORDER BY size DESC, number DESC LIMIT 1"
        )
        row = self._db.row(query)
        return self._text(row[0]) if row else None

    def all_cosigned(self) -> Iterator[tuple[int, str]]:
        """Every checkpoint with cosignatures, as they were kept."""
        rows = self._db.rows("SELECT size, note FROM cosigned ORDER BY number")
        return ((self._whole(size), self._text(note)) for size, note in rows)

    def keep_cosigned(self, size: int, note: str) -> None:
        """Keep a checkpoint with cosignatures."""
        self._db.run("INSERT INTO cosigned (size, note) VALUES (?, ?)", (size, note))

    def append(self, entries: Sequence[EntryRow], nodes: Sequence[Node]) -> None:
        """Add entries, and the subtrees that they fill."""
        self._db.run_many("INSERT INTO fact (seq, id, leaf, data) VALUES (?, ?, ?, ?)", entries)
        if nodes:
            self._db.run_many("INSERT INTO node VALUES (?, ?, ?)", nodes)

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint."""
        self._db.run("INSERT INTO checkpoint VALUES (?, ?)", (size, note))

    # -- texts, people ---------------------------------------------------------------------------------------------

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash."""
        row = self._db.row("SELECT data FROM blob WHERE sha256 = ?", (name,))
        return row[0] if row else None

    def blob_names(self) -> Iterator[str]:
        """The hashes of all kept texts."""
        return (name for (name,) in self._db.rows("SELECT sha256 FROM blob ORDER BY sha256"))

    def put_blob(self, name: str, data: bytes) -> None:
        """Keep a text under its hash."""
        self._db.run("INSERT OR IGNORE INTO blob VALUES (?, ?)", (name, data))

    def put_person(self, maker: str, salt: str, details: str, *, waiting: bool = False) -> None:
        """Keep personal details outside the log."""
        self._people.put(maker, salt, details, waiting=waiting)

    def person(self, maker: str, *, waiting: bool = False) -> tuple[str, str] | None:
        """(salt, details) of a maker."""
        return self._people.get(maker, waiting=waiting)

    def adopt_person(self, maker: str) -> bool:
        """Put details that wait in the place of those before."""
        return self._people.adopt(maker)

    def forget_person(self, maker: str, *, only_waiting: bool = False) -> bool:
        """Delete a maker's details."""
        return self._people.forget(maker, only_waiting=only_waiting)

    def people(self) -> Iterator[PersonRow]:
        """Everybody's details."""
        return self._people.all()

    # -- the views -------------------------------------------------------------------------------------------------

    def viewed(self) -> int:
        """How many facts the kept views have seen."""
        return self._whole(self._one("SELECT size FROM viewed")[0])

    def view_row(self, table: str, key: str) -> bytes | None:
        """A row of a view."""
        row = self._db.row("SELECT row FROM view WHERE tbl = ? AND key = ?", (table, key))
        return row[0] if row else None

    def view_rows(self, table: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Rows whose key begins so, in order."""
        # UTF-8 sorts as code points do.
        query, values = "SELECT key, row FROM view WHERE tbl = ? AND key >= ?", [table, prefix]
        if (end := behind(prefix)) is not None:
            query, values = query + " AND key < ?", [*values, end]
        return ((key, row) for key, row in self._db.rows(query + " ORDER BY key", values))

    def view_names(self) -> list[str]:
        """The tables of which rows are kept."""
        return [name for (name,) in self._db.rows("SELECT DISTINCT tbl FROM view ORDER BY tbl")]

    def touches(self, name: str | None = None) -> Iterator[TouchRow]:
        """The rows of the index."""
        if name is None:
            rows = self._db.rows("SELECT ref, first, seqs FROM touch ORDER BY ref, first")
        else:
            rows = self._db.rows("SELECT ref, first, seqs FROM touch WHERE ref = ? ORDER BY first", (name,))
        return ((ref, first, seqs) for ref, first, seqs in rows)

    def postings(self, seq: int | None = None) -> Iterator[PostingRow]:
        """The row in which a fact's postings stand; all when none is named."""
        if seq is None:
            rows = self._db.rows("SELECT first, bookings FROM posting ORDER BY first")
        else:
            query = "SELECT first, bookings FROM posting WHERE first <= ? ORDER BY first DESC LIMIT 1"
            rows = self._db.rows(query, (seq,))
        return ((first, bookings) for first, bookings in rows)

    def keep_views(
        self, rows: Iterable[ViewRow], touches: Iterable[TouchRow], postings: Iterable[PostingRow], viewed: int
    ) -> None:
        """Extend the kept views."""
        self._db.run_many("INSERT OR REPLACE INTO view VALUES (?, ?, ?)", rows)
        self._db.run_many("INSERT INTO touch VALUES (?, ?, ?)", touches)
        self._db.run_many("INSERT INTO posting VALUES (?, ?)", postings)
        self._db.run("UPDATE viewed SET size = ?", (viewed,))

    def drop_views(self) -> None:
        """Throw the kept views away."""
        for name in ("view", "touch", "posting"):
            self._db.run(f"DELETE FROM {name}")  # noqa: S608 - fixed names
        self._db.run("UPDATE viewed SET size = 0")

    # -- the whole -------------------------------------------------------------------------------------------------

    def writing(self) -> AbstractContextManager[None]:
        """One transaction, alone."""
        return self._db.writing()

    def reading(self) -> AbstractContextManager[None]:
        """One unchanging sight."""
        return self._db.reading()

    def flaws(self) -> list[str]:
        """What SQLite itself finds wrong with the files."""
        rows = [str(row[0]) for row in self._db.rows("PRAGMA integrity_check(10)")]
        return ([] if rows == ["ok"] else rows) + self._people.flaws()

    def unguarded(self) -> list[str]:
        """Tables and triggers that are not those of a book."""
        query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        here = set(self._db.rows(query))
        with closing(sqlite3.connect(":memory:")) as fresh:
            fresh.executescript(_sql("schema.sql"))
            due = set(fresh.execute(query))
        wrong = [f"the {kind} {name} is not as a book has it" for kind, name, _ in sorted(here ^ due, key=str)]
        return wrong + self._people.unguarded()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        self._people.close()

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._db.row(query)
        if row is None:
            raise DamagedBookError(self.place, "has lost a row that every book has", BACKUP)
        return row

    def _whole(self, found: object) -> int:
        if not isinstance(found, int):
            raise DamagedBookError(self.place, f"holds {found!r} where a number belongs", BACKUP)
        return found

    def _missing(self, seq: int) -> DamagedBookError:
        return DamagedBookError(f"{self.place}, fact {seq},", "is missing", BACKUP)

    def _text(self, found: object) -> str:
        if not isinstance(found, str):
            raise DamagedBookError(self.place, f"holds {str(found)[:40]!r} where a text belongs", BACKUP)
        return found

    # -- birth and growth ------------------------------------------------------------------------------------------

    def _create(self, settings: dict[str, str]) -> None:
        with self.writing():
            self._db.run_all(_sql("schema.sql"))
            for key, value in settings.items():
                self.put_meta(key, value)

    def _migrate(self) -> None:
        """Bring an older book to this schema, a version at a time, each in one transaction."""
        book = f"the book {self.place}"
        if self.meta("schema") == "1":
            try:
                self._migrate_1()
            except BookPlaceError as error:
                reason = f"has the schema of version 0.1, and cannot be brought to today's: {error.reason}"
                raise BookPlaceError(book, reason, "open it once where it may be written") from None
        version = self.meta("schema")
        if version is None:
            raise BookPlaceError(book, "was never finished", "take it away, and make it again: gongfen init")
        if version != SCHEMA_VERSION:
            raise BookPlaceError(book, f"has schema {version}", "open it with the gongfen that wrote it")

    def _migrate_1(self) -> None:
        # People's details were in this file. They leave it in a transaction of their own, and the file is written anew
        # without them before anything says that the book is of the new schema: whoever is killed in between does it
        # again. What is deleted is overwritten too, where SQLite can do that.
        self._db.run("PRAGMA secure_delete = ON")
        with self.writing():
            if self.meta("schema") != "1":
                return  # another program was quicker
            for maker, salt, details in self._db.rows("SELECT maker, salt, details FROM person"):
                self.put_person(maker, salt, details)
            self._db.run("DELETE FROM person")
        self._db.run("VACUUM")
        self._empty_log()
        with self.writing():
            if self.meta("schema") == "1":
                self._db.run_all(_sql("migrate_1.sql"))
        self._db.run("PRAGMA secure_delete = OFF")

    def _empty_log(self) -> None:
        """Write everything into the file, and empty the write-ahead log; raises BookPlaceError if that fails."""
        for _ in range(CHECKPOINT_TRIES):
            if not self._one("PRAGMA wal_checkpoint(TRUNCATE)")[0]:
                return
            # SQLite waits for readers, but not for others who do the same.
            time.sleep(timedelta(milliseconds=CHECKPOINT_PAUSE_MS).total_seconds())
        raise BookPlaceError(self.place, "is open elsewhere", "close it there, and open it here again")


def _sql(name: str) -> str:
    return files("gongfen.storage").joinpath(name).read_text(encoding="utf-8")


def create_store(path: Path, settings: dict[str, str]) -> SqliteStore:
    """A new, empty book file with its settings. Raises BookPlaceError if one is there."""
    try:
        path.touch(0o644, exist_ok=False)
    except FileExistsError:
        raise BookPlaceError(str(path), "is already there", "open it, or choose another place with --book") from None
    except (FileNotFoundError, NotADirectoryError):
        remedy = "make it first, or choose another place with --book"
        raise BookPlaceError(str(path.parent), "is not a folder", remedy) from None
    except OSError as error:
        remedy = "choose another place with --book"
        raise BookPlaceError(str(path), f"cannot be made: {error.strerror}", remedy) from None
    try:
        store = SqliteStore(path)
        with _closed_if_it_fails(store):
            store._create(settings | {"schema": SCHEMA_VERSION})  # noqa: SLF001 - its own module
    except BaseException:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        raise
    return store


def open_store(path: Path) -> SqliteStore:
    """A book file that is there. Raises BookPlaceError or DamagedBookError."""
    try:
        there = path.is_file()
    except OSError as error:
        remedy = "check the rights of its folder"
        raise BookPlaceError(f"the book {path}", f"cannot be reached: {error.strerror}", remedy) from None
    if not there:
        raise BookPlaceError(f"the book {path}", "is not there", "make one: gongfen init, or name another: --book PATH")
    store = SqliteStore(path)
    with _closed_if_it_fails(store):
        store._migrate()  # noqa: SLF001 - its own module
    return store


@contextmanager
def _closed_if_it_fails(store: SqliteStore) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise

"""A book in a PostgreSQL database, for many writers: :class:`gongfen.storage.store.Store` on a server.

One schema of one database is one book. Whoever writes holds a lock until the transaction ends, so numbers have no gaps
and the tree has one right edge. Answers are read within one snapshot.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice
from typing import Any, TypeVar

from gongfen.errors import BookPlaceError, DamagedBookError, GongfenError
from gongfen.storage.address import DEFAULT_SCHEMA, Address
from gongfen.storage.connection import BACKUP
from gongfen.storage.postgres_guards import SCHEMA, unguarded
from gongfen.storage.postgres_inbox import Inbox, ticket_of
from gongfen.storage.postgres_link import BUSY_S, Link
from gongfen.storage.store import Entry, EntryRow, Node, PersonRow, PostingRow, TouchRow, ViewRow, behind

SCHEMA_VERSION = "3"
PAGE, LARGE_PAGE = 1_000, 32
"""Rows that are fetched together, and those that hold what some hundred facts booked."""
FEW = 64
"""So many rows are quicker inserted than copied."""
_KEYS = {
    "fact": "seq",
    "node": "level, idx",
    "checkpoint": "size",
    "cosigned": "number",
    "blob": "sha256",
    "view": "tbl, key",
    "touch": "ref, first",
    "posting": "first",
}
"""The primary key of each table."""
_GLANCE = "SELECT ARRAY(SELECT seq FROM fact ORDER BY seq DESC LIMIT 2), (SELECT size FROM viewed)"
_FOREVER = 2**62
Row = TypeVar("Row")


class PostgresStore:
    """One book's bytes. Opened by :func:`create_store` and :func:`open_store`."""

    def __init__(self, address: Address) -> None:
        self._db = Link(address)
        self._people = Link(address)
        """Personal details are written at once, and deleted for good: not with the open transaction."""
        self.inbox = Inbox(self._db)
        self._asked: set[str] = set()
        self._found: dict[str, int] = {}
        """Ids that were looked up when the transaction began, and the numbers of those that are in the log by now."""
        self._glance: tuple[int, int] | None = None
        """(size, viewed), within a transaction: nobody else changes them for us."""

    @property
    def place(self) -> str:
        """The address, without its password."""
        return self._db.place

    # -- the journal -----------------------------------------------------------------------------------------------

    def size(self) -> int:
        """How many entries there are."""
        return self._look()[0]

    def viewed(self) -> int:
        """How many facts the kept views have seen."""
        return self._look()[1]

    def _look(self) -> tuple[int, int]:
        if self._glance is not None and self._db.in_transaction:
            return self._glance
        found = self._seen(*self._db.row(_GLANCE))
        if self._db.in_transaction:
            self._glance = found
        return found

    def _seen(self, last: Sequence[int], viewed: int | None) -> tuple[int, int]:
        if viewed is None:
            raise DamagedBookError(self.place, "has lost a row that every book has", BACKUP)
        if last and last[0] != (last[1] if last[1:] else -1) + 1:
            raise self._missing(last[0] - 1)
        return (last[0] + 1 if last else 0), viewed

    def meta(self, key: str) -> str | None:
        """A setting of the book."""
        row = self._db.row("SELECT value FROM meta WHERE key = $1", key)
        return row[0] if row else None

    def put_meta(self, key: str, value: str) -> None:
        """Set it."""
        self._db.later(
            "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value
        )

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Entry]:
        """Entries in their order."""
        if self._db.in_transaction and start >= self.size():
            return
        query = "SELECT seq, id, leaf, data FROM fact WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3"
        due, last = start, _FOREVER if end is None else end
        while due < last:
            page = self._db.rows(query, due, last, PAGE)
            for seq, fact_id, leaf, data in page:
                if seq != due:
                    raise self._missing(due)
                yield Entry(seq, self._text(fact_id), leaf, data)
                due += 1
            if len(page) < PAGE:
                break
        if end is not None and due < min(end, self.size()):
            raise self._missing(due)

    def find(self, ids: Sequence[str]) -> dict[str, int]:
        """The numbers of those ids that are in the log."""
        if self._db.in_transaction and self._asked.issuperset(ids):
            return {fact_id: self._found[fact_id] for fact_id in ids if fact_id in self._found}
        query = "SELECT id, seq FROM fact WHERE id = ANY($1::bytea[])"
        return {self._text(found): seq for found, seq in self._db.rows(query, [fact_id.encode() for fact_id in ids])}

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Hashes of full subtrees."""
        if level:
            query = "SELECT hash FROM node WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx"
            rows = self._db.rows(query, level, first, first + count)
        else:
            query = "SELECT leaf FROM fact WHERE seq >= $1 AND seq < $2 ORDER BY seq"
            rows = self._db.rows(query, first, first + count)
        return [found for (found,) in rows]

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Every signed checkpoint, by size."""
        return ((size, note) for size, note in self._pages("SELECT size, note FROM checkpoint", "size", "bigint", -1))

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint."""
        row = self._db.row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return row[0] if row else None

    def cosigned(self) -> str | None:
        """The newest checkpoint with cosignatures."""
        query = (
            "SELECT note FROM cosigned WHERE size <= (SELECT max(size) FROM checkpoint) "
            "ORDER BY size DESC, number DESC LIMIT 1"
        )
        row = self._db.row(query)
        return row[0] if row else None

    def all_cosigned(self) -> Iterator[tuple[int, str]]:
        """Every checkpoint with cosignatures, as they were kept."""
        rows = self._pages("SELECT number, size, note FROM cosigned", "number", "bigint", -1)
        return ((size, note) for _, size, note in rows)

    def keep_cosigned(self, size: int, note: str) -> None:
        """Keep a checkpoint with cosignatures."""
        self._db.later("INSERT INTO cosigned (size, note) VALUES ($1, $2)", size, note)

    def append(self, entries: Sequence[EntryRow], nodes: Sequence[Node]) -> None:
        """Add entries, and the subtrees that they fill."""
        self._db.unsent.entries += [(seq, fact_id.encode(), leaf, data) for seq, fact_id, leaf, data in entries]
        self._db.unsent.nodes += nodes
        if entries and self._glance:
            self._glance = (entries[-1][0] + 1, self._glance[1])
            self._found.update((fact_id, seq) for seq, fact_id, _, _ in entries)

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint."""
        self._db.unsent.checkpoints.append((size, note))

    # -- texts, people ---------------------------------------------------------------------------------------------

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash."""
        row = self._db.row("SELECT data FROM blob WHERE sha256 = $1", name)
        return row[0] if row else None

    def blob_names(self) -> Iterator[str]:
        """The hashes of all kept texts."""
        return (name for (name,) in self._pages("SELECT sha256 FROM blob", "sha256", "text", ""))

    def put_blob(self, name: str, data: bytes) -> None:
        """Keep a text under its hash."""
        self._db.later("INSERT INTO blob VALUES ($1, $2) ON CONFLICT DO NOTHING", name, data)

    def put_person(self, maker: str, salt: str, details: str, *, waiting: bool = False) -> None:
        """Keep personal details outside the log, at once."""
        query = (
            "INSERT INTO person VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (maker, waiting) DO UPDATE SET salt = $2, details = $3"
        )
        self._people.run(query, maker.encode(), salt, details.encode(), waiting)

    def person(self, maker: str, *, waiting: bool = False) -> tuple[str, str] | None:
        """(salt, details) of a maker."""
        query = "SELECT salt, details FROM person WHERE maker = $1 AND waiting = $2"
        row = self._people.row(query, maker.encode(), waiting)
        return (row[0], self._text(row[1])) if row else None

    def adopt_person(self, maker: str) -> bool:
        """Put details that wait in the place of those before, at once."""
        return bool(self._people.change("SELECT adopt_person($1)", maker.encode())[0])

    def forget_person(self, maker: str, *, only_waiting: bool = False) -> bool:
        """Delete a maker's details at once, and write the table anew without them."""
        return bool(self._people.change("SELECT forget_person($1, $2)", maker.encode(), only_waiting)[0])

    def people(self) -> Iterator[PersonRow]:
        """Everybody's details."""
        query = (
            "SELECT maker, salt, details, waiting FROM person "
            "WHERE $1::bytea IS NULL OR (maker, waiting) > ($1, $2) ORDER BY maker, waiting LIMIT $3"
        )
        last: tuple[bytes | None, bool] = None, False
        while page := self._people.rows(query, *last, PAGE):
            for maker, salt, details, waiting in page:
                yield self._text(maker), salt, self._text(details), waiting
            last = page[-1][0], page[-1][3]

    # -- the views -------------------------------------------------------------------------------------------------

    def view_row(self, table: str, key: str) -> bytes | None:
        """A row of a view."""
        row = self._db.row("SELECT data FROM view WHERE tbl = $1 AND key = $2", table, key.encode())
        return row[0] if row else None

    def view_rows(self, table: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Rows whose key begins so, in order."""
        end = behind(prefix)
        query = (
            "SELECT key, data FROM view WHERE tbl = $1 AND key >= $2 AND ($3::bytea IS NULL OR key < $3) "
            "ORDER BY key LIMIT $4"
        )
        first, last = prefix.encode(), None if end is None else end.encode()
        while True:
            page = self._db.rows(query, table, first, last, PAGE)
            for key, data in page:
                yield self._text(key), data
            if len(page) < PAGE:
                return
            first = page[-1][0] + b"\0"  # the least key behind it

    def view_names(self) -> list[str]:
        """The tables of which rows are kept."""
        return [name for (name,) in self._db.rows("SELECT DISTINCT tbl FROM view ORDER BY tbl")]

    def touches(self, name: str | None = None) -> Iterator[TouchRow]:
        """The rows of the index."""
        if name is not None:
            rows = self._db.rows("SELECT first, seqs FROM touch WHERE ref = $1 ORDER BY first", name.encode())
            yield from ((name, first, seqs) for first, seqs in rows)
            return
        query = "SELECT ref, first, seqs FROM touch WHERE (ref, first) > ($1, $2) ORDER BY ref, first LIMIT $3"
        behind_ref, behind_first = b"", -1
        while page := self._db.rows(query, behind_ref, behind_first, PAGE):
            for ref, first, seqs in page:
                yield self._text(ref), first, seqs
            behind_ref, behind_first = page[-1][:2]

    def postings(self, seq: int | None = None) -> Iterator[PostingRow]:
        """The row in which a fact's postings stand; all when none is named."""
        if seq is None:
            rows: Iterable[Any] = self._pages("SELECT first, bookings FROM posting", "first", "bigint", -1, LARGE_PAGE)
        else:
            query = "SELECT first, bookings FROM posting WHERE first <= $1 ORDER BY first DESC LIMIT 1"
            rows = self._db.rows(query, seq)
        return ((first, bookings) for first, bookings in rows)

    def keep_views(
        self, rows: Iterable[ViewRow], touches: Iterable[TouchRow], postings: Iterable[PostingRow], viewed: int
    ) -> None:
        """Extend the kept views."""
        query = (
            "INSERT INTO view SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[]) "
            "ON CONFLICT (tbl, key) DO UPDATE SET data = excluded.data"
        )
        for part in _parts(rows):
            newest = {(table, key): data for table, key, data in part}
            tables, keys = [table for table, _ in newest], [key.encode() for _, key in newest]
            self._db.later(query, tables, keys, list(newest.values()))
        for touched in _parts(touches):
            coded = [(name.encode(), first, seqs) for name, first, seqs in touched]
            self._add("touch", ("ref", "first", "seqs"), ("bytea", "bigint", "bytea"), coded)
        for posted in _parts(postings):
            self._add("posting", ("first", "bookings"), ("bigint", "bytea"), posted)
        self._saw(viewed)

    def drop_views(self) -> None:
        """Throw the kept views away."""
        for name in ("view", "touch", "posting"):
            self._db.later(f"DELETE FROM {name}")  # noqa: S608 - fixed names
        self._saw(0)

    def _saw(self, viewed: int) -> None:
        self._db.later("UPDATE viewed SET size = $1", viewed)
        if self._glance:
            self._glance = (self._glance[0], viewed)

    # -- the whole -------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, alone."""
        self._take_pen(0, (), wait=True)
        with self._ending():
            yield

    @contextmanager
    def writing_at_once(self, most_bytes: int, ids: Sequence[str]) -> Iterator[list[tuple[str, bytes]] | None]:
        """The same, if nobody else writes: (ticket, batch) of what waits in the inbox, the oldest first.

        ``None``: somebody writes, and nothing may be written within. ``most_bytes``: about so much is read. ``ids``: of
        what one wants to write oneself; they are looked up with the others.
        """
        waiting = self._take_pen(most_bytes, ids, wait=False)
        with self._ending():
            yield waiting

    def _take_pen(self, most_bytes: int, ids: Sequence[str], *, wait: bool) -> list[tuple[str, bytes]] | None:
        how = f"BEGIN; SET LOCAL lock_timeout = '{BUSY_S}s'" if wait else "BEGIN"
        query, own = "SELECT * FROM take_pen($1, $2, $3)", [fact_id.encode() for fact_id in ids]
        free, last, viewed, tickets, batches, asked, *found = self._db.begin(how, query, wait, most_bytes, own)
        try:
            self._glance = self._seen(last, viewed) if free else None
            self._asked = {self._text(fact_id) for fact_id in asked or ()}
            self._found = {
                self._text(fact_id): seq for fact_id, seq in zip(found[0] or (), found[1] or (), strict=True)
            }
        except BaseException:
            self._db.roll_back()
            raise
        waiting = zip(tickets or (), batches or (), strict=True)
        return [(ticket_of(number, batch), batch) for number, batch in waiting] if free else None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One unchanging sight."""
        if self._db.in_transaction:
            yield
            return
        last, viewed = self._db.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", _GLANCE)
        with self._ending():
            self._glance = self._seen(last, viewed)
            yield

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
            self._db.commit()
        except BaseException:
            self._db.roll_back()
            raise
        finally:
            self._glance, self._asked, self._found = None, set(), {}

    def unguarded(self) -> list[str]:
        """Guards of the log that are gone, off or of another make, and what could act beside them."""
        return unguarded(self._db)

    def flaws(self) -> list[str]:
        """What the server finds wrong when it reads every page, and every primary key, of the book's tables."""
        found: list[str] = []
        scans = "; ".join(f"SET LOCAL enable_{how} = {{}}" for how in ("indexscan", "indexonlyscan", "bitmapscan"))
        for name, key in _KEYS.items():
            try:
                with self.reading():
                    self._db.run(scans.format("off", "off", "off"))
                    (rows,) = self._db.row(f"SELECT count(*) FROM {name}")  # noqa: S608 - fixed names
                    self._db.run(f"SET LOCAL enable_seqscan = off; {scans.format('on', 'on', 'off')}")
                    query = f"SELECT count(*) FROM (SELECT {key} FROM {name} ORDER BY {key} OFFSET 0) AS keys"  # noqa: S608 - fixed names
                    (keys,) = self._db.row(query)
                if rows != keys:
                    found.append(f"table {name} has {rows} rows, and its index {keys}")
            except DamagedBookError as error:
                found.append(f"table {name} {error.reason}")
        return found

    def close(self) -> None:
        """Let go of the server."""
        self._db.close()
        self._people.close()

    # -- rows ------------------------------------------------------------------------------------------------------

    def _text(self, coded: bytes) -> str:
        try:
            return coded.decode()
        except UnicodeDecodeError:
            raise DamagedBookError(self.place, f"holds a name that is no text: {coded[:40]!r}", BACKUP) from None

    def _missing(self, seq: int) -> DamagedBookError:
        return DamagedBookError(f"{self.place}, fact {seq},", "is missing", BACKUP)

    def _add(self, table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        if len(rows) > FEW:
            self._db.copy_later(table, columns, rows)
        elif rows:
            places = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
            query = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({places})"  # noqa: S608 - fixed names
            self._db.later(query, *(list(column) for column in zip(*rows, strict=True)))

    def _pages(self, query: str, key: str, kind: str, least: object, most: int = PAGE) -> Iterator[Any]:
        """All rows behind ``least`` by their first column, which is their key."""
        query = f"{query} WHERE {key} > $1::{kind} ORDER BY {key} LIMIT {most}"
        while page := self._db.rows(query, least):
            yield from page
            if len(page) < most:
                return
            least = page[-1][0]

    # -- birth and growth ------------------------------------------------------------------------------------------

    def _create(self, address: Address, settings: dict[str, str]) -> None:
        if address.schema != DEFAULT_SCHEMA:
            self._db.run(f'CREATE SCHEMA IF NOT EXISTS "{address.schema}"')
            self._db.close()  # the schema's number is asked for when connecting
        query = "SELECT to_regclass('fact') IS NOT NULL OR to_regclass('meta') IS NOT NULL"
        self._db.begin("BEGIN", "SELECT pg_advisory_xact_lock(1198485095)")  # two may want to make it
        with self._ending():
            (there,) = self._db.row(query)
            if there:
                raise BookPlaceError(self.place, "is already there", "open it, or choose another place with --book")
            self._db.run(SCHEMA)
            for key, value in settings.items():
                self.put_meta(key, value)

    def _migrate(self) -> None:
        """Bring an older book to this schema, in one transaction; its owner may do that."""
        book = f"the book {self.place}"
        version = self.meta("schema")
        if version == "2":
            try:
                self._db.begin("BEGIN", "SELECT pg_advisory_xact_lock(1198485095)")
                with self._ending():
                    if self.meta("schema") == "2":  # nobody else was quicker
                        self._db.run(files("gongfen.storage").joinpath("migrate_postgres_2.sql").read_text("utf-8"))
            except BookPlaceError as error:
                reason = f"has an older schema, and cannot be brought to today's: {error.reason}"
                raise BookPlaceError(book, reason, "open it once as its owner, who may change its tables") from None
            version = self.meta("schema")
        if version != SCHEMA_VERSION:
            raise BookPlaceError(book, f"has schema {version}", "open it with the gongfen that wrote it")


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while part := list(islice(source, PAGE)):
        yield part


def create_store(address: Address, settings: dict[str, str]) -> PostgresStore:
    """A new, empty book with its settings. Raises BookPlaceError if one is there."""
    store = PostgresStore(address)
    try:
        store._create(address, settings | {"schema": SCHEMA_VERSION})  # noqa: SLF001 - its own module
    except GongfenError:
        store.close()
        raise
    return store


def open_store(address: Address) -> PostgresStore:
    """A book that is there. Raises BookPlaceError or DamagedBookError."""
    store = PostgresStore(address)
    try:
        store._migrate()  # noqa: SLF001 - its own module
    except GongfenError:
        store.close()
        raise
    return store

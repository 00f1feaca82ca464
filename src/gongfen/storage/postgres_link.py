"""A connection to a PostgreSQL server whose errors are named: away, refused, full, lost — never a bare traceback.

The driver is asynchronous; a book is not. Each connection has an event loop of its own, which runs while the book waits
for the server. Handing each question to a thread in the background would take twice as long.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg

from gongfen.errors import BookPlaceError, DamagedBookError
from gongfen.storage.address import Address
from gongfen.storage.connection import BACKUP

Answer = TypeVar("Answer")
Work = Callable[[Any], Coroutine[Any, Any, Any]]
CONNECT_S = 20
"""Seconds to wait for a server that does not answer."""
BUSY_S = 30
"""Seconds to wait for another writer, as with SQLite."""
MOST_QUEUED = 50
"""Statements that wait to be sent together."""
LOST = "was lost"
_LOST_CODES = ("08", "57P01", "57P02", "57P05")
_NAMED = {
    "28": ("refuses this user or password", "check both in the address, or set PGUSER and PGPASSWORD"),
    "3D": ("is not there: no such database", "make it on the server: createdb NAME"),
    "53": ("has no room or no free place: {said}", "make room on the server, or ask again later"),
    "57P03": ("is starting or stopping", "ask again in a moment"),
    "25006": ("can only be read: {said}", "connect to the server that is written to"),
    "42501": ("is not this user's to use: {said}", "ask its owner for the rights: docs/how-to/use-postgresql.md"),
    "55P03": ("is busy: another program writes", "ask again when it is done"),
    "57014": ("took too long and was stopped by the server", "ask again"),
    "40": ("could not do two things at once: {said}", "ask again"),
    "58030": ("cannot be used: {said}", "check the server's disk"),
    "42P01": ("is a database, but not a book", "make one: gongfen init, or name another: --book ADDRESS"),
    "3F": ("is a database, but not a book", "make one: gongfen init, or name another: --book ADDRESS"),
}
"""SQLSTATE or its beginning → (reason, remedy) of what lies outside the book."""


class LostError(BookPlaceError):
    """The connection ended: what was not confirmed is not known to be written."""

    left = "whether it was written is not known: repeat it under the same id"


@contextmanager
def named_errors(place: str) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except asyncpg.DataError as error:
        raise DamagedBookError(place, f"was asked for what no book holds: {error}", BACKUP) from None
    except asyncpg.PostgresError as error:
        raise _named(place, error) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError) as error:
        raise LostError(place, f"{LOST}: {error}", "repeat it: the connection is made again") from None


def _named(place: str, error: asyncpg.PostgresError) -> BookPlaceError | DamagedBookError:
    code, said = error.sqlstate or "", str(error).splitlines()[0] if str(error) else type(error).__name__
    if code.startswith(_LOST_CODES):
        return LostError(place, f"{LOST}: {said}", "repeat it: the connection is made again")
    for length in (5, 2):
        if found := _NAMED.get(code[:length]):
            return BookPlaceError(place, found[0].format(said=said), found[1])
    return DamagedBookError(place, f"cannot be read or written: {said}", BACKUP)


class Unsent:
    """What the open transaction adds to the log, and has not sent yet: it goes with the next query, all in one."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, bytes, bytes, bytes]] = []
        """(number, id, leaf, data)."""
        self.nodes: list[tuple[int, int, bytes]] = []
        """(level, index, hash)."""
        self.checkpoints: list[tuple[int, str]] = []
        """(size, note)."""
        self.done: list[int] = []
        """Tickets in the inbox."""
        self.calls: list[str] = []
        """What is called out to those who wait."""

    def take(self) -> Work | None:
        """The statement that writes it; it is forgotten here."""
        parts = (self.entries, 4), (self.nodes, 3), (self.checkpoints, 2), (self.done, 0), (self.calls, 0)
        if not any(rows for rows, _ in parts):
            return None
        values: list[list[Any]] = []
        for rows, width in parts:
            if width:
                values += ([list(column) for column in zip(*rows, strict=True)]) or [[] for _ in range(width)]
            else:
                values.append(list(rows))
            rows.clear()
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        return lambda db: db.execute(f"SELECT write_log({places})", *values)


class Link:
    """Queries against one schema of one database. It connects when it is first used, and again when it was lost."""

    def __init__(self, address: Address) -> None:
        self.place = str(address)
        self._address = address
        self._db: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began = False
        self._queue: list[Work] = []
        self.unsent = Unsent()
        self._heard: Callable[[str], None] | None = None
        self._called: asyncio.Future[None] | None = None
        self.number = 0
        """The schema's number in its database: what its lock and its channel are called by."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._began

    # -- queries ---------------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[Any]:
        """All rows of an answer that is not large."""
        found: list[Any] = self._do(lambda db: db.fetch(query, *values), again=True)
        return found

    def row(self, query: str, *values: object) -> Any:  # noqa: ANN401 - a row of any shape, or None
        """The first row."""
        return self._do(lambda db: db.fetchrow(query, *values), again=True)

    def later(self, query: str, *values: object) -> None:
        """A statement whose answer nobody needs: at the latest before the next query, or with the commit.

        Outside a transaction it is run at once.
        """
        self._later(lambda db: db.execute(query, *values))

    def copy_later(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows to a table, likewise."""
        self._later(lambda db: db.copy_records_to_table(table, records=rows, columns=columns))

    def run(self, query: str, *values: object) -> str:
        """One statement; what it did, in the server's words."""
        done: str = self._do(lambda db: db.execute(query, *values))
        return done

    def change(self, query: str, *values: object) -> Any:  # noqa: ANN401 - a row of any shape, or None
        """One statement that changes something and answers with a row. Not asked twice when the connection is lost."""
        return self._do(lambda db: db.fetchrow(query, *values))

    # -- transactions ----------------------------------------------------------------------------------------------

    def begin(self, how: str, query: str, *values: object) -> Any:  # noqa: ANN401 - a row of any shape
        """Open a transaction by statements and a first query, whose first row comes back.

        It is asked once more if the connection turns out to be lost.
        """
        assert not self._began, "one transaction at a time"

        async def work(db: Any) -> Any:  # noqa: ANN401 - see _connected
            await db.execute(how)
            return await db.fetchrow(query, *values)

        try:
            row = self._do(work, again=True)
        except BaseException:
            self._roll_back()
            raise
        self._began = True
        return row

    def commit(self) -> None:
        """Make it last. Raises BookPlaceError that says so when nobody can know whether it does."""
        try:
            done = self._do(lambda db: db.execute("COMMIT"))
        except LostError as error:
            reason = f"{error.reason}, while it confirmed what was written: whether it stands is not known"
            remedy = "repeat it with the same ids: what is there already is not written twice"
            raise LostError(self.place, reason, remedy) from None
        finally:
            self._began = False
        assert done == "COMMIT", "a transaction that failed was to be committed"

    def roll_back(self) -> None:
        """Undo it."""
        self._began = False
        self._forget()
        self._roll_back()

    def _forget(self) -> None:
        self._queue.clear()
        self.unsent = Unsent()

    def _roll_back(self) -> None:
        if self._db is not None and not self._db.is_closed():
            try:
                self._do(lambda db: db.execute("ROLLBACK"))
            except (BookPlaceError, DamagedBookError):
                self.close()  # the server rolls back what nobody holds on to

    # -- being called ----------------------------------------------------------------------------------------------

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with whatever this book's channel says, whenever the server is spoken to."""
        self._heard = heard
        self._do(lambda db: db.add_listener(self.channel, self._call), again=True)

    def wait(self, most_ms: int) -> None:
        """Wait until the channel says something, or so many milliseconds."""
        self._do(lambda _db: self._listened(most_ms), again=True)

    async def _listened(self, most_ms: int) -> None:
        loop = asyncio.get_running_loop()
        self._called = loop.create_future()
        end = loop.call_later(timedelta(milliseconds=most_ms).total_seconds(), _done, self._called)
        await self._called
        end.cancel()

    @property
    def channel(self) -> str:
        """The name under which this book's programs call each other."""
        return f"gongfen_{self.number}"

    def _call(self, _db: object, _process: int, _channel: str, said: str) -> None:
        if self._heard is not None:
            self._heard(said)
        if self._called is not None:
            _done(self._called)

    # -- the connection --------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the server."""
        db, loop, self._db, self._loop, self._began = self._db, self._loop, None, None, False
        self._forget()
        if loop is None:
            return
        if db is not None and not db.is_closed():
            _run(loop, _closed(db))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        _run(loop, asyncio.sleep(0))
        loop.close()

    def __del__(self) -> None:
        if self._db is not None:
            self._db.terminate()
        if self._loop is not None and not self._loop.is_running():
            self._loop.close()

    def _later(self, work: Work) -> None:
        if self._began and len(self._queue) < MOST_QUEUED:
            self._queue.append(work)
        else:
            self._do(work)

    def _do(self, work: Work, *, again: bool = False) -> Any:  # noqa: ANN401 - whatever the work gives
        """Work on the connection; ``again``: once more on a new one, if it was lost outside a transaction."""
        waiting = self._queue[:]
        self._queue.clear()
        if (writing := self.unsent.take()) is not None:
            waiting.append(writing)
        try:
            with named_errors(self.place):
                return self._ran(_one_by_one(self._connected(), waiting, work))
        except LostError:
            within, self._began = self._began, False
            self.close()
            if again and not within:
                with named_errors(self.place):
                    return self._ran(work(self._connected()))
            raise
        except (BookPlaceError, DamagedBookError):
            raise
        except BaseException:
            self.close()  # broken off in the middle of an answer
            raise

    def _ran(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return _run(self._loop, work)

    def _connected(self) -> Any:  # noqa: ANN401 - the driver's types do not fit its own functions
        if self._db is not None and not self._db.is_closed():
            return self._db
        if self._began:
            raise LostError(self.place, f"{LOST} within a transaction", "repeat it: nothing of it was written")
        self.close()
        try:
            self._db = self._ran(self._connect())
        except (OSError, TimeoutError, ValueError, asyncpg.InterfaceError) as error:
            reason = f"cannot be reached: {_plain(error)}"
            raise BookPlaceError(self.place, reason, "start the server, and check host, port and network") from None
        return self._db

    async def _connect(self) -> Any:  # noqa: ANN401 - see above
        settings = {
            "application_name": "gongfen",
            "search_path": f'"{self._address.schema}"',
            "jit": "off",
            "tcp_keepalives_idle": "60",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "6",
        }
        db = await asyncpg.connect(self._address.url, timeout=CONNECT_S, server_settings=settings)
        try:
            query = "SELECT current_setting('synchronous_commit'), to_regnamespace($1)::oid::bigint"
            commit, number = await db.fetchrow(query, f'"{self._address.schema}"') or ("on", 0)
            if commit == "off":
                await db.execute("SET synchronous_commit = on")
            self.number = number or 0
            if self._heard is not None:
                await db.add_listener(self.channel, self._call)
        except BaseException:
            db.terminate()
            raise
        return db


async def _one_by_one(db: Any, waiting: list[Work], work: Work) -> Any:  # noqa: ANN401 - see above
    for step in waiting:
        await step(db)
    return await work(db)


async def _closed(db: Any) -> None:  # noqa: ANN401 - see above
    try:
        await asyncio.wait_for(db.close(), 5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        db.terminate()


def _plain(error: Exception) -> str:
    """What an error says, unless it might say the address with its password."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S} seconds"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "the address or the server's answer is not understood"


def _done(called: "asyncio.Future[None]") -> None:
    if not called.done():
        called.set_result(None)


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Answer]) -> Answer:
    """What the work gives. An asynchronous program waits too, as it does for a book in a file."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return loop.run_until_complete(work)
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(loop.run_until_complete, work).result()

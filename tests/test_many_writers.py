"""Writers who race, are refused, lose their connection or an answer: no gap, no duplicate, no broken tree."""

import asyncio
import multiprocessing
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book.recording import together
from gongfen.errors import BookPlaceError, DuplicateIdError, UnknownMakerError
from gongfen.facts import Fact
from tests.books import HASH
from tests.servers import Server

AT = "2026-11-22T04:17:24.000000Z"


def fact(name: str, body: Any) -> Fact:
    return Fact(id=name, at=AT, by="test", body=body)


def labour(maker: str = "ada") -> k.Labour:
    return k.Labour(
        maker=maker, work="poem", labour_kind=2, phase="training", standing="crowd", labour_us=1, day="2026-11-01"
    )


@pytest.fixture
def book(schema: str) -> Iterator[gongfen.Book]:
    with gongfen.create(schema, origin="example.org/x", by="test") as found:
        found.record(
            fact("ada", k.Enrol(maker="ada")),
            fact("poem", k.Work(work="poem", sha256=HASH, size_bytes=4, makers=(), source="t", licence="l")),
        )
        yield found


def together_do(*deeds: Callable[[], object]) -> list[object]:
    """Several things at the same time; what came of each, errors too."""

    def done(deed: Callable[[], object]) -> object:
        try:
            return deed()
        except Exception as error:  # noqa: BLE001 - whatever it is
            return error

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(done, deeds))


def holding(book: gongfen.Book, seconds: float, held: threading.Event | None = None) -> Callable[[], object]:
    """Hold the pen for a while, so that others leave their batches in the inbox."""

    def hold() -> None:
        with book.log.store.writing():
            if held is not None:
                held.set()
            time.sleep(seconds)

    return hold


# -- the inbox ---------------------------------------------------------------------------------------------------------


def test_who_holds_the_pen_writes_for_all_who_wait(schema: str, book: gongfen.Book) -> None:
    """Five batches, of which two are refused, each by itself and to its own writer; the rest in one transaction."""
    with ExitStack() as stack:
        books = [stack.enter_context(gongfen.open(schema, by="test")) for _ in range(5)]
        batches = [
            [fact("a1", labour()), fact("a2", labour())],
            [fact("b1", labour()), fact("b2", labour("nobody"))],
            [fact("c1", labour())],
            [fact("ada", k.Enrol(maker="somebody-else"))],
            [fact("ada", k.Enrol(maker="ada")), fact("d1", labour()), fact("ada", k.Enrol(maker="ada"))],
        ]
        found = together_do(holding(book, 0.5), *(lambda one=one, batch=batch: one.record(*batch) for one, batch in zip(books, batches, strict=True)))[1:]  # type: ignore[misc]  # fmt: skip
    assert isinstance(found[1], UnknownMakerError)
    assert str(found[1]).startswith("nobody is not enrolled; record:")
    assert isinstance(found[3], DuplicateIdError)
    numbers = {name: book.log.find(name) for name in ("a1", "a2", "b1", "b2", "c1", "d1")}
    assert found[0] == [numbers["a1"], numbers["a2"]]
    assert found[2] == [numbers["c1"]]
    assert found[4] == [0, numbers["d1"], 0]
    assert numbers["b1"] is numbers["b2"] is None
    assert book.verify().size == 6
    assert inbox_of(book) == 0


def inbox_of(book: gongfen.Book) -> int:
    store: Any = book.log.store
    (count,) = store._db.row("SELECT count(*) FROM inbox")
    return int(count)


def test_long_answers_and_texts_come_through(schema: str, book: gongfen.Book) -> None:
    """An answer with many separate numbers is too long to be called out; a long fact is kept by hash."""
    book.record(*(fact(f"x{n}", labour()) for n in range(400)))
    mixed = [fact(f"x{n}", labour()) for n in range(0, 400, 2)]
    long = fact("long", k.Enrol(maker="m" * 200))
    dataset = fact("set", k.Dataset(dataset="all", works=("poem",), root=HASH, licence="l" * 300))
    with gongfen.open(schema, by="test") as other:
        other.log._desk._led = False  # type: ignore[union-attr]
        found = together_do(
            holding(book, 0.3),
            lambda: other.log.record([*mixed, long, dataset], [b"a text"], together=True),
        )[1]
    assert found == [*range(2, 402, 2), 402, 403]
    assert book.log.blob(sha256(b"a text").hexdigest()) == b"a text"
    book.verify()


def test_a_batch_that_is_too_large_for_the_inbox_is_written_all_the_same(schema: str, book: gongfen.Book, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(together, "MOST_BYTES", 100)
    with gongfen.open(schema, by="test") as other:
        other.log._desk._led = False  # type: ignore[union-attr]
        assert other.record(fact("a", labour())) == [2]
    book.verify()


def test_an_inbox_that_a_crash_emptied_is_filled_again(server: Server, schema: str, book: gongfen.Book) -> None:
    """The server forgets what waits when it is killed; who waits posts it again."""
    database, _, name = schema.rpartition("/")[2].partition("?schema=")

    def empty() -> None:
        with book.log.store.writing():
            time.sleep(0.3)
            assert inbox_of(book) == 1
            server.sql(f"DELETE FROM {name}.inbox", database=database)  # noqa: S608 - a name of ours

    with gongfen.open(schema, by="test") as other:
        other.log._desk._led = False  # type: ignore[union-attr]
        assert together_do(empty, lambda: other.record(fact("a", labour())))[1] == [2]
    assert book.verify().size == 3


def test_the_answer_to_another_batch_of_the_same_number_is_not_taken_for_ones_own(
    server: Server, schema: str, book: gongfen.Book
) -> None:
    """A server that crashed numbers the inbox anew: who waits on would believe written what is lost."""
    database, _, name = schema.rpartition("/")[2].partition("?schema=")
    with gongfen.open(schema, by="test") as one, gongfen.open(schema, by="test") as two:
        stores: list[Any] = [opened.log.store for opened in (book, one, two)]
        desk, mine, theirs = (store.inbox for store in stores)
        ticket, _ = mine.post(b"mine", ["a"])
        number = ticket.partition(".")[0]
        server.sql(f"TRUNCATE {name}.inbox", database=database)
        server.sql(f"ALTER TABLE {name}.inbox ALTER COLUMN ticket RESTART WITH {number}", database=database)
        other, _ = theirs.post(b"theirs", ["b"])
        assert other.partition(".")[0] == number
        assert mine.look(ticket) == (False, None)
        assert not mine.withdraw(ticket)
        with stores[0].writing_at_once(1 << 20, ()) as waiting:
            assert waiting == [(other, b"theirs")]
            desk.answer({other: "[[[2, 1]]]"})
        assert theirs.wait(other, 5_000) == "[[[2, 1]]]"
        assert mine.wait(ticket, 200) is None
        assert mine.look(ticket) == (False, None)


def test_a_busy_book_says_so_and_writes_nothing(schema: str, book: gongfen.Book, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(together, "BUSY_S", 0.2)
    with gongfen.open(schema, by="test") as other:
        held = threading.Event()
        found = together_do(holding(book, 3, held), lambda: held.wait(60) and other.record(fact("a", labour())))[1]
        assert isinstance(found, BookPlaceError)
        assert "is busy" in str(found)
        assert inbox_of(other) == 0
        assert book.log.size == 2
        assert other.record(fact("a", labour())) == [2]


def test_a_batch_that_nobody_can_write_does_not_stop_the_others(schema: str, book: gongfen.Book, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Not a refusal, but a mistake of ours: it meets its own writer, and the rest is written."""
    put = type(book.log).put

    def broken(self: Any, facts: Any, *rest: Any) -> Any:
        facts = list(facts)
        if any(isinstance(one, tuple) and one[0].id == "poison" for one in facts):
            raise ZeroDivisionError
        return put(self, facts, *rest)

    monkeypatch.setattr(type(book.log), "put", broken)
    with gongfen.open(schema, by="test") as one, gongfen.open(schema, by="test") as other:
        found = together_do(
            holding(book, 0.4),
            lambda: one.record(fact("poison", labour())),
            lambda: other.record(fact("good", labour())),
        )
    assert isinstance(found[1], ZeroDivisionError)
    assert found[2] == [2]
    assert (book.log.size, inbox_of(book)) == (3, 0)
    book.verify()


# -- lost connections --------------------------------------------------------------------------------------------------


def end_connections(server: Server, schema: str) -> None:
    database = schema.rpartition("/")[2].partition("?")[0]
    server.sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'gongfen'",  # noqa: S608 - a name of ours
    )


def test_a_connection_lost_at_the_commit_leaves_the_outcome_open_and_says_so(server: Server, schema: str, book: gongfen.Book) -> None:  # fmt: skip
    """Whether it is written or not, a retry with the same ids is harmless; and the book can be used at once."""
    batch = [fact("a", labour()), fact("b", labour())]

    def lose_it() -> None:
        with book.log.writing():
            book.log.put(batch)
            end_connections(server, schema)

    with pytest.raises(BookPlaceError, match="whether it stands is not known; repeat it with the same ids"):
        lose_it()
    assert book.log.state.days.get("ada|2026-11-01") is None
    assert book.record(*batch) == [2, 3]
    assert book.record(*batch) == [2, 3]
    book.verify()


def test_a_connection_lost_before_is_made_again_unseen(server: Server, schema: str, book: gongfen.Book) -> None:
    end_connections(server, schema)
    assert book.record(fact("a", labour())) == [2]
    end_connections(server, schema)
    assert book.who is not None
    book.verify()
    end_connections(server, schema)
    book.log._desk._led = False  # type: ignore[union-attr]
    assert book.record(fact("b", labour())) == [3]


def test_a_connection_lost_in_a_sight_ends_it(server: Server, schema: str, book: gongfen.Book) -> None:
    """Half of an answer from one moment and half from another would be worse than none."""

    def lose_it() -> None:
        with book.log.reading():
            end_connections(server, schema)
            book.log.fact(0)

    with pytest.raises(BookPlaceError, match="was lost"):
        lose_it()
    assert book.log.fact(0).id == "ada"


def test_a_writer_who_waits_and_loses_the_connection_is_answered(server: Server, schema: str, book: gongfen.Book) -> None:  # fmt: skip
    with gongfen.open(schema, by="test") as other:
        other.log._desk._led = False  # type: ignore[union-attr]

        def kill() -> None:
            time.sleep(0.15)
            end_connections(server, schema)

        found = together_do(holding(book, 0.3), lambda: other.record(fact("a", labour())), kill)[1]
        if isinstance(found, BookPlaceError):
            found = other.record(fact("a", labour()))
        assert found == [2]
    assert book.verify().size == 3


# -- a race ------------------------------------------------------------------------------------------------------------


def race(place: str, writer: int, turns: int, most: int, notes: Path) -> None:
    """Write batches, again and again with the same ids until they are acknowledged; note their numbers."""
    chance = random.Random(writer)  # noqa: S311 - a repeatable choice of deeds
    opened = until_it_is_there(lambda: gongfen.open(place, by=f"writer-{writer}"))
    with notes.open("w") as file, opened as book:
        for turn in range(turns):
            some = chance.choice([1, 1, 3, most])
            batch = [fact(f"w{writer}-{turn}-{n}", labour()) for n in range(some)]
            if chance.random() < 0.1:
                with pytest.raises(UnknownMakerError):
                    until_it_is_there(lambda batch=batch: book.record(*batch, fact("never", labour("nobody"))))  # type: ignore[misc]
            numbers = until_it_is_there(lambda batch=batch: book.record(*batch))  # type: ignore[misc]
            if chance.random() < 0.2:
                assert until_it_is_there(lambda batch=batch: book.record(*batch)) == numbers  # type: ignore[misc]
            for number, one in zip(numbers, batch, strict=True):
                file.write(f"{number} {one.id}\n")
            file.flush()
            if chance.random() < 0.1:
                until_it_is_there(book.log.keep_views)


def until_it_is_there(deed: Callable[[], Any]) -> Any:
    for _ in range(200):
        try:
            return deed()
        except BookPlaceError:
            time.sleep(0.01)
    raise TimeoutError


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_writers_race_and_lose_connections(store: str, tmp_path: Path, server: Server, schema: str) -> None:
    """No gap, no duplicate, every acknowledged fact under its number, and the tree verifies."""
    place = schema if store == "postgresql" else str(tmp_path / "book.db")
    writers, turns = 4, int(os.environ.get("GONGFEN_TURNS", "25"))
    with gongfen.create(place, origin="example.org/x", by="test") as book:
        book.record(fact("ada", k.Enrol(maker="ada")), fact("poem", k.Work(work="poem", sha256=HASH, size_bytes=4, makers=(), source="t", licence="l")))  # fmt: skip
        spawn = multiprocessing.get_context("spawn")
        notes = [tmp_path / f"notes-{writer}" for writer in range(writers)]
        processes = [spawn.Process(target=race, args=(place, n, turns, 40, notes[n])) for n in range(writers)]
        for process in processes:
            process.start()
        stop = threading.Event()
        chaos = threading.Thread(target=disturb, args=(server, schema, stop))
        if store == "postgresql":
            chaos.start()
        for process in processes:
            process.join()
        stop.set()
        if store == "postgresql":
            chaos.join()
        assert [process.exitcode for process in processes] == [0] * writers
        until_it_is_there(book.log.refresh)
        said = [line.split() for path in notes for line in path.read_text().splitlines()]
        kept = {one.id: seq for seq, one in book.log.facts()}
        assert sorted(kept.values()) == list(range(book.log.size)), "no gap"
        assert len(said) == len({name for _, name in said}), "each writer notes an id once"
        assert all(kept[name] == int(number) for number, name in said), "what was acknowledged is there"
        assert len(kept) == len(said) + 2, "and nothing else: no duplicate, nothing of a refused batch"
        book.verify()


def disturb(server: Server, schema: str, stop: threading.Event) -> None:
    """End a random connection, now and then."""
    database = schema.rpartition("/")[2].partition("?")[0]
    while not stop.wait(0.15):
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gongfen' "  # noqa: S608
            f"AND datname = '{database}' ORDER BY random() LIMIT 1"
        )


def test_sqlite_has_no_inbox(tmp_path: Path) -> None:
    """There a plain transaction is quicker than any answer."""
    with gongfen.create(tmp_path / "book.db") as book:
        assert book.log._desk is None
        assert sqlite3.connect(tmp_path / "book.db").execute("SELECT count(*) FROM fact").fetchone() == (0,)


def test_killed_writers_and_servers_lose_nothing() -> None:
    """A short run of the benchmark, on a server of its own; the long one is run by hand."""
    from benchmarks.kill_postgres import campaign

    counts = campaign(int(os.environ.get("GONGFEN_KILLS", "4")), 3, random.randrange(1_000), "fsync=off")  # noqa: S311 - any moment will do
    assert counts.lost == []
    assert sum(counts.kills.values()) >= 4


def test_an_asynchronous_program_can_use_a_book(schema: str, book: gongfen.Book) -> None:
    async def program() -> list[int]:
        with gongfen.open(schema, by="test") as other:
            return other.record(fact("a", labour()), fact("b", labour()))

    assert asyncio.run(program()) == [2, 3]
    assert book.verify().size == 4

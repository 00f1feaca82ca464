"""Answers in memory: whatever breaks off a reading or a writing, no fact is counted twice, and none is missed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gongfen
from gongfen.errors import BookPlaceError, DuplicateIdError
from gongfen.facts import kinds as k
from gongfen.storage.views import VERSION
from tests.books import HASH, cooperative, new_book, said
from tests.servers import Server

LABOUR = "labour maker=cy work=song-1 labour_kind=4 phase=inference standing=unpaid labour_us=1h day=2026-11-05"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("fsync=off") as one:
        yield one


class Broken(KeyboardInterrupt):
    """Somebody pressed Ctrl-C."""


@pytest.mark.parametrize("place", ["note_all", "fold", "entries", "viewed"])
@pytest.mark.parametrize("after", range(4))
def test_an_interrupted_reading_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, after: int
) -> None:
    first = cooperative(tmp_path)
    second = gongfen.open(first.log.path)
    for day in range(6, 9):
        second.record(*said(LABOUR.replace("05", f"{day:02}")))
    due = second.balance()
    calls = [0]
    target = (
        first.log.store
        if place in ("entries", "viewed")
        else first.log.views
        if place == "note_all"
        else gongfen.accounts
    )
    name = "book_all" if place == "fold" else place
    whole = getattr(target, name)

    def broken(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == after + 1:
            raise Broken
        return whole(*given, **named)

    monkeypatch.setattr(target, name, broken)
    for _ in range(3):
        try:
            first.balance()
        except Broken:
            continue
    monkeypatch.undo()
    assert first.balance() == second.balance() == due
    assert first.worth("song-1") == second.worth("song-1")
    first.verify()


def test_a_verb_knows_what_another_program_has_just_published(tmp_path: Path) -> None:
    first = cooperative(tmp_path)
    second = gongfen.open(first.log.path)
    late = f"output output=late sha256={HASH} size_bytes=0"
    second.record(*said(f"{late}\nsale sale=sale-9 output=late price_micro=1.00 currency=EUR day=2026-11-20"))
    assert first.settle("2026-11").sales_micro == 11_010_000


def test_a_generator_that_is_not_finished_stops_nobody(tmp_path: Path) -> None:
    first = new_book(tmp_path)
    first.record(*(k.Enrol(maker=f"m-{n}") for n in range(2_500)))
    reading = first.log.facts()
    next(reading)
    gongfen.open(first.log.path).record(k.Enrol(maker="ada"))
    first.record(k.Enrol(maker="bo"))
    assert first.log.size == 2_502
    assert sum(1 for _ in reading) == 2_501


def test_a_book_used_from_another_thread_is_not_called_damaged(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    found: list[Exception] = []

    def ask() -> None:
        try:
            book.balance()
        except BookPlaceError as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert "thread" in str(found[0])
    with pytest.raises(BookPlaceError, match="by this very program"):
        book.log.record(book.record(k.Enrol(maker="x")) or [] for _ in range(1))  # type: ignore[misc]


@pytest.mark.parametrize("kept_by", ["0", "of tomorrow", None])
@pytest.mark.parametrize("where", ["file", "server"])
def test_answers_of_another_version_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, where: str, kept_by: str | None
) -> None:
    monkeypatch.setenv("GONGFEN_KEY", str(tmp_path / "server.key"))
    place = tmp_path / "book.db" if where == "file" else server.new_schema()
    with gongfen.create(place, origin="example.org/t", by="t") as book:
        book.record(*said("enrol maker=ada\nenrol maker=bo"))
        book.log.keep_views()
        due = list(book.log.state.makers.prefixed(""))
        with book.log.store.writing():
            book.log.store.keep_views([("makers", "ada", b'"in another shape"')], [], [], 2)
            if kept_by is not None:
                book.log.store.put_meta("views", kept_by)
        if kept_by is None:
            forget_version(book)
    with gongfen.open(place) as book:
        assert list(book.log.state.makers.prefixed("")) == due
        assert book.log.store.meta("views") == VERSION
        book.log.keep_views()
        book.verify()
    with gongfen.open(place) as book:
        assert book.log.store.viewed() == 2  # they are kept, and nothing is made again


def forget_version(book: gongfen.Book) -> None:
    """As books were before their views had a version."""
    store: Any = book.log.store
    store._db.run("DELETE FROM meta WHERE key = 'views'")


def test_rows_that_were_put_aside_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new book knows that its store has nothing more, until it puts rows aside: then it asks again."""
    monkeypatch.setattr("gongfen.storage.views.MOST_CACHED", 3)
    book = cooperative(tmp_path)
    due = book.balance(), book.worth("song-1"), list(book.log.state.stocks.prefixed(""))
    for _ in range(2):
        book.log.keep_views()
        book.record(*said(LABOUR))
        book.record(
            *said(f"correction correction=c-{book.log.size} fact={book.log.fact(book.log.size - 1).id} reason=no")
        )
        worth = msgspec.structs.replace(book.worth("song-1"), taken_back=())  # which it tells, as it should
        assert (book.balance(), worth, list(book.log.state.stocks.prefixed(""))) == due
        with pytest.raises(DuplicateIdError):
            book.record(*said("enrol maker=ada"))
        book.verify()
        book.log.rebuild()


# -- what an answer costs ----------------------------------------------------------------------------------------------


def grown(folder: Path, times: int) -> Path:
    """The cooperative's book, settled, in which so many other people then work, ada with them, and sell."""
    folder.mkdir()
    with cooperative(folder) as book:
        book.settle("2026-11")
        for start in range(0, times, 100):
            book.record(*said("\n".join(map(_more, range(start, start + 100)))))
        book.log.keep_views()
        return Path(str(book.log.path))


def _more(number: int) -> str:
    day = f"day=2026-12-{1 + number % 28:02}"
    return f"""
enrol maker=m-{number}
work work=w-{number} sha256={HASH} size_bytes=4 makers=m-{number}:1000000 source=test licence=CC0-1.0
labour maker=m-{number} work=w-{number} labour_kind=1 phase=training standing=employed labour_us=1h {day}
labour maker=ada work=w-{number} labour_kind=1 phase=training standing=employed labour_us=1s {day}
output output=o-{number} sha256={HASH} size_bytes=4
sale sale=s-{number} output=o-{number} price_micro=1.00 currency=EUR {day}
"""


def cost(path: Path, ask: Callable[[gongfen.Book], object]) -> tuple[int, int, int]:
    """Queries, rows and steps of SQLite's machine that an answer takes; a scan shows in the steps."""
    counts = [0, 0, 0]

    def counted(whole: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any) -> Any:
            counts[0] += 1
            found = whole(*given)
            rows = list(found) if isinstance(found, Iterator) else found
            counts[1] += len(rows) if isinstance(rows, list) else found is not None
            return iter(rows) if isinstance(found, Iterator) else rows

        return asked

    def step() -> int:
        counts[2] += 1
        return 0

    with gongfen.open(path) as book:
        db: Any = book.log.store._db  # type: ignore[attr-defined]
        db._db.set_progress_handler(step, 1)
        for name in ("rows", "page", "row"):
            setattr(db, name, counted(getattr(db, name)))
        assert ask(book)
    queries, rows, steps = counts
    return queries, rows, steps


@pytest.mark.parametrize(
    "ask", [lambda book: book.who("song-1"), lambda book: book.owed("ada"), lambda book: book.owed("bo")],
    ids=["who", "owed ada", "owed bo"],
)  # fmt: skip
def test_an_answer_reads_no_more_in_a_book_ten_times_as_large(
    tmp_path: Path, ask: Callable[[gongfen.Book], object]
) -> None:
    small, large = (cost(grown(tmp_path / str(times), times), ask) for times in (200, 2_000))
    assert small[1] > 0, "the store was asked"
    assert large == small

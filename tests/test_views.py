"""Answers in memory: whatever breaks off a reading or a writing, no fact is counted twice, and none is missed."""

import threading
from pathlib import Path
from typing import Any

import pytest

import gongfen
from gongfen.errors import BookPlaceError
from gongfen.facts import kinds as k
from tests.books import HASH, cooperative, new_book, said

LABOUR = "labour maker=cy work=song-1 labour_kind=4 phase=inference standing=unpaid labour_us=1h day=2026-11-05"


class Broken(KeyboardInterrupt):
    """Somebody pressed Ctrl-C."""


@pytest.mark.parametrize("place", ["note", "fold", "entries", "viewed"])
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
        first.log.store if place in ("entries", "viewed") else first.log.views if place == "note" else gongfen.accounts
    )
    name = "book" if place == "fold" else place
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

"""``gongfen correct``: what is taken back is said before and after, and a dry run writes nothing."""

from pathlib import Path

import pytest

from gongfen.errors import GongfenError
from gongfen.facts.kinds import Labour
from tests.books import cooperative
from tests.test_books import asked


def test_a_dry_run_says_what_would_be_taken_back_and_writes_nothing(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        (number,) = [seq for seq, fact in book.log.facts() if fact.kind == "compute"]
        size, balance = book.log.size, book.worth("song-1").transferred_uslh
        found = book.correct(number, "the clock ran on", dry_run=True)
        assert (found.by, found.number, found.said.device_us) == (None, number, 3_600_000_000)
        assert (book.log.size, book.worth("song-1").transferred_uslh) == (size, balance)
    tried = asked(tmp_path, "correct", str(number), "the clock ran on", "--dry-run").stdout
    assert "would be taken back; nothing was written" in tried
    done = asked(tmp_path, "correct", str(number), "the clock ran on").stdout
    for shown in (tried, done):
        for said in ("machine=desk", "work=poet", "device_us=1h"):
            assert said in shown
    assert f"by fact {size}" in done


def test_a_dry_run_refuses_what_the_correction_would_be_refused(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        (plan,) = [seq for seq, fact in book.log.facts() if getattr(fact.body, "uses", 0) == 3]
        size = book.log.size
        with pytest.raises(GongfenError, match=f"fact {plan}, plan of poet, cannot be taken back"):
            book.correct(plan, "wrong", dry_run=True)
        assert book.log.size == size


def test_a_fact_that_was_corrected_is_called_by_its_number_and_what_it_says(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        number = next(seq for seq, fact in book.log.facts() if isinstance(fact.body, Labour))
        book.correct(number, "wrong")
        with pytest.raises(GongfenError, match=f"^fact {number}, labour of ada on poem-1, was corrected before"):
            book.correct(number, "wrong again")


def test_who_is_in_no_settlement_is_told_where_their_hours_are(tmp_path: Path) -> None:
    with cooperative(tmp_path):
        pass
    assert "gongfen export statement --maker ada" in " ".join(asked(tmp_path, "owed", "ada").stdout.split())
    assert "<h1>" in asked(tmp_path, "export", "statement", "--maker", "ada").stdout


def test_worth_and_who_say_what_they_no_longer_count(tmp_path: Path) -> None:
    """Labour on the output, and on the prompt that it was made with; each with its number and the reason."""
    with cooperative(tmp_path) as book:
        assert book.worth("song-1").taken_back == book.who("song-1").taken_back == ()
        own = book.record(
            *(
                Labour(
                    maker="cy", work=work, labour_kind=4, phase="inference", standing="employed", labour_us=60_000_000,
                    day="2026-11-03",
                )
                for work in ("song-1", "prompt-1")
            )
        )  # fmt: skip
        for number in own:
            book.correct(number, "counted twice")
        found = book.worth("song-1").taken_back
        assert found == book.who("song-1").taken_back
        assert [(one.number, one.kind, one.reason) for one in found] == [(n, "labour", "counted twice") for n in own]
        assert [book.log.fact(one.by).kind for one in found] == ["correction"] * len(own)
    for verb in ("worth", "who"):
        shown = " ".join(asked(tmp_path, verb, "song-1").stdout.split())
        assert f"taken back: fact {own[0]} (labour), by fact {found[0].by}: counted twice" in shown

"""The books as Beancount reads them: accepted, and the same to the last millionth."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

import gongfen
from gongfen.book.bookkeeping.exporting import Wanted, ledger_of
from gongfen.errors import InputError, MalformedFactError
from gongfen.facts import kinds as k
from gongfen.reports.export.beancount import beancount
from gongfen.reports.export.ledger import without_memo
from gongfen.reports.export.names import own_name
from tests.books import HASH, cooperative, new_book, said
from tests.exports import ledger_of_history, our_balances, their_balances, their_errors
from tests.histories import histories

WANTED = Wanted(form="beancount")


def taken_out(book: gongfen.Book, folder: Path, wanted: Wanted = WANTED) -> str:
    book.export(wanted, folder / "out")
    return (folder / "out").read_text("utf-8")


@settings(max_examples=40, deadline=None)
@given(histories())
def test_any_history_reads_back_with_the_same_balances(bodies: list[k.Body]) -> None:
    ledger = ledger_of_history(bodies)
    assert their_balances("".join(beancount(ledger))) == our_balances(ledger)
    alone = without_memo(ledger)
    assert their_balances("".join(beancount(alone))) == our_balances(alone)


def test_bean_check_accepts_a_settled_book_and_every_balance_is_ours(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        book.pay("ada")
        text = taken_out(book, tmp_path)
        with book.log.reading():
            ours = our_balances(ledger_of(book.log))
            state = {key: amount for key, amount in book.log.state.balances.prefixed("") if "|EUR" in key}
    checked = subprocess.run(
        [Path(sys.executable).parent / "bean-check", "--no-cache", tmp_path / "out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")
    theirs = their_balances(text)
    assert theirs == ours
    money = {
        f"{own_name(account)}|EUR": int(found * 10**6) for (account, name), found in theirs.items() if name == "EUR"
    }
    assert money == state
    assert text.count(" balance ") == len(ours)


@pytest.mark.parametrize(
    ("old", "new", "finds"),
    [
        ("Data:Poem-1  2.000000 SLH", "Data:Poem-1  2.000001 SLH", "does not balance"),
        ("balance Assets:Cash 10.010000", "balance Assets:Cash 10.010001", "Balance failed"),
        ("balance Assets:1200:Model:Poet 3.360000", "balance Assets:1200:Model:Poet 3.359999", "Balance failed"),
        ("open Assets:Cash", "open Assets:Cash-", "unknown account"),
    ],
)
def test_one_millionth_too_many_is_found(tmp_path: Path, old: str, new: str, finds: str) -> None:
    """Beancount forgives the last digit by default; here it must not."""
    with cooperative(tmp_path) as book:
        text = taken_out(book, tmp_path)
    assert text.count(old) == 1
    assert not their_errors(text)
    assert any(finds in error for error in their_errors(text.replace(old, new)))


def test_a_fact_is_a_transaction_with_its_day_reason_and_number(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.record(*said("labour maker=bo work=poem-3 labour_kind=1 phase=training standing=crowd labour_us=1h day=2026-11-09"),
                    sample=True)  # fmt: skip
        fact = book.log.fact(book.log.size - 1)
        text = taken_out(book, tmp_path)
    assert (
        '\n2026-11-09 * "labour of bo on poem-3" #sample\n'
        f'  fact: {book.log.size_seen - 1}\n  id: "{fact.id}"\n  kind: "labour"\n  said-at: "{fact.at}"\n'
        "  Assets:1100:Data:Poem-3  1.000000 SLH\n  Income:4000:Living:1:Bo  -1.000000 SLH\n"
    ) in text
    assert ";; Sample data" in text
    assert '\noption "title" "example.org/book"\n' in text


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """A name or a reason that looks like Beancount's own syntax books nothing and breaks nothing."""
    owner = 'eve" #tag\n2026-01-01 * "theft"\n  Assets:Cash  -5.00 EUR\n\\'
    with new_book(tmp_path) as book:
        book.record(k.Enrol(maker='"ada\\'), k.Enrol(maker="ada;bo"), k.Enrol(maker="陈静é"))
        book.record(k.Rent(rent="r", owned="model", owner=owner, amount_micro=1, currency="EUR", day="2026-11-01"))
        for number, maker in enumerate(('"ada\\', "ada;bo", "陈静é")):
            book.record(
                k.Work(work=f"1100:data:{maker}", sha256=HASH, size_bytes=0, makers=(), source="s", licence="l")
            )
            book.record(k.Wage(wage=f"w{number}", maker=maker, amount_micro=7, currency="SLH", day="2026-11-01"))
            book.record(*said(f"labour maker={maker} work=1100:data:{maker} labour_kind=1 phase=training standing=crowd "
                              "labour_us=1h day=2026-11-01"))  # fmt: skip
        text = taken_out(book, tmp_path)
        with book.log.reading():
            assert their_balances(text) == our_balances(ledger_of(book.log))
    assert "SLHMONEY" in text


def test_memo_can_be_left_out_and_both_ledgers_stay_whole(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        whole, alone = taken_out(book, tmp_path), taken_out(book, tmp_path, Wanted(form="beancount", memo=False))
    assert "DEVICESECOND" in whole
    assert "DEVICESECOND" not in alone
    assert "WATTHOUR" not in alone
    kept = their_balances(alone)
    assert kept == {key: amount for key, amount in their_balances(whole).items() if key[1] in ("SLH", "EUR")}


def wage_on(day: str, folder: Path) -> gongfen.Book:
    book = new_book(folder)
    book.record(k.Enrol(maker="ada"), k.Wage(wage="w", maker="ada", amount_micro=1, currency="EUR", day=day))
    return book


@pytest.mark.parametrize("day", ["0001-01-01", "1600-02-29", "9999-12-30"])
def test_days_at_the_ends_of_the_calendar(tmp_path: Path, day: str) -> None:
    with wage_on(day, tmp_path) as book:
        text = taken_out(book, tmp_path)
    assert f"\n{day} * " in text
    assert len(their_balances(text)) == 2


def test_on_the_last_day_of_the_calendar_nothing_can_be_asserted(tmp_path: Path) -> None:
    with wage_on("9999-12-31", tmp_path) as book, pytest.raises(InputError, match="the last of the calendar"):
        taken_out(book, tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_form_that_is_none_is_refused(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book, pytest.raises(InputError, match="take beancount"):
        taken_out(book, tmp_path, Wanted(form="xlsx"))  # type: ignore[arg-type]


def test_amounts_at_the_edge_stay_exact(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(k.Enrol(maker="ada"))
        for number in range(3):
            body = k.Wage(wage=f"w{number}", maker="ada", amount_micro=2**53 - 1, currency="EUR", day="2026-11-01")
            book.record(body)
        text = taken_out(book, tmp_path)
        assert "balance Expenses:Wages:Ada 27021597764.222973 ~ 0 EUR" in text
        assert not their_errors(text)
        with pytest.raises(MalformedFactError):
            book.record(k.Wage(wage="w", maker="ada", amount_micro=2**53, currency="EUR", day="2026-11-01"))

"""The books as hledger reads them: accepted when it is strict, and the same to the last millionth."""

import csv
import io
import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

import gongfen
from gongfen.book.bookkeeping.exporting import Wanted, ledger_of
from gongfen.facts import kinds as k
from gongfen.reports.export.hledger import hledger
from tests.books import HASH, cooperative, new_book, said
from tests.exports import Balances, ledger_of_history, our_balances
from tests.histories import Step, history

pytestmark = pytest.mark.xdist_group("hledger")
ENVIRONMENT = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
"""hledger reads text in the locale's encoding; ours is UTF-8."""


@pytest.fixture(scope="module")
def program() -> str:
    """The real hledger. Continuous integration, which may, installs it; elsewhere it is there or the tests are left out."""
    if shutil.which("hledger") is None and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "--yes", "hledger"], capture_output=True, timeout=300, check=False)
    found = shutil.which("hledger")
    if found is None:
        pytest.skip("hledger is not installed: apt-get install hledger")
    return found


def asked(program: str, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, "-f", "-", *words], input=text, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )


def their_balances(program: str, text: str) -> Balances:
    """Every account's balance, commodity by commodity."""
    said = asked(program, text, "balance", "--flat", "--no-total", "--empty", "--output-format=csv", "--layout=bare")
    assert said.returncode == 0, said.stderr
    rows = list(csv.reader(io.StringIO(said.stdout)))
    assert rows[0] == ["account", "commodity", "balance"]
    return {(account, commodity): Decimal(amount) for account, commodity, amount in rows[1:] if commodity}


def accepted(program: str, text: str) -> None:
    checked = asked(program, text, "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "")


def taken_out(book: gongfen.Book, folder: Path, wanted: Wanted) -> str:
    book.export(wanted, folder / "out")
    return (folder / "out").read_text("utf-8")


def not_zero(balances: Balances) -> Balances:
    return {key: amount for key, amount in balances.items() if amount}


def test_hledger_accepts_a_settled_book_and_every_balance_is_ours(tmp_path: Path, program: str) -> None:
    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        book.pay("ada")
        text = taken_out(book, tmp_path, Wanted(form="hledger"))
        with book.log.reading():
            ours = our_balances(ledger_of(book.log))
    accepted(program, text)
    assert not_zero(their_balances(program, text)) == not_zero(ours)
    assert text.count(" = ") == len(ours)


def test_a_long_history_with_losses_corrections_and_recycling_reads_back(program: str) -> None:
    verbs = (
        "labour",
        "unpaid",
        "compute",
        "buy",
        "slow",
        "business",
        "recycle",
        "lose",
        "correct",
        "sell",
        "open",
        "make",
    )
    steps: list[Step] = [(verb, turn, turn * 7 % 30, 10**9 * turn + turn) for turn in range(12) for verb in verbs]
    ledger = ledger_of_history(history(steps))
    assert {fact.kind for fact in ledger.facts()} >= {"labour", "compute", "purchase", "correction", "loss", "sale"}
    text = "".join(hledger(ledger))
    accepted(program, text)
    assert not_zero(their_balances(program, text)) == not_zero(our_balances(ledger))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Data:Poem-1  2.000000 SLH", "Data:Poem-1  2.000001 SLH"),
        ("Assets:Cash  0.000000 EUR = 10.010000 EUR", "Assets:Cash  0.000000 EUR = 10.010001 EUR"),
        ("account Assets:Cash\n", ""),
        ("commodity 0.000000 SLH  ; hours of simple labour\n", ""),
    ],
)
def test_one_millionth_too_many_is_found_and_so_is_what_was_not_declared(
    tmp_path: Path, program: str, old: str, new: str
) -> None:
    with cooperative(tmp_path) as book:
        text = taken_out(book, tmp_path, Wanted(form="hledger"))
    assert text.count(old) == 1
    assert asked(program, text.replace(old, new), "check", "--strict").returncode != 0


def test_hostile_words_stay_words(tmp_path: Path, program: str) -> None:
    owner = "eve ; id:no\n2026-01-01 * theft\n    Assets:Cash  -5.00 EUR\n"
    with new_book(tmp_path) as book:
        makers = ('"ada', "ada;bo", "(cy)", "陈静é", "*dot", "a,b%")
        for number, maker in enumerate(makers):
            book.record(k.Enrol(maker=maker))
            book.record(k.Work(work=f"w:{maker}", sha256=HASH, size_bytes=0, makers=(), source="s", licence="l"))
            wage = k.Wage(wage=f"w{number}", maker=maker, amount_micro=7, currency="SLH", day="0001-11-01")
            book.record(book.log.new(wage, fact_id=f"date:2020-99-99,[2020-99-99]%{number}"))
            book.record(*said(f"labour maker={maker} work=w:{maker} labour_kind=1 phase=training standing=crowd "
                              "labour_us=1h day=9999-12-31"))  # fmt: skip
        book.record(k.Rent(rent="r", owned="model", owner=owner, amount_micro=1, currency="EUR", day="2026-11-01"))
        text = taken_out(book, tmp_path, Wanted(form="hledger"))
        with book.log.reading():
            ours = our_balances(ledger_of(book.log))
    accepted(program, text)
    assert not_zero(their_balances(program, text)) == not_zero(ours)


def test_a_transaction_can_be_found_by_the_number_of_its_fact(tmp_path: Path, program: str) -> None:
    with cooperative(tmp_path) as book:
        text = taken_out(book, tmp_path, Wanted(form="hledger"))
        seq = next(seq for seq, fact in book.log.facts() if fact.kind == "labour")
        fact = book.log.fact(seq)
    for query in (f"code:^{seq}$", f"tag:id={fact.id}"):
        found = asked(program, text, "print", query)
        assert f"2026-11-01 * ({seq}) labour of ada on poem-1" in found.stdout
        assert found.stdout.count("labour of") == 1


def test_reasons_and_ids_are_read_whole(tmp_path: Path, program: str) -> None:
    """A semicolon would begin a comment, and a comma end a tag."""
    with new_book(tmp_path) as book:
        book.record(k.Enrol(maker="ada;bo"))
        wage = k.Wage(wage="w", maker="ada;bo", amount_micro=7, currency="EUR", day="2026-11-01")
        book.record(book.log.new(wage, fact_id="a,b%2C"))
        text = taken_out(book, tmp_path, Wanted(form="hledger"))
    rows = list(csv.DictReader(io.StringIO(asked(program, text, "register", "Wages", "--output-format=csv").stdout)))
    assert rows[0]["description"] == "wage of ada,bo"
    assert "2026-11-01" in asked(program, text, "print", "tag:id=^a%2Cb%252C$").stdout

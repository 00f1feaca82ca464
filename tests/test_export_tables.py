"""CSV and Parquet: every posting and every balance, exact, and harmless in a spreadsheet."""

import csv
import io
import re
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gongfen
from gongfen.book.bookkeeping.exporting import Wanted
from gongfen.errors import InputError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.reports.export.csv import COLUMNS, FORMULAS, comma_separated, harmless
from gongfen.reports.export.ledger import Balance, Booked, Ledger, Table, exact
from gongfen.reports.export.parquet import write_parquet
from tests.books import COOPERATIVE, HASH, cooperative, new_book, said


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def taken_out(book: gongfen.Book, **wanted: Any) -> bytes:
    stream = io.BytesIO()
    book.export(Wanted(**wanted), stream)
    return stream.getvalue()


def test_csv_has_every_posting_with_its_fact(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        text = taken_out(book, form="csv").decode()
        ours = [
            (seq, account, amount, unit, why)
            for seq, bookings in book.log.views.all_bookings()
            for why, postings in bookings
            for account, amount, unit in postings
        ]
        facts = dict(book.log.facts())
    rows = rows_of(text)
    assert list(rows[0]) == list(COLUMNS["postings"])
    assert [(int(r["fact"]), r["account"], int(r["amount"]), r["unit"], r["why"]) for r in rows] == ours
    for row in rows:
        fact = facts[int(row["fact"])]
        assert (row["id"], row["said_at"], row["kind"]) == (fact.id, fact.at, fact.kind)
        assert row["day"] == (getattr(fact.body, "day", None) or fact.at[:10])
    first = next(row for row in rows if row["account"] == "cash")
    assert (first["amount"], first["decimal"], first["commodity"]) == ("10010000", "10.010000", "EUR")
    assert text.endswith("\r\n")
    assert text.count("\r\n") == text.count("\n") == len(rows) + 1


def test_balances_are_the_sums_of_the_postings(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        postings = rows_of(taken_out(book, form="csv").decode())
        balances = rows_of(taken_out(book, form="csv", table="balances").decode())
    sums: dict[tuple[str, str], int] = {}
    for row in postings:
        key = (row["account"], row["unit"])
        sums[key] = sums.get(key, 0) + int(row["amount"])
    assert {(row["account"], row["unit"]): int(row["amount"]) for row in balances} == sums


def test_no_cell_is_a_formula_and_every_text_comes_back(tmp_path: Path) -> None:
    names = ("=cmd|'/c'!A1".replace("|", "!"), "+1", "-1", "@sum(1)", "'quoted", "＝1", "plain", 'a"b,c')
    with new_book(tmp_path) as book:
        for number, name in enumerate(names):
            book.record(k.Enrol(maker=name))
            wage = k.Wage(wage=f"w{number}", maker=name, amount_micro=5, currency="EUR", day="2026-11-01")
            book.record(book.log.new(wage, fact_id=f"{name}#"))
        rows = rows_of(taken_out(book, form="csv").decode())
    for row in rows:
        for column, cell in row.items():
            assert column in ("amount", "decimal") or not cell.startswith(("=", "+", "-", "@", "＝"))
    assert [row["id"].removeprefix("'") for row in rows[::2]] == [f"{name}#" for name in names]


@given(st.text(min_size=1) | st.sampled_from(FORMULAS).flatmap(lambda sign: st.text().map(lambda rest: sign + rest)))
def test_one_apostrophe_taken_away_gives_the_text(text: str) -> None:
    shown = harmless(text)
    assert shown in {text, f"'{text}"}
    assert (shown.removeprefix("'") if shown.startswith("'") else shown) == text
    assert not shown.startswith(tuple(sign for sign in FORMULAS if sign != "'"))


@given(st.integers(-(2**60), 2**60), st.sampled_from([0, 3, 6]))
def test_a_decimal_has_every_digit(amount: int, digits: int) -> None:
    assert Decimal(exact(amount, digits)) == Decimal(amount).scaleb(-digits)
    assert len(exact(amount, digits).partition(".")[2]) == digits


def long_ledger(facts: int) -> Ledger:
    """Facts that are made while they are read: nothing holds them all."""

    def made() -> Iterator[Booked]:
        for seq in range(facts):
            postings = (("1100:data:w", 1, "uslh"), (f"4000:living:1:m{seq % 7}", -1, "uslh"))
            yield Booked(
                seq, f"id-{seq}", "2026-11-22T00:00:00.000000Z", "2026-11-22", "labour", False, (("w", postings),)
            )

    return Ledger(origin="o", size=facts, root="0" * 64, sample=False, days=lambda: ("2026-11-22", "2026-11-22"),
                  facts=made, balances=lambda: iter([Balance("1100:data:w", "uslh", facts)]))  # fmt: skip


def test_a_long_book_is_written_a_line_at_a_time() -> None:
    def peak(facts: int) -> int:
        tracemalloc.start()
        try:
            length = sum(len(line) for line in comma_separated(long_ledger(facts), "postings"))
            assert length > 100 * facts
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < peak(200) + 100_000, "twenty thousand facts take no more memory than two hundred"


@pytest.mark.parametrize("table", ["postings", "balances"])
def test_parquet_says_what_csv_says(tmp_path: Path, table: Table) -> None:
    from pyarrow import parquet

    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        book.record(k.Wage(wage="w", maker="ada", amount_micro=7, currency="EUR", day="2026-12-01"), sample=True)
        rows = rows_of(taken_out(book, form="csv", table=table).decode())
        found = parquet.read_table(io.BytesIO(taken_out(book, form="parquet", table=table)))
        origin, root = book.log.origin, book.log.tree.root().hex()
    assert found.column_names == list(COLUMNS[table])
    theirs = found.to_pylist()
    assert len(theirs) == len(rows) > 20
    for ours, row in zip(rows, theirs, strict=True):
        assert (row["account"], row["unit"], row["commodity"]) == (ours["account"], ours["unit"], ours["commodity"])
        assert row["amount"] == int(ours["amount"])
        assert row["decimal"] == Decimal(ours["decimal"])
        if table == "postings":
            assert (row["fact"], row["id"], row["kind"], row["why"]) == (
                int(ours["fact"]),
                ours["id"],
                ours["kind"],
                ours["why"],
            )
            assert row["day"] == date.fromisoformat(ours["day"])
            assert row["said_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") == ours["said_at"]
            assert row["sample"] == (ours["sample"] == "1")
    about = found.schema.metadata
    assert (about[b"gongfen.origin"].decode(), about[b"gongfen.root"].decode()) == (origin, root)
    assert str(found.schema.field("amount").type) == "int64"
    assert b"uslh" in found.schema.field("amount").metadata[b"says"]


def test_parquet_keeps_its_rows_in_groups() -> None:
    from pyarrow import parquet

    stream = io.BytesIO()
    write_parquet(long_ledger(40_000), "postings", stream)
    file = parquet.ParquetFile(io.BytesIO(stream.getvalue()))
    assert file.metadata.num_rows == 80_000
    assert file.num_row_groups == 3
    amounts = [row["amount"] for row in file.read_row_group(2).to_pylist()]
    assert [len(list(same)) for _, same in groupby(amounts)][:2] == [1, 1]


def test_without_pyarrow_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with cooperative(tmp_path) as book, pytest.raises(InputError, match=r"pip install 'gongfen\[parquet\]'"):
        book.export(Wanted(form="parquet"), tmp_path / "p.parquet")
    assert not list(tmp_path.glob("*p.parquet*"))


def test_a_balance_beyond_64_bits_is_refused_and_csv_has_it() -> None:
    ledger = long_ledger(1)
    large = Ledger(origin="o", size=1, root="", sample=False, days=ledger.days, facts=ledger.facts,
                   balances=lambda: iter([Balance("cash", "EUR", 2**63)]))  # fmt: skip
    with pytest.raises(InputError, match="more than 64 bits hold; take out csv"):
        write_parquet(large, "balances", io.BytesIO())
    assert "9223372036854.775808" in "".join(comma_separated(large, "balances"))


def test_hashes_of_the_log_are_those_of_the_book(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(
            k.Enrol(maker="ada"), k.Work(work="w", sha256=HASH, size_bytes=0, makers=(), source="s", licence="l")
        )
        found = book.export(Wanted(form="csv"), io.BytesIO())
        assert (found.size, found.root, found.file) == (2, book.log.tree.root().hex(), None)


def test_a_book_on_a_server_gives_the_same_bytes(tmp_path: Path, schema: str) -> None:
    """Two readings go side by side, of facts and of what they booked: a server must serve both at once."""
    facts = [
        Fact(id=f"f{seq}", at="2026-11-22T00:00:00.000000Z", by="t", body=body)
        for seq, body in enumerate(said(COOPERATIVE))
    ]
    more = [
        Fact(id=f"m{seq}", at="2026-11-22T00:00:00.000000Z", by="t",
             body=k.Wage(wage=f"w{seq}", maker="ada", amount_micro=1 + seq, currency="EUR", day="2026-11-22"))
        for seq in range(1_200)
    ]  # fmt: skip
    found = []
    for place in (tmp_path / "book.db", schema):
        with gongfen.create(place, origin="example.org/book", by="t") as book:
            book.record(*facts, *more)
            book.settle("2026-11", settlement="s")
            wanted = ({"form": "csv"}, {"form": "csv", "table": "balances"}, {"form": "csv", "memo": False})
            found.append([re.sub(rb"[0-9a-f-]{36},\d{4}[^,]*,", b"", taken_out(book, **one)) for one in wanted])
    assert found[0] == found[1]
    assert found[0][0].count(b"\r\n") > 2_400


def test_the_program_itself_imports_no_beancount() -> None:
    """It is under the GPL, and reads in tests only what we write."""
    home = Path(gongfen.__file__).parent
    assert not [
        path
        for path in home.rglob("*.py")
        if re.search(r"^\s*(?:import|from) beancount\b", path.read_text("utf-8"), re.MULTILINE)
    ]

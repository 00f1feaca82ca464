"""Statements: the same numbers as the books, for a maker and for the whole; and the command that takes things out."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings

import gongfen
from gongfen.accounts import conservation, conservation_by_source
from gongfen.book.bookkeeping.exporting import Wanted
from gongfen.book.bookkeeping.stating import MOST_LINES, state_account
from gongfen.errors import GongfenError, UnknownMakerError
from gongfen.facts import kinds as k
from gongfen.reports.export.statement import GROUPS, Statement, render
from tests.books import HASH, cooperative, new_book, said
from tests.histories import MAKERS, facts_of, histories
from tests.test_cli import gongfen_

WORKED = "labour maker={} work=poem-3 labour_kind=2 phase=training standing={} labour_us={} day=2026-11-05"


def stated(book: gongfen.Book, maker: str | None = None) -> Statement:
    with book.log.reading():
        return state_account(book.log, maker)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_in_any_history_what_a_maker_gave_is_what_lies_somewhere(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[k.Body]
) -> None:
    """Added up twice: from what was worked, fact by fact, and from what stocks hold and have lost."""
    with new_book(tmp_path_factory.mktemp("history")) as book:
        for fact in facts_of(bodies):
            try:
                book.record(fact)
            except GongfenError:
                continue
        given_, held = conservation(book.log.state)
        whole = stated(book)
        assert (whole.given_uslh, whole.held_uslh) == (given_, held)
        by_source = conservation_by_source(book.log.state)
        for maker in MAKERS:
            one = stated(book, maker)
            assert one.given_uslh == one.held_uslh
            ours = [gave for account, (gave, _) in by_source.items() if account.endswith(f":{maker}")]
            assert one.given_uslh == sum(ours)


def test_a_maker_sees_what_was_settled_paid_and_is_owed(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        opened = k.OpeningBalance(account="owed", maker="ada", amount_micro=1_000_000, currency="EUR")
        lot = k.Lot(work="poet", name="ada", amount_uslh=500_000)
        book.record(k.Opening(opening="o", evidence="books of 2025", lots=(lot,), money=(opened,)))
        book.settle("2026-11")
        book.pay("ada", 3_000_000)
        book.record(k.Wage(wage="w", maker="ada", amount_micro=7_000_000, currency="EUR", day="2026-12-01"))
        found, owed = stated(book, "ada"), book.owed("ada")
    assert [(move.kind, move.amount_micro, move.owed_micro) for move in found.moves] == [
        ("opening", 1_000_000, 1_000_000),
        ("settlement", 2_570_000, 3_570_000),
        ("payment", -3_000_000, 570_000),
        ("wage", 7_000_000, None),
    ]
    settled = found.moves[1]
    assert (settled.for_labour_micro, settled.for_influence_micro) == (
        owed[0].for_labour_micro,
        owed[0].for_influence_micro,
    )
    assert found.owed == (("EUR", 570_000),) == (("EUR", owed[0].owed_micro),)
    assert [one.evidence for one in found.opened] == ["books of 2025"] * 2
    assert found.given_uslh == found.held_uslh == 2_500_000


def test_labour_stands_by_work_kind_and_phase_with_corrections_taken_off(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        for words in (("ada", "crowd", "1h"), ("ada", "crowd", "2h"), ("bo", "unpaid", "none quality=unmeasured")):
            book.record(*said(WORKED.format(*words)))
        wrong = book.log.fact(book.log.size - 3)
        book.record(k.Correction(correction="c", fact=wrong.id, reason="the clock ran on"))
        book.record(*said(WORKED.format("ada", "employed", "3h").replace("labour_kind=2", "labour_kind=8")))
        ada, bo, whole = stated(book, "ada"), stated(book, "bo"), stated(book)
    lines = {(one.work, one.labour_kind, one.standing): one for one in ada.worked}
    assert lines["poem-3", 2, "crowd"].labour_us == 2 * 3_600_000_000
    assert lines["poem-3", 2, "crowd"].uslh == 2_000_000
    assert lines["poem-3", 8, "employed"].memo
    assert lines["poem-3", 8, "employed"].uslh == 0
    (silent,) = [one for one in bo.worked if one.work == "poem-3"]
    assert (silent.unmeasured, silent.labour_us, silent.uslh) == (1, 0, 0)
    assert {one.work for one in whole.worked} == {""}
    assert dict(whole.outside) == {"4200:external:machine:cpu": 40_000}


def test_what_nobody_measured_is_unknown_on_the_statement_and_the_total_a_lower_bound(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.record(*said("labour maker=ada work=poem-3 labour_kind=3 phase=training standing=unpaid labour_us=none "
                          "quality=unmeasured day=2026-11-05"))  # fmt: skip
        statement = stated(book, "ada")
        page = render(statement)
        assert statement.unmeasured == 1
        assert "<dd>≥ 2.000000" in page
        assert "1 fact of labour was not measured" in page
        assert ">0.000000<" not in page
        (unmeasured,) = [seq for seq, fact in book.log.facts() if getattr(fact.body, "quality", "") == "unmeasured"]
        book.correct(unmeasured, "it was measured elsewhere")
        assert stated(book, "ada").unmeasured == 0


def test_a_long_statement_adds_its_last_lines_up(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(k.Enrol(maker="ada", form="group", people=1000))
        for number in range(MOST_LINES + 20):
            name = f"w{number}"
            book.record(k.Work(work=name, sha256=HASH, size_bytes=0, makers=(), source="s", licence="l"),
                        *said(f"labour maker=ada work={name} labour_kind=1 phase=training standing=crowd labour_us=1h "
                              "day=2026-11-01"))  # fmt: skip
        found = stated(book, "ada")
    assert (len(found.worked), found.more_worked) == (MOST_LINES + 1, 20)
    assert found.worked[-1].uslh == 20_000_000
    assert found.given_uslh == found.held_uslh == (MOST_LINES + 20) * 1_000_000
    assert "20 more lines, added up" in render(found)


def test_the_whole_books_money_is_that_of_its_accounts(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        book.pay("ada")
        found = stated(book)
        balances = {key: amount for key, amount in book.log.state.balances.prefixed("") if key.endswith("|EUR")}
    sums: dict[str, int] = {}
    for key, amount in balances.items():
        head = re.split(r"[:|]", key)[0]
        sums[head] = sums.get(head, 0) + amount
    assert {one.account: one.balance_micro for one in found.accounts} == sums
    assert sum(one.balance_micro for one in found.accounts) == 0
    assert found.owed == (("EUR", 2_430_000),)
    assert {one.maker: dict(one.owed) for one in found.makers}["bo"] == {"EUR": 1_990_000}


class Sheet(HTMLParser):
    """The tags and the words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_needs_nobody_and_names_what_it_follows_from(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.settle("2026-11")
        page = render(stated(book, "ada"), "zh-Hans")
        root, note = book.log.tree.root().hex(), book.log.checkpoint()
    sheet = Sheet(page)
    text = "".join(sheet.words)
    assert not {tag for tag, _ in sheet.tags} & {"script", "img", "iframe", "form", "object"}
    links = [attrs["href"] or "" for tag, attrs in sheet.tags if "href" in attrs]
    assert all(link.startswith(("#", "data:,")) for link in links)
    assert "url(" not in page
    sheets = [attrs["id"] for tag, attrs in sheet.tags if attrs.get("class") == "sheet"]
    assert sheets == ["zh", "en"], "the reader's language comes first"
    for said_ in ("对账单：ada", "Statement of account: ada", root, note.splitlines()[-1], "2.570000"[:4]):
        assert said_ in text
    assert "@page{size:A4" in page


def test_hostile_names_and_reasons_are_shown_as_they_are(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    with cooperative(tmp_path) as book:
        book.record(k.Enrol(maker=bad))
        book.record(
            k.Wage(wage="w", maker=bad, amount_micro=1, currency="EUR", day="2026-11-01", method="</td><img src=x>")
        )
        pages = [render(stated(book, bad)), render(stated(book))]
    for page in pages:
        assert not {tag for tag, _ in Sheet(page).tags} & {"script", "img"}
    assert f"Statement of account: {bad}" in "".join(Sheet(pages[0]).words)


def test_sample_data_is_marked_and_a_sum_that_fails_is_said(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        assert "Sample data." not in render(stated(book))
        book.record(*said(WORKED.format("ada", "crowd", "1h")), sample=True)
        found = stated(book)
    assert "Sample data." in render(found)
    wrong = type(found)(
        **{name: getattr(found, name) for name in found.__dataclass_fields__} | {"lies": found.lies[1:]}
    )
    assert "must be verified" in render(wrong)
    assert "must be verified" not in render(found)


def test_every_account_that_holds_labour_has_a_name() -> None:
    from gongfen.accounts.chart import _LOSSES, _STOCKS

    assert set(GROUPS) == {*_STOCKS.values(), *_LOSSES.values()}


def test_who_is_not_enrolled_has_no_statement(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book, pytest.raises(UnknownMakerError, match="eve is not enrolled"):
        book.export(Wanted(form="statement", maker="eve"), tmp_path / "s.html")
    assert not list(tmp_path.glob("*s.html*"))


# -- the command -------------------------------------------------------------------------------------------------------

BOOK = ("--book", "book.db")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with cooperative(folder) as book:
        book.settle("2026-11")
        book.log.keep_views()
    return folder


@pytest.mark.parametrize("form", ["beancount", "hledger", "csv", "parquet", "statement"])
def test_each_form_goes_to_a_file_and_says_so_in_both_languages(shop: Path, form: str) -> None:
    found = gongfen_(shop, "export", form, "--out", f"{form}.out", *BOOK)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith(f"{form}.out: the books of example.org/book after 27 facts, root ")
    assert (shop / f"{form}.out").stat().st_size > 1_000
    told = gongfen_(shop, "export", form, "--out", f"{form}.out", *BOOK, GONGFEN_LANG="zh").stdout
    assert "的账目" in told
    answer = json.loads(gongfen_(shop, "export", form, "--out", f"{form}.out", "--json", *BOOK).stdout)
    assert (answer["form"], answer["file"], answer["size"]) == (form, f"{form}.out", 27)


@pytest.mark.parametrize("form", ["beancount", "hledger", "csv", "statement"])
def test_without_a_file_it_goes_to_standard_output_byte_by_byte_the_same(shop: Path, form: str) -> None:
    shown = gongfen_(shop, "export", form, *BOOK)
    assert shown.returncode == 0
    gongfen_(shop, "export", form, "--out", "again", *BOOK)
    clock = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{8}Z")
    assert clock.sub("", shown.stdout) == clock.sub("", (shop / "again").read_bytes().decode())


def test_parquet_is_nothing_for_a_terminal(shop: Path) -> None:
    found = gongfen_(shop, "export", "parquet", *BOOK)
    assert (found.returncode, found.stdout) == (2, "")
    assert "name a file: --out books.parquet" in found.stderr


def test_what_cannot_be_written_leaves_the_old_file_as_it_was(shop: Path) -> None:
    (shop / "kept").write_text("old")
    (shop / "folder").mkdir(exist_ok=True)
    assert "is no form" not in gongfen_(shop, "export", "csv", "--out", "folder", *BOOK).stdout
    for words in (
        ("csv", "--out", "folder"),
        ("csv", "--out", "nowhere/x"),
        ("statement", "--maker", "eve", "--out", "kept"),
    ):
        found = gongfen_(shop, "export", *words, *BOOK)
        assert found.returncode == 2, words
        assert "Traceback" not in found.stderr
    with patch.dict(sys.modules, {"pyarrow": None}):
        assert gongfen_(shop, "export", "parquet", "--out", "kept", *BOOK).returncode == 2
    assert (shop / "kept").read_text() == "old"
    assert not [path for path in shop.iterdir() if path.name.endswith(".part")]


def test_a_file_that_is_there_is_replaced_and_keeps_its_rights(shop: Path) -> None:
    (shop / "private").write_text("old")
    (shop / "private").chmod(0o600)
    assert gongfen_(shop, "export", "csv", "--table", "balances", "--out", "private", *BOOK).returncode == 0
    assert (shop / "private").read_text().startswith("account,unit,amount,decimal,commodity\n")
    assert (shop / "private").stat().st_mode & 0o777 == 0o600


def test_an_empty_book_has_nothing_to_take_out(tmp_path: Path) -> None:
    new_book(tmp_path).close()
    found = gongfen_(tmp_path, "export", "beancount", *BOOK)
    assert (found.returncode, found.stdout) == (2, "")
    assert "has no facts yet" in found.stderr

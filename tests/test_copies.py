"""Outputs that are several copies: a price is held against the value of what it bought, and a copy has a value, too."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gongfen
from gongfen.book.telling.whole import tell
from gongfen.cli.main import app
from gongfen.errors import MalformedFactError
from tests.books import HASH, new_book, said

START = f"""
enrol maker=ada
standard standard=s basis=t reductions=[] machines=[] melt_micro=40.00 currency=EUR
output output=b sha256={HASH} size_bytes=1 quantity=1000
labour maker=ada work=b labour_kind=4 phase=inference standing=employed labour_us=10h day=2026-11-10
"""
ONE = "sale sale=one output=b price_micro=1.00 currency=EUR day=2026-11-11 copies=1"


@pytest.fixture
def book(tmp_path: Path) -> gongfen.Book:
    book = new_book(tmp_path)
    book.record(*said(START))
    return book


def test_a_copy_that_was_sold_is_held_against_the_value_of_a_copy(book: gongfen.Book) -> None:
    """10 h at EUR 40 are EUR 400 for 1,000 copies: EUR 0.40 each. One fetched EUR 1, so its rent is EUR 0.60."""
    book.record(*said(ONE))
    found = book.worth("b")
    assert (found.value_micro, found.price_micro) == (400_000_000, 1_000_000)
    assert (found.copies_sold, found.quantity, found.sold_uslh) == (1, 1_000, 10_000)
    assert (found.rent_avg_micro, found.rent_repro_micro, found.past_micro) == (600_000, 600_000, 0)
    uniform = next(one for one in found.by_rule if one.rule == "uniform")
    assert uniform.rent_avg_micro == 600_000


def test_all_rules_and_the_indicators_hold_it_so(book: gongfen.Book) -> None:
    book.record(*said(ONE))
    prices = book.indicators("2026-11").prices
    assert prices is not None
    assert (prices.counted, prices.price, prices.value) == (1, "1", "0.4")


@pytest.mark.parametrize(
    ("told", "copies", "rent_micro"),
    [
        (ONE + "\n" + ONE.replace("=one", "=two").replace("copies=1", "copies=999"), None, 2_000_000 - 400_000_000),
        (ONE + "\n" + ONE.replace("=one", "=two").replace(" copies=1", ""), None, 2_000_000 - 400_000_000),
        (ONE.replace("copies=1", "copies=250"), 250, 1_000_000 - 100_000_000),
        ("", None, None),
    ],
)
def test_so_many_copies_as_were_sold(book: gongfen.Book, told: str, copies: int | None, rent_micro: int | None) -> None:
    book.record(*said(told))
    found = book.worth("b")
    assert (found.copies_sold, found.rent_avg_micro) == (copies, rent_micro)


def test_a_sale_that_is_taken_back_was_none(book: gongfen.Book) -> None:
    before = book.worth("b")
    (seq,) = book.record(*said(ONE))
    book.correct(seq, "it was not sold")
    assert book.worth("b").copies_sold is None
    assert book.worth("b").rent_avg_micro == before.rent_avg_micro


def test_more_copies_than_there_are_are_refused(book: gongfen.Book) -> None:
    with pytest.raises(MalformedFactError, match="is 1000 copies, and 1001 are sold"):
        book.record(*said(ONE.replace("copies=1", "copies=1001")))


def test_a_terminal_shows_a_copy(book: gongfen.Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.record(*said(ONE))
    book.close()
    monkeypatch.setenv("COLUMNS", "100")
    found = _worth(book)
    assert "one of its 1,000 copies" in found
    assert "price p, of 1 of 1,000 copies" in found
    assert "36 s" in found, "10 h are 36 s a copy"
    assert "price against value, from 0 to EUR 1.00" in found, "the price is of one copy, and so is the value"


def _worth(book: gongfen.Book, *words: str) -> str:
    return CliRunner().invoke(app, ["worth", "b", "--book", str(book.log.path), *words]).output


def test_programs_get_it_too(book: gongfen.Book) -> None:
    book.record(*said(ONE))
    book.close()
    found: dict[str, Any] = json.loads(_worth(book, "--json"))
    assert (found["copies_sold"], found["sold_uslh"], found["rent_avg_micro"]) == (1, 10_000, 600_000)


def test_the_page_of_a_period_holds_its_price_against_the_copies_that_it_sold(book: gongfen.Book) -> None:
    """EUR 0.40 a copy: in October 10 copies fetched EUR 10, in November 250 fetched EUR 150."""
    october = ONE.replace("=1.00", "=10.00").replace("2026-11", "2026-10").replace("copies=1", "copies=10")
    november = ONE.replace("=one", "=two").replace("=1.00", "=150.00").replace("copies=1", "copies=250")
    book.record(
        *said(
            f"policy policy=p statement=s pool_ppm=1000000 beta_ppm=1000000 utility=u currency=EUR\n{october}\n{november}"
        )
    )
    for month, copies, rent_micro in (("2026-10", 10, 6_000_000), ("2026-11", 250, 50_000_000)):
        book.settle(month)
        page = tell(book.log, "page", "gongfen report")
        (shown,) = page.outputs
        assert (shown.copies_sold, shown.rent_avg_micro) == (copies, rent_micro)
        assert page.worth is not None
        assert (page.worth.copies_sold, page.worth.rent_avg_micro) == (copies, rent_micro)
    assert book.worth("b").copies_sold == 260, "all sales"

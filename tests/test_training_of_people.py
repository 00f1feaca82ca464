"""The labour of teaching people rests in an account of its own, 1500, and passes on with the uses planned for it."""

from pathlib import Path

import pytest

from gongfen import accounts
from gongfen.errors import MissingAssumptionError
from tests.books import HASH, new_book, said
from tests.test_books import asked

COURSE = f"""
    enrol maker=teacher
    enrol maker=ada
    work work=course role=training sha256={HASH} size_bytes=0 makers= source=t licence=l
    labour maker=teacher work=course labour_kind=1 phase=training standing=employed labour_us=10h day=2026-01-01
"""
PLAN = "plan work=course uses=100"
WORK = f"""
    work work=notes sha256={HASH} size_bytes=0 makers=ada:1000000 source=t licence=l
    make make=annotating activity=assemble inputs=[{{"work":"course","role":"training","uses":40}}] outputs=notes tool=by-hand
    labour maker=ada work=notes labour_kind=2 phase=training standing=employed labour_us=2h day=2026-01-02
"""


def test_a_course_is_planned_and_passes_on_by_its_uses(tmp_path: Path) -> None:
    """Ten hours of teaching, a hundred uses planned: forty of them carry four hours into what was annotated."""
    with new_book(tmp_path) as book:
        book.record(*said(COURSE))
        state = book.log.state
        assert state.balances.get("1500:training-of-people:course|uslh") == 10_000_000
        with pytest.raises(MissingAssumptionError, match="course has no planned uses"):
            book.record(*said(WORK))
        book.record(*said(PLAN), *said(WORK))
        assert state.balances.get("1500:training-of-people:course|uslh") == 6_000_000
        assert state.balances.get("1100:data:notes|uslh") == 6_000_000
        assert accounts.conservation(state)[0] == accounts.conservation(state)[1]
        assert book.ledger().stocks == {"data": 6_000_000, "training": 6_000_000}
        book.verify()


@pytest.mark.parametrize(
    ("lang", "at_rest", "passed"),
    [
        ("en", "in stock: training of people", "at rest in the training of people"),
        ("zh", "存量：人员培训", "留存于人员培训"),
    ],
)
def test_it_has_its_place_in_the_books_in_both_languages(tmp_path: Path, lang: str, at_rest: str, passed: str) -> None:
    with new_book(tmp_path) as book:
        book.record(*said(COURSE), *said(PLAN), *said(WORK))
    assert at_rest in asked(tmp_path, "books", GONGFEN_LANG=lang).stdout
    assert passed in asked(tmp_path, "books", "flow", GONGFEN_LANG=lang).stdout

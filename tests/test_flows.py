"""Where labour went, drawn from what was booked: of any history, with its losses and what was taken back."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings

import gongfen
from gongfen.accounts import at_rest
from gongfen.book.telling.flows import labour_flow
from gongfen.errors import GongfenError
from gongfen.facts import kinds as k
from gongfen.reports.text.pictures import PLACES
from tests.books import new_book
from tests.histories import facts_of, histories
from tests.test_cli import gongfen_
from tests.test_worked_example import SERVING, SLH, TRAINING


@settings(max_examples=25, deadline=None)
@given(histories())
def test_any_history_can_be_drawn_and_what_comes_in_is_what_was_given(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[k.Body]
) -> None:
    """Into the picture flows what sources gave to works: all of it, less what never entered one."""
    with gongfen.create(tmp_path_factory.mktemp("flow") / "book.db", origin="example.org/x", by="t") as book:
        for fact in facts_of(bodies):
            with suppress(GongfenError):
                book.record(fact)
        nodes, flows = labour_flow(book.log)
        names = {node.node for node in nodes}
        assert all(flow.uslh > 0 and {flow.source, flow.target} <= names for flow in flows)
        entered = sum(flow.uslh for flow in flows if _column(nodes, flow.source) == 0)
        passed_on = -sum(amount for _, amount in book.log.state.lost.prefixed("passed-on|"))
        lost = at_rest(book.log.state).losses + passed_on
        lost_out_of_works = sum(flow.uslh for flow in flows if flow.target == "lost")
        never_entered = lost - lost_out_of_works
        assert entered == at_rest(book.log.state).given + passed_on - never_entered
        told = book.flow().passed
        assert sum(one.uslh for one in told) == sum(flow.uslh for flow in flows)
        assert len({(one.source, one.target) for one in told}) == len(told)
        assert {name for one in told for name in (one.source, one.target)} <= set(PLACES)


def test_the_flow_of_the_worked_example_on_a_narrow_screen_in_both_languages(tmp_path: Path) -> None:
    """715 living hours and 200 of machines come in; 165 and 75 reach the outputs, 300 and 495 stay."""
    with new_book(tmp_path) as book:
        book.record(*TRAINING, *SERVING)
        told = {(one.source, one.target): one.uslh for one in book.flow().passed}
        assert (
            sum(uslh for (source, _), uslh in told.items() if source in ("makers", "machines", "bought")) == 1_035 * SLH
        )
        assert sum(uslh for (_, target), uslh in told.items() if target == "outputs") == 240 * SLH
        assert (told["data", "left:data"], told["models", "left:models"]) == (300 * SLH, 495 * SLH)
        assert (told["data", "models"], told["models", "outputs"]) == (100 * SLH, 165 * SLH)
        assert not book.flow().lower_bound
    shown = gongfen_(tmp_path, "books", "flow", "--book", "book.db", COLUMNS="50").stdout
    assert re.search(r"^  → outputs +165 h  █+$", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 50
    chinese = gongfen_(tmp_path, "books", "flow", "--book", "book.db", COLUMNS="50", GONGFEN_LANG="zh").stdout
    assert re.search(r"^  → 产出 +165 小时  █+$", chinese, re.MULTILINE)
    assert not re.search("[a-z]{3}", chinese)


def test_a_book_without_labour_has_no_flow(tmp_path: Path) -> None:
    with new_book(tmp_path, "enrol maker=ada"):
        pass
    assert "none has passed on" in gongfen_(tmp_path, "books", "flow", "--book", "book.db").stdout


def _column(nodes: tuple[object, ...], name: str) -> int:
    return next(int(node.column) for node in nodes if node.node == name)  # type: ignore[attr-defined]

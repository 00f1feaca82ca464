"""Where labour went, drawn from what was booked: of any history, with its losses and what was taken back."""

from contextlib import suppress

import pytest
from hypothesis import given, settings

import gongfen
from gongfen.accounts import at_rest
from gongfen.book.flows import labour_flow
from gongfen.errors import GongfenError
from gongfen.facts import kinds as k
from tests.histories import facts_of, histories


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


def _column(nodes: tuple[object, ...], name: str) -> int:
    return next(int(node.column) for node in nodes if node.node == name)  # type: ignore[attr-defined]

"""Outputs of one making share a batch, and hold what they would hold if each had kept its part by itself."""

from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen import accounts
from gongfen.accounts.batches import part, parts
from gongfen.accounts.stocks import Batch, Stock
from gongfen.facts.amounts import apportion
from gongfen.value.lot import lot_of
from gongfen.value.worth import value_of_each
from tests.books import said
from tests.histories import STEPS, Step, booked, facts_of, history

SOURCES = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 10**12) | st.integers(0, 9), max_size=7)
SERVICE = """
enrol maker=ada
enrol maker=bo
standard standard=s basis=t reductions=[] machines=[] melt_micro=40.0 currency=EUR
work work=prompt sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 size_bytes=0 makers= source=t licence=l role=prompt
labour maker=ada work=prompt labour_kind=1 phase=inference standing=employed labour_us=1h day=2026-11-05
labour maker=bo work=prompt labour_kind=2 phase=training standing=employed labour_us=2h day=2026-11-05
output output=o-1 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 size_bytes=0
output output=o-2 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 size_bytes=0
output output=o-3 sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 size_bytes=0
"""
ADA, BO = "living|1|inference|employed|measured|ada", "living|2|training|employed|measured|bo"


def folded(told: str) -> accounts.State:
    state = accounts.state_in_memory("example.org/t")
    accounts.book_all(state, facts_of(said(told)), 0)
    return state


@given(SOURCES, st.integers(1, 9))
def test_a_batch_is_divided_as_apportioning_divides_it(sources: dict[str, int], outputs: int) -> None:
    batch = Batch(sources=sources, outputs=outputs)
    places = [part(batch, place) for place in range(outputs)]
    names = [f"o-{place}" for place in range(outputs)]
    for source, amount in sources.items():
        assert [got[source] for got in places] == list(apportion(amount, dict.fromkeys(names, 5)).values())
    assert parts(batch) == [sum(got.values()) for got in places]


def test_three_outputs_share_one_vector() -> None:
    """An hour of Ada's and two of Bo's, over three: 333,334 + 333,333 + 333,333, and 666,667 + 666,667 + 666,666."""
    make = 'make make=m activity=serve inputs=[{"work":"prompt","role":"prompt"}] outputs=["o-3","o-1","o-2"] tool=t'
    state = folded(SERVICE + make)
    assert dict(state.batches.prefixed("")) == {
        "0000000000000009": Batch(sources={ADA: 1_000_000, BO: 2_000_000}, outputs=3)
    }
    kept = state.stocks.get("o-2")
    assert kept is not None
    assert (kept.batch, kept.sources, kept.remaining) == ((9, 1), {}, 1_000_000)
    assert [stock.sources for name, stock in accounts.every_stock(state) if name.startswith("o-")] == [
        {ADA: 333_334, BO: 666_667},
        {ADA: 333_333, BO: 666_667},
        {ADA: 333_333, BO: 666_666},
    ]


@pytest.mark.parametrize(
    ("told", "takes"),
    [
        ("labour maker=bo work=o-1 labour_kind=4 phase=inference standing=unpaid labour_us=1h day=2026-11-05", False),
        ("sale sale=s output=o-1 price_micro=1.0 currency=EUR day=2026-11-06", False),
        ("loss loss=l work=o-1 reason=obsolescence amount_uslh=7", True),
        ("plan work=o-1 uses=3", True),
    ],
)
def test_an_output_leaves_its_batch_when_something_is_taken_out_of_it(told: str, takes: bool) -> None:
    make = 'make make=m activity=serve inputs=[{"work":"prompt","role":"prompt"}] outputs=["o-3","o-1","o-2"] tool=t\n'
    before, after = folded(SERVICE + make), folded(SERVICE + make + told)
    kept, others = after.stocks.get("o-1"), [after.stocks.get(name) for name in ("o-2", "o-3")]
    assert kept is not None
    assert (kept.batch is None) == takes
    assert others == [before.stocks.get(name) for name in ("o-2", "o-3")], "the others are untouched"
    given_, held = accounts.conservation(after)
    assert given_ == held
    assert all(ours == theirs for ours, theirs in accounts.conservation_by_source(after).values())


def rows(steps: list[Step], *, shared: bool) -> dict[str, Any]:
    """Every table after a history, stocks with all that is in them by source."""
    with patch.object(Stock, "may_share", PropertyMock(return_value=False)) if not shared else patch.dict({}):
        state, _ = booked(history(steps))
        found: dict[str, Any] = {name: dict(getattr(state, name).prefixed("")) for name in accounts.TABLES}
    return found | {"stocks": dict(accounts.every_stock(state)), "batches": None}


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_books_with_batches_are_those_without(steps: list[Step]) -> None:
    assert rows(steps, shared=True) == rows(steps, shared=False)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_outputs_are_valued_together_as_by_themselves(steps: list[Step]) -> None:
    state, _ = booked(history(steps))
    valued = list(value_of_each(state))
    assert [name for name, *_ in valued] == [name for name, row in state.works.prefixed("") if row.kind == "output"]
    for name, past, now in valued:
        lot = lot_of(state, (name,))
        # An output that no living labour entered is gated: of nothing in it is said what it is worth.
        assert (past, now) == (lot.past_uslh, lot.now_uslh) or name in lot.gated

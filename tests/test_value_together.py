"""Outputs made of outputs: what was living in a draft is past for its fair copy, and both together are worth it once."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen import accounts
from gongfen.facts import Body
from gongfen.facts import kinds as k
from gongfen.value import value_of_each, value_together, worth
from gongfen.value.lot import lot_of
from tests.books import HASH, new_book, said
from tests.histories import STEPS, Step, booked, history

HOUR = 1_000_000


def output(name: str, *made_of: str) -> str:
    uses = ",".join(f'{{"work":"{work}","role":"draft"}}' for work in made_of)
    return f"""
        output output={name} sha256={HASH} size_bytes=0
        make make={name} activity=assemble inputs=[{uses}] outputs=["{name}"] tool=t
    """


def hours(work: str, count: int, phase: str = "inference", maker: str = "ada") -> str:
    return f"labour maker={maker} work={work} labour_kind=1 phase={phase} standing=crowd labour_us={count}h day=2026-01-01\n"


START = f"""
    enrol maker=ada
    enrol maker=bo
    standard standard=s basis=t reductions=[] machines=[] melt_micro=40.0 currency=EUR
    work work=data sha256={HASH} size_bytes=0 makers= source=t licence=l
    work work=prompt sha256={HASH} size_bytes=0 makers= source=t licence=l role=prompt
    {hours("data", 2, "training", "bo")}
    {hours("prompt", 1)}
    {output("draft", "data", "prompt")}
    {hours("draft", 2)}
"""


def book(told: str) -> accounts.State:
    bodies = said(START + told)
    state, _ = booked(bodies)
    for body in bodies:
        assert not isinstance(body, k.Make) or state.names.get(f"make|{body.make}") is not None
    return state


def t_and_l(state: accounts.State, *outputs: str) -> tuple[int, int]:
    lot = lot_of(state, outputs)
    return lot.past_uslh // HOUR, lot.now_uslh // HOUR


def test_what_was_living_in_a_draft_is_past_for_its_fair_copy() -> None:
    """Draft: 2 h of data, an hour of prompt, 2 h of review. Fair copy: all that was transferred, and an hour of its own."""
    state = book(output("fair", "draft") + hours("fair", 1))
    assert t_and_l(state, "draft") == (2, 3)
    assert t_and_l(state, "fair") == (5, 1)
    assert t_and_l(state, "draft", "fair") == (2, 4)
    assert value_together(state, ("fair", "draft")) == {"fair": (0, HOUR), "draft": (2 * HOUR, 3 * HOUR)}


def test_an_output_of_a_living_draft_is_no_dead_code_and_one_of_a_dead_draft_is() -> None:
    state = book(output("fair", "draft") + output("dead", "data") + output("copy", "dead"))
    assert worth(state, ("fair", "dead", "copy"), None).gated == ("dead", "copy")


def test_a_copy_of_a_copy_counts_once_whichever_of_them_are_asked_about() -> None:
    """Half of the draft, 5 h, goes into the copy, with an hour of its own; all 3.5 h of that into the last."""
    state = book("plan work=draft uses=2\n" + output("copy", "draft") + hours("copy", 1) + output("last", "copy"))
    assert [sum(t_and_l(state, name)) for name in ("draft", "copy", "last")] == [5, 3, 3]
    assert lot_of(state, ("last",)).past_uslh == 3_500_000
    assert t_and_l(state, "draft", "copy", "last") == t_and_l(state, "draft", "copy") == (2, 4)
    assert t_and_l(state, "copy", "last") == t_and_l(state, "copy")
    draft, last = (lot_of(state, (name,)) for name in ("draft", "last"))
    both = lot_of(state, ("draft", "last"))
    inherited = draft.past_uslh + draft.now_uslh - 2_500_000
    assert both.past_uslh + both.now_uslh == draft.past_uslh + draft.now_uslh + last.past_uslh - inherited


def test_what_a_fair_copy_loses_is_worth_nothing_to_both() -> None:
    state = book(output("fair", "draft") + "loss loss=l work=fair reason=obsolescence amount_uslh=1500000")
    both = lot_of(state, ("draft", "fair"))
    assert both.past_uslh + both.now_uslh == 3_500_000


def test_two_outputs_of_one_making_took_over_their_parts() -> None:
    """The pair shares a batch, as outputs of one making do."""
    pair = f"""
        output output=left sha256={HASH} size_bytes=0
        output output=right sha256={HASH} size_bytes=0
        make make=pair activity=assemble inputs=[{{"work":"draft","role":"draft"}}] outputs=["left","right"] tool=t
    """
    state = book(pair)
    kept = state.stocks.get("left")
    assert kept is not None
    assert kept.batch is not None
    assert sum(map(sum, value_together(state, ("draft", "left", "right")).values())) == 5 * HOUR
    assert value_together(state, ("draft", "left")) == {"draft": (2 * HOUR, 3 * HOUR), "left": (0, 0)}


def reviewed(steps: list[Step]) -> list[Body]:
    """A history in which somebody looks at each output: none is gated."""
    bodies = history(steps)
    outputs = [body.output for body in bodies if isinstance(body, k.Output)]
    return [*bodies, *said("".join(hours(name, 1) + "\n" for name in outputs).replace("labour_us=1h", "labour_us=1s"))]


WITHOUT_CORRECTIONS = STEPS.map(lambda steps: [step for step in steps if step[0] != "correct"])


@settings(max_examples=150, deadline=None)
@given(WITHOUT_CORRECTIONS, st.lists(st.tuples(st.just("make"), *[st.integers(0, 30)] * 3), max_size=6))
def test_all_outputs_together_are_worth_what_they_hold_and_what_became_data(
    steps: list[Step], makings: list[Step]
) -> None:
    state, entries = booked(reviewed([*steps, *makings]))
    outputs = tuple(name for name, known in state.works.prefixed("") if known.kind == "output")
    assert not lot_of(state, outputs).gated
    held = sum(stock.remaining for name, stock in state.stocks.prefixed("") if name in outputs)
    passed_on = 0
    for entry in entries:
        if entry.why.startswith("gathered") or entry.why.endswith("as data"):
            passed_on -= sum(one.amount for one in entry.postings if one.account.startswith("5000:"))
    assert t_plus_l(state, outputs) == held + passed_on


def t_plus_l(state: accounts.State, outputs: tuple[str, ...]) -> int:
    lot = lot_of(state, outputs)
    return lot.past_uslh + lot.now_uslh


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sets(st.integers(0, 30)))
def test_of_any_outputs_the_whole_is_its_parts_and_no_more_than_each_by_itself(
    steps: list[Step], chosen: set[int]
) -> None:
    state, _ = booked(history(steps))
    each = {name: (past, now) for name, past, now in value_of_each(state)}
    some = tuple(name for place, name in enumerate(each) if place in chosen)
    parts = value_together(state, some)
    assert sum(map(sum, parts.values())) == t_plus_l(state, some)
    for name, (past, now) in parts.items():
        gated = name in lot_of(state, some).gated
        assert 0 <= past <= each[name][0]
        assert 0 <= now <= (0 if gated else each[name][1])


@pytest.mark.parametrize("both", [True, False])
def test_prices_are_held_against_labour_that_is_counted_once(tmp_path: Path, both: bool) -> None:
    """40 EUR an hour: draft and fair copy together are worth 6 h."""
    sales = [
        f"sale sale={name} output={name} price_micro=100.0 currency=EUR day=2026-01-02" for name in ("draft", "fair")
    ]
    with new_book(tmp_path) as made:
        made.record(*said(START + output("fair", "draft") + hours("fair", 1) + "\n".join(sales[not both :])))
        prices = made.indicators().prices
        assert prices is not None
        assert prices.value == "240"

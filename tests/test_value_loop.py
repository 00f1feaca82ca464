"""Labour in loops: the steady value against the loop unrolled, step by step."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.errors import InputError, NotProductiveError, UnknownWorkError
from gongfen.value import Loop, gap, loop_values, unrolled
from gongfen.value.economy.circuits import circuits

STEADY = Loop(
    labour={"model": Fraction(1), "data": Fraction(2)},
    uses={"data": {"model": Fraction(1, 5)}, "model": {"data": Fraction(1, 2)}},
)


def test_the_steady_loop():
    """economics.md, section 4: A = [[0, .2], [.5, 0]], l = (1, 2)."""
    assert loop_values(STEADY) == {"model": Fraction(20, 9), "data": Fraction(22, 9)}


def test_the_loop_unrolled_by_hand():
    """model 1 → data 2.2 → …: each round with what the round before made."""
    assert unrolled(STEADY, 0) == {"model": 1, "data": 2}
    assert unrolled(STEADY, 1) == {"model": 2, "data": Fraction(11, 5)}
    assert unrolled(STEADY, 2) == {"model": Fraction(21, 10), "data": Fraction(12, 5)}


def test_the_unrolled_loop_comes_as_close_as_one_likes():
    """Each two rounds leave a tenth: .5 × .2."""
    assert gap(STEADY, 0) == Fraction(11, 9)
    assert gap(STEADY, 2) == Fraction(11, 90)
    assert gap(STEADY, 40) == Fraction(11, 9) / 10**20


@st.composite
def loops(draw):
    """Works that pass on less than all of themselves in all: productive, whatever the circuits."""
    names = "abcdef"[: draw(st.integers(1, 6))]
    labour = {name: draw(st.fractions(0, 20, max_denominator=9)) for name in names}
    parts = st.dictionaries(st.sampled_from(names), st.fractions(0, Fraction(15, 100), max_denominator=40), max_size=4)
    return Loop(labour=labour, uses={name: draw(parts) for name in names if draw(st.booleans())})


@settings(deadline=None)
@given(loops())
def test_steady_values_solve_every_equation_and_are_approached_from_below(loop):
    values = loop_values(loop)
    for work, value in values.items():
        assert value == loop.labour[work] + sum(values[of] * much for of, much in loop.uses.get(work, {}).items())
    gaps = [gap(loop, rounds) for rounds in (0, 1, 2, 8)]
    assert gaps == sorted(gaps, reverse=True)
    assert 0 <= gaps[-1] <= Fraction(6, 10) ** 8 * max(values.values())


@settings(deadline=None)
@given(st.integers(0, 8), st.data())
def test_without_circuits_the_loop_is_a_history_and_ends(size, data):
    """Each version uses older ones only: unrolled as often as it is long, nothing is lacking."""
    labour = {str(at): Fraction(data.draw(st.integers(0, 9))) for at in range(size)}
    uses = {
        str(at): {str(data.draw(st.integers(0, at - 1))): Fraction(data.draw(st.integers(0, 9)))}
        for at in range(1, size)
    }
    assert gap(Loop(labour=labour, uses=uses), size) == 0


def test_a_history_of_many_versions_is_no_deep_recursion():
    versions = [f"v{at}" for at in range(20_000)]
    uses = {new: {old: Fraction(1)} for old, new in pairwise(versions)}
    assert loop_values(Loop(labour=dict.fromkeys(versions, Fraction(1)), uses=uses))["v19999"] == 20_000


def test_a_version_that_is_its_own_data():
    """Half of each version goes into the next of the same name: 1 + 1/2 + 1/4 + …"""
    assert loop_values(Loop(labour={"model": Fraction(1)}, uses={"model": {"model": Fraction(1, 2)}})) == {"model": 2}


@pytest.mark.parametrize(
    ("model", "data"), [(Fraction(1), Fraction(1)), (Fraction(4), Fraction(1, 4)), (Fraction(3), Fraction(1, 2))]
)
def test_a_loop_that_passes_on_as_much_as_it_takes_in_is_refused(model, data):
    """Spectral radius 1 and above; the works of the circuit are named, and no others."""
    loop = Loop(
        labour={"text": Fraction(1), "model": Fraction(1), "data": Fraction(2), "poem": Fraction(1)},
        uses={"model": {"data": model, "text": Fraction(1)}, "data": {"model": data}, "poem": {"model": Fraction(9)}},
    )
    with pytest.raises(NotProductiveError) as raised:
        loop_values(loop)
    assert raised.value.thing == "data → model → data"
    assert unrolled(loop, 20)["model"] > unrolled(loop, 10)["model"] + 5, "it grows without end"


def test_a_loop_that_is_refused_even_when_nobody_works_in_it():
    with pytest.raises(NotProductiveError):
        loop_values(Loop(labour={"model": Fraction(0)}, uses={"model": {"model": Fraction(1)}}))


def test_what_is_no_work_or_less_than_nothing_is_refused():
    with pytest.raises(UnknownWorkError, match="text is used"):
        loop_values(Loop(labour={"model": Fraction(1)}, uses={"model": {"text": Fraction(1)}}))
    with pytest.raises(UnknownWorkError, match="poem is used"):
        loop_values(Loop(labour={"model": Fraction(1)}, uses={"poem": {"model": Fraction(1)}}))
    with pytest.raises(InputError, match="model, input data is below zero"):
        loop_values(Loop(labour={"model": Fraction(1), "data": Fraction(1)}, uses={"model": {"data": Fraction(-1)}}))
    with pytest.raises(InputError, match="labour below zero"):
        unrolled(Loop(labour={"model": Fraction(-1)}, uses={}), 1)


def test_an_empty_loop():
    assert loop_values(Loop(labour={}, uses={})) == {}
    assert gap(Loop(labour={}, uses={}), 3) == 0


def test_a_circuit_too_long_to_solve_is_refused_before_it_is_tried():
    ring = {f"v{at}": {f"v{(at + 1) % 501}": Fraction(1, 2)} for at in range(501)}
    with pytest.raises(InputError, match="501 works in one circuit"):
        loop_values(Loop(labour=dict.fromkeys(ring, Fraction(1)), uses=ring))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from("abcdefg")), min_size=1))
def test_circuits_are_the_works_that_reach_each_other_after_what_they_take_from(drawn):
    inputs = {name: drawn.get(name, set()) for name in "abcdefg"}
    reach = {name: {name} for name in inputs}
    for _ in inputs:
        reach = {name: found.union(*(inputs[one] for one in found)) for name, found in reach.items()}
    groups = circuits(inputs)
    assert sorted(name for group in groups for name in group) == sorted(inputs)
    for at, group in enumerate(groups):
        seen = {name for earlier in groups[: at + 1] for name in earlier}
        for name in group:
            assert reach[name] <= seen
            assert {one for one in reach[name] if name in reach[one]} == set(group)

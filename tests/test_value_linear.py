"""Equations solved exactly: as elimination on fractions solves them, whatever the modulus would rather not divide."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.value.economy.linear import solve

numbers = st.fractions(-20, 20, max_denominator=12)
PRIME = 2**61 - 1


@st.composite
def equations(draw):
    size = draw(st.integers(1, 5))
    rows = st.lists(numbers, min_size=size, max_size=size)
    matrix = draw(st.lists(rows, min_size=size, max_size=size))
    if draw(st.booleans()):
        # a row that follows from others, so that singular ones are tried as often
        weights = draw(st.lists(st.integers(-2, 2), min_size=size - 1, max_size=size - 1))
        last = [sum((w * row[at] for w, row in zip(weights, matrix, strict=False)), Fraction(0)) for at in range(size)]
        matrix = [*matrix[: size - 1], last]
    return matrix, draw(rows)


def by_elimination(matrix, right):
    """The oracle: Gauss and Jordan, on fractions."""
    rows = [[*row, number] for row, number in zip(matrix, right, strict=True)]
    for at in range(len(rows)):
        pivot = next((which for which in range(at, len(rows)) if rows[which][at]), None)
        if pivot is None:
            return None
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [number / rows[at][at] for number in rows[at]]
        for which, row in enumerate(rows):
            if which != at:
                rows[which] = [a - row[at] * b for a, b in zip(row, rows[at], strict=True)]
    return [row[-1] for row in rows]


@settings(max_examples=300, deadline=None)
@given(equations())
def test_as_elimination_on_fractions(given_equations):
    matrix, right = given_equations
    found = solve(matrix, right)
    assert (None if found is None else found[0]) == by_elimination(matrix, right)


def test_several_right_sides_at_once():
    assert solve([[2, 0], [0, 4]], [1, 1], [2, 2]) == [[Fraction(1, 2), Fraction(1, 4)], [1, Fraction(1, 2)]]


def test_a_determinant_that_the_modulus_divides_is_not_zero():
    """The first modulus is a prime that anyone can read here, and could build into a table."""
    assert solve([[PRIME]], [5]) == [[Fraction(5, PRIME)]]
    hostile = [[PRIME, 1], [0, PRIME * (PRIME + 2)]]
    found = solve(hostile, [1, 1])
    assert found is not None
    assert [sum(a * x for a, x in zip(row, found[0], strict=True)) for row in hostile] == [1, 1]
    assert solve([[PRIME, PRIME], [1, 1]], [1, 1]) is None


def test_nothing_to_solve():
    assert solve([], []) == [[]]

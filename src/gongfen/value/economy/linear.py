"""Linear equations, solved exactly: the labour values of a table leave no remainder to argue about.

Why not floats: labour is conserved to the last unit (``v·y = l·x``), and an answer must be the same on every machine.
Why not numpy: the base install has none, and an answer that needs a package is an answer that some cannot check.

Elimination on fractions would do for a dozen sectors; for two hundred its numbers grow to thousands of digits at every
step. So the equations are solved modulo one word-sized number, the solution is lifted digit by digit (Dixon, *Exact
solution of linear equations using p-adic expansions*, Numer. Math. 40, 1982), read back as fractions and **checked by
multiplication**. What comes back was verified in whole numbers, however it was found. Two hundred equations take
seconds, five hundred minutes.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import count
from math import gcd, isqrt, lcm
from operator import mul

Row = Sequence[Fraction | int]

_FIRST_MODULUS = 2**61 - 1
"""A prime. The odd numbers after it follow, should it divide a determinant; almost always the first one serves."""


def solve(matrix: Sequence[Row], *rights: Row) -> list[list[Fraction]] | None:
    """The one ``x`` with ``matrix · x = right``, for each of ``rights``; ``None`` when the equations are singular.

    Both answers are proven: solutions by multiplication, singularity by a combination of columns that gives another.

    >>> solve([[2, 1], [1, 3]], [5, 10])
    [[Fraction(1, 1), Fraction(3, 1)]]
    >>> solve([[1, 2], [2, 4]], [1, 1]) is None
    True
    """
    size = len(matrix)
    assert all(len(row) == size for row in matrix), "as many equations as unknowns"
    assert all(len(right) == size for right in rights), "a right side has a number for every equation"
    whole, wholes = _in_whole_numbers(matrix, rights)
    for modulus in count(_FIRST_MODULUS, 2):
        found = _factored(whole, modulus)
        if isinstance(found, _Factors):
            return [_lifted(whole, right, found) for right in wholes]
        if _depends(whole, found):
            return None
    raise AssertionError("only finitely many numbers divide a determinant")


def times(row: Row, matrix: Sequence[Row]) -> list[Fraction]:
    """``row · matrix``."""
    columns = zip(*matrix, strict=True)
    return [sum((Fraction(a) * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns]


def dot(left: Row, right: Row) -> Fraction:
    """The sum of products."""
    return sum((Fraction(a) * b for a, b in zip(left, right, strict=True)), Fraction(0))


def transposed(matrix: Sequence[Row]) -> list[list[Fraction | int]]:
    """Rows become columns."""
    return [list(column) for column in zip(*matrix, strict=True)]


class _Factors:
    """A matrix modulo a number, as lower times upper triangle with its rows put in ``order``."""

    def __init__(self, rows: list[list[int]], order: list[int], modulus: int) -> None:
        self.modulus = modulus
        self.order = order
        self.lower = [row[:at] for at, row in enumerate(rows)]
        self.upper = [row[at + 1 :] for at, row in enumerate(rows)]
        self.inverses = [pow(row[at], -1, modulus) for at, row in enumerate(rows)]

    def solved(self, right: list[int]) -> list[int]:
        forward: list[int] = []
        for row, at in zip(self.lower, self.order, strict=True):
            forward.append((right[at] - sum(map(mul, row, forward))) % self.modulus)
        back: list[int] = []  # from the last unknown to the first
        for row, inverse, value in zip(reversed(self.upper), reversed(self.inverses), reversed(forward), strict=True):
            back.append((value - sum(map(mul, reversed(row), back))) * inverse % self.modulus)
        return back[::-1]


class _Dependent(list[int]):
    """The rows in which the first columns, as many as there are rows, are independent; the next column may not be."""


def _in_whole_numbers(matrix: Sequence[Row], rights: Sequence[Row]) -> tuple[list[list[int]], list[list[int]]]:
    """Each equation times its common denominator."""
    whole: list[list[int]] = []
    wholes: list[list[int]] = [[] for _ in rights]
    for at, row in enumerate(matrix):
        numbers = [Fraction(number) for number in (*row, *(right[at] for right in rights))]
        scale = lcm(*(number.denominator for number in numbers))
        scaled = [number.numerator * (scale // number.denominator) for number in numbers]
        whole.append(scaled[: len(row)])
        for right, number in zip(wholes, scaled[len(row) :], strict=True):
            right.append(number)
    return whole, wholes


def _factored(matrix: list[list[int]], modulus: int) -> _Factors | _Dependent:
    """Elimination modulo ``modulus``, as far as it goes: a column may only *seem* dependent, and has to be checked."""
    rows = [[number % modulus for number in row] for row in matrix]
    order = list(range(len(rows)))
    for at in range(len(rows)):
        pivot = next((which for which in range(at, len(rows)) if gcd(rows[which][at], modulus) == 1), None)
        if pivot is None:
            return _Dependent(order[:at])
        rows[at], rows[pivot] = rows[pivot], rows[at]
        order[at], order[pivot] = order[pivot], order[at]
        inverse, tail = pow(rows[at][at], -1, modulus), rows[at][at + 1 :]
        for row in rows[at + 1 :]:
            if row[at]:
                factor = row[at] * inverse % modulus
                row[at] = factor
                row[at + 1 :] = [(a - factor * b) % modulus for a, b in zip(row[at + 1 :], tail, strict=True)]
    return _Factors(rows, order, modulus)


def _depends(matrix: list[list[int]], rows: _Dependent) -> bool:
    """Whether the column after the independent ones is a combination of them: in every row, and not by chance."""
    width = len(rows)
    if not width:
        return not any(row[0] for row in matrix)
    solved = solve([matrix[at][:width] for at in rows], [matrix[at][width] for at in rows])
    assert solved is not None, "independent modulo a number is independent"
    return all(dot(row[:width], solved[0]) == row[width] for row in matrix)


def _lifted(matrix: list[list[int]], right: list[int], factors: _Factors) -> list[Fraction]:
    """The solution to more and more digits, until it reads as fractions that solve the equations."""
    modulus, scale, digits, wanted = factors.modulus, 1, 0, 2
    rest, known = right, [0] * len(right)
    while True:
        digit = factors.solved(rest)
        known = [number + scale * more for number, more in zip(known, digit, strict=True)]
        rest = [(a - sum(map(mul, row, digit))) // modulus for a, row in zip(rest, matrix, strict=True)]
        scale, digits = scale * modulus, digits + 1
        if digits == wanted or not any(rest):
            found = _as_fractions(known, scale)
            if found is not None and _solves(matrix, right, *found):
                return [Fraction(number, found[1]) for number in found[0]]
            wanted = max(wanted, digits) * 3 // 2 + 1


def _as_fractions(numbers: list[int], modulus: int) -> tuple[list[int], int] | None:
    """Numerators and their common denominator, small enough to be the only ones of that size; ``None`` if too large."""
    bound, common = isqrt(modulus // 2), 1
    for number in numbers:
        found = _denominator(number * common % modulus, modulus, bound)
        if found is None or found * common > bound:
            return None
        common *= found
    return [_centred(number * common % modulus, modulus) for number in numbers], common


def _denominator(number: int, modulus: int, bound: int) -> int | None:
    """The ``d`` of ``n/d ≡ number``, both no larger than ``bound`` (Wang 1981: stop Euclid's algorithm half-way)."""
    if number <= bound or modulus - number <= bound:
        return 1
    high, low, before, now = modulus, number, 0, 1
    while low > bound:
        quotient = high // low
        high, low, before, now = low, high - quotient * low, now, before - quotient * now
    return abs(now) if abs(now) <= bound else None


def _centred(number: int, modulus: int) -> int:
    return number if 2 * number <= modulus else number - modulus


def _solves(matrix: list[list[int]], right: list[int], numerators: list[int], common: int) -> bool:
    return all(sum(map(mul, row, numerators)) == common * a for row, a in zip(matrix, right, strict=True))

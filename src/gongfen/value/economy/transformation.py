"""From values to prices of production: equal profit on capital, and what becomes of the sums.

Two questions of the old debate, each with its checked answer (``economics.md``, section 4). **Bortkiewicz** (1907):
in three departments — means of production, goods of workers, goods of capitalists — prices that give one rate of
profit. In simple reproduction total profit equals total surplus value when the third department's price is the
measure; total price does not equal total value. **Okishio** (1961): a new technique that is cheaper at ruling
prices raises the rate of profit at an unchanged real wage, while values fall.

These are models to think with. Nothing here is booked, and a price of production is not an observed price.
"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from gongfen.errors import MalformedFactError
from gongfen.value.economy.input_output import Matrix, is_productive
from gongfen.value.economy.linear import Row
from gongfen.value.irrational import root

RATE_BITS = 40
"""A rate of profit by ``profit_rate`` is exact to 2⁻⁴⁰."""


class Department(msgspec.Struct, frozen=True):
    """What one department makes in a year, in value: constant and variable capital, surplus."""

    constant: Fraction | int
    variable: Fraction | int
    surplus: Fraction | int

    @property
    def value(self) -> Fraction:
        """All of it: c + v + s."""
        return Fraction(self.constant) + self.variable + self.surplus


class Transformed(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of production. Exact where the rate is a fraction, else to forty digits."""

    rate: Fraction
    """r, the same in every department."""
    multipliers: tuple[Fraction, Fraction, Fraction]
    """Price over value, by department; the third is 1."""
    prices: tuple[Fraction, Fraction, Fraction]
    """Of each department's whole product."""
    profits: tuple[Fraction, Fraction, Fraction]


def transformation(first: Department, second: Department, third: Department) -> Transformed:
    """Solve ``(1 + r)(c_i·p₁ + v_i·p₂) = W_i·p_i`` with ``p₃ = 1`` (Bortkiewicz 1907; Sweezy 1942, chapter 7)."""
    departments = (first, second, third)
    if any(min(one.constant, one.variable) <= 0 or one.surplus < 0 for one in departments):
        reason = "need capital above zero and surplus from zero upwards"
        raise MalformedFactError("departments", reason, "give c, v and s of each")
    c1, v1 = Fraction(first.constant, first.value), Fraction(first.variable, first.value)
    c2, v2 = Fraction(second.constant, second.value), Fraction(second.variable, second.value)
    # (p₁, p₂) is the left eigenvector of [[c₁, c₂], [v₁, v₂]] for its larger eigenvalue λ; 1 + r = 1/λ.
    half = Fraction(c1 + v2, 2)
    eigenvalue = half + root(half * half - (c1 * v2 - c2 * v1))
    rate = Fraction(1, eigenvalue) - 1
    second_by_first = Fraction(eigenvalue - c1, v1)
    one = Fraction(third.value, (1 + rate) * (third.constant + third.variable * second_by_first))
    multipliers = (one, one * second_by_first, Fraction(1))
    costs = [each.constant * multipliers[0] + each.variable * multipliers[1] for each in departments]
    prices = [each.value * times for each, times in zip(departments, multipliers, strict=True)]
    profits = [price - cost for price, cost in zip(prices, costs, strict=True)]
    return Transformed(
        rate=rate,
        multipliers=multipliers,
        prices=(prices[0], prices[1], prices[2]),
        profits=(profits[0], profits[1], profits[2]),
    )


def profit_rate(inputs: Matrix, labour: Row, real_wage: Row) -> Fraction | None:
    """The rate r with ``p = (1 + r)·p(A + b·l)``: A inputs, l labour in a unit, b what an hour of labour is paid in.

    To 2⁻⁴⁰, rounded down; ``None`` where no more than wages and inputs is made (r would not be above zero), or nothing
    limits it. For a handful of sectors: it asks Hawkins & Simon once for every binary digit.
    """
    used = _with_wages(inputs, labour, real_wage)
    if not is_productive(used):
        return None
    low, high = Fraction(0), Fraction(1)
    while is_productive(_scaled(used, 1 + high)):
        low, high = high, high * 2
        if high > 2**RATE_BITS:
            return None
    while high - low > Fraction(1, 2**RATE_BITS):
        middle = Fraction(low + high, 2)
        low, high = (middle, high) if is_productive(_scaled(used, 1 + middle)) else (low, middle)
    return low


def _with_wages(inputs: Matrix, labour: Row, real_wage: Row) -> list[list[Fraction]]:
    return [
        [Fraction(used) + Fraction(bought) * hours for used, hours in zip(row, labour, strict=True)]
        for row, bought in zip(inputs, real_wage, strict=True)
    ]


def _scaled(matrix: Sequence[Sequence[Fraction]], factor: Fraction) -> list[list[Fraction]]:
    return [[factor * number for number in row] for row in matrix]

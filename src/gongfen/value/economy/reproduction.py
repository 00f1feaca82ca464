"""How an economy makes itself again, year by year, when part of its surplus becomes capital.

*Capital* II, chapter 21. Department I makes means of production, II goods of consumption. I saves a part of its
surplus; II must then take over exactly what I leaves: ``II: c + Δc = I: v + Δv + surplus consumed``. Both keep
their composition c/v and rate of surplus s/v. With the figures of *Capital*, I goes 6,000 → 6,600 → 7,260 → 7,986
and II 3,000 → 3,200 → 3,520 → 3,872. Nothing saved is simple reproduction.
"""

from fractions import Fraction

from gongfen.errors import MalformedFactError
from gongfen.value.economy.transformation import Department

Year = tuple[Department, Department]


def reproduction(first: Department, second: Department, saved: Fraction, years: int) -> list[Year]:
    """Departments I and II in this year and the ``years`` after it; ``saved`` is the part of surplus that I invests.

    Raises MalformedFactError where II would have to invest more than its surplus, or shrink.
    """
    if not 0 <= saved <= 1:
        raise MalformedFactError("the part saved", f"is {saved}", "give a part of the surplus, from 0 to 1")
    if any(min(one.constant, one.variable) <= 0 or one.surplus < 0 for one in (first, second)):
        reason = "need capital above zero and surplus from zero upwards"
        raise MalformedFactError("departments", reason, "give c, v and s of each")
    told = [(first, second)]
    for _ in range(years):
        told.append(_next_year(*told[-1], saved))
    return told


def _next_year(first: Department, second: Department, saved: Fraction) -> Year:
    invested = saved * first.surplus
    bigger = _grown(
        first, first.constant + invested * Fraction(first.constant, first.constant + Fraction(first.variable))
    )
    constant = bigger.variable + first.surplus - invested
    other = _grown(second, constant)
    needed = other.constant + other.variable - Fraction(second.constant) - second.variable
    if not 0 <= needed <= second.surplus:
        reason = f"would have to invest {needed} of a surplus of {second.surplus} to match department I"
        raise MalformedFactError("department II", reason, "let department I save another part")
    return bigger, other


def _grown(department: Department, constant: Fraction) -> Department:
    """The department with so much constant capital, at its own composition and rate of surplus."""
    factor = Fraction(constant, Fraction(department.constant))
    return Department(constant, department.variable * factor, department.surplus * factor)

"""Student's t for whole degrees of freedom: how far a mean of few measurements may lie from the truth.

For whole ν the distribution is a finite sum, no series to cut off (Abramowitz & Stegun, *Handbook of Mathematical
Functions*, 26.7.3 and 26.7.4), with θ = arctan(t/√ν):

- ν odd: ``A = (2/π)·(θ + sin θ·(cos θ + 2/3·cos³θ + … ))``, and ``(2/π)·θ`` for ν = 1;
- ν even: ``A = sin θ·(1 + 1/2·cos²θ + 1·3/(2·4)·cos⁴θ + … )``.

A is the probability that |T| ≤ t. The quantile is found by halving, to thirty digits, and is
the same on every machine.
"""

from fractions import Fraction

from gongfen.value.irrational import arc, root

SUREST = 1 - Fraction(1, 10**9)
"""The largest probability that a quantile is given for."""

_STEPS = 100
_ONE = 2**220
"""The terms of the sum are counted in 2⁻²²⁰, some 66 digits: fractions would grow with every term."""

_QUARTER = arc(Fraction(1))
"""π/4."""


def within(t: Fraction, freedom: int) -> Fraction:
    """The probability that a Student t of ``freedom`` ≥ 1 degrees lies in ±t, t ≥ 0."""
    assert freedom >= 1, "a spread needs a measurement to spare"
    squared = t * t
    cosine2 = Fraction(freedom, freedom + squared)
    sine = root(1 - cosine2)
    even = freedom % 2 == 0
    term = _ONE if even else round(root(cosine2) * _ONE)
    shrinking, total = round(cosine2 * _ONE), 0
    for at in range(2 if even else 3, freedom + 1, 2):
        total += term
        term = term * shrinking * (at - 1) // (at * _ONE)
    angle = 0 if even else arc(Fraction(t, root(Fraction(freedom))))
    found = angle + sine * Fraction(total, _ONE)
    return found if even else Fraction(found, 2 * _QUARTER)


def quantile(probability: Fraction, freedom: int) -> Fraction:
    """The t with this probability of lying in ±t: for an interval at 95 %, ``quantile(Fraction(95, 100), freedom)``."""
    assert 0 < probability <= SUREST, "a probability that forty digits can tell from certainty"
    low, high = Fraction(0), Fraction(1)
    while within(high, freedom) < probability:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = Fraction(low + high, 2)
        low, high = (middle, high) if within(middle, freedom) < probability else (low, middle)
    return low

"""Roots, logarithms, powers of e and arcs to forty digits, the same on every machine.

Fractions in, fractions out. The last bits of ``math.log`` differ between C libraries; an answer that anyone shall
recompute must not. A root is exact where it is a fraction; everything else is rounded, far below any measurement.
"""

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import isqrt

DIGITS = 40
"""What callers may rely on."""

_WORK = 60
"""Digits carried while computing."""


def root(number: Fraction) -> Fraction:
    """The square root of a number ≥ 0; exact when it is a fraction.

    >>> root(Fraction(9, 16))
    Fraction(3, 4)
    """
    assert number >= 0, "a root is taken of a number from 0 upwards"
    top, bottom = isqrt(number.numerator), isqrt(number.denominator)
    if top * top == number.numerator and bottom * bottom == number.denominator:
        return Fraction(top, bottom)
    bits = max(0, number.denominator.bit_length() - number.numerator.bit_length())
    scale = 2 ** (_WORK * 10 // 3 + bits // 2 + 1)
    return Fraction(isqrt(number.numerator * scale * scale // number.denominator), scale)


def logarithm(number: Fraction) -> Fraction:
    """The natural logarithm of a number > 0."""
    assert number > 0, "a logarithm is taken of a number above 0"
    with localcontext(Context(prec=_WORK)) as context:
        return Fraction(context.divide(Decimal(number.numerator), Decimal(number.denominator)).ln())


def power_of_e(number: Fraction) -> Fraction:
    """The number e to the power of a number, which must not be beyond ±10,000."""
    assert abs(number) <= 10_000, "so large a power measures nothing"
    with localcontext(Context(prec=_WORK)) as context:
        return Fraction(context.divide(Decimal(number.numerator), Decimal(number.denominator)).exp())


def arc(slope: Fraction) -> Fraction:
    """The angle whose tangent is ``slope``: by halving it to where its series is short."""
    one = Decimal(1)
    with localcontext(Context(prec=_WORK)) as context:
        tangent = context.divide(Decimal(slope.numerator), Decimal(slope.denominator))
        halved = 0
        while abs(tangent) > Decimal("0.05"):
            tangent = context.divide(tangent, one + (one + tangent * tangent).sqrt())
            halved += 1
        total, power, odd = Decimal(0), tangent, 1
        while abs(power) > Decimal(10) ** -_WORK:
            total += context.divide(power, Decimal(odd)) * (1 if odd % 4 == 1 else -1)
            power, odd = power * tangent * tangent, odd + 2
        return Fraction(total * 2**halved)


def decimal(number: Fraction, places: int) -> str:
    """In decimals, rounded half to even: for people to read.

    >>> decimal(Fraction(2, 3), 4), decimal(Fraction(-1, 8), 2)
    ('0.6667', '-0.12')
    """
    scaled = round(abs(number) * 10**places)
    whole, rest = divmod(scaled, 10**places)
    return f"{'-' if number < 0 and scaled else ''}{whole}" + (f".{rest:0{places}}" if places else "")

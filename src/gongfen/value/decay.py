"""What an idle model loses: ``D = K(1 − e^(−λt))``, in whole micro-SLH, the same on every machine.

A model that nobody uses grows old while it stands: others catch up, its data age. Of the labour K that is left in it,
``K·e^(−λt)`` is still worth anything after a time t, and D goes to loss (``economics.md``, section 1). λ is an
assumption of whoever records the loss, and is written beside it; it has no default.

**Rounding.** e^(−λt) is taken to sixty digits (:mod:`gongfen.value.irrational`), D is rounded to the nearest whole
micro-SLH, halves up. Losses of one span after the other add up to that of the whole span, but for one micro-SLH each:
each begins with what the last one left.
"""

from fractions import Fraction

from gongfen.errors import InputError
from gongfen.facts.amounts import round_half_up
from gongfen.value.irrational import power_of_e

_ALL = 1_000
"""Beyond e⁻¹⁰⁰⁰ nothing is left of any amount that the books can hold."""


def idle_loss(labour_uslh: int, rate: Fraction, days: Fraction | int) -> int:
    """D, in micro-SLH, of K = ``labour_uslh`` at λ = ``rate`` a day after so many days. Raises InputError.

    >>> idle_loss(1_000_000, Fraction(1, 100), 30), idle_loss(1_000_000, Fraction(1, 100), 0)
    (259182, 0)
    """
    if labour_uslh < 0 or rate < 0 or days < 0:
        raise InputError("an idle loss", "has labour, a rate or days below zero", "count them from 0 upwards")
    exponent = rate * days
    left = power_of_e(-exponent) if exponent <= _ALL else Fraction(0)
    lost = labour_uslh * (1 - left)
    return round_half_up(lost.numerator, lost.denominator)

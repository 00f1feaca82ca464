"""Rent under the two theories that the field disputes, exactly, for any price and labour.

``R_avg = p − μ(T + L)``: value is all labour in the product. ``R_repro = p − μL``: value is what it takes to make it
again today, and copying what exists takes nothing. Their difference is what past labour counts for: ``R_repro − R_avg
= μT``. Neither is preferred here; both are always reported (``economics.md``, section 1).

:mod:`gongfen.value.worth` reads T and L off a book and gives rents in whole micro-units, as they are shown. Here they
are fractions, for whatever asks *what if*: another μ, a planned price, a sensitivity. There is one formula;
``rents_of`` gives that of a book's answer before it is rounded.
"""

from fractions import Fraction

import msgspec

from gongfen.facts.amounts import USLH_PER_HOUR
from gongfen.value.worth import Worth


class Rents(msgspec.Struct, frozen=True, kw_only=True):
    """In the unit of the price."""

    average: Fraction
    """R_avg."""
    reproduction: Fraction
    """R_repro."""
    at_most: bool = False
    """Labour behind it was never measured: the rent by average theory is an upper bound."""
    reproduction_at_most: bool = False
    """Some of that was living labour of now: so is the rent by reproduction theory."""

    @property
    def past(self) -> Fraction:
        """μT, which the theories disagree on."""
        return self.reproduction - self.average


def rents(
    price: Fraction | int,
    transferred: Fraction | int,
    living: Fraction | int,
    melt: Fraction | int,
    *,
    at_most: bool = False,
    reproduction_at_most: bool = False,
) -> Rents:
    """Both rents: price in money, T and L in hours of simple labour, μ in money for one such hour.

    >>> found = rents(12_500, 165, 75, 40)
    >>> int(found.average), int(found.reproduction), int(found.past)
    (2900, 9500, 6600)
    """
    reproduction = Fraction(price) - Fraction(melt) * living
    return Rents(
        average=reproduction - Fraction(melt) * transferred,
        reproduction=reproduction,
        at_most=at_most,
        reproduction_at_most=reproduction_at_most,
    )


def rents_of(answer: Worth) -> Rents | None:
    """Of a book's answer, in micro-units of its currency, unrounded; ``None`` when nothing was sold."""
    if answer.price_micro is None:
        return None
    melt = Fraction(answer.melt_micro, USLH_PER_HOUR)
    return rents(
        answer.price_micro, answer.transferred_uslh, answer.living_uslh, melt,
        at_most=answer.unmeasured, reproduction_at_most=answer.untimed,
    )  # fmt: skip

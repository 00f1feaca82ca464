"""What the same thing takes on the social average, and what each producer gains or gives by it.

Value is the *socially necessary* labour: who takes longer than the average makes no more of it. What is above the
average passes to those who are below, and all of it adds up to nothing: labour is conserved (``economics.md``, 1).
"""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from gongfen.errors import MalformedFactError


class SocialAverage(msgspec.Struct, frozen=True, kw_only=True):
    """One task. Times in the unit that they were given in."""

    time: Fraction | None
    """For one unit, over all producers; ``None`` when nothing was made."""
    transfers: dict[str, Fraction]
    """What each producer's product is worth beyond the time it took (+), or took beyond what it is worth (−). Sum 0."""

    @property
    def not_necessary(self) -> Fraction:
        """The labour above the average, of all who are above it: as much as the others gain."""
        return -sum((gain for gain in self.transfers.values() if gain < 0), Fraction(0))


def social_average(producers: Mapping[str, tuple[Fraction | int, Fraction | int]]) -> SocialAverage:
    """From each producer's time for one unit, and units.

    >>> found = social_average({"ada": (4, 100), "bo": (5, 60), "cy": (9, 40)})
    >>> str(found.time), [int(gain) for gain in found.transfers.values()]
    ('53/10', [130, 18, -148])
    """
    for name, (time, units) in producers.items():
        if time < 0 or units < 0:
            raise MalformedFactError(name, "has a time or a number of units below zero", "count from 0 upwards")
    made = sum((Fraction(units) for _, units in producers.values()), Fraction(0))
    if not made:
        return SocialAverage(time=None, transfers=dict.fromkeys(producers, Fraction(0)))
    average = Fraction(sum((Fraction(time) * units for time, units in producers.values()), Fraction(0)), made)
    transfers = {name: (average - time) * units for name, (time, units) in producers.items()}
    assert not sum(transfers.values()), "what some give, others gain"
    return SocialAverage(time=average, transfers=transfers)

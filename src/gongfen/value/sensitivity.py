"""Which assumption an answer hangs on most: one at a time from low to high, the widest swing first (a tornado).

Every value rests on assumptions: the reduction, λ, μ, planned uses. Each is set to its low and its high setting
while the others stay at the base, and the answer is asked again. This shows single assumptions only: two that
matter together may each look harmless (Saltelli et al., *Global sensitivity analysis*, 2008, chapter 1).
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Generic, TypeVar

import msgspec

from gongfen.errors import MissingAssumptionError

Setting = TypeVar("Setting")
"""A number, or the name of a rule: whatever the answer is computed from."""


class Assumption(msgspec.Struct, Generic[Setting], frozen=True, kw_only=True):
    """The settings between which it may reasonably lie. Which end gives the larger answer does not matter."""

    name: str
    low: Setting
    high: Setting


class Bar(msgspec.Struct, Generic[Setting], frozen=True, kw_only=True):
    """The answer at both ends of one assumption; ``None`` where it is unknown there."""

    assumption: Assumption[Setting]
    at_low: Fraction | None
    at_high: Fraction | None

    @property
    def swing(self) -> Fraction | None:
        """From one end to the other; ``None`` when an end is unknown."""
        return None if self.at_low is None or self.at_high is None else abs(self.at_high - self.at_low)


class Tornado(msgspec.Struct, Generic[Setting], frozen=True, kw_only=True):
    """The base answer, and bars from the widest swing to the narrowest; unknown ones first: nothing bounds them."""

    base: Fraction | None
    bars: tuple[Bar[Setting], ...]


def tornado(
    base: Mapping[str, Setting],
    assumptions: Sequence[Assumption[Setting]],
    value: Callable[[Mapping[str, Setting]], Fraction | None],
) -> Tornado[Setting]:
    """Ask ``value`` at the base, and at both ends of every assumption. Equal swings stand in the order of their names.

    Raises MissingAssumptionError when an assumption is not among the settings of ``base``.
    """
    bars: list[Bar[Setting]] = []
    for one in assumptions:
        if one.name not in base:
            raise MissingAssumptionError(f"assumption {one.name}", "has no base setting", "state what it is normally")
        low, high = (value({**base, one.name: setting}) for setting in (one.low, one.high))
        bars.append(Bar(assumption=one, at_low=low, at_high=high))
    return Tornado(base=value(dict(base)), bars=tuple(sorted(bars, key=_widest_first)))


def _widest_first(bar: Bar[Setting]) -> tuple[bool, Fraction, str]:
    swing = bar.swing
    return (swing is not None, -swing if swing is not None else Fraction(0), bar.assumption.name)

"""Whether a tracer is above another for certain, and when it cannot be told: how many more retrainings would tell."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from gongfen.trace.evaluation.scores import Bools, Floats, Interval, lds_difference

Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``difference``: of the mean LDS; ``more``: subsets that would tell, about; ``None``: no number of them would."""

    difference: Interval
    answer: Answer
    more: int | None = None


def verdict(left: Floats, right: Floats, kept: Bools, utilities: Floats) -> Verdict:
    """Whether the tracer ``left`` is above ``right``: yes or no only when the whole interval of the difference says so.

    The part of the interval that comes from the choice of subsets shrinks with the root of their number; the part that
    comes from the choice of outputs does not. As many more are needed as bring one end to zero, if the difference stays
    what it is: an estimate, and nothing to rely on.
    """
    found = lds_difference(left, right, kept, utilities)
    if found.low > 0 or found.high <= 0:
        return Verdict(found, "yes" if found.low > 0 else "no")
    outputs = lds_difference(left, right, kept, utilities, same_retrainings=True)
    whole, fixed = (_reach(one) for one in (found, outputs))
    room = found.value**2 - fixed**2
    if room <= 0:
        return Verdict(found, "unknown")
    needed = len(kept) * max(whole**2 - fixed**2, 0.0) / room
    return Verdict(found, "unknown", max(ceil(needed) - len(kept), 1))


def _reach(interval: Interval) -> float:
    """From the value to the end of its interval that lies towards zero."""
    return interval.value - interval.low if interval.value > 0 else interval.high - interval.value

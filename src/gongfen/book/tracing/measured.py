"""What every way of measuring influence gives, and the checkpoints of a run at which two of them look."""

from dataclasses import dataclass, field

from torch import Tensor

from gongfen.progress import Progress
from gongfen.reports.replies import CHECKPOINTS_AGREE
from gongfen.trace.index.noise import tells
from gongfen.trace.interval import OVER_CHECKPOINTS, over_checkpoints

CHECKPOINTS = 4
"""Checkpoints of the run that are averaged, evenly spread, the end among them (``attribution.md``, "The route", 2)."""
TELLS = {True: "yes", False: "no", None: "unknown: too few works, or measured once"}
"""Whether the strongest works stand above random ones, as it is recorded."""
ONE_CHECKPOINT = "unknown: measured at one checkpoint"


@dataclass(frozen=True, eq=False)
class Measured:
    """How influence was measured; ``effects`` [M, N] in nats; of each output, whether it can be told from noise."""

    method: str
    effects: Tensor
    told: list[bool | None]
    ends: tuple[Tensor, Tensor] | None
    """Both ends [M, N] of every effect's interval; ``None``: unknown."""
    interval: str
    """What the interval is, or why it is unknown."""
    told_by: str = CHECKPOINTS_AGREE
    each: Tensor | None = None
    """Effects [C, M, N] at each checkpoint, or of the run with each seed: what intervals are over."""
    unseen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What of the model was not looked at, by the reason."""
    built: bool | None = None
    """Whether an index was built for it; ``None``: none was asked."""


def checkpoints(steps: int) -> tuple[int, ...]:
    """After which of so many steps a run is looked at."""
    return tuple(sorted({-(-steps * n // CHECKPOINTS) for n in range(1, CHECKPOINTS + 1)}))


def averaged(method: str, each: Tensor, told_by: Tensor | None = None) -> Measured:
    """The mean of effects [C, M, N] at the checkpoints, and how far they agree; ``told_by``: others that tell noise."""
    ends = over_checkpoints(each)
    interval = ONE_CHECKPOINT if ends is None else OVER_CHECKPOINTS.format(len(each))
    return Measured(method, each.mean(0), tells(each if told_by is None else told_by), ends, interval, each=each)


def portion(progress: Progress, number: int, of: int) -> Progress:
    """The progress of one of several equal parts, as a part of the whole."""
    return lambda done, whole: progress(number * whole + done, of * whole)

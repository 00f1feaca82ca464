"""How good each way of tracing is for one model, as plain data: ranks in parts per million, losses in nano-nats.

``None`` is *unknown*, never zero.
"""

from typing import Literal

import msgspec

from gongfen.reports.replies import Reason


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation will take, said before it begins."""

    model: str
    works: int
    outputs: tuple[str, ...]
    subsets: int
    seeds: int
    halves: int
    """Retrainings on random halves of the works."""
    drops: int
    """Retrainings without a few works, at most: methods that name the same works share one."""
    kept: int
    """Retrainings that were made before, of those that are known already."""
    time_us: int | None
    """Wall time of what is to do, at most, by the recorded run or by what was retrained already."""
    size_bytes: int
    """What all retrainings take on disk."""
    folder: str


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A number and the middle 95 % of its bootstrap."""

    value_ppm: int
    low_ppm: int
    high_ppm: int


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Mean loss of an output's log-likelihood, when the model is trained again without some works."""

    works: int
    """So many were left out for each output."""
    value_nnat: int
    low_nnat: int
    high_nnat: int


class Tracer(msgspec.Struct, frozen=True, kw_only=True):
    """One way of tracing, held against retraining."""

    name: str
    method: str
    """What exactly it is."""
    likeness: bool
    """Whether it compares texts and knows nothing of the training."""
    lds: Estimate
    above: Estimate | None
    """By how much its rank correlation is above that of the best likeness; ``None``: it is that one."""
    drops: tuple[Lost, ...]
    """More than at random; of ``random`` itself: all of it."""
    cpu_us: int
    verdict: Literal["yes", "no", "unknown"] | None
    """Whether it is above the best likeness for certain; ``None``: it is not a tracer."""
    more: int | None
    """Retrainings that would tell, about; ``None``: it is told, or no number of them would."""


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """All ways of tracing a model's outputs, held against the same retrainings."""

    planned: Planned
    retrainings: int
    likeness: str
    """The best of those that compare texts."""
    ceiling_ppm: int | None
    """What a perfect tracer would score; ``None``: one seed cannot tell."""
    tracers: tuple[Tracer, ...]
    left_out: tuple[Reason, ...]
    evaluations: tuple[str, ...]
    """The facts that say it, a fact a method, in their order."""

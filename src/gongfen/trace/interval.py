"""How far an effect is known: its interval over the checkpoints of an index, or over the seeds of a run.

**Checkpoints.** At every checkpoint the projection is drawn anew and the model is another, so the effects there are
taken for C independent measurements of one quantity: mean ± t · s / √C, with s their standard deviation (n − 1) and t
the 97.5 % quantile of Student's distribution with C − 1 degrees of freedom. It covers what projection, rounding and
choice of checkpoint do; it does not cover a bias that they have in common, which only retraining finds.

**Seeds.** The effect of the recorded run is exact for that run. Over S runs with different seeds it varies by s; so the
effect of another run lies within effect ± t · s · √2, because both runs vary.
"""

from torch import Tensor

T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""For 1 to 9 degrees of freedom (Student 1908; any table)."""
OVER_CHECKPOINTS = "95 %, Student's t over {} checkpoints"
OVER_SEEDS = "95 %, of another run, by Student's t over {} seeds"


def over_checkpoints(each: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [M, N] of the intervals of the mean of effects [C, M, N]; ``None`` with fewer than two checkpoints."""
    if len(each) < 2:
        return None
    half = _quantile(len(each)) * each.std(0) / len(each) ** 0.5
    mean = each.mean(0)
    return mean - half, mean + half


def over_seeds(each: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [N] of the intervals of the first run's effects, by effects [S, N]; ``None`` with fewer than two."""
    if len(each) < 2:
        return None
    half = _quantile(len(each)) * each.std(0) * 2**0.5
    return each[0] - half, each[0] + half


def _quantile(count: int) -> float:
    return T_975[min(count - 1, len(T_975)) - 1]

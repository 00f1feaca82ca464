"""How far an effect is known: its interval over an index's checkpoints, over the works, or over the seeds of a run.

**Checkpoints.** At every checkpoint the projection is drawn anew and the model is another, so the effects there are
taken for C independent measurements of one quantity: mean ± t · s / √C, with s their standard deviation (n − 1) and t
the 97.5 % quantile of Student's distribution with C − 1 degrees of freedom. It covers what projection, rounding and
choice of checkpoint do; it does not cover a bias that they have in common, which only retraining finds.

**Works.** Whole gradients are divided by a curvature that is known from the works only. Over curvatures of other works
drawn anew (:func:`gongfen.trace.gradients.deviation_over_works`) an effect varies by s; its ends are effect ± 1.96 s.
It does not cover the choice of the checkpoint, nor a bias.

**Seeds.** The effect of the recorded run is exact for that run. Over S runs with different seeds it varies by s; so the
effect of another run lies within effect ± t · s · √2, because both runs vary. Two runs say little of one work, and much
of all N together: s² is pooled over the works, with N(S − 1) degrees of freedom. That takes them to vary alike, however
large their effects; over five seeds of the quick demo they do (s from .017 to .034, correlation with the size .15).
"""

from torch import Tensor

NORMAL_975 = 1.959964
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""For 1 to 9 degrees of freedom (Student 1908; any table)."""
OVER_CHECKPOINTS = "95 %, Student's t over {} checkpoints"
OVER_WORKS = "95 %, by a Bayesian bootstrap of the other works, {} times"
OVER_SEEDS = "95 %, of another run, by Student's t over {} seeds, pooled over the works"


def over_checkpoints(each: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [M, N] of the intervals of the mean of effects [C, M, N]; ``None`` with fewer than two checkpoints."""
    if len(each) < 2:
        return None
    half = quantile_975(len(each) - 1) * each.std(0) / len(each) ** 0.5
    mean = each.mean(0)
    return mean - half, mean + half


def over_works(effects: Tensor, deviation: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Both ends [M, N] of the intervals of effects [M, N] with this deviation; ``None`` when it is not known."""
    return None if deviation is None else (effects - NORMAL_975 * deviation, effects + NORMAL_975 * deviation)


def over_seeds(each: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [N] of the intervals of the first run's effects, by effects [S, N]; ``None`` with fewer than two."""
    if len(each) < 2:
        return None
    half = quantile_975((len(each) - 1) * each.shape[1]) * float(each.var(0).mean()) ** 0.5 * 2**0.5
    return each[0] - half, each[0] + half


def quantile_975(freedom: int) -> float:
    """The 97.5 % quantile of Student's distribution, to three digits.

    From ten degrees of freedom on by its expansion in 1/ν (Abramowitz and Stegun 1964, 26.7.5).
    """
    if freedom <= len(T_975):
        return T_975[freedom - 1]
    z, n = NORMAL_975, freedom
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / n + second / n**2 + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)

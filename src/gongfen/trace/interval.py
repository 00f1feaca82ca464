"""How far an estimate is known: over an index's or a run's checkpoints, or over runs with other seeds.

**Checkpoints.** At every checkpoint the model is another, and of an index the projection, too, so the effects there are
taken for C independent measurements of one quantity: mean ± t · s / √C, with s their standard deviation (n − 1) and t
the 97.5 % quantile of Student's distribution with C − 1 degrees of freedom. It covers what projection, rounding and
choice of checkpoint do; it does not cover a bias that they have in common, which only retraining finds.

**Seeds.** The effect of the recorded run is exact for that run. Over S runs with different seeds it varies by s; so the
effect of another run lies within effect ± t · s · √2, because both runs vary. Two runs say little of one work, and much
of all N together: how far works vary is itself drawn, σ² ~ d₀ s₀² / χ²(d₀), and what the works' s² say of d₀ and s₀²
moderates each of them: s̃² = (d₀ s₀² + d s²) / (d₀ + d), with d = S − 1, and d₀ + d degrees of freedom, rounded down
(Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in microarray
experiments", section 6.2 for d₀ and s₀², equation 3.4 for s̃²). Works that vary alike give d₀ = ∞: one s for all.

**Shares.** A maker's share R of the positive effects is a ratio, S̄/T̄, of means over checkpoints: S the effects of the
maker's works among those that are positive on average, T those of all. It varies as (S_c − R T_c)/T̄ does (the ratio
estimator of survey sampling; Cochran 1977, section 2.11), and its interval is t over these. Over seeds each run has
shares of its own, and they are treated like effects, all makers together. Shares end at 0 and 1.
"""

from math import log

import torch
from torch import Tensor

NORMAL_975 = 1.959964
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""For 1 to 9 degrees of freedom (Student 1908; any table)."""
OVER_CHECKPOINTS = "of this way of measuring, 95 %, Student's t over {} checkpoints"
OVER_SEEDS = "of another run, 95 %, Student's t over {} seeds, variances moderated by those of all works"
FEWEST = 3
"""Works from which something is learned of how others vary."""


def over_checkpoints(each: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [M, N] of the intervals of the mean of effects [C, M, N]; ``None`` with fewer than two checkpoints."""
    if len(each) < 2:
        return None
    half = quantile_975(len(each) - 1) * each.std(0) / len(each) ** 0.5
    mean = each.mean(0)
    return mean - half, mean + half


def over_seeds(each: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [N] of the intervals of the first run's effects, by effects [S, N]; ``None`` with fewer than two."""
    if len(each) < 2:
        return None
    variances, freedom = moderated(each.double().var(0), len(each) - 1)
    half = (quantile_975(freedom) * (2 * variances).sqrt()).to(each.dtype)
    return each[0] - half, each[0] + half


def shares_over_checkpoints(each: Tensor, owners: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [K] of makers' shares by effects [C, N] at checkpoints; ``owners`` [K, N]: their part of every work."""
    counted = each * (each.mean(0) > 0)
    parts = counted @ owners.T
    all_of_them = parts.sum(1, keepdim=True)
    level = all_of_them.mean()
    if len(each) < 2 or not level > 0:
        return None
    share = parts.mean(0) / level
    found = over_checkpoints(share + (parts - share * all_of_them) / level)
    return None if found is None else (found[0].clamp(0, 1), found[1].clamp(0, 1))


def shares_over_seeds(each: Tensor, owners: Tensor) -> tuple[Tensor, Tensor] | None:
    """The same of the first run, by effects [S, N] of runs with several seeds."""
    parts = each.clamp_min(0) @ owners.T
    all_of_them = parts.sum(1, keepdim=True)
    if not bool((all_of_them > 0).all()):
        return None
    found = over_seeds(parts / all_of_them)
    return None if found is None else (found[0].clamp(0, 1), found[1].clamp(0, 1))


def moderated(variances: Tensor, freedom: int) -> tuple[Tensor, int]:
    """Sample variances [N] with so many degrees of freedom each, moderated by all; and the degrees they have then."""
    known = variances[variances > 0]
    if len(known) < FEWEST:
        return variances, freedom
    half = torch.tensor(freedom / 2, dtype=variances.dtype)
    logs = known.log() - half.digamma() + half.log()
    spread = float(logs.var() - torch.polygamma(1, half))
    all_of_them = len(variances) * freedom
    if spread <= 0:  # less than chance: they vary alike
        return variances.mean().expand_as(variances), all_of_them
    prior = 2 * inverse_trigamma(spread)
    center = float(logs.mean() + torch.tensor(prior / 2).double().digamma()) - log(prior / 2)
    found = (prior * torch.tensor(center).double().exp() + freedom * variances) / (prior + freedom)
    return found, int(min(prior + freedom, all_of_them))


def inverse_trigamma(value: float) -> float:
    """The y with ψ′(y) = value > 0, by Newton's method on 1/ψ′, which is convex (Smyth 2004, appendix)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        at = torch.tensor(y, dtype=torch.float64)
        now, slope = float(torch.polygamma(1, at)), float(torch.polygamma(2, at))
        step = now * (1 - now / value) / slope
        y += step
        if -step < 1e-12 * y:
            break
    return y


def quantile_975(freedom: int) -> float:
    """The 97.5 % quantile of Student's distribution, to three digits.

    From ten degrees of freedom on by its expansion in 1/ν (Abramowitz and Stegun 1964, 26.7.5).
    """
    if freedom <= len(T_975):
        return T_975[freedom - 1]
    z, n = NORMAL_975, freedom
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / n + second / n**2 + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)

"""Display grade: what each training example did for each output, from the gradients at the end of training.

Let g_i = ∇ℓ_i and q_j = ∇ log p(output_j), both at the final θ. A Newton step on example i alone moves the
log-likelihood of output j by  −(1/N) q_j·(F + λ)⁻¹ g_i,  with F = (1/N) Σ g_i g_iᵀ the empirical Fisher (natural
gradient, Amari 1998). By Woodbury's identity this needs only the N × N Gram matrix:  −(1/N) [ (K + λ)⁻¹ (g_i·q_j)_i ],
K_ik = g_i·g_k / N,  λ = damping × the mean of K's diagonal. Where the gradients do not fit in memory, F is left out:
−(g_i·q_j) / (N λ), the plain product, with λ the mean of the diagonal itself.

F is known from N works only. How much an effect hangs on which they happen to be is told by the Bayesian bootstrap
(Rubin 1981): with weights v = N w, w drawn from Dirichlet(1, …, 1), F_w = Σ w_i g_i g_iᵀ, and by the same identity the
effects are −(1/N) [ (K·diag(v) + λ)⁻¹ (g_i·q_j)_i ], without another pass through the model. The question is what the
*other* works do, so a work itself counts once in its own curvature: by Sherman and Morrison's formula its effect is
divided by 1 + (1 − v_i) [ (K·diag(v) + λ)⁻¹ K ]_ii. Where there are fewer works than numbers, F all but consists of the
work itself, and its weight alone would blow its effect up or down.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.problem import Problem
from gongfen.trace.tuning import steady

Method = Literal["empirical-fisher", "plain"]
DAMPING = 0.1
MEMORY_BYTES = 2 * 2**30
RESAMPLES = 40
"""A standard deviation from so many is good to a tenth."""
MOST_RESAMPLED = 2_000
"""Of more works, every resample solves equations for seconds: then the interval is unknown."""


@dataclass(frozen=True, eq=False)
class DisplayInfluence:
    """``effects`` [M, N]: estimated change of each output's log-likelihood from training on each example, in nats.

    Positive helped. It ranks the examples of one output; the sizes are those of a damped Newton step, not of the run.
    """

    effects: Tensor
    method: Method
    damping: float
    deviation: Tensor | None = None
    """Standard deviation of each effect [M, N] over resampled works, in nats.

    ``None``: it was not asked for, or there is no curvature to resample.
    """


def display_influence(
    problem: Problem,
    theta: Tensor,
    damping: float = DAMPING,
    memory_bytes: int = MEMORY_BYTES,
    progress: Progress = silent,
    resamples: int = 0,
) -> DisplayInfluence:
    """Trace every output at ``theta`` [P] in one pass; raises TrainingError for gradients that are not finite.

    Each example's gradient is taken by itself, so nothing depends on how examples are put in batches. With
    ``resamples``, of which two are the least, effects come with their deviation, for up to MOST_RESAMPLED examples.
    """
    examples, outputs = problem.examples, len(problem.prices)
    fits = examples * theta.numel() * theta.element_size() <= memory_bytes
    kept = torch.empty(examples, theta.numel(), dtype=theta.dtype) if fits else None
    with steady(torch.get_num_threads()):
        queries = torch.stack([_output_gradient(problem, theta, j) for j in range(outputs)], dim=1)
        _refuse_infinite("outputs", queries.sum(0))
        dots = torch.empty(examples, outputs, dtype=theta.dtype)
        squares = torch.empty(examples, dtype=theta.dtype)
        for i in range(examples):
            gradient = example_gradient(problem, theta, i)
            dots[i], squares[i] = gradient @ queries, gradient @ gradient
            if kept is not None:
                kept[i] = gradient
            progress(i + 1, examples)
        _refuse_infinite("examples", squares)
        level = squares.mean() / examples
        if kept is None:
            return DisplayInfluence(-(dots / (examples * level)).T, "plain", 1.0)
        gram = kept @ kept.T / examples
        effects = newton_steps(gram, dots, damping * level)
        deviation = None
        if resamples and examples <= MOST_RESAMPLED:
            deviation = deviation_over_works(gram, dots, damping * level, resamples)
        return DisplayInfluence(effects, "empirical-fisher", damping, deviation)


def newton_steps(gram: Tensor, dots: Tensor, level: Tensor) -> Tensor:
    """−(1/N) [ (K + λ)⁻¹ d ]ᵀ, [M, N], from K [N, N], d [N, M] and λ []."""
    damped = gram.clone()
    damped.diagonal().add_(level)
    solved: Tensor = torch.linalg.solve(damped, dots)
    return -(solved / len(gram)).T


def others_drawn(gram: Tensor, dots: Tensor, level: Tensor, weights: Tensor) -> Tensor:
    """The same, [M, N], where every work's curvature holds itself once and the others with ``weights`` v [N]."""
    damped = gram * weights
    damped.diagonal().add_(level)
    solved: Tensor = torch.linalg.solve(damped, torch.cat([dots, gram], 1))
    outputs = dots.shape[1]
    itself = 1 + (1 - weights) * solved[:, outputs:].diagonal()
    return -(solved[:, :outputs] / itself[:, None] / len(gram)).T


def deviation_over_works(gram: Tensor, dots: Tensor, level: Tensor, resamples: int) -> Tensor:
    """Standard deviation (n − 1) of the effects, [M, N], over curvatures of works drawn anew; always the same draws."""
    source = torch.Generator().manual_seed(0)
    total, squares = torch.zeros_like(dots.T), torch.zeros_like(dots.T)
    middle = newton_steps(gram, dots, level)
    for _ in range(resamples):
        drawn = -torch.rand(len(gram), generator=source, dtype=gram.dtype).clamp_min(1e-30).log()
        moved = others_drawn(gram, dots, level, drawn / drawn.mean()) - middle  # from the middle: nothing cancels
        total += moved
        squares += moved.square()
    return ((squares - total.square() / resamples) / (resamples - 1)).clamp_min(0).sqrt()


def example_gradient(problem: Problem, theta: Tensor, number: int) -> Tensor:
    """∇ℓ_i at ``theta``, [P]."""
    at = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(problem.losses(at, torch.tensor([number])).sum(), at)
    return gradient


def _output_gradient(problem: Problem, theta: Tensor, number: int) -> Tensor:
    at = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(problem.log_likelihoods(at, torch.tensor([number])).sum(), at)
    return gradient


def _refuse_infinite(kind: str, values: Tensor) -> None:
    bad = (~values.isfinite()).nonzero().flatten().tolist()
    if bad:
        raise TrainingError(f"{kind} {bad}", "have no finite gradient at the end", "train at a lower rate")

"""Display grade: what each training example did for each output, from gradients at one point of it.

Let g_i = ∇ℓ_i and q_j = ∇ log p(output_j), both at one θ. A Newton step on example i alone moves the
log-likelihood of output j by  −(1/N) q_j·(F + λ)⁻¹ g_i,  with F = (1/N) Σ g_i g_iᵀ the empirical Fisher (natural
gradient, Amari 1998). By Woodbury's identity this needs only the N × N Gram matrix:  −(1/N) [ (K + λ)⁻¹ (g_i·q_j)_i ],
K_ik = g_i·g_k / N,  λ = damping × the mean of K's diagonal. Where the gradients do not fit in memory, F is left out:
−(g_i·q_j) / (N λ), the plain product, with λ the mean of the diagonal itself.

A run has many such points. What is said at several of its checkpoints is averaged, as TracIn does (Pruthi et al. 2020),
and how it varies over them tells how far it is known (:mod:`gongfen.trace.interval`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.memory import enough
from gongfen.trace.problem import Problem, named
from gongfen.trace.tuning import steady

Method = Literal["empirical-fisher", "plain"]
DAMPING = 1.0
"""Best over three models together; on adapters of SmolLM2 ten times as much is better (benchmarks/trace/README.md)."""
MEMORY_BYTES = 2 * 2**30
LESS = "close other programs; trace fewer outputs at once, or with --index; or train with fewer tokens a work"


@dataclass(frozen=True, eq=False)
class DisplayInfluence:
    """``effects`` [M, N]: estimated change of each output's log-likelihood from training on each example, in nats.

    Positive helped. It ranks the examples of one output; the sizes are those of a damped Newton step, not of the run.
    """

    effects: Tensor
    method: Method
    damping: float
    apart: Tensor | None = None
    """The same of the outputs that are looked at apart; ``None``: gradients do not fit in memory, so they were not."""


def display_influence(
    problem: Problem,
    theta: Tensor,
    damping: float = DAMPING,
    memory_bytes: int = MEMORY_BYTES,
    progress: Progress = silent,
    apart: int = 0,
    works: Sequence[str] = (),
    names: Sequence[str] = (),
) -> DisplayInfluence:
    """Trace every output at ``theta`` [P] in one pass; ``works`` and ``names`` of the outputs are for errors alone.

    Each example's gradient is taken by itself, so nothing depends on how examples are put in batches. The last
    ``apart`` outputs are taken one by one afterwards: many of them need no more memory, and change nothing. Raises
    TrainingError for gradients that are not finite, naming work or output and layer, and when one example or one output
    does not fit in memory.
    """
    with enough("tracing: reading the works", LESS):
        return _influence(problem, theta, damping, memory_bytes, progress, apart, works, names)


def _influence(
    problem: Problem,
    theta: Tensor,
    damping: float,
    memory_bytes: int,
    progress: Progress,
    apart: int,
    works: Sequence[str],
    names: Sequence[str],
) -> DisplayInfluence:
    examples, outputs = problem.examples, len(problem.prices) - apart
    fits = examples * theta.numel() * theta.element_size() <= memory_bytes
    kept = torch.empty(examples, theta.numel(), dtype=theta.dtype) if fits else None
    with steady(torch.get_num_threads()):
        each = [_output_gradient(problem, theta, j) for j in range(outputs)]
        for j, query in enumerate(each):
            _refuse_infinite(problem, f"output {named(names, j)}", query)
        queries = torch.stack(each, dim=1)
        del each
        dots = torch.empty(examples, outputs, dtype=theta.dtype)
        squares = torch.empty(examples, dtype=theta.dtype)
        for i in range(examples):
            gradient = example_gradient(problem, theta, i)
            _refuse_infinite(problem, f"work {named(works, i)}", gradient)
            dots[i], squares[i] = gradient @ queries, gradient @ gradient
            if kept is not None:
                kept[i] = gradient
            progress(i + 1, examples + apart)
        level = squares.mean() / examples
        if kept is None:
            return DisplayInfluence(-(dots / (examples * level)).T, "plain", 1.0)
        gram = kept @ kept.T / examples
        found = newton_steps(gram, dots, damping * level)
        if not apart:
            return DisplayInfluence(found, "empirical-fisher", damping)
        dots = torch.empty(examples, apart, dtype=theta.dtype)
        for j in range(apart):
            dots[:, j] = kept @ _output_gradient(problem, theta, outputs + j)
            progress(examples + j + 1, examples + apart)
        others = newton_steps(gram, dots, damping * level)
        return DisplayInfluence(found, "empirical-fisher", damping, others)


def newton_steps(gram: Tensor, dots: Tensor, level: Tensor) -> Tensor:
    """−(1/N) [ (K + λ)⁻¹ d ]ᵀ, [M, N], from K [N, N], d [N, M] and λ []."""
    damped = gram.clone()
    damped.diagonal().add_(level)
    solved: Tensor = torch.linalg.solve(damped, dots)
    return -(solved / len(gram)).T


def example_gradient(problem: Problem, theta: Tensor, number: int) -> Tensor:
    """∇ℓ_i at ``theta``, [P]."""
    at = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(problem.losses(at, torch.tensor([number])).sum(), at)
    return gradient


def _output_gradient(problem: Problem, theta: Tensor, number: int) -> Tensor:
    at = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(problem.log_likelihoods(at, torch.tensor([number])).sum(), at)
    return gradient


def _refuse_infinite(problem: Problem, thing: str, gradient: Tensor) -> None:
    """Raise TrainingError, naming the layer, for a gradient that is not finite, or whose square is not."""
    if not bool((gradient @ gradient).isfinite()):
        bad = ~gradient.isfinite()
        place = int(bad.int().argmax()) if bool(bad.any()) else int(gradient.abs().argmax())
        reason = f"has gradients that are not finite numbers, in layer {problem.layer_of(place)}"
        raise TrainingError(thing, reason, "look at it, or train at a lower rate")

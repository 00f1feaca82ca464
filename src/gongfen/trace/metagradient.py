"""Settlement grade: ∂U/∂w_i of every training example, by differentiating the training run itself once.

With u_t the adjoint of step t's gradient g_t, example i of that step earns (1/B) u_t·∇ℓ_i(θ_t), and the adjoint of θ_t
gains the Hessian product H_t u_t. One more gradient at θ_t + εu_t gives both, because g_t and the losses at θ_t are on
the tape: about one more training run in all, with first-order gradients only. Differentiating the run is MAGIC's idea
(Ilyas and Engstrom 2025); a difference of gradients stands here in place of its double backward pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from typing import Literal

import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.adamw import State, adjoint, start, step
from gongfen.trace.memory import enough
from gongfen.trace.problem import Problem, utility_gradient
from gongfen.trace.tuning import Run, gradient_of, steady, tensor_sha256

Mode = Literal["one-sided", "central", "exact"]
RELATIVE_STEP = 1e-3
LESS = "close other programs, or train with fewer works in a batch, or fewer tokens a work"


@dataclass(frozen=True, eq=False)
class Metagradient:
    """What each example contributed to U, and how far to trust it.

    ``effects`` [N]: ∂U/∂w_i, nats; minus it estimates what leaving the example out does to U.
    ``growth``: greatest norm of the adjoint of θ over its first; above about 3 the run is not smooth enough to settle
    on. ``relative_step``: ε‖u‖/‖θ‖ of the difference (0 in exact mode). ``adapter_sha256``: of the parameters that the
    tape replayed to.
    """

    effects: Tensor
    growth: float
    relative_step: float
    mode: Mode
    adapter_sha256: str


def metagradient(
    problem: Problem,
    run: Run,
    mode: Mode = "one-sided",
    relative_step: float = RELATIVE_STEP,
    progress: Progress = silent,
) -> Metagradient:
    """Differentiate ``run``; raises TrainingError when its tape does not replay to its adapter, or on overflow.

    Raises it, too, when memory is short: a batch of the run cannot be cut here, or other bits come out.
    """
    with enough("tracing: going back through the training run", LESS):
        return _metagradient(problem, run, mode, relative_step, progress)


def _metagradient(problem: Problem, run: Run, mode: Mode, relative_step: float, progress: Progress) -> Metagradient:
    steps = len(run.batches)
    effects = torch.zeros(len(run.weights), dtype=run.theta.dtype)
    norms: list[float] = []
    with steady(run.threads):
        checkpoints = _checkpoints(run)
        by_theta = utility_gradient(problem, run.theta)
        wanted = State(by_theta, torch.zeros_like(by_theta), torch.zeros_like(by_theta))
        for t, before, after in _backwards(run, checkpoints):
            norms.append(float(wanted.theta.norm()))
            u, wanted = adjoint(run.recipe, t, steps, after, run.taped().gradients[t], wanted)
            if bool(u.any()):
                product, earned = _products(problem, run, t, before.theta, u, mode, relative_step)
                effects[run.batches[t]] += earned
                wanted = wanted._replace(theta=wanted.theta + product)
            progress(steps - t, steps)
    norms.append(float(wanted.theta.norm()))
    if not bool(effects.isfinite().all()):
        raise TrainingError("run", "has an adjoint that overflows", "train with a lower --rate and a longer --warmup")
    growth = max(norms) / norms[0] if norms[0] else 1.0
    return Metagradient(effects, growth, 0.0 if mode == "exact" else relative_step, mode, run.adapter_sha256)


def _products(
    problem: Problem, run: Run, t: int, theta: Tensor, u: Tensor, mode: Mode, relative_step: float
) -> tuple[Tensor, Tensor]:
    """The Hessian product H_t u [P], and (1/B) u·∇ℓ_i of step t's examples [B_t]."""
    index, size = run.batches[t], run.recipe.batch_size
    if mode == "exact":
        return _double_backward(problem, run, t, theta, u)
    reach = relative_step * float(theta.norm()) / float(u.norm())
    plus_losses, plus = gradient_of(problem, theta + reach * u, index, run.weights, size)
    if mode == "central":
        minus_losses, minus = gradient_of(problem, theta - reach * u, index, run.weights, size)
        return (plus - minus) / (2 * reach), (plus_losses - minus_losses) / (2 * reach * size)
    tape = run.taped()
    return (plus - tape.gradients[t]) / reach, (plus_losses - tape.example_losses[t]) / (reach * size)


def _double_backward(problem: Problem, run: Run, t: int, theta: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """The same two, exactly: needs an attention kernel that can be differentiated twice."""
    index = run.batches[t]
    at = theta.detach().requires_grad_()
    weights = run.weights[index].clone().requires_grad_()
    loss = (weights * problem.losses(at, index)).sum() / run.recipe.batch_size
    (gradient,) = torch.autograd.grad(loss, at, create_graph=True)
    product, earned = torch.autograd.grad((gradient * u).sum(), [at, weights])
    return product, earned


def _checkpoints(run: Run) -> list[State]:
    """States after every ⌈√T⌉ steps, from the tape; raises TrainingError when the end is not the run's adapter."""
    steps, tape = len(run.batches), run.taped()
    state = start(run.theta0)
    kept = [state]
    for t in range(steps):
        state = step(run.recipe, t, steps, state, tape.gradients[t])
        if (t + 1) % _stride(steps) == 0:
            kept.append(state)
    if tensor_sha256(state.theta) != run.adapter_sha256:
        raise TrainingError(
            f"tape of adapter {run.adapter_sha256[:12]}",
            "replays to other parameters, so it does not belong to this adapter",
            "train again and keep the tape beside the adapter",
        )
    return kept


def _backwards(run: Run, checkpoints: list[State]) -> Iterator[tuple[int, State, State]]:
    """Every step from the last to the first, with the states before and after it; holds 2√T states, not T."""
    steps, tape = len(run.batches), run.taped()
    stride = _stride(steps)
    for low in reversed(range(0, steps, stride)):
        states = [checkpoints[low // stride]]
        for t in range(low, min(low + stride, steps)):
            states.append(step(run.recipe, t, steps, states[-1], tape.gradients[t]))
        for t in reversed(range(low, min(low + stride, steps))):
            after = states.pop()
            yield t, states[-1], after


def _stride(steps: int) -> int:
    return isqrt(steps - 1) + 1

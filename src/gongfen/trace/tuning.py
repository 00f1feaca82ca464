"""A recorded training run: θ₀ and every step's gradient, from which any state is replayed without the model.

Step t uses g_t = (1/B) Σ_i w_i ∇ℓ_i(θ_t), with B the recipe's batch size whatever the batch holds: so a weight of 0 is
the same as leaving the example out, with the same order and number of steps, and a short last batch counts each of
its examples as much as any other.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils import deterministic

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.adamw import Recipe, State, start, step
from gongfen.trace.problem import Problem

SAME_LOSS = 1e-4
"""So much of a loss may be rounding. A model that has learned nothing yet tells other tokens by a hundredth of it."""


@dataclass(frozen=True, eq=False)
class Tape:
    """What a run is replayed and differentiated from: each step's gradient [P] and examples' losses [B_t], in nats."""

    gradients: tuple[Tensor, ...]
    example_losses: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: where it began and ended ([P]), weights [N], the examples of each step, losses [T] in nats."""

    recipe: Recipe
    threads: int
    theta0: Tensor
    theta: Tensor
    weights: Tensor
    batches: tuple[Tensor, ...]
    step_losses: Tensor
    tape: Tape | None

    @property
    def adapter_sha256(self) -> str:
        """SHA-256, in hex, of the final parameters' bytes."""
        return tensor_sha256(self.theta)

    def taped(self) -> Tape:
        """Return the tape; raises TrainingError when the run was made without one."""
        if self.tape is None:
            raise TrainingError("run", "was made without a tape", "train again with tape=True")
        return self.tape


def tune(
    problem: Problem,
    recipe: Recipe,
    weights: Tensor | None = None,
    *,
    tape: bool = True,
    progress: Progress = silent,
) -> Run:
    """Train from θ₀ by the recipe, with example weights [N] (default: all 1).

    The same problem, recipe, weights and number of threads give the same bits. Raises TrainingError, naming the step
    and the examples, at a loss or gradient that is not a finite number.
    """
    weights = torch.ones(problem.examples, dtype=problem.theta0.dtype) if weights is None else weights
    batches = batches_of(recipe, problem.examples)
    gradients: list[Tensor] = []
    losses: list[Tensor] = []
    means: list[Tensor] = []
    state, threads = start(problem.theta0), torch.get_num_threads()
    with steady(threads):
        for t, index in enumerate(batches):
            each, gradient = checked_gradient(problem, state.theta, index, weights, recipe, t)
            means.append(each.mean())
            if tape:
                gradients.append(gradient)
                losses.append(each)
            state = step(recipe, t, len(batches), state, gradient)
            progress(t + 1, len(batches))
    recorded = Tape(tuple(gradients), tuple(losses)) if tape else None
    return Run(recipe, threads, problem.theta0.clone(), state.theta, weights, batches, torch.stack(means), recorded)


def retune(problem: Problem, run: Run, weights: Tensor, progress: Progress = silent) -> Tensor:
    """Train ``run`` again with other weights [N], and return the final parameters [P].

    Up to the first step with a changed weight the trajectory is the same, so it is replayed from the tape; examples of
    weight 0 are then left out of the forward pass, which changes nothing but rounding.
    """
    changed = weights != run.weights
    steps = len(run.batches)
    first = next((t for t, index in enumerate(run.batches) if bool(changed[index].any())), steps)
    state = replayed(run, first)
    with steady(run.threads):
        for t in range(first, steps):
            index = run.batches[t]
            index = index[weights[index] != 0]
            gradient = torch.zeros_like(state.theta)
            if len(index):
                _, gradient = checked_gradient(problem, state.theta, index, weights, run.recipe, t)
            state = step(run.recipe, t, steps, state, gradient)
            progress(t + 1 - first, steps - first)
    return state.theta


def replayed(run: Run, steps: int) -> State:
    """Return the state after the first ``steps`` steps, from the tape alone."""
    state = start(run.theta0)
    for t in range(steps):
        state = step(run.recipe, t, len(run.batches), state, run.taped().gradients[t])
    return state


def retold(problem: Problem, run: Run) -> bool:
    """Whether each example is still the same: it has the loss that the tape tells, when it was first trained on.

    Another machine may round otherwise; other tokens give other losses.
    """
    state, seen, steps = start(run.theta0), 0, len(run.batches)
    with steady(run.threads), torch.no_grad():
        for t, index in enumerate(run.batches):
            if seen >= problem.examples:
                break
            seen += len(index)
            losses, due = problem.losses(state.theta, index), run.taped().example_losses[t]
            if not torch.allclose(losses, due, rtol=SAME_LOSS, atol=0):
                return False
            state = step(run.recipe, t, steps, state, run.taped().gradients[t])
    return len(run.weights) == problem.examples


def batches_of(recipe: Recipe, examples: int) -> tuple[Tensor, ...]:
    """Which examples each step sees: every epoch all of them, shuffled by the seed; its last batch may be short."""
    if examples < 1:
        raise TrainingError("training data", "has no example", "bring in at least one work")
    source = torch.Generator().manual_seed(recipe.seed)
    orders = [torch.randperm(examples, generator=source) for _ in range(recipe.epochs)]
    return tuple(batch for order in orders for batch in torch.split(order, recipe.batch_size))


def gradient_of(
    problem: Problem, theta: Tensor, index: Tensor, weights: Tensor, batch_size: int
) -> tuple[Tensor, Tensor]:
    """Losses [B] of the examples ``index`` at ``theta``, and g = (1/batch_size) Σ w_i ∇ℓ_i, [P]."""
    at = theta.detach().requires_grad_()
    each = problem.losses(at, index)
    (gradient,) = torch.autograd.grad((weights[index] * each).sum() / batch_size, at)
    return each.detach(), gradient


def checked_gradient(
    problem: Problem, theta: Tensor, index: Tensor, weights: Tensor, recipe: Recipe, t: int
) -> tuple[Tensor, Tensor]:
    """As ``gradient_of``; raises TrainingError naming the step and the examples when one is not a finite number."""
    each, gradient = gradient_of(problem, theta, index, weights, recipe.batch_size)
    if bool(each.isfinite().all()) and bool(gradient.isfinite().all()):
        return each, gradient
    guilty = [int(i) for i in index if not _finite(problem, theta, i.reshape(1), weights)]
    raise TrainingError(
        f"step {t + 1}",
        f"has a loss or gradient that is not a finite number, at examples {guilty or index.tolist()}",
        "lower the learning rate, or look at those examples and leave them out",
    )


def _finite(problem: Problem, theta: Tensor, index: Tensor, weights: Tensor) -> bool:
    each, gradient = gradient_of(problem, theta, index, weights, 1)
    return bool(each.isfinite().all()) and bool(gradient.isfinite().all())


@contextmanager
def steady(threads: int) -> Iterator[None]:
    """Compute with deterministic algorithms and a fixed number of threads; all is put back afterwards.

    torch would then also fill all fresh memory, which shows reads of it but takes time: that is left out.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(mode=before[1])
        deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


def tensor_sha256(tensor: Tensor) -> str:
    """SHA-256, in hex, of a tensor's bytes in row order."""
    return sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()


def save_run(run: Run, path: Path) -> None:
    """Write a run with its tape as safetensors; the header holds recipe, threads and the adapter's hash."""
    tape = run.taped()
    tensors = {"theta0": run.theta0, "theta": run.theta, "weights": run.weights, "losses": run.step_losses}
    for t, index in enumerate(run.batches):
        tensors[f"batch.{t}"] = index.clone()
        tensors[f"gradient.{t}"] = tape.gradients[t]
        tensors[f"loss.{t}"] = tape.example_losses[t]
    header = {
        "recipe": json.dumps(asdict(run.recipe), sort_keys=True),
        "threads": str(run.threads),
        "steps": str(len(run.batches)),
        "adapter_sha256": run.adapter_sha256,
    }
    save_file(tensors, path, metadata=header)


def load_run(path: Path) -> Run:
    """Read what ``save_run`` wrote; raises TrainingError when it is missing, not a tape or not what its hash says."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata()
            run = _run_of(header, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as reason:
        raise TrainingError(f"tape {path}", f"cannot be read ({reason})", "train again") from reason
    if run.adapter_sha256 != header["adapter_sha256"]:
        raise TrainingError(f"tape {path}", "does not hold the adapter that its header names", "train again")
    return run


def _run_of(header: dict[str, str], tensors: dict[str, Tensor]) -> Run:
    def series(name: str) -> Sequence[Tensor]:
        return [tensors[f"{name}.{t}"] for t in range(int(header["steps"]))]

    return Run(
        Recipe(**json.loads(header["recipe"])),
        int(header["threads"]),
        tensors["theta0"],
        tensors["theta"],
        tensors["weights"],
        tuple(series("batch")),
        tensors["losses"],
        Tape(tuple(series("gradient")), tuple(series("loss"))),
    )

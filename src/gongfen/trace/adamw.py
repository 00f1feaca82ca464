"""AdamW as a pure function on flat tensors, its recipe in whole numbers, and its adjoint.

Step t (from 0), with rate α_t, gradient g and decoupled decay λ (Loshchilov and Hutter 2019, algorithm 2):

    m' = β₁m + (1−β₁)g        v' = β₂v + (1−β₂)g²
    r = √(v'/(1−β₂^(t+1)))    θ' = θ − α_t( m'/(1−β₁^(t+1)) / (r+ε) + λθ )

The adjoint is the hand-written derivative of these lines. Where r = 0 (LoRA's A while its B is still zero) the
derivative of the root is 0·∞ and is defined as 0: such a coordinate has not moved.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import NamedTuple

import torch
from torch import Tensor

from gongfen.errors import TrainingError

PPM = 1_000_000
NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a run is made. Only whole numbers, because only whole numbers are recorded; properties give the floats.

    A run is smooth, and so can be differentiated, with a warm-up, a modest rate and an ``eps`` near 1e-4.
    """

    seed: int
    epochs: int
    batch_size: int
    learning_rate_nano: int
    warmup_steps: int
    eps_nano: int
    weight_decay_ppm: int = 0
    beta1_ppm: int = 900_000
    beta2_ppm: int = 999_000

    def __post_init__(self) -> None:
        """Refuse what cannot be run; raises TrainingError."""
        least = {"epochs": 1, "batch_size": 1, "learning_rate_nano": 1, "eps_nano": 1}
        for name, value in asdict(self).items():
            if type(value) is not int or value < least.get(name, 0):
                raise TrainingError(
                    f"recipe: {name} = {value!r}",
                    f"is not a whole number of at least {least.get(name, 0)}",
                    "write it in whole units, as the name says (nano = 1e-9, ppm = 1e-6)",
                )
        if max(self.beta1_ppm, self.beta2_ppm) >= PPM:
            raise TrainingError("recipe: beta", "is not below 1,000,000 ppm", "use 900_000 and 999_000")

    def steps(self, examples: int) -> int:
        """How many steps a run over so many examples has; the last one of an epoch may be short."""
        return self.epochs * -(-examples // self.batch_size)

    @property
    def learning_rate(self) -> float:
        """Highest rate, reached at the end of the warm-up."""
        return self.learning_rate_nano / NANO

    @property
    def eps(self) -> float:
        """What is added to the root of v: the larger, the smoother the run."""
        return self.eps_nano / NANO

    @property
    def weight_decay(self) -> float:
        """Decoupled decay λ."""
        return self.weight_decay_ppm / PPM

    @property
    def betas(self) -> tuple[float, float]:
        """β₁ and β₂."""
        return self.beta1_ppm / PPM, self.beta2_ppm / PPM

    @property
    def config_hash(self) -> str:
        """SHA-256, in hex, of the fields as canonical JSON: sorted keys, no spaces, integers only (RFC 8785)."""
        return sha256(json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class State(NamedTuple):
    """Parameters and the two moments, each flat [P]; or the adjoints of the three."""

    theta: Tensor
    m: Tensor
    v: Tensor


def start(theta: Tensor) -> State:
    """Return the state before the first step: the parameters [P] and moments of zero."""
    return State(theta.clone(), torch.zeros_like(theta), torch.zeros_like(theta))


def rate(recipe: Recipe, t: int, steps: int) -> float:
    """Rate of step ``t`` (from 0) of ``steps``: linear warm-up, then linear decay to one step short of zero."""
    warm = recipe.warmup_steps
    if t < warm:
        return recipe.learning_rate * (t + 1) / warm
    return recipe.learning_rate * (steps - t) / (steps - warm)


def step(recipe: Recipe, t: int, steps: int, state: State, gradient: Tensor) -> State:
    """Return the state after step ``t`` of ``steps`` with ``gradient`` [P]. Pure: the same bits for the same input."""
    beta1, beta2 = recipe.betas
    m = beta1 * state.m + (1 - beta1) * gradient
    v = beta2 * state.v + (1 - beta2) * gradient * gradient
    root = (v / (1 - beta2 ** (t + 1))).sqrt()
    move = m / (1 - beta1 ** (t + 1)) / (root + recipe.eps)
    return State(state.theta - rate(recipe, t, steps) * (move + recipe.weight_decay * state.theta), m, v)


def adjoint(recipe: Recipe, t: int, steps: int, after: State, gradient: Tensor, wanted: State) -> tuple[Tensor, State]:
    """Take derivatives with respect to the state after step ``t`` back to before it.

    ``after`` holds the moments that the step left, ``gradient`` [P] what it was given, ``wanted`` the derivatives [P]
    of some scalar with respect to θ', m', v'. Returns the derivative with respect to the gradient [P], and those with
    respect to θ, m, v where the gradient is held fixed: the caller adds what the gradient itself owes to θ (a Hessian
    product).
    """
    beta1, beta2 = recipe.betas
    alpha = rate(recipe, t, steps)
    correction1, correction2 = 1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1)
    root = (after.v / correction2).sqrt()
    below = root + recipe.eps
    by_m = wanted.m - alpha * wanted.theta / (below * correction1)
    slope = alpha * (after.m / correction1) / (below * below * 2 * root * correction2)
    by_v = wanted.v + wanted.theta * torch.where(root > 0, slope, torch.zeros_like(slope))
    by_gradient = (1 - beta1) * by_m + 2 * (1 - beta2) * gradient * by_v
    before = State(wanted.theta * (1 - alpha * recipe.weight_decay), beta1 * by_m, beta2 * by_v)
    return by_gradient, before

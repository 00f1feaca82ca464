"""Real retrainings, each without one maker: what leaving them out does to U, measured, against what was predicted.

The rule by which makers are chosen is fixed before anything is retrained: rank all makers by their predicted effect and
take evenly spaced ranks, both ends included. So the whole range is tested and nobody is picked by hand.
"""

import json
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.problem import Problem, utility
from gongfen.trace.tuning import Run, retune

Groups = Mapping[str, Sequence[int]]
"""Maker → the numbers of their examples."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One maker left out: predicted and measured change of U, in nats."""

    maker: str
    predicted: float
    measured: float


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """The retrainings, U of the whole run in nats, and how prediction and measurement agree."""

    utility: float
    rows: tuple[LeftOut, ...]

    @property
    def spearman(self) -> float | None:
        """Rank correlation of predicted and measured; None below three rows or where one of them is constant."""
        if len(self.rows) < 3:
            return None
        return rank_correlation([row.predicted for row in self.rows], [row.measured for row in self.rows])

    @property
    def slope(self) -> float | None:
        """Measured per predicted nat, by least squares through zero; None when all predictions are zero."""
        below = sum(row.predicted**2 for row in self.rows)
        return sum(row.predicted * row.measured for row in self.rows) / below if below else None

    @property
    def line(self) -> tuple[float, float] | None:
        """(slope, intercept in nats) of measured on predicted, least squares; None below three rows or without spread.

        An intercept far from nothing says that all retrainings shifted together, which no share can follow.
        """
        if len(self.rows) < 3:
            return None
        x = torch.tensor([row.predicted for row in self.rows], dtype=torch.float64)
        y = torch.tensor([row.measured for row in self.rows], dtype=torch.float64)
        spread = float((x - x.mean()).square().sum())
        if not spread:
            return None
        slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
        return slope, float(y.mean()) - slope * float(x.mean())


def predicted_changes(groups: Groups, effects: Tensor) -> dict[str, float]:
    """Return what leaving each maker out should do to U, in nats: minus the sum of their examples' effects [N]."""
    return {maker: -float(effects[list(numbers)].sum()) for maker, numbers in groups.items()}


def evenly_ranked(groups: Groups, effects: Tensor, count: int) -> tuple[str, ...]:
    """Choose ``count`` makers at evenly spaced ranks of their predicted change, both ends included; ties go by name."""
    predicted = predicted_changes(groups, effects)
    ranked = sorted(groups, key=lambda maker: (predicted[maker], maker))
    if not 2 <= count <= len(ranked):
        raise TrainingError(
            f"{count} retrainings", f"cannot be spread over {len(ranked)} makers", "choose a number between"
        )
    return tuple(ranked[(k * (len(ranked) - 1) + (count - 1) // 2) // (count - 1)] for k in range(count))


def leave_out(
    problem: Problem,
    run: Run,
    effects: Tensor,
    groups: Groups,
    makers: Sequence[str],
    cache: MutableMapping[str, float] | None = None,
    progress: Progress = silent,
) -> LeaveOut:
    """Retrain without each of ``makers`` and measure U; ``progress`` counts retrainings.

    ``cache`` maps a key of run, utility and examples to a measured U, in nats: a resumed run repeats no retraining.
    Raises TrainingError for a maker without examples.
    """
    cache = {} if cache is None else cache
    predicted = predicted_changes(groups, effects)
    whole = utility(problem, run.theta)
    rows: list[LeftOut] = []
    for done, maker in enumerate(makers):
        if not groups.get(maker):
            raise TrainingError(f"maker {maker}", "has no example in this run", "leave out one who has")
        key = _key(problem, run, whole, groups[maker])
        if key not in cache:
            weights = run.weights.clone()
            weights[list(groups[maker])] = 0
            cache[key] = utility(problem, retune(problem, run, weights))
        rows.append(LeftOut(maker, predicted[maker], cache[key] - whole))
        progress(done + 1, len(makers))
    return LeaveOut(whole, tuple(rows))


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Spearman's ρ, ties given their mean rank; None where one side is constant.

    >>> rank_correlation([1.0, 2.0, 3.0], [10.0, 20.0, 30.0])
    1.0
    """
    pair = torch.stack([_ranks(left), _ranks(right)])
    centred = pair - pair.mean(1, keepdim=True)
    norms = centred.norm(dim=1)
    if not bool(norms.all()):
        return None
    return round(float(centred[0] @ centred[1] / (norms[0] * norms[1])), 12)


def _ranks(values: Sequence[float]) -> Tensor:
    given = torch.tensor(values, dtype=torch.float64)
    below = (given[:, None] > given[None, :]).sum(1)
    equal = (given[:, None] == given[None, :]).sum(1)
    return below + (equal - 1) / 2.0 + torch.zeros_like(given)


def _key(problem: Problem, run: Run, whole: float, numbers: Sequence[int]) -> str:
    """What a measurement depends on: the run, the utility (by its prices and value) and who is left out."""
    parts = [
        run.recipe.config_hash,
        run.adapter_sha256,
        whole.hex(),
        [float(price).hex() for price in problem.prices],
        sorted(numbers),
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()

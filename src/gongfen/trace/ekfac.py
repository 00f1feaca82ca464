"""Exact EK-FAC influence of chosen works: gradients whole, in the eigenbasis of the Kronecker factors.

EK-FAC (George et al. 2018, algorithm 1; for influence Grosse et al. 2023, equation 20): with A = Q_a Λ_a Q_aᵀ and
G = Q_g Λ_g Q_gᵀ, the Fisher block is taken as diagonal in that basis, with Λ = E[(Q_gᵀ ∇W Q_a)²] measured on gradients
of drawn targets, in place of the product of both eigenvalues. Influence is  Σ_layers ⟨∇W_work, (F + d)^-1 ∇W_output⟩,
with d = δ · mean of Λ.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gongfen.trace.covariance import Factors, with_bias
from gongfen.trace.layers import Layer, watched
from gongfen.trace.memory import in_batches
from gongfen.trace.spans import Span, differentiate
from gongfen.trace.task import Task


@dataclass(frozen=True, eq=False)
class Eigenbasis:
    """``left`` Q_g [o, o], ``right`` Q_a [i, i] and the corrected eigenvalues Λ [o, i] of one layer."""

    left: Tensor
    right: Tensor
    values: Tensor


def eigenbases_of(
    task: Task, layers: Sequence[Layer], factors: Sequence[Factors], numbers: Sequence[int], seed: int, batch_size: int
) -> tuple[Eigenbasis, ...]:
    """The eigenbasis of every layer, with eigenvalues measured on these works and targets drawn by ``seed``.

    A batch too large is halved; raises TrainingError when not even one work at a time fits in memory.
    """
    lefts = [torch.linalg.eigh(factor.gradients)[1] for factor in factors]
    rights = [torch.linalg.eigh(factor.inputs)[1] for factor in factors]
    sums = in_batches(
        lambda size: _corrected(task, layers, lefts, rights, numbers, seed, size), batch_size, "correcting eigenvalues"
    )
    return tuple(
        Eigenbasis(left, right, total / len(numbers)) for left, right, total in zip(lefts, rights, sums, strict=True)
    )


def _corrected(
    task: Task,
    layers: Sequence[Layer],
    lefts: Sequence[Tensor],
    rights: Sequence[Tensor],
    numbers: Sequence[int],
    seed: int,
    batch_size: int,
) -> list[Tensor]:
    """Sums of squares of the works' gradients in each layer's eigenbasis, [o, i]."""
    sums = [torch.zeros(layer.outputs, layer.inputs) for layer in layers]

    def take(number: int, entered: Tensor, gradient: Tensor) -> None:
        rows = with_bias(layers[number], entered) @ rights[number]
        sums[number].add_(((gradient @ lefts[number]).mT @ rows).square().sum(0))

    for start in range(0, len(numbers), batch_size):
        chosen = numbers[start : start + batch_size]
        with watched(task.module, layers, take, len(task.rows(chosen))):
            task.drawn(chosen, seed).backward()  # type: ignore[no-untyped-call]
    return sums


def preconditioned(bases: Sequence[Eigenbasis], gradients: Sequence[Tensor], damping: float) -> list[Tensor]:
    """(F + d)^-1 of parameter gradients, a layer each, [M, o, i]."""
    found: list[Tensor] = []
    for basis, gradient in zip(bases, gradients, strict=True):
        turned = basis.left.T @ gradient @ basis.right
        turned /= basis.values + damping * basis.values.mean()
        found.append(basis.left @ turned @ basis.right.T)
    return found


def exact_influence(
    task: Task, layers: Sequence[Layer], numbers: Sequence[int], directions: Sequence[Tensor], batch_size: int
) -> Tensor:
    """⟨∇W_work, direction⟩ of these works and M directions, a layer each [M, o, i], → [M, B]: estimated nats.

    A batch too large is halved; raises TrainingError when not even one work at a time fits in memory.
    """
    return in_batches(lambda size: _exact(task, layers, numbers, directions, size), batch_size, "measuring again")


def _exact(
    task: Task, layers: Sequence[Layer], numbers: Sequence[int], directions: Sequence[Tensor], batch_size: int
) -> Tensor:
    found = torch.zeros(len(directions[0]), len(numbers))
    at = torch.zeros(0, dtype=torch.long)

    def take(number: int, entered: Tensor, gradient: Tensor) -> None:
        whole = gradient.mT @ with_bias(layers[number], entered)
        found.index_add_(1, at, directions[number].flatten(1) @ whole.flatten(1).T)

    for start in range(0, len(numbers), batch_size):
        chosen = numbers[start : start + batch_size]
        at = task.rows(chosen) + start
        with watched(task.module, layers, take, len(at)):
            task.losses(chosen).sum().backward()  # type: ignore[no-untyped-call]
    return found


def output_gradients(task: Task, layers: Sequence[Layer], spans: Sequence[Span]) -> list[Tensor]:
    """Gradient of each span's log-likelihood by every layer's weights, [M, o, i] a layer."""
    found = [torch.zeros(len(spans), layer.outputs, layer.inputs) for layer in layers]

    def take(span: int, number: int, entered: Tensor, gradient: Tensor) -> None:
        found[number][span] += gradient.T @ with_bias(layers[number], entered)

    differentiate(task, layers, spans, take)
    return found

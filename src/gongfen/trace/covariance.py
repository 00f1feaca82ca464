"""Kronecker factors of the Fisher matrix of each linear layer: covariances of what goes in and of what comes back.

K-FAC (Martens and Grosse 2015, equation 1): the Fisher block of a layer with weight W is about A ⊗ G, with A = E[a aᵀ]
over what goes in and G = E[g gᵀ] over the gradients of what comes out, of the loss of targets drawn from the model.
Positions are taken as independent (the "expand" setting of Eschenhagen et al. 2023). A position whose gradient is zero
in a layer, such as padding, says nothing about it and is not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gongfen.trace.gram import add_lower, mirrored
from gongfen.trace.layers import Layer, watched
from gongfen.trace.memory import in_batches
from gongfen.trace.task import Task

NOTHING = 1e-5
"""A position whose gradient is so much smaller than the largest of its work is rounding, such as of the first query."""


@dataclass(frozen=True, eq=False)
class Factors:
    """``inputs`` A [i, i] and ``gradients`` G [o, o] of one layer, means over ``positions``, in fp32."""

    inputs: Tensor
    gradients: Tensor
    positions: int


def factors_of(
    task: Task, layers: Sequence[Layer], numbers: Sequence[int], seed: int, batch_size: int
) -> tuple[Factors, ...]:
    """The factors of every layer, from these works and targets drawn by ``seed``. A batch too large is halved.

    Raises TrainingError when not even one work at a time fits in memory.
    """
    return in_batches(lambda size: _factors(task, layers, numbers, seed, size), batch_size, "measuring the layers")


def _factors(
    task: Task, layers: Sequence[Layer], numbers: Sequence[int], seed: int, batch_size: int
) -> tuple[Factors, ...]:
    sums_in = [torch.zeros(layer.inputs, layer.inputs) for layer in layers]
    sums_back = [torch.zeros(layer.outputs, layer.outputs) for layer in layers]
    counts = [0] * len(layers)

    def take(number: int, entered: Tensor, gradient: Tensor) -> None:
        sizes = gradient.abs().amax(2)
        told = (sizes > NOTHING * sizes.amax(1, keepdim=True)).flatten()
        rows, back = entered.flatten(0, 1)[told], gradient.flatten(0, 1)[told]
        rows = with_bias(layers[number], rows)
        add_lower(sums_in[number], rows)
        add_lower(sums_back[number], back)
        counts[number] += len(rows)

    for start in range(0, len(numbers), batch_size):
        chosen = numbers[start : start + batch_size]
        with watched(task.module, layers, take, len(task.rows(chosen))):
            task.drawn(chosen, seed).backward()  # type: ignore[no-untyped-call]  # torch's has no type
    return tuple(
        Factors(mirrored(entered) / max(count, 1), mirrored(back) / max(count, 1), count)
        for entered, back, count in zip(sums_in, sums_back, counts, strict=True)
    )


def with_bias(layer: Layer, rows: Tensor) -> Tensor:
    """What goes into a layer, [.., inputs], with the 1 that its bias is multiplied by."""
    return torch.cat([rows, rows.new_ones(*rows.shape[:-1], 1)], -1) if layer.bias else rows

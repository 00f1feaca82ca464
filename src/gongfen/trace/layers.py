"""What flows through a model's linear layers: activations in, gradients of the outputs back. No parameter gradient.

The gradient of a linear layer's weights is Σ_t g_t a_tᵀ, over positions t, with a_t what went in and g_t the gradient
of what came out. Everything that the index needs follows from the a_t and g_t, so parameter gradients are never formed:
what is paid is one forward pass and one backward pass through the activations.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gongfen.errors import TrainingError

MOST_FEATURES = 8_192
"""A layer with a wider side, such as the head of a large vocabulary, has covariances that no memory holds."""

Take = Callable[[int, Tensor, Tensor], None]
"""``take(layer, a, g)``: number of the layer, a [B, T, inputs] and g [B, T, outputs], both in fp32."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer that is traced. ``inputs`` counts a bias as one more input, which is always 1."""

    name: str
    module: nn.Module
    inputs: int
    outputs: int
    bias: bool


def linear_layers(module: nn.Module, most_features: int = MOST_FEATURES) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """The linear layers whose weights are trained, and the names of those that are too wide to be traced.

    LoRA modules are linear layers too: where only they are trained, only they are traced. A transposed layer
    (transformers' ``Conv1D``) counts. Embeddings, norms and convolutions are left out. Raises TrainingError when
    nothing is left.
    """
    found: list[Layer] = []
    wide: list[str] = []
    for name, part in module.named_modules():
        sides = _sides(part)
        if sides is None or not any(p.requires_grad for p in part.parameters(recurse=False)):
            continue
        inputs, outputs = sides
        bias = getattr(part, "bias", None) is not None
        if max(inputs + bias, outputs) > most_features:
            wide.append(name)
        else:
            found.append(Layer(name, part, inputs + bias, outputs, bias))
    if not found:
        raise TrainingError("model", "has no linear layer that is trained", "train one, or adapt it: with_lora")
    return tuple(found), tuple(wide)


def left_out(module: nn.Module, layers: Sequence[Layer]) -> tuple[str, ...]:
    """Names of the parameters that are trained and belong to none of these layers: what a work did to them is unseen.

    Embeddings, norms, convolutions, layers too wide, and projections that attention keeps in one matrix of its own.
    """
    traced = {id(parameter) for layer in layers for parameter in layer.module.parameters(recurse=False)}
    return tuple(name for name, p in module.named_parameters() if p.requires_grad and id(p) not in traced)


def _sides(part: nn.Module) -> tuple[int, int] | None:
    if isinstance(part, nn.Linear):
        return part.in_features, part.out_features
    weight = getattr(part, "weight", None)
    if type(part).__name__ == "Conv1D" and isinstance(weight, Tensor) and weight.dim() == 2:
        return weight.shape[0], weight.shape[1]
    return None


@contextmanager
def watched(module: nn.Module, layers: Sequence[Layer], take: Take, rows: int = 1) -> Iterator[None]:
    """Within, every backward pass tells ``take`` what went through the layers; the parameters gather no gradient.

    A layer that is called several times in one forward pass is told of each time: its gradient is the sum. ``rows``: B,
    of the batches that are passed through; with 1, whatever flows belongs to that one. Raises TrainingError for a layer
    whose positions cannot be told apart by row.
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    batch = _Batch(rows)
    handles = [module.register_forward_pre_hook(batch.enters, with_kwargs=True)]
    handles += [
        layer.module.register_forward_hook(_hook(number, layer, batch, take)) for number, layer in enumerate(layers)
    ]
    for parameter in trained:
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad = True
        for handle in handles:
            handle.remove()


class _Batch:
    """What a batch looks like: its rows, and how many positions they have in all, if what enters the model says so."""

    def __init__(self, rows: int) -> None:
        self.rows, self.positions = rows, 0

    def enters(self, _module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Tokens [B, T], or anything [B, T, …], enter the model."""
        for one in (*given, *named.values()):
            if isinstance(one, Tensor) and one.dim() >= (3 if one.is_floating_point() else 2):
                self.positions = one.shape[0] * one.shape[1] if len(one) == self.rows else 0
                return

    def by_row(self, layer: Layer, values: Tensor) -> Tensor:
        """[B, T, features] in fp32, whatever lies between the first axis and the last; some models flatten both."""
        features = values.shape[-1]
        count = values.numel() // features
        flat = values.dim() == 2 and count == self.positions
        if self.rows == 1 or flat or (values.dim() > 1 and len(values) == self.rows):
            return values.reshape(self.rows, count // self.rows, features).float()
        reason = f"takes {list(values.shape)} of a batch of {self.rows}: whose they are cannot be told"
        raise TrainingError(f"layer {layer.name}", reason, "read works one by one: batch_size=1")


def _hook(
    number: int, layer: Layer, batch: _Batch, take: Take
) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None]:
    def seen(_module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
        if not torch.is_grad_enabled() or not output.numel():
            return None
        # With no trained parameter below it, the graph begins at the first layer that is watched.
        begun = output if output.requires_grad else output.detach().requires_grad_().clone()
        entered = batch.by_row(layer, inputs[0].detach())
        begun.register_hook(lambda gradient: take(number, entered, batch.by_row(layer, gradient)))  # type: ignore[no-untyped-call]
        return begun

    return seen

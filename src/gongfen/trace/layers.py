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
"""``take(layer, a, g)``: number of the layer, a [B, T, inputs] and g [B, T, outputs]."""


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
def watched(module: nn.Module, layers: Sequence[Layer], take: Take) -> Iterator[None]:
    """Within, every backward pass tells ``take`` what went through the layers; the parameters gather no gradient.

    A layer that is called several times in one forward pass is told of each time: its gradient is the sum.
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    handles = [layer.module.register_forward_hook(_hook(number, take)) for number, layer in enumerate(layers)]
    for parameter in trained:
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad = True
        for handle in handles:
            handle.remove()


def _hook(number: int, take: Take) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor | None]:
    def seen(_module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
        if not torch.is_grad_enabled():
            return None
        # With no trained parameter below it, the graph begins at the first layer that is watched.
        begun = output if output.requires_grad else output.detach().requires_grad_().clone()
        entered = _positions(inputs[0].detach())
        begun.register_hook(lambda gradient: take(number, entered, _positions(gradient)))  # type: ignore[no-untyped-call]
        return begun

    return seen


def _positions(values: Tensor) -> Tensor:
    """[B, T, features], whatever lies between the first axis and the last."""
    return values.reshape(len(values), -1, values.shape[-1])

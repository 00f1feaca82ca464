"""What the model itself holds alike: the mean of its last hidden states over a text."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gongfen.trace.evaluation.scores import Floats
from gongfen.trace.problem import Passage, padded


def mean_states(module: nn.Module, passages: Sequence[Passage]) -> Floats:
    """What goes into the model's head, averaged over each passage's scored tokens, [B, D]: one text at a time.

    The head is the linear layer that is called last: so nothing need be known of the model's names.
    """
    seen: list[Tensor] = []

    def see(_layer: nn.Module, given: tuple[Any, ...]) -> None:
        seen[:] = [given[0]]

    hooks = [layer.register_forward_pre_hook(see) for layer in module.modules() if isinstance(layer, nn.Linear)]
    try:
        with torch.no_grad():
            rows = [_mean(module, passage, seen) for passage in passages]
    finally:
        for hook in hooks:
            hook.remove()
    found: Floats = torch.stack(rows).double().numpy()
    return found


def _mean(module: nn.Module, passage: Passage, seen: list[Tensor]) -> Tensor:
    ids, mask, _ = padded([passage])
    module(input_ids=ids, attention_mask=mask)
    (states,) = seen
    return states.reshape(-1, states.shape[-1])[passage.scored_from :].mean(0)

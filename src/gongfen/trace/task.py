"""What an index asks of a model: losses of works, also with drawn targets, and log-likelihoods of outputs."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from gongfen.trace.problem import UNSCORED, Passage, padded, scorable

_MASK = (1 << 64) - 1


class Task(Protocol):
    """N training works and M outputs of one model, whose parameters stand in ``module``."""

    @property
    def module(self) -> nn.Module:
        """The model, whose linear layers are watched."""

    @property
    def works(self) -> int:
        """N."""

    @property
    def outputs(self) -> int:
        """M."""

    def losses(self, numbers: Sequence[int]) -> Tensor:
        """Loss of each of these works, as it was trained on, in nats, [B]."""

    def drawn(self, numbers: Sequence[int], seed: int) -> Tensor:
        """Summed loss of these works with targets drawn from the model itself, in nats, []: for its Fisher matrix.

        What is drawn for a work depends on the seed and the work alone, not on the batch that it comes in.
        """

    def log_likelihoods(self, numbers: Sequence[int]) -> Tensor:
        """What is explained: log-likelihood of each position of these outputs, in nats, [B, T]; 0 where none is."""


class LanguageTask:
    """Works and outputs of a causal language model with ``forward(input_ids, attention_mask).logits``."""

    def __init__(self, module: nn.Module, works: Sequence[Passage], outputs: Sequence[Passage] = ()) -> None:
        """Take works [N] and outputs [M]; raises TrainingError for one that has nothing to predict."""
        self.module = module.eval()
        self._works = scorable(works, "work")
        self._outputs = scorable(outputs, "output")

    @property
    def works(self) -> int:
        """N."""
        return len(self._works)

    @property
    def outputs(self) -> int:
        """M."""
        return len(self._outputs)

    def losses(self, numbers: Sequence[int]) -> Tensor:
        """Mean loss per scored token of these works, in nats, [B]."""
        logits, targets = self._answers([self._works[i] for i in numbers])
        scored = targets != UNSCORED
        return _surprise(logits, targets).sum(1) / scored.sum(1)

    def drawn(self, numbers: Sequence[int], seed: int) -> Tensor:
        """Summed loss of every scored token, drawn anew from what the model would say there, in nats, []."""
        logits, targets = self._answers([self._works[i] for i in numbers])
        scored = targets != UNSCORED
        chances = chances_of(seed, numbers, targets.shape[1])
        return cross_entropy(logits[scored], drawn_class(logits[scored], chances[scored]), reduction="sum")

    def log_likelihoods(self, numbers: Sequence[int]) -> Tensor:
        """Log-likelihood of each generated token of these outputs, in nats, [B, T]; 0 for the prompt and the padding.

        The token at place ``t`` of an output stands at ``t - 1``: the first token is never predicted.
        """
        return -_surprise(*self._answers([self._outputs[i] for i in numbers]))

    def _answers(self, passages: list[Passage]) -> tuple[Tensor, Tensor]:
        ids, mask, targets = padded(passages)
        return self.module(input_ids=ids, attention_mask=mask).logits[:, :-1], targets


class LossTask:
    """Works and outputs of any torch module, with the user's own loss.

    ``loss(module, batch)`` gives each item's loss [B]; ``draw(module, batch, chances)`` the summed loss with targets
    drawn from the model by uniform numbers [B, draws]. ``works`` and ``outputs`` are tensors whose first axis counts
    items; a batch is a tuple of their rows. What is explained is minus the loss.
    """

    def __init__(
        self,
        module: nn.Module,
        works: tuple[Tensor, ...],
        outputs: tuple[Tensor, ...],
        loss: Callable[[nn.Module, tuple[Tensor, ...]], Tensor],
        draw: Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor],
        draws: int = 1,
    ) -> None:
        """Take works [N, …] and outputs [M, …], and how many targets an item has."""
        self.module = module.eval()
        self._works, self._outputs, self._loss, self._draw, self._draws = works, outputs, loss, draw, draws

    @property
    def works(self) -> int:
        """N."""
        return len(self._works[0])

    @property
    def outputs(self) -> int:
        """M."""
        return len(self._outputs[0]) if self._outputs else 0

    def losses(self, numbers: Sequence[int]) -> Tensor:
        """Loss of these works, [B]."""
        return self._loss(self.module, _rows(self._works, numbers))

    def drawn(self, numbers: Sequence[int], seed: int) -> Tensor:
        """Summed loss with drawn targets, []."""
        return self._draw(self.module, _rows(self._works, numbers), chances_of(seed, numbers, self._draws))

    def log_likelihoods(self, numbers: Sequence[int]) -> Tensor:
        """Minus the loss of these outputs, [B, 1]."""
        return -self._loss(self.module, _rows(self._outputs, numbers))[:, None]


def draw_class(module: nn.Module, batch: tuple[Tensor, ...], chances: Tensor) -> Tensor:
    """Summed cross entropy of a classifier of ``batch[0]``, with classes drawn from its own answer, []."""
    logits = module(batch[0])
    return cross_entropy(logits, drawn_class(logits, chances[:, 0]), reduction="sum")


def class_loss(module: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross entropy of a classifier of ``batch[0]`` with classes ``batch[1]``, [B]."""
    return cross_entropy(module(batch[0]), batch[1], reduction="none")


def drawn_class(logits: Tensor, chances: Tensor) -> Tensor:
    """The class at which the summed probabilities of ``logits`` [R, V] pass uniform numbers ``chances`` [R], [R]."""
    with torch.no_grad():
        upto = logits.softmax(-1).cumsum(-1)
        return torch.searchsorted(upto, chances[:, None] * upto[:, -1:], right=True)[:, 0].clamp_max(len(logits[0]) - 1)


def chances_of(seed: int, numbers: Sequence[int], draws: int) -> Tensor:
    """Uniform numbers for these items, [B, draws]: each item has a source of its own, seeded by its number."""
    source = Generator()
    return torch.stack([torch.rand(draws, generator=source.manual_seed(_mixed(seed, number))) for number in numbers])


def _mixed(seed: int, number: int) -> int:
    """A seed for item ``number``: by splitmix64 (Steele, Lea and Flood 2014), for near seeds draw alike."""
    mixed = (seed * 0x9E3779B97F4A7C15 + number + 0x9E3779B97F4A7C15) & _MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    return mixed ^ mixed >> 31


def _rows(tensors: tuple[Tensor, ...], numbers: Sequence[int]) -> tuple[Tensor, ...]:
    index = torch.as_tensor(list(numbers))
    return tuple(tensor[index] for tensor in tensors)


def _surprise(logits: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of each target, [B, T]; 0 where none is scored."""
    each = cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=UNSCORED, reduction="none"
    )
    return each.view(targets.shape)

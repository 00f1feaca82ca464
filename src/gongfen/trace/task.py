"""What an index asks of a model: losses of works, also with drawn targets, and log-likelihoods of outputs."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from gongfen.trace.problem import UNSCORED, Passage, padded, scorable, vocabulary_of

_MASK = (1 << 64) - 1
DRAWN_AT_ONCE = 1 << 22
"""Probabilities that are summed up at a time: 16 MiB in fp32, however large the vocabulary and the batch."""


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

    def rows(self, numbers: Sequence[int]) -> Tensor:
        """Of each row of the batch that these works are read in, which of ``numbers`` it belongs to, [R]."""

    def losses(self, numbers: Sequence[int]) -> Tensor:
        """Loss of each of these works, as it was trained on, in nats, [B]."""

    def drawn(self, numbers: Sequence[int], seed: int) -> Tensor:
        """Summed loss of these works with targets drawn from the model itself, in nats, []: for its Fisher matrix.

        What is drawn for a work depends on the seed and the work alone, not on the batch that it comes in.
        """

    def log_likelihoods(self, numbers: Sequence[int]) -> Tensor:
        """What is explained: log-likelihood of each position of these outputs, in nats, [B, T]; 0 where none is."""


class LanguageTask:
    """Works and outputs of a causal language model with ``forward(input_ids, attention_mask).logits``.

    What is longer than the model's context is read in windows, each beginning with the last token of the one before, so
    that every token is predicted once, and from what stands in its window alone.
    """

    def __init__(
        self,
        module: nn.Module,
        works: Sequence[Passage],
        outputs: Sequence[Passage] = (),
        context: int | None = None,
    ) -> None:
        """Take works [N] and outputs [M]; raises TrainingError for one that cannot be scored.

        ``context``: tokens that the model reads at once; without it, ``module.config.max_position_embeddings``.
        """
        self.module = module.eval()
        self.context = context or getattr(getattr(module, "config", None), "max_position_embeddings", None)
        known = vocabulary_of(module)
        self._works = [windows(passage, self.context) for passage in scorable(works, "work", known)]
        self._outputs = [windows(passage, self.context) for passage in scorable(outputs, "output", known)]

    @property
    def works(self) -> int:
        """N."""
        return len(self._works)

    @property
    def outputs(self) -> int:
        """M."""
        return len(self._outputs)

    def rows(self, numbers: Sequence[int]) -> Tensor:
        """A row for each window of these works, [R]."""
        return self.read(numbers)[1]

    def read(self, numbers: Sequence[int]) -> tuple[list[Passage], Tensor]:
        """The windows in which these works are read, and which of ``numbers`` each belongs to, [R]."""
        return self._rows(self._works, numbers)

    def losses(self, numbers: Sequence[int]) -> Tensor:
        """Mean loss per scored token of these works, in nats, [B]."""
        read, rows = self.read(numbers)
        logits, targets = self._answers(read)
        sums = _surprise(logits, targets).sum(1)
        counts = (targets != UNSCORED).sum(1)
        zeros = torch.zeros(len(numbers), dtype=sums.dtype)
        return zeros.index_add(0, rows, sums) / zeros.index_add(0, rows, counts.to(sums.dtype))

    def drawn(self, numbers: Sequence[int], seed: int) -> Tensor:
        """Summed loss of every scored token, drawn anew from what the model would say there, in nats, []."""
        read, rows = self.read(numbers)
        logits, targets = self._answers(read)
        scored = targets != UNSCORED
        # A work's first window is numbered like the work, the others beyond all works: what is drawn stays its own.
        names = [numbers[row] + self.works * _earlier(rows, at) for at, row in enumerate(rows.tolist())]
        chances = chances_of(seed, names, targets.shape[1])
        said = logits[scored]
        return cross_entropy(said, drawn_class(said, chances[scored]), reduction="sum")

    def log_likelihoods(self, numbers: Sequence[int]) -> Tensor:
        """Log-likelihood of each generated token of these outputs, in nats, [B, T]; 0 for the prompt and the padding.

        The token at place ``t`` of an output stands at ``t - 1``: the first token is never predicted.
        """
        read, rows = self._rows(self._outputs, numbers)
        scored = -_surprise(*self._answers(read))
        if len(read) == len(numbers):
            return scored
        parts = [scored[at, : len(passage.tokens) - 1] for at, passage in enumerate(read)]
        whole = [torch.cat([parts[at] for at in (rows == row).nonzero().flatten()]) for row in range(len(numbers))]
        return pad_sequence(whole, batch_first=True)

    def _rows(self, held: Sequence[Sequence[Passage]], numbers: Sequence[int]) -> tuple[list[Passage], Tensor]:
        """The windows of these works or outputs, and which of ``numbers`` each belongs to, [R]."""
        found = [(window, row) for row, number in enumerate(numbers) for window in held[number]]
        return [window for window, _ in found], torch.tensor([row for _, row in found])

    def _answers(self, passages: list[Passage]) -> tuple[Tensor, Tensor]:
        ids, mask, targets = padded(passages)
        logits: Tensor = self.module(input_ids=ids, attention_mask=mask).logits[:, :-1]
        # A log-likelihood of 16 bits is no measurement; one of 64 stays.
        return logits.to(torch.promote_types(logits.dtype, torch.float32)), targets


def windows(passage: Passage, context: int | None) -> list[Passage]:
    """A passage in windows of at most ``context`` tokens, each beginning with the last token of the one before.

    >>> [(window.tokens, window.scored_from) for window in windows(Passage((1, 2, 3, 4, 5, 6), 2), 4)]
    [((1, 2, 3, 4), 2), ((4, 5, 6), 1)]

    A window of which nothing is scored is kept where it stands, so that places count from the beginning.
    """
    if context is None or len(passage.tokens) <= context:
        return [passage]
    found: list[Passage] = []
    for start in range(0, len(passage.tokens) - 1, context - 1):
        tokens = passage.tokens[start : start + context]
        found.append(Passage(tokens, min(max(passage.scored_from - start, 1), len(tokens))))
    return found


def _earlier(rows: Tensor, at: int) -> int:
    """How many windows of the same work stand before this one."""
    return int((rows[:at] == rows[at]).sum())


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

    def rows(self, numbers: Sequence[int]) -> Tensor:
        """A row for each work, [B]."""
        return torch.arange(len(numbers))

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
        at_once = max(1, DRAWN_AT_ONCE // logits.shape[-1])
        parts = zip(torch.split(logits, at_once), torch.split(chances, at_once), strict=True)
        return torch.cat([_passed(part.softmax(-1).cumsum(-1), few) for part, few in parts])


def _passed(upto: Tensor, chances: Tensor) -> Tensor:
    """The first place at which rising sums ``upto`` [R, V] pass their part of the last one, [R]."""
    return torch.searchsorted(upto, chances[:, None] * upto[:, -1:], right=True)[:, 0].clamp_max(upto.shape[-1] - 1)


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

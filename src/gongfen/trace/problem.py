"""What is trained on and what was sold: losses of the examples, log-likelihoods of the outputs, and the utility U.

    U(θ) = Σ_j price_j · log p_θ(output_j | prompt_j) / Σ_j price_j        in nats

Everything that traces asks for nothing else than this, so it serves any model that can say it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from gongfen.errors import TrainingError

UNSCORED = -100
OUTPUTS_AT_ONCE = 8


class Problem(Protocol):
    """N weighted examples and M priced outputs, as functions of one flat parameter vector [P]."""

    @property
    def theta0(self) -> Tensor:
        """Where training starts, [P]."""

    @property
    def examples(self) -> int:
        """N."""

    @property
    def prices(self) -> Tensor:
        """What each output sold for, [M], in any one unit; of θ's type."""

    def losses(self, theta: Tensor, index: Tensor) -> Tensor:
        """Mean loss per token of the examples ``index`` [B], in nats, [B]; differentiable in ``theta``."""

    def log_likelihoods(self, theta: Tensor, index: Tensor) -> Tensor:
        """Log-likelihood of the outputs ``index`` [B], in nats, [B]; differentiable in ``theta``."""

    def layer_of(self, place: int) -> str:
        """The name of the layer whose parameter stands at that place of θ."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Token ids, of which those before ``scored_from`` are given (a prompt) and the rest are predicted."""

    tokens: tuple[int, ...]
    scored_from: int = 1


class LanguageProblem:
    """A problem over any torch module with a causal language model's ``forward(input_ids, attention_mask).logits``.

    The flat vector is put in place of the module's trainable parameters for the length of a call; frozen ones stay.
    Padding is kept out by the attention mask and by the mask of scored positions, never by its token id: a model may
    pad with a token that also ends its texts.
    """

    def __init__(
        self,
        module: nn.Module,
        examples: Sequence[Passage],
        outputs: Sequence[Passage] = (),
        prices: Sequence[int] = (),
    ) -> None:
        """Take examples [N], outputs [M] and their prices [M]; raises TrainingError when they cannot be scored."""
        self._module = module.eval()
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        if not named:
            raise TrainingError("model", "has no parameter to train", "adapt it first: with_lora")
        self._names = [name for name, _ in named]
        self._parameters = [p for _, p in named]
        self.theta0 = parameters_to_vector(self._parameters).detach().clone()
        self._examples = scorable(examples, "example", vocabulary_of(module))
        self._outputs = scorable(outputs, "output", vocabulary_of(module))
        if len(prices) != len(outputs) or any(price < 0 for price in prices) or (outputs and not sum(prices)):
            raise TrainingError(
                f"{len(outputs)} outputs",
                f"have {len(prices)} prices, of which none may be negative and not all zero",
                "give one price for each output",
            )
        self.prices = torch.tensor(prices, dtype=self.theta0.dtype)

    @property
    def examples(self) -> int:
        """N."""
        return len(self._examples)

    def losses(self, theta: Tensor, index: Tensor) -> Tensor:
        """Mean loss per scored token of the examples ``index`` [B], in nats, [B]."""
        sums, counts = self._surprise(theta, [self._examples[i] for i in index.tolist()])
        return sums / counts

    def log_likelihoods(self, theta: Tensor, index: Tensor) -> Tensor:
        """Log-likelihood of the generated tokens of the outputs ``index`` [B], in nats, [B]."""
        sums, _ = self._surprise(theta, [self._outputs[i] for i in index.tolist()])
        return -sums

    def layer_of(self, place: int) -> str:
        """The name of the module whose parameter stands at that place of θ."""
        for name, parameter in zip(self._names, self._parameters, strict=True):
            place -= parameter.numel()
            if place < 0:
                return name.rpartition(".")[0] or name
        raise IndexError(place)

    def place(self, theta: Tensor) -> nn.Module:
        """Copy ``theta`` [P] into the module's parameters for good, and return the module."""
        with torch.no_grad():
            vector_to_parameters(theta, self._parameters)
        return self._module

    def _surprise(self, theta: Tensor, passages: list[Passage]) -> tuple[Tensor, Tensor]:
        """Negative log-likelihood of the scored tokens, summed per passage [B], and their number [B]."""
        ids, mask, targets = padded(passages)
        named = dict(zip(self._names, self._parts(theta), strict=True))
        answer = functional_call(self._module, named, kwargs={"input_ids": ids, "attention_mask": mask})
        logits: Tensor = answer.logits[:, :-1]
        each = cross_entropy(
            logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=UNSCORED, reduction="none"
        )
        return each.view(targets.shape).sum(1), (targets != UNSCORED).sum(1)

    def _parts(self, theta: Tensor) -> list[Tensor]:
        pieces = torch.split(theta, [p.numel() for p in self._parameters])
        return [piece.view(p.shape) for piece, p in zip(pieces, self._parameters, strict=True)]


def utility(problem: Problem, theta: Tensor) -> float:
    """U(θ) in nats: the price-weighted mean log-likelihood of what was sold."""
    with torch.no_grad():
        parts = [problem.log_likelihoods(theta, index) for index in _outputs(problem)]
    return float((torch.cat(parts) * problem.prices).sum() / problem.prices.sum())


def utility_gradient(problem: Problem, theta: Tensor) -> Tensor:
    """∂U/∂θ, [P], a few outputs at a time."""
    total = torch.zeros_like(theta)
    for index in _outputs(problem):
        at = theta.detach().requires_grad_()
        part = (problem.log_likelihoods(at, index) * problem.prices[index]).sum()
        total += torch.autograd.grad(part, at)[0]
    return total / problem.prices.sum()


def _outputs(problem: Problem) -> tuple[Tensor, ...]:
    if not len(problem.prices):
        raise TrainingError("utility", "has no sold output to weigh", "give the problem outputs and prices")
    return torch.split(torch.arange(len(problem.prices)), OUTPUTS_AT_ONCE)


def named(names: Sequence[str], number: int) -> str:
    """The name of a work or output, or its number where it was given none."""
    return names[number] if names else str(number)


def vocabulary_of(module: nn.Module) -> int | None:
    """How many tokens a model knows, by its config; ``None``: it does not say."""
    found = getattr(getattr(module, "config", None), "vocab_size", None)
    return found if isinstance(found, int) else None


def scorable(passages: Sequence[Passage], kind: str, vocabulary: int | None = None) -> list[Passage]:
    """The passages; raises TrainingError for one with nothing to predict, or with a token that the model lacks."""
    for number, passage in enumerate(passages):
        foreign = next((t for t in passage.tokens if t < 0 or (vocabulary is not None and t >= vocabulary)), None)
        if foreign is not None:
            reason = f"has the token {foreign}, and the model knows {vocabulary or 'none below 0'}"
            raise TrainingError(f"{kind} {number}", reason, "give it in tokens of the model's own tokenizer")
        if not 1 <= passage.scored_from < len(passage.tokens):
            raise TrainingError(
                f"{kind} {number}",
                f"has nothing to predict: {len(passage.tokens)} tokens, scored from {passage.scored_from}",
                "leave it out, or give it at least one token before the first scored one",
            )
    return list(passages)


def padded(passages: list[Passage]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids [B, L], attention mask [B, L] and targets [B, L-1], padded on the right to the longest."""
    longest = max(len(passage.tokens) for passage in passages)
    ids = torch.zeros(len(passages), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    targets = torch.full((len(passages), longest - 1), UNSCORED)
    for row, passage in enumerate(passages):
        tokens, length = torch.tensor(passage.tokens), len(passage.tokens)
        ids[row, :length] = tokens
        mask[row, :length] = 1
        targets[row, passage.scored_from - 1 : length - 1] = tokens[passage.scored_from :]
    return ids, mask, targets

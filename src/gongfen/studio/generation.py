"""Writing: outputs sampled from a model, the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent

CANDIDATES = 1_000
"""No token less likely than this many others is drawn: sorting a whole vocabulary costs more than it changes."""


class Tokenizer(Protocol):
    """Text to token ids and back; ``end`` is the id that ends a text."""

    @property
    def end(self) -> int:
        """The id that ends a text."""

    def encode(self, text: str) -> list[int]:
        """Token ids, with nothing added."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, without marks."""


@dataclass(frozen=True, slots=True)
class Generated:
    """One output: its text and token ids without the prompt and without the end mark, and the prompt's token ids."""

    text: str
    tokens: tuple[int, ...]
    prompt: tuple[int, ...]


def generate(
    module: nn.Module,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    max_new_tokens: int,
    temperature: float = 0.8,
    top_p: float = 0.95,
    seed: int = 0,
    progress: Progress = silent,
) -> list[Generated]:
    """Continue every prompt by nucleus sampling (Holtzman et al. 2020), all at once, each with its own chance.

    ``temperature`` 0 takes the likeliest token. Deterministic for a seed, list of prompts and machine. Raises
    TrainingError for an empty prompt or settings out of range.
    """
    given = [tokenizer.encode(prompt) for prompt in prompts]
    _refuse(given, max_new_tokens, temperature, top_p)
    if not given:
        return []
    chances = [torch.Generator().manual_seed(seed * 1_000_003 + number) for number in range(len(given))]
    ids, mask = _left_padded(given)
    written: list[list[int]] = [[] for _ in given]
    ended = [False] * len(given)
    past: object = None
    with torch.inference_mode():
        for position in range(max_new_tokens):
            answer = module.eval()(
                input_ids=ids,
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :],
                past_key_values=past,
                use_cache=True,
            )
            past = answer.past_key_values
            chosen = [_choose(row, temperature, top_p, c) for row, c in zip(answer.logits[:, -1], chances, strict=True)]
            for number, token in enumerate(chosen):
                ended[number] = ended[number] or token == tokenizer.end
                if not ended[number]:
                    written[number].append(token)
            progress(position + 1, max_new_tokens)
            if all(ended):
                break
            ids = torch.tensor(chosen).unsqueeze(1)
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
    return [
        Generated(tokenizer.decode(tokens), tuple(tokens), tuple(prompt))
        for tokens, prompt in zip(written, given, strict=True)
    ]


def _choose(logits: Tensor, temperature: float, top_p: float, chance: torch.Generator) -> int:
    """One token from logits [V]: the smallest set of likeliest tokens that holds ``top_p``, sampled in proportion."""
    if temperature == 0:
        return int(logits.argmax())
    likely, order = (logits.double() / temperature).softmax(-1).topk(min(CANDIDATES, len(logits)))
    kept = torch.where(likely.cumsum(-1) - likely < top_p, likely, torch.zeros_like(likely))
    return int(order[torch.multinomial(kept, 1, generator=chance)])


def _left_padded(prompts: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Ids and attention mask [B, L], padded on the left so that every prompt ends in the last column."""
    longest = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids, mask


def _refuse(given: list[list[int]], max_new_tokens: int, temperature: float, top_p: float) -> None:
    empty = [number for number, prompt in enumerate(given) if not prompt]
    if empty:
        raise TrainingError(f"prompts {empty}", "are empty", "begin each with at least one word")
    if max_new_tokens < 1 or temperature < 0 or not 0 < top_p <= 1:
        raise TrainingError(
            f"sampling: {max_new_tokens} tokens, temperature {temperature}, top p {top_p}",
            "is out of range",
            "use at least 1 token, a temperature of 0 or more and a top p in (0, 1]",
        )

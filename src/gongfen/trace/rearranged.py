"""Whether an output moves works by what it says: its own words in random order must move none as far above the others.

Whole gradients have no noise of their own: what they say at one checkpoint they say at the next, of random tokens, too.
So they are asked about texts that say nothing, the output's own tokens in random order, after the same prompt. How far
the strongest work stands above all works, in standard deviations of their effects, is compared: when that is further
than for each of 19 such texts, chance does it once in twenty (a permutation test; Phipson and Smyth 2010). Each costs a
gradient, so there are no more of them.

It does not say that the order of the works is made up: the words alone may have come from somebody. It says that they
are all that is seen.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from gongfen.trace.problem import Passage

TIMES = 19
FEWEST_TOKENS = 6
"""Fewer have not enough orders."""
FEWEST_WORKS = 10


def rearranged(passage: Passage, seed: int) -> list[Passage]:
    """The same prompt, and the scored tokens in so many random orders."""
    source = Generator().manual_seed(seed)
    prompt, scored = passage.tokens[: passage.scored_from], passage.tokens[passage.scored_from :]
    orders = [torch.randperm(len(scored), generator=source).tolist() for _ in range(TIMES)]
    return [Passage((*prompt, *(scored[place] for place in order)), passage.scored_from) for order in orders]


def stands_above(effects: Tensor) -> Tensor:
    """How far the strongest work stands above the mean of all, in standard deviations; of effects [..., N], [...]."""
    return (effects.amax(-1) - effects.mean(-1)) / effects.std(-1)


def says(passage: Passage, effects: Tensor, others: Tensor) -> bool | None:
    """Whether effects [N] of an output stand above those of its rearranged texts [TIMES, N]; ``None``: unknown."""
    scored = passage.tokens[passage.scored_from :]
    if len(scored) < FEWEST_TOKENS or len(set(scored)) < 2 or len(effects) < FEWEST_WORKS or not len(others):
        return None
    return bool(stands_above(effects) > stands_above(others).max())


def all_rearranged(passages: Sequence[Passage], seed: int) -> list[Passage]:
    """The rearranged texts of several outputs, output by output; who is beside it changes none."""
    return [text for passage in passages for text in rearranged(passage, seed)]

"""Whether an index can tell: the strongest works of some checkpoints must stand above random ones in the others.

Checkpoints have projections drawn independently, so what the rounding and the projection make up in one half of them is
not there in the other. The strongest works of an output by one half of its checkpoints are looked up in the other
half, and their mean effect there is held against that of random sets of as many works: below the 99th percentile, the
tracer cannot tell. Both halves must agree. With one checkpoint nobody knows.

It says that the order is not made up, not that it is right: that is for retraining to say.
"""

import torch
from torch import Generator, Tensor

PERCENTILE = 0.99
DRAWS = 1_000
FEWEST = 5
FEW = 10_000
"""Works up to which random sets are drawn without repetition; of more, a set of a hundredth hardly repeats one."""
PART = 100
"""A hundredth of the works counts as the strongest, five at least."""


def tells(each: Tensor, seed: int = 0) -> list[bool | None]:
    """Of every output, by effects [C, M, N] at C checkpoints: can it be told from random works? ``None``: unknown."""
    checkpoints, outputs, works = each.shape
    strongest = max(FEWEST, works // PART)
    if checkpoints < 2 or works < 2 * strongest:
        return [None] * outputs
    halves = each[0::2].mean(0), each[1::2].mean(0)
    source = Generator().manual_seed(seed)
    drawn = _sets(works, strongest, source)
    return [all(_stands_out(one[row], other[row], strongest, drawn) for one, other in (halves, halves[::-1]))
            for row in range(outputs)]  # fmt: skip


def _sets(works: int, strongest: int, source: Generator) -> Tensor:
    """Random sets of so many works, [DRAWS, strongest]."""
    if works > FEW:
        return torch.randint(works, (DRAWS, strongest), generator=source)
    return torch.stack([torch.randperm(works, generator=source)[:strongest] for _ in range(DRAWS)])


def _stands_out(chosen_by: Tensor, seen_in: Tensor, strongest: int, drawn: Tensor) -> bool:
    found = seen_in[chosen_by.topk(strongest).indices].mean()
    random = seen_in[drawn].mean(1)
    return bool(found > torch.quantile(random, PERCENTILE))

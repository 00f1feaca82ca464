"""Whole gradients at a few checkpoints of the run: how outputs are measured when nothing else is asked for."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gongfen.book.making import Atelier
from gongfen.book.tracing.measured import Measured, averaged, checkpoints, portion
from gongfen.progress import Progress, silent
from gongfen.reports.replies import WORDS_ALONE
from gongfen.trace.gradients import display_influence
from gongfen.trace.problem import Passage
from gongfen.trace.rearranged import TIMES, all_rearranged, says
from gongfen.trace.tuning import replayed


def by_gradients(
    atelier: Atelier,
    passages: Sequence[Passage],
    progress: Progress = silent,
    names: Sequence[str] = (),
    *,
    tell: bool = True,
) -> Measured:
    """Every work's effect on every output, averaged over the checkpoints. Raises TrainingError, which names them.

    ``tell``: at the end of the run, each output is held against its own words in random order, too.
    """
    texts = all_rearranged(passages, atelier.setup.recipe.seed) if tell else []
    both = [*passages, *texts]
    problem = atelier.workshop.problem(atelier.texts, both, [1] * len(both))
    alone = atelier.workshop.problem(atelier.texts, passages, [1] * len(passages))
    steps = checkpoints(len(atelier.run.batches))
    found = []
    for number, step in enumerate(steps):
        last = step == steps[-1]
        one = display_influence(
            problem if last else alone,
            replayed(atelier.run, step).theta,
            progress=portion(progress, number, len(steps)),
            apart=len(texts) if last else 0,
            works=atelier.works,
            names=names,
        )
        found.append(one)
    method = f"whole gradients at {len(steps)} checkpoints, {found[0].method}, damping {found[0].damping:g}"
    measured = averaged(method, torch.stack([one.effects for one in found]))
    return replace(measured, told=_told(passages, found[-1].effects, found[-1].apart), told_by=WORDS_ALONE)


def _told(passages: Sequence[Passage], effects: Tensor, others: Tensor | None) -> list[bool | None]:
    """Of every output, whether it stands above its own words in random order; ``None``: unknown."""
    if others is None:
        return [None] * len(passages)
    each = torch.split(others, TIMES)
    return [says(*one) for one in zip(passages, effects, each, strict=True)]

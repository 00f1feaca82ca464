"""Whole gradients at a few checkpoints of the run: how outputs are measured when nothing else is asked for."""

from collections.abc import Sequence

import torch

from gongfen.book.making import Atelier
from gongfen.book.measured import Measured, averaged, checkpoints, portion
from gongfen.progress import Progress, silent
from gongfen.trace.gradients import display_influence
from gongfen.trace.problem import Passage
from gongfen.trace.tuning import replayed


def by_gradients(atelier: Atelier, passages: Sequence[Passage], progress: Progress = silent) -> Measured:
    """Every work's effect on every output, averaged over the checkpoints. Raises TrainingError."""
    problem = atelier.workshop.problem(atelier.texts, passages, [1] * len(passages))
    steps = checkpoints(len(atelier.run.batches))
    found = [
        display_influence(problem, replayed(atelier.run, step).theta, progress=portion(progress, number, len(steps)))
        for number, step in enumerate(steps)
    ]
    method = f"whole gradients at {len(steps)} checkpoints, {found[0].method}, damping {found[0].damping:g}"
    return averaged(method, torch.stack([one.effects for one in found]))

"""Metagradients of outputs: the recorded training run, differentiated once for each output by itself.

The same numbers that ``gongfen trace evaluate`` holds against retraining, found as a period's income is measured. Of an
output they are display grade: this very measurement was held against nothing, and nobody is paid on a single output.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from gongfen.book.making import Atelier
from gongfen.book.tracing.measured import Measured, portion
from gongfen.errors import TrainingError
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress, silent
from gongfen.reports.replies import SEEDS_AGREE
from gongfen.studio.workshop import Workshop
from gongfen.trace.index.noise import tells
from gongfen.trace.interval import OVER_SEEDS, over_seeds
from gongfen.trace.metagradient import Metagradient, metagradient
from gongfen.trace.problem import Passage
from gongfen.trace.tuning import tune

MOST_GROWTH = 3.0
"""Growth of the adjoint's norm above which a run is not smooth enough to be differentiated (``attribution.md``)."""
SMOOTHER = (
    "train again under another name, with a lower --rate, a longer --warmup or fewer --epochs (gongfen train --help)"
)
ADJOINT_GROWTH = "adjoint growth ppm"
REPLAYED = "replayed to"
SEEDS = 2
"""Runs in all, unless somebody asks for another number: the fewest that give an interval."""
ONE_RUN = "unknown: one run; another seed tells (--seeds 2)"


@dataclass(frozen=True, eq=False)
class Differentiated(Measured):
    """What was measured, with the growth of each output's adjoint, and the hash that the run replayed to."""

    growth: tuple[float, ...] = ()
    adapter_sha256: str = ""

    def notes(self, row: int) -> tuple[k.Note, ...]:
        """What the measurement of one output says of its run."""
        return (
            k.Note(name=ADJOINT_GROWTH, value=str(round(self.growth[row] * PPM))),
            k.Note(name=REPLAYED, value=self.adapter_sha256),
        )


def method_of(found: Metagradient) -> str:
    """What exactly was done, the same for every output of a run: an evaluation of it is found by these words."""
    return f"metagradient, {found.mode} difference of gradients, relative step {found.relative_step}"


def metagradients(atelier: Atelier, outputs: Sequence[Passage], progress: Progress = silent) -> list[Metagradient]:
    """One backward pass through the recorded run for each output. Raises TrainingError as :func:`metagradient`."""
    return [
        metagradient(
            atelier.workshop.problem(atelier.texts, [output], [1]),
            atelier.run,
            progress=portion(progress, number, len(outputs)),
        )
        for number, output in enumerate(outputs)
    ]


def by_metagradient(
    atelier: Atelier,
    names: Sequence[str],
    passages: Sequence[Passage],
    seeds: int,
    cache: Path,
    progress: Progress = silent,
) -> Differentiated:
    """Every work's effect on every output; with several ``seeds``, as many runs in all, and an interval.

    Raises TrainingError when the run does not replay to its recorded hash, or is too rough for one of the outputs. When
    a run with another seed is, the interval is unknown.
    """
    found: list[list[Metagradient]] = []
    interval = OVER_SEEDS.format(seeds) if seeds > 1 else ONE_RUN
    for number in range(seeds):
        run = with_seed(atelier, number, cache, portion(progress, 2 * number - 1, 2 * seeds - 1)) if number else atelier
        each: list[Metagradient] = []
        moves = portion(progress, 2 * number, 2 * seeds - 1)
        for place, (name, passage) in enumerate(zip(names, passages, strict=True)):
            each += metagradients(run, [passage], portion(moves, place, len(names)))
            if not number:
                refuse_rough(f"run {run.model}", each[-1].growth, name)
            elif each[-1].growth > MOST_GROWTH:
                interval = rough_seed(run, each[-1].growth)
        found.append(each)
    effects = torch.stack([torch.stack([one.effects for one in each]) for each in found])
    if interval != OVER_SEEDS.format(seeds):
        effects = effects[:1]
    return Differentiated(
        method=method_of(found[0][0]),
        effects=effects[0],
        told=tells(effects),
        ends=_ends(effects),
        interval=interval,
        told_by=SEEDS_AGREE,
        each=effects,
        growth=tuple(one.growth for one in found[0]),
        adapter_sha256=found[0][0].adapter_sha256,
    )


def _ends(effects: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both ends [M, N] of the intervals of effects [S, M, N]: each output's by itself."""
    found = [ends for ends in map(over_seeds, effects.unbind(1)) if ends is not None]
    return (torch.stack([low for low, _ in found]), torch.stack([high for _, high in found])) if found else None


def refuse_rough(run: str, growth: float, output: str = "") -> None:
    """Raises TrainingError when the adjoint grew too much for what it says to be believed."""
    if growth > MOST_GROWTH:
        of = f" for {output}" if output else ""
        reason = f"is not smooth: its adjoint grows {growth:.2f} times{of}, of {MOST_GROWTH:g} at most"
        raise TrainingError(run, reason, SMOOTHER)


def rough_seed(other: Atelier, growth: float) -> str:
    """Why there is no interval when a run with another seed is too rough."""
    seed = other.setup.recipe.seed
    return f"unknown: the run with seed {seed} is not smooth (its adjoint grows {growth:.2f} times)"


def with_seed(atelier: Atelier, number: int, cache: Path, progress: Progress = silent) -> Atelier:
    """The same works, trained with another seed."""
    recipe = atelier.setup.recipe
    setup = replace(atelier.setup, recipe=replace(recipe, seed=recipe.seed + number))
    workshop = Workshop(setup, atelier.texts, cache)
    run = tune(workshop.problem(atelier.texts), setup.recipe, progress=progress)
    return replace(atelier, setup=setup, workshop=workshop, run=run)

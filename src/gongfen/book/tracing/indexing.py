"""The index of a model's training works: it lies beside the run, and is built when an output is first traced."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from torch import Tensor

from gongfen.book.making import Atelier, run_folder
from gongfen.book.recording.record import Record
from gongfen.book.tracing.measured import Measured, averaged, checkpoints
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress, silent
from gongfen.studio.workshop import Workshop
from gongfen.trace.index.build import Engine, build_index, finished, here, plan_of
from gongfen.trace.index.manifest import Item, Manifest, Method, Moment, belongs
from gongfen.trace.index.query import Index
from gongfen.trace.index.rerank import DAMPING_PPM, reranked
from gongfen.trace.problem import Passage
from gongfen.trace.spans import Span
from gongfen.trace.task import LanguageTask, Task
from gongfen.trace.tuning import replayed, tensor_sha256

INDEX = "index"
IN_NO_LAYER, TOO_WIDE, SILENT = "in no linear layer", "too wide", "silent"
"""Why an index does not look at something, as it is recorded."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A model with its works and outputs, and its parameters [P] at some checkpoints."""

    workshop: Workshop
    works: tuple[Passage, ...]
    outputs: tuple[Passage, ...]
    thetas: dict[int, Tensor]

    def __call__(self, moment: int) -> Task:
        """The model with the parameters of that checkpoint."""
        module = self.workshop.problem(()).place(self.thetas[moment])
        return LanguageTask(module, self.works, self.outputs)


@dataclass(frozen=True, eq=False)
class RunSource:
    """A model at the checkpoints of its run, replayed from the tape: works, and the outputs that are asked about."""

    atelier: Atelier
    outputs: tuple[Passage, ...] = ()
    steps: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Spread the checkpoints over the run."""
        object.__setattr__(self, "steps", checkpoints(len(self.atelier.run.batches)))

    def __call__(self, moment: int) -> Task:
        """The model with the parameters of that checkpoint."""
        return self.at(moment)(moment)

    def at(self, moment: int) -> "Opened":
        """The same, with the parameters of that checkpoint in place of the tape that they are replayed from."""
        theta = replayed(self.atelier.run, self.steps[moment]).theta
        return Opened(self.atelier.workshop, self.works, self.outputs, {moment: theta})

    def sent(self) -> "Opened":
        """What another process needs: the model and its parameters at every checkpoint, without the tape."""
        each = [self.at(moment) for moment in range(len(self.steps))]
        thetas = {moment: one.thetas[moment] for moment, one in enumerate(each)}
        return replace(each[0], thetas=thetas)

    @cached_property
    def works(self) -> tuple[Passage, ...]:
        """The works as they were trained on: cut to the setup's length."""
        return tuple(self.atelier.workshop.passage(text) for text in self.atelier.texts)

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """What the checkpoints are: their parameters' hashes, the last of which is the adapter's own."""
        return tuple(
            Moment(step=step, parameters_sha256=tensor_sha256(replayed(self.atelier.run, step).theta))
            for step in self.steps
        )

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The works, by name and by the hash of the tokens that were trained on."""
        return tuple(
            Item(work=work, sha256=sha256(str(passage.tokens).encode()).hexdigest())
            for work, passage in zip(self.atelier.works, self.works, strict=True)
        )


def index_folder(record: Record, model: str) -> Path:
    """Where a model's index lies."""
    return run_folder(record, model) / INDEX


def asked_index(
    record: Record,
    atelier: Atelier,
    passages: Sequence[Passage],
    spans: Sequence[Span],
    shortlist: int = 0,
    engine: Engine = here,
    progress: Progress = silent,
    names: Sequence[str] = (),
) -> Measured:
    """Every work's effect on these spans of the outputs, by the model's index; ``shortlist`` of each measured again.

    ``names`` of the outputs are for errors alone.
    """
    source = RunSource(atelier, tuple(passages))
    index, built = index_of(record, source, engine, progress)
    belongs(index.manifest, atelier.model, source.items, [moment.parameters_sha256 for moment in source.moments])
    plan = index.manifest.plan
    method = (
        f"index of {len(plan.moments)} checkpoints, {plan.numbers} numbers a work, rank {plan.method.rank}, "
        f"whitening {plan.method.whitening_ppm / PPM:g}, damping {plan.method.damping_ppm / PPM:g}"
    )
    answer = index.ask(source, spans, progress, names)
    told_by = answer.each  # what the projections say: exact effects have no noise of their own to stand above
    if shortlist:
        answer = reranked(index, source, spans, answer, shortlist, progress=progress)
        method += f"; {shortlist} strongest by exact EK-FAC, damping {DAMPING_PPM / PPM:g}"
    return replace(averaged(method, answer.each, told_by), built=built, unseen=unseen(index.manifest))


def unseen(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """What of the model this index does not look at, by the reason."""
    found = {IN_NO_LAYER: manifest.plan.left_out, TOO_WIDE: manifest.plan.too_wide, SILENT: manifest.silent}
    return {why: names for why, names in found.items() if names}


def index_of(
    record: Record, source: RunSource, engine: Engine = here, progress: Progress = silent
) -> tuple[Index, bool]:
    """The index of a model, whole, and whether it had to be built, or gone on with. Raises TrainingError."""
    model, method = source.atelier.model, Method(seed=source.atelier.setup.recipe.seed)
    plan = plan_of(source, model, source.moments, source.items, method)
    folder = index_folder(record, model)
    there = finished(folder, plan)
    build_index(folder, source if engine is here else source.sent(), plan, engine, progress=progress)
    index = Index(folder)
    index.verify()  # what it answers is recorded
    return index, not there

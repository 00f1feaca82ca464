"""The index of a model's training works: it lies beside the run, and is built when an output is first traced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from torch import Tensor

from gongfen.book.making import Atelier, runs_folder
from gongfen.book.recording import Record
from gongfen.progress import Progress, silent
from gongfen.trace.index.build import build_index, plan_of
from gongfen.trace.index.manifest import Item, Method, Moment, belongs
from gongfen.trace.index.noise import tells
from gongfen.trace.index.query import Index, Span
from gongfen.trace.problem import Passage
from gongfen.trace.task import LanguageTask, Task
from gongfen.trace.tuning import replayed, tensor_sha256

MOMENTS = 4
"""Checkpoints of the run that are averaged, evenly spread, the end among them (``attribution.md``, "The route", 2)."""
INDEX = "index"


@dataclass(frozen=True, eq=False)
class Measured:
    """How influence was measured; ``effects`` [M, N] in nats; of each output, whether it can be told from noise."""

    method: str
    effects: Tensor
    told: list[bool | None]


@dataclass(frozen=True, eq=False)
class RunSource:
    """A model at the checkpoints of its run, replayed from the tape: works, and the outputs that are asked about."""

    atelier: Atelier
    outputs: tuple[Passage, ...] = ()
    steps: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Spread the checkpoints over the run."""
        total = len(self.atelier.run.batches)
        object.__setattr__(self, "steps", tuple(sorted({-(-total * n // MOMENTS) for n in range(1, MOMENTS + 1)})))

    def __call__(self, moment: int) -> Task:
        """The model with the parameters of that checkpoint."""
        atelier = self.atelier
        state = replayed(atelier.run, self.steps[moment])
        module = atelier.workshop.problem(atelier.texts).place(state.theta)
        return LanguageTask(module, [atelier.workshop.passage(text) for text in atelier.texts], self.outputs)

    def moments(self) -> tuple[Moment, ...]:
        """What the checkpoints are: their parameters' hashes, the last of which is the adapter's own."""
        return tuple(
            Moment(step=step, parameters_sha256=tensor_sha256(replayed(self.atelier.run, step).theta))
            for step in self.steps
        )

    def items(self) -> tuple[Item, ...]:
        """The works, by name and by the hash of the tokens that were trained on."""
        workshop = self.atelier.workshop
        return tuple(
            Item(work=work, sha256=sha256(str(workshop.passage(text).tokens).encode()).hexdigest())
            for work, text in zip(self.atelier.works, self.atelier.texts, strict=True)
        )


def index_folder(record: Record, model: str) -> Path:
    """Where a model's index lies."""
    return runs_folder(record) / model.replace("/", "_") / INDEX


def asked_index(record: Record, atelier: Atelier, passages: Sequence[Passage], progress: Progress = silent) -> Measured:
    """Every work's effect on every output, by the model's index."""
    index = index_of(record, atelier, progress=progress)
    source = RunSource(atelier, tuple(passages))
    belongs(index.manifest, atelier.model, source.items(), [moment.parameters_sha256 for moment in source.moments()])
    plan = index.manifest.plan
    method = (
        f"index of {len(plan.moments)} checkpoints, {plan.numbers} numbers a work, rank {plan.method.rank}, "
        f"whitening {plan.method.whitening_ppm} ppm, damping {plan.method.damping_ppm} ppm"
    )
    answer = index.ask(source, [Span(number) for number in range(len(passages))], progress)
    return Measured(method, answer.effects, tells(answer.each))


def index_of(record: Record, atelier: Atelier, method: Method | None = None, progress: Progress = silent) -> Index:
    """The index of a model: built, or gone on with, unless it is there for this very run. Raises TrainingError."""
    source = RunSource(atelier)
    method = method or Method(seed=atelier.setup.recipe.seed)
    plan = plan_of(source, atelier.model, source.moments(), source.items(), method)
    folder = index_folder(record, atelier.model)
    build_index(folder, source, plan, progress=progress)
    return Index(folder)

"""An index is asked: what each training work did for these outputs, or for a part of one.

    effect of work i on output j = (1/N) φ_i · (C + d)^-1 ψ_j        averaged over the checkpoints, in nats

ψ_j is the output's own row: the gradient of its log-likelihood, or of that of some of its tokens, projected like the
works. It is a damped Newton step on the work: the sizes are those of the step and not of the run, the order is what
is tested against retraining.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.index.build import Source, curvatures_file, refuse_infinite, same_works
from gongfen.trace.index.curvature import divided, read_curvatures
from gongfen.trace.index.manifest import AGAIN, PPM, Manifest, read_manifest
from gongfen.trace.index.prepared import learned_sha256, projections_file, read_projections
from gongfen.trace.index.rows import Rows, products, read_rows, rounded, sha256_once
from gongfen.trace.layers import Layer, linear_layers
from gongfen.trace.memory import enough
from gongfen.trace.problem import named
from gongfen.trace.projection import Projection, project
from gongfen.trace.spans import Span, differentiate
from gongfen.trace.task import Task


@dataclass(frozen=True, eq=False)
class Answer:
    """``each`` [C, M, N]: estimated effect of every work on every span at each of C checkpoints, in nats."""

    each: Tensor

    @property
    def effects(self) -> Tensor:
        """The mean over checkpoints, [M, N]."""
        return self.each.mean(0)


class Index:
    """A finished index on disk. Its shards are mapped, not loaded: memory holds one at a time."""

    def __init__(self, folder: Path) -> None:
        """Open it; raises TrainingError when it is not finished, or lacks works."""
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)

    def verify(self) -> None:
        """Hold every file against its hash, once in a process unless it changes. Raises TrainingError."""
        due = {shard.file: shard.sha256 for shard in self.manifest.shards}
        for moment, (projections, curvatures) in enumerate(
            zip(self.manifest.projections, self.manifest.curvatures, strict=True)
        ):
            due[projections_file(self.folder, moment).name] = projections
            due[curvatures_file(self.folder, moment).name] = curvatures
        for name, digest in due.items():
            path = self.folder / name
            if not path.is_file() or sha256_once(path) != digest:
                raise TrainingError(f"index {path}", "is missing or altered", AGAIN)

    def ask(
        self, source: Source, spans: Sequence[Span], progress: Progress = silent, names: Sequence[str] = ()
    ) -> Answer:
        """What every work did for these spans, at every checkpoint. Whether a file was altered is for ``verify``.

        ``names`` of the outputs are for errors alone. Raises TrainingError for another model than the one that was
        indexed, even one of the same shape, and for gradients that are not finite.
        """
        if not spans:
            raise TrainingError("no span", "was asked about", "name one: Span(0) is the first output")
        moments = range(len(self.manifest.plan.moments))
        each: list[Tensor] = []
        for moment in moments:
            each.append(self.products(moment, self.directions(source(moment), moment, spans, names)))
            progress(moment + 1, len(moments))
        return Answer(torch.stack(each))

    def directions(self, task: Task, moment: int, spans: Sequence[Span], names: Sequence[str] = ()) -> Tensor:
        """(C + d)^-1 ψ of these spans at a checkpoint, fp32 [M, D]."""
        layers, _ = linear_layers(task.module)
        self._same_layers(layers)
        self._same_parameters(task, moment)
        same_works(self.manifest.plan.model, task, len(self.manifest.plan.works))
        rows = span_rows(task, layers, read_projections(self.folder, moment, len(layers)), spans, names)
        curvatures = read_curvatures(curvatures_file(self.folder, moment), self.manifest.curvatures[moment])
        plan = self.manifest.plan
        try:
            return divided(curvatures, rows, plan.method.damping_ppm / PPM)
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            reason = (
                f"cannot be divided by its curvature: a damping of {plan.method.damping_ppm} ppm is lost in rounding, "
                f"with {plan.numbers} numbers a work of {len(plan.works)} works"
            )
            raise TrainingError(f"index of {plan.model}", reason, "build it with a larger damping_ppm") from None

    def products(self, moment: int, directions: Tensor) -> Tensor:
        """Effect of every work along these directions [M, D] at a checkpoint, [M, N]; one shard at a time."""
        plan, outputs = self.manifest.plan, rounded(directions)
        found = torch.empty(len(directions), len(plan.works))
        for shard in self.manifest.shards:
            if shard.moment == moment:
                rows: Rows = read_rows(self.folder / shard.file, shard.count, plan.numbers)
                found[:, shard.first : shard.first + shard.count] = products(rows, outputs)
        return found / len(plan.works)

    def _same_parameters(self, task: Task, moment: int) -> None:
        due = self.manifest.parameters[moment] if self.manifest.parameters else ""
        if due and due != learned_sha256(task.module):
            reason = f"was built of other parameters than the model has that it is asked about, at checkpoint {moment}"
            remedy = "ask about the model that it was built of, or build one of this model in another folder"
            raise TrainingError(f"index of {self.manifest.plan.model}", reason, remedy)

    def _same_layers(self, layers: Sequence[Layer]) -> None:
        due = [(layer.name, layer.inputs, layer.outputs) for layer in self.manifest.plan.layers]
        if [(layer.name, layer.inputs, layer.outputs) for layer in layers] != due:
            reason = "has other layers than the model that it is asked about"
            raise TrainingError(
                f"index of {self.manifest.plan.model}", reason, "trace an output of that model: it builds its own"
            )


def span_rows(
    task: Task,
    layers: Sequence[Layer],
    projections: Sequence[Projection],
    spans: Sequence[Span],
    names: Sequence[str] = (),
) -> Tensor:
    """ψ of every span, fp32 [M, D]: one forward pass for an output, one backward pass for each of its spans."""
    rows = torch.zeros(len(spans), sum(projection.size for projection in projections))
    parts = torch.split(rows, [projection.size for projection in projections], 1)

    def take(span: int, number: int, entered: Tensor, gradient: Tensor) -> None:
        parts[number][span] += project(projections[number], entered[None], gradient[None])[0]

    with enough("reading the outputs", "close other programs, or trace fewer tokens of an output"):
        differentiate(task, layers, spans, take)
    refuse_infinite(parts, slice(None), layers, [named(names, span.output) for span in spans], "output")
    return rows

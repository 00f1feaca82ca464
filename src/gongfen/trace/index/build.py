"""An index is built in units of work that may run anywhere: so many works at one checkpoint become one shard.

Results do not depend on how the units are cut, batched or spread: what is drawn at random depends on the seed and a
work's number alone, and projections are made once and read by every worker. What is left is the rounding of sums.
"""

import fcntl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.covariance import factors_of
from gongfen.trace.index.curvature import curvatures_of, write_curvatures
from gongfen.trace.index.manifest import (
    MANIFEST,
    PLAN,
    PPM,
    Item,
    Manifest,
    Method,
    Moment,
    Plan,
    Shard,
    Traced,
    read_manifest,
    write_whole,
)
from gongfen.trace.index.prepared import Prepared, learned_sha256, prepared, read_projections, write_projections
from gongfen.trace.index.rows import Rows, read_rows, rounded, sha256_of, write_rows
from gongfen.trace.layers import Layer, left_out, linear_layers, watched
from gongfen.trace.memory import halved
from gongfen.trace.projection import Projection, levelled, project, projections_of
from gongfen.trace.task import Task

LEVELLED = 16
"""Works by which layers are brought to one level."""
SHARD_WORKS = 4_096
BATCH = 16
LOCK = "lock"
"""Whoever builds holds this file; it stays, and means nothing by itself."""


class Source(Protocol):
    """Opens the task at a checkpoint; it can be sent to another process."""

    def __call__(self, moment: int) -> Task:
        """The model with the parameters of that checkpoint, and its works."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of a build: the works of one shard."""

    source: Source
    folder: Path
    plan: Plan
    moment: int
    first: int
    count: int
    batch_size: int


Engine = Callable[[Sequence[Unit]], Iterable[Shard]]
"""Runs units, in whatever order and wherever, and gives their shards as they are finished."""
RowsOf = Callable[[Task, Sequence[Layer], Sequence[Projection], Sequence[int], int, Sequence[str]], Tensor]
"""Makes φ of some works, as :func:`work_rows` does."""


def here(units: Sequence[Unit]) -> Iterator[Shard]:
    """One after the other, in this process."""
    return map(run_unit, units)


def plan_of(
    source: Source,
    model: str,
    moments: Sequence[Moment],
    works: Sequence[Item],
    method: Method,
    shard_works: int = SHARD_WORKS,
) -> Plan:
    """What is to be built. Raises TrainingError for nothing to trace, or for other works than the source has."""
    if not moments or not works:
        thing, reason = f"index of {model}", f"has {len(works)} works at {len(moments)} checkpoints"
        raise TrainingError(thing, reason, "give it one of each, at least")
    task = source(len(moments) - 1)
    same_works(model, task, len(works))
    module = task.module
    layers, wide = linear_layers(module)
    traced = tuple(
        Traced(
            name=layer.name,
            inputs=layer.inputs,
            outputs=layer.outputs,
            numbers=min(method.rank, layer.inputs) * min(method.rank, layer.outputs),
        )
        for layer in layers
    )
    return Plan(
        model=model,
        moments=tuple(moments),
        works=tuple(works),
        layers=traced,
        too_wide=wide,
        left_out=left_out(module, layers),
        method=method,
        shard_works=shard_works,
    )


def build_index(
    folder: Path,
    source: Source,
    plan: Plan,
    engine: Engine = here,
    batch_size: int = BATCH,
    progress: Progress = silent,
) -> Manifest:
    """Build what is planned, or what is left of it; a finished index of the same plan is only read.

    Raises TrainingError, naming work and layer, for gradients that are not finite; what was finished stays for the
    next try, and nothing can be asked before all is. Raises it, too, while another program builds there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if finished(folder, plan):
        return read_manifest(folder)
    with _alone(folder):
        return _built(folder, source, plan, engine, batch_size, progress)


def _built(folder: Path, source: Source, plan: Plan, engine: Engine, batch_size: int, progress: Progress) -> Manifest:
    _begin(folder, plan)
    if (folder / MANIFEST).is_file():
        return read_manifest(folder)  # another program has finished it meanwhile
    ready = [
        prepared(folder, moment) or _prepare(source(moment), folder, plan, moment, batch_size)
        for moment in range(len(plan.moments))
    ]
    units = [
        Unit(source, folder, plan, moment, first, min(plan.shard_works, len(plan.works) - first), batch_size)
        for moment in range(len(plan.moments))
        for first in range(0, len(plan.works), plan.shard_works)
    ]
    done = {(shard.moment, shard.first): shard for shard in map(_finished, units) if shard is not None}
    total = len(plan.moments) * len(plan.works)
    progress(sum(shard.count for shard in done.values()), total)
    for shard in engine([unit for unit in units if (unit.moment, unit.first) not in done]):
        done[shard.moment, shard.first] = shard
        progress(sum(shard.count for shard in done.values()), total)
    return _finish(folder, plan, ready, [done[unit.moment, unit.first] for unit in units])


def run_unit(unit: Unit, rows_of: RowsOf | None = None) -> Shard:
    """Compute and write one shard; ``rows_of``: by another's passes than :func:`work_rows`."""
    task, plan = _task(unit.source, unit.moment), unit.plan
    layers, _ = linear_layers(task.module)
    projections = read_projections(unit.folder, unit.moment, len(layers))
    rows = (rows_of or work_rows)(
        task, layers, projections, range(unit.first, unit.first + unit.count), unit.batch_size,
        [item.work for item in plan.works],
    )  # fmt: skip
    shard = Shard(moment=unit.moment, first=unit.first, count=unit.count, sha256="")
    digest = write_rows(rounded(rows), unit.folder / shard.file)
    shard = msgspec.structs.replace(shard, sha256=digest)
    write_whole(_note(unit), msgspec.json.encode(shard))
    return shard


def work_rows(
    task: Task,
    layers: Sequence[Layer],
    projections: Sequence[Projection],
    numbers: Sequence[int],
    batch_size: int,
    names: Sequence[str],
) -> Tensor:
    """φ of these works, fp32 [n, D]: of −∇loss, what a step on a work adds. A batch too large is halved.

    Raises TrainingError naming the works and the layer whose gradients are not finite, or when even one work does not
    fit in memory.
    """
    rows = torch.zeros(len(numbers), sum(projection.size for projection in projections))
    parts = torch.split(rows, [projection.size for projection in projections], 1)
    start, size = 0, batch_size
    while start < len(numbers):
        end = min(start + size, len(numbers))
        chosen = numbers[start:end]
        owners = task.rows(chosen) + start

        def take(number: int, entered: Tensor, gradient: Tensor, at: Tensor = owners) -> None:
            parts[number].index_add_(0, at, project(projections[number], entered, gradient), alpha=-1)

        try:
            with watched(task.module, layers, take, len(owners)):
                task.losses(chosen).sum().backward()  # type: ignore[no-untyped-call]
        except (RuntimeError, MemoryError) as error:
            rows[start:end] = 0
            size = halved(error, size, f"work {names[chosen[0]]}")
            continue
        refuse_infinite(parts, slice(start, end), layers, [names[number] for number in chosen])
        start = end
    return rows


def refuse_infinite(
    parts: Sequence[Tensor], at: slice, layers: Sequence[Layer], names: Sequence[str], kind: str = "work"
) -> None:
    """Raise TrainingError, naming works or outputs and layer, for rows ``at`` that hold what is no number."""
    for part, layer in zip(parts, layers, strict=True):
        if bool(part[at].isfinite().all()):
            continue
        bad = [name for name, row in zip(names, part[at], strict=True) if not bool(row.isfinite().all())]
        reason = f"has gradients that are not finite numbers, in layer {layer.name}"
        thing = f"{kind} {', '.join(list(dict.fromkeys(bad))[:3])}"
        raise TrainingError(thing, reason, "look at it, or train at a lower rate")


# -- what workers share ------------------------------------------------------------------------------------------------


def curvatures_file(folder: Path, moment: int) -> Path:
    """Where the curvatures of a checkpoint lie."""
    return folder / f"curvatures-{moment}.safetensors"


def same_works(model: str, task: Task, works: int) -> None:
    """Raise TrainingError when a task has more works than an index of the model, or fewer."""
    if task.works != works:
        reason = f"is of {works} works, and the task that it reads has {task.works}"
        raise TrainingError(f"index of {model}", reason, "give the same works to both, in the same order")


def _prepare(task: Task, folder: Path, plan: Plan, moment: int, batch_size: int) -> Prepared:
    """Measure K-FAC's factors on works evenly spread, and draw this checkpoint's projections."""
    same_works(plan.model, task, len(plan.works))
    layers, _ = linear_layers(task.module)
    numbers = factor_works(plan, task.works)
    factors = factors_of(task, layers, numbers, plan.method.seed, batch_size)
    for layer, factor in zip(layers, factors, strict=True):
        if not bool(factor.inputs.isfinite().all() and factor.gradients.isfinite().all()):
            reason = "has activations or gradients that are not finite numbers"
            raise TrainingError(f"layer {layer.name}", reason, "train at a lower rate, and look at the works")
    seed = plan.method.seed + moment
    found = projections_of(layers, factors, plan.method.rank, plan.method.whitening_ppm / PPM, seed)
    sample = work_rows(
        task, layers, found, numbers[:: -(-len(numbers) // LEVELLED)], batch_size, [i.work for i in plan.works]
    )
    parts = torch.split(sample, [projection.size for projection in found], 1)
    silent = [layer.name for layer, part in zip(layers, parts, strict=True) if not bool(part.any())]
    return write_projections(folder, moment, levelled(found, sample), silent, learned_sha256(task.module))


def factor_works(plan: Plan, works: int) -> list[int]:
    """The works from which the factors are measured, evenly spread."""
    count = min(plan.method.factor_works, works)
    return [place * works // count for place in range(count)]


_opened: dict[str, tuple[Source, int, Task]] = {}
"""The task that this process has open: units of one checkpoint follow one another."""


def _task(source: Source, moment: int) -> Task:
    held = _opened.get("task")
    if held is None or held[0] is not source or held[1] != moment:
        _opened["task"] = (source, moment, source(moment))
    return _opened["task"][2]


# -- beginning and end -------------------------------------------------------------------------------------------------


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else builds there meanwhile. Raises TrainingError when somebody does."""
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = "is being built by another program"
            raise TrainingError(f"index {folder}", reason, "wait until it is there, then ask again") from None
        yield


def finished(folder: Path, plan: Plan) -> bool:
    """Whether the index of this very plan is there, whole."""
    return _is_of(folder, plan) and (folder / MANIFEST).is_file()


def _is_of(folder: Path, plan: Plan) -> bool:
    """Whether what is built there is of this very plan."""
    path = folder / PLAN
    return path.is_file() and path.read_bytes() == msgspec.json.encode(plan)


def _begin(folder: Path, plan: Plan) -> None:
    """Go on with a build of the same plan; what was built by another is thrown away."""
    if _is_of(folder, plan):
        return
    (folder / MANIFEST).unlink(missing_ok=True)
    for pattern in ("works-*", "projections-*", "curvatures-*", "eigenbases-*", ".*"):
        for old in folder.glob(pattern):
            old.unlink()
    write_whole(folder / PLAN, msgspec.json.encode(plan))


def _finished(unit: Unit) -> Shard | None:
    """The shard of a unit that was finished by an earlier try, and is still what it was."""
    try:
        shard = msgspec.json.decode(_note(unit).read_bytes(), type=Shard)
        same = sha256_of(unit.folder / shard.file) == shard.sha256
    except (OSError, msgspec.DecodeError):
        return None
    return shard if same and (shard.first, shard.count) == (unit.first, unit.count) else None


def _note(unit: Unit) -> Path:
    return unit.folder / f"works-{unit.moment}-{unit.first:09}.json"


def _finish(folder: Path, plan: Plan, ready: Sequence[Prepared], shards: Sequence[Shard]) -> Manifest:
    curvatures: list[str] = []
    for moment in range(len(plan.moments)):
        rows = (_rows(folder, plan, shard) for shard in shards if shard.moment == moment)
        found = curvatures_of(plan.layers, rows, len(plan.works))
        curvatures.append(write_curvatures(found, curvatures_file(folder, moment)))
    manifest = Manifest(
        plan=plan,
        shards=tuple(shards),
        projections=tuple(one.sha256 for one in ready),
        curvatures=tuple(curvatures),
        silent=tuple(name for name in ready[0].silent if all(name in one.silent for one in ready)),
        parameters=tuple(one.parameters for one in ready),
    )
    write_whole(folder / MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _rows(folder: Path, plan: Plan, shard: Shard) -> Rows:
    return read_rows(folder / shard.file, shard.count, plan.numbers)

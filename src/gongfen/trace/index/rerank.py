"""The strongest works of an answer, measured again with whole gradients: exact EK-FAC on a short list.

The index keeps a few thousand numbers of a work, so its order among the strongest is rough. For those few, and at every
checkpoint, the influence of :mod:`gongfen.trace.ekfac` is computed without any projection. The two estimates are damped
differently, so the exact ones are brought to the index's scale by one factor for each output and checkpoint, the least
squares fit on the short list; works that are not on it keep what the index said.

The eigenbases take two passes over the works that the factors are measured on; they are kept beside the index.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gongfen.progress import Progress, silent
from gongfen.trace.covariance import factors_of
from gongfen.trace.ekfac import Eigenbasis, eigenbases_of, exact_influence, output_gradients, preconditioned
from gongfen.trace.index.build import BATCH, Source, factor_works
from gongfen.trace.index.manifest import PPM, Plan
from gongfen.trace.index.query import Answer, Index
from gongfen.trace.layers import Layer, linear_layers
from gongfen.trace.spans import Span
from gongfen.trace.task import Task

DAMPING_PPM = 10_000
"""Damping of the exact curvature, in parts of its mean: the middle of what was good in ``benchmarks/trace``."""
AT_ONCE = 1 << 26
"""Numbers of outputs' whole gradients that are held at a time: 256 MiB in fp32."""


def reranked(
    index: Index,
    source: Source,
    spans: Sequence[Span],
    answer: Answer,
    shortlist: int,
    damping_ppm: int = DAMPING_PPM,
    progress: Progress = silent,
) -> Answer:
    """The answer, with the ``shortlist`` works of largest size of each span measured exactly at every checkpoint."""
    plan = index.manifest.plan
    count = min(shortlist, len(plan.works))
    chosen = answer.effects.abs().topk(count, dim=1).indices
    each = answer.each.clone()
    for moment in range(len(plan.moments)):
        task = source(moment)
        layers, _ = linear_layers(task.module)
        bases = _bases(index.folder, plan, task, layers, moment)
        for rows in _few(range(len(spans)), layers):
            asked = [spans[row] for row in rows]
            directions = preconditioned(bases, output_gradients(task, layers, asked), damping_ppm / PPM)
            works = torch.unique(chosen[rows])
            found = -exact_influence(task, layers, works.tolist(), directions, BATCH) / len(plan.works)
            for row, exact in zip(rows, found, strict=True):
                mine = torch.searchsorted(works, chosen[row])
                each[moment, row, chosen[row]] = _to_scale(exact[mine], answer.each[moment, row, chosen[row]])
        progress(moment + 1, len(plan.moments))
    return Answer(each)


def _to_scale(exact: Tensor, rough: Tensor) -> Tensor:
    """The exact effects times the factor that brings them nearest to the rough ones; these, when they disagree."""
    length, alike = exact.square().sum(), (exact * rough).sum()
    return exact * (alike / length) if float(length) > 0 and float(alike) > 0 else rough


def _few(rows: range, layers: Sequence[Layer]) -> list[list[int]]:
    """As many outputs at a time as whole gradients fit in memory."""
    size = max(1, AT_ONCE // sum(layer.inputs * layer.outputs for layer in layers))
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


# -- eigenbases, kept beside the index ---------------------------------------------------------------------------------


def _bases(folder: Path, plan: Plan, task: Task, layers: Sequence[Layer], moment: int) -> Sequence[Eigenbasis]:
    """The eigenbases at a checkpoint: read, if they were kept for this very plan; else measured, and kept."""
    path = folder / f"eigenbases-{moment}.safetensors"
    kept = _read(path, plan, layers)
    if kept:
        return kept
    numbers = factor_works(plan, task.works)
    factors = factors_of(task, layers, numbers, plan.method.seed, BATCH)
    found = eigenbases_of(task, layers, factors, numbers, plan.method.seed, BATCH)
    tensors = {
        f"{number:05}.{name}": getattr(basis, name).contiguous()
        for number, basis in enumerate(found)
        for name in ("left", "right", "values")
    }
    part = path.with_name(f".{path.name}")
    save_file(tensors, part, {"plan": plan.sha256, "tensors": _hash(tensors)})
    part.replace(path)
    return _unpacked(tensors, len(layers))


def _unpacked(tensors: dict[str, Tensor], layers: int) -> list[Eigenbasis]:
    return [
        Eigenbasis(tensors[f"{n:05}.left"], tensors[f"{n:05}.right"], tensors[f"{n:05}.values"]) for n in range(layers)
    ]


def _read(path: Path, plan: Plan, layers: Sequence[Layer]) -> list[Eigenbasis]:
    """What was kept; nothing, if it is another plan's or was altered: it is measured again then."""
    if not path.is_file():
        return []
    try:
        with safe_open(path, "pt") as opened:
            said = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in sorted(opened.keys())}
    except (SafetensorError, OSError):  # what cannot be read is made again
        return []
    if said.get("plan") != plan.sha256 or said.get("tensors") != _hash(tensors):
        return []
    return _unpacked(tensors, len(layers))


def _hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of tensors in the order of their names, hex."""
    found = sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].numpy().tobytes())
    return found.hexdigest()

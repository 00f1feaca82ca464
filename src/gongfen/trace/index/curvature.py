"""The curvature of the loss in the small space of an index, from the rows themselves; outputs are divided by it.

For each layer, over works with rows φ_i (of which φ_i,l is the layer's part):

    C_l = (1/n) Σ_i w_i φ_i,l φ_i,lᵀ        w_i = mean ‖φ‖ / ‖φ_i‖

With w = 1 this is the empirical Fisher matrix, as in LoGra and TRAK. It underrates what the model has learned well: a
work whose targets have probability p weighs (1−p)² there, and p(1−p) in the Gauss–Newton matrix that it stands for.
Its gradient's length goes with 1−p, so dividing by the length once gives the Gauss–Newton weight, without drawing
targets. Measured in benchmarks/trace: .63 against .57 of rank correlation with retraining on digits, no loss on text.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.trace.gram import add_lower, mirrored
from gongfen.trace.index.manifest import AGAIN, Traced
from gongfen.trace.index.rows import Rows, sha256_of, whole

MOST_WORKS = 20_000
"""The curvature is measured on so many works, evenly spread: a layer keeps some thousand numbers at most."""
AT_ONCE = 512


def curvatures_of(layers: Sequence[Traced], shards: Iterable[Rows], works: int) -> list[Tensor]:
    """C_l of every layer, [numbers, numbers], in fp32, from up to MOST_WORKS rows of all shards in their order."""
    stride = -(-works // MOST_WORKS)
    sums = [torch.zeros(layer.numbers, layer.numbers) for layer in layers]
    length = torch.zeros((), dtype=torch.float64)
    taken = first = 0
    for rows in shards:
        chosen = torch.arange(-first % stride, len(rows.numbers), stride)
        first += len(rows.numbers)
        for index in torch.split(chosen, AT_ONCE):
            values = whole(Rows(rows.numbers[index], rows.scales[index]))
            lengths = values.norm(dim=1, keepdim=True)
            length += lengths.sum()
            values /= lengths.sqrt().clamp_min(torch.finfo(values.dtype).tiny)
            for total, part in zip(sums, torch.split(values, [layer.numbers for layer in layers], 1), strict=True):
                add_lower(total, part)
            taken += len(index)
    return [mirrored(total) * float(length / taken**2) for total in sums]


def divided(curvatures: Sequence[Tensor], rows: Tensor, damping: float) -> Tensor:
    """(C + d)^-1 of outputs' rows [M, D], layer by layer, d = damping × the mean of C's diagonal.

    A layer in which no work has a number (C = 0) says nothing of any output either.
    """
    parts = torch.split(rows, [len(curvature) for curvature in curvatures], 1)
    found: list[Tensor] = []
    for curvature, part in zip(curvatures, parts, strict=True):
        if not curvature.any():
            found.append(torch.zeros_like(part))
            continue
        damped = curvature.clone()
        damped.diagonal().add_(damping * curvature.diagonal().mean())
        found.append(torch.cholesky_solve(part.T, torch.linalg.cholesky(damped)).T)
    return torch.cat(found, 1)


def write_curvatures(curvatures: Sequence[Tensor], path: Path) -> str:
    """Write them, whole or not at all; the file's SHA-256, hex, comes back."""
    part = path.with_name(f".{path.name}")
    save_file({f"{number:05}": curvature for number, curvature in enumerate(curvatures)}, part)
    digest = sha256_of(part)
    part.replace(path)
    return digest


def read_curvatures(path: Path, due: str) -> list[Tensor]:
    """Read what was written. Raises TrainingError when it was altered."""
    if not path.is_file() or sha256_of(path) != due:
        raise TrainingError(f"index {path}", "is missing or altered", AGAIN)
    return [tensor for _, tensor in sorted(load_file(path).items())]

"""Works as rows of small whole numbers, a byte each with one scale a row, and their products with an output's row."""

import time
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

import numkong
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.trace.index.manifest import AGAIN

MOST = 127
FITS = (1 << 31) // MOST**2
"""So many products of bytes fit in 32 bits, however large they are."""
AT_ONCE = 64
"""So many rows are rounded while a processor's cache holds them."""
FEW = 2
"""So many outputs are faster one by one than packed (benchmarks/trace/limits.py)."""


SETTLED_NS = 2_000_000_000
"""After so long no clock gives another change the time of the last one."""
_HASHED: dict[tuple[str | int, ...], str] = {}
"""Hashes of files in the states that they were read in."""


class Rows(NamedTuple):
    """``numbers`` int8 [n, D] times ``scales`` fp32 [n]."""

    numbers: Tensor
    scales: Tensor


def rounded(values: Tensor) -> Rows:
    """fp32 [n, D] as int8: the largest number of a row becomes ±127. A row of zeros stays one."""
    numbers, scales = torch.empty(values.shape, dtype=torch.int8), values.new_empty(len(values))
    for part, into, scale in zip(*(torch.split(all_, AT_ONCE) for all_ in (values, numbers, scales)), strict=True):
        torch.div(part.abs().amax(1), MOST, out=scale)
        into.copy_((part / scale.clamp_min(torch.finfo(values.dtype).tiny)[:, None]).round_())
    return Rows(numbers, scales)


def whole(rows: Rows) -> Tensor:
    """The rows as fp32 [n, D]."""
    return rows.numbers.float() * rows.scales[:, None]


def products(rows: Rows, outputs: Rows) -> Tensor:
    """The products of rows and outputs, fp32 [M, n]: summed exactly in whole numbers, then scaled."""
    many, few = rows.numbers.numpy(), outputs.numbers.numpy()
    parts = range(0, many.shape[1], FITS)
    sums = sum(_sums(many[:, at : at + FITS], few[:, at : at + FITS]) for at in parts)
    return torch.from_numpy(np.asarray(sums, dtype=np.float32)).T * outputs.scales[:, None] * rows.scales


def _sums(many: NDArray[np.int8], few: NDArray[np.int8]) -> NDArray[np.float64]:
    """Products of rows of at most FITS numbers, [n, M]: whole numbers below 2³¹."""
    many, few = np.ascontiguousarray(many), np.ascontiguousarray(few)
    if len(few) > FEW:
        return np.asarray(numkong.dots_packed(many, numkong.dots_pack(few, dtype="int8"))).astype(np.float64)
    one_by_one = [np.asarray(numkong.cdist(many, few[at : at + 1], "dot")) for at in range(len(few))]
    return np.concatenate(one_by_one, 1).astype(np.float64)


def write_rows(rows: Rows, path: Path) -> str:
    """Write a shard, whole or not at all; its SHA-256, hex, comes back."""
    part = path.with_name(f".{path.name}")
    save_file({"numbers": rows.numbers.contiguous(), "scales": rows.scales.contiguous()}, part)
    digest = sha256_of(part)
    part.replace(path)
    return digest


def read_rows(path: Path, count: int, numbers: int) -> Rows:
    """A shard, mapped into memory and not read before it is used. Raises TrainingError for one of another shape."""
    try:
        with safe_open(path, framework="pt") as file:
            rows = Rows(file.get_tensor("numbers"), file.get_tensor("scales"))
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, str(error)) from None
    if rows.numbers.shape != (count, numbers) or rows.numbers.dtype != torch.int8 or rows.scales.shape != (count,):
        raise _unreadable(path, f"{tuple(rows.numbers.shape)} numbers, {count} × {numbers} are due")
    return rows


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def sha256_once(path: Path) -> str:
    """SHA-256 of a file, hex: read once in a process for as long as the file stays what it was.

    What changed so lately that a clock may not tell a second change from it is read again, as git does it.
    """
    state = path.stat()
    known = (str(path.absolute()), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if known not in _HASHED:
        digest = sha256_of(path)
        if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) < SETTLED_NS:
            return digest
        _HASHED[known] = digest
    return _HASHED[known]


def _unreadable(path: Path, why: str) -> TrainingError:
    return TrainingError(f"shard {path.name}", f"cannot be read ({why})", AGAIN)

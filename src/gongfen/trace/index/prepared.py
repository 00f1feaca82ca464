"""What the units of one checkpoint share: its projections, written once, and held against their hash ever after."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gongfen.errors import TrainingError
from gongfen.trace.index.manifest import AGAIN, write_whole
from gongfen.trace.index.rows import sha256_of
from gongfen.trace.projection import Projection


class Prepared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note beside a file of projections that was finished."""

    sha256: str
    silent: tuple[str, ...]
    """Layers of which nothing was heard: they were never called, or nothing flowed back through them."""
    parameters: str = ""
    """SHA-256 of what the model had learned: :func:`learned_sha256`."""


def learned_sha256(module: nn.Module) -> str:
    """SHA-256 over the trained parameters of a model, by name and bytes, hex: two models of one shape differ in it."""
    found = sha256()
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            found.update(f"{name} {parameter.dtype} {list(parameter.shape)}\n".encode())
            found.update(parameter.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def projections_file(folder: Path, moment: int) -> Path:
    """Where the projections of a checkpoint lie."""
    return folder / f"projections-{moment}.safetensors"


def prepared(folder: Path, moment: int) -> Prepared | None:
    """What an earlier try has prepared for a checkpoint, if it is still what it was."""
    try:
        found = msgspec.json.decode(_note(folder, moment).read_bytes(), type=Prepared)
        same = sha256_of(projections_file(folder, moment)) == found.sha256
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if same else None


def write_projections(
    folder: Path, moment: int, projections: Sequence[Projection], silent: Sequence[str], parameters: str
) -> Prepared:
    """Write them, whole or not at all. Rows that were made with others, of an earlier try, count as unfinished."""
    tensors: dict[str, Tensor] = {}
    for number, projection in enumerate(projections):
        tensors[f"{number:05}.left"], tensors[f"{number:05}.right"] = projection.left, projection.right
        if projection.bias is not None:
            tensors[f"{number:05}.bias"] = projection.bias.contiguous()
    for old in folder.glob(f"works-{moment}-*.json"):
        old.unlink()
    path = projections_file(folder, moment)
    part = path.with_name(f".{path.name}")
    save_file(tensors, part)
    found = Prepared(sha256=sha256_of(part), silent=tuple(silent), parameters=parameters)
    part.replace(path)
    write_whole(_note(folder, moment), msgspec.json.encode(found))
    return found


def read_projections(folder: Path, moment: int, layers: int) -> list[Projection]:
    """The projections of a checkpoint, for so many layers. Raises TrainingError for what cannot be read."""
    path = projections_file(folder, moment)
    try:
        held = load_file(path)
        return [
            Projection(held[f"{number:05}.left"], held[f"{number:05}.right"], held.get(f"{number:05}.bias"))
            for number in range(layers)
        ]
    except (OSError, SafetensorError, KeyError) as error:
        raise TrainingError(f"index {path}", f"cannot be read ({error})", AGAIN) from None


def _note(folder: Path, moment: int) -> Path:
    return folder / f"projections-{moment}.json"

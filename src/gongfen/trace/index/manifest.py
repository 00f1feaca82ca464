"""What an index is of, and how it was made: without this file, which is written last, nothing can be asked.

An index belongs to one model at some of its checkpoints and to one list of works, each named by its hash; whoever asks
with another model is refused. The plan is written first: a build that was broken off goes on where it was if the plan
is still the same, and begins anew otherwise.
"""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from gongfen.errors import TrainingError

FORMAT = "gongfen-index-1"
MANIFEST, PLAN = "manifest.json", "plan.json"
PPM = 1_000_000
AGAIN = "delete the index: the next trace builds it again"
"""What to do with an index that is not what it was."""


class Method(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How works become numbers. Whole numbers only, because they are recorded."""

    rank: int = 16
    """A layer keeps rank × rank numbers of a work, a byte each."""
    whitening_ppm: int = PPM
    """Damping of K-FAC's factors, in parts of their mean eigenvalue."""
    damping_ppm: int = 1_000_000
    """Damping of the curvature that outputs are divided by, in parts of its mean."""
    factor_works: int = 128
    """Works from which K-FAC's factors are measured."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be built; raises TrainingError."""
        for name, least in (("rank", 1), ("whitening_ppm", 1), ("damping_ppm", 1), ("factor_works", 1), ("seed", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                reason = f"is not a whole number of at least {least}"
                if name.endswith("_ppm"):
                    reason += ": with more numbers a work than works, an index without damping tells noise"
                raise TrainingError(f"index: {name} = {value!r}", reason, f"give {name} as one, or leave it out")


class Traced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layer in the index."""

    name: str
    inputs: int
    outputs: int
    numbers: int
    """Of each work, in this order."""


class Moment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A checkpoint of the run: after so many steps, with these parameters."""

    step: int
    parameters_sha256: str


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A work in the index: its name, and the hash of what was trained on."""

    work: str
    sha256: str


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be built."""

    format: str = FORMAT
    model: str
    moments: tuple[Moment, ...]
    works: tuple[Item, ...]
    layers: tuple[Traced, ...]
    too_wide: tuple[str, ...] = ()
    """Layers that are trained but left out, because their covariances would not fit in memory."""
    left_out: tuple[str, ...] = ()
    """Parameters that are trained and belong to none of the layers: what a work did to them is unseen."""
    method: Method
    shard_works: int

    @property
    def numbers(self) -> int:
        """D: numbers of a work at one checkpoint, a byte each."""
        return sum(layer.numbers for layer in self.layers)

    @property
    def sha256(self) -> str:
        """Hash of the plan, hex."""
        return sha256(msgspec.json.encode(self)).hexdigest()


class Shard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: so many works from ``first`` on, at one checkpoint."""

    moment: int
    first: int
    count: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return shard_file(self.moment, self.first)


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished index."""

    plan: Plan
    shards: tuple[Shard, ...]
    projections: tuple[str, ...]
    """SHA-256 of each checkpoint's file of projections."""
    curvatures: tuple[str, ...]
    """SHA-256 of each checkpoint's file of curvatures."""
    silent: tuple[str, ...] = ()
    """Layers of which nothing was heard at any checkpoint: never called, or nothing flowed back through them."""
    parameters: tuple[str, ...] = ()
    """SHA-256 of what the model had learned at each checkpoint; none in an index of an earlier release."""


def shard_file(moment: int, first: int) -> str:
    """The name of a shard."""
    return f"works-{moment}-{first:09}.safetensors"


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a finished index. Raises TrainingError."""
    path = folder / MANIFEST
    remedy = "trace an output of the model: that builds it"
    if not path.is_file():
        half = (folder / PLAN).is_file()
        reason = "was never finished: half an index gives no answer" if half else "is not there"
        raise TrainingError(f"index {folder}", reason, remedy + (", which goes on where it was" if half else ""))
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"index {folder}", f"has no readable manifest ({error})", f"delete it, and {remedy}"
        ) from None
    if manifest.plan.format != FORMAT:
        raise TrainingError(
            f"index {folder}", f"has the format {manifest.plan.format[:40]!r}", f"delete it, and {remedy}"
        )
    _as_planned(folder, manifest)
    _complete(folder, manifest)
    return manifest


def _as_planned(folder: Path, manifest: Manifest) -> None:
    """The manifest must be of the plan that was recorded before anything was built, and whole."""
    plan, path = manifest.plan, folder / PLAN
    if not path.is_file() or path.read_bytes() != msgspec.json.encode(plan):
        raise TrainingError(f"index {folder}", "has another plan in its manifest than it was built by", AGAIN)
    each = {"projections": manifest.projections, "curvatures": manifest.curvatures}
    if manifest.parameters:
        each["parameters"] = manifest.parameters
    for name, files in each.items():
        if len(files) != len(plan.moments):
            reason = f"names {len(files)} {name} for {len(plan.moments)} checkpoints"
            raise TrainingError(f"index {folder}", reason, AGAIN)


def _complete(folder: Path, manifest: Manifest) -> None:
    """Every work must stand in one shard of every checkpoint."""
    for moment in range(len(manifest.plan.moments)):
        upto = 0
        for shard in sorted((s for s in manifest.shards if s.moment == moment), key=lambda s: s.first):
            if shard.first != upto or not (folder / shard.file).is_file():
                break
            upto += shard.count
        if upto != len(manifest.plan.works):
            reason = f"lacks the works from {upto} on, at checkpoint {moment}"
            raise TrainingError(f"index {folder}", reason, "delete it: the next trace builds it")


def belongs(manifest: Manifest, model: str, works: Sequence[Item], parameters: Sequence[str]) -> None:
    """Refuse to answer about another model, or other works, than those that were indexed. Raises TrainingError."""
    plan, remedy = manifest.plan, "delete the index: the next trace builds it anew"
    if plan.works != tuple(works):
        differing = next(
            (item.work for item, other in zip(works, plan.works, strict=False) if item != other), "a number"
        )
        reason = f"was built of other works than {model} was trained on ({differing} differs)"
        raise TrainingError(f"index of {plan.model}", reason, remedy)
    if len(plan.moments) != len(parameters):
        reason = f"was built of {len(plan.moments)} checkpoints; {model} is asked about at {len(parameters)}"
        raise TrainingError(f"index of {plan.model}", reason, remedy)
    for number, (moment, due) in enumerate(zip(plan.moments, parameters, strict=True)):
        if moment.parameters_sha256 != due:
            was = moment.parameters_sha256
            reason = f"was built of parameters {was[:12]}…; checkpoint {number} of {model} has {due[:12]}…"
            raise TrainingError(f"index of {plan.model}", reason, remedy)

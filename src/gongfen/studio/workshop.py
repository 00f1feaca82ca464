"""Where a model is tuned and asked: a base, its adapters, its tokenizer, set up the same way every time."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from gongfen.errors import ModelFileError
from gongfen.progress import Progress, silent
from gongfen.studio.generation import Generated, Tokenizer, generate
from gongfen.studio.models import BaseModel, UpperLayers, open_model, prepare_smollm2, sha256_of, tiny, with_lora
from gongfen.trace.adamw import Recipe
from gongfen.trace.problem import LanguageProblem, Passage
from gongfen.trace.tuning import Run, load_run

MILLI_PER_HOUR_US = 3_600_000
WATTS_A_THREAD = 10
"""What a busy core draws, roughly: energy from it is marked as estimated."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a model is made from, in whole numbers and names: the config that is hashed and recorded."""

    base: Literal["smollm2", "tiny"]
    max_tokens: int
    """Longer works are cut to their first tokens, and it is said."""
    recipe: Recipe
    rank: int = 8
    alpha: int = 16
    from_layer: int = 0
    """Adapters from this layer up; those below are frozen and computed once."""
    width: int = 64
    layers: int = 2
    """Size of the tiny base."""
    threads: int = 2
    """Part of the setup, because another number of threads adds in another order and gives other bits."""

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, whole numbers only (RFC 8785)."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Setup":
        """The setup that :meth:`to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "recipe": Recipe(**fields["recipe"])})

    @property
    def sha256(self) -> str:
        """Hash of the config, hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


class Workshop:
    """A base model with adapters at their starting point, ready to be tuned, or given a run's parameters."""

    def __init__(self, setup: Setup, texts: Sequence[str], cache: Path, progress: Progress = silent) -> None:
        self.setup = setup
        torch.set_num_threads(setup.threads)
        self.base: BaseModel | None = None
        if setup.base == "smollm2":
            self.base = prepare_smollm2(cache, progress)
            module, self.tokenizer = open_model(self.base)
            whole = with_lora(module, setup.rank, setup.alpha, setup.recipe.seed, setup.from_layer)
            self.parameters = self.base.parameters
            self._trained: nn.Module = UpperLayers(whole, setup.from_layer) if setup.from_layer else whole
        else:
            whole, self.tokenizer = tiny(texts, setup.recipe.seed, setup.width, setup.layers)
            self.parameters = sum(p.numel() for p in whole.parameters())
            self._trained = whole
        self._whole = whole

    tokenizer: Tokenizer

    def passage(self, text: str) -> Passage:
        """A training work as tokens, cut to the setup's length."""
        return Passage(tuple(self.tokenizer.encode(text)[: self.setup.max_tokens]))

    def problem(
        self, texts: Sequence[str], sold: Sequence[Passage] = (), prices: Sequence[int] = ()
    ) -> LanguageProblem:
        """Works to train on, and outputs with their prices to be traced."""
        return LanguageProblem(self._trained, [self.passage(text) for text in texts], sold, prices)

    def write(
        self, run: Run, prompts: Sequence[str], length: int, seed: int, progress: Progress = silent
    ) -> list[Generated]:
        """What the tuned model writes after each prompt."""
        LanguageProblem(self._trained, ()).place(run.theta)
        return generate(self._whole, self.tokenizer, prompts, length, seed=seed, progress=progress)


def open_run(path: Path, file_sha256: str) -> Run:
    """A recorded run, once its file is what the book says; raises ModelFileError or TrainingError otherwise."""
    remedy = "restore the file from a backup, or train again under another name"
    if not path.is_file():
        raise ModelFileError(str(path), "is missing", remedy)
    if sha256_of(path) != file_sha256:
        raise ModelFileError(str(path), "is not what its hash in the book says: it has been altered", remedy)
    return load_run(path)


def energy_mwh(device_us: int, threads: int) -> int:
    """Estimated energy of a CPU run, milliwatt-hours: threads × 10 W."""
    return device_us * threads * WATTS_A_THREAD // MILLI_PER_HOUR_US


def training_gflop(parameters: int, tokens: int) -> int:
    """6·N·D operations of a training run (``economics.md``, section 1), in units of 10⁹."""
    return 6 * parameters * tokens // 10**9


def inference_gflop(parameters: int, tokens: int) -> int:
    """2·N operations a token, in units of 10⁹."""
    return 2 * parameters * tokens // 10**9


def code_sha256() -> str:
    """Hash over the program text that trains and traces: a run is replayed with the code that made it."""
    found = hashlib.sha256()
    for room in ("studio", "trace"):
        for name, text in _program(room, files("gongfen").joinpath(room)):
            found.update(f"{name}\n".encode() + text)
    return found.hexdigest()


def _program(name: str, room: Traversable) -> Iterator[tuple[str, bytes]]:
    """(name, text) of every module in a room and the rooms in it, by name."""
    for entry in sorted(room.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _program(f"{name}/{entry.name}", entry)
        elif entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry.read_bytes()

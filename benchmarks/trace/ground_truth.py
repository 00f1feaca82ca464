"""What really happens without them: honest retrainings, each made once and kept under the hash of all it depends on.

python benchmarks/trace/ground_truth.py digits|transformer|finetune|lora [--cache FOLDER] [--threads N]

The folder of a setting is named by the SHA-256 of its configuration (model, bytes of the data, subsets, seeds, recipe),
which lies in it as config.json. Every retraining is a file of its own, written whole or not at all: a run that was
stopped goes on where it was, and several processes share the work, because each retraining is claimed by a lock that
the system lets go when its holder dies.
"""

import argparse
import fcntl
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gongfen.trace.evaluation.scores import SUBSETS_SEED, Bools, Floats, ceiling, random_halves

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that the settings find one another

CACHE = Path.home() / ".cache" / "gongfen-trace"
State = dict[str, Tensor]
"""A module's parameters by name."""
Unit = Callable[[], Floats]
"""One retraining and what is measured on it."""


# -- what is kept ------------------------------------------------------------------------------------------------------


class Folder:
    """The measurements of one configuration, on disk."""

    def __init__(self, cache: Path, name: str, config: Mapping[str, object]) -> None:
        """Find or make the folder of ``config`` (plain JSON values) under ``cache``."""
        text = json.dumps(config, sort_keys=True, separators=(",", ":"))
        self.hash = sha256(text.encode()).hexdigest()
        self.path = cache / f"{name}-{self.hash[:16]}"
        self.path.mkdir(parents=True, exist_ok=True)
        whole = {"sha256": self.hash, "config": config}
        with _whole(self.path / "config.json") as place:
            place.write_text(json.dumps(whole, sort_keys=True, indent=1) + "\n", encoding="utf-8")

    def has(self, unit: str) -> bool:
        """Whether this retraining was measured."""
        return (self.path / f"{unit}.npy").exists()

    def measured(self, unit: str) -> Floats:
        """What was measured."""
        return np.asarray(np.load(self.path / f"{unit}.npy"))

    def measure(self, unit: str, work: Unit) -> bool:
        """Do it, unless another process is about it or it is done; whether it is done now."""
        with self._claimed(unit) as mine:
            if mine and not self.has(unit):
                value = work()
                with _whole(self.path / f"{unit}.npy") as place, place.open("wb") as file:
                    np.save(file, value)
        return self.has(unit)

    def states(self, name: str, work: Callable[[], list[State]]) -> list[State]:
        """The parameters of a model at each of its checkpoints: trained at most once."""
        folder = self.path / name
        with self._claimed(name, wait=True):
            if not (folder / "count").exists():
                folder.mkdir(exist_ok=True)
                made = work()
                for number, state in enumerate(made):
                    save_file(state, folder / f"{number}.safetensors")
                with _whole(folder / "count") as place:
                    place.write_text(str(len(made)))
        count = int((folder / "count").read_text())
        return [load_file(folder / f"{number}.safetensors") for number in range(count)]

    @contextmanager
    def _claimed(self, unit: str, *, wait: bool = False) -> Iterator[bool]:
        with (self.path / f"{unit}.claim").open("w") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    yield part
    part.replace(path)


def fill(folder: Folder, units: Mapping[str, Unit], *, quiet: bool = False) -> None:
    """Measure what is missing, with others if they are about it too; says how far it has come."""
    start, mine = time.monotonic(), 0
    while missing := [unit for unit in units if not folder.has(unit)]:
        before = mine
        for unit in missing:
            if folder.has(unit) or not folder.measure(unit, units[unit]):
                continue
            mine += 1
            left = sum(not folder.has(other) for other in units)
            if not quiet:
                pace = (time.monotonic() - start) / mine
                print(f"{folder.path.name}: {unit}, {left} of {len(units)} left, {pace:.1f} s each", flush=True)
        if mine == before:
            time.sleep(1)


# -- settings that retrain on half of the data -------------------------------------------------------------------------


class Setting(Protocol):
    """A model, its N training examples and M queries: all that a tracer may look at, and what it is held against."""

    name: str
    subsets: int
    seeds: int
    examples: int
    """N."""

    def config(self) -> dict[str, object]:
        """All that a retraining depends on."""

    def train(self, kept: NDArray[np.intp], seed: int) -> list[State]:
        """Train on these examples only; the states at the run's checkpoints, the final one last."""

    def load(self, state: State) -> nn.Module:
        """A model in that state, in evaluation mode."""

    def utilities(self, model: nn.Module) -> Floats:
        """The utility of each query [M]: the higher, the better the model does on it."""


def halves(setting: Setting) -> Bools:
    """Which examples each subset keeps, [S, N]: exactly half of them, at random but the same ones at every run."""
    return random_halves(setting.subsets, setting.examples)


def folder_of(setting: Setting, cache: Path) -> Folder:
    """Where the measurements of a setting lie. How many there are is not in the key: more of the same can be added."""
    return Folder(cache, setting.name, {**setting.config(), "subsets": ["half", SUBSETS_SEED], "seeds": "0, 1, …"})


def retrained(setting: Setting, kept: NDArray[np.intp], seed: int) -> Floats:
    """The utilities [M] after training on these examples only."""
    return setting.utilities(setting.load(setting.train(kept, seed)[-1]))


def half_units(setting: Setting) -> dict[str, Unit]:
    """All retrainings on half of the data: subset by subset, so that a cut run has whole subsets."""

    def unit(row: Bools, seed: int) -> Unit:
        return lambda: retrained(setting, np.flatnonzero(row), seed)

    rows = enumerate(halves(setting))
    return {f"half-{number:03}-seed-{seed}": unit(row, seed) for number, row in rows for seed in range(setting.seeds)}


def measured_halves(setting: Setting, folder: Folder) -> tuple[Bools, Floats]:
    """Kept examples [S, N] and utilities [S, M], mean over seeds, of the subsets all of whose retrainings are done."""
    done, each = _measured_seeds(setting, folder)
    if len(done) < 3:
        message = f"{folder.path.name} has {len(done)} measured subsets; run ground_truth.py {setting.name} first"
        raise SystemExit(message)
    return halves(setting)[done], each.mean(0)


def told(setting: Setting, folder: Folder) -> str:
    """A line on how much ground truth there is, and how much of it is noise."""
    done, each = _measured_seeds(setting, folder)
    if len(done) < 3 or setting.seeds < 2:
        return f"{len(done)} of {setting.subsets} subsets"
    perfect = f"a perfect tracer would score about {ceiling(each):.2f}"
    return f"{len(done)} of {setting.subsets} subsets × {setting.seeds} seeds; {perfect}"


def _measured_seeds(setting: Setting, folder: Folder) -> tuple[list[int], Floats]:
    """The subsets all of whose seeds are done, and their utilities [K, S, M]."""
    names = np.array(list(half_units(setting))).reshape(setting.subsets, setting.seeds)
    done = [number for number, row in enumerate(names) if all(folder.has(name) for name in row)]
    each = [[folder.measured(names[number, seed]) for number in done] for seed in range(setting.seeds)]
    return done, np.array(each)


def whole_models(setting: Setting, folder: Folder, seed: int = 0) -> list[State]:
    """The checkpoints of the run on all examples that is to be traced (seed 0), or of another seed's."""
    return folder.states(f"whole-seed-{seed}", lambda: setting.train(np.arange(setting.examples), seed))


def without(setting: Setting, folder: Folder, dropped: Sequence[NDArray[np.intp]]) -> list[Floats]:
    """The utilities [M] after retraining without each of these sets, mean over seeds; each set is measured once."""

    def unit(gone: NDArray[np.intp], seed: int) -> Unit:
        return lambda: retrained(setting, np.setdiff1d(np.arange(setting.examples), gone), seed)

    stems = [f"without-{sha256(np.sort(gone).astype('<i8').tobytes()).hexdigest()[:16]}" for gone in dropped]
    units = {
        f"{stem}-seed-{seed}": unit(gone, seed)
        for stem, gone in zip(stems, dropped, strict=True)
        for seed in range(setting.seeds)
    }
    fill(folder, units)
    return [
        np.mean([folder.measured(f"{stem}-seed-{seed}") for seed in range(setting.seeds)], axis=0) for stem in stems
    ]


def bytes_hash(*tensors: Tensor) -> str:
    """SHA-256, in hex, of the tensors' bytes, one after the other."""
    return sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors)).hexdigest()


# -- the command line --------------------------------------------------------------------------------------------------


def options(description: str) -> argparse.ArgumentParser:
    """What every command here can be asked."""
    asked = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cache", type=Path, default=CACHE, help=f"where retrainings are kept (default: {CACHE})")
    asked.add_argument("--threads", type=int, default=2, help="of torch (default: 2)")
    return asked


def main() -> None:
    """Fill the cache of one setting."""
    asked = options(__doc__ or "")
    asked.add_argument("setting", choices=("digits", "transformer", "finetune", "lora"))
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    module: Any = importlib.import_module(f"benchmarks.trace.{given.setting}")
    folder, units = module.ground_truth(given.cache)
    start = time.process_time()
    fill(folder, units)
    print(f"{folder.path}: all {len(units)} retrainings are there; {time.process_time() - start:.0f} CPU s of mine")


if __name__ == "__main__":
    main()

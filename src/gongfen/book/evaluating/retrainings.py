"""Honest retrainings of one model, each made once and kept beside its run, under the hash of all it depends on.

Every retraining is a file of its own, written whole or not at all: a run that was stopped goes on where it was, and
several processes share the work, because each retraining is claimed by a lock that the system lets go when its holder
dies. The parameters are kept, so outputs that are written later are measured without training again.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from statistics import median

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as save_arrays
from safetensors.torch import save
from torch import Tensor

from gongfen.book.files import write_file
from gongfen.book.making import Atelier, run_folder
from gongfen.book.recording.record import Record
from gongfen.errors import InputError, TrainingError
from gongfen.progress import Progress, silent
from gongfen.studio.workshop import Workshop
from gongfen.trace.evaluation.retraining import log_likelihoods, retrained, unrecorded
from gongfen.trace.evaluation.scores import SUBSETS_SEED, Bools, Floats
from gongfen.trace.problem import LanguageProblem, Passage
from gongfen.trace.tuning import Run

WAIT_S = 0.5
"""How long to wait for others who are about all that is left."""
ENOUGH = 8
"""So many retrainings tell how long one takes."""
REMEDY = "delete it: it is made again"
PARAMETERS, SCORES = "parameters", "scores"


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """One retraining: on the works ``kept`` [N], with the recipe's seed plus ``seed``."""

    kept: Bools
    seed: int


class Retrainings:
    """The retrainings of a model, and the log-likelihood of its outputs after each of them."""

    def __init__(self, record: Record, atelier: Atelier, outputs: tuple[Passage, ...], cache: Path) -> None:
        """Find the folder of this model, data and recipe; nothing is written before something is retrained."""
        self._atelier, self._outputs, self._cache = atelier, outputs, cache
        self._text = json.dumps(_config(atelier), sort_keys=True, separators=(",", ":"))
        self.sha256 = sha256(self._text.encode()).hexdigest()
        self.path = run_folder(record, atelier.model) / f"evaluation-{self.sha256[:16]}"
        self._keys = [sha256(f"{one.scored_from}:{one.tokens}".encode()).hexdigest()[:32] for one in outputs]
        self._seeds: dict[int, tuple[LanguageProblem, Run]] = {}

    def has(self, name: str) -> bool:
        """Whether this retraining was made."""
        return self._file(name).exists()

    def fill(self, units: Mapping[str, Unit], progress: Progress = silent, before: int = 0) -> None:
        """Make what is missing, with others if they are about it too; ``before`` retrainings were counted already.

        Raises TrainingError for one that diverges, InputError when it cannot be kept.
        """
        self._prepare()
        while True:
            missing = [name for name in units if not self.has(name)]
            progress(before + len(units) - len(missing), before + len(units))
            if not missing:
                return
            if not any(self._make(name, units[name]) for name in missing):
                time.sleep(WAIT_S)

    def utilities(self, name: str, seed: int) -> Floats:
        """Log-likelihood of each output [M] after this retraining, in nats."""
        place = self.path / f"{name}.json"
        known: dict[str, float] = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
        if any(key not in known for key in self._keys):
            known |= self._measured(name, seed, self._opened(self._file(name))[1])
            write_file(place, json.dumps(known, sort_keys=True))
        return np.array([known[key] for key in self._keys])

    def whole(self) -> Floats:
        """Log-likelihood of each output [M] by the model as it is, in nats."""
        return log_likelihoods(self._trained(0)[0], self._atelier.run.theta, "of the model as it is")

    def pace_us(self) -> int | None:
        """Microseconds of a retraining on all works, from those that are kept; ``None``: there is none yet."""
        found: list[float] = []
        for path in sorted(self.path.glob("half-*.safetensors"))[:ENOUGH]:
            said, _ = self._opened(path)
            found.append(int(said["wall_us"]) * len(self._atelier.works) / max(int(said["works"]), 1))
        return round(median(found)) if found else None

    def scores(self, name: str, code: str) -> tuple[Floats, dict[str, str]] | None:
        """Scores [N, M] that were kept for these outputs by a method and its code, and what was said of them."""
        path = self._scores(name, code)
        if not path.exists():
            return None
        with safe_open(path, framework="np") as file:
            found: Floats = file.get_tensor(SCORES)
            return found, file.metadata()

    def keep_scores(self, name: str, code: str, scores: Floats, said: dict[str, str]) -> None:
        """Keep them, so that a run that was stopped does not trace again."""
        write_file(self._scores(name, code), save_arrays({SCORES: np.ascontiguousarray(scores)}, metadata=said))

    def _scores(self, name: str, code: str) -> Path:
        key = sha256(json.dumps([name, code, self._keys]).encode()).hexdigest()
        return self.path / f"scores-{key[:32]}.safetensors"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whoever traces here waits for another who does: what the other keeps need not be computed again."""
        self._prepare()
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    # -- one retraining ------------------------------------------------------------------------------------------------

    def _make(self, name: str, unit: Unit) -> bool:
        """Make it, unless another process is about it; whether it is there now."""
        with self._claimed(name) as mine:
            if mine and not self.has(name):
                problem, run = self._trained(unit.seed)
                start = time.perf_counter_ns()
                theta = retrained(problem, run, unit.kept, name)
                said = {
                    "wall_us": str((time.perf_counter_ns() - start) // 1_000),
                    "works": str(int(unit.kept.sum())),
                    "config_sha256": self.sha256,
                }
                known = self._measured(name, unit.seed, theta)
                write_file(self.path / f"{name}.json", json.dumps(known, sort_keys=True))
                write_file(self._file(name), save({PARAMETERS: theta.contiguous()}, metadata=said))
        return self.has(name)

    def _measured(self, name: str, seed: int, theta: Tensor) -> dict[str, float]:
        found = log_likelihoods(self._trained(seed)[0], theta, name)
        return dict(zip(self._keys, found.tolist(), strict=True))

    def _trained(self, seed: int) -> tuple[LanguageProblem, Run]:
        """What is trained again, and how: the recorded run itself, or its recipe with another seed."""
        if seed not in self._seeds:
            atelier, prices = self._atelier, [1] * len(self._outputs)
            if seed == 0:
                found = atelier.workshop.problem(atelier.texts, self._outputs, prices), atelier.run
            else:
                recipe = replace(atelier.setup.recipe, seed=atelier.setup.recipe.seed + seed)
                workshop = Workshop(replace(atelier.setup, recipe=recipe), atelier.texts, self._cache)
                problem = workshop.problem(atelier.texts, self._outputs, prices)
                found = problem, unrecorded(problem, recipe, atelier.setup.threads)
            self._seeds[seed] = found
        return self._seeds[seed]

    # -- the folder ----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            remedy = "see the rights of its folder and the disk"
            raise InputError(str(self.path), f"cannot be made: {error.strerror}", remedy) from None
        if not (self.path / "config.json").exists():
            write_file(self.path / "config.json", self._text)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.safetensors"

    def _opened(self, path: Path) -> tuple[dict[str, str], Tensor]:
        """What is said of a retraining, and its parameters [P]; raises TrainingError when they cannot be had."""
        try:
            with safe_open(path, framework="pt") as file:
                said: dict[str, str] = file.metadata()
                if said["config_sha256"] == self.sha256:
                    return said, file.get_tensor(PARAMETERS)
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise TrainingError(str(path), f"cannot be read: {error}", REMEDY) from None
        raise TrainingError(str(path), "was made by another configuration", REMEDY)

    @contextmanager
    def _claimed(self, name: str) -> Iterator[bool]:
        """Whether this retraining is ours to make; whoever dies lets it go."""
        place = self.path / f".{name}.claim"
        with place.open("w") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                # Who opened it before this and locks it after makes the same bytes again: time lost, nothing else.
                place.unlink(missing_ok=True)


def _config(atelier: Atelier) -> dict[str, object]:
    """All that a retraining depends on. How many there are is not in it: more of the same can be added."""
    base = atelier.workshop.base
    texts = [sha256(text.encode()).hexdigest() for text in atelier.texts]
    return {
        "base_sha256": base.sha256 if base else None,
        "halves": f"half of the works, drawn by numpy's RandomState({SUBSETS_SEED}), kept in their steps",
        "model_sha256": atelier.run.adapter_sha256,
        "seeds": "the recipe's, and those after it",
        "setup": json.loads(atelier.setup.to_json()),
        "works_sha256": sha256(json.dumps([*zip(atelier.works, texts, strict=True)]).encode()).hexdigest(),
    }

"""What each tracer costs and how good it is: a process for each, one line of JSON, one table.

A method runs in a process of its own for every damping that it may try, so that its peak memory is its own. The clock
starts after its libraries are imported and the traced models are trained and loaded, and stops when the scores of all
queries are there. All methods have the same budget: one run for each of GRID, in units of the mean eigenvalue of what
they invert. The best is chosen for each half of the queries on the other half; the cost told is that of one run.
"""

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.trace.ground_truth import Folder, Setting, options, without

from gongfen.trace.evaluation.scores import (
    Bools,
    Floats,
    Interval,
    drop_test,
    lds,
    lds_difference,
    lds_interval,
    strongest,
)

GRID = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
SHARES = (0.01, 0.05)
RANDOM_REMOVALS = 5


@dataclass(frozen=True, slots=True)
class Attribution:
    """Scores [N, M], the larger the better for the query; bytes kept for each example, if anything is stored."""

    scores: Floats
    bytes_per_example: int | None = None
    notes: Mapping[str, float] = field(default_factory=dict)
    """What else a setting wants in the line of JSON."""


@dataclass(frozen=True, slots=True)
class Method:
    """A tracer: how it is run on a setting and its folder, which modules it needs, what it may try."""

    run: Callable[[Any, Folder, float], Attribution]
    needs: tuple[str, ...] = ()
    dampings: tuple[float, ...] = (0.0,)
    """(0.0,) for a method that has none."""
    models: int = 1
    """How many trained models it looks at; 0 for text alone."""
    ready: Callable[[Any], object] | None = None
    """What is done with the setting before the clock starts."""

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [name for name in self.needs if not _found(name)]


Truths = Mapping[str, tuple[Bools, Floats]]
"""Kept examples [S, N] and utilities [S, M], by the name of the ground truth."""


def _found(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


# -- one method in a process of its own --------------------------------------------------------------------------------


def run_one(setting: object, folder: Folder, method: Method, damping: float, place: Path) -> None:
    """Run it here, and leave its scores and cost at ``place``."""
    for name in method.needs:
        importlib.import_module(name)
    if method.ready:
        method.ready(setting)
    before, wall, cpu = peak_mib(), time.perf_counter(), _cpu_s()
    found = method.run(setting, folder, damping)
    cost = {
        "cpu_s": round(_cpu_s() - cpu, 3),
        "wall_s": round(time.perf_counter() - wall, 3),
        "peak_mib": peak_mib(),
        "own_mib": peak_mib() - before,
        "bytes_per_example": found.bytes_per_example,
        **found.notes,
    }
    np.save(place.with_suffix(".npy"), np.asarray(found.scores, dtype=np.float64))
    place.with_suffix(".json").write_text(json.dumps(cost), encoding="utf-8")


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_mib() -> int:
    """Peak memory of this process and its children, from its own map: getrusage would begin with its parent's."""
    status = Path("/proc/self/status")
    peaks = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    else:
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return max(peaks) // 1024


def run_apart(asked: argparse.Namespace, folder: Folder, name: str, damping: float) -> tuple[Floats, dict[str, Any]]:
    """Run it in a child, or take what an earlier child left if that was asked for; its scores and cost."""
    place = folder.path / "methods" / f"{name.replace(' ', '-').replace('/', '-')}@{damping:g}.x"
    place.parent.mkdir(exist_ok=True)
    if not (asked.kept and place.with_suffix(".json").exists()):
        place.with_suffix(".json").unlink(missing_ok=True)
        command = [sys.executable, sys.argv[0], "--cache", str(asked.cache), "--threads", str(asked.threads)]
        command += ["--one", name, "--damping", repr(damping), "--place", str(place)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise MethodFailedError(name, damping, done.stderr.strip().splitlines()[-1:] or ["no message"])
    cost: dict[str, Any] = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    return np.load(place.with_suffix(".npy")), cost


class MethodFailedError(Exception):
    """A tracer that crashed: the others go on."""

    def __init__(self, name: str, damping: float, lines: list[str]) -> None:
        super().__init__(f"{name} at damping {damping:g} failed: {lines[0]}")


# -- all methods -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """One method, measured."""

    name: str
    scores: Floats
    cost: dict[str, Any]
    dampings: tuple[float, ...]
    """Chosen for even and for odd queries; empty when there was none to choose."""
    by_damping: dict[str, float]
    lds: dict[str, Interval]

    def line(self, setting: str, folder: Folder, threads: int, truths: Truths) -> str:
        """The common line of JSON."""
        told = {
            "setting": setting,
            "method": self.name,
            **self.cost,
            "lds": {label: [round(x, 4) for x in (i.value, i.low, i.high)] for label, i in self.lds.items()},
            "dampings": self.dampings,
            "lds_by_damping": self.by_damping,
            "threads": threads,
            "ground_truth": folder.hash[:16],
            "retrainings": {label: len(kept) for label, (kept, _) in truths.items()},
        }
        return json.dumps(told)


def measure(asked: argparse.Namespace, folder: Folder, name: str, method: Method, truths: Truths) -> Result:
    """Run a method at each of its dampings, choose between them, and score it."""
    runs = [run_apart(asked, folder, name, damping) for damping in method.dampings]
    candidates = [scores for scores, _ in runs]
    grounds = list(truths.values())
    scores, chosen = cross_fitted(candidates, grounds)
    cost = {key: _middle([each[key] for _, each in runs]) for key in runs[0][1]}
    several = len(runs) > 1
    means = [float(np.mean([lds_interval(s, *g, resamples=1).value for g in grounds])) for s in candidates]
    return Result(
        name,
        scores,
        {**cost, "models": method.models},
        tuple(method.dampings[index] for index in chosen) if several else (),
        {f"{d:g}": round(mean, 4) for d, mean in zip(method.dampings, means, strict=True)} if several else {},
        {label: lds_interval(scores, *ground) for label, ground in truths.items()},
    )


def cross_fitted(candidates: list[Floats], grounds: list[tuple[Bools, Floats]]) -> tuple[Floats, tuple[int, int]]:
    """Scores with the best damping, chosen for each half of the queries on the other half; and which two were chosen.

    So no query is scored with a damping that was chosen on it. Even and odd queries are the halves; ``grounds`` are
    pairs of kept [S, N] and utilities [S, M], and the mean over them decides.
    """
    each = np.array([np.mean([lds(scores, *ground) for ground in grounds], axis=0) for scores in candidates])
    for_even, for_odd = (int(each[:, half::2].mean(1).argmax()) for half in (1, 0))
    scores = np.array(candidates[for_even])
    scores[:, 1::2] = candidates[for_odd][:, 1::2]
    return scores, (for_even, for_odd)


def _middle(values: list[Any]) -> float | None:
    return None if values[0] is None else round(statistics.median(values), 3)


def table(results: list[Result]) -> Iterator[str]:
    """The lines of a Markdown table."""
    labels = list(results[0].lds)
    heads = ["method", "models", "CPU s", "wall s", "peak MiB", "own MiB", "bytes/ex", *(f"LDS {x}" for x in labels)]
    yield f"| {' | '.join([*heads, 'damping'])} |"
    yield "|---" * (len(heads) + 1) + "|"
    for result in results:
        cost = result.cost
        stored = "–" if cost["bytes_per_example"] is None else f"{cost['bytes_per_example']:,.0f}"
        cells = [
            result.name,
            str(cost["models"]),
            f"{cost['cpu_s']:.2f}",
            f"{cost['wall_s']:.2f}",
            f"{cost['peak_mib']:.0f}",
            f"{cost['own_mib']:.0f}",
            stored,
            *(str(result.lds[label]) for label in labels),
            "/".join(f"{each:g}" for each in dict.fromkeys(result.dampings)) or "–",
        ]
        yield f"| {' | '.join(cells)} |"


def differences(results: list[Result], against: str, truths: Truths) -> Iterator[str]:
    """By how much each method is above one of them, on the same resamples."""
    one = next((result for result in results if result.name == against), None)
    if one is None:
        return
    yield f"LDS above {against}:"
    for result in results:
        if result is not one:
            parts = (f"{x} {_signed(lds_difference(result.scores, one.scores, *g))}" for x, g in truths.items())
            yield f"  {result.name}: {', '.join(parts)}"


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


# -- the drop test -----------------------------------------------------------------------------------------------------


def drop_tests(setting: Setting, folder: Folder, results: list[Result], queries: int) -> Iterator[str]:
    """Retrain without what each method holds strongest for the first queries, one by one: what is lost."""
    first = range(queries)
    (whole,) = without(setting, folder, [np.array([], dtype=np.intp)])
    chance = np.random.RandomState(2)
    for share in SHARES:
        size = max(1, round(share * setting.examples))
        removed = [chance.permutation(setting.examples)[:size] for _ in range(RANDOM_REMOVALS)]
        random = np.mean(without(setting, folder, removed), axis=0)[:queries]
        lost = drop_test(whole[:queries], random)
        yield f"without {share:.0%} ({size} examples), {queries} queries; at random: {lost}"
        for result in results:
            dropped = without(setting, folder, [strongest(result.scores, query, share) for query in first])
            left = np.array([utilities[query] for query, utilities in zip(first, dropped, strict=True)])
            yield f"  {result.name}: {drop_test(whole[:queries], left)}, above random {drop_test(random, left)}"


# -- the command line --------------------------------------------------------------------------------------------------


def run(
    description: str,
    methods: Mapping[str, Method],
    open_setting: Callable[[Path], tuple[Any, Folder]],
    prepare: Callable[[Any, Folder, int], object],
    truths_of: Callable[[Any, Folder], Truths],
) -> None:
    """The command of a setting: run its methods, print their lines and the table.

    ``prepare`` trains, outside of any clock, as many models as the methods look at.
    """
    asked = _asked(description, methods)
    torch.set_num_threads(asked.threads)
    setting, folder = open_setting(asked.cache)
    if asked.one:
        run_one(setting, folder, methods[asked.one], asked.damping, asked.place)
        return
    chosen = {name: methods[name] for name in asked.methods}
    prepare(setting, folder, max(method.models for method in chosen.values()))
    truths, results = truths_of(setting, folder), []
    for name, method in chosen.items():
        if method.missing:
            print(f"{name}: left out, {', '.join(method.missing)} is not installed", flush=True)
            continue
        try:
            result = measure(asked, folder, name, method, truths)
        except MethodFailedError as error:
            print(error, flush=True)
            continue
        print(result.line(setting.name, folder, asked.threads, truths), flush=True)
        results.append(result)
    if not results:
        return
    print("\n".join(["", *table(results), "", *differences(results, asked.against, truths)]), flush=True)
    if asked.drop:
        for line in drop_tests(setting, folder, results, asked.drop):
            print(line, flush=True)


def _asked(description: str, methods: Mapping[str, Method]) -> argparse.Namespace:
    asked = options(description)
    asked.add_argument("--methods", type=lambda names: names.split(","), default=list(methods), help="A,B; default all")
    asked.add_argument("--against", default="ours", help="whom the others are compared with (default: ours)")
    asked.add_argument("--drop", type=int, default=0, metavar="QUERIES", help="the drop test, for so many queries")
    asked.add_argument("--kept", action="store_true", help="take scores of an earlier run where they were kept")
    asked.add_argument("--one", help=argparse.SUPPRESS)
    asked.add_argument("--damping", type=float, help=argparse.SUPPRESS)
    asked.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    unknown = [name for name in given.methods if name not in methods]
    if unknown:
        asked.error(f"no method {', '.join(unknown)}; there are: {', '.join(methods)}")
    return given

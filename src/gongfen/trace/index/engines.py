"""Where the units of an index are computed: several processes of this machine, or a Ray cluster.

Each worker is given the source once, opens it once a checkpoint and runs one unit after another. What a unit gives does
not depend on who runs it, but for the rounding of sums; so engines differ in time and in nothing else. On a cluster
every node must see the folder of the index, and have Gongfen.
"""

import multiprocessing
import os
import re
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

import torch

from gongfen.errors import TrainingError
from gongfen.trace.index.build import Source, Unit, run_unit
from gongfen.trace.index.manifest import Shard
from gongfen.trace.task import Task

MOST_WORKERS = 1_024
"""More are a slip of the hand: each holds the model."""
ADDRESS = re.compile(r"(local|auto|(ray://)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5})\Z")
ANSWER_S = 5.0
"""So long a cluster's head may take to answer."""


@dataclass(frozen=True, slots=True)
class Processes:
    """So many processes of this machine."""

    workers: int

    def __post_init__(self) -> None:
        """Raises TrainingError for less than one, or far too many."""
        _at_least_one(self.workers)

    def __call__(self, units: Sequence[Unit]) -> Iterator[Shard]:
        """Shards as they are finished. Raises TrainingError when a worker is killed."""
        if not units:
            return
        source, light = units[0].source, [replace(unit, source=GIVEN) for unit in units]
        begun = (source, _threads(self.workers))
        spawning = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in whatever state they are
        with ProcessPoolExecutor(min(self.workers, len(units)), spawning, _begin, begun) as pool:
            waiting = [pool.submit(run_unit, unit) for unit in light]
            try:
                for done in as_completed(waiting):
                    yield done.result()
            except BrokenProcessPool as error:
                reason = "was killed, most likely because memory was short"
                raise TrainingError("a worker", reason, "ask for fewer workers: what is built stays") from error
            finally:
                for one in waiting:
                    one.cancel()


@dataclass(frozen=True, slots=True)
class Ray:
    """So many workers of a Ray cluster: ``local`` starts one on this machine for as long as the build takes."""

    workers: int
    address: str = "local"

    def __post_init__(self) -> None:
        """Raises TrainingError for less than one, or for what is no address of a cluster."""
        _at_least_one(self.workers)
        if not ADDRESS.match(self.address):
            remedy = "write local, auto, or HOST:PORT as ray status shows it"
            raise TrainingError(f"the Ray cluster {self.address!r}", "is no address", remedy)

    def __call__(self, units: Sequence[Unit]) -> Iterator[Shard]:
        """Shards as they are finished. Raises TrainingError without Ray, or when the cluster loses a worker."""
        if not units:
            return
        ray = _ray()
        here = self.address == "local" and not ray.is_initialized()
        if here:
            ray.init(num_cpus=self.workers, include_dashboard=False, log_to_driver=False, configure_logging=False)
        elif self.address != "local":
            _join(ray, self.address)
        try:
            source = ray.put(units[0].source)
            hire = ray.remote(num_cpus=1)(Worker)
            threads = _threads(self.workers) if here else 1
            workers = [hire.remote(source, threads) for _ in range(min(self.workers, len(units)))]
            yield from _spread(ray, workers, [replace(unit, source=GIVEN) for unit in units])
        finally:
            if here:
                ray.shutdown()


class Worker:
    """A worker of a cluster: it keeps the source that it was given."""

    def __init__(self, source: Source, threads: int) -> None:
        _begin(source, threads)

    def run(self, unit: Unit) -> Shard:
        """Compute and write one shard."""
        return run_unit(unit)


def _spread(ray: Any, workers: Sequence[Any], units: Sequence[Unit]) -> Iterator[Shard]:  # noqa: ANN401 - Ray's handles
    """Every worker has one unit at a time; who is free takes the next."""
    left = iter(units)
    busy = {worker.run.remote(unit): worker for worker, unit in zip(workers, left, strict=False)}
    while busy:
        (done,), _ = ray.wait(list(busy), num_returns=1)
        worker = busy.pop(done)
        try:
            yield ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            reason = f"was lost ({type(error).__name__})"
            raise TrainingError("a worker of the cluster", reason, "try again: what is built stays") from error
        unit = next(left, None)
        if unit is not None:
            busy[worker.run.remote(unit)] = worker


def _ray() -> Any:  # noqa: ANN401 - an optional module
    try:
        import ray  # noqa: PLC0415 - optional
    except ImportError as error:
        remedy = "install it: pip install 'gongfen[ray]'; or ask for --workers alone"
        raise TrainingError("Ray", "is not installed", remedy) from error
    return ray


def _join(ray: Any, address: str) -> None:  # noqa: ANN401
    """Join a cluster that runs, unless this process is in one. Raises TrainingError, at once where nobody answers."""
    remedy = "see its address: ray status; or ask for --ray local"
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():
            socket.create_connection((host, int(port)), ANSWER_S).close()
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, RuntimeError, ValueError) as error:
        reason = f"cannot be joined: {str(error).splitlines()[0][:200]}" if str(error) else "cannot be joined"
        raise TrainingError(f"the Ray cluster {address}", reason, remedy) from error


def _at_least_one(workers: int) -> None:
    if not 1 <= workers <= MOST_WORKERS:
        raise TrainingError(f"{workers} workers", "cannot work", f"ask for one or more, up to {MOST_WORKERS:,}")


def _threads(workers: int) -> int:
    """Threads of torch for each of so many workers on this machine."""
    return max(1, (os.cpu_count() or 1) // workers)


# -- in a worker -------------------------------------------------------------------------------------------------------


class Given:
    """The source that a worker was given when it began: units are sent without it."""

    def __init__(self) -> None:
        self.source: Source | None = None

    def __call__(self, moment: int) -> Task:
        """The task at that checkpoint."""
        assert self.source is not None, "a worker begins with a source"
        return self.source(moment)

    def __reduce__(self) -> str:
        """By its name: in every process it is the one that stands there."""
        return "GIVEN"


GIVEN = Given()


def _begin(source: Source, threads: int) -> None:
    torch.set_num_threads(threads)
    GIVEN.source = source

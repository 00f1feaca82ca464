"""What the index costs against what nobody can do without: a pass through the model, and a read of the memory.

python benchmarks/trace/limits.py [--works N] [--numbers D] [--rounds R] [--threads T]

Rows: works a second of the index's rows against the bare forward pass and the backward pass through the activations
of the same model, in the same batches. Build: the same of everything that a user waits for, in CPU time: factors, their
roots, levels, rows, rounding, writing, curvature, hashes. Query: time of the products of all rows with so many outputs
against the time of reading the rows from memory once (a sum over them as 64-bit words). Each is the least of several
rounds, in turn.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.trace.transformer import Transformer, as_we_see_it, new_model

from gongfen.trace.covariance import factors_of
from gongfen.trace.index.build import SHARD_WORKS, build_index, plan_of, work_rows
from gongfen.trace.index.manifest import Item, Method, Moment
from gongfen.trace.index.rows import Rows, products, read_rows, rounded, write_rows
from gongfen.trace.layers import Layer, linear_layers, watched
from gongfen.trace.projection import Projection, projections_of
from gongfen.trace.task import Task

BATCH = 50
WORKS = 500
OUTPUTS = (1, 4, 16, 50)


def least(rounds: int, *works: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """The shortest time of each, in turn, so that a slow moment hits all."""
    found = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            start = clock()
            work()
            found[place] = min(found[place], clock() - start)
    return found


def passes_over(task: Task, layers: Sequence[Layer], works: int) -> None:
    """The bare forward and backward passes that nobody can do without, in batches."""
    with watched(task.module, layers, lambda *_: None):
        for start in range(0, works, BATCH):
            numbers = range(start, min(start + BATCH, works))
            task.losses(numbers).sum().backward()  # type: ignore[no-untyped-call]  # torch's has no type


def build(rounds: int) -> None:
    """Rows of 500 windows of text by the small GPT-NeoX, as it begins: what is learned costs nothing."""
    setting = Transformer()
    task = as_we_see_it(setting, new_model().state_dict())
    layers, _ = linear_layers(task.module)
    numbers = list(range(WORKS))
    factors = factors_of(task, layers, numbers[:100], 0, BATCH)
    print(f"rows: {WORKS} works of 64 characters, {len(layers)} layers, batches of {BATCH}")

    def bare() -> None:
        passes_over(task, layers, WORKS)

    for rank in (8, 16, 32):
        drawn = projections_of(layers, factors, rank, 1.0, 0)

        def ours(drawn: Sequence[Projection] = drawn) -> None:
            work_rows(task, layers, drawn, numbers, BATCH, [""] * WORKS)

        passes, rows = least(rounds, bare, ours)
        size = sum(projection.size for projection in drawn)
        print(
            f"  rank {rank:3}, {size:6} bytes a work: {WORKS / rows:8.0f} works/s, {passes / rows:5.0%} of bare passes"
        )


def whole_build(rounds: int, times: int) -> None:
    """An index of 2,000 windows, so many times each, from nothing to its manifest, against bare passes over them."""
    setting = Transformer()
    setting.training = setting.training.repeat(times, 1)
    task = as_we_see_it(setting, new_model().state_dict())
    layers, _ = linear_layers(task.module)
    moments = [Moment(step=0, parameters_sha256="")]
    items = [Item(work=str(number), sha256="") for number in range(task.works)]

    def bare() -> None:
        passes_over(task, layers, task.works)

    print(f"whole build: {task.works} works, CPU seconds")
    for rank in (8, 16, 30):

        def ours(rank: int = rank) -> None:
            with tempfile.TemporaryDirectory() as place:
                plan = plan_of(lambda _: task, "limits", moments, items, Method(rank=rank))
                build_index(Path(place), lambda _: task, plan, batch_size=BATCH)

        passes, built = least(rounds, bare, ours, clock=time.process_time)
        print(f"  rank {rank:3}: {built:6.2f} s, bare passes {passes:6.2f} s: {passes / built:5.0%} of their speed")


def query(works: int, numbers: int, rounds: int) -> None:
    """Products of all rows, shard by shard, from files that are mapped into memory."""
    source = torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as place:
        shards: list[tuple[Path, int]] = []
        for first in range(0, works, SHARD_WORKS):
            count = min(SHARD_WORKS, works - first)
            drawn = torch.randint(-127, 128, (count, numbers), generator=source, dtype=torch.int8)
            path = Path(place) / f"{first}.safetensors"
            write_rows(Rows(drawn, torch.rand(count, generator=source)), path)
            shards.append((path, count))
        print(f"query: {works} works × {numbers} bytes in {len(shards)} shards")

        def read() -> int:
            rows = (read_rows(path, count, numbers).numbers for path, count in shards)
            return sum(int(part.numpy().view("int64").sum()) for part in rows)

        for outputs in OUTPUTS:
            asked = rounded(torch.randn(outputs, numbers, generator=source))

            def ask(asked: Rows = asked) -> None:
                for path, count in shards:
                    products(read_rows(path, count, numbers), asked)

            once, all_of_it = least(rounds, read, ask)
            share = f"{all_of_it / once:5.2f} × reading once ({once * 1e3:.0f} ms)"
            print(f"  {outputs:3} outputs: {all_of_it * 1e3:8.0f} ms, {share}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  most resident memory {peak} MiB: mapped pages count, and go when memory is wanted")


def main() -> None:
    """All three."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--works", type=int, default=1_000_000)
    asked.add_argument("--numbers", type=int, default=2_048)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--threads", type=int, default=1)
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    build(given.rounds)
    for times in (1, 4):
        whole_build(given.rounds, times)
    query(given.works, given.numbers, given.rounds)


if __name__ == "__main__":
    main()

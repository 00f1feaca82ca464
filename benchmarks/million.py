"""A book of a million facts: how fast it grows, answers, proves, checks itself and is rebuilt; and in how much memory.

python benchmarks/million.py [--facts N] [--keep FOLDER]
"""

import argparse
import gc
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import gongfen
from gongfen import kinds
from gongfen.book.proving.verification import read_log
from gongfen.cli.app import COLLECT
from gongfen.facts import Fact
from gongfen.proof.checkpoint import open_checkpoint

HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
AT = "2026-11-22T04:17:24.000000Z"
MAKERS, CREW, SET, PROMPTS = 2_000, 20, 400, 40
"""Makers in all, makers behind one model, works in its data set, outputs of it."""
BATCH = 4_096
ASKED = 200
"""Receipts and answers that are timed."""


def bodies() -> Iterator[kinds.Body]:
    """A cooperative's year, without end: works and the labour on them, data sets, models, outputs, sales."""
    yield from (kinds.Enrol(maker=f"maker-{n}", form="group", people=1_000) for n in range(MAKERS))
    yield kinds.Standard(
        standard="standard", basis="bench", reductions=(), machines=(), melt_micro=20_000_000, currency="EUR"
    )
    chance = random.Random(0)  # noqa: S311 - the same facts at every run
    for model in range(1_000_000):
        works = [f"work-{model}-{n}" for n in range(SET)]
        crew = [f"maker-{(model * CREW + n) % MAKERS}" for n in range(CREW)]
        for work in works:
            part = (kinds.Part(maker=chance.choice(crew), ppm=1_000_000),)
            yield kinds.Work(
                work=work, sha256=HASH, size_bytes=900, makers=part, source="https://example.org", licence="CC0-1.0"
            )
            for kind in (1, 2, 2):
                yield _labour(chance.choice(crew), work, kind, chance)
        yield kinds.Dataset(dataset=f"set-{model}", works=tuple(works), root=HASH, licence="CC0-1.0")
        yield kinds.Model(model=f"model-{model}", sha256=HASH, parameters=1_000_000, source="bench", licence="CC0-1.0")
        inputs = (kinds.Use(work=f"set-{model}", role="data"),)
        yield kinds.Make(
            make=f"train-{model}", activity="train", inputs=inputs, outputs=(f"model-{model}",), tool="bench"
        )
        yield kinds.Plan(work=f"model-{model}", uses=PROMPTS)
        yield from (
            fact
            for n in range(PROMPTS)
            for fact in _output(f"model-{model}", f"{model}-{n}", chance.choice(crew), chance)
        )


def _output(model: str, name: str, maker: str, chance: random.Random) -> Iterator[kinds.Body]:
    output = f"output-{name}"
    yield kinds.Output(output=output, sha256=HASH, size_bytes=700)
    yield _labour(maker, output, 1, chance, "inference")
    inputs = (kinds.Use(work=model, role="model"),)
    yield kinds.Make(make=f"make-{name}", activity="generate", inputs=inputs, outputs=(output,), tool="bench")
    yield kinds.Sale(sale=f"sale-{name}", output=output, price_micro=25_000_000, currency="EUR", day="2026-11-09")


def _labour(maker: str, work: str, kind: int, chance: random.Random, phase: str = "training") -> kinds.Labour:
    day = f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    return kinds.Labour(
        maker=maker, work=work, labour_kind=kind, phase=phase, standing="crowd",  # type: ignore[arg-type]
        labour_us=chance.randrange(10, 600) * 1_000_000, day=day,
    )  # fmt: skip


def facts_of(count: int) -> Iterator[Fact]:
    """So many of them, with ids in their order."""
    return (
        Fact(id=f"bench-{number:09}", at=AT, by="bench", body=body)
        for number, body in enumerate(islice(bodies(), count))
    )


def peak_mib() -> int:
    """The most memory that this process has held, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def middle_ms(ask: Callable[[int], object], items: list[int]) -> tuple[float, float]:
    """Milliseconds of the middle and of the slowest twentieth."""
    times = sorted(seconds(lambda item=item: ask(item)) * 1_000 for item in items)  # type: ignore[misc]
    return statistics.median(times), times[len(times) * 19 // 20]


def grow(book: gongfen.Book, count: int) -> None:
    """Write the facts, and say at every quarter how it goes."""
    facts, done, start = facts_of(count), 0, time.perf_counter()
    step = max(count // 4, 1)
    while part := list(islice(facts, BATCH)):
        book.log.record(part)
        done += len(part)
        if done % step < BATCH:
            rate = done / (time.perf_counter() - start)
            print(f"  {done:>9,} facts  {rate:>9,.0f} facts/s  peak {peak_mib():>5} MiB", flush=True)


def main() -> None:
    """Print what was measured."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--facts", type=int, default=1_000_000)
    options.add_argument("--keep", type=Path, help="write the book here and leave it; a book that is there is asked")
    asked = options.parse_args()
    gc.set_threshold(*COLLECT)  # as the command does
    with tempfile.TemporaryDirectory() as place:
        path = (asked.keep or Path(place)) / "book.db"
        if not path.exists():
            with gongfen.create(path, origin="example.org/bench", by="bench") as book:
                grow(book, asked.facts)
        measure(path)


def measure(path: Path) -> None:
    """Ask a book that is there."""
    opened = seconds(lambda: gongfen.open(path).close())
    book = gongfen.open(path)
    size = book.log.size
    chance = random.Random(1)  # noqa: S311 - the same questions at every run
    print(f"{size:,} facts, {path.stat().st_size / size:,.0f} bytes a fact; opened in {opened * 1_000:.0f} ms")
    before = peak_mib()
    receipt = middle_ms(book.receipt, [chance.randrange(size) for _ in range(ASKED)])
    print(f"receipt      {receipt[0]:8.2f} ms, one in twenty above {receipt[1]:.2f}")
    made = book.log.views.touching("kind|output")
    outputs = [book.log.fact(seq).body.output for seq in chance.sample(made, min(ASKED, len(made)))]  # type: ignore[union-attr]
    who = middle_ms(lambda n: book.who(outputs[n]), list(range(len(outputs))))
    print(f"who          {who[0]:8.2f} ms, one in twenty above {who[1]:.2f}  ({SET} works behind each)")
    owed = seconds(lambda: book.owed("maker-7"))
    print(f"owed, one    {owed * 1_000:8.2f} ms")
    print(f"memory       {peak_mib():8} MiB at most, {peak_mib() - before} more than before asking")
    log = book.log
    signed = [open_checkpoint(note, *log.verifiers) for _, note in log.store.checkpoints()]
    parsed = seconds(lambda: read_log(log, signed))
    print(f"hash, parse  {parsed:8.1f} s, {size / parsed:,.0f} facts/s")
    rebuilt = seconds(log.rebuild)
    print(f"rebuild      {rebuilt:8.1f} s, {size / rebuilt:,.0f} facts/s, peak {peak_mib()} MiB")
    checked = seconds(book.verify)
    print(f"verify       {checked:8.1f} s, {size / checked:,.0f} facts/s, peak {peak_mib()} MiB")
    book.close()


if __name__ == "__main__":
    main()

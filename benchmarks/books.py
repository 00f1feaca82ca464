"""Booking and valuing labour and outputs, beside merely reading them; and what other tools take for the same.

python benchmarks/books.py [--facts N] [--others N]
"""

import argparse
import gc
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import gongfen
from gongfen import accounts, kinds
from gongfen.book.recording.record import TOGETHER
from gongfen.cli.app import COLLECT
from gongfen.facts import Fact, decode, decoded_together
from gongfen.value.worth import value_of_each

HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
AT = "2026-11-22T04:17:24.000000Z"
MAKERS, MADE, BATCH = 1_000, 10, 8_192
"""Makers; outputs of one making; facts of a transaction."""


def bodies(count: int) -> Iterator[kinds.Body]:
    """A service at work: a model, then ``count`` outputs, made ten at a time, and a review of each."""
    yield from (kinds.Enrol(maker=f"maker-{n}", form="group", people=1_000) for n in range(MAKERS))
    reductions = (kinds.Reduction(skill="editor", num=187, den=167),)
    yield kinds.Standard(
        standard="standard", basis="bench", reductions=reductions, machines=(), melt_micro=20_000_000, currency="EUR"
    )
    yield kinds.Model(model="model", sha256=HASH, parameters=1_000_000, source="bench", licence="CC0-1.0")
    for maker in range(20):
        yield _labour(maker, "model", 3, "training", "simple", 36_000_000_000)
    yield kinds.Plan(work="model", uses=count)
    for start in range(0, count, MADE):
        outputs = tuple(f"output-{n}" for n in range(start, min(start + MADE, count)))
        yield from (kinds.Output(output=name, sha256=HASH, size_bytes=900) for name in outputs)
        yield kinds.Make(
            make=f"make-{start}",
            activity="serve",
            inputs=(kinds.Use(work="model", role="model", uses=len(outputs)),),
            outputs=outputs,
            tool="bench",
        )
        for n, name in enumerate(outputs, start):
            yield _labour(n % MAKERS, name, 4, "inference", "editor" if n % 2 else "simple", 30_000_000 + n)


def _labour(maker: int, work: str, kind: int, phase: str, skill: str, labour_us: int) -> kinds.Labour:
    day = f"2026-{1 + labour_us % 12:02}-{1 + labour_us % 28:02}"
    return kinds.Labour(
        maker=f"maker-{maker}", work=work, labour_kind=kind, phase=phase, standing="employed", labour_us=labour_us,
        skill=skill, day=day,
    )  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mib() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def grow(place: Path, count: int) -> int:
    """Write the book; how many facts it holds."""
    with gongfen.create(place, origin="example.org/bench", by="bench") as book:
        part: list[Fact] = []
        for number, body in enumerate(bodies(count)):
            part.append(Fact(id=f"bench-{number:09}", at=AT, by="bench", body=body))
            if len(part) == BATCH:
                book.log.record(part)
                part = []
        book.log.record(part)
        return book.log.size


def read(book: gongfen.Book) -> int:
    """Read and decode every fact of the journal, one by one: the least that a bookkeeper must do."""
    return sum(1 for entry in book.log.store.entries() if decode(entry.data))


def book_and_value(book: gongfen.Book, found: dict[str, accounts.State]) -> None:
    """Read, decode and book every fact, and value every output."""
    state, entries = accounts.state_in_memory("example.org/bench"), book.log.store.entries()
    while part := list(islice(entries, TOGETHER)):
        facts = decoded_together([entry.data for entry in part])
        assert facts is not None, "every fact is plain"
        accounts.book_all(state, facts, part[0].seq)
    assert all(transferred + living > 0 for _, transferred, living in value_of_each(state))
    found["state"] = state


def more(state: accounts.State, size: int) -> None:
    """A thousand new facts on top."""
    for number in range(1_000):
        body = _labour(number % MAKERS, f"output-{number}", 4, "inference", "simple", 30_000_000)
        accounts.book(state, Fact(id=f"more-{number}", at=AT, by="bench", body=body), size + number)


def others(folder: Path, count: int) -> None:
    """The same books by plain-text accounting, which is what a bookkeeper would pick."""
    place = folder / "small.db"
    facts = grow(place, count)
    with gongfen.open(place) as book:
        ours = seconds(lambda: book_and_value(book, {}))
        whole = seconds(book.verify)
    print(f"\n{facts:,} facts, {count:,} outputs: booked and valued in {ours:.2f} s, all verified in {whole:.2f} s")
    for name, ending, check in (("beancount", "beancount", "bean-check"), ("hledger", "journal", "hledger")):
        out = folder / f"books.{ending}"
        command = [sys.executable, "-m", "gongfen", "export", name, "--out", str(out), "--book", str(place)]
        subprocess.run(command, check=True, capture_output=True)
        tool = shutil.which(check) or shutil.which(check, path=str(Path(sys.executable).parent))
        if tool is None:
            print(f"{check:12}not installed")
            continue
        asked = [tool, str(out)] if check == "bean-check" else [tool, "-f", str(out), "check"]
        taken = seconds(lambda: subprocess.run(asked, check=True, capture_output=True))  # noqa: B023 - called at once
        print(f"{check:12}{taken:8.2f} s  {taken / ours:6.1f} × ours")


def main() -> None:
    """Print seconds and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--facts", type=int, default=100_000, help="labour facts, and as many outputs")
    options.add_argument("--others", type=int, default=0, help="outputs for the comparison with other tools; 0: none")
    asked = options.parse_args()
    gc.set_threshold(*COLLECT)  # as the command does
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        grown = seconds(lambda: grow(folder / "book.db", asked.facts))
        found: dict[str, accounts.State] = {}
        with gongfen.open(folder / "book.db") as book:
            size = book.log.size
            print(f"{size:,} facts: {asked.facts:,} labour, {asked.facts:,} outputs; written in {grown:.1f} s")
            reading = min(seconds(lambda: read(book)) for _ in range(2))
            booking = seconds(lambda: book_and_value(book, found))
            print(f"read and decoded   {reading:8.2f} s  {size / reading:10,.0f} facts/s")
            print(
                f"booked and valued  {booking:8.2f} s  {size / booking:10,.0f} facts/s  {booking / reading:.2f} × that"
            )
            print(f"1,000 more         {seconds(lambda: more(found['state'], size)):8.3f} s")
            print(f"memory             {peak_mib():8,} MiB at most")
        if asked.others:
            others(folder, asked.others)


if __name__ == "__main__":
    main()

"""Many writers at once on PostgreSQL, beside bare COPY and INSERT of the same rows with the same batches and sync.

python benchmarks/record_postgres.py [--writers N] [--seconds N] [--batch N …] [--rounds N]

A server of its own is started and taken away. All writers write for so many seconds, each batch as soon as the last
one is confirmed. The bare writers check, book, hash and sign nothing. COPY and INSERT know their numbers beforehand and
wait for nobody; the quicker of them is the first peer. The second gives numbers without gaps, as a log needs them: it
takes a lock, asks for the last number, and copies.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers import Server

import gongfen
from gongfen import kinds
from gongfen.facts import Fact, encode

HASH = sha256(b"").hexdigest()
AT = "2026-11-22T04:17:24.000000Z"
TABLE = "CREATE TABLE fact (seq bigint PRIMARY KEY, id bytea NOT NULL UNIQUE, leaf bytea NOT NULL, data bytea NOT NULL)"
COLUMNS = ("seq", "id", "leaf", "data")
APART = 100_000_000
"""Numbers that a bare writer has for itself."""
READY = 512
"""Batches that a writer has made before it begins; it makes more as it goes on."""
Work = Callable[[str, int, int, float, Barrier], int]
Row = tuple[int, bytes, bytes, bytes]
Item = TypeVar("Item")


def setting() -> list[Fact]:
    """The maker and the work that all labour is about."""
    bodies: list[kinds.Body] = [
        kinds.Enrol(maker="ada", form="group", people=1_000_000),
        kinds.Work(work="item", sha256=HASH, size_bytes=0, makers=(), source="bench", licence="CC0-1.0"),
    ]
    return [Fact(id=f"set-{number}", at=AT, by="bench", body=body) for number, body in enumerate(bodies)]


def facts_of(writer: int, first: int, some: int) -> list[Fact]:
    """What a busy desk records: labour."""
    return [
        Fact(id=f"bench-{writer}-{number:09}", at=AT, by="bench", body=kinds.Labour(
            maker="ada", work="item", labour_kind=2, phase="training", standing="crowd",
            labour_us=40_000_000 + number, day=f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        ))
        for number in range(first, first + some)
    ]  # fmt: skip


def rows_of(writer: int, first: int, some: int) -> list[Row]:
    """The same facts as the rows that a log keeps."""
    coded = [(fact.id.encode(), encode(fact)) for fact in facts_of(writer, first, some)]
    start = writer * APART + first
    return [(start + number, name, sha256(b"\0" + data).digest(), data) for number, (name, data) in enumerate(coded)]


def batches(make: Callable[[int, int, int], list[Item]], writer: int, batch: int) -> Iterator[list[Item]]:
    """Batch after batch; the first ones are made before the clock runs."""
    ready = [make(writer, number * batch, batch) for number in range(READY)]
    yield []
    yield from ready
    for number in count(READY):
        yield make(writer, number * batch, batch)


def gongfen_writes(address: str, writer: int, batch: int, seconds: float, together: Barrier) -> int:
    """Checked, booked, indexed, hashed, signed, synced; a batch is written whole or not at all. How many facts."""
    work = batches(facts_of, writer, batch)
    next(work)
    with gongfen.open(address, by="bench") as book:
        book.record(kinds.Enrol(maker=f"writer-{writer}"))  # what is imported and read at the first writing
        together.wait()
        end, written = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            written += len(book.record(*next(work)))
        return written


def copy_writes(address: str, writer: int, batch: int, seconds: float, together: Barrier) -> int:
    """Bare COPY, a batch a transaction. How many rows."""
    return asyncio.run(bare(address, writer, batch, seconds, together, "copy"))


def insert_writes(address: str, writer: int, batch: int, seconds: float, together: Barrier) -> int:
    """Bare INSERT, a batch a transaction. How many rows."""
    return asyncio.run(bare(address, writer, batch, seconds, together, "insert"))


def numbered_writes(address: str, writer: int, batch: int, seconds: float, together: Barrier) -> int:
    """Bare COPY under a lock, with numbers that have no gaps, as those of a log: the least that it takes."""
    return asyncio.run(bare(address, writer, batch, seconds, together, "numbered"))


async def bare(address: str, writer: int, batch: int, seconds: float, together: Barrier, how: str) -> int:
    """Rows into a table, and nothing else."""
    import asyncpg  # noqa: PLC0415 - only here

    work = batches(rows_of, writer, batch)
    next(work)
    db = await asyncpg.connect(address)
    together.wait()
    end, written = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        rows = next(work)
        if how == "copy":
            await db.copy_records_to_table("fact", records=rows, columns=COLUMNS)
        elif how == "insert":
            await db.executemany("INSERT INTO fact VALUES ($1, $2, $3, $4)", rows)
        else:
            async with db.transaction():
                await db.execute("SELECT pg_advisory_xact_lock(1)")
                first = await db.fetchval("SELECT coalesce(max(seq), -1) + 1 FROM fact")
                records = [(seq, *row[1:]) for seq, row in enumerate(rows, first)]
                await db.copy_records_to_table("fact", records=records, columns=COLUMNS)
        written += len(rows)
    await db.close()
    return written


def run(work: Work, address: str, writers: int, batch: int, seconds: float) -> int:
    """How much all writers together have written."""
    spawn = multiprocessing.get_context("spawn")
    together: Barrier = spawn.Barrier(writers)
    written: Queue[int] = spawn.Queue()
    processes = [
        spawn.Process(target=one, args=(work, address, writer, batch, seconds, together, written))
        for writer in range(writers)
    ]
    for process in processes:
        process.start()
    found = [written.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(found)


def one(
    work: Work, address: str, writer: int, batch: int, seconds: float, together: Barrier, written: "Queue[int]"
) -> None:
    """One writer, in a process of its own."""
    written.put(work(address, writer, batch, seconds, together))


def one_round(server: Server, folder: Path, writers: int, batch: int, seconds: float) -> dict[str, float]:
    """Name → facts a second, all writers together."""
    found: dict[str, float] = {}
    for name, work in (("copy", copy_writes), ("insert", insert_writes), ("numbered", numbered_writes)):
        address = server.new_database()
        server.sql(TABLE, database=address.rpartition("/")[2])
        found[name] = run(work, address, writers, batch, seconds) / seconds
    address = server.new_database()
    os.environ["GONGFEN_KEY"] = str(folder / f"{address.rpartition('/')[2]}.key")
    with gongfen.create(address, origin="example.org/bench", by="bench") as book:
        book.record(*setting())
        written = run(gongfen_writes, address, writers, batch, seconds)
        assert book.log.size == written + writers + len(setting()), "every fact is there, once"
        book.verify()
    return {**found, "gongfen": written / seconds}


def main() -> None:
    """Print rates and shares."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--writers", type=int, default=8)
    options.add_argument("--seconds", type=float, default=2)
    options.add_argument("--batch", type=int, nargs="+", default=[1, 4, 16, 64, 256], help="facts in a batch")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the middle one counts")
    asked = options.parse_args()
    print(
        f"{asked.writers} writers, middle of {asked.rounds} rounds of {asked.seconds:g} s; facts a second, all together"
    )
    heads = ("gongfen", "COPY", "INSERT", "numbered COPY", "share of bare", "of numbered")
    print(f"{'batch':>6}" + "".join(f"{head:>15}" for head in heads))
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        for batch in asked.batch:
            rounds = [one_round(server, Path(folder), asked.writers, batch, asked.seconds) for _ in range(asked.rounds)]
            rates = [
                statistics.median(found[name] for found in rounds) for name in ("gongfen", "copy", "insert", "numbered")
            ]
            bare = statistics.median(found["gongfen"] / max(found["copy"], found["insert"]) for found in rounds)
            numbered = statistics.median(found["gongfen"] / found["numbered"] for found in rounds)
            print(
                f"{batch:>6}" + "".join(f"{rate:>15,.0f}" for rate in rates) + f"{bare:>15.0%}{numbered:>15.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Many writers at once on PostgreSQL, beside bare COPY and INSERT of the same rows with the same batches and sync.

python benchmarks/record_postgres.py [--writers N] [--facts N] [--batch N …] [--rounds N]

A server of its own is started and taken away. The bare writers hold no lock, give their own numbers, and check, book,
hash and sign nothing; the quicker of the two is the peer.
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
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import gongfen
from gongfen import kinds
from gongfen.facts import Fact, encode

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers import Server

HASH = sha256(b"").hexdigest()
AT = "2026-11-22T04:17:24.000000Z"
TABLE = "CREATE TABLE fact (seq bigint PRIMARY KEY, id bytea NOT NULL UNIQUE, leaf bytea NOT NULL, data bytea NOT NULL)"
COLUMNS = ("seq", "id", "leaf", "data")
Times = tuple[float, float]
Work = Callable[[str, int, int, int, Barrier], Times]


def setting() -> list[Fact]:
    """The maker and the work that all labour is about."""
    bodies: list[kinds.Body] = [
        kinds.Enrol(maker="ada", form="group", people=10_000),
        kinds.Work(work="item", sha256=HASH, size_bytes=0, makers=(), source="bench", licence="CC0-1.0"),
    ]
    return [Fact(id=f"set-{number}", at=AT, by="bench", body=body) for number, body in enumerate(bodies)]


def facts_of(writer: int, count: int) -> list[Fact]:
    """What a busy desk records: labour."""
    return [
        Fact(id=f"bench-{writer}-{number:09}", at=AT, by="bench", body=kinds.Labour(
            maker="ada", work="item", labour_kind=2, phase="training", standing="crowd",
            labour_us=40_000_000 + number, day=f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        ))
        for number in range(count)
    ]  # fmt: skip


def rows_of(writer: int, count: int) -> list[tuple[int, bytes, bytes, bytes]]:
    """The same facts as the rows that a log keeps."""
    coded = [(fact.id.encode(), encode(fact)) for fact in facts_of(writer, count)]
    first = writer * count
    return [(first + number, name, sha256(b"\0" + data).digest(), data) for number, (name, data) in enumerate(coded)]


def parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def gongfen_writes(address: str, writer: int, count: int, batch: int, together: Barrier) -> Times:
    """Checked, booked, indexed, hashed, signed, synced; a batch is written whole or not at all."""
    facts = facts_of(writer, count)
    with gongfen.open(address, by="bench") as book:
        book.record(kinds.Enrol(maker=f"writer-{writer}"))  # what is imported and read at the first writing
        together.wait()
        start = time.perf_counter()
        for part in parts(facts, batch):
            book.record(*part)
        return start, time.perf_counter()


def copy_writes(address: str, writer: int, count: int, batch: int, together: Barrier) -> Times:
    """Bare COPY, a batch a transaction."""
    return asyncio.run(bare(address, rows_of(writer, count), batch, together, copying=True))


def insert_writes(address: str, writer: int, count: int, batch: int, together: Barrier) -> Times:
    """Bare INSERT, a batch a transaction."""
    return asyncio.run(bare(address, rows_of(writer, count), batch, together, copying=False))


async def bare(address: str, rows: list[Any], batch: int, together: Barrier, *, copying: bool) -> Times:
    """Rows into a table, and nothing else."""
    import asyncpg  # noqa: PLC0415 - only here

    db = await asyncpg.connect(address)
    together.wait()
    start = time.perf_counter()
    for part in parts(rows, batch):
        if copying:
            await db.copy_records_to_table("fact", records=part, columns=COLUMNS)
        else:
            await db.executemany("INSERT INTO fact VALUES ($1, $2, $3, $4)", part)
    end = time.perf_counter()
    await db.close()
    return start, end


def run(work: Work, address: str, writers: int, count: int, batch: int) -> float:
    """Seconds from the first start to the last end."""
    spawn = multiprocessing.get_context("spawn")
    together, times = spawn.Barrier(writers), spawn.Queue()
    processes = [
        spawn.Process(target=one, args=(work, address, writer, count, batch, together, times))
        for writer in range(writers)
    ]
    for process in processes:
        process.start()
    found = [times.get() for _ in processes]
    for process in processes:
        process.join()
    return max(end for _, end in found) - min(start for start, _ in found)


def one(
    work: Work, address: str, writer: int, count: int, batch: int, together: Barrier, times: "Queue[Times]"
) -> None:
    """One writer, in a process of its own."""
    times.put(work(address, writer, count, batch, together))


def one_round(server: Server, folder: Path, writers: int, count: int, batch: int) -> dict[str, float]:
    """Name → facts a second, all writers together."""
    every, found = writers * count, dict[str, float]()
    for name, work in (("copy", copy_writes), ("insert", insert_writes)):
        address = server.new_database()
        server.sql(TABLE, database=address.rpartition("/")[2])
        found[name] = every / run(work, address, writers, count, batch)
    address = server.new_database()
    os.environ["GONGFEN_KEY"] = str(folder / f"{address.rpartition('/')[2]}.key")
    with gongfen.create(address, origin="example.org/bench", by="bench") as book:
        book.record(*setting())
        found["gongfen"] = every / run(gongfen_writes, address, writers, count, batch)
        assert book.log.size == every + writers + len(setting()), "every fact is there, once"
        book.verify()
    return found


def main() -> None:
    """Print rates and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--writers", type=int, default=8)
    options.add_argument("--facts", type=int, default=12_800, help="facts of all writers together")
    options.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64, 256], help="facts in a batch")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the middle one counts")
    asked = options.parse_args()
    print(f"{asked.writers} writers, middle of {asked.rounds} rounds, facts a second of all writers together")
    print(f"{'batch':>6}{'facts':>8}{'gongfen':>12}{'bare COPY':>12}{'bare INSERT':>12}{'share of the quicker':>24}")
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        for batch in asked.batch:
            # Single facts pay a sync each: a few are enough.
            count = max(asked.facts // asked.writers // (4 if batch == 1 else 1), batch)
            rounds = [one_round(server, Path(folder), asked.writers, count, batch) for _ in range(asked.rounds)]
            middle = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
            share = statistics.median(found["gongfen"] / max(found["copy"], found["insert"]) for found in rounds)
            rates = "".join(f"{middle[name]:>12,.0f}" for name in ("gongfen", "copy", "insert"))
            print(f"{batch:>6}{count * asked.writers:>8}{rates}{share:>23.0%}", flush=True)


if __name__ == "__main__":
    main()

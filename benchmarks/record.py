"""Durable writing and verification of facts, beside bare SQLite with the same bytes and the same durability.

python benchmarks/record.py [--facts N] [--batch N] [--rounds N]
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import gongfen
from gongfen import kinds
from gongfen.facts import Fact, encode

HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
Item = TypeVar("Item")
AT = "2026-11-22T04:17:24.000000Z"


def facts_of(count: int) -> list[Fact]:
    """A maker, a work, and then labour on it: what a busy desk records."""
    bodies: list[kinds.Body] = [
        kinds.Enrol(maker="ada", form="group", people=10_000),
        kinds.Work(work="item", sha256=HASH, size_bytes=0, makers=(), source="bench", licence="CC0-1.0"),
    ]
    bodies += [
        kinds.Labour(
            maker="ada", work="item", labour_kind=2, phase="training", standing="crowd",
            labour_us=40_000_000 + number, day=f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        )
        for number in range(count - len(bodies))
    ]  # fmt: skip
    return [Fact(id=f"bench-{number:09}", at=AT, by="bench", body=body) for number, body in enumerate(bodies)]


def gongfen_writes(folder: Path, facts: list[Fact], batch: int) -> gongfen.Book:
    """Checked, booked, indexed, hashed, signed, synced; a batch is a transaction."""
    book = gongfen.create(folder / "book.db", origin="example.org/bench", by="bench")
    for part in parts(facts, batch):
        book.record(*part)
    return book


def sqlite_writes(folder: Path, facts: list[Fact], batch: int) -> None:
    """The same bytes in one table; a batch is a transaction."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE fact (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, data BLOB NOT NULL) STRICT")
        rows = [(seq, fact.id, encode(fact)) for seq, fact in enumerate(facts)]
        for part in parts(rows, batch):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO fact VALUES (?, ?, ?)", part)
            db.execute("COMMIT")


def sqlite_reads(folder: Path) -> int:
    """Every byte of the bare table, once: the least that a verifier must do."""
    with closing(sqlite3.connect(folder / "bare.db")) as db:
        return sum(len(data) for (data,) in db.execute("SELECT data FROM fact ORDER BY seq"))


def parts(items: list[Item], size: int) -> Iterator[list[Item]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def one_round(facts: list[Fact], singles: list[Fact], batch: int) -> dict[str, tuple[int, float, float]]:
    """Name → (facts, our seconds, the peer's seconds)."""
    found: dict[str, tuple[int, float, float]] = {}
    for name, some, size in (("batched append", facts, batch), ("single append", singles, 1)):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            peer = seconds(lambda: sqlite_writes(folder, some, size))  # noqa: B023 - called at once
            books: list[gongfen.Book] = []
            ours = seconds(lambda: books.append(gongfen_writes(folder, some, size)))  # noqa: B023 - called at once
            found[name] = (len(some), ours, peer)
            with books[0] as book:
                if size > 1:
                    check, read = seconds(book.verify), seconds(lambda: sqlite_reads(folder))  # noqa: B023 - at once
                    found["whole-log verification"] = (len(some), check, read)
    return found


def main() -> None:
    """Print rates and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--facts", type=int, default=10_000, help="facts in batches; a tenth of them one by one")
    options.add_argument("--batch", type=int, default=256, help="facts in a batch")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the middle one counts")
    asked = options.parse_args()
    facts = facts_of(asked.facts)
    rounds = [one_round(facts, facts[: max(asked.facts // 10, 3)], asked.batch) for _ in range(asked.rounds)]
    print(f"{asked.facts} facts, batches of {asked.batch}, middle of {asked.rounds} rounds")
    print(f"{'':24}{'facts':>8}{'gongfen /s':>14}{'sqlite /s':>14}{'times as long':>16}")
    for name, (count, _, _) in rounds[0].items():
        ours = statistics.median(found[name][1] for found in rounds)
        peer = statistics.median(found[name][2] for found in rounds)
        print(f"{name:24}{count:>8}{count / ours:>14,.0f}{count / peer:>14,.0f}{ours / peer:>16.1f}")
    print("Bare SQLite checks, books, hashes and signs nothing; for verification it only reads every byte.")


if __name__ == "__main__":
    main()

"""Durable writing and verification of facts, beside bare SQLite and what a user would pick instead: all in one run.

python benchmarks/record.py [--facts N] [--batch N] [--rounds N] [--others N]
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import gongfen
from gongfen import kinds
from gongfen.book.proving.verification import read_log
from gongfen.facts import Fact, encode
from gongfen.proof.checkpoint import open_checkpoint

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


def parts(items: list[Item], size: int) -> Iterator[list[Item]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# -- ours, and bare SQLite ---------------------------------------------------------------------------------------------


def gongfen_writes(folder: Path, facts: list[Fact], batch: int) -> gongfen.Book:
    """Checked, booked, indexed, hashed, signed, synced; a batch is a transaction."""
    book = gongfen.create(folder / "book.db", origin="example.org/bench", by="bench")
    for part in parts(facts, batch):
        book.log.record(part)
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


def hashes(facts: list[bytes]) -> None:
    """The SHA-256 of a whole log: a leaf a fact, and almost as many inner nodes."""
    for data in facts:
        sha256(b"\x00" + data).digest()
        sha256(b"\x01" + bytes(64)).digest()


Round = dict[str, tuple[int, float, float]]
"""Name → (facts, our seconds, the peer's seconds)."""


def one_round(facts: list[Fact], singles: list[Fact], batch: int) -> Round:
    """Ours and the peer's, in turn."""
    found: Round = {}
    for name, some, size in (("batched append", facts, batch), ("single append", singles, 1)):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            peer = seconds(lambda: sqlite_writes(folder, some, size))  # noqa: B023 - called at once
            books: list[gongfen.Book] = []
            ours = seconds(lambda: books.append(gongfen_writes(folder, some, size)))  # noqa: B023 - called at once
            found[name] = (len(some), ours, peer)
            with books[0] as book:
                if size > 1:
                    found |= verifications(book, folder, [encode(fact) for fact in some])
    return found


def verifications(book: gongfen.Book, folder: Path, data: list[bytes]) -> Round:
    """The log hashed and parsed; the whole book verified; and the share of hashing."""
    read, hashed = seconds(lambda: sqlite_reads(folder)), seconds(lambda: hashes(data))
    log = book.log
    signed = [open_checkpoint(note, *log.verifiers) for _, note in log.store.checkpoints()]
    parsed = seconds(lambda: read_log(log, signed))
    return {
        "log: hash and parse": (len(data), parsed, read),
        "  of which SHA-256": (len(data), hashed, read),
        "book: verify": (len(data), seconds(book.verify), read),
    }


# -- what a user would pick instead ------------------------------------------------------------------------------------


def rows_writes(folder: Path, facts: list[Fact]) -> None:
    """Rows in plain SQLite, as it comes: a column a field, a commit a fact."""
    with closing(sqlite3.connect(folder / "rows.db")) as db:
        db.execute(
            "CREATE TABLE labour (id TEXT PRIMARY KEY, at TEXT, maker TEXT, work TEXT, kind INT, us INT, day TEXT)"
        )
        for fact in facts:
            body = fact.body
            if isinstance(body, kinds.Labour):
                values = (fact.id, fact.at, body.maker, body.work, body.labour_kind, body.labour_us, body.day)
                db.execute("INSERT INTO labour VALUES (?, ?, ?, ?, ?, ?, ?)", values)
                db.commit()


def mlflow_writes(folder: Path, facts: list[Fact]) -> None:
    """A metric a fact in an MLflow run, in its SQLite store."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow  # noqa: PLC0415 - only where it is installed

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    with mlflow.start_run():
        for step, fact in enumerate(facts):
            if isinstance(fact.body, kinds.Labour):
                mlflow.log_metric(f"labour/{fact.body.maker}", fact.body.labour_us or 0, step=step)


def git_writes(folder: Path, facts: list[Fact]) -> None:
    """A commit a fact: the fact is the message."""
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    git += ["-c", "core.fsync=all", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"]
    subprocess.run([*git, "init", "-q"], check=True)
    for fact in facts:
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-F", "-"], input=encode(fact), check=True)


OTHERS: dict[str, tuple[Callable[[Path, list[Fact]], object], str]] = {
    "rows in plain SQLite": (rows_writes, "durable; anybody with the file can change a row unseen; nothing is checked"),
    "MLflow run log": (mlflow_writes, "a metric with a time; not durable by itself; no proof; nothing is checked"),
    "git commit per fact": (
        git_writes,
        "hash-chained; a rewritten history shows to who kept a head; nothing is checked",
    ),
    "gongfen, one by one": (lambda folder, facts: gongfen_writes(folder, facts, 1).close(), "durable, checked, booked"),
    "gongfen, in batches": (lambda folder, facts: gongfen_writes(folder, facts, 256).close(), "and signed, provable"),
}


def others(facts: list[Fact]) -> None:
    """The same facts by what else is at hand."""
    print(f"\n{len(facts)} facts, one after the other, by what a user would pick instead")
    for name, (write, what) in OTHERS.items():
        if write is mlflow_writes and find_spec("mlflow") is None:
            print(f"{name:24}{'not installed: pip install -r benchmarks/requirements.txt':>12}")
            continue
        with tempfile.TemporaryDirectory() as place:
            taken = seconds(lambda: write(Path(place), facts))  # noqa: B023 - called at once
            size = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
        print(f"{name:24}{len(facts) / taken:>12,.0f}/s{size / len(facts):>10,.0f} bytes a fact   {what}")


def main() -> None:
    """Print rates and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--facts", type=int, default=10_000, help="facts in batches; a tenth of them one by one")
    options.add_argument("--batch", type=int, default=256, help="facts in a batch")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the middle one counts")
    options.add_argument("--others", type=int, default=0, help="facts for the comparison with other tools; 0: none")
    options.add_argument("--json", action="store_true", help="print the measured seconds as JSON too")
    asked = options.parse_args()
    facts = facts_of(asked.facts)
    rounds = [one_round(facts, facts[: max(asked.facts // 10, 3)], asked.batch) for _ in range(asked.rounds)]
    print(f"{asked.facts} facts, batches of {asked.batch}, middle of {asked.rounds} rounds")
    print(f"{'':24}{'facts':>8}{'gongfen /s':>14}{'sqlite /s':>14}{'share of it':>14}")
    for name, (count, _, _) in rounds[0].items():
        ours = statistics.median(found[name][1] for found in rounds)
        peer = statistics.median(found[name][2] for found in rounds)
        print(f"{name:24}{count:>8}{count / ours:>14,.0f}{count / peer:>14,.0f}{peer / ours:>13.0%}")
    print("Bare SQLite checks, books, hashes and signs nothing; for verification it only reads every byte.")
    if asked.json:
        print(json.dumps(rounds))
    if asked.others:
        others(facts[: asked.others])


if __name__ == "__main__":
    main()

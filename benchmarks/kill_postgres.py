"""Writers and the server of one book are killed at random moments: nothing acknowledged is lost, nothing needs repair.

python benchmarks/kill_postgres.py [--kills N] [--writers N] [--seed N] [--no-sync]

Several processes write single facts, batches and texts into one book on a PostgreSQL server of its own, all at once.
After ``record`` has returned, a writer notes the numbers and ids in a file: these facts are acknowledged. A writer that
gets an error repeats the same facts with the same ids. Then a writer is killed (SIGKILL), or all of them, or one of the
server's own processes, or the server's first process, or the server is stopped as if by a power cut (``immediate``).
The server is started again as always; the book is opened and verified in full, while the writers go on; every
acknowledged fact must be there under its number. Prints what happened; exit code 1 when something was lost.
"""

import argparse
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.kill import EMPTY, LONGEST_PAUSE_S, READY, body_of, lines_of, rows_of
from tests.servers import Server

import gongfen
from gongfen import kinds as k
from gongfen.errors import BookPlaceError

MOST_FACTS = 2_000
"""A book that has so many gives way to a new one: verification should stay quick."""
PATIENCE_S = 60
Answer = TypeVar("Answer")


@dataclass
class Counts:
    """What happened so far."""

    kills: dict[str, int] = field(default_factory=dict)
    books: int = 0
    acknowledged: int = 0
    found_more: int = 0
    """Facts that were written, but whose writer was killed before it could say so."""
    repeated: int = 0
    """How often a writer tried again because it got an error."""
    slowest_start_ms: int = 0
    slowest_opening_ms: int = 0
    lost: list[str] = field(default_factory=list)


# -- writers -----------------------------------------------------------------------------------------------------------


def write_on(address: str, notes: Path, seed: int) -> None:
    """Write facts until killed; note those that are acknowledged."""
    os.environ["GONGFEN_KEY"] = str(notes.with_name("book.key"))
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        _write_on(address, descriptor, seed)
    except BaseException:
        os.write(descriptor, f"error {traceback.format_exc()[-900:]!r}\n".encode())
        raise


def _write_on(address: str, notes: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice of deeds

    def until_done(deed: Callable[[], Answer]) -> Answer:
        last = time.monotonic() + PATIENCE_S
        while True:
            try:
                return deed()
            except BookPlaceError:
                if time.monotonic() > last:
                    raise
                os.write(notes, b"again 1\n")
                time.sleep(0.02)

    with until_done(lambda: gongfen.open(address, by=f"writer-{seed}")) as book:
        os.write(notes, READY)
        for turn in range(1_000_000):
            dice = chance.random()
            if dice < 0.04:
                until_done(book.log.keep_views)
            elif dice < 0.06:
                until_done(book.log.rebuild)
            elif dice < 0.1:
                text = f"{seed} {turn}".encode() * chance.randrange(1, 2_000)
                name = until_done(lambda text=text: book.log.keep_blob(text))  # type: ignore[misc]
                os.write(notes, f"blob {name}\n".encode())
            else:
                some = 1 if dice < 0.6 else chance.randrange(2, 80)
                facts = [
                    book.log.new(body_of(chance, seed, turn, n), fact_id=f"{seed}-{turn}-{n}") for n in range(some)
                ]
                numbers = until_done(lambda facts=facts: book.record(*facts))  # type: ignore[misc]
                said = (f"{seq} {fact.id}\n" for seq, fact in zip(numbers, facts, strict=True))
                os.write(notes, "".join(said).encode())


class Writers:
    """Processes that write one book."""

    def __init__(self, address: str, folder: Path, seed: int) -> None:
        self._address, self._folder, self._next = address, folder, seed
        self._fork = multiprocessing.get_context("forkserver")
        self._fork.set_forkserver_preload(["gongfen.storage.postgres", "gongfen.book", "benchmarks.kill"])
        self.alive: list[BaseProcess] = []

    def start(self, count: int) -> None:
        """Start so many more."""
        for _ in range(count):
            notes = self._folder / f"notes-{self._next}"
            process = self._fork.Process(target=write_on, args=(self._address, notes, self._next))
            process.start()
            self._next += 1
            self.alive.append(process)

    def kill(self, dying: list[BaseProcess]) -> None:
        """Kill some, at once and for good."""
        for process in dying:
            process.kill()
        for process in dying:
            process.join()
            self.alive.remove(process)


# -- what must hold ----------------------------------------------------------------------------------------------------


def check(address: str, folder: Path, counts: Counts) -> int:
    """Open, verify, look for everything that was acknowledged; how many facts there are."""
    noted, last = lines_of(folder), time.monotonic() + PATIENCE_S
    while True:
        try:
            return checked(address, noted, counts)
        except BookPlaceError:
            # A server that lost a process takes a moment to notice, and ends all connections.
            if time.monotonic() < last:
                time.sleep(0.05)
                continue
            counts.lost.append(traceback.format_exc())
        except Exception:  # noqa: BLE001 - a book that does not open is the finding
            counts.lost.append(traceback.format_exc())
        return MOST_FACTS


def checked(address: str, noted: list[list[str]], counts: Counts) -> int:
    """The same, once."""
    start = time.monotonic()
    with gongfen.open(address, by="checker") as book:
        counts.slowest_opening_ms = max(counts.slowest_opening_ms, int(1_000 * (time.monotonic() - start)))
        book.verify()
        ids = {said: int(seq) for seq, said in noted if seq.isdecimal()}
        found = book.log.store.find(list(ids))
        counts.lost += [f"fact {seq} {said}" for said, seq in ids.items() if found.get(said) != seq]
        counts.lost += [f"blob {said}" for what, said in noted if what == "blob" and book.log.blob(said) is None]
        counts.lost += [f"a writer failed: {said}" for what, said in noted if what == "error"]
        return book.log.size


def check_end(address: str, folder: Path, counts: Counts) -> None:
    """The kept views equal those that a rebuild makes; and writing goes on."""
    with gongfen.open(address, by="checker") as book:
        before = rows_of(book)
        book.log.rebuild()
        if rows_of(book) != before:
            counts.lost.append("the kept views are not those of a rebuild")
        book.record(k.Enrol(maker="after-all"))
        book.verify()
        noted = lines_of(folder)
        acknowledged = sum(1 for what, _ in noted if what.isdecimal())
        counts.acknowledged += acknowledged
        counts.repeated += sum(1 for what, _ in noted if what == "again")
        counts.found_more += book.log.size - acknowledged - 3


# -- killing -----------------------------------------------------------------------------------------------------------


def kill_something(server: Server, writers: Writers, chance: random.Random, counts: Counts) -> None:
    """One kill, by chance; a server that was killed is started as always."""
    dice = chance.random()
    if dice < 0.35:
        what, dying = "a writer", [chance.choice(writers.alive)]
        writers.kill(dying)
    elif dice < 0.45:
        what = "all writers"
        writers.kill(writers.alive[:])
    elif dice < 0.6:
        what = "a process of the server"
        helpers = psutil.Process(server.pid).children()
        os.kill(chance.choice(helpers).pid, signal.SIGKILL)
    elif dice < 0.8:
        what = "the server's first process"
        server.kill()
        start(server, counts)
    else:
        what = "the server, immediately"
        server.halt("immediate")
        start(server, counts)
    counts.kills[what] = counts.kills.get(what, 0) + 1


def start(server: Server, counts: Counts) -> None:
    """Start the server, and nothing else."""
    begun = time.monotonic()
    server.start()
    counts.slowest_start_ms = max(counts.slowest_start_ms, int(1_000 * (time.monotonic() - begun)))


def one_book(server: Server, folder: Path, kills: int, count: int, chance: random.Random, counts: Counts) -> None:
    """Kill writers and the server of one book until it is large, or enough was killed."""
    address = server.new_database()
    os.environ["GONGFEN_KEY"] = str(folder / "book.key")
    with gongfen.create(address, origin="example.org/kill", by="test") as book:
        book.record(
            k.Enrol(maker="crew", form="group", people=1_000_000),
            k.Work(work="item", sha256=EMPTY, size_bytes=0, makers=(), source="s", licence="CC0-1.0"),
        )
    counts.books += 1
    writers = Writers(address, folder, chance.randrange(1_000_000))
    try:
        while sum(counts.kills.values()) < kills:
            writers.start(count - len(writers.alive))
            if chance.random() < 0.85:
                wait_for(folder, len(list(folder.glob("notes-*"))))
            time.sleep(chance.random() ** 2 * 4 * LONGEST_PAUSE_S)
            kill_something(server, writers, chance, counts)
            wait_until_it_answers(server)
            size = check(address, folder, counts)
            if counts.lost or size >= MOST_FACTS:
                break
    finally:
        writers.kill(writers.alive[:])
    check(address, folder, counts)
    if not counts.lost:
        check_end(address, folder, counts)


def wait_for(folder: Path, count: int) -> None:
    """Until so many writers have noted something, or a while."""
    end = time.monotonic() + 5
    while time.monotonic() < end and sum(1 for notes in folder.glob("notes-*") if notes.stat().st_size) < count:
        time.sleep(0.005)


def wait_until_it_answers(server: Server) -> None:
    """A server that lost a process starts itself again."""
    words = [str(server.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(server.port)]
    for _ in range(600):
        if subprocess.run(words, check=False).returncode == 0:
            return
        time.sleep(0.05)


def campaign(kills: int, writers: int, seed: int, *settings: str) -> Counts:
    """So many kills, in as many books as it takes; ends with the first loss."""
    chance, counts = random.Random(seed), Counts()  # noqa: S311 - a repeatable choice of moments, as far as one can
    with Server(*settings) as server:
        while sum(counts.kills.values()) < kills and not counts.lost:
            with tempfile.TemporaryDirectory(prefix="gongfen-kill-") as place:
                one_book(server, Path(place), kills, writers, chance, counts)
    return counts


def main() -> None:
    """Print the counts; exit 1 when something was lost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--writers", type=int, default=4, help="processes that write to one book")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--no-sync", action="store_true", help="a server without fsync: killed processes need none")
    asked = options.parse_args()
    begun = time.monotonic()
    counts = campaign(asked.kills, asked.writers, asked.seed, *(["fsync=off"] if asked.no_sync else []))
    print(f"{sum(counts.kills.values())} kills, {counts.books} books, {time.monotonic() - begun:.0f} s")
    for what, count in sorted(counts.kills.items()):
        print(f"  {what}: {count}")
    print(
        f"{counts.acknowledged:,} facts acknowledged, {counts.found_more:,} more written, "
        f"{counts.repeated:,} tries repeated after an error; slowest start of the server "
        f"{counts.slowest_start_ms} ms, slowest opening of the book {counts.slowest_opening_ms} ms"
    )
    print(f"lost: {len(counts.lost)}")
    for line in counts.lost[:10]:
        print(f"  {line}")
    raise SystemExit(1 if counts.lost else 0)


if __name__ == "__main__":
    main()

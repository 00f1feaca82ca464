"""What kill.py and kill_postgres.py share: writers, what they note, what must hold after a kill, and what is printed.

Several processes write single facts, batches and texts into one book, keep its views and rebuild them. After ``record``
has returned, a writer notes the numbers and ids in a file of its own: these facts are acknowledged. A writer that may
be patient repeats, after an error of the place, the same facts with the same ids. Then the store kills something. After
every kill the book is opened as usual and verified in full, while the others go on writing; every acknowledged fact
must be there under its number.
"""

import argparse
import multiprocessing
import os
import random
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol, TypeVar

import gongfen
from gongfen import accounts
from gongfen import kinds as k
from gongfen.errors import BookPlaceError
from gongfen.facts import Body, Unknown

MOST_FACTS = 1_500
"""A book that has so many gives way to a new one: verification should stay quick."""
READY = b"ready\n"
EMPTY = sha256(b"").hexdigest()
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
    """Of a server; 0 where there is none."""
    slowest_opening_ms: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def all_kills(self) -> int:
        """How many, of whatever."""
        return sum(self.kills.values())


@dataclass(frozen=True)
class Target:
    """One book, as its writers are told of it."""

    address: str
    folder: Path
    """Where the writers leave their notes."""
    patience_s: float = 0
    """So long an error of the place may last: a server may be away, a file may not."""
    key: Path | None = None
    """The book's key, where it does not lie beside the book."""

    def create(self) -> None:
        """Make the book, with what the writers' labour is about."""
        self._name_key()
        with gongfen.create(self.address, origin="example.org/kill", by="test") as book:
            book.record(
                k.Enrol(maker="crew", form="group", people=1_000_000),
                k.Work(work="item", sha256=EMPTY, size_bytes=0, makers=(), source="s", licence="CC0-1.0"),
            )

    def open(self, by: str) -> gongfen.Book:
        """Open the book as anybody does."""
        self._name_key()
        return gongfen.open(self.address, by=by)

    def _name_key(self) -> None:
        if self.key is not None:
            os.environ["GONGFEN_KEY"] = str(self.key)


class Store(Protocol):
    """Where books lie, and what can be killed of it."""

    longest_pause_s: float
    """Between two kills."""

    def new_book(self, folder: Path) -> Target:
        """A place for a book, with notes in ``folder``."""

    def kill_something(self, writers: "Writers", chance: random.Random, counts: Counts) -> str:
        """One kill, by chance, and what it was. What is needed to open the book again works when this returns."""


# -- writers -----------------------------------------------------------------------------------------------------------


def write_on(target: Target, notes: Path, seed: int) -> None:
    """Write facts until killed; note those that are acknowledged."""
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        _write_on(target, descriptor, seed)
    except BaseException:
        os.write(descriptor, f"error {traceback.format_exc()[-900:]!r}\n".encode())
        raise


def _write_on(target: Target, notes: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice of deeds

    def until_done(deed: Callable[[], Answer]) -> Answer:
        return patiently(deed, target.patience_s, lambda: os.write(notes, b"again 1\n"))

    with until_done(lambda: target.open(f"writer-{seed}")) as book:
        os.write(notes, READY)
        for turn in range(1_000_000):
            dice = chance.random()
            if dice < 0.05:
                until_done(book.log.keep_views)
            elif dice < 0.08:
                until_done(book.log.rebuild)
            elif dice < 0.13:
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


def patiently(deed: Callable[[], Answer], patience_s: float, again: Callable[[], object] = lambda: None) -> Answer:
    """Try until it works, or the place was away for too long."""
    last = time.monotonic() + patience_s
    while True:
        try:
            return deed()
        except BookPlaceError:
            if time.monotonic() >= last:
                raise
            again()
            time.sleep(0.02)


def body_of(chance: random.Random, seed: int, turn: int, n: int) -> Body | Unknown:
    """A maker, a work, labour; or a fact of a later version, too long to be logged whole."""
    dice = chance.random()
    if dice < 0.1:
        return k.Enrol(maker=f"maker-{seed}-{turn}-{n}")
    if dice < 0.11:
        return Unknown("dream", b'{"of":"' + b"sheep" * chance.randrange(20_000) + b'"}')
    day = f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    if dice < 0.2:
        source = "a source " * chance.randrange(1, 40)
        return k.Work(
            work=f"w-{seed}-{turn}-{n}", sha256=EMPTY, size_bytes=0, makers=(), source=source, licence="CC0-1.0"
        )
    return k.Labour(
        maker="crew", work="item", labour_kind=2, phase="training", standing="crowd",
        labour_us=chance.randrange(1, 40_000_000), day=day,
    )  # fmt: skip


class Writers:
    """Processes that write one book."""

    def __init__(self, target: Target, seed: int) -> None:
        self._target, self._next = target, seed
        self._fork = multiprocessing.get_context("forkserver")
        self._fork.set_forkserver_preload(["gongfen.storage.postgres", "gongfen.book", "benchmarks.killing"])
        self._notes: dict[BaseProcess, Path] = {}

    @property
    def alive(self) -> list[BaseProcess]:
        """Those that were started and not killed."""
        return list(self._notes)

    def start(self, count: int) -> None:
        """Start so many more."""
        for _ in range(count):
            notes = self._target.folder / f"notes-{self._next}"
            process = self._fork.Process(target=write_on, args=(self._target, notes, self._next))
            process.start()
            self._next += 1
            self._notes[process] = notes

    def wait(self) -> None:
        """Until each has opened the book, or ended, or for a while."""
        end = time.monotonic() + 10
        while time.monotonic() < end and not all(n.exists() and n.stat().st_size for n in self._notes.values()):
            time.sleep(0.002)

    def kill(self, dying: list[BaseProcess]) -> None:
        """Kill some, at once and for good."""
        for process in dying:
            process.kill()
        for process in dying:
            process.join()
            del self._notes[process]


# -- what must hold ----------------------------------------------------------------------------------------------------


def lines_of(folder: Path) -> list[list[str]]:
    """What all writers have noted; the end of a line may be missing where one was killed while noting."""
    found: list[list[str]] = []
    for notes in folder.glob("notes-*"):
        whole, _, _ = notes.read_text(encoding="utf-8").rpartition("\n")
        found += [line.split(" ", 1) for line in whole.split("\n") if line != "ready" and line]
    return found


def check(target: Target, counts: Counts) -> int:
    """Open, verify, look for everything that was acknowledged; how many facts there are."""
    noted = lines_of(target.folder)
    try:
        # A server that lost a process takes a moment to notice, and ends all connections.
        return patiently(lambda: _check(target, noted, counts), target.patience_s)
    except Exception:  # noqa: BLE001 - a book that does not open is the finding
        counts.lost.append(traceback.format_exc())
        return MOST_FACTS


def _check(target: Target, noted: list[list[str]], counts: Counts) -> int:
    start = time.monotonic()
    with target.open("checker") as book:
        counts.slowest_opening_ms = max(counts.slowest_opening_ms, int(1_000 * (time.monotonic() - start)))
        book.verify()
        ids = {said: int(seq) for seq, said in noted if seq.isdecimal()}
        found = book.log.store.find(list(ids))
        lost = [f"fact {seq} {said}" for said, seq in ids.items() if found.get(said) != seq]
        lost += [f"blob {said}" for what, said in noted if what == "blob" and book.log.blob(said) is None]
        lost += [f"a writer failed: {said}" for what, said in noted if what == "error"]
        size = book.log.size
    counts.lost += lost
    return size


def check_end(target: Target, counts: Counts) -> None:
    """The kept views equal those that a rebuild makes; and writing goes on."""
    with target.open("checker") as book:
        before = rows_of(book)
        book.log.rebuild()
        if rows_of(book) != before:
            counts.lost.append("the kept views are not those of a rebuild")
        book.record(k.Enrol(maker="after-all"))
        book.verify()
        noted = lines_of(target.folder)
        acknowledged = sum(1 for what, _ in noted if what.isdecimal())
        counts.acknowledged += acknowledged
        counts.repeated += sum(1 for what, _ in noted if what == "again")
        counts.found_more += book.log.size - acknowledged - 3


def rows_of(book: gongfen.Book) -> list[object]:
    """Every answer that is kept."""
    return [
        *((name, *row) for name in accounts.TABLES for row in getattr(book.log.state, name).prefixed("")),
        *book.log.views.all_touches(),
        *book.log.views.all_bookings(),
    ]


# -- killing -----------------------------------------------------------------------------------------------------------


def campaign(store: Store, kills: int, writers: int, seed: int) -> Counts:
    """So many kills, in as many books as it takes; ends with the first loss."""
    chance, counts = random.Random(seed), Counts()  # noqa: S311 - a repeatable choice of moments, as far as one can
    while counts.all_kills < kills and not counts.lost:
        with tempfile.TemporaryDirectory(prefix="gongfen-kill-") as folder:
            _one_book(store, store.new_book(Path(folder)), kills, writers, chance, counts)
    return counts


def _one_book(store: Store, target: Target, kills: int, count: int, chance: random.Random, counts: Counts) -> None:
    """Kill what one book hangs on until it is large, or enough was killed."""
    target.create()
    counts.books += 1
    writers = Writers(target, chance.randrange(1_000_000))
    try:
        while counts.all_kills < kills:
            writers.start(count - len(writers.alive))
            # Some are killed while they open the book; most in the middle of a transaction.
            if chance.random() < 0.85:
                writers.wait()
            time.sleep(chance.random() ** 2 * store.longest_pause_s)
            what = store.kill_something(writers, chance, counts)
            counts.kills[what] = counts.kills.get(what, 0) + 1
            size = check(target, counts)
            if counts.lost or size >= MOST_FACTS:
                break
    finally:
        writers.kill(writers.alive)
    check(target, counts)
    if not counts.lost:
        check_end(target, counts)


# -- the command line --------------------------------------------------------------------------------------------------


def options(description: str, kills: int, writers: int) -> argparse.ArgumentParser:
    """What both commands can be asked."""
    asked = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=kills)
    asked.add_argument("--writers", type=int, default=writers, help="processes that write to one book")
    asked.add_argument("--seed", type=int, default=0)
    return asked


def tell(counts: Counts, seconds: float) -> int:
    """Print what happened; the exit code is 1 when something was lost."""
    kinds = ", ".join(f"{what}: {count}" for what, count in sorted(counts.kills.items()))
    print(f"{counts.all_kills} kills ({kinds}), {counts.books} books, {seconds:.0f} s")
    start = f"slowest start of the server {counts.slowest_start_ms} ms, " if counts.slowest_start_ms else ""
    print(
        f"{counts.acknowledged:,} facts acknowledged, {counts.found_more:,} more written, {counts.repeated:,} tries "
        f"repeated after an error; {start}slowest opening of the book {counts.slowest_opening_ms} ms"
    )
    print(f"lost: {len(counts.lost)}")
    for line in counts.lost[:10]:
        print(f"  {line}")
    return 1 if counts.lost else 0

"""Writers of one book are killed at random moments: nothing acknowledged is lost, and the next one needs no repair.

python benchmarks/kill.py [--kills N] [--writers N] [--seed N]

Several processes write single facts, batches and texts into one SQLite book, keep its views and rebuild them. After
``record`` has returned, a writer notes the numbers and ids in a file of its own: these facts are acknowledged. Then a
process is killed (SIGKILL) in the middle of whatever it does, and sometimes all of them at once. After every kill the
book is opened as usual and verified in full, while the others go on writing; every acknowledged fact must be there
under its number. Prints what happened; exit code 1 when something was lost.
"""

import argparse
import os
import random
import signal
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import gongfen
from gongfen import accounts
from gongfen import kinds as k
from gongfen.facts import Body, Unknown

MOST_FACTS = 1_500
"""A book that has so many gives way to a new one: verification should stay quick."""
LONGEST_PAUSE_S = 0.12
READY = b"ready\n"
EMPTY = sha256(b"").hexdigest()


@dataclass
class Counts:
    """What happened so far."""

    books: int = 0
    kills: int = 0
    of_all: int = 0
    acknowledged: int = 0
    found_more: int = 0
    """Facts that were written, but whose writer was killed before it could say so."""
    slowest_opening_ms: int = 0
    lost: list[str] = field(default_factory=list)


# -- writers -----------------------------------------------------------------------------------------------------------


def write_on(path: Path, notes: int, seed: int) -> None:
    """Write facts until killed; note those that are acknowledged."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice of deeds
    with gongfen.open(path, by=f"writer-{seed}") as book:
        os.write(notes, READY)
        for turn in range(1_000_000):
            dice = chance.random()
            if dice < 0.05:
                book.log.keep_views()
            elif dice < 0.08:
                book.log.rebuild()
            elif dice < 0.13:
                name = book.log.keep_blob(f"{seed} {turn}".encode() * chance.randrange(1, 2_000))
                os.write(notes, f"blob {name}\n".encode())
            else:
                some = 1 if dice < 0.6 else chance.randrange(2, 80)
                facts = [
                    book.log.new(body_of(chance, seed, turn, n), fact_id=f"{seed}-{turn}-{n}") for n in range(some)
                ]
                numbers = book.record(*facts)
                said = (f"{seq} {fact.id}\n" for seq, fact in zip(numbers, facts, strict=True))
                os.write(notes, "".join(said).encode())


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


@dataclass
class Writer:
    """A process, and the file in which it notes what was acknowledged."""

    process: int
    notes: Path

    @classmethod
    def start(cls, path: Path, seed: int) -> "Writer":
        """A writer that has opened the book."""
        notes = path.with_name(f"notes-{seed}")
        descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        process = os.fork()
        if process == 0:
            try:
                write_on(path, descriptor, seed)
            except BaseException:  # noqa: BLE001 - any error of a writer is a finding
                os.write(descriptor, f"error {traceback.format_exc()[-600:]!r}\n".encode())
            os._exit(1)
        os.close(descriptor)
        return cls(process, notes)

    def is_ready(self) -> bool:
        """Whether it has opened the book, or ended."""
        return self.notes.stat().st_size > 0

    def kill(self) -> None:
        """Kill it, at once and for good."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


# -- what must hold ----------------------------------------------------------------------------------------------------


def lines_of(folder: Path) -> list[list[str]]:
    """What all writers have noted; the end of a line may be missing where one was killed while noting."""
    found: list[list[str]] = []
    for notes in folder.glob("notes-*"):
        whole, _, _ = notes.read_text(encoding="utf-8").rpartition("\n")
        found += [line.split(" ", 1) for line in whole.split("\n") if line != "ready" and line]
    return found


def check(path: Path, counts: Counts) -> int:
    """Open, verify, look for everything that was acknowledged; how many facts there are."""
    noted = lines_of(path.parent)
    start = time.monotonic()
    try:
        with gongfen.open(path, by="checker") as book:
            counts.slowest_opening_ms = max(counts.slowest_opening_ms, int(1_000 * (time.monotonic() - start)))
            book.verify()
            ids = {said: int(seq) for seq, said in noted if seq.isdecimal()}
            found = book.log.store.find(list(ids))
            counts.lost += [f"fact {seq} {said}" for said, seq in ids.items() if found.get(said) != seq]
            counts.lost += [f"blob {said}" for what, said in noted if what == "blob" and book.log.blob(said) is None]
            counts.lost += [f"a writer failed: {said}" for what, said in noted if what == "error"]
            return book.log.size
    except Exception:  # noqa: BLE001 - a book that does not open is the finding
        counts.lost.append(traceback.format_exc())
        return MOST_FACTS


def check_end(path: Path, counts: Counts) -> None:
    """The kept views equal those that a rebuild makes; and writing goes on."""
    with gongfen.open(path, by="checker") as book:
        before = rows_of(book)
        book.log.rebuild()
        if rows_of(book) != before:
            counts.lost.append("the kept views are not those of a rebuild")
        book.record(k.Enrol(maker="after-all"))
        book.verify()
        noted = sum(1 for what, _ in lines_of(path.parent) if what.isdecimal())
        counts.acknowledged += noted
        counts.found_more += book.log.size - noted - 3


def rows_of(book: gongfen.Book) -> list[object]:
    """Every answer that is kept."""
    return [
        *((name, *row) for name in accounts.TABLES for row in getattr(book.log.state, name).prefixed("")),
        *book.log.views.all_touches(),
        *book.log.views.all_bookings(),
    ]


# -- killing -----------------------------------------------------------------------------------------------------------


def one_book(folder: Path, kills: int, writers: int, chance: random.Random, counts: Counts) -> None:
    """Kill writers of one book until it is large, or enough were killed."""
    path = folder / "book.db"
    with gongfen.create(path, origin="example.org/kill", by="test") as book:
        book.record(
            k.Enrol(maker="crew", form="group", people=1_000_000),
            k.Work(work="item", sha256=EMPTY, size_bytes=0, makers=(), source="s", licence="CC0-1.0"),
        )
    counts.books += 1
    seeds = iter(range(chance.randrange(1_000_000), 1 << 40))
    alive = [Writer.start(path, next(seeds)) for _ in range(writers)]
    try:
        while counts.kills < kills:
            # Some are killed while they open the book; most in the middle of a transaction.
            if chance.random() < 0.85:
                wait_for(alive)
            time.sleep(chance.random() ** 2 * LONGEST_PAUSE_S)
            dying = alive[:] if chance.random() < 0.3 else [chance.choice(alive)]
            for writer in dying:
                writer.kill()
                alive.remove(writer)
            counts.kills += len(dying)
            counts.of_all += len(dying) == writers
            size = check(path, counts)
            if counts.lost or size >= MOST_FACTS:
                break
            alive += [Writer.start(path, next(seeds)) for _ in dying]
    finally:
        for writer in alive:
            writer.kill()
    check(path, counts)
    if not counts.lost:
        check_end(path, counts)


def wait_for(writers: list[Writer]) -> None:
    """Until each has opened the book, or a while."""
    end = time.monotonic() + 10
    while time.monotonic() < end and not all(writer.is_ready() for writer in writers):
        time.sleep(0.001)


def campaign(kills: int, writers: int, seed: int) -> Counts:
    """So many kills, in as many books as it takes; ends with the first loss."""
    chance, counts = random.Random(seed), Counts()  # noqa: S311 - a repeatable choice of moments, as far as one can
    while counts.kills < kills and not counts.lost:
        with tempfile.TemporaryDirectory(prefix="gongfen-kill-") as place:
            one_book(Path(place), kills, writers, chance, counts)
    return counts


def main() -> None:
    """Print the counts; exit 1 when something was lost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=300)
    options.add_argument("--writers", type=int, default=3, help="processes that write to one book")
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    start = time.monotonic()
    counts = campaign(asked.kills, asked.writers, asked.seed)
    print(
        f"{counts.kills} kills (all of {asked.writers} writers at once: {counts.of_all} times), {counts.books} books, "
        f"{time.monotonic() - start:.0f} s"
    )
    print(
        f"{counts.acknowledged:,} facts acknowledged, {counts.found_more:,} more written; "
        f"slowest opening {counts.slowest_opening_ms} ms"
    )
    print(f"lost: {len(counts.lost)}")
    for line in counts.lost[:10]:
        print(f"  {line}")
    raise SystemExit(1 if counts.lost else 0)


if __name__ == "__main__":
    main()

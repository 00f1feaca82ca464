"""One byte of a book's file is changed, anywhere: a named error, or the very same facts and answers.

python benchmarks/flips.py [--small] [--large N] [--facts N] [--full N]

``--small``: every byte of the file of a small book, and of the same book in pages of 512 bytes, each through a full
verification. ``--large N``: N random places of a book of ``--facts`` facts. There a flip goes through the same
verification with two short cuts, which cannot change its outcome: rows that are bit for bit those of the undamaged
book (which was verified in full) are not hashed, parsed and booked again; and the answers are compared with those of
the undamaged book instead of being made again from the same facts. ``--full N`` of these flips go through the full
verification as well, and both must agree.
"""

import argparse
import os
import random
import select
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import gongfen
from gongfen import accounts
from gongfen import kinds as k
from gongfen.book.proving.verification import _compare, _read_entry
from gongfen.errors import BookPlaceError, DamagedBookError, ProofError
from gongfen.facts import Fact
from gongfen.facts.notation import read_words

NAMED = (DamagedBookError, BookPlaceError, ProofError)
HARMLESS = "harmless"
MASKS = (0x01, 0x80, 0xFF)
LONGEST_S = 60
HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SMALL = f"""
enrol maker=ada
enrol maker=bo
standard standard=s1 basis=test reductions=[] machines=[] melt_micro=40.0 currency=EUR
policy policy=p1 statement=half pool_ppm=500000 beta_ppm=0 utility=u currency=EUR
work work=poem sha256={HASH} size_bytes=0 makers=ada:400000,bo:600000 source=test licence=CC0-1.0
labour maker=ada work=poem labour_kind=1 phase=training standing=crowd labour_us=2h day=2026-11-01
output output=song sha256={HASH} size_bytes=0
make make=singing activity=generate inputs=[{{"work":"poem","role":"data"}}] outputs=["song"] tool=test
"""

Flip = tuple[int, int]
"""(offset, mask)."""
Check = Callable[[Path], str]
"""What becomes of a damaged file."""


# -- what a book says --------------------------------------------------------------------------------------------------


def sight(book: gongfen.Book) -> list[object]:
    """Everything that a reader of a book can see: facts, checkpoints, texts, answers, settings."""
    store = book.log.store
    return [
        *book.log.facts(),
        *store.checkpoints(),
        book.log.checkpoint(),
        *((name, store.blob(name)) for name in store.blob_names()),
        *((name, *row) for name in accounts.TABLES for row in getattr(book.log.state, name).prefixed("")),
        *book.log.views.all_touches(),
        *book.log.views.all_bookings(),
        *(book.log.find(fact.id) for _, fact in book.log.facts()),
        *(store.meta(name) for name in ("origin", "key", "schema")),
    ]


def named(check: Callable[[], bool]) -> str:
    """The name of a named error, or whether nothing has changed; whatever else happens begins with a mark."""
    try:
        return HARMLESS if check() else "! unnoticed"
    except NAMED as error:
        return type(error).__name__
    except Exception as error:  # noqa: BLE001 - that there is none is what is tested
        return f"! {type(error).__name__}: {error}"


def whole(was: list[object]) -> Check:
    """Read without verifying, which ends well or with a named error; then verify, and nothing may have changed."""

    def check(path: Path) -> bool:
        with gongfen.open(path) as book:
            with suppress(*NAMED):
                sight(book)
            book.receipt(0)
            book.verify()
            return sight(book) == was

    return lambda path: named(lambda: check(path))


# -- a large book ------------------------------------------------------------------------------------------------------

ROWS = {
    "fact": "SELECT seq, id, leaf, data FROM fact ORDER BY seq",
    "node": "SELECT * FROM node",
    "checkpoint": "SELECT * FROM checkpoint",
    "blob": "SELECT * FROM blob",
    "meta": "SELECT * FROM meta",
    "answers": "SELECT tbl, key, row FROM view UNION ALL SELECT ref, first, seqs FROM touch"
    " UNION ALL SELECT 'posting', first, bookings FROM posting UNION ALL SELECT 'viewed', one, size FROM viewed",
}


def raw_rows(book: gongfen.Book) -> dict[str, list[tuple[Any, ...]]]:
    """Every row as it stands in the file."""
    return {name: list(book.log.store._db.rows(query)) for name, query in ROWS.items()}  # type: ignore[attr-defined]  # noqa: SLF001 - the very rows


def restricted(undamaged: gongfen.Book) -> Check:
    """Verify what is not bit for bit as in the undamaged book, which holds."""
    undamaged.verify()
    was = raw_rows(undamaged)

    def check(path: Path) -> bool:
        with gongfen.open(path) as book, book.log.reading():
            if flaws := book.log.store.flaws():
                raise DamagedBookError(str(path), flaws[0], "")
            now = raw_rows(book)
            if any(now[name] != was[name] for name in ("meta", "checkpoint", "blob", "node")):
                book.verify()
                return False
            for due, entry in zip(was["fact"], book.log.store.entries(), strict=False):
                if tuple(entry) != due:
                    if entry.seq != due[0]:
                        raise DamagedBookError(str(path), "lacks a fact", "")
                    _read_entry(book.log, str(path), entry)
                    return False
            if len(now["fact"]) != len(was["fact"]):
                book.verify()
                return False
            if now["answers"] != was["answers"]:
                _compare(book.log, undamaged.log)  # type: ignore[arg-type]  # its state and its views are asked for
            return True

    return lambda path: named(lambda: check(path))


# -- flipping ----------------------------------------------------------------------------------------------------------


def flipped(original: Path, flips: Iterable[Flip], check: Check) -> Iterator[str]:
    """Flip one byte at a time in a copy, and check it. A copy that a check wrote to is made anew."""
    data = original.read_bytes()
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / original.name
        fresh = False
        for offset, mask in flips:
            for beside in ("-wal", "-shm", "-journal"):
                copy.with_name(copy.name + beside).unlink(missing_ok=True)
            if not fresh:
                copy.write_bytes(data)
            _poke(copy, offset, data[offset] ^ mask)
            before = copy.stat().st_mtime_ns
            yield check(copy)
            fresh = copy.stat().st_mtime_ns == before
            if fresh:
                _poke(copy, offset, data[offset])


def _poke(path: Path, offset: int, value: int) -> None:
    with path.open("r+b", buffering=0) as file:
        os.pwrite(file.fileno(), bytes([value]), offset)


def isolated(original: Path, flips: list[Flip], check: Check) -> Iterator[tuple[Flip, str]]:
    """The same in processes of their own: one that dies or hangs is an outcome too."""
    done = 0
    while done < len(flips):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            with suppress(BaseException), os.fdopen(writer, "w") as said:
                for outcome in flipped(original, flips[done : done + 1_000], check):
                    said.write(outcome.replace("\n", " ") + "\n")
                    said.flush()
            os._exit(0)
        os.close(writer)
        expected = min(done + 1_000, len(flips))
        with os.fdopen(reader) as answers:
            while done < expected:
                ready = select.select([answers], [], [], LONGEST_S)[0]
                line = answers.readline() if ready else ""
                if not line:
                    os.kill(child, signal.SIGKILL)
                yield flips[done], line.rstrip("\n") or ("! the process died" if ready else "! hangs")
                done += 1
                if not line:
                    break
        os.waitpid(child, 0)


def noted(found: Iterable[tuple[Flip, str]], kept: dict[Flip, str]) -> Iterator[tuple[Flip, str]]:
    """The outcomes, kept as they come."""
    for flip, outcome in found:
        kept[flip] = outcome
        yield flip, outcome


def compared(found: Iterable[tuple[Flip, str]], kept: dict[Flip, str]) -> Iterator[tuple[Flip, str]]:
    """The outcomes, each of which must be the one that was kept."""
    for flip, outcome in found:
        yield flip, outcome if outcome == kept[flip] else f"! {outcome}, where the restricted check says {kept[flip]}"


def report(title: str, found: Iterable[tuple[Flip, str]]) -> bool:
    """Count outcomes; whether all are named or harmless."""
    start, outcomes = time.monotonic(), Counter[str]()
    shown = 0
    for (offset, mask), outcome in found:
        outcomes[outcome if not outcome.startswith("!") else outcome[:60]] += 1
        if outcome.startswith("!") and (shown := shown + 1) <= 40:
            print(f"  byte {offset} ^ {mask:#04x}: {outcome}", flush=True)
    total = sum(outcomes.values())
    counts = ", ".join(f"{name} {count:,}" for name, count in outcomes.most_common())
    print(f"{title}: {total:,} flips in {time.monotonic() - start:.0f} s: {counts}", flush=True)
    return not any(name.startswith("!") for name in outcomes)


# -- books -------------------------------------------------------------------------------------------------------------


def small_book(folder: Path, page_bytes: int = 4_096) -> Path:
    """Eight facts, a text, answers that are kept; closed, in a file of its own."""
    path = folder / "small.db"
    with gongfen.create(path, origin="example.org/small", by="test") as book:
        for line in SMALL.strip().splitlines():
            book.record(read_words(line.split()))
        book.log.keep_blob(b"")
        book.log.keep_views()
    if page_bytes != 4_096:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for step in ("PRAGMA journal_mode = DELETE", f"PRAGMA page_size = {page_bytes}", "VACUUM"):
                db.execute(step)
            db.execute("PRAGMA journal_mode = WAL")
    return path


def large_book(folder: Path, facts: int) -> Path:
    """Makers, works, labour: facts as a busy desk records them, in batches."""
    path = folder / "large.db"
    bodies: list[k.Body] = [k.Enrol(maker=f"maker-{n}") for n in range(facts // 100)]
    makers = len(bodies)
    bodies += [
        k.Work(
            work=f"item-{n}", sha256=HASH, size_bytes=0, source="bench", licence="CC0-1.0",
            makers=(k.Part(maker=f"maker-{n % makers}", ppm=1_000_000),),
        )
        for n in range(facts // 10)
    ]  # fmt: skip
    works = len(bodies) - makers
    bodies += [
        k.Labour(
            maker=f"maker-{n % makers}", work=f"item-{n % works}", labour_kind=2, phase="training", standing="crowd",
            labour_us=40_000_000 + n, day=f"2026-{1 + n % 12:02}-{1 + n % 28:02}",
        )
        for n in range(facts - len(bodies))
    ]  # fmt: skip
    said = [
        Fact(id=f"bench-{number:09}", at="2026-11-22T04:17:24.000000Z", by="bench", body=body)
        for number, body in enumerate(bodies)
    ]
    with gongfen.create(path, origin="example.org/large", by="bench") as book:
        for start in range(0, len(said), 256):
            book.record(*said[start : start + 256])
        book.log.keep_blob(b"text")
        book.log.keep_views()
    return path


def every_byte(path: Path, chance: random.Random) -> list[Flip]:
    """Each byte once, each by one of the masks."""
    return [(offset, chance.choice(MASKS)) for offset in range(path.stat().st_size)]


def main() -> None:
    """Print what became of the flips; exit 1 if one was not noticed, or not named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--small", action="store_true", help="every byte of a small book")
    options.add_argument("--large", type=int, default=0, metavar="N", help="N random places of a large book")
    options.add_argument("--facts", type=int, default=20_000, help="facts of the large book")
    options.add_argument("--full", type=int, default=0, metavar="N", help="N of them verified in full as well")
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    chance, good = random.Random(asked.seed), True  # noqa: S311 - a repeatable choice of places
    with tempfile.TemporaryDirectory() as place:
        for page_bytes in (512, 4_096) if asked.small else ():
            folder = Path(place) / str(page_bytes)
            folder.mkdir()
            path = small_book(folder, page_bytes)
            with gongfen.open(path) as book:
                was = sight(book)
            title = f"every byte of a small book, pages of {page_bytes}"
            good &= report(title, isolated(path, every_byte(path, chance), whole(was)))
        if asked.large:
            path = large_book(Path(place), asked.facts)
            size = path.stat().st_size
            flips = [(chance.randrange(size), chance.choice(MASKS)) for _ in range(asked.large)]
            (Path(place) / "kept").mkdir()
            kept = Path(place) / "kept" / path.name
            kept.write_bytes(path.read_bytes())
            with gongfen.open(kept) as undamaged:
                title = f"{asked.large:,} random places of a book of {asked.facts:,} facts, {size:,} bytes"
                quick: dict[Flip, str] = {}
                good &= report(title, noted(isolated(path, flips, restricted(undamaged)), quick))
                if asked.full:
                    full = isolated(path, flips[: asked.full], whole(sight(undamaged)))
                    good &= report("the first of them, verified in full", compared(full, quick))
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()

"""Books of every released version open with today's code, and say what they said."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book.recording.record import Receipt
from gongfen.errors import BookPlaceError
from gongfen.storage.connection import Connection
from gongfen.storage.sqlite import SCHEMA_VERSION
from tests.test_crash import unprivileged

ROOT = Path(__file__).parent.parent
RELEASED = Path(__file__).parent / "released"
VERSIONS = sorted(path.stem for path in RELEASED.glob("*.sql"))


def released_book(version: str, folder: Path) -> Path:
    """A book as that version left it."""
    path = folder / "book.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((RELEASED / f"{version}.sql").read_text(encoding="utf-8"))
        db.execute("PRAGMA journal_mode = WAL")
    shutil.copy(RELEASED / f"{version}.key", folder / "book.db.key")
    return path


def golden(version: str) -> Any:
    """What that version said of it."""
    return json.loads((RELEASED / f"{version}.json").read_text(encoding="utf-8"))


def schema_of(path: Path) -> str:
    """The number of a book's schema, read without any of our code."""
    with closing(sqlite3.connect(path)) as db:
        (found,) = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return str(found)


def shape_of(path: Path) -> set[tuple[str, str]]:
    """How every table, index and trigger of a book is made."""
    with closing(sqlite3.connect(path)) as db:
        return set(db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def holds(now: Any, then: Any) -> bool:
    """Whether an answer says all that it said then; it may say more."""
    if isinstance(then, dict):
        return all(name in now and holds(now[name], then[name]) for name in then)
    if isinstance(then, list):
        return len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_book_of_a_released_version_says_what_it_said(version: str, tmp_path: Path) -> None:
    path, said = released_book(version, tmp_path), golden(version)
    with gongfen.open(path) as book:
        facts = [entry.data for entry in book.log.store.entries()]
        assert (len(facts), sha256(b"\n".join(facts)).hexdigest()) == (said["size"], said["facts_sha256"])
        assert (str(book.log.verifier), book.log.checkpoint()) == (said["key"], said["checkpoint"])
        assert list(book.balance()) == said["balance"]
        for name, answer in (("who", book.who("song-1")), ("worth", book.worth("song-1")), ("owed", book.owed())):
            assert holds(msgspec.to_builtins(answer, str_keys=True), said[name]), name
        maker, salt, details = said["person"]
        assert book.log.store.person(maker) == (salt, details)
        found = book.details(maker)
        assert (found.details, found.committed) == (json.loads(details), True)
        verified = book.verify(said["key"])
        assert (verified.root, len(verified.settlements)) == (said["root"], 1)
        assert book.log.blob(sha256(b"text").hexdigest()) == b"text"
    assert schema_of(path) == SCHEMA_VERSION


@pytest.mark.parametrize("version", VERSIONS)
def test_a_receipt_of_a_released_version_holds(version: str, tmp_path: Path) -> None:
    receipt = msgspec.json.decode((RELEASED / f"{version}.receipt.json").read_bytes(), type=Receipt)
    with gongfen.open(released_book(version, tmp_path)) as book:
        receipt.check(book.log.verifier)
        assert book.log.entry(receipt.seq).data.decode() == receipt.data
        assert book.receipt(receipt.seq).fact == receipt.fact


@pytest.mark.parametrize("version", VERSIONS)
def test_writing_goes_on_in_a_book_of_a_released_version(version: str, tmp_path: Path) -> None:
    path, said = released_book(version, tmp_path), golden(version)
    with gongfen.open(path) as book:
        book.record(*(k.Enrol(maker=f"maker-{number}") for number in range(300)))
        book.verify(said["key"], since=said["checkpoint"])
        book.log.keep_views()
        book.forget(said["person"][0])
    with gongfen.open(path) as book:
        book.verify(said["key"], since=said["checkpoint"])
        assert book.log.size == said["size"] + 301


@pytest.mark.parametrize("version", VERSIONS)
def test_a_migrated_book_is_made_like_a_new_one(version: str, tmp_path: Path) -> None:
    path = released_book(version, tmp_path)
    gongfen.open(path).close()
    gongfen.create(tmp_path / "new.db").close()
    assert shape_of(path) == shape_of(tmp_path / "new.db")


@pytest.mark.parametrize("overwrites", [True, False], ids=["overwriting", "not overwriting"])
def test_personal_details_leave_the_book_with_the_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, overwrites: bool
) -> None:
    """They lie in a file of their own now, and not one byte of them in the book's, not even in its free pages.

    Nor where SQLite was built without overwriting what it deletes.
    """
    if not overwrites:
        run = Connection.run
        off = {"PRAGMA secure_delete = ON": "PRAGMA secure_delete = OFF"}
        monkeypatch.setattr(Connection, "run", lambda db, query, *rest: run(db, off.get(query, query), *rest))
    path = released_book("0.1.0", tmp_path)
    _, salt, details = golden("0.1.0")["person"]
    assert salt.encode() in path.read_bytes()
    assert details.encode() in path.read_bytes()
    book = gongfen.open(path)
    for found in tmp_path.iterdir():
        inside = salt.encode() in found.read_bytes() or b"Dee Doe" in found.read_bytes()
        assert inside == (found.name == "book.db.people"), found.name
    book.close()


# -- broken off --------------------------------------------------------------------------------------------------------

BREAKING_OFF = """
import os, random, shutil, signal, sys, time
from pathlib import Path
import gongfen, gongfen.book.proving.verification
from gongfen.storage.connection import Connection
folder, root = Path(sys.argv[1]), sys.argv[2]
work = folder / "work"

def fresh():
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for end in ("", ".key"):
        shutil.copy(folder / f"book.db{end}", work / f"book.db{end}")
    return work / "book.db"

def die_at(step):
    # A real SIGKILL, before or after each statement of the migration.
    run, left = Connection.run, [step]
    def counted(self, query, values=()):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return run(self, query, values)
    Connection.run = counted

def opening(path, step=None):
    process = os.fork()
    if process == 0:
        try:
            if step is not None:
                die_at(step)
            gongfen.open(path).close()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    return process

def check(path, process):
    import sqlite3
    status = os.waitpid(process, 0)[1]
    assert status in (0, signal.SIGKILL), status
    db = sqlite3.connect(path)
    schema = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()[0]
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
    db.close()
    assert ("person" in tables, "cosigned" in tables) == ((True, False) if schema == "1" else (False, True))
    with gongfen.open(path) as book:
        assert book.verify().root == root
        assert book.log.store.person("dee") is not None
    return status, schema

found = []
for step in range(200):
    path = fresh()
    found.append(check(path, opening(path, step)))
    if found[-1][0] == 0:
        break
chance = random.Random(int(sys.argv[3]))
for _ in range(30):
    path = fresh()
    process = opening(path)
    time.sleep(chance.random() * 0.02)
    os.kill(process, signal.SIGKILL)
    found.append(check(path, process))
for _ in range(10):  # two programs at once
    path = fresh()
    processes = [opening(path) for _ in range(3)]
    found += [check(path, process) for process in processes]
    assert all(status == 0 for status, _ in found[-3:])
kills = [schema for status, schema in found if status]
print(len(kills), kills.count("1"), kills.count("2"))
"""


def test_a_migration_that_is_killed_leaves_the_old_book_or_the_new_one(tmp_path: Path) -> None:
    """At every statement, and at random moments; and three programs that migrate at once."""
    released_book("0.1.0", tmp_path)
    command = [sys.executable, "-c", BREAKING_OFF, tmp_path, golden("0.1.0")["root"], "7"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert found.returncode == 0, found.stderr
    kills, old, new = map(int, found.stdout.split())
    assert kills > 15
    assert old > 5
    assert new > 2, "some were killed after the migration, when the answers were folded again"


def test_an_old_book_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    path = released_book("0.1.0", tmp_path)
    path.chmod(0o444)
    (line,) = unprivileged(path, "tell(lambda: gongfen.open(path))")
    assert line == (
        f"BookPlaceError|the book {path}|has the schema of version 0.1, and cannot be brought to today's: cannot be used: "
        "attempt to write a readonly database|open it once where it may be written"
    )
    assert schema_of(path) == "1"


@pytest.mark.parametrize(("schema", "reason"), [("99", "has schema 99"), (None, "was never finished")])
def test_a_schema_that_is_not_known_is_named(tmp_path: Path, schema: str | None, reason: str) -> None:
    path = tmp_path / "book.db"
    gongfen.create(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM meta WHERE key = 'schema'")
        if schema:
            db.execute("INSERT INTO meta VALUES ('schema', ?)", (schema,))
    before = path.read_bytes()
    with pytest.raises(BookPlaceError, match=reason):
        gongfen.open(path)
    assert path.read_bytes() == before


# -- nothing is forgotten ----------------------------------------------------------------------------------------------


def test_every_released_version_has_its_book() -> None:
    headings = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\](.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert headings
    released = {version for version, rest in headings if "unreleased" not in rest.lower()}
    assert released <= set(VERSIONS)
    for version in VERSIONS:
        assert {path.name for path in RELEASED.glob(f"{version}.*")} == {
            f"{version}{end}" for end in (".sql", ".key", ".json", ".receipt.json")
        }


def test_a_released_schema_is_never_changed_and_every_older_one_has_a_migration(tmp_path: Path) -> None:
    gongfen.create(tmp_path / "new.db").close()
    for version in VERSIONS:
        folder = tmp_path / version
        folder.mkdir()
        path = released_book(version, folder)
        schema = schema_of(path)
        assert 1 <= int(schema) <= int(SCHEMA_VERSION)
        if schema == SCHEMA_VERSION:
            assert shape_of(path) == shape_of(tmp_path / "new.db"), "a released schema is changed by a new number only"
        for number in range(int(schema), int(SCHEMA_VERSION)):
            assert files("gongfen.storage").joinpath(f"migrate_{number}.sql").is_file()

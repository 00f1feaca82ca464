"""The log as files: grown at every border, cut off at every step, altered at every byte, mirrored over real HTTP.

No other implementation of tlog-tiles can be had here. In its place stand the examples of the specification
(tests/test_tiles.py), the notes and keys of its authors (tests/test_note.py), and a mirror's tree that is computed a
second time from the entries alone.
"""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

import gongfen
from gongfen.book.proving import fetching
from gongfen.book.proving.mirroring import (
    CheckedLog,
    Source,
    check_published,
    compare,
    head_of,
    mirror,
    root_of_first,
)
from gongfen.book.proving.published import LogFolder, PublishedLog, publish
from gongfen.errors import (
    BookPlaceError,
    DamagedBookError,
    ForkError,
    InputError,
    ProofError,
    UnreachableError,
)
from gongfen.facts import kinds as k
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.note import Signer
from gongfen.proof.policy import Policy
from gongfen.proof.tiles import TileReader, check_tiles, files
from gongfen.storage import Entry
from tests.books import ORIGIN, new_book
from tests.test_cli import gongfen_
from tests.web import WebServer

SIZES = (1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 600)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def grow(book: gongfen.Book, size: int, name: str = "m") -> None:
    """Facts until there are so many."""
    book.log.record(k.Enrol(maker=f"{name}{number}") for number in range(book.log.size, size))


def a_long_fact() -> k.Standard:
    """One that the log holds by its body's hash."""
    skills = tuple(k.Reduction(skill=f"skill-{number}", num=2, den=1) for number in range(2_000))
    return k.Standard(standard="s1", basis="test", reductions=skills, machines=(), melt_micro=1, currency="EUR")


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def keys(book: gongfen.Book) -> tuple[Any, ...]:
    return book.log.verifiers


def checked(folder: Path, book: gongfen.Book, **more: Any) -> CheckedLog:
    return check_published(Source(str(folder)), keys(book), **more)


class Held(Source):
    """A published log in memory, to be altered."""

    def __init__(self, held: dict[str, bytes]) -> None:
        self.place = "held"
        self.held = held

    def fetch(self, name: str) -> bytes:
        return self.held[name]


# Publishing


def test_a_log_that_is_published_as_it_grows_is_the_same_as_one_published_at_once(tmp_path: Path) -> None:
    """At every border of a tile: and what is new, and no more, is written."""
    book = new_book(tmp_path)
    at_sizes: dict[str, bytes] = {}
    before = 0
    for size in SIZES:
        grow(book, size)
        found = publish(book.log, tmp_path / "log")
        assert (found.before, found.size, found.root) == (before, size, book.log.tree.root().hex())
        entries = [entry.data for entry in book.log.store.entries()]
        now = dict(files(size, 0, book.log.tree.subtree, lambda a, b, e=entries: e[a:b]))
        new = set(now) - set(at_sizes)
        assert found.files == len(new) + 1 + (before == 0)  # the checkpoint; the key, once
        at_sizes |= now
        # A partial tile stays for readers of its size, until the full one is there.
        at_sizes = {
            name: data
            for name, data in at_sizes.items()
            if name.partition(".p/")[0] not in at_sizes or ".p/" not in name
        }
        there = tree(tmp_path / "log")
        assert there.pop("checkpoint").decode() == book.log.checkpoint()
        assert there.pop("key").decode() == f"{book.log.verifier}\n"
        assert there == at_sizes
        assert checked(tmp_path / "log", book).root == found.root
        before = size
    again = publish(book.log, tmp_path / "log")
    assert (again.files, again.before) == (0, SIZES[-1])


class Synthetic:
    """A record of very many entries that takes no database: what ``publish`` asks of one."""

    def __init__(self, size: int) -> None:
        self.path = Path("synthetic")
        self.signer = Signer(ORIGIN, bytes(32))
        self.verifiers = (self.signer.verifier,)
        self.origin = ORIGIN
        self.data = [b"%d" % number for number in range(size)]
        self.leaves = [merkle.leaf_hash(data) for data in self.data]
        self.size = size
        self.store = self.tree = self
        self.subtree = merkle.subtrees_of(self.leaves)

    @contextmanager
    def reading(self) -> Iterator[None]:
        yield

    def checkpoint(self) -> str:
        return Checkpoint(ORIGIN, self.size, merkle.root(self.size, self.subtree)).sign(self.signer)

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        return (Entry(seq, str(seq), self.leaves[seq], self.data[seq]) for seq in range(start, min(end, self.size)))


def test_the_third_level_of_tiles_begins_at_65536_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    record: Any = Synthetic(65_537)
    for size in (65_535, 65_536, 65_537):
        record.size = size
        publish(record, tmp_path)
        head = Checkpoint(ORIGIN, size, merkle.root(size, record.subtree))
        assert check_tiles(head, Source(str(tmp_path)).fetch) > 512
        for old in (1, 256, 65_280, 65_535):
            assert root_of_first(old, head, TileReader(size, Source(str(tmp_path)).fetch)) == merkle.root(
                old, record.subtree
            )
    there = tree(tmp_path)
    assert "tile/1/000" in there
    partial = sorted(name for name in there if ".p/" in name)
    assert partial == ["tile/0/256.p/1", "tile/2/000.p/1", "tile/entries/256.p/1"]


def test_the_body_of_a_long_fact_lies_beside_the_log(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.record(k.Enrol(maker="ada"), a_long_fact())
    book.log.keep_blob(b"a text of a work")
    publish(book.log, tmp_path / "log")
    bodies = [name for name in tree(tmp_path / "log") if name.startswith("blobs/")]
    assert len(bodies) == 1, "the text of a work is not published"
    found = checked(tmp_path / "log", book)
    assert (found.bodies, found.missing) == (1, 0)
    (tmp_path / "log" / bodies[0]).unlink()
    assert checked(tmp_path / "log", book).missing == 1
    (tmp_path / "log" / bodies[0]).write_bytes(b"another body")
    with pytest.raises(ProofError, match=f"{bodies[0]} is not what its hash says"):
        checked(tmp_path / "log", book)


def test_another_log_is_never_overwritten(tmp_path: Path) -> None:
    book, other = new_book(tmp_path), new_book(tmp_path, name="other.db")
    for one in (book, other):
        grow(one, 3)
    publish(book.log, tmp_path / "log")
    before = tree(tmp_path / "log")
    with pytest.raises(ProofError, match=r"checkpoint is not a checkpoint of example.org/book"):
        publish(other.log, tmp_path / "log")
    assert tree(tmp_path / "log") == before


def test_a_book_that_was_set_back_is_not_published_over_its_later_state(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    copy = a_copy(book, "copy.db")
    grow(book, 5)
    publish(book.log, tmp_path / "log")
    before = tree(tmp_path / "log")
    with pytest.raises(
        ProofError, match=r"signs 5 entries with root [0-9a-f]{16}….*this book has 3, with root"
    ) as refused:
        publish(copy.log, tmp_path / "log")
    assert not isinstance(refused.value, ForkError)
    assert tree(tmp_path / "log") == before


@pytest.mark.parametrize("size", [5, 6, 300])
def test_a_forked_book_is_not_published_over_its_other_half(tmp_path: Path, size: int) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    fork = a_copy(book, "fork.db")
    grow(book, 5)
    grow(fork, size, "other")
    publish(book.log, tmp_path / "log")
    before = tree(tmp_path / "log")
    with pytest.raises(ForkError, match="was published with 5 entries that are not the first 5") as found:
        publish(fork.log, tmp_path / "log")
    assert (found.value.first, found.value.second) == (book.log.checkpoint(), fork.log.checkpoint())
    assert tree(tmp_path / "log") == before


def a_copy(book: gongfen.Book, name: str) -> gongfen.Book:
    """The book with its key, copied: what an operator would do who wants to tell two stories."""
    book.log.keep_views()
    place = book.log.path.with_name(name)
    import sqlite3

    with sqlite3.connect(book.log.path) as db, sqlite3.connect(place) as to:
        db.backup(to)
    place.with_name(f"{name}.key").write_text(book.log.path.with_name(book.log.path.name + ".key").read_text())
    return gongfen.open(place, by="test")


def test_a_file_that_should_not_be_there_stops_the_publication(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 300)
    (tmp_path / "log" / "tile" / "0").mkdir(parents=True)
    (tmp_path / "log" / "tile" / "0" / "000").write_bytes(b"x" * 8192)
    with pytest.raises(ProofError, match="tile/0/000 is there already, with another content"):
        publish(book.log, tmp_path / "log")
    assert not (tmp_path / "log" / "checkpoint").exists()


def test_a_damaged_book_is_not_published(tmp_path: Path) -> None:
    """Another leaf, other bytes, a lost row: the checkpoint stays away."""
    attacks: dict[str, Callable[[Synthetic], Any]] = {
        "other bytes": lambda record: record.data.__setitem__(7, b"other"),
        "another leaf": lambda record: (
            record.data.__setitem__(7, b"o"),
            record.leaves.__setitem__(7, merkle.leaf_hash(b"o")),
        ),
        "lost": lambda record: record.data.pop(),
    }
    for name, attack in attacks.items():
        record: Any = Synthetic(300)
        attack(record)
        with pytest.raises((DamagedBookError, IndexError)):
            publish(record, tmp_path / name)
        assert not (tmp_path / name / "checkpoint").exists()


def test_two_publications_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    with LogFolder(tmp_path / "log").alone(), pytest.raises(BookPlaceError, match="being written by another command"):
        publish(book.log, tmp_path / "log")
    publish(book.log, tmp_path / "log")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    (tmp_path / "file").write_text("")
    with pytest.raises(BookPlaceError, match="is not a folder"):
        publish(book.log, tmp_path / "file")
    with pytest.raises(BookPlaceError, match="cannot be written"):
        publish(book.log, tmp_path / "file" / "log")


class Killed(BaseException):
    """The machine stops here."""


def test_publishing_that_is_cut_off_at_any_step_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every single sync, rename and removal: a reader sees the old log or the new one, and the end is the same."""
    book = new_book(tmp_path)
    grow(book, 255)
    publish(book.log, tmp_path / "first")
    grow(book, 600)
    publish(book.log, tmp_path / "whole")
    publish_again(tmp_path / "first", tmp_path / "grown", book)
    steps = count_steps(monkeypatch, lambda: publish_again(tmp_path / "first", tmp_path / "counted", book))
    assert steps > 20
    for step in range(steps):
        place = tmp_path / f"cut{step}"
        copy_tree(tmp_path / "first", place)
        with stopped_at(monkeypatch, step):
            publish(book.log, place)
        assert checked(place, book).size in (255, 600)
        publish(book.log, place)
        assert tree(place) == tree(tmp_path / "grown")
        assert not [name for name in (path.name for path in place.iterdir()) if name.startswith(".")]


def copy_tree(source: Path, place: Path) -> None:
    for name, data in tree(source).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)


def publish_again(source: Path, place: Path, book: gongfen.Book) -> PublishedLog:
    copy_tree(source, place)
    return publish(book.log, place)


@contextmanager
def stopped_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Iterator[None]:
    """Everything stops before this step."""
    with monkeypatch.context() as patched, pytest.raises(Killed):  # noqa: PT012 - the steps are patched within
        stop_at(patched, step)
        yield


def count_steps(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]) -> int:
    with monkeypatch.context() as patched:
        counted = stop_at(patched, -1)
        run()
    return counted[0]


def stop_at(patched: pytest.MonkeyPatch, step: int) -> list[int]:
    """Stop before the so-manieth sync, rename or removal."""
    counted = [0]

    def stopping(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if counted[0] == step:
                raise Killed
            counted[0] += 1
            return real(*args, **more)

        return call

    patched.setattr(os, "fsync", stopping(os.fsync))
    for name in ("replace", "unlink", "rmdir"):
        patched.setattr(Path, name, stopping(getattr(Path, name)))
    return counted


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import gongfen
from gongfen.book.proving.published import publish
left = int(sys.argv[3])
real = os.fsync
def fsync(descriptor):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
os.fsync = fsync
publish(gongfen.open(sys.argv[1]).log, Path(sys.argv[2]))
"""


def test_publishing_that_is_killed_with_signal_9_is_taken_up_again(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 600)
    publish(book.log, tmp_path / "whole")
    killed = 0
    for step in random.sample(range(12), 4):
        words = [sys.executable, "-c", KILLED_AT, str(book.log.path), str(tmp_path / "log"), str(step)]
        found = subprocess.run(words, capture_output=True, text=True, check=False)
        killed += found.returncode == -signal.SIGKILL
        if (tmp_path / "log" / "checkpoint").exists():  # the last thing that is written: then all the rest is there
            check_published(Source(str(tmp_path / "log")), keys(book))
    publish(book.log, tmp_path / "log")
    assert tree(tmp_path / "log") == tree(tmp_path / "whole")
    assert killed > 0


# An outsider's check


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], tuple[Any, ...]]:
    """A published log of three facts, with the key to check it."""
    folder = tmp_path_factory.mktemp("small")
    book = new_book(folder)
    grow(book, 3)
    publish(book.log, folder / "log")
    return tree(folder / "log"), keys(book)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], tuple[Any, ...]]:
    """A published log of 600 facts, one of them long."""
    folder = tmp_path_factory.mktemp("large")
    book = new_book(folder)
    book.record(a_long_fact())
    grow(book, 600)
    publish(book.log, folder / "log")
    return tree(folder / "log"), keys(book)


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80])
def test_every_altered_byte_of_every_file_is_found(small: tuple[dict[str, bytes], tuple[Any, ...]], flip: int) -> None:
    held, trusted = small
    check_published(Held(held), trusted)
    assert sum(map(len, held.values())) > 900
    for name, data in held.items():
        for place in range(len(data)):
            altered = bytearray(data)
            altered[place] ^= flip
            with pytest.raises(ProofError) as found:
                check_published(Held(held | {name: bytes(altered)}), trusted)
            assert name in found.value.thing or name in ("checkpoint", "key"), f"{name} is to blame, not {found.value}"


def test_altered_bytes_of_a_large_log_are_found_and_the_file_is_named(
    large: tuple[dict[str, bytes], tuple[Any, ...]],
) -> None:
    held, trusted = large
    check_published(Held(held), trusted)
    for name, data in held.items():
        for place in random.sample(range(len(data)), 4):
            altered = bytearray(data)
            altered[place] ^= random.randrange(1, 256)  # noqa: S311 - an attack, not a key
            with pytest.raises(ProofError) as found:
                check_published(Held(held | {name: bytes(altered)}), trusted)
            assert name in found.value.thing, f"{name} is to blame, not {found.value}"


def test_a_file_that_is_missing_cut_longer_or_another_is_found(large: tuple[dict[str, bytes], tuple[Any, ...]]) -> None:
    held, trusted = large
    names = [name for name in held if not name.startswith("blobs/")]
    for name in names:
        data = held[name]
        swapped = held[names[names.index(name) - 1]]
        for altered in (data[:-1], data + b"\n", b"", data[:-1] + b"", swapped):
            with pytest.raises(ProofError):
                check_published(Held(held | {name: altered}), trusted)
        with pytest.raises(ProofError, match=f"{name} is missing"):
            check_published(Held({other: found for other, found in held.items() if other != name}), trusted)


def test_a_log_that_its_own_key_signed_but_whose_entry_is_no_fact_is_found(tmp_path: Path) -> None:
    record: Any = Synthetic(3)
    publish(record, tmp_path)
    with pytest.raises(ProofError, match=r"tile/entries/000.p/3, entry 0, cannot be read"):
        check_published(Source(str(tmp_path)), record.verifiers)


def test_another_key_and_too_few_witnesses_are_refused(small: tuple[dict[str, bytes], tuple[Any, ...]]) -> None:
    from gongfen.proof.cosignature import WitnessSigner

    held, trusted = small
    with pytest.raises(ProofError, match="is not signed by"):
        check_published(Held(held), (Signer(ORIGIN, bytes(32)).verifier,))
    policy = Policy.of((), (WitnessSigner("w.example/ada", bytes(32)).verifier,), 1)
    with pytest.raises(ProofError, match="0 of 1 witnesses"):
        check_published(Held(held), trusted, policy=policy)


def test_a_log_with_two_keys_is_checked_with_either_and_with_both(tmp_path: Path) -> None:
    from gongfen.book.recording.record import create_record

    book = gongfen.Book(create_record(tmp_path / "book.db", ORIGIN, "test", post_quantum=True))
    grow(book, 2)
    publish(book.log, tmp_path / "log")
    for some in (book.log.verifiers, book.log.verifiers[:1], book.log.verifiers[1:]):
        assert check_published(Source(str(tmp_path / "log")), some).size == 2
    (tmp_path / "log" / "key").write_text(f"{book.log.verifiers[0]}\n")
    with pytest.raises(ProofError, match="does not name the keys"):
        check_published(Source(str(tmp_path / "log")), book.log.verifiers)


def test_an_older_checkpoint_holds_the_log_to_what_it_said(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    fork, short, old = a_copy(book, "fork.db"), a_copy(book, "short.db"), book.log.checkpoint()
    grow(book, 5)
    publish(book.log, tmp_path / "log")
    checked(tmp_path / "log", book, since=old)
    checked(tmp_path / "log", book, since=book.log.checkpoint())
    grow(fork, 5, "other")
    publish(fork.log, tmp_path / "forked")
    with pytest.raises(ForkError, match="two roots for 5 entries") as found:
        checked(tmp_path / "forked", book, since=book.log.checkpoint())
    assert (found.value.first, found.value.second) == (book.log.checkpoint(), fork.log.checkpoint())
    grow(fork, 300, "other")
    publish(fork.log, tmp_path / "forked")
    with pytest.raises(ForkError, match="300 entries that do not begin with the 5"):
        checked(tmp_path / "forked", book, since=book.log.checkpoint())
    publish(short.log, tmp_path / "short")
    with pytest.raises(ProofError, match="has 3 entries, fewer than the 5"):
        checked(tmp_path / "short", book, since=book.log.checkpoint())


def test_damaged_tiles_are_not_mistaken_for_a_fork(tmp_path: Path) -> None:
    """A fork is an accusation against the log's owner: a mirror with a broken disk must not raise it."""
    book = new_book(tmp_path)
    grow(book, 257)
    old = book.log.checkpoint()
    grow(book, 600)
    publish(book.log, tmp_path / "log")
    held = tree(tmp_path / "log")
    for name in (name for name in held if name.startswith("tile/")):
        altered = bytes([held[name][0] ^ 1]) + held[name][1:]
        with pytest.raises(ProofError) as found:
            check_published(Held(held | {name: altered}), keys(book), since=old)
        assert not isinstance(found.value, ForkError)
        assert name in found.value.thing


# Comparing heads


def test_heads_of_one_log_compare_and_those_of_a_fork_do_not(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    fork = a_copy(book, "fork.db")
    heads = [book.log.checkpoint()]
    for size in (4, 9, 300):
        grow(book, size)
        grow(fork, size, "other")
        heads.append(book.log.checkpoint())
    own = head_of(book.log)
    assert compare(heads, keys(book), own, book.log.tree.subtree).size == 300
    for note in heads[1:]:
        with pytest.raises(ForkError) as found:
            compare((note,), keys(book), head_of(fork.log), fork.log.tree.subtree)
        assert (found.value.first, found.value.second) == (note, fork.log.checkpoint())
    grow(fork, 301)
    with pytest.raises(ProofError, match="is of 301 entries"):
        compare((fork.log.checkpoint(),), keys(book), own, book.log.tree.subtree)


# Mirrors, over real HTTP


class _Files(SimpleHTTPRequestHandler):
    """A plain web server; some tests make it misbehave."""

    protocol_version = "HTTP/1.1"
    twist: Callable[["_Files", str], bool] = staticmethod(lambda _self, _path: False)

    def do_GET(self) -> None:
        if not type(self).twist(self, self.path):
            super().do_GET()

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path, twist: Callable[[Any, str], bool] | None = None) -> Iterator[str]:
    """The folder at an address, by the web server of the standard library."""

    class Handler(_Files):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

    if twist:
        Handler.twist = staticmethod(twist)  # type: ignore[method-assign]
    server = WebServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_mirror_of_a_growing_log_is_the_log(tmp_path: Path) -> None:
    """Published, served by any web server, mirrored, checked: at every border, by address and by folder."""
    book = new_book(tmp_path)
    book.record(a_long_fact())
    before = 0
    with served(tmp_path / "log") as address:
        for size in (2, 256, 257, 600):
            grow(book, size)
            publish(book.log, tmp_path / "log")
            found = mirror(Source(address), tmp_path / "mirror", keys(book))
            assert (found.before, found.size) == (before, size)
            mirror(Source(str(tmp_path / "log")), tmp_path / "of-folder", keys(book))
            # A mirror that began later holds no partial tiles of sizes that it has not seen.
            assert tree(tmp_path / "mirror").items() <= tree(tmp_path / "log").items()
            assert tree(tmp_path / "mirror") == tree(tmp_path / "of-folder")
            for place in (address, str(tmp_path / "mirror")):
                assert check_published(Source(place), keys(book)).root == found.root
            before = size
        again = mirror(Source(address), tmp_path / "mirror", keys(book))
        assert (again.files, again.bytes) == (0, 0)
    with served(tmp_path / "mirror") as second:
        mirror(Source(second), tmp_path / "mirror-of-mirror", keys(book))
    assert tree(tmp_path / "mirror-of-mirror").keys() <= tree(tmp_path / "mirror").keys()


def test_a_bad_file_never_lands_in_a_mirror(large: tuple[dict[str, bytes], tuple[Any, ...]], tmp_path: Path) -> None:
    held, trusted = large
    for number, (name, data) in enumerate(held.items()):
        place = tmp_path / str(number)
        altered = bytearray(data)
        altered[len(data) // 2] ^= 1
        with pytest.raises(ProofError):
            mirror(Held(held | {name: bytes(altered)}), place, trusted)
        assert tree(place).items() <= held.items(), "everything that was kept is right"
        assert not (place / "checkpoint").exists()
        mirror(Held(held), place, trusted)
        assert tree(place) == held


def test_a_mirror_that_was_cut_off_goes_on_and_fetches_nothing_twice(
    large: tuple[dict[str, bytes], tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, trusted = large
    steps = count_steps(monkeypatch, lambda: mirror(Held(held), tmp_path / "counted", trusted))
    for step in range(0, steps, 2):
        place = tmp_path / str(step)
        with stopped_at(monkeypatch, step):
            mirror(Held(held), place, trusted)
        there = set(tree(place)) - {".being-written"}
        asked: list[str] = []

        class Counting(Held):
            def fetch(self, name: str, asked: list[str] = asked) -> bytes:
                asked.append(name)
                return super().fetch(name)

        mirror(Counting(held), place, trusted)
        assert tree(place) == held
        assert there.isdisjoint(set(asked) - {"checkpoint", "key"})


def test_a_file_that_was_damaged_in_the_mirror_itself_is_named_as_such(
    large: tuple[dict[str, bytes], tuple[Any, ...]], tmp_path: Path
) -> None:
    held, trusted = large
    (tmp_path / "mirror" / "tile" / "0").mkdir(parents=True)
    (tmp_path / "mirror" / "tile" / "0" / "000").write_bytes(bytes(8192))
    with pytest.raises(ProofError, match=r"mirror/tile/0/000 does not hold the hashes.*remove it from the mirror"):
        mirror(Held(held), tmp_path / "mirror", trusted)


def test_a_mirror_keeps_what_it_has_when_the_log_forks_or_shrinks(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    grow(book, 3)
    fork, short = a_copy(book, "fork.db"), a_copy(book, "short.db")
    grow(book, 5)
    grow(fork, 300, "other")
    for one, name in ((book, "log"), (fork, "forked"), (short, "short")):
        publish(one.log, tmp_path / name)
    mirror(Source(str(tmp_path / "log")), tmp_path / "mirror", keys(book))
    before = tree(tmp_path / "mirror")
    with pytest.raises(ForkError) as found:
        mirror(Source(str(tmp_path / "forked")), tmp_path / "mirror", keys(book))
    assert (found.value.first, found.value.second) == (book.log.checkpoint(), fork.log.checkpoint())
    with pytest.raises(ProofError, match="has 3 entries, fewer than the 5 of the mirror"):
        mirror(Source(str(tmp_path / "short")), tmp_path / "mirror", keys(book))
    assert tree(tmp_path / "mirror") == before


def test_a_server_may_pack_what_it_sends(large: tuple[dict[str, bytes], tuple[Any, ...]], tmp_path: Path) -> None:
    held, trusted = large

    def packed(handler: _Files, path: str) -> bool:
        data = held.get(path[1:])
        if data is None:
            return False
        handler.send(200, gzip.compress(data), Content_Encoding="gzip")
        return True

    with served(tmp_path, packed) as address:
        assert check_published(Source(address), trusted).size == 600


def hostile(handler: _Files, path: str) -> bool:
    """One misbehaviour an address."""
    kind = path.split("/")[1]
    if kind == "endless":
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            handler.close_connection = True
    elif kind == "bomb":
        handler.send(200, gzip.compress(bytes(1 << 26)), Content_Encoding="gzip")
    elif kind == "nonsense":
        handler.send(200, b"\x1f\x8bnonsense", Content_Encoding="gzip")
    elif kind == "cut":
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 10)
        handler.close_connection = True
    elif kind == "file":
        handler.send(302, Location="file:///etc/passwd")
    elif kind == "ftp":
        handler.send(302, Location="ftp://127.0.0.1/x")
    elif kind == "circle":
        handler.send(302, Location=path)
    elif kind == "error":
        handler.send(500, b"sorry")
    elif kind == "silent":
        threading.Event().wait(1.5)
        handler.close_connection = True
    else:
        return False
    return True


@pytest.mark.parametrize("kind", ["endless", "bomb", "nonsense", "cut", "file", "ftp", "circle", "error", "silent"])
def test_a_hostile_server_is_named_and_does_no_harm(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "STALL_S", 1)
    monkeypatch.setattr(fetching.ask, "__kwdefaults__", {"stall_s": 0.5, "longest_s": 2})
    with served(tmp_path, hostile) as address, pytest.raises(UnreachableError, match=f"{address}/{kind}/checkpoint"):
        Source(f"{address}/{kind}").text("checkpoint")


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        pass
    with pytest.raises(UnreachableError, match=f"{address}/checkpoint does not answer"):
        Source(address).text("checkpoint")
    with served(tmp_path) as address, pytest.raises(ProofError, match="checkpoint is missing"):
        Source(address).text("checkpoint")


@pytest.mark.parametrize(
    "place",
    ["file:///etc", "ftp://example.org/log", "http://", "https://x/?y", "http://a b/", "http://x/#y", "gopher://x"],
)
def test_other_addresses_are_refused(place: str) -> None:
    with pytest.raises(InputError, match="is not an address"):
        Source(place)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BookPlaceError, match="is not a folder"):
        Source(str(tmp_path / "none"))


# On the command line


def test_an_owner_publishes_and_an_outsider_checks(tmp_path: Path) -> None:
    def said(*words: str, code: int = 0, **environment: str) -> str:
        found = gongfen_(tmp_path, *words, **environment)
        assert found.returncode == code, found.stdout + found.stderr
        assert "Traceback" not in found.stderr
        return found.stdout + found.stderr

    said("init", "example.org/book")
    assert "has no facts yet" in said("log", "publish", "log", code=2)
    said("record", "enrol", "maker=ada")
    key = gongfen_(tmp_path, "log", "key").stdout.strip()
    assert "log holds 1 fact of example.org/book: 1 new, in 4 files" in said("log", "publish", "log")
    (tmp_path / "old").write_text(said("log", "checkpoint"))
    said("record", "enrol", "maker=bo")
    assert json.loads(said("log", "publish", "log", "--json"))["before"] == 1
    with served(tmp_path / "log") as address:
        assert "mirror holds 2 facts" in said("log", "mirror", address, "mirror", "--key", key)
        assert "an extension of the older" in said("log", "check", address, "--key", key, "--since", "old")
    assert json.loads(said("log", "check", "mirror", "--key", key, "--json"))["size"] == 2
    assert "核对" in said("log", "check", "mirror", "--key", key, GONGFEN_LANG="zh")
    assert "needs a key" in said("log", "check", "mirror", code=2)
    assert "UnreachableError" in said("log", "check", address, "--key", key, code=2)
    assert "One history" in said("log", "compare", "old")
    assert "One history" in said("log", "compare", "old", "mirror/checkpoint")
    assert "One history" in said("log", "compare", "old", "--log", "mirror", "--key", key)
    assert "are too many" in said("log", "compare", "old", "old", "old", code=2)
    assert "cannot be read" in said("log", "compare", "none", code=2)
    (tmp_path / "mirror" / "tile" / "0" / "000.p" / "2").write_bytes(bytes(64))
    assert "tile/0/000.p/2 does not hold" in said("log", "check", "mirror", "--key", key, code=2)


def test_a_fork_is_shown_with_both_heads_and_the_evidence_convinces_others(tmp_path: Path) -> None:
    book = new_book(tmp_path, name="gongfen.db")
    grow(book, 3)
    fork = a_copy(book, "fork.db")
    grow(book, 5)
    grow(fork, 5, "other")
    heads = [book.log.checkpoint(), fork.log.checkpoint()]
    for name, note in zip(("one", "two"), heads, strict=True):
        (tmp_path / name).write_text(note)
    publish(fork.log, tmp_path / "log")
    key, other = str(book.log.verifier), str(Signer(ORIGIN, bytes(32)).verifier)
    for one in (book, fork):
        one.close()
    for words in (
        ("compare", "one", "two"),
        ("compare", "two", "--evidence", "evidence"),
        ("compare", "evidence", "--key", key),
        ("compare", "one", "--log", "log", "--key", key),
        ("check", "log", "--key", key, "--since", "one"),
        ("publish", "log"),
    ):
        found = gongfen_(tmp_path, "log", *words)
        assert found.returncode == 2, words
        assert all(head in found.stdout for head in heads), words
        assert "ForkError" in found.stderr
        answer = gongfen_(tmp_path, "log", *words, "--json")
        assert sorted(json.loads(answer.stdout).values()) == sorted(heads), words
    found = gongfen_(tmp_path, "log", "compare", "one", "two", "--key", other)
    assert "is not signed by" in found.stderr, "nobody is accused by notes of another key"
    assert "ForkError" not in found.stderr


def test_a_policy_that_names_the_log_needs_no_key(tmp_path: Path) -> None:
    book = new_book(tmp_path, name="gongfen.db")
    grow(book, 2)
    publish(book.log, tmp_path / "log")
    (tmp_path / "policy").write_text(str(Policy.of(book.log.verifiers, (), 0)))
    assert gongfen_(tmp_path, "log", "check", "log", "--policy", "policy").returncode == 0

"""What breaks off: killed writers, full disks, places that may not be written. All or nothing, and no repair."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book.proving import mirroring, published
from gongfen.book.proving.witness import Witness, new_witness
from gongfen.errors import BookPlaceError, GongfenError
from gongfen.facts import Body
from tests.books import COOPERATIVE, cooperative, said

ROOT = Path(__file__).parent.parent
SIZE = len(said(COOPERATIVE)) + 1
"""Facts in the book that is about to break: the cooperative's, and a settlement."""
STEP_BYTES = 1_030
"""A quarter of a page and its header in the write-ahead log: each step of a write meets the limit."""


def copy_of(source: Path, folder: Path) -> Path:
    folder.mkdir()
    for end in ("", ".key"):
        shutil.copy(source.with_name(source.name + end), folder / f"book.db{end}")
    return folder / "book.db"


@pytest.fixture(scope="module")
def closed_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with cooperative(tmp_path_factory.mktemp("closed")) as book:
        book.settle("2026-11")
        book.log.keep_views()
        return book.log.path


# -- killed ------------------------------------------------------------------------------------------------------------


def test_killed_writers_lose_nothing_that_was_acknowledged() -> None:
    """The short form of benchmarks/kill.py: three processes write to one book, and SIGKILL ends them at random."""
    command = [sys.executable, str(ROOT / "benchmarks" / "kill.py"), "--kills", "15", "--seed", str(os.getpid())]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    assert "lost: 0" in found.stdout
    acknowledged = int(found.stdout.splitlines()[1].split()[0].replace(",", ""))
    assert acknowledged > 100, found.stdout


# -- full --------------------------------------------------------------------------------------------------------------


@contextmanager
def largest_file(most_bytes: int) -> Iterator[None]:
    """No file grows beyond: what a write meets on a full disk, at any byte (Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def batch() -> list[Body]:
    """Facts that fill a tile of the tree, and many pages."""
    return [k.Enrol(maker=f"maker-{number}") for number in range(240)]


def written_within(path: Path, limit: int, *, opened_before: bool) -> bool:
    """Whether a batch and a text were written; when not, then nothing was, and the book is as good as before."""
    blob = b"x" * 20_000
    book = gongfen.open(path) if opened_before else None
    failed: GongfenError | None = None
    size = 0
    with largest_file(limit):
        try:
            book = book or gongfen.open(path)
            size = book.log.size
            book.log.record(batch(), [blob])
        except BookPlaceError as error:
            failed = error
        if book is not None and limit % 2:
            book.close()
            book = None
    if failed is not None:
        assert failed.thing
        assert failed.reason
        assert failed.remedy
    if book is not None:
        assert book.log.size == size + (0 if failed else 240)
        book.record(k.Enrol(maker="later"))
        book.close()
    with gongfen.open(path) as again:
        again.verify()
        whole = again.log.size in (SIZE + 240, SIZE + 241)
        assert whole or again.log.size in (SIZE, SIZE + 1)
        assert whole == (failed is None)
        again.record(k.Enrol(maker="and-on-it-goes"))
    return whole


@pytest.mark.parametrize("opened_before", [True, False])
def test_a_full_disk_leaves_all_of_a_batch_or_nothing(closed_book: Path, tmp_path: Path, opened_before: bool) -> None:
    outcomes = []
    step = STEP_BYTES if opened_before else 7 * STEP_BYTES
    for limit in range(0, 400_000, step):
        path = copy_of(closed_book, tmp_path / str(limit))
        outcomes.append(written_within(path, limit, opened_before=opened_before))
        shutil.rmtree(path.parent)
        if outcomes[-3:] == [True] * 3:
            break
    refused = outcomes.index(True)
    assert refused > (40 if opened_before else 5), "many steps of a write met the limit"
    assert outcomes == [False] * refused + [True] * 3


@pytest.mark.parametrize("blocks", [0, 40, 64, 72, 80, 120])
def test_on_the_command_line_a_full_disk_is_exit_code_2(closed_book: Path, tmp_path: Path, blocks: int) -> None:
    path = copy_of(closed_book, tmp_path / "place")
    command = f'ulimit -f {blocks}; exec "$0" -m gongfen record --book "$1" enrol maker=one-more'
    found = subprocess.run(
        ["sh", "-c", command, sys.executable, path], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "Traceback" not in found.stderr
    with gongfen.open(path) as book:
        book.verify()
        assert book.log.size == SIZE + (found.returncode == 0)
    if blocks < 64:
        assert found.returncode == 2
        assert "→" in found.stderr
        assert "BookPlaceError; nothing was written" in found.stderr


def test_lines_that_no_longer_fit_on_the_disk_are_not_called_wrong(closed_book: Path, tmp_path: Path) -> None:
    path = copy_of(closed_book, tmp_path / "place")
    lines = "\n".join(f'{{"kind": "enrol", "maker": "maker-{number}"}}' for number in range(20_000))
    command = 'ulimit -f 4000; exec "$0" -m gongfen record - --book "$1"'
    found = subprocess.run(
        ["sh", "-c", command, sys.executable, path], input=lines, capture_output=True, text=True, check=False, cwd=ROOT
    )
    with gongfen.open(path) as book:
        there = book.log.size - SIZE
    assert there, "some lines fitted"
    assert found.returncode == 2
    assert f"{path} cannot be used: " in found.stderr
    assert f"{there} facts before it stay recorded: send what follows standard input, line {there}" in found.stderr
    assert "mend" not in found.stderr


def test_a_book_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    made = 0
    for number, limit in enumerate(range(0, 120_000, 4 * STEP_BYTES)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with largest_file(limit):
            try:
                gongfen.create(folder / "book.db", origin="example.org/b").close()
                made += 1
            except BookPlaceError:
                assert not list(folder.iterdir())
        if list(folder.iterdir()):
            with gongfen.open(folder / "book.db") as book:
                book.record(k.Enrol(maker="ada"))
                book.verify()
    assert 0 < made < number


def test_a_witness_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """On a full disk nothing of it stays, not even a folder, and the place is free for the next try."""
    made = 0
    for limit in (100, *range(0, 60_000, STEP_BYTES)):
        folder = tmp_path / str(limit) / "archive"
        with largest_file(limit):
            try:
                new_witness(folder, "witness.example/archive").close()
                made += 1
            except BookPlaceError:
                assert not folder.parent.exists()
        if not folder.exists():
            new_witness(folder, "witness.example/archive").close()
        with Witness(folder) as witness:
            assert witness.logs() == []
    assert 0 < made < 60


def test_a_log_that_does_not_fit_on_the_disk_says_what_stays_and_goes_on_later(
    closed_book: Path, tmp_path: Path
) -> None:
    """Published or mirrored: whole files stay, or nothing at all; and no file that was being written."""
    with gongfen.open(copy_of(closed_book, tmp_path / "place")) as book:
        book.log.record(batch())
        published.publish(book.log, tmp_path / "whole")
        source = mirroring.Source(str(tmp_path / "whole"))
        whole = {path.relative_to(source.place): path.read_bytes() for path in files_in(tmp_path / "whole")}
        stayed = set()
        for write in (
            lambda to: published.publish(book.log, to),
            lambda to: mirroring.mirror(source, to, book.log.verifiers),
        ):
            for limit in (0, 100, 500, 9_000, 40_000):
                folder = tmp_path / "deep" / "log"
                with largest_file(limit), pytest.raises(BookPlaceError, match="cannot be written") as refused:
                    write(folder)
                there = {path.relative_to(folder): path.read_bytes() for path in files_in(folder)}
                assert there.items() < whole.items()
                assert refused.value.left == (published.GOES_ON if there else "nothing was written")
                assert folder.parent.exists() == bool(there)
                stayed.add(bool(there))
                write(folder)
                assert {path.relative_to(folder): path.read_bytes() for path in files_in(folder)} == whole
                shutil.rmtree(folder.parent)
        assert stayed == {False, True}


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


FULL = """
import shutil, sys
from pathlib import Path
import gongfen
from gongfen import kinds as k
from gongfen.errors import BookPlaceError
source, disk, before = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
failed = 0
for free in range(0, 400_000, 8_192):
    for old in disk.iterdir():
        old.unlink()
    for end in ("", ".key"):
        shutil.copy(source.with_name(source.name + end), disk / f"book.db{end}")
    room = shutil.disk_usage(disk).free - free
    (disk / "ballast").write_bytes(bytes(max(room, 0)))
    size, book = before, None
    try:
        book = gongfen.open(disk / "book.db")
        book.log.record([k.Enrol(maker=f"maker-{n}") for n in range(240)], [b"x" * 20_000])
        size += 240
    except BookPlaceError as error:
        assert error.thing and error.reason and error.remedy
        failed += 1
    if book:
        book.close()
    (disk / "ballast").unlink()
    with gongfen.open(disk / "book.db") as book:
        book.verify()
        assert book.log.size == size, (free, book.log.size, size)
        book.record(k.Enrol(maker="and-on-it-goes"))
print("failed", failed)
"""


def test_a_small_disk_that_fills_up(closed_book: Path, tmp_path: Path) -> None:
    """A real one: a file system in memory, mounted where nobody else sees it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=600k none {disk}"
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here: a small disk cannot be mounted")
    mounting = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"]), "sh", "-c"]
    if subprocess.run([*mounting, mount], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here: a small disk cannot be made")
    command = f'{mount} && exec "$0" -c "$4" "$1" "$2" "$3"'
    found = subprocess.run(
        [*mounting, command, sys.executable, closed_book, disk, str(SIZE), FULL],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert int(found.stdout.split()[1]) > 5


# -- not permitted -----------------------------------------------------------------------------------------------------

WITHOUT_RIGHTS = """
import ctypes, os, sys
prctl, drop_from_bounding_set = ctypes.CDLL(None).prctl, 24
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: to root too, the bits of a file's mode now apply
    prctl(drop_from_bounding_set, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
"""
BEGIN = """
import sys
from pathlib import Path
import gongfen
from gongfen import kinds as k
from gongfen.cli.main import run
from gongfen.errors import GongfenError
from gongfen.storage.sqlite import create_store
path = Path(sys.argv[1])
def tell(deed):
    try:
        print(repr(deed()))
    except GongfenError as error:
        print(type(error).__name__, error.thing, error.reason, error.remedy, sep="|")
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder that can be taken away, whatever its parts may be."""
    yield tmp_path
    for found in tmp_path.iterdir():
        found.chmod(0o755)


def unprivileged(path: Path, script: str) -> list[str]:
    """The lines that a script prints, run by a user to whom permissions apply."""
    command = [sys.executable, "-c", WITHOUT_RIGHTS, BEGIN + script, path]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert found.returncode in (0, 2), found.stderr
    assert "Traceback" not in found.stderr
    return (found.stdout + found.stderr).splitlines()


READING = """
with gongfen.open(path) as book:
    print(book.log.size, book.verify().size, book.who("song-1").output, bool(book.audit()))
    tell(lambda: book.record(k.Enrol(maker="eve")))
    book.log.refresh()
"""


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o555, 0o444), (0o755, 0o444), (0o555, 0o644)])
def test_a_book_that_may_not_be_written_is_read(
    closed_book: Path, place: Path, folder_mode: int, file_mode: int
) -> None:
    path = copy_of(closed_book, place / "read-only")
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    read, refused = unprivileged(path, READING)
    assert read == f"{SIZE} {SIZE} song-1 True"
    assert refused.startswith(f"BookPlaceError|{path}|cannot be used: attempt to write a readonly database|check")
    assert sorted(found.name for found in path.parent.iterdir()) == ["book.db", "book.db.key"], "nothing is left behind"


def test_answers_of_another_version_need_a_place_that_may_be_written(closed_book: Path, place: Path) -> None:
    path = copy_of(closed_book, place / "read-only")
    with gongfen.open(path) as book, book.log.store.writing():
        book.log.store.put_meta("views", "0")
    path.chmod(0o444)
    path.parent.chmod(0o555)
    (line,) = unprivileged(path, "tell(lambda: gongfen.open(path))")
    assert line.startswith(f"BookPlaceError|the book {path}|keeps answers of another version, and they cannot be made")
    assert line.endswith("|open it once where it may be written")


WHILE = """
with gongfen.open(path) as book:
    print("opened", flush=True)
    sys.stdin.readline()
    tell(book.verify)
"""


def test_a_still_book_that_is_written_to_after_all_is_not_misread(closed_book: Path, place: Path) -> None:
    path = copy_of(closed_book, place / "read-only")
    path.chmod(0o444)
    command = [sys.executable, "-c", WITHOUT_RIGHTS, BEGIN + WHILE, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "opened\n"
        path.chmod(0o644)
        with gongfen.open(path) as book:
            book.record(*batch())
        told, _ = reader.communicate("\n")
    assert told == f"BookPlaceError|{path}|was written to while it was read|read it again\n"


def test_a_book_that_was_broken_off_and_may_not_be_written_says_what_to_do(closed_book: Path, place: Path) -> None:
    path = copy_of(closed_book, place / "read-only")
    path.with_name("book.db-wal").write_bytes(b"x" * 5_000)
    path.parent.chmod(0o555)
    (line,) = unprivileged(path, "tell(lambda: gongfen.open(path))")
    assert line.startswith(f"BookPlaceError|{path}|")
    assert line.endswith("|open it once where it may be written")


def test_places_that_may_not_be_entered_are_named(closed_book: Path, place: Path) -> None:
    path = copy_of(closed_book, place / "closed")
    script = """
tell(lambda: gongfen.open(path))
tell(lambda: create_store(path.parent / "new.db", {}))
tell(lambda: gongfen.open(path.parent.parent / "none" / "book.db"))
tell(lambda: gongfen.create(path.parent.parent / "none" / "book.db"))
sys.argv = ["gongfen", "record", "--book", str(path), "enrol", "maker=eve"]
run()
"""
    path.parent.chmod(0o600)
    reached, made, absent, nowhere, *spoken = unprivileged(path, script)
    assert reached.startswith(f"BookPlaceError|the book {path}|cannot be reached: Permission denied|check the rights")
    assert made.startswith(f"BookPlaceError|{path.parent / 'new.db'}|cannot be made: Permission denied|")
    assert "|is not there|" in absent
    assert "|is not a folder|" in nowhere
    assert any("→" in line for line in spoken)
    assert spoken[-1].endswith("BookPlaceError; nothing was written")


def test_a_folder_in_which_nothing_may_be_made_is_named(place: Path) -> None:
    (place / "read-only").mkdir(mode=0o555)
    (line,) = unprivileged(place / "read-only" / "new.db", "tell(lambda: gongfen.create(path))")
    assert line.startswith(f"BookPlaceError|the key {place}/read-only/new.db.key|cannot be written: Permission denied|")


def test_a_key_that_may_not_be_read_is_exit_code_2(closed_book: Path, place: Path) -> None:
    path = copy_of(closed_book, place / "open")
    path.with_name("book.db.key").chmod(0)
    script = """
with gongfen.open(path) as book:
    print(book.verify().size)
sys.argv = ["gongfen", "record", "--book", str(path), "enrol", "maker=eve"]
run()
"""
    size, *spoken = unprivileged(path, script)
    assert size == str(SIZE)
    assert "book.db.key" in " ".join(spoken)
    assert any("→" in line for line in spoken)
    assert spoken[-1].endswith("nothing was written")

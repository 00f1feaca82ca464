"""Files that a person keeps are whole or as they were; a book has a name of its own; what is closed or absurd is named."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book.files import write_file, write_secret
from gongfen.book.proving.witness import KEY_FILE, new_witness
from gongfen.errors import BookPlaceError, GongfenError, InputError
from tests.test_cli import gongfen_
from tests.test_crash import unprivileged


class Stopped(BaseException):
    """The machine was switched off."""


def stop(*_: object) -> None:
    raise Stopped


# -- whole or as it was ------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "receipt.tlog-proof"
    write_file(path, "one")
    path.chmod(0o640)
    write_file(path, b"two")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"two", 0o640)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_whoever_is_stopped_while_writing_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = tmp_path / "audit.zip"
    write_file(path, b"old")
    monkeypatch.setattr(*((os, "fsync") if moment == "fsync" else (Path, "replace")), stop)
    with pytest.raises(Stopped):
        write_file(path, b"new, and longer")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if moment == "fsync" else (Path, "replace")), stop)
        with pytest.raises(Stopped):
            write_secret(tmp_path / "ada.key", "secret", "")
    assert list(tmp_path.iterdir()) == [path], "no half of a key"


def test_a_link_stays_a_link_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "report.html"
    link.symlink_to(tmp_path / "elsewhere" / "report.html")
    for text in ("one", "two"):
        write_file(link, text)
        assert link.is_symlink()
        assert (tmp_path / "elsewhere" / "report.html").read_text() == text
    reader, writer = os.pipe()
    write_file(Path(f"/dev/fd/{writer}"), "through a pipe")
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "through a pipe"


@pytest.mark.parametrize("name", ["folder", "none/file", "x" * 300])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_file(tmp_path / name, "text")
    with pytest.raises(BookPlaceError, match=r"is there already|cannot be written"):
        write_secret(tmp_path / name, "text", "")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_may_not_be_written_is_named() -> None:
    said = "lambda: __import__('gongfen.book.files').book.files.write_file(path, 'x')"
    with tempfile.TemporaryDirectory() as name:  # whose parents anybody may enter
        Path(name).chmod(0o555)
        (line,) = unprivileged(Path(name) / "r.tlog-proof", f"tell({said})")
    assert line.startswith("InputError|")
    assert "Permission denied" in line


def test_a_secret_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "ada.key"
    write_secret(path, "one", "keep it")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(BookPlaceError, match="is there already"):
        write_secret(path, "two", "keep it")
    assert path.read_text() == "one"
    new_witness(tmp_path / "w", "w.example/ada").close()
    assert stat.S_IMODE((tmp_path / "w" / KEY_FILE).stat().st_mode) == 0o600


# -- a name of its own -------------------------------------------------------------------------------------------------


def test_a_maker_s_signature_for_one_book_serves_no_other(tmp_path: Path) -> None:
    """Even when nobody gave the two a name."""
    one, other = (gongfen.create(tmp_path / f"{name}.db", by="test") for name in ("one", "other"))
    assert one.log.origin != other.log.origin
    for book in (one, other):
        assert book.log.origin.startswith("gongfen.example/")
        assert len(book.log.origin) == len("gongfen.example/") + 16
        book.record(k.Enrol(maker="ada"))
    key = one.new_key("ada")
    said = one.sign(key, k.Work(work="w", sha256="0" * 64, size_bytes=0, source="s", licence="CC0-1.0", makers=()))
    one.record(said)
    with pytest.raises(GongfenError, match="key"):
        other.record(*(fact.body for _, fact in one.log.facts() if isinstance(fact.body, k.Key)))
    with pytest.raises(GongfenError, match="key"):
        other.record(said)


def test_init_gives_a_name_by_chance_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    names = []
    for name in ("a.db", "b.db"):
        said = gongfen_(tmp_path, "init", "--book", name)
        assert "is a new book of gongfen.example/" in said.stdout
        with gongfen.open(tmp_path / name) as book:
            names.append(book.log.origin)
            assert book.log.origin in said.stdout
    assert len(set(names)) == 2
    assert "of example.org/mine." in gongfen_(tmp_path, "init", "example.org/mine", "--book", "c.db").stdout


# -- closed or absurd --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/", "..", ".", "a/.."])
def test_a_folder_is_no_book(tmp_path: Path, place: str) -> None:
    found = gongfen_(tmp_path, "init", "--book", place)
    assert found.returncode == 2, found.stdout
    assert "is a folder" in found.stderr or "already" in found.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", ["9" * 5_000, "9" * 19, "9" * 18, "٣" * 30])
def test_a_receipt_of_a_number_that_no_log_has_is_refused(tmp_path: Path, number: str) -> None:
    gongfen_(tmp_path, "init")
    gongfen_(tmp_path, "record", "enrol", "maker=ada")
    found = gongfen_(tmp_path, "log", "receipt", number)
    assert (found.returncode, "is not in this book" in found.stderr) == (2, True)
    assert len(found.stderr) < 300


@pytest.mark.parametrize(
    ("command", "reason"),
    [("record - <&-", "standard input is closed"), ("log key >&-", "standard output is closed"), ("who x 2>&-", "")],
)
def test_what_is_closed_is_named(tmp_path: Path, command: str, reason: str) -> None:
    gongfen_(tmp_path, "init")
    program = f"{sys.executable} -m gongfen {command}"
    found = subprocess.run(["sh", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert reason in found.stderr
    assert "Traceback" not in found.stderr


def test_files_that_verbs_write_are_written_so(tmp_path: Path) -> None:
    """In place of what was there, or not at all."""
    gongfen_(tmp_path, "init")
    gongfen_(tmp_path, "record", "enrol", "maker=ada")
    for words in (("log", "receipt", "0", "--out", "r.tlog-proof"), ("audit", "a.zip")):
        for _ in range(2):
            assert gongfen_(tmp_path, *words).returncode == 0
        (tmp_path / words[-1]).unlink()
        (tmp_path / words[-1]).mkdir()
        assert "cannot be written: Is a directory" in gongfen_(tmp_path, *words).stderr
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]

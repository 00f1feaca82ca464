"""A book on a server, from the command line: the same words, and where its key lies."""

import json
import os
import sys
from pathlib import Path

import pytest

from gongfen.cli.main import run
from tests.servers import PASSWORD


def gongfen(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Exit code of a command."""
    monkeypatch.setenv("GONGFEN_BOOK", os.environ.get("GONGFEN_BOOK", "none.db"))  # what a command sets does not stay
    monkeypatch.setattr(sys, "argv", ["gongfen", *words])
    with pytest.raises(SystemExit) as stop:
        run()
    return int(stop.value.code or 0)


def test_a_book_on_a_server_is_made_written_read_and_verified(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GONGFEN_KEY")
    monkeypatch.chdir(tmp_path)
    name = database.rpartition("/")[2]
    assert gongfen(monkeypatch, "init", "example.org/poems", "--book", database) == 0
    said = capsys.readouterr().out
    assert f"postgres@127.0.0.1:{database.rpartition(':')[2]} is a new book of example.org/poems" in said.replace("\n", "")  # fmt: skip
    assert f"Keep {name}.key secret" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.key"]
    assert (tmp_path / f"{name}.key").stat().st_mode & 0o777 == 0o600
    assert gongfen(monkeypatch, "record", "enrol", "maker=ada", "--book", database) == 0
    assert gongfen(monkeypatch, "--book", database, "record", "enrol", "maker=bo") == 0
    monkeypatch.setenv("GONGFEN_BOOK", database)
    assert gongfen(monkeypatch, "person", "ada", "name=Ada", "--json") == 0
    capsys.readouterr()
    assert gongfen(monkeypatch, "verify", "--json") == 0
    assert json.loads(capsys.readouterr().out)["size"] == 3
    assert gongfen(monkeypatch, "forget", "ada") == 0
    assert gongfen(monkeypatch, "audit", "audit.zip") == 0
    assert gongfen(monkeypatch, "verify", "audit.zip") == 0


@pytest.mark.parametrize("change", [
    (":", ":secret"), ("/book", "/no_book"), ("127.0.0.1:", "127.0.0.1:1"), ("//postgres", "//secret"), ("", "?schema=+"),
])  # fmt: skip
def test_a_mistake_in_an_address_exits_with_2_and_shows_no_password(
    database: str, change: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = change
    head, tail = database[:13], database[13:]
    wrong = database + new if not old else head + tail.replace(old, new, 1)
    assert gongfen(monkeypatch, "log", "--book", wrong) == 2
    said = capsys.readouterr().err
    assert said.rstrip().endswith("BookPlaceError")
    for secret in (PASSWORD, "w%2F", "Traceback"):
        assert secret not in said


def test_the_key_of_a_server_s_book_lies_where_the_variable_says(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GONGFEN_KEY", str(tmp_path / "deep" / "own.key"))
    assert gongfen(monkeypatch, "init", "--book", database) == 2
    assert "is not a folder" in capsys.readouterr().err
    (tmp_path / "deep").mkdir()
    assert gongfen(monkeypatch, "init", "--book", database) == 0
    assert (tmp_path / "deep" / "own.key").is_file()
    (tmp_path / "deep" / "own.key").unlink()
    assert gongfen(monkeypatch, "log", "--book", database) == 0
    assert gongfen(monkeypatch, "record", "enrol", "maker=ada", "--book", database) == 2
    assert "without it, only read" in capsys.readouterr().err

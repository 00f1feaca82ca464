"""What every test shares: databases that a test leaves open are closed, so that no warning hides in another test."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers import Server

# The same examples at every run of continuous integration; others at every run by hand, where one can look at them.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _close_databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    yield
    for db in opened:
        with suppress(sqlite3.ProgrammingError):  # another thread opened it, and has closed it
            db.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, started by the first test that asks for one. Killed programs, not machines: no sync."""
    with Server("fsync=off") as found:
        yield found


@pytest.fixture
def schema(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new schema in a database that tests share: made more quickly than a database."""
    monkeypatch.setenv("GONGFEN_KEY", str(tmp_path / "server.key"))
    return server.new_schema()


@pytest.fixture
def database(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new, empty database; the keys of its books lie in the test's folder."""
    monkeypatch.setenv("GONGFEN_KEY", str(tmp_path / "server.key"))
    return server.new_database()

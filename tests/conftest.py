"""What every test shares: databases that a test leaves open are closed, so that no warning hides in another test."""

import os
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

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
        db.close()

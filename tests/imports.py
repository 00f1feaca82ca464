"""What the tests of imports share: the fixtures, written after each tool's documented format, and how to bring one in."""

from pathlib import Path
from typing import Any

import gongfen
from gongfen.book.importing import Imported, Terms, import_work
from gongfen.facts import kinds as k
from gongfen.studio.importers.export import How
from gongfen.studio.importers.readers import READERS
from tests.books import new_book

FIXTURES = Path(__file__).parent / "fixtures" / "importers"
S = 1_000_000
MIN = 60 * S
H = 60 * MIN
MAKERS = {
    "10": "ada", "11": "bo", "bo@example.org": "bo", "ada@example.org": "ada", "verses-ada": "ada", "verses-bo": "bo",
    "3f2a1b4c-5d6e-4f80-91a2-b3c4d5e6f701": "ada", "3f2a1b4c-5d6e-4f80-91a2-b3c4d5e6f702": "bo",
}  # fmt: skip
SOURCES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "label-studio": ("label_studio.json", {}, {}),
    "argilla": ("argilla.json", {}, {"day": "2026-11-02"}),
    "prodigy": ("prodigy.jsonl", {}, {}),
    "toggl": ("toggl.csv", {"kind": 6}, {}),
    "clockify": ("clockify.csv", {"kind": 6}, {}),
    "kimai": ("kimai.csv", {"kind": 6}, {}),
    "timedot": ("log.timedot", {"kind": 6, "maker": "ada"}, {}),
    "timeclock": ("log.timeclock", {"kind": 6, "maker": "ada"}, {}),
    "codecarbon": ("emissions.csv", {}, {}),
    "mlflow": ("mlflow.json", {}, {}),
}
"""Tool → its fixture, and what must be said beside it."""


def shop(folder: Path) -> gongfen.Book:
    """A book with two makers."""
    return new_book(folder, "enrol maker=ada\nenrol maker=bo")


def bring(
    book: gongfen.Book, tool: str, path: Path | None = None, *, dry_run: bool = False, how: Any = None, **terms: Any
) -> Imported:
    """Import a file, or the tool's fixture, as the command line does."""
    name, needed, reading = SOURCES.get(tool, ("", {"kind": 6}, {}))
    said: dict[str, Any] = {"makers": MAKERS, "licence": "CC0-1.0"} | needed | terms
    read = How(**(reading | (how or {})))
    export = READERS[tool](path or FIXTURES / name, read)
    return import_work(book.log, export, Terms(**said), read.zone, dry_run=dry_run)


def labour(book: gongfen.Book, maker: str | None = None) -> list[k.Labour]:
    """The labour that a book holds, in the order of the log."""
    found = [fact.body for _, fact in book.log.facts() if isinstance(fact.body, k.Labour)]
    return [body for body in found if maker in (None, body.maker)]


def compute(book: gongfen.Book) -> list[k.Compute]:
    """The machine time that a book holds."""
    return [fact.body for _, fact in book.log.facts() if isinstance(fact.body, k.Compute)]


def reasons(found: Imported) -> list[tuple[str, int]]:
    """Why something is doubtful, and how many µs were not counted."""
    return [(doubt.reason, doubt.cut_us) for doubt in found.doubts]

"""Both heads of a fork, shown whole and kept as evidence: what is said when a log told two stories."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gongfen.book.files import write_file
from gongfen.cli.app import words
from gongfen.cli.mistakes import what
from gongfen.errors import ForkError, InputError

BETWEEN = "\n--- and ---\n\n"
"""Stands between the two checkpoints of an evidence file."""

Evidence = Annotated[
    Path | None, typer.Option("--evidence", help="Write both checkpoints to this file, should the log have forked.")
]


@contextmanager
def showing_forks(evidence: Path | None, *, as_json: bool) -> Iterator[None]:
    """Print both heads of a fork, whole, and write them to a file if asked; the error goes on its way."""
    try:
        yield
    except ForkError as error:
        if as_json:
            sys.stdout.write(json.dumps({"first": error.first, "second": error.second}, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(error.first + BETWEEN + error.second + "\n")
            sys.stdout.flush()
        if evidence:
            try:
                write_evidence(evidence, [(error.first, error.second)])
            except InputError as problem:
                sys.stderr.write(what(problem, words()) + "\n")  # the fork is what matters
        raise


def write_evidence(path: Path, pairs: Sequence[tuple[str, str]]) -> list[Path]:
    """A file for each two checkpoints, which ``gongfen log compare`` reads: FILE, FILE-2, FILE-3 and so on.

    Raises InputError when one cannot be written.
    """
    places = [path, *(path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, len(pairs) + 1))]
    for place, (first, second) in zip(places, pairs, strict=False):
        write_file(place, first + BETWEEN + second)
    return places[: len(pairs)]

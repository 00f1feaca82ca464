"""``gongfen record``: facts, from the command line, a file of JSON lines, or standard input."""

import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.errors import BookPlaceError
from gongfen.facts import Fact
from gongfen.facts.notation import read_line, read_words


@app.command()
def record(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A fact as KIND field=value …; or one FILE.jsonl with a fact a line; or - for standard input."
        ),
    ],
    fact_id: Annotated[str | None, typer.Option("--id", help="The fact's id: with it, a retry is harmless.")] = None,
    sample: Annotated[bool, typer.Option(help="Mark as sample data.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep this file's text with the book; fills in sha256 and size_bytes.")
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write facts into the book, all or none.

    Times take units (labour_us=40s, 3m, 2h), money decimals (price_micro=12.50), makers shares
    (makers=ada:600000,bo:400000).
    """
    with gongfen.open(book) as opened:
        log = opened.log
        before = log.size
        if len(what) == 1 and (what[0] == "-" or what[0].endswith(".jsonl")):
            with progress(words().gettext("recording"), quiet=as_json) as move:
                numbers = log.record(_from_lines(what[0], opened, sample=sample), progress=move)
        else:
            said, blobs = _with_file(what, keep)
            numbers = log.record([log.new(read_words(said), fact_id=fact_id, sample=sample)], blobs)
        receipts = [log.receipt(seq) for seq in numbers[:1]]
    answer = {"facts": numbers, "receipt": receipts[0] if receipts else None}
    new = [seq for seq in numbers if seq >= before]
    text = words().say("new facts: %(n)s; numbers: %(numbers)s", n=len(new), numbers=_brief(numbers))
    show(answer, as_json=as_json, draw=lambda: Text(text))


def _with_file(what: list[str], keep: Path | None) -> tuple[list[str], list[bytes]]:
    """The fact with the hash and size of a file that is kept with it."""
    if keep is None:
        return what, []
    if not keep.is_file():
        raise BookPlaceError(str(keep), "is not a file", "name the file that holds the text")
    data = keep.read_bytes()
    given = {word.partition("=")[0] for word in what}
    found = {"sha256": sha256(data).hexdigest(), "size_bytes": str(len(data))}
    return [*what, *(f"{name}={value}" for name, value in found.items() if name not in given)], [data]


def _from_lines(name: str, book: gongfen.Book, *, sample: bool) -> Iterator[Fact]:
    if name == "-":
        yield from _facts(sys.stdin.buffer, "standard input", book, sample=sample)
        return
    path = Path(name)
    if not path.is_file():
        raise BookPlaceError(name, "is not a file", "name a file of JSON lines, or - for standard input")
    with path.open("rb") as lines:
        yield from _facts(lines, name, book, sample=sample)


def _facts(lines: "Iterator[bytes]", place: str, book: gongfen.Book, *, sample: bool) -> Iterator[Fact]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            said = read_line(line, f"{place}, line {number},")
            yield book.log.new(said.body, fact_id=said.id, at=said.at, sample=sample or said.sample)


def _brief(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) if len(numbers) <= 3 else f"{numbers[0]} … {numbers[-1]}"

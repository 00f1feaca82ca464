"""``gongfen init``: a new book with a key of its own."""

from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words


@app.command()
def init(
    origin: Annotated[
        str, typer.Argument(help="The book's public name, like a web address: example.org/book.")
    ] = "gongfen.example/book",
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Make a new book, with a signing key beside it."""
    with gongfen.create(book, origin=origin) as made:
        path, key = made.log.path, str(made.log.verifier)
    answer = {"book": str(path), "origin": origin, "key": key}
    lines = words().say(
        "%(path)s is a new book of %(origin)s.\nPublish its key, so that others can check it:\n  %(key)s\n"
        "Keep %(path)s.key secret and backed up: who has it signs for the book.",
        path=path, origin=origin, key=key,
    )  # fmt: skip
    show(answer, as_json=as_json, draw=lambda: Text(lines))

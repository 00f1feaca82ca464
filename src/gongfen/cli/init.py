"""``gongfen init``: a new book with a key of its own."""

from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.book.place import key_path
from gongfen.cli.app import AsJson, BookPath, app, show, words


@app.command()
def init(
    origin: Annotated[
        str | None,
        typer.Argument(
            help="The book's public name, like a web address: example.org/book.",
            show_default="gongfen.example/ and 16 digits by chance",
        ),
    ] = None,
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="Sign with ML-DSA-44 too, beside Ed25519; checkpoints grow by 3 KiB.")
    ] = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Make a new book, with a signing key beside it."""
    with gongfen.create(book, origin=origin, post_quantum=post_quantum) as made:
        path, name, key = made.log.path, made.log.origin, "\n".join(map(str, made.log.verifiers))
        file = key_path(path)
    answer = {"book": str(path), "origin": name, "key": key}
    lines = words().say(
        "%(path)s is a new book of %(origin)s.\nPublish its key, so that others can check it:\n  %(key)s\n"
        "Keep %(file)s secret and backed up: who has it signs for the book.",
        path=path, origin=name, key=key, file=file,
    )  # fmt: skip
    show(answer, as_json=as_json, draw=lambda: Text(lines))

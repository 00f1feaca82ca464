"""``gongfen forget``: delete what is kept of a person; the record stays whole."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words


@app.command()
def forget(
    maker: Annotated[str, typer.Argument(help="The maker's id.")], book: BookPath = None, as_json: AsJson = False
) -> None:
    """Delete a maker's name, contact and account for good. Every proof still holds; the maker's id stays in the log."""
    with gongfen.open(book) as opened:
        found = opened.forget(maker)
        path = opened.log.path
        file = (
            f"{path.name}.people" if isinstance(path, Path) else words().say("the table person of %(book)s", book=path)
        )
    lines = words().say(
        "What was kept of %(maker)s is deleted, with its salt.\nThe facts about %(maker)s stay, and every proof holds. "
        "Copies of %(file)s elsewhere still hold it: delete them too.",
        maker=maker, file=file,
    )  # fmt: skip
    show(found, as_json=as_json, draw=lambda: Text(lines))

"""``gongfen who``: who made an output."""

from typing import Annotated

import typer

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, reading, show, words
from gongfen.reports.text import replies


@app.command()
@reading()
def who(
    output: Annotated[str, typer.Argument(help="The output's name.")], book: BookPath = None, as_json: AsJson = False
) -> None:
    """Who made an output: lineage, influence, quotation, labour — each by itself."""
    with gongfen.open(book) as opened:
        answer = opened.who(output)
    show(answer, as_json=as_json, draw=lambda: replies.who(answer, words()))

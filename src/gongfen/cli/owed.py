"""``gongfen owed``: who is owed what, and why."""

from typing import Annotated

import typer

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, reading, show, words
from gongfen.reports.text import replies


@app.command()
@reading()
def owed(
    maker: Annotated[str | None, typer.Argument(help="One maker; all, when left out.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """What makers are owed: for labour, for influence, less what was paid."""
    with gongfen.open(book) as opened:
        rows = opened.owed(maker)
        sample = opened.log.sample
    show(rows, as_json=as_json, draw=lambda: replies.owed(rows, words(), maker), sample=sample)

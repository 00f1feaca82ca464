"""``gongfen worth``: what outputs are worth."""

from typing import Annotated

import typer

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words
from gongfen.reports import text


@app.command()
def worth(
    outputs: Annotated[list[str], typer.Argument(help="One or more outputs, valued together.")],
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """What outputs are worth: labour transferred and living, their price, and rent under two theories."""
    with gongfen.open(book) as opened:
        answer = opened.worth(*outputs)
        sample = opened.log.sample
    show(answer, as_json=as_json, draw=lambda: text.worth(answer, words()), sample=sample)

"""``gongfen correct``: take an earlier fact back, by a new one."""

from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words


@app.command()
def correct(
    number: Annotated[int, typer.Argument(help="The number of the fact, as `gongfen log` shows it.", min=0)],
    reason: Annotated[str, typer.Argument(help="What was wrong with it.")],
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Take back labour, compute, a purchase, sale, payment, wage or rent. Both facts stay; say anew what is right."""
    with gongfen.open(book) as opened:
        found = opened.correct(number, reason)
        sample = opened.log.sample
    text = words().say("%(kind)s %(n)s is taken back by fact %(by)s", kind=found.kind, n=number, by=found.by)
    show(found, as_json=as_json, draw=lambda: Text(text), sample=sample)

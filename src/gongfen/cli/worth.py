"""``gongfen worth``: what outputs are worth, and which assumption that hangs on."""

from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, reading, show, words
from gongfen.reports.text import worth as worth_text


@app.command()
def worth(
    outputs: Annotated[list[str], typer.Argument(help="One or more outputs, valued together.")],
    tornado: Annotated[bool, typer.Option("--tornado", help="Which assumption moves the answer most.")] = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """What outputs are worth: labour transferred and living, under each reduction; their price, and both rents."""
    with reading(), gongfen.open(book) as opened:
        answer = opened.worth(*outputs)
        swings = opened.hangs_on(*outputs) if tornado else ()
        sample = opened.log.sample
    if not tornado:
        show(answer, as_json=as_json, draw=lambda: worth_text.worth(answer, words()), sample=sample)
        return
    both = {"worth": answer, "hangs_on": swings}

    def draw() -> Group:
        below = worth_text.tornado(swings, answer.currency, words())
        return Group(worth_text.worth(answer, words()), Text(), below)

    show(both, as_json=as_json, draw=draw, sample=sample)

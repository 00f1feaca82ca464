"""``gongfen correct``: take an earlier fact back, by a new one."""

from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words
from gongfen.cli.brief import WHOLE, brief


@app.command()
def correct(
    number: Annotated[int, typer.Argument(help="The number of the fact, as `gongfen log` shows it.", min=0)],
    reason: Annotated[str, typer.Argument(help="What was wrong with it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken back; write nothing.")] = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Take back labour, compute, a purchase, sale, payment, wage or rent. Both facts stay; say anew what is right."""
    with gongfen.open(book) as opened:
        found = opened.correct(number, reason, dry_run=dry_run)
        said, sample = brief(opened.log.fact(number), WHOLE), opened.log.sample
    if found.by is None:
        line = words().say("%(kind)s %(n)s would be taken back; nothing was written", kind=found.kind, n=number)
    else:
        line = words().say("%(kind)s %(n)s is taken back by fact %(by)s", kind=found.kind, n=number, by=found.by)
    show(found, as_json=as_json, draw=lambda: Text(line).append(f"\n{said}", "dim"), sample=sample)

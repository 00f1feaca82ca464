"""``gongfen settle``: one period's shares, exact to the cent."""

from typing import Annotated

import typer

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words
from gongfen.reports.text import replies


@app.command()
def settle(
    period: Annotated[str, typer.Argument(help="A year, a month or a day: 2026, 2026-11, 2026-11-22.")],
    policy: Annotated[str, typer.Option(help="The policy's name; * is the newest.")] = "*",
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Share a period's income among its makers by the published policy, and close the period."""
    with gongfen.open(book) as opened:
        found = opened.settle(period, policy)
        left = opened.left_by(found)
        sample = opened.log.sample
    show(found, as_json=as_json, draw=lambda: replies.settlement(found, words(), left), sample=sample)

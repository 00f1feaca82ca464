"""``gongfen pay``: record that money went to makers."""

from typing import Annotated

import typer

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words
from gongfen.facts.notation import read_money
from gongfen.reports.text import replies


@app.command()
def pay(
    maker: Annotated[str | None, typer.Argument(help="One maker; everybody who is owed, when left out.")] = None,
    amount: Annotated[str | None, typer.Option(help="A part of what is owed: 12.50.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only what is owed in this currency.")] = None,
    method: Annotated[str, typer.Option(help="How it was paid: a transfer's reference, say.")] = "",
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Record payments of what is owed. Gongfen moves no money: it records that you did."""
    with gongfen.open(book) as opened:
        found = opened.pay(maker, read_money(amount) if amount is not None else None, method, currency)
        sample = opened.log.sample
    show(found, as_json=as_json, draw=lambda: replies.payments(found, words()), sample=sample)

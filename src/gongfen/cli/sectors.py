"""``gongfen sectors``: labour values of a sector table; no book is needed."""

from pathlib import Path
from typing import Annotated

import typer

from gongfen.cli.app import AsJson, app, reading, show, words
from gongfen.reports.text import indicators as text_indicators


@app.command()
@reading()
def sectors(
    table: Annotated[
        Path,
        typer.Argument(
            help="CSV or XLSX: a row and a column for each sector, then final demand, labour, and price if known; or "
            "a row for each process, with columns uses X, makes X and labour."
        ),
    ],
    money: Annotated[
        bool, typer.Option("--money", help="The flows are money, as published tables have them: a unit costs 1.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Labour values of a sector table, l(I − A)⁻¹, exactly; whether v·y = l·x; and its prices against them."""
    from gongfen.book.bookkeeping.sectors import sectors_of  # noqa: PLC0415 - opening stays quick

    found = sectors_of(table, money=money)
    show(found, as_json=as_json, draw=lambda: text_indicators.sectors(found, words()))

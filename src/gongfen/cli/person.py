"""``gongfen person``: a maker's name, contact, payout account — outside the log."""

from contextlib import nullcontext
from typing import Annotated

import typer

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, reading, show, words
from gongfen.errors import DetailsError
from gongfen.reports.text import replies


@app.command()
def person(
    maker: Annotated[
        str, typer.Argument(help="The maker's id. It stays in the log for good: best a pseudonym, m-017.")
    ],
    details: Annotated[
        list[str] | None,
        typer.Argument(help="name=… contact=… account=… or any other; an empty value takes one away. None: show them."),
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Keep what is known of a person outside the log, or show it. The log holds a salted commitment only.

    A maker who is new is enrolled. What is kept can be forgotten (gongfen forget); the maker's id can not: it is in the
    log for good. Use pseudonymous ids, such as m-017.
    """
    given: dict[str, str] = {}
    for word in details or ():
        name, equals, value = word.partition("=")
        if not equals or name in given:
            reason = "is given twice" if equals else "is not of the form field=value"
            raise DetailsError(f"the detail {name!r}", reason, "write, say, name=… contact=…")
        given[name] = value
    with nullcontext() if given else reading(), gongfen.open(book) as opened:
        found = opened.describe(maker, **given) if given else opened.details(maker)
    show(found, as_json=as_json, draw=lambda: replies.person(found, words()))

"""``gongfen books``: the labour ledger at a glance, its accounts, its closing, and what follows from it."""

import os
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

import gongfen
from gongfen.book.place import VARIABLE
from gongfen.cli.app import AsJson, BookPath, app, progress, reading, show, words
from gongfen.errors import InputError
from gongfen.reports.text import indicators as text_indicators
from gongfen.reports.text import ledger as text_ledger
from gongfen.reports.text import pictures as text_pictures
from gongfen.reports.text import tasks as text_tasks

books_app = typer.Typer(
    name="books",
    help="The books: the labour ledger at a glance, its accounts, its closing, indicators, models, the data loop.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(books_app)


@books_app.callback()
def books(ctx: typer.Context, book: BookPath = None, as_json: AsJson = False) -> None:
    """Where labour came from and where it is, whether it balances, and what stands beside: machines, energy, money."""
    if ctx.invoked_subcommand:
        if book is not None:
            os.environ[VARIABLE] = str(book)  # `gongfen books --book PATH verb` says the same as after the verb
        return
    with reading(), gongfen.open(book) as opened:
        found, sample = opened.ledger(), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_ledger.ledger(found, words()), sample=sample)


@books_app.command()
@reading()
def account(
    prefix: Annotated[str, typer.Argument(help="How its name begins: 1200, 4000:living:2, wages.")],
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """The accounts whose names begin so, with their balances."""
    with gongfen.open(book) as opened:
        found, sample = opened.accounts(prefix), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_ledger.accounts(found, words()), sample=sample)


@books_app.command()
@reading()
def flow(book: BookPath = None, as_json: AsJson = False) -> None:
    """Where labour went, step by step: from makers and machines through data and models into outputs."""
    with gongfen.open(book) as opened:
        found, sample = opened.flow(), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_pictures.flow(found, words()), sample=sample)


@books_app.command()
def close(
    period: Annotated[str, typer.Argument(help="A year, a month or a day: 2026, 2026-11, 2026-11-22.")],
    name: Annotated[str | None, typer.Option(help="Of the closing.", show_default="close:PERIOD")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Close a period that is over: its balances are recorded, and nothing is dated in it any more."""
    with gongfen.open(book) as opened:
        found, sample = opened.close_period(period, name), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_ledger.closed(found, words()), sample=sample)


@books_app.command()
@reading()
def indicators(
    period: Annotated[str | None, typer.Argument(help="A year, a month or a day; without it, altogether.")] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Several producers instead of the book: CSV or XLSX with the columns producer, revenue, c, v, s, "
            "owner of model, owner of machines."
        ),
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """c, v, s and W; e, q and r; the labour share; prices against values, with what bears rent; concentration.

    c is labour from outside (machines, energy, bought data), L all living labour, v = wages/μ, s = L − v. Without
    wages they are unknown, not zero.
    """
    if table is not None:
        if period is not None:
            raise InputError("a period and --table", "are asked for together", "ask for one: a table has no periods")
        from gongfen.book.bookkeeping.capital import producers_of  # noqa: PLC0415 - opening stays quick
        from gongfen.book.bookkeeping.sheets import rows_of  # noqa: PLC0415 - opening stays quick
        from gongfen.value.economy.producer_table import producers_of_rows  # noqa: PLC0415 - opening stays quick

        several = producers_of(producers_of_rows(rows_of(table), table.name))
        show(several, as_json=as_json, draw=lambda: text_indicators.producers(several, words()))
        return
    with gongfen.open(book) as opened, progress(words().gettext("reading the facts"), quiet=as_json) as move:
        found, sample = opened.indicators(period, progress=move), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_indicators.indicators(found, words()), sample=sample)


@books_app.command()
@reading()
def models(
    peak: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DEVICE=TFLOP/S",
            help="What a device can compute at most: says how much of it was used. Repeatable.",
        ),
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """The composite measure of every model, each unit by itself; and an estimate from it, with its interval."""
    peaks = dict(_peak(said) for said in peak or ())
    with gongfen.open(book) as opened, progress(words().gettext("reading the facts"), quiet=as_json) as move:
        found, sample = opened.models(peaks=peaks, progress=move), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_indicators.models(found, words()), sample=sample)


@books_app.command()
@reading()
def loop(book: BookPath = None, as_json: AsJson = False) -> None:
    """Outputs that came back as data: their labour by the equations, and as it was booked step by step."""
    with gongfen.open(book) as opened, progress(words().gettext("reading the facts"), quiet=as_json) as move:
        found, sample = opened.loop(progress=move), opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_ledger.loop(found, words()), sample=sample)


@books_app.command()
def idle(
    work: Annotated[str, typer.Argument(help="A model, or whatever stands idle.")],
    rate: Annotated[str, typer.Option(help="λ a day: 0.01 loses about one part in a hundred a day.")],
    days: Annotated[
        str | None, typer.Option(help="How many; without it, up to yesterday, from the end of the last such loss.")
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="The first of them.",
            show_default="the day after the last such loss; without one, so that they end yesterday",
        ),
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Record the loss; without it, it is only shown.")] = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """What a work loses by standing idle: D = K(1 − e^(−λt)), to the micro-SLH."""
    with gongfen.open(book) as opened:
        how_many = None if days is None else _number("--days", days)
        found = opened.idle(work, _number("--rate", rate), how_many, first, record=record)
        sample = opened.log.sample
    show(found, as_json=as_json, draw=lambda: text_ledger.idle(found, words()), sample=sample)


@books_app.command()
@reading()
def average(
    table: Annotated[
        Path,
        typer.Argument(help="CSV or XLSX with the columns producer, time (hours for one unit) and units: one task."),
    ],
    as_json: AsJson = False,
) -> None:
    """What a task takes on the social average, and what each producer gains or gives by it. No book is needed."""
    from gongfen.book.bookkeeping.tasks import average_of  # noqa: PLC0415 - opening stays quick

    found = average_of(table)
    show(found, as_json=as_json, draw=lambda: text_tasks.average(found, words()))


@books_app.command()
@reading()
def automation(
    table: Annotated[
        Path,
        typer.Argument(help="CSV or XLSX with the columns task, machine cost, wage (for an hour) and hours."),
    ],
    as_json: AsJson = False,
) -> None:
    """Which tasks a machine does for less than their wages: machine cost < w·h. No book is needed."""
    from gongfen.book.bookkeeping.tasks import automation_of  # noqa: PLC0415 - opening stays quick

    found = automation_of(table)
    show(found, as_json=as_json, draw=lambda: text_tasks.automation(found, words()))


TERA = 10**12


def _peak(said: str) -> tuple[str, int]:
    """A device and the FLOP a second that it can do at most."""
    device, _, number = said.rpartition("=")
    if not device:
        raise InputError(f"--peak {said[:MOST_DIGITS]!r}", "names no device", "write, say, --peak v100=125")
    most = _number(f"--peak {device}", number)
    if most <= 0:
        raise InputError(f"--peak {device}", f"cannot be {number}", "name what it computes at most, in TFLOP/s")
    return device, round(most * TERA)


MOST_DIGITS = 40


def _number(name: str, said: str) -> Fraction:
    """A decimal from 0 upwards. Raises InputError."""
    try:
        number = Decimal(said) if len(said) <= MOST_DIGITS else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() > MOST_DIGITS:
        raise InputError(f"{name} {said[:MOST_DIGITS]!r}", "is no number", "write, say, 0.01")
    return Fraction(number)

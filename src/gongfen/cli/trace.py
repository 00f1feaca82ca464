"""``gongfen trace``: measure whose work is in an output, or in a period's income."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, several_steps, show, words
from gongfen.errors import MissingAssumptionError
from gongfen.reports import text

PERIOD = "period:"


@app.command()
def trace(
    targets: Annotated[
        list[str], typer.Argument(help="Outputs (display grade), or one period:2026-11:EUR (settlement grade).")
    ],
    validate: Annotated[int, typer.Option(min=0, help="Retrain without so many makers, and compare.")] = 0,
    index: Annotated[
        bool, typer.Option("--index", help="Read the works once, at four checkpoints; keep that for every output.")
    ] = False,
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Measure influence once, record it with its method, seed and diagnostics; who and settle read it afterwards."""
    speak = words()
    with several_steps(), gongfen.open(book) as opened, progress(speak.gettext("tracing"), quiet=as_json) as move:
        if not targets[0].startswith(PERIOD):
            opened.trace(*targets, index=index, cache=cache, progress=move)
            answers = [opened.who(output) for output in targets]
            show(answers, as_json=as_json, draw=lambda: Group(*(_drawn(opened, output) for output in targets)))
            return
        if index:
            raise MissingAssumptionError("--index", "is for outputs", "a period is traced through the run itself")
        if len(targets) > 1:
            raise MissingAssumptionError(", ".join(targets[1:]), "cannot be traced beside a period", "trace one by one")
        if validate == 1 or validate < 0:
            raise MissingAssumptionError(
                f"--validate {validate}", "cannot compare anything", "give 2 or more, or leave it out"
            )
        period, _, currency = targets[0].removeprefix(PERIOD).partition(":")
        found = opened.trace_period(period, currency=currency or "EUR", cache=cache, progress=move)
        checked = found.validate(validate, move) if validate else None
    line = speak.say("%(name)s: influence of every work on the period's income, settlement grade", name=found.name)
    if checked:
        rank = (
            speak.ratio(checked.spearman_ppm) if checked.spearman_ppm is not None else speak.gettext("too few to say")
        )
        line += "\n" + speak.say("held against %(n)s retrainings without one maker: rank correlation %(rank)s",
                                 n=checked.retrainings, rank=rank)  # fmt: skip
    answer = {"influence": found.name, "validated": checked}
    show(answer, as_json=as_json, draw=lambda: Text(line))


def _drawn(book: gongfen.Book, output: str) -> RenderableType:
    return Group(text.who(book.who(output), words()), Text())

"""``gongfen trace``: measure whose work is in an output, or in a period's income."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

import gongfen
from gongfen.book.place import VARIABLE
from gongfen.cli.app import AsJson, BookPath, progress, several_steps, show, words
from gongfen.cli.evaluate import trace_app
from gongfen.errors import MissingAssumptionError
from gongfen.reports import text
from gongfen.reports.replies import Who

PERIOD = "period:"


@trace_app.callback()
def trace(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(help="Outputs (display grade), or one period:2026-11:EUR (settlement grade).")
    ],
    validate: Annotated[
        int,
        typer.Option(min=0, help="Of a period: retrain without so many makers, and compare; 0: display grade only."),
    ] = 8,
    seeds: Annotated[
        int, typer.Option(min=1, help="Of a period: train with so many seeds, for an interval of every effect.")
    ] = 1,
    index: Annotated[
        bool, typer.Option("--index", help="Read the works once, at four checkpoints; keep that for every output.")
    ] = False,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="With --index: measure each sentence by itself, too.")
    ] = False,
    rerank: Annotated[
        int, typer.Option(min=0, help="With --index: measure so many of the strongest works again, by exact EK-FAC.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Build the index in so many processes; 0: in this one.")] = 0,
    ray: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Build the index on a Ray cluster: local, auto, or its address.")
    ] = "",
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Measure influence once, record it with its method, seed and diagnostics; who and settle read it afterwards.

    evaluate is a verb of its own. An output that is called so comes after two dashes: gongfen trace -- evaluate.
    """
    if ctx.invoked_subcommand:
        if book is not None:
            os.environ[VARIABLE] = book  # `gongfen trace --book PATH evaluate` says the same as after the verb
        return
    speak = words()
    with several_steps(), gongfen.open(book) as opened, progress(speak.gettext("tracing"), quiet=as_json) as move:
        if not targets[0].startswith(PERIOD):
            asked = {"index": index, "sentences": sentences, "rerank": rerank, "workers": workers, "ray": ray}
            opened.trace(*targets, **asked, cache=cache, progress=move)  # type: ignore[arg-type]
            answers = [opened.who(output) for output in targets]
            draw = partial(_drawn, alone=sentences)
            show(answers, as_json=as_json, draw=lambda: Group(*(draw(answer) for answer in answers)))
            return
        _check_period(targets, validate, asks_index=bool(index or sentences or rerank or workers or ray))
        period, _, currency = targets[0].removeprefix(PERIOD).partition(":")
        found = opened.trace_period(
            period, currency=currency or "EUR", validate=validate, seeds=seeds, cache=cache, progress=move
        )
    show(found, as_json=as_json, draw=lambda: text.period(found, speak))


def _check_period(targets: list[str], validate: int, *, asks_index: bool) -> None:
    """Raises MissingAssumptionError for what does not go together with a period."""
    if asks_index:
        raise MissingAssumptionError("--index", "is for outputs", "a period is traced through the run itself")
    if len(targets) > 1:
        raise MissingAssumptionError(", ".join(targets[1:]), "cannot be traced beside a period", "trace one by one")
    if validate == 1 or validate < 0:
        raise MissingAssumptionError(
            f"--validate {validate}", "cannot compare anything", "give 2 or more, or leave it out"
        )


def _drawn(answer: Who, *, alone: bool) -> RenderableType:
    """An answer; ``alone``: sentences were asked for, so an output of one is said to be one."""
    lines: list[RenderableType] = [text.who(answer, words())]
    if alone and not answer.parts:
        lines.append(Text(words().gettext("sentences: it is one sentence, so the whole is what there is")))
    return Group(*lines, Text())

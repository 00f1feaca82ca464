"""``gongfen trace``: measure whose work is in an output, or in a period's income."""

import os
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.text import Text

import gongfen
from gongfen.book.place import VARIABLE
from gongfen.cli.app import AsJson, BookPath, progress, show, words
from gongfen.cli.evaluate import trace_app
from gongfen.errors import MissingAssumptionError
from gongfen.reports.replies import Who
from gongfen.reports.text import replies

if TYPE_CHECKING:
    from gongfen.book.tracing.outputs import Traced

PERIOD = "period:"
FEWEST, SEVERAL = 8, 2
"""Retrainings that settlement grade needs, and seeds that an interval needs."""
OF_OUTPUTS = ("metagradient", "index", "sentences", "tokens", "span", "rerank", "workers", "ray", "bergson")
SEEDS = "Of a period, or with --metagradient: train with so many seeds, for intervals; 2 if nothing is said, 1: none."
VALIDATE = "Of a period: retrain without so many makers, and compare; 8 if nothing is said, 0: display grade only."
SPAN = "With --index: measure this stretch of the output by itself, too, in characters from 0 on; more than once."
INDEX = "Read the works once, at four checkpoints; keep that for every output."
SENTENCES = "With --index: measure each sentence by itself, too."
TOKENS = "With --index: measure each token by itself, too."
BERGSON = "Build the index by Bergson's passes; the result is the same."
METAGRADIENT = "Of outputs: differentiate the training run itself. Each output costs about one to two trainings."


@trace_app.callback()
def trace(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(help="Outputs (display grade), or one period:2026-11:EUR (settlement grade).")
    ],
    validate: Annotated[int | None, typer.Option(min=0, help=VALIDATE)] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help=SEEDS)] = None,
    metagradient: Annotated[bool, typer.Option("--metagradient", help=METAGRADIENT)] = False,
    index: Annotated[bool, typer.Option("--index", help=INDEX)] = False,
    sentences: Annotated[bool, typer.Option("--sentences", help=SENTENCES)] = False,
    tokens: Annotated[bool, typer.Option("--tokens", help=TOKENS)] = False,
    span: Annotated[list[str] | None, typer.Option(metavar="FROM:TO", help=SPAN)] = None,
    rerank: Annotated[
        int, typer.Option(min=0, help="With --index: measure so many of the strongest works again, by exact EK-FAC.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Build the index in so many processes; 0: in this one.")] = 0,
    ray: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Build the index on a Ray cluster: local, auto, or its address.")
    ] = "",
    bergson: Annotated[bool, typer.Option("--bergson", help=BERGSON)] = False,
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
    with gongfen.open(book) as opened, progress(speak.gettext("tracing"), quiet=as_json) as move:
        if not targets[0].startswith(PERIOD):
            if validate is not None:
                remedy = "leave it out; how good a way of measuring is: gongfen trace evaluate MODEL"
                raise MissingAssumptionError("--validate", "is for a period", remedy)
            made = opened.trace(
                *targets, index=index, sentences=sentences, rerank=rerank, workers=workers, ray=ray, bergson=bergson,
                metagradient=metagradient, seeds=seeds, tokens=tokens, spans=[*map(_stretch, span or ())],
                cache=cache, progress=move,
            )  # fmt: skip
            answers = [
                (opened.who(output), traced) for output, traced in zip(dict.fromkeys(targets), made, strict=True)
            ]
            _show_outputs(answers, as_json=as_json, alone=sentences, how=bool(workers or ray or bergson))
            return
        validate = FEWEST if validate is None else validate
        _check_period(targets, validate, ctx.params)
        period, _, currency = targets[0].removeprefix(PERIOD).partition(":")
        found = opened.trace_period(
            period, currency=currency or "EUR", validate=validate, seeds=seeds or SEVERAL, cache=cache, progress=move
        )
    show(found, as_json=as_json, draw=lambda: replies.period(found, speak))


def _show_outputs(answers: "list[tuple[Who, Traced]]", *, as_json: bool, alone: bool, how: bool) -> None:
    """Whose work is in each output, and what was measured and found; ``how``: somebody said how an index is built."""
    said = [{**msgspec.to_builtins(answer), "traced": msgspec.to_builtins(traced)} for answer, traced in answers]
    drawn: list[RenderableType] = [*starmap(partial(_drawn, alone=alone), answers)]
    if how and not answers[0][1].built:
        drawn.append(Text(words().gettext("the index was there already: nothing was built")))
    show(said, as_json=as_json, draw=lambda: Group(*drawn))


def _stretch(said: str) -> tuple[int, int]:
    """``FROM:TO`` as two numbers. Raises MissingAssumptionError."""
    start, _, end = said.partition(":")
    if not (start.isascii() and start.isdecimal() and end.isascii() and end.isdecimal()):
        raise MissingAssumptionError(f"--span {said}", "is not two numbers", "write it like --span 40:75")
    return int(start), int(end)


def _check_period(targets: list[str], validate: int, given: dict[str, Any]) -> None:
    """Raises MissingAssumptionError for what does not go together with a period."""
    if asked := next((name for name in OF_OUTPUTS if given[name]), None):
        remedy = "leave it out: a period is always traced by the metagradient of the run itself"
        raise MissingAssumptionError(f"--{asked}", "is for outputs", remedy)
    if len(targets) > 1:
        raise MissingAssumptionError(", ".join(targets[1:]), "cannot be traced beside a period", "trace one by one")
    if validate == 1 or validate < 0:
        raise MissingAssumptionError(
            f"--validate {validate}", "cannot compare anything", "give 2 or more, or leave it out"
        )


def _drawn(answer: Who, traced: "Traced", *, alone: bool) -> RenderableType:
    """An answer, and how much was found; ``alone``: sentences were asked for, so an output of one is said to be one."""
    speak = words()
    found = speak.say(
        "found in it: %(quotes)s, %(near)s",
        quotes=speak.counted("%(n)s quotation", "%(n)s quotations", traced.quotes),
        near=speak.counted("%(n)s near copy", "%(n)s near copies", traced.near_copies),
    )
    lines: list[RenderableType] = [replies.who(answer, speak), Text(found)]
    if alone and not answer.parts:
        lines.append(Text(speak.gettext("sentences: it is one sentence, so the whole is what there is")))
    return Group(*lines, Text())

"""``gongfen train``: a model from the book's own works."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, several_steps, show, words


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="The new model's name.")],
    quick: Annotated[bool, typer.Option("--quick", help="A tiny model from scratch, not SmolLM2 with LoRA.")] = False,
    per_maker: Annotated[int | None, typer.Option(min=1, help="How many works of every maker.")] = None,
    uses: Annotated[
        int, typer.Option(min=1, help="Planned uses: each carries its part of the model's labour.")
    ] = 1_000,
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Tune a model on the book's works, offline, and record data, config, code, time, energy and hashes."""
    from gongfen.studio.recipes import FULL, QUICK  # noqa: PLC0415 - torch is loaded by the verbs that need it

    plan, speak = QUICK if quick else FULL, words()
    with several_steps(), gongfen.open(book) as opened, progress(speak.gettext("training"), quiet=as_json) as move:
        found = opened.train(
            model,
            setup=plan.setup,
            per_maker=plan.per_maker if per_maker is None else per_maker,
            planned_uses=uses,
            cache=cache,
            progress=move,
        )
    text = speak.say(
        "%(model)s: %(works)s by %(makers)s, %(steps)s, loss %(first)s → %(last)s nats a token",
        model=found.model, works=speak.counted("%(n)s work", "%(n)s works", found.works),
        makers=speak.makers(found.makers), steps=speak.counted("%(n)s step", "%(n)s steps", found.steps),
        first=speak.ratio(found.first_loss_unat), last=speak.ratio(found.last_loss_unat),
    )  # fmt: skip
    show(found, as_json=as_json, draw=lambda: Text(text))

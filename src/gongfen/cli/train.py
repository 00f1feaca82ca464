"""``gongfen train``: a model from the book's own works."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, several_steps, show, words

NANO = 1_000_000_000
COUNTED_IN = "What uses are counted in, where they differ in size: tokens, or 10⁹ operations; else one by one."
RATE = "The highest rate, 0.001 say; if nothing is said, lower for more steps, so that the run stays smooth."
WARMUP = "Steps until the highest rate; a third of all if nothing is said."
EPOCHS = "How often every work is learned from; 6 with --quick, else 1, if nothing is said."


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="The new model's name.")],
    quick: Annotated[bool, typer.Option("--quick", help="A tiny model from scratch, not SmolLM2 with LoRA.")] = False,
    per_maker: Annotated[int | None, typer.Option(min=1, help="How many works of every maker.")] = None,
    uses: Annotated[
        int, typer.Option(min=1, help="Planned uses: each carries its part of the model's labour.")
    ] = 1_000,
    counted_in: Annotated[Literal["token", "gflop"] | None, typer.Option(help=COUNTED_IN)] = None,
    rate: Annotated[float | None, typer.Option(min=1e-9, max=1, help=RATE)] = None,
    warmup: Annotated[int | None, typer.Option(min=0, help=WARMUP)] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=EPOCHS)] = None,
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Tune a model on the book's works, offline, and record data, config, code, time, energy and hashes."""
    from gongfen.studio.recipes import FULL, QUICK  # noqa: PLC0415 - torch is loaded by the verbs that need it

    speak, rate_nano = words(), None if rate is None else round(rate * NANO)
    plan = replace(QUICK if quick else FULL, rate_nano=rate_nano, warmup=warmup, epochs=epochs)
    with several_steps(), gongfen.open(book) as opened, progress(speak.gettext("training"), quiet=as_json) as move:
        found = opened.train(
            model,
            setup=plan,
            per_maker=plan.per_maker if per_maker is None else per_maker,
            planned_uses=uses,
            counted_in=counted_in,
            cache=cache,
            progress=move,
        )
    text = speak.say(
        "%(model)s: %(works)s by %(makers)s, %(steps)s, loss %(first)s → %(last)s nats a token",
        model=found.model, works=speak.counted("%(n)s work", "%(n)s works", found.works),
        makers=speak.makers(found.makers), steps=speak.counted("%(n)s step", "%(n)s steps", found.steps),
        first=speak.ratio(found.first_loss_unat), last=speak.ratio(found.last_loss_unat),
    )  # fmt: skip
    recipe = speak.say(
        "recipe: %(epochs)s, rate %(rate)s, warm-up over %(steps)s",
        epochs=speak.counted("%(n)s epoch", "%(n)s epochs", found.epochs), rate=f"{found.rate_nano / NANO:.3g}",
        steps=speak.counted("%(n)s step", "%(n)s steps", found.warmup_steps),
    )  # fmt: skip
    show(found, as_json=as_json, draw=lambda: Text(f"{text}\n{recipe}"))

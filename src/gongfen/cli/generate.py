"""``gongfen generate``: an output from a prompt, with the labour that went into the prompt."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, several_steps, show, words
from gongfen.facts.notation import read_time


@app.command()
def generate(
    model: Annotated[str, typer.Argument(help="A model that was trained in this book.")],
    prompt: Annotated[str, typer.Argument(help="What you typed.")],
    name: Annotated[str, typer.Option(help="The output's name: NAME/output; the prompt's is NAME/prompt.")],
    by: Annotated[str, typer.Option(help="Who typed it: an enrolled maker.")],
    typed: Annotated[str | None, typer.Option(help="How long typing took: 40s. Left out: nobody measured it.")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="The most tokens to write.")] = 48,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same text.")] = 0,
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Let a model write after a prompt, and record prompt, typing time, output and machine time."""
    from gongfen.book.making import Prompt  # noqa: PLC0415 - torch is loaded by the verbs that need it

    speak = words()
    asked = Prompt(name, prompt, by, read_time(typed) if typed else None)
    with several_steps(), gongfen.open(book) as opened, progress(speak.gettext("writing"), quiet=as_json) as move:
        found = opened.generate(model, asked, length=tokens, seed=seed, cache=cache, progress=move)
    text = "\n".join(f"{one.output}\n{one.prompt}{one.text}" for one in found)
    show(found, as_json=as_json, draw=lambda: Text(text))

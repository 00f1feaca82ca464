"""``gongfen label``: an output as a file that says what it is."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words
from gongfen.cli.mistakes import told


@app.command()
def label(
    outputs: Annotated[list[str], typer.Argument(help="One or more outputs.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path(),
    producer: Annotated[
        str | None, typer.Option(envvar="GONGFEN_PRODUCER", help="Your 27-character producer code (GB 45438-2025).")
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write outputs as Markdown with the visible and the hidden AI-content label, read back and checked."""
    with gongfen.open(book) as opened:
        found = [opened.label(output, out, producer) for output in outputs]
    speak = words()
    lines = [speak.gettext("labelled, read back and checked:")]
    for one in found:
        lines += [f"{one.file}: {one.visible}", *(f"  {told(warning, speak)}" for warning in one.warnings)]
    show(found, as_json=as_json, draw=lambda: Text("\n".join(lines)))

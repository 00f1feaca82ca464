"""``gongfen log``: the facts as they stand, their receipts, the checkpoint, the key."""

import json
import os
import sys
from typing import Annotated

import msgspec
import typer
from rich.text import Text

import gongfen
from gongfen.book.place import VARIABLE
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.facts import Fact, encode
from gongfen.facts.references import LISTED
from gongfen.reports.text import table

log_app = typer.Typer(
    name="log",
    help="Read the log: its facts, a receipt, the signed checkpoint, the key.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(log_app)
BRIEF = 100


@log_app.callback()
def log(
    ctx: typer.Context,
    about: Annotated[str | None, typer.Option(help="Only facts about this work, maker or target.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only facts of this kind.")] = None,
    last: Annotated[int, typer.Option(help="How many, from the end; 0 for all.")] = 20,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Facts, oldest first. With --json, one canonical fact a line."""
    if ctx.invoked_subcommand:
        if book is not None:
            os.environ[VARIABLE] = str(
                book
            )  # `gongfen log --book PATH key` says the same as `gongfen log key --book PATH`
        return
    with gongfen.open(book) as opened:
        record = opened.log
        found: list[tuple[int, Fact]] = []
        if about:
            found = record.about(about)
        elif kind:
            listed = record.about(f"kind|{kind}") if kind in LISTED else record.facts()
            found = [(seq, fact) for seq, fact in listed if fact.kind == kind]
        else:
            found = list(record.facts(max(0, record.size - last) if last else 0))
        found = [(seq, fact) for seq, fact in found if kind in (None, fact.kind)]
        found = found[-last:] if last else found
    if as_json:
        for _, fact in found:
            sys.stdout.write(encode(fact).decode() + "\n")
        return
    rows = table(words(), "number", "kind", "said", "by", "what", numbers=(0,))
    for seq, fact in found:
        mark = " (sample)" if fact.sample else ""
        rows.add_row(str(seq), fact.kind + mark, fact.at[:19].replace("T", " "), fact.by, _brief(fact))
    show(None, as_json=False, draw=lambda: rows)


@log_app.command()
def receipt(
    fact: Annotated[str, typer.Argument(help="A fact's number or id.")],
    book: BookPath = None,
    as_json: AsJson = True,  # noqa: ARG001 - a receipt is always JSON; the option is there as it is everywhere
) -> None:
    """The proof that a fact is in the log, as JSON: keep it; gongfen verify checks it offline."""
    with gongfen.open(book) as opened:
        found = opened.receipt(int(fact) if fact.isdecimal() else fact)
    show(found, as_json=True, draw=Text)


@log_app.command()
def checkpoint(book: BookPath = None, as_json: AsJson = False) -> None:
    """The newest signed checkpoint: keep it, and nobody can shorten the log unseen."""
    with gongfen.open(book) as opened:
        note = opened.log.checkpoint()
    sys.stdout.write(json.dumps({"checkpoint": note}, ensure_ascii=False) + "\n" if as_json else note)


@log_app.command()
def key(book: BookPath = None, as_json: AsJson = False) -> None:
    """The book's public key."""
    with gongfen.open(book) as opened:
        found = str(opened.log.verifier)
    sys.stdout.write((json.dumps({"key": found}) if as_json else found) + "\n")


@log_app.command()
def rebuild(book: BookPath = None, as_json: AsJson = False) -> None:
    """Throw the views away and make them again from the facts."""
    with gongfen.open(book) as opened:
        with progress(words().gettext("rebuilding"), quiet=as_json) as move:
            opened.log.rebuild(move)
        size = opened.log.size
    show({"facts": size}, as_json=as_json, draw=lambda: Text(words().say("rebuilt from %(n)s facts", n=size)))


def _brief(fact: Fact) -> str:
    fields = json.loads(encode(fact))["body"]
    text = ", ".join(
        f"{name}={value}" for name, value in msgspec.to_builtins(fields).items() if value not in (None, "", [])
    )
    return text if len(text) <= BRIEF else text[:BRIEF] + "…"

"""``gongfen log``: the facts as they stand, their receipts, the checkpoint, the key."""

import json
import os
import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

import gongfen
from gongfen.book.files import write_file
from gongfen.book.place import VARIABLE
from gongfen.book.proving.witnessing import cosigned_at, kept_policy
from gongfen.book.recording.record import Record
from gongfen.cli.app import AsJson, BookPath, app, progress, reading, show, words
from gongfen.cli.brief import brief
from gongfen.facts import Fact, encode
from gongfen.facts.references import LISTED, references
from gongfen.proof.cosignature import cosignatures
from gongfen.proof.note import read_note
from gongfen.reports.replies import Flagged
from gongfen.reports.text.replies import table

log_app = typer.Typer(
    name="log",
    help="Read the log: its facts, a receipt, the signed checkpoint, the key.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(log_app)
MOST_DIGITS = 19
"""A longer number is beyond any log: then it is an id."""


@log_app.callback()
def log(
    ctx: typer.Context,
    about: Annotated[str | None, typer.Option(help="Only facts about this work, maker or target.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only facts of this kind.")] = None,
    last: Annotated[int, typer.Option(help="How many, from the end; 0 for all.", min=0)] = 20,
    start: Annotated[int, typer.Option("--from", help="Only facts from this number on.", min=0)] = 0,
    flagged: Annotated[
        bool, typer.Option("--flagged", help="Only facts whose signature is in doubt: their key had ended.")
    ] = False,
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
    with reading(), gongfen.open(book) as opened:
        wanted = Wanted(about, kind, opened.flags() if flagged else None, start, last)
        found = wanted.facts(opened.log)
        if as_json:
            for _, fact in found:
                sys.stdout.write(encode(fact).decode() + "\n")
            return
        rows = _drawn(found, {one.seq for one in opened.flags()})
    show(None, as_json=False, draw=lambda: rows)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which facts were asked for."""

    about: str | None
    kind: str | None
    flagged: tuple[Flagged, ...] | None
    start: int
    last: int

    def facts(self, record: Record) -> Iterable[tuple[int, Fact]]:
        """Those facts, in order; none is held longer than it is shown, unless the last ones are asked for."""
        if not (self.about or self.kind or self.flagged is not None):
            first = max(self.start, record.size - self.last) if self.last else self.start
            return record.facts(first)
        found = (row for row in self._listed(record) if row[0] >= self.start and self._fits(row[1]))
        return deque(found, self.last) if self.last else found

    def _listed(self, record: Record) -> Iterable[tuple[int, Fact]]:
        if self.flagged is not None:
            return ((one.seq, record.fact(one.seq)) for one in self.flagged)
        if self.about:
            return record.about(self.about)
        return record.about(f"kind|{self.kind}") if self.kind in LISTED else record.facts(self.start)

    def _fits(self, fact: Fact) -> bool:
        about = self.flagged is None or self.about is None or self.about in references(fact)
        return about and self.kind in (None, fact.kind)


def _drawn(found: Iterable[tuple[int, Fact]], doubtful: set[int]) -> Table:
    speak = words()
    rows = table(speak, "number", "kind", "said", "by", "what", numbers=(0,))
    for seq, fact in found:
        mark = " (sample)" if fact.sample else ""
        if fact.signed is not None:
            mark += f" ⚑ {speak.gettext('flagged')}" if seq in doubtful else f" ✓ {speak.gettext('signed')}"
        rows.add_row(str(seq), fact.kind + mark, fact.at[:19].replace("T", " "), fact.by, brief(fact))
    return rows


@log_app.command()
@reading()
def receipt(
    fact: Annotated[str, typer.Argument(help="A fact's number or id.")],
    book: BookPath = None,
    out: Annotated[Path | None, typer.Option(help="Write a FILE.tlog-proof, which other tools read too.")] = None,
    as_json: AsJson = False,
) -> None:
    """The proof that a fact is in the log: keep it; gongfen verify checks it offline."""
    with gongfen.open(book) as opened:
        found = opened.receipt(int(fact) if fact.isdecimal() and len(fact) < MOST_DIGITS else fact)
        policy = kept_policy(opened.log)
    if out is not None:
        write_file(out, found.text())
        known = [one.verifier for one in policy.witnesses] if policy else []
        seen = {one.witness: cosigned_at(one) for one in cosignatures(read_note(found.checkpoint), known)}
        lines = [words().say("%(path)s proves fact %(seq)s (%(kind)s)", path=out, seq=found.seq, kind=found.kind)]
        lines += [words().say("cosigned by %(name)s at %(at)s", name=name, at=at) for name, at in seen.items()]
        answer = {"file": str(out), "seq": found.seq, "cosigned": seen}
        show(answer, as_json=as_json, draw=lambda: Text("\n".join(lines)))
        return
    show(found, as_json=True, draw=Text)


@log_app.command()
@reading()
def checkpoint(book: BookPath = None, as_json: AsJson = False) -> None:
    """The newest signed checkpoint: keep it, and nobody can shorten the log unseen."""
    with gongfen.open(book) as opened:
        note = opened.log.checkpoint()
    sys.stdout.write(json.dumps({"checkpoint": note}, ensure_ascii=False) + "\n" if as_json else note)


@log_app.command()
@reading()
def key(
    out: Annotated[
        Path | None, typer.Option(help="Write it to this file, to publish it: --key takes the file.")
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """The book's public key; a line each, where it has two (gongfen init --post-quantum)."""
    with gongfen.open(book) as opened:
        found = "\n".join(map(str, opened.log.verifiers))
    if out is not None:
        write_file(out, f"{found}\n")
        said = words().say("%(path)s holds the public key of the book.", path=out)
        show({"file": str(out), "key": found}, as_json=as_json, draw=lambda: Text(said))
        return
    sys.stdout.write((json.dumps({"key": found}) if as_json else found) + "\n")


@log_app.command()
def rebuild(book: BookPath = None, as_json: AsJson = False) -> None:
    """Throw the views away and make them again from the facts."""
    with gongfen.open(book) as opened:
        with progress(words().gettext("rebuilding"), quiet=as_json) as move:
            opened.log.rebuild(move)
        size = opened.log.size
    text = words().say("rebuilt from %(facts)s", facts=words().facts(size))
    show({"facts": size}, as_json=as_json, draw=lambda: Text(text))

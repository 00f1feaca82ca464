"""``gongfen export``: the books for Beancount, hledger, spreadsheets, data tools and paper."""

import io
import sys
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.text import Text

import gongfen
from gongfen.book.bookkeeping.exporting import Wanted
from gongfen.cli.app import AsJson, BookPath, app, progress, reading, show, words
from gongfen.errors import InputError
from gongfen.reports.export.ledger import Table

export_app = typer.Typer(
    name="export",
    help="Take the books out, for other people's tools and for paper. Their numbers are ours, to the last unit.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(export_app)

STANDARD_OUTPUT = "-"
Out = Annotated[str, typer.Option("--out", metavar="FILE", help="The file to write; - for standard output.")]
Memo = Annotated[
    bool, typer.Option("--memo/--no-memo", help="With what machines, energy and business took, beside both ledgers.")
]
Which = Annotated[Table, typer.Option("--table", help="Every posting, or the balance of every account.")]


@export_app.command()
@reading()
def beancount(out: Out = STANDARD_OUTPUT, memo: Memo = True, book: BookPath = None, as_json: AsJson = False) -> None:
    """Beancount text: labour in SLH, money in its currencies, and assertions that every balance is ours."""
    _take_out(Wanted(form="beancount", memo=memo), out, book, as_json=as_json)


@export_app.command()
@reading()
def hledger(out: Out = STANDARD_OUTPUT, memo: Memo = True, book: BookPath = None, as_json: AsJson = False) -> None:
    """An hledger journal: labour in SLH, money in its currencies, and assertions that every balance is ours."""
    _take_out(Wanted(form="hledger", memo=memo), out, book, as_json=as_json)


@export_app.command()
@reading()
def csv(
    out: Out = STANDARD_OUTPUT,
    table: Which = "postings",
    memo: Memo = True,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Postings or balances as CSV, with amounts as whole numbers and as decimals."""
    _take_out(Wanted(form="csv", table=table, memo=memo), out, book, as_json=as_json)


@export_app.command()
@reading()
def parquet(
    out: Out = STANDARD_OUTPUT,
    table: Which = "postings",
    memo: Memo = True,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Postings or balances as Parquet, with exact amounts; it needs pyarrow: pip install 'gongfen[parquet]'."""
    if out == STANDARD_OUTPUT and (sys.stdout.isatty() or not hasattr(sys.stdout, "buffer")):
        raise InputError("Parquet", "is nothing for a terminal", "name a file: --out books.parquet")
    _take_out(Wanted(form="parquet", table=table, memo=memo), out, book, as_json=as_json)


@export_app.command()
@reading()
def prov(out: Out = STANDARD_OUTPUT, book: BookPath = None, as_json: AsJson = False) -> None:
    """Who made what out of what as PROV-JSON, the W3C's words for provenance."""
    _take_out(Wanted(form="prov"), out, book, as_json=as_json)


@export_app.command()
@reading()
def statement(
    maker: Annotated[str | None, typer.Option(help="Whose statement; the whole book's, when left out.")] = None,
    out: Out = STANDARD_OUTPUT,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """A statement as one page for paper (HTML, A4): labour, where it is now, money settled, paid and owed."""
    _take_out(Wanted(form="statement", maker=maker, lang=words().lang), out, book, as_json=as_json)


class _Characters(io.RawIOBase):
    """Standard output where it takes characters only, as in a notebook."""

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any bytes
        sys.stdout.write(bytes(data).decode())
        return len(data)


def _standard_output() -> IO[bytes]:
    """Bytes where it can be: UTF-8 in every locale, and no line end of the system's own."""
    found: IO[bytes] = getattr(sys.stdout, "buffer", None) or _Characters()  # type: ignore[assignment]
    return found


def _take_out(wanted: Wanted, out: str, book: str | None, *, as_json: bool) -> None:
    speak = words()
    place = _standard_output() if out == STANDARD_OUTPUT else Path(out)
    with gongfen.open(book) as opened, progress(speak.gettext("taking out"), quiet=as_json) as move:
        try:
            found = opened.export(wanted, place, progress=move)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            remedy = "name a file: --out FILE"
            raise InputError("standard output", f"cannot be written: {error.strerror}", remedy) from None
    if found.file is None:
        return
    line = speak.say("%(file)s: the books of %(origin)s after %(facts)s, root %(root)s…",
                     file=out, origin=found.origin, facts=speak.facts(found.size), root=found.root[:16])  # fmt: skip
    show(found, as_json=as_json, draw=lambda: Text(line), sample=found.sample)

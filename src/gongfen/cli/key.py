"""``gongfen key``: makers' own keys — new, sign, rotate, revoke, list."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.book.place import VARIABLE
from gongfen.book.recording import keys
from gongfen.book.recording.trying import check_own_word, try_out
from gongfen.cli.app import AsJson, BookPath, app, reading, show, words
from gongfen.cli.record import check_speaker, said_facts
from gongfen.errors import BookPlaceError, GongfenError
from gongfen.facts import Fact, checked, encode
from gongfen.facts.signing import MakerKey
from gongfen.proof.checkpoint import ORIGIN
from gongfen.reports.text.replies import table
from gongfen.reports.words import Words

key_app = typer.Typer(
    name="key",
    help="Makers' own keys: make one, sign facts with it, replace it, revoke it. A maker's id and a key's name stay in "
    "the log for good: use pseudonymous ids (m-017), and keep the name behind them with gongfen person.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(key_app)

Out = Annotated[
    Path | None,
    typer.Option("--out", help="Where to write the key, secret half and all; else MAKER.key.", show_default=False),
]
Name = Annotated[
    str | None,
    typer.Option("--name", help="The key's name, say m-017/laptop; else one is made up. It stays in the log for good."),
]
Sign = Annotated[Path | None, typer.Option("--sign", help="Sign with this key file.")]
KeyFile = Annotated[Path, typer.Option("--key", metavar="FILE", help="The maker's own key file, secret half and all.")]


@key_app.command()
def new(
    maker: Annotated[
        str, typer.Argument(help="The maker's id. It stays in the log for good: best a pseudonym, m-017.")
    ],
    origin: Annotated[
        str | None,
        typer.Option(help="The book's public name: no book is needed then, and the line for its owner is printed."),
    ] = None,
    name: Name = None,
    out: Out = None,
    sign: Sign = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a maker. The secret half goes into a file that its owner alone can read; keep it safe."""
    signer = keys.read_key_file(sign) if sign else None
    if origin is not None:
        if not ORIGIN.fullmatch(origin):
            raise BookPlaceError(
                f"the name {origin!r}", "is no name of a book", "write it as the book does: gongfen log key"
            )
        key = keys.draw_key(origin, maker, name)
        _hand_over(key, keys.key_fact(key, None, signer), out)
        return
    with _opened(book) as opened:
        key = keys.draw_key(opened.log.origin, maker, name)
        _bring(opened, key, None, signer, out, as_json=as_json)


@key_app.command()
def rotate(
    key: KeyFile,
    name: Name = None,
    out: Out = None,
    line: Annotated[
        bool, typer.Option("--line", help="Print the line for the book's owner instead of recording it here.")
    ] = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Put a new key in the place of one, which signs for it and then retires."""
    old = keys.read_key_file(key)
    fresh = keys.draw_key(old.origin, old.maker, name)
    if line:
        _hand_over(fresh, keys.key_fact(fresh, old.key, old), out)
        return
    with _opened(book) as opened:
        _bring(opened, fresh, old.key, old, out, as_json=as_json)


@key_app.command()
def sign(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A fact as KIND field=value …; or one FILE.jsonl with a fact a line; or - for standard input."
        ),
    ],
    key: KeyFile,
    fact_id: Annotated[str | None, typer.Option("--id", help="The fact's id: with it, a retry is harmless.")] = None,
    sample: Annotated[bool, typer.Option(help="Mark as sample data.")] = False,
    book: BookPath = None,
) -> None:
    """Print facts with their maker's signature, a line each, for the book's owner: gongfen record - < FILE.

    No book is needed. Where the book lies at hand, or a copy of it, what it would refuse is not signed.
    """
    held = keys.read_key_file(key)
    signed: list[Fact] = []
    for said in said_facts(what, fact_id, sample=sample):
        check_speaker(said, held)
        fact = keys.signed_fact(held, said.body, said.id, said.at, sample=said.sample)
        checked(fact)
        check_own_word(fact, held)
        signed.append(fact)
    tried = _tried(signed, held, book)
    for fact in signed:
        sys.stdout.write(encode(fact).decode() + "\n")
    speak = words()
    said_so = speak.counted(
        "%(n)s fact is signed by %(key)s.", "%(n)s facts are signed by %(key)s.", len(signed), key=held.key
    )
    known = speak.say("%(book)s would take what is signed.", book=tried) if tried else speak.gettext(
        "No book is at hand: whether its owner's book takes it, it will say itself."
    )  # fmt: skip
    next_step = speak.gettext("Give the lines to the book's owner, who records them: gongfen record - < FILE")
    sys.stderr.write(f"{said_so} {known}\n{next_step}\n")


@key_app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's name, as gongfen key list shows it.")],
    reason: Annotated[str, typer.Option(help="Why: lost, stolen, no longer wanted. It stays in the log.")],
    sign: Sign = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Trust a key no longer: what it signs from now on is flagged; what it signed before stands."""
    signer = keys.read_key_file(sign) if sign else None
    with gongfen.open(book) as opened:
        seq = opened.revoke(key, reason, sign_with=signer)
    text = words().say("%(key)s is revoked by fact %(seq)s: what it signs from now on is flagged.", key=key, seq=seq)
    show({"key": key, "fact": seq}, as_json=as_json, draw=lambda: Text(text))


@key_app.command("list")
@reading()
def list_(
    maker: Annotated[str | None, typer.Argument(help="One maker; all, when left out.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """The keys that the book knows, valid and ended."""
    with gongfen.open(book) as opened:
        found = opened.keys(maker)
    speak = words()
    rows = table(speak, "key", "maker", "since fact", "valid", numbers=(2,))
    for one in found:
        rows.add_row(one.key, one.maker, str(one.since), _validity(one.ended, one.why, speak))
    show(found, as_json=as_json, draw=lambda: rows if found else Text(speak.gettext("No maker has a key yet.")))


def _tried(facts: list[Fact], key: MakerKey, book: str | None) -> str | None:
    """The name of the book that would take these facts; ``None`` when none is at hand. Raises what it would raise."""
    named = book is not None or VARIABLE in os.environ
    try:
        with gongfen.open(book) as opened:
            if not named and opened.log.origin != key.origin:
                return None  # a book that happens to lie here is not the one that is meant
            try_out(opened.log, facts, key)
            return opened.log.origin
    except BookPlaceError:
        if named:
            raise
        return None


def _validity(ended: int | None, why: str | None, speak: Words) -> str:
    if ended is None:
        return speak.gettext("valid")
    if why == "replaced":
        return speak.say("until fact %(seq)s: replaced", seq=ended)
    return speak.say("until fact %(seq)s: revoked", seq=ended)


def _bring(
    book: gongfen.Book, key: MakerKey, replaces: str | None, signer: MakerKey | None, out: Path | None, *, as_json: bool
) -> None:
    """Write the key's file, then record it: a key in the log without a file would be lost at once."""
    path = _written(key, out)
    try:
        seq = keys.bring_key(book.log, key, replaces, signer)
    except GongfenError as error:
        if isinstance(error, BookPlaceError):
            error.left = f"whether the key was recorded is not known; {path} is kept"
        else:
            path.unlink()
        raise
    text = words().say(
        "%(key)s is a key of %(maker)s, by fact %(seq)s.\nIts secret half is in %(path)s, and nowhere else: "
        "give the file to %(maker)s, and keep no copy.",
        key=key.key, maker=key.maker, seq=seq, path=path,
    )  # fmt: skip
    answer = {"key": key.key, "maker": key.maker, "public": key.public, "file": str(path), "fact": seq}
    show(answer, as_json=as_json, draw=lambda: Text(text))


def _hand_over(key: MakerKey, fact: Fact, out: Path | None) -> None:
    """Write the key's file, and print the fact for the book's owner: a line of JSON, on standard output alone."""
    checked(fact)
    _written(key, out)
    sys.stdout.write(encode(fact).decode() + "\n")


def _written(key: MakerKey, out: Path | None) -> Path:
    path = out or Path(key.maker.replace("/", "%2F") + ".key")
    keys.write_key_file(path, key)
    return path


def _opened(book: str | None) -> gongfen.Book:
    try:
        return gongfen.open(book)
    except BookPlaceError as error:
        if error.reason != "is not there":
            raise  # the disk, the server or the rights: another name would not help
        remedy = "name the book: --book PATH; or work without it: key new MAKER --origin NAME, key rotate --line"
        raise BookPlaceError(error.thing, error.reason, remedy) from None

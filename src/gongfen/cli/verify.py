"""``gongfen verify``: whether a bundle, a book, a receipt or a labelled file holds."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

import gongfen
from gongfen.book.publishing import check_file
from gongfen.book.recording import Receipt
from gongfen.book.verification import Verified
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.errors import BookPlaceError, LabelError, ProofError
from gongfen.proof.note import Verifier
from gongfen.reports.bundle import Settled, Verdict, verify_bundle
from gongfen.reports.words import Words


@app.command()
def verify(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="An audit bundle (.zip), a receipt (.json), a labelled file (.md) or a book; else the book."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key that the book has published. Never take it from the file.")
    ] = None,
    since: Annotated[Path | None, typer.Option(help="An older signed checkpoint that the book must extend.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Check every byte, hash, signature and settlement. Exit code 0: it holds; 2: it does not, and where."""
    speak = words()
    suffix = target.suffix if target else ""
    if target and not target.is_file():
        raise BookPlaceError(str(target), "is not a file", "name a bundle, a receipt, a labelled file or a book")
    with progress(speak.gettext("verifying"), quiet=as_json) as move:
        if target and suffix == ".zip":
            verdict = verify_bundle(target.read_bytes(), Verifier.parse(key) if key else None, move)
            show(verdict_data(verdict), as_json=as_json, draw=lambda: _bundle(verdict, speak))
        elif target and suffix == ".json":
            _receipt(target, key, speak, as_json=as_json)
        elif target and suffix == ".md":
            _label(target, speak, as_json=as_json)
        else:
            with gongfen.open(target or book) as opened:
                found = opened.verify(key, since.read_text(encoding="utf-8") if since else None, move)
            show(verdict_data(found), as_json=as_json, draw=lambda: _book(found, speak))


def verdict_data(found: Verdict | Verified) -> dict[str, object]:
    """A verdict as plain values."""
    return {name: msgspec.to_builtins(getattr(found, name)) for name in found.__slots__}


def _settled(settlements: tuple[Settled, ...], speak: Words) -> list[str]:
    return [
        speak.say("recomputed to the cent: %(settlement)s, %(amount)s to %(n)s makers",
                  settlement=one.settlement, amount=speak.money(one.total_micro, one.currency), n=one.makers)
        for one in settlements
    ]  # fmt: skip


def _bundle(found: Verdict, speak: Words) -> Text:
    lines = [
        speak.say("It holds. Log %(origin)s, %(size)s facts, root %(root)s…",
                  origin=found.origin, size=speak.number(found.size), root=found.root[:16]),
        speak.say("inclusion proofs checked: %(n)s; texts: %(blobs)s", n=speak.number(found.proofs), blobs=found.blobs),
        *_settled(found.settlements, speak),
    ]  # fmt: skip
    if found.key_from_bundle:
        lines.append(speak.gettext(
            "The key came with the bundle: this shows that it agrees with itself. Name the published key with --key."
        ))  # fmt: skip
    return Text("\n".join(lines))


def _book(found: Verified, speak: Words) -> Text:
    lines = [
        speak.say("It holds. Log %(origin)s, %(size)s facts, root %(root)s…",
                  origin=found.origin, size=speak.number(found.size), root=found.root[:16]),
        speak.say("signed checkpoints checked: %(n)s", n=speak.number(found.checkpoints)),
        *_settled(found.settlements, speak),
    ]  # fmt: skip
    return Text("\n".join(lines))


def _receipt(path: Path, key: str | None, speak: Words, *, as_json: bool) -> None:
    if key is None:
        raise ProofError(str(path), "needs a key to be checked with", "name the published key with --key")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Receipt)
    except msgspec.DecodeError as error:
        raise ProofError(str(path), f"is not a receipt: {error}", "ask for one: gongfen log receipt FACT") from None
    found.check(Verifier.parse(key))
    line = speak.say("It holds: fact %(seq)s (%(kind)s) is in the signed log.", seq=found.seq, kind=found.kind)
    show({"holds": True, "seq": found.seq, "fact": found.fact}, as_json=as_json, draw=lambda: Text(line))


def _label(path: Path, speak: Words, *, as_json: bool) -> None:
    findings = check_file(path)
    for finding in findings:
        if finding.level == "problem":
            raise LabelError(f"{path}: {finding.place}", finding.reason, finding.remedy)
    warnings = [str(finding) for finding in findings]
    text = "\n".join([speak.gettext("It holds: both labels are there and fit the text."), *warnings])
    show({"holds": True, "warnings": warnings}, as_json=as_json, draw=lambda: Text(text))

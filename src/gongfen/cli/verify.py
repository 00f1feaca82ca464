"""``gongfen verify``: whether a bundle, a book, a receipt or a labelled file holds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

import gongfen
from gongfen.book.publishing import check_file
from gongfen.book.receipt import Receipt
from gongfen.book.recording import read_log_keys
from gongfen.book.verification import Verified
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.errors import BookPlaceError, InputError, LabelError, ProofError
from gongfen.proof.cosignature import read_verifier
from gongfen.proof.note import Verifier
from gongfen.proof.policy import CosignerVerifier, Policy
from gongfen.reports.bundle import Verdict, verify_bundle
from gongfen.reports.replay import Settled
from gongfen.reports.words import Words

RECEIPTS = (".tlog-proof", ".json")


@app.command()
def verify(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="A bundle (.zip), a receipt (.tlog-proof, .json), a labelled file (.md) or a book; else the book."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key that the book has published. Never take it from the file.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option(help="An older signed checkpoint that the book or bundle must extend.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="The key of a witness that must have seen a bundle or receipt; repeatable.")
    ] = None,
    quorum: Annotated[int | None, typer.Option(help="How many of these witnesses are enough; else all.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Check every byte, hash, signature and settlement. Exit code 0: it holds; 2: it does not, and where."""
    speak = words()
    suffix = target.suffix if target else ""
    if target and not target.is_file():
        raise BookPlaceError(str(target), "is not a file", "name a bundle, a receipt, a labelled file or a book")
    older = _read(since) if since else None
    witnesses = _witnesses(witness or (), quorum)
    if witnesses and suffix not in (".zip", *RECEIPTS):
        raise InputError(
            "--witness", "is for a bundle or a receipt", "name one; a book asks its own: gongfen log witness"
        )
    if older and suffix in (*RECEIPTS, ".md"):
        raise InputError("--since", "is for a book or a bundle", "compare two checkpoints: gongfen log compare")
    with progress(speak.gettext("verifying"), quiet=as_json) as move:
        if target and suffix == ".zip":
            keys = read_log_keys("\n".join(key.split())) if key else None
            verdict = verify_bundle(target.read_bytes(), keys, move, since=older, witnesses=witnesses, quorum=quorum)
            show(verdict_data(verdict), as_json=as_json, draw=lambda: _bundle(verdict, speak))
        elif target and suffix in RECEIPTS:
            _receipt(target, key, witnesses, quorum, speak, as_json=as_json)
        elif target and suffix == ".md":
            _label(target, speak, as_json=as_json)
        else:
            with gongfen.open(target or book) as opened:
                found = opened.verify(key, older, move)
            show(verdict_data(found), as_json=as_json, draw=lambda: _book(found, speak))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read: {error}", "name a file that holds a checkpoint") from None


def _witnesses(lines: Sequence[str], quorum: int | None) -> list[CosignerVerifier]:
    keys = [read_verifier(word) for line in lines for word in line.split()]
    found = [key for key in keys if not isinstance(key, Verifier)]
    if len(found) < len(keys):
        raise InputError("--witness", "names the key of a log", "name the keys of witnesses; the log's is for --key")
    if quorum is not None and not 0 <= quorum <= len(found):
        raise InputError(
            f"--quorum {quorum}", f"asks for more or less than {len(found)} witnesses", "name more of them"
        )
    return found


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
    if found.since is not None:
        lines.append(speak.say("nothing was rewritten since the older checkpoint of %(n)s facts", n=found.since))
    lines += [
        speak.say("seen by %(witness)s at %(at)s", witness=one.witness, at=_when(one.time_s)) for one in found.witnesses
    ]
    if found.witnesses_from_bundle:
        lines.append(speak.say(
            "Of %(n)s witnesses that the book names itself, %(seen)s have seen it. Name those you trust: --witness.",
            n=found.witnesses_named, seen=len(found.witnesses)
        ))  # fmt: skip
    if not found.own_verifier:
        lines.append(speak.gettext("The verify.py in it is not the one of this gongfen: read it before you run it."))
    if found.key_from_bundle:
        lines.append(speak.gettext(
            "The key came with the bundle: this shows that it agrees with itself. Name the published key with --key."
        ))  # fmt: skip
    return Text("\n".join(lines))


def _when(time_s: int) -> str:
    """A witness's time, UTC; as it is when no calendar has it."""
    try:
        return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{time_s} s"


def _book(found: Verified, speak: Words) -> Text:
    lines = [
        speak.say("It holds. Log %(origin)s, %(size)s facts, root %(root)s…",
                  origin=found.origin, size=speak.number(found.size), root=found.root[:16]),
        speak.say("signed checkpoints checked: %(n)s", n=speak.number(found.checkpoints)),
        *_settled(found.settlements, speak),
    ]  # fmt: skip
    if found.signed:
        lines.append(speak.say("signed by makers: %(n)s; in doubt: %(flagged)s", n=found.signed, flagged=found.flagged))
    if found.key_from_book:
        lines.append(speak.gettext("Checked with the book's own key. Name the published one with --key."))
    return Text("\n".join(lines))


def _receipt(
    path: Path,
    key: str | None,
    witnesses: Sequence[CosignerVerifier],
    quorum: int | None,
    speak: Words,
    *,
    as_json: bool,
) -> None:
    if key is None:
        raise ProofError(str(path), "needs a key to be checked with", "name the published key with --key")
    found = _read_receipt(path)
    keys = read_log_keys("\n".join(key.split()))
    found.check(*keys)
    if witnesses:
        found.check_witnessed(Policy.of(keys, witnesses, len(witnesses) if quorum is None else quorum))
    line = speak.say("It holds: fact %(seq)s (%(kind)s) is in the signed log.", seq=found.seq, kind=found.kind)
    show({"holds": True, "seq": found.seq, "fact": found.fact}, as_json=as_json, draw=lambda: Text(line))


def _read_receipt(path: Path) -> Receipt:
    try:
        if path.suffix != ".json":
            return Receipt.read(path.read_text(encoding="utf-8"))
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise ProofError(str(path), f"is not a receipt: {error}", "ask for one: gongfen log receipt FACT") from None


def _label(path: Path, speak: Words, *, as_json: bool) -> None:
    findings = check_file(path)
    for finding in findings:
        if finding.level == "problem":
            raise LabelError(f"{path}: {finding.place}", finding.reason, finding.remedy)
    warnings = [str(finding) for finding in findings]
    text = "\n".join([speak.gettext("It holds: both labels are there and fit the text."), *warnings])
    show({"holds": True, "warnings": warnings}, as_json=as_json, draw=lambda: Text(text))

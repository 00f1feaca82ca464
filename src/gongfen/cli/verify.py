"""``gongfen verify``: whether a bundle, a book, a receipt or a labelled file holds."""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

import gongfen
from gongfen.book.proving.publishing import check_file
from gongfen.book.proving.verification import Verified
from gongfen.book.proving.witnessing import cosigned_at
from gongfen.book.recording.receipt import Receipt
from gongfen.cli.app import AsJson, BookPath, app, progress, reading, show, words
from gongfen.cli.brief import WHOLE, brief
from gongfen.cli.forks import showing_forks
from gongfen.cli.mistakes import told
from gongfen.cli.trusted import Keys, read_keys, read_text, read_witness_keys, say_unchecked, unchecked
from gongfen.errors import BookPlaceError, InputError, LabelError, ProofError
from gongfen.facts import decode
from gongfen.proof.checkpoint import read_checkpoint
from gongfen.proof.cosignature import Cosignature, cosignatures
from gongfen.proof.note import read_note
from gongfen.proof.policy import CosignerVerifier, LogVerifier
from gongfen.reports.bundle import Verdict, check_witnesses, verify_bundle
from gongfen.reports.bundle.replay import Settled
from gongfen.reports.words import Words

RECEIPTS = (".tlog-proof", ".json")
SURE = {b"SQLite format 3\0": ".db", b"PK\3\4": ".zip", b"c2sp.org/tlog-proof@": ".tlog-proof"}
"""What no other file begins with, and how such a file ends by habit: it is believed more than the file's name."""
PERHAPS = {b"{": ".json", b"---\n": ".md", b"---\r\n": ".md"}
"""What other files may begin with, too: it is believed where the name says nothing."""


@app.command()
@reading()
def verify(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="A bundle (.zip), a receipt (.tlog-proof, .json), a labelled file (.md) or a book; else the book."
        ),
    ] = None,
    key: Keys = None,
    since: Annotated[
        Path | None, typer.Option(help="An older signed checkpoint that the book or bundle must extend.")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY|FILE",
            help="The key of a witness that must have cosigned a bundle or receipt, or a file that holds it; again for "
            "the next one.",
        ),
    ] = None,
    quorum: Annotated[
        int | None, typer.Option(min=1, help="The quorum: how many of these witnesses are enough; else all.")
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Check every byte, hash, signature and settlement. Exit code 0: it holds; 2: it does not, and where."""
    speak = words()
    if target and not target.is_file():
        raise BookPlaceError(str(target), "is not a file", "name a bundle, a receipt, a labelled file or a book")
    suffix = _kind(target) if target else ""
    older = read_text(since) if since else None
    keys, witnesses = read_keys(key), _witnesses(witness or (), quorum)
    if witnesses and suffix not in (".zip", *RECEIPTS):
        raise InputError(
            "--witness", "is for a bundle or a receipt", "name one; a book asks its own: gongfen log witness"
        )
    if older and suffix in (*RECEIPTS, ".md"):
        raise InputError("--since", "is for a book or a bundle", "compare two checkpoints: gongfen log compare")
    if target and not suffix:
        remedy = "name one of these; if it is a book, its beginning is lost: restore it from a backup"
        raise InputError(str(target), "is no bundle, receipt, labelled file or book, as its first bytes show", remedy)
    with showing_forks(None, as_json=as_json), progress(speak.gettext("verifying"), quiet=as_json) as move:
        if target and suffix == ".zip":
            data = target.read_bytes()
            verdict = verify_bundle(data, keys, move, since=older, witnesses=witnesses, quorum=quorum)
            left = unchecked(zipfile.ZipFile(io.BytesIO(data)).read("checkpoint").decode(), keys) if keys else 0
            show(verdict_data(verdict, left), as_json=as_json, draw=lambda: _bundle(verdict, left, speak))
        elif target and suffix in RECEIPTS:
            _receipt(target, keys, witnesses, quorum, speak, as_json=as_json)
        elif target and suffix == ".md":
            _label(target, speak, as_json=as_json)
        else:
            with gongfen.open(target or book) as opened:
                found = opened.verify("\n".join(map(str, keys)), older, move)
                spare = unchecked(opened.log.checkpoint(), keys) if keys and found.size else 0
            show(verdict_data(found, spare), as_json=as_json, draw=lambda: _book(found, spare, speak))


def _kind(path: Path) -> str:
    """What a file is, by its first bytes or its name, as the ending that such files have; empty: nobody knows."""
    try:
        with path.open("rb") as file:
            data = file.read(32)
    except OSError:
        return path.suffix  # whoever opens it says what is wrong
    named = path.suffix in (*SURE.values(), *PERHAPS.values())
    for beginning, kind in (*SURE.items(), *((b"", path.suffix),) * named, *PERHAPS.items()):
        if data.startswith(beginning):
            return kind
    return ""


def _witnesses(given: Sequence[str], quorum: int | None) -> tuple[CosignerVerifier, ...]:
    found = read_witness_keys(given)
    if quorum is not None and quorum > len(found):
        raise InputError(f"--quorum {quorum}", f"asks for more than {len(found)} witnesses", "name more: --witness KEY")
    return found


def verdict_data(found: Verdict | Verified, unchecked_signatures: int) -> dict[str, object]:
    """A verdict as plain values, and how many signatures of the book were not checked."""
    data = {name: msgspec.to_builtins(getattr(found, name)) for name in found.__slots__}
    return {**data, "unchecked_signatures": unchecked_signatures}


def _holds(found: Verdict | Verified, speak: Words) -> str:
    return speak.say("It holds. Log %(origin)s, %(facts)s, root %(root)s…",
                     origin=found.origin, facts=speak.facts(found.size), root=found.root[:16])  # fmt: skip


def _settled(settlements: tuple[Settled, ...], speak: Words) -> list[str]:
    return [
        speak.say("recomputed to the cent: %(settlement)s, %(amount)s to %(makers)s", settlement=one.settlement,
                  amount=speak.money(one.total_micro, one.currency), makers=speak.makers(one.makers))
        for one in settlements
    ]  # fmt: skip


def _bundle(found: Verdict, left: int, speak: Words) -> Text:
    lines = [
        _holds(found, speak),
        speak.say("inclusion proofs checked: %(n)s; texts: %(blobs)s", n=speak.number(found.proofs), blobs=found.blobs),
        *_settled(found.settlements, speak),
        *_signed(found, speak),
    ]  # fmt: skip
    if found.flagged_facts:
        lines.append(speak.say("⚑ in doubt, signed with a key that had ended: %(facts)s",
                               facts=", ".join(map(str, found.flagged_facts))))  # fmt: skip
    lines.append(_since(found, speak))
    lines += _cosigned(found.witnesses, speak)
    if found.witnesses_from_bundle:
        lines.append(speak.say(
            "Cosigned by %(seen)s of %(n)s witnesses that the book names itself. Name those you trust: --witness.",
            n=found.witnesses_named, seen=len(found.witnesses)
        ))  # fmt: skip
    if not found.own_verifier:
        lines.append(speak.gettext("The verify.py in it is not the one of this gongfen: read it before you run it."))
    if found.key_from_bundle:
        lines.append(speak.gettext(
            "The key came with the bundle: this shows that it agrees with itself. Name the published key with --key."
        ))  # fmt: skip
    return Text("\n".join([*lines, *say_unchecked(left, speak)]))


def _cosigned(seen: Sequence[Cosignature], speak: Words) -> list[str]:
    return [speak.say("cosigned by %(name)s at %(at)s", name=one.witness, at=cosigned_at(one)) for one in seen]


def _book(found: Verified, left: int, speak: Words) -> Text:
    lines = [
        _holds(found, speak),
        speak.say("signed checkpoints checked: %(n)s", n=speak.number(found.checkpoints)),
        *_settled(found.settlements, speak),
    ]  # fmt: skip
    lines += [*_signed(found, speak), _since(found, speak)]
    if found.waiting:
        lines.append(speak.say(
            "Details wait that the log does not commit to: %(makers)s. Is nobody at it? gongfen forget MAKER",
            makers=", ".join(found.waiting)
        ))  # fmt: skip
    if found.key_from_book:
        lines.append(speak.gettext("Checked with the book's own key. Name the published one with --key."))
    return Text("\n".join([*lines, *say_unchecked(left, speak)]))


def _signed(found: Verdict | Verified, speak: Words) -> list[str]:
    said = speak.say("signed by makers: %(n)s; in doubt: %(flagged)s", n=found.signed, flagged=found.flagged)
    return [said] if found.signed else []


def _since(found: Verdict | Verified, speak: Words) -> str:
    """What was compared with an older state: one log alone cannot show that it was not cut and signed again."""
    if found.since is None:
        return speak.gettext("compared with no older checkpoint: --since FILE finds a log that was rewritten")
    return speak.say("nothing was rewritten since the older checkpoint of %(facts)s", facts=speak.facts(found.since))


def _receipt(
    path: Path,
    keys: Sequence[LogVerifier],
    witnesses: Sequence[CosignerVerifier],
    quorum: int | None,
    speak: Words,
    *,
    as_json: bool,
) -> None:
    if not keys:
        raise ProofError(str(path), "needs a key to be checked with", "name the published key with --key")
    found = _read_receipt(path)
    found.check(*keys)
    note = read_note(found.checkpoint)
    check_witnesses(note, witnesses)
    seen, needed = cosignatures(note, witnesses), len(witnesses) if quorum is None else quorum
    if len(seen) < needed:
        missing = ", ".join(key.name for key in witnesses if not note.signatures_of(key))
        reason = f"was cosigned by {len(seen)} of {len(witnesses)} witnesses; {needed} are asked for"
        raise ProofError("checkpoint", reason, f"ask for a receipt whose checkpoint these have cosigned: {missing}")
    left, known = unchecked(found.checkpoint, keys), {(key.name, key.key_id) for key in (*keys, *witnesses)}
    others = dict.fromkeys(line.name for line in note.lines if (line.name, line.key_id) not in known)
    others.pop(keys[0].name, None)
    log, fact = read_checkpoint(note.text), decode(found.data.encode(errors="surrogatepass"))
    lines = [
        speak.say("It holds: fact %(seq)s (%(kind)s) is in the signed log.", seq=found.seq, kind=found.kind),
        speak.say("Log %(origin)s, %(facts)s, root %(root)s…",
                  origin=log.origin, facts=speak.facts(log.size), root=log.root.hex()[:16]),
        speak.say("%(by)s said at %(at)s: %(what)s", by=fact.by, at=fact.at, what=brief(fact, WHOLE)),
    ]  # fmt: skip
    if fact.sample:
        lines.append(speak.gettext("Sample data."))
    lines += [*_cosigned(seen, speak), *say_unchecked(left, speak)]
    if others:
        lines.append(speak.say(
            "It carries cosignatures of %(names)s, not checked. Name those you trust: --witness.",
            names=", ".join(others)
        ))  # fmt: skip
    answer = {
        "holds": True, "origin": log.origin, "size": log.size, "root": log.root.hex(), "seq": found.seq,
        "fact": found.fact, "kind": found.kind, "said": json.loads(found.data), "cosigned": msgspec.to_builtins(seen),
        "cosigned_unchecked": list(others), "unchecked_signatures": left,
    }  # fmt: skip
    show(answer, as_json=as_json, draw=lambda: Text("\n".join(lines)))


def _read_receipt(path: Path) -> Receipt:
    try:
        if _kind(path) != ".json":
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
    held = speak.gettext("It holds: both labels are there and fit the text.")
    text = "\n".join([held, *(told(warning, speak) for warning in warnings)])
    show({"holds": True, "warnings": warnings}, as_json=as_json, draw=lambda: Text(text))

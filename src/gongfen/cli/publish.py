"""``gongfen log publish``, ``check``, ``mirror``, ``compare``: the log as files, and what outsiders do with them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.book.proving import mirroring, published
from gongfen.book.proving.witnessing import cosigned_at
from gongfen.cli.app import AsJson, BookPath, progress, reading, show, words
from gongfen.cli.forks import BETWEEN, Evidence, showing_forks
from gongfen.cli.log import log_app
from gongfen.cli.trusted import Keys, read_keys, read_text, say_unchecked, unchecked
from gongfen.errors import BookPlaceError, InputError, ProofError
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.policy import LogVerifier, Policy
from gongfen.proof.tiles import TileReader
from gongfen.reports.words import Words

PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", help="A witness policy (c2sp.org/tlog-policy): which witnesses, and how many, must have cosigned."
    ),
]


@log_app.command()
def publish(
    folder: Annotated[Path, typer.Argument(help="The folder to write to; any web server can serve it.")],
    evidence: Evidence = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write the log as files (c2sp.org/tlog-tiles): what is new since the last time, the checkpoint last."""
    speak = words()
    bar = progress(speak.gettext("publishing"), quiet=as_json)
    with gongfen.open(book) as opened, showing_forks(evidence, as_json=as_json), bar as move:
        found = published.publish(opened.log, folder, move)
    show(asdict(found), as_json=as_json, draw=lambda: Text(_holds(folder, found, speak)))


@log_app.command()
@reading()
def check(
    place: Annotated[str, typer.Argument(help="A published log: a folder, or an address (http, https).")],
    key: Keys = None,
    since: Annotated[
        Path | None, typer.Option(help="An older signed checkpoint, of which the log must be an extension.")
    ] = None,
    policy: PolicyFile = None,
    evidence: Evidence = None,
    as_json: AsJson = False,
) -> None:
    """Check a published log as an outsider: signatures, witnesses, every tile and every fact."""
    speak = words()
    trusted = read_policy(policy) if policy else None
    keys = _keys(key, trusted)
    older = read_text(since) if since else None
    with showing_forks(evidence, as_json=as_json), progress(speak.gettext("checking"), quiet=as_json) as move:
        found = mirroring.check_published(mirroring.Source(place), keys, older, trusted, move)
    left = unchecked(found.note, keys)
    lines = [
        speak.say("It holds. Log %(origin)s, %(facts)s, root %(root)s…",
                  origin=found.origin, facts=speak.facts(found.size), root=found.root[:16]),
        speak.say("files checked: %(n)s", n=speak.number(found.files)),
    ]  # fmt: skip
    if since:
        lines.append(speak.gettext("It is an extension of the older checkpoint."))
    lines += [
        speak.say("cosigned by %(name)s at %(at)s", name=seen.witness, at=cosigned_at(seen))
        for seen in found.cosignatures
    ]
    if found.missing:
        lines.append(
            speak.say("bodies of long facts that are not there: %(n)s; the facts are proved, but cannot be read",
                      n=speak.number(found.missing))
        )  # fmt: skip
    lines += say_unchecked(left, speak)
    answer = asdict(found) | {"unchecked_signatures": left}
    del answer["note"]
    answer["cosignatures"] = {seen.witness: cosigned_at(seen) for seen in found.cosignatures}
    show(answer, as_json=as_json, draw=lambda: Text("\n".join(lines)))


@log_app.command()
def mirror(
    source: Annotated[str, typer.Argument(help="A published log: an address (http, https), or a folder.")],
    folder: Annotated[Path, typer.Argument(help="The folder of the mirror.")],
    key: Keys = None,
    policy: PolicyFile = None,
    evidence: Evidence = None,
    as_json: AsJson = False,
) -> None:
    """Fetch what is new of a published log; what does not hold is not kept."""
    speak = words()
    trusted = read_policy(policy) if policy else None
    keys = _keys(key, trusted)
    with showing_forks(evidence, as_json=as_json), progress(speak.gettext("mirroring"), quiet=as_json) as move:
        found = mirroring.mirror(mirroring.Source(source), folder, keys, trusted, move)
    left = unchecked(found.note, keys)
    answer = asdict(found) | {"unchecked_signatures": left}
    del answer["note"]
    lines = [_holds(folder, found, speak), *say_unchecked(left, speak)]
    show(answer, as_json=as_json, draw=lambda: Text("\n".join(lines)))


@log_app.command()
@reading()
def compare(
    heads: Annotated[list[Path], typer.Argument(help="A signed checkpoint, or two; or a file of evidence.")],
    place: Annotated[
        str | None,
        typer.Option("--log", help="A published log to compare with: a folder or an address; else the book."),
    ] = None,
    key: Keys = None,
    evidence: Evidence = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Whether signed checkpoints are states of one log, or show that it has told two stories."""
    notes = [note for path in heads for note in read_text(path).split(BETWEEN)]
    if len(notes) > 2:
        raise InputError(f"{len(notes)} checkpoints", "are too many", "give one or two")
    with showing_forks(evidence, as_json=as_json):
        newest, left = _compared(notes, place, _keys(key, None) if key or place else (), book)
    speak = words()
    said = speak.say("One history: a log of %(facts)s, %(origin)s",
                     facts=speak.facts(newest.size), origin=newest.origin)  # fmt: skip
    answer = {"one_history": True, "origin": newest.origin, "size": newest.size, "root": newest.root.hex(),
              "unchecked_signatures": left}  # fmt: skip
    show(answer, as_json=as_json, draw=lambda: Text("\n".join([said, *say_unchecked(left, speak)])))


def _holds(folder: Path, found: published.PublishedLog | mirroring.MirroredLog, speak: Words) -> str:
    """What lies in a folder now: a published log, or a mirror of one."""
    return speak.say(
        "%(folder)s holds %(facts)s of %(origin)s: %(new)s new, in %(files)s",
        folder=folder, facts=speak.facts(found.size), origin=found.origin,
        new=speak.number(found.size - found.before), files=speak.counted("%(n)s file", "%(n)s files", found.files),
    )  # fmt: skip


def _compared(
    notes: Sequence[str], place: str | None, keys: Sequence[LogVerifier], book: str | None
) -> tuple[Checkpoint, int]:
    """The newest of the heads and of what they are compared with, and how many signatures of a head nobody checked.

    Raises ForkError or ProofError.
    """
    if len(notes) == 2 and keys and (same := mirroring.compare_two(notes[0], notes[1], keys)):
        return same, _most_unchecked(notes, keys)
    if place is not None:
        source = mirroring.Source(place)
        own = mirroring.read_head(source, keys)
        newest = mirroring.compare(notes, keys, own, TileReader(own.checkpoint.size, source.fetch))
        return newest, _most_unchecked((*notes, own.note), keys)
    try:
        opened = gongfen.open(book)
    except BookPlaceError as error:
        remedy = (
            "name the book: --book PATH; or a published log: --log DIR; two checkpoints of one size need a --key only"
        )
        raise BookPlaceError(error.thing, error.reason, remedy) from None
    with opened:
        keys = keys or opened.log.verifiers
        if len(notes) == 2 and (same := mirroring.compare_two(notes[0], notes[1], keys)):
            return same, _most_unchecked(notes, keys)
        own = mirroring.head_of(opened.log)
        return mirroring.compare(notes, keys, own, opened.log.tree.subtree), _most_unchecked((*notes, own.note), keys)


def _most_unchecked(notes: Sequence[str], keys: Sequence[LogVerifier]) -> int:
    return max(unchecked(note, keys) for note in notes)


# -- shared with `gongfen log witness` ---------------------------------------------------------------------------------


def read_policy(path: Path) -> Policy:
    """The policy in a file; raises ProofError that names the line."""
    return Policy.parse(read_text(path))


def _keys(given: Sequence[str] | None, policy: Policy | None) -> tuple[LogVerifier, ...]:
    """The keys to check with: those that were named, else those of the policy's only log."""
    if given:
        return read_keys(given)
    logs = policy.logs if policy else ()
    if len({log.verifier.name for log in logs}) == 1:
        return tuple(log.verifier for log in logs)
    raise ProofError("a published log", "needs a key to be checked with", "name the published key with --key")

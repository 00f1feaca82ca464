"""``gongfen witness``: be a witness of other people's logs; ``gongfen log witness``, ``policy``: be witnessed."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

import gongfen
from gongfen.book.proving import witnessing
from gongfen.book.proving.witness import Fork, Witness, WitnessedLog, new_witness, read_log_key
from gongfen.book.proving.witness_server import WitnessServer
from gongfen.cli.app import MISTAKE, AsJson, BookPath, app, reading, show, words
from gongfen.cli.forks import Evidence, showing_forks, write_evidence
from gongfen.cli.log import log_app
from gongfen.cli.mistakes import brief_keys, told
from gongfen.cli.publish import read_policy
from gongfen.cli.trusted import KEY, key_words
from gongfen.errors import InputError
from gongfen.proof.checkpoint import read_checkpoint
from gongfen.proof.note import read_note
from gongfen.reports.text.replies import table
from gongfen.reports.words import N_, Words

witness_app = typer.Typer(
    name="witness",
    help="Be a witness: see other people's checkpoints, and cosign each only if its log has grown out of the last.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(witness_app)

Dir = Annotated[Path, typer.Option("--dir", help="The witness's folder: its key, and what it remembers.")]
HERE = Path("witness")
ANSWERS = {
    "cosigned": N_("cosigned"),
    "refused": N_("refused"),
    "not reached": N_("not reached"),
}


@witness_app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its public name, like a web address: witness.example.org/ada.")],
    folder: Dir = HERE,
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="ML-DSA-44 instead of Ed25519; fewer tools can check it yet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a witness with a key of its own."""
    made = new_witness(folder, name, post_quantum=post_quantum)
    made.close()
    text = words().say(
        "%(folder)s is a new witness, %(name)s. Its public key, for the logs that want it:\n  %(key)s\n"
        "Keep the folder secret, and never set it back to an older copy: a witness must not forget.",
        folder=folder, name=name, key=brief_keys(made.key),
    )  # fmt: skip
    show({"name": name, "key": made.key, "folder": str(folder)}, as_json=as_json, draw=lambda: Text(text))


@witness_app.command()
@reading()
def key(folder: Dir = HERE, as_json: AsJson = False) -> None:
    """The witness's public key."""
    with Witness(folder) as witness:
        found = witness.key
    if as_json:
        show({"key": found}, as_json=True, draw=Text)
        return
    sys.stdout.write(f"{found}\n")


@witness_app.command()
def trust(
    log_key: Annotated[
        str,
        typer.Argument(
            metavar="KEY|FILE", help="The log's public key, as gongfen log key prints it, or a file that holds it."
        ),
    ],
    folder: Dir = HERE,
    as_json: AsJson = False,
) -> None:
    """Witness a log from now on."""
    verifiers = [read_log_key(word) for word in key_words(log_key)]
    with Witness(folder) as witness:
        fresh = sum(witness.trust(verifier) for verifier in verifiers) > 0
    origin = verifiers[0].name
    said = N_("%(origin)s is witnessed from now on.") if fresh else N_("%(origin)s was witnessed by this key already.")
    text = words().say(said, origin=origin)
    show({"origin": origin, "new": fresh}, as_json=as_json, draw=lambda: Text(text))


@witness_app.command("list")
@reading()
def list_(
    folder: Dir = HERE,
    evidence: Annotated[
        Path | None,
        typer.Option(help="Write both checkpoints of a fork to this file; those of further ones to FILE-2, FILE-3 …"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The logs that this witness knows, the size of the last checkpoint of each that it cosigned, and every fork."""
    with Witness(folder) as witness:
        found = [(log, witness.forks(log.origin)) for log in witness.logs()]
    pairs = [(fork.first, fork.second) for _, shown in found for fork in shown]
    written = write_evidence(evidence, pairs) if evidence else []
    answer = [
        {
            "origin": log.origin,
            "keys": list(map(str, log.keys)),
            "size": log.size,
            "head": log.note,
            "forks": [
                {"at": fork.at, "first": _head_data(fork.first), "second": _head_data(fork.second)} for fork in shown
            ],
        }
        for log, shown in found
    ]
    show(answer, as_json=as_json, draw=lambda: _logs(found, written, words()))


@witness_app.command()
def serve(
    folder: Dir = HERE,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 for a free one.")] = 7400,
) -> None:
    """Answer logs over HTTP (c2sp.org/tlog-witness), until Ctrl-C or SIGTERM."""
    speak = words()
    with Witness(folder) as witness:
        server = WitnessServer(witness, host, port, _say)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: server.stop())
        _say(speak.say("%(name)s listens on %(address)s", name=witness.signer.name, address=server.address))
        with server:
            server.serve_forever(poll_interval=0.2)
    _say(speak.gettext("stopped"))


@log_app.command("witness")
def ask(evidence: Evidence = None, book: BookPath = None, as_json: AsJson = False) -> None:
    """Ask the witnesses of the book's policy to cosign the newest checkpoint, and keep what they answer.

    Exit code 0: the quorum has cosigned; 2: too few. What was obtained is kept in either case.
    """
    with gongfen.open(book) as opened, showing_forks(evidence, as_json=as_json):
        found = witnessing.ask_witnesses(opened.log)
    answer = {
        "size": found.size,
        "root": found.root,
        "holds": found.holds,
        "missing": list(found.missing),
        "checkpoint": found.note,
        "witnesses": [
            {
                "name": one.name,
                "url": one.url,
                "answer": one.answer,
                "at": one.at,
                "reason": one.reason,
                "head": one.head,
            }
            for one in found.answers
        ],
    }
    show(answer, as_json=as_json, draw=lambda: _drawn(found, words()))
    for one in found.answers:
        if one.head and not as_json:
            sys.stdout.write(f"\n{words().say('the checkpoint that %(name)s knows:', name=one.name)}\n\n{one.head}")
    if found.newer:
        _show_ahead(found, evidence, words(), as_json=as_json)
    if not found.holds:
        raise typer.Exit(MISTAKE)


@log_app.command()
def policy(
    witness: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            help="'NAME KEY URL' of a witness, in one pair of quotes, KEY being its key or a file that holds it; again "
            "for the next one.",
        ),
    ] = None,
    quorum: Annotated[
        int | None,
        typer.Option(
            min=0, help="The quorum: how many of them must cosign; more than half, if left out.", show_default=False
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A whole witness policy (c2sp.org/tlog-policy) instead.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Print the witness policy, or set it: whom the book asks to cosign, and the quorum: how many are enough."""
    if (file and (witness or quorum is not None)) or (quorum is not None and not witness):
        raise InputError("the policy", "is named in two ways, or half", "give --file, or --witness with --quorum")
    with gongfen.open(book) as opened:
        if file:
            witnessing.set_policy(opened.log, read_policy(file))
        elif witness:
            enough = len(witness) // 2 + 1 if quorum is None else quorum
            lines = [_with_key(line) for line in witness]
            witnessing.set_policy(opened.log, witnessing.policy_of_witnesses(opened.log, lines, enough))
        text = str(witnessing.policy_of(opened.log))
    if as_json:
        show({"policy": text}, as_json=True, draw=Text)
        return
    sys.stdout.write(text)


def _drawn(found: witnessing.WitnessedHead, speak: Words) -> RenderableType:
    rows = table(speak, "witness", "answer", "when, or why not")
    for one in found.answers:
        # What a witness says is text, and never markup.
        rows.add_row(Text(one.name), Text(speak.gettext(ANSWERS[one.answer])), Text(one.at or told(one.reason, speak)))
    said = N_("The checkpoint of %(facts)s is cosigned by the quorum: the policy holds.") if found.holds else N_(
        "The checkpoint of %(facts)s is not cosigned by the quorum; ask again: gongfen log witness"
    )  # fmt: skip
    parts: list[RenderableType] = [rows, Text(), Text(speak.say(said, facts=speak.facts(found.size)))]
    if found.missing:
        parts.append(Text(speak.say("without a cosignature of: %(names)s", names=", ".join(found.missing))))
    return Group(*parts)


def _show_ahead(found: witnessing.WitnessedHead, evidence: Path | None, speak: Words, *, as_json: bool) -> None:
    """The book's own head beside those that are ahead of it, and what the two together can show."""
    try:
        pairs = [(found.note, head) for head in found.newer]
        written = write_evidence(evidence, pairs) if evidence else []
    except InputError as problem:
        problem.left = "what the witnesses answered is kept"
        raise
    if as_json:
        return
    sys.stdout.write(f"\n{speak.gettext('the checkpoint of this book:')}\n\n{found.note}")
    lines = [speak.say("%(file)s holds both checkpoints.", file=file) for file in written] or [
        speak.gettext("Keep both checkpoints: gongfen log witness --evidence FILE")
    ]
    said = N_(
        "Was this book set back, or are there two stories? The longer log as it was published tells: "
        "gongfen log compare %(file)s --log DIR --key KEY"
    )
    lines.append(speak.say(said, file=written[0] if written else "FILE"))
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


def _logs(
    found: Sequence[tuple[WitnessedLog, Sequence[Fork]]], written: Sequence[Path], speak: Words
) -> RenderableType:
    """What a witness knows, and under it both heads of every fork."""
    if not found:
        return Text(speak.gettext("It knows no log yet: gongfen witness trust KEY"))
    rows = table(speak, "log", "entries", "forks", numbers=(1, 2))
    parts: list[RenderableType] = [rows]
    for log, forks in found:
        rows.add_row(log.origin, speak.number(log.size), speak.number(log.forks))
        for fork in forks:
            said = N_("%(origin)s has told two stories, and signed both. The second was shown at %(at)s.")
            parts += [Text(), Text(speak.say(said, origin=log.origin, at=fork.at))]
            parts.append(_head(N_("cosigned: %(facts)s, root %(root)s…"), fork.first, speak))
            parts.append(_head(N_("not cosigned: %(facts)s, root %(root)s…"), fork.second, speak))
    if len(parts) > 1:
        hint = speak.gettext("Show both signed checkpoints to others: gongfen witness list --evidence FILE")
        lines = [speak.say("%(file)s holds both checkpoints.", file=file) for file in written] or [hint]
        parts += [Text(), *map(Text, lines)]
    return Group(*parts)


def _head(said: str, note: str, speak: Words) -> Text:
    head = read_checkpoint(read_note(note).text)
    return Text("  " + speak.say(said, facts=speak.facts(head.size), root=head.root.hex()[:16]))


def _head_data(note: str) -> dict[str, str | int]:
    """A signed checkpoint, as plain values."""
    head = read_checkpoint(read_note(note).text)
    return {"size": head.size, "root": head.root.hex(), "note": note}


def _with_key(line: str) -> str:
    """NAME KEY URL, with the key itself where its file was named."""
    name, *rest = line.split()
    if rest and not KEY.fullmatch(rest[0]):
        rest[:1] = key_words(rest[0])
    return " ".join([name, *rest])


def _say(line: str) -> None:
    """A line of the server's log. Where it cannot be written the witness goes on answering."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads it any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"{error}\n")

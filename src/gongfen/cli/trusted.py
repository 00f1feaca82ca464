"""Whose keys are trusted: named as text or in a file, one or several; and what a signed note says beyond them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gongfen.book.proving.witness import read_witness_key
from gongfen.book.recording.own_key import read_log_keys
from gongfen.errors import InputError
from gongfen.proof.checkpoint import read_checkpoint
from gongfen.proof.note import NoteVerifier, read_note
from gongfen.proof.policy import CosignerVerifier, LogVerifier
from gongfen.reports.words import Words

MOST_TEXT_BYTES = 1 << 22
KEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S+")
"""The form of a public key; a file's name has it by no accident."""
SECRET = "PRIVATE+KEY+"  # noqa: S105 - how every secret key begins
KEEP = "keep it to yourself, and name the public half"

Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY|FILE",
        help="A key that the book has published, or a file that holds its keys; again for a further one. "
        "Never take it from what is checked.",
    ),
]


def read_keys(given: Sequence[str] | None) -> tuple[LogVerifier, ...]:
    """The public keys of a log, each named as text or by a file. Raises ProofError or InputError."""
    words = [word for one in given or () for word in key_words(one)]
    return tuple(dict.fromkeys(read_log_keys("\n".join(words)))) if words else ()


def read_witness_keys(given: Sequence[str]) -> tuple[CosignerVerifier, ...]:
    """The public keys of witnesses, each named as text or by a file. Raises ProofError or InputError."""
    return tuple(dict.fromkeys(read_witness_key(word) for one in given for word in key_words(one)))


def key_words(given: str) -> list[str]:
    """The keys in what was given, none of them parsed yet: itself, or what stands in the file of that name."""
    text = given
    if SECRET in given:
        raise InputError("what was given as a key", "is a secret key", f"{KEEP}: gongfen log key")
    if not all(map(KEY.fullmatch, given.split())) or not given.strip():
        if not _is_file(given):
            reason = "is neither a verifier key nor a file that holds one"
            raise InputError(f"{given[:60]!r}", reason, "name the published key, or its file: gongfen log key")
        text = read_text(Path(given))
    if SECRET in text:
        raise InputError(f"{given[:60]!r}", "holds a secret key", f"{KEEP}: gongfen log key")
    if not text.strip():
        raise InputError(f"{given[:60]!r}", "is empty", "name the file that holds the published key")
    return text.split()


def read_text(path: Path) -> str:
    """A small text file; raises InputError when it cannot be read, or is not one."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_TEXT_BYTES + 1)
        if len(data) > MOST_TEXT_BYTES:
            raise InputError(str(path), "is longer than 4 MiB", "name the right file")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}", "name a file that is there") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "is not text", "name the right file") from None


def unchecked(note: str, keys: Sequence[NoteVerifier]) -> int:
    """How many signatures under the log's own name nobody has checked: their keys were not named."""
    opened = read_note(note)
    origin = read_checkpoint(opened.text).origin
    checked = {(key.name, key.key_id) for key in keys}
    return len({line.key_id for line in opened.lines if line.name == origin and (origin, line.key_id) not in checked})


def say_unchecked(count: int, speak: Words) -> list[str]:
    """The line that says so; none when all were checked."""
    line = speak.counted(
        "Not checked: %(n)s further signature of the book. Name all keys that it has published: --key.",
        "Not checked: %(n)s further signatures of the book. Name all keys that it has published: --key.",
        count,
    )
    return [line] if count else []


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long, or no name at all
        return False

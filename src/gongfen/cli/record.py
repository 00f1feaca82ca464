"""``gongfen record``: facts, from the command line, a file of JSON lines, or standard input."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

import gongfen
from gongfen.book.recording import keys
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.cli.fields import RecordCommand
from gongfen.cli.lines import STANDARD_INPUT, is_lines, read_facts
from gongfen.errors import (
    BookPlaceError,
    DamagedBookError,
    GongfenError,
    InputError,
    MakerKeyError,
    UnreachableError,
)
from gongfen.facts import Fact
from gongfen.facts.notation import Said, read_words
from gongfen.facts.signing import MakerKey
from gongfen.reports.words import N_

TOGETHER, TOGETHER_BYTES = 1_024, 4 << 20
"""Lines that are written in one transaction: so many, or fewer, when they are as long as this together."""
NO_LINE = BookPlaceError | DamagedBookError | UnreachableError
"""Errors of which no line is the cause."""
TINY = 1_000
"""Fewer millionths than this are no price and no working time that anybody would write down."""
SHOWN = 3
"""Numbers that are shown one by one."""


@app.command(cls=RecordCommand)
def record(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A fact as KIND field=value …; or one FILE.jsonl with a fact a line; or - for standard input."
        ),
    ],
    fact_id: Annotated[str | None, typer.Option("--id", help="The fact's id: with it, a retry is harmless.")] = None,
    sample: Annotated[bool, typer.Option(help="Mark as sample data.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep this file's text with the book; fills in sha256 and size_bytes.")
    ] = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", help="Sign with this maker's key file: it is they who say it.")
    ] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write facts into the book: one; or lines, 1,024 at a time (fewer long ones), each such part whole or not at all.

    Times take units (labour_us=40s, 3m, 2h), money decimals (price_micro=12.50), makers shares
    (makers=ada:600000,bo:400000); gongfen record KIND --help says the fields of a kind. A file that was broken off can
    be recorded again: what is there is not written twice. On standard input, give each line an id for that.
    """
    key = keys.read_key_file(sign) if sign else None
    with gongfen.open(book) as opened:
        if is_lines(what):
            if fact_id is not None or keep is not None:
                raise InputError(
                    "--id and --keep", "are for one fact", "give each line its own id; keep texts one by one"
                )
            with progress(words().gettext("recording"), quiet=as_json) as move:
                read = read_facts(what[0], sample=sample)
                lines = ((where, _fact(opened, said, key), size) for where, said, size in read)
                answer, text = _pour(opened, lines, move, resumes=what[0] != STANDARD_INPUT)
        else:
            found, blobs = _with_file(what, keep)
            said = Said(read_words(found), fact_id, None, sample)
            numbers, new = _written(opened, [_fact(opened, said, key)], blobs)
            answer = {"facts": numbers, "receipt": opened.log.receipt(numbers[0])}
            text = "\n".join((_told(len(new), numbers, len(numbers) - len(new)), *_tiny(found)))
    show(answer, as_json=as_json, draw=lambda: Text(text))


def _tiny(said: list[str]) -> Iterator[str]:
    """Of amounts without a unit that are next to nothing in theirs: what was understood, and what may be meant."""
    for name, _, value in (word.partition("=") for word in said[1:]):
        if not (value.isascii() and value.isdecimal() and 0 < int(value) < TINY):
            continue
        if name.endswith("_micro"):
            note = N_("%(name)s=%(value)s is %(value)s millionths; for %(value)s whole ones write %(name)s=%(value)s.0")
            yield words().say(note, name=name, value=value)
        elif name.endswith("_us"):
            note = N_(
                "%(name)s=%(value)s is %(value)s microseconds; for seconds write %(name)s=%(value)ss, hours %(value)sh"
            )
            yield words().say(note, name=name, value=value)


Placed = tuple[str, Fact, int]
"""Where a fact stands, itself, and the bytes of its line."""


def _pour(
    book: gongfen.Book, facts: Iterable[Placed], move: Callable[[int, int], None], *, resumes: bool
) -> tuple[dict[str, Any], str]:
    """Write facts as they come, some at a time: memory does not grow with their number."""
    lines, count, last = 0, 0, ""
    numbers: list[int] = []
    new: list[int] = []
    part: list[Placed] = []
    try:
        for part in _parts(facts):
            found, fresh = _recorded(book, part)
            numbers, new = _ends(numbers, found), _ends(new, fresh)
            lines, count, last = lines + len(part), count + len(fresh), part[-1][0]
            part.clear()
            move(lines, 0)
    except (GongfenError, KeyboardInterrupt, MemoryError) as error:
        if isinstance(error, KeyboardInterrupt | NO_LINE) and part and _are_there(book, part):
            # It was stopped just after they were written.
            lines, last = lines + len(part), part[-1][0]
        raise _stopped(error, lines, "record the same again" if resumes else _go_on_after(last)) from None
    answer = {"lines": lines, "new": count, "size": book.log.size}
    if not numbers:
        return answer, words().gettext("no facts in it")
    answer["receipt"] = msgspec.to_builtins(book.log.receipt((new or numbers)[-1]))
    return answer, _told(count, new or numbers, lines - count)


def _parts(facts: Iterable[Placed]) -> Iterator[list[Placed]]:
    """What is written together; whoever takes a part empties it, so that two are never in memory."""
    part: list[Placed] = []
    size = 0
    for placed in facts:
        part.append(placed)
        size += placed[2]
        if len(part) == TOGETHER or size >= TOGETHER_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _stopped(error: BaseException, lines: int, how: str) -> GongfenError:
    """What broke a recording off, with how many lines stay and how to go on."""
    stays = f"{lines} facts before it stay recorded"
    if isinstance(error, GongfenError):
        if lines:
            error.left = f"{stays}: {how}" if isinstance(error, NO_LINE) else f"{stays}: mend the line and {how}"
        return error
    if isinstance(error, MemoryError):
        reason, remedy = "asks for more memory than there is", f"close other programs, or divide long lines; then {how}"
    else:
        reason, remedy = "was stopped", how
    stopped = InputError("recording", reason, remedy)
    if lines:
        stopped.left = stays
    return stopped


def _go_on_after(last: str) -> str:
    return f"send what follows {last.removesuffix(',')}" if last else "send the same again"


def _are_there(book: gongfen.Book, part: list[Placed]) -> bool:
    with suppress(GongfenError):
        return all(book.log.find(fact.id) is not None for _, fact, _ in part)
    return False


def _ends(numbers: list[int], more: list[int]) -> list[int]:
    """The first few of many numbers, and the last: what is shown of them."""
    both = [*numbers, *more]
    return both if len(both) <= SHOWN else [*both[:SHOWN], both[-1]]


def _told(count: int, numbers: list[int], old: int) -> str:
    """What a recording has brought, and what of it was there."""
    text = words().say("new facts: %(n)s; numbers: %(numbers)s", n=count, numbers=_brief(numbers))
    return text + "; " + words().say("already there: %(n)s", n=old) if old else text


def _written(book: gongfen.Book, facts: list[Fact], blobs: Iterable[bytes] = ()) -> tuple[list[int], list[int]]:
    """Write facts, all or none: their numbers, and those that are new. Other programs may write to the book meanwhile.

    Within the transaction nobody else does: what stands in the log at its beginning was there, what comes is ours.
    """
    with book.log.writing():
        before = book.log.size_seen
        numbers = book.log.put(facts, blobs)
    return numbers, sorted({seq for seq in numbers if seq >= before})


def _recorded(book: gongfen.Book, part: list[Placed]) -> tuple[list[int], list[int]]:
    """The numbers of some lines' facts, and those that are new; a mistake names its line."""
    try:
        return _written(book, [fact for _, fact, _ in part])
    except GongfenError as error:
        if error.which is not None and not isinstance(error, NO_LINE):
            error.thing = f"{part[error.which][0]} {error.thing}"
        raise


def _brief(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) if len(numbers) <= SHOWN else f"{numbers[0]} … {numbers[-1]}"


def _with_file(what: list[str], keep: Path | None) -> tuple[list[str], list[bytes]]:
    """The fact with the hash and size of a file that is kept with it."""
    if keep is None:
        return what, []
    if not keep.is_file():
        raise BookPlaceError(str(keep), "is not a file", "name the file that holds the text")
    data = keep.read_bytes()
    given = {word.partition("=")[0] for word in what}
    found = {"sha256": sha256(data).hexdigest(), "size_bytes": str(len(data))}
    return [*what, *(f"{name}={value}" for name, value in found.items() if name not in given)], [data]


def _fact(book: gongfen.Book, said: Said | Fact, key: MakerKey | None) -> Fact:
    if isinstance(said, Fact):
        return said
    if key is not None:
        check_speaker(said, key)
        return keys.sign_for(book.log, key, said.body, said.id, said.at, sample=said.sample)
    fact = book.log.new(said.body, fact_id=said.id, at=said.at, sample=said.sample)
    return fact if said.by is None else msgspec.structs.replace(fact, by=said.by)


def check_speaker(said: Said, key: MakerKey) -> None:
    """Raise MakerKeyError when a line says that somebody else says so than who signs it."""
    if said.by not in (None, key.maker):
        thing = f"{said.body.kind} {said.id or ''}".strip()
        raise MakerKeyError(thing, f"is said by {said.by}, but signed by {key.maker}", "leave by out, or let them sign")


def said_facts(what: list[str], fact_id: str | None, *, sample: bool) -> Iterator[Said]:
    """The facts of a command, in words or lines, none of them signed yet."""
    if not is_lines(what):
        yield Said(read_words(what), fact_id, None, sample)
        return
    for _, said, _ in read_facts(what[0], sample=sample):
        if isinstance(said, Fact):
            raise MakerKeyError(f"{said.kind} {said.id}", "is signed already", "sign facts that are not")
        yield said

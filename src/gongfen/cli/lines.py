"""Facts as JSON lines, from a file or standard input: one line in memory at a time, however many there are."""

import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import msgspec

from gongfen.errors import BookPlaceError, InputError, MalformedFactError, UnknownKindError
from gongfen.facts import KINDS, Fact, Unknown, decode
from gongfen.facts.envelope import MOST_FACT_BYTES
from gongfen.facts.names import check_names
from gongfen.facts.notation import Said, read_line
from gongfen.studio.importers.export import BY_ITS_TOOL, TABLES

STANDARD_INPUT = "-"


Line = tuple[str, Said | Fact, int]
"""The place of a line, what it says, and its bytes: a tuple, because there are many."""


def is_lines(what: list[str]) -> bool:
    """Whether words on a command line name JSON lines instead of one fact. Raises InputError for another file."""
    if len(what) != 1:
        return False
    named = what[0] == STANDARD_INPUT or what[0].endswith(".jsonl")
    if not named and what[0] not in KINDS and "\0" not in what[0] and Path(what[0][:200]).is_file():
        as_lines = f"read it as lines: gongfen record - < {what[0]}; or rename it"
        remedy = BY_ITS_TOOL if what[0].lower().endswith(TABLES) else as_lines
        raise InputError(what[0], "is a file, but its name does not end in .jsonl", remedy)
    return named


def read_facts(name: str, *, sample: bool) -> Iterator[Line]:
    """The facts in a file, or on standard input for ``-``, with their places; a signed one comes as it is.

    A line of a file that has no id gets one that follows from this line and all before it: the same file, recorded
    again after it was broken off, says nothing twice. Raises BookPlaceError, MalformedFactError, UnknownKindError.
    """
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise InputError("standard input", "is closed", "give the lines to it, or name a file of JSON lines")
        yield from _facts(sys.stdin.buffer, "standard input", sample=sample, chained=False)
        return
    path = Path(name)
    if not path.is_file():
        raise BookPlaceError(name, "is not a file", "name a file of JSON lines, or - for standard input")
    with path.open("rb") as lines:
        yield from _facts(lines, name, sample=sample, chained=True)


def _facts(lines: IO[bytes], place: str, *, sample: bool, chained: bool) -> Iterator[Line]:
    chain = b""
    for number, line in _bounded(lines, place):
        where = f"{place}, line {number},"
        if chained:
            chain = sha256(chain + line.strip()).digest()
        said: Said | Fact = _signed(line, where) or read_line(line, where)
        if isinstance(said, Fact):
            if sample and not said.sample:
                raise MalformedFactError(where, "is signed as no sample data", "sign it again as it is meant: --sample")
            yield where, said, len(line)
        else:
            fact_id = said.id or (f"line-{chain.hex()[:32]}" if chained else None)
            if fact_id is not said.id or sample:
                said = msgspec.structs.replace(said, id=fact_id, sample=sample or said.sample)
            yield where, said, len(line)


def _bounded(lines: IO[bytes], place: str) -> Iterator[tuple[int, bytes]]:
    """Lines that are not empty, with their numbers; none is read that could not be a fact."""
    number, line = 0, b""
    while line := lines.readline(MOST_FACT_BYTES + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(BOM_UTF8)
        if len(line) > MOST_FACT_BYTES:
            reason = f"is longer than {MOST_FACT_BYTES >> 20} MiB"
            raise MalformedFactError(f"{place}, line {number},", reason, "write a fact a line")
        if line.strip():
            yield number, line


class _Head(msgspec.Struct):
    signed: Any = None


def _signed(line: bytes, place: str) -> Fact | None:
    """A line that a maker has signed is taken as it is, with its speaker and its time: the signature is over them."""
    try:
        if msgspec.json.decode(line, type=_Head).signed is None:
            return None
        fact = decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # read_line says what is wrong
    except MalformedFactError as error:
        raise type(error)(f"{place} {error.thing}", error.reason, error.remedy) from None
    check_names(line, msgspec.json.decode(line), place)
    if isinstance(fact.body, Unknown):
        raise UnknownKindError(f"{place} {fact.kind}", "is not a kind that can be recorded", "use a newer gongfen")
    return fact

"""Take a fact back by its number: the correction names it by its id. What was taken back of an output is told."""

from collections.abc import Iterator

import msgspec

from gongfen.accounts.names import corrected_name
from gongfen.book.clock import new_id
from gongfen.book.recording.record import Record
from gongfen.book.recording.trying import book_and_forget
from gongfen.errors import InputError
from gongfen.facts import kinds as k
from gongfen.value import TakenBack


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back, and by which fact."""

    kind: str
    fact: str
    """Its id."""
    number: int
    said: k.Body
    """What it said."""
    by: int | None
    """The number of the correction; ``None``: it was only tried."""


def correct(record: Record, number: int, reason: str, *, dry_run: bool = False) -> Corrected:
    """Record a correction of fact ``number``; ``dry_run``: only find out whether it could be, and what it would undo.

    Raises InputError when there is none, and what the checks refuse.
    """
    if number >= record.size:
        raise InputError(
            f"fact {number}", f"is not in this book, which has {record.size}", "see which are: gongfen log"
        )
    said = record.fact(number)
    correction = k.Correction(correction=f"correction:{new_id()}", fact=said.id, reason=reason)
    if dry_run:
        book_and_forget(record, [record.new(correction)])
    by = None if dry_run else record.record([correction])[0]
    assert isinstance(said.body, k.Body), "what can be taken back is of a known kind"
    return Corrected(kind=said.kind, fact=said.id, number=number, said=said.body, by=by)


def taken_back(record: Record, *outputs: str) -> tuple[TakenBack, ...]:
    """Facts about outputs, and about the prompts that they were made with, that were taken back, by number."""
    found: dict[int, TakenBack] = {}
    for name in dict.fromkeys(name for output in outputs for name in (output, *_prompts(record, output))):
        for number, fact in record.about(name):
            by = record.state.names.get(corrected_name(k.Correction(correction="", fact=fact.id, reason="")))
            if by is not None:
                correction = record.fact(by).body
                assert isinstance(correction, k.Correction), "what takes a fact back is a correction"
                found[number] = TakenBack(number=number, kind=fact.kind, by=by, reason=correction.reason)
    return tuple(found[number] for number in sorted(found))


def corrections(record: Record) -> list[TakenBack]:
    """Every fact of the book that was taken back, in the order of the corrections."""
    prefix, found = corrected_name(k.Correction(correction="", fact="", reason="")), []
    for name, by in record.state.names.prefixed(prefix):
        said, correction = record.said(name.removeprefix(prefix)), record.fact(by).body
        assert said is not None, "what was corrected was said before"
        assert isinstance(correction, k.Correction), "what takes a fact back is a correction"
        found.append(TakenBack(number=said[0], kind=said[1].kind, by=by, reason=correction.reason))
    return sorted(found, key=lambda one: one.by)


def _prompts(record: Record, output: str) -> Iterator[str]:
    for _, fact in record.origin_of(output):
        if isinstance(fact.body, k.Make):
            yield from (use.work for use in fact.body.inputs if use.role == "prompt")

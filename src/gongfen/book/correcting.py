"""Take a fact back by its number: the correction names it by its id."""

import msgspec

from gongfen.book.clock import new_id
from gongfen.book.recording import Record
from gongfen.book.trying import book_and_forget
from gongfen.errors import InputError
from gongfen.facts import kinds as k


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

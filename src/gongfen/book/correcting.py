"""Take a fact back by its number: the correction names it by its id."""

import msgspec

from gongfen.book.clock import new_id
from gongfen.book.recording import Record
from gongfen.errors import InputError
from gongfen.facts import kinds as k


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back, and by which fact."""

    kind: str
    fact: str
    """Its id."""
    by: int
    """The number of the correction."""


def correct(record: Record, number: int, reason: str) -> Corrected:
    """Record a correction of fact ``number``. Raises InputError when there is none, and what the checks refuse."""
    if number >= record.size:
        raise InputError(
            f"fact {number}", f"is not in this book, which has {record.size}", "see which are: gongfen log"
        )
    said = record.fact(number)
    correction = k.Correction(correction=f"correction:{new_id()}", fact=said.id, reason=reason)
    return Corrected(kind=said.kind, fact=said.id, by=record.record([correction])[0])

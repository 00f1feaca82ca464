"""Facts beside what they booked, in the order of the log: one pass over both."""

from collections.abc import Iterator

from gongfen.book.recording.record import Record
from gongfen.errors import DamagedBookError
from gongfen.facts import Fact
from gongfen.storage.views import REMEDY, Booking


def with_entries(record: Record, size: int) -> Iterator[tuple[int, Fact, tuple[Booking, ...]]]:
    """(number, fact, what it booked) of the first ``size`` facts. Within ``reading``. Raises DamagedBookError."""
    booked = record.views.all_bookings()
    waiting = next(booked, None)
    for seq, fact in record.facts(0, size):
        if waiting is None or waiting[0] != seq:
            yield seq, fact, ()
        else:
            yield seq, fact, waiting[1]
            waiting = next(booked, None)
    if waiting is not None:
        raise DamagedBookError(
            f"{record.store.place}, postings of fact {waiting[0]},", "stand out of their order", REMEDY
        )


def day_of(fact: Fact) -> str:
    """The day that a fact names, ``YYYY-MM-DD``; of one that names none, the day on which it was said."""
    day = getattr(fact.body, "day", None)
    return day if isinstance(day, str) else fact.at[:10]

"""What the book knows of an export's rows already: recorded, corrected, or recorded with another content."""

from dataclasses import dataclass
from datetime import date, timedelta

from msgspec import UNSET

from gongfen.book.bookkeeping.ledger import corrected_in
from gongfen.book.importing.draft import Draft
from gongfen.book.importing.evidence import says_when
from gongfen.facts import Body
from gongfen.facts import kinds as k
from gongfen.studio.importers.reading import row_key
from gongfen.studio.importers.timeline import Span
from gongfen.studio.names import MAX_ID, fitting_id, tidy

BRIEF = 60


@dataclass(frozen=True, slots=True)
class Row:
    """What the book knows of a row: the id that it has or would get, its fact that stands, and what was corrected."""

    name: str
    stands: str | None = None
    corrected: Body | None = None
    """What its last fact said, where that was taken back and none stands."""


class Rows:
    """Rows of an export, looked up in the book as it is."""

    def __init__(self, draft: Draft) -> None:
        self.draft, self.record = draft, draft.record
        self._corrected = corrected_in(draft.record.state)

    def name(self, kind: str, key: str, *whose: str) -> str:
        """The id of a row's first fact."""
        return fitting_id(kind, *self.draft.prefix, *whose, key if tidy(key) == key else row_key(key), joint=":")

    def of_all(self, names: list[str]) -> list[Row]:
        """What the book knows of the rows whose first facts have these ids."""
        there = self._find(names)
        return [self.of(name) if name in there else Row(name) for name in names]

    def of(self, first: str) -> Row:
        """What the book knows of the row whose fact has this id, or had it until it was corrected.

        Its next fact is ``ID#2``: no id that is made of a tool's own has the sign.
        """
        name, number, corrected = first, 1, None
        while (seq := self.record.find(name)) is not None:
            said = self.record.fact(seq).body if name in self._corrected else None
            stands = name if said is None else self._standing_part(name, said)
            if stands is not None:
                return Row(name, stands)
            assert isinstance(said, Body), "what could be corrected is of a known kind"
            number, corrected = number + 1, said
            mark = f"#{number}"
            name = first[: MAX_ID - len(mark)] + mark
        return Row(name, corrected=corrected)

    def _standing_part(self, name: str, said: object) -> str | None:
        """Of a row of two days whose first day was corrected, the other day, where that stands."""
        if not isinstance(said, k.Labour) or not says_when(said):
            return None
        after = [date.fromisoformat(said.day) + timedelta(days=n + 1) for n in range(2)]  # at most 24 hours
        there = self._find([f"{name}@{day}" for day in after])
        return next((part for part in there if part not in self._corrected), None)

    def _find(self, ids: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(ids), 500):
            found |= self.record.store.find(ids[start : start + 500])
        return found

    def compare(self, place: str, fact_id: str, body: k.Labour | k.Compute, span: Span | None = None) -> None:
        """What was recorded before is what the export says, or it is named.

        Of an entry with a beginning and an end, a part may have counted: its evidence tells whether it is the same. A
        run that was brought in before runs had a day is the same without.
        """
        seq = self.record.find(fact_id)
        assert seq is not None, "it was looked up"
        other = differences(self.record.fact(seq).body, body, span)
        if other:
            self.draft.doubt(place, "changed", f"fact {seq}: {', '.join(other)}")
        else:
            self.draft.there += 1


def differences(said: object, now: k.Labour | k.Compute, span: Span | None = None) -> list[str]:
    """In which fields a row is another than what was recorded; its times stand in the evidence, the parts need not."""
    # A run that was recorded before runs had a day said none: that is no other content.
    unsaid = {"labour_us", "day"} if span is not None else {"day"} if getattr(said, "day", None) is UNSET else set()
    fields = [name for name in now.__struct_fields__ if name not in unsaid]
    pairs = [(name, getattr(said, name, None), getattr(now, name)) for name in fields]
    return [f"{name}: {_brief(old)} → {_brief(new)}" for name, old, new in pairs if old != new]


def _brief(value: object) -> str:
    """A field's value in few letters; of evidence, the times at its end."""
    text = "" if value is UNSET or value is None else str(value)
    text = text.rpartition("; ")[2]
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}…"

"""Nobody's time twice: what overlaps on a maker's time line counts once, and a day has room for 24 hours."""

from collections.abc import Iterator
from datetime import tzinfo

from gongfen.accounts.names import corrected_name
from gongfen.book.importing.draft import Draft
from gongfen.book.importing.evidence import span_of
from gongfen.facts import kinds as k
from gongfen.facts.amounts import US_PER_DAY
from gongfen.studio.importers.export import Entry
from gongfen.studio.importers.timeline import Span, Timeline, days

IMPORTED, UNTIMED = "labour:", "labour:timedot:"
"""How the ids of imported labour begin; and of that which says how long, and never when."""


class Times:
    """The time lines and the days of makers, with what is recorded and what comes in."""

    def __init__(self, draft: Draft, zone: tzinfo) -> None:
        self.draft, self.record, self.zone = draft, draft.record, zone
        self._lines: dict[str, Timeline] = {}
        self._spent: dict[tuple[str, str], int] = {}

    def take_what_is_recorded(self, makers: set[str]) -> None:
        """What imports have recorded of these makers is on their time lines already, but for what was taken back.

        In the order in which it was said: of two clocks that ran at once the first has the time, until it is corrected.
        """
        if not any(entry.span for entry in self.draft.export.entries):
            return
        for maker in sorted(maker for maker in makers if self._alone(maker)):
            line, has = self._lines.setdefault(maker, Timeline()), dict[str, list[Span]]()
            for _, row, span in sorted(self._told_of(maker)):
                if not span:
                    for part in has.pop(row):
                        line.give_back(part)
                elif row not in has:
                    has[row] = line.free(span)
                    line.take(span)

    def _told_of(self, maker: str) -> Iterator[tuple[int, str, Span | tuple[()]]]:
        """(number, row, time) of the imported labour of a maker; no time: it is all taken back from there on."""
        parts: dict[str, list[int | None]] = {}
        for seq, fact in self.record.about(maker):
            row = fact.id.partition("@")[0]
            if not isinstance(fact.body, k.Labour) or fact.body.maker != maker:
                continue
            if not row.startswith(IMPORTED) or row.startswith(UNTIMED):
                continue  # what a person wrote into the evidence is no time of theirs
            if span := span_of(fact.body, self.zone):
                yield seq, row, span
                correction = k.Correction(correction="-", fact=fact.id, reason="-")
                parts.setdefault(row, []).append(self.record.state.names.get(corrected_name(correction)))
        for row, corrections in parts.items():
            if None not in corrections:
                yield max(by for by in corrections if by is not None), row, ()

    def _alone(self, maker: str) -> bool:
        """Whether a maker is one person, who does one thing at a time."""
        known = self.record.state.makers.get(maker)
        return known is None or known.people == 1

    def days(self, maker: str, entry: Entry) -> dict[str, int | None] | None:
        """Labour by day, what overlaps counted once; ``None``: nothing of it counts."""
        labour_us, span = entry.labour_us, entry.span
        if labour_us is None:
            return {entry.day: None}
        if labour_us > US_PER_DAY or (span is not None and span[1] - span[0] > US_PER_DAY):
            self.draft.doubt(entry.place, "beyond_a_day", cut_us=labour_us)
            return None
        if span is None or not labour_us:
            return {entry.day: labour_us}
        free = [span]
        if self._alone(maker):
            line = self._lines.setdefault(maker, Timeline())
            free = line.free(span)
            line.take(span)
        found = days(free, labour_us, self.zone)
        cut_us = labour_us - sum(found.values())
        if cut_us:
            self.draft.doubt(entry.place, "overlap", maker, cut_us, recorded=bool(found))
        return dict(found) or None

    def fits(self, maker: str, entry: Entry, parts: dict[str, int | None]) -> bool:
        """Whether the days have room for it, with what is recorded and what else comes in."""
        known = self.record.state.makers.get(maker)
        most = US_PER_DAY * (known.people if known else 1)
        for day, labour_us in parts.items():
            spent = self._spent.get((maker, day), 0) + (self.record.state.days.get(f"{maker}|{day}") or 0)
            if labour_us is not None and spent + labour_us > most:
                cut_us = sum(part or 0 for part in parts.values())
                self.draft.doubt(entry.place, "full_day", f"{maker}, {day}", cut_us)
                return False
        for day, labour_us in parts.items():
            self._spent[maker, day] = self._spent.get((maker, day), 0) + (labour_us or 0)
        return True

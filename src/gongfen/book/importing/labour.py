"""Imports of labour: a tool's entries as facts, one for each of their days."""

from datetime import tzinfo

from msgspec import UNSET

from gongfen.book.importing.draft import Draft
from gongfen.book.importing.evidence import evidence_of
from gongfen.book.importing.makers import Makers
from gongfen.book.importing.rows import Row, Rows, differences
from gongfen.book.importing.times import Times
from gongfen.book.importing.works import Works
from gongfen.errors import InputError
from gongfen.facts import kinds as k
from gongfen.studio.importers.export import Entry

ANNOTATION = ("label-studio", "argilla", "prodigy")
"""Tools whose labour is data labour, unless another kind is said."""


class Entries:
    """The entries of an export, drawn up as facts."""

    def __init__(self, draft: Draft, makers: Makers, works: Works, rows: Rows, zone: tzinfo) -> None:
        self.draft, self.makers, self.works, self.rows = draft, makers, works, rows
        self.times = Times(draft, zone)

    def add_all(self) -> None:
        """Draw up every entry whose maker is known: what stands in the book first, then in order of time."""
        entries = [(self.makers.of(entry), entry) for entry in self.draft.export.entries]
        known = [(maker, entry) for maker, entry in entries if maker is not None]
        rows = self.rows.of_all([self._name(maker, entry) for maker, entry in known])
        order = sorted(range(len(known)), key=lambda n: (rows[n].stands is None, known[n][1].span or (0, 0), n))
        self.times.take_what_is_recorded({maker for maker, _ in known})
        for n in order:
            maker, entry = known[n]
            self._add(maker, entry, rows[n])

    def _name(self, maker: str, entry: Entry) -> str:
        return self.rows.name("labour", entry.key, *(() if entry.own_id else (maker,)))

    def _add(self, maker: str, entry: Entry, row: Row) -> None:
        """An entry as facts, one for each of its days; or as a doubt."""
        if not self.draft.first(row.name):
            self.draft.doubt(entry.place, "repeated", cut_us=entry.labour_us or 0)
            return
        if row.stands is not None or row.corrected is not None:
            now = self._labour(maker, entry, entry.day, entry.labour_us)
            if row.stands is not None:
                self.rows.compare(entry.place, row.stands, now, entry.span)
                return
            if not differences(row.corrected, now, entry.span):
                self.draft.doubt(entry.place, "taken_back", cut_us=entry.labour_us or 0)
                return
        parts = self.times.days(maker, entry)
        if parts is None or not self.times.fits(maker, entry, parts):
            return
        for number, (day, labour_us) in enumerate(parts.items()):
            name = row.name if number == 0 else f"{row.name}@{day}"
            self.draft.keep(entry.place, name, self._labour(maker, entry, day, labour_us))

    def _labour(self, maker: str, entry: Entry, day: str, labour_us: int | None) -> k.Labour:
        terms = self.draft.terms
        return k.Labour(
            maker=maker,
            work=self.works.of(entry.thing, entry.place),
            labour_kind=self._kind(),
            phase=terms.phase,
            standing=terms.standing,
            labour_us=labour_us,
            skill=terms.skill,
            day=day,
            quality=entry.quality,
            evidence=evidence_of(entry),
            task=terms.task if terms.task is not None else UNSET,
            units=1 if terms.task is not None else UNSET,
            discarded=True if entry.discarded else UNSET,
        )

    def _kind(self) -> int:
        if self.draft.terms.kind is not None:
            return self.draft.terms.kind
        if self.draft.export.tool in ANNOTATION:
            return 2
        kinds = ", ".join(f"{number} {name}" for number, name in k.LABOURS.items())
        reason = "does not say which of the eight labours it is"
        raise InputError(self.draft.export.file, reason, f"give --kind: {kinds}")

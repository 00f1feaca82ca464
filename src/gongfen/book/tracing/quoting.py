"""Look in the works behind a model for what its outputs quote or follow closely, and say it as facts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypedDict

from gongfen.book.answers import CLOSE, DUPLICATES, SEARCHED, makers_of, making_of, prompt_length
from gongfen.book.proving.publishing import text_of
from gongfen.book.recording.record import Record
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.trace.copies.near_copies import SAME_PPM, NearCopies, NearCopy, NearRule
from gongfen.trace.copies.near_duplicates import clusters
from gongfen.trace.copies.quotation import Quote, QuoteIndex, QuoteRule
from gongfen.trace.copies.suffixes import Suffixes

_MOST_VALUE = 4_000  # code points of a note's value


class Places(TypedDict):
    """Where a stretch stands, code points."""

    output_start: int
    output_end: int
    work: str
    work_start: int
    work_end: int


class Quoting:
    """The works of one model, read once; what any of its outputs quotes. ``works``: id → text."""

    def __init__(self, record: Record, works: Mapping[str, str]) -> None:
        self._record = record
        rule, near = QuoteRule(), NearRule()
        self._exactly = f"exact, from {rule.min_words} words or {rule.min_han} characters on"
        self._closely = (
            f"aligned, from {near.min_words} words or {near.min_han} characters on, "
            f"at least {SAME_PPM * 100 // PPM} of 100 equal"
        )
        owners = {work: "+".join(makers_of(record, work)) for work in works}
        held = Suffixes(works)
        self._index = QuoteIndex(held, rule, owners)
        self._near = NearCopies(held, near, owners)
        self._twins = clusters(works)

    @property
    def notes(self) -> tuple[k.Note, ...]:
        """What a measurement says of how it looked, and which works are copies of one another."""
        return (
            k.Note(name=SEARCHED, value=self._exactly),
            k.Note(name=CLOSE, value=self._closely),
            *duplicate_notes(self._twins),
        )

    def found(self, output: str) -> list[Fact]:
        """Quotations, then near copies, in what the model wrote; what a person typed is their own."""
        return list(self._found(output))

    def facts(self, output: str) -> list[Fact]:
        """The same, without those on record."""
        return self.new(self._found(output))

    def new(self, found: Iterable[Fact]) -> list[Fact]:
        """Those that are not on record."""
        return [fact for fact in found if self._record.find(fact.id) is None]

    def _found(self, output: str) -> Iterator[Fact]:
        typed = prompt_length(making_of(self._record, output))
        text = text_of(self._record, output)[typed:]
        quotes = self._index.find(text)
        for number, quote in enumerate(quotes):
            body = k.Quote(output=output, **_places(quote, typed), method=self._exactly)
            yield self._record.new(body, fact_id=f"quote:{output}:{number}")
        for number, near in enumerate(self._near.find(text, quotes)):
            alike = near.similarity_ppm
            body = k.Quote(
                output=output, **_places(near, typed), exact=False, method=self._closely, similarity_ppm=alike
            )
            yield self._record.new(body, fact_id=f"near-copy:{output}:{number}")


def _places(found: Quote | NearCopy, typed: int) -> Places:
    """Where a stretch stands in the whole output, and where in the work."""
    return {
        "output_start": found.start + typed,
        "output_end": found.end + typed,
        "work": found.work,
        "work_start": found.work_start,
        "work_end": found.work_end,
    }


def duplicate_notes(twins: tuple[tuple[str, ...], ...]) -> tuple[k.Note, ...]:
    """How many works are copies of others, then each group with its works; a long group goes on in the next note."""
    if not twins:
        return (k.Note(name=DUPLICATES, value="none"),)
    count = sum(map(len, twins))
    notes = [k.Note(name=DUPLICATES, value=f"clusters: {len(twins)}; works in them: {count}")]
    for number, works in enumerate(twins, 1):
        line = ""
        for work in works:
            if line and len(line) + 1 + len(work) > _MOST_VALUE:
                notes.append(k.Note(name=f"{DUPLICATES} {number}", value=line))
                line = ""
            line = f"{line} {work}" if line else work
        notes.append(k.Note(name=f"{DUPLICATES} {number}", value=line))
    return tuple(notes)

"""What an import would write, worked out so far; then written whole, or not at all."""

from collections.abc import Iterator

import msgspec

from gongfen.book.importing.terms import Terms
from gongfen.book.recording import people
from gongfen.book.recording.record import Record
from gongfen.book.recording.trying import book_and_forget
from gongfen.errors import BookPlaceError, GongfenError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.progress import Progress
from gongfen.studio.importers.export import Doubt, Export, Reason


class Draft:
    """New facts with their places, whom they enrol, and what is doubtful. Nothing is in the book yet."""

    def __init__(self, record: Record, export: Export, terms: Terms) -> None:
        self.record, self.export, self.terms = record, export, terms
        self.prefix = (export.tool, *([terms.instance] if terms.instance else []))
        """How names begin that are made of the tool's own."""
        self.fresh: list[tuple[str, Fact]] = []
        """Place and fact."""
        self.named: dict[str, str] = {}
        """New makers → the name that is kept for them outside the log."""
        self.unknown: dict[str, str] = {}
        """User → what stands against enrolling them."""
        self.doubts: list[Doubt] = list(export.doubts)
        self.there = 0
        """Entries and runs that the book has already."""
        self._met: set[str] = set()

    def keep(self, place: str, fact_id: str, body: Body) -> None:
        """Take a new fact."""
        self.fresh.append((place, self.record.new(body, fact_id=fact_id, sample=self.terms.sample)))

    def doubt(self, place: str, reason: Reason, detail: str = "", cut_us: int = 0, *, recorded: bool = False) -> None:
        """Say that something is not recorded, or recorded although it is doubtful, and why."""
        self.doubts.append(Doubt(place, reason, detail, cut_us, recorded))

    def first(self, name: str) -> bool:
        """Whether this is met for the first time."""
        met = name in self._met
        self._met.add(name)
        return not met

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, progress: Progress | None) -> None:
        """Write the facts, all or none; what is wrong names its place."""
        try:
            self.record.record(self._sealed(), (), progress)
        except GongfenError as error:
            if not isinstance(error, BookPlaceError):  # a place that did not answer may have written it
                for maker in self.named:
                    self.record.store.forget_person(maker, only_waiting=True)
            raise self._placed(error) from None

    def try_out(self) -> None:
        """Raise what writing would raise; the book stays as it is."""
        try:
            book_and_forget(self.record, [*self._enrolments(), *(fact for _, fact in self.fresh)])
        except GongfenError as error:
            raise self._placed(error) from None
        self.record.refresh()

    def _enrolments(self) -> Iterator[Fact]:
        for maker in sorted(self.named):
            body = k.Enrol(maker=maker)
            yield self.record.new(body, fact_id=f"enrol:{maker}", sample=self.terms.sample)

    def _sealed(self) -> list[Fact]:
        """The facts, those that enrol with commitments to the names, which lie outside the log."""
        facts: list[Fact] = []
        for fact in self._enrolments():
            assert isinstance(fact.body, k.Enrol)
            salt, details, commitment = people.seal({"name": self.named[fact.body.maker]})
            self.record.store.put_person(fact.body.maker, salt, details, waiting=True)
            body = msgspec.structs.replace(fact.body, details_sha256=commitment)
            facts.append(msgspec.structs.replace(fact, body=body))
        return [*facts, *(fact for _, fact in self.fresh)]

    def _placed(self, error: GongfenError) -> GongfenError:
        """The same error, with the place in the export that it is about."""
        at = (error.which or 0) - len(self.named)
        if error.which is not None and 0 <= at < len(self.fresh):
            error.thing = f"{self.fresh[at][0]}: {error.thing}"
        return error

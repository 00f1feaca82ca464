"""Imports of machine time: a tool's runs as facts."""

from msgspec import UNSET

from gongfen.book.importing.draft import Draft
from gongfen.book.importing.makers import Makers
from gongfen.book.importing.rows import Rows, differences
from gongfen.book.importing.works import Works
from gongfen.facts import kinds as k
from gongfen.studio.importers.export import Run
from gongfen.studio.names import fitting_id


class Runs:
    """The runs of an export, drawn up as facts."""

    def __init__(self, draft: Draft, makers: Makers, works: Works, rows: Rows) -> None:
        self.draft, self.makers, self.works, self.rows = draft, makers, works, rows

    def add_all(self) -> None:
        """Draw up every run."""
        for run in self.draft.export.runs:
            self._add(run)

    def _add(self, run: Run) -> None:
        """A machine's run as a fact, or as a doubt."""
        body = self._compute(run, self._machine(run.place))
        row = self.rows.of(self.rows.name("compute", run.key))
        if not self.draft.first(row.name):
            self.draft.doubt(run.place, "repeated")
        elif row.stands is not None:
            self.rows.compare(run.place, row.stands, body)
        elif row.corrected is not None and not differences(row.corrected, body):
            self.draft.doubt(run.place, "taken_back")
        else:
            self.draft.keep(run.place, row.name, body)

    def _machine(self, place: str) -> str:
        """The machine that ran; enrolled when the book does not know it."""
        machine = self.draft.terms.machine or fitting_id(*self.draft.prefix, joint="-")
        known = self.draft.record.state.makers.get(machine) is not None
        if not known and self.draft.first(f"enrol:{machine}"):
            self.draft.keep(place, f"enrol:{machine}", k.Enrol(maker=machine, form="machine"))
        return machine

    def _compute(self, run: Run, machine: str) -> k.Compute:
        started = self.makers.started(run.user)
        return k.Compute(
            machine=machine,
            device=self.draft.terms.device or fitting_id(run.device),
            work=self.works.of(run.thing, run.place),
            device_us=run.device_us,
            energy_mwh=run.energy_mwh,
            energy_quality="estimated" if run.energy_mwh is not None else "unknown",
            method=run.method + (f"; started by {started}" if started else ""),
            day=run.day if run.day is not None else UNSET,
        )

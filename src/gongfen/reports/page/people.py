"""Makers on the page, those whom a settlement pays and the others; and the works in which labour is at rest."""

from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from gongfen.reports.charts.row_bars import Span
from gongfen.reports.page.pictures import QUALITIES
from gongfen.reports.page.rows import row_bar
from gongfen.reports.story import MakerStory, PersonStory, Story, WorkStory


@dataclass(frozen=True, slots=True)
class MakerRow:
    """One maker's line, with the outputs in which their works are named."""

    n: int
    story: MakerStory
    bar: Markup
    outputs: tuple[int, ...]
    adds_up: bool


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One work in which labour is at rest."""

    story: WorkStory
    bar: Markup


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One maker's line among those whom the settlement does not pay."""

    n: int
    story: PersonStory
    bar: Markup


def maker_rows(story: Story, key: str) -> tuple[MakerRow, ...]:
    """Every maker's line, the most owed first; the bars share one scale."""
    named: dict[str, set[int]] = {}
    for n, output in enumerate(story.outputs, 1):
        for maker in chain(*(s.makers for s in output.sources), *(q.makers for q in output.quotes)):
            named.setdefault(maker, set()).add(n)
    most = max([m.owed_micro for m in story.makers] + [1])
    rows = []
    for n, m in enumerate(story.makers, 1):
        both = m.owed_for_labour_micro + m.owed_for_influence_micro
        quality = m.labour_quality if m.labour_quality in QUALITIES else "imputed"
        spans = [
            Span(0, m.owed_for_labour_micro, "living", quality),
            Span(m.owed_for_labour_micro, both, "influence", "estimated"),
        ]
        rows.append(
            MakerRow(n, m, row_bar(spans, most, key), tuple(sorted(named.get(m.maker, ()))), both == m.owed_micro)
        )
    return tuple(sorted(rows, key=lambda row: (-row.story.owed_micro, row.n)))


def work_rows(story: Story, key: str) -> tuple[WorkRow, ...]:
    """The lines of works; the bars share one scale."""
    most = max([one.uslh for one in story.works] + [1])
    return tuple(WorkRow(one, row_bar([Span(0, one.uslh, "past")], most, key)) for one in story.works)


def person_rows(story: Story, key: str) -> tuple[PersonRow, ...]:
    """The lines of those whom the settlement does not pay, numbered on after those whom it pays."""
    most = max([one.labour_uslh for one in story.people] + [1])
    first = len(story.makers) + 1
    return tuple(
        PersonRow(n, one, row_bar([Span(0, one.labour_uslh, "living")], most, key))
        for n, one in enumerate(story.people, first)
    )

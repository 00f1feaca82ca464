"""Which parts of an answer rest on sample data: by the facts that each of them was read from."""

from collections.abc import Iterable, Sequence

from gongfen.book.recording.record import Record
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.references import SAMPLE
from gongfen.reports.words import N_
from gongfen.trace.lineage import Step

PARTS = (N_("lineage"), N_("labour"), N_("influence"), N_("quotations"))
NO_LABOUR = (
    k.Enrol, k.Drop, k.Influence, k.Quote, k.Evaluation, k.Policy, k.Sale, k.Settlement, k.Payment, k.Wage, k.Rate,
    k.Label, k.Key, k.Revocation, k.Details, k.Forgetting,
)  # fmt: skip
"""Kinds that put no labour into a work and change none that is there."""


def sampled(
    record: Record, steps: Sequence[Step], facts: Sequence[tuple[int, Fact]], influence: Iterable[int], *, labour: bool
) -> tuple[str, ...]:
    """Those of ``PARTS`` that rest on sample data, of an output whose ``facts`` these are.

    ``influence``: the facts that its influence was read from. ``labour``: some is shown. A stock is a sum in which the
    facts are no longer told apart, so labour rests on samples as soon as any fact of the book that can change it does.
    """
    if not record.sample:
        return ()
    rests = (
        any(step.sample for step in steps),
        labour and _in_labour(record),
        any(record.fact(seq).sample for seq in influence),
        any(fact.sample and isinstance(fact.body, k.Quote) for _, fact in facts),
    )
    return tuple(part for part, does in zip(PARTS, rests, strict=True) if does)


def _in_labour(record: Record) -> bool:
    """Whether a sample fact can change labour; it stops at the first."""
    return any(not isinstance(record.fact(seq).body, NO_LABOUR) for seq in record.views.touching(SAMPLE))

"""How well a way of tracing stood its test on the model that it was used on: read from the evaluations on record."""

import re

from gongfen.book.recording.record import Record
from gongfen.facts import kinds as k
from gongfen.reports.replies import Tested

METRIC = "LDS"
INTERVAL_PPM = "interval 95 % ppm"
SUBSETS = "subsets"
SEEDS = "seeds"
OUTPUTS = "outputs"
ABOVE_LIKENESS = "above best likeness"
"""Names of the notes of an evaluation, written by ``book.evaluating``."""
GROWTH = "; adjoint growth up to "
"""Of a metagradient: what was found, after what the method is."""
ENDS = re.compile(r"(-?[0-9]{1,9}) to (-?[0-9]{1,9})")
WHOLE = re.compile(r"[0-9]{1,9}")
VERDICTS = ("yes", "no", "unknown")


def tested(record: Record, influence: k.Influence) -> Tested | None:
    """The newest rank test of this very method on this very model; ``None``: nobody has made one.

    A method is the same when all that it says of itself is: an index with other numbers, or re-ranked, is another one.
    """
    found = None
    for seq, fact in record.about("kind|evaluation"):
        body = fact.body
        if isinstance(body, k.Evaluation) and _is_of(body, influence):
            found = (seq, body)
    return _said(*found) if found else None


def _is_of(body: k.Evaluation, influence: k.Influence) -> bool:
    if body.subject != influence.model or body.metric != METRIC or body.value_ppm is None:
        return False
    exactly = body.method.partition(": ")[2]
    return influence.method in (body.method, exactly, exactly.partition(GROWTH)[0])


def _said(seq: int, body: k.Evaluation) -> Tested:
    assert body.value_ppm is not None, "only tests with a result are looked for"
    notes = {note.name: note.value for note in body.notes}
    ends = ENDS.fullmatch(notes.get(INTERVAL_PPM, ""))
    subsets, seeds, outputs = (_whole(notes.get(name)) for name in (SUBSETS, SEEDS, OUTPUTS))
    above = notes.get(ABOVE_LIKENESS)
    return Tested(
        model=body.subject,
        method=body.method.partition(": ")[0],
        value_ppm=body.value_ppm,
        low_ppm=int(ends[1]) if ends else None,
        high_ppm=int(ends[2]) if ends else None,
        retrainings=None if subsets is None or seeds is None else subsets * seeds,
        outputs=outputs,
        above_likeness=above if above in VERDICTS else None,
        seq=seq,
    )


def _whole(said: str | None) -> int | None:
    """A number of a note; notes are free text, and what is no number is not known."""
    return int(said) if said and WHOLE.fullmatch(said) else None

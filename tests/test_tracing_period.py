"""Which measurement of a period may call itself settlement grade: what stood at least eight honest retrainings."""

import pytest

from gongfen.book.tracing_period import refusals
from gongfen.trace.leave_out import LeaveOut, LeftOut


def retrained(*measured, predicted=None):
    predicted = predicted or range(1, len(measured) + 1)
    rows = [LeftOut(f"maker-{n}", float(p), float(m)) for n, (p, m) in enumerate(zip(predicted, measured, strict=True))]
    return LeaveOut(-10.0, tuple(rows))


def said(result):
    return [reason.said % reason.values for reason in refusals(result)]


def test_what_ranks_as_retraining_does_stands():
    assert said(retrained(1, 2, 3, 4, 5, 6, 7, 8)) == []
    assert said(retrained(2, 1, 3, 4, 5, 6, 8, 7)) == []


def test_nothing_stands_untested_or_hardly_retrained():
    assert said(None) == ["it was not held against retraining"]
    assert said(retrained(1, 2, 3, 4, 5, 6, 7)) == ["it was held against 7 retrainings, of 8 at least"]


def test_what_chance_alone_reaches_does_not_stand():
    """Spearman's correlation of eight pairs under chance: 1.645/√7 = 0.62 is passed once in twenty."""
    (reason,) = said(retrained(8, 1, 3, 2, 5, 4, 7, 6))
    assert reason == "its rank correlation with 8 retrainings is 0.26; chance alone reaches 0.62"
    (reason,) = said(retrained(8, 7, 6, 5, 4, 3, 2, 1))
    assert "is -1.00" in reason


def test_what_does_not_differ_cannot_be_ranked():
    (reason,) = said(retrained(*[0.0] * 8))
    assert reason == "its predictions, or what was measured, do not differ from one another"
    (reason,) = said(retrained(*range(8), predicted=[1.0] * 8))
    assert reason.startswith("its predictions")


@pytest.mark.parametrize("outlier", [-100.0, -1_000.0])
def test_a_line_that_falls_does_not_stand_however_the_ranks_agree(outlier):
    """One maker far off turns the line, though seven of eight keep their order."""
    (reason,) = said(retrained(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, outlier))
    assert "falls where it is predicted to rise" in reason

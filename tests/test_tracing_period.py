"""Which measurement of a period may call itself settlement grade: what stood at least eight honest retrainings."""

import numpy as np
import pytest

from gongfen.book.tracing.period import refusals
from gongfen.reports.replies import TracedPeriod
from gongfen.reports.text import replies
from gongfen.reports.words import Words
from gongfen.trace.leave_out import LeaveOut, LeftOut
from gongfen.trace.rank_interval import rank_interval, rank_interval_ppm


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


# -- how far a rank correlation is known -------------------------------------------------------------------------------


def test_a_rank_correlation_of_eight_by_hand():
    """r = .62: z = .725, variance (1 + .1922)/5 = .2384: .725 ± 1.96 · .4883 = −.232 and 1.682, brought back."""
    assert rank_interval(0.62, 8) == pytest.approx((-0.228, 0.933), abs=1e-3)
    low, high = rank_interval(1.0, 8)
    assert (low, high) == (pytest.approx(0.816, abs=1e-3), 1.0), "perfect order of eight is not certain"
    assert rank_interval(-1.0, 8) == (-1.0, pytest.approx(-0.816, abs=1e-3))
    assert rank_interval(0.9, 3) is None
    assert rank_interval_ppm(None, 8) is None
    assert rank_interval_ppm(0, 8) == (-704_673, 704_673)


@pytest.mark.parametrize(("pairs", "least"), [(8, 0.9), (24, 0.92)])
def test_the_interval_holds_what_it_promises(pairs, least):
    """Normal pairs with a correlation of .8, whose rank correlation is 6/π arcsin .4 = .786."""
    source, held, times = np.random.default_rng(3), 0, 1_000
    for _ in range(times):
        first = source.normal(size=pairs)
        second = 0.8 * first + 0.6 * source.normal(size=pairs)
        low, high = rank_interval(
            LeaveOut(0.0, tuple(map(LeftOut, "m" * pairs, first.tolist(), second.tolist()))).spearman, pairs
        )
        held += low <= 0.786 <= high
    assert least <= held / times <= 0.99


def test_a_period_says_how_far_its_rank_correlation_is_known():
    found = TracedPeriod(
        influence="settlement:2026-11:EUR:0", grade="settlement", reasons=(), growth_ppm=1_400_000, retrainings=8,
        spearman_ppm=976_190, spearman_between_ppm=rank_interval_ppm(976_190, 8), slope_ppm=None, intercept_nnat=None,
        utility_nnat=0, residual_nnat=0, told=True, seq=1,
    )  # fmt: skip
    line = "held against 8 retrainings: rank correlation 0.98 [0.82, 1.00]"
    assert line in map(str, replies.period(found, Words("en")).renderables)

"""The scores of tracers are right before anything is measured with them; and the benchmarks' cache loses and repeats nothing."""

import threading
from pathlib import Path

import numpy as np
import pytest
from benchmarks.trace.ground_truth import Folder, fill, half_units, halves, measured_halves, without
from benchmarks.trace.measuring import cross_fitted

from gongfen.trace.evaluation.scores import (
    ceiling,
    drop_test,
    lds,
    lds_difference,
    lds_interval,
    spearman,
    strongest,
)
from gongfen.trace.similarity import bm25, cosines

CHANCE = np.random.default_rng(7)


class Additive:
    """A world in which the utility of a query is the sum of what each kept example is worth to it, and noise."""

    name = "additive"
    subsets, seeds, examples, queries = 20, 2, 30, 6

    def __init__(self, noise: float = 0.0) -> None:
        self.worth = np.random.default_rng(1).standard_normal((self.examples, self.queries))
        self.noise = noise
        self.trained = 0

    def config(self):
        return {"noise": self.noise}

    def train(self, kept, seed):
        self.trained += 1
        noise = np.random.default_rng([seed, *kept]).standard_normal(self.queries)
        return [self.worth[kept].sum(0) + self.noise * noise]

    def load(self, state):
        return state

    def utilities(self, model):
        return model


def measured(setting, folder):
    fill(folder, half_units(setting), quiet=True)
    return measured_halves(setting, folder)


# -- scores ------------------------------------------------------------------------------------------------------------


def test_spearman_is_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    left, right = CHANCE.standard_normal((15, 40)), CHANCE.integers(0, 5, (15, 40)).astype(float)
    expected = [stats.spearmanr(left[:, m], right[:, m]).statistic for m in range(40)]
    assert spearman(left, right) == pytest.approx(np.array(expected))


def test_spearman_with_ties_as_worked_by_hand() -> None:
    # Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5 / sqrt(4.5 · 5).
    assert spearman([[1.0], [2.0], [2.0], [3.0]], [[1.0], [3.0], [2.0], [4.0]]) == pytest.approx([0.9**0.5])


def test_a_tracer_that_knows_the_truth_scores_one_and_its_opposite_minus_one(tmp_path: Path) -> None:
    setting = Additive()
    kept, utilities = measured(setting, Folder(tmp_path, "x", {}))
    assert lds(setting.worth, kept, utilities) == pytest.approx(np.ones(setting.queries))
    assert lds(-setting.worth, kept, utilities) == pytest.approx(-np.ones(setting.queries))


def test_a_tracer_that_says_the_same_of_everything_gets_nothing(tmp_path: Path) -> None:
    setting = Additive()
    kept, utilities = measured(setting, Folder(tmp_path, "x", {}))
    assert lds(np.ones_like(setting.worth), kept, utilities).tolist() == [0.0] * setting.queries


def test_scores_that_are_not_finite_or_do_not_fit_are_refused(tmp_path: Path) -> None:
    setting = Additive()
    kept, utilities = measured(setting, Folder(tmp_path, "x", {}))
    with pytest.raises(ValueError, match="finite"):
        lds(setting.worth * np.nan, kept, utilities)
    with pytest.raises(ValueError, match="fit"):
        lds(setting.worth.T, kept, utilities)


def test_the_interval_is_narrow_for_the_truth_wide_for_noise_and_always_the_same(tmp_path: Path) -> None:
    setting = Additive(noise=2.0)
    kept, utilities = measured(setting, Folder(tmp_path, "x", {}))
    noise = np.random.default_rng(3).standard_normal(setting.worth.shape)
    good, bad = lds_interval(setting.worth, kept, utilities), lds_interval(noise, kept, utilities)
    assert good.low <= good.value <= good.high <= 1
    assert good.low > bad.high
    assert bad.low < 0 < bad.high
    assert good == lds_interval(setting.worth, kept, utilities)


def test_the_bootstrap_is_that_of_drawing_rows_and_columns_one_by_one() -> None:
    """The quick way, by how often each row was drawn, gives what repeated rows give."""
    kept = CHANCE.random((12, 20)) < 0.5
    scores, utilities = CHANCE.standard_normal((20, 5)), CHANCE.standard_normal((12, 5))
    quick = lds_interval(scores, kept, utilities, resamples=50, seed=4)
    chance, slow = np.random.default_rng(4), []
    rows = chance.multinomial(12, np.full(12, 1 / 12), size=50)
    columns = chance.multinomial(5, np.full(5, 1 / 5), size=50)
    for row, column in zip(rows, columns, strict=True):
        drawn, asked = np.repeat(np.arange(12), row), np.repeat(np.arange(5), column)
        slow.append(lds(scores[:, asked], kept[drawn], utilities[drawn][:, asked]).mean())
    assert (quick.low, quick.high) == pytest.approx(tuple(np.percentile(slow, [2.5, 97.5])))


def test_two_tracers_are_compared_on_the_same_resamples(tmp_path: Path) -> None:
    """Two that rank alike do not differ at all, though each by itself is uncertain."""
    setting = Additive(noise=2.0)
    kept, utilities = measured(setting, Folder(tmp_path, "x", {}))
    same = lds_difference(setting.worth, 3 * setting.worth, kept, utilities)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    worse = lds_difference(setting.worth, -setting.worth, kept, utilities)
    assert worse.low > 0


def test_nothing_is_above_the_ceiling_of_the_noise(tmp_path: Path) -> None:
    """The truth itself, over many subsets, correlates with noisy retrainings as the seeds among themselves foretell."""
    setting = Additive(noise=4.0)
    setting.subsets = 400
    folder = Folder(tmp_path, "x", {})
    kept, utilities = measured(setting, folder)
    names = np.array(list(half_units(setting))).reshape(setting.subsets, setting.seeds)
    seeds = np.array([[folder.measured(name) for name in column] for column in names.T])
    assert 0.3 < ceiling(seeds) < 0.9
    assert lds(setting.worth, kept, utilities).mean() == pytest.approx(ceiling(seeds), abs=0.05)


def test_no_query_is_scored_with_a_damping_chosen_on_it(tmp_path: Path) -> None:
    """Where one candidate is right on even queries only and the other on odd ones, choosing across gives the wrong one."""
    setting = Additive()
    kept, utilities = measured(setting, Folder(tmp_path, "x", {}))
    even, odd = -setting.worth, -setting.worth
    even[:, ::2], odd[:, 1::2] = setting.worth[:, ::2], setting.worth[:, 1::2]
    scores, chosen = cross_fitted([even, odd], [(kept, utilities)])
    assert chosen == (1, 0)
    assert lds(scores, kept, utilities) == pytest.approx(-np.ones(setting.queries))


def test_the_drop_test_finds_what_was_worth_most(tmp_path: Path) -> None:
    setting, folder = Additive(), Folder(tmp_path, "x", {})
    (whole,) = without(setting, folder, [np.array([], dtype=int)])
    tops = [strongest(setting.worth, query, 0.1) for query in range(setting.queries)]
    left = np.array([utilities[query] for query, utilities in enumerate(without(setting, folder, tops))])
    expected = [setting.worth[top, query].sum() for query, top in enumerate(tops)]
    lost = drop_test(whole, left)
    assert lost.value == pytest.approx(np.mean(expected))
    assert min(expected) <= lost.low <= lost.high <= max(expected)


# -- likeness ----------------------------------------------------------------------------------------------------------


def test_bm25_holds_rare_words_and_short_texts_higher() -> None:
    texts = [["the", "rose"], ["the", "sheep"], ["the", "rose", "the", "the", "the"], ["the"]]
    rose = bm25(texts, [["the", "rose"]])[:, 0]
    assert rose.argmax() == 0
    assert rose[2] > rose[1]
    # ln(1 + 2.5/2.5) · 2.2 / (1 + 1.2·(0.25 + 0.75·2/2.5)), by hand for "rose" in the first text.
    assert bm25(texts, [["rose"]])[0, 0] == pytest.approx(np.log(2) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2.5)))


def test_a_vector_is_most_like_itself() -> None:
    vectors = CHANCE.standard_normal((10, 4))
    assert (cosines(vectors, vectors).argmax(0) == np.arange(10)).all()


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_halves_are_halves_and_do_not_change_when_more_are_wanted() -> None:
    few, many = Additive(), Additive()
    many.subsets = 40
    assert (halves(few).sum(1) == 15).all()
    assert (halves(many)[:20] == halves(few)).all()


def test_nothing_is_measured_twice(tmp_path: Path) -> None:
    setting = Additive()
    first = measured(setting, Folder(tmp_path, "x", {}))
    again = measured(setting, Folder(tmp_path, "x", {}))
    assert setting.trained == setting.subsets * setting.seeds
    assert (first[1] == again[1]).all()


def test_another_configuration_is_another_folder(tmp_path: Path) -> None:
    one, two = Folder(tmp_path, "x", {"rate": 1}), Folder(tmp_path, "x", {"rate": 2})
    one.measure("unit", lambda: np.zeros(1))
    assert one.has("unit")
    assert not two.has("unit")


def test_several_may_fill_one_folder_at_once(tmp_path: Path) -> None:
    setting = Additive()
    helpers = [
        threading.Thread(target=fill, args=(Folder(tmp_path, "x", {}), half_units(setting)), kwargs={"quiet": True})
        for _ in range(4)
    ]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join()
    assert setting.trained == setting.subsets * setting.seeds


def test_a_retraining_that_fails_is_tried_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, "x", {})

    def fails():
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        folder.measure("unit", fails)
    assert not folder.has("unit")
    assert folder.measure("unit", lambda: np.ones(2))
    assert folder.measured("unit").tolist() == [1, 1]


def test_subsets_without_all_their_seeds_do_not_count_yet(tmp_path: Path) -> None:
    setting, folder = Additive(noise=1.0), Folder(tmp_path, "x", {})
    units = half_units(setting)
    fill(folder, {name: units[name] for name in list(units)[:9]}, quiet=True)
    kept, utilities = measured_halves(setting, folder)
    assert len(kept) == len(utilities) == 4

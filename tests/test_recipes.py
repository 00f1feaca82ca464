"""A recipe fits the number of works: the demo's stays what it is, a longer run goes slower, and a person may say how."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import gongfen
from gongfen import kinds as k
from gongfen.errors import TrainingError
from gongfen.studio.recipes import FULL, QUICK, Plan
from tests.test_cli import gongfen_
from tests.test_evaluate import a_book

DEMO = [(QUICK, 43 * 3), (FULL, 43 * 2)]


@pytest.mark.parametrize(("plan", "works"), DEMO, ids=["quick", "full"])
def test_at_the_size_of_the_demo_it_is_the_recipe_as_it_stands(plan: Plan, works: int) -> None:
    """So the hash of the config, and with it every adapter that was made by it, stays what it was."""
    assert works == 43 * plan.per_maker
    assert plan.fitted(works) == plan.setup
    assert plan.fitted(works).sha256 == plan.setup.sha256
    assert plan.setup.recipe.steps(works) == plan.steps


@pytest.mark.parametrize(("plan", "works"), DEMO, ids=["quick", "full"])
def test_a_longer_run_has_a_longer_warm_up_and_a_lower_rate(plan: Plan, works: int) -> None:
    longer = plan.fitted(4 * works).recipe
    assert longer.steps(4 * works) == pytest.approx(4 * plan.steps, abs=3)
    assert longer.warmup_steps == pytest.approx(4 * plan.setup.recipe.warmup_steps, abs=3)
    assert longer.learning_rate_nano == pytest.approx(plan.setup.recipe.learning_rate_nano / 4, rel=0.03)
    assert plan.fitted(1).recipe.learning_rate_nano == plan.setup.recipe.learning_rate_nano, "a short one no higher"


def test_what_a_person_says_is_done_and_stands_in_the_hash() -> None:
    said = replace(QUICK, rate_nano=500_000, warmup=9, epochs=2).fitted(430)
    assert (said.recipe.learning_rate_nano, said.recipe.warmup_steps, said.recipe.epochs) == (500_000, 9, 2)
    others = [QUICK, replace(QUICK, rate_nano=500_000), replace(QUICK, warmup=9), replace(QUICK, epochs=2)]
    assert len({plan.fitted(430).sha256 for plan in others} | {said.sha256}) == 5


def test_a_warm_up_that_never_ends_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"a warm-up of 18 steps leaves nothing of the run: it has 18 steps"):
        replace(QUICK, warmup=18).fitted(129)
    assert replace(QUICK, warmup=17).fitted(129).recipe.warmup_steps == 17


def test_train_takes_what_is_said_shows_it_and_records_it(tmp_path: Path) -> None:
    a_book(tmp_path).close()
    said = ("--quick", "--per-maker", "4", "--epochs", "3", "--rate", "0.0005", "--warmup", "1")
    found = gongfen_(tmp_path, "train", "slow", *said)
    assert found.returncode == 0, found.stderr
    assert "recipe: 3 epochs, rate 0.0005, warm-up over 1 step" in found.stdout
    shown = json.loads(gongfen_(tmp_path, "train", "again", *said, "--json").stdout)
    assert (shown["epochs"], shown["rate_nano"], shown["warmup_steps"]) == (3, 500_000, 1)
    due = replace(QUICK, epochs=3, rate_nano=500_000, warmup=1).fitted(12).sha256
    with gongfen.open(tmp_path / "gongfen.db") as book:
        made = [fact.body for _, fact in book.log.about("slow") if isinstance(fact.body, k.Make)]
        assert [body.config_sha256 for body in made] == [due]
    refused = gongfen_(tmp_path, "train", "third", *said[:-1], "3")
    assert refused.returncode == 2
    assert "a warm-up of 3 steps leaves nothing of the run" in refused.stderr

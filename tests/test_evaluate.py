"""``gongfen trace evaluate``: every way of tracing held against real retrainings, each made once, and what it says."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

import gongfen
from gongfen import kinds as k
from gongfen.book import making
from gongfen.book.evaluating.evaluation import Evaluation, Wanted
from gongfen.book.evaluating.retrainings import Retrainings, Unit
from gongfen.book.tracing.outputs import sold_passage
from gongfen.errors import InputError, MissingAssumptionError, TrainingError, UnknownWorkError
from gongfen.studio.workshop import Setup
from gongfen.trace.adamw import Recipe
from gongfen.trace.evaluation.embeddings import mean_states
from gongfen.trace.evaluation.scores import random_halves
from gongfen.trace.evaluation.verdict import verdict
from gongfen.trace.problem import Passage, utility
from gongfen.trace.tuning import tune
from tests.test_cli import gongfen_

SETUP = Setup(
    base="tiny",
    max_tokens=14,
    recipe=Recipe(seed=3, epochs=2, batch_size=6, learning_rate_nano=3_000_000, warmup_steps=1, eps_nano=100_000),
    width=8,
    layers=1,
    threads=1,
)
THINGS = ("river", "mountain", "harbour", "orchard")
MAKERS = {"ada": "slowly", "bo": "again", "cy": "人民在河边歌唱"}
METHODS = ["index", "whole gradients", "metagradient", "BM25 of words", "BM25 of 4 letters", "embeddings", "random"]


def a_book(folder: Path, makers: tuple[str, ...] = tuple(MAKERS)) -> gongfen.Book:
    """A book with four short works of each maker, a tiny model trained on them, and three outputs of it."""
    book = gongfen.create(folder / "gongfen.db", origin="example.org/evaluate", by="ada")
    book.record(*(k.Enrol(maker=maker) for maker in makers))
    for maker in makers:
        for thing in THINGS:
            text = f"{maker} sang of the {thing} {MAKERS[maker]}, and the {thing} answered".encode()
            book.log.keep_blob(text)
            book.record(
                k.Work(
                    work=f"{maker}/{thing}#1",
                    sha256=sha256(text).hexdigest(),
                    size_bytes=len(text),
                    source="us",
                    licence="CC0-1.0",
                    makers=(k.Part(maker=maker, ppm=1_000_000),),
                )
            )
    book.train("poet", setup=SETUP, per_maker=4, planned_uses=10, cache=folder)
    return book


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a book in which nothing has been evaluated."""
    folder = tmp_path_factory.mktemp("shelf")
    with a_book(folder) as book:
        prompts = [making.Prompt(thing, f"sing of the {thing}", "ada", None) for thing in THINGS[:3]]
        book.generate("poet", *prompts, length=8, cache=folder)
    return folder


@pytest.fixture
def folder(shelf: Path, tmp_path: Path) -> Path:
    """A copy of it, to be evaluated."""
    return Path(copytree(shelf, tmp_path / "book"))


@pytest.fixture(scope="module")
def evaluated(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which twelve halves were trained on, and the strongest work was left out."""
    folder = Path(copytree(shelf, tmp_path_factory.mktemp("evaluated") / "book"))
    found = gongfen_(folder, *ASKED)
    assert found.returncode == 0, found.stderr
    return folder


ASKED = ("trace", "evaluate", "poet", "--subsets", "12", "--drop", "1", "--drop", "20%")


def retrainings(folder: Path) -> dict[str, int]:
    """When each retraining was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.runs/poet/evaluation-*/*-seed-*.safetensors")}


def facts(folder: Path) -> list[k.Evaluation]:
    with gongfen.open(folder / "gongfen.db") as book:
        return [fact.body for _, fact in book.log.facts() if isinstance(fact.body, k.Evaluation)]


def answer(folder: Path, *words: str) -> dict:
    found = gongfen_(folder, *words, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


# -- what it says ------------------------------------------------------------------------------------------------------


def test_the_table_has_every_method_and_one_sentence_to_decide_by(evaluated: Path) -> None:
    said = gongfen_(evaluated, *ASKED, COLUMNS="80")
    lines = said.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for method in METHODS:
        rows = [line for line in lines if line.startswith(f"{method} ") and "[" in line]
        assert rows, method
    assert "a perfect tracer would score: unknown with one seed" in said.stdout
    whole = " ".join(said.stdout.split())
    assert "above plain likeness (" in whole
    assert all(
        f"{method} yes" in whole or f"{method} no" in whole or f"{method} cannot tell" in whole
        for method in METHODS[:3]
    )
    assert "retrainings: 12 on random halves, " in said.stderr


def test_it_speaks_chinese_and_fits_there_too(evaluated: Path) -> None:
    said = gongfen_(evaluated, *ASKED, GONGFEN_LANG="zh", COLUMNS="80")
    assert "确定高于单纯相似" in said.stdout
    assert "BM25（词）" in said.stdout
    assert "above" not in said.stdout
    assert "重新训练" in said.stderr


def test_programs_get_it_all_in_numbers(evaluated: Path) -> None:
    found = answer(evaluated, *ASKED)
    assert [one["name"] for one in found["tracers"]] == METHODS
    for one in found["tracers"]:
        assert -1_000_000 <= one["lds"]["low_ppm"] <= one["lds"]["value_ppm"] <= one["lds"]["high_ppm"] <= 1_000_000
        assert [lost["works"] for lost in one["drops"]] == [1, 2]
        assert (one["verdict"] is not None) == (one["name"] in METHODS[:3])
    best = max((one for one in found["tracers"] if one["likeness"]), key=lambda one: one["lds"]["value_ppm"])
    assert found["likeness"] == best["name"]
    assert best["above"] is None
    assert found["ceiling_ppm"] is None
    assert found["planned"]["kept"] == found["retrainings"] > 12


def test_each_method_is_a_fact_and_the_same_evaluation_is_recorded_once(evaluated: Path) -> None:
    gongfen_(evaluated, *ASKED)
    bodies = facts(evaluated)
    assert [body.method.partition(":")[0] for body in bodies] == METHODS
    assert {body.subject for body in bodies} == {"poet"}
    assert {body.metric for body in bodies} == {"LDS"}
    notes = {note.name: note.value for note in bodies[0].notes}
    assert (notes["subsets"], notes["seeds"], notes["outputs"]) == ("12", "1", "3")
    assert notes["ceiling ppm"] == "unknown: one seed"
    assert "than at random" in notes["without 2 works nnat"]
    shown = {one["name"]: one["lds"]["value_ppm"] for one in answer(evaluated, *ASKED)["tracers"]}
    assert [body.value_ppm for body in bodies] == list(shown.values())


def test_it_says_beforehand_what_it_takes_and_a_dry_run_does_nothing(folder: Path) -> None:
    said = gongfen_(folder, *ASKED, "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "dry run" in said.stdout
    assert "12 on random halves, at most 46 without a few works; 0 kept already" in said.stdout
    assert "time: about" in said.stdout
    assert not list(folder.glob("*.runs/poet/evaluation-*"))
    assert facts(folder) == []
    planned = answer(folder, *ASKED, "--dry-run")
    assert planned["drops"] == 2 * (5 + 6 * 3)


# -- nothing is made twice ---------------------------------------------------------------------------------------------


def test_more_subsets_and_seeds_repeat_nothing(folder: Path) -> None:
    few = ("trace", "evaluate", "poet", "--drop", "0", "--subsets")
    gongfen_(folder, *few, "3")
    before = retrainings(folder)
    assert sorted(before) == [f"half-{n:03}-seed-0.safetensors" for n in range(3)]
    found = answer(folder, *few, "5", "--seeds", "2")
    after = retrainings(folder)
    assert len(after) == 10
    assert {name: after[name] for name in before} == before
    assert found["ceiling_ppm"] is not None
    assert found["retrainings"] == 10


def test_a_run_that_was_stopped_goes_on_and_says_the_same(folder: Path, evaluated: Path) -> None:
    """Interrupted after four retrainings: nothing half is left, the four stay, and the answer is that of one run."""

    def interrupt(done: int, _of: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with gongfen.open(folder / "gongfen.db") as book, pytest.raises(KeyboardInterrupt):
        book.evaluate_trace("poet", subsets=12, drop=("1", "20%"), progress=interrupt)
    before = retrainings(folder)
    assert len(before) == 4
    assert facts(folder) == []
    found = answer(folder, *ASKED)
    assert {name: retrainings(folder)[name] for name in before} == before
    assert not [path for path in folder.glob("*.runs/poet/evaluation-*/.*") if path.is_file()]
    straight = answer(evaluated, *ASKED)
    for one, other in zip(found["tracers"], straight["tracers"], strict=True):
        assert {**one, "cpu_us": 0} == {**other, "cpu_us": 0}


def test_a_person_may_stop_it(folder: Path) -> None:
    # A shell that runs tests in the background has its children ignore the interrupt of a person's keyboard.
    heard = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    run = f"{heard}runpy.run_module('gongfen', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-c", run, "trace", "evaluate", "poet", "--subsets", "3000"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GONGFEN")} | {
        "GONGFEN_LANG": "en"
    }
    with subprocess.Popen(
        command, cwd=folder, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        for _ in range(2_400):
            if len(retrainings(folder)) >= 2 or running.poll() is not None:
                break
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        try:
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130, err
    assert "Stopped. What was retrained is kept" in err
    assert "Traceback" not in err
    assert out == ""
    assert not list(folder.glob("*.runs/poet/evaluation-*/*.part"))


def kept_in(folder: Path, book: gongfen.Book, model: str = "poet") -> Retrainings:
    outputs = Evaluation(book.log, "poet", Wanted(), folder).outputs
    atelier = making.open_atelier(book.log, model, folder)
    return Retrainings(book.log, atelier, tuple(sold_passage(book.log, output) for output in outputs), folder)


def test_what_another_process_is_about_is_left_to_it(folder: Path) -> None:
    with gongfen.open(folder / "gongfen.db") as book:
        kept = kept_in(folder, book)
        units = {f"half-{n:03}-seed-0": Unit(row, 0) for n, row in enumerate(random_halves(3, 12))}
        kept.path.mkdir(parents=True)
        with (kept.path / ".half-001-seed-0.claim").open("w") as claim:
            fcntl.flock(claim, fcntl.LOCK_EX)

            def seen(done: int, _of: int) -> None:
                if done == 2:
                    assert not kept.has("half-001-seed-0")
                    claim.close()  # the other process dies, and its lock with it

            kept.fill(units, seen)
        assert all(map(kept.has, units))


def test_another_recipe_is_another_folder(folder: Path) -> None:
    with gongfen.open(folder / "gongfen.db") as book:
        slower = replace(SETUP, recipe=replace(SETUP.recipe, learning_rate_nano=1_000_000))
        book.train("slow", setup=slower, per_maker=4, planned_uses=10, cache=folder)
        assert kept_in(folder, book).sha256 != kept_in(folder, book, "slow").sha256


def test_outputs_written_later_are_measured_without_training_again(folder: Path) -> None:
    few = ("trace", "evaluate", "poet", "--drop", "0", "--subsets", "3")
    gongfen_(folder, *few)
    before = retrainings(folder)
    with gongfen.open(folder / "gongfen.db") as book:
        book.generate("poet", making.Prompt("new", "sing again", "ada", None), length=8, cache=folder)
    found = answer(folder, *few)
    assert found["planned"]["outputs"][-1] == "new/output"
    assert found["planned"]["kept"] == 3
    assert retrainings(folder) == before


def test_an_altered_retraining_is_found(folder: Path) -> None:
    few = ("trace", "evaluate", "poet", "--drop", "0", "--subsets", "3")
    gongfen_(folder, *few)
    (path,) = folder.glob("*.runs/poet/evaluation-*/half-001-seed-0.safetensors")
    path.write_bytes(b"not what it was")
    path.with_suffix(".json").unlink()
    said = gongfen_(folder, *few)
    assert said.returncode == 2
    assert "delete it: it is made again" in said.stderr
    path.unlink()
    assert gongfen_(folder, *few).returncode == 0


# -- what a retraining is ----------------------------------------------------------------------------------------------


def test_a_retraining_is_the_recorded_plan_without_some_works(folder: Path) -> None:
    """On all works it is the model itself, bit by bit; on half of them, what weights of zero give, but for rounding."""
    with gongfen.open(folder / "gongfen.db") as book:
        kept = kept_in(folder, book)
        atelier = making.open_atelier(book.log, "poet", folder)
        half = random_halves(1, 12)[0]
        kept.fill({"all": Unit(np.ones(12, dtype=bool), 0), "half": Unit(half, 0), "other": Unit(half, 1)})
        assert kept.utilities("all", 0).tolist() == kept.whole().tolist()
        outputs = [sold_passage(book.log, output) for output in Evaluation(book.log, "poet", Wanted(), folder).outputs]
        problem = atelier.workshop.problem(atelier.texts, outputs, [1, 1, 1])
        weighed = tune(problem, SETUP.recipe, torch.as_tensor(half.astype("float32")), tape=False)
        assert kept.utilities("half", 0).mean() == pytest.approx(utility(problem, weighed.theta), abs=1e-4)
        assert kept.utilities("other", 1).mean() != pytest.approx(kept.utilities("half", 0).mean(), abs=1e-4)


# -- the verdict -------------------------------------------------------------------------------------------------------


def world(noise: float, subsets: int = 40, queries: int = 6):
    """What each of thirty works is worth to each query, and what becomes of it: the sum of what is kept, and noise."""
    chance = np.random.default_rng(5)
    worth, kept = chance.standard_normal((30, queries)), random_halves(subsets, 30)
    return worth, kept, kept @ worth + noise * chance.standard_normal((subsets, queries))


def test_a_tracer_that_is_the_truth_is_above_likeness_and_chance_is_not() -> None:
    worth, kept, utilities = world(noise=1.0)
    chance = np.random.default_rng(6).standard_normal(worth.shape)
    likeness = worth + 3 * np.random.default_rng(7).standard_normal(worth.shape)
    assert verdict(worth, likeness, kept, utilities).answer == "yes"
    assert verdict(chance, worth, kept, utilities).answer == "no"
    assert verdict(likeness, likeness, kept, utilities).answer == "no"


def test_where_it_cannot_tell_it_says_how_many_more_would() -> None:
    """A small advantage: unknown with few subsets, certain with many; and that many are enough, it says beforehand."""
    chance = np.random.default_rng(7)
    worth, kept, utilities = world(noise=4.0, subsets=14, queries=16)
    likeness = worth + 0.7 * chance.standard_normal(worth.shape)
    told = verdict(worth, likeness, kept, utilities)
    assert told.answer == "unknown"
    assert told.more is not None
    assert 1 <= told.more <= 86
    worth, kept, utilities = world(noise=4.0, subsets=100, queries=16)
    assert verdict(worth, likeness, kept, utilities).answer == "yes"


def test_no_number_of_retrainings_makes_two_outputs_many() -> None:
    """Right for one output and wrong for the other: only other outputs would tell."""
    worth, kept, utilities = world(noise=0.1, subsets=60, queries=2)
    told = verdict(worth * [1, -1], np.zeros_like(worth), kept, utilities)
    assert (told.answer, told.more) == ("unknown", None)


def test_a_text_is_most_like_itself(folder: Path) -> None:
    with gongfen.open(folder / "gongfen.db") as book:
        atelier = making.open_atelier(book.log, "poet", folder)
        module = atelier.workshop.problem(atelier.texts).place(atelier.run.theta)
        passages = [atelier.workshop.passage(text) for text in atelier.texts]
        states = mean_states(module, passages)
        assert states.shape == (12, SETUP.width)
        again = mean_states(module, [Passage(passages[4].tokens)])
        assert np.abs(states - again).sum(1).argmin() == 4


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_evaluated_is_refused_with_a_remedy(folder: Path, tmp_path: Path) -> None:
    with gongfen.open(folder / "gongfen.db") as book:
        with pytest.raises(UnknownWorkError, match="not a model that was trained in this book"):
            book.evaluate_trace("nobody")
        with pytest.raises(UnknownWorkError, match="not a model that was trained in this book"):
            book.evaluate_trace("ada/river#1")
        with pytest.raises(InputError, match="too few to rank anything"):
            book.evaluate_trace("poet", subsets=2)
        with pytest.raises(InputError, match="no number of works that can be left out of 12"):
            book.evaluate_trace("poet", drop=("60%",))
        with pytest.raises(InputError, match="no number of works"):
            book.evaluate_trace("poet", drop=("many",))
        with pytest.raises(UnknownWorkError, match="was not made in this book"):
            book.evaluate_trace("poet", outputs=["nothing"])
        book.train("mute", setup=SETUP, per_maker=4, planned_uses=10, cache=folder)
        with pytest.raises(MissingAssumptionError, match="has no output in this book"):
            book.evaluate_trace("mute")
        with pytest.raises(TrainingError, match="was not made with mute"):
            book.evaluate_trace("mute", outputs=["river/output"])
    (tmp_path / "few").mkdir()
    with a_book(tmp_path / "few", ("ada",)) as small, pytest.raises(TrainingError, match="was trained on 4 works"):
        small.evaluate_trace("poet", cache=tmp_path)


def test_a_retraining_that_diverges_is_named(folder: Path) -> None:
    with gongfen.open(folder / "gongfen.db") as book:
        kept = kept_in(folder, book)
        problem, run = kept._trained(1)
        kept._seeds[1] = problem, replace(run, theta0=torch.full_like(run.theta0, torch.nan))
        with pytest.raises(TrainingError, match="retraining half-000-seed-1 diverged: step 1 has a loss"):
            kept.fill({"half-000-seed-1": Unit(random_halves(1, 12)[0], 1)})
        assert not kept.has("half-000-seed-1")


# -- the words of the command ------------------------------------------------------------------------------------------


def test_an_output_may_be_called_like_the_verb(folder: Path) -> None:
    assert "MODEL" in gongfen_(folder, "trace", "--help").stdout
    assert "--subsets" in gongfen_(folder, "trace", "evaluate", "--help").stdout
    said = gongfen_(folder, "trace", "--", "evaluate")
    assert said.returncode == 2
    assert "evaluate was not made in this book" in " ".join(said.stderr.split())
    said = gongfen_(folder.parent, "trace", "--book", str(folder / "gongfen.db"), "evaluate", "poet", "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "12 works, 3 outputs" in said.stdout


def test_outputs_are_still_traced_with_options_on_either_side(folder: Path) -> None:
    said = gongfen_(folder, "trace", "river/output", "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)[0]["grade"] == "display"
    assert gongfen_(folder, "trace", "--index", "river/output", "mountain/output").returncode == 0
    said = gongfen_(folder, "trace", "--index")
    assert said.returncode == 2
    assert "Missing argument" in said.stderr

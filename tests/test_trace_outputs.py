"""``gongfen trace OUTPUT --metagradient``, how well a way of tracing was tested, what was found, what rests on samples."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import msgspec
import pytest
import torch

import gongfen
from gongfen import kinds as k
from gongfen.book import making
from gongfen.book.answers import makers_of
from gongfen.book.evaluating.evaluation import Evaluation, Wanted
from gongfen.book.proving.publishing import text_of
from gongfen.book.tracing import metagradient as by_its_run
from gongfen.book.tracing.gradients import by_gradients
from gongfen.book.tracing.metagradient import by_metagradient
from gongfen.book.tracing.outputs import sold_passage, trace_with
from gongfen.errors import InputError, TrainingError
from gongfen.reports.replies import Unseen
from gongfen.reports.text.tested import unseen_lines
from gongfen.reports.words import Words
from gongfen.studio.workshop import code_sha256
from gongfen.trace.interval import OVER_CHECKPOINTS, OVER_SEEDS
from gongfen.trace.metagradient import metagradient
from gongfen.trace.problem import Passage
from tests.books import cooperative, new_book, said
from tests.test_cli import gongfen_
from tests.test_evaluate import SETUP, THINGS, a_book
from tests.test_index import TOLERANCE
from tests.test_report_page import Tree

NANO = 1_000_000_000
RIVER = "river/output"
ASKED = ("trace", "evaluate", "poet", "--subsets", "12", "--drop", "0")
UNTESTED = "how good this way of measuring is: not evaluated on this model"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a book, a tiny model of it and three outputs; nothing has been traced or evaluated."""
    folder = tmp_path_factory.mktemp("shelf")
    with a_book(folder) as book:
        prompts = [making.Prompt(thing, f"sing of the {thing}", "ada", None) for thing in THINGS[:3]]
        book.generate("poet", *prompts, length=8, cache=folder)
    return folder


@pytest.fixture
def folder(shelf: Path, tmp_path: Path) -> Path:
    return Path(copytree(shelf, tmp_path / "book"))


@pytest.fixture(scope="module")
def evaluated(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which every way of tracing was held against twelve retrainings, and one output was traced by each."""
    folder = Path(copytree(shelf, tmp_path_factory.mktemp("evaluated") / "book"))
    assert gongfen_(folder, *ASKED).returncode == 0
    assert gongfen_(folder, "trace", RIVER, "--metagradient", "--seeds", "1").returncode == 0
    assert gongfen_(folder, "trace", "mountain/output").returncode == 0
    assert gongfen_(folder, "trace", "harbour/output", "--index").returncode == 0
    return folder


def opened(folder: Path) -> gongfen.Book:
    return gongfen.open(folder / "gongfen.db")


def flat(text: str) -> str:
    return " ".join(text.split())


def measured(book: gongfen.Book, output: str) -> k.Influence:
    return [fact.body for _, fact in book.log.about(output) if isinstance(fact.body, k.Influence)][-1]


def noted(body: k.Influence) -> dict[str, str]:
    return {note.name: note.value for note in body.notes}


# -- the metagradient of an output -------------------------------------------------------------------------------------


def test_its_numbers_are_those_that_were_held_against_retraining(evaluated: Path) -> None:
    """What ``trace evaluate`` scored, to the last nano-nat: so its rank correlation is that of this very measurement."""
    with opened(evaluated) as book:
        evaluation = Evaluation(book.log, "poet", Wanted(), evaluated)
        scores, _ = evaluation.kept.scores("metagradient", code_sha256())
        column = scores[:, evaluation.outputs.index(RIVER)]
        body = measured(book, RIVER)
        assert [effect.work for effect in body.effects] == list(evaluation.atelier.works)
        assert [effect.effect_nnat for effect in body.effects] == [round(float(score) * NANO) for score in column]
        problem = evaluation.atelier.workshop.problem(evaluation.atelier.texts, [sold_passage(book.log, RIVER)], [1])
        alone = metagradient(problem, evaluation.atelier.run)
        assert [effect.effect_nnat for effect in body.effects] == [round(x * NANO) for x in alone.effects.tolist()]
    assert body.grade == "display"
    assert body.method == "metagradient, one-sided difference of gradients, relative step 0.001"
    said_ = noted(body)
    assert said_["adjoint growth ppm"] == str(round(alone.growth * 1_000_000))
    assert said_["replayed to"] == alone.adapter_sha256
    assert said_["interval"].startswith("unknown: one run")


def test_several_outputs_are_each_measured_by_themselves(folder: Path) -> None:
    moves: list[tuple[int, int]] = []
    with opened(folder) as book:
        first, second = book.trace(
            RIVER, "mountain/output", metagradient=True, seeds=1, progress=lambda done, of: moves.append((done, of))
        )
        together = measured(book, "mountain/output")
        (again,) = book.trace("mountain/output", "mountain/output", metagradient=True, seeds=1)
        assert measured(book, "mountain/output").effects == together.effects
        assert measured(book, RIVER).effects != together.effects
    assert (first.target, second.target, again.influence) == (RIVER, "mountain/output", "display:mountain/output:1")
    assert [done for done, _ in moves] == list(range(1, len(moves) + 1)), "it moves evenly to its end"
    assert moves[-1][0] == moves[-1][1]


def test_other_seeds_give_every_effect_its_interval_and_change_no_effect(folder: Path) -> None:
    with opened(folder) as book:
        book.trace(RIVER, metagradient=True, seeds=1)
        alone = measured(book, RIVER)
        book.trace(RIVER, "mountain/output", metagradient=True)
        both = measured(book, RIVER)
        assert [one.effect_nnat for one in both.effects] == [one.effect_nnat for one in alone.effects]
        assert all(one.low_nnat <= one.effect_nnat <= one.high_nnat for one in both.effects)
        assert noted(both)["interval"] == OVER_SEEDS.format(2)
    said_ = flat(gongfen_(folder, "who", RIVER).stdout)
    assert f"interval: {OVER_SEEDS.format(2)}; only retraining tells a bias" in said_
    assert "whether its strongest works stand above random ones is not known" not in said_


def test_without_a_word_every_way_of_measuring_gives_every_effect_an_interval(folder: Path) -> None:
    """By default, and with an index: over checkpoints; over seeds otherwise; of the period, too."""
    ways = {"": OVER_CHECKPOINTS.format(4), "index": OVER_CHECKPOINTS.format(4), "metagradient": OVER_SEEDS.format(2)}
    with opened(folder) as book:
        for way, interval in ways.items():
            book.trace(RIVER, **({way: True} if way else {}))
            body = measured(book, RIVER)
            assert noted(body)["interval"] == interval
            assert noted(body)["strongest above random works"] in ("yes", "no"), "every way can tell, or says it cannot"
            assert all(one.low_nnat < one.effect_nnat < one.high_nnat for one in body.effects)
        book.record(k.Sale(sale="s", output=RIVER, price_micro=1_000_000, currency="EUR", day="2026-11-20", buyer="b"))
        period = book.trace_period("2026-11", validate=2, cache=folder)
        assert period.told is not None
        body = next(fact.body for _, fact in book.log.about(period.influence) if isinstance(fact.body, k.Influence))
        assert noted(body)["interval"] == OVER_SEEDS.format(2)
        assert all(one.low_nnat < one.effect_nnat < one.high_nnat for one in body.effects)


def test_another_seed_that_is_too_rough_leaves_the_interval_unknown(folder: Path, monkeypatch) -> None:
    """What was measured stands; only how much of it is luck is not known."""
    rough = replace(SETUP, recipe=replace(SETUP.recipe, epochs=8, learning_rate_nano=20_000_000, eps_nano=1_000))
    sound = by_its_run.with_seed
    monkeypatch.setattr(by_its_run, "with_seed", lambda atelier, *rest: sound(replace(atelier, setup=rough), *rest))
    with opened(folder) as book:
        book.trace(RIVER, metagradient=True, cache=folder)
        body = measured(book, RIVER)
    assert re.fullmatch(r"unknown: the run with seed \d+ is not smooth \(.*\)", noted(body)["interval"])
    assert all(one.low_nnat is msgspec.UNSET for one in body.effects)


def test_texts_of_random_words_are_hardly_ever_told_by_whole_gradients(folder: Path) -> None:
    """Their checkpoints agree on what any text does to the works, so that they agree is no sign."""
    source = torch.Generator().manual_seed(3)
    with opened(folder) as book:
        atelier = making.open_atelier(book.log, "poet", folder)
        known = [token for text in atelier.texts for token in atelier.workshop.passage(text).tokens]
        drawn = torch.randint(len(known), (40, 14), generator=source)
        texts = [Passage(tuple(known[place] for place in row.tolist()), 4) for row in drawn]
        told = by_gradients(atelier, texts).told
    assert None not in told
    assert sum(told) <= 6, "two of forty, by chance; all of them, where halves of the checkpoints were compared"


def test_tokens_and_stretches_are_asked_about_like_sentences(folder: Path) -> None:
    """All tokens together are the whole, word for word and effect for effect; so is the stretch that is the whole."""
    assert gongfen_(folder, "trace", RIVER, "--index", "--tokens").returncode == 0
    with opened(folder) as book:
        text, answer = text_of(book.log, RIVER), book.who(RIVER)
        typed, whole = len("sing of the river"), {row.work: row.effect_nnat for row in answer.strongest}
        assert "".join(part.text for part in answer.parts) == text[typed:]
        assert len(answer.parts) > 2
        by_tokens = effects_of_parts(book)
        largest = max(abs(effect) for effect in whole.values())
        for work, effect in whole.items():
            assert sum(part[work] for part in by_tokens) == pytest.approx(effect, abs=largest * TOLERANCE)
    found = gongfen_(
        folder, "trace", RIVER, "--index", "--span", f"{typed}:{len(text)}", "--span", f"{typed}:{typed + 2}"
    )
    assert found.returncode == 0, found.stderr
    with opened(folder) as book:
        assert [(part.start, part.end) for part in book.who(RIVER).parts] == [(typed, len(text)), (typed, typed + 2)]
        assert effects_of_parts(book)[-1] == pytest.approx(whole, abs=largest * TOLERANCE)


def effects_of_parts(book: gongfen.Book) -> list[dict[str, int]]:
    """Work → effect, of each part that was measured with the newest whole."""
    bodies = [fact.body for _, fact in book.log.about(RIVER) if isinstance(fact.body, k.Influence)]
    newest = [body.influence for body in bodies if body.output_start is msgspec.UNSET][-1]
    parts = [body for body in bodies if body.influence.startswith(f"{newest}:")]
    parts.sort(key=lambda body: (body.output_start, body.output_end))
    return [{one.work: one.effect_nnat for one in body.effects} for body in parts]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--span", "3:9"), "--span asks an index"),
        (("--index", "--span", "x:9"), "--span x:9 is not two numbers"),
        (("--index", "--span", "9"), "--span 9 is not two numbers"),
        (
            ("--index", "--span", "3:19"),
            "--span 3:19 is no part of what the model wrote in river/output: characters 17",
        ),
        (("--index", "--span", "19:19"), "--span 19:19 is no part of what the model wrote"),
        (("--index", "--span", "19:9999"), "--span 19:9999 is no part of what the model wrote"),
        (("--index", "--tokens", "--sentences"), "--tokens does not go together with --sentences"),
    ],
)
def test_a_part_that_is_none_is_refused_and_nothing_is_written(folder: Path, options, reason) -> None:
    with opened(folder) as book:
        before = book.log.size
    found = gongfen_(folder, "trace", RIVER, *options)
    assert found.returncode == 2
    assert reason in flat(found.stderr)
    with opened(folder) as book:
        assert book.log.size == before


@pytest.mark.parametrize("way", ["", "--index", "--metagradient"])
def test_makers_shares_have_intervals_in_every_way_of_measuring(folder: Path, way: str) -> None:
    """In the table that people read; and none once a work is somebody else's, for then the share is another."""
    assert gongfen_(folder, "trace", RIVER, *filter(None, [way])).returncode == 0
    answer = json.loads(gongfen_(folder, "who", RIVER, "--json").stdout)
    rows = [row for row in answer["makers"] if row["influence_ppm"]]
    assert len(rows) >= 2
    for row in rows:
        assert 0 <= row["influence_low_ppm"] <= row["influence_ppm"] <= row["influence_high_ppm"] <= 1_000_000
    said_ = flat(gongfen_(folder, "who", RIVER).stdout)
    assert re.search(r"\d% \[\d[\d.]*%, \d[\d.]*%\]", said_)


def test_a_share_that_is_another_by_now_has_no_interval(folder: Path) -> None:
    with opened(folder) as book:
        book.trace(RIVER)
        body = measured(book, RIVER)
        (first, *_) = [note for note in body.notes if note.name == "share between, ppm"]
        maker = first.value.split(" ")[2]
        notes = tuple(k.Note(name=note.name, value=f"0 1 {maker}") if note == first else note for note in body.notes)
        book.record(msgspec.structs.replace(body, influence="later", notes=notes))
        rows = {row.maker: row for row in book.who(RIVER).makers}
        assert rows[maker].influence_ppm > 1
        assert rows[maker].influence_low_ppm is None
        book.trace(RIVER, metagradient=True, seeds=1)
        assert all(row.influence_low_ppm is None for row in book.who(RIVER).makers)


def test_what_the_index_does_not_look_at_is_named_beside_its_answer(folder: Path) -> None:
    """Embeddings and norms are trained here, and are in no linear layer; whole gradients look at them."""
    line = "the index does not see 4 trained parameters that are in no linear layer: model.embed_tokens.weight, "
    assert line in flat(gongfen_(folder, "trace", RIVER, "--index").stdout)
    (unseen,) = json.loads(gongfen_(folder, "who", RIVER, "--json").stdout)["unseen"]
    assert (unseen["why"], unseen["count"], len(unseen["names"])) == ("in no linear layer", 4, 4)
    assert "索引看不到 4 个不属于任何线性层的受训参数" in gongfen_(folder, "who", RIVER, GONGFEN_LANG="zh").stdout
    with opened(folder) as book:
        assert line in book.report("A page", "by hand")
        wide = [Unseen(why="too wide", count=1, names=("lm_head",)), Unseen(why="silent", count=2, names=("a", "b"))]
        assert unseen_lines(wide, Words("en")) == [
            "the index does not see 1 layer that is too wide for it: lm_head",
            "the index does not see 2 layers through which nothing flows: a, b",
        ]
        book.trace(RIVER)
        assert book.who(RIVER).unseen == ()


def test_bergson_builds_the_index_that_answers_the_same(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("bergson", reason="Bergson is not installed: pip install --no-deps bergson==2.5.1")
    found = {}
    for engine in ((), ("--bergson",)):
        place = Path(copytree(folder, tmp_path / f"built{len(engine)}"))
        assert gongfen_(place, "trace", RIVER, "--index", *engine).returncode == 0
        with opened(place) as book:
            found[engine] = torch.tensor([float(one.effect_nnat) for one in measured(book, RIVER).effects])
    ours, its = found.values()
    torch.testing.assert_close(its, ours, rtol=0, atol=float(ours.abs().max()) * TOLERANCE)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--validate", "8"), "--validate is for a period"),
        (("--bergson",), "--bergson asks an index"),
        (("--bergson", "--index", "--workers", "2"), "--workers does not go together with --bergson"),
        (("--bergson", "--metagradient"), "--bergson does not go together with --metagradient"),
        (("--metagradient", "--index"), "--index does not go together with --metagradient"),
        (("--metagradient", "--rerank", "3"), "--rerank does not go together with --metagradient"),
        (("--metagradient", "--sentences"), "--sentences does not go together with --metagradient"),
        (("--metagradient", "--workers", "2"), "--workers does not go together with --metagradient"),
        (("--metagradient", "--ray", "local"), "--ray does not go together with --metagradient"),
        (("--seeds", "2"), "--seeds of an output asks the metagradient"),
        (("--seeds", "2", "--index"), "--seeds of an output asks the metagradient"),
    ],
)
def test_what_does_not_go_together_is_named(folder: Path, options: tuple[str, ...], reason: str) -> None:
    with opened(folder) as book:
        before = book.log.size
    found = gongfen_(folder, "trace", RIVER, *options)
    assert found.returncode == 2
    assert reason in flat(found.stderr)
    with opened(folder) as book:
        assert book.log.size == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--workers", "99999"), "99999 workers cannot work → ask for one or more, up to 1,024"),
        (("--ray", "BAD"), "the Ray cluster 'BAD' is no address → write local, auto, or HOST:PORT"),
        (("--ray", "ray://:10001"), "the Ray cluster 'ray://:10001' is no address"),
        (("--ray", "head:port"), "the Ray cluster 'head:port' is no address"),
        (("--ray", "local", "--workers", "4000"), "4000 workers cannot work"),
    ],
)
def test_how_an_index_is_built_is_looked_at_also_when_it_is_there(folder: Path, options, reason) -> None:
    assert gongfen_(folder, "trace", RIVER, "--index").returncode == 0
    with opened(folder) as book:
        before = book.log.size
    found = gongfen_(folder, "trace", RIVER, "--index", *options)
    assert (found.returncode, reason in flat(found.stderr)) == (2, True), found.stderr
    with opened(folder) as book:
        assert book.log.size == before


@pytest.mark.parametrize("name", ["", "..", "x" * 2_000, "a\nb"])
def test_a_name_that_no_model_can_have_is_said_before_it_is_trained(folder: Path, monkeypatch, name: str) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was trained")

    monkeypatch.setattr(making, "tune", never)
    with opened(folder) as book:
        before = book.log.size
        with pytest.raises(InputError, match="the model's name"):
            book.train(name, setup=SETUP, per_maker=4, planned_uses=10, cache=folder)
        assert book.log.size == before
    found = gongfen_(folder, "train", "--quick", "--per-maker", "4", "--", name)
    assert (found.returncode, found.stderr.startswith("the model's name")) == (2, True), found.stderr


@pytest.mark.parametrize("option", ["--metagradient", "--index", "--sentences", "--bergson"])
def test_a_period_has_its_metagradient_anyway(folder: Path, option: str) -> None:
    found = gongfen_(folder, "trace", "period:2026-11:EUR", option)
    assert found.returncode == 2
    assert flat(found.stderr).startswith(f"{option} is for outputs → leave it out: a period is always traced by the")
    assert "stay recorded" not in found.stderr, "nothing was begun"


@pytest.mark.parametrize("name", ["", " "])
def test_a_name_that_is_empty_is_shown(folder: Path, name: str) -> None:
    found = gongfen_(folder, "trace", name)
    assert found.returncode == 2
    assert found.stderr.startswith(f'"{name}" was not made in this book')


@pytest.mark.parametrize("period", ["", "2", "2026-1", "2026-13", "november"])
def test_what_is_no_year_month_or_day_is_no_period(folder: Path, period: str) -> None:
    """Everything that begins so would be measured, and stay on record."""
    with opened(folder) as book:
        book.record(k.Sale(sale="s", output=RIVER, price_micro=1_000_000, currency="EUR", day="2026-11-20", buyer="b"))
        before = book.log.size
        with pytest.raises(InputError, match="is no period"):
            book.trace_period(period, cache=folder)
        assert book.log.size == before


def test_how_an_index_is_built_is_not_passed_over_in_silence(folder: Path) -> None:
    there = "the index was there already: nothing was built"
    first = gongfen_(folder, "trace", RIVER, "--index", "--workers", "2")
    again = gongfen_(folder, "trace", RIVER, "--index", "--workers", "2")
    unasked = gongfen_(folder, "trace", RIVER, "--index")
    assert [there in found.stdout for found in (first, again, unasked)] == [False, True, False]
    with opened(folder) as book:
        assert [book.trace(RIVER, index=True)[0].built, book.trace(RIVER)[0].built] == [False, None]


def test_an_altered_index_answers_nothing(folder: Path) -> None:
    with opened(folder) as book:
        book.trace(RIVER, index=True)
        before = book.log.size
        for file in sorted((folder / "gongfen.db.runs" / "poet" / "index").glob("*.safetensors")):
            sound = file.read_bytes()
            file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
            with pytest.raises(TrainingError, match="is missing or altered"):
                book.trace(RIVER, index=True)
            file.write_bytes(sound)
        assert book.log.size == before
        book.trace(RIVER, index=True)


def test_more_retrainings_than_makers_leave_out_every_maker_and_no_single_works(folder: Path) -> None:
    """With eight makers or more; else single works, and the fact says so."""
    with opened(folder) as book:
        book.record(k.Sale(sale="s", output=RIVER, price_micro=1_000_000, currency="EUR", day="2026-11-20", buyer="b"))
        atelier = making.open_atelier(book.log, "poet", folder)
        makers = {maker for work in atelier.works for maker in makers_of(book.log, work)}
        traced = book.trace_period("2026-11", validate=len(makers) + 1, seeds=1, cache=folder)
        (held,) = [f.body for _, f in book.log.about(traced.influence) if isinstance(f.body, k.Evaluation)]
        unit = "maker" if len(makers) >= 8 else "work"
        assert held.method.startswith(f"leave one {unit} out")
        assert {point.label for point in held.points} <= (makers if unit == "maker" else set(atelier.works))


def test_a_run_that_is_not_smooth_is_refused_and_nothing_is_written(folder: Path) -> None:
    rough = replace(SETUP, recipe=replace(SETUP.recipe, epochs=8, learning_rate_nano=20_000_000, eps_nano=1_000))
    with opened(folder) as book:
        book.train("rough", setup=rough, per_maker=4, planned_uses=10, cache=folder)
        book.generate("rough", making.Prompt("rough", "sing of it", "ada", None), length=8, cache=folder)
        before = book.log.size
    found = gongfen_(folder, "trace", "rough/output", "--metagradient")
    assert found.returncode == 2
    assert "run rough is not smooth: its adjoint grows" in flat(found.stderr)
    assert "times for rough/output, of 3 at most" in flat(found.stderr)
    with opened(folder) as book:
        assert book.log.size == before
        assert book.trace("rough/output")[0].grade == "display", "by other ways it can be traced"


def test_an_output_without_finite_gradients_is_named_and_nothing_is_written(folder: Path) -> None:
    with opened(folder) as book:
        before = book.log.size
        atelier = making.open_atelier(book.log, "poet", folder)
        spoilt = atelier.run.theta0.clone()
        spoilt[-1] = torch.nan
        broken = replace(atelier, run=replace(atelier.run, theta0=spoilt))
        with pytest.raises(TrainingError, match=f"output {RIVER} has gradients that are not finite numbers, in layer "):
            trace_with(book.log, broken, [RIVER])
        assert book.log.size == before


def test_a_run_that_does_not_replay_to_its_hash_is_refused(folder: Path) -> None:
    with opened(folder) as book:
        atelier = making.open_atelier(book.log, "poet", folder)
        other = replace(atelier, run=replace(atelier.run, theta=torch.nextafter(atelier.run.theta, torch.tensor(9.0))))
        with pytest.raises(TrainingError, match="replays to other parameters"):
            by_metagradient(other, [RIVER], [sold_passage(book.log, RIVER)], 1, folder)


# -- how well it was tested --------------------------------------------------------------------------------------------


def lds_of(folder: Path, name: str) -> k.Evaluation:
    with opened(folder) as book:
        bodies = [fact.body for _, fact in book.log.about("kind|evaluation")]
    return next(body for body in bodies if body.method.startswith(f"{name}: "))


@pytest.mark.parametrize(
    ("output", "method"),
    [(RIVER, "metagradient"), ("mountain/output", "whole gradients"), ("harbour/output", "index")],
)
def test_who_says_how_well_the_method_of_this_output_was_tested(evaluated: Path, output: str, method: str) -> None:
    body, notes = lds_of(evaluated, method), {note.name: note.value for note in lds_of(evaluated, method).notes}
    with opened(evaluated) as book:
        tested = book.who(output).tested
    assert tested is not None
    assert (tested.method, tested.model, tested.value_ppm) == (method, "poet", body.value_ppm)
    assert f"{tested.low_ppm} to {tested.high_ppm}" == notes["interval 95 % ppm"]
    assert (tested.retrainings, tested.outputs, tested.above_likeness) == (12, 3, notes["above best likeness"])
    words = Words("en")
    low, high = words.ratio(tested.low_ppm), words.ratio(tested.high_ppm)
    rank = f"rank correlation with 12 retrainings (LDS) {words.ratio(body.value_ppm)} [{low}, {high}]; "
    assert f"tested on this model: {rank}" in flat(gongfen_(evaluated, "who", output, COLUMNS="80").stdout)
    chinese = gongfen_(evaluated, "who", output, GONGFEN_LANG="zh").stdout
    assert "已在此模型上评测：与 12 次重新训练的等级相关（LDS）" in chinese
    told = json.loads(gongfen_(evaluated, "who", output, "--json").stdout)["tested"]
    assert (told["value_ppm"], told["retrainings"]) == (body.value_ppm, 12)


def test_the_page_says_it_beside_the_influence(evaluated: Path) -> None:
    with opened(evaluated) as book:
        page = Tree(book.report("Poems"))
        ranks = [Words("en").ratio(book.who(output).tested.value_ppm) for output in ("harbour/output", RIVER)]
    assert not page.faults
    for rank in ranks:
        assert f"rank correlation with 12 retrainings (LDS) {rank} [" in page.by_id("en-outputs").words
        assert f"与 12 次重新训练的等级相关（LDS）{rank} [" in page.by_id("zh-outputs").words
    assert "metagradient, one-sided difference of gradients" in page.by_id("en-outputs").words


def test_what_nobody_has_tested_is_said_to_be_untested(evaluated: Path, folder: Path) -> None:
    """Nothing on another book; and an index that is re-ranked is not the index that was tested."""
    found = gongfen_(folder, "trace", RIVER, "--metagradient")
    assert UNTESTED in flat(found.stdout)
    assert json.loads(gongfen_(folder, "who", RIVER, "--json").stdout)["tested"] is None
    assert "未在此模型上评测" in gongfen_(folder, "who", RIVER, GONGFEN_LANG="zh").stdout
    assert UNTESTED not in gongfen_(folder, "who", "mountain/output").stdout, "it was not measured at all"
    with opened(folder) as book:
        assert UNTESTED in Tree(book.report("Poems")).by_id("en-outputs").words
    copied = Path(copytree(evaluated, folder.parent / "copied"))
    assert UNTESTED in flat(gongfen_(copied, "trace", RIVER, "--index", "--rerank", "2").stdout)


def test_the_newest_test_of_this_model_and_method_counts(tmp_path: Path) -> None:
    def test(method: str, value: int | None, *, subject: str = "poet", metric: str = "LDS") -> k.Evaluation:
        notes = (k.Note(name="interval 95 % ppm", value="?"), k.Note(name="subsets", value="many"))
        return k.Evaluation(subject=subject, method=method, metric=metric, value_ppm=value, notes=notes)

    with cooperative(tmp_path) as book:
        assert book.who("song-1").tested is None
        book.record(
            test("mine: test", 100_000),
            test("test", -300_000),
            test("test, but otherwise", 1),
            test("test", 2, subject="base"),
            test("test", 3, metric="Spearman"),
            test("test", None),
        )
        found = book.who("song-1").tested
    assert (found.value_ppm, found.low_ppm, found.retrainings, found.above_likeness) == (-300_000, None, None, None)
    line = "tested on this model: rank correlation with retraining (LDS) −0.30\n"
    assert line in gongfen_(tmp_path, "who", "song-1", "--book", "book.db").stdout


# -- what was found ----------------------------------------------------------------------------------------------------

TOLD = "the quick brown fox jumps over the lazy dog while seven grey geese fly north across the cold and silent sea"


def told_again(folder: Path) -> gongfen.Book:
    """A book whose model is said to have written a sentence of a work with two words changed."""
    book = gongfen.create(folder / "gongfen.db", origin="example.org/again", by="ada")
    book.record(k.Enrol(maker="ada"))
    for number, text in enumerate((TOLD, "nothing of the kind stands in here", "nor does it here", "or in this one")):
        book.log.keep_blob(text.encode())
        work = k.Work(
            work=f"ada/{number}",
            sha256=sha256(text.encode()).hexdigest(),
            size_bytes=len(text),
            source="us",
            licence="CC0-1.0",
            makers=(k.Part(maker="ada", ppm=1_000_000),),
        )
        book.record(work)
    book.train("poet", setup=SETUP, per_maker=4, planned_uses=10, cache=folder)
    text = TOLD.replace("geese", "swans").replace("quick", "swift")
    tokenizer = making.open_atelier(book.log, "poet", folder).workshop.tokenizer
    memory = json.dumps({"prompt": tokenizer.encode("the"), "tokens": tokenizer.encode(text)}).encode()
    for blob in (memory, text.encode()):
        book.log.keep_blob(blob)
    book.record(
        k.Output(output="speech", sha256=sha256(text.encode()).hexdigest(), size_bytes=len(text)),
        k.Make(
            make="speaking",
            activity="generate",
            inputs=(k.Use(work="poet", role="model"),),
            outputs=("speech",),
            tool="test",
            record_sha256=sha256(memory).hexdigest(),
        ),
    )
    return book


def test_quotations_and_near_copies_are_counted_each_time(tmp_path: Path) -> None:
    with told_again(tmp_path) as book:
        for _ in range(2):
            (found,) = book.trace("speech")
            assert (found.quotes, found.near_copies) == (2, 1)
        kept = [fact.body.exact for _, fact in book.log.about("speech") if isinstance(fact.body, k.Quote)]
    assert kept == [True, True, False], "what is on record is not recorded again"
    (told,) = json.loads(gongfen_(tmp_path, "trace", "speech", "--json").stdout)
    assert (told["traced"]["quotes"], told["traced"]["near_copies"]) == (2, 1)
    assert (told["output"], len(told["near_copies"])) == ("speech", 1)
    assert "found in it: 2 quotations, 1 near copy" in gongfen_(tmp_path, "trace", "speech").stdout
    assert "其中查得：2 处引文，1 处相近文字" in gongfen_(tmp_path, "trace", "speech", GONGFEN_LANG="zh").stdout


# -- what rests on sample data -----------------------------------------------------------------------------------------


def samples(folder: Path, *kinds: str) -> tuple[str, ...]:
    """What is marked in the song of the cooperative, when the facts of these kinds are sample data."""
    folder.mkdir()
    with new_book(folder) as book, cooperative(folder.parent) as whole:
        for _, fact in whole.log.facts():
            book.record(fact.body, sample=fact.kind in kinds)
        return book.who("song-1").sample


@pytest.mark.parametrize(
    ("kinds", "marked"),
    [
        (("sale", "policy"), ()),
        (("influence",), ("influence",)),
        (("quote",), ("quotations",)),
        (("labour",), ("labour",)),
        (("standard", "sale"), ("labour",)),
        (("quote", "influence"), ("influence", "quotations")),
        (("make",), ("lineage", "labour")),
    ],
)
def test_a_part_of_an_answer_is_marked_when_it_rests_on_samples(
    tmp_path: Path, kinds: tuple[str, ...], marked: tuple[str, ...]
) -> None:
    assert samples(tmp_path / "copy", *kinds) == marked
    said_ = gongfen_(tmp_path / "copy", "who", "song-1", "--book", "book.db").stdout
    assert ("◇" in said_) == bool(marked)
    if marked:
        assert f"◇ sample data stands behind: {', '.join(marked)}\n" in said_


def test_another_outputs_sample_influence_marks_nothing_here(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        made = """
output output=song-2 sha256=2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 size_bytes=1
make make=again activity=generate inputs=[{"work":"poet","role":"model"}] outputs=["song-2"] tool=test seed=7
"""
        book.record(*said(made))
        invented = 'influence influence=i9 target=song-2 model=poet grade=display method=test utility=u seed=7 effects=[{"work":"poem-1","effect_nnat":3}]'
        book.record(*said(invented), sample=True)
        assert book.who("song-1").sample == ()
        assert book.who("song-2").sample == ("influence",)
        page = Tree(book.report("Songs"))
    assert not page.faults
    marks = [part for part in page.all("h4", inside="en-outputs") if part.words.startswith("Influence")]
    assert ["◇" in mark.text for mark in marks] == [False, True]

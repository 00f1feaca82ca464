"""The whole way once, for real, on the quick path: everything that `make demo ARGS=--quick` promises."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest
from msgspec import UNSET

import gongfen
from gongfen.book import making
from gongfen.errors import ModelFileError
from gongfen.facts import kinds as k
from gongfen.labels.markdown import check_label, read_label
from gongfen.reports.bundle import verify_bundle
from gongfen.trace.interval import OVER_SEEDS

# One group: the demo runs once, whatever the number of workers.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


def run(folder: Path, *words: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    command, asked = [sys.executable, "-m", "gongfen", *words], os.environ | {"GONGFEN_LANG": lang, "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600, env=asked)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the demo has run, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    found = run(folder, "demo", "--quick")
    assert found.returncode == 0, found.stdout + found.stderr
    return folder / "demo", found.stdout


@pytest.fixture
def book(made: tuple[Path, str]) -> gongfen.Book:
    return gongfen.open(made[0] / "quick.db")


def bodies(book: gongfen.Book, kind: type[k.Body]) -> list[k.Body]:
    return [fact.body for _, fact in book.log.facts() if isinstance(fact.body, kind)]


def test_an_index_is_built_once_and_answers_for_other_outputs(made: tuple[Path, str], tmp_path: Path) -> None:
    """The second trace reads the same files, and the method says what was asked."""
    folder = Path(copytree(made[0], tmp_path / "demo"))
    with gongfen.open(folder / "quick.db") as book:
        first, second = [body.output for body in bodies(book, k.Output)][:2]
    stamps: list[dict[str, int]] = []
    for output in (first, second):
        found = run(folder, "trace", output, "--index", "--book", "quick.db")
        assert found.returncode == 0, found.stdout + found.stderr
        assert "index of 4 checkpoints" in " ".join(found.stdout.split())
        files = sorted(folder.glob("quick.db.runs/*/index/*"))
        stamps.append({path.name: path.stat().st_mtime_ns for path in files})
    assert stamps[0]
    assert stamps[0] == stamps[1]
    with gongfen.open(folder / "quick.db") as book:
        measured = [body for body in bodies(book, k.Influence) if body.target == second]
    assert [body.method.startswith("index") for body in measured] == [False, True]
    assert len(measured[1].effects) == len(measured[0].effects)
    said = [next(note.value for note in body.notes if note.name == "strongest above random works") for body in measured]
    assert set(said) <= {"yes", "no"}, "both ways look at four checkpoints, and can tell"


def written_by_hand(book: gongfen.Book, cache: Path, text: str) -> str:
    """An output of the trained model with this text, as if the model had written it."""
    log = book.log
    tokenizer = making.open_atelier(log, "orator", cache).workshop.tokenizer
    memory = json.dumps({"prompt": tokenizer.encode("Peace"), "tokens": tokenizer.encode(text)}).encode()
    for blob in (memory, text.encode()):
        log.keep_blob(blob)
    book.record(
        k.Output(output="speech", sha256=sha256(text.encode()).hexdigest(), size_bytes=len(text.encode())),
        k.Make(
            make="speaking",
            activity="generate",
            inputs=(k.Use(work="orator", role="model"),),
            outputs=("speech",),
            tool="test",
            record_sha256=sha256(memory).hexdigest(),
        ),
    )
    return "speech"


def test_each_sentence_is_measured_by_itself_and_they_add_up(made: tuple[Path, str], tmp_path: Path) -> None:
    """Log-likelihoods of parts add up to that of the whole, and so do the effects on them."""
    folder = Path(copytree(made[0], tmp_path / "demo"))
    text = "the people of the states. We have the peace of the union. It is the law"
    with gongfen.open(folder / "quick.db") as book:
        output = written_by_hand(book, folder, text)
    found = run(folder, "trace", output, "--index", "--sentences", "--book", "quick.db")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "the people of the states." in found.stdout
    with gongfen.open(folder / "quick.db") as book:
        answer = book.who(output)
        measured = [body for body in bodies(book, k.Influence) if body.target == output]
    assert [part.text for part in answer.parts] == [
        "the people of the states.", "We have the peace of the union.", "It is the law"
    ]  # fmt: skip
    whole, *parts = measured
    assert len(parts) == 3
    effects = {effect.work: effect for effect in whole.effects}
    for effect in effects.values():
        assert effect.low_nnat < effect.effect_nnat < effect.high_nnat
    kept = [{effect.work: effect.effect_nnat for effect in part.effects} for part in parts]
    scale = max(abs(effect.effect_nnat) for effect in effects.values())
    for work in set.intersection(*map(set, kept)):
        assert sum(part[work] for part in kept) == pytest.approx(effects[work].effect_nnat, abs=0.1 * scale)


def test_tokens_of_another_tokenizer_are_refused(made: tuple[Path, str], tmp_path: Path) -> None:
    folder = Path(copytree(made[0], tmp_path / "demo"))
    with gongfen.open(folder / "quick.db") as book:
        output = written_by_hand(book, folder, "of the people. By the people")
        log = book.log
        memory = json.dumps({"prompt": [1], "tokens": [2, 3, 4]}).encode()
        log.keep_blob(memory)
        make = k.Make(
            make="again",
            activity="generate",
            inputs=(k.Use(work="orator", role="model"),),
            outputs=("other",),
            tool="test",
            record_sha256=sha256(memory).hexdigest(),
        )
        text = b"of the people. By the people"
        book.record(k.Output(output="other", sha256=sha256(text).hexdigest(), size_bytes=len(text)), make)
        before = len(list(log.facts()))
    assert output == "speech"
    found = run(folder, "trace", "other", "--index", "--sentences", "--book", "quick.db")
    assert found.returncode == 2
    assert "another tokenizer" in found.stderr
    with gongfen.open(folder / "quick.db") as book:
        assert len(list(book.log.facts())) == before


def test_a_period_that_was_hardly_tested_is_not_settlement_grade(made: tuple[Path, str], tmp_path: Path) -> None:
    """It is recorded with its reason, and what was settled on before stays what is settled on."""
    folder = Path(copytree(made[0], tmp_path / "demo"))
    with gongfen.open(folder / "quick.db") as book:
        ((key, before),) = book.log.state.influences.prefixed("target|period:")  # of the month in which the demo ran
    target = key.removeprefix("target|")
    found = run(folder, "trace", target, "--validate", "2", "--seeds", "2", "--book", "quick.db")
    assert found.returncode == 0, found.stdout + found.stderr
    said = " ".join(found.stdout.split())
    assert "display grade" in said
    assert "not settlement grade, so nobody is paid on it: it was held against 2 retrainings, of 8 at least" in said
    with gongfen.open(folder / "quick.db") as book:
        last = [body for body in bodies(book, k.Influence) if body.target == target][-1]
        assert book.log.state.influences.get(f"target|{target}") == before
    assert last.grade == "display"
    assert before is not None
    assert before.grade == "settlement"
    assert before.utility_nnat > before.untuned_nnat
    assert all(effect.low_nnat is UNSET for effect in before.effects)
    assert all(effect.low_nnat <= effect.effect_nnat <= effect.high_nnat for effect in last.effects)
    assert [note.value for note in last.notes if note.name == "interval"] == [OVER_SEEDS.format(2)]


def test_it_says_what_it_did_and_shows_that_a_flipped_byte_is_found(made: tuple[Path, str]) -> None:
    text = " ".join(made[1].split())
    assert "16,064 passages of 249 speeches by 43 makers" in text
    assert "✓ recomputed to the cent" in text
    assert "✗ one byte flipped in a copy" in text
    assert "was altered" in text


def test_every_speech_has_its_maker_source_licence_and_hash(book: gongfen.Book) -> None:
    works = [body for body in bodies(book, k.Work) if isinstance(body, k.Work) and body.role == "data"]
    speeches = [work for work in works if work.part_of is None]
    assert len(speeches) == 249
    assert len({work.makers[0].maker for work in speeches}) == 43
    assert all(work.source.startswith("https://") and work.licence and len(work.makers) == 1 for work in works)
    drops = {body.reason for body in bodies(book, k.Drop) if isinstance(body, k.Drop)}
    assert {"too_short", "too_long", "duplicate", "near_duplicate"} <= drops


def test_the_training_is_on_record(book: gongfen.Book) -> None:
    (making,) = [body for body in bodies(book, k.Make) if isinstance(body, k.Make) and body.activity == "train"]
    assert making.seed is not None
    assert making.config_sha256
    assert making.code_sha256
    assert making.record_sha256
    runs = [body for body in bodies(book, k.Compute) if isinstance(body, k.Compute) and body.work == "orator"]
    assert runs[0].device_us > 0
    assert runs[0].gflop
    assert runs[0].energy_quality == "estimated"
    assert all(isinstance(body, k.Compute) and isinstance(body.day, str) for body in bodies(book, k.Compute))


def test_influence_is_measured_in_two_grades_and_checked_against_retraining(book: gongfen.Book) -> None:
    measured = [body for body in bodies(book, k.Influence) if isinstance(body, k.Influence)]
    assert sorted(body.grade for body in measured) == ["display"] * 6 + ["settlement"]
    assert {len(body.effects) for body in measured} == {129}
    (test,) = [body for body in bodies(book, k.Evaluation) if isinstance(body, k.Evaluation)]
    assert len(test.points) == 8
    assert test.value_ppm is not None
    assert test.value_ppm > 500_000, "the metagradient should rank makers as retraining does; 0.98 was measured"


def test_every_cent_of_the_pool_is_owed_to_somebody(book: gongfen.Book) -> None:
    (found,) = [body for body in bodies(book, k.Settlement) if isinstance(body, k.Settlement)]
    assert found.sales_micro == 58_250_000
    assert sum(line.amount_micro for line in found.lines) == found.total_micro == 29_120_000
    assert found.carried_out_micro == 5_000
    given, held = book.balance()
    assert given == held


def test_sample_data_is_marked_as_sample(book: gongfen.Book) -> None:
    for _, fact in book.log.facts():
        if isinstance(fact.body, k.Sale | k.Standard | k.Policy | k.Labour):
            assert fact.sample
        if isinstance(fact.body, k.Plan) and fact.body.work == "orator":
            assert fact.sample
        if isinstance(fact.body, k.Work) and fact.body.role == "data":
            assert not fact.sample


def test_each_output_is_labelled_and_reads_back(made: tuple[Path, str], book: gongfen.Book) -> None:
    files = sorted((made[0] / "outputs").glob("*.md"))
    assert len(files) == 6
    for file in files:
        text = file.read_bytes().decode()
        labelled = read_label(text)
        known = book.log.state.works.get(str(labelled.front["title"]))
        assert known is not None
        assert not [finding for finding in check_label(text, known.sha256) if finding.level == "problem"]


def test_the_page_stands_alone_in_two_languages(made: tuple[Path, str]) -> None:
    page = (made[0] / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert 'lang="zh-Hans"' in page
    assert "Abraham Lincoln" in page
    assert "EUR 29.12" in page


def test_the_bundle_holds_and_the_forged_one_does_not(made: tuple[Path, str], book: gongfen.Book) -> None:
    verdict = verify_bundle((made[0] / "audit.zip").read_bytes(), book.log.verifier)
    assert verdict.settlements[0].makers == 45
    forged = run(made[0], "verify", "audit-forged.zip", "--key", str(book.log.verifier))
    assert forged.returncode == 2
    assert "was altered" in forged.stderr


def test_the_book_itself_verifies(book: gongfen.Book) -> None:
    assert book.verify().size == book.log.size


def test_a_second_run_repeats_nothing_and_records_nothing_twice(made: tuple[Path, str]) -> None:
    before = facts(made[0] / "quick.db")
    again = run(made[0].parent, "demo", "--quick")
    assert again.returncode == 0, again.stderr
    assert facts(made[0] / "quick.db") == before


def test_it_is_told_in_chinese_too(made: tuple[Path, str]) -> None:
    told = run(made[0].parent, "demo", "--quick", lang="zh").stdout
    outputs, works = r"on-[a-z-]+", r"sotu/\S+|[a-z]+(-[a-z]+)+"
    for line in told.splitlines():
        if not re.match(rf"  {outputs}: ", line):  # what the model wrote
            plain = re.sub(rf"{outputs}/output|{works}|gongfen label --producer CODE|AI-generated content", "", line)
            assert not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", plain), line
    assert "9. 局外人在自己的进程中核验审计包" in told
    assert "✗ 在副本（audit-forged.zip）中翻转一个字节：退出码 2" in told


def facts(path: Path) -> int:
    db = sqlite3.connect(path)
    (count,) = db.execute("SELECT count(*) FROM fact").fetchone()
    db.close()
    return int(count)


def test_the_same_seed_trains_the_same_model(book: gongfen.Book, tmp_path: Path) -> None:
    """Trained again in another book, from the same works: the same adapter, bit by bit."""
    from gongfen.book import making
    from gongfen.studio.recipes import QUICK

    known = book.log.state.works.get("orator")
    assert known is not None
    passages = making.choose(book.log, QUICK.per_maker, QUICK.setup.recipe.seed)
    other = gongfen.create(tmp_path / "other.db", origin="example.org/other")
    for passage in passages:
        other.record(
            *([k.Enrol(maker=passage.maker)] if other.log.state.makers.get(passage.maker) is None else []),
            k.Work(work=passage.work, sha256=passage.sha256, size_bytes=0, source="t", licence="l",
                   makers=(k.Part(maker=passage.maker, ppm=1_000_000),)),
        )  # fmt: skip
    assert making.train(other.log, "m", passages, QUICK.setup, tmp_path, 10).adapter_sha256 == known.sha256


def test_a_model_of_five_times_as_many_works_is_smooth_too(book: gongfen.Book, tmp_path: Path) -> None:
    """As ``gongfen train --quick --per-maker 15`` makes it: at the rate of the demo its adjoint would grow too much."""
    from gongfen.studio.recipes import QUICK
    from gongfen.studio.workshop import Workshop
    from gongfen.trace.metagradient import metagradient
    from gongfen.trace.problem import Passage
    from gongfen.trace.tuning import tune

    texts = [passage.text for passage in making.choose(book.log, 5 * QUICK.per_maker, QUICK.setup.recipe.seed)]
    setup = QUICK.fitted(len(texts))
    assert len(texts) == 645
    workshop = Workshop(setup, texts, tmp_path)
    run = tune(workshop.problem(texts), setup.recipe)
    (wrote,) = workshop.write(run, ["The condition of our country"], QUICK.length, setup.recipe.seed)
    output = Passage((*wrote.prompt, *wrote.tokens), len(wrote.prompt))
    assert metagradient(workshop.problem(texts, [output], [1]), run).growth < 3


def test_a_run_that_was_lost_or_altered_is_refused(book: gongfen.Book, tmp_path: Path) -> None:
    from gongfen.book import making

    run_file = making.runs_folder(book.log) / "orator" / "run.safetensors"
    kept = run_file.read_bytes()
    try:
        altered = bytearray(kept)
        altered[len(kept) // 2] ^= 1
        run_file.write_bytes(altered)
        with pytest.raises(ModelFileError, match="altered"):
            making.open_atelier(book.log, "orator", tmp_path)
        run_file.unlink()
        with pytest.raises(ModelFileError, match="is missing"):
            making.open_atelier(book.log, "orator", tmp_path)
    finally:
        run_file.write_bytes(kept)


def test_who_and_worth_answer_from_the_record(made: tuple[Path, str]) -> None:
    found = run(made[0], "who", "on-peace/output", "--book", "quick.db", "--json")
    answer = json.loads(found.stdout)
    assert answer["works"] == 129
    assert answer["grade"] == "display"
    worth = json.loads(run(made[0], "worth", "on-peace/output", "--book", "quick.db", "--json").stdout)
    assert worth["price_micro"] == 12_000_000
    assert worth["rent_repro_micro"] > worth["rent_avg_micro"]

"""Another tokenizer cuts the same works otherwise: nothing is measured with it, and nothing is recorded."""

import json
from pathlib import Path
from shutil import copytree

import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book import making, tokens
from gongfen.errors import TrainingError
from gongfen.studio.models import PieceTokenizer
from gongfen.trace.problem import LanguageProblem, Passage
from gongfen.trace.task import LanguageTask
from tests.test_evaluate import SETUP, a_book
from tests.test_index import Transposed

RIVER = "river/output"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a book, a tiny model of it and an output."""
    folder = tmp_path_factory.mktemp("shelf")
    with a_book(folder) as book:
        book.generate("poet", making.Prompt("river", "sing of the river", "ada", None), length=8, cache=folder)
    return folder


@pytest.fixture
def folder(shelf: Path, tmp_path: Path) -> Path:
    return Path(copytree(shelf, tmp_path / "book"))


@pytest.fixture
def another_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokenizers that learn other pieces from the same works: as many, so that nothing else looks different."""
    learn = PieceTokenizer.trained_on.__func__
    mirrored = classmethod(lambda cls, texts, pieces=1_024: learn(cls, [text[::-1] for text in texts], pieces))
    monkeypatch.setattr(PieceTokenizer, "trained_on", mirrored)


def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings remember no hash of their tokens, as in earlier releases."""
    opened = json.loads
    forgotten = ("tokens_sha256", "tokenizers")

    def loads(data):
        said = opened(data)
        return {key: said[key] for key in said if key not in forgotten} if "run_sha256" in said else said

    monkeypatch.setattr(making.json, "loads", loads)
    assert "tokens_sha256" not in making.json.loads('{"run_sha256": "", "tokens_sha256": ""}')


HOWS = [{}, {"index": True}, {"metagradient": True}, {"index": True, "sentences": True}]


@pytest.mark.usefixtures("another_release")
@pytest.mark.parametrize("remembered", [True, False], ids=["by their hash", "by their losses"])
@pytest.mark.parametrize("how", HOWS, ids=lambda how: " ".join(how) or "default")
def test_works_in_other_tokens_are_not_traced_to(folder: Path, monkeypatch, how: dict[str, bool], remembered) -> None:
    if not remembered:
        forgetful(monkeypatch)
    with gongfen.open(folder / "gongfen.db") as book:
        before = book.log.size
        with pytest.raises(TrainingError, match=r"poet was trained on other tokens .* another tokenizer.*; install"):
            book.trace(RIVER, cache=folder, **how)
        assert book.log.size == before


@pytest.mark.usefixtures("another_release")
def test_nor_written_with_settled_on_or_evaluated(folder: Path) -> None:
    with gongfen.open(folder / "gongfen.db") as book:
        book.record(k.Sale(sale="s", output=RIVER, price_micro=1_000_000, currency="EUR", day="2026-11-20", buyer="b"))
        before = book.log.size
        prompt = making.Prompt("again", "sing of the river", "ada", None)
        for verb in (
            lambda: book.generate("poet", prompt, cache=folder),
            lambda: book.trace_period("2026-11", cache=folder),
            lambda: book.evaluate_trace("poet", cache=folder),
        ):
            with pytest.raises(TrainingError, match="other tokens"):
                verb()
        assert book.log.size == before


def test_an_earlier_training_that_remembers_no_tokens_is_known_by_its_losses(folder: Path, monkeypatch) -> None:
    """With the tokenizer that it had it is opened; the loss of a single work that is another betrays it."""
    forgetful(monkeypatch)
    with gongfen.open(folder / "gongfen.db") as book:
        atelier = making.open_atelier(book.log, "poet", folder)
        said = {"tokens": SETUP.recipe.epochs * sum(len(atelier.workshop.passage(t).tokens) for t in atelier.texts)}
        for number, text in enumerate(atelier.texts):
            other = list(atelier.texts)
            ids = atelier.workshop.tokenizer.encode(text)
            other[number] = atelier.workshop.tokenizer.decode([ids[1], ids[0], *ids[2:]])
            if other[number] != text:
                with pytest.raises(TrainingError, match="other tokens"):
                    tokens.hold_works("poet", said, atelier.workshop, other, atelier.run)


@pytest.mark.parametrize("harm", ["written", "typed", "cut short"])
def test_an_output_that_its_tokens_do_not_spell_is_not_traced(folder: Path, monkeypatch, harm: str) -> None:
    """Whatever way it is asked: by default, too, and not by sentences alone."""
    decoded = json.loads

    def loads(data):
        said = decoded(data)
        if "prompt" in said:
            if harm == "typed":
                said["prompt"] = said["prompt"][::-1]
            else:
                said["tokens"] = said["tokens"][:-1] if harm == "cut short" else [5, *said["tokens"]]
        return said

    monkeypatch.setattr("gongfen.book.tracing.outputs.json.loads", loads)
    with gongfen.open(folder / "gongfen.db") as book:
        before = book.log.size
        for how in HOWS:
            with pytest.raises(TrainingError, match="the text of river/output is not what its tokens spell"):
                book.trace(RIVER, cache=folder, **how)
        assert book.log.size == before


@pytest.mark.parametrize("token", [20, 4_000, -1])
def test_a_token_that_the_model_does_not_know_is_named(token: int) -> None:
    module, sound = Transposed()(0).module, Passage((1, 2, 3))
    foreign = Passage((1, token, 3))
    for make in (LanguageTask, lambda *given: LanguageProblem(*given, [1])):
        with pytest.raises(TrainingError, match=rf"(work|example) 1 has the token {token}, .*own tokenizer"):
            make(module, [sound, foreign], [sound])
        with pytest.raises(TrainingError, match=rf"output 0 has the token {token}"):
            make(module, [sound], [foreign])

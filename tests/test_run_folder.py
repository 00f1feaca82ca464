"""Every model has a folder of its own for what was learned of it, whatever it is called."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gongfen
from gongfen.book.alone import alone_in
from gongfen.book.making import run_folder, runs_folder
from gongfen.errors import BookPlaceError, TrainingError

NAMES = st.text(st.sampled_from("ab/_%2F.工"), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    with gongfen.create(tmp_path_factory.mktemp("book") / "book.db", origin="example.org/runs", by="tests") as book:
        yield book.log


@given(one=NAMES, other=NAMES)
def test_no_two_models_share_a_folder(record, one: str, other: str) -> None:
    folders = {run_folder(record, name) for name in (one, other)}
    assert len(folders) == len({one, other})


@pytest.mark.parametrize("name", ["orator", "maker/model", "../../elsewhere", "100%"])
def test_a_folder_lies_right_below_those_of_all_models(record, name: str) -> None:
    folder: Path = run_folder(record, name)
    assert folder.parent == runs_folder(record)


def test_of_two_who_train_a_model_at_once_the_second_is_told(tmp_path: Path) -> None:
    """Else the run of the one would lie where the book says that of the other is."""
    pytest.importorskip("torch")
    from tests.test_evaluate import SETUP, a_book

    with a_book(tmp_path) as book:
        folder = run_folder(book.log, "bard")
        folder.mkdir(parents=True)
        told = pytest.raises(BookPlaceError, match="bard is being trained by another command; wait for it")
        with alone_in(folder, "bard", "is held"), told:
            book.train("bard", setup=SETUP, per_maker=4, planned_uses=10, cache=tmp_path)
        assert not list(folder.iterdir())
        book.train("bard", setup=SETUP, per_maker=4, planned_uses=10, cache=tmp_path)
        with pytest.raises(TrainingError, match="is in this book already"):
            book.train("bard", setup=SETUP, per_maker=4, planned_uses=10, cache=tmp_path)

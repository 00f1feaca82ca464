"""Every model has a folder of its own for what was learned of it, whatever it is called."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gongfen
from gongfen.book.making import run_folder, runs_folder

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

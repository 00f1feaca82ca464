"""A Hugging Face ``Trainer`` that tells the book what it did: a real training of a tiny model, on this machine."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

import gongfen
from gongfen.book.clock import today
from gongfen.book.trainer_callback import (
    PENDING,
    GongfenCallback,
    Meter,
    content_sha256,
    weights_sha256,
)  # fmt: skip
from gongfen.cli.lines import read_facts
from gongfen.errors import BookPlaceError, DuplicateIdError, MissingAssumptionError, UnknownWorkError
from gongfen.facts import kinds as k
from tests.books import cooperative, new_book

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*pin_memory.*"),
]

LENGTH = 8


class Tokens(Dataset[dict[str, torch.Tensor]]):
    """Sixteen short texts, as a tokenizer gives them."""

    def __init__(self, change: int = 0) -> None:
        self.rows = (torch.arange(16 * LENGTH).reshape(16, LENGTH) + change) % 32

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[at], "labels": self.rows[at]}


def tiny(width: int) -> LlamaForCausalLM:
    torch.manual_seed(7)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=1, num_attention_heads=2
        )
    )


def train(
    folder: Path, callback: GongfenCallback, *, steps: int = 3, data: Any = None, width: int = 16
) -> LlamaForCausalLM:
    model = tiny(width)
    arguments = TrainingArguments(
        output_dir=str(folder / "out"), max_steps=steps, per_device_train_batch_size=4, use_cpu=True, report_to=[],
        save_strategy="no", disable_tqdm=True, seed=11, include_num_input_tokens_seen=True,
    )  # fmt: skip
    Trainer(model=model, args=arguments, train_dataset=data or Tokens(), callbacks=[callback]).train()
    return model


def facts_of(folder: Path) -> dict[str, Any]:
    with gongfen.open(folder / "book.db") as book:
        return {fact.kind: fact.body for _, fact in book.log.facts()}


def test_two_lines_of_code_record_a_training(tmp_path: Path) -> None:
    """The model by its hash, its making, device time, FLOP, tokens, plan: all that a use of it will carry."""
    new_book(tmp_path).close()
    callback = GongfenCallback(tmp_path / "book.db", model="poet-2", energy=False, data_licence="CC0-1.0")
    began = today()
    model = train(tmp_path, callback, width=1_024)
    found = facts_of(tmp_path)
    assert callback.problem is None
    assert list(found) == ["enrol", "work", "model", "make", "compute", "plan"]
    assert found["model"].sha256 == weights_sha256(model)
    assert found["model"].parameters == sum(part.numel() for part in model.parameters())
    assert found["work"].sha256 == content_sha256(Tokens())[0][0]
    assert found["work"].licence == "CC0-1.0"
    make = found["make"]
    assert make.inputs == (k.Use(work="poet-2/data", role="data"),)
    assert make.seed == 11
    compute = found["compute"]
    assert compute.tokens == 3 * 4 * LENGTH
    # 6·N·D in units of 10⁹; transformers counts the parameters without the embedding
    within = found["model"].parameters - 32 * 1_024
    assert compute.gflop == round(6 * within * compute.tokens / 10**9) > 0
    assert compute.device == "cpu"
    assert 0 < compute.device_us < 60_000_000
    assert compute.day in {today(), began}, "the day on which it began"
    assert (compute.energy_mwh, compute.energy_quality) == (None, "unknown")
    assert found["plan"].uses == 1_000
    with gongfen.open(tmp_path / "book.db") as book:
        assert book.verify().size == 6
        setup = json.loads(book.log.blob(make.config_sha256) or b"")
        assert setup["arguments"]["max_steps"] == 3
        assert str(tmp_path) not in json.dumps(setup), "no place of this machine is in the book"


def test_data_and_base_of_the_book_stand_behind_the_model(tmp_path: Path) -> None:
    cooperative(tmp_path).close()
    callback = GongfenCallback(tmp_path / "book.db", model="poet-2", data="poems", base="base", machine="desk")
    callback.energy = False
    train(tmp_path, callback)
    with gongfen.open(tmp_path / "book.db") as book:
        make = next(f.body for _, f in book.log.about("poet-2") if isinstance(f.body, k.Make))
        assert {(use.work, use.role) for use in make.inputs} == {("poems", "data"), ("base", "base")}
        given, held = book.balance()
        assert given == held


def test_more_steps_give_other_weights_and_more_time(tmp_path: Path) -> None:
    new_book(tmp_path).close()
    for steps in (1, 2):
        train(tmp_path, GongfenCallback(tmp_path / "book.db", model=f"m{steps}", energy=False), steps=steps)
    with gongfen.open(tmp_path / "book.db") as book:
        models = [fact.body for _, fact in book.log.facts() if isinstance(fact.body, k.Model)]
        assert models[0].sha256 != models[1].sha256


def test_what_the_book_would_refuse_is_said_before_the_training(tmp_path: Path) -> None:
    cooperative(tmp_path).record(k.Model(model="loose", sha256="0" * 64, parameters=1, source="x", licence="y"))
    book = tmp_path / "book.db"
    for callback, error in (
        (GongfenCallback(book, model="poet"), DuplicateIdError),
        (GongfenCallback(book, model="new", data="nothing"), UnknownWorkError),
        (GongfenCallback(book, model="new", base="loose"), MissingAssumptionError),
        (GongfenCallback(book, model="new", machine="ada"), DuplicateIdError),
        (GongfenCallback(tmp_path / "none.db", model="new"), BookPlaceError),
    ):
        with pytest.raises(error):
            train(tmp_path, callback)


def test_a_book_that_is_lost_meanwhile_costs_nobody_the_model(tmp_path: Path) -> None:
    """The facts are kept as lines, which the book takes when it is there again."""
    new_book(tmp_path).close()
    place, away = tmp_path / "book.db", tmp_path / "away.db"

    class Loses(GongfenCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            if place.exists():
                place.rename(away)

    callback = Loses(place, model="poet-2", energy=False)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        train(tmp_path, callback)
    assert isinstance(callback.problem, BookPlaceError)
    assert any("gongfen record" in str(warning.message) for warning in said)
    away.rename(place)
    with gongfen.open(place) as book:
        lines = [line for _, line, _ in read_facts(str(tmp_path / "out" / PENDING), sample=False)]
        book.log.record([book.log.new(line.body, fact_id=line.id) for line in lines])
        assert book.log.find("model:poet-2") is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [(Tokens(), Tokens(1)), (["a", "bc"], ["ab", "c"]), ([{"a": 1}], [{"a": "1"}]), ([[1, [2]]], [[1, 2]])],
)
def test_other_data_has_another_hash(one: Any, other: Any) -> None:
    (first, _), (second, _) = content_sha256(one), content_sha256(other)
    assert first is not None
    assert second is not None
    assert first[0] != second[0]


def test_data_that_cannot_be_hashed_is_said() -> None:
    assert content_sha256(iter([1])) == (None, "not hashed: it can be read once only")
    assert content_sha256([object()]) == (None, "not hashed: item 0 is a object")
    assert content_sha256(None)[0] is None


def test_without_codecarbon_energy_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    meter = Meter()
    meter.start()
    assert meter.stop() is None
    assert meter.said == "not measured: CodeCarbon is not installed"


def test_a_meter_that_breaks_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def OfflineEmissionsTracker(self, **_: Any) -> None:  # noqa: N802 - its name there
            raise RuntimeError("no sensors")

    monkeypatch.setitem(sys.modules, "codecarbon", Broken())  # type: ignore[arg-type]
    meter = Meter()
    meter.start()
    assert meter.stop() is None
    assert meter.said == "not measured: CodeCarbon says RuntimeError: no sensors"


REAL = """
import time
from gongfen.book.trainer_callback import Meter
meter = Meter()
meter.start()
end = time.time() + 2
while time.time() < end:
    sum(range(1000))
print(meter.stop(), meter.said)
"""


def test_the_real_codecarbon_says_energy_offline() -> None:
    """Runs where it is installed, without a network it could reach."""
    pytest.importorskip("codecarbon")
    environment = os.environ | {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True, check=True, env=environment)
    energy, *said = done.stdout.split()
    assert int(energy) > 0
    assert not said

"""Bergson builds the same index: its own passes, hooks and batches, and the projections of the plan.

It is installed apart from what it asks for (docs/how-to/train-and-trace.md); where it is not, these tests are skipped.
"""

import sys

import pytest
import torch

from gongfen.errors import TrainingError
from gongfen.trace.index.bergson import Bergson
from gongfen.trace.index.build import Unit, build_index, here, plan_of
from gongfen.trace.index.query import Index
from gongfen.trace.spans import Span
from gongfen.trace.task import LanguageTask
from tests.sources import Digits
from tests.test_index import TOLERANCE, Transposed, Writer, asked, built, items, moments, stored

NOT_THERE = "Bergson is not installed: pip install --no-deps bergson==2.5.1"


@pytest.fixture(scope="module")
def bergson():
    pytest.importorskip("bergson", reason=NOT_THERE)
    return Bergson()


@pytest.mark.parametrize("source", [Writer(), Writer(lora=False), Transposed()], ids=["LoRA", "whole", "GPT-2"])
@pytest.mark.parametrize(("batch_size", "shard_works"), [(5, 7), (1, 2)])
def test_its_rows_are_ours_up_to_one_step_of_rounding(bergson, source, batch_size, shard_works, tmp_path):
    """Works differ in length, and a shard's last batch is not full."""
    ours = built(tmp_path / "ours", source)
    its = built(tmp_path / "its", source, bergson, batch_size, shard_works)
    for moment in range(2):
        mine, found = stored(ours, moment), stored(its, moment)
        assert int((mine.numbers.int() - found.numbers.int()).abs().max()) <= 1
        torch.testing.assert_close(mine.scales, found.scales, rtol=1e-3, atol=0)
    spans = [Span(0)]
    said = asked(ours, source, spans)
    torch.testing.assert_close(asked(its, source, spans), said, rtol=0, atol=float(said.abs().max()) * TOLERANCE)


def test_works_longer_than_the_context_are_read_in_the_same_windows(bergson, tmp_path):
    """A work in several windows is one row: the mean over all its tokens."""
    whole = Writer()(0)
    short = LanguageTask(whole.module, [window for number in range(4) for window in whole.read([number])[0]], context=6)
    assert len(short.read(range(4))[0]) > 4, "they are cut"

    def source(_moment):
        return short

    found = {}
    for name, engine in (("ours", here), ("its", bergson)):
        found[name] = built(tmp_path / name, source, engine)
    mine, its = stored(found["ours"], 0), stored(found["its"], 0)
    assert int((mine.numbers.int() - its.numbers.int()).abs().max()) <= 1


def test_a_build_that_was_broken_off_goes_on_with_another_engine(bergson, tmp_path):
    source = Writer()
    method = built(tmp_path / "a", source).manifest.plan.method
    plan = plan_of(source, "model-1", moments(2), items(source(0).works), method, 4)

    def dies(units):
        yield from bergson(units[:1])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(tmp_path / "b", source, plan, dies)
    first = next((tmp_path / "b").glob("works-*.safetensors"))
    made = first.stat().st_mtime_ns
    build_index(tmp_path / "b", source, plan)
    assert first.stat().st_mtime_ns == made
    assert Index(tmp_path / "b").ask(source, [Span(0)]).each.isfinite().all()


def test_a_classifier_is_not_for_bergson(bergson, tmp_path):
    with pytest.raises(TrainingError, match="Bergson reads language models only"):
        built(tmp_path, Digits(), bergson)


def test_gradients_that_are_no_numbers_are_named(bergson, tmp_path):
    sound = Writer()(0)

    def source(_moment):
        return sound

    index = built(tmp_path / "sound", source)
    with torch.no_grad():
        next(p for p in sound.module.parameters() if p.requires_grad).fill_(torch.nan)
    unit = Unit(source, tmp_path / "sound", index.manifest.plan, 0, 0, 2, 5)
    with pytest.raises(TrainingError, match="work work-0, work-1 has gradients that are not finite numbers, in layer"):
        next(bergson([unit]))


def test_without_bergson_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "bergson", None)
    with pytest.raises(TrainingError, match="Bergson is not installed"):
        Bergson()


@pytest.mark.usefixtures("bergson")
def test_another_bergson_is_refused(monkeypatch):
    import bergson as installed

    monkeypatch.setattr(installed, "__version__", "9.0.0")
    with pytest.raises(TrainingError, match=r"Bergson 9\.0\.0 is another than this was written for"):
        Bergson()

"""An index is the same whoever builds it: this process, several, or the workers of a real Ray cluster.

What a unit gives depends on its works, its checkpoint and the projections that all read; who runs it can only change in
which order sums are rounded. So the answers agree within the rounding of a number of a row to one of 255 steps.
"""

import os
from pathlib import Path

import pytest
import torch

from gongfen.errors import TrainingError
from gongfen.trace.index.engines import Processes, Ray
from tests.sources import Deadly, Digits, SpoiledElsewhere
from tests.test_index import TOLERANCE, asked, built

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def _found_elsewhere(monkeypatch):
    """Where another process finds this module."""
    here = str(Path(__file__).parents[1])
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)


@pytest.fixture(scope="module", params=["processes", "Ray"])
def engine(request):
    if request.param == "processes":
        yield Processes(2)
        return
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gongfen[ray]'")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield Ray(2)
    ray.shutdown()


def test_the_answers_are_those_of_one_process(engine, tmp_path):
    alone = asked(built(tmp_path / "alone"))
    spread = asked(built(tmp_path / "spread", engine=engine, shard_works=4))
    torch.testing.assert_close(spread, alone, rtol=0, atol=float(alone.abs().max()) * TOLERANCE)


def test_an_error_in_a_worker_is_the_error_that_is_told(engine, tmp_path):
    with pytest.raises(TrainingError, match="work-3 has gradients that are not finite numbers, in layer"):
        built(tmp_path, SpoiledElsewhere(3, os.getpid()), engine, shard_works=4)


def test_what_was_built_before_a_worker_failed_is_not_built_again(tmp_path):
    engine = Processes(2)
    with pytest.raises(TrainingError):
        built(tmp_path, SpoiledElsewhere(3, os.getpid()), engine, shard_works=2)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("works-*.safetensors")}
    again = built(tmp_path, Digits(), engine, shard_works=2)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("works-*.safetensors")}
    assert {name: after[name] for name in before} == before
    torch.testing.assert_close(
        asked(again), asked(built(tmp_path / "alone")), rtol=0, atol=float(asked(again).abs().max()) * TOLERANCE
    )


def test_a_worker_that_is_killed_is_said_to_be(tmp_path):
    with pytest.raises(TrainingError, match="a worker was killed, most likely because memory was short"):
        built(tmp_path, Deadly(os.getpid()), Processes(2), shard_works=4)


@pytest.mark.parametrize(
    ("address", "reason"), [("127.0.0.1:1", "Connection refused"), ("localhost:99999", "cannot be joined")]
)
def test_a_cluster_that_is_not_there_is_said_at_once(address, reason, tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(TrainingError, match=f"the Ray cluster {address} cannot be joined") as found:
        built(tmp_path, engine=Ray(2, address))
    assert reason in str(found.value)


@pytest.mark.parametrize("engine", [Processes, Ray])
def test_no_workers_cannot_work(engine):
    with pytest.raises(TrainingError, match="0 workers cannot work"):
        engine(0)

"""When memory is short, works are read fewer at a time; when not even one goes, it is said where. Memory really is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gongfen.errors import TrainingError
from gongfen.trace.memory import enough, in_batches

HERE = Path(__file__).parent


@pytest.mark.slow
def test_a_model_of_a_large_vocabulary_is_traced_in_little_memory(tmp_path: Path) -> None:
    """The default batch does not fit: its logits alone are all that there is. What comes out is the same."""
    given_back = {"MALLOC_MMAP_THRESHOLD_": str(2**17)}  # what is freed does not linger, to be handed out again
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **given_back}
    asked = (sys.executable, "-m", "tests.short_of_memory", str(tmp_path))
    found = subprocess.run(asked, cwd=HERE.parent, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    said = json.loads(found.stdout)
    by_index, exact = said["apart"]
    assert by_index < 0.02, "steps of 1/127"
    assert exact < 1e-3
    assert said["index"].startswith("measuring the layers: one work does not fit in memory, even by itself; close")
    assert said["whole gradients"].startswith("tracing: reading the works asks for more memory than there is; close")
    assert said["metagradient"].startswith("tracing: going back through the training run asks for more memory")


def test_what_does_not_fit_begins_again_with_half_of_it() -> None:
    tried = []

    def work(size: int) -> int:
        tried.append(size)
        if size > 2:
            raise MemoryError
        return size

    assert in_batches(work, 12, "counting") == 1
    assert tried == [12, 6, 3, 1]
    with pytest.raises(TrainingError, match="counting: one work does not fit in memory"):
        in_batches(lambda _: work(9), 12, "counting")


def test_what_has_another_reason_is_not_called_memory() -> None:
    def work(_size: int) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        in_batches(work, 4, "counting")
    with pytest.raises(RuntimeError, match="shapes"), enough("counting", "count less"):
        work(1)

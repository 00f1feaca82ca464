"""The same units by Bergson (EleutherAI, MIT): its collector passes works through the model, our projections keep them.

Bergson brings the passes, the hooks and the batches; what it meets in a layer, activations a [B, T, inputs] and
gradients g [B, T, outputs], goes through the projection of the plan (:mod:`gongfen.trace.projection`). So its shards
are ours but for the rounding of sums, and whoever asks need not know who built. Works of one length share a batch, so
that nothing is padded. It forms the gradients of the trained parameters too, which is why it takes longer.
"""

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gongfen.errors import TrainingError
from gongfen.trace.index.build import Unit, refuse_infinite, run_unit
from gongfen.trace.index.manifest import Shard
from gongfen.trace.layers import Layer
from gongfen.trace.memory import in_batches
from gongfen.trace.projection import Projection, project
from gongfen.trace.task import LanguageTask, Task

VERSION = "2.5.1"
UNLABELLED = -100
"""Of a token that is not predicted, for Bergson."""


class Bergson:
    """One unit after the other, in this process, by Bergson."""

    def __init__(self) -> None:
        """Raises TrainingError without Bergson."""
        self._bergson = _bergson()

    def __call__(self, units: Sequence[Unit]) -> Iterator[Shard]:
        """Shards as they are finished. Raises TrainingError for a task that is not of language."""
        return (run_unit(unit, self._rows) for unit in units)

    def _rows(
        self,
        task: Task,
        layers: Sequence[Layer],
        projections: Sequence[Projection],
        numbers: Sequence[int],
        batch_size: int,
        names: Sequence[str],
    ) -> Tensor:
        """φ of these works, fp32 [n, D]; see :func:`gongfen.trace.index.build.work_rows`."""
        if not isinstance(task, LanguageTask):
            raise TrainingError("Bergson", "reads language models only", "build this index without it")
        windows, owners = task.read(numbers)
        counts = torch.zeros(len(numbers)).index_add_(
            0, owners, torch.tensor([float(len(window.tokens) - window.scored_from) for window in windows])
        )
        table = {
            "input_ids": [list(window.tokens) for window in windows],
            "labels": [
                [UNLABELLED] * window.scored_from + list(window.tokens[window.scored_from :]) for window in windows
            ],
            "advantage": (1 / counts[owners]).tolist(),  # the mean over a work's tokens, whatever windows it is read in
        }

        def collected(size: int) -> Tensor:
            return self._collected(task.module, layers, projections, table, _batches(table["input_ids"], size))

        found = in_batches(collected, batch_size, "reading the works")
        rows = torch.zeros(len(numbers), found.shape[1]).index_add_(0, owners, found, alpha=-1)
        parts = torch.split(rows, [projection.size for projection in projections], 1)
        refuse_infinite(parts, slice(None), layers, [names[number] for number in numbers])
        return rows

    def _collected(
        self,
        module: nn.Module,
        layers: Sequence[Layer],
        projections: Sequence[Projection],
        table: dict[str, Any],
        batches: list[list[int]],
    ) -> Tensor:
        """What Bergson meets on its way through the windows, projected, [W, D]."""
        from datasets import Dataset  # noqa: PLC0415 - comes with Bergson

        reader = _Reader(module)
        places = {f"module.{layer.name}": number for number, layer in enumerate(layers)}
        collector = _collector(self._bergson)(model=reader, target_modules=set(places))
        collector.begin(places, projections, len(table["input_ids"]))
        with tempfile.TemporaryDirectory() as place:
            config = self._bergson.IndexConfig(run_path=str(Path(place) / "run"), loss_reduction="sum")
            config.partial_run_path.mkdir()
            data = Dataset.from_dict(table)
            with _quiet():
                computer = self._bergson.CollectorComputer(
                    reader, data, collector=collector, batches=batches, cfg=config
                )
                computer.run_with_collector_hooks("works")
        rows: Tensor = collector.rows
        return rows


class _Reader(nn.Module):
    """A model as Bergson calls it: with the tokens alone, none of which is padding."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        some = next(module.parameters())
        self.device, self.dtype = some.device, some.dtype

    def forward(self, tokens: Tensor) -> Any:  # noqa: ANN401 - whatever holds logits
        return self.module(input_ids=tokens, attention_mask=torch.ones_like(tokens))


def _collector(bergson: Any) -> Any:  # noqa: ANN401 - an optional module, and a class of it
    """The class of collectors that keep what a projection keeps."""

    class Projecting(bergson.collector.collector.HookCollectorBase):  # type: ignore[misc]
        """What flows through a layer is projected at once; a batch's rows go where they belong."""

        def begin(self, places: dict[str, int], projections: Sequence[Projection], windows: int) -> None:
            """Empty rows for so many windows."""
            self._places, self._projections, self._met = places, projections, dict[int, Tensor]()
            self.rows = torch.zeros(windows, sum(projection.size for projection in projections))
            self._parts = torch.split(self.rows, [projection.size for projection in projections], 1)

        def setup(self) -> None:
            """Nothing: see ``begin``."""

        def teardown(self) -> None:
            """Nothing."""

        def forward_hook(self, module: nn.Module, a: Tensor) -> None:
            """Keep what went in."""
            module._inputs = a  # noqa: SLF001 - where Bergson looks for it, to delete it

        def backward_hook(self, module: nn.Module, g: Tensor) -> None:
            """Project it with what came back; a layer that is called several times gathers the sum."""
            number = self._places[str(module._name)]  # noqa: SLF001 - Bergson's own
            entered: Any = module._inputs  # noqa: SLF001
            found = project(self._projections[number], entered.float(), g.float())
            self._met[number] = self._met[number] + found if number in self._met else found

        def process_batch(self, indices: list[int], **_: object) -> None:
            """Put a batch's rows where they belong."""
            for number, found in self._met.items():
                self._parts[number][indices] = found.float()
            self._met.clear()

    return Projecting


@contextmanager
def _quiet() -> Iterator[None]:
    """Without its bars and its log, for we show our own; nor that a first layer is fed with what nobody trains."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Full backward hook is firing", UserWarning)
            yield
    finally:
        logging.disable(before)


def _batches(tokens: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    """Windows of one length in batches of at most ``size``."""
    order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))
    found: list[list[int]] = []
    for _, alike in groupby(order, key=lambda number: len(tokens[number])):
        part = list(alike)
        found += [part[start : start + size] for start in range(0, len(part), size)]
    return found


def _bergson() -> Any:  # noqa: ANN401 - an optional module
    remedy = f"install it: pip install 'gongfen[bergson]', then pip install --no-deps bergson=={VERSION}"
    try:
        import bergson  # noqa: PLC0415 - optional
    except ImportError as error:
        raise TrainingError("Bergson", "is not installed", remedy) from error
    if bergson.__version__ != VERSION:
        raise TrainingError(f"Bergson {bergson.__version__}", "is another than this was written for", remedy)
    return bergson

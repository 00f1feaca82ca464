"""Our own display grade, as the harness calls it: an index of the training examples is built, and asked all queries."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.trace.ground_truth import Folder, Setting, State, bytes_hash, whole_models
from benchmarks.trace.measuring import GRID, Attribution, Method

from gongfen.trace.spans import Span
from gongfen.trace.task import Task

NEEDS = ("gongfen.trace.index.build", "gongfen.trace.index.query")
Opened = Callable[[Any, State], Task]
"""What a setting is to the index, at one checkpoint."""


def index(
    opened: Opened, rank: int = 16, checkpoints: int = 1, shortlist: int = 0, dampings: tuple[float, ...] = GRID
) -> Method:
    """The index over the last so many checkpoints of the one run, with rank × rank numbers of a layer.

    ``shortlist``: so many works of each query are measured again by exact EK-FAC. ``dampings``: those that it may try.
    """

    def trace(setting: Setting, folder: Folder, damping: float) -> Attribution:
        from gongfen.trace.index import build, manifest, query, rerank  # noqa: PLC0415 - the peers do without its libraries

        states = whole_models(setting, folder)[-checkpoints:]

        def source(moment: int) -> Task:
            return opened(setting, states[moment])

        moments = [
            manifest.Moment(step=number, parameters_sha256=bytes_hash(*state.values()))
            for number, state in enumerate(states)
        ]
        works = [manifest.Item(work=str(number), sha256="") for number in range(setting.examples)]
        method = manifest.Method(rank=rank, damping_ppm=round(damping * manifest.PPM))
        with tempfile.TemporaryDirectory() as place:
            plan = build.plan_of(source, setting.name, moments, works, method)
            build.build_index(Path(place), source, plan, batch_size=50)
            spans = [Span(number) for number in range(source(0).outputs)]
            opened_index = query.Index(Path(place))
            answer = opened_index.ask(source, spans)
            if shortlist:
                damped = round(damping * manifest.PPM)
                answer = rerank.reranked(opened_index, source, spans, answer, shortlist, damped)
        return Attribution(answer.effects.T.double().numpy(), plan.numbers * len(states))

    return Method(trace, NEEDS, dampings)


def methods(opened: Opened) -> dict[str, Method]:
    """As they stand in the tables."""
    return {
        "index 16 (ours)": index(opened),
        "index 30 (ours)": index(opened, rank=30),
        "index 16 x3 (ours)": index(opened, checkpoints=3),
        "index 16 x4 by default (ours)": index(opened, checkpoints=4, dampings=(1.0,)),
        "index 16 x5 (ours)": index(opened, checkpoints=5),
        "index 16 x5 re-ranked 20 (ours)": index(opened, checkpoints=5, shortlist=20),
        "index 16 x5 re-ranked 100 (ours)": index(opened, checkpoints=5, shortlist=100),
    }

"""A part of an output, and the log-likelihood of just that part: what a tracer differentiates."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.trace.layers import Layer, watched
from gongfen.trace.task import Task


@dataclass(frozen=True, slots=True)
class Span:
    """Positions ``start:end`` of an output's scored row (:meth:`Task.log_likelihoods`); ``None``: to its end."""

    output: int
    start: int = 0
    end: int | None = None


def scored_spans(task: Task, spans: Sequence[Span]) -> Iterator[tuple[int, Tensor]]:
    """(number of the span, its log-likelihood in nats, []): one forward pass for all spans of an output.

    Raises TrainingError for a span without tokens, or of an output that is not there.
    """
    for span in spans:
        if not 0 <= span.output < task.outputs:
            reason = f"is not there: the task has {task.outputs}, counted from 0"
            raise TrainingError(f"output {span.output}", reason, "name one that is")
    for output in dict.fromkeys(span.output for span in spans):
        scored = task.log_likelihoods([output])[0]
        for number, span in enumerate(spans):
            if span.output != output:
                continue
            part = scored[span.start : span.end]
            if not len(part):
                reason = f"has no token {span.start} to {span.end}: it has {len(scored)}"
                raise TrainingError(f"output {output}", reason, "name a part that is there")
            yield number, part.sum()


def differentiate(
    task: Task, layers: Sequence[Layer], spans: Sequence[Span], take: Callable[[int, int, Tensor, Tensor], None]
) -> None:
    """``take(span, layer, a, g)`` what goes through each layer, a [T, inputs] and g [T, outputs], for every span."""
    current = 0

    def seen(number: int, entered: Tensor, gradient: Tensor) -> None:
        take(current, number, entered.flatten(0, 1), gradient.flatten(0, 1))  # an output may be read in windows

    with watched(task.module, layers, seen):
        for span, scored in scored_spans(task, spans):
            current = span
            scored.backward(retain_graph=True)  # type: ignore[no-untyped-call]

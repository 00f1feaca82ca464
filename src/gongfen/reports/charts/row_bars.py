"""Row bars: one amount or a few, drawn beside the number that they show, all rows on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from gongfen.reports.charts.drawing import ink


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a row bar, from ``start`` to ``end`` on the row's scale."""

    start: int
    end: int
    tone: str
    quality: str = "measured"


def bars(spans: Sequence[Span], *, low: int = 0, high: int, key: str, mark: int | None = None) -> str:
    """One row's bar: stretches on the scale ``low`` … ``high``, a zero line, and a mark such as the price.

    It stands beside the number that it draws, so it is hidden from readers who cannot see it.
    """
    length = max(high - low, 1)

    def place(value: int) -> int:
        return (min(max(value, low), high) - low) * 100_000 // length

    shapes = []
    for span in spans:
        start, end = sorted((place(span.start), place(span.end)))
        if start != end:
            shapes.append(
                f'<rect {ink(key, span.tone, span.quality)} x="{_share(start)}" y="0"'
                f' width="{_share(end - start)}" height="100%"/>'
            )
    lines = [("zero", 0)] * (low < 0) + ([("mark", mark)] if mark is not None else [])
    for kind, value in lines:
        at = _share(place(value))
        shapes.append(f'<line class="{kind}" x1="{at}" x2="{at}" y1="0" y2="100%"/>')
    return f'<svg class="row" aria-hidden="true">{"".join(shapes)}</svg>'


def _share(of_100_000: int) -> str:
    """Thousandths of a per cent, as SVG writes lengths."""
    return f"{of_100_000 // 1000}.{of_100_000 % 1000:03d}%"

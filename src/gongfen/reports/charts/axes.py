"""Axes: a box that data fills, round numbers along its edges, grid lines and the names of what is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from gongfen.reports.charts.drawing import num


@dataclass(frozen=True, slots=True)
class Frame:
    """Ranges of the data and the box that they fill: left, top, right, bottom."""

    xs: tuple[int, int]
    ys: tuple[int, int]
    box: tuple[float, float, float, float]

    def x(self, value: float) -> float:
        """Where a value stands from the left."""
        low, high = self.xs
        return self.box[0] + (value - low) * (self.box[2] - self.box[0]) / (high - low)

    def y(self, value: float) -> float:
        """Where a value stands from the top: larger ones stand higher."""
        low, high = self.ys
        return self.box[3] - (value - low) * (self.box[3] - self.box[1]) / (high - low)


def reach(values: Sequence[int]) -> tuple[int, int]:
    """From the smallest to the largest with a margin, and zero always inside."""
    low, high = min([*values, 0]), max([*values, 0])
    margin = max((high - low) // 12, 1)
    return low - margin, high + margin


def ticks(low: int, high: int, about: int = 4) -> list[int]:
    """Round numbers inside a range: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(-3, 17)
    [0, 10]
    >>> ticks(-140, 270)
    [-100, 0, 100, 200]
    """
    step = 1
    while (high - low) // step > about * 2:
        step *= 10
    step = next((step * k for k in (1, 2, 5, 10) if (high - low) // (step * k) <= about), step * 10)
    return list(range(-(-low // step) * step, high + 1, step))


def grid_of_x(frame: Frame, unit: Callable[[int], str], about: int = 4) -> list[str]:
    """Upright lines at round numbers, each with its number below the box."""
    _, top, _, bottom = frame.box
    parts = []
    for value in ticks(*frame.xs, about=about):
        x = num(frame.x(value))
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{num(top)}" y2="{num(bottom)}"/>')
        parts.append(_tick(x, num(bottom + 17), "middle", unit(value)))
    return parts


def grid_of_y(frame: Frame, unit: Callable[[int], str], about: int = 4) -> list[str]:
    """Lying lines at round numbers, each with its number to the left of the box."""
    left, _, right, _ = frame.box
    parts = []
    for value in ticks(*frame.ys, about=about):
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{num(left)}" x2="{num(right)}" y1="{num(y)}" y2="{num(y)}"/>')
        parts.append(_tick(num(left - 7), num(y + 4), "end", unit(value)))
    return parts


def _tick(x: str, y: str, anchor: str, text: str) -> str:
    return f'<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def axis_names(frame: Frame, height: float, names: tuple[str, str]) -> list[str]:
    """What is measured to the right, below the box at its end; and what upwards, above the box at its beginning."""
    left, _, right, _ = frame.box
    return [
        f'<text class="head" x="{num(right)}" y="{num(height - 6)}" text-anchor="end">{escape(names[0])} →</text>',
        f'<text class="head" x="{num(left)}" y="14">↑ {escape(names[1])}</text>',
    ]

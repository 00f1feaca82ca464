"""Lines over time, in which what is unknown is a gap and says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from gongfen.reports.charts.axes import Frame, grid_of_y, reach
from gongfen.reports.charts.drawing import Saying, breadth, num

_MARKS = ("M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z", "M-4 -4H4V4H-4Z", "M0 -5L5 4H-5Z", "M0 -5.5L5.5 0L0 5.5L-5.5 0Z")
"""A circle, a square, a triangle, a diamond: lines differ by mark and dash, and not by colour alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One indicator; ``None`` is unknown."""

    name: str
    values: tuple[int | None, ...]


def over_time(
    times: Sequence[str], lines: Sequence[Line], *, unit: Callable[[int], str], saying: Saying, narrow: bool = False
) -> str:
    """Each line with its own mark; the names stand above the picture."""
    width, left = (320.0, 84.0) if narrow else (520.0, 96.0)
    head = 19.0 * len(lines) + 12
    height = head + 150 + 26
    known = [value for line in lines for value in line.values if value is not None]
    frame = Frame((0, max(len(times) - 1, 1)), reach(known or [0, 1]), (left, head, width - 26, height - 26))
    parts = [saying.head(width, height, "chart over-time " + ("upright" if narrow else "wide"))]
    parts += grid_of_y(frame, unit) if known else []
    parts += _times(times, frame, height)
    for place, line in enumerate(lines):
        y = 12 + 19.0 * place
        parts.append(f'<path class="line line-{place}" d="M{num(2)} {num(y)}H{num(30)}"/>{_mark(place, 16, y)}')
        parts.append(f'<text class="name" x="38" y="{num(y + 4.5)}">{escape(line.name)}</text>')
        parts += _line(place, line, frame, len(times))
    parts += _gaps(lines, frame, len(times))
    return "".join(parts) + "</svg>"


def _x(frame: Frame, at: int, of: int) -> float:
    """Where a time stands, clear of the numbers at the edge; a single one stands in the middle."""
    left, right = frame.box[0] + 12, frame.box[2] - 4
    return left + at * (right - left) / (of - 1) if of > 1 else (left + right) / 2


def _times(times: Sequence[str], frame: Frame, height: float) -> list[str]:
    """As many times as have room, evenly."""
    room = max(int((frame.box[2] - frame.box[0]) // (breadth(max(times, key=len, default=""), 12) + 14)), 1)
    shown = range(0, len(times), -(-len(times) // room) or 1)
    made = []
    for at in shown:
        x = num(_x(frame, at, len(times)))
        made.append(f'<text class="tick" x="{x}" y="{num(height - 6)}" text-anchor="middle">{escape(times[at])}</text>')
    return made


def _line(place: int, line: Line, frame: Frame, of: int) -> list[str]:
    """Stretches between neighbours that are known, and a mark at each."""
    made, run = [], list[str]()
    for at, value in enumerate((*line.values, None)):
        if value is not None:
            run.append(f"{num(_x(frame, at, of))} {num(frame.y(value))}")
            continue
        if len(run) > 1:
            made.append(f'<path class="line line-{place}" d="M{"L".join(run)}"/>')
        made += [_mark(place, *(float(number) for number in point.split())) for point in run]
        run = []
    return made


def _mark(place: int, x: float, y: float) -> str:
    return (
        f'<path class="mark mark-{place}" transform="translate({num(x)} {num(y)})" d="{_MARKS[place % len(_MARKS)]}"/>'
    )


def _gaps(lines: Sequence[Line], frame: Frame, of: int) -> list[str]:
    """A question mark in the middle of each stretch of which no line knows anything."""
    unknown = [all(line.values[at] is None for line in lines) for at in range(of)]
    made, start = [], 0
    for nothing, run in groupby(unknown):
        length = len(list(run))
        if nothing:
            x = (_x(frame, start, of) + _x(frame, start + length - 1, of)) / 2
            made.append(f'<text class="gap" x="{num(x)}" y="{num(frame.box[3] - 8)}" text-anchor="middle">?</text>')
        start += length
    return made

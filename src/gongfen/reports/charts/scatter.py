"""The scatter: predicted against measured, a point for each maker, named where there is room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from gongfen.reports.charts.axes import Frame, axis_names, grid_of_x, grid_of_y, reach
from gongfen.reports.charts.drawing import SMALL, Saying, breadth, num

_SPOTS = (
    *((8, 4, "start"), (-8, 4, "end"), (0, -9, "middle"), (0, 17, "middle"), (7, -7, "start"), (7, 14, "start")),
    *((-7, -7, "end"), (-7, 14, "end"), (22, 20, "start"), (-22, 20, "end"), (22, -14, "start"), (-22, -14, "end")),
    *((34, 32, "start"), (-34, 32, "end"), (34, -28, "start"), (-34, -28, "end")),
)
"""Where a name may stand beside its point, best first; far ones get a hairline to the point."""
_FAR = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the scatter, with the name that stands beside it if there is room."""

    x: int
    y: int
    name: str
    note: str


def scatter(
    points: Sequence[Point], *, axes: tuple[str, str], unit: Callable[[int], str], saying: Saying, narrow: bool = False
) -> str:
    """Each point with its name where there is room for it; quarters where both signs agree are tinted."""
    width, height = (320.0, 330.0) if narrow else (680.0, 470.0)
    frame = Frame(reach([p.x for p in points]), reach([p.y for p in points]), (72.0, 26.0, width - 22, height - 46))
    parts = [saying.head(width, height, "scatter " + ("upright" if narrow else "wide")), _quarters(frame)]
    parts += grid_of_x(frame, unit, about=2 if narrow else 4)
    parts += grid_of_y(frame, unit)
    parts += axis_names(frame, height, axes)
    parts += [
        f'<circle class="dot" cx="{num(frame.x(p.x))}" cy="{num(frame.y(p.y))}" r="4.5">'
        f"<title>{escape(p.note)}</title></circle>"
        for p in points
    ]
    parts += _names(points, frame)
    return "".join(parts) + "</svg>"


def _quarters(frame: Frame) -> str:
    """The two quarters where prediction and measurement have the same sign."""
    left, top, right, bottom = frame.box
    x, y = frame.x(0), frame.y(0)
    return (
        f'<path class="agree" d="M{num(x)} {num(top)}H{num(right)}V{num(y)}H{num(left)}V{num(bottom)}H{num(x)}Z"/>'
        f'<path class="zero" d="M{num(left)} {num(y)}H{num(right)}M{num(x)} {num(top)}V{num(bottom)}"/>'
    )


def _names(points: Sequence[Point], frame: Frame) -> list[str]:
    """Names beside their points, each in the first spot that touches no point, no other name and no edge."""
    left, top, right, bottom = frame.box
    taken = [(frame.x(p.x) - 5, frame.y(p.y) - 5, frame.x(p.x) + 5, frame.y(p.y) + 5) for p in points]
    made = []
    for p in points:
        x, y, w = frame.x(p.x), frame.y(p.y), breadth(p.name, SMALL)
        for dx, dy, anchor in _SPOTS:
            ax = x + dx - (w if anchor == "end" else w / 2 if anchor == "middle" else 0)
            box = (ax - 1, y + dy - 11, ax + w + 1, y + dy + 3)
            inside = box[0] >= left and box[2] <= right + 20 and box[1] >= top and box[3] <= bottom
            if inside and not any(_touch(box, other) for other in taken):
                taken.append(box)
                made.append(_name(p.name, x, y, dx, dy, anchor))
                break
    return made


def _name(name: str, x: float, y: float, dx: int, dy: int, anchor: str) -> str:
    """One name, with a hairline to its point when it stands far off."""
    lead = f'<path class="lead" d="M{num(x)} {num(y)}L{num(x + dx)} {num(y + dy - 4)}"/>' if abs(dx) > _FAR else ""
    return f'{lead}<text class="name" x="{num(x + dx)}" y="{num(y + dy)}" text-anchor="{anchor}">{escape(name)}</text>'


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]

"""Price against value: for each output the band between μL and μ(T + L), and its price as a point on the same scale.

From the band's right end to the price is the rent by the average theory, from its left end that by the reproduction
theory: what the theories dispute is as wide as the band.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from gongfen.reports.charts.axes import Frame, axis_names, grid_of_x
from gongfen.reports.charts.drawing import SMALL, Saying, num, shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """One output. Whole amounts of one currency."""

    name: str
    living: int
    """μL."""
    value: int
    """μ(T + L)."""
    price: int | None
    note: str
    open: bool = False
    """The value is at least this."""


def price_band(
    rows: Sequence[Priced], *, axis: str, unit: Callable[[int], str], saying: Saying, narrow: bool = False
) -> str:
    """A row an output; the axis of money stands below."""
    width, left, pitch = (320.0, 26.0, 46.0) if narrow else (1080.0, 190.0, 34.0)
    head = 8.0
    height = head + pitch * max(len(rows), 1) + 46
    most = max([max(row.value, row.price or 0) for row in rows] + [1])
    frame = Frame((0, most + most // 20 + 1), (0, 1), (left, head, width - 26, height - 46))
    parts = [saying.head(width, height, "chart band " + ("upright" if narrow else "wide"))]
    parts += grid_of_x(frame, unit, about=2 if narrow else 5)
    parts.append(axis_names(frame, height, (axis, ""))[0])
    for place, row in enumerate(rows):
        top = head + place * pitch
        middle = top + (32 if narrow else pitch / 2)
        parts.append(_name(row.name, left, top, middle, narrow=narrow))
        parts += _row(row, frame, middle)
    return "".join(parts) + "</svg>"


def _name(name: str, left: float, top: float, middle: float, *, narrow: bool) -> str:
    x, y, anchor = (0.0, top + 14, "start") if narrow else (left - 14, middle + 4.5, "end")
    said = shorten(name, 300 if narrow else left - 14, SMALL if narrow else 13)
    return f'<text class="name" x="{num(x)}" y="{num(y)}" text-anchor="{anchor}">{escape(said)}</text>'


def _row(row: Priced, frame: Frame, y: float) -> list[str]:
    """Living labour, the band, the way from the band to the price, and the price."""
    start, living, value = frame.x(0), frame.x(row.living), frame.x(row.value)
    parts = [f"<g><title>{escape(row.note)}</title>"]
    if row.price is not None:  # a rent below zero runs back below the bar
        kind, at = ("rent-way", y) if row.price >= row.value else ("rent-way short", y + 11)
        parts.append(f'<path class="{kind}" d="M{num(value)} {num(at)}H{num(frame.x(row.price))}"/>')
    parts.append(_rect("piece living", start, living, y))
    parts.append(_rect("piece past", living, value, y))
    if row.open:
        parts.append(f'<path class="open" d="M{num(max(value, start + 2) + 3)} {num(y - 9)}V{num(y + 9)}"/>')
    if row.price is not None:
        x = frame.x(row.price)
        parts.append(f'<path class="price-mark" d="M{num(x)} {num(y - 8)}L{num(x + 7)} {num(y)}L{num(x)} {num(y + 8)}')
        parts.append(f'L{num(x - 7)} {num(y)}Z"/>')
    return [*parts, "</g>"]


def _rect(kind: str, start: float, end: float, y: float) -> str:
    """A stretch of the band, never thinner than a hair."""
    wide = max(end - start, 1.0)
    return f'<rect class="{kind}" x="{num(start)}" y="{num(y - 7)}" width="{num(wide)}" height="14"/>'

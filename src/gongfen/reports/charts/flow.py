"""The picture of the flow (a Sankey diagram): bars and the labour that passes between them, lying and upright."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise

from gongfen.reports.charts.drawing import SMALL, Saying, breadth, ink, num, shorten
from gongfen.reports.charts.flow_layout import Bar, Layout, Place, Ribbon, Stream, lay_out

TWO_LINES = 34.0
"""How high a bar must be for its name and its amount to stand beside it on two lines."""


def sankey(
    bars: Sequence[Bar], streams: Sequence[Stream], *, headings: Mapping[int, str], saying: Saying, hatches: str
) -> str:
    """The flow from left to right: columns are phases in time, and labels never meet because each has its slot."""
    width, left, right, thick, top = 1080.0, 232.0, 232.0, 14.0, 52.0
    last = len({bar.column for bar in bars}) - 1
    edge = {bar.column for bar in bars if bar.column in _ends(bars)}
    laid = lay_out(
        bars, streams, body=360, gap=7, slot=lambda bar, span: max(span, 19) if bar.column in edge else span + 60
    )
    step = (width - left - right - thick) / max(last, 1)
    along = [left + n * step for n in range(last + 1)]
    height = laid.length + top + 10
    parts = [saying.head(width, height, "sankey wide")]
    parts += [_ribbon(r, laid, along, thick, top, hatches, upright=False) for r in laid.ribbons]
    for n, column in enumerate(laid.columns):
        anchor, x = ("end", along[n] + thick) if n == 0 else ("start", along[n])
        parts.append(
            f'<text class="head" x="{num(x)}" y="16" text-anchor="{anchor}">{escape(headings.get(column, ""))}</text>'
        )
    for layer in laid.layers:
        for place in (laid.places[key] for key in layer):
            if place.bar is not None:
                parts.append(_lying_bar(place, place.bar, along[place.layer], thick, top, left, last, step))
    return "".join(parts) + "</svg>"


def _ends(bars: Sequence[Bar]) -> tuple[int, int]:
    """The first and the last column."""
    columns = [bar.column for bar in bars] or [0]
    return min(columns), max(columns)


def _lying_bar(
    place: Place, bar: Bar, x: float, thick: float, top: float, margin: float, last: int, step: float
) -> str:
    """A bar of the lying picture: labels outside at both ends, above the bar in between, as far as the next column."""
    y = top + place.at
    parts = [_rect(bar, x, y, thick, place.span, upright=False)]
    room = margin - 18 - breadth(bar.amount)
    name = shorten(bar.label, room)
    if place.layer in {0, last}:
        anchor, at = ("end", x - 9) if place.layer == 0 else ("start", x + thick + 9)
        middle = y + place.span / 2 + 4.5
        split = name != bar.label and place.span >= TWO_LINES
        if split:
            name, middle = shorten(bar.label, margin - 18), middle - TWO_LINES / 4
        parts.append(_label(name, bar.amount, at, middle, anchor, bar.label, split=split))
    else:
        parts.append(_label(shorten(bar.label, max(step, 150)), bar.amount, x, y - 21, "start", bar.label, split=True))
    return "".join(parts)


def sankey_upright(
    bars: Sequence[Bar], streams: Sequence[Stream], *, headings: Mapping[int, str], saying: Saying, hatches: str
) -> str:
    """The same flow from top to bottom for a narrow page; labels step down a line where they would meet."""
    width, thick, between, line = 320.0, 14.0, 66.0, 14.0
    columns = sorted({bar.column for bar in bars})
    fullest = max([sum(bar.column == column for bar in bars) for column in columns] + [1])
    body = width - 12.0 * (fullest + len(columns))
    laid = lay_out(bars, streams, body=body, gap=12, slot=lambda _, span: max(span, 10))
    shift = (width - laid.length) / 2
    rows = [_rows(laid, layer, shift, width) for layer in laid.layers]
    along, y = [], 0.0
    for deep in rows:
        lines = 1 + max(deep.values(), default=0)
        y += 26 + lines * 2 * line
        along.append(y)
        y += thick + between
    height = y - between + 6
    parts = [saying.head(width, height, "sankey upright")]
    parts += [_ribbon(r, laid, along, thick, shift, hatches, upright=True) for r in laid.ribbons]
    for n, column in enumerate(columns):
        lines = 1 + max(rows[n].values(), default=0)
        base = along[n] - lines * 2 * line
        parts.append(f'<text class="head" x="0" y="{num(base - 9)}">{escape(headings.get(column, ""))}</text>')
        for key in laid.layers[n]:
            bar = laid.places[key].bar
            if bar is not None:
                parts.append(
                    _upright_bar(laid.places[key], bar, along[n], thick, shift, base + 2 * line * rows[n][key], width)
                )
    return "".join(parts) + "</svg>"


def _centre(place: Place, bar: Bar, shift: float, width: float) -> tuple[float, float]:
    """Middle and half width of a label, kept inside the picture."""
    half = min(max(breadth(bar.label, SMALL), breadth(bar.amount, SMALL)), width - 4) / 2
    half += 2
    return min(max(shift + place.at + place.span / 2, half), width - half), half


def _rows(laid: Layout, layer: list[str], shift: float, width: float) -> dict[str, int]:
    """On which line each label of a layer stands: the first where it does not touch the one before it."""
    ends: list[float] = []
    row_of: dict[str, int] = {}
    for key in layer:
        place = laid.places[key]
        if place.bar is None:
            continue
        middle, half = _centre(place, place.bar, shift, width)
        row = next((n for n, end in enumerate(ends) if end + 8 <= middle - half), len(ends))
        ends[row : row + 1] = [middle + half]
        row_of[key] = row
    return row_of


def _upright_bar(place: Place, bar: Bar, y: float, thick: float, shift: float, base: float, width: float) -> str:
    """A bar of the upright picture, its label above it and a hairline between them where they are apart."""
    middle, _ = _centre(place, bar, shift, width)
    x = shift + place.at
    own = x + place.span / 2
    parts = [f'<path class="lead" d="M{num(own)} {num(base + 28)}V{num(y)}"/>'] if base + 30 < y else []
    parts.append(_rect(bar, x, y, place.span, thick, upright=True))
    parts.append(
        _label(shorten(bar.label, width, SMALL), bar.amount, middle, base + 8, "middle", bar.label, split=True)
    )
    return "".join(parts)


def _rect(bar: Bar, x: float, y: float, width: float, height: float, *, upright: bool) -> str:
    """The bar itself, never thinner than a hair; an open end where labour is missing."""
    width, height = (max(width, 1.5), height) if upright else (width, max(height, 1.5))
    shape = f'<rect class="bar {bar.tone}" x="{num(x)}" y="{num(y)}" width="{num(width)}" height="{num(height)}"/>'
    if not bar.open:
        return shape
    return shape + (
        f'<rect class="open" x="{num(x - 3)}" y="{num(y - 3)}" width="{num(width + 6)}" height="{num(height + 6)}"/>'
    )


def _label(name: str, amount: str, x: float, y: float, anchor: str, full: str, *, split: bool) -> str:
    """Name and amount, on one line or on two; the full name on hover when it was cut."""
    title = f"<title>{escape(full)}</title>" if name != full else ""
    second = f' x="{num(x)}" dy="1.15em"' if split else ' dx="0.5em"'
    return (
        f'<text class="name" x="{num(x)}" y="{num(y)}" text-anchor="{anchor}">{title}{escape(name)}'
        f'<tspan class="amount"{second}>{escape(amount)}</tspan></text>'
    )


def _ribbon(r: Ribbon, laid: Layout, along: list[float], thick: float, top: float, key: str, *, upright: bool) -> str:
    """One flow as a filled band: as wide at every bar as the labour that passes, and no wider."""
    there: list[list[tuple[float, float]]] = []
    back: list[list[tuple[float, float]]] = []
    for leg, (a, b) in enumerate(pairwise(r.stops)):
        t0, t1 = along[laid.places[a].layer] + thick, along[laid.places[b].layer]
        mid = (t0 + t1) / 2
        for edge, offset in ((there, 0.0), (back, r.width)):
            p, q = r.leaves[leg] + offset + top, r.enters[leg] + offset + top
            edge.append([(t0, p), (mid, p), (mid, q), (t1, q)])

    def pair(point: tuple[float, float]) -> str:
        t, across = point
        return f"{num(across)} {num(t)}" if upright else f"{num(t)} {num(across)}"

    d = f"M{pair(there[0][0])}" + "".join(
        f"{_join(n, leg, pair)}C{' '.join(map(pair, leg[1:]))}" for n, leg in enumerate(there)
    )
    home = [list(reversed(leg)) for leg in reversed(back)]
    d += f"L{pair(home[0][0])}" + "".join(
        f"{_join(n, leg, pair)}C{' '.join(map(pair, leg[1:]))}" for n, leg in enumerate(home)
    )
    tone = ink(key, r.stream.tone, r.stream.quality).replace('class="', 'class="flow ', 1)
    return f'<path {tone} d="{d}Z"><title>{escape(r.stream.note)}</title></path>'


def _join(number: int, leg: list[tuple[float, float]], pair: Callable[[tuple[float, float]], str]) -> str:
    """A straight piece across a knee, before every leg but the first."""
    return f"L{pair(leg[0])}" if number else ""

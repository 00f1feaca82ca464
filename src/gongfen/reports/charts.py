"""Pictures that are only text: SVG from whole numbers, classes for the looks, a table elsewhere that says the same.

Nothing here knows a language or a colour. Labels come ready to print; a *tone* (``living``, ``past``, ``machine``,
``influence``, ``rent``, …) and a *quality* (``measured``, ``estimated``, ``imputed``) become CSS classes, and quality
also becomes a hatch, so that nothing is told by colour alone. The same input gives the same bytes.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

TONES = ("living", "past", "machine", "influence", "rent")
QUALITIES = ("measured", "estimated", "imputed")
"""How well a number is known, best first; a quality that we have not heard of is drawn as the worst."""
TEXT = 13
"""Height of a label in the pictures' own units; the style sheet sets the same."""
SMALL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the flow picture."""

    key: str
    label: str
    amount: str
    column: int
    tone: str
    open: bool = False
    """The true amount is at least what is shown: drawn with an open end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What passes from one bar to another; ``note`` is shown on hover."""

    source: str
    target: str
    value: int
    tone: str
    quality: str
    note: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a row bar, from ``start`` to ``end`` on the row's scale."""

    start: int
    end: int
    tone: str
    quality: str = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the scatter, with the name that stands beside it if there is room."""

    x: int
    y: int
    name: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What a reader who does not see the picture is told: a title and the finding, and the ids they carry."""

    key: str
    title: str
    finding: str

    def head(self, width: float, height: float, kind: str) -> str:
        """The opening tag, the title and the description."""
        return (
            f'<svg class="{kind}" viewBox="0 0 {_n(width)} {_n(height)}" role="img"'
            f' aria-labelledby="{self.key}-t" aria-describedby="{self.key}-d">'
            f'<title id="{self.key}-t">{escape(self.title)}</title>'
            f'<desc id="{self.key}-d">{escape(self.finding)}</desc>'
        )


def _n(value: float) -> str:
    """A coordinate: two decimals at most, no trailing zeros, no minus zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def breadth(text: str, size: int = TEXT) -> float:
    """About how wide a label will be: Chinese letters are square, others a little over half as wide, in a wide face."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.6 for c in text) * size


def shorten(text: str, room: float, size: int = TEXT) -> str:
    """The label, cut with an ellipsis when it is wider than its room."""
    if breadth(text, size) <= room:
        return text
    while text and breadth(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def patterns(key: str) -> str:
    """The hatches that row bars and flows share: once on each page, under ids that begin with ``key``."""
    made = []
    for tone in TONES:
        for quality, step in (("estimated", 5), ("imputed", 9)):
            made.append(
                f'<pattern id="{key}-{quality}-{tone}" width="{step}" height="{step}" patternUnits="userSpaceOnUse"'
                f' patternTransform="rotate(45)"><rect class="ground {tone}" width="{step}" height="{step}"/>'
                f'<path class="hatch {tone}" d="M0 0V{step}"/></pattern>'
            )
    return f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs>{"".join(made)}</defs></svg>'


def _ink(key: str, tone: str, quality: str) -> str:
    """Class and, for what was not measured, the hatch of a shape."""
    quality = quality if quality in QUALITIES else "imputed"
    hatch = f' fill="url(#{key}-{quality}-{tone})"' if quality != QUALITIES[0] and tone in TONES else ""
    return f'class="{tone} {quality}"{hatch}'


# --- row bars ---------------------------------------------------------------------------------------------------------


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
                f'<rect {_ink(key, span.tone, span.quality)} x="{_share(start)}" y="0"'
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


def swatch(tone: str, quality: str, key: str) -> str:
    """The sample of a tone and a quality in a legend."""
    return (
        f'<svg class="swatch" width="28" height="14" aria-hidden="true">'
        f'<rect {_ink(key, tone, quality)} x="1" y="1" width="26" height="12"/></svg>'
    )


# --- the flow ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Place:
    """Where a bar (or the knee of a long flow) stands in its layer."""

    layer: int
    size: int
    bar: Bar | None
    at: float = 0.0
    """Across the layer: from the top in the lying picture, from the left in the upright one."""
    span: float = 0.0


@dataclass(slots=True)
class Ribbon:
    """One flow with its two edges at each bar and knee that it passes."""

    stream: Stream
    stops: list[str]
    width: float = 0.0
    leaves: list[float] = field(default_factory=list)
    enters: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """All places and ribbons, before anything is drawn."""

    places: dict[str, Place]
    ribbons: list[Ribbon]
    layers: list[list[str]]
    columns: list[int]
    length: float


def lay_out(
    bars_: Sequence[Bar], streams: Sequence[Stream], *, body: float, gap: float, slot: Callable[[Bar, float], float]
) -> Layout:
    """Place every bar in the layer of its column, so that nothing that is labelled touches another.

    ``body`` is the length of the fullest layer's bars. A flow that jumps over layers gets a knee in each, so it runs
    around the bars there instead of behind them.
    """
    columns = sorted({bar.column for bar in bars_})
    places = {bar.key: Place(columns.index(bar.column), _size(bar.key, streams), bar) for bar in bars_}
    ribbons = [_route(n, s, places) for n, s in enumerate(streams) if s.value > 0]
    layers = [[key for key, place in places.items() if place.layer == n] for n in range(len(columns))]
    scale = body / max([sum(places[key].size for key in layer) for layer in layers] + [1])
    for place in places.values():
        place.span = place.size * scale
    _untangle(layers, places, ribbons)
    length = _settle(layers, places, ribbons, lambda key: _room(places[key], slot), gap)
    _attach(places, ribbons, scale)
    return Layout(places, ribbons, layers, columns, length)


def _room(place: Place, slot: Callable[[Bar, float], float]) -> float:
    """What a bar and its label need; a knee has no label."""
    return slot(place.bar, place.span) if place.bar is not None else place.span


def _size(key: str, streams: Sequence[Stream]) -> int:
    """A bar is as long as the larger of what comes in and what goes out."""
    return max(sum(s.value for s in streams if s.target == key), sum(s.value for s in streams if s.source == key))


def _route(number: int, stream: Stream, places: dict[str, Place]) -> Ribbon:
    """The bars that a flow touches, with a knee added in every layer between them."""
    first, last = places[stream.source].layer, places[stream.target].layer
    knees = [f"\0{number}:{layer}" for layer in range(first + 1, last)]
    for layer, knee in enumerate(knees, first + 1):
        places[knee] = Place(layer, stream.value, None)
    return Ribbon(stream, [stream.source, *knees, stream.target])


Ties = dict[str, list[tuple[str, int]]]


def _ties(ribbons: list[Ribbon]) -> tuple[Ties, Ties]:
    """What each bar and knee is tied to in the layer before and in the layer after, with how much."""
    before: Ties = {}
    after: Ties = {}
    for ribbon in ribbons:
        for a, b in pairwise(ribbon.stops):
            before.setdefault(b, []).append((a, ribbon.stream.value))
            after.setdefault(a, []).append((b, ribbon.stream.value))
    return before, after


def _untangle(layers: list[list[str]], places: dict[str, Place], ribbons: list[Ribbon]) -> None:
    """Order each layer so that few flows cross: by the middle of what it is tied to, then by swapping neighbours."""
    both = _ties(ribbons)

    def rank() -> dict[str, float]:
        return {key: (n + 0.5) / len(layer) for layer in layers for n, key in enumerate(layer)}

    for sweep in range(8):
        ties = both[sweep % 2]
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            at = rank()
            middle = {key: _middle(ties.get(key, ()), at, at[key]) for key in layer}
            layer.sort(key=lambda key: (round(middle[key], 6), places[key].bar is None))
    for _ in range(8):
        for layer in layers:
            _swap(layer, both, rank())
    told = {key: n for n, key in enumerate(places)}
    for layer in layers:
        _as_told(layer, both, told)


def _as_told(layer: list[str], both: tuple[Ties, Ties], told: Mapping[str, int]) -> None:
    """Bars that are tied to the same bars keep the order in which they were given: 1, 2, 3."""
    alike: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for n, key in enumerate(layer):
        kin = tuple(tuple(sorted(end for end, _ in ties.get(key, ()))) for ties in both)
        alike.setdefault(kin, []).append(n)
    for spots in alike.values():
        for n, key in zip(spots, sorted((layer[n] for n in spots), key=told.__getitem__), strict=True):
            layer[n] = key


def _middle(ties: Sequence[tuple[str, int]], at: Mapping[str, float], own: float) -> float:
    """The mean place of what a bar is tied to, weighed by the flow."""
    return sum(at[key] * value for key, value in ties) / sum(value for _, value in ties) if ties else own


def _swap(layer: list[str], both: tuple[Ties, Ties], at: Mapping[str, float]) -> None:
    """Swap neighbours where that makes less cross."""

    def crossing(upper: str, lower: str) -> int:
        return sum(
            min(v, w) for ties in both for a, v in ties.get(upper, ()) for b, w in ties.get(lower, ()) if at[a] > at[b]
        )

    for n in range(len(layer) - 1):
        upper, lower = layer[n], layer[n + 1]
        if crossing(lower, upper) < crossing(upper, lower):
            layer[n], layer[n + 1] = lower, upper


def _settle(
    layers: list[list[str]], places: dict[str, Place], ribbons: list[Ribbon], room: Callable[[str], float], gap: float
) -> float:
    """Draw every bar towards what it is tied to, as far as order and labels allow; gives the length needed."""
    lengths = [sum(map(room, layer)) + gap * max(len(layer) - 1, 0) for layer in layers]
    length = max([*lengths, 0.0])
    for layer, used in zip(layers, lengths, strict=True):
        at = (length - used) / 2
        for key in layer:
            places[key].at = at + (room(key) - places[key].span) / 2
            at += room(key) + gap
    both = _ties(ribbons)
    for sweep in range(24):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            middles = {key: place.at + place.span / 2 for key, place in places.items()}
            for key in layer:
                wanted = _middle(both[sweep % 2].get(key, ()), middles, middles[key])
                places[key].at += (wanted - middles[key]) * 0.9
            _part(layer, places, room, gap, length)
    return length


def _part(layer: list[str], places: dict[str, Place], room: Callable[[str], float], gap: float, length: float) -> None:
    """Push apart what would touch, from the top down and then from the bottom up."""
    at = 0.0
    for key in layer:
        half = (room(key) - places[key].span) / 2
        places[key].at = max(places[key].at, at + half)
        at = places[key].at + places[key].span + half + gap
    at = length
    for key in reversed(layer):
        half = (room(key) - places[key].span) / 2
        places[key].at = min(places[key].at, at - half - places[key].span)
        at = places[key].at - half - gap


def _attach(places: dict[str, Place], ribbons: list[Ribbon], scale: float) -> None:
    """Give each ribbon its own stretch of every bar it touches, in the order in which they arrive and leave."""
    legs: dict[tuple[str, bool], list[tuple[float, int, int]]] = {}
    for number, ribbon in enumerate(ribbons):
        ribbon.width = ribbon.stream.value * scale
        ribbon.leaves = [0.0] * (len(ribbon.stops) - 1)
        ribbon.enters = [0.0] * (len(ribbon.stops) - 1)
        for leg, (a, b) in enumerate(pairwise(ribbon.stops)):
            legs.setdefault((a, True), []).append((places[b].at, number, leg))
            legs.setdefault((b, False), []).append((places[a].at, number, leg))
    for (key, leaving), passing in legs.items():
        at = places[key].at
        for _, number, leg in sorted(passing):
            ribbon = ribbons[number]
            (ribbon.leaves if leaving else ribbon.enters)[leg] = at
            at += ribbon.width


def sankey(
    bars_: Sequence[Bar], streams: Sequence[Stream], *, headings: Mapping[int, str], saying: Saying, hatches: str
) -> str:
    """The flow from left to right: columns are phases in time, and labels never meet because each has its slot."""
    width, left, right, thick, top = 1080.0, 232.0, 232.0, 14.0, 52.0
    last = len({bar.column for bar in bars_}) - 1
    edge = {bar.column for bar in bars_ if bar.column in _ends(bars_)}
    laid = lay_out(
        bars_, streams, body=360, gap=7, slot=lambda bar, span: max(span, 19) if bar.column in edge else span + 60
    )
    step = (width - left - right - thick) / max(last, 1)
    along = [left + n * step for n in range(last + 1)]
    height = laid.length + top + 10
    parts = [saying.head(width, height, "sankey wide")]
    parts += [_ribbon(r, laid, along, thick, top, hatches, upright=False) for r in laid.ribbons]
    for n, column in enumerate(laid.columns):
        anchor, x = ("end", along[n] + thick) if n == 0 else ("start", along[n])
        parts.append(
            f'<text class="head" x="{_n(x)}" y="16" text-anchor="{anchor}">{escape(headings.get(column, ""))}</text>'
        )
    for layer in laid.layers:
        for place in (laid.places[key] for key in layer):
            if place.bar is not None:
                parts.append(_lying_bar(place, place.bar, along[place.layer], thick, top, left, last))
    return "".join(parts) + "</svg>"


def _ends(bars_: Sequence[Bar]) -> tuple[int, int]:
    """The first and the last column."""
    columns = [bar.column for bar in bars_] or [0]
    return min(columns), max(columns)


def _lying_bar(place: Place, bar: Bar, x: float, thick: float, top: float, margin: float, last: int) -> str:
    """A bar of the lying picture: labels outside at both ends, above the bar in between."""
    y = top + place.at
    parts = [_rect(bar, x, y, thick, place.span, upright=False)]
    room = margin - 18 - breadth(bar.amount)
    name = shorten(bar.label, room)
    if place.layer in {0, last}:
        anchor, at = ("end", x - 9) if place.layer == 0 else ("start", x + thick + 9)
        middle = y + place.span / 2 + 4.5
        parts.append(_label(name, bar.amount, at, middle, anchor, bar.label, split=False))
    else:
        parts.append(_label(shorten(bar.label, 150), bar.amount, x, y - 21, "start", bar.label, split=True))
    return "".join(parts)


def _rect(bar: Bar, x: float, y: float, width: float, height: float, *, upright: bool) -> str:
    """The bar itself, never thinner than a hair; an open end where labour is missing."""
    width, height = (max(width, 1.5), height) if upright else (width, max(height, 1.5))
    shape = f'<rect class="bar {bar.tone}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"/>'
    if not bar.open:
        return shape
    return shape + (
        f'<rect class="open" x="{_n(x - 3)}" y="{_n(y - 3)}" width="{_n(width + 6)}" height="{_n(height + 6)}"/>'
    )


def _label(name: str, amount: str, x: float, y: float, anchor: str, full: str, *, split: bool) -> str:
    """Name and amount, on one line or on two; the full name on hover when it was cut."""
    title = f"<title>{escape(full)}</title>" if name != full else ""
    second = f' x="{_n(x)}" dy="1.15em"' if split else ' dx="0.5em"'
    return (
        f'<text class="name" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{title}{escape(name)}'
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
        return f"{_n(across)} {_n(t)}" if upright else f"{_n(t)} {_n(across)}"

    d = f"M{pair(there[0][0])}" + "".join(
        f"{_join(n, leg, pair)}C{' '.join(map(pair, leg[1:]))}" for n, leg in enumerate(there)
    )
    home = [list(reversed(leg)) for leg in reversed(back)]
    d += f"L{pair(home[0][0])}" + "".join(
        f"{_join(n, leg, pair)}C{' '.join(map(pair, leg[1:]))}" for n, leg in enumerate(home)
    )
    tone = _ink(key, r.stream.tone, r.stream.quality).replace('class="', 'class="flow ', 1)
    return f'<path {tone} d="{d}Z"><title>{escape(r.stream.note)}</title></path>'


def _join(number: int, leg: list[tuple[float, float]], pair: Callable[[tuple[float, float]], str]) -> str:
    """A straight piece across a knee, before every leg but the first."""
    return f"L{pair(leg[0])}" if number else ""


# --- the flow, upright ------------------------------------------------------------------------------------------------


def sankey_upright(
    bars_: Sequence[Bar], streams: Sequence[Stream], *, headings: Mapping[int, str], saying: Saying, hatches: str
) -> str:
    """The same flow from top to bottom for a narrow page; labels step down a line where they would meet."""
    width, thick, between, line = 320.0, 14.0, 66.0, 14.0
    columns = sorted({bar.column for bar in bars_})
    fullest = max([sum(bar.column == column for bar in bars_) for column in columns] + [1])
    body = width - 12.0 * (fullest + len(columns))
    laid = lay_out(bars_, streams, body=body, gap=12, slot=lambda _, span: max(span, 10))
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
        parts.append(f'<text class="head" x="0" y="{_n(base - 9)}">{escape(headings.get(column, ""))}</text>')
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
    parts = [f'<path class="lead" d="M{_n(own)} {_n(base + 28)}V{_n(y)}"/>'] if base + 30 < y else []
    parts.append(_rect(bar, x, y, place.span, thick, upright=True))
    parts.append(
        _label(shorten(bar.label, width, SMALL), bar.amount, middle, base + 8, "middle", bar.label, split=True)
    )
    return "".join(parts)


# --- scatter and line -------------------------------------------------------------------------------------------------


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


def scatter(
    points: Sequence[Point], *, axes: tuple[str, str], unit: Callable[[int], str], saying: Saying, narrow: bool = False
) -> str:
    """Each point with its name where there is room for it; quarters where both signs agree are tinted."""
    width, height = (320.0, 330.0) if narrow else (680.0, 470.0)
    frame = _Frame(_range([p.x for p in points]), _range([p.y for p in points]), (72.0, 26.0, width - 22, height - 46))
    parts = [saying.head(width, height, "scatter " + ("upright" if narrow else "wide")), _quarters(frame)]
    left, top, right, bottom = frame.box
    for value in ticks(*frame.xs, about=2 if narrow else 4):
        x = frame.x(value)
        parts.append(f'<line class="grid" x1="{_n(x)}" x2="{_n(x)}" y1="{_n(top)}" y2="{_n(bottom)}"/>')
        parts.append(
            f'<text class="tick" x="{_n(x)}" y="{_n(bottom + 17)}" text-anchor="middle">{escape(unit(value))}</text>'
        )
    for value in ticks(*frame.ys):
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{_n(left)}" x2="{_n(right)}" y1="{_n(y)}" y2="{_n(y)}"/>')
        parts.append(
            f'<text class="tick" x="{_n(left - 7)}" y="{_n(y + 4)}" text-anchor="end">{escape(unit(value))}</text>'
        )
    parts.append(
        f'<text class="head" x="{_n(right)}" y="{_n(height - 6)}" text-anchor="end">{escape(axes[0])} →</text>'
    )
    parts.append(f'<text class="head" x="{_n(left)}" y="14">↑ {escape(axes[1])}</text>')
    parts += [
        f'<circle class="dot" cx="{_n(frame.x(p.x))}" cy="{_n(frame.y(p.y))}" r="4.5">'
        f"<title>{escape(p.note)}</title></circle>"
        for p in points
    ]
    parts += _names(points, frame)
    return "".join(parts) + "</svg>"


@dataclass(frozen=True, slots=True)
class _Frame:
    """Ranges of the data and the box that they fill."""

    xs: tuple[int, int]
    ys: tuple[int, int]
    box: tuple[float, float, float, float]

    def x(self, value: int) -> float:
        low, high = self.xs
        return self.box[0] + (value - low) * (self.box[2] - self.box[0]) / (high - low)

    def y(self, value: int) -> float:
        low, high = self.ys
        return self.box[3] - (value - low) * (self.box[3] - self.box[1]) / (high - low)


def _range(values: Sequence[int]) -> tuple[int, int]:
    """From the smallest to the largest with a margin, and zero always inside."""
    low, high = min([*values, 0]), max([*values, 0])
    margin = max((high - low) // 12, 1)
    return low - margin, high + margin


def _quarters(frame: _Frame) -> str:
    """The two quarters where prediction and measurement have the same sign."""
    left, top, right, bottom = frame.box
    x, y = frame.x(0), frame.y(0)
    return (
        f'<path class="agree" d="M{_n(x)} {_n(top)}H{_n(right)}V{_n(y)}H{_n(left)}V{_n(bottom)}H{_n(x)}Z"/>'
        f'<path class="zero" d="M{_n(left)} {_n(y)}H{_n(right)}M{_n(x)} {_n(top)}V{_n(bottom)}"/>'
    )


_SPOTS = (
    *((8, 4, "start"), (-8, 4, "end"), (0, -9, "middle"), (0, 17, "middle"), (7, -7, "start"), (7, 14, "start")),
    *((-7, -7, "end"), (-7, 14, "end"), (22, 20, "start"), (-22, 20, "end"), (22, -14, "start"), (-22, -14, "end")),
    *((34, 32, "start"), (-34, 32, "end"), (34, -28, "start"), (-34, -28, "end")),
)
"""Where a name may stand beside its point, best first; far ones get a hairline to the point."""
_FAR = 20


def _names(points: Sequence[Point], frame: _Frame) -> list[str]:
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
    lead = f'<path class="lead" d="M{_n(x)} {_n(y)}L{_n(x + dx)} {_n(y + dy - 4)}"/>' if abs(dx) > _FAR else ""
    return f'{lead}<text class="name" x="{_n(x + dx)}" y="{_n(y + dy)}" text-anchor="{anchor}">{escape(name)}</text>'


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def sparkline(values: Sequence[int], *, saying: Saying) -> str:
    """A curve without axes: the values as a thin line, their running mean as a strong one, first and last as dots."""
    width, height, pad = 640.0, 120.0, 8.0
    low, high = min(values, default=0), max(values, default=1)
    reach = max(high - low, 1)
    window = max(len(values) // 16, 1)

    def x(n: int) -> float:
        return pad + n * (width - 2 * pad) / max(len(values) - 1, 1)

    def y(value: float) -> float:
        return height - pad - (value - low) * (height - 2 * pad) / reach

    means = [sum(part) / len(part) for n in range(len(values)) if (part := values[max(n - window, 0) : n + window + 1])]
    parts = [saying.head(width, height, "spark")]
    parts.append(f'<path class="zero" d="M0 {_n(height - 1)}H{_n(width)}"/>')
    for kind, series in (("raw", list(map(float, values))), ("mean", means)):
        line = " ".join(f"{_n(x(n))},{_n(y(v))}" for n, v in enumerate(series))
        parts.append(f'<polyline class="{kind}" points="{line}"/>')
    parts += [
        f'<circle class="dot" cx="{_n(x(n))}" cy="{_n(y(means[n]))}" r="4"/>'
        for n in sorted({0, len(means) - 1})
        if means
    ]
    return "".join(parts) + "</svg>"

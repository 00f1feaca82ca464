"""Where everything stands in the picture of the flow: bars in layers, bands between them, nothing on top of a label."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


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
    bars: Sequence[Bar], streams: Sequence[Stream], *, body: float, gap: float, slot: Callable[[Bar, float], float]
) -> Layout:
    """Place every bar in the layer of its column, so that nothing that is labelled touches another.

    ``body`` is the length of the fullest layer's bars. A flow that jumps over layers gets a knee in each, so it runs
    around the bars there instead of behind them.
    """
    columns = sorted({bar.column for bar in bars})
    places = {bar.key: Place(columns.index(bar.column), _size(bar.key, streams), bar) for bar in bars}
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

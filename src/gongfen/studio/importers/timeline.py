"""One maker's time line: what overlaps is counted once, and what goes past midnight is of two days."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import tzinfo

from gongfen.studio.importers.reading import day_of, end_of_day

Span = tuple[int, int]


class Timeline:
    """The stretches of time that are taken, disjoint and in order; µs since 1970."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def free(self, span: Span) -> list[Span]:
        """The parts of a stretch that nothing has taken.

        >>> line = Timeline()
        >>> line.take((10, 20))
        >>> line.free((5, 30))
        [(5, 10), (20, 30)]
        """
        start, end = span
        parts: list[Span] = []
        at = bisect_right(self._ends, start)
        while at < len(self._starts) and self._starts[at] < end:
            if self._starts[at] > start:
                parts.append((start, self._starts[at]))
            start = max(start, self._ends[at])
            at += 1
        if start < end:
            parts.append((start, end))
        return parts

    def take(self, span: Span) -> None:
        """Take a stretch; what it touches becomes one with it."""
        start, end = span
        if start >= end:
            return
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def give_back(self, span: Span) -> None:
        """Free a stretch again.

        >>> line = Timeline()
        >>> line.take((10, 20))
        >>> line.give_back((12, 15))
        >>> line.free((0, 30))
        [(0, 10), (12, 15), (20, 30)]
        """
        start, end = span
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        if start >= end or first >= last:
            return
        rest = [part for part in ((self._starts[first], start), (end, self._ends[last - 1])) if part[0] < part[1]]
        self._starts[first:last] = [part[0] for part in rest]
        self._ends[first:last] = [part[1] for part in rest]


def days(parts: list[Span], labour_us: int, zone: tzinfo) -> dict[str, int]:
    """So much labour within these parts, by the day of the zone; filled from the beginning."""
    found: dict[str, int] = {}
    for day, length in _pieces(parts, zone):
        spent = min(length, labour_us)
        if spent:
            found[day] = found.get(day, 0) + spent
        labour_us -= spent
    return found


def _pieces(parts: list[Span], zone: tzinfo) -> Iterator[tuple[str, int]]:
    for begin, end in parts:
        start = begin
        while start < end:
            stop = min(end, end_of_day(start, zone))
            yield day_of(start, zone), stop - start
            start = stop

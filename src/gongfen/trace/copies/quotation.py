"""Which stretches of an output stand word for word in a training work: exact, maximal, never overlapping.

A quotation is a *certain* finding, unlike influence: the same words in the same order. It says where they stand, not
why the model wrote them; OLMoTrace (arXiv:2504.07096) shows verbatim matches over a whole training set and its
readers take them for causes, so the two are kept apart here. What is seen and what is not is said in
:mod:`gongfen.trace.copies.tokens`; what follows a work word for word almost is in
:mod:`gongfen.trace.copies.near_copies`.

**What counts.** A span is long enough with ``min_words`` words, or ``min_han`` characters, or a mixture that adds up:
``words / min_words + characters / min_han ≥ 1``. That sum is also its length. The longest span of the output is taken
first (ties: work id, then place in the output, then place in the work), and the search goes on to its left and right,
so a longer quotation that overlaps another shortens it and does not hide it.

**Commonplaces.** A span found in the works of more than ``commonplace_makers`` makers ("of the United States of
America") belongs to none of them and is not a quotation. Where no makers are given, every work counts as one maker's.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from gongfen.errors import MalformedFactError
from gongfen.trace.copies.suffixes import Ids, Suffixes
from gongfen.trace.copies.tokens import measure, tokens


@dataclass(frozen=True, slots=True)
class QuoteRule:
    """From how many words or Han characters on a span counts, and when it is everybody's."""

    min_words: int = 6
    min_han: int = 12
    commonplace_makers: int = 3

    def __post_init__(self) -> None:
        for field in ("min_words", "min_han", "commonplace_makers"):
            value = getattr(self, field)
            if type(value) is not int or value < 1:
                raise MalformedFactError(
                    "quote rule", f"has {field}={value!r}", f"give {field} as a whole number from 1 upwards"
                )


DEFAULT_RULE = QuoteRule()


@dataclass(frozen=True, slots=True, order=True)
class Quote:
    """``output[start:end]`` stands in ``work[work_start:work_end]``, in code points; ``also`` in these works."""

    start: int
    end: int
    work: str
    work_start: int
    work_end: int
    also: tuple[str, ...] = ()


class _Match(NamedTuple):
    """Output tokens ``start:end`` stand in the works; ``holders`` are these works' numbers, from ``place`` on first."""

    start: int
    end: int
    place: int
    holders: tuple[int, ...]


class QuoteIndex:
    """The works, read once; many outputs can be looked up.

    A look-up bisects once a token of the output, all of them together, and a few times more for each span that is
    held: its time hardly grows with the works. Only an output that repeats a long phrase more often than a work does
    that repeats it too costs their product.
    """

    def __init__(
        self,
        works: Mapping[str, str] | Suffixes,
        rule: QuoteRule = DEFAULT_RULE,
        makers: Mapping[str, str] | None = None,
    ) -> None:
        self.rule = rule
        self._held = works if isinstance(works, Suffixes) else Suffixes(works)
        self._makers = [(makers or {}).get(work, work) for work in self._held.works]

    def find(self, output: str) -> tuple[Quote, ...]:
        """The quotations in one output, by place."""
        spelled = list(tokens(output))
        keys = [token.key for token in spelled]
        quotes = []
        for match in self._choose(keys):
            work_start, work_end = self._held.span(match.place, match.end - match.start)
            quote = Quote(
                start=spelled[match.start].start,
                end=spelled[match.end - 1].end,
                work=self._held.works[match.holders[0]],
                work_start=work_start,
                work_end=work_end,
                also=tuple(self._held.works[other] for other in match.holders[1:]),
            )
            quotes.append(quote)
        return tuple(sorted(quotes))

    def _choose(self, keys: Sequence[str]) -> Iterator[_Match]:
        """Longest first; what overlaps a chosen span is cut down to its free parts and waits its turn again.

        What too many hold is dropped, and with it every part of it: all of them hold that, too.
        """
        length, enough = measure(keys, self.rule.min_words, self.rule.min_han)
        look = Look(self._held, self._held.ids(keys), min(self.rule.min_words, self.rule.min_han))
        queue: list[tuple[int, int, int, int, int]] = []

        def wait(start: int, end: int) -> None:
            if (size := length(start, end)) >= enough:
                place = look.first_place(start, end)
                heappush(queue, (-size, self._held.work_at(place), start, place, end))

        for start, end in look.longest():
            wait(start, end)
        free = bytearray(b"\x01" * len(keys))
        while queue:
            _, _, start, place, end = heappop(queue)
            if free.find(b"\x00", start, end) < 0:
                holders = look.holders(start, end)
                if len({self._makers[holder] for holder in holders}) <= self.rule.commonplace_makers:
                    free[start:end] = bytes(end - start)
                    yield _Match(start, end, place, holders)
                continue
            for first, last in _runs(free, start, end):
                wait(first, last)


class Look:
    """One output held against the works: which of its spans stand there, of ``seed`` tokens or more."""

    def __init__(self, held: Suffixes, ids: Ids, seed: int) -> None:
        self._held = held
        self._seed = seed
        self._count = len(ids)
        low, high = held.parts(ids, seed)
        self._run = ids.tobytes()
        self._width = ids.itemsize
        self._starts = np.flatnonzero(low < high)
        self._low, self._high = low.tolist(), high.tolist()
        self._parts: dict[bytes, tuple[int, int]] = {}
        self._holders: dict[tuple[int, int], tuple[int, ...]] = {}
        self._firsts: dict[tuple[int, int], int] = {}

    def longest(self) -> Iterator[tuple[int, int]]:
        """Every span that stands in a work and is no part of another such span, from left to right."""
        start = self._next(0)
        while start < self._count:
            end = self._reach(start)
            yield start, end
            if end == self._count:
                return
            # The next one reaches further. If it does from some start on, it does from every later one.
            seeds = range(start + 1, end + 2 - self._seed)
            at = bisect_left(seeds, True, key=lambda other: self._stands(other, end + 1))
            start = seeds[at] if at < len(seeds) else self._next(end + 2 - self._seed)

    def first_place(self, start: int, end: int) -> int:
        """The first place where a span stands: the works are in order, so it is in the first of its works."""
        part = self._part(start, end)
        if part not in self._firsts:
            self._firsts[part] = int(self._held.places(*part).min())
        return self._firsts[part]

    def holders(self, start: int, end: int) -> tuple[int, ...]:
        """The works that a span stands in."""
        part = self._part(start, end)
        if part not in self._holders:
            self._holders[part] = tuple(np.unique(self._held.works_at(self._held.places(*part))).tolist())
        return self._holders[part]

    def _next(self, start: int) -> int:
        """The first seed from ``start`` on that stands anywhere; the end if there is none."""
        at = int(np.searchsorted(self._starts, start))
        return int(self._starts[at]) if at < len(self._starts) else self._count

    def _reach(self, start: int) -> int:
        """How far the longest span from ``start`` on goes."""
        length = self._seed
        while start + 2 * length <= self._count and self._stands(start, start + 2 * length):
            length *= 2
        ends = range(start + length + 1, min(start + 2 * length, self._count + 1))
        return start + length + bisect_left(ends, True, key=lambda end: not self._stands(start, end))

    def _stands(self, start: int, end: int) -> bool:
        low, high = self._part(start, end)
        return low < high

    def _part(self, start: int, end: int) -> tuple[int, int]:
        """The part of the suffix array for a span. What the output repeats is looked for once."""
        run = self._run[self._width * start : self._width * end]
        if run not in self._parts:
            self._parts[run] = self._held.narrowed(run, self._low[start], self._high[start])
        return self._parts[run]


def find_quotes(
    text: str, works: Mapping[str, str], rule: QuoteRule = DEFAULT_RULE, makers: Mapping[str, str] | None = None
) -> tuple[Quote, ...]:
    """The stretches of ``text`` that stand in ``works`` (id → text); ``makers`` maps work ids to makers.

    >>> found = find_quotes("He said: a house divided stands!", {"l": "A house, divided, stands."}, QuoteRule(3))
    >>> [(quote.start, quote.end, quote.work) for quote in found]
    [(9, 31, 'l')]
    """
    return QuoteIndex(works, rule, makers).find(text)


def _runs(free: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The free parts of a span."""
    while (start := free.find(b"\x01", start, end)) >= 0:
        stop = free.find(b"\x00", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop

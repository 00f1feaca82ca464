"""Where any run of tokens stands in the works: a suffix array (Manber and Myers 1993), eight bytes a token.

All works stand one after another with a gap between them; the array holds every place in the order of what follows
there. So the places of one run are neighbours, found by bisection, whatever the run's length: exact quotations ask for
long runs, near copies for short ones, and one array answers both. libdivsufsort makes it, in a time that hardly
depends on how often a work repeats itself.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydivsufsort import divsufsort

from gongfen.trace.copies.tokens import Token, tokens, words

GAP = 0
UNHEARD = 0xFFFFFFFF
"""A token that stands in no work."""

_NUMBER = np.dtype(">u4")

Ids = NDArray[np.uint32]
Places = NDArray[np.int64]


class Suffixes:
    """The works, read once. A *place* counts tokens over all works in the order of their ids, gaps included."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.works = sorted(texts)
        self._texts = texts
        self._spelled: dict[int, list[Token]] = {}
        self._vocabulary: dict[str, int] = {}
        vocabulary = self._vocabulary
        runs = [np.zeros(1, np.uint32)]
        firsts: list[int] = []
        place = 1
        for work in self.works:
            firsts.append(place)
            run = [vocabulary.setdefault(key, len(vocabulary) + 1) for key in words(texts[work])]
            run.append(GAP)
            runs.append(np.array(run, np.uint32))
            place += len(run)
        together = np.concatenate(runs)
        self._firsts: Places = np.array(firsts, np.int64)
        self.order: Places = divsufsort(together)
        # Most significant byte first: then bytes are in the order of the tokens, and compare in one step.
        self.held: Ids = together.astype(_NUMBER)

    def ids(self, keys: Sequence[str]) -> Ids:
        """Tokens as the works' numbers."""
        return np.array([self._vocabulary.get(key, UNHEARD) for key in keys], _NUMBER)

    def work_at(self, place: int) -> int:
        """In which work a place is: its number in ``works``."""
        return int(np.searchsorted(self._firsts, place, "right")) - 1

    def works_at(self, places: Places) -> Places:
        """In which works places are."""
        found: Places = np.searchsorted(self._firsts, places, "right") - 1
        return found

    def bounds(self, work: int) -> tuple[int, int]:
        """The places of a work: its first, and that of the gap behind it."""
        last = self._firsts[work + 1] if work + 1 < len(self._firsts) else len(self.held)
        return int(self._firsts[work]), int(last) - 1

    def span(self, place: int, count: int) -> tuple[int, int]:
        """Where ``count`` tokens from ``place`` on stand in the text of their work, in code points."""
        work = self.work_at(place)
        if work not in self._spelled:
            self._spelled[work] = list(tokens(self._texts[self.works[work]]))
        first = place - int(self._firsts[work])
        return self._spelled[work][first].start, self._spelled[work][first + count - 1].end

    def places(self, low: int, high: int) -> Places:
        """The places of a part of the array."""
        return self.order[low:high]

    def places_of(self, ranks: Places) -> Places:
        """The places of many numbers in the array."""
        found: Places = self.order[ranks].astype(np.int64)
        return found

    def narrowed(self, run: bytes, low: int, high: int) -> tuple[int, int]:
        """The part of ``low:high`` where places begin with a run of tokens, given as the bytes of its ids."""
        held = self.held.view(np.uint8).data

        def beginning(at: int) -> bytes:
            place = _NUMBER.itemsize * int(self.order[at])
            return bytes(held[place : place + len(run)])

        low = bisect_left(range(high), run, low, key=beginning)
        return low, bisect_right(range(high), run, low, key=beginning)

    def parts(self, ids: Ids, size: int) -> tuple[Places, Places]:
        """For every ``size`` tokens in a row of ``ids``, the part of the array where they stand: all at once."""
        count = max(len(ids) - size + 1, 0)
        runs = [ids[shift : shift + count] for shift in range(size)]
        return self._bounds(runs, count, after=False), self._bounds(runs, count, after=True)

    def _bounds(self, runs: Sequence[Ids], count: int, *, after: bool) -> Places:
        """Where each run would go into the array: before, or after, those that are equal to it."""
        low = np.zeros(count, np.int64)
        high = np.full(count, len(self.order), np.int64)
        for _ in range(len(self.order).bit_length()):
            middle = (low + high) >> 1
            right = self._below(runs, self.order.take(middle, mode="clip"), after=after) & (low < high)
            low = np.where(right, middle + 1, low)
            high = np.where(right, high, np.minimum(middle, high))
        return low

    def _below(self, runs: Sequence[Ids], places: Places, *, after: bool) -> NDArray[np.bool_]:
        """Whether what stands at each place is before its run; ``after``: or is the run itself."""
        below = np.zeros(len(places), np.bool_)
        open_ = np.ones(len(places), np.bool_)
        for shift, run in enumerate(runs):
            # Behind the last gap stand gaps: smaller than every token, as the end of a text is.
            held = self.held.take(places + shift, mode="clip")
            below |= open_ & (held < run)
            open_ &= held == run
        return below | open_ if after else below

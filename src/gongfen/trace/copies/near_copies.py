"""Which stretches of an output follow a work closely, but not word for word: common runs propose, alignment decides.

**What counts.** Output and work are aligned token by token: equal, differing, or in one of the two only. A near copy is
a stretch of such an alignment in which at least four of five tokens are equal and at least one is not, as long as
``min_words`` words or ``min_han`` characters of the output, or a mixture that adds up (twice an exact quotation). In
every beginning and end of it more tokens are equal than not: it neither starts nor ends in something else. Its
similarity is equal over aligned tokens.

**Nothing is missed by the proposal.** Cut such an alignment into blocks of n to 2n − 1 columns, n being the fewest
tokens that count: one block, of c columns, has at least four equal in five, so at most ⌊c/5⌋ others, and each of them
breaks at most three runs of three tokens. So at least c − 2 − 3⌊c/5⌋ runs of three tokens are common, within 2n − 4
places of the output and ⌊(2n − 1)/5⌋ + 1 diagonals (the q-gram lemma: Jokinen and Ukkonen 1991; Rasmussen, Stoye and
Myers 2006). The suffix array gives all common runs of three; where so many lie so close, the texts are aligned. No hash
takes part.

**The alignment** grows from a common run both ways, by furthest-reaching points with the fewest differing tokens
(Zhang, Schwartz, Wagner and Miller 2000), until the differing ones outnumber the equal ones by more than twelve since
it was best. The longest stretch that counts is cut out of it.

**Commonplaces, and quotations.** What works of more than ``commonplace_makers`` makers hold, word for word or
closely, is nobody's. What one exact quotation covers to four fifths is a quotation and not told again; a near copy that
holds shorter exact ones stands beside them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongfen.errors import MalformedFactError
from gongfen.facts.amounts import PPM
from gongfen.trace.copies.quotation import Quote
from gongfen.trace.copies.suffixes import Ids, Suffixes
from gongfen.trace.copies.tokens import measure, tokens

SAME_PPM = 800_000
"""The least similarity: four fifths. The proposal's arithmetic stands on it."""

_DIFFERS = 4  # a differing token outweighs so many equal ones: 4 / (4 + 1) is the least similarity
_GRAM = 3
_GIVE_UP = 12
_LEAST = 6  # fewer tokens than these need not have a common run of three
_MOST_HITS = 4_000_000
_MOST_ANCHORS = 20_000
_FIRST_SLICE = 256
_EQUAL, _OTHER, _MORE, _LESS = b"=", b"x", b"+", b"-"
"""A column of an alignment: equal, differing, in the output only, in the work only."""

_Wave = dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class NearRule:
    """From how many words or Han characters on a near copy counts, and when it is everybody's."""

    min_words: int = 16
    min_han: int = 24
    commonplace_makers: int = 3

    def __post_init__(self) -> None:
        for field, least in (("min_words", _LEAST), ("min_han", _LEAST), ("commonplace_makers", 1)):
            value = getattr(self, field)
            if type(value) is not int or value < least:
                raise MalformedFactError(
                    "near-copy rule", f"has {field}={value!r}", f"give {field} as a whole number from {least} upwards"
                )

    @property
    def fewest(self) -> int:
        """Tokens of the shortest near copy."""
        return min(self.min_words, self.min_han)


DEFAULT_RULE = NearRule()


@dataclass(frozen=True, slots=True, order=True)
class NearCopy:
    """``output[start:end]`` follows ``work[work_start:work_end]``, in code points; ``also`` works follow it, too."""

    start: int
    end: int
    work: str
    work_start: int
    work_end: int
    equal: int
    """Tokens that are the same in the same order,"""
    aligned: int
    """of so many: equal, differing, in the output only and in the work only."""
    also: tuple[str, ...] = ()

    @property
    def similarity_ppm(self) -> int:
        """Equal over aligned tokens, rounded down."""
        return self.equal * PPM // self.aligned


class _Stretch(NamedTuple):
    """An alignment of the output's tokens from ``start`` on with the tokens from ``place`` on, in ``work``."""

    work: int
    start: int
    place: int
    columns: bytes

    @property
    def end(self) -> int:
        return self.start + _of_output(self.columns)

    @property
    def equal(self) -> int:
        return self.columns.count(_EQUAL)

    def part(self, first: int, last: int) -> "_Stretch":
        before = self.columns[:first]
        start, place = self.start + _of_output(before), self.place + _of_work(before)
        return _Stretch(self.work, start, place, self.columns[first:last])


class NearCopies:
    """The works, read once; many outputs can be looked up.

    Time grows with the common runs of three tokens, of which there are as many more as there are more works. An output
    with more than four million of them is looked at by its rarest ones.
    """

    def __init__(
        self,
        works: Mapping[str, str] | Suffixes,
        rule: NearRule = DEFAULT_RULE,
        makers: Mapping[str, str] | None = None,
    ) -> None:
        self.rule = rule
        self._held = works if isinstance(works, Suffixes) else Suffixes(works)
        self._makers = [(makers or {}).get(work, work) for work in self._held.works]

    def find(self, output: str, quotes: Sequence[Quote] = ()) -> tuple[NearCopy, ...]:
        """The near copies in one output, by place. ``quotes`` are its exact quotations."""
        spelled = list(tokens(output))
        starts = np.array([token.start for token in spelled])
        quoted = [tuple(np.searchsorted(starts, (quote.start, quote.end)).tolist()) for quote in quotes]
        keys = [token.key for token in spelled]
        found = []
        for stretch, also in self._choose(self._stretches(self._held.ids(keys)), keys, quoted):
            work_start, work_end = self._held.span(stretch.place, _of_work(stretch.columns))
            copy = NearCopy(
                start=spelled[stretch.start].start,
                end=spelled[stretch.end - 1].end,
                work=self._held.works[stretch.work],
                work_start=work_start,
                work_end=work_end,
                equal=stretch.equal,
                aligned=len(stretch.columns),
                also=tuple(self._held.works[other] for other in also),
            )
            found.append(copy)
        return tuple(sorted(found))

    def _stretches(self, ids: Ids) -> list[_Stretch]:
        """The longest stretch of each alignment in which four of five tokens are equal: of each work, once."""
        found: list[_Stretch] = []
        tried: set[tuple[int, int]] = set()
        grower = _Grower(self._held, ids)
        for anchor in islice(_anchors(self._held, ids, self.rule.fewest), _MOST_ANCHORS):
            if anchor in tried or any(_is_within(anchor, stretch) for stretch in found):
                continue
            tried.add(anchor)
            stretch = _longest(*grower.grown(*anchor), self.rule.fewest)
            if stretch is not None:
                found.append(stretch)
        return found

    def _choose(
        self, stretches: Sequence[_Stretch], keys: Sequence[str], quoted: Sequence[tuple[int, ...]]
    ) -> Iterator[tuple[_Stretch, list[int]]]:
        """Longest first; what overlaps a chosen one is cut down to its free parts and waits its turn again."""
        length, enough = measure(keys, self.rule.min_words, self.rule.min_han)
        queue: list[tuple[int, int, _Stretch]] = []

        def wait(stretch: _Stretch | None) -> None:
            if stretch is None or stretch.equal == len(stretch.columns):
                return
            size = length(stretch.start, stretch.end)
            covered = any(_is_mostly(stretch, *span) for span in quoted)
            if size >= enough and not covered:
                heappush(queue, (-size, len(stretch.columns) - stretch.equal, stretch))

        for stretch in stretches:
            wait(stretch)
        free = bytearray(b"\x01" * len(keys))
        while queue:
            _, _, stretch = heappop(queue)
            start, end = stretch.start, stretch.end
            if free.find(b"\x00", start, end) < 0:
                holders = {other.work for other in stretches if _is_mostly(stretch, other.start, other.end)}
                if len({self._makers[holder] for holder in holders}) <= self.rule.commonplace_makers:
                    free[start:end] = bytes(end - start)
                    yield stretch, sorted(holders - {stretch.work})
                continue
            for first, last in _free_columns(stretch, free):
                wait(_longest(stretch.part(first, last), None, self.rule.fewest))


def _of_output(columns: bytes) -> int:
    return len(columns) - columns.count(_LESS)


def _of_work(columns: bytes) -> int:
    return len(columns) - columns.count(_MORE)


def _is_mostly(stretch: _Stretch, start: int, end: int) -> bool:
    """Whether the span ``start:end`` of the output covers four fifths of a stretch."""
    common = min(stretch.end, end) - max(stretch.start, start)
    return common * PPM >= SAME_PPM * (stretch.end - stretch.start)


def _is_within(anchor: tuple[int, int], stretch: _Stretch) -> bool:
    start, place = anchor
    return 0 <= start - stretch.start < _of_output(stretch.columns) and (
        0 <= place - stretch.place < _of_work(stretch.columns)
    )


def _free_columns(stretch: _Stretch, free: bytearray) -> Iterator[tuple[int, int]]:
    """The runs of columns whose output tokens are free."""
    at, first = stretch.start, None
    for column, kind in enumerate(stretch.columns):
        taken = not free[min(at, stretch.end - 1)]
        if taken and first is not None:
            yield first, column
        first = None if taken else (column if first is None else first)
        at += kind != _LESS[0]
    if first is not None:
        yield first, len(stretch.columns)


# ---- the proposal: where enough common runs of three tokens lie close together ------------------------------------


def _anchors(held: Suffixes, ids: Ids, fewest: int) -> Iterator[tuple[int, int]]:
    """Where a near copy may be, the likeliest first: (output token, place) from which common runs of three go on."""
    starts, places = _hits(held, ids)
    sizes = range(fewest, 2 * fewest)
    needed = min(columns - _GRAM + 1 - _GRAM * (columns // 5) for columns in sizes)
    reach, drift = sizes[-1] - _GRAM, sizes[-1] // 5
    spots: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = []
    # Every drift + 1 neighbouring diagonals lie in one strip of the one division or of the other.
    for shift in (0, drift + 1):
        strips = (places - starts + len(ids) + shift) // (2 * drift + 2)
        order = np.lexsort((starts, strips))
        strip, start, place = strips[order], starts[order], places[order]
        upto = max(len(order) - needed + 1, 0)
        dense = (strip[needed - 1 :] == strip[:upto]) & (start[needed - 1 :] - start[:upto] <= reach)
        for first, last in _groups(np.flatnonzero(dense), needed):
            spots.append((last - first, start[first:last], place[first:last]))
    spots.sort(key=lambda spot: (-spot[0], int(spot[1][0]), int(spot[2][0])))
    for _, start, place in spots:
        yield from _run_starts(start, place)


def _hits(held: Suffixes, ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every place in the works where three tokens in a row of the output stand, with their start in the output."""
    low, high = held.parts(ids, _GRAM)
    counts = high - low
    if counts.sum() > _MOST_HITS:
        by_count = np.sort(counts)
        rare = int(np.searchsorted(np.cumsum(by_count), _MOST_HITS, "right"))
        counts[counts >= by_count[rare]] = 0
    starts = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(starts)) - np.repeat(np.cumsum(counts) - counts, counts)
    return starts, held.places_of(np.repeat(low, counts) + within)


def _groups(dense: NDArray[np.int64], needed: int) -> Iterator[tuple[int, int]]:
    """Hits that belong together: ``needed`` of them from each dense one on, joined where these overlap."""
    if len(dense) == 0:
        return
    breaks = np.flatnonzero(np.diff(dense) >= needed) + 1
    for group in np.split(dense, breaks):
        yield int(group[0]), int(group[-1]) + needed


def _run_starts(starts: NDArray[np.int64], places: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """The first of neighbouring hits on each diagonal, those on the diagonals with most hits first."""
    diagonals, found, counts = np.unique(places - starts, return_inverse=True, return_counts=True)
    order = np.lexsort((starts, diagonals[found], -counts[found]))
    start, diagonal = starts[order], diagonals[found][order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(diagonal) != 0) | (np.diff(start) != 1)
    yield from zip(start[new].tolist(), (start + diagonal)[new].tolist(), strict=True)


# ---- the decision: align, and cut out what counts ------------------------------------------------------------------


class _Grower:
    """Aligns one output with the works, from any place on."""

    def __init__(self, held: Suffixes, ids: Ids) -> None:
        self._held = held
        self._output: list[int] = ids.tolist()
        self._backwards = self._output[::-1]

    def grown(self, start: int, place: int) -> tuple[_Stretch, int]:
        """The alignment around an output token and the place where it stands, and their column in it."""
        work = self._held.work_at(place)
        first, last = self._held.bounds(work)
        after = self._side(self._output, start, self._held.held[place:last])
        before = self._side(self._backwards, len(self._output) - start, self._held.held[first:place][::-1])[::-1]
        stretch = _Stretch(work, start - _of_output(before), place - _of_work(before), before + after)
        return stretch, len(before)

    @staticmethod
    def _side(output: list[int], start: int, held: Ids) -> bytes:
        """The columns of one side; a longer slice of both is taken while they agree to the end of it."""
        size = _FIRST_SLICE
        while True:
            columns = _extension(output[start : start + size], held[:size].tolist())
            if len(columns) < size // 2 or (start + size >= len(output) and size >= len(held)):
                return columns
            size *= 4


def _extension(left: list[int], right: list[int]) -> bytes:
    """Columns of the alignment of two beginnings with fewest differing tokens, as far as it is worth it.

    ``waves[s]`` maps a diagonal (place in ``right`` less place in ``left``) to the furthest place in ``left`` that s
    differing tokens reach, with the number of equal tokens on the way. It ends where equal less differing tokens are
    most; of several such ends, at the first.
    """
    at = _slide(left, right, 0, 0)
    waves: list[_Wave] = [{0: (at, at)}]
    best, end = at, (0, 0)
    while waves[-1]:
        wave: _Wave = {}
        last, spent = waves[-1], len(waves)
        for diagonal in range(min(last) - 1, max(last) + 2):
            reached, equal, _ = _reached(last, diagonal, len(left), len(right))
            if reached < 0:
                continue
            at = _slide(left, right, reached, diagonal)
            equal += at - reached
            if equal - spent < best - _GIVE_UP:
                continue
            wave[diagonal] = (at, equal)
            if equal - spent > best:
                best, end = equal - spent, (spent, diagonal)
        waves.append(wave)
    return _columns(waves, *end, len(left), len(right))


def _slide(left: list[int], right: list[int], at: int, diagonal: int) -> int:
    """How far equal tokens go on along a diagonal."""
    most = min(len(left), len(right) - diagonal)
    while at < most and left[at] == right[at + diagonal]:
        at += 1
    return at


def _reached(wave: _Wave, diagonal: int, most_left: int, most_right: int) -> tuple[int, int, bytes]:
    """The furthest place on a diagonal after one more differing token, the equal ones before it, and which it is."""
    best = (-1, 0)
    kind = _OTHER
    for step, shift, other in ((0, 1, _OTHER), (1, 1, _MORE), (-1, 0, _LESS)):
        before = wave.get(diagonal + step)
        if before is None:
            continue
        found = (before[0] + shift, before[1])
        if found > best and found[0] <= min(most_left, most_right - diagonal):
            best, kind = found, other
    return (*best, kind)


def _columns(waves: list[_Wave], spent: int, diagonal: int, most_left: int, most_right: int) -> bytes:
    """The way to a point, read back from it."""
    way: list[bytes] = []
    back = {_OTHER: 0, _MORE: 1, _LESS: -1}
    while spent:
        reached, _, kind = _reached(waves[spent - 1], diagonal, most_left, most_right)
        way += [_EQUAL * (waves[spent][diagonal][0] - reached), kind]
        diagonal += back[kind]
        spent -= 1
    way.append(_EQUAL * waves[0][0][0])
    return b"".join(reversed(way))


def _longest(stretch: _Stretch, anchor: int | None, fewest: int) -> _Stretch | None:
    """The longest part of an alignment that counts (ties: the first), around a column; ``None``: all are too short.

    What lies elsewhere is found from an anchor of its own, by an alignment that need not go through this one.

    Four of five columns are equal: ``ends[b] ≥ ends[a]`` in sums of +1 and −4. In every beginning and end
    more columns are equal than not: in sums of +1 and −1, every sum inside is above the first and below the last.
    """
    equal = np.frombuffer(stretch.columns, np.uint8) == _EQUAL[0]
    if equal.sum() * PPM < fewest * SAME_PPM:
        return None
    same = np.concatenate(([0], np.cumsum(np.where(equal, 1, -_DIFFERS))))
    more = np.concatenate(([0], np.cumsum(np.where(equal, 1, -1))))
    latest, earliest = _last_above(more.tolist()), _first_below(more.tolist())
    best = (0, 0)
    upto, beyond = (len(equal), 0) if anchor is None else (anchor + 1, anchor + 1)
    for first in np.flatnonzero(equal[:upto]).tolist():
        shortest = max(best[1] - best[0] + 1, fewest)
        lasts = np.arange(max(first + shortest, beyond), latest[first] + 1)
        fits = np.flatnonzero((earliest[lasts] <= first) & (same[lasts] >= same[first]))
        if len(fits):
            best = (first, int(lasts[fits[-1]]))
    return stretch.part(*best) if best[1] else None


def _last_above(sums: list[int]) -> list[int]:
    """For each sum, how far the sums behind it stay above it."""
    found, open_ = [len(sums) - 1] * len(sums), list[int]()
    for at, value in enumerate(sums):
        while open_ and sums[open_[-1]] >= value:
            found[open_.pop()] = at - 1
        open_.append(at)
    return found


def _first_below(sums: list[int]) -> NDArray[np.int64]:
    """For each sum, from where on the sums before it are below it."""
    backwards = _last_above([-value for value in reversed(sums)])
    return np.array([len(sums) - 1 - at for at in reversed(backwards)])

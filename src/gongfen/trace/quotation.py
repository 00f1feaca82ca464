"""Which stretches of an output stand word for word in a training work: exact, maximal, never overlapping.

A quotation is a *certain* finding, unlike influence: the same words in the same order. It says where they stand, not
why the model wrote them; OLMoTrace (arXiv:2504.07096) shows verbatim matches over a whole training set and its
readers take them for causes, so the two are kept apart here.

**Tokens.** English and its kin by words, Chinese by characters, so that a mixed text needs no language guess.
Matching does not see case, punctuation, spaces, ligatures, full-width forms, composed or decomposed accents (NFKC and
case folding, Unicode Standard Annex 15) or characters that show nothing inside a word (soft hyphen, zero-width
space). It does see everything else: simplified and traditional characters differ. Limits: Thai and Khmer, which write
no spaces, and scripts whose vowels are combining marks outside U+0300–036F are cut coarsely, but alike on both sides.

**What counts.** A span is long enough with ``min_words`` words, or ``min_han`` characters, or a mixture that adds up:
``words / min_words + characters / min_han ≥ 1``. That sum is also its length. The longest span of the output is taken
first (ties: work id, then place in the output, then place in the work), and the search goes on to its left and right,
so a longer quotation that overlaps another shortens it and does not hide it.

**Commonplaces.** A span found in the works of more than ``commonplace_makers`` makers ("of the United States of
America") belongs to none of them and is not a quotation. Where no makers are given, every work counts as one maker's.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import NamedTuple
from unicodedata import normalize

from gongfen.errors import MalformedFactError

HAN = "々〇〡-〩\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Han characters, as the inside of a regular expression's character class (Unicode 16: script Han)."""

_UNSEEN = "\u00ad\u200b-\u200d\u2060\ufeff"
_LETTER = rf"[^\W_{HAN}]"
_INNER = rf"(?:{_LETTER}|[\u0300-\u036f{_UNSEEN}])"
_TOKEN = re.compile(rf"[{HAN}]|{_LETTER}{_INNER}*(?:['’]{_INNER}+)*")
_ASCII_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_INVISIBLE = re.compile(rf"[{_UNSEEN}]")
_IS_HAN = re.compile(rf"[{HAN}]")

_PLACE_BITS = 32
_PLACE_MASK = (1 << _PLACE_BITS) - 1
_GAP = 0
_UNHEARD = -1


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


class Token(NamedTuple):
    """A word or a Han character as matching sees it, and where it stands, in code points."""

    key: str
    start: int
    end: int


class _Match(NamedTuple):
    """Output tokens ``start:end`` are the index's tokens from ``place`` on, in ``work``; maximal on both sides."""

    start: int
    end: int
    work: int
    place: int


def _fold(token: str) -> str:
    if token.isascii():
        return token.lower()
    shown = _INVISIBLE.sub("", token).replace("’", "'")
    return normalize("NFKC", normalize("NFKC", shown).casefold())


def tokens(text: str) -> Iterator[Token]:
    """Words and Han characters with their places.

    >>> [token.key for token in tokens("Don’t panic: 人民，AI!")]
    ["don't", 'panic', '人', '民', 'ai']
    """
    pattern = _ASCII_TOKEN if text.isascii() else _TOKEN
    for found in pattern.finditer(text):
        yield Token(_fold(found.group()), found.start(), found.end())


def words(text: str) -> list[str]:
    """The keys of ``tokens(text)``, without the places: faster."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return [_fold(token) for token in _TOKEN.findall(text)]


def is_han(key: str) -> bool:
    """Whether a token is a Han character, and not a word."""
    return _IS_HAN.match(key) is not None


class QuoteIndex:
    """The works, read once; many outputs can be looked up.

    Every run of ``min(min_words, min_han)`` tokens is kept as one 64-bit number, 32 bits of hash and 32 of place, in
    a sorted array: 8 bytes a token beside the texts. A look-up bisects once a token of the output and extends each
    hit, whose tokens are compared one by one, so a hash collision costs time and never a wrong quotation. Time grows
    with the output and its hits; only an output and a work that repeat one phrase many times cost their product.
    """

    def __init__(
        self, works: Mapping[str, str], rule: QuoteRule = DEFAULT_RULE, makers: Mapping[str, str] | None = None
    ) -> None:
        self.rule = rule
        self._works = sorted(works)
        self._makers = [(makers or {}).get(work, work) for work in self._works]
        self._seed = min(rule.min_words, rule.min_han)
        self._vocabulary: dict[str, int] = {}
        self._tokens = array("q", [_GAP])
        self._starts = array("Q", [0])
        self._ends = array("Q", [0])
        self._firsts = array("Q")
        grams: list[int] = []
        for work in self._works:
            self._firsts.append(len(self._tokens))
            grams += self._read(works[work])
        grams.sort()
        self._grams = array("Q", grams)

    def _read(self, text: str) -> list[int]:
        """Add one work's tokens; its seeds."""
        vocabulary = self._vocabulary
        first = len(self._tokens)
        keys: list[int] = []
        for key, start, end in tokens(text):
            keys.append(vocabulary.setdefault(key, len(vocabulary) + 1))
            self._starts.append(start)
            self._ends.append(end)
        self._tokens.extend(keys)
        for column in (self._tokens, self._starts, self._ends):
            column.append(_GAP)
        return [_gram_at(seed, place) for place, seed in enumerate(_seeds(keys, self._seed), first)]

    def find(self, output: str) -> tuple[Quote, ...]:
        """The quotations in one output, by place."""
        spelled = list(tokens(output))
        matches = self._matches([self._vocabulary.get(token.key, _UNHEARD) for token in spelled])
        quotes = [
            Quote(
                start=spelled[match.start].start,
                end=spelled[match.end - 1].end,
                work=self._works[match.work],
                work_start=self._starts[match.place],
                work_end=self._ends[match.place + match.end - match.start - 1],
                also=tuple(self._works[other] for other in sorted(holders - {match.work})),
            )
            for match, holders in self._choose(matches, [token.key for token in spelled])
        ]
        return tuple(sorted(quotes))

    def _matches(self, output: Sequence[int]) -> list[_Match]:
        """Every maximal common run of at least a seed's length, once for each span and work, at its first place."""
        held = self._tokens
        firsts: dict[tuple[int, int, int], int] = {}
        for start, seed in enumerate(_seeds(output, self._seed)):
            before = output[start - 1] if start else _UNHEARD
            for place in self._places(seed):
                if held[place - 1] == before:  # found already, from further left
                    continue
                length = 0
                while start + length < len(output) and held[place + length] == output[start + length]:
                    length += 1
                if length >= self._seed:
                    work = bisect_right(self._firsts, place) - 1
                    firsts.setdefault((start, start + length, work), place)
        return sorted(_Match(*span, place) for span, place in firsts.items())

    def _places(self, seed: tuple[int, ...]) -> Iterator[int]:
        """Where a seed stands (or, rarely, another with its hash), in order."""
        low = bisect_left(self._grams, _gram_at(seed, 0))
        high = bisect_right(self._grams, _gram_at(seed, _PLACE_MASK), low)
        return (self._grams[at] & _PLACE_MASK for at in range(low, high))

    def _choose(self, matches: Sequence[_Match], keys: Sequence[str]) -> Iterator[tuple[_Match, frozenset[int]]]:
        """Longest first; what overlaps a chosen span is cut down to its free parts and waits its turn again."""
        length, enough = _measure(keys, self.rule)
        queue = [(-length(m.start, m.end), m.work, m.start, m.place, m.end) for m in matches]
        heapify(queue)
        free = bytearray(b"\x01" * len(keys))
        while queue:
            size, work, start, place, end = heappop(queue)
            if -size < enough:
                return
            if free.find(b"\x00", start, end) < 0:
                holders = self._holders(matches, start, end)
                if len({self._makers[holder] for holder in holders}) <= self.rule.commonplace_makers:
                    free[start:end] = bytes(end - start)
                    yield _Match(start, end, work, place), holders
                continue
            for first, last in _runs(free, start, end):
                heappush(queue, (-length(first, last), work, first, place + first - start, last))

    def _holders(self, matches: Sequence[_Match], start: int, end: int) -> frozenset[int]:
        """The works that have the output's tokens ``start:end``: each has a match around them."""
        upto = bisect_right(matches, start, key=lambda match: match.start)
        return frozenset(match.work for match in matches[:upto] if match.end >= end)


def find_quotes(
    text: str, works: Mapping[str, str], rule: QuoteRule = DEFAULT_RULE, makers: Mapping[str, str] | None = None
) -> tuple[Quote, ...]:
    """The stretches of ``text`` that stand in ``works`` (id → text); ``makers`` maps work ids to makers.

    >>> found = find_quotes("He said: a house divided stands!", {"l": "A house, divided, stands."}, QuoteRule(3))
    >>> [(quote.start, quote.end, quote.work) for quote in found]
    [(9, 31, 'l')]
    """
    return QuoteIndex(works, rule, makers).find(text)


def _seeds(keys: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    return zip(*(keys[shift:] for shift in range(size)), strict=False)


def _gram_at(seed: tuple[int, ...], place: int) -> int:
    """32 bits of hash over 32 bits of place. The hash of whole numbers is not salted and lives in memory only."""
    return (hash(seed) & _PLACE_MASK) << _PLACE_BITS | place


def _measure(keys: Sequence[str], rule: QuoteRule) -> tuple[Callable[[int, int], int], int]:
    """Length of a span of the output in whole numbers, and the length from which it counts."""
    weights = (rule.min_words if is_han(key) else rule.min_han for key in keys)
    upto = list(accumulate(weights, initial=0))
    return lambda start, end: upto[end] - upto[start], rule.min_words * rule.min_han


def _runs(free: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The free parts of a span."""
    while (start := free.find(b"\x01", start, end)) >= 0:
        stop = free.find(b"\x00", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop

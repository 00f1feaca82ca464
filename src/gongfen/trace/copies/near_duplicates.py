"""Which passages say almost the same: MinHash finds candidates, exact Jaccard over 5-shingles decides.

A shingle is five words in a row, or five Han characters (Broder 1997, *On the resemblance and containment of
documents*). MinHash with banding alone would drop works by estimate; here it only proposes, and a pair counts when at
least three fifths of all their shingles are common, computed exactly. With 32 bands of two rows a pair at the
threshold is missed with probability (1 − 0.6²)³² ≈ 6·10⁻⁷ (Leskovec, Rajaraman and Ullman, *Mining of Massive
Datasets*, section 3.4).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rensa import RMinHash, RMinHashLSH

from gongfen.trace.copies.tokens import words

SHINGLE_TOKENS = 5
THRESHOLD = Fraction(3, 5)

_PERMUTATIONS = 64
_BANDS = 32
_SEED = 45438
_BATCH = 1_000  # texts whose shingles are held in memory at once


@dataclass(frozen=True, slots=True)
class Likeness:
    """The earlier text that a text resembles, and the shingles behind it: ``shared`` of ``union``."""

    first: int
    shared: int
    union: int

    @property
    def jaccard(self) -> Fraction:
        """Shared shingles over all shingles of the two."""
        return Fraction(self.shared, self.union)


def shingles(text: str) -> frozenset[str]:
    """Every five tokens in a row; a shorter text is one shingle; a text without tokens has none.

    >>> sorted(shingles("To be, or not to be"))
    ['be or not to be', 'to be or not to']
    """
    keys = words(text)
    last = max(len(keys) - SHINGLE_TOKENS, 0)
    return frozenset(" ".join(keys[at : at + SHINGLE_TOKENS]) for at in range(last + 1)) if keys else frozenset()


def near_duplicates(texts: Sequence[str], threshold: Fraction = THRESHOLD) -> dict[int, Likeness]:
    """The texts that resemble an earlier one that is kept, with the one they resemble most (ties: the earliest).

    Texts are compared with kept texts only: where B resembles A, and C resembles B but not A, B goes and C stays.
    """
    index = RMinHashLSH(float(threshold), _PERMUTATIONS, _BANDS)
    twins: dict[int, Likeness] = {}
    for at, sketch, own in _sketches(texts):
        likenesses = (_likeness(own, first, texts[first]) for first in index.query(sketch))
        alike = [likeness for likeness in likenesses if likeness.jaccard >= threshold]
        if alike:
            twins[at] = max(alike, key=lambda likeness: (likeness.jaccard, -likeness.first))
        else:
            index.insert(at, sketch)
    return twins


def clusters(works: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """The works (id → text) that are one text, or nearly: each group in the order of ids, from two works on.

    Equal words in equal order make one text, whatever their case and punctuation. Of texts that are nearly one, each is
    put to the first in the order of ids that it resembles most, as by :func:`near_duplicates`.
    """
    same: dict[tuple[str, ...], list[str]] = {}
    for work in sorted(works):
        if keys := tuple(words(works[work])):
            same.setdefault(keys, []).append(work)
    groups = list(same.values())
    twins = near_duplicates([works[group[0]] for group in groups])
    for at, twin in twins.items():
        groups[twin.first] += groups[at]
    return tuple(tuple(sorted(group)) for at, group in enumerate(groups) if at not in twins and len(group) > 1)


def _sketches(texts: Sequence[str]) -> Iterator[tuple[int, RMinHash, frozenset[str]]]:
    """Each text that has tokens, with its MinHash; in batches, for speed and for memory."""
    for start in range(0, len(texts), _BATCH):
        batch = enumerate((shingles(text) for text in texts[start : start + _BATCH]), start)
        kept = [(at, own) for at, own in batch if own]
        sketches = RMinHash.from_token_sets([own for _, own in kept], _PERMUTATIONS, _SEED)
        for (at, own), sketch in zip(kept, sketches, strict=True):
            yield at, sketch, own


def _likeness(own: frozenset[str], first: int, text: str) -> Likeness:
    other = shingles(text)
    shared = len(own & other)
    return Likeness(first, shared, len(own) + len(other) - shared)

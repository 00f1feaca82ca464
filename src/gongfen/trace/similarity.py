"""What a tracer must beat to be worth anything: chance, and plain likeness of the texts."""

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np

from gongfen.trace.evaluation.scores import Floats

K1, B = 1.2, 0.75
"""Okapi BM25's usual constants (Robertson and Zaragoza 2009)."""


def at_random(examples: int, queries: int) -> Floats:
    """Scores [N, M] drawn from a normal distribution: an LDS of zero but for luck."""
    return np.random.default_rng(0).standard_normal((examples, queries))


def bm25(documents: Sequence[Sequence[str]], queries: Sequence[Sequence[str]]) -> Floats:
    """Okapi BM25 of every document for every query, [N, M]; both are sequences of terms.

    >>> scores = bm25([["a", "rose"], ["a", "sheep"]], [["rose"]])
    >>> bool(scores[0, 0] > scores[1, 0] == 0)
    True
    """
    counts = [Counter(terms) for terms in documents]
    lengths = np.array([len(terms) for terms in documents])
    norms = K1 * (1 - B + B * lengths / (lengths.mean() or 1.0))
    found: dict[str, list[tuple[int, int]]] = {}
    for number, count in enumerate(counts):
        for term, times in count.items():
            found.setdefault(term, []).append((number, times))
    scores = np.zeros((len(documents), len(queries)))
    for column, terms in enumerate(queries):
        for term, asked in Counter(terms).items():
            places = found.get(term, [])
            rarity = log(1 + (len(documents) - len(places) + 0.5) / (len(places) + 0.5))
            for number, times in places:
                scores[number, column] += asked * rarity * times * (K1 + 1) / (times + norms[number])
    return scores


def cosines(documents: Floats, queries: Floats) -> Floats:
    """Cosine of every document's vector [N, D] with every query's [M, D], about the documents' mean; [N, M].

    A vector that is the mean has no direction, and is like nothing: 0.

    >>> cosines(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 0.0]])).tolist()
    [[1.0, 0.0], [-1.0, 0.0]]
    """
    centre = documents.mean(0)
    answer: Floats = _directions(documents - centre) @ _directions(queries - centre).T
    return answer


def _directions(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    answer: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return answer


def four_grams(text: str) -> list[str]:
    """All runs of four characters, in small letters.

    >>> four_grams("Roses")
    ['rose', 'oses']
    """
    small = text.lower()
    return [small[start : start + 4] for start in range(len(small) - 3)]

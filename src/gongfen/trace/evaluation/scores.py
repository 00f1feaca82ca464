"""How good a tracer is: LDS, the difference of two tracers, the drop test; each with an interval. Pure, numpy only.

A tracer gives scores [N, M]: what training example i did for query j, the larger the better for it. Retrainings give
kept [S, N], which examples each retraining kept, and utilities [S, M], what became of each query. The linear
datamodeling score (LDS; Park et al. 2023) of a query is Spearman's rank correlation, over the retrainings, of the
summed scores of what was kept with the measured utility.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RESAMPLES = 1_000
SUBSETS_SEED = 1
AT_ONCE = 50
"""Resamples that are computed together: so many copies of all ranks are held in memory."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and the middle 95 % of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def random_halves(subsets: int, examples: int, seed: int = SUBSETS_SEED) -> Bools:
    """Which examples each subset keeps, [S, N]: exactly half of them, at random but the same ones at every run.

    Those of more subsets begin with those of fewer.

    >>> random_halves(3, 10).sum(1).tolist(), bool((random_halves(5, 10)[:3] == random_halves(3, 10)).all())
    ([5, 5, 5], True)
    """
    chance = np.random.RandomState(seed)
    kept = np.zeros((subsets, examples), dtype=bool)
    for row in kept:
        row[chance.permutation(examples)[: examples // 2]] = True
    return kept


# -- rank correlation --------------------------------------------------------------------------------------------------


def spearman(left: ArrayLike, right: ArrayLike) -> Floats:
    """Spearman's ρ of each column [M] of two arrays [S, M], ties given their mean rank; 0 where one side is constant.

    A tracer that gives all subsets the same sum has said nothing, and gets nothing for it.

    >>> spearman([[1.0], [2.0], [3.0], [4.0]], [[1.0], [3.0], [2.0], [4.0]]).round(3).tolist()
    [0.8]
    >>> spearman([[5.0], [5.0], [5.0]], [[1.0], [3.0], [2.0]]).tolist()
    [0.0]
    """
    first, second = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    (answer,) = _correlations(_order(first), _order(second), np.ones((1, len(first))))
    return np.asarray(answer)


def lds(scores: Floats, kept: Bools, utilities: Floats) -> Floats:
    """The LDS of each query, [M]; raises ValueError for shapes that do not fit and for scores that are not finite.

    >>> kept = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]], dtype=bool)
    >>> worth = np.array([[3.0], [2.0], [1.0], [0.0]])
    >>> lds(worth, kept, kept @ worth).tolist()
    [1.0]
    >>> lds(-worth, kept, kept @ worth).tolist()
    [-1.0]
    """
    return spearman(predicted(scores, kept, utilities), utilities)


def predicted(scores: Floats, kept: Bools, utilities: Floats) -> Floats:
    """The summed scores of what each retraining kept, [S, M]."""
    scores = np.asarray(scores, dtype=float)
    fitting = (kept.shape[1], utilities.shape[1])
    if scores.shape != fitting or len(kept) != len(utilities):
        message = f"scores {scores.shape}, kept {kept.shape} and utilities {utilities.shape} do not fit together"
        raise ValueError(message)
    if not (np.isfinite(scores).all() and np.isfinite(utilities).all()):
        raise ValueError("a score or a utility is not a finite number")
    return kept.astype(float) @ scores


def lds_interval(scores: Floats, kept: Bools, utilities: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean LDS over queries; its interval by resampling retrainings *and* queries."""
    return _interval(lds(scores, kept, utilities), _bootstrap((scores,), kept, utilities, resamples, seed)[0])


def lds_difference(
    left: Floats,
    right: Floats,
    kept: Bools,
    utilities: Floats,
    resamples: int = RESAMPLES,
    seed: int = 0,
    *,
    same_retrainings: bool = False,
) -> Interval:
    """By how much the mean LDS of the left tracer is higher, on the same resamples of retrainings and queries.

    ``same_retrainings``: queries alone are resampled, so the interval is what no number of retrainings makes narrower.
    """
    both = _bootstrap((left, right), kept, utilities, resamples, seed, same_retrainings=same_retrainings)
    return _interval(lds(left, kept, utilities) - lds(right, kept, utilities), both[0] - both[1])


def ceiling(seeds: Floats) -> float:
    """About the LDS of a perfect tracer, from the utilities [K, S, M] of K seeds: they differ among themselves too.

    With r the mean rank correlation of two seeds, the mean of K has the reliability K r / (1 + (K − 1) r) (Spearman
    1910, Brown 1910); whatever knows only the subsets cannot be expected to correlate with it above the root of that.

    >>> ceiling(np.array([[[1.0], [2.0], [3.0]], [[10.0], [20.0], [30.0]]]))
    1.0
    """
    count = len(seeds)
    pairs = [(one, two) for one in range(count) for two in range(one)]
    alike = float(np.mean([spearman(seeds[one], seeds[two]).mean() for one, two in pairs]))
    return float(np.sqrt(max(count * alike / (1 + (count - 1) * alike), 0)))


def _bootstrap(
    tracers: tuple[Floats, ...],
    kept: Bools,
    utilities: Floats,
    resamples: int,
    seed: int,
    *,
    same_retrainings: bool = False,
) -> list[Floats]:
    """Mean LDS of each tracer on each of the same resamples, [resamples]."""
    chance = np.random.default_rng(seed)
    subsets, queries = utilities.shape
    true = _order(utilities)
    orders = [_order(predicted(scores, kept, utilities)) for scores in tracers]
    means: list[list[Floats]] = [[] for _ in tracers]
    for count in _portions(resamples):
        rows = chance.multinomial(subsets, np.full(subsets, 1 / subsets), size=count).astype(float)
        if same_retrainings:
            rows = np.ones_like(rows)
        columns = chance.multinomial(queries, np.full(queries, 1 / queries), size=count)
        for order, kept_means in zip(orders, means, strict=True):
            kept_means.append((_correlations(order, true, rows) * columns).sum(1) / queries)
    return [np.concatenate(each) for each in means]


def _order(values: Floats) -> Floats:
    """How each pair of rows compares in each column, [M, S, S]: 1 where the other is less, ½ where it is equal.

    Its product with how often each row was drawn gives all rows' mean ranks in that resample, but for a constant.
    """
    columns = values.T
    mine, other = columns[:, :, None], columns[:, None, :]
    answer: Floats = (other < mine) + 0.5 * (other == mine)
    return answer


def _correlations(left: Floats, right: Floats, counts: Floats) -> Floats:
    """Spearman's ρ [B, M] of two orders [M, S, S] when the rows are drawn ``counts`` [B, S] times."""
    total = counts.sum(1)[:, None, None]

    def centred(order: Floats) -> Floats:
        ranks = np.moveaxis(order @ counts.T, 2, 0)
        shifted: Floats = ranks - (ranks * counts[:, None, :]).sum(2, keepdims=True) / total
        return shifted

    one, two = centred(left), centred(right)
    weights = counts[:, None, :]
    below = np.sqrt((weights * one * one).sum(2) * (weights * two * two).sum(2))
    above = (weights * one * two).sum(2)
    answer: Floats = np.divide(above, below, out=np.zeros_like(above), where=below > 1e-12)
    return answer


def _portions(resamples: int) -> Iterator[int]:
    for start in range(0, resamples, AT_ONCE):
        yield min(AT_ONCE, resamples - start)


def _interval(values: Floats, resampled: Floats) -> Interval:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


# -- the drop test -----------------------------------------------------------------------------------------------------


def strongest(scores: Floats, query: int, share: float) -> NDArray[np.intp]:
    """The examples, at least one, that make up the highest-scored ``share`` for a query.

    >>> strongest(np.array([[0.1], [0.9], [0.5], [-3.0]]), 0, 0.5).tolist()
    [1, 2]
    """
    count = max(1, round(share * len(scores)))
    return np.argsort(-scores[:, query], kind="stable")[:count]


def drop_test(whole: Floats, dropped: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean loss of utility over queries, whole [M] less dropped [M]; its interval by resampling queries.

    With the utilities of a random removal in place of ``whole`` it says how much more than chance is lost.

    >>> print(drop_test(np.array([1.0, 2.0]), np.array([0.5, 1.5])))
    0.500 [0.500, 0.500]
    """
    losses = np.asarray(whole, dtype=float) - np.asarray(dropped, dtype=float)
    chance = np.random.default_rng(seed)
    drawn = chance.integers(len(losses), size=(resamples, len(losses)))
    return _interval(losses, losses[drawn].mean(1))

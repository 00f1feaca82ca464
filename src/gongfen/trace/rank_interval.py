"""How far a rank correlation of a few pairs is known: Fisher's z, with the variance that ranks have.

z = artanh r has about the variance (1 + r²/2)/(n − 3) for Spearman's r of n pairs (Bonett and Wright 2000); the
interval is z ± 1.96 standard deviations, brought back. Eight pairs say little: .62 lies between −.22 and .93. An r of
±1 has no z; its near end is that of the next smaller r that n pairs can have, 1 − 12/(n(n² − 1)), its far end ±1.
"""

from math import atanh, sqrt, tanh

FEWEST = 4
NORMAL_975 = 1.959964


def rank_interval(spearman: float, pairs: int) -> tuple[float, float] | None:
    """Both ends, 95 %; ``None`` with fewer than four pairs."""
    if pairs < FEWEST:
        return None
    most = 1 - 12 / (pairs * (pairs**2 - 1))
    near = max(-most, min(most, spearman))
    half = NORMAL_975 * sqrt((1 + near * near / 2) / (pairs - 3))
    low, high = tanh(atanh(near) - half), tanh(atanh(near) + half)
    return (-1.0 if spearman <= -1 else low), (1.0 if spearman >= 1 else high)


def rank_interval_ppm(spearman_ppm: int | None, pairs: int) -> tuple[int, int] | None:
    """The same in parts per million; ``None`` where the correlation is unknown, too."""
    found = None if spearman_ppm is None else rank_interval(spearman_ppm / 1_000_000, pairs)
    return None if found is None else (round(found[0] * 1_000_000), round(found[1] * 1_000_000))

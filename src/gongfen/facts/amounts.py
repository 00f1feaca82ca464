"""Whole amounts of one unit, and how to divide them so that the parts add up exactly.

Units are the last word of a name: ``_us`` microseconds, ``_uslh`` millionths of an hour of simple labour (SLH),
``_micro`` millionths of a currency's unit, ``_ppm`` parts in a million, ``_nnat`` billionths of a nat, ``_mwh``
milliwatt-hours, ``_gflop`` 10⁹ floating-point operations.
"""

from collections.abc import Mapping

PPM = 1_000_000
MICRO = 1_000_000
USLH_PER_HOUR = 1_000_000
US_PER_SECOND = 1_000_000
US_PER_HOUR = 3_600 * US_PER_SECOND
US_PER_DAY = 24 * US_PER_HOUR

MOST = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8785, section 3.2.2.3; I-JSON, RFC 7493)."""


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide ``total`` ≥ 0 by ``weights`` ≥ 0: largest remainder (Hamilton), ties to the name that sorts first.

    Names come back in sorted order; the parts add up to ``total`` and each is within one unit of its exact quota.
    Where ``total`` is no larger than the sum of weights, no part is larger than its weight.

    >>> apportion(100, {"cy": 1, "ada": 1, "bo": 1})
    {'ada': 34, 'bo': 33, 'cy': 33}
    """
    whole = sum(weights.values())
    assert total >= 0, "a debt is not apportioned"
    assert whole > 0 or not total, "nothing is apportioned to nobody"
    names = sorted(weights)
    if len(set(weights.values())) <= 1:  # as of the outputs of one making: all remainders are the same
        part, first = divmod(total, len(names)) if names else (0, 0)
        return dict.fromkeys(names[:first], part + 1) | dict.fromkeys(names[first:], part)
    parts: dict[str, int] = {}
    remainders: list[tuple[int, str]] = []
    for name in names:
        parts[name], remainder = divmod(total * weights[name], whole)
        remainders.append((-remainder, name))
    for _, name in sorted(remainders)[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


def round_half_up(numerator: int, denominator: int) -> int:
    """The whole number nearest to a fraction ≥ 0; halves go up.

    >>> round_half_up(5, 2), round_half_up(7, 3)
    (3, 2)
    """
    return (2 * numerator + denominator) // (2 * denominator)


def clock_time(us: int) -> str:
    """Microseconds as hours and minutes, and seconds where there are any: exactly.

    >>> clock_time(88_200_000_000), clock_time(86_400_000_000), clock_time(86_400_000_001)
    ('24 h 30 min', '24 h', '24 h 0.000001 s')
    """
    minutes, rest = divmod(us, 60 * US_PER_SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds, parts = divmod(rest, US_PER_SECOND)
    said = [f"{hours} h"] if hours or not us else []
    said += [f"{minutes} min"] if minutes else []
    said += [f"{seconds}.{parts:06}".rstrip("0").rstrip(".") + " s"] if rest else []
    return " ".join(said)

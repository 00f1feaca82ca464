"""How far prices lie from labour values, across outputs or sectors, and which of them bear rent.

| measure | formula | source |
|---|---|---|
| totals | ``Σpq`` against ``μΣvq`` | the two that equal each other if μ is the MELT of these outputs |
| α | ``Σpq / Σvq`` | the scale that makes the totals equal |
| MAWD | ``Σ|pq − αvq| / Σαvq`` | mean absolute weighted deviation |
| CV | standard deviation of p/v over its mean, both weighted by vq | |
| d | ``√(2(1 − cos arctan CV))`` | Steedman & Tomkins, *Measuring the deviation of prices from values*, CJE 22 |

MAWD, CV and d do not depend on units or on the choice of a measure of value. **Never the R² of log price on log
value**, though much of the literature reports it: big sectors have big prices and big values, so any two columns that
grow with size correlate (Kliman, *The law of value and laws of statistics*, CJE 26, 2002). It says that sectors differ
in size, and nothing about how far prices lie from values.

**Outliers.** Sectors whose price stands far from value for a reason — oil, land, a patent, a model nobody else has —
are found by their ratio ρ = p/(αv), with the median and the median absolute deviation, which outliers cannot move: the
modified z-score ``0.6745·(ρ − median)/MAD`` beyond 3.5 (Iglewicz & Hoaglin, *How to Detect and Handle Outliers*, 1993).
Where more than half the ratios are equal, MAD is 0 and the mean absolute deviation takes its place, with 0.7979. Above:
the price *bears rent* at least on this rule; below: it gives value away. Fewer than five outputs name no outlier.

Everything is exact, but CV and d, which are roots: exact if they are fractions, else to forty digits.
"""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from gongfen.errors import InputError
from gongfen.value.irrational import root

Known = Fraction | None

LIMIT = Fraction(7, 2)
FEWEST = 5
_OF_MEDIAN = Fraction(6745, 10_000)
_OF_MEAN = Fraction(7979, 10_000)


class Priced(msgspec.Struct, frozen=True):
    """One output or sector. Price and value are of one unit; value in labour, price in money."""

    price: Known
    value: Known
    quantity: Fraction | int = 1


class Outlier(msgspec.Struct, frozen=True, kw_only=True):
    """A price that stands far from value."""

    name: str
    ratio: Fraction
    """p/(αv): 1 is the average of all."""
    score: Fraction
    """Above LIMIT it bears rent, below −LIMIT it gives value away."""

    @property
    def bears_rent(self) -> bool:
        """Priced above the value that others of its labour fetch."""
        return self.score > 0


class Deviation(msgspec.Struct, frozen=True, kw_only=True):
    """Over all outputs whose price and value are known."""

    price: Fraction
    """Σpq, in money."""
    value: Known
    """μΣvq, in money; ``None`` without μ."""
    scale: Known
    """α, money for one unit of labour as these outputs were sold."""
    mawd: Known
    variation: Known
    """CV(p/v). ``None`` also where something without any value has a price: no spread is wide enough."""
    distance: Known
    """d, from 0 (prices are proportional to values) to √2."""
    outliers: tuple[Outlier, ...]
    """The farthest first."""
    left_out: tuple[str, ...]
    """Price or value unknown."""
    without_value: tuple[str, ...]
    """Price, and no labour at all: nothing but rent."""


def deviation(outputs: Mapping[str, Priced], melt: Known = None) -> Deviation:
    """Prices against values. μ only enters the comparison of totals.

    >>> found = deviation({"iron": Priced(Fraction(12), Fraction(10)), "corn": Priced(Fraction(8), Fraction(10))})
    >>> found.mawd, found.variation
    (Fraction(1, 5), Fraction(1, 5))
    """
    _refuse_below_zero(outputs)
    known = {
        name: (one.price * one.quantity, one.value * one.quantity)
        for name, one in outputs.items()
        if one.price is not None and one.value is not None and one.quantity
    }
    left_out = tuple(name for name, one in outputs.items() if one.price is None or one.value is None)
    prices = sum((price for price, _ in known.values()), Fraction(0))
    values = sum((value for _, value in known.values()), Fraction(0))
    scale = Fraction(prices, values) if values else None
    without = tuple(name for name, (price, value) in known.items() if price and not value)
    squared = None if not scale or without else _squared_variation(known, scale, values)
    return Deviation(
        price=prices,
        value=None if melt is None else melt * values,
        scale=scale,
        mawd=_mawd(known, scale, prices) if scale else None,
        variation=None if squared is None else root(squared),
        distance=None if squared is None else _distance(squared),
        outliers=_outliers(known, scale) if scale else (),
        left_out=left_out,
        without_value=without,
    )


def _mawd(known: Mapping[str, tuple[Fraction, Fraction]], scale: Fraction, prices: Fraction) -> Fraction:
    """Σαvq is Σpq."""
    return Fraction(sum((abs(price - scale * value) for price, value in known.values()), Fraction(0)), prices)


def _squared_variation(known: Mapping[str, tuple[Fraction, Fraction]], scale: Fraction, values: Fraction) -> Fraction:
    """CV²: with weights vq/Σvq the mean of p/v is α."""
    spread = (value * (Fraction(price, value) - scale) ** 2 for price, value in known.values() if value)
    return Fraction(sum(spread, Fraction(0)), values * scale * scale)


def _distance(squared: Fraction) -> Fraction:
    """The distance d from CV², by ``cos arctan x = 1/√(1 + x²)``. Written so that a small CV keeps its digits."""
    side = root(1 + squared)
    return root(Fraction(2 * squared, side * (1 + side)))


def _outliers(known: Mapping[str, tuple[Fraction, Fraction]], scale: Fraction) -> tuple[Outlier, ...]:
    ratios = {name: Fraction(price, scale * value) for name, (price, value) in known.items() if value}
    if len(ratios) < FEWEST:
        return ()
    middle = _median(list(ratios.values()))
    distances = [abs(ratio - middle) for ratio in ratios.values()]
    unit = Fraction(_median(distances), _OF_MEDIAN)
    if not unit:
        unit = Fraction(sum(distances, Fraction(0)), len(distances) * _OF_MEAN)
    if not unit:
        return ()
    scored = (Outlier(name=name, ratio=one, score=Fraction(one - middle, unit)) for name, one in ratios.items())
    found = [outlier for outlier in scored if abs(outlier.score) > LIMIT]
    return tuple(sorted(found, key=lambda outlier: (-abs(outlier.score), outlier.name)))


def _median(numbers: list[Fraction]) -> Fraction:
    numbers = sorted(numbers)
    half = len(numbers) // 2
    return numbers[half] if len(numbers) % 2 else Fraction(numbers[half - 1] + numbers[half], 2)


def _refuse_below_zero(outputs: Mapping[str, Priced]) -> None:
    for name, one in outputs.items():
        numbers = (one.price, one.value, one.quantity)
        if any(number is not None and number < 0 for number in numbers):
            raise InputError(name, "has a price, value or quantity below zero", "give numbers from 0 upwards")

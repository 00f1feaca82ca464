"""An estimate of the labour in a model from its machine hours, its data work and its complexity; never booked.

算力 × 数据治理 × 模型复杂度: scholars of the field measure a model's labour by a product of the three. The *ledger* is
an exact sum of recorded labour; this product form is fitted to models whose labour is known, by ordinary least squares

    ln L = a + b₁·ln(GPU hours) + b₂·ln(hours of data governance) + b₃·ln(complexity) + error

and serves for models of others, whose labour nobody recorded. **What comes out is shown with its interval and never
enters the ledger.** ``typical`` is the median, ``e^(ln L̂)``: half of such models hold less; the mean would lie
above it.

Two intervals: the *confidence* interval says where the line runs, the *prediction* interval where one more model may
lie; the second is the one to show beside a model. Both by Student's t.

Refused, with the reason: fewer than SPARE models more than parameters (the interval would say nothing), models that all
have the same machine hours, or columns that follow from each other (then the b's are not to be told apart: tolerance
``1 − R²`` of a column on the others below one in a million), and zeros or unknowns, which have no logarithm. Models
outside the range of those fitted are answered, with the columns named in ``beyond``.

Logarithms are taken to sixty digits and the equations solved exactly: the estimate is the same on every machine.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from gongfen.errors import InputError, MissingAssumptionError
from gongfen.value.economy.linear import dot, solve, transposed
from gongfen.value.irrational import logarithm, power_of_e, root
from gongfen.value.student import SUREST, quantile

COLUMNS = ("gpu_hours", "data_hours", "complexity")
SPARE = 3
"""Degrees of freedom at least: with one, an interval at 95 % is 12.7 standard errors wide, with three 3.2."""
LEAST_TOLERANCE = Fraction(1, 10**6)
_USUAL = Fraction(95, 100)
_MOST_POWER = 1_000


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model; ``None`` is unknown."""

    gpu_hours: Fraction | None
    data_hours: Fraction | None
    complexity: Fraction | None
    """Parameters, FLOP, or any other measure, the same for all models."""


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """The line, and how well it is known. Coefficients in the order a, b₁, b₂, b₃."""

    models: int
    coefficients: tuple[Fraction, ...]
    errors: tuple[Fraction, ...]
    """Standard errors."""
    tolerances: tuple[Fraction, ...]
    """Of b₁, b₂, b₃: 1 when a column says something of its own, near 0 when the others say it already."""
    residual: Fraction
    """s², the variance that is left in ln L."""
    inverse: tuple[tuple[Fraction, ...], ...]
    """(X′X)⁻¹."""
    ranges: tuple[tuple[Fraction, Fraction], ...]
    """Of the logarithms of each column."""

    @property
    def freedom(self) -> int:
        """Models less parameters."""
        return self.models - len(self.coefficients)


class Estimated(msgspec.Struct, frozen=True, kw_only=True):
    """Labour of one model, in the unit of the labour fitted. Not for the ledger."""

    typical: Fraction
    prediction: tuple[Fraction, Fraction]
    """Where such a model lies, with the probability asked for."""
    confidence: tuple[Fraction, Fraction]
    """Where the line runs."""
    beyond: tuple[str, ...]
    """Columns in which this model lies outside those fitted: the line is drawn on, not known there."""


def fit(models: Mapping[str, tuple[Features, Fraction | None]]) -> Fitted:
    """From models with their features and their recorded labour. Raises MissingAssumptionError or InputError."""
    rows = [_logarithms(name, features) for name, (features, _) in models.items()]
    labour = [_logarithm(name, "labour", amount) for name, (_, amount) in models.items()]
    width = 1 + len(COLUMNS)
    if len(rows) < width + SPARE:
        reason = f"would rest on too few models: {len(rows)}, where {width} coefficients need {width + SPARE}"
        raise MissingAssumptionError("the estimate", reason, "record the labour of more models")
    spreads = _spreads(rows)
    columns = transposed(rows)
    products = [[dot(one, other) for other in columns] for one in columns]
    right = [dot(one, labour) for one in columns]
    solved = solve(products, right, *([int(at == row) for row in range(width)] for at in range(width)))
    if solved is None:
        raise _follows(COLUMNS)
    coefficients, inverse = solved[0], solved[1:]
    tolerances = [Fraction(1, inverse[at][at] * spreads[at - 1]) for at in range(1, width)]
    dull = [name for name, tolerance in zip(COLUMNS, tolerances, strict=True) if tolerance < LEAST_TOLERANCE]
    if dull:
        raise _follows(dull)
    left = [found - dot(row, coefficients) for row, found in zip(rows, labour, strict=True)]
    residual = Fraction(dot(left, left), len(rows) - width)
    return Fitted(
        models=len(rows),
        coefficients=tuple(coefficients),
        errors=tuple(root(residual * inverse[at][at]) for at in range(width)),
        tolerances=tuple(tolerances),
        residual=residual,
        inverse=tuple(tuple(row) for row in inverse),
        ranges=tuple((min(row[at] for row in rows), max(row[at] for row in rows)) for at in range(1, width)),
    )


def estimate(line: Fitted, features: Features, probability: Fraction = _USUAL, name: str = "the model") -> Estimated:
    """The labour of a model whose labour nobody recorded."""
    if not 0 < probability <= SUREST:
        raise InputError("the probability", f"is {probability}", "give one above 0 and below 1, such as 95/100")
    row = _logarithms(name, features)
    middle = dot(row, line.coefficients)
    leverage = dot([dot(row, column) for column in line.inverse], row)
    t = quantile(probability, line.freedom)
    on_the_line, of_one = (t * root(line.residual * share) for share in (leverage, 1 + leverage))
    if abs(middle) + of_one > _MOST_POWER:
        raise MissingAssumptionError(name, "is so unlike the models fitted that they say nothing of it", "fit others")
    return Estimated(
        typical=power_of_e(middle),
        prediction=(power_of_e(middle - of_one), power_of_e(middle + of_one)),
        confidence=(power_of_e(middle - on_the_line), power_of_e(middle + on_the_line)),
        beyond=tuple(
            column
            for column, number, (low, high) in zip(COLUMNS, row[1:], line.ranges, strict=True)
            if not low <= number <= high
        ),
    )


def _logarithms(name: str, features: Features) -> list[Fraction]:
    return [Fraction(1), *(_logarithm(name, column, getattr(features, column)) for column in COLUMNS)]


def _logarithm(name: str, what: str, amount: Fraction | None) -> Fraction:
    if amount is None:
        raise MissingAssumptionError(f"{name}, {what}", "is unknown", "record it, or leave the model out")
    if amount <= 0:
        raise InputError(f"{name}, {what}", f"is {amount}, which has no logarithm", "leave the model out")
    return logarithm(amount)


def _spreads(rows: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """Sum of squares about the mean, of each column; refused where there is none."""
    spreads: list[Fraction] = []
    for at, column in enumerate(COLUMNS, start=1):
        numbers = [row[at] for row in rows]
        mean = Fraction(sum(numbers, Fraction(0)), len(numbers))
        spread = sum(((number - mean) ** 2 for number in numbers), Fraction(0))
        if not spread:
            raise MissingAssumptionError(f"the estimate, {column}", "is the same for all models", "record others")
        spreads.append(spread)
    return spreads


def _follows(columns: Sequence[str]) -> MissingAssumptionError:
    reason = f"cannot tell {', '.join(columns)} apart: they follow from each other in the models given"
    return MissingAssumptionError("the estimate", reason, "record models that differ in more than their size")

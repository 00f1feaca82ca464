"""How many hours of simple labour an hour of complex labour counts: four published rules, each with its own answer.

Complex labour is multiplied simple labour (复杂劳动是倍加的简单劳动): ``SLH = Σ r·h`` with ``r ≥ 1``. The literature
does not agree on r, so the house publishes all four and the standard says which one is booked (``economics.md``, 1):

| rule | r | source |
|---|---|---|
| ``rowthorn`` (default) | ``(1 + T_s/H) / (1 − T_t/H)`` | Rowthorn, *Skilled labour in the Marxist system*, 1974 |
| ``wage`` | ``w_k / w_0`` | the wage of the skill over that of simple labour |
| ``hilferding`` | ``1 + (T_s + T_t) / H`` | Hilferding, *Böhm-Bawerks Marx-Kritik*, 1904 |
| ``uniform`` | ``1`` | an hour is an hour |

T_s is the time of study, T_t the teachers' time for one learner, H the hours of a working life, all in one unit.
Rowthorn counts that teachers' labour is itself skilled, Hilferding does not. A standard stores numerator and
denominator of the fraction: no rounding takes place.
"""

from collections.abc import Mapping
from fractions import Fraction

from gongfen.errors import MalformedFactError, MissingAssumptionError

DEFAULT = "rowthorn"
RULES = ("rowthorn", "wage", "hilferding", "uniform")
"""Names as in ``gongfen.facts.kinds.ReductionRule``, the default first."""


def rowthorn(study: Fraction | int, teach: Fraction | int, life: Fraction | int) -> Fraction:
    """``(1 + T_s/H) / (1 − T_t/H)``.

    >>> rowthorn(6_800, 1_200, 68_000)
    Fraction(187, 167)
    """
    _refuse_times(study, teach, life)
    if teach >= life:
        thing = "a reduction"
        raise MalformedFactError(thing, "has teachers who teach one learner for a whole life", "check T_t and H")
    return Fraction(life + study, life - teach)


def hilferding(study: Fraction | int, teach: Fraction | int, life: Fraction | int) -> Fraction:
    """``1 + (T_s + T_t) / H``.

    >>> hilferding(6_800, 2_000, 68_000)
    Fraction(96, 85)
    """
    _refuse_times(study, teach, life)
    return Fraction(life + study + teach, life)


def wage_ratio(wage: Fraction | int, simple_wage: Fraction | int) -> Fraction:
    """``w_k / w_0``, both for an hour and in one currency."""
    if simple_wage <= 0 or wage <= 0:
        raise MalformedFactError("a reduction", "needs wages above zero", "give the wage of an hour of each labour")
    return at_least_one(Fraction(wage, simple_wage), "the ratio of wages")


def uniform() -> Fraction:
    """An hour is an hour."""
    return Fraction(1)


def at_least_one(reduction: Fraction, thing: str) -> Fraction:
    """The reduction, unless it makes complex labour count less than simple labour."""
    if reduction < 1:
        reason = f"makes complex labour count {reduction} of simple labour, and simple labour is the least there is"
        remedy = "take the lowest wage or the least learning as simple labour, or state 1 (uniform)"
        raise MalformedFactError(thing, reason, remedy)
    return reduction


def every_rule(
    study: Fraction | int | None,
    teach: Fraction | int | None,
    life: Fraction | int,
    wage: Fraction | int | None = None,
    simple_wage: Fraction | int | None = None,
) -> dict[str, Fraction | None]:
    """The reduction by each of RULES, in that order; ``None`` where what it needs is unknown.

    A wage below that of simple labour is refused here as everywhere: the pair of wages is wrong, not the rule.
    """
    learned = study is not None and teach is not None
    paid = wage is not None and simple_wage is not None
    return {
        "rowthorn": rowthorn(study or 0, teach or 0, life) if learned else None,
        "wage": wage_ratio(wage or 0, simple_wage or 0) if paid else None,
        "hilferding": hilferding(study or 0, teach or 0, life) if learned else None,
        "uniform": uniform(),
    }


def chosen(reductions: Mapping[str, Fraction | None], rule: str = DEFAULT) -> Fraction:
    """The reduction by one rule; refused where it is unknown, never replaced by 1 in silence."""
    if rule not in reductions:
        raise MalformedFactError(f"rule {rule!r}", "is no rule of reduction", f"use one of: {', '.join(RULES)}")
    found = reductions[rule]
    if found is None:
        what = "wages" if rule == "wage" else "times of study and teaching"
        raise MissingAssumptionError(f"the reduction by {rule}", f"needs {what}", "state them, or state 1 (uniform)")
    return found


def _refuse_times(study: Fraction | int, teach: Fraction | int, life: Fraction | int) -> None:
    if life <= 0:
        raise MalformedFactError("a reduction", "has a working life of no hours", "give H above zero")
    if study < 0 or teach < 0:
        raise MalformedFactError("a reduction", "has times of learning below zero", "give T_s and T_t from 0 upwards")

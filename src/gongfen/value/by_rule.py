"""The worth of a lot under each rule of reduction, side by side, from the lot's own vector.

An amount says by which fraction its hours were counted, ``num/den``; by another rule it is ``amount × r / (num/den)``,
with r from the ``skill`` facts (:mod:`gongfen.value.reductions`). Simple labour is the unit under every rule, and
machines, energy and bought data are not reduced. Where a skill lacks what a rule needs, the rule's answer is unknown,
and says which skill lacks what.

Amounts in a vector are whole micro-SLH: what is recomputed from them may be off by one for each source.
"""

from fractions import Fraction
from functools import cache
from typing import Literal

import msgspec

from gongfen.accounts.chart import SIMPLE, UNPAID, Living
from gongfen.accounts.state import State
from gongfen.facts.amounts import USLH_PER_HOUR, round_half_up
from gongfen.facts.kinds import Skill
from gongfen.value.lot import Lot, is_now
from gongfen.value.reductions import RULES, every_rule

BOOKED = "booked"
"""Not a rule: the fractions by which the hours were counted, whatever they come from."""


class Lacking(msgspec.Struct, frozen=True, order=True):
    """Why a rule has no answer: a skill of which something was not stated."""

    skill: str
    what: Literal["skill", "wage"]
    """``skill``: no ``skill`` fact at all; ``wage``: a fact without wages."""


class Valued(msgspec.Struct, frozen=True, kw_only=True):
    """The answer by one rule. ``None`` is unknown: something is ``lacking``, or nothing was sold."""

    rule: str
    """``booked``, or one of :data:`gongfen.value.reductions.RULES`."""
    transferred_uslh: int | None
    living_uslh: int | None
    value_micro: int | None
    rent_avg_micro: int | None
    rent_repro_micro: int | None
    lacking: tuple[Lacking, ...] = ()

    @property
    def uslh(self) -> int | None:
        """T + L."""
        known = self.transferred_uslh is not None and self.living_uslh is not None
        return (self.transferred_uslh or 0) + (self.living_uslh or 0) if known else None


class Factors:
    """What an amount that was booked counts by another rule, over what it counts as booked; ``None``: unknown."""

    def __init__(self, state: State) -> None:
        self._skill = cache(lambda name: reductions_of(state.skills.get(name)) if name != SIMPLE else _ONES)

    def factor(self, source: Living, rule: str) -> Fraction | None:
        """``r / (num/den)``; 1 as booked. Unpaid labour is simple labour by every rule."""
        if rule == BOOKED:
            return Fraction(1)
        if source.standing == UNPAID:
            return Fraction(source.den, source.num)
        found = self._skill(source.skill)[rule]
        return None if found is None else found * Fraction(source.den, source.num)


_ONES = dict.fromkeys(RULES, Fraction(1))


def reductions_of(skill: Skill | None) -> dict[str, Fraction | None]:
    """A skill's reduction by each rule; only the uniform one is known of a skill that nobody described."""
    if skill is None:
        return every_rule(None, None, 1)
    return every_rule(skill.study_us, skill.teach_us, skill.life_us, skill.wage_micro, skill.simple_wage_micro)


def by_rule(
    state: State, lot: Lot, melt_micro: int, price_micro: int | None, sold: Lot | None = None
) -> tuple[Valued, ...]:
    """As booked, then by each of RULES. ``sold``: what of the lot the price is for; ``None``: all of it."""
    factors = Factors(state)
    return tuple(_valued(state, factors, lot, rule, melt_micro, price_micro, sold) for rule in (BOOKED, *RULES))


def _valued(
    state: State, factors: Factors, lot: Lot, rule: str, melt_micro: int, price_micro: int | None, sold: Lot | None
) -> Valued:
    past, now, missing = _reduced(state, factors, lot, rule)
    if missing:
        return Valued(
            rule=rule,
            transferred_uslh=None,
            living_uslh=None,
            value_micro=None,
            rent_avg_micro=None,
            rent_repro_micro=None,
            lacking=tuple(sorted(missing)),
        )
    transferred, living = rounded(past), rounded(now)
    past_sold, now_sold = (past, now) if sold is None else _reduced(state, factors, sold, rule)[:2]
    at_value = money(rounded(past_sold) + rounded(now_sold), melt_micro)
    return Valued(
        rule=rule,
        transferred_uslh=transferred,
        living_uslh=living,
        value_micro=money(transferred + living, melt_micro),
        rent_avg_micro=None if price_micro is None else price_micro - at_value,
        rent_repro_micro=None if price_micro is None else price_micro - money(rounded(now_sold), melt_micro),
    )


def _reduced(state: State, factors: Factors, lot: Lot, rule: str) -> tuple[Fraction, Fraction, set[Lacking]]:
    """T and L by a rule, micro-SLH, and what the rule lacks for it."""
    now, past = Fraction(0), Fraction(sum(lot.external.values()))
    missing: set[Lacking] = set()
    for source, amount in lot.living.items():
        factor = factors.factor(source, rule)
        if factor is None:
            what: Literal["skill", "wage"] = "skill" if state.skills.get(source.skill) is None else "wage"
            missing.add(Lacking(source.skill, what))
        elif is_now(source):
            now += amount * factor
        else:
            past += amount * factor
    return past, now, missing


def rounded(amount: Fraction) -> int:
    """The nearest whole micro-unit of a fraction ≥ 0; halves go up."""
    return round_half_up(amount.numerator, amount.denominator)


def money(uslh: int, melt_micro: int) -> int:
    """Labour in money, through μ alone (invariant I6); micro-units, halves up."""
    return round_half_up(uslh * melt_micro, USLH_PER_HOUR)

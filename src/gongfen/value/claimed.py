"""Whether a reduction is what the rule that it names gives: by the skill fact in force, or only claimed.

A new standard that names a rule and states another number is refused when it is recorded. Where the book lacks what the
rule needs, or an older log states something else, the number counts as it is stated, and shows as claimed.
"""

from fractions import Fraction

from msgspec import UNSET

from gongfen.accounts.state import State
from gongfen.errors import MalformedFactError
from gongfen.facts.kinds import Reduction, Standard
from gongfen.value.by_rule import reductions_of

STATED = "stated"
"""Names no rule: the number is the standard's own."""


def by_its_rule(state: State, reduction: Reduction) -> Fraction | None:
    """What the rule that it names gives; ``None``: it names none, or nobody said what the rule needs."""
    if reduction.rule is UNSET or reduction.rule == STATED:
        return None
    return reductions_of(state.skills.get(reduction.skill))[reduction.rule]


def is_claimed(state: State, reduction: Reduction) -> bool:
    """Whether it names a rule that does not give it, as far as the book knows."""
    named = reduction.rule is not UNSET and reduction.rule != STATED
    return named and by_its_rule(state, reduction) != Fraction(reduction.num, reduction.den)


def false_rule(state: State, standard: Standard) -> MalformedFactError | None:
    """The first reduction that is not what its rule gives; ``None``: each is, or cannot be known."""
    for one in standard.reductions:
        due = by_its_rule(state, one)
        if due is not None and due != Fraction(one.num, one.den):
            reason = f"counts {one.skill} as {one.num}/{one.den} by {one.rule}, which gives {due} by the skill fact"
            if one.rule == "uniform":
                reason = f"counts {one.skill} as {one.num}/{one.den} by {one.rule}, which gives {due}"
            remedy = f"write num={due.numerator} den={due.denominator}, or rule={STATED} if the number is your own"
            return MalformedFactError(f"standard {standard.standard}", reason, remedy)
    return None

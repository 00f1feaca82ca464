"""Labour in a loop: what a model makes becomes the data of the next one, round after round, and labour stays finite.

A unit of work j takes ``l_j`` of new labour and ``a_ij`` of work i. Where works go into themselves through others —
model → generated data → next model — one equation for each holds at once: ``v_j = l_j + Σ v_i·a_ij``, the same
equations as for the sectors of an economy. ``economics.md``, section 4: A = [[0, .2], [.5, 0]], l = (1, 2) give
(20/9, 22/9).

**What the steady value means.** Unroll the loop: the first version holds its own labour, each later one its own
labour and its share of the version before. These values rise and approach v from below; ``unrolled`` gives them,
``gap`` how far they still are. A loop that passes on as much as it takes in, or more, has no steady value and is
refused (NotProductiveError, with the works in it): every round would add labour without end.

Histories are sparse. Only works of one circuit are solved together, exactly; what lies on no circuit is added up along
the way. Numbers are fractions throughout: the loop may feed the books, once rounded by whoever books it.
"""

from fractions import Fraction

import msgspec

from gongfen.errors import InputError, NotProductiveError, UnknownWorkError
from gongfen.value.economy.circuits import circuits
from gongfen.value.economy.input_output import unit_values

_MOST_IN_CIRCUIT = 500
"""Minutes, not hours."""


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """Works, with what a unit of each takes. A unit is what the amounts are counted in: a version, a call, a text."""

    labour: dict[str, Fraction]
    """l: new labour in a unit of each work; every work stands here."""
    uses: dict[str, dict[str, Fraction]]
    """``uses[work][input]``: how much of the input goes into a unit of the work."""


def loop_values(loop: Loop) -> dict[str, Fraction]:
    """All the labour in a unit of each work, that of its own past rounds with it.

    Raises NotProductiveError for a circuit that takes as much as it gives, UnknownWorkError for an input that is no
    work of the loop, InputError for amounts below zero.
    """
    _refuse_malformed(loop)
    found: dict[str, Fraction] = {}
    for group in circuits({work: loop.uses.get(work, {}) for work in loop.labour}):
        inside = set(group)
        given = [
            loop.labour[work]
            + sum((found[of] * much for of, much in _uses(loop, work) if of not in inside), Fraction(0))
            for work in group
        ]
        found |= zip(group, _solved(loop, group, given), strict=True)
    return {work: found[work] for work in loop.labour}


def unrolled(loop: Loop, rounds: int) -> dict[str, Fraction]:
    """The same, step by step: each round is made with the one before, and the first with nothing at all."""
    _refuse_malformed(loop)
    now = dict(loop.labour)
    for _ in range(rounds):
        now = {
            work: labour + sum((now[of] * much for of, much in _uses(loop, work)), Fraction(0))
            for work, labour in loop.labour.items()
        }
    return now


def gap(loop: Loop, rounds: int) -> Fraction:
    """What the farthest value still lacks after so many rounds: from 0 upwards, and never more than a round before."""
    steady, stepped = loop_values(loop), unrolled(loop, rounds)
    return max((steady[work] - stepped[work] for work in steady), default=Fraction(0))


def _solved(loop: Loop, group: tuple[str, ...], given: list[Fraction]) -> list[Fraction]:
    if len(group) > _MOST_IN_CIRCUIT:
        reason = f"is one of {len(group):,} works in one circuit, and {_MOST_IN_CIRCUIT:,} at most are solved exactly"
        raise InputError(group[0], reason, "add works of one kind together")
    inputs = [[loop.uses.get(work, {}).get(of, Fraction(0)) for work in group] for of in group]
    if len(group) == 1 and not inputs[0][0]:
        return given
    try:
        return unit_values(inputs, given)
    except NotProductiveError as error:
        thing = " → ".join((*group[:5], "…") if len(group) > 5 else (*group, group[0]))
        reason = "passes on as much as it takes in, or more: its labour would grow without end"
        raise NotProductiveError(thing, reason, "check how much of each goes into the other") from error


def _uses(loop: Loop, work: str) -> list[tuple[str, Fraction]]:
    return list(loop.uses.get(work, {}).items())


def _refuse_malformed(loop: Loop) -> None:
    for work, labour in loop.labour.items():
        if labour < 0:
            raise InputError(work, f"has labour below zero: {labour}", "count labour from 0 upwards")
    for work, inputs in loop.uses.items():
        for name in (work, *inputs):
            if name not in loop.labour:
                raise UnknownWorkError(name, "is used, and its own labour is not given", "give it: 0 if none is new")
        for name, much in inputs.items():
            if much < 0:
                raise InputError(f"{work}, input {name}", f"is below zero: {much}", "count uses from 0 upwards")

"""Labour values of a whole economy, ``v = l(I − A)⁻¹``: all labour in one unit, direct and through inputs.

Sector j takes ``a_ij`` of product i and ``l_j`` of labour for a unit; the labour in it is ``v_j = l_j + Σ v_i·a_ij``.
What the final product is worth is all the labour that was done: ``v·y = l·x``. Both hold exactly here, in fractions.

**Productive.** Values exist, and are not below zero, only where the sectors together make more than they use up
(Hawkins & Simon, *Note: some conditions of macroeconomic stability*, Econometrica 17, 1949: all leading minors of I − A
above zero). The proof used here costs one more solution: I − A has an inverse with no entry below zero exactly when the
``z`` with ``z(I − A) = (1, …, 1)`` has none (Berman & Plemmons, *Nonnegative Matrices*, chapter 6, theorem 2.3).

**Joint production.** A process that makes two things in one go (wool and mutton) gives no rule how its labour divides.
The equations may then have a solution below zero while profit is above it (Steedman, *Positive profits with negative
surplus value*, Economic Journal 85, 1975). Such a table is refused; it is never booked. Remedies exist (Morishima's
true values, a split by weight or price), but each is a further assumption, and has to be stated by whoever makes it.
"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from gongfen.errors import InputError, JointProductionError, NotProductiveError
from gongfen.value.economy.linear import Row, dot, solve, transposed
from gongfen.value.economy.sector_table import SectorTable

Matrix = Sequence[Row]


class LabourValues(msgspec.Struct, frozen=True, kw_only=True):
    """By sector. Labour in the unit of the table's labour, for one unit of the table's flows."""

    values: dict[str, Fraction | None]
    """v. ``None``: the sector made nothing in this period, and what a unit of it takes is unknown."""
    direct: dict[str, Fraction | None]
    """l, the labour done in the sector itself."""
    output: dict[str, Fraction]
    """x."""
    labour: Fraction
    """All of it: ``l·x = v·y``."""


def labour_values(table: SectorTable, name: str = "the table") -> LabourValues:
    """The labour in one unit of every sector's product.

    Raises NotProductiveError when the sectors use up what they make, InputError when a sector that makes nothing is
    used or works.
    """
    output = table.output
    busy = [at for at, amount in enumerate(output) if amount]
    for at, amount in enumerate(output):
        _refuse_idle_that_moves(table, at, amount, name)
    inputs = [[Fraction(table.flows[i][j], output[j]) for j in busy] for i in busy]
    direct = [Fraction(table.labour[j], output[j]) for j in busy]
    found = unit_values(inputs, direct, [table.names[at] for at in busy], name)
    total = sum(table.labour, Fraction(0))
    assert dot(found, [table.final[at] for at in busy]) == total, "v·y = l·x"
    unknown: dict[str, Fraction | None] = dict.fromkeys(table.names)
    return LabourValues(
        values=unknown | {table.names[at]: value for at, value in zip(busy, found, strict=True)},
        direct=unknown | {table.names[at]: value for at, value in zip(busy, direct, strict=True)},
        output=dict(zip(table.names, output, strict=True)),
        labour=total,
    )


def unit_values(inputs: Matrix, labour: Row, names: Sequence[str] = (), thing: str = "the economy") -> list[Fraction]:
    """``l(I − A)⁻¹``, from ``inputs[i][j]``, product i in a unit of product j, and the labour in a unit of each.

    >>> [str(value) for value in unit_values([[0, Fraction(1, 5)], [Fraction(1, 2), 0]], [1, 2])]
    ['20/9', '22/9']
    """
    _refuse_below_zero(inputs, labour, thing)
    solved = solve(transposed(_left_over(inputs)), labour, [1] * len(labour))
    if solved is None or any(number < 0 for number in solved[1]):
        greedy = [name for at, name in enumerate(names) if inputs[at][at] >= 1]
        place = f", above all {', '.join(greedy[:3])}" if greedy else ""
        reason = f"uses up as much as it makes, or more, directly and through its inputs{place}"
        raise NotProductiveError(thing, reason, "check the units, and that inputs and outputs are of one period")
    return solved[0]


def is_productive(inputs: Matrix) -> bool:
    """Whether something of everything can be left over (Hawkins & Simon)."""
    solved = solve(transposed(_left_over(inputs)), [1] * len(inputs))
    return solved is not None and all(number >= 0 for number in solved[0])


def leontief_inverse(inputs: Matrix) -> list[list[Fraction]]:
    """``(I − A)⁻¹``: row i, column j: what of product i one unit of j for final use takes, directly and indirectly."""
    size = len(inputs)
    if not is_productive(inputs):
        raise NotProductiveError("the economy", "uses up as much as it makes, or more", "check the units")
    columns = solve(_left_over(inputs), *([int(i == j) for i in range(size)] for j in range(size)))
    assert columns is not None, "what is productive has an inverse"
    return [[column[at] for column in columns] for at in range(size)]


def values_of_processes(
    inputs: Matrix, outputs: Matrix, labour: Row, products: Sequence[str] = (), thing: str = "the economy"
) -> list[Fraction]:
    """Labour values from processes: row i is what process i uses, and makes, of each product.

    Each process must make one product of its own. Raises JointProductionError where one makes several, or several make
    one; it says what the equations would give.
    """
    size = len(labour)
    assert len(inputs) == len(outputs) == size, "each process has inputs, outputs and labour"
    names = list(products) or [f"product {at + 1}" for at in range(len(outputs[0]))]
    joint = len(names) != size or any(
        (made != 0) != (i == j) for i, row in enumerate(outputs) for j, made in enumerate(row)
    )
    if joint:
        raise JointProductionError(thing, _why_not(inputs, outputs, labour, names), _HOW_ELSE)
    coefficients = [[Fraction(inputs[j][i], outputs[j][j]) for j in range(size)] for i in range(size)]
    return unit_values(coefficients, [Fraction(labour[j], outputs[j][j]) for j in range(size)], names, thing)


_HOW_ELSE = "describe each product by a process of its own, or state how the labour of a process divides"


def joint_values(inputs: Matrix, outputs: Matrix, labour: Row) -> list[Fraction] | None:
    """What ``v·(outputs − inputs) = labour`` gives for joint production: to *show* why it is refused, never to book.

    ``None`` where there are not as many processes as products, or more than one solution, or none.

    >>> [int(value) for value in joint_values([[25, 0], [0, 10]], [[30, 5], [3, 12]], [5, 1])]
    [-1, 2]
    """
    if any(len(row) != len(labour) for row in outputs):
        return None
    net = [
        [Fraction(b) - a for a, b in zip(used, made, strict=True)] for used, made in zip(inputs, outputs, strict=True)
    ]
    solved = solve(net, labour)
    return None if solved is None else solved[0]


def _why_not(inputs: Matrix, outputs: Matrix, labour: Row, names: list[str]) -> str:
    shared = next((row for row in outputs if sum(1 for made in row if made) > 1), None)
    if shared is None:
        reason = "has products without one process of their own, and labour cannot be divided among processes"
    else:
        made = " and ".join(name for name, amount in zip(names, shared, strict=True) if amount)
        reason = f"makes {made} in one process, and no rule divides its labour between them"
    found = joint_values(inputs, outputs, labour)
    if found is not None and any(value < 0 for value in found):
        told = ", ".join(f"{name} {value}" for name, value in zip(names, found, strict=True))
        reason += f": the equations would give {told}, and no labour is below zero"
    return reason


def _left_over(inputs: Matrix) -> list[list[Fraction]]:
    """I − A."""
    return [[Fraction(int(i == j)) - used for j, used in enumerate(row)] for i, row in enumerate(inputs)]


def _refuse_below_zero(inputs: Matrix, labour: Row, thing: str) -> None:
    if any(used < 0 for row in inputs for used in row) or any(hours < 0 for hours in labour):
        raise InputError(thing, "has inputs or labour below zero", "show what flows back as an output")


def _refuse_idle_that_moves(table: SectorTable, at: int, amount: Fraction, name: str) -> None:
    """A sector without output has no unit; nothing may be asked of it or done in it."""
    sector = table.names[at]
    if amount < 0:
        raise InputError(f"{name}, sector {sector}", f"makes less than nothing: {amount}", "check its final demand")
    if amount:
        return
    if any(row[at] for row in table.flows) or table.labour[at]:
        raise InputError(f"{name}, sector {sector}", "works and makes nothing", "check its row, or leave it out")
    if any(table.flows[at]):
        raise InputError(f"{name}, sector {sector}", "is used and makes nothing", "count what came from stocks as made")

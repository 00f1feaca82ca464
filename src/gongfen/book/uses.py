"""A use of a work, counted in what the work's plan counts in: one by one, in tokens, or in operations."""

from gongfen.accounts import State
from gongfen.facts import kinds as k


def unit_of(state: State, work: str) -> k.UseUnit | None:
    """What the uses of a work are counted in; ``None``: one by one, or it is not in the book yet."""
    stock = state.stocks.get(work)
    return None if stock is None else stock.unit


def counted(work: str, role: str, unit: k.UseUnit | None, *, tokens: int | None, gflop: int) -> k.Use:
    """One making's use of a work, by what it took; less than a unit counts as one.

    ``tokens``: ``None`` where nobody counted them. Then no unit is said, and a book that plans in tokens refuses it.
    """
    taken = {"token": tokens, "gflop": gflop, None: None}[unit]
    if unit is None or taken is None:
        return k.Use(work=work, role=role)
    return k.Use(work=work, role=role, uses=max(taken, 1), unit=unit)

"""Outputs that are several copies: how many were sold, so that a price is held against what it is the price of."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from msgspec import UNSET

from gongfen.accounts.state import State
from gongfen.facts.kinds import Sale


def count_copies(state: State, sale: Sale, times: int) -> int | None:
    """Count the copies of a sale, and say how many; ``times`` -1: it was taken back.

    ``None``: the output is one copy, which is sold or not.
    """
    known = state.works.get(sale.output)
    assert known is not None, "what is sold is in the book"
    if known.quantity == 1:
        return None
    copies = known.quantity if sale.copies is UNSET else sale.copies
    state.copies.set(sale.output, (state.copies.get(sale.output) or 0) + times * copies)
    return copies


def copies_sold(state: State, output: str, copies: int | None = None) -> int:
    """How many copies were sold; of copies that were sold twice, as licences are, no more than there are.

    ``copies``: that of some sales, say of a period; ``None``: of all.
    """
    known = state.works.get(output)
    assert known is not None, "what is sold is in the book"
    if known.quantity == 1:
        return 1
    return min(copies if copies is not None else state.copies.get(output) or 0, known.quantity)


def part_sold(state: State, output: str, copies: int | None = None) -> Fraction:
    """The part of an output that was sold, 0 to 1: of copies that were sold twice, as licences are, no more than all.

    ``copies`` as in :func:`copies_sold`. 1 also where nothing was sold: then there is no price to compare with.
    """
    known, sold = state.works.get(output), copies if copies is not None else state.copies.get(output)
    return Fraction(min(sold, known.quantity), known.quantity) if sold and known else Fraction(1)


def parts_sold(state: State, outputs: Iterable[str], copies: Mapping[str, int] | None = None) -> dict[str, Fraction]:
    """The same of several outputs; ``copies``: of those that are several, how many some sales were of."""
    return {output: part_sold(state, output, (copies or {}).get(output)) for output in outputs}

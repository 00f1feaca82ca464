"""Outputs that are several copies: how many were sold, so that a price is held against what it is the price of."""

from fractions import Fraction

from msgspec import UNSET

from gongfen.accounts.state import State
from gongfen.facts.kinds import Sale


def count_copies(state: State, sale: Sale, times: int) -> None:
    """Count the copies of a sale; ``times`` -1: it was taken back. An output that is one copy is sold or not."""
    known = state.works.get(sale.output)
    assert known is not None, "what is sold is in the book"
    if known.quantity > 1:
        copies = known.quantity if sale.copies is UNSET else sale.copies
        state.copies.set(sale.output, (state.copies.get(sale.output) or 0) + times * copies)


def copies_sold(state: State, output: str) -> int:
    """How many copies were sold; of copies that were sold twice, as licences are, no more than there are."""
    known = state.works.get(output)
    assert known is not None, "what is sold is in the book"
    return min(state.copies.get(output) or 0, known.quantity) if known.quantity > 1 else 1


def part_sold(state: State, output: str) -> Fraction:
    """The part of an output that was sold, 0 to 1: of copies that were sold twice, as licences are, no more than all.

    1 also where nothing was sold: then there is no price to compare with.
    """
    sold, known = state.copies.get(output), state.works.get(output)
    return Fraction(min(sold, known.quantity), known.quantity) if sold and known else Fraction(1)

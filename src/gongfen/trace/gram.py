"""XᵀX, of which only the lower half is summed: two thirds of the time of a product that does not know its symmetry."""

from torch import Tensor

PANEL = 64
"""So many rows of the product are made at once; what stands right of them is left out."""


def add_lower(total: Tensor, rows: Tensor) -> None:
    """Add the lower half of ``rows``ᵀ ``rows`` to ``total`` [d, d], for rows [n, d]; the upper half means nothing.

    A symmetric rank-k update, which PyTorch does not offer.
    """
    for start in range(0, len(total), PANEL):
        end = min(start + PANEL, len(total))
        total[start:end, :end].addmm_(rows[:, start:end].T, rows[:, :end])


def mirrored(lower: Tensor) -> Tensor:
    """The whole of a symmetric matrix [d, d] whose lower half was summed."""
    whole = lower.tril()
    return whole + whole.tril(-1).T

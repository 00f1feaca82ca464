"""Sums of outer products by their lower half are those of the whole product."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gongfen.trace.gram import PANEL, add_lower, mirrored


@given(st.integers(1, 3 * PANEL), st.lists(st.integers(0, 40), min_size=1, max_size=3), st.integers(0, 99))
def test_sums_of_outer_products_are_whole_and_symmetric(features: int, batches: list[int], seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    total, whole = torch.zeros(features, features), torch.zeros(features, features, dtype=torch.float64)
    for count in batches:
        rows = torch.randn(count, features, generator=source)
        add_lower(total, rows)
        whole += rows.double().T @ rows.double()
    found = mirrored(total)
    assert torch.equal(found, found.T)
    torch.testing.assert_close(found.double(), whole, rtol=1e-5, atol=1e-4)

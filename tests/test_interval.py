"""Intervals of effects: golden numbers by hand, and what they promise, by drawing."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gongfen.trace.interval import (
    inverse_trigamma,
    moderated,
    over_checkpoints,
    over_seeds,
    quantile_975,
    shares_over_checkpoints,
    shares_over_seeds,
)


def test_the_mean_of_four_checkpoints_by_hand():
    """1, 2, 3, 4: mean 2.5, s = √(5/3) = 1.29099, t(3) = 3.182: ± 3.182 · 1.29099 / 2 = 2.054."""
    low, high = over_checkpoints(torch.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]))
    assert low.item() == pytest.approx(2.5 - 2.054, abs=1e-3)
    assert high.item() == pytest.approx(2.5 + 2.054, abs=1e-3)


def test_another_run_beside_two_by_hand():
    """1 and 3: s = √2, t(1) = 12.706: 1 ± 12.706 · √2 · √2 = 1 ± 25.412."""
    low, high = over_seeds(torch.tensor([[1.0], [3.0]]))
    assert (low.item(), high.item()) == pytest.approx((1 - 25.412, 1 + 25.412), abs=1e-3)


def test_works_that_vary_alike_are_pooled():
    """Ten works whose two runs differ by 2 each: s = √2 for all, with ten degrees of freedom: ± 2.228 · √2 · √2."""
    low, high = over_seeds(torch.stack([torch.arange(10.0), torch.arange(10.0) + 2]))
    assert low.tolist() == pytest.approx([n - 4.456 for n in range(10)], abs=1e-2)
    assert high.tolist() == pytest.approx([n + 4.456 for n in range(10)], abs=1e-2)


@pytest.mark.parametrize("prior", [2.0, 4.0, 10.0])
@pytest.mark.parametrize("freedom", [1, 2, 5])
def test_how_works_vary_is_learned_from_all_of_them(prior, freedom):
    """σ² drawn as d₀ s₀² / χ²(d₀), s² about it: the moderated one is nearer to σ² than s² is, with its degrees."""
    source = torch.Generator().manual_seed(3)

    def chi_square(degrees, count):
        gamma = torch.distributions.Gamma(degrees / 2, 0.5)
        torch.manual_seed(int(torch.randint(2**31, (), generator=source)))
        return gamma.sample((count,)).double()

    true = 0.04 * prior / chi_square(prior, 400_000)
    seen = true * chi_square(float(freedom), 400_000) / freedom
    found, degrees = moderated(seen, freedom)
    assert degrees == pytest.approx(prior + freedom, rel=0.1, abs=1)
    assert (found.log() - true.log()).square().mean() < (seen.log() - true.log()).square().mean() / 1.2


def test_works_that_do_not_vary_have_intervals_of_no_length():
    low, high = over_seeds(torch.ones(2, 5))
    assert low.tolist() == high.tolist() == [1.0] * 5


@given(st.floats(1e-4, 1e4))
def test_the_trigamma_function_is_inverted(value):
    assert float(torch.polygamma(1, torch.tensor(inverse_trigamma(value)).double())) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("freedom", "due"), [(1, 12.706), (9, 2.262), (10, 2.228), (30, 2.042), (120, 1.980), (10**6, 1.960)]
)
def test_quantiles_of_students_distribution(freedom, due):
    """Any table."""
    assert quantile_975(freedom) == pytest.approx(due, abs=6e-4)


def test_one_measurement_has_no_interval():
    assert over_checkpoints(torch.zeros(1, 2, 3)) is None
    assert over_seeds(torch.zeros(1, 3)) is None


@pytest.mark.parametrize("count", [2, 4, 10])
def test_they_hold_nineteen_times_in_twenty(count):
    """Effects drawn from a normal distribution about their true value."""
    source = torch.Generator().manual_seed(1)
    true = torch.randn(1, 40_000, generator=source)
    drawn = true + torch.randn(count, 1, 40_000, generator=source)
    low, high = over_checkpoints(drawn)
    assert ((low <= true) & (true <= high)).double().mean() == pytest.approx(0.95, abs=0.01)
    another = true[0] + torch.randn(40_000, generator=source)
    low, high = over_seeds(drawn[:, 0])
    assert ((low <= another) & (another <= high)).double().mean() > 0.93


# -- of makers' shares -------------------------------------------------------------------------------------------------

TWO_MAKERS = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]], dtype=torch.float64)
"""A work of each, and one of both."""


def test_a_share_over_checkpoints_by_hand():
    """Effects 1, 2, 3, 2 of the one and 3, 2, 1, 2 of the other: R = 8/16, (S − R T)/4 = ∓¼, 0, ±¼, 0.

    s = √(⅛/3) = .2041, t(3) = 3.182: ± 3.182 · .2041 / 2 = .3248. What is negative on average counts for nobody.
    """
    each = torch.tensor([[1.0, 3.0, -1], [2, 2, -2], [3, 1, 0.5], [2, 2, -1]], dtype=torch.float64)
    low, high = shares_over_checkpoints(each, TWO_MAKERS)
    assert low.tolist() == pytest.approx([0.5 - 0.3248] * 2, abs=1e-4)
    assert high.tolist() == pytest.approx([0.5 + 0.3248] * 2, abs=1e-4)


def test_checkpoints_that_differ_in_size_alone_leave_a_share_certain():
    """Twice as large at one checkpoint, for every work: the effects' intervals are wide, the share's has no length."""
    each = torch.tensor([[1.0, 2, 2]], dtype=torch.float64) * torch.tensor([[1.0], [2], [1], [2]], dtype=torch.float64)
    low, high = shares_over_checkpoints(each, TWO_MAKERS)
    assert low.tolist() == pytest.approx([0.4, 0.6])
    assert high.tolist() == pytest.approx([0.4, 0.6])


def test_shares_of_another_run_end_at_nothing_and_at_all():
    each = torch.tensor([[1.0, 3, 0], [3, 1, 0]], dtype=torch.float64)
    low, high = shares_over_seeds(each, TWO_MAKERS)
    assert low.tolist() == [0, 0]
    assert high.tolist() == [1, 1]


def test_without_another_look_or_anything_positive_a_share_has_no_interval():
    assert shares_over_checkpoints(torch.ones(1, 3).double(), TWO_MAKERS) is None
    assert shares_over_checkpoints(-torch.ones(4, 3).double(), TWO_MAKERS) is None
    assert shares_over_seeds(torch.ones(1, 3).double(), TWO_MAKERS) is None
    assert shares_over_seeds(torch.tensor([[1.0, 1, 1], [-1, -1, -1]]).double(), TWO_MAKERS) is None

"""Intervals of effects: golden numbers by hand, and what they promise, by drawing."""

import pytest
import torch

from gongfen.trace.interval import over_checkpoints, over_seeds, quantile_975


def test_the_mean_of_four_checkpoints_by_hand():
    """1, 2, 3, 4: mean 2.5, s = √(5/3) = 1.29099, t(3) = 3.182: ± 3.182 · 1.29099 / 2 = 2.054."""
    low, high = over_checkpoints(torch.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]))
    assert low.item() == pytest.approx(2.5 - 2.054, abs=1e-3)
    assert high.item() == pytest.approx(2.5 + 2.054, abs=1e-3)


def test_another_run_beside_two_by_hand():
    """1 and 3: s = √2, t(1) = 12.706: 1 ± 12.706 · √2 · √2 = 1 ± 25.412."""
    low, high = over_seeds(torch.tensor([[1.0], [3.0]]))
    assert (low.item(), high.item()) == pytest.approx((1 - 25.412, 1 + 25.412), abs=1e-3)


def test_two_works_vary_alike_and_are_pooled_by_hand():
    """1 and 3, 5 and 5: variances 2 and 0, pooled s = 1, t(2) = 4.303: ± 4.303 · √2 = 6.085 for both."""
    low, high = over_seeds(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    assert low.tolist() == pytest.approx([1 - 6.085, 5 - 6.085], abs=1e-3)
    assert high.tolist() == pytest.approx([1 + 6.085, 5 + 6.085], abs=1e-3)


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

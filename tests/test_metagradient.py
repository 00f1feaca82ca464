"""The settlement grade is the derivative of training: it agrees with retraining at slightly different weights."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gongfen.errors import TrainingError
from gongfen.trace.adamw import Recipe
from gongfen.trace.leave_out import LeaveOut, LeftOut, evenly_ranked, leave_out
from gongfen.trace.metagradient import metagradient
from gongfen.trace.problem import LanguageProblem, Passage, utility
from gongfen.trace.tuning import retune, tune

torch.set_num_threads(1)  # small tensors: a second thread would only wait

RECIPE = Recipe(
    seed=3,
    epochs=2,
    batch_size=4,
    learning_rate_nano=20_000_000,
    warmup_steps=2,
    eps_nano=100_000,
    weight_decay_ppm=10_000,
)


class ToyLora(nn.Module):
    """A frozen next-token model with a low-rank adapter whose B starts at zero, in float64."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(7, 6, dtype=torch.float64).requires_grad_(requires_grad=False)
        self.a = nn.Linear(6, 2, bias=False, dtype=torch.float64)
        self.b = nn.Linear(2, 6, bias=False, dtype=torch.float64)
        self.head = nn.Linear(6, 7, dtype=torch.float64).requires_grad_(requires_grad=False)
        nn.init.zeros_(self.b.weight)

    def forward(self, input_ids, attention_mask):
        seen = (self.embed(input_ids) * attention_mask.unsqueeze(-1)).cumsum(1)
        return SimpleNamespace(logits=self.head(torch.tanh(seen + self.b(self.a(seen)))))


def toy(examples=10):
    """Ten short texts: batches of four leave a last batch of two. Two outputs at different prices."""
    source = torch.Generator().manual_seed(1)
    texts = [tuple(torch.randint(0, 7, (4 + i % 3,), generator=source).tolist()) for i in range(examples + 2)]
    outputs = [Passage(texts[-2], 2), Passage(texts[-1], 2)]
    return LanguageProblem(ToyLora(), [Passage(text) for text in texts[:examples]], outputs, [3, 1])


def by_finite_difference(problem, recipe, number, h=1e-5):
    """∂U/∂w of one example, by two whole retrainings."""
    found = []
    for sign in (1, -1):
        weights = torch.ones(problem.examples, dtype=torch.float64)
        weights[number] += sign * h
        found.append(utility(problem, tune(problem, recipe, weights, tape=False).theta))
    return (found[0] - found[1]) / (2 * h)


@pytest.mark.parametrize("mode", ["exact", "central"])
def test_it_is_the_derivative_of_training(mode):
    """AdamW with bias correction and decay, B = 0 at the start, a short last batch: every example within 1e-5."""
    problem = toy()
    run = tune(problem, RECIPE)
    assert [len(index) for index in run.batches] == [4, 4, 2, 4, 4, 2]
    effects = metagradient(problem, run, mode, relative_step=1e-5).effects
    expected = torch.tensor([by_finite_difference(problem, RECIPE, i) for i in range(10)])
    assert expected.abs().min() > 0
    torch.testing.assert_close(effects.float(), expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))
    relative = (effects - expected).norm() / expected.norm()
    assert relative <= 1e-5


def test_one_sided_is_close_to_exact():
    problem = toy()
    run = tune(problem, RECIPE)
    exact = metagradient(problem, run, "exact")
    cheap = metagradient(problem, run, relative_step=1e-6)
    assert (cheap.effects - exact.effects).norm() <= 1e-4 * exact.effects.norm()
    assert cheap.growth == pytest.approx(exact.growth, rel=1e-4)
    assert (exact.relative_step, cheap.relative_step) == (0.0, 1e-6)


def test_a_coordinate_that_never_moved_has_no_derivative_of_the_root():
    """LoRA's A has no gradient in the first step, while B is zero: √v there is 0, and nothing becomes NaN."""
    problem = toy()
    run = tune(problem, replace(RECIPE, epochs=1))
    a_size = 12
    assert not run.taped().gradients[0][:a_size].any()
    assert metagradient(problem, run, "exact").effects.isfinite().all()


def test_a_tape_of_another_adapter_is_refused():
    problem = toy()
    run = tune(problem, RECIPE)
    altered = replace(run, theta=run.theta + 1e-12)
    with pytest.raises(TrainingError, match="does not belong to this adapter"):
        metagradient(problem, altered)
    with pytest.raises(TrainingError, match="without a tape"):
        metagradient(problem, replace(run, tape=None))


def test_leaving_out_reuses_the_prefix_exactly():
    """Retraining from the first changed step ends where retraining from θ₀ ends."""
    problem = toy()
    run = tune(problem, RECIPE)
    late = int(run.batches[2][0])
    weights = torch.ones(10, dtype=torch.float64)
    weights[late] = 0
    torch.testing.assert_close(
        retune(problem, run, weights), tune(problem, RECIPE, weights).theta, rtol=1e-12, atol=1e-12
    )
    assert torch.equal(retune(problem, run, run.weights), run.theta)


def test_predictions_agree_with_real_retrainings_and_a_resumed_run_repeats_none():
    problem = toy(20)
    run = tune(problem, replace(RECIPE, learning_rate_nano=10_000_000, eps_nano=300_000_000))
    effects = metagradient(problem, run).effects
    groups = {f"maker-{i}": [2 * i, 2 * i + 1] for i in range(10)}
    makers = evenly_ranked(groups, effects, 6)
    cache = {}
    found = leave_out(problem, run, effects, groups, makers, cache)
    assert found.spearman > 0.9
    assert found.slope == pytest.approx(1, abs=0.2)
    kept = dict(cache)
    assert len(kept) == 6
    assert leave_out(problem, run, effects, groups, makers, kept) == found
    assert kept == cache
    with pytest.raises(TrainingError, match="maker nobody has no example"):
        leave_out(problem, run, effects, groups, ["nobody"])


def test_makers_are_chosen_at_both_ends_and_evenly_between():
    groups = {name: [number] for number, name in enumerate("abcdefghi")}
    effects = -torch.arange(9.0)
    assert evenly_ranked(groups, effects, 3) == ("a", "e", "i")
    assert evenly_ranked(groups, effects, 9) == tuple("abcdefghi")
    with pytest.raises(TrainingError, match="10 retrainings cannot be spread over 9 makers"):
        evenly_ranked(groups, effects, 10)


def test_the_line_of_measured_on_predicted_has_a_slope_and_an_intercept() -> None:
    """y = 2x + 0.5, golden by hand; two points, or one place twice, have none."""
    rows = tuple(LeftOut(str(x), x, 2 * x + 0.5) for x in (-1.0, 0.0, 3.0))
    assert LeaveOut(0.0, rows).line == pytest.approx((2.0, 0.5))
    assert LeaveOut(0.0, rows[:2]).line is None
    assert LeaveOut(0.0, (rows[0],) * 3).line is None

"""The display grade is what its formula says, however the work is cut."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gongfen.errors import TrainingError
from gongfen.trace.gradients import deviation_over_works, display_influence, newton_steps, others_drawn
from gongfen.trace.interval import over_works
from gongfen.trace.problem import LanguageProblem, Passage

torch.set_num_threads(1)  # small tensors: a second thread would only wait


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(8, 4, dtype=torch.float64)
        self.head = nn.Linear(4, 8, dtype=torch.float64)

    def forward(self, input_ids, attention_mask):
        return SimpleNamespace(logits=self.head(self.embed(input_ids) * attention_mask.unsqueeze(-1)))


EXAMPLES = [Passage(text) for text in [(0, 1, 2), (3, 4, 5, 6), (7, 0), (2, 2, 5), (6, 1, 3, 0, 4)]]
OUTPUTS = [Passage((1, 2, 3, 4), 2), Passage((5, 0, 7), 1)]


def problem(examples=EXAMPLES):
    return LanguageProblem(Small(), examples, OUTPUTS, [1, 2])


def brute_force(damping):
    """Per-example autograd into the module itself, and the whole P × P Fisher matrix."""
    module = Small()

    def gradient(passage, sign):
        ids = torch.tensor([passage.tokens])
        logits = module(ids, torch.ones_like(ids)).logits[0, :-1].log_softmax(-1)
        picked = logits[torch.arange(ids.shape[1] - 1), ids[0, 1:]][passage.scored_from - 1 :]
        value = picked.sum() if sign > 0 else -picked.mean()
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(value, list(module.parameters()))])

    g = torch.stack([gradient(passage, -1) for passage in EXAMPLES])
    q = torch.stack([gradient(passage, 1) for passage in OUTPUTS])
    level = (g * g).sum(1).mean() / len(g)
    if damping is None:
        return -(q @ g.T) / (len(g) * level)
    fisher = g.T @ g / len(g) + damping * level * torch.eye(g.shape[1], dtype=torch.float64)
    return -(q @ torch.linalg.solve(fisher, g.T)) / len(g)


@pytest.mark.parametrize("damping", [0.01, 0.1, 1.0])
def test_it_is_the_damped_newton_step_of_each_example(damping):
    found = display_influence(problem(), problem().theta0, damping)
    assert (found.method, found.damping) == ("empirical-fisher", damping)
    torch.testing.assert_close(found.effects, brute_force(damping), rtol=1e-8, atol=1e-10)


def test_gradients_that_do_not_fit_in_memory_are_multiplied_one_by_one():
    found = display_influence(problem(), problem().theta0, memory_bytes=0)
    assert found.method == "plain"
    torch.testing.assert_close(found.effects, brute_force(None), rtol=1e-10, atol=1e-12)


def test_it_does_not_depend_on_how_examples_are_put_together():
    """Payment must not depend on batch size: each gradient is taken from its text alone, without padding or neighbours.

    So the order of the examples is the only way left to cut the work differently, and it changes nothing either.
    """
    order = [4, 2, 0, 3, 1]
    straight = display_influence(problem(), problem().theta0).effects
    shuffled = display_influence(problem([EXAMPLES[i] for i in order]), problem().theta0).effects
    torch.testing.assert_close(shuffled, straight[:, order], rtol=1e-9, atol=1e-12)


def test_an_output_is_helped_most_by_its_own_text():
    own = LanguageProblem(Small(), [*EXAMPLES, Passage((1, 2, 3, 4))], [Passage((1, 2, 3, 4), 1)], [1])
    effects = display_influence(own, own.theta0).effects[0]
    assert int(effects.argmax()) == 5
    assert effects[5] > 0


def test_a_gradient_that_is_not_finite_is_named():
    broken = problem()
    theta = broken.theta0.clone()
    theta[0] = torch.nan
    with pytest.raises(TrainingError, match=r"outputs \[1\] have no finite gradient"):
        display_influence(broken, theta)
    broken = LanguageProblem(Small(), EXAMPLES, OUTPUTS[:1], [1])
    with pytest.raises(TrainingError, match=r"examples \[0, 2, 4\] have no finite gradient"):
        display_influence(broken, theta)


# -- how far it is known -----------------------------------------------------------------------------------------------


def gradients_of(works, features, seed=0):
    source = torch.Generator().manual_seed(seed)
    shape = torch.randn(features, features, generator=source, dtype=torch.float64)
    return torch.randn(works, features, generator=source, dtype=torch.float64) @ shape, shape.T @ shape


@pytest.mark.parametrize("features", [5, 40])
def test_a_work_counts_once_in_its_own_curvature_and_the_others_as_they_are_drawn(features):
    """F_i = (1/N) (g_i g_iᵀ + Σ_k≠i v_k g_k g_kᵀ), inverted as it stands, for more works than numbers and for fewer."""
    g, _ = gradients_of(12, features)
    q = torch.randn(2, features, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights = torch.rand(12, generator=torch.Generator().manual_seed(2), dtype=torch.float64) * 2
    level = torch.tensor(0.3, dtype=torch.float64)
    found = others_drawn(g @ g.T / 12, g @ q.T, level, weights)
    for i in range(12):
        own = weights.clone()
        own[i] = 1
        fisher = (g.T * own) @ g / 12 + level * torch.eye(features, dtype=torch.float64)
        torch.testing.assert_close(found[:, i], -(q @ torch.linalg.solve(fisher, g[i])) / 12)


def test_the_interval_holds_the_effect_under_the_curvature_of_all_works_there_could_be():
    """Works drawn from one population, whose own Fisher matrix is known: nineteen times in twenty, or nearly."""
    held = []
    for seed in range(40):
        works = 150
        g, fisher = gradients_of(works, 4, seed)
        q = torch.randn(3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        gram, dots, level = g @ g.T / works, g @ q.T, torch.tensor(0.5, dtype=torch.float64)
        effects = newton_steps(gram, dots, level)
        low, high = over_works(effects, deviation_over_works(gram, dots, level, 40))
        true = -(q @ torch.linalg.solve(fisher + level * torch.eye(4, dtype=torch.float64), g.T)) / works
        held.append(((low <= true) & (true <= high)).double().mean())
    assert torch.stack(held).mean() == pytest.approx(0.94, abs=0.03)


def test_an_interval_comes_when_it_is_asked_for_and_where_there_is_a_curvature():
    asked = display_influence(problem(), problem().theta0, resamples=40)
    assert asked.deviation.shape == asked.effects.shape
    assert (asked.deviation > 0).all()
    torch.testing.assert_close(asked.effects, display_influence(problem(), problem().theta0).effects)
    again = display_influence(problem(), problem().theta0, resamples=40)
    assert torch.equal(again.deviation, asked.deviation), "always the same draws"
    assert display_influence(problem(), problem().theta0).deviation is None
    assert display_influence(problem(), problem().theta0, memory_bytes=0, resamples=40).deviation is None
    assert over_works(asked.effects, None) is None

"""The display grade is what its formula says, however the work is cut."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gongfen.errors import TrainingError
from gongfen.trace.gradients import display_influence
from gongfen.trace.problem import LanguageProblem, Passage
from gongfen.trace.rearranged import TIMES, rearranged, says

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
    """Each gradient is taken from its text alone, without padding or neighbours.

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


def test_a_gradient_that_is_not_finite_is_named_with_its_work_or_output_and_layer():
    broken = problem()
    theta = broken.theta0.clone()
    theta[0] = torch.nan  # of the token 0, which not every text holds
    with pytest.raises(
        TrainingError, match=r"output 1 has gradients that are not finite numbers, in layer (embed|head);"
    ):
        display_influence(broken, theta)
    with pytest.raises(TrainingError, match="output song has"):
        display_influence(broken, theta, names=["poem", "song"])
    broken = LanguageProblem(Small(), EXAMPLES[1:], OUTPUTS[:1], [1])
    with pytest.raises(
        TrainingError, match=r"work 1 has gradients that are not finite numbers, in layer (embed|head);"
    ):
        display_influence(broken, theta)
    with pytest.raises(TrainingError, match="work ada/2 has"):
        display_influence(broken, theta, works=["ada/1", "ada/2", "bo/1", "bo/2"])
    theta = broken.theta0.clone()
    theta[-1] = torch.inf
    with pytest.raises(TrainingError, match="output 0 has gradients that are not finite"):
        display_influence(broken, theta)


def test_a_parameter_is_named_by_its_layer():
    small = problem()
    count = 8 * 4
    found = [small.layer_of(place) for place in (0, count - 1, count, len(small.theta0) - 1)]
    assert found == ["embed", "embed", "head", "head"]


# -- whether it can tell -----------------------------------------------------------------------------------------------


def test_texts_that_are_looked_at_apart_change_no_effect():
    """They are taken one by one, and come out as if they had been asked about."""
    more = [Passage((1, 4, 3, 2), 2), Passage((1, 3, 2, 4), 2)]
    alone = display_influence(problem(), problem().theta0)
    both = LanguageProblem(Small(), EXAMPLES, [*OUTPUTS, *more], [1] * 4)
    found = display_influence(both, both.theta0, apart=2)
    assert torch.equal(found.effects, alone.effects)
    asked = LanguageProblem(Small(), EXAMPLES, more, [1, 1])
    torch.testing.assert_close(found.apart, display_influence(asked, asked.theta0).effects, rtol=1e-9, atol=1e-12)
    assert display_influence(both, both.theta0, apart=2, memory_bytes=0).apart is None


def test_words_in_random_order_are_the_same_words_after_the_same_prompt():
    passage = Passage((9, 8, 1, 2, 3, 4, 5, 6), 2)
    texts = rearranged(passage, seed=3)
    assert len(texts) == TIMES == 19
    assert {(text.tokens[:2], text.scored_from) for text in texts} == {((9, 8), 2)}
    assert all(sorted(text.tokens[2:]) == [1, 2, 3, 4, 5, 6] for text in texts)
    assert len({text.tokens for text in texts}) > 15
    assert texts == rearranged(passage, seed=3) != rearranged(passage, seed=4)


def test_only_a_work_that_stands_out_further_than_by_words_alone_is_told():
    """Of noise, one output in twenty is; what nobody can know is unknown."""
    source = torch.Generator().manual_seed(0)
    passage, others = Passage(tuple(range(9)), 1), torch.randn(200, TIMES, 50, generator=source)
    own = torch.randn(200, 50, generator=source)
    told = [says(passage, *pair) for pair in zip(own, others, strict=True)]
    assert 3 <= sum(told) <= 20, "about ten of two hundred"
    own[:, 7] += 8
    assert all(says(passage, *pair) for pair in zip(own, others, strict=True))
    others[..., 7] += 12
    assert not any(says(passage, *pair) for pair in zip(own, others, strict=True)), "its words do as much"
    assert says(Passage((1, 2, 3, 4), 1), own[0], others[0]) is None, "too few orders"
    assert says(Passage((1, *[2] * 9), 1), own[0], others[0]) is None, "one order only"
    assert says(passage, own[0][:5], others[0][:, :5]) is None, "too few works"

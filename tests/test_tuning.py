"""A run is the same for the same seed, forgets nobody, names what went wrong and survives on disk."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gongfen.errors import TrainingError
from gongfen.trace.adamw import Recipe, rate, start, step
from gongfen.trace.problem import LanguageProblem, Passage, utility, utility_gradient
from gongfen.trace.tuning import batches_of, load_run, save_run, tune

torch.set_num_threads(1)  # small tensors: a second thread would only wait

RECIPE = Recipe(seed=0, epochs=2, batch_size=3, learning_rate_nano=5_000_000, warmup_steps=2, eps_nano=100_000)


class Bigram(nn.Module):
    """Next-token scores that depend on the last token only, so padding can be checked by hand."""

    def __init__(self, size=5):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(size, size, dtype=torch.float64)

    def forward(self, input_ids, attention_mask):
        assert input_ids.shape == attention_mask.shape
        return SimpleNamespace(logits=self.table(input_ids))


TEXTS = [(0, 1, 2), (3, 2, 1, 0), (4, 4), (1, 3, 1, 3, 1), (2, 0, 4), (0, 0, 1), (4, 2, 3)]


def problem(texts=TEXTS):
    return LanguageProblem(Bigram(), [Passage(text) for text in texts], [Passage((0, 1, 2, 3), 2)], [10])


def test_the_same_seed_gives_the_same_bits():
    first, again = tune(problem(), RECIPE), tune(problem(), RECIPE)
    assert first.adapter_sha256 == again.adapter_sha256
    assert tune(problem(), replace(RECIPE, seed=1)).adapter_sha256 != first.adapter_sha256


def test_every_example_is_seen_once_an_epoch_though_the_batches_do_not_divide():
    batches = batches_of(RECIPE, 7)
    assert [len(index) for index in batches] == [3, 3, 1] * 2
    assert sorted(torch.cat(batches[:3]).tolist()) == list(range(7))


def test_weight_zero_is_the_same_as_dropped():
    """With the order and the denominator fixed, an example of weight 0 leaves no trace: its text may be anything."""
    weights = torch.ones(7, dtype=torch.float64)
    weights[3] = 0
    other = [*TEXTS[:3], (2, 2, 2, 2), *TEXTS[4:]]
    left, right = tune(problem(), RECIPE, weights), tune(problem(other), RECIPE, weights)
    torch.testing.assert_close(left.theta, right.theta, rtol=1e-14, atol=1e-14)
    assert not torch.allclose(left.theta, tune(problem(), RECIPE).theta)


def test_adamw_is_torch_adamw():
    torch.manual_seed(0)
    theta, steps = torch.randn(9, dtype=torch.float64), 6
    recipe = replace(RECIPE, weight_decay_ppm=20_000)
    parameter = nn.Parameter(theta.clone())
    peer = torch.optim.AdamW([parameter], lr=1, betas=recipe.betas, eps=recipe.eps, weight_decay=0.02)
    state = start(theta)
    for t in range(steps):
        gradient = torch.randn(9, dtype=torch.float64)
        state = step(recipe, t, steps, state, gradient)
        peer.param_groups[0]["lr"] = rate(recipe, t, steps)
        parameter.grad = gradient.clone()
        peer.step()
    torch.testing.assert_close(state.theta, parameter.detach(), rtol=1e-12, atol=1e-12)


def test_the_rate_warms_up_and_decays_in_straight_lines():
    assert [round(rate(RECIPE, t, 6) * 1e4) for t in range(6)] == [25, 50, 50, 38, 25, 12]


def test_padding_is_not_scored_though_the_padding_token_occurs_in_the_text():
    """Token 0 pads and is also a word: a short text scores the same alone and beside a long one."""
    texts = problem()
    alone = texts.losses(texts.theta0, torch.tensor([5])).detach()
    beside = texts.losses(texts.theta0, torch.tensor([5, 3])).detach()
    assert alone[0] == pytest.approx(float(beside[0]), rel=1e-14)
    scores = Bigram().table.weight.log_softmax(-1)
    assert float(alone[0]) == pytest.approx(float(-(scores[0, 0] + scores[0, 1]).detach() / 2))


def test_utility_is_the_price_weighted_log_likelihood_of_generated_tokens():
    """Two outputs sold at 10 and 30: only what follows the prompt counts."""
    outputs = [Passage((0, 1, 2, 3), 2), Passage((4, 1), 1)]
    sold = LanguageProblem(Bigram(), [Passage((0, 1))], outputs, [10, 30])
    scores = Bigram().table.weight.log_softmax(-1)
    expected = (10 * (scores[1, 2] + scores[2, 3]) + 30 * scores[4, 1]) / 40
    assert utility(sold, sold.theta0) == pytest.approx(float(expected.detach()))
    h = torch.zeros_like(sold.theta0)
    h[7] = 1e-6
    slope = (utility(sold, sold.theta0 + h) - utility(sold, sold.theta0 - h)) / 2e-6
    assert float(utility_gradient(sold, sold.theta0)[7]) == pytest.approx(slope, rel=1e-5)


def test_a_loss_that_is_not_a_number_is_named():
    class Broken(Bigram):
        def forward(self, input_ids, attention_mask):
            scores = super().forward(input_ids, attention_mask).logits
            return SimpleNamespace(logits=scores + torch.where(input_ids == 4, torch.nan, 0.0).unsqueeze(-1))

    texts = [(0, 1, 2), (3, 2, 1), (1, 4, 1), (2, 1)]
    broken = LanguageProblem(Broken(), [Passage(text) for text in texts])
    with pytest.raises(TrainingError, match=r"step 1 has a loss .* at examples \[2\]; lower the learning rate"):
        tune(broken, replace(RECIPE, batch_size=4))


def test_a_tape_comes_back_from_disk_bit_for_bit(tmp_path):
    run = tune(problem(), RECIPE)
    save_run(run, tmp_path / "tape.safetensors")
    back = load_run(tmp_path / "tape.safetensors")
    assert (back.recipe, back.threads, back.adapter_sha256) == (run.recipe, run.threads, run.adapter_sha256)
    for mine, theirs in zip(run.taped().gradients, back.taped().gradients, strict=True):
        assert torch.equal(mine, theirs)
    assert all(torch.equal(a, b) for a, b in zip(run.batches, back.batches, strict=True))


def test_a_tape_that_is_missing_altered_or_a_pickle_is_refused(tmp_path):
    path = tmp_path / "tape.safetensors"
    with pytest.raises(TrainingError, match="cannot be read"):
        load_run(path)
    save_run(tune(problem(), RECIPE), path)
    content = bytearray(path.read_bytes())
    place = content.index(tune(problem(), RECIPE).theta.numpy().tobytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(TrainingError, match="does not hold the adapter"):
        load_run(path)
    path.write_bytes(b"\x80\x04\x95cos\nsystem")
    with pytest.raises(TrainingError, match="cannot be read"):
        load_run(path)
    with pytest.raises(TrainingError, match="without a tape"):
        save_run(tune(problem(), RECIPE, tape=False), path)


def test_a_recipe_is_whole_numbers_and_its_hash_names_every_one():
    assert RECIPE.config_hash == replace(RECIPE).config_hash
    assert RECIPE.config_hash != replace(RECIPE, eps_nano=100_001).config_hash
    assert (RECIPE.learning_rate, RECIPE.eps, RECIPE.betas) == (0.005, 0.0001, (0.9, 0.999))
    for change in ({"learning_rate_nano": 3e-4}, {"batch_size": 0}, {"beta2_ppm": 1_000_000}):
        with pytest.raises(TrainingError, match="recipe"):
            replace(RECIPE, **change)


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(TrainingError, match="example 1 has nothing to predict"):
        problem([(0, 1), (2,)])
    with pytest.raises(TrainingError, match="training data has no example"):
        tune(problem([]), RECIPE)
    with pytest.raises(TrainingError, match="1 outputs have 2 prices"):
        LanguageProblem(Bigram(), [], [Passage((0, 1))], [1, 2])
    with pytest.raises(TrainingError, match="no parameter to train"):
        LanguageProblem(Bigram().requires_grad_(requires_grad=False), [Passage((0, 1))])

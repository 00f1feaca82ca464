"""Text: 2,000 windows of 64 characters, 50 queries, a GPT-NeoX of two layers; 40 halves, two seeds each.

python benchmarks/trace/transformer.py [--methods A,B] [--against METHOD] [--drop QUERIES] [--cache FOLDER]

The text is Python's own help topics. The utility of a query is its mean log-likelihood per character, in nats.
"""

import os
import pydoc_data.topics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.trace import ours, peers
from benchmarks.trace.ground_truth import (
    Folder,
    State,
    Unit,
    bytes_hash,
    folder_of,
    half_units,
    measured_halves,
    told,
    whole_models,
)
from benchmarks.trace.measuring import GRID, Attribution, Method, Truths, run

from gongfen.trace.copies.tokens import words
from gongfen.trace.evaluation.scores import Floats
from gongfen.trace.problem import Passage
from gongfen.trace.similarity import at_random, bm25, cosines, four_grams
from gongfen.trace.task import LanguageTask, Task

TRAINING, QUERIES, LENGTH, ALPHABET = 2_000, 50, 64, 128
EPOCHS, BATCH, RATE, DECAY = 5, 16, 1.5e-3, 0.01


class Transformer:
    """The setting: see the first line."""

    name = "transformer"
    subsets, seeds, examples = 40, 2, TRAINING

    def __init__(self) -> None:
        topics = pydoc_data.topics.topics
        text = "\n".join(topics[name] for name in sorted(topics)).encode("ascii", "replace")
        ids = np.frombuffer(text, np.uint8).astype(np.int64)
        windows = ids[: len(ids) // LENGTH * LENGTH].reshape(-1, LENGTH)
        order = np.random.RandomState(0).permutation(len(windows))
        self.training = torch.tensor(windows[order[:TRAINING]])
        self.queries = torch.tensor(windows[order[TRAINING : TRAINING + QUERIES]])

    def config(self) -> dict[str, object]:
        """All that a retraining depends on."""
        return {
            "data": bytes_hash(self.training, self.queries),
            "model": "gpt-neox, 2 layers, width 128, 4 heads, feed-forward 512, 128 characters",
            "recipe": ["adamw", EPOCHS, BATCH, RATE, DECAY],
            "utility": "mean log-likelihood",
        }

    def train(self, kept: NDArray[np.intp], seed: int) -> list[State]:
        """Train on these examples only; the state after every epoch."""
        torch.manual_seed(seed)
        model = new_model().train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
        chance, index = torch.Generator().manual_seed(seed), torch.as_tensor(kept)
        states: list[State] = []
        for _ in range(EPOCHS):
            for batch in index[torch.randperm(len(index), generator=chance)].split(BATCH):
                optimiser.zero_grad()
                surprise(model, self.training[batch]).mean().backward()
                optimiser.step()
            states.append({name: value.clone() for name, value in model.state_dict().items()})
        return states

    def load(self, state: State) -> nn.Module:
        """A model in that state, in evaluation mode."""
        model = new_model()
        model.load_state_dict(state)
        return model.eval()

    def utilities(self, model: nn.Module) -> Floats:
        """The mean log-likelihood of each query's characters, [M], in nats."""
        with torch.no_grad():
            return -surprise(model, self.queries).double().numpy()


def new_model() -> nn.Module:
    """The network, freshly drawn. Eager attention, because some peers differentiate it by torch.func."""
    config = GPTNeoXConfig(
        vocab_size=ALPHABET,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=LENGTH,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        use_cache=False,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
    )
    model: nn.Module = GPTNeoXForCausalLM(config)
    return model


def surprise(model: nn.Module, windows: Tensor) -> Tensor:
    """Mean negative log-likelihood of each window's characters after its first, [B], in nats."""
    logits = model(windows).logits[:, :-1]
    return cross_entropy(logits.transpose(1, 2), windows[:, 1:], reduction="none").mean(1)


def ground_truth(cache: Path) -> tuple[Folder, dict[str, Unit]]:
    """Where the retrainings lie, and what they are."""
    setting = Transformer()
    return folder_of(setting, cache), half_units(setting)


# -- methods -----------------------------------------------------------------------------------------------------------

MODULES = [
    f"gpt_neox.layers.{layer}.{name}"
    for layer in range(2)
    for name in ("attention.query_key_value", "attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h")
]
"""The linear layers inside the blocks, for every method alike."""


def task_of(setting: Transformer, folder: Folder) -> peers.Task:
    """What a peer gets to see."""
    return peers.Task(
        setting.load(whole_models(setting, folder)[-1]),
        TensorDataset(setting.training),
        TensorDataset(setting.queries),
        predictions,
        MODULES,
        batch=50,
    )


def predictions(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Logits [K, ALPHABET] and characters [K] of all places but the first of each window."""
    (ids,) = batch
    return model(ids).logits[:, :-1].reshape(-1, ALPHABET), ids[:, 1:].reshape(-1)


def random(setting: Transformer, _folder: Folder, _damping: float) -> Attribution:
    """Chance."""
    return Attribution(at_random(setting.examples, QUERIES))


def alike(terms: Callable[[str], list[str]]) -> Method:
    """BM25 of the texts: it never looks at a model."""

    def trace(setting: Transformer, _folder: Folder, _damping: float) -> Attribution:
        texts, asked = (
            [terms(bytes(row).decode("ascii")) for row in part.to(torch.uint8).numpy()]
            for part in (setting.training, setting.queries)
        )
        return Attribution(bm25(texts, asked))

    return Method(trace, models=0)


def embedded(setting: Transformer, folder: Folder, _damping: float) -> Attribution:
    """Cosine of the model's own mean hidden states."""
    model: nn.Module = setting.load(whole_models(setting, folder)[-1]).get_submodule("gpt_neox")
    with torch.no_grad():
        left, right = (
            torch.cat([model(part).last_hidden_state.mean(1) for part in rows.split(50)]).double().numpy()
            for rows in (setting.training, setting.queries)
        )
    return Attribution(cosines(left, right), 4 * left.shape[1])


def kronfluence(strategy: str) -> Method:
    """EK-FAC, or the plain product."""

    def trace(setting: Transformer, folder: Folder, damping: float) -> Attribution:
        return peers.kronfluence(task_of(setting, folder), strategy, damping)

    return Method(trace, ("kronfluence.analyzer",), GRID if strategy == "ekfac" else (0.0,))


def logra(setting: Transformer, folder: Folder, damping: float) -> Attribution:
    """LoGra with 256 numbers for each layer."""
    return peers.dattri_logra(task_of(setting, folder), 256, damping)


def trackstar(*, mixed: bool) -> Method:
    """TrackStar with 16² numbers for each layer."""

    def trace(setting: Transformer, folder: Folder, damping: float) -> Attribution:
        return peers.bergson_trackstar(task_of(setting, folder), 16, damping, mixed=mixed)

    return Method(trace, ("bergson.cli.trackstar",), GRID)


def as_we_see_it(setting: Transformer, state: State) -> Task:
    """What our index gets to see."""
    works, outputs = ([Passage(tuple(row)) for row in rows.tolist()] for rows in (setting.training, setting.queries))
    return LanguageTask(setting.load(state), works, outputs)


METHODS = {
    "random": Method(random, models=0),
    "BM25 of words": alike(words),
    "BM25 of 4-grams": alike(four_grams),
    "hidden-state cosine": Method(embedded),
    "gradient dot (kronfluence)": kronfluence("identity"),
    "EK-FAC (kronfluence)": kronfluence("ekfac"),
    "LoGra 256 (dattri)": Method(logra, ("dattri.algorithm.logra",), GRID),
    "TrackStar 16 (bergson)": trackstar(mixed=True),
    "TrackStar 16 unmixed (bergson)": trackstar(mixed=False),
    **ours.methods(as_we_see_it),
}


def opened(cache: Path) -> tuple[Transformer, Folder]:
    """The setting and its folder."""
    setting = Transformer()
    return setting, folder_of(setting, cache)


def prepare(setting: Transformer, folder: Folder, models: int) -> None:
    """Train what is traced."""
    for seed in range(models):
        whole_models(setting, folder, seed)


def truths(setting: Transformer, folder: Folder) -> Truths:
    """Halves only."""
    print(told(setting, folder), flush=True)
    return {"halves": measured_halves(setting, folder)}


if __name__ == "__main__":
    run(__doc__ or "", METHODS, opened, prepare, truths)

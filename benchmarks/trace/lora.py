"""Settlement grade on a real model: SmolLM2-135M with LoRA on State of the Union addresses; makers left out in groups.

python benchmarks/trace/lora.py [--methods A,B] [--against METHOD] [--drop PERIODS] [--cache FOLDER] [--threads N]

The product's own full recipe: adapters of rank 8 in the upper 15 layers, one epoch over three passages of each of 43
presidents, 56 tokens each. Four periods sell eight held-out passages each, at random prices; the utility of a period is
the price-weighted log-likelihood of what it sold, from the ninth token on. A retraining leaves out a group of makers,
drawn at random; it keeps the run's seed and the order of its batches.

What a method does once for all dampings (gradients, factors, an index) is done once here too, and each damping is told
the cost of both parts. Cost is told in training runs: CPU seconds over those of one plain run.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import TensorDataset

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.trace import peers
from benchmarks.trace.ground_truth import Folder, State, Unit
from benchmarks.trace.measuring import GRID, Attribution, Method, Truths, peak_mib, run

from gongfen.studio.corpus import read_sotu, sample
from gongfen.studio.recipes import FULL
from gongfen.studio.workshop import Workshop
from gongfen.trace.evaluation.embeddings import mean_states
from gongfen.trace.evaluation.scores import Bools, Floats
from gongfen.trace.gradients import display_influence, example_gradient
from gongfen.trace.index import build, curvature, manifest, prepared, query
from gongfen.trace.layers import linear_layers
from gongfen.trace.metagradient import Mode, metagradient
from gongfen.trace.problem import LanguageProblem, Passage, utility
from gongfen.trace.similarity import at_random, bm25, cosines, four_grams
from gongfen.trace.spans import Span
from gongfen.trace.task import LanguageTask, Task
from gongfen.trace.tuning import Run, load_run, replayed, retune, save_run, tensor_sha256, tune

PER_MAKER, PERIODS, SOLD = 3, 4, 8
"""Works of a maker; periods; outputs that each of them sold."""
LENGTH, GIVEN = 56, 8
"""Tokens of a passage, and how many of an output are given as its prompt."""
GROUPS, MAKERS_A_GROUP = 32, 4
MOMENTS = 4
SETUP = replace(FULL.setup, max_tokens=LENGTH, threads=1)


class Lora:
    """The setting: see the first line."""

    name = "lora"
    subsets, seeds = GROUPS, 1

    def __init__(self, cache: Path) -> None:
        """Choose works and outputs; open the base model."""
        corpus = read_sotu()
        drawn = sample(corpus, 12, 7)
        self.workshop = Workshop(SETUP, [], cache / "models")
        long = [p for p in drawn if len(self.workshop.tokenizer.encode(p.text)) >= LENGTH]
        shelves = {maker: list(rows) for maker, rows in groupby(long, key=lambda passage: passage.maker)}
        works = [passage for rows in shelves.values() for passage in rows[:PER_MAKER]]
        spare = [rows[PER_MAKER] for rows in shelves.values() if len(rows) > PER_MAKER]
        self.makers = [passage.maker for passage in works]
        self.examples = len(works)
        self.texts = [passage.text for passage in works]
        order = np.random.RandomState(0).permutation(len(spare))[: PERIODS * SOLD]
        self.sold_texts = [spare[number].text for number in order]
        self.sold = [Passage(self._tokens(text), GIVEN) for text in self.sold_texts]
        self.cents = np.maximum(1, np.exp(np.random.RandomState(5).randn(PERIODS, SOLD)) * 100).astype(int)
        self.folder = Folder(cache, self.name, self.config())

    def _tokens(self, text: str) -> tuple[int, ...]:
        return tuple(self.workshop.tokenizer.encode(text)[:LENGTH])

    def config(self) -> dict[str, object]:
        """All that a retraining depends on."""
        data = "\n\n".join([*self.texts, *self.sold_texts, str(self.cents.tolist())])
        return {
            "data": sha256(data.encode()).hexdigest(),
            "model": self.workshop.base.sha256 if self.workshop.base else "",
            "setup": {**asdict(SETUP), "recipe": asdict(SETUP.recipe)},
            "groups": f"{MAKERS_A_GROUP} makers at random",
            "utility": f"price-weighted log-likelihood from token {GIVEN} on",
        }

    @cached_property
    def problems(self) -> list[LanguageProblem]:
        """One for each period."""
        return [
            self.workshop.problem(self.texts, self.sold[p * SOLD : (p + 1) * SOLD], self.cents[p].tolist())
            for p in range(PERIODS)
        ]

    @cached_property
    def run(self) -> Run:
        """The training to be traced, with its tape: made once, for those who only look at it."""
        path = self.folder.path / "run.safetensors"
        if not path.exists():
            part = path.with_name(f".run.{os.getpid()}")
            save_run(tune(self.problems[0], SETUP.recipe), part)
            part.replace(path)
        return load_run(path)

    @cached_property
    def plain(self) -> dict[str, float]:
        """CPU seconds and peak memory (MiB) of a process that did nothing but train, kept beside the run."""
        path = self.folder.path / "plain.json"
        if not path.exists():
            path.write_text(json.dumps(self.trained_plainly()), encoding="utf-8")
        kept: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        return kept

    def trained_plainly(self) -> dict[str, float]:
        """Train without a tape, by the clock; what frozen layers say to each text is remembered before it starts."""
        tune(self.problems[0], SETUP.recipe, tape=False)
        start = time.process_time()
        tune(self.problems[0], SETUP.recipe, tape=False)
        return {"cpu_s": round(time.process_time() - start, 3), "peak_mib": peak_mib()}

    def measured_here(self) -> None:
        """Train plainly in this very process, to tell what more another method takes of it."""
        self.__dict__["plain"] = self.trained_plainly()

    # what the drop test asks for

    def train(self, kept: NDArray[np.intp], seed: int) -> list[State]:  # noqa: ARG002 - the run's own
        """The parameters after the same run without the others."""
        weights = torch.zeros(self.examples)
        weights[torch.as_tensor(kept)] = 1
        return [{"theta": retune(self.problems[0], self.run, weights)}]

    def load(self, state: State) -> Tensor:
        """The parameters."""
        return state["theta"]

    def utilities(self, theta: Tensor) -> Floats:
        """U of each period, [PERIODS], in nats."""
        return np.array([utility(problem, theta) for problem in self.problems])

    def units(self) -> dict[str, Unit]:
        """All retrainings."""

        def unit(kept: Bools) -> Unit:
            return lambda: self.utilities(self.load(self.train(np.flatnonzero(kept), 0)[-1]))

        return {f"group-{number:03}": unit(row) for number, row in enumerate(self.kept())}

    def kept(self) -> Bools:
        """Whom each retraining keeps, [GROUPS, N]."""
        names, chance = sorted(set(self.makers)), np.random.RandomState(3)
        rows = []
        for _ in range(GROUPS):
            gone = set(chance.permutation(names)[:MAKERS_A_GROUP].tolist())
            rows.append([maker not in gone for maker in self.makers])
        return np.array(rows)


def ground_truth(cache: Path) -> tuple[Folder, dict[str, Unit]]:
    """Where the retrainings lie, and what they are."""
    setting = Lora(cache)
    return setting.folder, setting.units()


# -- methods -----------------------------------------------------------------------------------------------------------


def priced(each: Tensor, setting: Lora) -> Floats:
    """Effects on outputs [N, PERIODS · SOLD] as effects on the periods' utilities, [N, PERIODS]."""
    prices = torch.as_tensor(setting.cents, dtype=torch.float64)
    parts = each.double().reshape(len(each), PERIODS, SOLD) * prices / prices.sum(1, keepdim=True)
    return np.asarray(parts.sum(2))


Stage = Callable[[float], Tensor]
"""Effects on outputs [N, PERIODS · SOLD] at a damping."""


def swept(name: str, begin: Callable[[Lora], tuple[Stage, int | None]], needs: tuple[str, ...] = ()) -> Method:
    """A method in two parts: what it does once, with the bytes kept for a work, and what each damping asks.

    All dampings are run by the process of the first, which has the memory of any of them; the others read its answer.
    """

    def trace(setting: Lora, folder: Folder, damping: float) -> Attribution:
        place = folder.path / "methods" / f"{name.replace(' ', '-')}.npz"
        if damping == GRID[0]:
            start = _clocks()
            ask, stored = begin(setting)
            spent, found = [_clocks() - start], []
            for each in GRID:
                start = _clocks()
                found.append(priced(ask(each), setting))
                spent.append(_clocks() - start)
            np.savez(place, found=found, spent=spent, stored=-1 if stored is None else stored, peak=peak_mib())
        held, at = np.load(place), GRID.index(damping)
        cpu_s, wall_s = (held["spent"][0] + held["spent"][at + 1]).tolist()
        stored = int(held["stored"])
        notes = {
            "cpu_s": round(cpu_s, 3),
            "wall_s": round(wall_s, 3),
            "peak_mib": int(held["peak"]),
            "training_runs": round(cpu_s / setting.plain["cpu_s"], 2),
        }
        return Attribution(held["found"][at], None if stored < 0 else stored, notes)

    return Method(trace, needs, GRID, ready=_ready)


def _clocks() -> Floats:
    """CPU and wall seconds, [2]."""
    return np.array([time.process_time(), time.perf_counter()])


def _ready(setting: Lora) -> None:
    """What looks at a finished run only is not charged for the run."""
    assert setting.run
    assert setting.plain


def differentiated(mode: Mode) -> Method:
    """The product's settlement grade: the run itself is differentiated, once for each period; the run is charged."""

    def trace(setting: Lora, _folder: Folder, _damping: float) -> Attribution:
        start = time.process_time()
        run = tune(setting.problems[0], SETUP.recipe)
        taped_s = time.process_time() - start
        found = [metagradient(problem, run, mode) for problem in setting.problems]
        each_s = (time.process_time() - start - taped_s) / PERIODS
        notes = {
            "training_runs": round((taped_s + each_s) / setting.plain["cpu_s"], 2),
            "memory_of_training": round(peak_mib() / setting.plain["peak_mib"], 3),
            "growth": round(max(period.growth for period in found), 3),
        }
        return Attribution(torch.stack([period.effects for period in found], dim=1).double().numpy(), None, notes)

    return Method(trace, ready=Lora.measured_here)


def everything(setting: Lora) -> LanguageProblem:
    """All that was sold, as one problem."""
    return setting.workshop.problem(setting.texts, setting.sold, [1] * len(setting.sold))


def dot(setting: Lora, _folder: Folder, _damping: float) -> Attribution:
    """The product's whole-gradient display grade without memory for a Fisher matrix: the plain product."""
    start = time.process_time()
    found = display_influence(everything(setting), setting.run.theta, memory_bytes=0)
    spent_s = time.process_time() - start
    return Attribution(
        priced(found.effects.T, setting), None, {"training_runs": round(spent_s / setting.plain["cpu_s"], 2)}
    )


class Linear:
    """A problem that is linear in θ, with the gradients that another has at one place: taken once, asked often."""

    def __init__(self, problem: LanguageProblem, theta: Tensor) -> None:
        """Take each example's gradient, and each output's."""
        self.theta0, self.prices, self.examples = theta, problem.prices, problem.examples
        self._examples = torch.stack([example_gradient(problem, theta, number) for number in range(self.examples)])
        outputs = []
        for number in range(len(self.prices)):
            at = theta.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(problem.log_likelihoods(at, torch.tensor([number])).sum(), at)
            outputs.append(gradient)
        self._outputs = torch.stack(outputs)

    def losses(self, theta: Tensor, index: Tensor) -> Tensor:
        """As the other's, but for a constant and to first order."""
        return self._examples[index] @ theta

    def log_likelihoods(self, theta: Tensor, index: Tensor) -> Tensor:
        """Likewise."""
        return self._outputs[index] @ theta

    def layer_of(self, place: int) -> str:
        """It has none."""
        return f"parameter {place}"


def fisher(moments: int) -> Callable[[Lora], tuple[Stage, None]]:
    """The product's whole gradients over the last so many of four checkpoints: the empirical Fisher, by its Gram."""

    def begin(setting: Lora) -> tuple[Stage, None]:
        steps, problem = len(setting.run.batches), everything(setting)
        states = [replayed(setting.run, -(-steps * n // MOMENTS)).theta for n in range(1, MOMENTS + 1)][-moments:]
        linear = [Linear(problem, theta) for theta in states]

        def ask(damping: float) -> Tensor:
            return torch.stack([display_influence(one, one.theta0, damping).effects for one in linear]).mean(0).T

        return ask, None

    return begin


def index(moments: int) -> Callable[[Lora], tuple[Stage, int]]:
    """The product's index over the last so many of four checkpoints, as ``gongfen trace --index`` builds it."""

    def begin(setting: Lora) -> tuple[Stage, int]:
        steps = len(setting.run.batches)
        states = [replayed(setting.run, -(-steps * n // MOMENTS)).theta for n in range(1, MOMENTS + 1)][-moments:]
        works = [setting.workshop.passage(text) for text in setting.texts]

        def source(moment: int) -> Task:
            return LanguageTask(setting.problems[0].place(states[moment]), works, setting.sold)

        said = [manifest.Moment(step=n, parameters_sha256=tensor_sha256(theta)) for n, theta in enumerate(states)]
        items = [manifest.Item(work=str(number), sha256="") for number in range(setting.examples)]
        plan = build.plan_of(source, setting.name, said, items, manifest.Method())
        spans = [Span(number) for number in range(len(setting.sold))]
        place = tempfile.TemporaryDirectory()
        folder = Path(place.name)
        build.build_index(folder, source, plan)
        opened, rows, curvatures = query.Index(folder), [], []
        for moment in range(moments):
            task = source(moment)
            layers, _ = linear_layers(task.module)
            rows.append(query.span_rows(task, layers, prepared.read_projections(folder, moment, len(layers)), spans))
            curvatures.append(
                curvature.read_curvatures(build.curvatures_file(folder, moment), opened.manifest.curvatures[moment])
            )

        def ask(damping: float, _place: object = place) -> Tensor:
            each = [
                opened.products(moment, curvature.divided(curvatures[moment], rows[moment], damping))
                for moment in range(moments)
            ]
            return torch.stack(each).mean(0).T

        return ask, plan.numbers * moments

    return begin


def ekfac(setting: Lora) -> tuple[Stage, None]:
    """Kronfluence's EK-FAC of the adapters at the end of training."""
    module = setting.problems[0].place(setting.run.theta)
    works = torch.tensor([setting.workshop.passage(text).tokens for text in setting.texts])
    sold = torch.tensor([passage.tokens for passage in setting.sold])
    task = peers.Task(
        module,
        TensorDataset(works, torch.ones(len(works), dtype=torch.long)),
        TensorDataset(sold, torch.full((len(sold),), GIVEN)),
        _predicted,
        [layer.name for layer in linear_layers(module)[0]],
        batch=_divisor(len(works)),
    )
    fitted = peers.kronfluence_fitted(task, "ekfac")
    return lambda damping: torch.as_tensor(fitted(damping).scores), None


def _predicted(model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Logits and targets of the scored positions of texts of one length."""
    ids, scored_from = batch
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, :-1]
    scored = torch.arange(1, ids.shape[1])[None] >= scored_from[:, None]
    return logits[scored], ids[:, 1:][scored]


def _divisor(count: int) -> int:
    """The largest divisor up to 16."""
    return max(size for size in range(1, 17) if count % size == 0)


def random(setting: Lora, _folder: Folder, _damping: float) -> Attribution:
    """Chance."""
    return Attribution(at_random(setting.examples, PERIODS))


def likeness(setting: Lora, _folder: Folder, _damping: float) -> Attribution:
    """BM25 of four-grams between what was trained on and what was sold."""
    tokenizer = setting.workshop.tokenizer
    works = [four_grams(tokenizer.decode(setting.workshop.passage(text).tokens)) for text in setting.texts]
    sold = [four_grams(tokenizer.decode(passage.tokens)) for passage in setting.sold]
    return Attribution(priced(torch.as_tensor(bm25(works, sold)), setting))


def embeddings(setting: Lora, _folder: Folder, _damping: float) -> Attribution:
    """Cosine of the tuned model's mean hidden states, its last layer's."""
    module = setting.problems[0].place(setting.run.theta)
    works = mean_states(module, [setting.workshop.passage(text) for text in setting.texts])
    return Attribution(priced(torch.as_tensor(cosines(works, mean_states(module, setting.sold))), setting))


METHODS = {
    "random": Method(random, models=0),
    "BM25 of 4-grams": Method(likeness, models=0),
    "hidden-state cosine": Method(embeddings, ready=_ready),
    "gradient dot (ours)": Method(dot, ready=_ready),
    "empirical Fisher x1 (ours)": swept("empirical Fisher", fisher(1)),
    "empirical Fisher x4 (ours)": swept("empirical Fisher x4", fisher(MOMENTS)),
    "EK-FAC (kronfluence)": swept("EK-FAC", ekfac, ("kronfluence.analyzer",)),
    "index x1 (ours)": swept("index x1", index(1)),
    "index x4 (ours)": swept("index x4", index(MOMENTS)),
    "metagradient one-sided (ours)": differentiated("one-sided"),
    "metagradient central (ours)": differentiated("central"),
}


def opened(cache: Path) -> tuple[Lora, Folder]:
    """The setting and its folder."""
    setting = Lora(cache)
    return setting, setting.folder


def prepare(setting: Lora, _folder: Folder, _models: int) -> None:
    """Train once plainly, by the clock, and once with a tape, for those who are not charged for it."""
    _ready(setting)


def truths(setting: Lora, _folder: Folder) -> Truths:
    """The retrainings that are done."""
    names = list(setting.units())
    done = [number for number, name in enumerate(names) if setting.folder.has(name)]
    if len(done) < 3:
        message = f"{setting.folder.path.name}: {len(done)} retrainings; run ground_truth.py lora first"
        raise SystemExit(message)
    measured = np.array([setting.folder.measured(names[number]) for number in done])
    return {f"{MAKERS_A_GROUP} makers out": (setting.kept()[done], measured)}


if __name__ == "__main__":
    run(__doc__ or "", METHODS, opened, prepare, truths)

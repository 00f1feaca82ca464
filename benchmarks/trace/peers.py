"""Other people's tracers, called as their own examples call them; each import waits until its method is asked for.

What had to be worked round is written where it is done; what each cannot do stands in README.md.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from benchmarks.trace.ground_truth import State
from benchmarks.trace.measuring import Attribution
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, TensorDataset

Batch = tuple[Tensor, ...]


@dataclass(frozen=True)
class Task:
    """A trained model, its data, and what it predicts: all that a peer gets to see."""

    model: nn.Module
    training: TensorDataset
    queries: TensorDataset
    predict: Callable[[nn.Module, Batch], tuple[Tensor, Tensor]]
    """Logits [K, classes] and targets [K] of a batch, all its positions in one row."""
    modules: list[str]
    """The linear layers that are looked at."""
    batch: int
    """A divisor of N and of M: dattri misaligns rows otherwise."""


# -- kronfluence -------------------------------------------------------------------------------------------------------


def kronfluence(task: Task, strategy: str, damping: float) -> Attribution:
    """EK-FAC (``ekfac``) or the plain product of gradients (``identity``), of the loss with the loss."""
    return kronfluence_fitted(task, strategy)(damping)


def kronfluence_fitted(task: Task, strategy: str) -> Callable[[float], Attribution]:
    """The same with its factors fitted, which do not depend on the damping that it is then asked at.

    Damping is a multiple of the mean eigenvalue of each layer: kronfluence's own rule, whose factor of 0.1 is a
    constant of a module.
    """
    import kronfluence.factor.config as factor_config  # noqa: PLC0415
    from kronfluence.analyzer import Analyzer, prepare_model  # noqa: PLC0415
    from kronfluence.arguments import FactorArguments, ScoreArguments  # noqa: PLC0415
    from kronfluence.task import Task as Base  # noqa: PLC0415

    class Losses(Base):  # type: ignore[misc]
        def compute_train_loss(self, batch: Batch, model: nn.Module, sample: bool = False) -> Tensor:
            logits, targets = task.predict(model, batch)
            if sample:
                with torch.no_grad():
                    targets = torch.multinomial(logits.softmax(-1), 1).flatten()
            return cross_entropy(logits, targets, reduction="sum")

        def compute_measurement(self, batch: Batch, model: nn.Module) -> Tensor:
            return self.compute_train_loss(batch, model)

        def get_influence_tracked_modules(self) -> list[str]:
            return task.modules

    _be_quiet()
    torch.manual_seed(0)  # labels are sampled
    losses = Losses()
    model = prepare_model(task.model, losses)
    place = tempfile.TemporaryDirectory()
    analyzer = Analyzer("trace", model, losses, cpu=True, disable_tqdm=True, output_dir=place.name)
    analyzer.fit_all_factors("f", task.training, task.batch, factor_args=FactorArguments(strategy=strategy))

    def scored(damping: float, _place: object = place) -> Attribution:
        factor_config.HEURISTIC_DAMPING_SCALE = damping
        name = f"at-{damping:g}"
        analyzer.compute_pairwise_scores(
            name,
            "f",
            task.queries,
            task.training,
            per_device_query_batch_size=len(task.queries),
            per_device_train_batch_size=task.batch,
            score_args=ScoreArguments(damping_factor=None),
        )
        return Attribution(analyzer.load_pairwise_scores(name)["all_modules"].T.double().numpy())

    return scored


# -- dattri ------------------------------------------------------------------------------------------------------------


def dattri_trak(task: Task, states: list[State], width: int, regularization: float) -> Attribution:
    """TRAK (Park et al. 2023) for a classifier, averaged over independently trained models.

    ``regularization`` is absolute, as dattri wants it.
    """
    from dattri.algorithm.trak import TRAKAttributor  # noqa: PLC0415
    from dattri.task import AttributionTask  # noqa: PLC0415

    def log_likelihood(parameters: State, example: Batch) -> Tensor:
        image, label = example
        logits = functional_call(task.model, parameters, (image[None],))
        return -cross_entropy(logits, label[None])

    def margin(parameters: State, example: Batch) -> Tensor:
        likely = log_likelihood(parameters, example)
        return likely - torch.log1p(-torch.exp(likely))

    def right(parameters: State, example: Batch) -> Tensor:
        return torch.exp(log_likelihood(parameters, example))

    _be_quiet()
    attributor = TRAKAttributor(
        task=AttributionTask(loss_func=margin, model=task.model, checkpoints=[dict(state) for state in states]),
        correct_probability_func=right,
        projector_kwargs={"proj_dim": width, "proj_max_batch_size": 32, "proj_seed": 0, "device": "cpu"},
        regularization=regularization,
    )
    with torch.no_grad():
        attributor.cache(DataLoader(task.training, batch_size=task.batch))
        scores = attributor.attribute(DataLoader(task.queries, batch_size=task.batch))
    return Attribution(scores.double().numpy(), 4 * width * len(states))


class _Named(Dataset[dict[str, Tensor]]):
    """Windows as dattri's hooks want them: its queries go by the model's own loss, whatever loss it was given."""

    def __init__(self, data: TensorDataset) -> None:
        (self._windows,) = data.tensors

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return {"input_ids": self._windows[number], "labels": self._windows[number]}


def dattri_logra(task: Task, width: int, damping: float) -> Attribution:
    """LoGra (Choe et al. 2024) for a language model; ``width`` numbers for each layer, a square; relative damping."""
    from dattri.algorithm.logra import LoGraAttributor  # noqa: PLC0415
    from dattri.task import AttributionTask  # noqa: PLC0415

    def loss(model: nn.Module, batch: dict[str, Tensor], _device: str = "cpu") -> Tensor:
        return cross_entropy(*task.predict(model, (batch["input_ids"],)))

    _be_quiet()
    torch.manual_seed(0)
    training = DataLoader(_Named(task.training), batch_size=task.batch)
    with tempfile.TemporaryDirectory() as place:
        attributor = LoGraAttributor(
            task=AttributionTask(loss_func=loss, model=task.model, checkpoints=task.model.state_dict()),
            layer_names=task.modules,
            device="cpu",
            damping=damping,
            offload="none",
            cache_dir=place,  # without one it leaves a file where it is started
            proj_dim=width,
        )
        attributor.cache(training)
        scores = attributor.attribute(training, DataLoader(_Named(task.queries), batch_size=task.batch))
    return Attribution(scores.double().numpy(), 4 * width * len(task.modules))


# -- traker ------------------------------------------------------------------------------------------------------------


def traker(task: Task, states: list[State], width: int, regularization: float) -> Attribution:
    """The authors' own TRAK, for a classifier; ``regularization`` is absolute."""
    from trak import TRAKer  # noqa: PLC0415

    _be_quiet()
    examples, queries = len(task.training), len(task.queries)
    with tempfile.TemporaryDirectory() as place:
        tracer = TRAKer(
            model=task.model,
            task="image_classification",
            train_set_size=examples,
            save_dir=place,
            device="cpu",
            proj_dim=width,
            use_half_precision=False,
            logging_level=logging.ERROR,
            lambda_reg=regularization,
        )
        for number, state in enumerate(states):
            tracer.load_checkpoint(state, model_id=number)
            for batch in DataLoader(task.training, batch_size=task.batch):
                tracer.featurize(batch=batch, num_samples=len(batch[0]))
        tracer.finalize_features()
        for number, state in enumerate(states):
            tracer.start_scoring_checkpoint(exp_name="q", checkpoint=state, model_id=number, num_targets=queries)
            for batch in DataLoader(task.queries, batch_size=task.batch):
                tracer.score(batch=batch, num_samples=len(batch[0]))
        scores = torch.tensor(tracer.finalize_scores(exp_name="q"))
    return Attribution(scores.double().numpy(), 4 * width * len(states))


# -- bergson -----------------------------------------------------------------------------------------------------------


def bergson_trackstar(task: Task, width: int, damping: float, *, mixed: bool) -> Attribution:
    """TrackStar (Chang et al. 2024) with ``width``² numbers for each layer; relative damping.

    ``mixed``: the Hessians of training data and queries are mixed, which is its default; it can be left off. It reads
    models and data from disk only, and wants a tokenizer though the windows are tokens; a batch must not be longer than
    the model's positions, so the copy that it reads claims more of them (rotary ones have no parameters).
    """
    from bergson.cli.trackstar import trackstar  # noqa: PLC0415
    from bergson.config.config import (  # noqa: PLC0415
        DataConfig,
        InversionConfig,
        PreprocessConfig,
        QuerySetConfig,
        TrackstarConfig,
        TrackstarIndexConfig,
    )
    from bergson.data import load_scores  # noqa: PLC0415

    _be_quiet()
    (training,), (queries,) = task.training.tensors, task.queries.tensors
    with tempfile.TemporaryDirectory() as place:
        model, first, second = (str(Path(place) / name) for name in ("model", "training", "queries"))
        _save_for_bergson(task.model, model, {first: training, second: queries})
        names = ",".join(task.modules)
        index = TrackstarIndexConfig(
            run_path=str(Path(place) / "run"),
            model=model,
            data=DataConfig(dataset=first),
            projection_dim=width,
            projection_seed=0,
            token_batch_size=task.batch * training.shape[1],
            filter_modules=_all_but(task.model, names.split(",")),
        )
        wanted = TrackstarConfig(
            query=QuerySetConfig(dataset=second),
            preprocess_cfg=PreprocessConfig(inversion_cfg=InversionConfig(damping_factor=damping)),
            mix_hessians=mixed,
        )
        trackstar(index, wanted)
        scores = torch.tensor(load_scores(Path(index.run_path) / "scores")[:]).double()
    return Attribution(scores.numpy(), 4 * width * width * len(task.modules))


def _save_for_bergson(network: nn.Module, place: str, data: dict[str, Tensor]) -> None:
    """A model directory with a tokenizer of single characters, and data sets of token ids."""
    model: Any = network
    from datasets import Dataset as Table  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415
    from tokenizers.models import WordLevel  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    model.save_pretrained(place)
    config = Path(place) / "config.json"
    length = f'"max_position_embeddings": {model.config.max_position_embeddings}'
    config.write_text(config.read_text().replace(length, '"max_position_embeddings": 65536'))
    words = Tokenizer(WordLevel({chr(code): code for code in range(model.config.vocab_size)}, unk_token="?"))  # noqa: S106 - no password
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token=chr(0), pad_token=chr(0)).save_pretrained(place)
    for name, windows in data.items():
        Table.from_dict({"input_ids": windows.tolist()}).save_to_disk(name)


def _all_but(model: nn.Module, wanted: list[str]) -> str | None:
    """A glob of the linear layers that are not looked at; bergson filters by one pattern."""
    others = [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and name not in wanted]
    return others[0] if others else None


def _be_quiet() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)

"""Any causal language model, and any module: other precisions, other shapes, and what does not fit together is named."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
import torch
import transformers
from torch import nn

from gongfen.errors import TrainingError
from gongfen.trace.index.build import build_index, plan_of
from gongfen.trace.index.manifest import Item, Method, Moment
from gongfen.trace.index.query import Index
from gongfen.trace.index.rerank import reranked
from gongfen.trace.layers import linear_layers, watched
from gongfen.trace.problem import Passage
from gongfen.trace.spans import Span
from gongfen.trace.task import LanguageTask, LossTask, class_loss, draw_class
from tests.sources import OUTPUTS, WORKS, Digits

SIZES = {"vocab_size": 48, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
PLACES = {"max_position_embeddings": 32, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=48, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0
    )
    return transformers.GPT2LMHeadModel(config)


def opt() -> nn.Module:
    """It flattens works and positions into one axis before its feed-forward layers."""
    return transformers.OPTForCausalLM(
        transformers.OPTConfig(**SIZES, **PLACES, ffn_dim=24, word_embed_proj_dim=16, dropout=0.0)
    )


def neox() -> nn.Module:
    return transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(**SIZES, **PLACES, intermediate_size=24))


MODELS = {"GPT-2": gpt2, "OPT": opt, "GPT-NeoX": neox}


@dataclass(frozen=True)
class Reader:
    """A small model of any architecture and precision, with twelve works of different lengths and one output."""

    model: str = "GPT-2"
    dtype: torch.dtype = torch.float32

    def __call__(self, moment: int) -> LanguageTask:
        with torch.random.fork_rng():
            torch.manual_seed(3 + moment)
            module = MODELS[self.model]().to(self.dtype)
            works = [Passage(tuple(torch.randint(48, (5 + number % 4,)).tolist())) for number in range(12)]
        return LanguageTask(module, works, [Passage(works[4].tokens, 2)])


def planned(source, works: int):
    items = [Item(work=f"work-{number}", sha256="") for number in range(works)]
    return plan_of(source, "model", [Moment(step=0, parameters_sha256="")], items, Method(rank=4, factor_works=6))


def built(folder: Path, source, works: int = 12, batch_size: int = 5) -> Index:
    build_index(folder, source, planned(source, works), batch_size=batch_size)
    return Index(folder)


@pytest.mark.parametrize("model", MODELS)
def test_a_models_shape_and_the_batches_change_nothing(tmp_path: Path, model: str) -> None:
    """Where works and positions are flattened into one axis, each position still belongs to its work."""
    source = Reader(model)
    many, one = built(tmp_path / "many", source), built(tmp_path / "one", source, batch_size=1)
    effects = [index.ask(source, [Span(0)]).effects for index in (many, one)]
    torch.testing.assert_close(*effects, rtol=0, atol=0.02 * float(effects[0].abs().max()))
    assert int(effects[0][0].argmax()) == 4, "an output is helped most by its own text"
    again = reranked(many, source, [Span(0)], many.ask(source, [Span(0)]), 5)
    assert bool(again.effects.isfinite().all())


@pytest.mark.parametrize("model", ["GPT-2", "OPT"])
@pytest.mark.parametrize(("dtype", "near"), [(torch.bfloat16, 0.15), (torch.float64, 0.02)], ids=["bf16", "fp64"])
def test_a_model_of_another_precision_is_traced_in_fp32(tmp_path: Path, model: str, dtype, near: float) -> None:
    source = Reader(model)
    usual = built(tmp_path / "fp32", source).ask(source, [Span(0)])
    source = replace(source, dtype=dtype)
    index = built(tmp_path / "other", source)
    answer = index.ask(source, [Span(0), Span(0, 2, 4)])
    assert answer.effects.dtype == torch.float32
    torch.testing.assert_close(
        answer.effects[0], usual.effects[0], rtol=0, atol=near * float(usual.effects.abs().max())
    )
    assert bool(reranked(index, source, [Span(0)], index.ask(source, [Span(0)]), 5).effects.isfinite().all())


class Shuffled(nn.Module):
    """What its layer is given has lost the order of works, like an expert that takes some tokens of some texts."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        kept = x.flatten(0, 1)[:-1]
        return self.layer(kept).sum(0) + x.sum((1, 2))[:, None]


def test_a_layer_whose_positions_belong_to_nobody_is_named(tmp_path: Path) -> None:
    """One by one they belong to the work that is read."""
    x, y = torch.randn(6, 5, 4), torch.randint(3, (6,))
    net = Shuffled()

    def source(_moment: int) -> LossTask:
        return LossTask(net, (x, y), (x[:1], y[:1]), class_loss, draw_class)

    with pytest.raises(TrainingError, match=r"layer layer takes \[24, 4\] of a batch of 5: .*batch_size=1"):
        built(tmp_path, source, 6)
    assert built(tmp_path, source, 6, batch_size=1).ask(source, [Span(0)]).effects.shape == (1, 6)


def test_a_layer_that_is_given_nothing_says_nothing() -> None:
    net, met = nn.Linear(4, 3), []
    layers, _ = linear_layers(net)
    with watched(net, layers, lambda *given: met.append(given), rows=2):
        (net(torch.zeros(0, 4)).sum() + net(torch.ones(2, 4)).sum()).backward()
    assert len(met) == 1


@pytest.mark.parametrize("works", [WORKS - 1, WORKS + 1, 0])
def test_a_plan_of_other_works_than_the_task_reads_is_refused(tmp_path: Path, works: int) -> None:
    with pytest.raises(TrainingError, match=r"is of \d+ works, and the task that it reads has 24|has 0 works"):
        planned(Digits(), works)
    plan = planned(Digits(), WORKS)
    with pytest.raises(TrainingError, match="is of 1 works"):
        build_index(tmp_path, Digits(), msgspec.structs.replace(plan, works=plan.works[:1]))


@pytest.mark.parametrize("output", [OUTPUTS, -1])
def test_an_output_that_is_not_there_is_named(tmp_path: Path, output: int) -> None:
    index = built(tmp_path, Digits(), WORKS)
    with pytest.raises(TrainingError, match=f"output {output} is not there: the task has {OUTPUTS}"):
        index.ask(Digits(), [Span(0), Span(output)])
    with pytest.raises(TrainingError, match="no span was asked about"):
        index.ask(Digits(), [])

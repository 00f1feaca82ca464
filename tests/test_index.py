"""The index of training works: what it says is what explicit gradients say, however it is cut, and nothing less."""

import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from gongfen.errors import TrainingError
from gongfen.facts import kinds as k
from gongfen.studio.models import tiny, with_lora
from gongfen.trace.covariance import factors_of
from gongfen.trace.ekfac import eigenbases_of, exact_influence, output_gradients, preconditioned
from gongfen.trace.index import rows as rows_module
from gongfen.trace.index.build import build_index, factor_works, here, plan_of, run_unit, work_rows
from gongfen.trace.index.curvature import curvatures_of, divided
from gongfen.trace.index.manifest import Item, Method, Moment, Traced, belongs
from gongfen.trace.index.noise import tells
from gongfen.trace.index.query import Index, span_rows
from gongfen.trace.index.rerank import reranked
from gongfen.trace.index.rows import Rows, products, read_rows, rounded, whole
from gongfen.trace.layers import linear_layers, watched
from gongfen.trace.problem import Passage
from gongfen.trace.projection import projections_of
from gongfen.trace.spans import Span
from gongfen.trace.task import LanguageTask, LossTask, class_loss, draw_class, windows
from tests.sources import OUTPUTS, WORKS, Digits

TOLERANCE = 0.1
"""Of the largest effect: what steps of 1/127 come to in so small an index; in one of 8,192 numbers, far less."""


@dataclass(frozen=True)
class Writer:
    """A small language model with adapters."""

    lora: bool = True

    def __call__(self, moment: int) -> LanguageTask:
        texts = ["in the beginning was the word", "and the word was made flesh and dwelt among us", "tao ke tao"] * 3
        module, tokenizer = tiny(texts, seed=1, width=16, layers=2)
        if self.lora:
            module = with_lora(module, 4, 8, seed=2)
            with torch.random.fork_rng():
                torch.manual_seed(moment)
                for name, parameter in module.named_parameters():
                    if "lora_B" in name:
                        nn.init.normal_(parameter, std=0.1)
        passages = [Passage(tuple(tokenizer.encode(text))) for text in texts]
        return LanguageTask(module, passages, [Passage(passages[1].tokens, 3)])


@dataclass(frozen=True)
class Transposed:
    """A GPT-2, whose linear layers keep their weights the other way round."""

    def __call__(self, moment: int) -> LanguageTask:
        sizes = {"n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 16, "vocab_size": 20}
        with torch.random.fork_rng():
            torch.manual_seed(moment)
            module = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0, tie_word_embeddings=False))
        return LanguageTask(module, [Passage((1, 2, 3, 4)), Passage((5, 6, 7))], [Passage((1, 2, 3, 5), 2)])


def items(count=WORKS):
    return [Item(work=f"work-{n}", sha256=sha256(str(n).encode()).hexdigest()) for n in range(count)]


def moments(count):
    return [Moment(step=n, parameters_sha256=sha256(b"%d" % n).hexdigest()) for n in range(count)]


def built(folder, source=None, engine=here, batch_size=5, shard_works=7, checkpoints=2, **method):
    source = source or Digits()
    method = Method(rank=3, factor_works=10, **method)
    count = source(0).works
    plan = plan_of(source, "model-1", moments(checkpoints), items(count), method, shard_works)
    build_index(folder, source, plan, engine, batch_size)
    return Index(folder)


def stored(index, moment):
    plan = index.manifest.plan
    parts = [
        read_rows(index.folder / s.file, s.count, plan.numbers) for s in index.manifest.shards if s.moment == moment
    ]
    return Rows(torch.cat([part.numbers for part in parts]), torch.cat([part.scales for part in parts]))


def asked(index, source=None, spans=None):
    return index.ask(source or Digits(), spans or [Span(n) for n in range(OUTPUTS)]).each


# -- what flows through the layers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source", [Digits(), Writer(), Writer(lora=False), Transposed()], ids=["any module", "LoRA", "whole", "GPT-2"]
)
def test_what_is_watched_gives_every_parameters_gradient(source) -> None:
    """Σ_t g_t a_tᵀ is the gradient of a layer's weights, and its last column that of the bias; works differ in length."""
    task = source(0)
    layers, wide = linear_layers(task.module)
    assert not wide
    found = output = output_gradients(task, layers, [Span(0)])
    task.log_likelihoods([0]).sum().backward()
    for layer, gradient in zip(layers, found, strict=True):
        due = layer.module.weight.grad
        if type(layer.module).__name__ == "Conv1D":
            due = due.T
        if layer.bias:
            due = torch.cat([due, layer.module.bias.grad[:, None]], 1)
        torch.testing.assert_close(gradient[0], due, rtol=1e-4, atol=1e-6)
    assert output


def test_watching_leaves_the_model_as_it_was() -> None:
    task = Digits()(0)
    layers, _ = linear_layers(task.module)
    with watched(task.module, layers, lambda *_: None):
        task.losses([0, 1]).sum().backward()
    assert all(p.requires_grad and p.grad is None for p in task.module.parameters())
    assert not any(module._forward_hooks for module in task.module.modules())


def test_only_adapters_are_traced_where_only_they_are_trained() -> None:
    layers, _ = linear_layers(Writer()(0).module)
    assert layers
    assert all("lora" in layer.name for layer in layers)


def test_a_head_too_wide_is_left_out_and_said() -> None:
    layers, wide = linear_layers(Digits()(0).module, most_features=5)
    assert ([layer.name for layer in layers], wide) == (["second"], ("first",))
    with pytest.raises(TrainingError, match="no linear layer"):
        linear_layers(nn.LayerNorm(3))


# -- the index says what gradients say ---------------------------------------------------------------------------------


def explicit(source, moment, rows):
    """Gradients of all layers, flattened, one item at a time: what the index never forms."""
    task = source(moment)
    layers, _ = linear_layers(task.module)
    found = []
    for number in rows:
        task.module.zero_grad()
        (-task.losses([number]).sum()).backward()
        parts = [torch.cat([m.weight.grad, *([m.bias.grad[:, None]] if m.bias is not None else [])], 1) for m in
                 (layer.module for layer in layers)]  # fmt: skip
        found.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(found), layers


def test_at_full_rank_rows_multiply_to_the_kfac_influence() -> None:
    """φ_work · φ_output = ⟨∇W_work, (G + d_g)^-1 ∇W_output (A + d_a)^-1⟩, with whole gradients; layers add up."""
    gradients, _ = explicit(Digits(), 0, range(WORKS))
    task = Digits()(0)
    layers, _ = linear_layers(task.module)
    factors = factors_of(task, layers, list(range(WORKS)), 0, 4)
    projections = projections_of(layers, factors, 10, 0.04, 0)
    rows = work_rows(task, layers, projections, range(WORKS), 4, ["w"] * WORKS)
    found = rows @ span_rows(task, layers, projections, [Span(1)])[0]
    due = torch.zeros(WORKS)
    whole_ones = torch.split(gradients, [layer.outputs * layer.inputs for layer in layers], 1)
    for layer, factor, query, part in zip(
        layers, factors, output_gradients(task, layers, [Span(1)]), whole_ones, strict=True
    ):
        entered = factor.inputs + 0.2 * factor.inputs.diagonal().mean() * torch.eye(layer.inputs)
        back = factor.gradients + 0.2 * factor.gradients.diagonal().mean() * torch.eye(layer.outputs)
        due += part @ (back.inverse() @ query[0] @ entered.inverse()).flatten()
    torch.testing.assert_close(found, due, rtol=1e-3, atol=1e-5)


def test_projections_keep_lengths_in_the_mean() -> None:
    """Over many seeds, the mean squared length of a row at rank 2 is that at full rank (Johnson–Lindenstrauss 1984)."""
    task = Digits()(0)
    layers, _ = linear_layers(task.module)
    factors = factors_of(task, layers, list(range(WORKS)), 0, 4)

    def lengths(rank, seed):
        projections = projections_of(layers, factors, rank, 1.0, seed)
        return work_rows(task, layers, projections, [0, 5], 4, ["w"] * WORKS).square().sum(1)

    mean = torch.stack([lengths(2, seed) for seed in range(300)]).mean(0)
    torch.testing.assert_close(mean, lengths(10, 0), rtol=0.15, atol=0)


def test_a_layer_through_which_nothing_flows_says_nothing(tmp_path) -> None:
    """LoRA's A where B is still zero: before the first step, no work moves it."""
    writer = Writer()(0)
    with torch.no_grad():
        for name, parameter in writer.module.named_parameters():
            if "lora_B" in name:
                parameter.zero_()
    layers, _ = linear_layers(writer.module)
    dead = [layer.name for layer in layers if "lora_A" in layer.name]
    index = built(tmp_path, lambda _: writer)
    assert dead
    assert stored(index, 0).numbers.any()
    start = 0
    for layer in index.manifest.plan.layers:
        assert layer.name not in dead or not stored(index, 0).numbers[:, start : start + layer.numbers].any()
        start += layer.numbers
    assert index.manifest.silent == tuple(dead), "and the index names it"
    assert asked(index, lambda _: writer, [Span(0)]).isfinite().all()


def test_a_layer_that_is_never_called_is_named(tmp_path) -> None:
    """Its weights may be used all the same, as attention does with ``out_proj``: only the call is heard."""

    def attentive(_moment):
        torch.manual_seed(0)
        net = nn.ModuleDict({"attend": nn.MultiheadAttention(4, 1, batch_first=True), "head": nn.Linear(4, 3)})
        net.forward = lambda x: net["head"](net["attend"](x, x, x, need_weights=False)[0][:, 0])
        works, outputs = torch.randn(12, 2, 4), torch.randn(2, 2, 4)
        return LossTask(net, (works, torch.arange(12) % 3), (outputs, torch.arange(2)), class_loss, draw_class)

    manifest = built(tmp_path, attentive).manifest
    assert manifest.silent == ("attend.out_proj",)
    assert manifest.plan.left_out == ("attend.in_proj_weight", "attend.in_proj_bias")
    manifest = built(tmp_path / "digits").manifest
    assert (manifest.silent, manifest.plan.left_out) == ((), ())


def test_what_is_trained_and_no_linear_layer_is_named() -> None:
    task = Transposed()(0)
    layers, _ = linear_layers(task.module)
    plan = plan_of(Transposed(), "model-1", moments(1), items(2), Method())
    assert {layer.name for layer in plan.layers} == {layer.name for layer in layers}
    assert set(plan.left_out) == {
        name for name, p in task.module.named_parameters() if "wte" in name or "wpe" in name or "ln_" in name
    }


def test_outputs_are_divided_by_the_damped_curvature_of_the_rows() -> None:
    """(C + d) x = ψ for each layer by itself, with C from rows weighted by the inverse of their lengths."""
    source = torch.Generator().manual_seed(0)
    rows = rounded(torch.randn(40, 7, generator=source))
    layers = [Traced(name=name, inputs=1, outputs=1, numbers=n) for name, n in (("a", 3), ("b", 4))]
    asked = torch.randn(2, 7, generator=source)
    values = whole(rows)
    lengths = values.norm(dim=1)
    found = divided(curvatures_of(layers, [rows], 40), asked, 0.5)
    for at in (slice(0, 3), slice(3, 7)):
        due = (values[:, at] / lengths[:, None]).T @ values[:, at] * lengths.mean() / 40
        due += 0.5 * due.diagonal().mean() * torch.eye(len(due))
        torch.testing.assert_close(found[:, at] @ due, asked[:, at], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("source", [Digits(), Writer()], ids=["any module", "LoRA"])
def test_batches_shards_and_workers_change_nothing_but_rounding(tmp_path, source) -> None:
    """An index is a measurement of the model, not of the machine: who builds it on another one must get the same.

    A number of a row may fall on the other side of a half: by one step, 1/127 of the row's largest, and no more.
    """
    spans = [Span(0), Span(0, 3, 5)] if isinstance(source, Writer) else [Span(0), Span(2)]
    first = built(tmp_path / "a", source, batch_size=1, shard_works=100)
    said = asked(first, source, spans)
    for number, (batch, shard) in enumerate([(3, 5), (100, 1), (7, 100)]):
        other = built(tmp_path / str(number), source, batch_size=batch, shard_works=shard)
        for moment in range(2):
            steps = stored(other, moment).numbers.int() - stored(first, moment).numbers.int()
            assert int(steps.abs().max()) <= 1
            assert float((steps != 0).float().mean()) < 0.02
        torch.testing.assert_close(asked(other, source, spans), said, rtol=0, atol=float(said.abs().max()) * TOLERANCE)


def test_processes_build_the_same_index(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))  # where another process finds this module

    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        spread = asked(built(tmp_path / "spread", engine=lambda units: pool.map(run_unit, units)))
    alone = asked(built(tmp_path / "alone"))
    torch.testing.assert_close(spread, alone, rtol=0, atol=float(alone.abs().max()) * TOLERANCE)


def test_the_parts_of_an_output_add_up_to_the_whole(tmp_path) -> None:
    index = built(tmp_path, Writer())
    tokens = Writer()(0).log_likelihoods([0]).shape[1]
    each = asked(index, Writer(), [Span(0), *(Span(0, n, n + 1) for n in range(tokens))])
    torch.testing.assert_close(each[:, 1:].sum(1), each[:, 0], rtol=0.05, atol=float(each.abs().max()) * 0.02)


def test_a_work_given_twice_has_its_effect_twice(tmp_path) -> None:
    each = asked(built(tmp_path, Writer()), Writer(), [Span(0)])
    torch.testing.assert_close(each[..., :3], each[..., 3:6], rtol=0.05, atol=float(each.abs().max()) * 0.02)


# -- bytes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", [1, 4, 5, 17])
def test_products_of_bytes_are_exact(outputs) -> None:
    source = torch.Generator().manual_seed(0)
    rows = Rows(
        torch.randint(-127, 128, (33, 70), generator=source, dtype=torch.int8), torch.rand(33, generator=source)
    )
    asked = Rows(torch.randint(-127, 128, (outputs, 70), generator=source, dtype=torch.int8),
                 torch.rand(outputs, generator=source))  # fmt: skip
    due = (asked.numbers.long() @ rows.numbers.long().T) * asked.scales[:, None] * rows.scales
    torch.testing.assert_close(products(rows, asked), due.float())


@pytest.mark.parametrize("outputs", [1, 5])
def test_rows_too_long_for_32_bits_are_summed_in_parts(outputs) -> None:
    """150,000 numbers of 127 by 127 make 2.4 thousand million: more than 32 bits with a sign hold."""
    ones = torch.full((2, 150_000), 127, dtype=torch.int8)
    asked = Rows(ones[:1].repeat(outputs, 1), torch.ones(outputs))
    found = products(Rows(ones, torch.ones(2)), asked)
    torch.testing.assert_close(found, torch.full((outputs, 2), 150_000 * 127.0**2))


def test_a_row_is_rounded_to_a_127th_of_its_largest_number() -> None:
    values = torch.randn(20, 50, generator=torch.Generator().manual_seed(0))
    values[3] = 0
    error = (whole(rounded(values)) - values).abs().amax(1)
    assert bool((error <= values.abs().amax(1) / 127 / 2 * 1.001).all())


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_without_damping_nothing_is_built() -> None:
    """traker with more numbers than works and no ridge fell to .016 without a word (attribution.md)."""
    for name in ("whitening_ppm", "damping_ppm"):
        with pytest.raises(TrainingError, match="damping"):
            Method(**{name: 0})


def test_a_gradient_that_is_no_number_is_named_with_its_work_and_layer(tmp_path) -> None:
    with pytest.raises(TrainingError, match=r"work work-20 .*layer (first|second)"):
        built(tmp_path, Digits(spoiled=20))
    with pytest.raises(TrainingError, match="never finished"):
        Index(tmp_path)


def test_an_output_whose_gradient_is_no_number_is_named_with_its_layer(tmp_path) -> None:
    index, source = built(tmp_path), Digits(spoiled=WORKS + 1)
    with pytest.raises(TrainingError, match=r"output 1 has gradients that are not finite numbers, in layer (fir|seco)"):
        asked(index, source)
    with pytest.raises(TrainingError, match="output song has gradients"):
        index.ask(source, [Span(0), Span(1)], names=["poem", "song"])
    assert bool(asked(index, source, [Span(0)]).isfinite().all())


def test_a_build_that_was_broken_off_goes_on_where_it_was(tmp_path) -> None:
    done = []

    def weary(units):
        for unit in units:
            if len(done) == 3:
                raise KeyboardInterrupt
            done.append(unit)
            yield run_unit(unit)

    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, engine=weary)
    with pytest.raises(TrainingError, match="half an index gives no answer"):
        Index(tmp_path)
    left = []

    def fresh(units):
        left.extend(units)
        return here(units)

    index = built(tmp_path, engine=fresh)
    assert len(left) == 2 * 4 - 3
    index.verify()
    whole_one = built(tmp_path / "whole")
    assert torch.equal(asked(index), asked(whole_one))


@pytest.mark.parametrize("harm", ["cut short", "altered", "lost", "without its note", "with another's note"])
def test_projections_of_a_broken_off_build_are_held_against_their_hash(tmp_path, harm) -> None:
    """What was projected with them is made again with them."""

    def stopped(units):
        for unit in units[:5]:
            yield run_unit(unit)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, engine=stopped)
    file, note = tmp_path / "projections-1.safetensors", tmp_path / "projections-1.json"
    data = file.read_bytes()
    if harm == "cut short":
        file.write_bytes(data[:-40])
    elif harm == "altered":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif harm == "lost":
        file.unlink()
    elif harm == "without its note":
        note.unlink()
    else:
        note.write_bytes((tmp_path / "projections-0.json").read_bytes())
    left = []

    def fresh(units):
        left.extend((unit.moment, unit.first) for unit in units)
        return here(units)

    index = built(tmp_path, engine=fresh)
    index.verify()
    assert left == [(1, first) for first in range(0, WORKS, 7)]
    assert torch.equal(asked(index), asked(built(tmp_path / "whole")))


def test_projections_that_cannot_be_read_are_named(tmp_path) -> None:
    index = built(tmp_path)
    (tmp_path / "projections-0.safetensors").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"projections-0\.safetensors cannot be read"):
        asked(index)


def test_two_programs_do_not_build_one_index_at_once(tmp_path) -> None:
    """The second is told to wait; nothing of the first is thrown away. A killed builder leaves no lock behind."""

    def meanwhile(units):
        with pytest.raises(TrainingError, match="is being built by another program"):
            built(tmp_path, Writer())
        return here(units)

    first = built(tmp_path, engine=meanwhile)
    torch.testing.assert_close(asked(first), asked(built(tmp_path)), rtol=0, atol=0)
    other = built(tmp_path, Writer())
    assert other.manifest.plan != first.manifest.plan


def test_another_plan_begins_anew(tmp_path) -> None:
    built(tmp_path)
    with_seed = built(tmp_path, seed=5)
    with_seed.verify()
    assert with_seed.manifest.plan.method.seed == 5


def test_files_that_stay_what_they_are_are_hashed_once(tmp_path, monkeypatch) -> None:
    """Hashing two gigabytes took nine times as long as reading them, for every question."""
    index, read = built(tmp_path), []
    sound = rows_module.sha256_of
    monkeypatch.setattr(rows_module, "sha256_of", lambda path: read.append(path) or sound(path))
    index.verify()
    index.verify()
    files = sorted(tmp_path.glob("*.safetensors"))
    assert sorted(read) == sorted([*files, *files]), "lately written: a second change could have the same time"
    monkeypatch.setattr(rows_module, "SETTLED_NS", -1)
    for _ in range(3):
        index.verify()
    assert len(read) == 3 * len(files)
    monkeypatch.undo()
    stamp, content = files[0].stat(), files[0].read_bytes()
    time.sleep(0.05)
    files[0].write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(files[0], ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(TrainingError, match="altered"):
        index.verify()


def test_every_altered_file_is_found(tmp_path) -> None:
    index = built(tmp_path)
    index.verify()
    for path in sorted(tmp_path.glob("*.safetensors")):
        whole_file = path.read_bytes()
        path.write_bytes(whole_file[:-1] + bytes([whole_file[-1] ^ 1]))
        with pytest.raises(TrainingError, match="altered"):
            index.verify()
        path.write_bytes(whole_file)
    index.verify()


def test_a_manifest_that_lacks_works_is_refused(tmp_path) -> None:
    built(tmp_path)
    said = json.loads((tmp_path / "manifest.json").read_text())
    said["shards"].pop()
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(TrainingError, match="lacks the works from"):
        Index(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(TrainingError, match="no readable manifest"):
        Index(tmp_path)


def altered(said: dict) -> None:
    said["plan"]["method"]["damping_ppm"] = 1_000


def renamed(said: dict) -> None:
    said["plan"]["works"][3]["work"] = "somebody's else"


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (altered, "another plan in its manifest than it was built by"),
        (renamed, "another plan in its manifest"),
        (lambda said: said["plan"]["moments"].pop(), "another plan in its manifest"),
        (lambda said: said["projections"].pop(), "names 1 projections for 2 checkpoints"),
        (lambda said: said["curvatures"].pop(), "names 1 curvatures for 2 checkpoints"),
        (lambda said: said["curvatures"].append("0" * 64), "names 3 curvatures for 2 checkpoints"),
        (lambda said: said["parameters"].pop(), "names 1 parameters for 2 checkpoints"),
    ],
)
def test_a_manifest_that_was_altered_is_not_believed(tmp_path, harm, reason) -> None:
    """Neither by who opens the index, nor by who would build it and finds it there."""
    built(tmp_path)
    said = json.loads((tmp_path / "manifest.json").read_text())
    harm(said)
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    for use in (Index, built):
        with pytest.raises(TrainingError, match=reason):
            use(tmp_path)


def test_another_model_of_the_same_shape_is_not_answered_about(tmp_path) -> None:
    """Even without a word from whoever asks: what it has learned is another."""
    index = built(tmp_path)
    asked(index)

    def other(moment: int) -> LossTask:
        task = Digits()(moment)
        with torch.no_grad():
            next(task.module.parameters())[0, 0] += 1e-3 * moment
        return task

    with pytest.raises(TrainingError, match=r"was built of other parameters .* at checkpoint 1"):
        asked(index, other)
    of_before = msgspec.structs.replace(index.manifest, parameters=())
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(of_before))
    asked(Index(tmp_path), other)  # an index of an earlier release does not know


def test_damping_that_is_lost_in_rounding_is_named(tmp_path) -> None:
    """More numbers a work than works, and next to no damping."""
    source = Writer(lora=False)
    plan = plan_of(source, "m", moments(1), items(9), Method(rank=16, damping_ppm=1, whitening_ppm=1))
    build_index(tmp_path, source, plan)
    with pytest.raises(TrainingError, match="cannot be divided by its curvature: a damping of 1 ppm"):
        asked(Index(tmp_path), source, [Span(0)])


def test_an_index_of_another_model_or_of_other_works_is_refused(tmp_path) -> None:
    manifest = built(tmp_path).manifest
    hashes = [moment.parameters_sha256 for moment in manifest.plan.moments]
    belongs(manifest, "model-1", items(), hashes)
    with pytest.raises(TrainingError, match="was built of parameters"):
        belongs(manifest, "model-2", items(), ["0" * 64, *hashes[1:]])
    with pytest.raises(TrainingError, match="was built of 2 checkpoints; model-1 is asked about at 1"):
        belongs(manifest, "model-1", items(), hashes[:1])
    with pytest.raises(TrainingError, match="work-3 differs"):
        belongs(manifest, "m", [*items()[:3], Item(work="work-3", sha256="0" * 64), *items()[4:]], hashes)
    with pytest.raises(TrainingError, match="other layers"):
        asked(Index(tmp_path), Writer(), [Span(0)])


def test_a_batch_too_large_for_memory_is_halved_and_one_work_too_large_is_named(tmp_path) -> None:
    class Poor(Digits):
        def __call__(self, moment):
            task = super().__call__(moment)
            inner = task.losses

            def losses(numbers):
                if len(numbers) > self.most:
                    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
                return inner(numbers)

            task.losses = losses
            return task

    for most in (2, 0):
        Poor.most = most
        if most:
            poor = asked(built(tmp_path / "poor", Poor(), batch_size=8))
            rich = asked(built(tmp_path / "rich", batch_size=2))
            torch.testing.assert_close(poor, rich, rtol=0, atol=float(rich.abs().max()) * TOLERANCE)
        else:
            with pytest.raises(TrainingError, match="does not fit in memory"):
                built(tmp_path / "none", Poor())


# -- longer than the context -------------------------------------------------------------------------------------------


def test_a_long_work_is_read_in_windows_and_counts_as_one() -> None:
    """Its loss is the mean over its tokens, its row the weighted sum of its windows' rows; nothing is left out."""
    whole = Writer()(0)
    passages = [window for work in whole._works for window in work]
    long = LanguageTask(whole.module, passages, [Passage(passages[1].tokens, 3)], context=4)
    cut = [windows(passage, 4) for passage in passages]
    assert max(map(len, cut)) > 2
    alone = LanguageTask(whole.module, [window for work in cut for window in work])
    counts = torch.tensor([float(len(w.tokens) - w.scored_from) for work in cut for w in work])
    each, owners = alone.losses(range(alone.works)), long.rows(range(long.works))
    due = torch.zeros(long.works).index_add(0, owners, each * counts)
    total = torch.zeros(long.works).index_add(0, owners, counts)
    torch.testing.assert_close(long.losses(range(long.works)), due / total)
    assert total.tolist() == [len(passage.tokens) - passage.scored_from for passage in passages]

    layers, _ = linear_layers(whole.module)
    projections = projections_of(layers, factors_of(long, layers, [0, 1], 0, 2), 3, 1.0, 0)
    names = [str(number) for number in range(alone.works)]
    mine = work_rows(long, layers, projections, range(long.works), 2, names)
    parts = work_rows(alone, layers, projections, range(alone.works), 3, names)
    weights = counts / total[owners]
    torch.testing.assert_close(mine, torch.zeros_like(mine).index_add(0, owners, parts * weights[:, None]))

    directions = output_gradients(long, layers, [Span(0)])
    exact = exact_influence(long, layers, [1, 0], directions, 2)
    by_window = exact_influence(alone, layers, list(range(alone.works)), directions, 4)
    summed = torch.zeros(1, long.works).index_add(1, owners, by_window * weights)
    torch.testing.assert_close(exact, summed[:, [1, 0]])


def test_a_long_output_keeps_its_places() -> None:
    """Every token stands where it stands without windows; what is given stays unscored."""
    whole = Writer()(0)
    (passage,) = (window for window in whole._outputs[0])
    long = LanguageTask(whole.module, [passage], [passage], context=4)
    scored = long.log_likelihoods([0])
    assert scored.shape == whole.log_likelihoods([0]).shape
    assert bool((scored[0, : passage.scored_from - 1] == 0).all())
    assert bool((scored[0, passage.scored_from - 1 :] < 0).all())
    torch.testing.assert_close(scored[0, :3], whole.log_likelihoods([0])[0, :3])


@pytest.mark.parametrize("length", range(2, 14))
@pytest.mark.parametrize("context", [2, 3, 5, 20])
def test_windows_predict_every_token_once(length: int, context: int) -> None:
    for scored_from in range(1, length):
        found = windows(Passage(tuple(range(length)), scored_from), context)
        assert max(len(window.tokens) for window in found) <= context
        predicted = [token for window in found for token in window.tokens[window.scored_from :]]
        assert predicted == list(range(scored_from, length))


# -- exact EK-FAC ------------------------------------------------------------------------------------------------------


def test_exact_influence_is_the_inner_product_with_the_whole_gradient() -> None:
    source = Digits()
    task = source(0)
    gradients, _ = explicit(source, 0, range(WORKS))
    task = source(0)
    layers, _ = linear_layers(task.module)
    directions = output_gradients(task, layers, [Span(0), Span(1)])
    found = exact_influence(task, layers, list(range(WORKS)), directions, 5)
    due = torch.cat([direction.flatten(1) for direction in directions], 1) @ -gradients.T
    torch.testing.assert_close(found, due, rtol=1e-4, atol=1e-6)


def test_preconditioning_divides_by_the_curvature_in_its_eigenbasis() -> None:
    """Applied to F v + d v, it gives v back."""
    task = Digits()(0)
    layers, _ = linear_layers(task.module)
    numbers = list(range(WORKS))
    factors = factors_of(task, layers, numbers, 0, 4)
    bases = eigenbases_of(task, layers, factors, numbers, 0, 4)
    vectors = [torch.randn(1, layer.outputs, layer.inputs) for layer in layers]
    damping = 0.1
    loaded = [
        basis.left
        @ ((basis.left.T @ vector @ basis.right) * (basis.values + damping * basis.values.mean()))
        @ basis.right.T
        for basis, vector in zip(bases, vectors, strict=True)
    ]
    for got, due in zip(preconditioned(bases, loaded, damping), vectors, strict=True):
        torch.testing.assert_close(got, due, rtol=1e-3, atol=1e-4)


def test_a_short_list_is_measured_exactly_and_the_rest_keeps_what_the_index_said(tmp_path: Path) -> None:
    """With every work on the list, an answer is exact EK-FAC but for one factor an output and checkpoint."""
    source, index = Digits(), built(tmp_path, Digits())
    spans = [Span(0), Span(1)]
    rough = index.ask(source, spans)
    assert torch.equal(reranked(index, source, spans, rough, 0).each, rough.each)
    few = reranked(index, source, spans, rough, 5).each
    listed = rough.effects.abs().topk(5, dim=1).indices
    untouched = torch.ones(few.shape[1:], dtype=torch.bool).scatter(1, listed, torch.zeros(2, 5, dtype=torch.bool))
    assert torch.equal(few[:, untouched], rough.each[:, untouched])
    assert not torch.equal(few, rough.each)

    every = reranked(index, source, spans, rough, WORKS, damping_ppm=100_000)
    task = source(1)
    layers, _ = linear_layers(task.module)
    numbers, seed = list(range(WORKS)), index.manifest.plan.method.seed
    sample = factor_works(index.manifest.plan, WORKS)
    bases = eigenbases_of(task, layers, factors_of(task, layers, sample, seed, 4), sample, seed, 4)
    directions = preconditioned(bases, output_gradients(task, layers, spans), 0.1)
    due = -exact_influence(task, layers, numbers, directions, 7)
    for row in range(2):
        factors = every.each[1, row] / due[row]
        torch.testing.assert_close(factors, factors.mean().expand(WORKS), rtol=1e-3, atol=0)
        assert factors.mean() > 0


def test_eigenbases_are_kept_and_made_again_when_they_were_altered(tmp_path: Path) -> None:
    source, index = Digits(), built(tmp_path, Digits())
    rough = index.ask(source, [Span(0)])
    first = reranked(index, source, [Span(0)], rough, 6).each
    kept = tmp_path / "eigenbases-0.safetensors"
    before = kept.stat().st_mtime_ns
    assert torch.equal(reranked(index, source, [Span(0)], rough, 6).each, first)
    assert kept.stat().st_mtime_ns == before
    for spoiled in (b"", kept.read_bytes()[:-1] + b"\xff"):
        kept.write_bytes(spoiled)
        assert torch.equal(reranked(index, source, [Span(0)], rough, 6).each, first)


def test_factors_do_not_depend_on_the_batch_and_drawn_targets_follow_the_model() -> None:
    task = Writer()(0)
    layers, _ = linear_layers(task.module)
    one = factors_of(task, layers, list(range(9)), 3, 1)
    many = factors_of(task, layers, list(range(9)), 3, 9)
    for left, right in zip(one, many, strict=True):
        assert left.positions == right.positions
        torch.testing.assert_close(left.gradients, right.gradients, rtol=1e-3, atol=1e-7)
    from gongfen.trace.task import chances_of, drawn_class

    logits = torch.tensor([0.1, 0.2, 0.7]).log().expand(30_000, 3)
    drawn = drawn_class(logits, chances_of(1, range(30_000), 1)[:, 0])
    torch.testing.assert_close(torch.bincount(drawn) / 30_000, torch.tensor([0.1, 0.2, 0.7]), atol=0.01, rtol=0)
    assert cross_entropy(logits[:1], drawn[:1]).isfinite()


# -- can it tell? ------------------------------------------------------------------------------------------------------


def test_noise_is_called_noise_and_a_signal_is_told() -> None:
    """200 works at 4 checkpoints; in one output ten works have an effect, in 40 others none has: at most one is told."""
    source = torch.Generator().manual_seed(0)
    noise = torch.randn(4, 41, 200, generator=source)
    noise[:, 0, :10] += 3
    told = tells(noise)
    assert told[0] is True
    assert sum(bool(one) for one in told[1:]) <= 1


def test_of_many_works_random_sets_are_drawn_without_shuffling_them_all(monkeypatch) -> None:
    """A thousand shuffles of a million works took 19 s of every answer."""
    source = torch.Generator().manual_seed(0)
    noise = torch.randn(4, 3, 50_000, generator=source)
    noise[:, 0, :500] += 3
    monkeypatch.setattr(torch, "randperm", lambda *_, **__: pytest.fail("shuffles all works"))
    assert tells(noise) == [True, False, False]


def test_who_looked_once_does_not_know() -> None:
    assert tells(torch.randn(1, 2, 200)) == [None, None]
    assert tells(torch.randn(4, 1, 6)) == [None]


ALIKE = "cannot tell: its strongest works do not stand above random ones"
OF_THIS_RUN = (
    "cannot tell: its strongest works are those of this run; another run, with another seed, would say something"
)
WORDS_ALONE = "cannot tell: its own words in random order move some work as far above the others"


@pytest.mark.parametrize(("said", "shown"), [("no", True), ("yes", False), ("unknown: measured once", False)])
@pytest.mark.parametrize(
    ("method", "by", "words"),
    [
        ("index of 4 checkpoints", "halves of the checkpoints", ALIKE),
        ("of an older version", None, ALIKE),
        ("metagradient, one-sided", "runs with other seeds", OF_THIS_RUN),
        ("metagradient, one-sided", None, OF_THIS_RUN),
        ("whole gradients", "rearranged words", WORDS_ALONE),
    ],
)
def test_who_says_when_the_tracer_cannot_tell(tmp_path, said, shown, method, by, words) -> None:
    """A stack of shares drawn from noise looks like one that means something; so it is said, and by what it is known."""
    from tests.books import cooperative
    from tests.test_books import asked

    with cooperative(tmp_path) as book:
        effects = (k.Effect(work="poem-1", effect_nnat=300), k.Effect(work="poem-2", effect_nnat=100))
        notes = (k.Note(name="strongest above random works", value=said),)
        notes += (k.Note(name="above random works by", value=by),) if by else ()
        book.record(k.Influence(influence="i9", target="song-1", model="poet", grade="display", method=method,
                                utility="log-likelihood", seed=7, effects=effects, notes=notes))  # fmt: skip
        assert book.who("song-1").told == {"no": False, "yes": True}.get(said)
    for lang, due in (("en", words), ("zh", "无法判断")):
        assert (due in " ".join(asked(tmp_path, "who", "song-1", GONGFEN_LANG=lang).stdout.split())) is shown
        if lang == "zh":
            assert "cannot tell" not in asked(tmp_path, "who", "song-1", GONGFEN_LANG=lang).stdout

"""Train and generate from the book's own works, and record the making: inputs, outputs, labour, machine time, hash."""

import hashlib
import json
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch
from msgspec import UNSET

from gongfen.book.alone import alone_in
from gongfen.book.answers import TYPED
from gongfen.book.clock import today
from gongfen.book.place import beside
from gongfen.book.proving.publishing import text_of
from gongfen.book.recording.record import Record
from gongfen.book.tokens import hold_works, tokens_known
from gongfen.book.uses import counted, unit_of
from gongfen.errors import InputError, MalformedFactError, MissingAssumptionError, TrainingError, UnknownWorkError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.facts.envelope import checked
from gongfen.progress import Progress, silent
from gongfen.proof.merkle import root_of
from gongfen.studio.corpus import Corpus, Passage, sample
from gongfen.studio.models import sha256_of
from gongfen.studio.workshop import Setup, Workshop, code_sha256, energy_mwh, inference_gflop, open_run, training_gflop
from gongfen.trace.tuning import Run, save_run, tune

MACHINE = "this-computer"
RUN_FILE = "run.safetensors"
LICENCE = "the licence of each work, as recorded with it"
SOURCE = "trained in this book, run {}"
NATS = 1_000_000
"""Micro-nats in a nat."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was made."""

    model: str
    works: int
    makers: int
    epochs: int
    steps: int
    rate_nano: int
    """The highest rate, reached after ``warmup_steps``."""
    warmup_steps: int
    tokens: int
    device_us: int
    adapter_sha256: str
    first_loss_unat: int
    last_loss_unat: int


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An output that was made."""

    output: str
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person typed, and how long it took them; ``None``: nobody measured it."""

    name: str
    text: str
    by: str
    typed_us: int | None
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Atelier:
    """A trained model, opened again: its setup, run, training works and parameters."""

    model: str
    setup: Setup
    workshop: Workshop
    run: Run
    works: tuple[str, ...]
    texts: tuple[str, ...]


def runs_folder(record: Record) -> Path:
    """Where the recorded runs lie: beside the book, or beside the key of a book on a server."""
    return beside(record.path, ".runs")


def run_folder(record: Record, model: str) -> Path:
    """Where a model's run, its index and its evaluations lie: no two models share one, whatever they are called.

    A name may hold ``/``, as ``maker/model`` does; a folder's may not.
    """
    return runs_folder(record) / model.replace("%", "%25").replace("/", "%2F")


def choose(record: Record, per_maker: int, seed: int) -> tuple[Passage, ...]:
    """So many works of every maker who has them: the passages whose texts the book keeps, drawn by the seed."""
    passages: list[Passage] = []
    for work, known in record.state.works.prefixed(""):
        if known.kind == "data" and known.makers:
            blob = record.blob(known.sha256)
            if blob is not None:
                maker = known.makers[0].maker
                passages.append(Passage(work, work.rpartition("#")[0], maker, blob.decode(), known.sha256, 0))
    count: dict[str, int] = {}
    for passage in passages:
        count[passage.maker] = count.get(passage.maker, 0) + 1
    enough = [maker for maker, number in count.items() if number >= per_maker]
    if not enough:
        raise MissingAssumptionError(
            "the book", f"has no maker with {per_maker} works", "bring some in: gongfen import …"
        )
    corpus = Corpus("the book", (), tuple(passages), (), "", None, None)
    return sample(corpus, per_maker, seed, makers=enough)


def impute_writing(record: Record, passages: Sequence[Passage], words_per_hour: int) -> None:
    """Labour that nobody measured, imputed from length by a stated rate, and marked as imputed; sample data."""
    facts: list[Fact] = []
    for passage in passages:
        words = len(passage.text.split())
        fact_id = f"labour:{passage.work}"
        if record.find(fact_id) is None:
            body = k.Labour(
                maker=passage.maker,
                work=passage.work,
                labour_kind=1,
                phase="training",
                standing="employed",
                labour_us=words * 3_600_000_000 // words_per_hour,
                day=_day_in(passage.work),
                quality="imputed",
                evidence=f"imputed: {words} words at {words_per_hour} words an hour",
            )
            facts.append(record.new(body, fact_id=fact_id, sample=True))
    record.record(facts)


def _day_in(work: str) -> str:
    """The year that a work's name begins with, as a day; today when it names none."""
    year = work.rpartition("/")[2][:4]
    return f"{year}-01-01" if year.isdecimal() else today()


def gather(record: Record, model: str, passages: Sequence[Passage]) -> str:
    """Record the data set of a model to come; its name comes back. Labour spent on it now goes into the model."""
    data = f"{model}/data"
    root = root_of([bytes.fromhex(passage.sha256) for passage in passages]).hex()
    works = tuple(passage.work for passage in passages)
    body = k.Dataset(dataset=data, works=works, root=root, licence=LICENCE)
    record.record(_new(record, f"dataset:{data}", body))
    return data


def train(
    record: Record,
    model: str,
    passages: Sequence[Passage],
    setup: Setup,
    cache: Path,
    planned_uses: int,
    progress: Progress = silent,
    workshop: Workshop | None = None,
    *,
    counted_in: k.UseUnit | None = None,
    sample: bool = False,
) -> Trained:
    """Tune a model on works of the book, keep the run, and record how it was made. Raises TrainingError.

    ``counted_in``: what ``planned_uses`` are. ``sample``: the plan is sample data. ``workshop``: one that is open
    already for this setup and these works.
    The data set is recorded first, unless :func:`gather` has done so; it must hold these very works.
    """
    folder = _checked_folder(record, model)
    data = gather(record, model, passages)
    gathered = next(f.body for _, f in record.about(data) if isinstance(f.body, k.Dataset) and f.body.dataset == data)
    if gathered.works != tuple(passage.work for passage in passages):
        raise TrainingError(data, "holds other works than these", "train under another name, or on the works it holds")
    _check_new(record, model)
    texts = [passage.text for passage in passages]
    workshop = workshop or Workshop(setup, texts, cache)
    problem = workshop.problem(texts)
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder, model, "is being trained by another command"):
        _check_new(record, model)  # another may have been quicker
        with _timed() as clock:
            run = tune(problem, setup.recipe, progress=progress)
        save_run(run, folder / RUN_FILE)
        read = [workshop.passage(text) for text in texts]
        tokens = sum(len(passage.tokens) for passage in read) * setup.recipe.epochs
        memory = _memory(setup, run, tokens, sha256_of(folder / RUN_FILE), tokens_known(read))
        record_sha256 = record.keep_blob(memory)
        plan = k.Plan(work=model, uses=planned_uses, unit=counted_in or UNSET, reason="as planned when it was trained")
        record.record(_training_facts(record, plan, workshop, run, clock, tokens, record_sha256, sample=sample))
    losses = [round(float(loss) * NATS) for loss in run.step_losses]
    return Trained(
        model=model,
        works=len(passages),
        makers=len({passage.maker for passage in passages}),
        epochs=setup.recipe.epochs,
        steps=len(losses),
        rate_nano=setup.recipe.learning_rate_nano,
        warmup_steps=setup.recipe.warmup_steps,
        tokens=tokens,
        device_us=clock.us,
        adapter_sha256=run.adapter_sha256,
        first_loss_unat=losses[0],
        last_loss_unat=losses[-1],
    )


def _check_new(record: Record, model: str) -> None:
    record.refresh()
    if record.state.works.get(model) is not None:
        raise TrainingError(model, "is in this book already", "give the new model a name of its own")


def _checked_folder(record: Record, model: str) -> Path:
    """Where the run of a model to come will lie. Raises InputError for a name that no model or no folder can have."""
    named = k.Model(model=model, sha256="0" * 64, parameters=1, source=SOURCE.format(model), licence=LICENCE)
    try:
        checked(record.new(named, fact_id=f"model:{model}"))
        checked(record.new(k.Dataset(dataset=f"{model}/data", works=("w",), root="0" * 64, licence=LICENCE)))
    except MalformedFactError as error:
        raise InputError(f"the model's name {model!r}", error.reason, "give it a short name of its own") from None
    if not model.strip("."):
        raise InputError(f"the model's name {model!r}", "names a folder above", "give it a short name of its own")
    return run_folder(record, model)


def _memory(setup: Setup, run: Run, tokens: int, run_sha256: str, of_tokens: dict[str, str]) -> bytes:
    """What a training is remembered by: setup, losses, size, its tokens and its tape by hash, as canonical JSON."""
    said = {
        **of_tokens,
        "run_sha256": run_sha256,
        "setup": setup.to_json(),
        "threads": run.threads,
        "tokens": tokens,
        "losses_unat": [round(float(loss) * NATS) for loss in run.step_losses],
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _training_facts(
    record: Record,
    plan: k.Plan,
    workshop: Workshop,
    run: Run,
    clock: "_Clock",
    tokens: int,
    record_sha256: str,
    *,
    sample: bool,
) -> Iterator[Fact]:
    """The facts of a training, within the transaction that records them; ``plan`` says of which model."""
    setup, base, model = workshop.setup, workshop.base, plan.work
    gflop = training_gflop(workshop.parameters, tokens)
    data = f"{model}/data"
    yield from _new(record, f"enrol:{MACHINE}", k.Enrol(maker=MACHINE, form="machine"))
    inputs = [k.Use(work=data, role="data")]
    if base is not None:
        known = k.Model(
            model=base.name,
            sha256=base.sha256,
            parameters=base.parameters,
            source=f"{base.source}, sha256 {base.source_sha256}",
            licence=base.licence,
        )
        yield from _new(record, f"model:{base.name}", known)
        reason = "its labour is not measured, so no plan can divide it"
        yield from _new(record, f"plan:{base.name}", k.Plan(work=base.name, uses=1, reason=reason))
        unit = unit_of(record.state, base.name)
        inputs.append(counted(base.name, "base", unit, tokens=tokens, gflop=gflop))
    made = k.Model(
        model=model,
        sha256=run.adapter_sha256,
        base=base.name if base else None,
        parameters=run.theta.numel(),
        source=SOURCE.format(model),
        licence=base.licence if base else LICENCE,
    )
    yield record.new(made, fact_id=f"model:{model}")
    making = k.Make(
        make=f"train:{model}",
        activity="train",
        inputs=tuple(inputs),
        outputs=(model,),
        tool=f"gongfen; torch {torch.__version__}; Python {platform.python_version()}",
        seed=setup.recipe.seed,
        config_sha256=setup.sha256,
        code_sha256=code_sha256(),
        record_sha256=record_sha256,
    )
    yield record.new(making, fact_id=f"make:train:{model}")
    yield record.new(_compute(model, clock, run.threads, gflop, tokens))
    yield record.new(plan, fact_id=f"plan:{model}", sample=sample)


def _compute(work: str, clock: "_Clock", threads: int, gflop: int, tokens: int) -> k.Compute:
    return k.Compute(
        machine=MACHINE,
        device="cpu",
        work=work,
        device_us=clock.us,
        gflop=gflop,
        tokens=tokens,
        energy_mwh=energy_mwh(clock.us, threads),
        energy_quality="estimated",
        method=f"time measured; FLOP by 6·N·D (training) or 2·N a token; energy estimated: {threads} threads × 10 W",
        day=clock.day,
    )


def _new(record: Record, fact_id: str, body: Body) -> Iterator[Fact]:
    """The fact, unless the book has it."""
    if record.find(fact_id) is None:
        yield record.new(body, fact_id=fact_id)


def open_atelier(record: Record, model: str, cache: Path, workshop: Workshop | None = None) -> Atelier:
    """A model of the book, opened again for writing and tracing; its run must be what the book's hash says.

    Raises UnknownWorkError for a model that was not trained here, ModelFileError for a lost or altered run, and
    TrainingError when its works are other tokens now than those that it was trained on.
    """
    making = next(
        (f.body for _, f in record.about(model) if isinstance(f.body, k.Make) and model in f.body.outputs), None
    )
    known = record.state.works.get(model)
    if making is None or known is None or making.record_sha256 is None:
        raise UnknownWorkError(
            model, "is not a model that was trained in this book", "see them: gongfen log --kind model"
        )
    memory = record.blob(making.record_sha256)
    if memory is None:
        raise TrainingError(model, "has lost the record of its training", "train again under another name")
    said = json.loads(memory)
    setup = Setup.from_json(said["setup"])
    run = open_run(run_folder(record, model) / RUN_FILE, said["run_sha256"])
    if run.adapter_sha256 != known.sha256:
        raise TrainingError(model, "is not the model that the book names: its hash differs", "train again")
    data = next(use.work for use in making.inputs if use.role == "data")
    gathered = next(f.body for _, f in record.about(data) if isinstance(f.body, k.Dataset) and f.body.dataset == data)
    texts = tuple(text_of(record, work) for work in gathered.works)
    workshop = workshop or Workshop(setup, texts, cache)
    hold_works(model, said, workshop, texts, run)
    return Atelier(model, setup, workshop, run, gathered.works, texts)


def generate(
    record: Record,
    atelier: Atelier,
    prompts: Sequence[Prompt],
    length: int,
    seed: int,
    progress: Progress = silent,
) -> list[Written]:
    """Let a model write after each prompt, and record prompts, typing time, outputs, makings and machine time.

    ``length``: the most tokens a text may have. Texts are kept whole: the prompt, and what was written after it.
    """
    with _timed() as clock:
        found = atelier.workshop.write(atelier.run, [prompt.text for prompt in prompts], length, seed, progress)
    facts: list[Fact] = []
    blobs: list[bytes] = []
    written: list[Written] = []
    total = sum(len(one.tokens) for one in found) or 1
    spent = 0
    for prompt, one in zip(prompts, found, strict=True):
        text = prompt.text + one.text
        tokens = json.dumps(
            {"prompt": one.prompt, "tokens": one.tokens}, sort_keys=True, separators=(",", ":")
        ).encode()
        blobs += [prompt.text.encode(), text.encode(), tokens]
        spent += len(one.tokens)
        part = _Clock(clock.us * spent // total - clock.us * (spent - len(one.tokens)) // total, clock.day)
        facts += _writing_facts(record, atelier, prompt, text, tokens, len(one.tokens), part, seed)
        written.append(Written(output=f"{prompt.name}/output", prompt=prompt.text, text=one.text))
    record.record(facts, blobs)
    return written


def _writing_facts(
    record: Record, atelier: Atelier, prompt: Prompt, text: str, tokens: bytes, count: int, clock: "_Clock", seed: int
) -> Iterator[Fact]:
    output, asked = f"{prompt.name}/output", f"{prompt.name}/prompt"
    typed = k.Work(
        work=asked,
        sha256=_sha256(prompt.text.encode()),
        size_bytes=len(prompt.text.encode()),
        makers=(k.Part(maker=prompt.by, ppm=PPM),),
        source="typed for this output",
        licence="the book's own",
        role="prompt",
    )
    yield record.new(typed, fact_id=f"work:{asked}", sample=prompt.sample)
    labour = k.Labour(
        maker=prompt.by,
        work=asked,
        labour_kind=1,
        phase="inference",
        standing="unpaid",
        labour_us=prompt.typed_us,
        day=today(),
        quality="unmeasured" if prompt.typed_us is None else "measured",
        evidence="sample: time of typing the prompt" if prompt.sample else "time of typing the prompt",
    )
    yield record.new(labour, fact_id=f"labour:{asked}", sample=prompt.sample)
    made = k.Output(output=output, sha256=_sha256(text.encode()), size_bytes=len(text.encode()))
    yield record.new(made, fact_id=f"output:{output}")
    unit, gflop = unit_of(record.state, atelier.model), inference_gflop(atelier.workshop.parameters, count)
    making = k.Make(
        make=f"generate:{output}",
        activity="generate",
        inputs=(counted(atelier.model, "model", unit, tokens=count, gflop=gflop), k.Use(work=asked, role="prompt")),
        outputs=(output,),
        tool=f"gongfen; torch {torch.__version__}",
        seed=seed,
        code_sha256=code_sha256(),
        record_sha256=_sha256(tokens),
        notes=(k.Note(name=TYPED, value=str(len(prompt.text))),),
    )
    yield record.new(making, fact_id=f"make:generate:{output}")
    yield record.new(_compute(output, clock, atelier.run.threads, gflop, count))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(slots=True)
class _Clock:
    """How long something took, and the day on which it began."""

    us: int
    day: str


@contextmanager
def _timed() -> Iterator[_Clock]:
    """Device time of what runs inside, microseconds of wall time."""
    clock, start = _Clock(0, today()), time.perf_counter_ns()
    yield clock
    clock.us = (time.perf_counter_ns() - start) // 1_000

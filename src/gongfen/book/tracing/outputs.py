"""Measure whose work is in an output, once, and record how it was measured: display grade."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch

from gongfen.book.answers import ABOVE_RANDOM, CUT, INTERVAL, TOLD_BY, UNSEEN, UNSEEN_NAMED, is_of, making_of
from gongfen.book.making import Atelier, open_atelier
from gongfen.book.place import cache_folder
from gongfen.book.recording.record import Record
from gongfen.book.tokens import hold_output
from gongfen.book.tracing.gradients import by_gradients
from gongfen.book.tracing.indexing import asked_index
from gongfen.book.tracing.measured import TELLS, Measured
from gongfen.book.tracing.metagradient import SEEDS, Differentiated, by_metagradient
from gongfen.book.tracing.parts import KEPT, Part, Parts, parts_of
from gongfen.book.tracing.quoting import Quoting
from gongfen.book.tracing.shares import share_notes
from gongfen.errors import TrainingError, UnknownWorkError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.progress import Progress, silent
from gongfen.trace.index.bergson import Bergson
from gongfen.trace.index.build import Engine, here
from gongfen.trace.index.engines import Processes, Ray
from gongfen.trace.problem import Passage
from gongfen.trace.spans import Span

NANO = 1_000_000_000
DISPLAY_UTILITY = "log p(output | prompt), generated tokens only, in nats"


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement that was recorded."""

    target: str
    influence: str
    grade: str
    method: str
    works: int
    positive: int
    quotes: int
    """Stretches of the output that stand word for word in a work."""
    near_copies: int
    """Stretches that follow a work closely, and not word for word."""
    built: bool | None
    """Whether an index was built for it: how it is built matters then, and else not; ``None``: none was asked."""
    notes: dict[str, str]
    seq: int


def model_of(record: Record, output: str) -> str:
    """The model that an output was made with."""
    making = making_of(record, output)
    for use in making.inputs:
        if use.role == "model":
            return use.work
    raise UnknownWorkError(output, "was made without a model", "trace an output that a model wrote")


@dataclass(frozen=True, slots=True)
class How:
    """``index``: by an index of the works at several checkpoints, kept beside the run, that answers for any output.

    With it, ``sentences`` measures each sentence by itself, too, and ``rerank`` works of each answer are measured again
    with whole gradients. ``metagradient``: by differentiating the recorded run once for each output, and with ``seeds``
    as many runs in all.
    """

    index: bool = False
    sentences: bool = False
    rerank: int = 0
    workers: int = 0
    """Of an index that is still to be built: so many processes, or workers of the Ray cluster at ``ray``."""
    ray: str = ""
    metagradient: bool = False
    seeds: int | None = None
    bergson: bool = False
    """Of an index that is still to be built: by Bergson's passes, hooks and batches."""
    tokens: bool = False
    """As ``sentences``, for each token."""
    spans: tuple[tuple[int, int], ...] = ()
    """As ``sentences``, for these stretches ``(start, end)`` of the output, in code points."""

    def __post_init__(self) -> None:
        """Raises TrainingError for what does not go together, or needs an index or a metagradient."""
        asked = {
            "--sentences": self.sentences,
            "--tokens": self.tokens,
            "--span": bool(self.spans),
            "--rerank": self.rerank,
            "--workers": self.workers,
            "--ray": self.ray,
            "--bergson": self.bergson,
        }
        first = next((name for name, given in asked.items() if given), None)
        if self.metagradient and (self.index or first):
            thing = "--index" if self.index else first or ""
            raise TrainingError(thing, "does not go together with --metagradient", "leave one of the two out")
        if self.seeds is not None and self.seeds < 1:
            raise TrainingError(f"--seeds {self.seeds}", "trains nothing", "give 1 or more")
        if self.seeds is not None and not self.metagradient:
            raise TrainingError("--seeds", "of an output asks the metagradient", "add --metagradient")
        if first and not self.index:
            raise TrainingError(first, "asks an index", "add --index")
        parts = [name for name in ("--sentences", "--tokens", "--span") if asked[name]]
        if len(parts) > 1:
            raise TrainingError(parts[1], f"does not go together with {parts[0]}", "leave one of the two out")
        if self.bergson and (self.workers or self.ray):
            other = "--ray" if self.ray else "--workers"
            raise TrainingError(other, "does not go together with --bergson", "leave one of the two out")
        if self.ray:  # what cannot be is said at once, whether an index is there already or not
            Ray(self.workers or 1, self.ray)
        elif self.workers:
            Processes(self.workers)

    @property
    def engine(self) -> Engine:
        """Where an index is built, and by whose passes. Raises TrainingError when Bergson is not installed."""
        if self.bergson:
            return Bergson()
        if self.ray:
            return Ray(self.workers or os.cpu_count() or 1, self.ray)
        return Processes(self.workers) if self.workers else here


def trace_outputs(
    record: Record, outputs: Sequence[str], cache: Path, progress: Progress = silent, how: How = How()
) -> list[Traced]:
    """Display grade: influence of every training work on each output, and its quotations; one pass for all outputs.

    All outputs must come from one model; one named twice is traced once. Raises UnknownWorkError, TrainingError.
    """
    outputs = tuple(dict.fromkeys(outputs))
    models = {model_of(record, output) for output in outputs}
    if len(models) != 1:
        raise TrainingError(f"{len(outputs)} outputs", "come from different models", "trace each model's by themselves")
    atelier = open_atelier(record, models.pop(), cache)
    return trace_with(record, atelier, outputs, progress, how, cache)


def trace_with(
    record: Record,
    atelier: Atelier,
    outputs: Sequence[str],
    progress: Progress = silent,
    how: How = How(),
    cache: Path | None = None,
) -> list[Traced]:
    """As :func:`trace_outputs`, with a model that is open already."""
    passages = tuple(passage_of(record, atelier, output) for output in outputs)
    wanted = Parts(how.sentences, how.tokens, how.spans)
    parts = parts_of(record, atelier, outputs, passages, wanted)
    found: Measured
    if how.index:
        spans = [*(Span(number) for number in range(len(outputs))), *(part.span for part in parts)]
        found = asked_index(record, atelier, passages, spans, how.rerank, how.engine, progress, outputs)
    elif how.metagradient:
        found = by_metagradient(atelier, outputs, passages, how.seeds or SEEDS, cache or cache_folder(), progress)
    else:
        found = by_gradients(atelier, passages, progress, outputs)
    quoting = Quoting(record, dict(zip(atelier.works, atelier.texts, strict=True)))
    cut = k.Note(name=CUT, value=_cut(atelier))
    now, before = _utilities(atelier, passages)
    facts: list[Fact] = []
    copied: list[tuple[int, int]] = []
    for row, output in enumerate(outputs):
        name = f"display:{output}:{measured_before(record, output)}"
        whole = _influence(atelier, found, row, output, name)
        shares = _shares(record, atelier, found, row)
        notes = (*whole.notes, cut, *quoting.notes, *shares)
        whole = msgspec.structs.replace(whole, notes=notes, utility_nnat=now[row], untuned_nnat=before[row])
        facts.append(record.new(whole, fact_id=f"influence:{whole.influence}"))
        for number, part in enumerate(parts, len(outputs)):
            if part.output == output:
                body = _of_part(_influence(atelier, found, number, output, name), part)
                facts.append(record.new(body, fact_id=f"influence:{body.influence}"))
        quotes = quoting.found(output)
        exact = sum(isinstance(fact.body, k.Quote) and fact.body.exact for fact in quotes)
        copied.append((exact, len(quotes) - exact))
        facts += quoting.new(quotes)
    numbers = record.record(facts)
    said = [(fact.body, seq) for fact, seq in zip(facts, numbers, strict=True) if isinstance(fact.body, k.Influence)]
    wholes = [(body, seq) for body, seq in said if body.output_start is msgspec.UNSET]
    return [_traced(body, seq, *found_in, found.built) for (body, seq), found_in in zip(wholes, copied, strict=True)]


def _influence(atelier: Atelier, found: Measured, row: int, output: str, name: str) -> k.Influence:
    """One row of what was measured, as a fact about an output."""
    return k.Influence(
        influence=name,
        target=output,
        model=atelier.model,
        grade="display",
        method=found.method,
        utility=DISPLAY_UTILITY,
        seed=atelier.setup.recipe.seed,
        effects=effects_of(atelier.works, found.effects[row].tolist(), _ends(found, row)),
        notes=(
            k.Note(name="works measured", value=str(len(atelier.works))),
            k.Note(name=ABOVE_RANDOM, value=TELLS[found.told[row]]),
            k.Note(name=TOLD_BY, value=found.told_by),
            k.Note(name=INTERVAL, value=found.interval),
            *_unseen(found),
            *(found.notes(row) if isinstance(found, Differentiated) else ()),
        ),
    )


def _shares(record: Record, atelier: Atelier, found: Measured, row: int) -> tuple[k.Note, ...]:
    """How far makers' shares of one output are known."""
    if found.each is None:
        return ()
    seeds = isinstance(found, Differentiated)
    return share_notes(record, atelier.works, found.each[:, row], seeds=seeds)


def _unseen(found: Measured) -> tuple[k.Note, ...]:
    """What of the model was not looked at: how many, and the first names."""
    return tuple(
        k.Note(name=UNSEEN + why, value=f"{len(names)}: {' '.join(names[:UNSEEN_NAMED])}")
        for why, names in found.unseen.items()
    )


def _cut(atelier: Atelier) -> str:
    """How many works are longer than what was trained on: only their beginning can be measured."""
    most, workshop = atelier.setup.max_tokens, atelier.workshop
    long = sum(len(workshop.tokenizer.encode(text)) > most for text in atelier.texts)
    return f"{long} of {len(atelier.texts)}, to their first {most} tokens" if long else "none"


def _of_part(body: k.Influence, part: Part) -> k.Influence:
    """The same for a part of the output, with its strongest works only."""
    strongest = sorted(body.effects, key=lambda effect: (-effect.effect_nnat, effect.work))[:KEPT]
    return msgspec.structs.replace(
        body,
        influence=f"{body.influence}:{part.start}-{part.end}",
        effects=tuple(strongest),
        output_start=part.start,
        output_end=part.end,
    )


def _ends(found: Measured, row: int) -> list[tuple[float, float]] | None:
    """Both ends of every effect's interval, for one output."""
    return None if found.ends is None else list(zip(*(end[row].tolist() for end in found.ends), strict=True))


def _utilities(atelier: Atelier, passages: Sequence[Passage]) -> tuple[list[int], list[int]]:
    """Log-likelihood of each output in nano-nats: by the model as it is, and as it was before it was tuned."""
    problem = atelier.workshop.problem(atelier.texts, passages, [1] * len(passages))
    with torch.no_grad():
        now, before = (
            [round(float(problem.log_likelihoods(theta, torch.tensor([row]))) * NANO) for row in range(len(passages))]
            for theta in (atelier.run.theta, atelier.run.theta0)
        )
    return now, before


def _traced(body: k.Influence, seq: int, quotes: int, near_copies: int, built: bool | None) -> Traced:
    return Traced(
        target=body.target,
        influence=body.influence,
        grade=body.grade,
        method=body.method,
        works=len(body.effects),
        positive=sum(effect.effect_nnat > 0 for effect in body.effects),
        quotes=quotes,
        near_copies=near_copies,
        built=built,
        notes={note.name: note.value for note in body.notes},
        seq=seq,
    )


def sold_passage(record: Record, output: str) -> Passage:
    """An output as the very tokens that were sampled, scored from the first generated one."""
    making = making_of(record, output)
    memory = record.blob(making.record_sha256 or "")
    if memory is None:
        raise TrainingError(output, "has lost the record of its tokens", "make it again under another name")
    said = json.loads(memory)
    return Passage((*said["prompt"], *said["tokens"]), len(said["prompt"]))


def passage_of(record: Record, atelier: Atelier, output: str) -> Passage:
    """As :func:`sold_passage`, held against its text. Raises TrainingError when another tokenizer wrote it."""
    passage = sold_passage(record, output)
    hold_output(record, atelier.workshop, output, passage)
    return passage


def measured_before(record: Record, target: str) -> int:
    """How often a target has been measured: the next measurement takes this number, and the newest one counts."""
    return sum(isinstance(f.body, k.Influence) and is_of(f.body, target) for _, f in record.about(target))


def effects_of(
    works: Sequence[str], effects: Sequence[float], ends: Sequence[tuple[float, float]] | None = None
) -> tuple[k.Effect, ...]:
    """Effects in whole nano-nats, in the order of the works, with both ends of their intervals where they are known."""
    if ends is None:
        return tuple(
            k.Effect(work=work, effect_nnat=round(effect * NANO)) for work, effect in zip(works, effects, strict=True)
        )
    return tuple(
        k.Effect(work=work, effect_nnat=round(effect * NANO), low_nnat=round(low * NANO), high_nnat=round(high * NANO))
        for work, effect, (low, high) in zip(works, effects, ends, strict=True)
    )

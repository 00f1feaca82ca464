"""Measure whose work is in an output or a period's income, once, and record how it was measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gongfen.book.answers import ABOVE_RANDOM, SEARCHED, makers_of, making_of, prompt_length
from gongfen.book.indexing import Measured, asked_index
from gongfen.book.making import Atelier, open_atelier
from gongfen.book.publishing import text_of
from gongfen.book.recording import Record
from gongfen.errors import MissingAssumptionError, TrainingError, UnknownWorkError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress, silent
from gongfen.shares import period_of, period_target
from gongfen.trace.gradients import display_influence
from gongfen.trace.leave_out import LeaveOut, evenly_ranked, leave_out
from gongfen.trace.metagradient import Metagradient, metagradient
from gongfen.trace.problem import Passage
from gongfen.trace.quotation import QuoteIndex, QuoteRule

NANO = 1_000_000_000
MOST_GROWTH = 3.0
"""Growth of the adjoint's norm above which a run is not smooth enough to settle on (``attribution.md``)."""
UTILITY = "U = Σ price · log p(output | prompt) / Σ price, over the period's sales, generated tokens only, in nats"
SAID = {True: "yes", False: "no", None: "unknown: measured once"}
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
    notes: dict[str, str]
    seq: int


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement-grade measurement held against honest retraining."""

    influence: str
    retrainings: int
    spearman_ppm: int | None
    slope_ppm: int | None
    seq: int


def model_of(record: Record, output: str) -> str:
    """The model that an output was made with."""
    making = making_of(record, output)
    for use in making.inputs:
        if use.role == "model":
            return use.work
    raise UnknownWorkError(output, "was made without a model", "trace an output that a model wrote")


def trace_outputs(
    record: Record, outputs: Sequence[str], cache: Path, progress: Progress = silent, *, index: bool = False
) -> list[Traced]:
    """Display grade: influence of every training work on each output, and its quotations; one pass for all outputs.

    All outputs must come from one model. ``index``: the works are read once, at several checkpoints of the run, and
    kept as an index beside it, which answers for any output. Raises UnknownWorkError, TrainingError.
    """
    models = {model_of(record, output) for output in outputs}
    if len(models) != 1:
        raise TrainingError(f"{len(outputs)} outputs", "come from different models", "trace each model's by themselves")
    atelier = open_atelier(record, models.pop(), cache)
    return trace_with(record, atelier, outputs, progress, index=index)


def trace_with(
    record: Record, atelier: Atelier, outputs: Sequence[str], progress: Progress = silent, *, index: bool = False
) -> list[Traced]:
    """As :func:`trace_outputs`, with a model that is open already."""
    passages = tuple(sold_passage(record, output) for output in outputs)
    measured = asked_index if index else _at_the_end
    found = measured(record, atelier, passages, progress)
    rule = QuoteRule()
    said = f"exact, from {rule.min_words} words or {rule.min_han} characters on"
    owners = {work: "+".join(makers_of(record, work)) for work in atelier.works}
    quotations = QuoteIndex(dict(zip(atelier.works, atelier.texts, strict=True)), rule, owners)
    facts: list[Fact] = []
    quoted: list[int] = []
    for row, output in enumerate(outputs):
        again = measured_before(record, output)
        influence = k.Influence(
            influence=f"display:{output}:{again}",
            target=output,
            model=atelier.model,
            grade="display",
            method=found.method,
            utility=DISPLAY_UTILITY,
            seed=atelier.setup.recipe.seed,
            effects=effects_of(atelier.works, found.effects[row].tolist()),
            notes=(
                k.Note(name="works measured", value=str(len(atelier.works))),
                k.Note(name=SEARCHED, value=said),
                k.Note(name=ABOVE_RANDOM, value=SAID[found.told[row]]),
            ),
        )
        facts.append(record.new(influence, fact_id=f"influence:{influence.influence}"))
        quotes = _quotes(record, output, quotations, said)
        quoted.append(len(quotes))
        facts += quotes
    numbers = record.record(facts)
    placed = [seq for seq, fact in zip(numbers, facts, strict=True) if isinstance(fact.body, k.Influence)]
    bodies = [fact.body for fact in facts if isinstance(fact.body, k.Influence)]
    return [_traced(body, seq, quotes) for body, seq, quotes in zip(bodies, placed, quoted, strict=True)]


def _at_the_end(_record: Record, atelier: Atelier, passages: Sequence[Passage], progress: Progress) -> Measured:
    """Every work's effect on every output, by whole gradients of the final model: its noise is not known."""
    problem = atelier.workshop.problem(atelier.texts, passages, [1] * len(passages))
    found = display_influence(problem, atelier.run.theta, progress=progress)
    method = f"final-checkpoint gradients, {found.method}, damping {found.damping}"
    return Measured(method, found.effects, [None] * len(passages))


def _traced(body: k.Influence, seq: int, quotes: int) -> Traced:
    return Traced(
        target=body.target,
        influence=body.influence,
        grade=body.grade,
        method=body.method,
        works=len(body.effects),
        positive=sum(effect.effect_nnat > 0 for effect in body.effects),
        quotes=quotes,
        notes={note.name: note.value for note in body.notes},
        seq=seq,
    )


def _quotes(record: Record, output: str, index: QuoteIndex, method: str) -> list[Fact]:
    """Quotations in what the model wrote; what a person typed is their own."""
    typed = prompt_length(making_of(record, output))
    text = text_of(record, output)[typed:]
    facts: list[Fact] = []
    for number, quote in enumerate(index.find(text)):
        body = k.Quote(
            output=output,
            output_start=quote.start + typed,
            output_end=quote.end + typed,
            work=quote.work,
            work_start=quote.work_start,
            work_end=quote.work_end,
            method=method,
        )
        facts.append(record.new(body, fact_id=f"quote:{output}:{number}"))
    return [fact for fact in facts if record.find(fact.id) is None]


def sold_passage(record: Record, output: str) -> Passage:
    """An output as the very tokens that were sampled, scored from the first generated one."""
    making = making_of(record, output)
    memory = record.blob(making.record_sha256 or "")
    if memory is None:
        raise TrainingError(output, "has lost the record of its tokens", "make it again under another name")
    said = json.loads(memory)
    return Passage((*said["prompt"], *said["tokens"]), len(said["prompt"]))


def measured_before(record: Record, target: str) -> int:
    """How often a target has been measured: the next measurement takes this number, and the newest one counts."""
    return sum(isinstance(f.body, k.Influence) and f.body.target == target for _, f in record.about(target))


def effects_of(works: Sequence[str], effects: Sequence[float]) -> tuple[k.Effect, ...]:
    """Effects in whole nano-nats, in the order of the works."""
    return tuple(
        k.Effect(work=work, effect_nnat=round(effect * NANO)) for work, effect in zip(works, effects, strict=True)
    )


class PeriodTrace:
    """The settlement-grade measurement of one period: made once, checked against retraining as often as wanted."""

    def __init__(self, record: Record, atelier: Atelier, period: str, currency: str) -> None:
        sold = period_of(record.state, period, currency)
        if not sold.sales:
            thing = f"period {period}"
            raise MissingAssumptionError(thing, f"has no sales in {currency}", "record them: gongfen record sale …")
        others = [output for output in sold.outputs if model_of(record, output) != atelier.model]
        if others:
            reason = f"was sold in {period}, but not made with {atelier.model}"
            raise TrainingError(others[0], reason, "settle the models of a period by themselves")
        self.record, self.atelier, self.period = record, atelier, period
        prices = dict.fromkeys(sold.outputs, 0)
        for sale in sold.sales:
            prices[sale.output] += sale.price_micro
        passages = [sold_passage(record, output) for output in sold.outputs]
        self.problem = atelier.workshop.problem(atelier.texts, passages, list(prices.values()))
        self.found: Metagradient | None = None
        self.target = period_target(period, currency)
        self.name = f"settlement:{period}:{currency}:{measured_before(record, self.target)}"

    def measure(self, progress: Progress = silent) -> Traced:
        """Differentiate the recorded training run for the period's income, and record every work's effect.

        Raises TrainingError when the run does not replay to the recorded hash, or is too rough to settle on.
        """
        self.found = metagradient(self.problem, self.atelier.run, progress=progress)
        growth = self.found.growth
        if growth > MOST_GROWTH:
            raise TrainingError(
                f"run {self.atelier.model}",
                f"is not smooth: its adjoint grows {growth:.1f} times, of {MOST_GROWTH} at most",
                "train with a longer warm-up and a lower rate",
            )
        body = k.Influence(
            influence=self.name,
            target=self.target,
            model=self.atelier.model,
            grade="settlement",
            method=f"metagradient, {self.found.mode} difference of gradients, relative step {self.found.relative_step}",
            utility=UTILITY,
            seed=self.atelier.setup.recipe.seed,
            effects=effects_of(self.atelier.works, self.found.effects.tolist()),
            notes=(
                k.Note(name="adjoint growth ppm", value=str(round(growth * PPM))),
                k.Note(name="replayed to", value=self.found.adapter_sha256),
                k.Note(name="reading", value="it ranks; it does not price"),
            ),
        )
        (seq,) = self.record.record([self.record.new(body, fact_id=f"influence:{self.name}")])
        return _traced(body, seq, 0)

    def validate(self, retrainings: int, progress: Progress = silent) -> Validated:
        """Retrain without some makers, evenly ranked by prediction, and record how prediction and reality agree."""
        assert self.found is not None, "measure comes first"
        groups: dict[str, list[int]] = {}
        for number, work in enumerate(self.atelier.works):
            for maker in makers_of(self.record, work):
                groups.setdefault(maker, []).append(number)
        effects = self.found.effects
        makers = evenly_ranked(groups, effects, min(retrainings, len(groups)))
        found = leave_out(self.problem, self.atelier.run, effects, groups, makers, progress=progress)
        points = tuple(
            k.Point(
                label=row.maker,
                predicted_nnat=round(row.predicted * NANO),
                measured_nnat=round(row.measured * NANO),
            )
            for row in found.rows
        )
        slope = None if found.slope is None else round(found.slope * PPM)
        body = k.Evaluation(
            subject=self.name,
            method="leave one maker out and retrain, makers at even ranks of the predicted change",
            metric="Spearman",
            value_ppm=None if found.spearman is None else round(found.spearman * PPM),
            points=points,
            seed=self.atelier.setup.recipe.seed,
            notes=(k.Note(name="slope ppm", value="unknown" if slope is None else str(slope)), *_line(found)),
        )
        (seq,) = self.record.record([self.record.new(body, fact_id=f"evaluation:{self.name}:{len(points)}")])
        return Validated(
            influence=self.name, retrainings=len(points), spearman_ppm=body.value_ppm, slope_ppm=slope, seq=seq
        )


def _line(found: LeaveOut) -> tuple[k.Note, ...]:
    """The straight line of measured on predicted changes, of which the slope alone goes through nothing."""
    if found.line is None:
        return ()
    slope, intercept = found.line
    return (
        k.Note(name="line slope ppm", value=str(round(slope * PPM))),
        k.Note(name="line intercept nnat", value=str(round(intercept * NANO))),
    )

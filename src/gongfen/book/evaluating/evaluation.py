"""Is a tracer good enough to pay by? Every way of tracing a model, held against honest retrainings of that model.

Two tests, both of the log-likelihood of the model's own outputs. Rank: train on random halves of the works, and see
whether the summed influence of a half ranks what became of each output (LDS). Drop: train without the works that a
method holds strongest for an output, and see whether more is lost than without as many works at random. Likeness of
texts takes the same tests: what is not above it should not be paid on.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from gongfen.book.evaluating.drops import Drop, Removals, most_removals
from gongfen.book.evaluating.methods import (
    CHANCE,
    METAGRADIENT_COSTS,
    Asked,
    Method,
    Scored,
    affordable,
    reason,
    scored,
)
from gongfen.book.evaluating.retrainings import Retrainings, Unit
from gongfen.book.how_tested import ABOVE_LIKENESS, INTERVAL_PPM, METRIC, OUTPUTS, SEEDS, SUBSETS
from gongfen.book.making import Atelier, open_atelier
from gongfen.book.recording.record import Record
from gongfen.book.tracing.outputs import model_of, passage_of
from gongfen.errors import InputError, MissingAssumptionError, TrainingError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress, silent
from gongfen.reports.evaluation import Estimate, Evaluated, Planned, Tracer
from gongfen.reports.replies import Reason
from gongfen.studio.workshop import code_sha256
from gongfen.trace.evaluation.scores import (
    Bools,
    Floats,
    Interval,
    ceiling,
    lds,
    lds_interval,
    random_halves,
)
from gongfen.trace.evaluation.verdict import verdict

FEWEST_SUBSETS = 3
"""Two points always lie on a line."""
FEWEST_WORKS = 8
PASSES = 12
"""Of the works through the model, for index and whole gradients, about; an epoch of training is one."""
SHARE = re.compile(r"([0-9]{1,3})(%?)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: outputs by name, or so many of the newest; the tests' sizes.

    ``drop``: how many works to leave out, as numbers or as per cent of all works; ``0`` for none.
    """

    outputs: Sequence[str] | int = 8
    subsets: int = 40
    seeds: int = 1
    drop: Sequence[str] = ("1%", "5%")

    def __post_init__(self) -> None:
        """Raises InputError for what is too little to say anything."""
        if self.subsets < FEWEST_SUBSETS:
            remedy = f"ask for {FEWEST_SUBSETS} at least; 40 is a good number"
            raise InputError(f"{self.subsets} subsets", "are too few to rank anything", remedy)
        if self.seeds < 1 or (isinstance(self.outputs, int) and self.outputs < 1):
            raise InputError("seeds and outputs", "begin with one", "ask for 1 or more of each")


class Evaluation:
    """One model's evaluation: planned, then made, then recorded."""

    def __init__(self, record: Record, model: str, wanted: Wanted, cache: Path) -> None:
        """Open the model, choose the outputs. Raises UnknownWorkError, MissingAssumptionError, TrainingError."""
        self.record, self.wanted, self.code = record, wanted, code_sha256()
        self.atelier: Atelier = open_atelier(record, model, cache)
        self.works = len(self.atelier.works)
        if self.works < FEWEST_WORKS:
            reason_ = f"was trained on {self.works} works; halves of fewer than {FEWEST_WORKS} say nothing"
            raise TrainingError(model, reason_, "train a model on more works")
        self.sizes = _sizes(wanted.drop, self.works)
        self.outputs = _chosen(record, model, wanted.outputs)
        passages = tuple(passage_of(record, self.atelier, output) for output in self.outputs)
        self.asked = Asked(record, self.atelier, passages)
        self.kept = Retrainings(record, self.atelier, self.asked.outputs, cache)
        self.methods, self.left_out = affordable(len(self.outputs), wanted.subsets * wanted.seeds)

    def planned(self) -> Planned:
        """What it will take: how many retrainings, how long, how much space."""
        halves, wanted = self._halves(), self.wanted
        known = [self._known(method) for method in self.methods]
        found = [one for one in known if one is not None]
        kept, without = sum(map(self.kept.has, halves)), 0
        if len(found) == len(known):
            units = Removals(self.works, self.sizes, wanted.seeds, found).units
            drops, without = len(units), sum(map(self.kept.has, units))
        else:
            tracers = sum(method.name != CHANCE for method in self.methods)
            drops = most_removals(len(self.sizes), tracers, len(self.outputs), wanted.seeds)
        pace = self.kept.pace_us() or _recorded_us(self.record, self.atelier.model)
        tracing = 0.0 if len(found) == len(known) else PASSES / self.atelier.setup.recipe.epochs
        if tracing and not self.left_out:
            tracing += METAGRADIENT_COSTS * len(self.outputs)
        runs = (len(halves) - kept) / 2 + drops - without + tracing
        return Planned(
            model=self.atelier.model,
            works=self.works,
            outputs=self.outputs,
            subsets=wanted.subsets,
            seeds=wanted.seeds,
            halves=len(halves),
            drops=drops,
            kept=kept + without,
            time_us=None if pace is None else round(runs * pace),
            size_bytes=(len(halves) + drops) * self.atelier.run.theta.nbytes,
            folder=str(self.kept.path),
        )

    def run(self, planned: Planned, progress: Progress = silent) -> Evaluated:
        """Retrain, trace, compare, record. What was retrained stays, whatever happens then. Raises TrainingError."""
        units = self._halves()
        self.kept.fill(units, progress)
        subsets, seeds = self.wanted.subsets, self.wanted.seeds
        kept = random_halves(subsets, self.works)
        each = np.array([[self.kept.utilities(_half(row, s), s) for row in range(subsets)] for s in range(seeds)])
        with self.kept.alone():
            found, left_out = self._scored()
        removals = Removals(self.works, self.sizes, seeds, found)
        self.kept.fill(removals.units, progress, len(units))
        measured = _Measured(found, kept, each, list(removals.measured(self.kept)))
        tracers = measured.tracers()
        names = self._recorded(tracers, measured.ceiling)
        return Evaluated(
            planned=planned,
            retrainings=len(units) + len(removals.units),
            likeness=measured.likeness.name,
            ceiling_ppm=measured.ceiling,
            tracers=tracers,
            left_out=(*self.left_out, *left_out),
            evaluations=names,
        )

    # -- retrainings ---------------------------------------------------------------------------------------------------

    def _halves(self) -> dict[str, Unit]:
        """On random halves: subset by subset, so that a run that was stopped has whole subsets."""
        rows = enumerate(random_halves(self.wanted.subsets, self.works))
        return {_half(number, seed): Unit(row, seed) for number, row in rows for seed in range(self.wanted.seeds)}

    def _scored(self) -> tuple[list[Scored], list[Reason]]:
        """Every method that can trace this model, and why another cannot."""
        found, reasons = [], []
        for method in self.methods:
            try:
                found.append(self._scores_of(method))
            except TrainingError as error:
                reasons.append(reason(method, error))
        return found, reasons

    def _scores_of(self, method: Method) -> Scored:
        """By this method: computed, or kept from an earlier run of the same code."""
        if (known := self._known(method)) is not None:
            return known
        found = scored(method, self.asked)
        said = {"method": found.method, "cpu_us": str(found.cpu_us)}
        self.kept.keep_scores(method.name, self.code, found.scores, said)
        return found

    def _known(self, method: Method) -> Scored | None:
        """What was kept of it."""
        known = self.kept.scores(method.name, self.code)
        if known is None:
            return None
        scores, said = known
        return Scored(method.name, said["method"], scores, method.likeness, int(said["cpu_us"]))

    # -- what is recorded ----------------------------------------------------------------------------------------------

    def _recorded(self, tracers: Sequence[Tracer], ceiling_ppm: int | None) -> tuple[str, ...]:
        """A fact for each method; for the same configuration, code and outputs there is one already."""
        wanted = self.wanted
        said = [self.kept.sha256, self.code, wanted.subsets, wanted.seeds, self.sizes, self.outputs]
        key = sha256(json.dumps(said).encode()).hexdigest()
        names = tuple(f"evaluation:{key[:32]}:{tracer.name.replace(' ', '-')}" for tracer in tracers)

        def new() -> Iterator[Fact]:
            """Run within the transaction, so that two who evaluate at once do not record it twice."""
            for name, tracer in zip(names, tracers, strict=True):
                if self.record.find(name) is None:
                    yield self.record.new(self._fact(tracer, ceiling_ppm), fact_id=name)

        self.record.record(new())
        return names

    def _fact(self, tracer: Tracer, ceiling_ppm: int | None) -> k.Evaluation:
        return k.Evaluation(
            subject=self.atelier.model,
            method=f"{tracer.name}: {tracer.method}"[:400],
            metric=METRIC,
            value_ppm=tracer.lds.value_ppm,
            seed=self.atelier.setup.recipe.seed,
            notes=tuple(self._notes(tracer, ceiling_ppm)),
        )

    def _notes(self, tracer: Tracer, ceiling_ppm: int | None) -> list[k.Note]:
        wanted, above = self.wanted, tracer.above
        said: dict[str, object] = {
            INTERVAL_PPM: f"{tracer.lds.low_ppm} to {tracer.lds.high_ppm}",
            SUBSETS: wanted.subsets,
            SEEDS: wanted.seeds,
            OUTPUTS: len(self.outputs),
            "ceiling ppm": "unknown: one seed" if ceiling_ppm is None else ceiling_ppm,
            "cpu us": tracer.cpu_us,
            "retrainings sha256": self.kept.sha256,
        }
        if above is not None:
            said[f"{ABOVE_LIKENESS} ppm"] = f"{above.value_ppm}, {above.low_ppm} to {above.high_ppm}"
        if tracer.verdict is not None:
            said[ABOVE_LIKENESS] = tracer.verdict
        for lost in tracer.drops:
            than = "than with all works" if tracer.name == CHANCE else "than at random"
            said[f"without {lost.works} works nnat"] = (
                f"{lost.value_nnat} lower {than}, {lost.low_nnat} to {lost.high_nnat}"
            )
        return [k.Note(name=name, value=str(value)) for name, value in said.items()]


@dataclass(frozen=True, eq=False)
class _Measured:
    """Scores, and what they are held against: kept works [S, N], log-likelihoods [K, S, M] of K seeds, drops."""

    found: Sequence[Scored]
    kept: Bools
    each: Floats
    drops: Sequence[Drop]

    @property
    def utilities(self) -> Floats:
        """Mean over seeds, [S, M]."""
        mean: Floats = self.each.mean(0)
        return mean

    @property
    def likeness(self) -> Scored:
        """The best of those that compare texts: whoever chooses it afterwards makes it hard for the others."""
        those = [one for one in self.found if one.likeness]
        return max(those, key=lambda one: float(lds(one.scores, self.kept, self.utilities).mean()))

    @property
    def ceiling(self) -> int | None:
        """What a perfect tracer would score, from the agreement of seeds."""
        return round(ceiling(self.each) * PPM) if len(self.each) > 1 else None

    def tracers(self) -> tuple[Tracer, ...]:
        """Every method with its tests."""
        best = self.likeness
        return tuple(self._tracer(one, best) for one in self.found)

    def _tracer(self, one: Scored, best: Scored) -> Tracer:
        told = verdict(one.scores, best.scores, self.kept, self.utilities) if one is not best else None
        tells = told is not None and not one.likeness and one.name != CHANCE
        return Tracer(
            name=one.name,
            method=one.method,
            likeness=one.likeness,
            lds=_ppm(lds_interval(one.scores, self.kept, self.utilities)),
            above=_ppm(told.difference) if told else None,
            drops=tuple(drop.lost(one.name) for drop in self.drops),
            cpu_us=one.cpu_us,
            verdict=told.answer if told and tells else None,
            more=told.more * len(self.each) if told and tells and told.more else None,
        )


def only_planned(planned: Planned) -> Evaluated:
    """The answer when nothing was asked but what it will take."""
    return Evaluated(
        planned=planned, retrainings=0, likeness="", ceiling_ppm=None, tracers=(), left_out=(), evaluations=()
    )


def _half(number: int, seed: int) -> str:
    return f"half-{number:03}-seed-{seed}"


def _ppm(interval: Interval) -> Estimate:
    value, low, high = (round(one * PPM) for one in (interval.value, interval.low, interval.high))
    return Estimate(value_ppm=value, low_ppm=low, high_ppm=high)


def _sizes(said: Sequence[str], works: int) -> tuple[int, ...]:
    """How many works to leave out, each once and in order. Raises InputError."""
    found: set[int] = set()
    for word in said:
        match = SHARE.fullmatch(word.strip())
        size = -1 if match is None else int(match[1])
        if match is not None and match[2] and size:
            size = max(1, round(size * works / 100))
        if not 0 <= size <= works // 2:
            remedy = f"give a number up to {works // 2}, or per cent: 5%; 0 for no drop test"
            raise InputError(f"--drop {word}", f"is no number of works that can be left out of {works}", remedy)
        found.add(size)
    return tuple(sorted(found - {0}))


def _chosen(record: Record, model: str, outputs: Sequence[str] | int) -> tuple[str, ...]:
    """The outputs that are traced, each once. Raises MissingAssumptionError, TrainingError, UnknownWorkError."""
    if not isinstance(outputs, int):
        for output in outputs:
            if model_of(record, output) != model:
                raise TrainingError(output, f"was not made with {model}", "name outputs of this model alone")
        if outputs:
            return tuple(dict.fromkeys(outputs))
    made = [
        output
        for _, fact in record.about(model)
        if isinstance(fact.body, k.Make) and any(use.work == model and use.role == "model" for use in fact.body.inputs)
        for output in fact.body.outputs
    ]
    if not made or not outputs:
        raise MissingAssumptionError(model, "has no output in this book", f"let it write: gongfen generate {model} …")
    return tuple(made[-outputs:] if isinstance(outputs, int) else made)


def _recorded_us(record: Record, model: str) -> int | None:
    """Device time of the recorded training."""
    runs = [fact.body for _, fact in record.about(model) if isinstance(fact.body, k.Compute)]
    return next((run.device_us for run in runs if run.work == model and run.device_us), None)

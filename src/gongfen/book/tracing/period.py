"""Measure whose work is in a period's income: settlement grade for what stood the test of retraining, and for no other.

The measurement is one number a work, by differentiating the recorded training run. Beside it always stand the growth of
the adjoint and a validation: at least eight honest retrainings, each without one maker (or, where there are fewer
makers, without one work), at even ranks of the predicted change, with rank correlation, slope and intercept. A check
that fails is recorded with its reason, and the measurement is display grade: nobody is paid on it.
"""

from math import sqrt
from pathlib import Path

import torch
from torch import Tensor

from gongfen.book.answers import ABOVE_RANDOM, INTERVAL, TOLD_BY, makers_of, residual
from gongfen.book.making import Atelier
from gongfen.book.recording.record import Record
from gongfen.book.tracing.measured import TELLS
from gongfen.book.tracing.metagradient import (
    ADJOINT_GROWTH,
    MOST_GROWTH,
    REPLAYED,
    method_of,
    refuse_rough,
    rough_seed,
    with_seed,
)
from gongfen.book.tracing.outputs import NANO, effects_of, measured_before, model_of, passage_of
from gongfen.errors import MissingAssumptionError, TrainingError
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress, silent
from gongfen.reports.replies import SEEDS_AGREE, Reason, TracedPeriod
from gongfen.reports.words import N_
from gongfen.shares import period_of, period_target
from gongfen.trace.index.noise import tells
from gongfen.trace.interval import OVER_SEEDS, over_seeds
from gongfen.trace.leave_out import LeaveOut, evenly_ranked, leave_out
from gongfen.trace.metagradient import Metagradient, metagradient
from gongfen.trace.problem import utility
from gongfen.trace.rank_interval import rank_interval_ppm

FEWEST = 8
"""Retrainings without which nothing is settlement grade (``attribution.md``)."""
CHANCE = 1.645
"""Standard deviations above nothing that a rank correlation must be: 5 %, one-sided."""
UTILITY = "U = Σ price · log p(output | prompt) / Σ price, over the period's sales, generated tokens only, in nats"
ONE_RUN = "unknown: one run; its test against retraining says how far it holds"
NOT_SETTLEMENT = "not settlement grade"
"""The note that says why."""


class PeriodTrace:
    """One period's measurement: measured, held against retraining, then recorded with the grade that it has earned."""

    def __init__(self, record: Record, atelier: Atelier, period: str, currency: str) -> None:
        """Gather what was sold. Raises MissingAssumptionError, TrainingError."""
        sold = period_of(record.state, period, currency)
        if not sold.sales:
            thing = f"period {period}"
            raise MissingAssumptionError(thing, f"has no sales in {currency}", "record them: gongfen record sale …")
        others = [output for output in sold.outputs if model_of(record, output) != atelier.model]
        if others:
            reason = f"was sold in {period}, but not made with {atelier.model}"
            raise TrainingError(others[0], reason, "settle the models of a period by themselves")
        self.record, self.atelier = record, atelier
        prices = dict.fromkeys(sold.outputs, 0)
        for sale in sold.sales:
            prices[sale.output] += sale.price_micro
        self.passages = [passage_of(record, atelier, output) for output in sold.outputs]
        self.prices = list(prices.values())
        self.problem = atelier.workshop.problem(atelier.texts, self.passages, self.prices)
        self.target = period_target(period, currency)
        self.name = f"settlement:{period}:{currency}:{measured_before(record, self.target)}"
        self.found: Metagradient | None = None
        self.tested: LeaveOut | None = None
        self.others: list[Tensor] = []
        self.interval = ONE_RUN
        self.unit = "maker"
        """What is left out of each retraining."""

    def measure(self, progress: Progress = silent) -> None:
        """Differentiate the recorded training run for the period's income.

        Raises TrainingError when the run does not replay to the recorded hash, or is too rough to settle on.
        """
        self.found = metagradient(self.problem, self.atelier.run, progress=progress)
        refuse_rough(f"run {self.atelier.model}", self.found.growth)

    def vary(self, seeds: int, cache: Path, progress: Progress = silent) -> None:
        """Train with other seeds, too, so many in all, and differentiate each run: how much of it is luck.

        When one of them is too rough, that stays unknown.
        """
        for number in range(1, seeds):
            other = with_seed(self.atelier, number, cache)
            problem = other.workshop.problem(other.texts, self.passages, self.prices)
            found = metagradient(problem, other.run)
            if found.growth > MOST_GROWTH:
                self.others, self.interval = [], rough_seed(other, found.growth)
                return
            self.others.append(found.effects)
            progress(number, seeds - 1)

    def validate(self, retrainings: int = FEWEST, progress: Progress = silent) -> None:
        """Retrain without some makers, evenly ranked by prediction; where they are fewer, without some works."""
        assert self.found is not None, "measure comes first"
        groups: dict[str, list[int]] = {}
        for number, work in enumerate(self.atelier.works):
            for maker in makers_of(self.record, work):
                groups.setdefault(maker, []).append(number)
        if len(groups) < min(retrainings, FEWEST):
            self.unit, groups = "work", {work: [number] for number, work in enumerate(self.atelier.works)}
        effects = self.found.effects
        left = evenly_ranked(groups, effects, min(retrainings, len(groups)))
        self.tested = leave_out(self.problem, self.atelier.run, effects, groups, left, progress=progress)

    def keep(self) -> TracedPeriod:
        """Record the measurement and its test, with the grade that it has earned."""
        found, tested = self.found, self.tested
        assert found is not None, "measure comes first"
        reasons = refusals(tested)
        each = torch.stack([found.effects, *self.others])
        ends = [end.tolist() for end in over_seeds(each) or ()]
        (told,) = tells(each[:, None])
        now, before = (
            round(utility(self.problem, at) * NANO) for at in (self.atelier.run.theta, self.atelier.run.theta0)
        )
        growth = round(found.growth * PPM)
        body = k.Influence(
            influence=self.name,
            target=self.target,
            model=self.atelier.model,
            grade="display" if reasons else "settlement",
            method=method_of(found),
            utility=UTILITY,
            seed=self.atelier.setup.recipe.seed,
            effects=effects_of(self.atelier.works, found.effects.tolist(), list(zip(*ends, strict=True)) or None),
            notes=(
                k.Note(name=ADJOINT_GROWTH, value=str(growth)),
                k.Note(name=REPLAYED, value=found.adapter_sha256),
                k.Note(name="reading", value="it ranks; it does not price"),
                k.Note(name=ABOVE_RANDOM, value=TELLS[told]),
                k.Note(name=TOLD_BY, value=SEEDS_AGREE),
                k.Note(name=INTERVAL, value=OVER_SEEDS.format(len(each)) if ends else self.interval),
                *(k.Note(name=NOT_SETTLEMENT, value=reason.said % reason.values) for reason in reasons),
            ),
            utility_nnat=now,
            untuned_nnat=before,
        )
        facts = [self.record.new(body, fact_id=f"influence:{self.name}")]
        held = self._held(tested) if tested else None
        if held is not None:
            facts.append(self.record.new(held, fact_id=f"evaluation:{self.name}:{len(held.points)}"))
        seq, *_ = self.record.record(facts)
        slope, intercept = tested.line if tested and tested.line else (None, None)
        return TracedPeriod(
            influence=self.name,
            grade=body.grade,
            reasons=reasons,
            growth_ppm=growth,
            retrainings=len(held.points) if held else 0,
            spearman_ppm=held.value_ppm if held else None,
            spearman_between_ppm=rank_interval_ppm(held.value_ppm, len(held.points)) if held else None,
            slope_ppm=None if slope is None else round(slope * PPM),
            intercept_nnat=None if intercept is None else round(intercept * NANO),
            utility_nnat=now,
            residual_nnat=residual(body),
            told=told,
            seq=seq,
        )

    def _held(self, tested: LeaveOut) -> k.Evaluation:
        """How prediction and reality agree, as a fact."""
        points = tuple(
            k.Point(
                label=row.maker,
                predicted_nnat=round(row.predicted * NANO),
                measured_nnat=round(row.measured * NANO),
            )
            for row in tested.rows
        )
        return k.Evaluation(
            subject=self.name,
            method=f"leave one {self.unit} out and retrain, {self.unit}s at even ranks of the predicted change",
            metric="Spearman",
            value_ppm=None if tested.spearman is None else round(tested.spearman * PPM),
            points=points,
            seed=self.atelier.setup.recipe.seed,
            notes=_line(tested),
        )


def refusals(tested: LeaveOut | None) -> tuple[Reason, ...]:
    """Why a measurement is not settlement grade; nothing, when its test stands.

    Under chance, Spearman's correlation of n pairs has variance 1/(n − 1) (Kendall and Gibbons 1990, section 4.2):
    it must be CHANCE standard deviations above 0, and the line of measured on predicted must rise.
    """
    if tested is None:
        return (Reason(said=N_("it was not held against retraining")),)
    count = len(tested.rows)
    many = {"n": str(count), "least": str(FEWEST)}
    if count < FEWEST:
        return (Reason(said=N_("it was held against %(n)s retrainings, of %(least)s at least"), values=many),)
    if tested.spearman is None or tested.line is None:
        return (Reason(said=N_("its predictions, or what was measured, do not differ from one another")),)
    least, slope = CHANCE / sqrt(count - 1), tested.line[0]
    if tested.spearman < least:
        said = N_("its rank correlation with %(n)s retrainings is %(rank)s; chance alone reaches %(least)s")
        rank = {"n": str(count), "rank": f"{tested.spearman:.2f}", "least": f"{least:.2f}"}
        return (Reason(said=said, values=rank),)
    if slope <= 0:
        said = N_("what was measured falls where it is predicted to rise (slope %(slope)s)")
        return (Reason(said=said, values={"slope": f"{slope:.2f}"}),)
    return ()


def _line(tested: LeaveOut) -> tuple[k.Note, ...]:
    """The straight line of measured on predicted changes, and the slope of the one through nothing."""
    through = "unknown" if tested.slope is None else str(round(tested.slope * PPM))
    notes = [k.Note(name="slope ppm", value=through)]
    if tested.line is not None:
        slope, intercept = tested.line
        notes.append(k.Note(name="line slope ppm", value=str(round(slope * PPM))))
        notes.append(k.Note(name="line intercept nnat", value=str(round(intercept * NANO))))
    return tuple(notes)

"""The ways of tracing that are held against retraining: ours, plain likeness of the texts, and chance."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from gongfen.book.how_tested import GROWTH
from gongfen.book.making import Atelier
from gongfen.book.recording.record import Record
from gongfen.book.tracing.gradients import by_gradients
from gongfen.book.tracing.indexing import asked_index
from gongfen.book.tracing.metagradient import metagradients, method_of
from gongfen.errors import TrainingError
from gongfen.reports.replies import Reason
from gongfen.reports.words import N_
from gongfen.trace.copies.tokens import words
from gongfen.trace.evaluation.embeddings import mean_states
from gongfen.trace.evaluation.scores import Floats
from gongfen.trace.problem import Passage
from gongfen.trace.similarity import at_random, bm25, cosines, four_grams
from gongfen.trace.spans import Span

METAGRADIENT_COSTS = 2
"""Training runs that one output's metagradient takes, at most: the run itself is there (measured: 1.1)."""
CHANCE = N_("random")


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores [N, M] of one method, what exactly it is, and what it cost."""

    name: str
    method: str
    scores: Floats
    likeness: bool
    cpu_us: int


@dataclass(frozen=True, eq=False)
class Asked:
    """A model opened, and the outputs that are to be traced: tokens, of which those from ``scored_from`` on count."""

    record: Record
    atelier: Atelier
    outputs: tuple[Passage, ...]

    @cached_property
    def works(self) -> tuple[Passage, ...]:
        """The works as they were trained on: cut to the setup's length."""
        return tuple(self.atelier.workshop.passage(text) for text in self.atelier.texts)

    @cached_property
    def texts(self) -> tuple[list[str], list[str]]:
        """What was read of each work, and what was written in each output."""
        decode = self.atelier.workshop.tokenizer.decode
        written = [decode(one.tokens[one.scored_from :]) for one in self.outputs]
        return [decode(one.tokens) for one in self.works], written


Found = tuple[Floats, str]
"""Scores [N, M], and what exactly the method is."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way of tracing: its name in the table, and how it scores."""

    name: str
    score: Callable[[Asked], Found]
    likeness: bool = False


def _index(asked: Asked) -> Found:
    spans = [Span(number) for number in range(len(asked.outputs))]
    found = asked_index(asked.record, asked.atelier, asked.outputs, spans)
    return _scores(found.effects), found.method


def _gradients(asked: Asked) -> Found:
    found = by_gradients(asked.atelier, asked.outputs, tell=False)
    return _scores(found.effects), found.method


def _metagradient(asked: Asked) -> Found:
    found = metagradients(asked.atelier, asked.outputs)
    growth = max(one.growth for one in found)
    said = f"{method_of(found[0])}{GROWTH}{growth:.2f}"
    return _scores(torch.stack([one.effects for one in found])), said


def _bm25(asked: Asked, terms: Callable[[str], list[str]], of: str) -> Found:
    works, written = ([terms(text) for text in part] for part in asked.texts)
    return bm25(works, written), f"Okapi BM25 of {of}, k1 1.2, b 0.75; what was written, against what was trained on"


def _embeddings(asked: Asked) -> Found:
    atelier = asked.atelier
    module = atelier.workshop.problem(atelier.texts).place(atelier.run.theta)
    states = mean_states(module, asked.works), mean_states(module, asked.outputs)
    return cosines(*states), "cosine of the model's own mean last hidden states, about the works' mean"


def _random(asked: Asked) -> Found:
    return at_random(len(asked.works), len(asked.outputs)), "drawn from a normal distribution"


METHODS = (
    Method(N_("index"), _index),
    Method(N_("whole gradients"), _gradients),
    Method(N_("metagradient"), _metagradient),
    Method(N_("BM25 of words"), partial(_bm25, terms=words, of="words and Han characters"), likeness=True),
    Method(N_("BM25 of 4 letters"), partial(_bm25, terms=four_grams, of="runs of four characters"), likeness=True),
    Method(N_("embeddings"), _embeddings, likeness=True),
    Method(CHANCE, _random),
)
TOO_DEAR = N_(
    "metagradient: left out, for %(outputs)s outputs cost more than these retrainings; "
    "name fewer outputs, or ask for more subsets"
)
FAILED = N_("%(method)s: left out, it cannot trace this model: %(why)s")


def affordable(outputs: int, halves: int) -> tuple[tuple[Method, ...], tuple[Reason, ...]]:
    """The methods that cost no more than the retrainings that they are held against, and why another is left out."""
    if METAGRADIENT_COSTS * outputs <= halves:
        return METHODS, ()
    others = tuple(method for method in METHODS if method.score is not _metagradient)
    return others, (Reason(said=TOO_DEAR, values={"outputs": str(outputs)}),)


def scored(method: Method, asked: Asked) -> Scored:
    """Run it, and measure what it costs; raises TrainingError when it cannot trace this model."""
    start = time.process_time_ns()
    scores, said = method.score(asked)
    if not np.isfinite(scores).all():
        raise TrainingError(method.name, "gives scores that are no finite numbers", "train at a lower rate")
    return Scored(method.name, said, scores, method.likeness, (time.process_time_ns() - start) // 1_000)


def reason(method: Method, error: TrainingError) -> Reason:
    """Why a method is not in the table."""
    return Reason(said=FAILED, values={"method": method.name, "why": f"{error.thing} {error.reason}"})


def _scores(effects: Tensor) -> Floats:
    """Effects [M, N] as scores [N, M]."""
    found: Floats = effects.double().numpy().T.copy()
    return found

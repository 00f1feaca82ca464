"""A model trained again on some of its works: same plan, same base, same order; what was left out weighs nothing."""

import numpy as np
import torch
from torch import Tensor

from gongfen.errors import TrainingError
from gongfen.progress import Progress, silent
from gongfen.trace.adamw import Recipe
from gongfen.trace.evaluation.scores import Bools, Floats
from gongfen.trace.problem import OUTPUTS_AT_ONCE, Problem
from gongfen.trace.tuning import Run, batches_of, retune

REMEDY = "train the model with a lower --rate and a longer --warmup, and evaluate that one"


def unrecorded(problem: Problem, recipe: Recipe, threads: int) -> Run:
    """A run that nothing is known of but where it starts and its order: with any weights it is trained from θ₀ on."""
    start = problem.theta0
    unknown = torch.full(
        (problem.examples,), torch.nan, dtype=start.dtype
    )  # equal to no weight, so nothing is replayed
    batches = batches_of(recipe, problem.examples)
    return Run(recipe, threads, start.clone(), start.clone(), unknown, batches, torch.empty(0), None)


def retrained(problem: Problem, run: Run, kept: Bools, name: str, progress: Progress = silent) -> Tensor:
    """The parameters [P] after ``run`` on the works ``kept`` [N] only; raises TrainingError, naming it, if it diverges.

    The first steps are replayed from the tape, where there is one and nothing in them was left out.
    """
    try:
        theta = retune(problem, run, torch.as_tensor(kept.astype(float), dtype=run.theta0.dtype), progress)
    except TrainingError as error:
        raise TrainingError(f"retraining {name}", f"diverged: {error.thing} {error.reason}", REMEDY) from None
    if not bool(theta.isfinite().all()):
        raise TrainingError(f"retraining {name}", "diverged: it ends at what is no number", REMEDY)
    return theta


def log_likelihoods(problem: Problem, theta: Tensor, name: str) -> Floats:
    """Log-likelihood [M] of each output at ``theta``, in nats; raises TrainingError for what is no finite number."""
    with torch.no_grad():
        parts = [
            problem.log_likelihoods(theta, index)
            for index in torch.split(torch.arange(len(problem.prices)), OUTPUTS_AT_ONCE)
        ]
    found: Floats = torch.cat(parts).double().numpy()
    if not np.isfinite(found).all():
        raise TrainingError(f"retraining {name}", "diverged: an output's log-likelihood is no finite number", REMEDY)
    return found

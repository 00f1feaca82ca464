"""Run by itself, by tests/test_memory.py: traces a small model of a large vocabulary while memory really is short."""

import json
import resource
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from gongfen.errors import TrainingError
from gongfen.trace.adamw import Recipe
from gongfen.trace.covariance import factors_of
from gongfen.trace.ekfac import eigenbases_of, exact_influence, output_gradients, preconditioned
from gongfen.trace.gradients import display_influence
from gongfen.trace.index.build import BATCH, build_index, plan_of
from gongfen.trace.index.manifest import Item, Method, Moment
from gongfen.trace.index.query import Index
from gongfen.trace.layers import linear_layers
from gongfen.trace.metagradient import metagradient
from gongfen.trace.problem import LanguageProblem, Passage
from gongfen.trace.spans import Span
from gongfen.trace.task import LanguageTask
from gongfen.trace.tuning import tune

VOCABULARY, WORKS, TOKENS = 20_000, 16, 64
SOME, LITTLE = 80, 4
"""MiB beyond what is held: 80 hold a few works at a time (5 for the logits of one alone), 4 hold none."""


@contextmanager
def only(mib: int):
    """Within, the process may have so many MiB more than it has now."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + mib * 2**20, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def effects(name: str, batch_size: int) -> torch.Tensor:
    """By the index, and again by whole gradients, read so many works at a time."""
    folder = Path(tempfile.mkdtemp(dir=sys.argv[1]))
    plan = plan_of(
        lambda _: task,
        name,
        [Moment(step=0, parameters_sha256="")],
        [Item(work=f"work-{n}", sha256="") for n in range(WORKS)],
        Method(rank=4),
    )
    build_index(folder, lambda _: task, plan, batch_size=batch_size)
    rough = Index(folder).ask(lambda _: task, [Span(0)]).effects
    numbers = list(range(WORKS))
    factors = factors_of(task, layers, numbers, 0, batch_size)
    bases = eigenbases_of(task, layers, factors, numbers, 0, batch_size)
    directions = preconditioned(bases, output_gradients(task, layers, [Span(0)]), 0.01)
    return torch.cat([rough, -exact_influence(task, layers, numbers, directions, batch_size)])


def said(trace) -> str:
    """The error that tracing ends in when there is next to no memory."""
    try:
        with only(LITTLE):
            trace()
    except TrainingError as error:
        return f"{error.thing} {error.reason}; {error.remedy}"
    return "nothing"


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = GPT2LMHeadModel(
        GPT2Config(
            n_embd=8, n_layer=1, n_head=2, n_positions=TOKENS, vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=0
        )
    )
    works = [Passage(tuple(torch.randint(VOCABULARY, (TOKENS,)).tolist())) for _ in range(WORKS)]
    output = Passage(works[3].tokens, TOKENS // 2)
    task = LanguageTask(model, works, [output])
    layers, _ = linear_layers(model)
    problem = LanguageProblem(model, works, [output], [1])
    run = tune(
        problem, Recipe(seed=0, epochs=1, batch_size=8, learning_rate_nano=1_000_000, warmup_steps=1, eps_nano=100_000)
    )
    rich = effects("rich", 1)
    with only(SOME):
        poor = effects("poor", BATCH)
    apart = ((poor - rich).abs().amax(1) / rich.abs().amax(1)).tolist()
    found = {
        "apart": apart,
        "index": said(lambda: effects("none", BATCH)),
        "whole gradients": said(lambda: display_influence(problem, run.theta)),
        "metagradient": said(lambda: metagradient(problem, run)),
    }
    sys.stdout.write(json.dumps(found))

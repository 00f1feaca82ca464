"""What measurements record of themselves is said in Chinese, too: every form that the book writes."""

import re

import pytest

from gongfen.book.tracing.measured import ONE_CHECKPOINT
from gongfen.book.tracing.metagradient import ONE_RUN
from gongfen.book.tracing.period import ONE_RUN as ONE_RUN_OF_A_PERIOD
from gongfen.reports.recorded import recorded
from gongfen.reports.words import Words
from gongfen.trace.interval import OVER_CHECKPOINTS, OVER_SEEDS

KNOWN = [
    ONE_CHECKPOINT,
    ONE_RUN,
    ONE_RUN_OF_A_PERIOD,
    OVER_CHECKPOINTS.format(4),
    OVER_SEEDS.format(2),
    "unknown: the run with seed 8 is not smooth (its adjoint grows 4.39 times)",
    "exact, from 6 words or 12 characters on",
    "129 of 129, to their first 48 tokens",
    "whole gradients at 4 checkpoints, empirical-fisher, damping 1",
    "whole gradients at 1 checkpoints, plain, damping 1",
    "metagradient, one-sided difference of gradients, relative step 0.001",
    "metagradient, one-sided difference of gradients, relative step 1e-05",
    "index of 4 checkpoints, 3840 numbers a work, rank 16, whitening 1, damping 1",
    "index of 1 checkpoints, 8 numbers a work, rank 2, whitening 0.1, damping 10; 8 strongest by exact EK-FAC, damping 1",
    "the estimate would rest on too few models: 1, where 4 coefficients need 7",
    "the estimate, gpu_hours is the same for all models",
    "the estimate cannot tell gpu_hours, data_hours apart: they follow from each other in the models given",
    "leave one maker out and retrain, makers at even ranks of the predicted change",
    "leave one work out and retrain, works at even ranks of the predicted change",
]
NAMES = ("EK-FAC", "--seeds", "t 分布", "1e-05", "gpu_hours", "data_hours")
"""What stays as it is in every language."""


@pytest.mark.parametrize("text", KNOWN)
def test_every_part_is_said_in_the_readers_language(text):
    assert recorded(Words("en"), text) == text
    said = recorded(Words("zh-Hans"), text)
    assert all(number in said for number in re.findall(r"\d+", text))
    for name in NAMES:
        said = said.replace(name, "")
    assert not any(letter.isascii() and letter.isalpha() for letter in said), said


@pytest.mark.parametrize("text", ["another program's way", "index of", "100 %s", "%(x)s", ""])
def test_what_another_program_wrote_stays_as_it_is(text):
    assert recorded(Words("zh-Hans"), text) == recorded(Words("en"), text) == text

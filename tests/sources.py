"""A small classifier at several checkpoints, as an index is given it: it can be sent to another process, which loads torch alone."""

import os
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import relu

from gongfen.trace.task import LossTask, class_loss, draw_class

WORKS, OUTPUTS = 24, 3


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 5), nn.Linear(5, 4, bias=False)

    def forward(self, x):
        return self.second(relu(self.first(x)))


@dataclass(frozen=True)
class Digits:
    """A classifier at three checkpoints; it can be sent to another process."""

    spoiled: int = -1

    def __call__(self, moment: int) -> LossTask:
        source = torch.Generator().manual_seed(7)
        x = torch.randn(WORKS + OUTPUTS, 6, generator=source)
        y = torch.randint(4, (WORKS + OUTPUTS,), generator=source)
        if self.spoiled >= 0:
            x[self.spoiled] = torch.nan
        with torch.random.fork_rng():
            torch.manual_seed(moment)
            net = Net()
        return LossTask(net, (x[:WORKS], y[:WORKS]), (x[WORKS:], y[WORKS:]), class_loss, draw_class)


@dataclass(frozen=True)
class SpoiledElsewhere:
    """A source with one work whose loss is no number, except in the process that prepares the index."""

    work: int
    prepared_by: int

    def __call__(self, moment: int) -> LossTask:
        task = Digits()(moment)
        if os.getpid() == self.prepared_by:
            return task
        sound = task.losses

        def losses(numbers):
            factors = torch.tensor([torch.inf if number == self.work else 1.0 for number in numbers])
            return sound(numbers) * factors

        task.losses = losses
        return task


@dataclass(frozen=True)
class Deadly:
    """A source that kills whoever opens it, except the process that prepares the index."""

    prepared_by: int

    def __call__(self, moment: int) -> LossTask:
        if os.getpid() != self.prepared_by:
            os.kill(os.getpid(), 9)
        return Digits()(moment)

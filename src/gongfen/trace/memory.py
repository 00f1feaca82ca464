"""When memory is short: half as much at a time, then an error that names what was done."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from gongfen.errors import TrainingError

T = TypeVar("T")
SIGNS = ("allocate memory", "out of memory", "bad_alloc", "create a memory object")
"""What torch and the libraries beneath it say of memory."""
CLOSE = "close other programs, or train with fewer tokens a work"


def is_short(error: BaseException) -> bool:
    """Whether memory was the reason."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in str(error) for sign in SIGNS)


def halved(error: Exception, size: int, thing: str) -> int:
    """Half the batch, if memory was the reason; raises TrainingError when even one work is too much."""
    if not is_short(error):
        raise error
    if size == 1:
        raise TrainingError(thing, "does not fit in memory, even by itself", CLOSE) from error
    return size // 2


def in_batches(work: Callable[[int], T], size: int, doing: str) -> T:
    """``work(size)``, and again from the beginning with half as many works at a time while memory is short.

    Raises TrainingError, naming what is being done, when not even one at a time goes.
    """
    while True:
        try:
            return work(size)
        except (RuntimeError, MemoryError) as error:
            size = halved(error, size, f"{doing}: one work")
        gc.collect()  # what the failed try still holds


@contextmanager
def enough(doing: str, remedy: str) -> Iterator[None]:
    """Within, memory that is short is said with what is being done. Raises TrainingError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_short(error):
            raise
        raise TrainingError(doing, "asks for more memory than there is", remedy) from error

"""How far a long work has come: what every room that takes its time tells whoever waits, and what hears nothing."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""``progress(done, total)``, called after each unit of work; a total of 0 is not known beforehand."""


def silent(_done: int, _total: int) -> None:
    """Nobody waits."""

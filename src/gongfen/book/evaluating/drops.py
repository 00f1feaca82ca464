"""The drop test: trained again without the works that a method holds strongest, and without as many at random."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from gongfen.book.evaluating.methods import CHANCE, Scored
from gongfen.book.evaluating.retrainings import Retrainings, Unit
from gongfen.book.tracing.outputs import NANO
from gongfen.reports.evaluation import Lost
from gongfen.trace.evaluation.scores import Bools, Floats, drop_test, strongest

RANDOM_REMOVALS = 5
"""Sets of works that are left out at random, for each size."""
REMOVALS_SEED = 2


def most_removals(sizes: int, tracers: int, outputs: int, seeds: int) -> int:
    """Retrainings of the drop test before the methods have said anything: at most so many."""
    return (sizes * (RANDOM_REMOVALS + tracers * outputs)) * seeds + (seeds - 1 if sizes else 0)


@dataclass(frozen=True, eq=False)
class Drop:
    """Log-likelihoods [M]: with all works, without ``works`` at random, without the strongest by each method."""

    works: int
    whole: Floats
    at_random: Floats
    by: dict[str, Floats]

    def lost(self, method: str) -> Lost:
        """What is lost more than at random; for chance itself, more than with all works."""
        if method == CHANCE:
            found = drop_test(self.whole, self.at_random)
        else:
            found = drop_test(self.at_random, self.by[method])
        value, low, high = (round(one * NANO) for one in (found.value, found.low, found.high))
        return Lost(works=self.works, value_nnat=value, low_nnat=low, high_nnat=high)


class Removals:
    """Which works are left out, for each size, by each method and output. Those who name the same works share one."""

    def __init__(self, works: int, sizes: Sequence[int], seeds: int, found: Sequence[Scored]) -> None:
        """Choose them, by scores [N, M]."""
        self._works, self._seeds = works, range(seeds)
        self._kept: dict[str, Bools] = {}
        chance = np.random.RandomState(REMOVALS_SEED)
        self._random = {
            size: [self._named(chance.permutation(works)[:size]) for _ in range(RANDOM_REMOVALS)] for size in sizes
        }
        self._strongest = {
            (size, one.name): [
                self._named(strongest(one.scores, output, size / works)) for output in range(one.scores.shape[1])
            ]
            for size in sizes
            for one in found
            if one.name != CHANCE
        }

    def _named(self, works: NDArray[np.intp]) -> str:
        kept = np.ones(self._works, dtype=bool)
        kept[works] = False
        name = f"without-{sha256(np.flatnonzero(~kept).astype('<i8').tobytes()).hexdigest()[:16]}"
        self._kept[name] = kept
        return name

    @property
    def units(self) -> dict[str, Unit]:
        """The retrainings; with several seeds, those on all works, too."""
        found = {f"{name}-seed-{seed}": Unit(kept, seed) for name, kept in self._kept.items() for seed in self._seeds}
        if found:
            found |= {f"whole-seed-{s}": Unit(np.ones(self._works, dtype=bool), s) for s in self._seeds if s}
        return found

    def measured(self, kept: Retrainings) -> Iterator[Drop]:
        """What became of the outputs, size by size, mean over seeds."""

        def after(name: str) -> Floats:
            mean: Floats = np.array([kept.utilities(f"{name}-seed-{seed}", seed) for seed in self._seeds]).mean(0)
            return mean

        for size, names in self._random.items():
            seeds = [kept.utilities(f"whole-seed-{seed}", seed) if seed else kept.whole() for seed in self._seeds]
            by = {
                method: np.array([after(name)[output] for output, name in enumerate(sets)])
                for (of, method), sets in self._strongest.items()
                if of == size
            }
            yield Drop(size, np.array(seeds).mean(0), np.array([after(name) for name in names]).mean(0), by)

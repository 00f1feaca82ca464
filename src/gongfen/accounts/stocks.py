"""Stocks of objectified labour: who it came from, how it passes on use by use, down to the last unit.

A stock is non-rival: its labour is *allocated* over the uses that were planned for it (N̂). Of a base ``B`` the k-th of
``N`` uses carries ``⌊B·k/N⌋ − ⌊B·(k−1)/N⌋``, which telescopes to exactly ``B`` (``economics.md``, section 1; invariant
I5). Each transfer is split over the sources by largest remainder, so conservation holds for every maker (I4). What is
added or re-planned later changes the uses still to come, never those that were (I7). Past the plan a use is free.
"""

from typing import Self

import msgspec

from gongfen.accounts.chart import StockKind
from gongfen.facts.amounts import apportion


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """The labour at rest in one work. All amounts in micro-SLH."""

    kind: StockKind
    sources: dict[str, int]
    """What remains, by source: :class:`gongfen.accounts.chart.Living` or ``External`` as text."""
    base: int = 0
    """What remained when the plan last began to count."""
    planned: int | None = None
    """Uses planned from then on; ``None``: no plan yet."""
    used: int = 0
    """Uses since then."""
    produced: dict[str, int] = {}
    """For an output: all that ever went into it, by source. Its worth does not shrink when it is reused."""
    unmeasured: bool = False
    """Some labour behind it was never measured: the true amount is at least this."""
    fed: bool = False
    """Something has been booked on it. A work on which nothing was booked is unmeasured, not free of labour."""

    @property
    def remaining(self) -> int:
        """What is still in it."""
        return sum(self.sources.values())

    @property
    def content(self) -> dict[str, int]:
        """The labour in it, by source: of an output all that it was made with, of any other stock what remains."""
        return self.produced if self.kind == "output" else self.sources

    @property
    def is_lower_bound(self) -> bool:
        """Whether labour is missing that nobody measured."""
        return self.unmeasured or not self.fed

    def receive(self, vector: dict[str, int], *, unmeasured: bool = False) -> Self:
        """The stock with ``vector`` added; the uses still planned share it."""
        sources = _added(self.sources, vector)
        produced = _added(self.produced, vector) if self.kind == "output" else self.produced
        return self._rebased(
            sources, self._left(), produced=produced, fed=True, unmeasured=self.unmeasured or unmeasured
        )

    def plan(self, uses: int) -> Self:
        """The stock planned for ``uses`` uses from now on."""
        return self._rebased(self.sources, uses, produced=self.produced, fed=self.fed, unmeasured=self.unmeasured)

    def use(self, uses: int) -> tuple[Self, dict[str, int]]:
        """The stock after ``uses`` uses, and the labour that they carry away, by source."""
        assert self.planned is not None, "a stock is planned before it is used"
        after = self.used + uses
        carried = self._carried(after) - self._carried(self.used)
        vector = apportion(carried, self.sources)
        sources = {source: amount - vector[source] for source, amount in self.sources.items()}
        left = msgspec.structs.replace(
            self,
            sources={source: amount for source, amount in sources.items() if amount},
            used=after,
        )
        return left, {source: amount for source, amount in vector.items() if amount}

    def _carried(self, uses: int) -> int:
        assert self.planned is not None
        return self.base * uses // self.planned if uses < self.planned else self.base

    def _left(self) -> int | None:
        return None if self.planned is None else max(self.planned - self.used, 0)

    def _rebased(
        self, sources: dict[str, int], uses: int | None, *, produced: dict[str, int], fed: bool, unmeasured: bool
    ) -> Self:
        return type(self)(
            kind=self.kind,
            sources=sources,
            base=sum(sources.values()),
            planned=uses,
            produced=produced,
            unmeasured=unmeasured,
            fed=fed,
        )


def _added(held: dict[str, int], vector: dict[str, int]) -> dict[str, int]:
    """Both together; a source that gave nothing has no line."""
    sums = held.copy()
    for source, amount in vector.items():
        if amount:
            sums[source] = sums.get(source, 0) + amount
    return sums

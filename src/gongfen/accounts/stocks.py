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
from gongfen.facts.kinds import UseUnit

_LIVED: tuple[StockKind, ...] = ("prompt", "deployment", "output")
"""Stocks that living labour enters as such; in any other it is past by the time that anything is made of them."""


class Batch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one making gave to outputs that share it equally."""

    sources: dict[str, int]
    """By source, micro-SLH."""
    outputs: int
    """How many share it. Of what cannot be divided, those that sort first get a micro-SLH more."""
    made_of: dict[str, dict[str, int]] | None = None
    """The outputs that it was made of, as in a stock, for all that share it."""


class Stock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The labour at rest in one work. All amounts in micro-SLH."""

    kind: StockKind
    sources: dict[str, int]
    """What remains, by source: :class:`gongfen.accounts.chart.Living` or ``External`` as text.

    Where there is a ``batch``, without what came from it: :func:`gongfen.accounts.batches.opened` adds that."""
    batch: tuple[int, int] | None = None
    """The making whose batch it shares (the number of its fact), and its place among the outputs, from 0."""
    base: int = 0
    """What remained when the plan last began to count."""
    planned: int | None = None
    """Uses planned from then on; ``None``: no plan yet."""
    used: int = 0
    """Uses since then."""
    unit: UseUnit | None = None
    """What uses are counted in; ``None``: each is one, whatever its size."""
    produced: dict[str, int] | None = None
    """All that ever went into an output, by source, once some of it has left: its worth does not shrink by reuse."""
    unmeasured: bool = False
    """Some labour behind it was never measured: the true amount is at least this."""
    untimed: bool = False
    """Some of that is living labour, which nobody timed: L of what it goes into is at least what is counted."""
    fed: bool = False
    """Something has been booked on it. A work on which nothing was booked is unmeasured, not free of labour."""
    lived: int = 0
    """How many living things went into it when it was made or run, measured or not: prompts, reviews, the service.

    Facts of living labour on it that stand, and works that brought such labour along; 0: nobody lent it life."""
    begun: bool = False
    """It has been used: whoever makes it now would make it out of itself."""
    recycled: int = 0
    """Of an output: copies that became data again."""
    made_of: dict[str, dict[str, int]] | None = None
    """Of an output: the outputs that it was made of, and what each gave it, by source as it was there."""

    @property
    def remaining(self) -> int:
        """What is still in it."""
        # Nothing has left a stock that still shares a batch, and its base counts all that came.
        return sum(self.sources.values()) if self.batch is None else self.base

    @property
    def content(self) -> dict[str, int]:
        """The labour in it, by source: of an output all that it was made with, of any other stock what remains."""
        assert self.batch is None, "its batch was opened"
        return self.sources if self.produced is None else self.produced

    @property
    def may_share(self) -> bool:
        """Whether it can share a batch: an output, of which nothing has left, and that shares none yet."""
        return self.kind == "output" and self.batch is None and self.produced is None and not self.begun

    def shares(self, batch: tuple[int, int], amount: int, *, unmeasured: bool, untimed: bool, lived: int) -> Self:
        """The stock with its part of a batch added, ``amount`` in all."""
        assert self.may_share, "it holds no other batch"
        return msgspec.structs.replace(
            self,
            batch=batch,
            base=self.base + amount,
            unmeasured=self.unmeasured or unmeasured,
            untimed=self.untimed or untimed,
            fed=True,
            lived=self.lived + lived,
        )

    @property
    def is_lower_bound(self) -> bool:
        """Whether labour is missing that nobody measured."""
        return self.unmeasured or not self.fed

    @property
    def lacks_living(self) -> bool:
        """Whether living labour is missing that nobody measured; where nothing was booked, it may be."""
        return self.untimed or (not self.fed and self.kind in _LIVED)

    def receive(
        self, vector: dict[str, int], *, unmeasured: bool = False, untimed: bool = False, lived: int = 0
    ) -> Self:
        """The stock with ``vector`` added; the uses still planned share it."""
        nothing = self.kind == "output"  # who gave an output nothing that could be counted is named all the same
        sources = _added(self.sources, vector, nothing=nothing)
        return msgspec.structs.replace(
            self,
            sources=sources,
            base=sum(sources.values()) if self.used else self.base + sum(vector.values()),
            planned=None if self.planned is None else max(self.planned - self.used, 0),
            used=0,
            produced=None if self.produced is None else _added(self.produced, vector, nothing=nothing),
            unmeasured=self.unmeasured or unmeasured,
            untimed=self.untimed or untimed,
            fed=True,
            lived=self.lived + lived,
        )

    def receive_one(self, source: str, amount: int, *, lived: int) -> Self:
        """:meth:`receive` of one source, which is what most facts of labour bring."""
        if self.used or self.produced is not None or not amount:
            return self.receive({source: amount}, lived=lived)
        sources = {**self.sources, source: self.sources.get(source, 0) + amount}
        return msgspec.structs.replace(
            self, sources=sources, base=self.base + amount, fed=True, lived=self.lived + lived
        )

    def made_also_of(self, drafts: dict[str, dict[str, int]]) -> Self:
        """The stock that remembers what other outputs gave it."""
        if not drafts:
            return self
        known = dict(self.made_of or {})
        for draft, vector in drafts.items():
            known[draft] = _added(known.get(draft, {}), vector, nothing=False)
        return msgspec.structs.replace(self, made_of=known)

    def plan(self, uses: int, unit: UseUnit | None = None) -> Self:
        """The stock planned for ``uses`` uses from now on, each of them a ``unit``."""
        return msgspec.structs.replace(self._rebased(self.sources, uses), unit=unit)

    def use(self, uses: int) -> tuple[Self, dict[str, int]]:
        """The stock after ``uses`` uses, and the labour that they carry away, by source."""
        assert self.planned is not None, "a stock is planned before it is used"
        assert self.batch is None, "its batch was opened"
        after = self.used + uses
        vector = apportion(self._carried(after) - self._carried(self.used), self.sources)
        left = msgspec.structs.replace(
            self, sources=_less(self.sources, vector), produced=self._content(), used=after, begun=True
        )
        return left, {source: amount for source, amount in vector.items() if amount}

    def lose(self, amount: int) -> tuple[Self, dict[str, int]]:
        """The stock after ``amount`` left it for nothing, and that by source; the uses still planned share the rest."""
        vector = apportion(amount, self.sources)
        left = self._rebased(_less(self.sources, vector), self._left())
        return msgspec.structs.replace(
            left, produced=None if self.produced is None else _less(self.produced, vector)
        ), vector

    def recycle(self, copies: int, quantity: int) -> tuple[Self, dict[str, int]]:
        """An output after ``copies`` of its ``quantity`` became data again, and their labour, by source."""
        left, vector = self.lose(self.remaining * copies // (quantity - self.recycled))
        return msgspec.structs.replace(left, produced=self.content, recycled=self.recycled + copies, begun=True), vector

    def take_back(self, source: str, amount: int, *, lived: int = 0) -> tuple[Self, int]:
        """The stock after what was given to it by mistake is taken out, as far as it is still there: and how much.

        ``lived``: so many of what was taken back was living labour that had entered it.
        """
        found = min(amount, self.sources.get(source, 0))
        left = self._rebased(_less(self.sources, {source: found}), self._left()).unlived(lived)
        if self.produced is None:
            return msgspec.structs.replace(left, produced=None), found
        gone = min(amount, self.produced.get(source, 0))
        return msgspec.structs.replace(left, produced=_less(self.produced, {source: gone})), found

    def unlived(self, lived: int) -> Self:
        """The stock without so many living things that had entered it: by mistake, as a correction says."""
        assert lived <= self.lived, "what is taken back had entered it"
        return msgspec.structs.replace(self, lived=self.lived - lived) if lived else self

    def _content(self) -> dict[str, int] | None:
        """What is remembered when something leaves: of an output, all that it was made with."""
        return self.content if self.kind == "output" else None

    def _carried(self, uses: int) -> int:
        assert self.planned is not None
        return self.base * uses // self.planned if uses < self.planned else self.base

    def _left(self) -> int | None:
        return None if self.planned is None else max(self.planned - self.used, 0)

    def _rebased(self, sources: dict[str, int], uses: int | None) -> Self:
        assert self.batch is None, "its batch was opened"
        return msgspec.structs.replace(
            self, sources=sources, produced=self._content(), base=sum(sources.values()), planned=uses, used=0
        )


def _added(held: dict[str, int], vector: dict[str, int], *, nothing: bool) -> dict[str, int]:
    """Both together; ``nothing``: whether a source that gave nothing has a line."""
    if not held and (nothing or all(vector.values())):
        return vector
    sums = held.copy()
    for source, amount in vector.items():
        if amount or nothing:
            sums[source] = sums.get(source, 0) + amount
    return sums


def _less(held: dict[str, int], vector: dict[str, int]) -> dict[str, int]:
    """What is left of each source; one of which nothing is left has no line."""
    return {source: left for source, amount in held.items() if (left := amount - vector.get(source, 0))}

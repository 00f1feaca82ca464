"""Many facts booked, one after the other: plain labour in one frame, and its sums written once for many facts.

:func:`gongfen.accounts.booking.book` is the definition, fact by fact; what is rare, or breaks a rule, goes that way.
Most facts are time that was measured, on one day. Those that differ in nothing but the day and the time go down one
*lane*: what the rules ask of maker, work and skill is looked up once for it, and the sum waits in it until a fact
comes that could ask for it. Rows, entries and errors are the same, wherever facts are divided.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from gongfen.accounts.booking import book
from gongfen.accounts.chart import LABOUR_UNIT, SIMPLE, Living, stock_account
from gongfen.accounts.checks import BOOKS
from gongfen.accounts.passing import BUSINESS, reduction_of
from gongfen.accounts.state import State
from gongfen.errors import GongfenError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import MOST, US_PER_DAY, US_PER_HOUR, USLH_PER_HOUR

Bookings = tuple[Any, ...]
"""What a fact booked: entries, or the same as plain tuples (why, postings of (account, amount, unit))."""
SOURCES_REMEMBERED = 100_000
US_PER_USLH = US_PER_HOUR // USLH_PER_HOUR

_alike = attrgetter(
    "maker", "work", "labour_kind", "phase", "standing", "quality", "skill", "days", "task", "discarded"
)
_APART = frozenset((k.Enrol, k.Work, k.Output, k.Model, k.Drop))
"""Kinds that neither ask for what waits in lanes, nor change what was looked up for them: names are given once."""


class _Lane:
    """Labour that waits: of one maker, on one work, of one kind."""

    __slots__ = ("account", "body", "days", "half", "into", "most", "num", "source", "sum", "whole", "why")

    def __init__(self, body: k.Labour, into: str, most: int, reduction: tuple[int, int], days: dict[str, int]) -> None:
        self.body = body
        """The first of it."""
        self.why = f"labour of {body.maker} on {body.work}"
        self.into = into
        """The work's account."""
        self.most = most
        """Microseconds that the maker has in a day."""
        self.source, self.account = _source(
            body.labour_kind, body.phase, body.standing, body.quality, body.maker, body.skill, *reduction
        )
        self.num, den = reduction
        self.whole, self.half = den * US_PER_USLH, den * US_PER_USLH // 2
        """Of ``µs · num``, rounded half up, so many are a micro-SLH."""
        self.days = days
        """What the maker has worked, by day, as far as somebody asked."""
        self.sum: int | None = None
        """Micro-SLH that wait; ``None``: no fact has come yet."""


class _Run:
    """Lanes, and what waits in them to be written to a state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._days: dict[str, dict[str, int]] = {}
        self.lanes: dict[tuple[object, ...], _Lane] = {}

    def lane(self, alike: tuple[object, ...], body: k.Labour) -> _Lane | None:
        """A new lane for labour like this; ``None``: it is rare, or breaks a rule."""
        state, maker = self._state, body.maker
        if body.days != 1 or body.labour_kind == BUSINESS or body.task is not UNSET or body.discarded is not UNSET:
            return None
        known, stock = state.makers.get(maker), state.stocks.get(body.work)
        if known is None or known.form == "machine" or stock is None or state.works.get(body.work) is None:
            return None
        reduction = reduction_of(state.standards.get("*"), body.skill)
        if reduction is None:
            if body.skill != SIMPLE:
                return None
            reduction = 1, 1
        days = self._days.setdefault(maker, {})
        found = _Lane(body, stock_account(stock.kind, body.work), US_PER_DAY * known.people, reduction, days)
        self.lanes[alike] = found
        return found

    def worked(self, maker: str, day: str) -> int | None:
        """Microseconds that a maker has worked on a day; ``None``: the books of that day are closed."""
        state = self._state
        if state.closed.get(BOOKS) is not None and any(state.closed.get(f"{BOOKS}|{day[:n]}") for n in (4, 7, 10)):
            return None
        return state.days.get(f"{maker}|{day}") or 0

    def end(self) -> None:
        """Write what waits."""
        state, given, sums, lived = self._state, dict[str, dict[str, int]](), dict[str, int](), set[str]()
        for lane in self.lanes.values():
            amount, body = lane.sum, lane.body
            if amount is None:
                continue
            vector = given.setdefault(body.work, {})
            vector[lane.source] = vector.get(lane.source, 0) + amount
            if amount and body.phase != "training":
                lived.add(body.work)
            sums[lane.into] = sums.get(lane.into, 0) + amount
            sums[lane.account] = sums.get(lane.account, 0) - amount
        for work, vector in given.items():
            stock = state.stocks.get(work)
            assert stock is not None, "its lane has found it"
            state.stocks.set(work, stock.receive(vector, lived=work in lived))
        for account, amount in sums.items():
            key = f"{account}|{LABOUR_UNIT}"
            state.balances.set(key, (state.balances.get(key) or 0) + amount)
        for maker, days in self._days.items():
            for day, worked in days.items():
                state.days.set(f"{maker}|{day}", worked)
        self.lanes, self._days = {}, {}


def book_all(state: State, facts: Sequence[Fact], first: int) -> list[Bookings]:
    """Check facts, the first of which has the number ``first``, and fold them in; what each of them booked.

    Raises the first broken rule, with ``which`` of the facts it was; those before it are folded in.
    """
    run, booked = _Run(state), list[Bookings]()
    try:
        for fact in facts:
            body = fact.body
            if type(body) is k.Labour and fact.signed is None:
                alike = _alike(body)
                lane = run.lanes.get(alike) or run.lane(alike, body)
                labour_us, day = body.labour_us, body.day
                if lane is not None and labour_us is not None:
                    amount = (labour_us * lane.num + lane.half) // lane.whole
                    before = lane.days.get(day)
                    if before is None:
                        before = run.worked(body.maker, day)
                    if before is not None and before + labour_us <= lane.most and amount <= MOST:
                        lane.days[day] = before + labour_us
                        lane.sum = amount if lane.sum is None else lane.sum + amount
                        postings = (lane.into, amount, LABOUR_UNIT), (lane.account, -amount, LABOUR_UNIT)
                        booked.append(((lane.why, postings),))
                        continue
            if type(body) not in _APART:
                run.end()
            booked.append(tuple(book(state, fact, first + len(booked))))
    except GongfenError as error:
        error.which = len(booked)
        raise
    finally:
        run.end()
    return booked


@lru_cache(SOURCES_REMEMBERED)
def _source(
    labour_kind: int, phase: str, standing: str, quality: str, maker: str, skill: str, num: int, den: int
) -> tuple[str, str]:
    """(key in a lot's vector, account) of living labour."""
    source = Living(labour_kind, phase, standing, quality, maker, skill, num, den)
    return str(source), source.account

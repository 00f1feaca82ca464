"""Many facts booked, one after the other: plain labour and outputs in one frame, and sums written once for many facts.

:func:`gongfen.accounts.booking.book` is the definition, fact by fact; what is rare, or breaks a rule, goes that way.
Most facts are time that was measured, on one day. Those that differ in nothing but the day and the time go down one
*lane*: what the rules ask of maker, work and skill is looked up once for it, and the sum waits in it until a fact
comes that could ask for it. Rows, entries and errors are the same, wherever facts are divided.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import UNSET

from gongfen.accounts.booking import book
from gongfen.accounts.chart import LABOUR_UNIT, SIMPLE, Living, stock_account
from gongfen.accounts.passing import BUSINESS, counted_by, declare
from gongfen.accounts.periods import BOOKS
from gongfen.accounts.state import Known, State
from gongfen.accounts.stocks import Stock
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


class _Kind(NamedTuple):
    """What labour of one maker is counted as, whatever it was done on."""

    source: str
    """Its key in a work's vector."""
    account: str
    balance: str
    """The account's key among the balances."""
    num: int
    whole: int
    half: int
    """Of ``µs · num``, rounded half up, ``whole`` are a micro-SLH."""


_Found = tuple[_Kind, Stock, str, int]
"""What plain labour needs: its kind, the stock and the account of its work, µs that the maker has in a day."""


def _look_up(state: State, body: k.Labour) -> _Found | None:
    """What labour like this needs; ``None``: it is rare, or breaks a rule."""
    if body.days != 1 or body.labour_kind == BUSINESS or body.task is not UNSET or body.discarded is not UNSET:
        return None
    maker, skill = body.maker, body.skill
    known, stock = state.makers.get(maker), state.stocks.get(body.work)
    if known is None or known.form == "machine" or stock is None:
        return None
    reduction = counted_by(state.standards.get("*"), body)
    if reduction is None:
        if skill != SIMPLE:
            return None
        reduction = 1, 1
    kind = _kind_of(body.labour_kind, body.phase, body.standing, body.quality, maker, skill, *reduction)
    return kind, stock, stock_account(stock.kind, body.work), US_PER_DAY * known.people


class _Lane:
    """Labour that waits: of one maker, on one work, of one kind."""

    __slots__ = ("body", "days", "into", "kind", "lived", "most", "sum", "why")

    def __init__(self, body: k.Labour, found: _Found, days: dict[str, int]) -> None:
        self.body = body
        """The first of it."""
        self.why = f"labour of {body.maker} on {body.work}"
        self.kind, _, self.into, self.most = found
        self.days = days
        """What the maker has worked, by day, as far as somebody asked."""
        self.sum: int | None = None
        """Micro-SLH that wait; ``None``: no fact has come yet."""
        self.lived = 0
        """How many of the facts are of labour that enters its work living."""


class _Run:
    """Lanes, and what waits in them to be written to a state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._days: dict[str, dict[str, int]] = {}
        self._met: set[tuple[str, str]] = set()
        self.lanes: dict[tuple[object, ...], _Lane] = {}

    def lane(self, alike: tuple[object, ...], body: k.Labour) -> _Lane | None:
        """A new lane for labour like this; ``None``: it is rare, or breaks a rule."""
        found = _look_up(self._state, body)
        if found is None:
            return None
        lane = self.lanes[alike] = _Lane(body, found, self._days.setdefault(body.maker, {}))
        return lane

    def is_first(self, body: k.Labour) -> bool:
        """Whether nothing of its maker waits, nor came for the same work: there is no lane to go down."""
        if body.maker in self._days or (met := (body.maker, body.work)) in self._met:
            return False
        self._met.add(met)
        return True

    def alone(self, body: k.Labour) -> Bookings | None:
        """Book plain labour at once, with nothing waiting; ``None``: it is rare, or breaks a rule."""
        found, labour_us = _look_up(self._state, body), body.labour_us
        if found is None or labour_us is None:
            return None
        kind, stock, into, most = found
        source, account, balance, num, whole, half = kind
        amount = (labour_us * num + half) // whole
        maker, work, state = body.maker, body.work, self._state
        of_day = f"{maker}|{body.day}"
        worked = self.worked(of_day)
        if worked is None or worked + labour_us > most or amount > MOST:
            return None
        state.days.set(of_day, worked + labour_us)
        lived = 1 if amount and body.phase != "training" else 0
        state.stocks.set(work, stock.receive_one(source, amount, lived=lived))
        balances = state.balances
        key = f"{into}|{LABOUR_UNIT}"
        balances.set(key, (balances.get(key) or 0) + amount)
        balances.set(balance, (balances.get(balance) or 0) - amount)
        return ((f"labour of {maker} on {work}", ((into, amount, LABOUR_UNIT), (account, -amount, LABOUR_UNIT))),)

    def wait(self, lane: _Lane, body: k.Labour) -> Bookings | None:
        """Let labour wait in its lane; ``None``: it was not measured, or breaks a rule."""
        kind, labour_us, day = lane.kind, body.labour_us, body.day
        if labour_us is None:
            return None
        amount = (labour_us * kind.num + kind.half) // kind.whole
        before = lane.days.get(day)
        if before is None:
            before = self.worked(f"{body.maker}|{day}")
        if before is None or before + labour_us > lane.most or amount > MOST:
            return None
        lane.days[day] = before + labour_us
        lane.sum = amount if lane.sum is None else lane.sum + amount
        lane.lived += amount > 0 and body.phase != "training"
        return ((lane.why, ((lane.into, amount, LABOUR_UNIT), (kind.account, -amount, LABOUR_UNIT))),)

    def worked(self, of_day: str) -> int | None:
        """Microseconds that a maker has worked on a day, ``maker|day``; ``None``: the books of that day are closed."""
        state = self._state
        if state.closed.get(BOOKS) is not None:
            day = of_day[-len("YYYY-MM-DD") :]
            if any(state.closed.get(f"{BOOKS}|{day[:length]}") for length in (4, 7, 10)):
                return None
        return state.days.get(of_day) or 0

    def end(self) -> None:
        """Write what waits."""
        if not self.lanes:
            self._days, self._met = {}, set()
            return
        state, given, sums, lived = self._state, dict[str, dict[str, int]](), dict[str, int](), dict[str, int]()
        for lane in self.lanes.values():
            amount, body = lane.sum, lane.body
            if amount is None:
                continue
            kind = lane.kind
            vector = given.setdefault(body.work, {})
            vector[kind.source] = vector.get(kind.source, 0) + amount
            lived[body.work] = lived.get(body.work, 0) + lane.lived
            sums[lane.into] = sums.get(lane.into, 0) + amount
            sums[kind.account] = sums.get(kind.account, 0) - amount
        for work, vector in given.items():
            stock = state.stocks.get(work)
            assert stock is not None, "its lane has found it"
            state.stocks.set(work, stock.receive(vector, lived=lived[work]))
        for account, amount in sums.items():
            key = f"{account}|{LABOUR_UNIT}"
            state.balances.set(key, (state.balances.get(key) or 0) + amount)
        for maker, days in self._days.items():
            for day, worked in days.items():
                state.days.set(f"{maker}|{day}", worked)
        self.lanes, self._days, self._met = {}, {}, set()


def book_all(state: State, facts: Sequence[Fact], first: int) -> list[Bookings]:
    """Check facts, the first of which has the number ``first``, and fold them in; what each of them booked.

    Raises the first broken rule, with ``which`` of the facts it was; those before it are folded in.
    """
    run, booked = _Run(state), list[Bookings]()
    try:
        for fact in facts:
            body = fact.body
            if type(body) is k.Labour and fact.signed is None:
                if run.is_first(body) and (alone := run.alone(body)) is not None:
                    booked.append(alone)
                    continue
                alike = _alike(body)
                lane = run.lanes.get(alike) or run.lane(alike, body)
                if lane is not None and (waiting := run.wait(lane, body)) is not None:
                    booked.append(waiting)
                    continue
            elif type(body) is k.Output and fact.signed is None and _declare(state, body, first + len(booked)):
                booked.append(())
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


def _declare(state: State, body: k.Output, seq: int) -> bool:
    """Book an output, of which nothing is asked but a name of its own; ``False``: the name is taken."""
    output = body.output
    if state.works.get(output) is not None:
        return False
    declare(state, output, Known(kind="output", sha256=body.sha256, quantity=body.quantity, seq=seq))
    return True


@lru_cache(SOURCES_REMEMBERED)
def _kind_of(
    labour_kind: int, phase: str, standing: str, quality: str, maker: str, skill: str, num: int, den: int
) -> _Kind:
    """What living labour is counted as."""
    source, whole = Living(labour_kind, phase, standing, quality, maker, skill, num, den), den * US_PER_USLH
    account = source.account
    return _Kind(str(source), account, f"{account}|{LABOUR_UNIT}", num, whole, whole // 2)

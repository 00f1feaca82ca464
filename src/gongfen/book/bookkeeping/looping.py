"""The data loop of a book: model → outputs → data → next model, by the equations and by the ledger, side by side.

The loop is found from the facts: ``recycle`` says which output came back as data, ``dataset`` and ``make`` which model
was made with it. Of everything that stands behind it, each fact gives a line of one sparse system of equations
``v = l + v·A`` (:mod:`gongfen.value.economy.loop`): new labour l, and what part of each input passes on, as exact
fractions. The ledger books the same step by step in whole micro-SLH. The two differ by rounding alone: each transfer
rounds what it carries, by one micro-SLH at most for every source in it; and by what a correction took back after it had
passed on (5890), which the ledger keeps and the equations never knew.

What enters a work after some of it has left makes a new *state* of it: what remained, and what was added. A loss counts
as the part that was lost of what the work held.

**Where it leads.** If every round is made as the last one was, a model gets the part a of the labour of the one before,
and a round adds l: then labour approaches ``v = l + a·v``, and stays finite.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from gongfen.accounts.chart import LABOUR_UNIT, PASSED_ON, loss_account, stock_account
from gongfen.accounts.state import State
from gongfen.book.bookkeeping.capital import ppm
from gongfen.book.bookkeeping.ledger import corrected_in
from gongfen.book.recording.booked import with_entries
from gongfen.book.recording.record import Record
from gongfen.errors import NotProductiveError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress, silent
from gongfen.reports.ledger import DataLoop, Steady, Version
from gongfen.storage.views import Booking
from gongfen.value import Loop, decimal, loop_values

STEP = 1_000
PLACES = 6
REASONS = ("obsolescence", "idle", "decay", "not-necessary")
ENTERS = (k.Labour, k.Compute, k.Purchase, k.Opening)
"""Facts by which new labour enters a work."""


@dataclass(frozen=True, slots=True)
class Round:
    """Once around: a model, its outputs that came back, the data they became, and what was made with that."""

    model: str
    outputs: tuple[str, ...]
    data: tuple[str, ...]
    datasets: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def works(self) -> tuple[str, ...]:
        """In their order, each once."""
        return tuple(dict.fromkeys((self.model, *self.outputs, *self.data, *self.datasets, *self.models)))


def loop_of(record: Record, progress: Progress = silent) -> DataLoop:
    """The loop, solved and as it was booked; without rounds where no output has come back. Within ``reading``."""
    size = record.size_seen
    recycled = tuple(fact.body for _, fact in record.facts(0, size) if isinstance(fact.body, k.Recycle))
    rounds = tuple(_rounds(record, recycled))
    works = tuple(dict.fromkeys(work for one in rounds for work in one.works))
    history = _History(record.state, _ancestors(record, works, recycled))
    if works:
        for seq, fact, bookings in with_entries(record, size):
            if seq % STEP == 0:
                progress(seq, size)
            history.add(fact, bookings)
    solved = history.solved() if works else {}
    return DataLoop(
        rounds=tuple(one.works for one in rounds),
        versions=tuple(_version(record.state, history, solved, work) for work in works),
        transfers=history.transfers,
        passed_on_uslh=history.passed_on,
        decay_uslh=history.decay,
        steady=_steady(rounds, history),
    )


def _version(state: State, history: "_History", solved: dict[str, Fraction], work: str) -> Version:
    known, one = state.works.get(work), history.works[work]
    assert known is not None, "it is on the loop"
    received = one.received(solved)
    return Version(
        work=work,
        kind=known.kind,
        new_uslh=sum(state_.new for state_ in one.states),
        solved_uslh=decimal(received, PLACES),
        booked_uslh=one.booked,
        difference_uslh=decimal(one.booked - received, PLACES),
        lost_uslh=one.lost,
    )


# -- finding it --------------------------------------------------------------------------------------------------------


def _rounds(record: Record, recycled: tuple[k.Recycle, ...]) -> Iterator[Round]:
    """One for each model whose outputs came back, in the order in which they did."""
    back: dict[str, dict[str, list[str]]] = {}
    for body in recycled:
        known = record.state.works.get(body.output)
        if known is not None and known.model is not None:
            back.setdefault(known.model, {}).setdefault(body.output, []).append(body.work)
    if not back:
        return
    taken_into = _taken_into(record)
    for model, outputs in back.items():
        data = tuple(dict.fromkeys(work for works in outputs.values() for work in works))
        made = tuple(dict.fromkeys(one for work in data for one in taken_into.get(work, ())))
        kinds = {one: known.kind for one in made if (known := record.state.works.get(one))}
        datasets = tuple(one for one in made if kinds[one] == "dataset")
        models = [one for one in made if kinds[one] == "model"]
        models += [one for work in (*data, *datasets) for one in taken_into.get(work, ()) if one not in made]
        yield Round(model, tuple(outputs), data, datasets, tuple(dict.fromkeys(models)))


def _taken_into(record: Record) -> dict[str, list[str]]:
    """Data → the data sets and models that were made with it."""
    found: dict[str, list[str]] = {}
    for name, known in record.state.works.prefixed(""):
        if known.kind in ("dataset", "model"):
            for used in _inputs(record, name):
                found.setdefault(used, []).append(name)
    return found


def _inputs(record: Record, work: str) -> Iterator[str]:
    """What a work was made with, by its own making."""
    known = record.state.works.get(work)
    if known is None:
        return
    if known.kind == "dataset":
        yield from known.members
    for seq in known.made:
        making = record.fact(seq).body
        if isinstance(making, k.Make):
            yield from (use.work for use in making.inputs)


def _ancestors(record: Record, works: Iterable[str], recycled: tuple[k.Recycle, ...]) -> set[str]:
    """Everything that stands behind these works, and they themselves."""
    came_back: dict[str, list[str]] = {}
    for body in recycled:
        came_back.setdefault(body.work, []).append(body.output)
    found: set[str] = set()
    open_ = list(works)
    while open_:
        work = open_.pop()
        if work not in found:
            found.add(work)
            open_ += [*_inputs(record, work), *came_back.get(work, ())]
    return found


# -- the equations -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _State:
    """A work between two additions: its line of the system."""

    name: str
    new: int = 0
    uses: dict[str, Fraction] = field(default_factory=dict)
    kept: Fraction = Fraction(0)
    """The part of the state before that was still there."""


@dataclass(slots=True)
class _Work:
    """One work: its states, how much of the newest is left, and what the ledger says."""

    name: str
    planned: int | None
    quantity: int
    states: list[_State]
    left: Fraction = Fraction(1)
    base: Fraction = Fraction(1)
    used: int = 0
    recycled: int = 0
    held: int = 0
    booked: int = 0
    lost: int = 0

    @property
    def now(self) -> _State:
        return self.states[-1]

    def receive(self, new: int, shares: dict[str, Fraction]) -> None:
        """As :meth:`gongfen.accounts.stocks.Stock.receive`, in fractions."""
        if self.left != 1:
            before = self.now
            after = _State(f"{self.name} ({len(self.states)})", uses={before.name: self.left}, kept=self.left)
            self.states.append(after)
        self.left = self.base = Fraction(1)
        if self.planned is not None:
            self.planned = max(self.planned - self.used, 0)
        self.used = 0
        self.now.new += new
        for name, share in shares.items():
            self.now.uses[name] = self.now.uses.get(name, Fraction(0)) + share

    def use(self, uses: int) -> Fraction:
        """The part of its newest state that so many uses carry away."""
        assert self.planned is not None, "a stock is planned before it is used"
        share = self.base * (self._carried(self.used + uses) - self._carried(self.used))
        self.left -= share
        self.used += uses
        return share

    def take(self, part: Fraction) -> Fraction:
        """The part of its newest state that goes when ``part`` of what is left goes; the rest is planned anew."""
        share = self.left * part
        self.left -= share
        self.plan(None if self.planned is None else max(self.planned - self.used, 0))
        return share

    def plan(self, uses: int | None) -> None:
        self.planned, self.used, self.base = uses, 0, self.left

    def received(self, solved: dict[str, Fraction]) -> Fraction:
        """All that ever entered it."""
        whole, before = Fraction(0), Fraction(0)
        for one in self.states:
            whole += solved[one.name] - one.kept * before
            before = solved[one.name]
        return whole

    def _carried(self, uses: int) -> Fraction:
        assert self.planned is not None
        return Fraction(uses, self.planned) if uses < self.planned else Fraction(1)


class _History:
    """The facts about some works and all behind them, as equations."""

    def __init__(self, state: State, names: set[str]) -> None:
        self.works: dict[str, _Work] = {}
        self.transfers = self.passed_on = self.decay = 0
        self._state = state
        self._corrected = corrected_in(state)
        self._stocks: dict[str, str] = {}
        self._losses: dict[str, str] = {}
        for name in names:
            known = state.works.get(name)
            assert known is not None, f"{name} stands behind a work that is known"
            planned = None if known.kind in ("model", "deployment", "training") else 1
            self.works[name] = _Work(name, planned, known.quantity, [_State(name)])
            self._stocks[stock_account(known.kind, name)] = name
            for reason in REASONS:
                self._losses[loss_account(reason, name)] = name
        self._passed_on = {loss_account(PASSED_ON, name) for name in names}

    def add(self, fact: Fact, bookings: tuple[Booking, ...]) -> None:
        """Follow one fact, in the order of the log."""
        body = fact.body
        if isinstance(body, ENTERS) and fact.id not in self._corrected:
            for work, amount in self._entering(bookings):
                self.works[work].receive(amount, {})
        elif isinstance(body, k.Dataset):
            self._pass_on([(work, 1) for work in body.works], (body.dataset,))
        elif isinstance(body, k.Make):
            self._pass_on([(use.work, use.uses) for use in body.inputs], body.outputs)
        elif isinstance(body, k.Plan) and body.work in self.works:
            self.works[body.work].plan(body.uses)
        elif isinstance(body, k.Loss) and body.work in self.works:
            losing = self.works[body.work]
            held = max(losing.held, 1)
            losing.take(Fraction(1) if body.amount_uslh is None else Fraction(min(body.amount_uslh, held), held))
        elif isinstance(body, k.Recycle) and body.output in self.works:
            self._recycle(body)
        self._book(bookings, taken_back=isinstance(body, k.Correction))

    def loop(self) -> Loop:
        """The system."""
        states = [state for work in self.works.values() for state in work.states]
        return Loop(
            labour={one.name: Fraction(one.new) for one in states}, uses={one.name: dict(one.uses) for one in states}
        )

    def solved(self) -> dict[str, Fraction]:
        """What each state of each work holds when it is complete."""
        return loop_values(self.loop())

    def _entering(self, bookings: tuple[Booking, ...]) -> Iterator[tuple[str, int]]:
        for _, postings in bookings:
            for account, amount, unit in postings:
                if unit == LABOUR_UNIT and account in self._stocks:
                    yield self._stocks[account], amount

    def _pass_on(self, inputs: list[tuple[str, int]], outputs: tuple[str, ...]) -> None:
        shares: dict[str, Fraction] = {}
        for name, uses in inputs:
            if (work := self.works.get(name)) is not None:
                state = work.now.name
                shares[state] = shares.get(state, Fraction(0)) + work.use(uses)
                self.transfers += 1
        copies = {one: known.quantity for one in outputs if (known := self._state.works.get(one))}
        for output in outputs:
            if output in self.works:
                part = Fraction(copies[output], sum(copies.values()))
                self.works[output].receive(0, {name: share * part for name, share in shares.items()})

    def _recycle(self, body: k.Recycle) -> None:
        output = self.works[body.output]
        state = output.now.name
        share = output.take(Fraction(body.copies, output.quantity - output.recycled))
        output.recycled += body.copies
        self.transfers += 1
        if body.work in self.works:
            self.works[body.work].receive(0, {state: share * Fraction(PPM - body.decay_ppm, PPM)})

    def _book(self, bookings: tuple[Booking, ...], *, taken_back: bool) -> None:
        for _, postings in bookings:
            for account, amount, unit in postings:
                if unit != LABOUR_UNIT:
                    continue
                if account in self._stocks:
                    work = self.works[self._stocks[account]]
                    work.held += amount
                    work.booked += amount if amount > 0 or taken_back else 0
                elif account in self._losses:
                    self.works[self._losses[account]].lost += amount
                    self.decay += amount if account.startswith("5830:") else 0
                elif account in self._passed_on:
                    self.passed_on += amount


# -- where it leads ----------------------------------------------------------------------------------------------------


def _steady(rounds: tuple[Round, ...], history: _History) -> Steady | None:
    """Of the last round that came to a next model."""
    ended = [one for one in rounds if one.models]
    if not ended:
        return None
    before, model = ended[-1].model, ended[-1].models[-1]
    system = history.loop()
    one_of_it = Loop(
        labour={name: Fraction(int(name == before)) for name in system.labour},
        uses={name: {} if name == before else uses for name, uses in system.uses.items()},
    )
    part = loop_values(one_of_it)[model]
    solved = loop_values(system)
    added = solved[model] - part * solved[before]
    try:
        found = loop_values(Loop(labour={model: added}, uses={model: {model: part}}))[model]
    except NotProductiveError:
        found = None
    return Steady(
        model=model,
        before=before,
        passed_on_ppm=ppm(part) or 0,
        new_uslh=round(added),
        steady_uslh=None if found is None else decimal(found, PLACES),
        booked_uslh=history.works[model].booked,
    )

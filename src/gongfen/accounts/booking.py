"""Which entries a fact books, and what the book knows afterwards."""

from collections.abc import Iterable

import msgspec

from gongfen.accounts.chart import (
    CASH,
    DIVIDENDS,
    LABOUR_UNIT,
    PURCHASES,
    SALES,
    UNIDENTIFIED,
    External,
    Living,
    Source,
    StockKind,
    payable,
    read_source,
    stock_account,
)
from gongfen.accounts.checks import checks_of, name_taken_by, spread_over_days
from gongfen.accounts.entries import Entry, Posting, transfer
from gongfen.accounts.keys import check_keys, concerns_keys, keep_keys
from gongfen.accounts.state import Known, Maker, Published, Sold, State
from gongfen.accounts.stocks import Stock
from gongfen.errors import DamagedBookError, MalformedFactError
from gongfen.facts import Body, Elsewhere, Fact, Unknown
from gongfen.facts import kinds as k
from gongfen.facts.amounts import MOST, US_PER_HOUR, USLH_PER_HOUR, apportion, round_half_up

BUSINESS = 8


def book(state: State, fact: Fact, seq: int) -> list[Entry]:
    """Check a fact against the state, fold it in, and return its entries.

    Raises the first broken rule as a :class:`gongfen.errors.GongfenError`; the state is then untouched, but for an
    amount that overflows: whoever keeps the state rolls it back. Facts of an unknown kind book nothing.
    """
    if isinstance(fact.body, Unknown):
        if fact.signed is not None:
            check_keys(state, fact)
            keep_keys(state, fact, seq)
        return []
    if isinstance(fact.body, Elsewhere):
        thing = f"{fact.kind} {fact.id}"
        raise DamagedBookError(thing, "is known by its hash only: its body is lost", "restore the body's bytes")
    for check in checks_of(type(fact.body)):
        if (problem := check(state, fact.body)) is not None:
            raise problem
    if about_keys := concerns_keys(fact):
        check_keys(state, fact)
    entries = _fold(state, fact.body, seq)
    for entry in entries:
        _post(state, fact, entry)
    if name := name_taken_by(fact.body):
        state.names.set(name, seq)
    if about_keys:
        keep_keys(state, fact, seq)
    return entries


def _post(state: State, fact: Fact, entry: Entry) -> None:
    held, put = state.balances.get, state.balances.set
    for account, amount, unit in entry.postings:
        if not -MOST <= amount <= MOST:
            reason = f"books {amount} {unit}, more than an account can hold in one entry"
            raise MalformedFactError(f"{fact.kind} {fact.id}", reason, "check the unit, the hours and the standard")
        key = f"{account}|{unit}"
        put(key, (held(key) or 0) + amount)


def _fold(state: State, body: Body, seq: int) -> list[Entry]:
    match body:
        case k.Labour():  # first, because most facts are
            return _labour(state, body)
        case k.Enrol():
            details = body.details_sha256
            state.makers.set(body.maker, Maker(form=body.form, people=body.people, details_sha256=details))
        case k.Details():
            _know_by(state, body.maker, body.details_sha256)
        case k.Forgetting():
            _know_by(state, body.maker, None)
        case k.Work():
            makers = body.makers
            _declare(state, body.work, Known(kind=body.role, sha256=body.sha256, makers=makers, seq=seq))
        case k.Model():
            _declare(state, body.model, Known(kind="model", sha256=body.sha256, seq=seq))
        case k.Output():
            known = Known(kind="output", sha256=body.sha256, quantity=body.quantity, seq=seq)
            _declare(state, body.output, known)
        case k.Dataset():
            return _gather(state, body, seq)
        case k.Compute():
            return _compute(state, body)
        case k.Purchase():
            return _purchase(state, body)
        case k.Make():
            return _make(state, body, seq)
        case k.Plan():
            state.stocks.set(body.work, _stock(state, body.work).plan(body.uses))
        case k.Standard():
            state.standards.set(body.standard, body)
            state.standards.set("*", body)
        case k.Policy():
            state.policies.set(body.policy, Published(policy=body, seq=seq))
            state.policies.set("*", Published(policy=body, seq=seq))
            state.policies.set(f"{body.currency}|{seq:016}", Published(policy=body, seq=seq))
        case k.Influence(grade="settlement"):
            state.influences.set(body.influence, body)
            state.influences.set(f"target|{body.target}", body)
        case k.Sale():
            return _sale(state, body, seq)
        case k.Settlement():
            return _settlement(state, body)
        case k.Payment():
            why = f"paid to {body.maker}"
            return [transfer(why, CASH, payable(body.maker), body.amount_micro, body.currency)]
    return []


def _know_by(state: State, maker: str, details_sha256: str | None) -> None:
    known = state.makers.get(maker)
    assert known is not None, f"{maker} was checked to be enrolled"
    state.makers.set(maker, msgspec.structs.replace(known, details_sha256=details_sha256))


_ONE_USE: tuple[StockKind, ...] = ("data", "prompt", "dataset", "output")
"""Stocks that are planned for one use unless a plan says more."""


def _declare(state: State, work: str, known: Known) -> None:
    state.works.set(work, known)
    planned = 1 if known.kind in _ONE_USE else None
    state.stocks.set(work, Stock(kind=known.kind, sources={}, planned=planned))


def _stock(state: State, work: str) -> Stock:
    stock = state.stocks.get(work)
    assert stock is not None, f"{work} was checked to be known"
    return stock


def _labour(state: State, body: k.Labour) -> list[Entry]:
    stock = _stock(state, body.work)
    if body.labour_us is None:
        state.stocks.set(body.work, stock.receive({}, unmeasured=True))
        return []
    for day, labour_us in spread_over_days(body):
        key = f"{body.maker}|{day}"
        state.days.set(key, (state.days.get(key) or 0) + labour_us)
    if body.labour_kind == BUSINESS:
        why = f"business labour of {body.maker}: circulation, kept in memo"
        return [transfer(why, f"9000:circulation:{body.maker}", "9000:circulation", body.labour_us, "us")]
    num, den = _reduction(state, body.skill)
    amount = round_half_up(body.labour_us * num * USLH_PER_HOUR, den * US_PER_HOUR)
    source = Living(body.labour_kind, body.phase, body.standing, body.quality, body.maker)
    return [_receive(state, body.work, stock, source, amount, f"labour of {body.maker} on {body.work}")]


def _reduction(state: State, skill: str) -> tuple[int, int]:
    standard = state.standards.get("*")
    for reduction in standard.reductions if standard else ():
        if reduction.skill == skill:
            return reduction.num, reduction.den
    return 1, 1


def _compute(state: State, body: k.Compute) -> list[Entry]:
    entries = [_memo(body.work, unit, amount) for unit, amount in _meters(body) if amount]
    standard = state.standards.get("*")
    found = [c.uslh_per_hour for c in standard.machines if c.device == body.device] if standard else []
    if not found:
        state.stocks.set(body.work, _stock(state, body.work).receive({}, unmeasured=True))
        return entries
    amount = round_half_up(body.device_us * found[0], US_PER_HOUR)
    why = f"{body.machine} ran for {body.work}"
    stock = _stock(state, body.work)
    return [*entries, _receive(state, body.work, stock, External("machine", body.device), amount, why)]


def _meters(body: k.Compute) -> list[tuple[str, int | None]]:
    return [
        ("device-us", body.device_us),
        ("gflop", body.gflop),
        ("tokens", body.tokens),
        ("mwh", body.energy_mwh),
    ]


def _memo(work: str, unit: str, amount: int | None) -> Entry:
    return transfer(f"memo: {unit} for {work}", f"9100:meter:{unit}", f"9100:used:{unit}", amount or 0, unit)


def _purchase(state: State, body: k.Purchase) -> list[Entry]:
    money = transfer(f"bought {body.item}", CASH, PURCHASES, body.price_micro, body.currency)
    if body.embodied_uslh is None:
        state.stocks.set(body.work, _stock(state, body.work).receive({}, unmeasured=True))
        return [money]
    source = External(body.source, body.item)
    stock = _stock(state, body.work)
    return [money, _receive(state, body.work, stock, source, body.embodied_uslh, f"labour in {body.item}")]


def _receive(state: State, work: str, stock: Stock, source: Source, amount: int, why: str) -> Entry:
    state.stocks.set(work, stock.receive({str(source): amount}))
    return transfer(why, source.account, stock_account(stock.kind, work), amount, LABOUR_UNIT)


def _gather(state: State, body: k.Dataset, seq: int) -> list[Entry]:
    sha256 = body.root
    _declare(state, body.dataset, Known(kind="dataset", sha256=sha256, members=body.works, seq=seq))
    return _pass_on(state, [(work, 1) for work in body.works], {body.dataset: 1}, f"gathered into {body.dataset}")


def _make(state: State, body: k.Make, seq: int) -> list[Entry]:
    outputs: dict[str, int] = {}
    for output in body.outputs:
        known = state.works.get(output)
        assert known is not None
        outputs[output] = known.quantity
        _remember_making(state, body, output, msgspec.structs.replace(known, made=(*known.made, seq)))
    inputs = [(use.work, use.uses) for use in body.inputs]
    return _pass_on(state, inputs, outputs, f"{body.activity} {body.make}")


def _remember_making(state: State, body: k.Make, output: str, known: Known) -> None:
    """A model's data sets and an output's model: what a measurement of influence may speak of."""
    kinds = {use.work: found.kind for use in body.inputs if (found := state.works.get(use.work))}
    if known.kind == "model":
        data = tuple(work for work, kind in kinds.items() if kind == "dataset")
        known = msgspec.structs.replace(known, members=(*known.members, *data))
    elif known.kind == "output":
        model = next((work for work, kind in kinds.items() if kind == "model"), known.model)
        known = msgspec.structs.replace(known, model=model)
    state.works.set(output, known)


def _pass_on(state: State, inputs: Iterable[tuple[str, int]], outputs: dict[str, int], why: str) -> list[Entry]:
    """Carry the labour of so many uses of each input into the outputs, which share it by their quantity."""
    gathered: dict[str, int] = {}
    credits_: list[Posting] = []
    unmeasured = False
    for work, uses in inputs:
        stock = _stock(state, work)
        unmeasured = unmeasured or stock.is_lower_bound
        left, vector = stock.use(uses)
        state.stocks.set(work, left)
        carried = sum(vector.values())
        if carried:
            credits_.append(Posting(stock_account(stock.kind, work), -carried, LABOUR_UNIT))
        for source, amount in vector.items():
            gathered[source] = gathered.get(source, 0) + amount
    received: dict[str, dict[str, int]] = {output: {} for output in outputs}
    for source in sorted(gathered):
        for output, amount in apportion(gathered[source], outputs).items():
            received[output][source] = amount
    debits: list[Posting] = []
    for output, vector in received.items():
        stock = _stock(state, output).receive(vector, unmeasured=unmeasured)
        state.stocks.set(output, stock)
        if total := sum(vector.values()):
            debits.append(Posting(stock_account(stock.kind, output), total, LABOUR_UNIT))
    return [Entry(why, (*debits, *credits_))] if debits or credits_ else []


def _sale(state: State, body: k.Sale, seq: int) -> list[Entry]:
    key = f"{body.currency}|{body.day}|{body.sale}"
    labour = living_labour(_stock(state, body.output))
    sold = Sold(output=body.output, price_micro=body.price_micro, labour=labour, seq=seq)
    state.sales.set(key, sold)
    return [transfer(f"sold {body.output}", SALES, CASH, body.price_micro, body.currency)]


def living_labour(stock: Stock) -> dict[str, int]:
    """Maker → living labour in a work, of whatever phase, micro-SLH."""
    sums: dict[str, int] = {}
    for key, amount in stock.content.items():
        source = read_source(key)
        if isinstance(source, Living):
            sums[source.maker] = sums.get(source.maker, 0) + amount
    return sums


def _settlement(state: State, body: k.Settlement) -> list[Entry]:
    state.closed.set(f"{body.currency}|{body.period}", body.settlement)
    state.carried.set(body.currency, body.carried_out_micro)
    owed = [(payable(line.maker), line.amount_micro) for line in body.lines]
    owed.append((UNIDENTIFIED, body.unidentified_micro))
    postings = [Posting(account, -amount, body.currency) for account, amount in owed if amount]
    total = -sum(posting.amount for posting in postings)
    return [Entry(f"settled {body.period}", (Posting(DIVIDENDS, total, body.currency), *postings))] if postings else []


def conservation(state: State) -> tuple[int, int]:
    """Labour in, and labour at rest in outputs, stocks and losses, in micro-SLH: equal, to the last unit (I2)."""
    sources = stocks = 0
    for key, amount in state.balances.prefixed(""):
        account, _, unit = key.rpartition("|")
        if unit == LABOUR_UNIT:
            if account.startswith("4"):
                sources -= amount
            elif not account.startswith("9"):
                stocks += amount
    return sources, stocks


def conservation_by_source(state: State) -> dict[str, tuple[int, int]]:
    """For every source account: labour given, and labour that stocks say they hold of it (I4)."""
    given: dict[str, int] = {}
    for key, amount in state.balances.prefixed("4"):
        account, _, unit = key.rpartition("|")
        if unit == LABOUR_UNIT:
            given[account] = -amount
    held: dict[str, int] = {}
    for _, stock in state.stocks.prefixed(""):
        for source, amount in stock.sources.items():
            account = read_source(source).account
            held[account] = held.get(account, 0) + amount
    return {account: (given.get(account, 0), held.get(account, 0)) for account in sorted({*given, *held})}

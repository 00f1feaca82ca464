"""How labour enters works, passes from one into another, and is lost: the labour ledger's entries (transfer, 转移)."""

from collections.abc import Iterable
from functools import cache

import msgspec
from msgspec import UNSET

from gongfen.accounts.batches import key_of, opened, parts
from gongfen.accounts.chart import (
    LABOUR_UNIT,
    LOST,
    NOT_NECESSARY,
    OPENING,
    PASSED_ON,
    External,
    Living,
    Source,
    StockKind,
    as_past,
    loss_account,
    meter_accounts,
    stock_account,
)
from gongfen.accounts.entries import Entry, Posting, transfer
from gongfen.accounts.periods import spread_over_days
from gongfen.accounts.state import Known, State
from gongfen.accounts.stocks import Batch, Stock
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM, US_PER_HOUR, USLH_PER_HOUR, apportion, round_half_up

BUSINESS = 8
_ONE_USE: tuple[StockKind, ...] = ("data", "prompt", "dataset", "output")
"""Stocks that are planned for one use unless a plan says more."""


def declare(state: State, work: str, known: Known) -> None:
    """A work is there now, with nothing in it."""
    state.works.set(work, known)
    state.stocks.set(work, _empty(known.kind))


@cache
def _empty(kind: StockKind) -> Stock:
    """Nothing, yet: the same for every work of a kind, since no stock is ever changed."""
    return Stock(kind=kind, sources={}, planned=1 if kind in _ONE_USE else None)


def stock_of(state: State, work: str) -> Stock:
    """The labour at rest in a work that is known, by source."""
    return opened(state, held(state, work))


def held(state: State, work: str) -> Stock:
    """The same as it is kept: an output that shares a batch points to it. For what is only added to."""
    stock = state.stocks.get(work)
    assert stock is not None, f"{work} was checked to be known"
    return stock


# -- labour and means --------------------------------------------------------------------------------------------------


def labour(state: State, body: k.Labour) -> list[Entry]:
    """Measured time becomes simple labour; what was not socially necessary is kept, but enters no work."""
    stock = held(state, body.work)
    if body.labour_us is None:
        lived = lived_by(body, 0)
        state.stocks.set(body.work, stock.receive({}, unmeasured=True, untimed=lived > 0, lived=lived))
        return []
    for day, labour_us in spread_over_days(body):
        key = f"{body.maker}|{day}"
        state.days.set(key, (state.days.get(key) or 0) + labour_us)
    standard = state.standards.get("*")
    if is_circulation(standard, body):
        return [circulation(body.maker, body.labour_us)]
    source, needed, unneeded = simple_labour(standard, body)
    why, lived = f"labour of {body.maker} on {body.work}", lived_by(body, needed)
    if unneeded:
        state.stocks.set(body.work, stock.receive({str(source): needed}, lived=lived))
        _lose(state, NOT_NECESSARY, {str(source): unneeded})
        into = stock_account(stock.kind, body.work)
        return [into_two(why, source.account, (into, needed), (loss_account(NOT_NECESSARY, body.work), unneeded))]
    return [_receive(state, body.work, stock, source, needed, why, lived=lived)]


def lived_by(body: k.Labour, needed: int) -> int:
    """How many living things such labour brings into its work: 1, unless it was past, or nothing of it was needed."""
    return int(body.phase != "training" and (needed > 0 or body.labour_us is None))


def is_circulation(standard: k.Standard | None, body: k.Labour) -> bool:
    """Whether it is business labour that the standard keeps in memo, as it does unless it says otherwise."""
    return body.labour_kind == BUSINESS and (standard is None or standard.business != "counted")


def circulation(maker: str, labour_us: int) -> Entry:
    """Business labour: in no work, in microseconds; a negative amount takes it back."""
    why = f"business labour of {maker}: circulation, kept in memo"
    return transfer(why, f"9000:circulation:{maker}", "9000:circulation", labour_us, "us")


def simple_labour(standard: k.Standard | None, body: k.Labour) -> tuple[Living, int, int]:
    """The source of measured labour, what of it was socially necessary, and what was not, in micro-SLH."""
    measured = body.labour_us
    assert measured is not None, "it was measured"
    num, den = counted_by(standard, body) or (1, 1)
    source = Living(body.labour_kind, body.phase, body.standing, body.quality, body.maker, body.skill, num, den)
    amount = round_half_up(measured * num * USLH_PER_HOUR, den * US_PER_HOUR)
    if body.task is UNSET and body.discarded is UNSET:
        return source, amount, 0
    most = 0 if body.discarded is True else min(measured, _average(standard, body))
    needed = round_half_up(most * num * USLH_PER_HOUR, den * US_PER_HOUR)
    return source, needed, amount - needed


def _average(standard: k.Standard | None, body: k.Labour) -> int:
    """What so many units of the task take at the social average; all that it took where the standard knows none."""
    assert body.labour_us is not None, "it was measured"
    averages = standard.averages if standard is not None else UNSET
    if averages is UNSET or body.units is UNSET:
        return body.labour_us
    found = (one for one in averages if one.task == body.task)
    return next((one.labour_us * body.units // one.units for one in found), body.labour_us)


def reduction_of(standard: k.Standard | None, skill: str) -> tuple[int, int] | None:
    """(num, den): an hour of the skill is ``num/den`` hours of simple labour; ``None``: the standard does not say."""
    for reduction in standard.reductions if standard else ():
        if reduction.skill == skill:
            return reduction.num, reduction.den
    return None


def counted_by(standard: k.Standard | None, body: k.Labour) -> tuple[int, int] | None:
    """By which reduction labour counts: that of its skill, or that of simple labour, 1, where it is unpaid.

    Unpaid users' prompting is living labour at r = 1 (``economics.md``, 1): nobody paid for the skill. Under a standard
    of an older log, which does not say so, it counts by its skill: what was booked stays as it was booked.
    """
    found = reduction_of(standard, body.skill)
    unpaid = body.standing == "unpaid" and standard is not None and standard.unpaid == "simple"
    return (1, 1) if unpaid and found is not None else found


def compute(state: State, body: k.Compute) -> list[Entry]:
    """A machine's running: each meter in its own memo account, and the labour in the machine by the standard's λ."""
    entries = [meter(body, unit, amount) for unit, amount in meters(body) if amount]
    amount = machine_labour(state.standards.get("*"), body)
    stock = held(state, body.work)
    if amount is None:
        state.stocks.set(body.work, stock.receive({}, unmeasured=True))
        return entries
    why = f"{body.machine} ran for {body.work}"
    return [*entries, _receive(state, body.work, stock, External("machine", body.device), amount, why)]


def meters(body: k.Compute) -> list[tuple[str, int | None]]:
    """What was read off the machine, by unit."""
    return [
        ("device-us", body.device_us),
        ("gflop", body.gflop),
        ("tokens", body.tokens),
        ("mwh", body.energy_mwh),
    ]


def meter(body: k.Compute, unit: str, amount: int | None) -> Entry:
    """One meter's entry; a negative amount takes it back."""
    used, gave = meter_accounts(unit, body.device)
    return transfer(f"memo: {unit} for {body.work}", gave, used, amount or 0, unit)


def machine_labour(standard: k.Standard | None, body: k.Compute) -> int | None:
    """Labour in the machine that passes on in this time, micro-SLH; ``None``: the standard has no λ for the device."""
    found = [c.uslh_per_hour for c in standard.machines if c.device == body.device] if standard else []
    return round_half_up(body.device_us * found[0], US_PER_HOUR) if found else None


def purchase(state: State, body: k.Purchase) -> list[Entry]:
    """The labour in what was bought, as stated."""
    stock = held(state, body.work)
    if body.embodied_uslh is None:
        state.stocks.set(body.work, stock.receive({}, unmeasured=True))
        return []
    source = External(body.source, body.item)
    return [_receive(state, body.work, stock, source, body.embodied_uslh, f"labour in {body.item}")]


def opening(state: State, lot: k.Lot) -> Entry:
    """Labour that was in a work when the book began."""
    source = External(OPENING, lot.name)
    stock = held(state, lot.work)
    return _receive(state, lot.work, stock, source, lot.amount_uslh, f"opening balance of {lot.work}")


def _receive(state: State, work: str, stock: Stock, source: Source, amount: int, why: str, *, lived: int = 0) -> Entry:
    state.stocks.set(work, stock.receive({str(source): amount}, lived=lived))
    return transfer(why, source.account, stock_account(stock.kind, work), amount, LABOUR_UNIT)


# -- passing on --------------------------------------------------------------------------------------------------------


def gather(state: State, body: k.Dataset, seq: int) -> list[Entry]:
    """A data set takes one use of each of its works."""
    declare(state, body.dataset, Known(kind="dataset", sha256=body.root, members=body.works, seq=seq))
    return _pass_on(state, [(work, 1) for work in body.works], {body.dataset: 1}, f"gathered into {body.dataset}", seq)


def make(state: State, body: k.Make, seq: int) -> list[Entry]:
    """What is made takes so many uses of what it is made with."""
    outputs: dict[str, int] = {}
    used = [(use.work, found.kind) for use in body.inputs if (found := state.works.get(use.work))]
    data = tuple(work for work, kind in used if kind == "dataset")
    model = next((work for work, kind in used if kind == "model"), None)
    spent = tuple(use.work for use in body.inputs if _is_spent(state, use))
    for output in body.outputs:
        known = state.works.get(output)
        assert known is not None
        outputs[output] = known.quantity
        state.works.set(output, _made(known, seq, data, model, spent))
    inputs = [(use.work, use.uses) for use in body.inputs]
    return _pass_on(state, inputs, outputs, f"{body.activity} {body.make}", seq)


def _made(known: Known, seq: int, data: tuple[str, ...], model: str | None, spent: tuple[str, ...]) -> Known:
    """A model remembers its data sets and an output its model: what a measurement of influence may speak of."""
    made = (*known.made, seq)
    if known.kind == "output":
        spent = tuple(dict.fromkeys((*known.spent, *spent))) if spent else known.spent
        return msgspec.structs.replace(known, made=made, model=model or known.model, spent=spent)
    if known.kind == "model":
        return msgspec.structs.replace(known, made=made, members=(*known.members, *data))
    return msgspec.structs.replace(known, made=made)


def _is_spent(state: State, use: k.Use) -> bool:
    """Whether a model or a deployment is used past its plan, or when all that was in it has been lost."""
    stock = held(state, use.work)
    if stock.kind not in ("model", "deployment"):
        return False
    lost = not stock.remaining and any(
        state.balances.get(f"{loss_account(reason, use.work)}|{LABOUR_UNIT}") for reason in LOST
    )
    return lost or (stock.planned is not None and stock.used + use.uses > stock.planned)


def _pass_on(
    state: State, inputs: Iterable[tuple[str, int]], outputs: dict[str, int], why: str, seq: int
) -> list[Entry]:
    """Carry the labour of so many uses of each input into the outputs, which share it by their quantity.

    What was living is living still where it came with a prompt or a deployment: it is spent on this very making. An
    output is a product: whatever is made of it, another output too, takes over past labour. But it was brought to life
    by somebody, and no dead code is made of it; only of one that nothing living ever entered.
    """
    gathered: dict[str, int] = {}
    drafts: dict[str, dict[str, int]] = {}
    credits_: list[Posting] = []
    unmeasured, untimed, lived = False, False, 0
    into = {output: held(state, output) for output in outputs}
    for work, uses in inputs:
        stock = stock_of(state, work)
        unmeasured = unmeasured or stock.is_lower_bound
        untimed = untimed or (stock.lacks_living and stock.kind != "output")
        lived += stock.kind == "prompt" or (stock.lived > 0 and stock.kind in ("output", "deployment"))
        left, vector = stock.use(uses)
        state.stocks.set(work, left)
        carried = sum(vector.values())
        if carried:
            credits_.append(Posting(stock_account(stock.kind, work), -carried, LABOUR_UNIT))
        if stock.kind == "output" and vector:
            drafts[work], vector = vector, as_past(vector)
        if not gathered:
            gathered = vector  # it is ours: what a use carries away is counted anew
            continue
        for source, amount in vector.items():
            gathered[source] = gathered.get(source, 0) + amount
    one_quantity = len(set(outputs.values())) == 1
    if gathered and len(into) > 1 and one_quantity and all([stock.may_share for stock in into.values()]):  # noqa: C419 - a list is quicker
        debits = _share(state, Batch(sources=gathered, outputs=len(into), made_of=drafts or None), into, seq,
                        unmeasured=unmeasured, untimed=untimed, lived=lived)  # fmt: skip
    else:
        debits = _divide(state, gathered, outputs, unmeasured=unmeasured, untimed=untimed, lived=lived)
        _remember(state, drafts, outputs)
    return [Entry(why, (*debits, *credits_))] if debits or credits_ else []


def _share(
    state: State, batch: Batch, into: dict[str, Stock], seq: int, *, unmeasured: bool, untimed: bool, lived: int
) -> list[Posting]:
    """Each source's labour divided equally over the outputs, and kept once, as a batch."""
    state.batches.set(key_of(seq), batch)
    debits: list[Posting] = []
    for place, (output, amount) in enumerate(zip(sorted(into), parts(batch), strict=True)):
        stock = into[output].shares((seq, place), amount, unmeasured=unmeasured, untimed=untimed, lived=lived)
        state.stocks.set(output, stock)
        if amount:
            debits.append(Posting(stock_account("output", output), amount, LABOUR_UNIT))
    return debits


def _divide(
    state: State, gathered: dict[str, int], outputs: dict[str, int], *, unmeasured: bool, untimed: bool, lived: int
) -> list[Posting]:
    """Each source's labour divided in proportion to the outputs' quantity; each keeps what it got by itself."""
    debits: list[Posting] = []
    for output, vector in _by_quantity(gathered, outputs).items():
        stock = held(state, output).receive(vector, unmeasured=unmeasured, untimed=untimed, lived=lived)
        state.stocks.set(output, stock)
        if amount := sum(vector.values()):
            debits.append(Posting(stock_account(stock.kind, output), amount, LABOUR_UNIT))
    return debits


def _remember(state: State, drafts: dict[str, dict[str, int]], outputs: dict[str, int]) -> None:
    """Each output that was made of outputs knows what each of them gave it: together they are worth it once."""
    for draft, gave in drafts.items():
        for output, vector in _by_quantity(gave, outputs).items():
            stock = held(state, output)
            if stock.kind == "output":
                state.stocks.set(output, stock.made_also_of({draft: vector}))


def _by_quantity(gathered: dict[str, int], outputs: dict[str, int]) -> dict[str, dict[str, int]]:
    if len(outputs) == 1:
        return dict.fromkeys(outputs, gathered)
    received: dict[str, dict[str, int]] = {output: {} for output in outputs}
    for source, amount in gathered.items():
        for output, part in apportion(amount, outputs).items():
            received[output][source] = part
    return received


# -- losses ------------------------------------------------------------------------------------------------------------


def lose(state: State, body: k.Loss) -> list[Entry]:
    """What a work loses is lost of every source in its proportion."""
    stock = stock_of(state, body.work)
    amount = stock.remaining if body.amount_uslh is None else body.amount_uslh
    left, vector = stock.lose(amount)
    state.stocks.set(body.work, left)
    _lose(state, body.reason, vector)
    if body.reason == "idle" and isinstance(body.last_day, str):
        state.idled.set(f"{body.work}|{body.first_day}", body.last_day)
    account = loss_account(body.reason, body.work)
    return [
        transfer(f"{body.reason} of {body.work}", stock_account(stock.kind, body.work), account, amount, LABOUR_UNIT)
    ]


def recycle(state: State, body: k.Recycle) -> list[Entry]:
    """A lot worth x returns (1−δ)x to the data; δx is lost (``economics.md``, section 1)."""
    known = state.works.get(body.output)
    assert known is not None, "checked"
    left, vector = stock_of(state, body.output).recycle(body.copies, known.quantity)
    whole = sum(vector.values())
    lost = apportion(round_half_up(whole * body.decay_ppm, PPM), vector)
    back = as_past({source: amount - lost[source] for source, amount in vector.items()})
    state.stocks.set(body.output, left)
    data = held(state, body.work)
    state.stocks.set(body.work, data.receive(back, unmeasured=left.is_lower_bound))
    _lose(state, "decay", lost)
    into = (stock_account(data.kind, body.work), sum(back.values()))
    decayed = (loss_account("decay", body.output), sum(lost.values()))
    why = f"{body.copies} of {body.output} as data"
    return [into_two(why, stock_account("output", body.output), into, decayed)] if whole else []


def _lose(state: State, reason: str, vector: dict[str, int]) -> None:
    for source, amount in vector.items():
        if amount:
            key = f"{reason}|{source}"
            state.lost.set(key, (state.lost.get(key) or 0) + amount)


def into_two(why: str, credit: str, first: tuple[str, int], second: tuple[str, int]) -> Entry:
    """One account gives what two others get."""
    debits = [Posting(account, amount, LABOUR_UNIT) for account, amount in (first, second) if amount]
    return Entry(why, (*debits, Posting(credit, -first[1] - second[1], LABOUR_UNIT)))


# -- taking back -------------------------------------------------------------------------------------------------------


def take_back(state: State, work: str, source: Source, amount: int, why: str, *, lived: int = 0) -> Entry:
    """Labour that was booked by mistake is booked back: out of the work, and what has passed on since out of 5890."""
    stock = stock_of(state, work)
    left, found = stock.take_back(str(source), amount, lived=lived)
    state.stocks.set(work, left)
    _lose(state, PASSED_ON, {str(source): found - amount})
    return into_two(
        why,
        source.account,
        (stock_account(stock.kind, work), -found),
        (loss_account(PASSED_ON, work), found - amount),
    )


def take_back_unneeded(state: State, work: str, source: Source, amount: int, why: str) -> Entry:
    """The same for labour that was not socially necessary, and lies where it was booked."""
    _lose(state, NOT_NECESSARY, {str(source): -amount})
    return transfer(why, loss_account(NOT_NECESSARY, work), source.account, amount, LABOUR_UNIT)

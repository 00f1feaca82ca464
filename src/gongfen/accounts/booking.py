"""Which entries a fact books, and what the book knows afterwards."""

import msgspec

from gongfen.accounts import passing
from gongfen.accounts.chart import (
    CASH,
    DIVIDENDS,
    EQUITY,
    PURCHASES,
    RENT,
    SALES,
    UNIDENTIFIED,
    WAGES,
    Living,
    payable,
    read_source,
)
from gongfen.accounts.checks import checks_of
from gongfen.accounts.copies import count_copies
from gongfen.accounts.correcting import correct
from gongfen.accounts.entries import Entry, Posting, transfer
from gongfen.accounts.keys import check_keys, concerns_keys, keep_keys
from gongfen.accounts.names import name_taken_by
from gongfen.accounts.passing import declare, stock_of
from gongfen.accounts.periods import BOOKS, said_in_time
from gongfen.accounts.state import Known, Maker, Published, Sold, State
from gongfen.accounts.stocks import Stock
from gongfen.errors import DamagedBookError, MalformedFactError
from gongfen.facts import Body, Elsewhere, Fact, Unknown
from gongfen.facts import kinds as k
from gongfen.facts.amounts import MOST
from gongfen.facts.calling import called

_UNREAD = (Unknown, Elsewhere)


def book(state: State, fact: Fact, seq: int) -> list[Entry]:
    """Check a fact against the state, fold it in, and return its entries.

    Raises the first broken rule as a :class:`gongfen.errors.GongfenError`; the state is then untouched, but for an
    amount that overflows: whoever keeps the state rolls it back. Facts of an unknown kind book nothing.
    """
    body = fact.body
    if isinstance(body, _UNREAD):
        return _book_unknown(state, fact, body, seq)
    if (problem := said_in_time(state, fact)) is not None:
        raise problem
    for check in checks_of(type(body)):
        if (problem := check(state, body)) is not None:
            raise problem
    if about_keys := concerns_keys(fact):
        check_keys(state, fact)
    entries = _fold(state, body, seq)
    for entry in entries:
        _post(state, fact, entry)
    if name := name_taken_by(body):
        state.names.set(name, seq)
    if about_keys:
        keep_keys(state, fact, seq)
    return entries


def _book_unknown(state: State, fact: Fact, body: Unknown | Elsewhere, seq: int) -> list[Entry]:
    if isinstance(body, Elsewhere):
        thing = f"{fact.kind} {fact.id}"
        raise DamagedBookError(thing, "is known by its hash only: its body is lost", "restore the body's bytes")
    if fact.signed is not None:
        check_keys(state, fact)
        keep_keys(state, fact, seq)
    return []


def _post(state: State, fact: Fact, entry: Entry) -> None:
    held, put = state.balances.get, state.balances.set
    for account, amount, unit in entry.postings:
        if not -MOST <= amount <= MOST:
            reason = f"books {amount} {unit}, more than an account can hold in one entry"
            thing = called(fact.kind, fact.id, fact.body)
            raise MalformedFactError(thing, reason, "check the unit, the hours and the standard")
        key = f"{account}|{unit}"
        put(key, (held(key) or 0) + amount)


def _fold(state: State, body: Body, seq: int) -> list[Entry]:
    """The entries of a fact, by its kind."""
    match body:
        case k.Labour():  # first, because most facts are
            return passing.labour(state, body)
        case k.Output() | k.Work() | k.Model():
            _declare(state, body, seq)
        case k.Make():
            return passing.make(state, body, seq)
        case k.Dataset():
            return passing.gather(state, body, seq)
        case k.Compute():
            return passing.compute(state, body)
        case k.Purchase():
            money = transfer(f"bought {body.item}", CASH, PURCHASES, body.price_micro, body.currency)
            return [money, *passing.purchase(state, body)]
        case k.Loss():
            return passing.lose(state, body)
        case k.Recycle():
            return passing.recycle(state, body)
        case k.Correction():
            return correct(state, body, seq)
        case k.Opening():
            return _opening(state, body)
        case k.Sale():
            return _sale(state, body, seq)
        case k.Settlement():
            return _settlement(state, body)
        case k.Wage():
            why = f"wage of {body.maker}"
            return [transfer(why, CASH, f"{WAGES}:{body.maker}", body.amount_micro, body.currency)]
        case k.Rent():
            why = f"rent of a {body.owned} to {body.owner}"
            return [transfer(why, CASH, f"{RENT}:{body.owned}", body.amount_micro, body.currency)]
        case k.Payment():
            why = f"paid to {body.maker}"
            return [transfer(why, CASH, payable(body.maker), body.amount_micro, body.currency)]
        case _:
            _take_note(state, body, seq)
    return []


def _declare(state: State, body: k.Output | k.Work | k.Model, seq: int) -> None:
    match body:
        case k.Output():
            known = Known(kind="output", sha256=body.sha256, quantity=body.quantity, seq=seq)
            declare(state, body.output, known)
        case k.Work():
            declare(state, body.work, Known(kind=body.role, sha256=body.sha256, makers=body.makers, seq=seq))
        case k.Model():
            declare(state, body.model, Known(kind="model", sha256=body.sha256, seq=seq))


def _take_note(state: State, body: Body, seq: int) -> None:
    """What is known from now on, and books nothing: people, assumptions, measurements, the end of a period."""
    match body:
        case k.Enrol():
            details = body.details_sha256
            state.makers.set(body.maker, Maker(form=body.form, people=body.people, details_sha256=details))
        case k.Details():
            _know_by(state, body.maker, body.details_sha256)
        case k.Forgetting():
            _know_by(state, body.maker, None)
        case k.Plan():
            state.stocks.set(body.work, stock_of(state, body.work).plan(body.uses, body.unit or None))
        case k.Standard():
            for key in (body.standard, "*", f"seq|{seq:016}"):
                state.standards.set(key, body)
        case k.Skill():
            state.skills.set(body.skill, body)
        case k.Rate():
            state.rates.set(f"{body.currency}|{body.into}|{body.day}", body)
        case k.Policy():
            for key in (body.policy, "*", f"{body.currency}|{seq:016}"):
                state.policies.set(key, Published(policy=body, seq=seq))
        case k.Influence(grade="settlement"):
            state.influences.set(body.influence, body)
            state.influences.set(f"target|{body.target}", body)
        case k.Close():
            state.closed.set(BOOKS, body.close)
            state.closed.set(f"{BOOKS}|{body.period}", body.close)


def _know_by(state: State, maker: str, details_sha256: str | None) -> None:
    known = state.makers.get(maker)
    assert known is not None, f"{maker} was checked to be enrolled"
    state.makers.set(maker, msgspec.structs.replace(known, details_sha256=details_sha256))


def _sale(state: State, body: k.Sale, seq: int) -> list[Entry]:
    key = f"{body.currency}|{body.day}|{body.sale}"
    labour = living_labour(stock_of(state, body.output))
    copies = count_copies(state, body, 1)
    sold = Sold(output=body.output, price_micro=body.price_micro, labour=labour, seq=seq, copies=copies)
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


def _opening(state: State, body: k.Opening) -> list[Entry]:
    entries = [passing.opening(state, lot) for lot in body.lots]
    for item in body.money:
        if item.account == "cash":
            entries.append(transfer("opening balance", EQUITY, CASH, item.amount_micro, item.currency))
        else:
            assert item.maker is not None, "checked: what is owed is owed to somebody"
            owed = payable(item.maker)
            entries.append(transfer("opening balance", owed, EQUITY, item.amount_micro, item.currency))
    return entries


def _settlement(state: State, body: k.Settlement) -> list[Entry]:
    state.closed.set(f"{body.currency}|{body.period}", body.settlement)
    state.carried.set(body.currency, body.carried_out_micro)
    owed = [(payable(line.maker), line.amount_micro) for line in body.lines]
    owed.append((UNIDENTIFIED, body.unidentified_micro))
    postings = [Posting(account, -amount, body.currency) for account, amount in owed if amount]
    total = -sum(posting.amount for posting in postings)
    return [Entry(f"settled {body.period}", (Posting(DIVIDENDS, total, body.currency), *postings))] if postings else []

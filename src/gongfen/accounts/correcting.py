"""Corrections: what an earlier fact booked is booked back by a new one; nothing is edited.

Labour that has passed on since is not followed into the outputs, which keep what they were settled with: it is taken
out of 5890, so that the books say how much of what the outputs show nobody worked.
"""

import msgspec

from gongfen.accounts import passing
from gongfen.accounts.chart import CASH, PURCHASES, RENT, SALES, WAGES, External, payable
from gongfen.accounts.checks import corrected_name, spread_over_days
from gongfen.accounts.copies import count_copies
from gongfen.accounts.entries import Entry, transfer
from gongfen.accounts.state import State
from gongfen.facts import Fact
from gongfen.facts import kinds as k


def correct(state: State, body: k.Correction, seq: int) -> list[Entry]:
    """The entries that take a fact back; that they can be was checked."""
    found = state.said(body.fact)
    assert found is not None, "corrections_take_back has checked"
    state.names.set(corrected_name(body), seq)
    return _reversed(state, found[1], standard_at(state, found[0]))


def standard_at(state: State, seq: int) -> k.Standard | None:
    """The standard that was in force when fact ``seq`` was booked."""
    stood = [standard for key, standard in state.standards.prefixed("seq|") if key < f"seq|{seq:016}"]
    return stood[-1] if stood else None


def _reversed(state: State, fact: Fact, standard: k.Standard | None) -> list[Entry]:
    match fact.body:
        case k.Labour() as said:
            return _labour(state, said, standard)
        case k.Compute() as said:
            return _compute(state, said, standard)
        case k.Purchase() as said:
            money = transfer(f"taken back: bought {said.item}", PURCHASES, CASH, said.price_micro, said.currency)
            if said.embodied_uslh is None:
                return [money]
            source, why = External(said.source, said.item), f"taken back: labour in {said.item}"
            return [money, passing.take_back(state, said.work, source, said.embodied_uslh, why)]
        case k.Sale() as said:
            key = f"{said.currency}|{said.day}|{said.sale}"
            sold = state.sales.get(key)
            assert sold is not None, "it was sold"
            state.sales.set(key, msgspec.structs.replace(sold, reversed=True))
            count_copies(state, said, -1)
            return [transfer(f"taken back: sold {said.output}", CASH, SALES, said.price_micro, said.currency)]
        case k.Wage() as said:
            why = f"taken back: wage of {said.maker}"
            return [transfer(why, f"{WAGES}:{said.maker}", CASH, said.amount_micro, said.currency)]
        case k.Rent() as said:
            why = f"taken back: rent to {said.owner}"
            return [transfer(why, f"{RENT}:{said.owned}", CASH, said.amount_micro, said.currency)]
        case k.Payment() as said:
            why = f"taken back: paid to {said.maker}"
            return [transfer(why, payable(said.maker), CASH, said.amount_micro, said.currency)]
    raise AssertionError(f"{fact.kind} was checked to be reversible")


def _labour(state: State, said: k.Labour, standard: k.Standard | None) -> list[Entry]:
    if said.labour_us is None:  # it booked nothing; that something was not measured stays said
        unlived = passing.held(state, said.work).unlived(passing.lived_by(said, 0))
        state.stocks.set(said.work, unlived)
        return []
    if passing.is_circulation(standard, said):
        _give_back_time(state, said)
        return [passing.circulation(said.maker, -said.labour_us)]
    source, needed, unneeded = passing.simple_labour(standard, said)
    if passing.stock_of(state, said.work).sources.get(str(source), 0) >= needed:
        _give_back_time(state, said)  # else the day stays full: what passed on would be worked, and paid, once more
    why = f"taken back: labour of {said.maker} on {said.work}"
    lived, entries = passing.lived_by(said, needed), list[Entry]()
    if needed or not unneeded:
        entries.append(passing.take_back(state, said.work, source, needed, why, lived=lived))
    if unneeded:
        entries.append(passing.take_back_unneeded(state, said.work, source, unneeded, why))
    return entries


def _give_back_time(state: State, said: k.Labour) -> None:
    for day, labour_us in spread_over_days(said):
        key = f"{said.maker}|{day}"
        state.days.set(key, (state.days.get(key) or 0) - labour_us)


def _compute(state: State, said: k.Compute, standard: k.Standard | None) -> list[Entry]:
    entries = [passing.meter(said, unit, -amount) for unit, amount in passing.meters(said) if amount]
    amount = passing.machine_labour(standard, said)
    if amount is not None:
        source, why = External("machine", said.device), f"taken back: {said.machine} ran for {said.work}"
        entries.append(passing.take_back(state, said.work, source, amount, why))
    return entries

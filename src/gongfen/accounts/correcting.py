"""Corrections: what an earlier fact booked is booked back by a new one; nothing is edited.

Labour that has passed on since is not followed into the outputs, which keep what they were settled with: it is taken
out of 5890, so that the books say how much of what the outputs show nobody worked.
"""

import msgspec

from gongfen.accounts import passing
from gongfen.accounts.chart import CASH, PURCHASES, RENT, SALES, WAGES, External, payable
from gongfen.accounts.copies import count_copies
from gongfen.accounts.entries import Entry, transfer
from gongfen.accounts.names import corrected_name
from gongfen.accounts.periods import spread_over_days
from gongfen.accounts.state import State
from gongfen.errors import ClosedPeriodError, DuplicateIdError, GongfenError, MalformedFactError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.calling import called

REVERSIBLE = (k.Labour, k.Compute, k.Purchase, k.Sale, k.Payment, k.Wage, k.Rent)
_INSTEAD: dict[type, str] = {
    k.Plan: "plan it again: gongfen record plan …",
    k.Standard: "publish a new one: gongfen record standard …",
    k.Policy: "publish a new one: gongfen record policy …",
    k.Make: "correct the labour in what was made, or record a loss",
}


def corrections_take_back(state: State, body: Body) -> GongfenError | None:
    """What is corrected is an earlier fact that can be taken back, once, and that no settlement rests on."""
    if not isinstance(body, k.Correction):
        return None
    found = state.said(body.fact)
    if found is None:
        return MalformedFactError(f"fact {body.fact}", "is not in this book", "see which are: gongfen log")
    said, thing = found[1].body, f"fact {found[0]}, {called(found[1].kind, body.fact, found[1].body)},"
    if not isinstance(said, REVERSIBLE):
        remedy = _INSTEAD.get(type(said), "record what is right by a fact of its own")
        return MalformedFactError(thing, "cannot be taken back", remedy)
    if state.names.get(corrected_name(body)) is not None:
        return DuplicateIdError(thing, "was corrected before", "record what is right")
    if isinstance(said, k.Sale):
        for length in (4, 7, 10):
            if settlement := state.closed.get(f"{said.currency}|{said.day[:length]}"):
                remedy = "record what is right in an open period"
                return ClosedPeriodError(f"sale {said.sale}", f"was shared out by {settlement}", remedy)
    return None


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

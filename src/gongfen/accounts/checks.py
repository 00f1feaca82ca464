"""What a fact must agree with in the rest of the book before it is written. Each check is one rule.

Rules of names stand in ``names``, of days and periods in ``periods``, of corrections in ``correcting``; all others, and
the table of all, stand here.
"""

from collections.abc import Callable
from functools import cache

from msgspec import UNSET

from gongfen.accounts.chart import a_stock, payable
from gongfen.accounts.correcting import corrections_take_back
from gongfen.accounts.names import NAMES, WORKS_NAMED, makers_are_enrolled, names_are_new, works_are_known
from gongfen.accounts.periods import (
    DATED,
    books_are_open,
    books_open_before_they_close,
    closes_state_the_balances,
    days_have_24_hours,
    idle_days_are_lost_once,
    periods_are_open,
)
from gongfen.accounts.state import State
from gongfen.errors import DetailsError, GongfenError, MalformedFactError, MissingAssumptionError
from gongfen.facts import Body
from gongfen.facts import kinds as k
from gongfen.facts.calling import named

Check = Callable[[State, Body], GongfenError | None]
"""The first way in which a fact breaks a rule, or ``None``."""


def outputs_are_sold(state: State, body: Body) -> GongfenError | None:
    """What is sold, labelled or quoted in is an output: a data set or a model would settle as if it were one."""
    if isinstance(body, k.Sale | k.Label | k.Quote | k.Recycle):
        known = state.works.get(body.output)
        if known is not None and known.kind != "output":
            reason = f"is {a_stock(known.kind)}, not an output"
            return MalformedFactError(body.output, reason, "name what was made with it")
    return None


def copies_are_there(state: State, body: Body) -> GongfenError | None:
    """No more copies of an output are sold at a time than there are."""
    if isinstance(body, k.Sale) and body.copies is not UNSET:
        known = state.works.get(body.output)
        if known is not None and body.copies > known.quantity:
            reason = f"is {known.quantity} {'copy' if known.quantity == 1 else 'copies'}, and {body.copies} are sold"
            return MalformedFactError(body.output, reason, "sell as many as there are, or leave copies out: all of it")
    return None


def influence_is_of_the_training_data(state: State, body: Body) -> GongfenError | None:
    """Effects are claimed for works that the model was trained on, and for nothing else: money follows them."""
    if isinstance(body, k.Influence):
        model = state.works.get(body.model)
        sets = [state.works.get(name) for name in model.members] if model else []
        members = {work for found in sets if found for work in found.members}
        strangers = sorted({effect.work for effect in body.effects} - members)
        if strangers:
            reason = f"was no training work of {body.model}"
            return MalformedFactError(strangers[0], reason, "measure the works of the model's data sets")
    return None


def machines_do_not_labour(state: State, body: Body) -> GongfenError | None:
    """Living labour is people's; machines only transfer."""
    if isinstance(body, k.Labour) and (maker := state.makers.get(body.maker)) and maker.form == "machine":
        return MalformedFactError(body.maker, "is a machine and does no living labour", "record its running as compute")
    if isinstance(body, k.Compute) and (maker := state.makers.get(body.machine)) and maker.form != "machine":
        return MalformedFactError(body.machine, "is not a machine", "enrol the machine with form=machine")
    return None


def skills_are_reduced(state: State, body: Body) -> GongfenError | None:
    """A skill other than simple labour needs a published reduction."""
    if isinstance(body, k.Labour) and body.labour_us is not None and body.skill != "simple":
        standard = state.standards.get("*")
        if standard is None or body.skill not in {r.skill for r in standard.reductions}:
            return MissingAssumptionError(
                body.skill, "has no reduction in the standard", "publish a standard that has it"
            )
    return None


def models_are_planned(state: State, body: Body) -> GongfenError | None:
    """A model or deployment is used under a plan: without one nobody can say what a use carries."""
    used = [use.work for use in body.inputs] if isinstance(body, k.Make) else []
    used += body.works if isinstance(body, k.Dataset) else ()
    for work in used:
        stock = state.stocks.get(work)
        if stock is not None and stock.planned is None:
            remedy = f"record: gongfen record plan work={work} uses=N"
            return MissingAssumptionError(work, "has no planned uses", remedy)
    return None


_COUNTED_IN = {None: "uses", "token": "tokens", "gflop": "GFLOP"}


def uses_are_counted_as_planned(state: State, body: Body) -> GongfenError | None:
    """Uses are counted in what they were planned in: a use is no token, whatever it is worth."""
    used = [(use.work, use.unit or None) for use in body.inputs] if isinstance(body, k.Make) else []
    used += [(work, None) for work in body.works] if isinstance(body, k.Dataset) else []
    for work, unit in used:
        stock = state.stocks.get(work)
        if stock is not None and stock.unit != unit:
            reason = f"is planned in {_COUNTED_IN[stock.unit]}, and used in {_COUNTED_IN[unit]}"
            due = f"unit={stock.unit}" if stock.unit else "leave unit out"
            return MalformedFactError(work, reason, f"count what was used in {_COUNTED_IN[stock.unit]}: {due}")
    return None


def nobody_is_overpaid(state: State, body: Body) -> GongfenError | None:
    """A payment is no larger than what is owed."""
    if isinstance(body, k.Payment):
        owed = -(state.balances.get(f"{payable(body.maker)}|{body.currency}") or 0)
        if body.amount_micro > owed:
            return MalformedFactError(
                named(body),
                f"gives {body.maker} {body.amount_micro} micro {body.currency}, but {owed} are owed",
                "pay what `gongfen owed` shows",
            )
    return None


def details_are_forgotten_once(state: State, body: Body) -> GongfenError | None:
    """What is forgotten is what the book holds a commitment to."""
    if isinstance(body, k.Forgetting):
        maker = state.makers.get(body.maker)
        if maker is None or maker.details_sha256 != body.details_sha256:
            reason = "has no such details: they are other ones, or were forgotten"
            return DetailsError(body.maker, reason, "forget what is there: gongfen forget")
    return None


def what_is_lost_is_there(state: State, body: Body) -> GongfenError | None:
    """A work loses what is in it, and no more."""
    if isinstance(body, k.Loss) and (stock := state.stocks.get(body.work)) is not None:
        if not stock.remaining:
            return MalformedFactError(
                body.work, "holds no labour that it could lose", "see what it holds: gongfen books"
            )
        if body.amount_uslh is not None and body.amount_uslh > stock.remaining:
            reason = f"holds {stock.remaining} micro-SLH, and would lose {body.amount_uslh}"
            return MalformedFactError(body.work, reason, "lose no more than it holds; none for all of it")
    return None


def what_is_recycled_is_there(state: State, body: Body) -> GongfenError | None:
    """Copies of an output become data once, and data is what they become."""
    if not isinstance(body, k.Recycle):
        return None
    known, data, stock = state.works.get(body.output), state.works.get(body.work), state.stocks.get(body.output)
    if known is None or data is None or stock is None:
        return None  # works_are_known says so
    if data.kind not in ("data", "dataset"):
        return MalformedFactError(body.work, f"is a {data.kind}, not data", "record it as a work with role=data")
    if stock.recycled + body.copies > known.quantity:
        reason = f"has {known.quantity - stock.recycled} copies left, of {known.quantity}"
        return MalformedFactError(body.output, reason, "recycle no more than there are")
    return None


def nothing_is_made_after_it_was_used(state: State, body: Body) -> GongfenError | None:
    """A work is made before it is used: else it would be made, by however long a way round, out of itself."""
    for output in body.outputs if isinstance(body, k.Make) else ():
        stock = state.stocks.get(output)
        if stock is not None and stock.begun:
            reason = "was used before it was made: its making would go round in a circle"
            return MalformedFactError(output, reason, "give the new version its own name")
    return None


CHECKS: dict[Check, tuple[type[Body], ...]] = {
    makers_are_enrolled: (k.Work, k.Labour, k.Payment, k.Key, k.Details, k.Forgetting, k.Compute, k.Opening, k.Wage),
    names_are_new: tuple(NAMES),
    works_are_known: WORKS_NAMED,
    outputs_are_sold: (k.Sale, k.Label, k.Quote, k.Recycle),
    copies_are_there: (k.Sale,),
    influence_is_of_the_training_data: (k.Influence,),
    machines_do_not_labour: (k.Labour, k.Compute),
    days_have_24_hours: (k.Labour,),
    skills_are_reduced: (k.Labour,),
    models_are_planned: (k.Make, k.Dataset),
    uses_are_counted_as_planned: (k.Make, k.Dataset),
    periods_are_open: (k.Sale, k.Settlement),
    nobody_is_overpaid: (k.Payment,),
    details_are_forgotten_once: (k.Forgetting,),
    what_is_lost_is_there: (k.Loss,),
    idle_days_are_lost_once: (k.Loss,),
    what_is_recycled_is_there: (k.Recycle,),
    nothing_is_made_after_it_was_used: (k.Make,),
    books_open_before_they_close: (k.Opening,),
    books_are_open: DATED,
    closes_state_the_balances: (k.Close,),
    corrections_take_back: (k.Correction,),
}
"""Each rule, and the kinds that it is about: a fact is asked for no other."""


@cache
def checks_of(kind: type[Body]) -> tuple[Check, ...]:
    """The rules that a kind must keep."""
    return tuple(check for check, kinds in CHECKS.items() if kind in kinds)

"""What a fact must agree with in the rest of the book before it is written. Each check is one rule."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache

from msgspec import UNSET

from gongfen.accounts.balance import at_rest
from gongfen.accounts.chart import payable
from gongfen.accounts.state import State
from gongfen.errors import (
    AbsurdLabourError,
    ClosedPeriodError,
    DetailsError,
    DuplicateIdError,
    GongfenError,
    MalformedFactError,
    MissingAssumptionError,
    ProofError,
    UnknownMakerError,
    UnknownWorkError,
)
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import US_PER_DAY, clock_time
from gongfen.facts.calling import called, named

Check = Callable[[State, Body], GongfenError | None]
"""The first way in which a fact breaks a rule, or ``None``."""


def works_are_known(state: State, body: Body) -> GongfenError | None:
    """Whatever is worked on, used, measured, sold or labelled has been recorded."""
    for work in _works_named(body):
        if state.works.get(work) is None:
            return UnknownWorkError(work, "is not in this book", "record it first: gongfen record work …")
    return None


def outputs_are_sold(state: State, body: Body) -> GongfenError | None:
    """What is sold, labelled or quoted in is an output: a data set or a model would settle as if it were one."""
    if isinstance(body, k.Sale | k.Label | k.Quote | k.Recycle):
        known = state.works.get(body.output)
        if known is not None and known.kind != "output":
            return MalformedFactError(body.output, f"is a {known.kind}, not an output", "name what was made with it")
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


def makers_are_enrolled(state: State, body: Body) -> GongfenError | None:
    """Whoever works, owns or is paid has been enrolled."""
    match body:
        case k.Labour(maker=maker):
            makers = [maker]
        case k.Work(makers=parts):
            makers = [part.maker for part in parts]
        case k.Payment(maker=maker) | k.Wage(maker=maker):
            makers = [maker]
        case k.Key(maker=maker) | k.Details(maker=maker) | k.Forgetting(maker=maker):
            makers = [maker]
        case k.Compute(machine=machine):
            makers = [machine]
        case k.Opening(money=money):
            makers = [item.maker for item in money if item.maker is not None]
        case _:
            makers = []
    for maker in makers:
        if state.makers.get(maker) is None:
            return UnknownMakerError(maker, "is not enrolled", f"record: gongfen record enrol maker={maker}")
    return None


def names_are_new(state: State, body: Body) -> GongfenError | None:
    """A name is given once: a second work, policy or sale of the same name would rewrite the first."""
    space, field = NAMES[type(body)]
    name = getattr(body, field)
    taken = state.works.get(name) if space == WORK else state.names.get(f"{space}|{name}")
    if taken is not None:
        return DuplicateIdError(name, f"is already in this book as a {space}", "give it a name of its own")
    return None


def days_have_24_hours(state: State, body: Body) -> GongfenError | None:
    """Nobody works more than 24 hours a day; a group no more than 24 hours a head (``economics.md``, 5: padding)."""
    if not isinstance(body, k.Labour) or body.labour_us is None:
        return None
    maker = state.makers.get(body.maker)
    most = US_PER_DAY * (maker.people if maker else 1)
    for day, labour_us in spread_over_days(body):
        before = state.days.get(f"{body.maker}|{day}") or 0
        if before + labour_us > most:
            return AbsurdLabourError(
                body.maker,
                f"would have worked {clock_time(before + labour_us)} on {day}, of {clock_time(most)} there are",
                "check the unit (labour_us is microseconds), the day, or spread the time: days=N",
            )
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


def periods_are_open(state: State, body: Body) -> GongfenError | None:
    """What is settled stays settled."""
    if isinstance(body, k.Sale):
        for length in (4, 7, 10):
            if settlement := state.closed.get(f"{body.currency}|{body.day[:length]}"):
                return ClosedPeriodError(
                    f"sale {body.sale}",
                    f"falls into {body.day[:length]}, which {settlement} has settled",
                    "date it in an open period",
                )
    if isinstance(body, k.Settlement):
        return period_is_open(state, body.period, body.currency)
    return None


def period_is_open(state: State, period: str, currency: str) -> GongfenError | None:
    """Neither the period nor a part of it, nor one that it is part of, has been settled."""
    parts = [period[:length] for length in (4, 7, 10) if length <= len(period)]
    done = [state.closed.get(f"{currency}|{part}") for part in parts]
    done += [row for _, row in state.closed.prefixed(f"{currency}|{period}-")]
    for settlement in filter(None, done):
        return ClosedPeriodError(f"period {period}", f"is settled by {settlement}", "settle the next period")
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


def idle_days_are_lost_once(state: State, body: Body) -> GongfenError | None:
    """A work that stood idle on a day has lost by it already."""
    if not isinstance(body, k.Loss) or body.reason != "idle" or body.first_day is UNSET or body.last_day is UNSET:
        return None
    for key, last in state.idled.prefixed(f"{body.work}|"):
        first = key.rpartition("|")[2]
        if first <= body.last_day and body.first_day <= last:
            reason = f"has lost already by standing idle from {first} to {last}"
            return MalformedFactError(body.work, reason, "take other days; see which are: gongfen log --kind loss")
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


def books_open_before_they_close(state: State, body: Body) -> GongfenError | None:
    """Opening balances come before anything was settled or closed: what is owed is not added to in hindsight."""
    if isinstance(body, k.Opening) and (done := next(state.closed.prefixed(""), None)) is not None:
        reason = f"comes after {done[1]}"
        return ClosedPeriodError(f"opening {body.opening}", reason, "record what came since by facts of its own kind")
    return None


BOOKS = "books"
"""Under ``books|PERIOD`` stands which fact closed a period of the labour ledger."""


def books_are_open(state: State, body: Body) -> GongfenError | None:
    """Nothing is dated in a period that is closed; a correction is of today."""
    if isinstance(body, k.Close):
        parts = [body.period[:length] for length in (4, 7, 10) if length <= len(body.period)]
        done = next(filter(None, (state.closed.get(f"{BOOKS}|{part}") for part in parts)), None)
        done = done or next((row for _, row in state.closed.prefixed(f"{BOOKS}|{body.period}-")), None)
        return _closed(f"period {body.period}", done) if done else None
    day = getattr(body, "day", UNSET)
    if isinstance(body, k.Labour):
        return _days_are_open(state, [day for day, _ in spread_over_days(body)])
    return None if day is UNSET else _days_are_open(state, [day])


def _days_are_open(state: State, days: list[str]) -> GongfenError | None:
    if state.closed.get(BOOKS) is None:
        return None
    for part in dict.fromkeys(day[:length] for day in days for length in (4, 7, 10)):
        if done := state.closed.get(f"{BOOKS}|{part}"):
            return _closed(part, done)
    return None


def _closed(period: str, close: str) -> ClosedPeriodError:
    return ClosedPeriodError(period, f"is closed by {close}", "date it in an open period")


def said_in_time(state: State, fact: Fact) -> GongfenError | None:
    """A period, or a span of days, is over when this is said of it; what names no day is of that day."""
    body, said = fact.body, fact.at[:10]
    if isinstance(body, k.Close) and said[: len(body.period)] <= body.period:
        reason = f"is not over: it is {said}, in UTC, and what is closed stays closed"
        return MalformedFactError(f"period {body.period}", reason, "close it when it is over")
    if isinstance(body, k.Loss) and body.last_day is not UNSET and said <= body.last_day:
        reason = f"would stand idle until {body.last_day}, which is not over: it is {said}, in UTC"
        return MalformedFactError(body.work, reason, "give fewer days, or record it when they are over")
    if isinstance(body, k.Compute | k.Purchase) and body.day is UNSET:
        return _days_are_open(state, [said])
    return None


def closes_state_the_balances(state: State, body: Body) -> GongfenError | None:
    """A period is closed with the balances that the log gives."""
    if isinstance(body, k.Close):
        due = at_rest(state)
        said = (body.given_uslh, body.outputs_uslh, body.stocks_uslh, body.losses_uslh)
        if said != due:
            reason = f"states {said} micro-SLH given, in outputs, in stocks and lost; the facts give {tuple(due)}"
            return ProofError(f"close {body.close}", reason, "compute it again: gongfen books close")
    return None


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


def corrected_name(body: k.Correction) -> str:
    """The name under which a corrected fact is remembered."""
    return f"corrected|{body.fact}"


WORKS_NAMED = (
    k.Work, k.Dataset, k.Model, k.Labour, k.Compute, k.Purchase, k.Plan, k.Make, k.Influence, k.Quote, k.Sale, k.Label,
    k.Loss, k.Recycle, k.Opening,
)  # fmt: skip
WORK = "work"
NAMES: dict[type[Body], tuple[str, str]] = {
    k.Enrol: ("maker", "maker"),
    k.Work: (WORK, "work"),
    k.Dataset: (WORK, "dataset"),
    k.Model: (WORK, "model"),
    k.Output: (WORK, "output"),
    k.Make: ("make", "make"),
    k.Standard: ("standard", "standard"),
    k.Policy: ("policy", "policy"),
    k.Influence: ("influence", "influence"),
    k.Sale: ("sale", "sale"),
    k.Payment: ("payment", "payment"),
    k.Wage: ("wage", "wage"),
    k.Rent: ("rent", "rent"),
    k.Settlement: ("settlement", "settlement"),
    k.Key: ("key", "key"),
    k.Rate: ("rate", "rate"),
    k.Loss: ("loss", "loss"),
    k.Recycle: ("recycle", "recycle"),
    k.Correction: ("correction", "correction"),
    k.Opening: ("opening", "opening"),
    k.Close: ("close", "close"),
}
"""Kind → the space in which its name is given once, and the field; works, data sets, models and outputs share one."""

DATED = (k.Labour, k.Compute, k.Purchase, k.Sale, k.Payment, k.Wage, k.Rent, k.Close)
"""What happened on a day, which a closed period does not take. Rates and other assumptions are none of these."""

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


def spread_over_days(labour: k.Labour) -> Iterable[tuple[str, int]]:
    """Each day's part of the labour, in microseconds: equal parts that telescope to the whole."""
    total = labour.labour_us or 0
    if labour.days == 1:
        return ((labour.day, total),)
    first = date.fromisoformat(labour.day)
    parts = (total * (n + 1) // labour.days - total * n // labour.days for n in range(labour.days))
    return (((first + timedelta(days=n)).isoformat(), part) for n, part in enumerate(parts))


def name_taken_by(body: Body) -> str | None:
    """The name that a fact gives, as ``space|name``; none of a work, which is found among the works."""
    space, field = NAMES.get(type(body), (WORK, ""))
    return None if space == WORK else f"{space}|{getattr(body, field)}"


def _works_named(body: Body) -> list[str]:
    match body:
        case k.Labour(work=work) | k.Compute(work=work) | k.Purchase(work=work) | k.Plan(work=work) | k.Loss(work=work):
            return [work]
        case k.Recycle(output=output, work=work):
            return [output, work]
        case k.Opening(lots=lots):
            return [lot.work for lot in lots]
        case k.Work(part_of=str(whole)):
            return [whole]
        case k.Dataset(works=works):
            return list(works)
        case k.Model(base=str(base)):
            return [base]
        case k.Make(inputs=inputs, outputs=outputs):
            return [*(use.work for use in inputs), *outputs]
        case k.Influence(model=model, target=target, effects=effects):
            targets = [] if target.startswith("period:") else [target]
            return [model, *targets, *(effect.work for effect in effects)]
        case k.Quote(output=output, work=work):
            return [output, work]
        case k.Sale(output=output) | k.Label(output=output):
            return [output]
    return []

"""Days and periods: a day has 24 hours, and what is settled or closed stays so."""

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import UNSET

from gongfen.accounts.balance import at_rest
from gongfen.accounts.state import State
from gongfen.errors import AbsurdLabourError, ClosedPeriodError, GongfenError, MalformedFactError, ProofError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import US_PER_DAY, clock_time

BOOKS = "books"
"""Under ``books|PERIOD`` stands which fact closed a period of the labour ledger."""
DATED = (k.Labour, k.Compute, k.Purchase, k.Sale, k.Payment, k.Wage, k.Rent, k.Close)
"""What happened on a day, which a closed period does not take. Rates and other assumptions are none of these."""


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


def spread_over_days(labour: k.Labour) -> Iterable[tuple[str, int]]:
    """Each day's part of the labour, in microseconds: equal parts that telescope to the whole."""
    total = labour.labour_us or 0
    if labour.days == 1:
        return ((labour.day, total),)
    first = date.fromisoformat(labour.day)
    parts = (total * (n + 1) // labour.days - total * n // labour.days for n in range(labour.days))
    return (((first + timedelta(days=n)).isoformat(), part) for n, part in enumerate(parts))


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


def books_open_before_they_close(state: State, body: Body) -> GongfenError | None:
    """Opening balances come before anything was settled or closed: what is owed is not added to in hindsight."""
    if isinstance(body, k.Opening) and (done := next(state.closed.prefixed(""), None)) is not None:
        reason = f"comes after {done[1]}"
        return ClosedPeriodError(f"opening {body.opening}", reason, "record what came since by facts of its own kind")
    return None


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

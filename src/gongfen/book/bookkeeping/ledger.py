"""The labour ledger as a bookkeeper asks for it: at a glance, account by account, closed, and what idles away."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction

from gongfen.accounts import at_rest, closing, conservation_by_source
from gongfen.accounts.chart import LABOUR_UNIT, METERS
from gongfen.accounts.names import corrected_name
from gongfen.accounts.periods import BOOKS
from gongfen.accounts.state import State
from gongfen.book.clock import today
from gongfen.book.recording.record import Record
from gongfen.errors import InputError, UnknownWorkError
from gongfen.facts import Body
from gongfen.facts import kinds as k
from gongfen.facts.amounts import MOST
from gongfen.facts.shapes import is_day
from gongfen.reports.ledger import Account, Closed, Idle, Ledger, Meter, Money, Unbalanced
from gongfen.value import decimal, idle_loss, pf_days

DATA, COMPLIANCE = "2", "7"
"""The labours that govern data: making and tending it, and keeping it lawful."""
GFLOP = 10**9
READ = ("energy_mwh", "tokens", "gflop")
"""Meters that a run may be silent about."""
LOSSES = ("5800:obsolescence", "5810:idle", "5820:not-necessary", "5830:decay")
PASSED_ON = "5890:passed-on"
STOCKS = {
    "data": "1100:data",
    "dataset": "1100:dataset",
    "model": "1200:model",
    "deployment": "1300:deployment",
    "prompt": "1400:prompt",
    "training": "1500:training-of-people",
}
SOURCES = {
    "living": "4000:living",
    "living-unpaid": "4100:living-unpaid",
    "machine": "4200:external:machine",
    "energy": "4200:external:energy",
    "site": "4200:external:site",
    "data": "4300:external:data",
    "opening": "4900:opening",
}
PLACES = 9
"""Decimals of PF-days: 10⁻⁹ of one is a fraction of a second of a home computer."""


def ledger_of(record: Record) -> Ledger:
    """The labour ledger and what stands beside it. Within ``reading``."""
    state = record.state
    rest = at_rest(state)
    by_source = conservation_by_source(state)
    bad = tuple(
        Unbalanced(account=account, given_uslh=given, held_uslh=held)
        for account, (given, held) in by_source.items()
        if given != held
    )
    by_kind = _by_kind(state)
    lower = [(name, stock.kind) for name, stock in state.stocks.prefixed("") if stock.is_lower_bound]
    return Ledger(
        origin=record.origin,
        size=record.size_seen,
        given_uslh=rest.given,
        given={name: -amount for name, prefix in SOURCES.items() if (amount := labour_in(state, prefix))},
        by_kind=by_kind,
        outputs_uslh=rest.outputs,
        stocks_uslh=rest.stocks,
        stocks={name: amount for name, prefix in STOCKS.items() if (amount := labour_in(state, prefix))},
        losses_uslh=rest.losses,
        losses={one.partition(":")[2]: amount for one in LOSSES if (amount := labour_in(state, one))},
        passed_on_uslh=labour_in(state, PASSED_ON),
        held_uslh=rest.held,
        balanced=rest.given == rest.held and not bad,
        sources=len(by_source),
        unbalanced=bad,
        meters=tuple(meters_of(meter_readings(state), lacking_in(runs_in(record)))),
        governance_data_uslh=by_kind.get(DATA, 0),
        governance_compliance_uslh=by_kind.get(COMPLIANCE, 0),
        circulation_us=state.balances.get("9000:circulation|us"),
        money=tuple(_money(state)),
        closed=tuple(closed_in(state)),
        corrections=len(corrected_in(state)),
        unmeasured=_counted(kind for _, kind in lower),
        unmeasured_works=tuple(name for name, _ in lower),
    )


def labour_in(state: State, account: str) -> int:
    """The balance of an account and all below it, micro-SLH."""
    return sum(amount for key, amount in state.balances.prefixed(f"{account}:") if key.endswith(f"|{LABOUR_UNIT}"))


def corrected_in(state: State) -> frozenset[str]:
    """The ids of the facts that were corrected."""
    prefix = corrected_name(k.Correction(correction="", fact="", reason=""))
    return frozenset(name.removeprefix(prefix) for name, _ in state.names.prefixed(prefix))


def _by_kind(state: State) -> dict[str, int]:
    found: dict[str, int] = {}
    for prefix in (SOURCES["living"], SOURCES["living-unpaid"]):
        for key, amount in state.balances.prefixed(f"{prefix}:"):
            kind = key.split(":", 3)[2]
            found[kind] = found.get(kind, 0) - amount
    return {kind: amount for kind, amount in sorted(found.items()) if amount}


def _counted(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


def meter_readings(state: State) -> dict[str, dict[str, int]]:
    """Device → unit → what the memo accounts hold."""
    found: dict[str, dict[str, int]] = {}
    for unit, number in METERS.items():
        prefix = f"{number}:{unit}:"
        for key, amount in state.balances.prefixed(prefix):
            found.setdefault(key.removeprefix(prefix).rpartition("|")[0], {})[unit] = amount
    return found


def runs_in(record: Record) -> Iterator[k.Compute]:
    """Every run of a machine that stands."""
    corrected = corrected_in(record.state)
    for _, fact in record.about("kind|compute"):
        if isinstance(fact.body, k.Compute) and fact.id not in corrected:
            yield fact.body


def lacking_in(runs: Iterable[k.Compute]) -> dict[str, tuple[int, dict[str, int]]]:
    """Device → its runs, and meter → of how many of them nobody read it."""
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for run in runs:
        count, lacking = found.get(run.device, (0, {}))
        for meter in READ:
            if getattr(run, meter) is None:
                lacking[meter] = lacking.get(meter, 0) + 1
        found[run.device] = (count + 1, lacking)
    return found


def meters_of(
    readings: dict[str, dict[str, int]], lacking: Mapping[str, tuple[int, dict[str, int]]]
) -> Iterator[Meter]:
    """Each device with its meters; what was not read is unknown, and what was read in some runs is at least so much."""
    for device, read in sorted(readings.items()):
        gflop = read.get("gflop")
        runs, without = lacking.get(device, (0, {}))
        yield Meter(
            device=device,
            device_us=read.get("device-us"),
            energy_mwh=read.get("mwh"),
            tokens=read.get("tokens"),
            gflop=gflop,
            pf_days=said_pf_days(gflop),
            runs=runs,
            lacking=without,
        )


def said_pf_days(gflop: int | None) -> str | None:
    """10⁹ FLOP as petaflop-days, in decimals."""
    return None if gflop is None else decimal(pf_days(gflop * GFLOP), PLACES)


def _money(state: State) -> Iterator[Money]:
    """Accounts of the money ledger, those of one name together: what all makers were paid, not each."""
    sums: dict[tuple[str, str], list[int]] = {}
    for key, amount in state.balances.prefixed(""):
        account, _, unit = key.rpartition("|")
        if not account[:1].isdigit():
            name = account if account.startswith(("owed:", "equity:", "rent:")) else account.partition(":")[0]
            sums.setdefault((unit, name), []).append(amount)
    for (currency, name), amounts in sorted(sums.items()):
        yield Money(account=name, accounts=len(amounts), currency=currency, micro=sum(amounts))


def closed_in(state: State) -> Iterator[Closed]:
    """The periods that are closed, of the labour ledger and of each currency."""
    for key, by in state.closed.prefixed(""):
        ledger, bar, period = key.partition("|")
        if bar:
            yield Closed(period=period, by=by, ledger="labour" if ledger == BOOKS else ledger)


def accounts_below(state: State, prefix: str) -> tuple[Account, ...]:
    """Every account whose name begins so, with its balance in each unit. Raises InputError where there is none."""
    found = []
    for key, amount in state.balances.prefixed(prefix):
        account, _, unit = key.rpartition("|")
        if account.startswith(prefix):
            found.append(Account(account=account, unit=unit, balance=amount))
    if not found:
        known = ", ".join(dict.fromkeys(key.rpartition("|")[0].split(":")[0] for key, _ in state.balances.prefixed("")))
        remedy = f"these are: {known}" if known else "record labour first: gongfen record labour …"
        raise InputError(f"account {prefix[:60]!r}", "is the beginning of no account of this book", remedy)
    return tuple(found)


def close_period(record: Record, period: str, close: str | None) -> k.Close:
    """Compute the balances and record them, in one transaction: nobody writes between the two."""
    found: list[k.Close] = []

    def computed() -> Iterable[Body]:
        size, root = record.size, record.tree.root().hex()
        found.append(closing(record.state, close or f"close:{period}", period, size, root))
        yield found[0]

    record.record(computed())
    return found[0]


def idle(
    record: Record, work: str, rate: Fraction, days: Fraction | None, first_day: str | None, *, write: bool
) -> Idle:
    """What a work loses by standing idle: K(1 − e^(−λt)); with ``write`` the loss is recorded. Raises UnknownWorkError.

    Amount and fact are made in one transaction, so that the loss is of what the work holds then.
    """
    _refuse_unclear(rate, days or Fraction(0))
    if first_day is not None and not is_day(first_day):
        raise InputError(f"the day {first_day[:40]!r}", "is none of the calendar", "write it as 2026-11-22")
    if not write:
        with record.reading():
            return _idle(record.state, work, rate, days, first_day)
    found: list[Idle] = []

    def computed() -> Iterable[Body]:
        one = _idle(record.state, work, rate, days, first_day)
        found.append(one)
        if not one.lost_uslh:
            raise InputError(work, "loses less than one micro-SLH in that time", "record nothing, or a longer time")
        if one.first_day is None or one.last_day is None:
            reason = f"cannot be {one.days}: a loss that is recorded has a first and a last day"
            raise InputError("the days", reason, "give whole days")
        yield k.Loss(
            loss=f"idle:{work}:{record.size}"[:MOST_NAME], work=work, reason="idle", amount_uslh=one.lost_uslh,
            method=one.method, first_day=one.first_day, last_day=one.last_day,
        )  # fmt: skip

    numbers = record.record(computed())
    return _with_fact(found[0], numbers[0])


MOST_NAME = k.MOST_NAME
MOST_PLACES = 12
DAY = timedelta(days=1)
MOST_DAYS = date.max.toordinal()


def _idle(state: State, work: str, rate: Fraction, days: Fraction | None, first_day: str | None) -> Idle:
    stock = state.stocks.get(work)
    if stock is None:
        raise UnknownWorkError(work, "is not in this book", "see what is: gongfen log")
    held = stock.remaining
    days, first, last = _span(state, work, days, first_day)
    lost = idle_loss(held, rate, days)
    per_day, span = _short(rate), _short(days)
    method = f"K(1 − e^(−λt)), K = {held} micro-SLH, λ = {per_day} a day, t = {span} days; halves up"
    return Idle(
        work=work, held_uslh=held, lost_uslh=lost, left_uslh=held - lost, rate=per_day, days=span, first_day=first,
        last_day=last, method=method, fact=None,
    )  # fmt: skip


def _span(
    state: State, work: str, days: Fraction | None, first_day: str | None
) -> tuple[Fraction, str | None, str | None]:
    """(how many days, the first, the last): from the end of the last idle loss, or up to yesterday, if nobody says."""
    yesterday = date.fromisoformat(today()) - DAY
    ended = max((last for _, last in state.idled.prefixed(f"{work}|")), default=None)
    begin = date.fromisoformat(first_day) if first_day else date.fromisoformat(ended) + DAY if ended else None
    if days is None and begin is None:
        reason = "were not said, and no earlier loss of it tells where they begin"
        raise InputError(f"the days on which {work} stood idle", reason, "say how many: --days; or since when: --from")
    if days is None:
        assert begin is not None, "else it was refused"
        days = Fraction((yesterday - begin).days + 1)
        if days < 1:
            reason = f"has no day since {begin} that is over, on which it could have stood idle"
            raise InputError(work, reason, "record it later")
    if days < 1 or days.denominator != 1 or days > MOST_DAYS:
        return days, None, None
    try:
        begin = begin or yesterday - (int(days) - 1) * DAY
        return days, begin.isoformat(), (begin + (int(days) - 1) * DAY).isoformat()
    except OverflowError:
        return days, None, None


def _with_fact(found: Idle, seq: int) -> Idle:
    return Idle(**{name: getattr(found, name) for name in Idle.__struct_fields__} | {"fact": seq})


def _refuse_unclear(rate: Fraction, days: Fraction) -> None:
    """What is written into the method must be what was computed."""
    for name, number in (("the rate", rate), ("the days", days)):
        if number < 0 or number > MOST or (number * 10**MOST_PLACES).denominator != 1:
            reason = f"cannot be {number}"
            raise InputError(name, reason, f"give a number from 0 upwards, with {MOST_PLACES} decimals at most")


def _short(number: Fraction) -> str:
    said = decimal(number, MOST_PLACES)
    return said.rstrip("0").rstrip(".")

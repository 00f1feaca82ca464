"""The composite measure of every model, each unit by itself; and an estimate from it, beside the ledger, never in it.

算力 × 数据治理 × 模型复杂度. What stands behind a model is what was spent on the model itself and on the data gathered
for it: its data sets, their works, and data that it was made with directly. Data that several models were made with
stand behind each of them, whole: the measures of two models are not to be added. A base model has a line of its own.

Labour in a model is what ever entered its account: what is still in it, and what has passed on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from gongfen.accounts import passing
from gongfen.accounts.chart import stock_account
from gongfen.accounts.state import State
from gongfen.book.bookkeeping.capital import said
from gongfen.book.bookkeeping.ledger import COMPLIANCE, DATA, GFLOP, corrected_in, lacking_in, meters_of, said_pf_days
from gongfen.book.recording.booked import with_entries
from gongfen.book.recording.record import Record
from gongfen.errors import GongfenError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM, US_PER_DAY, US_PER_HOUR
from gongfen.progress import Progress, silent
from gongfen.reports.ledger import Composite, Estimate, Estimator, Models, Speed
from gongfen.storage.views import Booking
from gongfen.value import Features, Fitted, estimate, fit, flop_per_second, training_flop, utilisation
from gongfen.value.by_rule import rounded

STEP = 1_000


@dataclass(slots=True)
class _Spent:
    """What was spent on one model and its data."""

    parameters: int
    received: int = 0
    living: dict[str, int] = field(default_factory=dict)
    """Kind of labour → microseconds of the clock."""
    unmeasured: int = 0
    meters: dict[str, dict[str, int]] = field(default_factory=dict)
    runs: list[k.Compute] = field(default_factory=list)

    def add(self, fact: Fact) -> None:
        match fact.body:
            case k.Labour(labour_us=None):
                self.unmeasured += 1
            case k.Labour() as body:
                kind = str(body.labour_kind)
                self.living[kind] = self.living.get(kind, 0) + (body.labour_us or 0)
            case k.Compute() as body:
                self.runs.append(body)
                read = self.meters.setdefault(body.device, {})
                for unit, amount in passing.meters(body):
                    if amount is not None:
                        read[unit] = read.get(unit, 0) + amount

    def total(self, unit: str) -> int | None:
        """Over all runs; unknown when any of them did not say."""
        amounts = [amount for run in self.runs for meter, amount in passing.meters(run) if meter == unit]
        return None if not amounts or None in amounts else sum(amount for amount in amounts if amount is not None)


def models_of(record: Record, progress: Progress = silent, peaks: Mapping[str, int] | None = None) -> Models:
    """Every model, in the order in which they were recorded; ``peaks``: device → FLOP a second. Within ``reading``."""
    state = record.state
    spent = {
        fact.body.model: _Spent(fact.body.parameters)
        for _, fact in record.about("kind|model")
        if isinstance(fact.body, k.Model)
    }
    behind = _behind(record, spent)
    accounts = {stock_account("model", model): one for model, one in spent.items()}
    size, corrected = record.size_seen, corrected_in(state)
    for seq, fact, bookings in with_entries(record, size):
        if seq % STEP == 0:
            progress(seq, size)
        _receive(accounts, fact, bookings)
        if isinstance(fact.body, k.Labour | k.Compute) and fact.id not in corrected:
            for model in behind.get(fact.body.work, ()):
                spent[model].add(fact)
    models = tuple(_composite(state, model, one, peaks or {}) for model, one in spent.items())
    return _with_estimates(models)


def _behind(record: Record, models: Iterable[str]) -> dict[str, list[str]]:
    """Work → the models that it stands behind."""
    found: dict[str, list[str]] = {}
    for model in models:
        works = {model}
        for name in _data_of(record, model):
            known = record.state.works.get(name)
            works |= {name, *(known.members if known is not None and known.kind == "dataset" else ())}
        for work in works:
            found.setdefault(work, []).append(model)
    return found


def _data_of(record: Record, model: str) -> set[str]:
    """Data sets and single works of data that a model was made with."""
    known = record.state.works.get(model)
    found: set[str] = set(known.members) if known is not None else set()
    for seq in known.made if known is not None else ():
        making = record.fact(seq).body
        for use in making.inputs if isinstance(making, k.Make) else ():
            used = record.state.works.get(use.work)
            if used is not None and used.kind in ("data", "dataset"):
                found.add(use.work)
    return found


def _receive(accounts: dict[str, _Spent], fact: Fact, bookings: tuple[Booking, ...]) -> None:
    """What entered the models' accounts; what a correction took out again did not."""
    taken_back = isinstance(fact.body, k.Correction)
    for _, postings in bookings:
        for account, amount, _ in postings:
            if account in accounts and (amount > 0 or taken_back):
                accounts[account].received += amount


def _speeds(runs: Iterable[k.Compute], peaks: Mapping[str, int]) -> Iterator[Speed]:
    """FLOP of a device's runs over their seconds, and of the most that it could do, where that is said."""
    by_device: dict[str, list[k.Compute]] = {}
    for run in runs:
        by_device.setdefault(run.device, []).append(run)
    for device, those in sorted(by_device.items()):
        flop = [run.gflop * GFLOP for run in those if run.gflop is not None]
        days = Fraction(sum(run.device_us for run in those), US_PER_DAY)
        speed = flop_per_second(sum(flop), days, 1) if len(flop) == len(those) else None
        if speed is not None:
            used = utilisation(speed, peaks.get(device))
            yield Speed(
                device=device,
                flop_per_second=rounded(speed),
                peak_flop_per_second=peaks.get(device),
                utilisation_ppm=None if used is None else rounded(used * PPM),
            )


def _composite(state: State, model: str, spent: _Spent, peaks: Mapping[str, int]) -> Composite:
    stock = state.stocks.get(model)
    gflop, by = spent.total("gflop"), "recorded"
    tokens = spent.total("tokens")
    if gflop is None and tokens is not None:
        gflop, by = training_flop(spent.parameters, tokens) // GFLOP, "6ND"
    return Composite(
        model=model,
        labour_uslh=spent.received,
        lower_bound=stock is None or stock.is_lower_bound,
        living_us=sum(spent.living.values()) if spent.living else None,
        data_us=spent.living.get(DATA),
        compliance_us=spent.living.get(COMPLIANCE),
        unmeasured=spent.unmeasured,
        parameters=spent.parameters,
        meters=tuple(meters_of(spent.meters, lacking_in(spent.runs))),
        speeds=tuple(_speeds(spent.runs, peaks)),
        gflop=gflop,
        flop_by=by if gflop is not None else "unknown",
        pf_days=said_pf_days(gflop),
    )


# -- the estimate ------------------------------------------------------------------------------------------------------


def _with_estimates(models: tuple[Composite, ...]) -> Models:
    """The line through those models of which everything is known; why there is none, where there is none."""
    usable = {one.model: (_features(one), _labour(one)) for one in models if _is_usable(one)}
    left_out = tuple(one.model for one in models if one.model not in usable)
    try:
        line = fit(usable)
        estimates = tuple(_estimated(line, one) for one in models if one.model in usable)
    except GongfenError as error:
        return Models(models=models, estimator=None, why_not=f"{error.thing} {error.reason}", left_out=left_out)
    estimator = Estimator(
        models=line.models,
        coefficients=tuple(said(one) or "" for one in line.coefficients),
        errors=tuple(said(one) or "" for one in line.errors),
        estimates=estimates,
    )
    return Models(models=models, estimator=estimator, why_not=None, left_out=left_out)


def _is_usable(one: Composite) -> bool:
    """Known, and more than nothing: what is a lower bound would draw the line down."""
    known = _features(one)
    return not one.lower_bound and all((_labour(one), known.gpu_hours, known.data_hours, known.complexity))


def _features(one: Composite) -> Features:
    """Machine hours over all devices, hours of kinds 2 and 7, parameters."""
    governance = [amount for amount in (one.data_us, one.compliance_us) if amount is not None]
    machines = [meter.device_us for meter in one.meters if meter.device_us is not None]
    return Features(
        gpu_hours=Fraction(sum(machines), US_PER_HOUR) if machines else None,
        data_hours=Fraction(sum(governance), US_PER_HOUR) if governance else None,
        complexity=Fraction(one.parameters),
    )


def _labour(one: Composite) -> Fraction:
    return Fraction(one.labour_uslh)


def _estimated(line: Fitted, one: Composite) -> Estimate:
    found = estimate(line, _features(one), name=one.model)
    return Estimate(
        model=one.model,
        booked_uslh=one.labour_uslh,
        typical_uslh=rounded(found.typical),
        low_uslh=rounded(found.prediction[0]),
        high_uslh=rounded(found.prediction[1]),
        beyond=found.beyond,
    )

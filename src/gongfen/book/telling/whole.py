"""A book as a story: everything that the report page shows, gathered from the record, each number with its receipt.

A settled book tells its last settlement and what is behind it; any other tells what is there. What is not there is
``None`` or empty, and the page says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from gongfen.accounts import conservation
from gongfen.accounts.chart import LABOUR_UNIT, External, payable
from gongfen.book import answers
from gongfen.book.bookkeeping.ledger import (
    closed_in,
    corrected_in,
    lacking_in,
    ledger_of,
    meter_readings,
    meters_of,
    runs_in,
)
from gongfen.book.bookkeeping.valuing import carried_by_models, months_of
from gongfen.book.clock import now
from gongfen.book.importing.corpus import name_of
from gongfen.book.recording.correcting import corrections
from gongfen.book.recording.keys import flagged
from gongfen.book.recording.record import Record
from gongfen.book.telling.flows import labour_flow
from gongfen.book.telling.outputs import Shown, making_of, proof_of, shown, story_of
from gongfen.errors import MissingAssumptionError
from gongfen.facts import kinds as k
from gongfen.facts.references import SAMPLE
from gongfen.proof.checkpoint import open_checkpoint
from gongfen.reports.story import (
    BooksStory,
    MachineStory,
    MakerStory,
    OutputStory,
    PersonStory,
    ScatterPoint,
    SettlementStory,
    Story,
    TrainingStory,
    Validation,
    WorkStory,
)
from gongfen.trace.rank_interval import rank_interval_ppm
from gongfen.value import Swings, Worth, swings, worth

MOST_PEOPLE = 200
MOST_WORKS = 20
MOST_TAKEN_BACK = 40
LIVING = ("4000:", "4100:")
WHOLE = re.compile("[0-9]{1,18}")
"""Notes are free text: what is no number is not known."""


def tell(record: Record, title: str, command: str) -> Story:
    """The story of a book. Raises MissingAssumptionError for a book that knows nobody and nothing."""
    _something_in(record)
    settled = [(seq, fact.body) for seq, fact in record.about("kind|settlement") if isinstance(fact.body, k.Settlement)]
    seq, settlement = settled[-1] if settled else (0, None)
    note = record.checkpoint()
    checkpoint = open_checkpoint(note, record.verifier)
    nodes, flows = labour_flow(record)
    given, held = conservation(record.state)
    here = shown(record, settlement)
    outputs = tuple(story_of(here, output) for output in here.outputs)
    makers = _makers(record, settlement, outputs) if settlement else ()
    people = _people(record, {one.maker for one in makers}, everybody=settlement is None)
    works = _works(record)
    standard = record.state.standards.get(settlement.standard if settlement else "*")
    together, hangs_on = _together(here, outputs)
    corrected, doubtful = corrections(record)[::-1], flagged(record)[::-1]
    return Story(
        title=title,
        book=record.origin,
        made_at=now()[:19] + "Z",
        sample=bool(_sample_kinds(record)),
        sample_what=_sample_kinds(record),
        command=command,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        checkpoint=note,
        key=str(record.verifier),
        currency=here.currency,
        melt_micro=standard.melt_micro if standard else None,
        nodes=nodes,
        flows=flows,
        works=works[:MOST_WORKS],
        more_works=len(works[MOST_WORKS:]),
        machines=_machines(record),
        in_uslh=given,
        out_uslh=held,
        training=_training(record, _model_of(record, here.outputs)),
        outputs=outputs,
        more_outputs=here.more,
        makers=makers,
        people=people[:MOST_PEOPLE],
        more_people=len(people[MOST_PEOPLE:]),
        measured=any(output.works_measured for output in outputs) or bool(settlement and settlement.influence),
        validation=_validation(record, settlement),
        settlement=_settlement(record, settlement, seq) if settlement else None,
        unsettled=_unsettled(record),
        books=_books(record),
        taken_back=tuple(corrected[:MOST_TAKEN_BACK]),
        more_taken_back=len(corrected[MOST_TAKEN_BACK:]),
        in_doubt=doubtful[:MOST_TAKEN_BACK],
        more_in_doubt=len(doubtful[MOST_TAKEN_BACK:]),
        closed=tuple((one.period, one.by, one.ledger) for one in closed_in(record.state)),
        worth=together,
        swings=hangs_on,
        months=months_of(record, here.currency),
    )


def _something_in(record: Record) -> None:
    """Raises MissingAssumptionError when there is nobody and nothing to tell of."""
    for table in (record.state.makers, record.state.works):
        if next(iter(table.prefixed("")), None) is not None:
            return
    remedy = "record who made what: gongfen record enrol maker=NAME …; or bring it in: gongfen import"
    raise MissingAssumptionError("the book", "knows no maker and no work yet: there is nothing to show", remedy)


_SAMPLES = {
    "sale": "prices",
    "labour": "hours of labour",
    "standard": "the standard: reductions, machine coefficients, MELT",
    "policy": "the policy of sharing",
    "plan": "planned uses",
    "work": "prompts",
    "influence": "influence",
}


def _sample_kinds(record: Record) -> tuple[str, ...]:
    kinds = {fact.kind for _, fact in record.about(SAMPLE)}
    return tuple(text for kind, text in _SAMPLES.items() if kind in kinds)


def _together(here: Shown, outputs: Sequence[OutputStory]) -> tuple[Worth | None, tuple[Swings, ...]]:
    """What was sold, together, and what that hangs on; of outputs of which none was sold, all of them."""
    record = here.record
    if not outputs or record.state.standards.get("*") is None:
        return None, ()
    sold = [one for one in outputs if one.price_micro is not None]
    names = tuple(one.output for one in sold or outputs)
    price = sum(one.price_micro or 0 for one in sold) if sold else None
    carried = carried_by_models(record, names)
    hangs_on = swings(record.state, names, price, carried, here.copies)
    return worth(record.state, names, price, here.copies), hangs_on


def _unsettled(record: Record) -> tuple[tuple[str, str, int], ...]:
    """(month, currency, micro-units) of what was sold in no settled period."""
    closed = [(one.ledger, one.period) for one in closed_in(record.state)]
    sums: dict[tuple[str, str], int] = {}
    for key, sale in record.state.sales.prefixed(""):
        currency, day, _ = key.split("|", 2)
        if not sale.reversed and not any(of == currency and day.startswith(period) for of, period in closed):
            sums[day[:7], currency] = sums.get((day[:7], currency), 0) + sale.price_micro
    return tuple((month, currency, amount) for (month, currency), amount in sorted(sums.items()))


def _works(record: Record) -> tuple[WorkStory, ...]:
    """Works in which labour is at rest, or was put by hours that nobody measured; the most first."""
    found = [
        WorkStory(
            work=work,
            kind=stock.kind,
            makers=answers.makers_of(record, work),
            uslh=stock.remaining,
            unmeasured=stock.unmeasured,
        )
        for work, stock in record.state.stocks.prefixed("")
        if stock.kind != "output" and (stock.remaining or stock.unmeasured)
    ]
    return tuple(sorted(found, key=lambda one: (-one.uslh, one.work)))


def _machines(record: Record) -> tuple[MachineStory, ...]:
    """Every device with its meters and the labour that it passed on."""
    found = []
    for meter in meters_of(meter_readings(record.state), lacking_in(runs_in(record))):
        account = External("machine", meter.device).account
        given = record.state.balances.get(f"{account}|{LABOUR_UNIT}")
        found.append(
            MachineStory(
                device=meter.device,
                device_us=meter.device_us,
                energy_mwh=meter.energy_mwh,
                energy_lacking=meter.lacking.get("energy_mwh", 0),
                uslh=None if given is None else -given,
            )
        )
    return tuple(found)


def _books(record: Record) -> BooksStory:
    """The ledger, as ``gongfen books`` has it."""
    ledger = ledger_of(record)
    return BooksStory(
        given=tuple(ledger.given.items()),
        by_kind=tuple(ledger.by_kind.items()),
        outputs_uslh=ledger.outputs_uslh,
        stocks=tuple(ledger.stocks.items()),
        losses=tuple(ledger.losses.items()),
        passed_on_uslh=ledger.passed_on_uslh,
        circulation_us=ledger.circulation_us,
        money=tuple((one.account, one.currency, one.micro) for one in ledger.money),
    )


# -- the model ---------------------------------------------------------------------------------------------------------


def _model_of(record: Record, outputs: Sequence[str]) -> str:
    """The model behind the first output that has one; else the newest that was made here; else none."""
    for output in outputs:
        known = record.state.works.get(output)
        if known is not None and known.model:
            return known.model
    made = (fact.body.model for _, fact in reversed(record.about("kind|model")) if isinstance(fact.body, k.Model))
    return next((model for model in made if making_of(record, model)), "")


class _Memory(msgspec.Struct):
    """What this page reads in the stored record of a training."""

    losses_unat: tuple[int, ...] = ()
    tokens: int | None = None


def _memory(record: Record, making: k.Make | None) -> _Memory:
    """Somebody else's record of a making, in another form, tells this page nothing."""
    try:
        return msgspec.json.decode(record.blob(making.record_sha256 or "") or b"{}" if making else b"{}", type=_Memory)
    except msgspec.DecodeError:
        return _Memory()


def _training(record: Record, model: str) -> TrainingStory | None:
    """How the model was made, as far as this book knows; ``None`` without one."""
    known = record.state.works.get(model) if model else None
    if known is None:
        return None
    making = making_of(record, model)
    memory = _memory(record, making)
    inputs = making.inputs if making else ()
    data = next((use.work for use in inputs if use.role == "data"), "")
    gathered = next((f.body for _, f in record.origin_of(data) if isinstance(f.body, k.Dataset)), None)
    works = gathered.works if gathered else None
    declared = (fact.body for _, fact in record.origin_of(model))
    base = next((use.work for use in inputs if use.role == "base"), None)
    base = base or next((one.base for one in declared if isinstance(one, k.Model)), None)
    start, ran = record.state.works.get(base) if base else None, _machine_time(record, model)
    return TrainingStory(
        model=model,
        base=base or ("none: trained from scratch" if gathered else ""),
        base_sha256=start.sha256 if start else "",
        works=None if works is None else len(works),
        makers=None if works is None else len({one for work in works for one in answers.makers_of(record, work)}),
        dropped=_dropped(record),
        steps=len(memory.losses_unat) or None,
        tokens=memory.tokens,
        losses_unat=memory.losses_unat,
        device=ran.device,
        device_us=ran.device_us,
        gflop=ran.gflop,
        energy_mwh=ran.energy_mwh,
        energy_quality=ran.energy_quality,
        seed=making.seed if making else None,
        adapter_sha256=known.sha256,
        data_root=gathered.root if gathered else "",
        config_sha256=(making.config_sha256 if making else None) or "",
        code_sha256=(making.code_sha256 if making else None) or "",
    )


@dataclass(frozen=True, slots=True)
class _Ran:
    """What machines did for a model; ``None``: nobody said, or not of every run."""

    device: str
    device_us: int | None
    gflop: int | None
    energy_mwh: int | None
    energy_quality: str


def _machine_time(record: Record, model: str) -> _Ran:
    """Every run for a model, added up."""
    corrected = corrected_in(record.state)
    about = ((fact.id, fact.body) for _, fact in record.about(model) if fact.id not in corrected)
    runs = [body for _, body in about if isinstance(body, k.Compute) and body.work == model]
    qualities = {run.energy_quality for run in runs}
    return _Ran(
        device=", ".join(dict.fromkeys(run.device for run in runs)),
        device_us=_whole([run.device_us for run in runs]),
        gflop=_whole([run.gflop for run in runs]),
        energy_mwh=_whole([run.energy_mwh for run in runs]),
        energy_quality=qualities.pop() if len(qualities) == 1 else "unknown",
    )


def _whole(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def _dropped(record: Record) -> tuple[tuple[str, int], ...]:
    """How many items were left out, by reason."""
    count: dict[str, int] = {}
    for _, fact in record.about("kind|drop"):
        assert isinstance(fact.body, k.Drop), "the index lists it as one"
        reason = fact.body.reason.replace("_", " ")
        count[reason] = count.get(reason, 0) + 1
    return tuple(sorted(count.items()))


# -- people ------------------------------------------------------------------------------------------------------------


def _makers(record: Record, settlement: k.Settlement, outputs: Sequence[OutputStory]) -> tuple[MakerStory, ...]:
    """Whom the settlement pays, the most owed first."""
    behind = answers.who(record, outputs[0].output).makers if outputs else ()
    works = {row.maker: row.works for row in behind}
    labour: dict[str, int] = {}
    imputed: set[str] = set()
    for output in outputs:
        for maker, uslh in answers.labour_by_maker(record, output.output).items():
            labour[maker] = labour.get(maker, 0) + uslh
        imputed |= answers.imputed_makers(record, output.output)
    quoted: dict[str, int] = {}
    for output in outputs:
        for quote in output.quotes:
            for maker in quote.makers:
                quoted[maker] = quoted.get(maker, 0) + 1
    shared = sum(line.influence_micro for line in settlement.lines) or 1
    rows = {row.maker: row for row in answers.owed(record) if row.currency == settlement.currency}
    found = [
        MakerStory(
            maker=line.maker,
            name=name_of(record, line.maker),
            works=works.get(line.maker, 0),
            labour_uslh=labour.get(line.maker, 0),
            labour_quality=_known(labour.get(line.maker, 0), imputed=line.maker in imputed),
            influence_ppm=line.influence_micro * 1_000_000 // shared,
            owed_for_labour_micro=line.labour_micro,
            owed_for_influence_micro=line.influence_micro,
            owed_micro=line.amount_micro,
            paid_micro=line.amount_micro
            - min(line.amount_micro, rows[line.maker].owed_micro if line.maker in rows else 0),
            quoted=quoted.get(line.maker, 0),
        )
        for line in settlement.lines
    ]
    return tuple(sorted(found, key=lambda row: (-row.owed_micro, row.maker)))


def _known(labour_uslh: int, *, imputed: bool) -> str:
    """How a maker's labour is known; none at all was measured by nobody."""
    if not labour_uslh:
        return "unknown"
    return "imputed" if imputed else "measured"


def _people(record: Record, paid: set[str], *, everybody: bool) -> tuple[PersonStory, ...]:
    """Makers who are not in ``paid``: all but machines, or those who worked or are owed something."""
    labour, owed = _labour(record), _owed(record)
    works: dict[str, int] = {}
    for _, known in record.state.works.prefixed(""):
        for part in known.makers:
            works[part.maker] = works.get(part.maker, 0) + 1
    unmeasured = _unmeasured(record)
    found = [
        PersonStory(
            maker=maker,
            name=name_of(record, maker),
            works=works.get(maker, 0),
            labour_uslh=labour.get(maker, 0),
            unmeasured=maker in unmeasured,
            owed=tuple(owed.get(maker, ())),
        )
        for maker, known in record.state.makers.prefixed("")
        if maker not in paid
        and (maker in labour or maker in owed or maker in unmeasured or (everybody and known.form != "machine"))
    ]
    return tuple(sorted(found, key=lambda row: (-row.labour_uslh, row.maker)))


def _labour(record: Record) -> dict[str, int]:
    """Maker → their living labour in the whole book, micro-SLH."""
    sums: dict[str, int] = {}
    for start in LIVING:
        for key, amount in record.state.balances.prefixed(start):
            account, _, unit = key.rpartition("|")
            if unit == LABOUR_UNIT and amount:
                maker = account.split(":", 3)[3]
                sums[maker] = sums.get(maker, 0) - amount
    return sums


def _owed(record: Record) -> dict[str, list[tuple[str, int]]]:
    """Maker → (currency, micro-units) that is still due, whatever it came from."""
    due: dict[str, list[tuple[str, int]]] = {}
    for key, balance in record.state.balances.prefixed(payable("")):
        account, _, currency = key.rpartition("|")
        if balance:
            due.setdefault(account.removeprefix(payable("")), []).append((currency, -balance))
    return due


def _unmeasured(record: Record) -> set[str]:
    """Makers who did labour that nobody measured."""
    corrected = corrected_in(record.state)
    return {
        fact.body.maker
        for _, fact in record.facts(0, record.size_seen)
        if isinstance(fact.body, k.Labour) and fact.body.labour_us is None and fact.id not in corrected
    }


# -- test and settlement -----------------------------------------------------------------------------------------------


def _validation(record: Record, settlement: k.Settlement | None) -> Validation | None:
    """How the influence that was paid on stands beside retraining; without a settlement, nothing was paid on."""
    if settlement is None or settlement.influence is None:
        return None
    facts = record.about(settlement.influence)
    measured = next((f.body for _, f in facts if isinstance(f.body, k.Influence)), None)
    tests = [f.body for _, f in facts if isinstance(f.body, k.Evaluation)]
    if measured is None or not tests:
        return None
    growth = next((note.value for note in measured.notes if note.name == "adjoint growth ppm"), "")
    return Validation(
        points=tuple(
            ScatterPoint(
                maker=name_of(record, point.label),
                predicted_nnat=point.predicted_nnat,
                measured_nnat=point.measured_nnat,
            )
            for point in tests[-1].points
        ),
        spearman_ppm=tests[-1].value_ppm,
        spearman_between_ppm=rank_interval_ppm(tests[-1].value_ppm, len(tests[-1].points)),
        adjoint_growth_ppm=int(growth) if WHOLE.fullmatch(growth) else None,
        method=measured.method,
    )


def _settlement(record: Record, settlement: k.Settlement, seq: int) -> SettlementStory:
    published = record.state.policies.get(settlement.policy)
    assert published is not None, "a settlement names a published policy"
    return SettlementStory(
        settlement=settlement.settlement,
        period=settlement.period,
        policy=settlement.policy,
        policy_text=published.policy.statement,
        standard=settlement.standard,
        currency=settlement.currency,
        sales_micro=settlement.sales_micro,
        pool_micro=settlement.pool_micro,
        beta_ppm=published.policy.beta_ppm,
        shared_micro=settlement.total_micro - settlement.unidentified_micro,
        unidentified_micro=settlement.unidentified_micro,
        carried_micro=settlement.carried_out_micro,
        proof=proof_of(record, seq),
    )

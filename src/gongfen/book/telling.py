"""A book as a story: everything that the report page shows, gathered from the record, each number with its receipt."""

import json
import re
from collections.abc import Sequence

from gongfen.accounts import conservation
from gongfen.book import answers
from gongfen.book.bringing import name_of
from gongfen.book.clock import now
from gongfen.book.flows import labour_flow
from gongfen.book.publishing import text_of
from gongfen.book.recording import Record
from gongfen.book.valuing import carried_by_models, months_of
from gongfen.errors import MissingAssumptionError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.references import SAMPLE
from gongfen.proof.checkpoint import open_checkpoint
from gongfen.proof.merkle import leaf_hash
from gongfen.reports.replies import Who
from gongfen.reports.story import (
    LabourPart,
    MakerStory,
    OutputStory,
    Proof,
    Quoted,
    ScatterPoint,
    SettlementStory,
    Source,
    Story,
    TrainingStory,
    Validation,
)
from gongfen.value import swings, worth

EXCERPT = 180
STRONGEST = 6
WHOLE = re.compile("[0-9]{1,18}")
"""Notes are free text: what is no number is not known."""


def tell(record: Record, title: str, command: str) -> Story:
    """The story of a book's last settlement. Raises MissingAssumptionError when no period has been settled."""
    settled = [(seq, fact.body) for seq, fact in record.about("kind|settlement") if isinstance(fact.body, k.Settlement)]
    if not settled:
        raise MissingAssumptionError("the book", "has no settled period to report on", "settle one: gongfen settle")
    seq, settlement = settled[-1]
    note = record.checkpoint()
    checkpoint = open_checkpoint(note, record.verifier)
    nodes, flows = labour_flow(record)
    given, held = conservation(record.state)
    sold = sorted(
        {
            sale.output
            for _, sale in record.state.sales.prefixed(f"{settlement.currency}|{settlement.period}")
            if not sale.reversed
        }
    )
    standard = record.state.standards.get(settlement.standard)
    assert standard is not None, "a settlement names a published standard"
    outputs = tuple(_output(record, output, f"{settlement.currency}|{settlement.period}") for output in sold)
    model = _model_of(record, sold)
    price = sum(output.price_micro or 0 for output in outputs)
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
        melt_micro=standard.melt_micro,
        nodes=nodes,
        flows=flows,
        in_uslh=given,
        out_uslh=held,
        training=_training(record, model),
        outputs=outputs,
        makers=_makers(record, settlement, outputs),
        validation=_validation(record, settlement),
        settlement=_settlement(record, settlement, seq),
        worth=worth(record.state, tuple(sold), price),
        swings=swings(record.state, tuple(sold), price, carried_by_models(record, tuple(sold))),
        months=months_of(record, settlement.currency),
    )


_SAMPLES = {
    "sale": "prices",
    "labour": "hours of labour",
    "standard": "the standard: reductions, machine coefficients, MELT",
    "policy": "the policy of sharing",
    "plan": "planned uses",
    "work": "prompts",
}


def _sample_kinds(record: Record) -> tuple[str, ...]:
    kinds = {fact.kind for _, fact in record.about(SAMPLE)}
    return tuple(text for kind, text in _SAMPLES.items() if kind in kinds)


def _proof(record: Record, seq: int) -> Proof:
    fact = record.fact(seq)
    return Proof(seq=seq, fact=fact.id, kind=fact.kind, leaf=leaf_hash(record.entry(seq).data).hex())


def _output(record: Record, output: str, sold_in: str) -> OutputStory:
    facts = record.about(output)
    answer = answers.who(record, output)
    making = answers.making_of(record, output)
    typed = answers.prompt_length(making)
    text = text_of(record, output)
    prices = [
        sale.price_micro
        for _, sale in record.state.sales.prefixed(sold_in)
        if sale.output == output and not sale.reversed
    ]
    price = sum(prices) if prices else None
    value = worth(record.state, (output,), price)
    prompts = [use.work for use in making.inputs if use.role == "prompt"]
    influence = answers.newest_influence(facts, output)
    wanted = ("make", "output", "sale", "label")
    return OutputStory(
        output=output,
        prompt=text[:typed],
        prompted_by=", ".join(_names(record, answers.makers_of(record, prompts[0]))) if prompts else "",
        text=text[typed:],
        visible_label=next((f.body.visible.strip("> *") for _, f in facts if isinstance(f.body, k.Label)), ""),
        sources=_sources(record, answer),
        works_measured=len(influence[1].effects) if influence else 0,
        influence_grade=answer.grade or "",
        influence_method=answer.method or "",
        quotes=_quotes(record, answer, typed, len(text)),
        quote_rule=answer.searched or "",
        transferred_uslh=value.transferred_uslh,
        living_uslh=value.living_uslh,
        unmeasured=value.unmeasured,
        by_kind=tuple(LabourPart(part=part, uslh=uslh) for part, uslh in _parts(value.by_kind, value.by_external)),
        layers=value.layers,
        price_micro=price,
        value_micro=value.value_micro,
        rent_avg_micro=value.rent_avg_micro,
        rent_repro_micro=value.rent_repro_micro,
        proofs=tuple(_proof(record, seq) for seq, fact in facts if fact.kind in wanted and _is_of(fact, output)),
    )


def _is_of(fact: Fact, output: str) -> bool:
    return not isinstance(fact.body, k.Make) or output in fact.body.outputs


def _parts(by_kind: dict[str, int], external: dict[str, int]) -> list[tuple[str, int]]:
    rest: dict[str, int] = {}
    for name, uslh in external.items():
        group = name.partition(":")[0]
        rest[group] = rest.get(group, 0) + uslh
    return [*by_kind.items(), *rest.items()]


def _names(record: Record, makers: Sequence[str]) -> tuple[str, ...]:
    return tuple(name_of(record, maker) for maker in makers)


def _sources(record: Record, answer: Who) -> tuple[Source, ...]:
    found: list[Source] = []
    for row in answer.strongest[:STRONGEST]:
        known = record.state.works.get(row.work)
        assert known is not None, "a measured work is known"
        declared = record.fact(known.seq).body
        text = " ".join(text_of(record, row.work).split())
        found.append(
            Source(
                work=row.work,
                makers=row.makers,
                excerpt=text if len(text) <= EXCERPT else text[:EXCERPT] + "…",
                origin=declared.source if isinstance(declared, k.Work) else "",
                effect_nnat=row.effect_nnat,
                share_ppm=row.share_ppm,
                proof=_proof(record, known.seq),
            )
        )
    return tuple(found)


def _quotes(record: Record, answer: Who, typed: int, length: int) -> tuple[Quoted, ...]:
    return tuple(
        Quoted(
            start=quote.start - typed,
            end=min(quote.end, length) - typed,
            work=quote.work,
            makers=quote.makers,
            proof=_proof(record, quote.seq),
        )
        for quote in answer.quotes
        if quote.start >= typed
    )


def _model_of(record: Record, outputs: Sequence[str]) -> str:
    return next((use.work for use in answers.making_of(record, outputs[0]).inputs if use.role == "model"), "")


def _training(record: Record, model: str) -> TrainingStory:
    """How the model was made. Raises MissingAssumptionError for a model that this book did not train."""
    making = answers.making_of(record, model)
    memory = json.loads(record.blob(making.record_sha256 or "") or b"{}")
    facts = record.about(model)
    compute = next((fact.body for _, fact in facts if isinstance(fact.body, k.Compute)), None)
    data = next((use.work for use in making.inputs if use.role == "data"), None)
    if compute is None or data is None or "losses_unat" not in memory:
        raise MissingAssumptionError(model, "has no record of its training", "report on a model that was trained here")
    gathered = next(f.body for _, f in record.about(data) if isinstance(f.body, k.Dataset) and f.body.dataset == data)
    base = next((use.work for use in making.inputs if use.role == "base"), None)
    known, start = record.state.works.get(model), record.state.works.get(base) if base else None
    assert known is not None, "a making's output is known"
    owners = {maker for work in gathered.works for maker in answers.makers_of(record, work)}
    return TrainingStory(
        model=model,
        base=base or "none: trained from scratch",
        base_sha256=start.sha256 if start else "",
        works=len(gathered.works),
        makers=len(owners),
        dropped=_dropped(record),
        steps=len(memory["losses_unat"]),
        tokens=memory["tokens"],
        losses_unat=tuple(memory["losses_unat"]),
        device=compute.device,
        device_us=compute.device_us,
        gflop=compute.gflop,
        energy_mwh=compute.energy_mwh,
        energy_quality=compute.energy_quality,
        seed=making.seed,
        adapter_sha256=known.sha256,
        data_root=gathered.root,
        config_sha256=making.config_sha256 or "",
        code_sha256=making.code_sha256 or "",
    )


def _dropped(record: Record) -> tuple[tuple[str, int], ...]:
    """How many items were left out, by reason."""
    count: dict[str, int] = {}
    for _, fact in record.about("kind|drop"):
        assert isinstance(fact.body, k.Drop), "the index lists it as one"
        reason = fact.body.reason.replace("_", " ")
        count[reason] = count.get(reason, 0) + 1
    return tuple(sorted(count.items()))


def _makers(record: Record, settlement: k.Settlement, outputs: Sequence[OutputStory]) -> tuple[MakerStory, ...]:
    steps = answers.who(record, outputs[0].output)
    works = {row.maker: row.works for row in steps.makers}
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


def _validation(record: Record, settlement: k.Settlement) -> Validation | None:
    if settlement.influence is None:
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
        proof=_proof(record, seq),
    )

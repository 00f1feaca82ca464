"""Questions to the book: who made it, what is it worth, who is owed what. Read from the views; nothing is scanned."""

from collections.abc import Iterator

import msgspec
from msgspec import UnsetType

from gongfen.accounts import living_labour, stock_in
from gongfen.accounts.chart import UNIDENTIFIED, Living, payable, read_source
from gongfen.accounts.state import State
from gongfen.book.how_tested import tested
from gongfen.book.recording.correcting import taken_back
from gongfen.book.recording.record import Record
from gongfen.book.sampled import sampled
from gongfen.errors import MissingAssumptionError, UnknownMakerError, UnknownWorkError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM, apportion, round_half_up
from gongfen.reports.replies import SEEDS_AGREE, Behind, Followed, Owed, Part, Quotation, Strongest, Twins, Unseen, Who
from gongfen.shares import influence_weights
from gongfen.trace.lineage import Step, lineage
from gongfen.value import Worth, worth

Dated = tuple[str, str]
"""(currency, day): money of one day, which one rate turns into other money."""
SEARCHED = "quotations searched"
CLOSE = "near copies searched"
DUPLICATES = "duplicates"
ABOVE_RANDOM = "strongest above random works"
TOLD_BY = "above random works by"
INTERVAL = "interval"
CUT = "works cut for training"
UNSEEN = "not seen: "
UNSEEN_NAMED = 10
"""So many names of what an index does not look at are recorded, after their number."""
SHARE = "share between, ppm"
SHARES_NOTED = 200
"""Of so many makers the interval of their share is recorded, those first whose share may be largest."""
TOLD = {"yes": True, "no": False}
"""What a measurement says of itself; anything else is unknown."""
TYPED = "typed code points"
"""Names of notes that are written where a thing is made or measured, and read here."""


def who(record: Record, output: str) -> Who:
    """Who made ``output``. Raises UnknownWorkError."""
    facts = record.about(output)
    steps = lineage(output, record.origin_of)
    if not steps and record.state.makers.get(output) is not None:
        remedy = f"ask what they are owed: gongfen owed {output}; where their labour is: gongfen export statement"
        raise UnknownWorkError(output, "is a maker, not a work", f"{remedy} --maker {output}")
    if not steps:
        raise UnknownWorkError(output, "is not in this book", "see what is: gongfen log --kind output")
    owners = {step.work: tuple(part.maker for part in step.makers) for step in steps}
    found = newest_influence(facts, output)
    strongest = tuple(_strongest(record, found)) if found else ()
    quotes = tuple(
        Quotation(
            start=fact.body.output_start,
            end=fact.body.output_end,
            work=fact.body.work,
            makers=makers_of(record, fact.body.work),
            seq=seq,
        )
        for seq, fact in facts
        if isinstance(fact.body, k.Quote) and fact.body.output == output and fact.body.exact
    )
    stock = stock_in(record.state, output)
    test = tested(record, found[1]) if found else None
    measured = [one for one in (found[0] if found else None, test.seq if test else None) if one is not None]
    return Who(
        output=output,
        lineage=tuple(
            (step.work, step.kind, step.role) for step in steps if not step.depth or step.role not in ("data", "whole")
        ),
        by=tuple((part.maker, part.ppm) for part in steps[0].makers),
        works=sum(is_training_work(step) for step in steps),
        unmeasured=stock.is_lower_bound if stock else True,
        grade=found[1].grade if found else None,
        method=found[1].method if found else None,
        searched=_noted(found[1], SEARCHED) if found else None,
        utility_nnat=_known(found[1].utility_nnat) if found else None,
        gained_nnat=gained(found[1]) if found else None,
        residual_nnat=residual(found[1]) if found else None,
        interval=_noted(found[1], INTERVAL) if found else None,
        cut=_noted(found[1], CUT) if found else None,
        unseen=_unseen(found[1]) if found else (),
        parts=tuple(_parts(record, output, facts, found[1])) if found else (),
        told=TOLD.get(_noted(found[1], ABOVE_RANDOM) or "") if found else None,
        told_by=told_by(found[1]) if found else None,
        tested=test,
        sample=sampled(record, steps, facts, measured, labour=stock is not None and bool(stock.content)),
        makers=tuple(_behind(record, output, steps, owners, found, quotes)),
        strongest=strongest,
        quotes=quotes,
        near_copies=tuple(_near_copies(record, output, facts)),
        twins=tuple(_twins(found[1], strongest)) if found else (),
        taken_back=taken_back(record, output),
        seq=steps[0].seq,
    )


def is_training_work(step: Step) -> bool:
    """Whether a step of a lineage is a work that went into it, and not the thing itself."""
    return step.depth > 0 and step.role == "data" and step.kind == "work"


def _near_copies(record: Record, output: str, facts: list[tuple[int, Fact]]) -> Iterator[Followed]:
    for seq, fact in facts:
        if isinstance(fact.body, k.Quote) and fact.body.output == output and not fact.body.exact:
            yield Followed(
                start=fact.body.output_start,
                end=fact.body.output_end,
                work=fact.body.work,
                makers=makers_of(record, fact.body.work),
                similarity_ppm=_known(fact.body.similarity_ppm),
                seq=seq,
            )


def _twins(influence: k.Influence, strongest: tuple[Strongest, ...]) -> list[Twins]:
    """What works that are copies of one another have together."""
    rows = {row.work: row for row in strongest}
    groups: dict[str, list[Strongest]] = {}
    for note in influence.notes:
        if note.name.startswith(f"{DUPLICATES} "):
            groups.setdefault(note.name, []).extend(rows[work] for work in note.value.split(" ") if work in rows)
    found = [
        Twins(
            works=tuple(row.work for row in group),
            effect_nnat=sum(row.effect_nnat for row in group),
            share_ppm=sum(row.share_ppm for row in group),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda twins: (-twins.share_ppm, -twins.effect_nnat, twins.works))


def _noted(influence: k.Influence, name: str) -> str | None:
    return next((note.value for note in influence.notes if note.name == name), None)


def told_by(influence: k.Influence) -> str | None:
    """By what a measurement tells its strongest works from random ones; older ones of the run itself do not say it."""
    return _noted(influence, TOLD_BY) or (SEEDS_AGREE if influence.method.startswith("metagradient, ") else None)


def shares_noted(maker: str, low_ppm: int, high_ppm: int) -> k.Note:
    """Both ends of a maker's share, as they are recorded beside a measurement."""
    return k.Note(name=SHARE, value=f"{low_ppm} {high_ppm} {maker}")


def shares_between(influence: k.Influence) -> dict[str, tuple[int, int]]:
    """Maker → both ends of their share, as far as the measurement says them."""
    rows = (note.value.split(" ", 2) for note in influence.notes if note.name == SHARE)
    return {row[2]: (int(row[0]), int(row[1])) for row in rows if len(row) == 3 and (row[0] + row[1]).isdecimal()}


def _unseen(influence: k.Influence) -> tuple[Unseen, ...]:
    """What the index that answered does not look at, as it was noted: how many, and the first names."""
    found = []
    for note in influence.notes:
        count, _, names = note.value.partition(": ")
        if note.name.startswith(UNSEEN) and count.isdecimal():
            why = note.name.removeprefix(UNSEEN)
            found.append(Unseen(why=why, count=int(count), names=tuple(names.split(" "))))
    return tuple(found)


def _known(value: int | UnsetType) -> int | None:
    return value if isinstance(value, int) else None


def gained(influence: k.Influence) -> int | None:
    """What the utility gained by tuning the model on the works, nano-nats; ``None``: not recorded."""
    now, before = _known(influence.utility_nnat), _known(influence.untuned_nnat)
    return None if now is None or before is None else now - before


def residual(influence: k.Influence) -> int | None:
    """What of the gain the effects do not account for, nano-nats: gain − Σ effects; ``None``: not recorded."""
    found = gained(influence)
    return None if found is None else found - sum(effect.effect_nnat for effect in influence.effects)


def newest_influence(facts: list[tuple[int, Fact]], target: str) -> tuple[int, k.Influence] | None:
    """The last measurement of influence on a target."""
    found = [(seq, fact.body) for seq, fact in facts if isinstance(fact.body, k.Influence) and is_of(fact.body, target)]
    return found[-1] if found else None


def is_of(influence: k.Influence, target: str) -> bool:
    """Whether a measurement is of a target as a whole, not of a part of it."""
    return influence.target == target and not isinstance(influence.output_start, int)


def of_parts(facts: list[tuple[int, Fact]], whole: k.Influence) -> list[tuple[int, k.Influence]]:
    """The measurements of an output's parts that were made with that of the whole, by place."""
    found = [
        (seq, fact.body)
        for seq, fact in facts
        if isinstance(fact.body, k.Influence)
        and isinstance(fact.body.output_start, int)
        and fact.body.influence.startswith(f"{whole.influence}:")
    ]
    return sorted(found, key=lambda one: (one[1].output_start, one[0]))


def makers_of(record: Record, work: str) -> tuple[str, ...]:
    """The makers of a work, by the book; empty when they are unknown."""
    known = record.state.works.get(work)
    return tuple(part.maker for part in known.makers) if known else ()


def _strongest(record: Record, found: tuple[int, k.Influence]) -> list[Strongest]:
    seq, influence = found
    shares = _shares(influence)
    ranked = sorted(influence.effects, key=lambda effect: (-effect.effect_nnat, effect.work))
    return [
        Strongest(
            work=effect.work,
            makers=makers_of(record, effect.work),
            effect_nnat=effect.effect_nnat,
            share_ppm=shares.get(effect.work, 0),
            seq=seq,
            low_nnat=_known(effect.low_nnat),
            high_nnat=_known(effect.high_nnat),
        )
        for effect in ranked
    ]


def _parts(record: Record, output: str, facts: list[tuple[int, Fact]], whole: k.Influence) -> Iterator[Part]:
    """The sentences that were measured with the whole."""
    measured = of_parts(facts, whole)
    known = record.state.works.get(output) if measured else None
    text = (record.blob(known.sha256) or b"").decode(errors="replace") if known else ""
    for seq, body in measured:
        start, end = _known(body.output_start), _known(body.output_end)
        assert start is not None, "a part has both ends"
        assert end is not None, "a part has both ends"
        yield Part(
            start=start,
            end=end,
            text=text[start:end],
            told=TOLD.get(_noted(body, ABOVE_RANDOM) or ""),
            strongest=tuple(row for row in _strongest(record, (seq, body)) if row.effect_nnat > 0),
        )


def _shares(influence: k.Influence) -> dict[str, int]:
    positive = {effect.work: effect.effect_nnat for effect in influence.effects if effect.effect_nnat > 0}
    return apportion(PPM, positive) if positive else {}


def _behind(
    record: Record,
    output: str,
    steps: tuple[Step, ...],
    owners: dict[str, tuple[str, ...]],
    found: tuple[int, k.Influence] | None,
    quotes: tuple[Quotation, ...],
) -> list[Behind]:
    works: dict[str, int] = {}
    for step in steps:
        if is_training_work(step):
            for maker in owners[step.work]:
                works[maker] = works.get(maker, 0) + 1
    labour = labour_by_maker(record, output)
    influence: dict[str, int] = {}
    between = shares_between(found[1]) if found else {}
    if found:
        weights = influence_weights(record.state, found[1])
        weights.pop(UNIDENTIFIED, None)
        influence = apportion(PPM, weights) if sum(weights.values()) else {}
    rows = [
        Behind(
            maker=maker,
            works=works.get(maker, 0),
            labour_uslh=labour.get(maker, 0),
            influence_ppm=influence.get(maker, 0) if found else None,
            **_ends(between.get(maker), influence.get(maker, 0)),
            quotes=sum(maker in quote.makers for quote in quotes),
        )
        for maker in {*works, *labour, *(maker for step in steps for maker in owners[step.work])}
    ]
    return sorted(rows, key=lambda row: (-(row.influence_ppm or 0), -row.labour_uslh, row.maker))


def _ends(between: tuple[int, int] | None, share_ppm: int) -> dict[str, int]:
    """Both ends of a share, unless they are of another: a work's makers were corrected after it was measured."""
    if between is None or not between[0] <= share_ppm <= between[1]:
        return {}
    return {"influence_low_ppm": between[0], "influence_high_ppm": between[1]}


def labour_by_maker(record: Record, output: str) -> dict[str, int]:
    """Maker → living labour in a work, micro-SLH."""
    stock = stock_in(record.state, output)
    return living_labour(stock) if stock else {}


def imputed_makers(record: Record, output: str) -> set[str]:
    """Makers whose labour in a work is known by imputation only."""
    stock = stock_in(record.state, output)
    living = [source for source in map(read_source, stock.content if stock else ()) if isinstance(source, Living)]
    return {source.maker for source in living if source.quality == "imputed"}


def price_of(record: Record, outputs: tuple[str, ...], currency: str) -> int | None:
    """What these outputs fetched together, micro-units of ``currency``; ``None`` when none was sold.

    Sales in another currency count by the rate of their day; raises MissingAssumptionError where none is published.
    """
    prices = [
        converted(record, sale.price_micro, sale.currency, currency, sale.day)
        for output in outputs
        for _, fact in record.about(output)
        if isinstance(sale := fact.body, k.Sale) and _stands(record, sale)
    ]
    return sum(prices) if prices else None


def _stands(record: Record, sale: k.Sale) -> bool:
    sold = record.state.sales.get(f"{sale.currency}|{sale.day}|{sale.sale}")
    return sold is not None and not sold.reversed


def converted(record: Record, amount_micro: int, currency: str, into: str, day: str) -> int:
    """An amount of a day in another currency, halves up. Raises MissingAssumptionError.

    By the rate, either way, of that day, or of the last day before it that has one. A later rate says nothing of it.
    """
    if currency == into:
        return amount_micro
    there, back = (_rate(record.state, *pair, day) for pair in ((currency, into), (into, currency)))
    if there is not None and (back is None or back.day <= there.day):
        return round_half_up(amount_micro * there.num, there.den)
    if back is not None:
        return round_half_up(amount_micro * back.den, back.num)
    remedy = f"publish it: gongfen record rate rate=NAME currency={currency} into={into} num=N den=N day={day} source=…"
    raise MissingAssumptionError(f"the rate of {currency} in {into}", f"is not published for {day}, nor before", remedy)


def _rate(state: State, currency: str, into: str, day: str) -> k.Rate | None:
    """The newest rate of a day or before it; the days near by are looked at first."""
    pair = f"{currency}|{into}|"
    for known in (10, 7, 4, 0):
        rates = [rate for key, rate in state.rates.prefixed(pair + day[:known]) if key <= pair + day]
        if rates:
            return rates[-1]
    return None


def worth_of(record: Record, outputs: tuple[str, ...]) -> Worth:
    """What outputs are worth together, and what they fetched. Raises UnknownWorkError, MissingAssumptionError."""
    outputs = tuple(dict.fromkeys(outputs))
    standard = record.state.standards.get("*")
    answer = worth(record.state, outputs, price_of(record, outputs, standard.currency) if standard else None)
    return msgspec.structs.replace(answer, taken_back=taken_back(record, *outputs))


def owed(record: Record, maker: str | None = None) -> tuple[Owed, ...]:
    """What makers are owed, by maker and currency; with the unidentified at the end. Raises UnknownMakerError."""
    if maker is not None and maker != UNIDENTIFIED and record.state.makers.get(maker) is None:
        raise UnknownMakerError(maker, "is not enrolled", "see who is: gongfen log --kind enrol --last 0")
    rows: list[Owed] = []
    prefix = payable("") if maker is None else f"{payable(maker)}|"
    for key, balance in record.state.balances.prefixed(prefix):
        account, _, currency = key.rpartition("|")
        rows.append(_owed(record, account.removeprefix(payable("")), currency, -balance))
    if maker in (None, UNIDENTIFIED):
        for key, balance in record.state.balances.prefixed(f"{UNIDENTIFIED}|"):
            currency = key.rpartition("|")[2]
            rows.append(
                Owed(
                    maker=UNIDENTIFIED,
                    currency=currency,
                    for_labour_micro=0,
                    for_influence_micro=0,
                    settled_micro=-balance,
                    paid_micro=0,
                    owed_micro=-balance,
                    settlements=(),
                )
            )
    return tuple(rows)


def _owed(record: Record, maker: str, currency: str, balance: int) -> Owed:
    labour = influence = paid = opening = 0
    settlements: list[str] = []
    for _, fact in record.about(f"paid|{maker}"):
        body = fact.body
        if isinstance(body, k.Settlement) and body.currency == currency:
            settlements.append(body.settlement)
            labour += sum(line.labour_micro for line in body.lines if line.maker == maker)
            influence += sum(line.influence_micro for line in body.lines if line.maker == maker)
        if isinstance(body, k.Payment) and body.currency == currency and not _is_corrected(record, fact):
            paid += body.amount_micro
        if isinstance(body, k.Opening):
            owed_then = (item for item in body.money if (item.maker, item.currency) == (maker, currency))
            opening += sum(item.amount_micro for item in owed_then)
    return Owed(
        maker=maker,
        currency=currency,
        for_labour_micro=labour,
        for_influence_micro=influence,
        opening_micro=opening,
        settled_micro=labour + influence,
        paid_micro=paid,
        owed_micro=balance,
        settlements=tuple(settlements),
    )


def _is_corrected(record: Record, fact: Fact) -> bool:
    return record.state.names.get(f"corrected|{fact.id}") is not None


def making_of(record: Record, output: str) -> k.Make:
    """How an output was made. Raises UnknownWorkError."""
    for _, fact in record.about(output):
        if isinstance(fact.body, k.Make) and output in fact.body.outputs:
            return fact.body
    raise UnknownWorkError(output, "was not made in this book", "see what was: gongfen log --kind output")


def prompt_length(making: k.Make) -> int:
    """How many of an output's first code points were typed by a person."""
    return next((int(note.value) for note in making.notes if note.name == TYPED), 0)

"""Outputs as the page tells them: which, what they fetched, their text, whose work is in them, what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gongfen.book import answers
from gongfen.book.answers import Dated
from gongfen.book.importing.corpus import name_of
from gongfen.book.recording.correcting import taken_back
from gongfen.book.recording.keys import marked_who
from gongfen.book.recording.record import Record
from gongfen.errors import MissingAssumptionError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.proof.merkle import leaf_hash
from gongfen.reports.replies import Strongest, Who
from gongfen.reports.story import LabourPart, Near, OutputStory, Proof, Quoted, Sentence, Source
from gongfen.value import Layer, layers_of, lot_of, value_of_each, worth

EXCERPT = 180
STRONGEST = 6
FIRST = 3
"""Of a sentence."""
MOST_OUTPUTS = 40
"""On a page without a settlement; of a settled period all are shown."""
BY_HASH = "The book has it by its hash alone, not by its text."
NO_TEXT = "It is not text."
WANTED = ("make", "output", "sale", "label")


@dataclass(slots=True)
class Shown:
    """What the page is about: a settled period, or all that the book has."""

    record: Record
    settlement: k.Settlement | None
    currency: str = ""
    prices: dict[str, dict[Dated, int]] = field(default_factory=dict)
    """Output → (currency, day) → what it fetched, micro-units."""
    copies: dict[str, int] = field(default_factory=dict)
    """Of outputs that are several copies: how many were sold for that."""
    outputs: tuple[str, ...] = ()
    more: int = 0
    """Outputs of the book that are not among them."""

    def price(self, output: str) -> tuple[int | None, tuple[tuple[str, int], ...]]:
        """What an output fetched in the page's currency; or else in others, when no rate is published for one of them.

        A part of a price would be taken for the whole.
        """
        sold = self.prices.get(output)
        if not sold:
            return None, ()
        try:
            parts = [answers.converted(self.record, sold[of, day], of, self.currency, day) for of, day in sold]
        except MissingAssumptionError:  # the page says the amounts as they are
            sums: dict[str, int] = {}
            for (of, _), amount in sold.items():
                sums[of] = sums.get(of, 0) + amount
            return None, tuple(sorted(sums.items()))
        return sum(parts), ()


def shown(record: Record, settlement: k.Settlement | None) -> Shown:
    """What was sold in the settled period; without one, outputs that were sold, then those with the most labour."""
    found = Shown(record, settlement)
    prefix = f"{settlement.currency}|{settlement.period}" if settlement else ""
    for key, sale in record.state.sales.prefixed(prefix):
        if not sale.reversed:
            sums = found.prices.setdefault(sale.output, {})
            currency, day, _ = key.split("|", 2)
            sums[currency, day] = sums.get((currency, day), 0) + sale.price_micro
            if sale.copies is not None:
                found.copies[sale.output] = found.copies.get(sale.output, 0) + sale.copies
    standard = record.state.standards.get("*")
    found.currency = settlement.currency if settlement else standard.currency if standard else _commonest(found.prices)
    labour = {output: past + now for output, past, now in value_of_each(record.state)}
    if settlement:
        found.outputs = tuple(sorted(found.prices))
    else:
        order = sorted(labour, key=lambda one: (one not in found.prices, -labour[one], one))[:MOST_OUTPUTS]
        found.outputs = tuple(sorted(order, key=lambda one: (_seq(record, one), one)))
    found.more = len(labour) - len(found.outputs)
    return found


def _commonest(prices: dict[str, dict[Dated, int]]) -> str:
    """The currency in which most outputs were sold."""
    sold = [currency for sums in prices.values() for currency in {currency for currency, _ in sums}]
    return min(set(sold), key=lambda one: (-sold.count(one), one), default="")


def _seq(record: Record, work: str) -> int:
    known = record.state.works.get(work)
    assert known is not None, "a stock is of a known work"
    return known.seq


def proof_of(record: Record, seq: int) -> Proof:
    """Where a fact stands in the log."""
    fact = record.fact(seq)
    return Proof(seq=seq, fact=fact.id, kind=fact.kind, leaf=leaf_hash(record.entry(seq).data).hex())


def making_of(record: Record, work: str) -> k.Make | None:
    """How a work was made; ``None``: nobody recorded it."""
    made = (fact.body for _, fact in record.origin_of(work))
    return next((body for body in made if isinstance(body, k.Make) and work in body.outputs), None)


def story_of(here: Shown, output: str) -> OutputStory:
    """One output: everything that the record says of it."""
    record = here.record
    facts, answer, making = record.about(output), answers.who(record, output), making_of(record, output)
    typed = answers.prompt_length(making) if making else 0
    text, unread = _text(record, output)
    price, unrated = here.price(output)
    lot = lot_of(record.state, (output,))
    layers = layers_of(lot)
    value = worth(record.state, (output,), price, here.copies) if record.state.standards.get("*") else None
    prompts = [use.work for use in making.inputs if use.role == "prompt"] if making else []
    influence = answers.newest_influence(facts, output)
    return OutputStory(
        output=output,
        prompt=text[:typed],
        prompted_by=", ".join(_names(record, answers.makers_of(record, prompts[0]))) if prompts else "",
        text=text[typed:],
        unread=unread,
        origin=_origin(making),
        visible_label=next((f.body.visible.strip("> *") for _, f in facts if isinstance(f.body, k.Label)), ""),
        sources=_sources(record, answer.strongest[:STRONGEST]),
        works_measured=len(influence[1].effects) if influence else 0,
        lineage=answer.lineage,
        cut=answer.cut or "",
        gained_nnat=answer.gained_nnat,
        residual_nnat=answer.residual_nnat,
        twins=answer.twins,
        influence_grade=answer.grade or "",
        influence_method=answer.method or "",
        influence_interval=answer.interval or "",
        tested=answer.tested,
        sample=answer.sample,
        sentences=_sentences(record, answer, typed),
        influence_told=answer.told,
        unseen=answer.unseen,
        influence_told_by=answer.told_by,
        quotes=_quotes(record, answer, typed, len(text), unread=bool(unread)),
        near_copies=_near_copies(record, answer, typed, len(text), unread=bool(unread)),
        quote_rule=answer.searched or "",
        transferred_uslh=lot.past_uslh,
        living_uslh=lot.now_uslh,
        unmeasured=lot.unmeasured,
        untimed=lot.untimed,
        by_kind=_parts(layers),
        layers=layers,
        price_micro=price,
        unrated=unrated,
        quantity=lot.quantity,
        copies_sold=value.copies_sold if value and price is not None else None,
        value_micro=value.value_micro if value else None,
        rent_avg_micro=value.rent_avg_micro if value else None,
        rent_repro_micro=value.rent_repro_micro if value else None,
        gated=bool(lot.gated),
        spent=known.spent if (known := record.state.works.get(output)) else (),
        claimed=tuple(one for one in value.skills if one.claimed) if value else (),
        taken_back=taken_back(record, output),
        in_doubt=marked_who(record, answer).flagged,
        proofs=tuple(proof_of(record, seq) for seq, fact in facts if fact.kind in WANTED and _is_of(fact, output)),
    )


def _origin(making: k.Make | None) -> str:
    if making is None:
        return ""
    return "generated" if any(use.role == "model" for use in making.inputs) else "made"


def _text(record: Record, work: str) -> tuple[str, str]:
    """The text of a work, or why it cannot be shown."""
    known = record.state.works.get(work)
    blob = record.blob(known.sha256) if known else None
    if blob is None:
        return "", BY_HASH
    try:
        return blob.decode(), ""
    except UnicodeDecodeError:
        return "", NO_TEXT


def _is_of(fact: Fact, output: str) -> bool:
    return not isinstance(fact.body, k.Make) or output in fact.body.outputs


def _parts(layers: Sequence[Layer]) -> tuple[LabourPart, ...]:
    """The labour in an output: the eight kinds first, what came from outside after them."""
    sums: dict[str, int] = {}
    for layer in sorted(layers, key=lambda one: (not one.kind.isdigit(), one.kind)):
        sums[layer.kind] = sums.get(layer.kind, 0) + layer.uslh
    return tuple(LabourPart(part=part, uslh=uslh) for part, uslh in sums.items())


def _names(record: Record, makers: Sequence[str]) -> tuple[str, ...]:
    return tuple(name_of(record, maker) for maker in makers)


def _sentences(record: Record, answer: Who, typed: int) -> tuple[Sentence, ...]:
    """The sentences of what the model wrote that were measured by themselves."""
    return tuple(
        Sentence(
            start=part.start - typed,
            end=part.end - typed,
            told=part.told,
            sources=_sources(record, part.strongest[:FIRST]),
        )
        for part in answer.parts
        if part.start >= typed
    )


def _sources(record: Record, strongest: Sequence[Strongest]) -> tuple[Source, ...]:
    found: list[Source] = []
    for row in strongest:
        known = record.state.works.get(row.work)
        assert known is not None, "a measured work is known"
        declared = record.fact(known.seq).body
        text = " ".join(_text(record, row.work)[0].split())
        found.append(
            Source(
                work=row.work,
                makers=row.makers,
                excerpt=text if len(text) <= EXCERPT else text[:EXCERPT] + "…",
                origin=declared.source if isinstance(declared, k.Work) else "",
                effect_nnat=row.effect_nnat,
                share_ppm=row.share_ppm,
                proof=proof_of(record, known.seq),
                low_nnat=row.low_nnat,
                high_nnat=row.high_nnat,
            )
        )
    return tuple(found)


def _quotes(record: Record, answer: Who, typed: int, length: int, *, unread: bool) -> tuple[Quoted, ...]:
    """Quotations in what was written after the prompt; in a text that the book does not have, as they were recorded."""
    return tuple(
        Quoted(
            start=quote.start - typed,
            end=(quote.end if unread else min(quote.end, length)) - typed,
            work=quote.work,
            makers=quote.makers,
            proof=proof_of(record, quote.seq),
        )
        for quote in answer.quotes
        if quote.start >= typed
    )


def _near_copies(record: Record, answer: Who, typed: int, length: int, *, unread: bool) -> tuple[Near, ...]:
    """What follows a work closely in what was written after the prompt, as with quotations."""
    return tuple(
        Near(
            start=near.start - typed,
            end=(near.end if unread else min(near.end, length)) - typed,
            work=near.work,
            makers=near.makers,
            proof=proof_of(record, near.seq),
            similarity_ppm=near.similarity_ppm,
        )
        for near in answer.near_copies
        if near.start >= typed
    )

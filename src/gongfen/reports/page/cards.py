"""An output on the page: its text with what it quotes, whose work is in it, what it is worth, what labour it holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from gongfen.facts.amounts import round_half_up
from gongfen.reports.charts.row_bars import Span
from gongfen.reports.page.rows import Row, row_bar
from gongfen.reports.page.worth import price_said, value_sold
from gongfen.reports.story import LabourPart, OutputStory, Quoted, Sentence, Source, Story
from gongfen.reports.text.replies import cut_lines, gain_lines, lineage_said, taken_back_lines, twin_lines
from gongfen.reports.text.tested import tested_line, told_line, unseen_lines
from gongfen.reports.words import Words
from gongfen.reports.worth_words import CODES, claim_said, layer_name

OPENING = 90


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an output's text, with the numbers of the quotations that cover it, and of its sentence."""

    text: str
    end: int
    quotes: tuple[int, ...]
    sentence: int | None = None
    """From 1; ``None``: it was not measured by itself."""


@dataclass(frozen=True, slots=True)
class Influence:
    """A source of an output with its bar."""

    source: Source
    bar: Markup


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quoted stretch with its number and its words."""

    n: int
    quoted: Quoted
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One output, ready to be shown."""

    n: int
    story: OutputStory
    opening: str
    price: str
    segments: tuple[Segment, ...]
    sentences: tuple[tuple[int, str, Sentence], ...]
    quotations: tuple[Quotation, ...]
    influences: tuple[Influence, ...]
    tested: str
    account: tuple[str, ...]
    """How far its influence can be relied on: works that were cut, what was not looked at, the residual, twins."""
    lineage: str
    told: str
    """That its strongest works cannot be told from random ones, or that nobody knows; empty when they can."""
    worth: tuple[Row, ...]
    claims: tuple[str, ...]
    """Which reductions are only claimed to be by the rule that they name."""
    parts: tuple[Row, ...]
    taken_back: tuple[str, ...]
    """Facts that are no longer counted, each with its reason."""
    labour: Markup


def card_of(n: int, output: OutputStory, story: Story, words: Words, key: str) -> Card:
    """One output with its bars drawn."""
    quotations = tuple(Quotation(i, q, output.text[q.start : q.end]) for i, q in enumerate(output.quotes, 1))
    low = min([s.effect_nnat for s in output.sources] + [0])
    high = max([s.effect_nnat for s in output.sources] + [1])
    most = max([o.transferred_uslh + o.living_uslh for o in story.outputs] + [1])
    return Card(
        n=n,
        story=output,
        opening=_opening(output),
        price=price_said(output, story.currency, words),
        segments=segments(output.text, output.quotes, output.sentences),
        sentences=tuple((n, output.text[s.start : s.end], s) for n, s in enumerate(output.sentences, 1)),
        quotations=quotations,
        influences=tuple(
            Influence(s, row_bar([Span(0, s.effect_nnat, "influence", "estimated")], high, key, low))
            for s in output.sources
        ),
        tested=tested_line(output.tested, words),
        account=tuple(_account(output, words)),
        lineage=lineage_said(output.lineage, words),
        told=told_line(output.influence_told, output.influence_told_by, words) if output.works_measured else "",
        worth=_worth(output, story.currency, words, key),
        claims=tuple(claim_said(one, words) for one in output.claimed),
        parts=_parts(output.by_kind, words, key),
        taken_back=tuple(taken_back_lines(output.taken_back, words)),
        labour=row_bar(_labour_spans(output), most, key),
    )


def _account(output: OutputStory, words: Words) -> Iterator[str]:
    """What else the measurement says of itself."""
    yield from cut_lines(output.cut, words)
    yield from unseen_lines(output.unseen, words)
    yield from gain_lines(output.gained_nnat, output.residual_nnat, words)
    yield from twin_lines(output.twins, {s.work for s in output.sources if s.effect_nnat > 0}, words)


def _opening(output: OutputStory) -> str:
    """The first words of an output, to know it by."""
    text = " ".join(f"{output.prompt} {output.text}".split()) or output.output
    return text if len(text) <= OPENING else text[:OPENING].rsplit(" ", 1)[0] + " …"


def _labour_spans(output: OutputStory) -> list[Span]:
    """Objectified labour first, living labour after it."""
    both = output.transferred_uslh + output.living_uslh
    return [Span(0, output.transferred_uslh, "past"), Span(output.transferred_uslh, both, "living")]


def segments(text: str, quotes: Sequence[Quoted], sentences: Sequence[Sentence] = ()) -> tuple[Segment, ...]:
    """The text cut where a quotation or a sentence begins or ends, in code points; overlapping ones keep both numbers.

    >>> [s.text for s in segments("abcdef", [])]
    ['abcdef']
    """
    spans = [(q.start, q.end) for q in quotes] + [(s.start, s.end) for s in sentences]
    ends = {end for span in spans for end in span}
    cuts = sorted({0, len(text)} | {cut for cut in ends if 0 < cut < len(text)})
    made = []
    for start, end in pairwise(cuts):
        over = tuple(n for n, q in enumerate(quotes, 1) if q.start <= start and end <= q.end)
        within = next((n for n, s in enumerate(sentences, 1) if s.start <= start and end <= s.end), None)
        made.append(Segment(text[start:end], end, over, within))
    return tuple(made)


def _worth(o: OutputStory, currency: str, words: Words, key: str) -> tuple[Row, ...]:
    """Value, price, and rent under both theories, on one scale with the price as a mark."""
    money, price = words.money, o.price_micro
    high = max(o.value_micro or 0, price or 0, 1)
    rows = list(_values(o, currency, high, words, key))
    if o.unrated:
        said = " + ".join(money(amount, of) for of, amount in o.unrated)
        return (*rows, Row(words.gettext("Price"), said, row_bar([], high, key), "p"))
    if price is None:
        return tuple(rows)
    rows.append(
        Row(
            words.gettext("Price"),
            money(price, currency),
            row_bar([Span(0, price, "price")], high, key, mark=price),
            "p",
        )
    )
    living = None if o.rent_repro_micro is None else price - o.rent_repro_micro
    for name, formula, rent, base, bound in (
        ("avg", "p − μ(T + L)", o.rent_avg_micro, value_sold(o), o.unmeasured),
        ("repro", "p − μL", o.rent_repro_micro, living, o.untimed),
    ):
        what = Markup("{} R<sub>{}</sub>").format(words.gettext("Rent"), name)
        if rent is None or base is None:
            rows.append(Row(what, words.gettext("unknown"), row_bar([], high, key, mark=price), formula))
            continue
        span = Span(min(base, price), max(base, price), "rent" if rent >= 0 else "short")
        note = formula if rent >= 0 else words.say("%(formula)s: sold below value", formula=formula)
        rows.append(
            Row(
                what,
                ("≤ " if bound else "") + money(rent, currency),
                row_bar([span], high, key, mark=price),
                note,
            )
        )
    return tuple(rows)


def _values(o: OutputStory, currency: str, high: int, words: Words, key: str) -> Iterator[Row]:
    """The value, and of several copies that of one, or of those that were sold: what the price is held against."""
    price, what = o.price_micro, words.gettext("Value")
    if o.value_micro is None:
        yield Row(what, words.gettext("unknown"), row_bar([], high, key, mark=price), "μ(T + L)")
        return

    def row(name: str, micro: int, note: str = "", mark: int | None = None) -> Row:
        past = micro * o.transferred_uslh // max(o.transferred_uslh + o.living_uslh, 1)
        bar = row_bar([Span(0, past, "past"), Span(past, micro, "living")], high, key, mark=mark)
        return Row(name, ("≥ " if o.unmeasured else "") + words.money(micro, currency), bar, note)

    yield row(what, o.value_micro, "μ(T + L)", price)
    all_, sold = words.number(o.quantity), value_sold(o)
    if o.copies_sold is not None and sold is not None:
        name = words.say("in %(sold)s of its %(all)s copies: those sold", sold=words.number(o.copies_sold), all=all_)
        yield row(name, sold, mark=price)
    elif o.quantity > 1:
        yield row(words.say("one of its %(all)s copies", all=all_), round_half_up(o.value_micro, o.quantity))


def _parts(parts: Sequence[LabourPart], words: Words, key: str) -> tuple[Row, ...]:
    """The labour in an output, kind by kind."""
    most = max([p.uslh for p in parts] + [1])
    return tuple(
        Row(
            layer_name(p.part, words),
            words.hours(p.uslh),
            row_bar([Span(0, p.uslh, "machine" if p.part in CODES else "living")], most, key),
        )
        for p in parts
    )

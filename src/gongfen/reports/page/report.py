"""The report as one page that needs nobody: no script, no request, both languages, light and dark, paper too.

``render`` takes what the book tells (:mod:`gongfen.reports.story`) and gives HTML. The page says only what it is given:
``None`` is said as unknown, sums are added again here and a sum that fails is said in the headline. The language is in
the address (``report.html#zh``), so a link into the Chinese page stays Chinese; the style sheet does the switching.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, partial
from itertools import chain, pairwise
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup

from gongfen.facts.amounts import round_half_up
from gongfen.reports.charts.drawing import TONES, patterns, swatch
from gongfen.reports.charts.row_bars import Span
from gongfen.reports.page.books import books_part
from gongfen.reports.page.pictures import QUALITIES, curve, flow_lines, flow_pictures, scatter_pictures, some_steps
from gongfen.reports.page.rows import Row, row_bar
from gongfen.reports.page.worth import price_said, value_sold, worth_part
from gongfen.reports.recorded import recorded
from gongfen.reports.story import (
    LabourPart,
    MakerStory,
    OutputStory,
    PersonStory,
    Proof,
    Quoted,
    Sentence,
    SettlementStory,
    Source,
    Story,
    TrainingStory,
    WorkStory,
)
from gongfen.reports.templating import environment, style_sheet
from gongfen.reports.text.ledger import closed_lines
from gongfen.reports.text.replies import cut_lines, gain_lines, lineage_said, taken_back_lines, twin_lines
from gongfen.reports.text.tested import tested_line, told_line, unseen_lines
from gongfen.reports.words import LANGUAGES, N_, Words, tongue
from gongfen.reports.worth_words import CODES, LAYER_NAMES, claim_said

MILLION = 1_000_000
SHORT_HASH = 10
OPENING = 90
MANY = 12
"""Outputs from which on all cards but the first three are closed until they are asked for."""
NO_BREAK = "\u00a0"


HANDED_OVER = (
    N_("prices"),
    N_("hours of labour"),
    N_("the standard: reductions, machine coefficients, MELT"),
    N_("the policy of sharing"),
    N_("planned uses"),
    N_("prompts"),
    N_("duplicate"),
    N_("near duplicate"),
    N_("too short"),
    N_("too long"),
    N_("altered"),
    N_("empty"),
    N_("not text"),
    N_("none: trained from scratch"),
    N_("influence"),
    N_("The book has it by its hash alone, not by its text."),
    N_("It is not text."),
    N_("Works outside a data set"),
    N_("Left in prompts"),
)
"""Texts that the book hands over and this page can say in every language; others are shown as they are."""
GRADES = {"display": N_("display grade"), "settlement": N_("settlement grade")}
WORK_KINDS = {
    "data": N_("work"),
    "dataset": N_("Data set"),
    "model": N_("Model"),
    "prompt": N_("prompt"),
    "deployment": N_("Deployment"),
    "training": N_("Training of people"),
}
PARTS = LAYER_NAMES | {"unknown": N_("unknown")}


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


@dataclass(frozen=True, slots=True)
class MakerRow:
    """One maker's line, with the outputs in which their works are named."""

    n: int
    story: MakerStory
    bar: Markup
    outputs: tuple[int, ...]
    adds_up: bool


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One work in which labour is at rest."""

    story: WorkStory
    bar: Markup


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One maker's line among those whom the settlement does not pay."""

    n: int
    story: PersonStory
    bar: Markup


@dataclass(slots=True)
class Receipt:
    """A proof with the places on the page that lean on it."""

    n: int
    proof: Proof
    uses: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Check:
    """A sum that was added again on this page."""

    ok: bool
    says: str


def render(story: Story) -> str:
    """The whole page: every language's body, one style sheet, nothing to fetch."""
    bodies = [(lang, key_of(lang), Markup(_body(story, Words(lang)))) for lang in LANGUAGES]  # noqa: S704 — rendered with autoescape
    style = style_sheet("report.css")
    page = _environment(LANGUAGES[0]).get_template("report.html.j2")
    return page.render(story=story, bodies=bodies, style=Markup(style))  # noqa: S704 — our own file


def key_of(lang: str) -> str:
    """What a language's ids begin with: ``en``, ``zh``."""
    return lang.split("-", maxsplit=1)[0]


@lru_cache(maxsize=len(LANGUAGES))
def _environment(lang: str) -> Environment:
    words = Words(lang)
    return environment(
        words,
        hours=words.hours,
        percent=words.percent,
        ratio=words.ratio,
        nats=words.nats,
        scaled=words.scaled,
        device=lambda us: words.seconds(Decimal(us).scaleb(-6)),
        told=partial(recorded, words),
        tongue=tongue,
        web=web,
        short=lambda text: text[:SHORT_HASH],
    )


def web(origin: str) -> bool:
    """Whether an origin is an address that a page may link to; a citation or a script is only text.

    >>> web("https://example.org/a"), web("javascript:alert(1)"), web("Message of 1790")
    (True, False, False)
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _body(story: Story, words: Words) -> str:
    """One language's page."""
    key = key_of(words.lang)
    cards = tuple(_card(n, output, story, words, key) for n, output in enumerate(story.outputs, 1))
    checks = _checks(story, words)
    names = {one.maker: one.name for one in story.makers} | {one.maker: one.name for one in story.people}
    other = next(lang for lang in LANGUAGES if lang != words.lang)
    return (
        _environment(words.lang)
        .get_template("report_body.html.j2")
        .render(
            story=story,
            currency=story.currency,
            lang=words.lang,
            key=key,
            other=other,
            other_key=key_of(other),
            made_of=_made_of(story.training, words) if story.training else "",
            headline=_headline(story, words, adds_up=all(check.ok for check in checks)),
            checks=checks,
            cards=cards,
            all_labelled=all(output.visible_label for output in story.outputs),
            makers=_maker_rows(story, key),
            people=_person_rows(story, key),
            works=_work_rows(story, key),
            work_kinds=WORK_KINDS,
            owed=sum(m.owed_micro for m in story.makers),
            due=_due(story, words),
            sold=[words.money(amount, currency) for currency, amount in _by_currency(story.unsettled)],
            order={maker: n for n, maker in enumerate(names, 1)},
            names=names,
            receipts=_receipts(story),
            flow=flow_pictures(story, words, key),
            flow_lines=flow_lines(story, words),
            swatches={(t, q): Markup(swatch(t, q, key)) for t in TONES for q in QUALITIES},  # noqa: S704
            patterns=Markup(patterns(key)),  # noqa: S704
            test=scatter_pictures(story, words, key),
            curve=curve(story.training, words, key) if story.training else "",
            ledger=_ledger(story, story.settlement, words, key) if story.settlement else (),
            qualities=QUALITIES,
            many=MANY,
            grades=GRADES,
            books=books_part(story.books, words, key) if story.books else None,
            taken_back=tuple(taken_back_lines(story.taken_back, words)),
            closed=tuple(closed_lines(story.closed, words)),
            shown_losses=some_steps(story.training.losses_unat) if story.training else (),
            valued=worth_part(story, words, key),
        )
    )


def _headline(story: Story, words: Words, *, adds_up: bool) -> str:
    """The answer in one sentence; or that the sums fail, when they do."""
    if story.settlement is None:
        return _unsettled_headline(story, words, adds_up=adds_up)
    if not story.outputs:
        return words.gettext("No output yet: nothing has been sold, and nobody is owed anything for it.")
    made, hands = len(story.outputs), len(story.makers)
    owed = [m.owed_micro for m in story.makers if m.owed_micro > 0]
    what = words.ngettext("%(n)s output", "%(n)s outputs", made) % {"n": words.number(made)}
    whose = words.ngettext("%(n)s maker", "%(n)s makers", hands) % {"n": words.number(hands)}
    due = words.ngettext("%(n)s is owed %(sum)s", "%(n)s are owed %(sum)s", len(owed)) % {
        "n": words.number(len(owed)),
        "sum": words.money(sum(owed), story.currency).replace(" ", NO_BREAK),
    }
    if not adds_up:
        return words.say(
            "%(what)s, made from the work of %(whose)s. But the sums on this page do not add up.",
            what=what,
            whose=whose,
        )
    if not owed:
        return words.say(
            "%(what)s, made from the work of %(whose)s. Nobody is owed anything for this period.",
            what=what,
            whose=whose,
        )
    return words.say(
        "%(what)s, made from the work of %(whose)s. %(due)s; every cent can be recomputed.",
        what=what,
        whose=whose,
        due=due,
    )


def _unsettled_headline(story: Story, words: Words, *, adds_up: bool) -> str:
    """The answer of a book that has settled nothing: how much was made and sold, or at least worked."""
    made, hands = len(story.outputs) + story.more_outputs, len(story.people) + story.more_people
    what = words.counted("%(n)s output", "%(n)s outputs", made)
    whose = words.counted("%(n)s maker", "%(n)s makers", hands)
    if not adds_up:
        return words.say(
            "%(what)s, made from the work of %(whose)s. But the sums on this page do not add up.",
            what=what,
            whose=whose,
        )
    if not made and not story.in_uslh:
        return words.say("%(whose)s; no labour and no output has been recorded yet.", whose=whose)
    if not made:
        labour = words.hours(story.in_uslh).replace(" ", NO_BREAK)
        return words.say("%(labour)s of labour by %(whose)s; no output yet.", labour=labour, whose=whose)
    if not story.unsettled:
        return words.say("%(what)s, made from the work of %(whose)s. None has been sold yet.", what=what, whose=whose)
    sums = [words.money(amount, currency).replace(" ", NO_BREAK) for currency, amount in _by_currency(story.unsettled)]
    return words.say(
        "%(what)s, made from the work of %(whose)s. Sold for %(sum)s, and not shared out yet.",
        what=what,
        whose=whose,
        sum=" + ".join(sums),
    )


def _made_of(training: TrainingStory, words: Words) -> str:
    """How much a model was made of; what nobody recorded is said."""
    if training.works is None or training.makers is None:
        return words.gettext("Which works it was trained on is not recorded in this book.")
    shown = {
        "works": words.counted("%(n)s work", "%(n)s works", training.works),
        "makers": words.counted("%(n)s maker", "%(n)s makers", training.makers),
    }
    if training.steps is None:
        return words.say("%(works)s by %(makers)s; the steps are not recorded.", **shown)
    steps = words.counted("%(n)s step", "%(n)s steps", training.steps)
    return words.say("%(works)s by %(makers)s, in %(steps)s.", **shown, steps=steps)


def _by_currency(amounts: Iterable[tuple[str, str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for _, currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    return sorted(sums.items())


def _due(story: Story, words: Words) -> list[str]:
    """What people are owed that no settlement on this page explains, by currency."""
    sums = _by_currency((one.maker, *owed) for one in story.people for owed in one.owed)
    return [words.money(amount, currency) for currency, amount in sums]


def _checks(story: Story, words: Words) -> tuple[Check, ...]:
    """The sums a reader would add: labour in = out; and of a settlement, parts = owed, owed = shared, all = pool."""
    conserved = Check(
        story.in_uslh == story.out_uslh,
        words.say(
            "Labour in %(left)s µSLH = outputs + stock + losses %(right)s µSLH",
            left=words.number(story.in_uslh),
            right=words.number(story.out_uslh),
        ),
    )
    return (conserved, *(_settlement_checks(story, story.settlement, words) if story.settlement else ()))


def _settlement_checks(story: Story, s: SettlementStory, words: Words) -> tuple[Check, ...]:
    money = words.money
    owed = sum(m.owed_micro for m in story.makers)
    parts = sum(m.owed_for_labour_micro + m.owed_for_influence_micro for m in story.makers)
    each = all(m.owed_for_labour_micro + m.owed_for_influence_micro == m.owed_micro for m in story.makers)
    rest = s.unidentified_micro + s.carried_micro

    def sums(left: int, right: int) -> dict[str, str]:
        return {"left": money(left, s.currency), "right": money(right, s.currency)}

    return (
        Check(
            each,
            words.say(
                "For every maker, labour part + influence part = owed: together %(left)s = %(right)s",
                **sums(parts, owed),
            ),
        ),
        Check(
            owed == s.shared_micro,
            words.say("All that makers are owed %(left)s = shared out %(right)s", **sums(owed, s.shared_micro)),
        ),
        Check(
            s.shared_micro + rest == s.pool_micro,
            words.say(
                "Shared out + unidentified + carried %(left)s = pool %(right)s",
                **sums(s.shared_micro + rest, s.pool_micro),
            ),
        ),
    )


# --- outputs ----------------------------------------------------------------------------------------------------------


def _card(n: int, output: OutputStory, story: Story, words: Words, key: str) -> Card:
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
            words.gettext(PARTS.get(p.part, p.part)),
            words.hours(p.uslh),
            row_bar([Span(0, p.uslh, "machine" if p.part in CODES else "living")], most, key),
        )
        for p in parts
    )


# --- makers, receipts, the settlement ---------------------------------------------------------------------------------


def _maker_rows(story: Story, key: str) -> tuple[MakerRow, ...]:
    """Every maker's line, the most owed first; the bars share one scale."""
    named: dict[str, set[int]] = {}
    for n, output in enumerate(story.outputs, 1):
        for maker in chain(*(s.makers for s in output.sources), *(q.makers for q in output.quotes)):
            named.setdefault(maker, set()).add(n)
    most = max([m.owed_micro for m in story.makers] + [1])
    rows = []
    for n, m in enumerate(story.makers, 1):
        both = m.owed_for_labour_micro + m.owed_for_influence_micro
        quality = m.labour_quality if m.labour_quality in QUALITIES else "imputed"
        spans = [
            Span(0, m.owed_for_labour_micro, "living", quality),
            Span(m.owed_for_labour_micro, both, "influence", "estimated"),
        ]
        rows.append(
            MakerRow(n, m, row_bar(spans, most, key), tuple(sorted(named.get(m.maker, ()))), both == m.owed_micro)
        )
    return tuple(sorted(rows, key=lambda row: (-row.story.owed_micro, row.n)))


def _work_rows(story: Story, key: str) -> tuple[WorkRow, ...]:
    most = max([one.uslh for one in story.works] + [1])
    return tuple(WorkRow(one, row_bar([Span(0, one.uslh, "past")], most, key)) for one in story.works)


def _person_rows(story: Story, key: str) -> tuple[PersonRow, ...]:
    """The lines of those whom the settlement does not pay, numbered on after those whom it pays."""
    most = max([one.labour_uslh for one in story.people] + [1])
    first = len(story.makers) + 1
    return tuple(
        PersonRow(n, one, row_bar([Span(0, one.labour_uslh, "living")], most, key))
        for n, one in enumerate(story.people, first)
    )


def _receipts(story: Story) -> dict[tuple[int, str], Receipt]:
    """Every proof on the page once, by place in the log, with what leans on it (output 0: the settlement)."""
    found: dict[tuple[int, str], set[tuple[str, int]]] = {}
    proofs: dict[tuple[int, str], Proof] = {}

    def lean(proof: Proof, kind: str, n: int) -> None:
        place = (proof.seq, proof.leaf)
        proofs[place] = proof
        found.setdefault(place, set()).add((kind, n))

    if story.settlement is not None:
        lean(story.settlement.proof, "settlement", 0)
    for n, output in enumerate(story.outputs, 1):
        sources = (*output.sources, *(source for s in output.sentences for source in s.sources))
        quoted = (*output.quotes, *output.near_copies)
        for proof in (*output.proofs, *(one.proof for one in sources), *(one.proof for one in quoted)):
            lean(proof, "output", n)
    return {place: Receipt(n, proofs[place], sorted(found[place])) for n, place in enumerate(sorted(found), 1)}


def _ledger(story: Story, s: SettlementStory, words: Words, key: str) -> tuple[Row, ...]:
    """From sales to cents, each line beginning where the one before it ends."""
    by_labour = sum(m.owed_for_labour_micro for m in story.makers)
    by_influence = sum(m.owed_for_influence_micro for m in story.makers)
    high = max(s.sales_micro, s.pool_micro, 1)

    def row(what: str, amount: int, start: int, tone: str, quality: str = "measured", *, sign: bool = False) -> Row:
        bar = row_bar([Span(start, start + amount, tone, quality)], high, key)
        return Row(what, words.money(amount, s.currency, sign=sign), bar)

    kept = s.pool_micro - s.sales_micro
    beta = words.percent(s.beta_ppm)
    lines = [
        row(words.gettext("Sales of the period"), s.sales_micro, 0, "price"),
        row(words.gettext("not shared under the policy"), kept, s.sales_micro, "rest", sign=True),
        row(words.gettext("Pool"), s.pool_micro, 0, "price"),
        row(words.say("shared by labour (β = %(beta)s)", beta=beta), by_labour, 0, "living"),
        row(
            words.say("shared by influence (1 − β = %(rest)s)", rest=words.percent(MILLION - s.beta_ppm)),
            by_influence,
            by_labour,
            "influence",
            "estimated",
        ),
        row(
            words.gettext("kept for makers who are not identified"),
            s.unidentified_micro,
            by_labour + by_influence,
            "rest",
        ),
        row(
            words.gettext("carried into the next period: smaller than the smallest coin"),
            s.carried_micro,
            by_labour + by_influence + s.unidentified_micro,
            "rest",
        ),
    ]
    return tuple(lines)

"""Answers on a terminal: tables that fit the width, with the finding first."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.containers import Lines
from rich.padding import Padding
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from gongfen.facts.kinds import Payment, Settlement
from gongfen.reports.recorded import recorded
from gongfen.reports.replies import SEEDS_AGREE, Owed, Person, TracedPeriod, Twins, Who
from gongfen.reports.text.tested import tested_line, told_line, unseen_lines
from gongfen.reports.words import N_, Words
from gongfen.value import TakenBack

STRONGEST = 8
SENTENCE = 40
"""So many code points of a sentence are shown."""
LEFT_OUT = (
    N_("too_short"), N_("too_long"), N_("duplicate"), N_("near_duplicate"), N_("altered"), N_("empty"), N_("not_text"),
)  # fmt: skip
"""Why a paragraph or a file is no work; in English they are called as in the facts."""
ROLES = (N_("output"), N_("model"), N_("base"), N_("dataset"), N_("data"), N_("prompt"), N_("deployment"))
"""As what a work stands behind an output: those that have a word in every language. Others show as they were said."""
READABLE = 24
"""Columns of a text that may be folded: narrower ones are a ladder of letters."""


COMMAND = re.compile(r"[(（]?gongfen(?: [^\s，。、；：！？）]*[^\s，。、；：！？）),;:.])+[，。、；：！？）),;:.]*")
"""A command in running text, up to a mark or the end, with the marks after it."""
UNITS = re.compile(rf"{COMMAND.pattern}|[（「『“]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef“]+)[，。、；：！？）」』”]*|\s+")
"""What stays on one line: a command, a Chinese sign, or a word of another script, each with the marks around it."""


class Running(Text):
    """Running text. A command in it stays on one line, longer than the screen if need be, so that it can be copied.

    Chinese has no spaces to break it at: it goes on after any sign, but no line begins with a mark or ends with one
    that opens something.
    """

    def wrap(self, console: Console, width: int, **more: Any) -> Lines:  # noqa: ANN401 - as rich has it
        """The lines of at most ``width`` columns."""
        if not re.search(r"[\u2e80-\uffef]", self.plain) and not COMMAND.search(self.plain):
            return super().wrap(console, width, **more)
        lines = Lines()
        for line in self.split(allow_blank=True):
            breaks, column = [], 0
            for unit in UNITS.finditer(line.plain):
                size = cell_len(unit[0].rstrip())
                if size and column and column + size > width:
                    breaks.append(unit.start())
                    column = 0
                column += cell_len(unit[0])
            for part in line.divide(breaks):
                part.rstrip()
                lines.extend([part] if COMMAND.fullmatch(part.plain) else Text.wrap(part, console, width, **more))
        return lines


class Verbatim(Table):
    """A table in which brackets in a name are brackets, never markup, and which no narrow screen cuts.

    Where its figures and readable texts do not stand beside each other, each row is written as a paragraph.
    """

    kept: list[tuple[list[Text], StyleType | None]]

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        """Add a row, its texts as they are."""
        plain = [cell if isinstance(cell, Text) else Text(str(cell or "")) for cell in cells]
        self.kept = [*getattr(self, "kept", []), (plain, style)]
        super().add_row(*plain, style=style, end_section=end_section)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As a table where it fits, else as paragraphs."""
        if self._least_width() <= options.max_width:
            yield from super().__rich_console__(console, options)
        else:
            yield from self._paragraphs()

    def _least_width(self) -> int:
        """Columns of the screen that the table needs to be readable."""
        least = 0
        for place, column in enumerate(self.columns):
            widths = [cell_len(cells[place].plain) for cells, _ in getattr(self, "kept", [])]
            widest = max([cell_len(str(column.header)), *widths])
            least += widest if column.no_wrap else min(widest, READABLE)
        return least + 2 * (len(self.columns) - 1)

    def _paragraphs(self) -> Iterable[RenderableType]:
        """Each row's first cell on a line of its own, the others below it with their names."""
        for cells, style in getattr(self, "kept", []):
            first, *others = cells
            yield Text.assemble(first, style=style or "")
            inner = Table.grid(padding=(0, 2, 0, 0))
            for column, cell in zip(self.columns[1:], others, strict=True):
                if cell.plain:
                    inner.add_row(Text(str(column.header), style="dim"), cell)
            if inner.row_count:
                yield Padding(inner, (0, 0, 0, 2))


def table(words: Words, *columns: str, numbers: Sequence[int] = ()) -> Table:
    """An open table; the columns numbered in ``numbers`` hold figures."""
    found = Verbatim(box=None, pad_edge=False, header_style="dim")
    for place, column in enumerate(columns):
        right = place in numbers
        found.add_column(words.gettext(column), justify="right" if right else "left", no_wrap=right, overflow="fold")
    return found


def who(answer: Who, words: Words) -> RenderableType:
    """Who made an output."""
    say = words.say
    is_output = answer.lineage[0][1] == "output"
    head = Text(_who_in_short(answer, words), style="bold")
    chain = Text(lineage_said(answer.lineage, words), style="dim")
    rows = table(words, "maker", "works", "labour in it", "influence", "quoted", numbers=(1, 2, 3, 4))
    none = "none" if not answer.unmeasured else "not measured" if is_output else "unknown"
    for row in answer.makers[:STRONGEST]:
        share = words.gettext("not measured") if row.influence_ppm is None else words.percent(row.influence_ppm)
        if row.influence_low_ppm is not None and row.influence_high_ppm is not None:
            share += f" [{words.percent(row.influence_low_ppm)}, {words.percent(row.influence_high_ppm)}]"
        labour = words.hours(row.labour_uslh) if row.labour_uslh else words.gettext(none)
        rows.add_row(row.maker, words.number(row.works), labour, share, words.number(row.quotes))
    parts: list[RenderableType] = [head, chain, Text(), rows]
    if len(answer.makers) > STRONGEST:
        more = words.counted("%(n)s more maker", "%(n)s more makers", len(answer.makers) - STRONGEST)
        parts.append(Text(say("… and %(more)s (--json shows all)", more=more), "dim"))
    parts.append(Text())
    if is_output or answer.method is not None:
        parts.append(_influence_note(answer, words))
    if answer.method is not None:
        parts.append(Text(tested_line(answer.tested, words)))
    parts += [Text(line) for line in _account(answer, words)]
    if answer.method is not None:
        parts += _noise(answer.told, answer.told_by, words)
    strongest = {row.work for row in answer.strongest[:STRONGEST] if row.effect_nnat > 0}
    parts += [Text(line) for line in twin_lines(answer.twins, strongest, words)]
    if answer.parts:
        parts += _sentences(answer, words)
    for quote in answer.quotes:
        place = say(
            "quoted: characters %(start)s–%(end)s stand in %(work)s", start=quote.start, end=quote.end, work=quote.work
        )
        parts.append(Text(place))
    if not is_output:
        note = N_("Labour that has passed on into what was made with it is in it no more: gongfen books flow")
        parts.append(Running(words.gettext(note)))
    elif not answer.quotes and answer.searched is None:
        parts.append(Text(words.gettext("quoted: nobody has looked for quotations")))
    elif not answer.quotes:
        parts.append(Text(words.gettext("quoted: no stretch that is long enough to be a quotation")))
    parts += [Text(line) for line in _near_copies(answer, words)]
    if answer.unmeasured:
        parts.append(
            Text(words.gettext("Some labour behind it was never measured: the true amount is at least this."), "yellow")
        )
    parts += taken_back(answer.taken_back, words)
    if answer.flagged:
        parts.append(_flag_note(answer.flagged, words))
    if answer.sample:
        what = words.gettext(", ").join(map(words.gettext, answer.sample))
        parts.append(Text(words.say("◇ sample data stands behind: %(what)s", what=what), "yellow"))
    return Group(*parts)


def _who_in_short(answer: Who, words: Words) -> str:
    """What stands behind a thing that was made; of a work that people made, who they are."""
    if answer.lineage[0][1] == "work" and not answer.works:
        if not answer.by:
            return words.say("%(work)s: nobody is recorded as its maker", work=answer.output)
        shares = answer.by if len(answer.by) > 1 else ()
        named = [f"{maker} {words.percent(ppm)}" for maker, ppm in shares] or [maker for maker, _ in answer.by]
        makers = words.gettext(", ").join(named)
        return words.say("%(work)s: a work by %(makers)s", work=answer.output, makers=makers)
    return words.counted(
        "%(output)s: %(n)s work by %(makers)s stands behind it",
        "%(output)s: %(n)s works by %(makers)s stand behind it",
        answer.works, output=answer.output, makers=words.makers(sum(row.works > 0 for row in answer.makers)),
    )  # fmt: skip


def left_out(left: Mapping[str, int], words: Words) -> str:
    """How much of a corpus was left out, by reason."""
    return words.gettext(", ").join(f"{words.gettext(reason)} {words.number(count)}" for reason, count in left.items())


def lineage_said(lineage: Iterable[tuple[str, str, str]], words: Words) -> str:
    """What an output was made with, and what that was made with."""
    return " ← ".join(f"{work} ({words.gettext(role)})" for work, _, role in lineage)


def _near_copies(answer: Who, words: Words) -> Iterable[str]:
    """What follows a work closely: never called a quotation."""
    for near in answer.near_copies:
        place = {"start": near.start, "end": near.end, "work": near.work}
        if near.similarity_ppm is None:
            yield words.say("not word for word: characters %(start)s–%(end)s follow %(work)s closely", **place)
        else:
            share = words.percent(near.similarity_ppm)
            yield words.say(
                "not word for word: characters %(start)s–%(end)s follow %(work)s closely (%(share)s of the words)",
                **place, share=share,
            )  # fmt: skip


def twin_lines(found: Iterable[Twins], shown: Container[str], words: Words) -> Iterable[str]:
    """Which of the works ``shown`` are one text: shown one by one, each looks weaker than the text is."""
    for twins in found:
        works = [work for work in twins.works if work in shown]
        if works:
            yield words.counted(
                "%(work)s and %(n)s other work are one text, or nearly: together %(share)s of the positive influence",
                "%(work)s and %(n)s other works are one text, or nearly: together %(share)s of the positive influence",
                len(twins.works) - 1, work=works[0], share=words.percent(twins.share_ppm),
            )  # fmt: skip


def taken_back(found: Sequence[TakenBack], words: Words) -> Iterator[RenderableType]:
    """What an answer no longer counts, and why."""
    for line in taken_back_lines(found[:STRONGEST], words):
        yield Text(line)
    if len(found) > STRONGEST:
        yield Text(words.say("… and %(more)s (--json shows all)", more=words.facts(len(found) - STRONGEST)), "dim")


def taken_back_lines(found: Iterable[TakenBack], words: Words) -> Iterator[str]:
    """Each fact that is no longer counted, and why."""
    for one in found:
        yield words.say(
            "taken back: fact %(number)s (%(kind)s), by fact %(by)s: %(reason)s",
            number=one.number,
            kind=one.kind,
            by=one.by,
            reason=one.reason,
        )


def _flag_note(flagged: Sequence[int], words: Words) -> Text:
    """Facts behind an answer that were signed with a key which had ended."""
    note = words.say(
        "⚑ in doubt: facts signed with a key that had ended: %(n)s (%(facts)s); see gongfen log --flagged",
        n=words.number(len(flagged)),
        facts=", ".join(map(str, flagged[:STRONGEST])) + (" …" if len(flagged) > STRONGEST else ""),
    )
    return Text(note, "yellow")


def _influence_note(answer: Who, words: Words) -> Text:
    if answer.method is None:
        return Text(words.gettext("influence: not measured"))
    if answer.grade == "display":
        note = N_("influence: %(method)s — display grade: an estimate, not paid on")
    else:
        note = N_("influence: %(method)s — settlement grade: it ranks, it does not price")
    return Text(words.say(note, method=recorded(words, answer.method)))


def _account(answer: Who, words: Words) -> Iterable[str]:
    """The strongest work with its interval, and what all effects together leave over of what tuning gained."""
    first = next((row for row in answer.strongest if row.effect_nnat > 0), None)
    if first is not None:
        said = {"work": first.work, "effect": words.nats(first.effect_nnat)}
        if first.low_nnat is None or first.high_nnat is None:
            yield words.say("strongest: %(work)s, %(effect)s; how far that is known nobody measured", **said)
        else:
            ends = {"low": words.nats(first.low_nnat), "high": words.nats(first.high_nnat)}
            yield words.say("strongest: %(work)s, %(effect)s, between %(low)s and %(high)s", **said, **ends)
    if answer.interval:
        yield words.say(
            "interval: %(interval)s; only retraining tells a bias", interval=recorded(words, answer.interval)
        )
    yield from cut_lines(answer.cut, words)
    yield from unseen_lines(answer.unseen, words)
    yield from gain_lines(answer.gained_nnat, answer.residual_nnat, words)


def cut_lines(cut: str | None, words: Words) -> Iterator[str]:
    """That only the beginnings of some works were measured."""
    if cut not in (None, "", "none"):
        yield words.say(
            "works were cut for training, and measured as far as that: %(cut)s", cut=recorded(words, cut or "")
        )


def gain_lines(gained_nnat: int | None, residual_nnat: int | None, words: Words) -> Iterator[str]:
    """What all effects together leave over of what tuning gained."""
    if gained_nnat is not None and residual_nnat is not None:
        yield words.say(
            "tuning gained it %(gained)s; the effects add up to %(sum)s, a residual of %(rest)s: "
            "they rank, and do not share out the gain",
            gained=words.nats(gained_nnat),
            sum=words.nats(gained_nnat - residual_nnat),
            rest=words.nats(residual_nnat),
        )


def _noise(told: bool | None, told_by: str | None, words: Words) -> Iterator[Text]:
    """That the strongest works do not stand above random ones, or that nobody knows whether they do."""
    if line := told_line(told, told_by, words):
        yield Text(line, "yellow")


def _sentences(answer: Who, words: Words) -> Iterable[RenderableType]:
    """The parts of an output that were measured by themselves, each with the work that moved it most."""
    rows = table(words, "part", "strongest work", "maker", "effect", numbers=(3,))
    for part in answer.parts:
        shown = part.text if len(part.text) <= SENTENCE else part.text[:SENTENCE] + "…"
        first = part.strongest[0] if part.strongest and part.told is not False else None
        if first is None:
            rows.add_row(shown, words.gettext("cannot tell"), "", "")
        else:
            rows.add_row(shown, first.work, ", ".join(first.makers), words.nats(first.effect_nnat))
    yield Text()
    yield rows


def period(found: TracedPeriod, words: Words) -> RenderableType:
    """What was measured of a period's income, and how it stood its test."""
    head = N_("%(name)s: influence of every work on the period's income, settlement grade")
    if found.reasons:
        head = N_("%(name)s: influence of every work on the period's income, display grade")
    rest = words.gettext("unknown") if found.residual_nnat is None else words.nats(found.residual_nnat)
    growth = words.ratio(found.growth_ppm)
    account = N_("adjoint growth %(growth)s; residual %(rest)s: effects rank, and do not share out the gain")
    lines = [words.say(head, name=found.influence), words.say(account, growth=growth, rest=rest)]
    if found.retrainings:
        rank = words.gettext("too few to say") if found.spearman_ppm is None else words.ratio(found.spearman_ppm)
        if found.spearman_between_ppm:
            low, high = map(words.ratio, found.spearman_between_ppm)
            rank += f" [{low}, {high}]"
        lines.append(
            words.say("held against %(n)s retrainings: rank correlation %(rank)s", n=found.retrainings, rank=rank)
        )
    if found.slope_ppm is not None and found.intercept_nnat is not None:
        line = N_("measured = %(slope)s × predicted, %(intercept)s: it ranks, it does not price")
        slope, intercept = words.ratio(found.slope_ppm), words.nats(found.intercept_nnat)
        lines.append(words.say(line, slope=slope, intercept=intercept))
    parts: list[RenderableType] = [Text(line) for line in lines]
    parts += _noise(found.told, SEEDS_AGREE, words)
    for reason in found.reasons:
        why = words.say(reason.said, **reason.values)
        parts.append(Text(words.say("not settlement grade, so nobody is paid on it: %(why)s", why=why), "yellow"))
    return Group(*parts)


def owed(rows: Iterable[Owed], words: Words, maker: str | None = None) -> RenderableType:
    """What makers are owed, and why; ``maker``: only this one was asked about."""
    known = list(rows)
    older = [N_("opening balance")] if any(row.opening_micro for row in known) else []
    titles = ["maker", *older, "for labour", "for influence", "paid", "owed"]
    found = table(words, *titles, numbers=tuple(range(1, len(titles))))
    for row in sorted(known, key=lambda row: (-row.owed_micro, row.maker)):
        amounts = [row.opening_micro] if older else []
        amounts += [row.for_labour_micro, row.for_influence_micro, row.paid_micro, row.owed_micro]
        found.add_row(row.maker, *(words.money(amount, row.currency) for amount in amounts))
    if not known and maker is not None:
        asked = N_("Nothing is owed to %(maker)s: no settlement names them.")
        where = N_("What they gave: gongfen export statement --maker %(maker)s")
        return Text(f"{words.say(asked, maker=maker)}\n{words.say(where, maker=maker)}")
    if not known:
        return Text(words.gettext("Nothing is owed: no period has been settled."))
    flagged = sorted({seq for row in known for seq in row.flagged})
    return Group(found, _flag_note(flagged, words)) if flagged else found


def settlement(found: Settlement, words: Words, left: Mapping[str, int] | None = None) -> RenderableType:
    """One settlement, from sales to cents; ``left``: what its period brought in other currencies."""
    rows = table(words, "", "", numbers=(1,))
    for name, amount in (
        (N_("sales"), found.sales_micro),
        (N_("carried in"), found.carried_in_micro),
        (N_("pool"), found.pool_micro),
        (N_("to makers"), found.total_micro - found.unidentified_micro),
        (N_("to the unidentified"), found.unidentified_micro),
        (N_("carried out"), found.carried_out_micro),
    ):
        rows.add_row(words.gettext(name), words.money(amount, found.currency))
    title = words.say("%(settlement)s: %(makers)s by policy %(policy)s, on a log of %(facts)s",
                      settlement=found.settlement, makers=words.makers(len(found.lines)), policy=found.policy,
                      facts=words.facts(found.size))  # fmt: skip
    if not left:
        return Group(Text(title, style="bold"), rows)
    amounts = ", ".join(words.money(amount, currency) for currency, amount in sorted(left.items()))
    note = N_("not settled here, for it needs a policy in its own currency that stood before the sale: %(amounts)s")
    return Group(Text(title, style="bold"), rows, Text(words.say(note, amounts=amounts), style="yellow"))


def payments(found: Iterable[Payment], words: Words) -> RenderableType:
    """Payments as they were recorded."""
    rows = table(words, "maker", "paid", "payment", numbers=(1,))
    for payment in found:
        rows.add_row(payment.maker, words.money(payment.amount_micro, payment.currency), payment.payment)
    return rows


def person(found: Person, words: Words) -> RenderableType:
    """What is kept of a maker outside the log."""
    if found.details is not None:
        rows = table(words, "detail", "")
        for name, value in found.details.items():
            rows.add_row(name, Text(value))
        return Group(Text(found.maker, style="bold"), rows)
    if found.forgotten is not None:
        note = N_("What was kept of %(maker)s was forgotten, with fact %(seq)s.")
    elif found.committed:
        note = N_("The log commits to details of %(maker)s, but they are not kept here.")
    else:
        note = N_("Nothing is kept of %(maker)s.")
    return Text(words.say(note, maker=found.maker, seq=found.forgotten))

"""Answers on a terminal: tables that fit the width, with the finding first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.containers import Lines
from rich.padding import Padding
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from gongfen.facts.kinds import Payment, Settlement
from gongfen.reports.replies import Owed, Person, Who
from gongfen.reports.words import N_, Words

STRONGEST = 8
ROLES = (N_("output"), N_("model"), N_("base"), N_("dataset"), N_("data"), N_("prompt"), N_("deployment"))
"""As what a work stands behind an output: those that have a word in every language. Others show as they were said."""
READABLE = 24
"""Columns of a text that may be folded: narrower ones are a ladder of letters."""


UNITS = re.compile(r"[\u2e80-\uffef][，。、；：！？）」』”]*|[^\s\u2e80-\uffef]+[，。、；：！？）」』”]*|\s+")
"""What stays on one line: a Chinese sign, or a word of another script, each with the marks that no line begins with."""


class Running(Text):
    """Running text. Chinese has no spaces to break it at: it goes on after any sign, but no line begins with a mark."""

    def wrap(self, console: Console, width: int, **more: Any) -> Lines:  # noqa: ANN401 - as rich has it
        """The lines of at most ``width`` columns."""
        if not re.search(r"[\u2e80-\uffef]", self.plain):
            return super().wrap(console, width, **more)
        lines = Lines()
        for line in self.split(allow_blank=True):
            breaks, column = [], 0
            for unit in UNITS.finditer(line.plain):
                size = cell_len(unit[0].rstrip())
                if column and column + size > width:
                    breaks.append(unit.start())
                    column = 0
                column += cell_len(unit[0])
            for part in line.divide(breaks):
                part.rstrip()
                lines.extend(Text.wrap(part, console, width, **more))
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
    behind = words.counted(
        "%(output)s: %(n)s work by %(makers)s stands behind it",
        "%(output)s: %(n)s works by %(makers)s stand behind it",
        answer.works, output=answer.output, makers=words.makers(sum(row.works > 0 for row in answer.makers)),
    )  # fmt: skip
    head = Text(behind, style="bold")
    chain = Text(" ← ".join(f"{work} ({words.gettext(role)})" for work, _, role in answer.lineage), style="dim")
    rows = table(words, "maker", "works", "labour in it", "influence", "quoted", numbers=(1, 2, 3, 4))
    for row in answer.makers[:STRONGEST]:
        share = words.gettext("not measured") if row.influence_ppm is None else words.percent(row.influence_ppm)
        labour = words.hours(row.labour_uslh) if row.labour_uslh else words.gettext("not measured")
        rows.add_row(row.maker, words.number(row.works), labour, share, words.number(row.quotes))
    parts: list[RenderableType] = [head, chain, Text(), rows]
    if len(answer.makers) > STRONGEST:
        more = words.counted("%(n)s more maker", "%(n)s more makers", len(answer.makers) - STRONGEST)
        parts.append(Text(say("… and %(more)s (--json shows all)", more=more), "dim"))
    parts.append(Text())
    parts.append(_influence_note(answer, words))
    if answer.told is False:
        note = N_("cannot tell: its strongest works do not stand above random ones, so these shares say nothing")
        parts.append(Text(words.gettext(note), "yellow"))
    for quote in answer.quotes:
        place = say(
            "quoted: characters %(start)s–%(end)s stand in %(work)s", start=quote.start, end=quote.end, work=quote.work
        )
        parts.append(Text(place))
    if not answer.quotes and answer.searched is None:
        parts.append(Text(words.gettext("quoted: nobody has looked for quotations")))
    elif not answer.quotes:
        parts.append(Text(words.gettext("quoted: no stretch that is long enough to be a quotation")))
    if answer.unmeasured:
        parts.append(
            Text(words.gettext("Some labour behind it was never measured: the true amount is at least this."), "yellow")
        )
    if answer.flagged:
        parts.append(_flag_note(answer.flagged, words))
    return Group(*parts)


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
    return Text(words.say(note, method=answer.method))


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

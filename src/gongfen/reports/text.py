"""Answers on a terminal: tables that fit the width, with the finding first."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from gongfen.facts.kinds import LABOURS, Payment, Settlement
from gongfen.reports.replies import Owed, Person, Who
from gongfen.reports.words import N_, Words
from gongfen.value import Worth

STRONGEST = 8


class Verbatim(Table):
    """A table in which brackets in a name are brackets, never markup."""

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        """Add a row, its texts as they are."""
        plain = (Text(cell) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*plain, style=style, end_section=end_section)


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
    head = Text(say("%(output)s: %(works)s works by %(makers)s makers stand behind it",
                    output=answer.output, works=words.number(answer.works),
                    makers=words.number(sum(row.works > 0 for row in answer.makers))), style="bold")  # fmt: skip
    chain = Text(" ← ".join(f"{work} ({words.gettext(role)})" for work, _, role in answer.lineage), style="dim")
    rows = table(words, "maker", "works", "labour in it", "influence", "quoted", numbers=(1, 2, 3, 4))
    for row in answer.makers[:STRONGEST]:
        share = words.gettext("not measured") if row.influence_ppm is None else words.percent(row.influence_ppm)
        labour = words.hours(row.labour_uslh) if row.labour_uslh else words.gettext("not measured")
        rows.add_row(row.maker, words.number(row.works), labour, share, words.number(row.quotes))
    parts: list[RenderableType] = [head, chain, Text(), rows]
    if len(answer.makers) > STRONGEST:
        parts.append(Text(say("… and %(n)s more makers (--json shows all)", n=len(answer.makers) - STRONGEST), "dim"))
    parts.append(Text())
    parts.append(_influence_note(answer, words))
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


def worth(answer: Worth, words: Words) -> RenderableType:
    """What outputs are worth."""
    rows = table(words, "", "labour", "money", numbers=(1, 2))
    least = "≥ " if answer.unmeasured else ""

    def money(micro: int | None) -> str:
        return words.gettext("unknown: not sold") if micro is None else words.money(micro, answer.currency)

    rows.add_row(
        words.gettext("T transferred: data, model, machines"), least + words.hours(answer.transferred_uslh), ""
    )
    # Without any measured living labour, and with something unmeasured, L is a lower bound and this rent an upper one.
    silent = answer.unmeasured and not answer.living_uslh
    at_least = "≥ " if silent else ""
    rows.add_row(
        words.gettext("L living: prompting, review, operation"), at_least + words.hours(answer.living_uslh), ""
    )
    total = least + words.hours(answer.uslh)
    rows.add_row(words.gettext("value μ(T + L)"), total, least + money(answer.value_micro), style="bold")
    rows.add_row(words.gettext("price p"), "", money(answer.price_micro))
    most = "≤ " if answer.unmeasured and answer.rent_avg_micro is not None else ""
    rows.add_row(words.gettext("rent by average theory p − μ(T + L)"), "", most + money(answer.rent_avg_micro))
    at_most = "≤ " if silent and answer.rent_repro_micro is not None else ""
    rows.add_row(words.gettext("rent by reproduction theory p − μL"), "", at_most + money(answer.rent_repro_micro))
    parts: list[RenderableType] = [Text(", ".join(answer.outputs), style="bold"), rows, Text()]
    kinds = table(words, "living labour by kind", "", numbers=(1,))
    for kind, amount in answer.by_kind.items():
        kinds.add_row(f"{kind} {words.gettext(LABOURS[int(kind)])}", words.hours(amount))
    for name, amount in answer.by_external.items():
        kinds.add_row(name, words.hours(amount))
    parts.append(kinds)
    if answer.unmeasured:
        parts.append(
            Text(words.gettext("Some labour behind it was never measured: the true amount is at least this."), "yellow")
        )
    return Group(*parts)


def owed(rows: Iterable[Owed], words: Words) -> RenderableType:
    """What makers are owed, and why."""
    found = table(words, "maker", "for labour", "for influence", "paid", "owed", numbers=(1, 2, 3, 4))
    known = list(rows)
    for row in sorted(known, key=lambda row: (-row.owed_micro, row.maker)):
        amounts = (row.for_labour_micro, row.for_influence_micro, row.paid_micro, row.owed_micro)
        found.add_row(row.maker, *(words.money(amount, row.currency) for amount in amounts))
    if not known:
        return Text(words.gettext("Nothing is owed: no period has been settled."))
    flagged = sorted({seq for row in known for seq in row.flagged})
    return Group(found, _flag_note(flagged, words)) if flagged else found


def settlement(found: Settlement, words: Words) -> RenderableType:
    """One settlement, from sales to cents."""
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
    title = words.say("%(settlement)s: %(n)s makers by policy %(policy)s, on a log of %(size)s facts",
                      settlement=found.settlement, n=len(found.lines), policy=found.policy,
                      size=words.number(found.size))  # fmt: skip
    return Group(Text(title, style="bold"), rows)


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

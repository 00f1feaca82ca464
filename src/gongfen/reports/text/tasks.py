"""The social average of a task, and where a machine would be cheaper, on a terminal."""

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from gongfen.reports.ledger import Automation, Average
from gongfen.reports.text.replies import table
from gongfen.reports.words import N_, Words

PLACES = 6


def average(answer: Average, words: Words) -> RenderableType:
    """Each producer's time beside the average, and what passes from those above it to those below."""
    if answer.time is None:
        return Text(words.gettext("Nothing was made, so there is no average."), "yellow")
    rows = table(
        words, N_("producer"), N_("hours for one"), N_("units"), N_("worth beyond the time it took"), numbers=(1, 2, 3)
    )
    for one in answer.producers:
        rows.add_row(one.producer, _number(one.time, words), _number(one.units, words), _signed(one.transfer, words))
    head = words.say("%(table)s: on the social average one takes %(time)s h", table=answer.table,
                     time=_number(answer.time, words))  # fmt: skip
    sums = words.say(
        "of %(given)s h worked, %(more)s h lie above the average: not socially necessary, and what the others gain",
        given=_number(answer.given, words), more=_number(answer.not_necessary, words),
    )  # fmt: skip
    return Group(Text(head, "bold"), rows, Text(sums, "dim"))


def automation(answer: Automation, words: Words) -> RenderableType:
    """Each task, what a machine costs for it, and from which cost downwards it replaces labour."""
    rows = table(words, N_("task"), N_("machine"), N_("wages, w·h"), N_("cheaper"), numbers=(1, 2))
    verdicts = {
        True: N_("the machine: it replaces labour"),
        False: N_("the labour, at this wage"),
        None: N_("unknown"),
    }
    for one in answer.tasks:
        amounts = [
            words.gettext("unknown") if said is None else _number(said, words)
            for said in (one.machine_cost, one.threshold)
        ]
        rows.add_row(one.task, *amounts, words.gettext(verdicts[one.automates]))
    note = N_("A task is automated when the machine costs less than the wages, not less than what the labour is worth.")
    return Group(rows, Text(words.gettext(note), "dim"))


def _number(said: str, words: Words) -> str:
    return words.number(Decimal(said), most=PLACES)


def _signed(said: str, words: Words) -> str:
    return words.number(Decimal(said), most=PLACES, sign=True)

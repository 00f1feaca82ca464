"""Pictures on a terminal, made of signs: the flow of labour, the band of the rents, indicators month by month."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from gongfen.reports.ledger import LabourFlow
from gongfen.reports.story import Month
from gongfen.reports.text.ledger import bar, listing
from gongfen.reports.text.replies import table
from gongfen.reports.words import N_, Words
from gongfen.value import Worth

LIVING, PAST, RENT, PRICE, MORE = "█", "▒", "─", "◆", "›"
WIDE, NARROW, SLIM = 40, 20, 10
"""Signs of a picture: of one output, of a month, and beside names that are long on a narrow screen."""
PPM = 1_000_000
PLACES = {
    "makers": N_("makers"),
    "machines": N_("machines"),
    "bought": N_("what was bought"),
    "opening": N_("older books"),
    "data": N_("data sets"),
    "trainings": N_("training of people"),
    "works": N_("works outside a data set"),
    "models": N_("models"),
    "prompts": N_("prompts"),
    "deployments": N_("deployments"),
    "outputs": N_("outputs"),
    "left:data": N_("at rest in data"),
    "left:models": N_("at rest in models"),
    "left:prompts": N_("at rest in prompts"),
    "left:deployments": N_("at rest in deployments"),
    "left:trainings": N_("at rest in the training of people"),
    "lost": N_("lost"),
}
"""From where, and to where, labour passes."""


# -- the flow of labour ------------------------------------------------------------------------------------------------


def flow(found: LabourFlow, words: Words) -> RenderableType:
    """Each place with what it gave to the next; bars on one scale."""
    if not found.passed:
        return Text(words.gettext("No labour is recorded, so none has passed on."))
    most = max(one.uslh for one in found.passed)
    rows = listing(3)
    for source in dict.fromkeys(one.source for one in found.passed):
        those = [one for one in found.passed if one.source == source]
        total = words.hours(sum(one.uslh for one in those))
        rows.add_row(words.gettext(PLACES[source]), total, "", style="bold")
        for one in those:
            colour = "red" if one.target == "outputs" else "yellow" if one.target == "lost" else "cyan"
            name = "  → " + words.gettext(PLACES[one.target])
            rows.add_row(name, words.hours(one.uslh), bar(one.uslh, most, colour, width=SLIM))
    head = words.gettext("where labour went, step by step; what passes on is counted at each step")
    parts: list[RenderableType] = [Text(head, "bold"), rows]
    if found.lower_bound:
        note = words.gettext("Some labour behind it was never measured: the true amount is at least this.")
        parts.append(Text(note, "yellow"))
    return Group(*parts)


# -- the band of the rents ---------------------------------------------------------------------------------------------


def rent_band(answer: Worth, words: Words) -> Iterable[RenderableType]:
    """Price against value: μL, μT, and the way to the price, which is the rent; nothing where there is no price."""
    if answer.price_micro is None or answer.rent_avg_micro is None or answer.rent_repro_micro is None:
        return
    # Of several copies the price is of those that were sold, and so is what it is held against.
    value, living = answer.price_micro - answer.rent_avg_micro, answer.price_micro - answer.rent_repro_micro
    most = max(answer.price_micro, value)
    head = words.say("price against value, from 0 to %(most)s", most=words.money(most, answer.currency))
    drawn = _band(living, value, answer.price_micro, most, WIDE, more=answer.unmeasured)
    yield Text()
    yield Text(head, "bold")
    yield drawn
    legend = words.say(
        "%(living)s μL  %(past)s μT  %(price)s price: from the end of μT the average rent, from that of μL the other",
        living=LIVING, past=PAST, price=PRICE,
    )  # fmt: skip
    yield Text(legend, "dim")


def _band(living: int, value: int, price: int, most: int, width: int, *, more: bool = False) -> Text:
    """One line; whatever is more than nothing is seen, and a price below the value stands in it."""

    def place(amount: int) -> int:
        return max((2 * amount * width + most) // (2 * most), int(amount > 0)) if most else 0

    ends = (place(living), max(place(value), place(living) + int(value > living)))
    at = min(max(place(price) - 1, 0), width - 1)
    signs = [(LIVING, "red") if n < ends[0] else (PAST, "cyan") for n in range(min(ends[1], width))]
    if more and ends[1] < at:
        signs.append((MORE, "yellow"))
    signs += [(RENT, "dim")] * (at + 1 - len(signs))
    signs[at] = (PRICE, "bold")
    return Text.assemble(*signs)


# -- month by month ----------------------------------------------------------------------------------------------------


def months(found: Sequence[Month], currency: str, words: Words) -> Iterable[RenderableType]:
    """Sales against value, e and q of each month; fewer than two have no course to be seen.

    ``none``: everything that was sold in the month had been sold before.
    """
    if len(found) < 2:
        return
    yield Text()
    yield Text(words.gettext("month by month"), "bold")
    rows = table(words, N_("month"), N_("sales"), N_("value sold"), "e", "q", "", numbers=(1, 2, 3, 4))
    most = max([one.sales_micro or 0 for one in found] + [one.value_micro or 0 for one in found] + [1])
    for one in found:
        drawn = Text()
        if one.sales_micro is not None and one.value_micro is not None:
            drawn = _band(0, one.value_micro, one.sales_micro, most, NARROW, more=one.value_at_least)
        least = "≥ " if one.value_at_least else ""
        rows.add_row(
            one.month,
            _money(one.sales_micro, currency, words),
            words.gettext("none") if one.value_micro is None else _money(one.value_micro, currency, words, least),
            _ratio(one.surplus_rate_ppm, words, one),
            _ratio(one.composition_ppm, words, one),
            drawn,
        )
    yield rows
    legend = words.say(
        "%(past)s value of the outputs first sold in the month  %(price)s sales", past=PAST, price=PRICE
    )  # fmt: skip
    yield Text(legend, "dim")


def _money(micro: int | None, currency: str, words: Words, mark: str = "") -> str:
    return words.gettext("unknown") if micro is None else mark + words.money(micro, currency)


def _ratio(ppm: int | None, words: Words, month: Month) -> str:
    if ppm is None:
        return words.gettext("unknown")
    return ("≥ " if month.unmeasured else "") + words.number(Decimal(ppm) / PPM, most=5)

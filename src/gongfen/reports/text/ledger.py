"""The books on a terminal: the labour ledger at a glance, accounts, the loop, what idles away."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gongfen.facts.kinds import LABOURS, Close
from gongfen.reports.ledger import Account, DataLoop, Idle, Ledger, Meter, Version
from gongfen.reports.text.replies import STRONGEST, table
from gongfen.reports.words import MINUS, N_, PLUS, Words
from gongfen.reports.worth_words import layer_name

BAR = 20
FULL = "█"
UNIT = "uslh"
LABOUR = "labour"
"""The ledger of a period that is closed, where it is not a currency's."""
GIVEN = {
    "living": N_("living labour, paid"),
    "living-unpaid": N_("living labour, unpaid"),
    "machine": N_("machines (objectified labour)"),
    "energy": N_("energy (objectified labour)"),
    "site": N_("sites (objectified labour)"),
    "data": N_("bought data (objectified labour)"),
    "opening": N_("from older books"),
}
RESTS = {
    "data": N_("in stock: data"),
    "dataset": N_("in stock: data sets"),
    "model": N_("in stock: models"),
    "deployment": N_("in stock: deployments"),
    "prompt": N_("in stock: prompts"),
    "training": N_("in stock: training of people"),
}
LOST = {
    "obsolescence": N_("lost: obsolescence"),
    "idle": N_("lost: standing idle"),
    "not-necessary": N_("lost: not socially necessary"),
    "decay": N_("lost: decay on coming back as data"),
}
MONEY = {
    "cash": N_("cash"),
    "sales": N_("sales"),
    "purchases": N_("purchases"),
    "wages": N_("wages"),
    "dividends": N_("dividends given out"),
    "dividend-payable": N_("owed to makers"),
    "owed:unidentified": N_("owed to the unidentified"),
    "equity:opening": N_("what the book began with"),
    "rent:model": N_("rent of models"),
    "rent:machine": N_("rent of machines"),
    "rent:data": N_("rent of data"),
    "rent:site": N_("rent of sites"),
}
CREDIT = ("sales", "dividend-payable", "owed:unidentified", "equity:opening")
"""Accounts that stand on the credit side: said with the sign that a person expects."""
KINDS = {
    "data": N_("data"),
    "dataset": N_("dataset"),
    "model": N_("model"),
    "deployment": N_("deployment"),
    "prompt": N_("prompt"),
    "training": N_("training of people"),
    "output": N_("output"),
}


def listing(columns: int = 2) -> Table:
    """Rows of names, figures and bars, without a line of headings."""
    found = table(Words("en"), *[""] * columns, numbers=(1,))
    found.show_header = False
    return found


def ledger(answer: Ledger, words: Words) -> RenderableType:
    """The whole answer: the balance first, then both sides, then what stands beside."""
    head = words.say(
        "%(origin)s: the labour ledger after %(facts)s", origin=answer.origin, facts=words.facts(answer.size)
    )
    parts: list[RenderableType] = [Text(head, style="bold"), _balance(answer, words), Text()]
    # After a correction outputs may hold more than was given: 5890 makes up for it.
    most = max(1, answer.given_uslh, answer.outputs_uslh, answer.stocks_uslh, answer.losses_uslh)
    for title, rows in (
        (N_("labour given, by source"), _given(answer, words, most)),
        (N_("living labour by kind"), _kinds(answer, words, most)),
        (N_("where it is now"), _resting(answer, words, most)),
    ):
        parts += [Text(words.gettext(title), "bold"), rows, Text()]
    parts.pop()
    parts.append(Text(words.gettext("how it came there, step by step: gongfen books flow"), "dim"))
    if answer.passed_on_uslh:
        note = words.say(
            "corrections took back %(time)s after it had passed on: outputs show it, and nobody worked it (5890)",
            time=words.hours(-answer.passed_on_uslh),
        )
        parts.append(Text(note, "yellow"))
    parts += [Text(), *_beside(answer, words), Text(), *_money(answer, words)]
    return Group(*parts, *_notes(answer, words))


def _balance(answer: Ledger, words: Words) -> Text:
    if answer.balanced:
        note = words.say(
            "✓ it balances: %(given)s given = %(held)s at rest or lost, to the last micro-SLH, and for each of %(n)s",
            given=words.hours(answer.given_uslh),
            held=words.hours(answer.held_uslh),
            n=words.counted("%(n)s source", "%(n)s sources", answer.sources),
        )
        return Text(note, "green")
    lines = [
        words.say(
            "✗ it does not balance: %(given)s given, %(held)s at rest or lost; see: gongfen verify",
            given=f"{answer.given_uslh} µSLH",
            held=f"{answer.held_uslh} µSLH",
        )
    ]
    lines += [f"  {one.account}: {one.given_uslh} µSLH ≠ {one.held_uslh} µSLH" for one in answer.unbalanced[:STRONGEST]]
    return Text("\n".join(lines), "red")


def _given(answer: Ledger, words: Words, most: int) -> RenderableType:
    rows = listing(3)
    for name, uslh in answer.given.items():
        rows.add_row(words.gettext(GIVEN[name]), words.hours(uslh), bar(uslh, most))
    rows.add_row(words.gettext("together"), words.hours(answer.given_uslh), "", style="bold")
    return rows


def _kinds(answer: Ledger, words: Words, most: int) -> RenderableType:
    """The eight kinds, each of them: what nobody recorded is not there, and that is seen too."""
    rows = listing(3)
    for kind in LABOURS:
        uslh = answer.by_kind.get(str(kind))
        time = words.hours(uslh) if uslh is not None else words.gettext("none recorded")
        rows.add_row(layer_name(str(kind), words), time, bar(uslh or 0, most), style="" if uslh is not None else "dim")
    return rows


def _resting(answer: Ledger, words: Words, most: int) -> RenderableType:
    rows = listing(3)
    rows.add_row(words.gettext("in outputs"), words.hours(answer.outputs_uslh), bar(answer.outputs_uslh, most, "red"))
    for name, uslh in answer.stocks.items():
        rows.add_row(words.gettext(RESTS[name]), words.hours(uslh), bar(uslh, most))
    for name, uslh in answer.losses.items():
        rows.add_row(words.gettext(LOST[name]), words.hours(uslh), bar(uslh, most, "yellow"))
    if answer.passed_on_uslh:
        rows.add_row(words.gettext("taken back after it had passed on"), words.hours(answer.passed_on_uslh), "")
    rows.add_row(words.gettext("together"), words.hours(answer.held_uslh), "", style="bold")
    return rows


def _beside(answer: Ledger, words: Words) -> Iterable[RenderableType]:
    """Meters, each in its unit, never added to hours."""
    yield Text(words.gettext("beside the ledger, each in its own unit"), "bold")
    rows = listing()
    for device in answer.meters:
        for name, said in meter_rows(device, words):
            rows.add_row(f"{device.device}: {name}", said)
    for name, uslh in (
        (N_("data governance: labour of kind 2, data"), answer.governance_data_uslh),
        (N_("data governance: labour of kind 7, compliance"), answer.governance_compliance_uslh),
    ):
        rows.add_row(words.gettext(name), words.hours(uslh) if uslh else words.gettext("none recorded"))
    if answer.circulation_us is not None:
        rows.add_row(words.gettext("business labour in circulation"), clock(answer.circulation_us, words))
    yield rows


def meter_rows(meter: Meter, words: Words) -> Iterable[tuple[str, str]]:
    """What one device used: name of the meter, and what it says; at least so much, where some runs say nothing."""

    def row(name: str, field: str, said: str) -> tuple[str, str]:
        lacking = meter.lacking.get(field, 0)
        if not lacking:
            return words.gettext(name), said
        why = words.counted(
            "%(name)s (not read in %(n)s run of %(runs)s)", "%(name)s (not read in %(n)s runs of %(runs)s)",
            lacking, name=words.gettext(name), runs=words.number(meter.runs),
        )  # fmt: skip
        return why, f"≥ {said}"

    if meter.device_us is not None:
        yield words.gettext("machine time"), clock(meter.device_us, words)
    if meter.energy_mwh is not None:
        said = words.scaled(meter.energy_mwh, ("mWh", "Wh", "kWh", "MWh", "GWh"))
        yield row(N_("energy"), "energy_mwh", said)
    elif meter.runs:
        yield words.gettext("energy"), words.gettext("unknown")
    if meter.tokens is not None:
        yield row(N_("tokens"), "tokens", words.number(meter.tokens))
    if meter.gflop is not None:
        units = ("GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "YFLOP")
        said = words.scaled(meter.gflop, units)
        yield row(N_("computing"), "gflop", f"{said} = {trimmed(meter.pf_days or '0')} PF-days")


def clock(microseconds: int, words: Words) -> str:
    """Hours of the clock."""
    return words.hours(round(microseconds / 3600))


def _money(answer: Ledger, words: Words) -> Iterable[RenderableType]:
    if not answer.money:
        return (Text(words.gettext("money: none recorded"), "dim"),)
    rows = listing()
    for one in answer.money:
        micro = -one.micro if one.account in CREDIT else one.micro
        rows.add_row(words.gettext(MONEY.get(one.account, one.account)), words.money(micro, one.currency))
    return (Text(words.gettext("money"), "bold"), rows)


def _notes(answer: Ledger, words: Words) -> Iterable[RenderableType]:
    notes: list[RenderableType] = []
    notes += map(Text, closed_lines([(one.period, one.by, one.ledger) for one in answer.closed], words))
    if answer.corrections:
        notes.append(Text(words.counted("%(n)s fact was corrected", "%(n)s facts were corrected", answer.corrections)))
    if answer.unmeasured:
        kinds = [f"{words.gettext(KINDS[kind])} {words.number(count)}" for kind, count in answer.unmeasured.items()]
        note = words.say(
            "works that are lower bounds, for some labour was never measured: %(kinds)s",
            kinds=words.gettext(", ").join(kinds),
        )
        notes.append(Text(note, "yellow"))
        first = words.gettext(", ").join(answer.unmeasured_works[:STRONGEST])
        notes.append(Text(f"  {first}{' …' if len(answer.unmeasured_works) > STRONGEST else ''}", "dim"))
    return [Text(), *notes] if notes else notes


def closed_lines(found: Sequence[tuple[str, str, str]], words: Words) -> Iterable[str]:
    """Periods that are closed for the labour ledger, and those that were settled: the last of (period, by, ledger)."""
    for message, periods in (
        (N_("closed: %(periods)s"), [one for one in found if one[2] == LABOUR]),
        (N_("settled: %(periods)s"), [one for one in found if one[2] != LABOUR]),
    ):
        said = [words.say("%(period)s by %(by)s", period=period, by=by) for period, by, _ in periods[-STRONGEST:]]
        if said:
            yield words.say(message, periods=words.gettext(", ").join(said))


def bar(amount: int, most: int, style: str = "cyan", *, width: int = BAR) -> Text:
    """A bar; whatever is more than nothing is seen."""
    length = (2 * width * abs(amount) + most) // (2 * most)
    return Text(FULL * max(length, int(amount != 0)), style)


def whole(decimals: str) -> int:
    """The whole number nearest to a decimal."""
    return int(Decimal(decimals).to_integral_value())


def trimmed(decimals: str) -> str:
    """A decimal without the zeros at its end."""
    return decimals.rstrip("0").rstrip(".") if "." in decimals else decimals


# -- accounts, closing, idling -----------------------------------------------------------------------------------------


def accounts(found: Iterable[Account], words: Words) -> RenderableType:
    """Accounts with their balances; debits are positive."""
    rows = table(words, N_("account"), N_("debit"), N_("credit"), numbers=(1, 2))
    sums: dict[str, int] = {}
    for one in found:
        rows.add_row(one.account, *_sides(one.balance, one.unit, words))
        sums[one.unit] = sums.get(one.unit, 0) + one.balance
    for unit, total in sums.items():
        rows.add_row(words.gettext("together"), *_sides(total, unit, words), style="bold")
    return rows


def _sides(balance: int, unit: str, words: Words) -> tuple[str, str]:
    said = balance_of(abs(balance), unit, words)
    return (said, "") if balance >= 0 else ("", said)


METERED = {"mwh": ("mWh", "Wh", "kWh", "MWh", "GWh"), "gflop": ("GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "YFLOP")}


def balance_of(amount: int, unit: str, words: Words) -> str:
    """An amount ≥ 0 with its unit."""
    if unit == UNIT:
        return words.hours(amount)
    if unit in ("us", "device-us"):
        return clock(amount, words)
    if unit == "tokens":
        return words.counted("%(n)s token", "%(n)s tokens", amount)
    return words.scaled(amount, METERED[unit]) if unit in METERED else words.money(amount, unit)


def closed(found: Close, words: Words) -> RenderableType:
    """A period of the labour ledger, closed with these balances."""
    head = words.say(
        "%(close)s: nothing is dated in %(period)s any more; on a log of %(facts)s",
        close=found.close, period=found.period, facts=words.facts(found.size),
    )  # fmt: skip
    rows = listing()
    for name, uslh in (
        (N_("labour given, so far"), found.given_uslh),
        (N_("in outputs"), found.outputs_uslh),
        (N_("in stocks"), found.stocks_uslh),
        (N_("lost"), found.losses_uslh),
    ):
        rows.add_row(words.gettext(name), words.hours(uslh))
    return Group(Text(head, "bold"), rows)


def idle(found: Idle, words: Words) -> RenderableType:
    """What idles away, and whether it was recorded."""
    rows = listing()
    for name, uslh in (
        (N_("held"), found.held_uslh),
        (N_("lost by standing idle"), found.lost_uslh),
        (N_("left"), found.left_uslh),
    ):
        rows.add_row(words.gettext(name), words.hours(uslh))
    said = words.say("%(work)s: λ = %(rate)s a day, %(days)s days", work=found.work, rate=found.rate, days=found.days)
    if found.first_day is not None:
        said += words.gettext(", ") + words.say("%(first)s to %(last)s", first=found.first_day, last=found.last_day)
    note = (
        words.gettext("Nothing was recorded: --record does.")
        if found.fact is None
        else words.say("recorded as fact %(seq)s", seq=found.fact)
    )
    return Group(Text(said, "bold"), rows, Text(note, "dim"))


# -- the loop ----------------------------------------------------------------------------------------------------------


def loop(found: DataLoop, words: Words) -> RenderableType:
    """Every work on the loop, by the equations and by the ledger."""
    if not found.rounds:
        return Text(
            words.gettext("No output has come back as data: there is no loop. gongfen record recycle … says so.")
        )
    parts: list[RenderableType] = []
    for at, works in enumerate(found.rounds, start=1):
        shown = [*works[:STRONGEST], *(["…"] if len(works) > STRONGEST else [])]
        parts.append(Text(words.say("round %(n)s: %(works)s", n=at, works=" → ".join(shown)), "bold"))
    rows = table(
        words, N_("work"), N_("new labour"), N_("solved"), N_("booked"), N_("difference"), N_("lost"),
        numbers=(1, 2, 3, 4, 5),
    )  # fmt: skip
    for one in _told(found.versions):
        rows.add_row(
            one.work,
            words.hours(one.new_uslh),
            words.hours(whole(one.solved_uslh)),
            words.hours(one.booked_uslh),
            _difference(one.difference_uslh, words),
            words.hours(one.lost_uslh),
        )
    parts += [Text(), rows]
    if (hidden := len(found.versions) - len(_told(found.versions))) > 0:
        more = words.counted("%(n)s more work", "%(n)s more works", hidden)
        parts.append(Text(words.say("… and %(more)s (--json shows all)", more=more), "dim"))
    parts += [Text(), *_loop_notes(found, words)]
    return Group(*parts)


MOST_WORKS = 24


def _told(versions: tuple[Version, ...]) -> tuple[Version, ...]:
    return versions[:MOST_WORKS]


def _difference(decimals: str, words: Words) -> str:
    """In micro-SLH, with its sign; too small for any clock."""
    said = trimmed(decimals)
    sign = MINUS if said.startswith("-") else PLUS if said != "0" else ""
    return f"{sign}{said.lstrip('-')} µSLH" if said != "0" else words.gettext("none")


def _loop_notes(found: DataLoop, words: Words) -> Iterable[RenderableType]:
    rounding = words.say(
        "solved: the whole history as one system of equations, in exact fractions; booked: step by step, in whole "
        "micro-SLH. They differ by rounding: over %(n)s, each by one at most for every source that it carries.",
        n=words.counted("%(n)s transfer", "%(n)s transfers", found.transfers),
    )
    yield Text(rounding, "dim")
    if found.decay_uslh:
        yield Text(words.say("lost by decay on coming back: %(time)s", time=words.hours(found.decay_uslh)))
    if found.passed_on_uslh:
        said = words.say(
            "%(time)s was taken back by corrections after it had passed on: it is booked, and not in the equations",
            time=words.hours(-found.passed_on_uslh),
        )
        yield Text(said, "yellow")
    if (steady := found.steady) is None:
        yield Text(words.gettext("No next model was made with what came back, so far."))
        return
    yield Text(
        words.say(
            "%(model)s got %(share)s of the labour in %(before)s; the round added %(new)s.",
            model=steady.model, share=words.percent(steady.passed_on_ppm, most=4), before=steady.before,
            new=words.hours(steady.new_uslh),
        )
    )  # fmt: skip
    if steady.steady_uslh is None:
        yield Text(words.gettext("If every round were made so, labour would grow without end."), "yellow")
        return
    yield Text(
        words.say(
            "If every round were made so, a model would come to hold %(steady)s; it holds %(booked)s now.",
            steady=words.hours(whole(steady.steady_uslh)), booked=words.hours(steady.booked_uslh),
        )
    )  # fmt: skip

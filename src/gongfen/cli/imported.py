"""What an import recorded, or would record, as a person reads it: makers, works, hours by quality, doubts."""

from collections.abc import Mapping
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gongfen.book.importing import Hours, Imported
from gongfen.reports.text.replies import table
from gongfen.reports.words import N_, Words

ROWS = 12
"""Works that are shown one by one; makers are all shown: they are paid."""
PLACES = 3

REASONS = {
    "overlap": N_("overlaps other time of the same maker; counted once"),
    "beyond_a_day": N_("is longer than 24 hours; left out"),
    "full_day": N_("would make more than 24 hours of one day; left out"),
    "negative": N_("ends before it begins; left out"),
    "nobody": N_("names nobody; left out"),
    "no_day": N_("names no day; left out (give --day)"),
    "no_duration": N_("says no time; left out"),
    "running": N_("has not ended; left out"),
    "disagreement": N_("its times and its duration disagree; the shorter counts"),
    "idle": N_("is longer than the cap; what is above is idle and was cut"),
    "changed": N_("was recorded before with another content; not recorded again"),
    "taken_back": N_("is as it was when its fact was corrected; not recorded again"),
    "repeated": N_("comes twice; counted once"),
    "draft": N_("is a draft; left out"),
}
"""Each reason for a doubt, in words."""


def drawn(found: Imported, words: Words) -> RenderableType:
    """The whole answer."""
    parts: list[RenderableType] = [Text(_head(found, words))]
    if found.makers:
        parts += [Text(), _hours(found.makers, words, N_("maker"))]
    if found.works:
        parts += [Text(), _hours(found.works, words, N_("work"))]
    if found.device_us:
        parts.append(Text(_machines(found, words)))
    if found.doubts:
        parts += [Text(), _doubts(found, words)]
    if found.unknown:
        says = N_("Users whom no maker is known for; their labour is not counted above: %(users)s")
        parts += [
            Text(),
            Text(words.say(says, users=", ".join(found.unknown)), "yellow"),
            Text("  → " + words.say("say who they are: %(how)s", how=f"--map '{found.unknown[0]}=MAKER'"), "yellow"),
        ]
    return Group(*parts)


def _head(found: Imported, words: Words) -> str:
    kinds = ", ".join(f"{kind} {words.number(number)}" for kind, number in found.kinds.items())
    text = words.say(
        "%(file)s: new facts: %(facts)s; already there: %(there)s; doubtful: %(doubts)s; days in %(zone)s",
        file=found.file, facts=words.number(found.facts) + (f" ({kinds})" if kinds else ""),
        there=words.number(found.there), doubts=words.number(len(found.doubts)), zone=found.zone,
    )  # fmt: skip
    return words.say("dry run, nothing was written: %(what)s", what=text) if found.dry_run else text


def _hours(rows: Mapping[str, Hours], words: Words, name: str) -> RenderableType:
    """Hours by quality; unmeasured labour is counted, because nobody knows its hours."""
    columns = (name, N_("measured"), N_("clipped"), N_("imputed"), N_("unmeasured"), N_("of it thrown away"))
    drawn_: Table = table(words, *columns, numbers=(1, 2, 3, 4, 5))
    shown = list(rows.items())
    limit = len(shown) if name == "maker" or len(shown) <= ROWS + 1 else ROWS
    for label, hours in shown[:limit]:
        _row(drawn_, label, hours, words)
    if limit < len(shown):
        rest = Hours()
        for _, hours in shown[limit:]:
            rest.merge(hours)
        _row(drawn_, words.counted("%(n)s more", "%(n)s more", len(shown) - limit), rest, words)
    return drawn_


def _row(rows: Table, label: str, hours: Hours, words: Words) -> None:
    times = (hours.measured_us, hours.clipped_us, hours.imputed_us)
    cells = [_time(us, words) for us in times]
    entries = words.say("%(n)s×", n=words.number(hours.unmeasured)) if hours.unmeasured else ""
    rows.add_row(label, *cells, entries, _time(hours.discarded_us, words))


def _time(us: int, words: Words) -> str:
    return words.seconds(Decimal(us).scaleb(-6)) if us else ""


def _machines(found: Imported, words: Words) -> str:
    units = ("mWh", "Wh", "kWh", "MWh")
    energy = words.gettext("not measured") if found.energy_mwh is None else words.scaled(found.energy_mwh, units)
    time = words.seconds(Decimal(found.device_us).scaleb(-6))
    if found.energy_mwh is not None and found.energy_lacking:
        return words.counted(
            "device time: %(time)s; energy: ≥ %(energy)s, for %(n)s run of %(runs)s does not say it",
            "device time: %(time)s; energy: ≥ %(energy)s, for %(n)s runs of %(runs)s do not say it",
            found.energy_lacking, time=time, energy=energy, runs=words.number(found.runs),
        )  # fmt: skip
    return words.say("device time: %(time)s; energy: %(energy)s", time=time, energy=energy)


def _doubts(found: Imported, words: Words) -> RenderableType:
    """Doubts by reason: how many, how much time they take away, and where they are."""
    rows = table(words, N_("doubtful"), N_("number"), N_("not counted"), N_("where"), numbers=(1, 2))
    for reason in sorted({doubt.reason for doubt in found.doubts}):
        those = [doubt for doubt in found.doubts if doubt.reason == reason]
        places = [f"{doubt.place} ({doubt.detail})" if doubt.detail else doubt.place for doubt in those[:PLACES]]
        more = [words.counted("%(n)s more", "%(n)s more", len(those) - PLACES)] if len(those) > PLACES else []
        cut = _time(sum(doubt.cut_us for doubt in those), words)
        rows.add_row(words.gettext(REASONS[reason]), words.number(len(those)), cut, "; ".join([*places, *more]))
    return rows

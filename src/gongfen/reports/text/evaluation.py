"""An evaluation on a terminal: what it will take, the table, and the sentence that a person decides by."""

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from gongfen.reports.evaluation import Estimate, Evaluated, Lost, Planned, Tracer
from gongfen.reports.text.replies import table
from gongfen.reports.words import N_, PLUS, Words

MOST = 10_000
"""Retrainings above which nobody waits for the answer."""
BYTES = ("B", "kB", "MB", "GB")
FEW_OUTPUTS = 5


def planned(found: Planned, words: Words) -> Text:
    """How many retrainings there will be, how long they take, where they are kept."""
    say = words.say
    things = {
        "works": words.counted("%(n)s work", "%(n)s works", found.works),
        "outputs": words.counted("%(n)s output", "%(n)s outputs", len(found.outputs)),
    }
    counts = {
        "halves": words.number(found.halves),
        "drops": words.number(found.drops),
        "kept": words.number(found.kept),
    }
    lines = [
        say("%(model)s: %(works)s, %(outputs)s", model=found.model, **things),
        say(
            "retrainings: %(halves)s on random halves, at most %(drops)s without a few works; %(kept)s kept already",
            **counts,
        ),
    ]
    if found.time_us is None:
        lines.append(words.gettext("time: unknown, for the training was not timed"))
    elif not found.time_us:
        lines.append(words.gettext("time: little, for nothing is left to be retrained"))
    else:
        time = words.seconds(Decimal(round(found.time_us / 1_000_000)))
        lines.append(say("time: about %(time)s at most, by what training took", time=time))
    space = words.scaled(found.size_bytes, BYTES)
    lines.append(say("kept in %(folder)s, %(space)s at most", folder=found.folder, space=space))
    return Text("\n".join(lines))


def evaluated(found: Evaluated, words: Words) -> RenderableType:
    """Every method beside the others, and whether one is above plain likeness."""
    say, wanted = words.say, found.planned
    head = say(
        "%(model)s: %(halves)s and %(drops)s retrainings, log-likelihood of %(outputs)s",
        model=wanted.model, halves=words.number(wanted.halves), drops=words.number(found.retrainings - wanted.halves),
        outputs=words.counted("%(n)s output", "%(n)s outputs", len(wanted.outputs)),
    )  # fmt: skip
    ranks = table(words, N_("method"), "LDS", N_("above likeness"), N_("CPU s"), numbers=(1, 2, 3))
    for one in found.tracers:
        above = words.gettext("the likeness") if one.above is None else _estimate(one.above, words, sign=True)
        cost = words.number(Decimal(one.cpu_us).scaleb(-6), least=1, most=1)
        ranks.add_row(words.gettext(one.name), _estimate(one.lds, words), above, cost)
    parts: list[RenderableType] = [Text(head, style="bold"), Text(), ranks, Text()]
    if any(one.drops for one in found.tracers):
        parts += [*_drops(found, words), Text()]
    if found.ceiling_ppm is None:
        parts.append(Text(words.gettext("a perfect tracer would score: unknown with one seed (--seeds 2 tells)")))
    else:
        parts.append(Text(say("a perfect tracer would score about %(lds)s", lds=words.ratio(found.ceiling_ppm))))
    if len(wanted.outputs) < FEW_OUTPUTS:
        parts.append(Text(words.gettext("few outputs: other ones may say something else, and no interval shows it")))
    for reason in found.left_out:
        values = {name: words.gettext(value) for name, value in reason.values.items()}
        parts.append(Text(say(reason.said, **values), "yellow"))
    parts.append(Text(_verdict(found, words), style="bold"))
    return Group(*parts)


def _drops(found: Evaluated, words: Words) -> list[RenderableType]:
    """The drop test: a column for each size."""
    sizes = [lost.works for lost in found.tracers[0].drops]
    titles = [words.counted("%(n)s work", "%(n)s works", size) for size in sizes]
    rows = table(words, N_("without the strongest"), *titles, numbers=tuple(range(1, len(sizes) + 1)))
    random: Tracer | None = None
    for one in found.tracers:
        if one.verdict is None and not one.likeness:
            random = one
        else:
            rows.add_row(words.gettext(one.name), *(_lost(lost, words) for lost in one.drops))
    note = words.gettext("nats lost by an output, more than without as many works at random:")
    parts: list[RenderableType] = [Text(note), rows]
    if random is not None:
        rows.add_row(words.gettext("random, against all works"), *(_lost(lost, words) for lost in random.drops))
    return parts


def _verdict(found: Evaluated, words: Words) -> str:
    """One sentence: whether anything is above plain likeness."""
    said = [
        words.say(_answer(one), method=words.gettext(one.name), more=words.number(one.more or 0))
        for one in found.tracers
        if one.verdict is not None
    ]
    best = words.gettext(found.likeness)
    answers = words.gettext("; ").join(said)
    return words.say("above plain likeness (%(best)s) for certain: %(answers)s", best=best, answers=answers)


def _answer(one: Tracer) -> str:
    if one.verdict == "yes":
        return N_("%(method)s yes")
    if one.verdict == "no":
        return N_("%(method)s no")
    if one.more is None or one.more > MOST:
        return N_("%(method)s cannot tell (more retrainings alone would not; more outputs might)")
    return N_("%(method)s cannot tell (about %(more)s more retrainings would)")


def _estimate(one: Estimate, words: Words, *, sign: bool = False) -> str:
    mark = (PLUS if sign and one.value_ppm > 0 else "") + words.ratio(one.value_ppm)
    return f"{mark} [{words.ratio(one.low_ppm)}, {words.ratio(one.high_ppm)}]"


def _lost(one: Lost, words: Words) -> str:
    value, low, high = (
        words.number(Decimal(nnat).scaleb(-9), least=3, most=3, sign=True)
        for nnat in (one.value_nnat, one.low_nnat, one.high_nnat)
    )
    return f"{value} [{low}, {high}]"

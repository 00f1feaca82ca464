"""The answer that the page begins with, in one sentence; and what people are owed beside it, by currency."""

from collections.abc import Iterable

from gongfen.reports.story import Story, TrainingStory
from gongfen.reports.words import Words

NO_BREAK = "\u00a0"


def headline(story: Story, words: Words, *, adds_up: bool) -> str:
    """The answer in one sentence; or that the sums fail, when they do."""
    if story.settlement is None:
        return _unsettled(story, words, adds_up=adds_up)
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


def _unsettled(story: Story, words: Words, *, adds_up: bool) -> str:
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
    sums = [words.money(amount, currency).replace(" ", NO_BREAK) for currency, amount in by_currency(story.unsettled)]
    return words.say(
        "%(what)s, made from the work of %(whose)s. Sold for %(sum)s, and not shared out yet.",
        what=what,
        whose=whose,
        sum=" + ".join(sums),
    )


def made_of(training: TrainingStory, words: Words) -> str:
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


def by_currency(amounts: Iterable[tuple[str, str, int]]) -> list[tuple[str, int]]:
    """(whose, currency, amount) added up: (currency, amount), by the names of the currencies."""
    sums: dict[str, int] = {}
    for _, currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    return sorted(sums.items())


def due(story: Story, words: Words) -> list[str]:
    """What people are owed that no settlement on this page explains, by currency."""
    sums = by_currency((one.maker, *owed) for one in story.people for owed in one.owed)
    return [words.money(amount, currency) for currency, amount in sums]

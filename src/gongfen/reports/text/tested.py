"""In a line each: how well a way of tracing stood its test, whether it can tell, and what it does not see."""

from collections.abc import Sequence
from functools import partial

from gongfen.reports.replies import SEEDS_AGREE, WORDS_ALONE, Tested, Unseen
from gongfen.reports.words import N_, Words

ABOVE = {
    "yes": N_("above plain likeness for certain"),
    "no": N_("not above plain likeness"),
    "unknown": N_("whether above plain likeness, it cannot tell"),
}
CANNOT_TELL = {
    SEEDS_AGREE: N_(
        "cannot tell: its strongest works are those of this run; "
        "another run, with another seed, would say something else"
    ),
    WORDS_ALONE: N_(
        "cannot tell: its own words in random order move some work as far above the others, "
        "so these shares may come from the words alone, and not from what they say"
    ),
}
ALIKE = N_("cannot tell: its strongest works do not stand above random ones, so these shares say nothing")

NAMED = 3


def unseen_lines(unseen: Sequence[Unseen], words: Words) -> list[str]:
    """What of the model the index that answered does not look at, with the first names."""
    return [line for line in (_unseen_line(one, words) for one in unseen) if line]


def _unseen_line(one: Unseen, words: Words) -> str:
    names = words.gettext(", ").join(one.names[:NAMED]) + (" …" if one.count > NAMED else "")
    counted = partial(words.counted, n=one.count, names=names)
    match one.why:
        case "in no linear layer":
            return counted(
                "the index does not see %(n)s trained parameter that is in no linear layer: %(names)s",
                "the index does not see %(n)s trained parameters that are in no linear layer: %(names)s",
            )
        case "too wide":
            return counted(
                "the index does not see %(n)s layer that is too wide for it: %(names)s",
                "the index does not see %(n)s layers that are too wide for it: %(names)s",
            )
        case "silent":
            return counted(
                "the index does not see %(n)s layer through which nothing flows: %(names)s",
                "the index does not see %(n)s layers through which nothing flows: %(names)s",
            )
    return ""


def told_line(told: bool | None, told_by: str | None, words: Words) -> str:
    """That the strongest works do not stand above random ones, or that nobody knows; nothing when they do."""
    if told is None:
        return words.gettext("whether its strongest works stand above random ones is not known")
    return "" if told else words.gettext(CANNOT_TELL.get(told_by or "", ALIKE))


def tested_line(test: Tested | None, words: Words) -> str:
    """The rank test of a measurement's method; that there is none, when nobody has made one."""
    if test is None:
        return words.gettext("how good this way of measuring is: not evaluated on this model")
    rank = words.ratio(test.value_ppm)
    if test.low_ppm is not None and test.high_ppm is not None:
        rank += f" [{words.ratio(test.low_ppm)}, {words.ratio(test.high_ppm)}]"
    if test.retrainings is None:
        line = words.say("tested on this model: rank correlation with retraining (LDS) %(rank)s", rank=rank)
    else:
        line = words.counted(
            "tested on this model: rank correlation with %(n)s retraining (LDS) %(rank)s",
            "tested on this model: rank correlation with %(n)s retrainings (LDS) %(rank)s",
            test.retrainings, rank=rank,
        )  # fmt: skip
    if test.above_likeness not in ABOVE:
        return line
    return words.gettext("; ").join((line, words.gettext(ABOVE[test.above_likeness])))

"""In one line: how well a way of tracing stood its test on the model that it was used on."""

from gongfen.reports.replies import Tested
from gongfen.reports.words import N_, Words

ABOVE = {
    "yes": N_("above plain likeness for certain"),
    "no": N_("not above plain likeness"),
    "unknown": N_("whether above plain likeness, it cannot tell"),
}


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

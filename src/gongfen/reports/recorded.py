"""What a measurement says of itself, or why there is none, stands in English; here it is said in the reader's words.

A text that no form fits, such as another program's, is shown as it was recorded.
"""

import re
from functools import lru_cache

from gongfen.reports.words import N_, Words

FORMS = (
    N_("whole gradients at %(checkpoints)s checkpoints, empirical-fisher, damping %(damping)s"),
    N_("whole gradients at %(checkpoints)s checkpoints, plain, damping %(damping)s"),
    N_(
        "index of %(checkpoints)s checkpoints, %(numbers)s numbers a work, rank %(rank)s, whitening %(whitening)s, "
        "damping %(damping)s"
    ),
    N_("%(count)s strongest by exact EK-FAC, damping %(damping)s"),
    N_("metagradient, one-sided difference of gradients, relative step %(step)s"),
    N_("of this way of measuring, 95 %%, Student's t over %(checkpoints)s checkpoints"),
    N_("of another run, 95 %%, Student's t over %(seeds)s seeds, variances moderated by those of all works"),
    N_("unknown: measured at one checkpoint"),
    N_("unknown: one run"),
    N_("another seed tells (--seeds 2)"),
    N_("its test against retraining says how far it holds"),
    N_("unknown: the run with seed %(seed)s is not smooth (its adjoint grows %(growth)s times)"),
    N_("exact, from %(words)s words or %(characters)s characters on"),
    N_("%(count)s of %(works)s, to their first %(tokens)s tokens"),
    N_("the estimate would rest on too few models: %(models)s, where %(coefficients)s coefficients need %(least)s"),
    N_("the estimate, %(column)s is the same for all models"),
    N_("the estimate cannot tell %(columns)s apart: they follow from each other in the models given"),
    N_("leave one maker out and retrain, makers at even ranks of the predicted change"),
    N_("leave one work out and retrain, works at even ranks of the predicted change"),
)
"""As ``book`` records them, and as ``value`` refuses an estimate."""
WORDS = ("column", "columns")
"""Places that hold words; the others hold numbers."""
PLACE = re.compile(r"%\\\((\w+)\\\)s")


def recorded(words: Words, text: str) -> str:
    """A recorded text in the reader's language, part by part where it has several.

    >>> recorded(Words("en"), "3 strongest by exact EK-FAC, damping 0.1; and more")
    '3 strongest by exact EK-FAC, damping 0.1; and more'
    """
    return words.gettext("; ").join(_part(words, part) for part in text.split("; "))


def _part(words: Words, text: str) -> str:
    for form, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return words.say(form, **found.groupdict())
    return words.gettext(text)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((form, re.compile(PLACE.sub(_place, re.escape(form).replace("%%", "%")))) for form in FORMS)


def _place(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{'[a-z_, ]+' if found[1] in WORDS else '[0-9.e+-]+'})"

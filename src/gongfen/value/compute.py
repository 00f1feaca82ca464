"""How much computing a model took: FLOP from its size and its tokens, machine hours from days and machines.

Counting rules (Kaplan et al. 2020, arXiv:2001.08361, section 2.1): a forward pass takes about 2 FLOP for every
parameter and token, training three times that. They are conventions for dense models, good to a few per cent; what a
machine's own counter says goes before them. Machine hours are never added to hours of labour: a machine only transfers
what it embodies (``economics.md``, section 1). Everything here is a whole number or an exact fraction.
"""

from fractions import Fraction

from gongfen.errors import MalformedFactError

PF_DAY_FLOP = 86_400 * 10**15
"""10¹⁵ FLOP in every second of a day: 8.64e19."""

_SECONDS_PER_DAY = 86_400
_HOURS_PER_DAY = 24


def training_flop(parameters: int, tokens: int) -> int:
    """``6·N·D``.

    >>> training_flop(175 * 10**9, 300 * 10**9) == 315 * 10**21
    True
    """
    return 6 * _whole("parameters", parameters) * _whole("tokens", tokens)


def inference_flop(parameters: int, tokens: int) -> int:
    """``2·N`` for every token read or written."""
    return 2 * _whole("parameters", parameters) * _whole("tokens", tokens)


def pf_days(flop: Fraction | int) -> Fraction:
    """FLOP in petaflop-days."""
    return Fraction(flop, PF_DAY_FLOP)


def flop_of_pf_days(days: Fraction | int) -> Fraction:
    """Petaflop-days in FLOP."""
    return Fraction(days) * PF_DAY_FLOP


def machine_hours(days: Fraction | int, machines: int) -> Fraction:
    """So many machines, for so many days."""
    return Fraction(days) * _HOURS_PER_DAY * _whole("machines", machines)


def flop_per_second(flop: Fraction | int, days: Fraction | int, machines: int) -> Fraction | None:
    """What one machine did in a second, on average; ``None`` when no machine ran for any time."""
    seconds = Fraction(days) * _SECONDS_PER_DAY * _whole("machines", machines)
    return Fraction(flop, seconds) if seconds else None


def utilisation(flop_per_second: Fraction | None, peak_flop_per_second: Fraction | int | None) -> Fraction | None:
    """What was done of what the machine could do at most; ``None`` where either is unknown."""
    if flop_per_second is None or not peak_flop_per_second:
        return None
    return Fraction(flop_per_second, peak_flop_per_second)


def _whole(name: str, number: int) -> int:
    if type(number) is not int or number < 0:
        raise MalformedFactError(name, f"cannot be {number!r}", "count them: a whole number from 0 upwards")
    return number

"""What a period is called: a year, a month or a day."""

import msgspec

from gongfen.errors import InputError
from gongfen.facts import kinds as k


def check_period(period: str) -> None:
    """Raise InputError unless it is a year, a month or a day."""
    try:
        msgspec.convert(period, k.Period)
    except msgspec.ValidationError:
        remedy = "name a year, a month or a day: 2026, 2026-11, 2026-11-22"
        raise InputError(f"period {period[:40]!r}", "is no period", remedy) from None

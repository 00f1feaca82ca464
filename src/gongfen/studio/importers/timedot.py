"""hledger's timedot: days, and below each what was done, a dot for every quarter of an hour."""

import re
from pathlib import Path

from gongfen.errors import ToolExportError
from gongfen.facts.amounts import US_PER_HOUR, US_PER_SECOND
from gongfen.studio.importers.export import Entry, Export, How, Thing, numbered
from gongfen.studio.importers.reading import lines, number, opened, plain_day, row_key, scaled

TOOL = "timedot"
DOT_US = US_PER_HOUR // 4
UNITS_US = {
    "s": US_PER_SECOND, "m": 60 * US_PER_SECOND, "h": US_PER_HOUR, "d": 24 * US_PER_HOUR, "w": 7 * 24 * US_PER_HOUR,
    "mo": 30 * 24 * US_PER_HOUR, "y": 365 * 24 * US_PER_HOUR,
}  # fmt: skip
_DAY = re.compile(r"(?:\*+ +)?(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?:\s.*)?")
_YEARLESS = re.compile(r"(?:\*+ +)?\d{1,2}[-/.]\d{1,2}(?:\s.*)?")
_NEAR = re.compile(r"(.*?[^\s.])\s(\.[. ]*|\d+(?:\.\d+)?(?:mo|s|m|h|d|w|y))")
"""Two spaces stand before the time, says hledger; after one, what can be nothing else is taken for it."""
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(mo|s|m|h|d|w|y)?")


def read(path: Path, how: How) -> Export:
    """Every line of a timedot file; it names nobody, so whose time it is must be said. Raises ToolExportError."""
    _ = how  # days are written out, and a dot is always a quarter of an hour
    export = opened("timedot", path)
    export.tool = TOOL
    seen: dict[str, int] = {}
    day = ""
    for count, line in lines(path):
        place = f"{path.name}, line {count}"
        text = re.split(r"\s;|^;", line, maxsplit=1)[0].strip()
        if found := _DAY.fullmatch(text):
            day = plain_day(found[1], f"{place},")
        elif not text or text.startswith(("#", "*")):
            continue
        elif _YEARLESS.fullmatch(text):
            raise ToolExportError(f"{place},", f"names the day {text!r} without its year", "write days as 2026-11-02")
        elif not day:
            raise ToolExportError(f"{place},", "stands before the first day", "write the day above it, as 2026-11-02")
        else:
            _add(export, text, day, place, seen)
    return export


def _add(export: Export, text: str, day: str, place: str, seen: dict[str, int]) -> None:
    account, *rest = (part.strip() for part in re.split(r"\s{2,}|\t", text, maxsplit=1))
    amount = rest[0] if rest else ""
    if not amount and (near := _NEAR.fullmatch(account)):
        account, amount = near.groups()
    if not amount:
        export.leave_out(place, "no_duration", account)
        return
    labour_us = quantity(amount, f"{place},")
    key = numbered(row_key(day, account), seen)
    parts = (TOOL, *account.split(":"))
    thing = Thing(parts, f"timedot account {account}")
    evidence = f"timedot {day} {account}"
    export.entries.append(Entry(key, place, None, thing, labour_us, "measured", day, evidence))


def quantity(text: str, place: str) -> int:
    """Dots, letters or a number with its unit, as microseconds. Raises ToolExportError.

    >>> quantity(".... ..", ""), quantity("90m", ""), quantity("1.5", ""), quantity("aabb", "")
    (5400000000, 5400000000, 5400000000, 3600000000)
    """
    plain = "".join(text.split())
    if plain and not plain.strip("."):
        return len(plain) * DOT_US
    if found := _AMOUNT.fullmatch(text.strip()):
        return scaled(number(found[1], place), UNITS_US[found[2] or "h"], place)
    if plain.isalpha():  # letters instead of dots name the kind of work, a quarter of an hour each
        return len(plain) * DOT_US
    raise ToolExportError(place, f"has no quantity in {text!r}", "write dots, hours, or a number with s, m or h")

"""Timesheets as tables: what the CSV of Toggl, Clockify and Kimai have in common, and where each is its own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from gongfen.errors import ToolExportError
from gongfen.facts.amounts import US_PER_HOUR, US_PER_SECOND
from gongfen.studio.importers.export import Dates, Entry, Export, How, Thing, User, numbered
from gongfen.studio.importers.reading import (
    Row,
    cell,
    day_of,
    instant,
    moment,
    number,
    opened,
    plain_day,
    row_key,
    rows,
    scaled,
    stroked,
)

AGREE_US = 60 * US_PER_SECOND
"""Tools show minutes and count seconds: within a minute, times and duration agree."""
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?")
_PARTS = re.compile(r"(?:(\d{1,9})\s*h)?\s*(?:(\d{1,9})\s*m(?:in)?)?\s*(?:(\d{1,9})\s*s(?:ec)?)?")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One tool's table: its columns in small letters, first come first taken, and what a bare number means."""

    tool: str
    label: str
    users: tuple[str, ...]
    """The first tells users apart; the others are further names."""
    names: tuple[str, ...]
    project: tuple[tuple[str, ...], ...]
    start_day: tuple[str, ...]
    start_time: tuple[str, ...]
    end_day: tuple[str, ...]
    end_time: tuple[str, ...]
    duration: tuple[str, ...]
    decimal_hours: tuple[str, ...]
    bare: Literal["seconds", "hours"]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Times:
    day: str
    start_us: int | None
    end_us: int | None
    duration_us: int | None
    exact: bool
    """The duration is to the second."""


def read(sheet: Sheet, path: Path, how: How) -> Export:
    """Every row of a timesheet. Raises ToolExportError."""
    export = opened(sheet.label, path)
    export.tool = sheet.tool
    table = list(rows(path, sheet.needed, sheet.label))
    order = how.dates or _order_of(sheet, [row for _, row in table], path.name)
    seen: dict[str, dict[str, int]] = {}
    for place, row in table:
        _add(export, sheet, row, place.rstrip(","), order, seen, how)
    return export


def _order_of(sheet: Sheet, table: Iterable[Row], file: str) -> Dates:
    """How dates with strokes are written, where the file shows it. Raises ToolExportError where it does not."""
    found = [day for row in table if (day := stroked(cell(row, *sheet.start_day)))]
    months, days = any(first > 12 for first, _, _ in found), any(second > 12 for _, second, _ in found)
    if found and months == days:
        reason = "writes dates in two ways" if months else "leaves open whether 01/02 is January or February"
        raise ToolExportError(file, reason, "say how dates are written: --dates mdy or --dates dmy")
    return ("dmy" if months else "mdy") if found else "ymd"


def _add(
    export: Export, sheet: Sheet, row: Row, place: str, order: Dates, seen: dict[str, dict[str, int]], how: How
) -> None:
    """One row as an entry, or as a doubt."""
    names = [row[column] for column in sheet.users if row.get(column)]
    user = User(names[0], cell(row, *sheet.names), tuple(names[1:])) if names else None
    times = _times(sheet, row, place, order, how)
    if times is None:
        export.leave_out(place, "no_day")
        return
    what = [part for columns in sheet.project if (part := cell(row, *columns))]
    began = str(times.start_us) if times.start_us is not None else times.day
    told = () if times.start_us is not None else (*what, cell(row, "description"))
    own_id = cell(row, "id")
    key = own_id or numbered(row_key(began, *told), seen.setdefault(names[0] if names else "", {}))
    thing = Thing((sheet.tool, *(what or ["no-project"])), f"{sheet.label}, {' / '.join(what) or 'no project'}")
    labour_us = _labour(export, times, place)
    if labour_us is None:
        return
    span = (times.start_us, times.end_us) if times.start_us is not None and times.end_us is not None else None
    said = f"{cell(row, *sheet.start_day)} {cell(row, *sheet.start_time)}".strip()
    evidence = f"{sheet.label} {said}"
    export.entries.append(
        Entry(key, place, user, thing, labour_us, "measured", times.day, evidence, span, own_id=bool(own_id))
    )


def _labour(export: Export, times: _Times, place: str) -> int | None:
    """How long a row lasted, by its duration and its times; ``None``: it is left out, and said why."""
    lasted = times.end_us - times.start_us if times.start_us is not None and times.end_us is not None else None
    stated = times.duration_us
    if (stated is not None and stated < 0) or (lasted is not None and lasted < 0):
        export.leave_out(place, "negative")
        return None
    if stated is None and lasted is None:
        export.leave_out(place, "running" if times.start_us is not None else "no_duration")
        return None
    if stated is None or lasted is None:
        return stated if lasted is None else lasted
    if abs(stated - lasted) <= AGREE_US:
        return stated if times.exact else lasted
    if stated > lasted:
        export.note(place, "disagreement", f"{stated // US_PER_SECOND} s, {lasted // US_PER_SECOND} s", stated - lasted)
    return min(stated, lasted)  # a pause was taken out of it, or the row is doubtful: never more than either says


def _times(sheet: Sheet, row: Row, place: str, order: Dates, how: How) -> _Times | None:
    start, end = cell(row, *sheet.start_day), cell(row, *sheet.end_day)
    if not start:
        return None
    began, ended = cell(row, *sheet.start_time), cell(row, *sheet.end_time)
    start_us, day = _moment(start, began, place, order, how)
    end_us, _ = _moment(end or start, ended, place, order, how) if ended else (None, "")
    if start_us is not None and end_us is not None and end_us < start_us and not end:
        end_us = _moment(_next_day(day), ended, place, "ymd", how)[0]  # only times are given: it went past midnight
    duration_us, exact = duration(cell(row, *sheet.duration), sheet.bare, place)
    if duration_us is None and (hours := cell(row, *sheet.decimal_hours)):
        duration_us, exact = scaled(number(hours.replace(",", "."), place), US_PER_HOUR, place), False
    return _Times(day, start_us, end_us, duration_us, exact)


def _next_day(day: str) -> str:
    return date.fromordinal(date.fromisoformat(day).toordinal() + 1).isoformat()


def _moment(day: str, time: str, place: str, order: Dates, how: How) -> tuple[int | None, str]:
    """A moment from a day and a time; or no moment, and the day alone, where no time is given."""
    if "T" in day or (":" in day and not time):
        us = instant(day, how.zone, place)
        return us, day_of(us, how.zone)
    if ":" in time and len(time) > len("12:00:00 PM"):
        us = instant(time, how.zone, place)  # some write the day into the column of the time
        return us, day_of(us, how.zone)
    found = stroked(day)
    if found:
        first, second, year = found
        iso = plain_day(f"{year}-{second}-{first}" if order == "dmy" else f"{year}-{first}-{second}", place)
    else:
        iso = plain_day(day, place)
    if not time:
        return None, iso
    clock = _TIME.fullmatch(time)
    unreadable = ToolExportError(place, f"has no time in {time!r}", "write it as 09:30 or 09:30:00")
    if clock is None:
        raise unreadable
    try:
        hour = int(clock[1])
        if clock[4]:
            hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
        here = datetime.fromisoformat(iso).replace(
            hour=hour, minute=int(clock[2]), second=int(clock[3] or 0), tzinfo=how.zone
        )
        return moment(here, how.zone), iso
    except ValueError:
        raise unreadable from None


def duration(text: str, bare: Literal["seconds", "hours"], place: str) -> tuple[int | None, bool]:
    """(duration in µs, whether it is to the second) of what tools write. Raises ToolExportError.

    >>> duration("1:30:00", "hours", ""), duration("1.5", "hours", ""), duration("7260", "seconds", "")
    ((5400000000, True), (5400000000, False), (7260000000, True))
    """
    said = text.strip()
    sign = -1 if said.startswith("-") else 1
    said = said.removeprefix("-").strip()
    if not said:
        return None, False
    short = said.lower().endswith("min") and ":" in said
    if re.fullmatch(r"\d{1,9}(:\d{1,2}){1,2}", said.lower().removesuffix("min").strip()):
        parts = [int(part) for part in said.lower().removesuffix("min").strip().split(":")]
        parts = [0, *parts] if short and len(parts) == 2 else [*parts, *[0] * (3 - len(parts))]
        exact = said.count(":") == 2 or short
        return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]) * US_PER_SECOND, exact
    named = _PARTS.fullmatch(said.lower())
    if named and any(named.groups()):
        h, m, s = (int(part or 0) for part in named.groups())
        return sign * (h * 3600 + m * 60 + s) * US_PER_SECOND, True
    plain = said.lower().removesuffix("h").strip().replace(",", ".")
    if not plain[:1].isdecimal():
        raise ToolExportError(place, f"has no duration in {text!r}", "write it as 1:30:00")
    value = number(plain, place)
    if bare == "seconds" and plain == said:
        whole = "." not in plain
        return sign * scaled(value, US_PER_SECOND if whole else US_PER_HOUR, place), whole
    return sign * scaled(value, US_PER_HOUR, place), False

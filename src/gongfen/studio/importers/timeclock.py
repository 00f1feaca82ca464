"""hledger's timeclock: ``i`` where somebody clocks in, ``o`` where they clock out."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gongfen.errors import ToolExportError
from gongfen.studio.importers.export import Entry, Export, How, Thing, numbered
from gongfen.studio.importers.reading import day_of, lines, moment, opened, row_key

TOOL = "timeclock"
_LINE = re.compile(
    r"([ioObh])\s+(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{4})?(?:\s+(.*))?"
)


@dataclass(frozen=True, slots=True)
class _Open:
    place: str
    at_us: int
    said: str
    account: str


def read(path: Path, how: How) -> Export:
    """Every session of a timeclock file; it names nobody, so whose time it is must be said. Raises ToolExportError.

    A session that is still open at the end is left out. Where several are open, ``o`` closes the one that it names,
    or the last.
    """
    export = opened("timeclock", path)
    export.tool = TOOL
    running: list[_Open] = []
    seen: dict[str, int] = {}
    for count, line in lines(path):
        text = line.strip()
        place = f"{path.name}, line {count}"
        if not text or text[0] in "#;*":
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            remedy = "write: i 2026-11-02 09:00:00 account, and o 2026-11-02 10:00:00"
            raise ToolExportError(f"{place},", f"is no line of a timeclock: {text[:70]!r}", remedy)
        if found[1] in "bh":
            continue  # a balance and a target of timeclock.el: no labour
        at_us, said, account = _moment(found, f"{place},", how), f"{found[2]}-{found[3]}-{found[4]}", _account(found[9])
        if found[1] == "i":
            running.append(_Open(place, at_us, f"{said} {found[5]}:{found[6]}", account))
        else:
            begun = _close(running, account, f"{place},")
            _add(export, begun, at_us, place, seen, how)
    for begun in running:
        export.leave_out(begun.place, "running", begun.account)
    return export


def _account(text: str | None) -> str:
    """The account of a line: what stands before two spaces or a comment."""
    return re.split(r"\s{2,}|\s*;", text or "", maxsplit=1)[0].strip()


def _moment(found: re.Match[str], place: str, how: How) -> int:
    year, month, day, hour, minute = (int(found[at]) for at in range(2, 7))
    try:
        if found[8]:
            text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{found[7] or '00'}{found[8]}"
            return moment(datetime.fromisoformat(text), how.zone)
        return moment(datetime(year, month, day, hour, minute, int(found[7] or 0), tzinfo=how.zone), how.zone)
    except (ValueError, OverflowError):
        raise ToolExportError(place, "has no such time", "correct the day and the time") from None


def _close(running: list[_Open], account: str, place: str) -> _Open:
    """The session that a line closes. Raises ToolExportError when none is open."""
    at = next((n for n in reversed(range(len(running))) if not account or running[n].account == account), None)
    if at is None and running:
        at = len(running) - 1  # older files write a comment where newer ones name the account
    if at is None:
        raise ToolExportError(place, "clocks out of what was not clocked in", "add the line that clocks in")
    return running.pop(at)


def _add(export: Export, begun: _Open, at_us: int, place: str, seen: dict[str, int], how: How) -> None:
    if at_us < begun.at_us:
        export.leave_out(place, "negative")
        return
    parts = (TOOL, *(begun.account.split(":") if begun.account else ["no-account"]))
    thing = Thing(parts, f"timeclock account {begun.account or 'none'}")
    key = numbered(row_key(str(begun.at_us), begun.account), seen)
    evidence = f"timeclock {begun.said} {begun.account}".strip()
    labour_us, day = at_us - begun.at_us, day_of(begun.at_us, how.zone)
    span = (begun.at_us, at_us)
    export.entries.append(Entry(key, begun.place, None, thing, labour_us, "measured", day, evidence, span))

"""Kimai's export as CSV: a row is a timesheet record; its duration is in seconds, or in hours with a point."""

from pathlib import Path

from gongfen.studio.importers.export import Export, How
from gongfen.studio.importers.sheets import Sheet
from gongfen.studio.importers.sheets import read as read_sheet

SHEET = Sheet(
    tool="kimai",
    label="Kimai",
    users=("username", "email", "user", "name", "alias"),
    names=("user", "name", "alias", "username"),
    project=(("customer",), ("project",), ("activity",)),
    start_day=("date", "begin", "from"),
    start_time=("begin", "from", "start-time", "in"),
    end_day=(),
    end_time=("end", "to", "end-time", "out"),
    duration=("duration",),
    decimal_hours=("duration (decimal)",),
    bare="seconds",
    needed=("username|email|user|name|alias", "date|begin|from", "duration|duration (decimal)"),
)


def read(path: Path, how: How) -> Export:
    """Every record of an export in English. Raises ToolExportError."""
    return read_sheet(SHEET, path, how)

"""Clockify's detailed report as CSV: a row is a stretch of time, on a client's project and task."""

from pathlib import Path

from gongfen.studio.importers.export import Export, How
from gongfen.studio.importers.sheets import Sheet
from gongfen.studio.importers.sheets import read as read_sheet

SHEET = Sheet(
    tool="clockify",
    label="Clockify",
    users=("email", "user"),
    names=("user",),
    project=(("client",), ("project",), ("task",)),
    start_day=("start date",),
    start_time=("start time",),
    end_day=("end date",),
    end_time=("end time",),
    duration=("duration (h)",),
    decimal_hours=("duration (decimal)",),
    bare="hours",
    needed=("user|email", "start date", "duration (h)|duration (decimal)"),
)


def read(path: Path, how: How) -> Export:
    """Every row of a detailed report. Raises ToolExportError."""
    return read_sheet(SHEET, path, how)

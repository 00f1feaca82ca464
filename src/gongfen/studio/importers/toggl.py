"""Toggl Track's detailed report as CSV: a row is a stretch of time, on a client's project."""

from pathlib import Path

from gongfen.studio.importers.export import Export, How
from gongfen.studio.importers.sheets import Sheet
from gongfen.studio.importers.sheets import read as read_sheet

SHEET = Sheet(
    tool="toggl",
    label="Toggl Track",
    users=("email", "user", "member"),
    names=("user", "member"),
    project=(("client",), ("project",), ("task",)),
    start_day=("start date",),
    start_time=("start time",),
    end_day=("end date", "stop date"),
    end_time=("end time", "stop time"),
    duration=("duration",),
    decimal_hours=(),
    bare="hours",
    needed=("user|email|member", "start date", "duration"),
)


def read(path: Path, how: How) -> Export:
    """Every row of a detailed report. Raises ToolExportError."""
    return read_sheet(SHEET, path, how)

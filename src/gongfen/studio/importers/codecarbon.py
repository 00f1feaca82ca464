"""CodeCarbon's emissions.csv: a row is a run, with its seconds, its devices and its estimated energy."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from gongfen.studio.importers.export import Export, How, Run, Thing
from gongfen.studio.importers.reading import Row, cell, day_of, instant, number, opened, row_key, rows, scaled, seconds

TOOL = "codecarbon"
MWH_PER_KWH = 1_000_000
"""A kilowatt-hour in milliwatt-hours."""
_COUNTED = re.compile(r"^\d+ x ")


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    row: Row
    duration_us: int


def read(path: Path, how: How) -> Export:
    """Every run of a file. Device time is its duration times its GPUs, or once, where it counts none.

    A run that was written several times on its way counts as its longest row says. ``energy_consumed`` has the PUE in
    it already. Raises ToolExportError.
    """
    export = opened("CodeCarbon", path)
    export.tool = TOOL
    longest: dict[str, _Row] = {}
    for where, row in rows(path, ("duration", "energy_consumed", "project_name", "run_id|experiment_id"), "CodeCarbon"):
        place = where.rstrip(",")
        if not cell(row, "duration"):
            export.leave_out(place, "no_duration")
            continue
        duration_us = seconds(number(row["duration"], where), where)
        run = cell(row, "run_id", "experiment_id") or row_key(row["project_name"], cell(row, "timestamp"))
        if duration_us < 0:
            export.leave_out(place, "negative", f"duration {row['duration']}")
            continue
        found = _Row(place, row, duration_us)
        if (other := longest.get(run)) is not None:
            longer, shorter = (found, other) if duration_us >= other.duration_us else (other, found)
            export.leave_out(shorter.place, "repeated", f"run {run}")
            longest[run] = longer
        else:
            longest[run] = found
    export.runs += [_run(run, found, how) for run, found in longest.items()]
    return export


def _run(run: str, found: _Row, how: How) -> Run:
    row, place = found.row, found.place
    count = number(cell(row, "gpu_count") or "0", f"{place},")
    gpus = int(count) if count == int(count) and count > 0 else 0
    model = cell(row, "gpu_model") if gpus else cell(row, "cpu_model")
    energy = cell(row, "energy_consumed")
    project = cell(row, "project_name") or "codecarbon"
    said = [f"CodeCarbon run {run}", cell(row, "timestamp"), f"duration {row['duration']} s"]
    said += [f"{gpus} GPUs"] if gpus else ["no GPU counted: device time is the machine's"]
    said += [f"energy estimated, PUE {row['pue']} in it"] if cell(row, "pue") else ["energy estimated"]
    return Run(
        key=run,
        place=place,
        thing=Thing((TOOL, project), f"CodeCarbon, project {project}"),
        device_us=found.duration_us * max(gpus, 1),
        device=_COUNTED.sub("", model) or ("gpu" if gpus else "cpu"),
        method="; ".join(part for part in said if part),
        energy_mwh=_energy(number(energy, f"{place},"), f"{place},") if energy else None,
        day=_day(found, how),
    )


def _day(found: _Row, how: How) -> str | None:
    """The day on which a run began: its row was written when it ended."""
    said = cell(found.row, "timestamp")
    return day_of(instant(said, how.zone, f"{found.place},") - found.duration_us, how.zone) if said else how.day


def _energy(kwh: Decimal, place: str) -> int:
    return max(scaled(kwh, MWH_PER_KWH, place), 0)

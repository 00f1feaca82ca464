"""Tables about tasks, from a sheet: who takes how long for how many, and what a machine would cost in their place.

| producer | time | units |
|---|--:|--:|
| ada | 4 | 100 |
| bo | 5 | 60 |

``time`` is hours for one unit.

| task | machine cost | wage | hours |
|---|--:|--:|--:|
| captions | 30 | 20 | 2 |

Cost and ``wage`` (for an hour) are in one currency; an empty cell of these is *unknown*, which is not zero.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from gongfen.errors import InputError
from gongfen.value.economy.sector_table import at_least_zero

PRODUCERS = {"producer": ("producer", "生产者"), "time": ("time", "用时"), "units": ("units", "数量")}
TASKS = {
    "task": ("task", "任务"),
    "machine": ("machine cost", "机器成本"),
    "wage": ("wage", "工资"),
    "hours": ("hours", "工时"),
}
"""Column → the titles that it may have."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task that people do, and a machine might; ``None`` is unknown."""

    machine: Fraction | None
    """What the machine costs."""
    wage: Fraction | None
    """For an hour."""
    hours: Fraction | None


def times_of_rows(rows: Sequence[Sequence[object]], name: str = "the table") -> dict[str, tuple[Fraction, Fraction]]:
    """Producer → hours for one unit, and units. Raises InputError with the place."""
    found = {}
    for producer, cells in _named(rows, PRODUCERS, name).items():
        time, units = (_amount(cells, column, PRODUCERS, producer, name) for column in ("time", "units"))
        if time is None or units is None:
            remedy = "say both, or leave the row out: an average over what is unknown is unknown"
            raise InputError(f"{name}, row {producer}", "does not say time and units", remedy)
        found[producer] = (time, units)
    return found


def tasks_of_rows(rows: Sequence[Sequence[object]], name: str = "the table") -> dict[str, Task]:
    """Task → what it costs either way. Raises InputError with the place."""
    found = {}
    for task, cells in _named(rows, TASKS, name).items():
        machine, wage, hours = (_amount(cells, column, TASKS, task, name) for column in ("machine", "wage", "hours"))
        found[task] = Task(machine=machine, wage=wage, hours=hours)
    return found


def _amount(
    cells: dict[str, str], column: str, columns: Mapping[str, tuple[str, ...]], row: str, name: str
) -> Fraction | None:
    said = cells[column]
    return at_least_zero(said, f"{name}, row {row}, column {columns[column][0]}") if said else None


def _named(
    rows: Sequence[Sequence[object]], columns: Mapping[str, tuple[str, ...]], name: str
) -> dict[str, dict[str, str]]:
    """The cells of each row by column; the first column names the row."""
    lines = [["" if cell is None else str(cell).strip() for cell in row] for row in rows]
    lines = [line for line in lines if any(line)]
    titles = [title.lower() for title in lines[0]] if lines else []
    first, *_ = columns
    for known in columns.values():
        if sum(title in known for title in titles) != 1:
            needed = ", ".join(known_[0] for known_ in columns.values())
            raise InputError(f"{name}, column {known[0]}", "is not there once", f"give the columns {needed}")
    at = {column: next(n for n, title in enumerate(titles) if title in known) for column, known in columns.items()}
    found: dict[str, dict[str, str]] = {}
    for line in lines[1:]:
        cells = {column: line[n] if n < len(line) else "" for column, n in at.items()}
        row = cells[first]
        if not row or row in found:
            reason = "stands there twice" if row else "has no name"
            raise InputError(f"{name}, row {row or ' '.join(line)[:40]}", reason, f"give each {first} one row")
        found[row] = cells
    if not found:
        raise InputError(name, f"names no {first}", "give one row for each")
    return found

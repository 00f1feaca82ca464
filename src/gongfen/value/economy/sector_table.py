"""A sector table: what each sector takes from each, what is left for final use, and the labour that went in.

**Layout.** The first row names the columns, the first column names the sectors; anything may stand in the corner.

| sector | iron | corn | final demand | labour | wages |
|---|--:|--:|--:|--:|--:|
| iron | 150 | 500 | 350 | 100 | 900 |
| corn | 200 | 100 | 1700 | 200 | 1500 |

- A row says where the sector's product *goes*: to the sectors (in any order of rows, but each once, under the names of
  the columns), then to ``final demand``. Its total output is the sum of that row; no column of totals is read.
- A column of a sector says what it *uses*. ``final demand`` may be below zero (stocks ran down); flows may not.
- ``labour`` is the labour of the sector in the whole period: hours, heads or hours of simple labour, all in one unit.
- ``wages`` is optional, in money; an empty cell there is *unknown*. An empty cell anywhere else is refused: write 0.
- Several columns of final demand (households, state, exports) are each named ``final demand``, and added up.

Numbers are read as they are written, ``0.1`` as one tenth. Cells come as text from CSV, or as numbers from a sheet.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from io import StringIO

import msgspec

from gongfen.errors import InputError

FINAL = ("final demand", "final", "最终需求")
LABOUR = ("labour", "labor", "劳动")
WAGES = ("wages", "工资")

_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?")
_MOST_SECTORS = 500
"""Minutes, not hours."""


class SectorTable(msgspec.Struct, frozen=True, kw_only=True):
    """Exact numbers; sectors in the order of the columns."""

    names: tuple[str, ...]
    flows: tuple[tuple[Fraction, ...], ...]
    """``flows[i][j]``: what sector j takes from sector i."""
    final: tuple[Fraction, ...]
    labour: tuple[Fraction, ...]
    wages: tuple[Fraction | None, ...]
    """In money; ``None`` where unknown."""

    @property
    def output(self) -> tuple[Fraction, ...]:
        """Total output x: what goes to sectors and to final demand."""
        return tuple(sum(row, final) for row, final in zip(self.flows, self.final, strict=True))


def table_of_csv(text: str, name: str = "the table") -> SectorTable:
    """From CSV."""
    return table_of_rows(rows_of_csv(text, name), name)


def rows_of_csv(text: str, name: str = "the table") -> list[list[str]]:
    """The cells of CSV, separated by commas, semicolons or tabs, whichever the first line has most of."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(name, f"is not CSV: {error}", "save the sheet as CSV again") from error


def table_of_rows(rows: Iterable[Sequence[object]], name: str = "the table") -> SectorTable:
    """From rows of cells, the first of them with the names of the columns. Raises InputError with the place."""
    lines = [[("" if cell is None else cell) for cell in row] for row in rows]
    lines = [line for line in lines if any(str(cell).strip() for cell in line)]
    if not lines:
        raise InputError(name, "is empty", "give a row of names and one row for each sector")
    titles = [str(cell).strip() for cell in lines[0]]
    while titles and not titles[-1]:
        titles.pop()
    sectors, final, labour, wages = _columns(titles, name)
    bodies = _by_sector(lines[1:], [titles[at] for at in sectors], len(titles), name)
    flows, finals, labours, paid = [], [], [], []
    for sector, line in bodies.items():
        cells = [*line, *[""] * (len(titles) - len(line))]
        places = [f"{name}, row {sector}, column {title}" for title in titles]
        flows.append(tuple(at_least_zero(cells[at], places[at]) for at in sectors))
        finals.append(sum((_number(cells[at], places[at]) for at in final), Fraction(0)))
        labours.append(at_least_zero(cells[labour], places[labour]))
        known = wages is not None and str(cells[wages]).strip()
        paid.append(at_least_zero(cells[wages], places[wages]) if wages is not None and known else None)
    return SectorTable(
        names=tuple(bodies), flows=tuple(flows), final=tuple(finals), labour=tuple(labours), wages=tuple(paid)
    )


def _columns(titles: list[str], name: str) -> tuple[list[int], list[int], int, int | None]:
    """Where the sectors, final demand, labour and wages stand."""
    lowered = [title.lower() for title in titles]
    final = [at for at, title in enumerate(lowered) if at and title in FINAL]
    labour = [at for at, title in enumerate(lowered) if at and title in LABOUR]
    wages = [at for at, title in enumerate(lowered) if at and title in WAGES]
    if not final:
        raise InputError(name, "has no column of final demand", f"name it {FINAL[0]!r}")
    if len(labour) != 1:
        reason = "has no column of labour" if not labour else "has more than one column of labour"
        raise InputError(name, reason, f"name one of them {LABOUR[0]!r}")
    if len(wages) > 1:
        raise InputError(name, "has more than one column of wages", "leave one")
    sectors = [at for at in range(1, len(titles)) if at not in {*final, *labour, *wages}]
    if not sectors:
        raise InputError(name, "names no sector", "give a column for each sector, before final demand")
    if len(sectors) > _MOST_SECTORS:
        reason = f"has {len(sectors):,} sectors, and exact values are computed for {_MOST_SECTORS:,} at most"
        raise InputError(name, reason, "add sectors together")
    return sectors, final, labour[0], wages[0] if wages else None


def _by_sector(lines: list[list[object]], sectors: list[str], width: int, name: str) -> dict[str, list[object]]:
    """The row of each sector, in the order of the columns."""
    for at, sector in enumerate(sectors):
        if not sector or sector in sectors[:at]:
            raise InputError(name, f"names column {at + 1} {sector!r}", "give every sector a name of its own")
    found: dict[str, list[object]] = {}
    for line in lines:
        sector = str(line[0]).strip()
        if sector not in sectors:
            raise InputError(f"{name}, row {sector!r}", "has no column", "give rows and columns the same sectors")
        if sector in found:
            raise InputError(f"{name}, row {sector}", "stands there twice", "give each sector one row")
        if any(str(cell).strip() for cell in line[width:]):
            raise InputError(f"{name}, row {sector}", "is longer than the first row", "name every column")
        found[sector] = line
    missing = [sector for sector in sectors if sector not in found]
    if missing:
        raise InputError(f"{name}, column {missing[0]}", "has no row", "give rows and columns the same sectors")
    return {sector: found[sector] for sector in sectors}


def _number(cell: object, place: str) -> Fraction:
    if isinstance(cell, Fraction):
        return cell
    text = str(cell).strip()
    if not text:
        raise InputError(place, "is empty", "write 0 where nothing goes")
    if isinstance(cell, bool) or not _NUMBER.fullmatch(text):
        raise InputError(place, f"is no number: {text[:40]!r}", "write digits with a decimal point, and no separators")
    return Fraction(text)


def at_least_zero(cell: object, place: str) -> Fraction:
    """The number in a cell. Raises InputError with its place."""
    number = _number(cell, place)
    if number < 0:
        raise InputError(place, f"is below zero: {number}", "show what flows back as a flow the other way")
    return number

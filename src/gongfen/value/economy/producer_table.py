"""Several producers side by side: what each took in and what labour it cost, from a sheet.

| producer | revenue | c | v | s | owner of model | owner of machines |
|---|--:|--:|--:|--:|---|---|
| press | 12500 | 320 | 357.5 | 357.5 | lab | cloud |

- ``producer`` and ``revenue`` are needed; revenue is in one currency.
- ``c``, ``v`` and ``s`` are in one unit of labour: constant capital (machines, bought data), variable capital (what the
  workers got back), surplus. A column that is missing, or an empty cell, is *unknown*, which is not zero.
- ``owner of model`` and ``owner of machines`` name who owns what the producer works with; an empty cell is unknown.
"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from gongfen.errors import InputError
from gongfen.value.economy.indicators import Capital
from gongfen.value.economy.sector_table import at_least_zero

COLUMNS = {
    "producer": ("producer", "生产者"),
    "revenue": ("revenue", "收入"),
    "c": ("c", "constant"),
    "v": ("v", "variable"),
    "s": ("s", "surplus"),
    "model": ("owner of model", "模型所有者"),
    "machines": ("owner of machines", "机器所有者"),
}
"""Column → the titles that it may have."""


class Producer(msgspec.Struct, frozen=True, kw_only=True):
    """One row; ``None`` is unknown."""

    name: str
    revenue: Fraction | None
    capital: Capital
    model: str | None
    """Who owns the model."""
    machines: str | None


def producers_of_rows(rows: Sequence[Sequence[object]], name: str = "the table") -> tuple[Producer, ...]:
    """From rows of cells, the first of them with the names of the columns. Raises InputError with the place."""
    lines = [["" if cell is None else str(cell).strip() for cell in row] for row in rows]
    lines = [line for line in lines if any(line)]
    if not lines:
        raise InputError(name, "is empty", "give a row of names and one row for each producer")
    columns = _columns(lines[0], name)
    found: dict[str, Producer] = {}
    for line in lines[1:]:
        cells = {column: line[at] if at < len(line) else "" for column, at in columns.items()}
        producer = cells["producer"]
        if not producer or producer in found:
            reason = "stands there twice" if producer else "has no name"
            raise InputError(f"{name}, row {producer or ' '.join(line)[:40]}", reason, "give each producer one row")

        def amount(column: str, cells: dict[str, str] = cells, producer: str = producer) -> Fraction | None:
            said = cells.get(column, "")
            return at_least_zero(said, f"{name}, row {producer}, column {column}") if said else None

        found[producer] = Producer(
            name=producer,
            revenue=amount("revenue"),
            capital=Capital(constant=amount("c"), variable=amount("v"), surplus=_signed(cells, producer, name)),
            model=cells.get("model") or None,
            machines=cells.get("machines") or None,
        )
    if not found:
        raise InputError(name, "names no producer", "give one row for each")
    return tuple(found.values())


def _signed(cells: dict[str, str], producer: str, name: str) -> Fraction | None:
    """The surplus may be below zero: then workers got back more than they gave."""
    said = cells.get("s", "")
    if not said:
        return None
    negative = said.startswith(("-", "−"))
    amount = at_least_zero(said[1:] if negative else said, f"{name}, row {producer}, column s")
    return -amount if negative else amount


def _columns(titles: list[str], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, title in enumerate(titles):
        column = next((one for one, known in COLUMNS.items() if title.lower() in known), None)
        if column is None and title:
            known = ", ".join(titles_[0] for titles_ in COLUMNS.values())
            raise InputError(f"{name}, column {title}", "is not one of the table's", f"its columns are {known}")
        if column is not None and column in found:
            raise InputError(name, f"has more than one column {title}", "leave one")
        if column is not None:
            found[column] = at
    missing = [column for column in ("producer", "revenue") if column not in found]
    if missing:
        raise InputError(name, f"has no column {missing[0]}", f"name one of them {missing[0]!r}")
    return found

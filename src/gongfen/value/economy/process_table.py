"""What may stand in a sheet beside a sector table: a column of prices; or processes, with what each uses and makes.

**Prices.** A sector table may have one column ``price``: money for a unit of each sector's product, so that prices can
be held against values. An empty cell there is *unknown*.

**Processes.** Where a process makes several products in one go, sectors will not do. The sheet then has a row for each
process and two columns for each product:

| process | uses wheat | makes wheat | uses wool | makes wool | labour |
|---|--:|--:|--:|--:|--:|
| farm | 25 | 30 | 0 | 5 | 5 |

An empty cell of ``uses`` or ``makes`` is nothing. Labour values follow where each process makes one product of its own;
joint production is refused by :func:`gongfen.value.economy.input_output.values_of_processes`, which says what it would
give.
"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from gongfen.errors import InputError
from gongfen.value.economy.sector_table import LABOUR, at_least_zero

PRICE = ("price", "价格")
USES, MAKES = ("uses ", "使用"), ("makes ", "制造")

Cells = Sequence[object]


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True):
    """Row i of ``inputs`` and ``outputs``: what process i uses, and makes, of each product."""

    processes: tuple[str, ...]
    products: tuple[str, ...]
    inputs: tuple[tuple[Fraction, ...], ...]
    outputs: tuple[tuple[Fraction, ...], ...]
    labour: tuple[Fraction, ...]


def without_prices(rows: Sequence[Cells], name: str) -> tuple[list[list[object]], dict[str, Fraction | None] | None]:
    """The rows without their column of prices, and the price of each sector; ``None`` where there is no such column."""
    titles = [_said(cell).lower() for cell in rows[0]] if rows else []
    found = [at for at, title in enumerate(titles) if at and title in PRICE]
    if not found:
        return [list(row) for row in rows], None
    if len(found) > 1:
        raise InputError(name, "has more than one column of prices", "leave one")
    (at,) = found
    prices: dict[str, Fraction | None] = {}
    for row in rows[1:]:
        cell = row[at] if len(row) > at else ""
        sector = _said(row[0]) if row else ""
        place = f"{name}, row {sector}, column {_said(rows[0][at])}"
        prices[sector] = at_least_zero(cell, place) if _said(cell) else None
    return [[*row[:at], *row[at + 1 :]] for row in rows], prices


def is_of_processes(rows: Sequence[Cells]) -> bool:
    """Whether the columns of a sheet say what processes use and make."""
    return any(_said(cell).lower().startswith(MAKES) for cell in (rows[0][1:] if rows else ()))


def processes_of_rows(rows: Sequence[Cells], name: str) -> ProcessTable:
    """From rows of cells, the first of them with the names of the columns. Raises InputError with the place."""
    titles = [_said(cell) for cell in rows[0]]
    uses, makes = _named(titles, USES, name), _named(titles, MAKES, name)
    labour = [at for at, title in enumerate(titles) if at and title.lower() in LABOUR]
    if len(labour) != 1:
        raise InputError(name, "has no column of labour, or several", f"name one of them {LABOUR[0]!r}")
    other = [
        title
        for at, title in enumerate(titles)
        if at and title and at not in {*labour, *uses.values(), *makes.values()}
    ]
    if other:
        remedy = f"name each {USES[0]}PRODUCT, {MAKES[0]}PRODUCT or {LABOUR[0]}"
        raise InputError(f"{name}, column {other[0]}", "says neither what is used nor what is made", remedy)
    products = list(dict.fromkeys((*makes, *uses)))
    lines = [row for row in rows[1:] if any(map(_said, row))]
    if not lines:
        raise InputError(name, "has no process", "give a row for each")
    names = [_said(row[0]) for row in lines]

    def amounts(row: Cells, columns: dict[str, int]) -> tuple[Fraction, ...]:
        return tuple(_cell(row, columns.get(product), titles, name) for product in products)

    return ProcessTable(
        processes=tuple(names),
        products=tuple(products),
        inputs=tuple(amounts(row, uses) for row in lines),
        outputs=tuple(amounts(row, makes) for row in lines),
        labour=tuple(_cell(row, labour[0], titles, name) for row in lines),
    )


def _named(titles: list[str], prefixes: tuple[str, ...], name: str) -> dict[str, int]:
    """Product → the column about it."""
    found: dict[str, int] = {}
    for at, title in enumerate(titles):
        prefix = next((one for one in prefixes if at and title.lower().startswith(one)), None)
        if prefix is not None:
            product = title[len(prefix) :].strip()
            if not product or product in found:
                raise InputError(name, f"names column {at + 1} {title!r}", "name each product once")
            found[product] = at
    return found


def _cell(row: Cells, at: int | None, titles: list[str], name: str) -> Fraction:
    cell = row[at] if at is not None and at < len(row) else ""
    if at is None or not _said(cell):
        return Fraction(0)
    return at_least_zero(cell, f"{name}, row {_said(row[0])}, column {titles[at]}")


def _said(cell: object) -> str:
    return "" if cell is None else str(cell).strip()

"""Labour values of a table in a file, and its prices against them: no book is needed."""

from fractions import Fraction
from pathlib import Path

from gongfen.book.bookkeeping.capital import ppm, prices_of, said
from gongfen.book.bookkeeping.sheets import rows_of
from gongfen.errors import InputError
from gongfen.reports.ledger import Sector, Sectors
from gongfen.value import Priced, decimal, deviation, labour_values, table_of_rows, values_of_processes
from gongfen.value.economy.process_table import ProcessTable, is_of_processes, processes_of_rows, without_prices

PLACES = 12
"""Decimals of a value, which is exact before it is said."""


def sectors_of(path: Path, *, money: bool = False) -> Sectors:
    """From a file of CSV or XLSX; ``money``: flows are money, so a unit costs 1.

    Raises InputError, NotProductiveError, JointProductionError.
    """
    rows, name = rows_of(path), path.name
    if is_of_processes(rows):
        if money:
            reason = "is for a table of sectors, whose flows are money; this one is of processes"
            raise InputError(f"{name}: --money", reason, "leave --money out")
        return _of_processes(processes_of_rows(rows, name), name)
    cells, column = without_prices(rows, name)
    if money and column is not None:
        reason = "says that a unit costs 1, and the column price says otherwise"
        raise InputError(f"{name}: --money", reason, "leave --money out, or take the column away")
    table = table_of_rows(cells, name)
    found = labour_values(table, name)
    prices: dict[str, Fraction | None] = dict.fromkeys(table.names, Fraction(1) if money else None)
    if column is not None:
        prices |= column
    priced = {one: Priced(prices[one], value, found.output[one]) for one, value in found.values.items()}
    against = deviation(priced) if money or column is not None else None
    final = zip(found.values.values(), table.final, strict=True)
    embodied = sum((value * final for value, final in final if value is not None), Fraction(0))
    scale = against.scale if against is not None else None
    return Sectors(
        table=name,
        sectors=tuple(
            Sector(
                sector=one,
                output=_long(found.output[one]) or "",
                direct=_long(found.direct[one]),
                value=_long(value),
                price=said(prices[one]),
                ratio_ppm=_ratio(prices[one], value, scale),
            )
            for one, value in found.values.items()
        ),
        labour=_long(found.labour) or "",
        embodied=_long(embodied) or "",
        holds=embodied == found.labour,
        price_of="column" if column is not None else "money" if money else "unknown",
        prices=prices_of(priced, against) if against is not None else None,
    )


def _of_processes(table: ProcessTable, name: str) -> Sectors:
    """Processes with one product each; joint production is refused."""
    values = values_of_processes(table.inputs, table.outputs, table.labour, table.products, name)
    made = [table.outputs[at][at] for at in range(len(values))]
    used = [sum((row[at] for row in table.inputs), Fraction(0)) for at in range(len(values))]
    labour = sum(table.labour, Fraction(0))
    embodied = sum((value * (x - u) for value, x, u in zip(values, made, used, strict=True)), Fraction(0))
    return Sectors(
        table=name,
        sectors=tuple(
            Sector(
                sector=product,
                output=_long(made[at]) or "",
                direct=_long(Fraction(table.labour[at], made[at])),
                value=_long(values[at]),
                price=None,
                ratio_ppm=None,
            )
            for at, product in enumerate(table.products)
        ),
        labour=_long(labour) or "",
        embodied=_long(embodied) or "",
        holds=embodied == labour,
        price_of="unknown",
        prices=None,
    )


def _ratio(price: Fraction | None, value: Fraction | None, scale: Fraction | None) -> int | None:
    return ppm(Fraction(price, scale * value)) if price is not None and value and scale else None


def _long(amount: Fraction | None) -> str | None:
    return None if amount is None else decimal(amount, PLACES).rstrip("0").rstrip(".")

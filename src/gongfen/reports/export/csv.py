"""Postings and balances as CSV (RFC 4180), a line at a time: whole numbers as they are, and the same as decimals.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula. A text of ours that does gets an
apostrophe in front, and so does one that begins with an apostrophe: take one away, and every text is as it was.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from gongfen.reports.export.ledger import Ledger, Table, commodity, exact

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")
"""Signs with which a formula can begin (OWASP, "CSV Injection"), and our own mark."""
COLUMNS: dict[Table, tuple[str, ...]] = {
    "postings": (
        "fact", "id", "said_at", "day", "kind", "sample", "account", "unit", "amount", "decimal", "commodity", "why",
    ),
    "balances": ("account", "unit", "amount", "decimal", "commodity"),
}  # fmt: skip


def comma_separated(ledger: Ledger, table: Table) -> Iterator[str]:
    """The text of one table, line by line, with its header."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(COLUMNS[table])
    yield line.text
    for row in _rows(ledger, table):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.text


def _rows(ledger: Ledger, table: Table) -> Iterable[tuple[Any, ...]]:
    if table == "balances":
        return ((account, unit, *_amount(amount, unit)) for account, unit, amount in ledger.balances())
    return (
        (fact.seq, fact.id, fact.at, fact.day, fact.kind, int(fact.sample), account, unit, *_amount(amount, unit), why)
        for fact in ledger.facts()
        for why, postings in fact.entries
        for account, amount, unit in postings
    )


class _Number(str):
    """Digits: no text that a spreadsheet could run."""

    __slots__ = ()


def _amount(amount: int, unit: str) -> tuple[int, _Number, str]:
    found = commodity(unit)
    return amount, _Number(exact(amount, found.digits)), found.name


def harmless(text: str) -> str:
    """A text that no spreadsheet runs.

    >>> harmless("=1+1"), harmless("'t is"), harmless("ada")
    ("'=1+1", "''t is", 'ada')
    """
    return text if isinstance(text, _Number) or not text.startswith(FORMULAS) else f"'{text}"


class _Line:
    """Where a csv writer writes: it keeps the last line only."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text

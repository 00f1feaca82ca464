"""Postings and balances as Parquet: amounts exact, as 64-bit whole numbers and as decimals, with their units said.

Needs pyarrow, which is heavy and optional: ``pip install 'gongfen[parquet]'``.
"""

# ruff: noqa: PLC0415 - only who takes out Parquet needs pyarrow
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any

from gongfen.errors import InputError
from gongfen.reports.export.ledger import Ledger, Table, commodity

TOGETHER = 32_768
"""Rows that lie in memory at a time: a row group."""
DIGITS = 38
MOST = 2**63 - 1
AMOUNT = "whole units of the column 'unit': uslh and the micro-units of a currency are millionths"
DECIMAL = "the same in the column 'commodity': SLH, the currency, seconds, watt-hours, tokens, 10^9 operations"


def write_parquet(ledger: Ledger, table: Table, out: IO[bytes]) -> None:
    """Write one table; raises InputError without pyarrow, and for a balance that 64 bits cannot hold."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        remedy = "install it: pip install 'gongfen[parquet]'; or take out csv"
        raise InputError("Parquet", "needs the package pyarrow, which is not installed", remedy) from None
    schema = _schema(pa, ledger, table)
    rows = _balances(ledger) if table == "balances" else _postings(ledger)
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        while part := list(islice(rows, TOGETHER)):
            columns = [
                pa.array(values, field.type) for values, field in zip(zip(*part, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _schema(pa: Any, ledger: Ledger, table: Table) -> Any:  # noqa: ANN401 - pyarrow has no types
    word = pa.dictionary(pa.int32(), pa.string())

    def field(name: str, kind: Any, says: str) -> Any:  # noqa: ANN401 - pyarrow has no types
        return pa.field(name, kind, nullable=False, metadata={"says": says})

    amounts = [
        field("account", pa.string(), "the account; debits are positive"),
        field("unit", word, "unit of 'amount', as the books name it"),
        field("amount", pa.int64(), AMOUNT),
        field("decimal", pa.decimal128(DIGITS, 6), DECIMAL),
        field("commodity", word, "unit of 'decimal'"),
    ]
    facts = [
        field("fact", pa.int64(), "number of the fact in the log, from 0"),
        field("id", pa.string(), "the fact's id"),
        field("said_at", pa.timestamp("us", "UTC"), "when it was said"),
        field("day", pa.date32(), "the day that the fact names; else the day on which it was said"),
        field("kind", word, "kind of the fact"),
        field("sample", pa.bool_(), "sample data"),
    ]
    why = field("why", pa.string(), "the reason of the entry")
    about = {"origin": ledger.origin, "size": str(ledger.size), "root": ledger.root, "sample": str(ledger.sample)}
    fields = amounts if table == "balances" else [*facts, *amounts, why]
    return pa.schema(fields, metadata={f"gongfen.{name}": value for name, value in about.items()})


def _balances(ledger: Ledger) -> Iterator[tuple[Any, ...]]:
    for account, unit, amount in ledger.balances():
        if abs(amount) > MOST:
            thing = f"the balance of {account}"
            raise InputError(thing, f"is {amount} {unit}: more than 64 bits hold", "take out csv")
        yield account, unit, *_amount(amount, unit)


def _postings(ledger: Ledger) -> Iterator[tuple[Any, ...]]:
    for fact in ledger.facts():
        said, day = datetime.fromisoformat(fact.at).astimezone(UTC), date.fromisoformat(fact.day)
        for why, postings in fact.entries:
            for account, amount, unit in postings:
                yield fact.seq, fact.id, said, day, fact.kind, fact.sample, account, unit, *_amount(amount, unit), why


def _amount(amount: int, unit: str) -> tuple[int, Decimal, str]:
    found = commodity(unit)
    return amount, Decimal(amount).scaleb(-found.digits), found.name

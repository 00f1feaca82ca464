"""The books as other people's tools read them: piece by piece, from one sight of the log, in a file or on a stream."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

import msgspec

from gongfen.book.bookkeeping.ledger import corrected_in
from gongfen.book.bookkeeping.stating import state_account
from gongfen.book.files import replacing
from gongfen.book.recording.booked import day_of, with_entries
from gongfen.book.recording.record import Record
from gongfen.errors import DamagedBookError, InputError
from gongfen.facts import Fact
from gongfen.progress import Progress, silent
from gongfen.proof.checkpoint import open_checkpoint
from gongfen.reports.export.beancount import beancount
from gongfen.reports.export.csv import comma_separated
from gongfen.reports.export.hledger import hledger
from gongfen.reports.export.ledger import Balance, Booked, Form, Ledger, Table, without_memo
from gongfen.reports.export.parquet import write_parquet
from gongfen.reports.export.prov import Provenance, provenance
from gongfen.reports.export.statement import render

PIECE = 1 << 20
"""Characters that are written together."""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken out, and the state of the log that it follows from."""

    form: Form
    file: str | None
    """``None``: it went to a stream."""
    origin: str
    size: int
    root: str
    """Hex."""
    sample: bool
    """Some of it rests on sample data."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to take out."""

    form: Form
    table: Table = "postings"
    """Of CSV and Parquet."""
    memo: bool = True
    """With what machines, energy and business took, beside both ledgers."""
    maker: str | None = None
    """Of a statement: whose; ``None``: the whole book's."""
    lang: str = "en"
    """Of a statement: the language that shows first."""


def export(
    record: Record, wanted: Wanted, out: str | os.PathLike[str] | IO[bytes], progress: Progress = silent
) -> Exported:
    """Write the books to a file, whole or not at all, or to a stream of bytes. Raises InputError, UnknownMakerError."""
    path = Path(out) if isinstance(out, str | os.PathLike) else None
    with record.reading():
        write, ledger = _writer(record, wanted, progress)
        place: AbstractContextManager[IO[bytes]]
        place = replacing(path) if path is not None else nullcontext(out)  # type: ignore[arg-type]
        with place as stream:
            write(stream)
    return Exported(
        form=wanted.form,
        file=None if path is None else str(path),
        origin=ledger.origin,
        size=ledger.size,
        root=ledger.root,
        sample=ledger.sample,
    )


def _writer(record: Record, wanted: Wanted, progress: Progress) -> tuple[Callable[[IO[bytes]], None], Ledger]:
    ledger = ledger_of(record, progress)
    told = ledger if wanted.memo else without_memo(ledger)
    match wanted.form:
        case "beancount":
            return _texts(beancount(told)), ledger
        case "hledger":
            return _texts(hledger(told)), ledger
        case "csv":
            return _texts(comma_separated(told, wanted.table)), ledger
        case "parquet":
            return (lambda stream: write_parquet(told, wanted.table, stream)), ledger
        case "prov":
            return _texts(provenance(_provenance(record, ledger, progress))), ledger
        case "statement":
            return _texts(iter([render(state_account(record, wanted.maker, progress), wanted.lang)])), ledger
    reason = "is no form in which the books are taken out"
    raise InputError(str(wanted.form), reason, "take beancount, hledger, csv, parquet, prov or statement")


def _texts(pieces: Iterator[str]) -> Callable[[IO[bytes]], None]:
    def write(stream: IO[bytes]) -> None:
        together: list[str] = []
        waiting = 0
        for piece in pieces:
            together.append(piece)
            waiting += len(piece)
            if waiting >= PIECE:
                stream.write("".join(together).encode())
                together, waiting = [], 0
        stream.write("".join(together).encode())

    return write


def _provenance(record: Record, ledger: Ledger, progress: Progress) -> Provenance:
    """Who made what out of what, of the facts that stand."""
    corrected = corrected_in(record.state)

    def facts() -> Iterator[tuple[int, Fact]]:
        for seq, fact in record.facts(0, ledger.size):
            if seq % 1_000 == 0:
                progress(seq, ledger.size)
            if fact.id not in corrected:
                yield seq, fact

    return Provenance(origin=ledger.origin, size=ledger.size, root=ledger.root, facts=facts)


def ledger_of(record: Record, progress: Progress = silent) -> Ledger:
    """Both ledgers of a book as its newest checkpoint signs it. Within ``reading``, for as long as it is read."""
    signed = open_checkpoint(record.checkpoint(), *record.verifiers)
    if signed.size != record.size_seen:
        reason = f"know {record.size_seen} facts, and the newest checkpoint signs {signed.size}"
        raise DamagedBookError(f"{record.store.place}, the answers", reason, "see what is wrong: gongfen verify")

    def facts() -> Iterator[Booked]:
        for seq, fact, entries in with_entries(record, signed.size):
            if seq % 1_000 == 0:
                progress(seq, signed.size)
            if entries:
                yield Booked(seq, fact.id, fact.at, day_of(fact), fact.kind, fact.sample, entries)

    def balances() -> Iterator[Balance]:
        for key, amount in record.state.balances.prefixed(""):
            account, _, unit = key.rpartition("|")
            yield Balance(account, unit, amount)

    def days() -> tuple[str, str]:
        first, last = "9999-12-31", "0001-01-01"
        for _, fact in record.facts(0, signed.size):
            day = day_of(fact)
            first, last = min(first, day), max(last, day)
        return first, last

    return Ledger(
        origin=record.origin,
        size=signed.size,
        root=signed.root.hex(),
        sample=record.sample,
        days=days,
        facts=facts,
        balances=balances,
    )

"""Tables that people keep in files: CSV, or the first sheet of an XLSX file.

XLSX needs openpyxl, which is optional: ``pip install 'gongfen[xlsx]'``.
"""

import warnings
import zlib
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from gongfen.errors import InputError
from gongfen.value.economy.sector_table import rows_of_csv

XLSX = ".xlsx"
MOST_BYTES = 64 << 20
"""Larger than any table that is solved exactly."""
MOST_ROWS = 100_000
_DAMAGED = (
    BadZipFile, ParseError, zlib.error, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What comes of reading a damaged workbook: its parts are a zip of XML, and refer to one another by name."""


def rows_of(path: Path) -> list[list[object]]:
    """The cells of a table, row by row; empty rows are left out. Raises InputError."""
    name = str(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(name, f"is larger than {MOST_BYTES >> 20} MiB", "leave only the table in it")
        rows = _of_xlsx(path) if path.suffix.lower() == XLSX else list(map(list, rows_of_csv(_text(path), name)))
    except OSError as error:
        raise InputError(name, f"cannot be read: {error.strerror}", "name a file of CSV or XLSX") from None
    found: list[list[object]] = [list(row) for row in rows if any(str(cell or "").strip() or cell == 0 for cell in row)]
    if not found:
        raise InputError(name, "is empty", "give a row of names, and the table below it")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(str(path), "is not text in UTF-8", "save it as CSV in UTF-8, or as .xlsx") from None


def _of_xlsx(path: Path) -> list[list[object]]:
    """The first sheet, with what its formulas gave when it was saved."""
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - optional
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - optional
    except ImportError:
        remedy = "install it: pip install 'gongfen[xlsx]'; or save the sheet as CSV"
        raise InputError(str(path), "is XLSX, which openpyxl reads, and that is not installed", remedy) from None
    found: list[list[object]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions: only the cells are read
            book = load_workbook(path, read_only=True, data_only=True)
        try:
            found = [list(row) for row in islice(book.worksheets[0].iter_rows(values_only=True), MOST_ROWS + 1)]
        finally:
            book.close()
    except (InvalidFileException, *_DAMAGED) as error:
        raise InputError(str(path), f"is not a workbook: {error}", "save it as .xlsx again, or as CSV") from None
    if len(found) > MOST_ROWS:
        raise InputError(str(path), f"has more than {MOST_ROWS:,} rows", "leave only the table in its first sheet")
    return found

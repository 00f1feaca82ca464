"""Files as tools write them: JSON, tables, lines; times and numbers exact. What cannot be read names its row."""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import msgspec

from gongfen.errors import ToolExportError
from gongfen.facts.amounts import US_PER_SECOND
from gongfen.studio.importers.export import Export

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOST_SECONDS = 10**10
"""Three hundred years: whatever is longer is not a duration."""
MOST_DIGITS = 11
LONGEST = 30
"""No number of any tool is longer; one of a million digits would keep us busy for the rest of the day."""
_ISO_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_STROKED_DAY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")


def opened(tool: str, path: Path) -> Export:
    """An empty export of a file that is there, with its hash. Raises ToolExportError."""
    if not path.is_file():
        raise ToolExportError(str(path), "is not a file", f"name the file that {tool} exported")
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    return Export(tool, path.name, digest, path.stat().st_size)


def decoded(data: bytes | msgspec.Raw, kind: Any, place: str, remedy: str) -> Any:  # noqa: ANN401 - what kind says
    """JSON of a known shape; numbers with a point become decimals. Raises ToolExportError with line or path."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ToolExportError(place, f"has another shape: {error}", remedy) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = re.search(r"\(byte (\d+)\)", str(error))
        number = bytes(data).count(b"\n", 0, int(found[1])) + 1 if found else 0
        where = f"{place}, line {number}," if number > 1 else place
        raise ToolExportError(where, f"is not JSON: {error}", remedy) from None


def whole(path: Path) -> bytes:
    """All bytes of a file, without the mark that some tools begin with."""
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers, one in memory at a time. Raises ToolExportError where it is not UTF-8."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                reason = f"is not UTF-8: byte 0x{line[error.start]:02x}"
                raise ToolExportError(f"{path.name}, line {number},", reason, "save it as UTF-8") from None
            if "\0" in text:
                raise ToolExportError(f"{path.name}, line {number},", "holds a zero byte", "export it again as text")
            yield number, text


Row = dict[str, str]


def rows(path: Path, needed: Sequence[str], tool: str) -> Iterator[tuple[str, Row]]:
    """The rows of a table with their places; columns by their names in small letters. Raises ToolExportError.

    Commas or semicolons stand between the cells, as the first line shows. ``needed`` columns must be there; of
    ``"a|b"`` one of the two.
    """
    text = (line for _, line in lines(path))
    first = next(text, "")
    mark = ";" if first.count(";") > first.count(",") else ","
    head = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=mark), [])]
    for names in needed:
        if not set(names.split("|")) & set(head):
            wanted = " or ".join(names.split("|"))
            reason = f"has no column {wanted}" if head else "is empty"
            raise ToolExportError(f"{path.name}, row 1,", reason, f"export the detailed report of {tool} as CSV")
    table = csv.reader(text, delimiter=mark, strict=True)
    number = 1
    while True:
        number += 1
        place = f"{path.name}, row {number},"
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            raise ToolExportError(
                place, f"is not CSV: {error}", "export it again, and do not edit it by hand"
            ) from None
        if not cells:
            continue
        if len(cells) > len(head) and any(cells[len(head) :]):
            raise ToolExportError(
                place, f"has {len(cells)} cells for {len(head)} columns", "put cells with commas into quotes"
            )
        yield place, dict(zip(head, [cell.strip() for cell in cells], strict=False))


def cell(row: Row, *names: str) -> str:
    """What stands in the first of these columns that is filled."""
    return next((row[name] for name in names if row.get(name)), "")


# -- numbers -----------------------------------------------------------------------------------------------------------


def number(text: str, place: str) -> Decimal:
    """A decimal number, exactly. Raises ToolExportError."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ToolExportError(place, f"has no number in {text!r}", "write digits, with a point") from None
    if not found.is_finite():
        raise ToolExportError(place, f"has no number in {text!r}", "write digits, with a point")
    if found.adjusted() > LONGEST:
        raise ToolExportError(place, f"has the impossible amount {text[:40]}", "correct it in the export")
    return found


def scaled(value: Decimal, unit: int, place: str) -> int:
    """A decimal number of some unit as a whole number of a smaller one, to the nearest. Raises ToolExportError."""
    if not value.is_finite() or value.adjusted() > MOST_DIGITS or abs(value) > MOST_SECONDS:
        raise ToolExportError(place, f"has the impossible amount {value}", "correct it in the export")
    return int((value * unit).to_integral_value(ROUND_HALF_UP))


def seconds(value: Decimal, place: str) -> int:
    """Seconds as microseconds."""
    return scaled(value, US_PER_SECOND, place)


# -- times -------------------------------------------------------------------------------------------------------------


def instant(text: str, zone: tzinfo, place: str) -> int:
    """A moment as tools write it, in µs since 1970; in ``zone`` where it names none. Raises ToolExportError."""
    try:
        found = datetime.fromisoformat(text.strip().replace("/", "-"))
        return moment(found, zone)
    except (ValueError, OverflowError):
        raise ToolExportError(place, f"has no time in {text!r}", "write it as 2026-11-02T09:30:00Z") from None


def moment(found: datetime, zone: tzinfo) -> int:
    """A moment in µs since 1970. Raises ValueError for one that no tool has seen: calendars of zones end somewhere."""
    us = ((found if found.tzinfo else found.replace(tzinfo=zone)) - EPOCH) // MICROSECOND
    if not is_near(us):
        raise ValueError(found)
    return us


def is_near(us: int) -> bool:
    """Whether a moment is within some three hundred years of 1970."""
    return abs(us) <= MOST_SECONDS * US_PER_SECOND


def day_of(us: int, zone: tzinfo) -> str:
    """The day on which a moment falls, in a zone."""
    return (EPOCH + timedelta(microseconds=us)).astimezone(zone).date().isoformat()


def end_of_day(us: int, zone: tzinfo) -> int:
    """The next midnight of a zone after a moment."""
    here = (EPOCH + timedelta(microseconds=us)).astimezone(zone)
    midnight = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), zone)
    return moment(midnight, zone)


def plain_day(text: str, place: str, remedy: str = "write days as 2026-11-02") -> str:
    """A day written year first. Raises ToolExportError."""
    found = _ISO_DAY.fullmatch(text.strip())
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        raise ToolExportError(place, f"has no such day as {text!r}", remedy) from None
    raise ToolExportError(place, f"has no day in {text!r}", remedy)


def stroked(text: str) -> tuple[int, int, int] | None:
    """(first, second, year) of a day written with the year last; ``None`` for any other."""
    found = _STROKED_DAY.fullmatch(text.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


# -- content -----------------------------------------------------------------------------------------------------------


def content(data: Any) -> tuple[str, int, str]:  # noqa: ANN401 - whatever a tool annotates
    """(SHA-256, bytes, media type) of an annotated item: of its text where it is one, else of its canonical JSON."""
    if isinstance(data, dict) and len(data) == 1 and isinstance(text := next(iter(data.values())), str):
        data = text
    if isinstance(data, str):
        said, media = data.encode(), "text/plain"
    else:
        said, media = msgspec.json.encode(data, order="sorted"), "application/json"
    return sha256(said).hexdigest(), len(said), media


def row_key(*parts: str) -> str:
    """What stands for the id of a row that has none: a hash of what tells it apart."""
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]

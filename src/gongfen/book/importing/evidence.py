"""When an entry was: at the end of the evidence of its labour, written and read again."""

import re
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

from gongfen.errors import ToolExportError
from gongfen.facts import kinds as k
from gongfen.studio.importers.export import Entry
from gongfen.studio.importers.reading import EPOCH, instant
from gongfen.studio.importers.timeline import Span

_SPAN = re.compile(r"; (\d{4}-[^ /]+Z)/(\d{4}-[^ /]+Z)(?: \d+ us)?$")


def evidence_of(entry: Entry) -> str:
    """What an entry says of itself; at its end when it began and ended, and how long it lasted, where that is less."""
    end = _stated(entry)
    return entry.evidence[: 4_000 - len(end)] + end


def says_when(labour: k.Labour) -> bool:
    """Whether labour looks as if it said when it was."""
    return _SPAN.search(labour.evidence) is not None


def span_of(labour: k.Labour, zone: tzinfo) -> Span | None:
    """When labour began and ended, where its evidence says it; a description that only looks like a time is none."""
    if found := _SPAN.search(labour.evidence):
        with suppress(ToolExportError):
            return instant(found[1], zone, "evidence"), instant(found[2], zone, "evidence")
    return None


def _stated(entry: Entry) -> str:
    if entry.span is None:
        return ""
    start, end = entry.span
    paused = f" {entry.labour_us} us" if entry.labour_us != end - start else ""
    return f"; {_utc(start)}/{_utc(end)}{paused}"


def _utc(us: int) -> str:
    """A moment as ISO 8601 in UTC, to the microsecond where it is not a whole second."""
    moment: datetime = EPOCH + timedelta(microseconds=us)
    return moment.isoformat().replace("+00:00", "Z")

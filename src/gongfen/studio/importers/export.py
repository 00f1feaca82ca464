"""What a tool's export says, as plain data: who worked on what, when, how long; which machine ran; what is odd."""

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

Quality = Literal["measured", "clipped", "imputed", "unmeasured"]
Reason = Literal[
    "overlap", "beyond_a_day", "full_day", "negative", "nobody", "no_day", "no_duration", "running", "disagreement",
    "idle", "changed", "taken_back", "repeated", "draft",
]  # fmt: skip
"""Why something is doubtful; the command line says each in words."""
Dates = Literal["ymd", "dmy", "mdy"]

TABLES = (".csv", ".tsv", ".xlsx", ".ods")
"""What a spreadsheet saves: hours, most likely, and neither texts nor facts."""
BY_ITS_TOOL = "say which tool wrote it, as gongfen import toggl FILE; gongfen import --help lists them"
UTC = ZoneInfo("UTC")
IDLE_CAP_US = 30 * 60 * 1_000_000
"""Nobody is taken to have worked longer than half an hour on one item without a sign of it, unless ``cap`` says so."""


@dataclass(frozen=True, slots=True)
class How:
    """How an export is to be read: what the file itself does not say."""

    zone: tzinfo = UTC
    """Of times that name no zone, and of the day that an entry or a run belongs to."""
    cap_us: int = IDLE_CAP_US
    """Longest time on one item; what is above is idle."""
    impute_us: int | None = None
    """Time of an item that nobody measured; ``None``: it stays unmeasured."""
    day: str | None = None
    """The day of entries that name none."""
    dates: Dates | None = None
    """How dates with strokes are written; ``None``: as the file shows, or an error where it leaves that open."""
    work_field: str | None = None
    """A field of an annotated item that names the work it is, as the book knows it."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody as the tool knows them: ``key`` tells them apart, ``others`` are further names for them."""

    key: str
    name: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """What was worked on. ``sha256`` and ``size_bytes`` are of its own content, where the export holds it."""

    parts: tuple[str, ...]
    source: str
    sha256: str | None = None
    size_bytes: int = 0
    media: str = "text/plain"
    known: bool = False
    """``parts`` is the id of a work of the book, and not a name within the tool."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Labour of one user on one thing. ``span`` is its beginning and end in µs since 1970, where both are known."""

    key: str
    """The tool's own id, or what stands for it: the same at every export. Nobody's name is in it, not even hashed:
    who guesses a name could prove it by its hash, and a fact's id is never forgotten."""
    place: str
    user: User | None
    thing: Thing
    labour_us: int | None
    quality: Quality
    day: str
    evidence: str
    span: tuple[int, int] | None = None
    discarded: bool = False
    own_id: bool = False
    """``key`` is the tool's own id; where it is not, two makers may have the same."""


@dataclass(frozen=True, slots=True)
class Run:
    """A machine ran for a thing: device time in µs, energy in milliwatt-hours."""

    key: str
    place: str
    thing: Thing
    device_us: int
    device: str
    method: str
    energy_mwh: int | None = None
    user: User | None = None
    day: str | None = None
    """On which it began; ``None``: the tool does not say."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is doubtful: where, why, how many µs were therefore not counted, and whether the rest is recorded."""

    place: str
    reason: Reason
    detail: str = ""
    cut_us: int = 0
    recorded: bool = False


@dataclass(slots=True)
class Export:
    """A whole export, read. Nothing is recorded yet."""

    tool: str
    file: str
    sha256: str
    """Of the file, or of what was read of a folder; hexadecimal."""
    size_bytes: int
    entries: list[Entry] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def leave_out(self, place: str, reason: Reason, detail: str = "", cut_us: int = 0) -> None:
        """Say that something is not recorded, and why."""
        self.doubts.append(Doubt(place, reason, detail, cut_us))

    def note(self, place: str, reason: Reason, detail: str = "", cut_us: int = 0) -> None:
        """Say that something is recorded although it is doubtful."""
        self.doubts.append(Doubt(place, reason, detail, cut_us, recorded=True))


def timed(seconds_us: int | None, how: How) -> tuple[int | None, Quality, int]:
    """(time, its quality, what was cut) of an item that the tool timed, or did not: ``None``.

    >>> timed(5, How(cap_us=3)), timed(None, How(impute_us=7)), timed(None, How())
    ((3, 'clipped', 2), (7, 'imputed', 0), (None, 'unmeasured', 0))
    """
    if seconds_us is None:
        return (how.impute_us, "imputed", 0) if how.impute_us is not None else (None, "unmeasured", 0)
    if seconds_us > how.cap_us:
        return how.cap_us, "clipped", seconds_us - how.cap_us
    return seconds_us, "measured", 0


def numbered(key: str, seen: dict[str, int]) -> str:
    """The key, with a number where the same comes again: two like lines may be two pieces of work.

    >>> seen = {}
    >>> numbered("a", seen), numbered("a", seen)
    ('a', 'a-2')
    """
    seen[key] = seen.get(key, 0) + 1
    return key if seen[key] == 1 else f"{key}-{seen[key]}"

"""Bring in what other tools have recorded: makers, works, labour and machine time, as facts. Twice is harmless.

What stands in the book already comes first on a maker's time line; what overlaps it, from whichever tool, counts once.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

import msgspec
from msgspec import UNSET

from gongfen.accounts.checks import corrected_name
from gongfen.book import people
from gongfen.book.bookkeeping import corrected_in
from gongfen.book.recording import Record
from gongfen.errors import (
    BookPlaceError,
    GongfenError,
    InputError,
    ToolExportError,
    UnknownMakerError,
    UnknownWorkError,
)
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import US_PER_DAY
from gongfen.progress import Progress
from gongfen.proof.note import Signer
from gongfen.studio.importers.export import Doubt, Entry, Export, Run, Thing, User
from gongfen.studio.importers.reading import EPOCH, instant, row_key
from gongfen.studio.importers.timeline import Span, Timeline, days
from gongfen.studio.names import MAX_ID, UNIDENTIFIED, fitting_id, maker_id, tidy

ANNOTATION = ("label-studio", "argilla", "prodigy")
"""Tools whose labour is data labour, unless another kind is said."""
ANYBODY = "*"
SHOWN = 5
BRIEF = 60
_SPAN = re.compile(r"; (\d{4}-[^ /]+Z)/(\d{4}-[^ /]+Z)(?: \d+ us)?$")
IMPORTED, UNTIMED = "labour:", "labour:timedot:"
"""How the ids of imported labour begin; and of that which says how long, and never when."""
_NUMBER = re.compile(r"[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOBODY = bytes(32)
"""The seed with which what is taken back at once is signed: the book's own key is not needed to look."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an export does not say: who its users are, and what their labour is in the books."""

    makers: dict[str, str] = {}
    """The tool's users → makers; ``*`` stands for everybody else."""
    enrol: bool = False
    """Enrol whoever is not known: users under a name made from theirs, mapped makers under the name given."""
    maker: str | None = None
    """Whose labour it is, where the file names nobody."""
    work: str | None = None
    """The one work that all of it was for; else each task or project is a work of its own."""
    kind: int | None = None
    """Which of the eight labours."""
    phase: Literal["training", "inference", "operation"] = "training"
    standing: Literal["employed", "crowd", "on-demand", "unpaid"] = "employed"
    skill: str = "simple"
    task: str | None = None
    """A task whose social average the standard may know; each entry is one unit of it."""
    licence: str | None = None
    """Of works that are not in the book yet."""
    source: str | None = None
    """Where such works came from; else the tool and its own name for them."""
    machine: str | None = None
    device: str | None = None
    instance: str = ""
    """Tells two servers of one tool apart, whose numbers would meet."""
    sample: bool = False


class Hours(msgspec.Struct, kw_only=True):
    """New labour by its quality, in µs; of unmeasured labour the number of entries. ``discarded_us`` is part of it."""

    measured_us: int = 0
    clipped_us: int = 0
    imputed_us: int = 0
    unmeasured: int = 0
    discarded_us: int = 0

    def add(self, body: k.Labour) -> None:
        """Count one piece of labour."""
        if body.labour_us is None:
            self.unmeasured += 1
            return
        name = f"{body.quality}_us"
        setattr(self, name, getattr(self, name) + body.labour_us)
        self.discarded_us += body.labour_us if body.discarded is True else 0

    def merge(self, other: "Hours") -> None:
        """Count what another has counted."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import recorded, or would record."""

    tool: str
    file: str
    dry_run: bool
    facts: int
    """New ones, all kinds together."""
    kinds: dict[str, int]
    """Kind → new facts of it."""
    there: int
    """Entries and runs that the book had already."""
    makers: dict[str, Hours]
    works: dict[str, Hours]
    new_makers: tuple[str, ...]
    new_works: int
    unknown: tuple[str, ...]
    """Users whom nobody has mapped; their labour is in none of the numbers."""
    device_us: int
    energy_mwh: int | None
    """``None``: no run says it."""
    runs: int
    energy_lacking: int
    """Runs that do not say it: then the energy is at least what is stated."""
    doubts: tuple[Doubt, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What the book knows of a row: the id that it has or would get, its fact that stands, and what was corrected."""

    name: str
    stands: str | None = None
    corrected: Body | None = None
    """What its last fact said, where that was taken back and none stands."""


class _DryRunError(Exception):
    """Everything was taken; now it is taken back."""


def import_work(
    record: Record,
    export: Export,
    terms: Terms,
    zone: tzinfo,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Record what a tool's export says, all or nothing. A dry run books it just so, and takes it back.

    Raises ToolExportError, UnknownMakerError for users who are not mapped (a dry run lists them), and whatever a book
    refuses: then nothing is written.
    """
    record.refresh()
    plan = _Plan(record, export, terms, zone)
    plan.gather()
    if plan.unknown and not dry_run:
        raise _who_are(export, plan.unknown)
    if dry_run:
        _try(record, plan)
    elif plan.fresh:
        plan.record_all(progress)
    return plan.answer(dry_run=dry_run)


def _try(record: Record, plan: "_Plan") -> None:
    """Raise what recording would raise; the book stays as it is."""
    with suppress(_DryRunError), record.writing():
        plan.put(record)
        raise _DryRunError
    record.refresh()


def _who_are(export: Export, unknown: Mapping[str, str]) -> UnknownMakerError:
    names = list(unknown)
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    first = names[0]
    remedy = (
        f"say who they are: --map '{first}=MAKER', or --map FILE with a line for each; or --enrol. {unknown[first]}"
    )
    return UnknownMakerError(export.file, f"names users whom no maker is known for: {shown}", remedy.rstrip())


class _Plan:
    """What is to be recorded: worked out against the book as it is."""

    def __init__(self, record: Record, export: Export, terms: Terms, zone: tzinfo) -> None:
        self.record, self.export, self.terms, self.zone = record, export, terms, zone
        self.doubts: list[Doubt] = list(export.doubts)
        self.fresh: list[tuple[str, Fact]] = []
        """Place and fact."""
        self.there = 0
        self.unknown: dict[str, str] = {}
        """User → what stands against enrolling them."""
        self._resolved: dict[str, str | None] = {}
        self._named: dict[str, str] = {}
        """New makers → the name that is kept for them outside the log."""
        self._new_works: dict[str, str] = {}
        self._said: set[str] = set()
        self._spent: dict[tuple[str, str], int] = {}
        self._lines: dict[str, Timeline] = {}
        self._corrected = corrected_in(record.state)
        prefix = [export.tool, *([terms.instance] if terms.instance else [])]
        self._prefix = tuple(prefix)

    def gather(self) -> None:
        """Work out everything."""
        entries = [(self._maker(entry), entry) for entry in self.export.entries]
        known = [(maker, entry) for maker, entry in entries if maker is not None]
        ids = [self._fact_id(maker, entry) for maker, entry in known]
        there = self._find(ids)
        rows = [self._known(name) if name in there else _Known(name) for name in ids]
        order = sorted(range(len(known)), key=lambda n: (rows[n].stands is None, known[n][1].span or (0, 0), n))
        self._take_what_is_recorded({maker for maker, _ in known})
        for n in order:
            maker, entry = known[n]
            self._add(maker, entry, rows[n])
        for run in self.export.runs:
            self._run(run)

    def _find(self, ids: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(ids), 500):
            found |= self.record.store.find(ids[start : start + 500])
        return found

    def _known(self, first: str) -> _Known:
        """What the book knows of the row whose fact has this id, or had it until it was corrected.

        Its next fact is ``ID#2``: no id that is made of a tool's own has the sign.
        """
        name, number, corrected = first, 1, None
        while (seq := self.record.find(name)) is not None:
            said = self.record.fact(seq).body if name in self._corrected else None
            stands = name if said is None else self._standing_part(name, said)
            if stands is not None:
                return _Known(name, stands)
            assert isinstance(said, Body), "what could be corrected is of a known kind"
            number, corrected = number + 1, said
            mark = f"#{number}"
            name = first[: MAX_ID - len(mark)] + mark
        return _Known(name, corrected=corrected)

    def _standing_part(self, name: str, said: object) -> str | None:
        """Of a row of two days whose first day was corrected, the other day, where that stands."""
        if not isinstance(said, k.Labour) or _SPAN.search(said.evidence) is None:
            return None
        after = [date.fromisoformat(said.day) + timedelta(days=n + 1) for n in range(2)]  # at most 24 hours
        there = self._find([f"{name}@{day}" for day in after])
        return next((part for part in there if part not in self._corrected), None)

    # -- makers ----------------------------------------------------------------------------------------------------

    def _maker(self, entry: Entry) -> str | None:
        """Whose labour an entry is; ``None``: nobody knows, and it is said."""
        if entry.user is None:
            if self.terms.maker is None:
                if self.export.tool in ("timedot", "timeclock"):
                    raise ToolExportError(self.export.file, "names nobody", "say whose time it is: --maker MAKER")
                self.doubts.append(Doubt(entry.place, "nobody", cut_us=entry.labour_us or 0))
                return None
            return self._checked(self.terms.maker)
        if entry.user.key not in self._resolved:
            self._resolved[entry.user.key] = self._resolve(entry.user)
        return self._resolved[entry.user.key]

    def _resolve(self, user: User) -> str | None:
        known = [name for name in (user.key, *user.others, user.name) if name]
        mapped = next((self.terms.makers[name] for name in known if name in self.terms.makers), None)
        same = next((name for name in known if self.record.state.makers.get(name) is not None), None)
        maker = mapped or same or self.terms.makers.get(ANYBODY)
        if maker is not None:
            return self._checked(maker)
        against = self._enrol(user) if self.terms.enrol else ""
        if against is None:
            return self._resolved_name
        self.unknown[user.key] = against
        return None

    _resolved_name = ""

    def _enrol(self, user: User) -> str | None:
        """Enrol a user under a name made from theirs; what stands against it, or ``None``."""
        name = user.name or user.key
        if "@" in name:
            return "An e-mail address does not belong into a log that forgets nothing: map it."
        maker = maker_id(name) if not _NUMBER.fullmatch(name) else tidy(f"{self.export.tool}-{name}")
        if not maker or maker == UNIDENTIFIED:
            return f"No id can be made of {name!r}: map it."
        there = self.record.state.makers.get(maker) is not None
        if (there and _name_of(self.record, maker) != name) or self._named.get(maker, name) != name:
            return f"{maker} is somebody already, and nobody knows whether it is {name}: map it."
        if not there:
            self._named[maker] = name
        self._resolved_name = maker
        return None

    def _checked(self, maker: str) -> str:
        """A maker who was named; not enrolled by mistake."""
        if self.record.state.makers.get(maker) is None and maker not in self._named:
            if not self.terms.enrol:
                remedy = f"record: gongfen record enrol maker={maker}; or give --enrol"
                raise UnknownMakerError(maker, "is not enrolled", remedy)
            self._named[maker] = maker
        return maker

    # -- works -----------------------------------------------------------------------------------------------------

    def _work(self, thing: Thing, place: str) -> str:
        """The id of what was worked on; declared when the book does not know it."""
        if self.terms.work is not None:
            name = self.terms.work
        elif thing.known:
            name = thing.parts[0]
        else:
            name = fitting_id(*self._prefix, *thing.parts[1:])
        if name in self._new_works:
            if not thing.known and self.terms.work is None and self._new_works[name] != "\x1f".join(thing.parts):
                raise ToolExportError(
                    f"{place}: work {name}", "stands for two things", "rename one of them in the tool"
                )
            return name
        found = self.record.state.works.get(name)
        if found is None:
            self._declare(name, thing, place)
        elif self.terms.work is None and thing.sha256 is not None and found.sha256 != thing.sha256 and not thing.known:
            self._once(Doubt(place, "changed", f"work {name} has another text now", recorded=True), f"work:{name}")
        return name

    def _once(self, doubt: Doubt, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self.doubts.append(doubt)

    def _declare(self, name: str, thing: Thing, place: str) -> None:
        if not (self.terms.licence and self.terms.licence.strip()):
            remedy = "say under which licence it may be used: --licence; or name a work of the book: --work"
            raise UnknownWorkError(f"{place}: work {name}", "is not in this book, and has no licence", remedy)
        own = thing.sha256 is not None and self.terms.work is None
        body = k.Work(
            work=name,
            sha256=thing.sha256 if own and thing.sha256 else self.export.sha256,
            media=thing.media if own else "application/octet-stream",
            size_bytes=thing.size_bytes if own else self.export.size_bytes,
            makers=(),
            source=(self.terms.source or (thing.source if self.terms.work is None else self.export.file))[:400],
            licence=self.terms.licence.strip(),
        )
        self._new_works[name] = "\x1f".join(thing.parts)
        self._keep(place, fitting_id("work", name, joint=":") if len(name) > 190 else f"work:{name}", body)

    # -- labour ----------------------------------------------------------------------------------------------------

    def _fact_id(self, maker: str, entry: Entry) -> str:
        whose = () if entry.own_id else (maker,)
        key = entry.key if tidy(entry.key) == entry.key else row_key(entry.key)
        return fitting_id("labour", *self._prefix, *whose, key, joint=":")

    def _take_what_is_recorded(self, makers: set[str]) -> None:
        """What imports have recorded of these makers is on their time lines already, but for what was taken back.

        In the order in which it was said: of two clocks that ran at once the first has the time, until it is corrected.
        """
        if not any(entry.span for entry in self.export.entries):
            return
        for maker in sorted(maker for maker in makers if self._alone(maker)):
            line, has = self._lines.setdefault(maker, Timeline()), dict[str, list[Span]]()
            for _, row, span in sorted(self._told_of(maker)):
                if not span:
                    for part in has.pop(row):
                        line.give_back(part)
                elif row not in has:
                    has[row] = line.free(span)
                    line.take(span)

    def _told_of(self, maker: str) -> Iterator[tuple[int, str, Span | tuple[()]]]:
        """(number, row, time) of the imported labour of a maker; no time: it is all taken back from there on."""
        parts: dict[str, list[int | None]] = {}
        for seq, fact in self.record.about(maker):
            row = fact.id.partition("@")[0]
            if not isinstance(fact.body, k.Labour) or fact.body.maker != maker:
                continue
            if not row.startswith(IMPORTED) or row.startswith(UNTIMED):
                continue  # what a person wrote into the evidence is no time of theirs
            if found := _SPAN.search(fact.body.evidence):
                with suppress(ToolExportError):  # a description that only looks like a time is none
                    start, end = (instant(said, self.zone, fact.id) for said in found.groups())
                    yield seq, row, (start, end)
                    by = self.record.state.names.get(corrected_name_of(fact.id))
                    parts.setdefault(row, []).append(by)
        for row, corrections in parts.items():
            if None not in corrections:
                yield max(by for by in corrections if by is not None), row, ()

    def _alone(self, maker: str) -> bool:
        """Whether a maker is one person, who does one thing at a time."""
        known = self.record.state.makers.get(maker)
        return known is None or known.people == 1

    def _add(self, maker: str, entry: Entry, row: _Known) -> None:
        """An entry as facts, one for each of its days; or as a doubt."""
        fact_id = row.name
        if fact_id in self._said:
            self.doubts.append(Doubt(entry.place, "repeated", cut_us=entry.labour_us or 0))
            return
        self._said.add(fact_id)
        if row.stands is not None or row.corrected is not None:
            now = self._labour(maker, entry, entry.day, entry.labour_us)
            if row.stands is not None:
                self._compare(entry.place, row.stands, now, entry.span)
                return
            if not _differences(row.corrected, now, entry.span):
                self.doubts.append(Doubt(entry.place, "taken_back", cut_us=entry.labour_us or 0))
                return
        parts = self._days(maker, entry)
        if parts is None or not self._fits(maker, entry, parts):
            return
        for number, (day, labour_us) in enumerate(parts.items()):
            name = fact_id if number == 0 else f"{fact_id}@{day}"
            self._keep(entry.place, name, self._labour(maker, entry, day, labour_us))

    def _days(self, maker: str, entry: Entry) -> dict[str, int | None] | None:
        """Labour by day, what overlaps counted once; ``None``: nothing of it counts."""
        labour_us, span = entry.labour_us, entry.span
        if labour_us is None:
            return {entry.day: None}
        if labour_us > US_PER_DAY or (span is not None and span[1] - span[0] > US_PER_DAY):
            self.doubts.append(Doubt(entry.place, "beyond_a_day", cut_us=labour_us))
            return None
        if span is None or not labour_us:
            return {entry.day: labour_us}
        free = [span]
        if self._alone(maker):
            line = self._lines.setdefault(maker, Timeline())
            free = line.free(span)
            line.take(span)
        found = days(free, labour_us, self.zone)
        cut_us = labour_us - sum(found.values())
        if cut_us:
            self.doubts.append(Doubt(entry.place, "overlap", maker, cut_us, recorded=bool(found)))
        return dict(found) or None

    def _fits(self, maker: str, entry: Entry, parts: dict[str, int | None]) -> bool:
        """Whether the days have room for it, with what is recorded and what else comes in."""
        known = self.record.state.makers.get(maker)
        most = US_PER_DAY * (known.people if known else 1)
        for day, labour_us in parts.items():
            spent = self._spent.get((maker, day), 0) + (self.record.state.days.get(f"{maker}|{day}") or 0)
            if labour_us is not None and spent + labour_us > most:
                cut_us = sum(part or 0 for part in parts.values())
                self.doubts.append(Doubt(entry.place, "full_day", f"{maker}, {day}", cut_us))
                return False
        for day, labour_us in parts.items():
            self._spent[maker, day] = self._spent.get((maker, day), 0) + (labour_us or 0)
        return True

    def _labour(self, maker: str, entry: Entry, day: str, labour_us: int | None) -> k.Labour:
        terms = self.terms
        span = _stated(entry)
        return k.Labour(
            maker=maker,
            work=self._work(entry.thing, entry.place),
            labour_kind=self._kind(),
            phase=terms.phase,
            standing=terms.standing,
            labour_us=labour_us,
            skill=terms.skill,
            day=day,
            quality=entry.quality,
            evidence=entry.evidence[: 4_000 - len(span)] + span,
            task=terms.task if terms.task is not None else UNSET,
            units=1 if terms.task is not None else UNSET,
            discarded=True if entry.discarded else UNSET,
        )

    def _kind(self) -> int:
        if self.terms.kind is not None:
            return self.terms.kind
        if self.export.tool in ANNOTATION:
            return 2
        kinds = ", ".join(f"{number} {name}" for number, name in k.LABOURS.items())
        raise InputError(self.export.file, "does not say which of the eight labours it is", f"give --kind: {kinds}")

    def _compare(self, place: str, fact_id: str, body: k.Labour | k.Compute, span: Span | None = None) -> None:
        """What was recorded before is what the export says, or it is named.

        Of an entry with a beginning and an end, a part may have counted: its evidence tells whether it is the same. A
        run that was brought in before runs had a day is the same without.
        """
        seq = self.record.find(fact_id)
        assert seq is not None, "it was looked up"
        other = _differences(self.record.fact(seq).body, body, span)
        if other:
            self.doubts.append(Doubt(place, "changed", f"fact {seq}: {', '.join(other)}"))
        else:
            self.there += 1

    # -- machines --------------------------------------------------------------------------------------------------

    def _run(self, run: Run) -> None:
        """A machine's run as a fact, or as a doubt."""
        machine = self.terms.machine or fitting_id(*self._prefix, joint="-")
        if self.record.state.makers.get(machine) is None and f"enrol:{machine}" not in self._said:
            self._said.add(f"enrol:{machine}")
            self._keep(run.place, f"enrol:{machine}", k.Enrol(maker=machine, form="machine"))
        started = self._started_by(run.user)
        body = k.Compute(
            machine=machine,
            device=self.terms.device or fitting_id(run.device),
            work=self._work(run.thing, run.place),
            device_us=run.device_us,
            energy_mwh=run.energy_mwh,
            energy_quality="estimated" if run.energy_mwh is not None else "unknown",
            method=run.method + (f"; started by {started}" if started else ""),
            day=run.day if run.day is not None else UNSET,
        )
        key = run.key if tidy(run.key) == run.key else row_key(run.key)
        row = self._known(fitting_id("compute", *self._prefix, key, joint=":"))
        fact_id = row.name
        if fact_id in self._said:
            self.doubts.append(Doubt(run.place, "repeated"))
            return
        self._said.add(fact_id)
        if row.stands is not None:
            self._compare(run.place, row.stands, body)
        elif row.corrected is not None and not _differences(row.corrected, body):
            self.doubts.append(Doubt(run.place, "taken_back"))
        else:
            self._keep(run.place, fact_id, body)

    def _started_by(self, user: User | None) -> str | None:
        """Who started a run, where a maker is known for them: their name in the tool is nobody else's business."""
        if user is None:
            return None
        mapped = self.terms.makers.get(user.key)
        return mapped or (user.key if self.record.state.makers.get(user.key) is not None else None)

    # -- writing ---------------------------------------------------------------------------------------------------

    def _keep(self, place: str, fact_id: str, body: Body) -> None:
        self.fresh.append((place, self.record.new(body, fact_id=fact_id, sample=self.terms.sample)))

    def _enrolments(self) -> Iterator[Fact]:
        for maker in sorted(self._named):
            body = k.Enrol(maker=maker)
            yield self.record.new(body, fact_id=f"enrol:{maker}", sample=self.terms.sample)

    def record_all(self, progress: Progress | None) -> None:
        """Write the facts, all or none; what is wrong names its place."""
        try:
            self.record.record(self._sealed(), (), progress)
        except GongfenError as error:
            if not isinstance(error, BookPlaceError):  # a place that did not answer may have written it
                for maker in self._named:
                    self.record.store.forget_person(maker, only_waiting=True)
            raise self._placed(error) from None

    def _sealed(self) -> list[Fact]:
        """The facts, those that enrol with commitments to the names, which lie outside the log."""
        facts: list[Fact] = []
        for fact in self._enrolments():
            assert isinstance(fact.body, k.Enrol)
            salt, details, commitment = people.seal({"name": self._named[fact.body.maker]})
            self.record.store.put_person(fact.body.maker, salt, details, waiting=True)
            body = msgspec.structs.replace(fact.body, details_sha256=commitment)
            facts.append(msgspec.structs.replace(fact, body=body))
        return [*facts, *(fact for _, fact in self.fresh)]

    def put(self, record: Record) -> None:
        """Book the facts within the open transaction; what is wrong names its place."""
        try:
            record.put(
                [*self._enrolments(), *(fact for _, fact in self.fresh)], signers=(Signer(record.origin, NOBODY),)
            )
        except GongfenError as error:
            raise self._placed(error) from None

    def _placed(self, error: GongfenError) -> GongfenError:
        """The same error, with the place in the export that it is about."""
        at = (error.which or 0) - len(self._named)
        if error.which is not None and 0 <= at < len(self.fresh):
            error.thing = f"{self.fresh[at][0]}: {error.thing}"
        return error

    def answer(self, *, dry_run: bool) -> Imported:
        """What was, or would be, recorded."""
        makers: dict[str, Hours] = {}
        works: dict[str, Hours] = {}
        kinds: dict[str, int] = {"enrol": len(self._named)} if self._named else {}
        device_us, energies = 0, [fact.body.energy_mwh for _, fact in self.fresh if isinstance(fact.body, k.Compute)]
        for _, fact in self.fresh:
            kinds[fact.kind] = kinds.get(fact.kind, 0) + 1
            if isinstance(fact.body, k.Labour):
                makers.setdefault(fact.body.maker, Hours()).add(fact.body)
                works.setdefault(fact.body.work, Hours()).add(fact.body)
            elif isinstance(fact.body, k.Compute):
                device_us += fact.body.device_us
        return Imported(
            tool=self.export.tool,
            file=self.export.file,
            dry_run=dry_run,
            facts=len(self.fresh) + len(self._named),
            kinds=dict(sorted(kinds.items())),
            there=self.there,
            makers=dict(sorted(makers.items())),
            works=dict(sorted(works.items())),
            new_makers=tuple(sorted(self._named)),
            new_works=len(self._new_works),
            unknown=tuple(self.unknown),
            device_us=device_us,
            energy_mwh=sum(known) if (known := [e for e in energies if e is not None]) else None,
            runs=len(energies),
            energy_lacking=energies.count(None),
            doubts=tuple(self.doubts),
            zone=str(self.zone),
        )


def _name_of(record: Record, maker: str) -> str | None:
    """The name that is kept for a maker outside the log, if one is."""
    found = people.kept(record, maker)
    name = json.loads(found[1]).get("name") if found else None
    return name if isinstance(name, str) else None


def corrected_name_of(fact_id: str) -> str:
    """Under which name a correction of this fact is remembered."""
    return corrected_name(k.Correction(correction="-", fact=fact_id, reason="-"))


def _differences(said: object, now: k.Labour | k.Compute, span: Span | None = None) -> list[str]:
    """In which fields a row is another than what was recorded; its times stand in the evidence, the parts need not."""
    # A run that was recorded before runs had a day said none: that is no other content.
    unsaid = {"labour_us", "day"} if span is not None else {"day"} if getattr(said, "day", None) is UNSET else set()
    fields = [name for name in now.__struct_fields__ if name not in unsaid]
    pairs = [(name, getattr(said, name, None), getattr(now, name)) for name in fields]
    return [f"{name}: {_brief(old)} → {_brief(new)}" for name, old, new in pairs if old != new]


def _brief(value: object) -> str:
    """A field's value in few letters; of evidence, the times at its end."""
    text = "" if value is UNSET or value is None else str(value)
    text = text.rpartition("; ")[2]
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}…"


def _stated(entry: Entry) -> str:
    """The end of the evidence: when an entry began and ended, and how long it lasted, where that is less."""
    if entry.span is None:
        return ""
    start, end = entry.span
    paused = f" {entry.labour_us} us" if entry.labour_us != end - start else ""
    return f"; {_utc(start)}/{_utc(end)}{paused}"


def _utc(us: int) -> str:
    """A moment as ISO 8601 in UTC, to the microsecond where it is not a whole second."""
    moment: datetime = EPOCH + timedelta(microseconds=us)
    return moment.isoformat().replace("+00:00", "Z")

"""Prodigy's JSON lines: the time from one answer to the next of a session is the labour on the next."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import msgspec

from gongfen.studio.importers.export import Entry, Export, How, Thing, User, timed
from gongfen.studio.importers.reading import content, day_of, decoded, lines, opened, row_key, seconds

TOOL = "prodigy"
REMEDY = "export it with prodigy db-out"


class _Line(msgspec.Struct):
    annotator: str | None = msgspec.field(default=None, name="_annotator_id")
    session: str | None = msgspec.field(default=None, name="_session_id")
    timestamp: Decimal | None = msgspec.field(default=None, name="_timestamp")
    task_hash: int | str | None = msgspec.field(default=None, name="_task_hash")
    input_hash: int | str | None = msgspec.field(default=None, name="_input_hash")
    answer: str | None = None
    text: str | None = None
    image: str | None = None
    audio: str | None = None
    video: str | None = None
    html: str | None = None


class _Answer(msgspec.Struct):
    place: str
    line: _Line
    thing: Thing
    at_us: int | None


def read(path: Path, how: How) -> Export:
    """Every answer of a dataset; gaps above the cap are cut, the first of a session is unmeasured or imputed.

    ``ignore`` is labour whose result was thrown away; ``accept`` and ``reject`` are results. Raises ToolExportError.
    """
    export = opened("Prodigy", path)
    export.tool = TOOL
    sessions: dict[str, list[_Answer]] = defaultdict(list)
    for number, text in lines(path):
        if text.strip():
            place = f"{path.name}, line {number}"
            line: _Line = decoded(text.encode(), _Line, place, REMEDY)
            at_us = None if line.timestamp is None else seconds(line.timestamp, place)
            session = line.session or line.annotator or ""
            sessions[session].append(_Answer(place, line, _thing(line, text, place, how), at_us))
    seen: set[tuple[str, str]] = set()
    for answers in sessions.values():
        answers.sort(key=lambda answer: answer.at_us or 0)
        before: int | None = None
        for answer in answers:
            _add(export, answer, before, seen, how)
            before = answer.at_us if answer.at_us is not None else before
    return export


def _thing(line: _Line, text: str, place: str, how: How) -> Thing:
    shown = next(
        (part for part in (line.text, line.image, line.audio, line.video, line.html) if part is not None), None
    )
    digest, size, media = content(text.strip() if shown is None else shown)
    name = str(line.input_hash) if line.input_hash is not None else digest[:32]
    if how.work_field is not None:
        named = decoded(text.encode(), dict[str, object], place, REMEDY).get(how.work_field)
        if isinstance(named, str):
            return Thing((named,), f"Prodigy input {name}", digest, size, media, known=True)
    return Thing((TOOL, name), f"Prodigy input {name}", digest, size, media)


def _add(export: Export, answer: _Answer, before: int | None, seen: set[tuple[str, str]], how: How) -> None:
    """One answer as an entry, or as a doubt."""
    line, place = answer.line, answer.place
    who = line.annotator or line.session
    key = row_key(*answer.thing.parts, str(line.task_hash), str(line.timestamp))
    day = how.day if answer.at_us is None else day_of(answer.at_us, how.zone)
    gap_us = answer.at_us - before if answer.at_us is not None and before is not None else None
    if who is None:
        export.leave_out(place, "nobody")
    elif day is None:
        export.leave_out(place, "no_day")
    elif (who, key) in seen:
        export.leave_out(place, "repeated")
    else:
        seen.add((who, key))
        labour_us, quality, cut_us = timed(gap_us, how)
        if cut_us:
            export.note(place, "idle", cut_us=cut_us)
        measured = labour_us is not None and quality != "imputed" and answer.at_us is not None
        span = (answer.at_us - labour_us, answer.at_us) if measured and labour_us and answer.at_us is not None else None
        evidence = f"Prodigy task {line.task_hash}, _timestamp {line.timestamp}, {line.answer}"
        discarded = line.answer == "ignore"
        others = tuple(name for name in (line.session,) if name and name != who)
        entry = Entry(
            key, place, User(who, others=others), answer.thing, labour_us, quality, day, evidence, span, discarded
        )
        export.entries.append(entry)

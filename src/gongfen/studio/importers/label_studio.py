"""Label Studio's JSON: one annotation is one piece of labour, as long as its ``lead_time``, cut at the cap."""

from decimal import Decimal
from pathlib import Path

import msgspec

from gongfen.studio.importers.export import Entry, Export, How, Thing, User, timed
from gongfen.studio.importers.reading import content, day_of, decoded, instant, opened, row_key, seconds, whole

TOOL = "label-studio"
REMEDY = "export the project as JSON, not JSON-MIN, CSV or TSV"


class _Person(msgspec.Struct):
    id: int | str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class _Annotation(msgspec.Struct):
    id: int | str | None = None
    completed_by: int | str | _Person | None = None
    lead_time: Decimal | None = None
    was_cancelled: bool | None = False
    created_at: str | None = None


class _Task(msgspec.Struct):
    annotations: list[_Annotation]
    id: int | str | None = None
    project: int | str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


def read(path: Path, how: How) -> Export:
    """Every annotation of a JSON export, submitted or skipped; predictions and drafts are nobody's finished labour.

    ``was_cancelled`` is labour whose result was thrown away. Raises ToolExportError.
    """
    export = opened("Label Studio", path)
    export.tool = TOOL
    tasks: list[_Task] = decoded(whole(path), list[_Task], path.name, REMEDY)
    seen: set[str] = set()
    for number, task in enumerate(tasks, 1):
        name = str(task.id if task.id is not None else number)
        place = f"{path.name}, task {name},"
        thing = _thing(task, name, place, how)
        for annotation in task.annotations:
            _add(export, annotation, thing, f"{path.name}, task {name}, annotation {annotation.id}", seen, how)
    return export


def _thing(task: _Task, name: str, place: str, how: How) -> Thing:
    data = decoded(task.data, object, place, REMEDY)
    digest, size, media = content(data)
    if how.work_field is not None and isinstance(data, dict) and isinstance(named := data.get(how.work_field), str):
        return Thing((named,), f"Label Studio, task {name}", digest, size, media, known=True)
    project = "tasks" if task.project is None else str(task.project)
    return Thing((TOOL, project, name), f"Label Studio, project {project}, task {name}", digest, size, media)


def _user(said: int | str | _Person | None) -> User | None:
    if said is None:
        return None
    if not isinstance(said, _Person):
        return User(str(said))
    name = " ".join(part for part in (said.first_name, said.last_name) if part)
    keys = [part for part in (said.email, str(said.id) if said.id is not None else None) if part]
    return User((keys or [name])[0], name, (*keys[1:], *([name] if name else []))) if keys or name else None


def _add(export: Export, said: _Annotation, thing: Thing, place: str, seen: set[str], how: How) -> None:
    """One annotation as an entry, or as a doubt."""
    moment = instant(said.created_at, how.zone, place) if said.created_at else None
    day = day_of(moment, how.zone) if moment is not None else how.day
    user = _user(said.completed_by)
    key = str(said.id) if said.id is not None else row_key(*thing.parts, said.created_at or "")
    lead_us = None if said.lead_time is None else seconds(said.lead_time, place)
    if said.id is not None and key in seen:
        export.leave_out(place, "repeated")
    elif day is None:
        export.leave_out(place, "no_day", cut_us=max(lead_us or 0, 0))
    elif lead_us is not None and lead_us < 0:
        export.leave_out(place, "negative", f"lead_time {said.lead_time}")
    else:
        labour_us, quality, cut_us = timed(lead_us, how)
        if cut_us:
            export.note(place, "idle", f"lead_time {said.lead_time}", cut_us)
        evidence = f"Label Studio annotation {said.id}" + (f", {said.created_at}" if said.created_at else "")
        thrown_away, own_id = bool(said.was_cancelled), said.id is not None
        export.entries.append(
            Entry(key, place, user, thing, labour_us, quality, day, evidence, discarded=thrown_away, own_id=own_id)
        )
    seen.add(key)

"""Argilla's records: one user's answers to one record are one piece of labour, which nobody has timed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gongfen.errors import ToolExportError
from gongfen.studio.importers.export import Entry, Export, How, Thing, User, timed
from gongfen.studio.importers.reading import content, day_of, decoded, instant, opened, row_key, whole

TOOL = "argilla"
REMEDY = "write it with dataset.records.to_list(flatten=True) or dataset.records.to_json(…)"
_FLAT = ".responses"

Record = dict[str, msgspec.Raw]


class _Answer(msgspec.Struct):
    user_id: str | None = None
    status: str | None = None
    inserted_at: str | None = None
    updated_at: str | None = None


def read(path: Path, how: How) -> Export:
    """Every user's answers to every record: flattened, nested, or as the server's interface gives them.

    ``discarded`` answers are labour whose result was thrown away; drafts are left out. An export names no day, so
    ``how.day`` does. Raises ToolExportError.
    """
    export = opened("Argilla", path)
    export.tool = TOOL
    found = decoded(whole(path), list[Record] | dict[str, msgspec.Raw], path.name, REMEDY)
    if isinstance(found, dict):
        inner = found.get("items")
        if inner is None:
            raise ToolExportError(path.name, "is not a list of records", REMEDY)
        found = decoded(inner, list[Record], path.name, REMEDY)
    for number, record in enumerate(found, 1):
        _add(export, record, f"{path.name}, record {number}", how)
    return export


def _add(export: Export, record: Record, place: str, how: How) -> None:
    """The entries of a record, one for each user who answered."""
    name = _text(record, "id", place) or _text(record, "_server_id", place) or _text(record, "external_id", place)
    fields = decoded(record["fields"], object, place, REMEDY) if "fields" in record else _own_fields(record, place)
    digest, size, media = content(fields)
    name = name or digest[:32]
    thing = Thing((TOOL, name), f"Argilla record {name}", digest, size, media)
    if how.work_field is not None and isinstance(fields, dict) and isinstance(named := fields.get(how.work_field), str):
        thing = Thing((named,), f"Argilla record {name}", digest, size, media, known=True)
    seen: set[str] = set()
    for answer in _answers(record, place):
        where = f"{place}, {name}"
        if answer.user_id is None:
            export.leave_out(where, "nobody")
        elif answer.status in ("draft", "pending"):
            export.leave_out(where, "draft")
        elif answer.user_id not in seen:
            seen.add(answer.user_id)
            said = answer.inserted_at or answer.updated_at
            day = day_of(instant(said, how.zone, where), how.zone) if said else how.day
            if day is None:
                remedy = "say on which day the answers were given: --day 2026-11-02"
                raise ToolExportError(where, "names no day: Argilla exports none", remedy)
            labour_us, quality, _ = timed(None, how)
            evidence = f"Argilla record {name}" + (f", {answer.status}" if answer.status else "")
            key = row_key(name)
            discarded = answer.status == "discarded"
            entry = Entry(
                key, where, User(answer.user_id), thing, labour_us, quality, day, evidence, discarded=discarded
            )
            export.entries.append(entry)


def _answers(record: Record, place: str) -> Iterator[_Answer]:
    """Who answered, and what became of it; one user may come several times, once a question."""
    said = record.get("responses")
    if said is not None:
        answers: Any = decoded(said, list[_Answer] | dict[str, list[_Answer]] | None, place, REMEDY)
        nested = answers.values() if isinstance(answers, dict) else [answers or []]
        yield from (answer for part in nested for answer in part)
        return
    for column in record:
        if column.endswith(_FLAT):
            users = decoded(record.get(f"{column}.users", _NULL), list[str | None] | None, place, REMEDY) or []
            states = decoded(record.get(f"{column}.status", _NULL), list[str | None] | None, place, REMEDY) or []
            for at, user in enumerate(users):
                yield _Answer(user, states[at] if at < len(states) else None)


_NULL = msgspec.Raw(b"null")


def _own_fields(record: Record, place: str) -> dict[str, Any]:
    """What was shown to the users of a flattened record: all that is neither an answer, a suggestion nor a name."""
    ours = ("id", "_server_id", "status", "external_id", "score", "inserted_at", "updated_at")
    return {
        column: decoded(value, object, place, REMEDY)
        for column, value in record.items()
        if column not in ours and ".responses" not in column and ".suggestion" not in column
    }


def _text(record: Record, column: str, place: str) -> str:
    value = decoded(record.get(column, _NULL), object, place, REMEDY)
    return str(value) if value is not None else ""

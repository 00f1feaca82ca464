"""MLflow's runs: from a server's JSON, from ``mlflow.search_runs`` as CSV, or from the folder ``mlruns``."""

from datetime import tzinfo
from hashlib import sha256
from pathlib import Path

import msgspec
import yaml

from gongfen.errors import ToolExportError
from gongfen.studio.importers.export import Export, How, Run, Thing, User
from gongfen.studio.importers.reading import cell, day_of, decoded, instant, opened, rows, whole

TOOL = "mlflow"
REMEDY = "give the JSON of runs/search, the CSV of mlflow.search_runs, or the folder mlruns"
US_PER_MS = 1_000
STATES: dict[int | str | None, str] = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
"""How the folder says what became of a run."""


class _Info(msgspec.Struct):
    run_id: str | None = None
    run_uuid: str | None = None
    experiment_id: int | str | None = None
    run_name: str | None = None
    user_id: str | None = None
    status: str | int | None = None
    start_time: int | str | None = None
    end_time: int | str | None = None


class _Tag(msgspec.Struct):
    key: str
    value: str = ""


class _Data(msgspec.Struct):
    tags: list[_Tag] = []


class _Run(msgspec.Struct):
    info: _Info
    data: _Data = msgspec.field(default_factory=_Data)


class _Answer(msgspec.Struct):
    runs: list[_Run]


def read(path: Path, how: How) -> Export:
    """Every run that has ended, finished or failed: the machine ran. Raises ToolExportError."""
    if path.is_dir():
        return _folder(path, how)
    export = opened("MLflow", path)
    export.tool = TOOL
    if path.suffix.lower() == ".csv":
        _table(export, path, how)
        return export
    found = decoded(whole(path), _Answer | list[_Run], path.name, REMEDY)
    for count, run in enumerate(found if isinstance(found, list) else found.runs, 1):
        place = f"{path.name}, run {run.info.run_id or run.info.run_uuid or count}"
        user = next((tag.value for tag in run.data.tags if tag.key == "mlflow.user"), run.info.user_id)
        _add(export, run.info, user, place, how)
    return export


def _table(export: Export, path: Path, how: How) -> None:
    for where, row in rows(path, ("run_id", "start_time", "end_time"), "MLflow"):
        info = _Info(
            run_id=row["run_id"],
            experiment_id=cell(row, "experiment_id") or None,
            status=cell(row, "status") or None,
            start_time=cell(row, "start_time") or None,
            end_time=cell(row, "end_time") or None,
        )
        _add(export, info, cell(row, "tags.mlflow.user") or None, where.rstrip(","), how)


def _folder(path: Path, how: How) -> Export:
    """The runs of a file store: ``mlruns/EXPERIMENT/RUN/meta.yaml``."""
    metas = sorted(path.glob("*/*/meta.yaml"))
    if not metas:
        raise ToolExportError(str(path), "holds no runs", REMEDY)
    contents = [meta.read_bytes() for meta in metas]
    size = sum(map(len, contents))
    export = Export(TOOL, path.resolve().name, sha256(b"".join(contents)).hexdigest(), size)
    for meta, content in zip(metas, contents, strict=True):
        place = meta.relative_to(path).as_posix()
        try:
            said = yaml.safe_load(content)
            info = msgspec.convert(said, _Info, strict=False)
        except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
            reason = f"cannot be read: {' '.join(str(error).split())[:200]}"
            raise ToolExportError(place, reason, "restore it, or take its folder away") from None
        tag = meta.parent / "tags" / "mlflow.user"
        user = tag.read_text(encoding="utf-8", errors="replace").strip() if tag.is_file() else info.user_id
        _add(export, info, user, place, how)
    return export


def _add(export: Export, info: _Info, user: str | None, place: str, how: How) -> None:
    """A run as machine time; who started it is evidence, and no labour: nobody knows how long they were there."""
    run = info.run_id or info.run_uuid
    if not run:
        raise ToolExportError(place, "has no run_id", REMEDY)
    start_us, end_us = _moment(info.start_time, place, how.zone), _moment(info.end_time, place, how.zone)
    if start_us is None or end_us is None:
        export.leave_out(place, "running")
        return
    if end_us < start_us:
        export.leave_out(place, "negative")
        return
    experiment = str(info.experiment_id or "0")
    status = STATES.get(info.status, info.status or "status unknown")
    method = f"MLflow run {run}, {status}; time from start_time to end_time"
    thing = Thing((TOOL, experiment), f"MLflow, experiment {experiment}")
    who = User(user) if user else None
    day = day_of(start_us, how.zone)
    export.runs.append(Run(run, place, thing, end_us - start_us, "unknown", method, user=who, day=day))


def _moment(said: int | str | None, place: str, zone: tzinfo) -> int | None:
    """Milliseconds since 1970, or a time as pandas writes it; ``None``, 0 and ``NaT`` say that there is none."""
    text = str(said or "").removesuffix(".0")
    if text in ("", "0", "NaT", "None"):
        return None
    return int(text) * US_PER_MS if text.isascii() and text.isdecimal() else instant(text, zone, f"{place},")

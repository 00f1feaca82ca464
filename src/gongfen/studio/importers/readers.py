"""Every tool whose exports can be read, with its reader."""

from collections.abc import Callable
from pathlib import Path

from gongfen.studio.importers import (
    argilla,
    clockify,
    codecarbon,
    git,
    kimai,
    label_studio,
    mlflow,
    prodigy,
    timeclock,
    timedot,
    toggl,
)
from gongfen.studio.importers.export import Export, How

READERS: dict[str, Callable[[Path, How], Export]] = {
    "label-studio": label_studio.read,
    "argilla": argilla.read,
    "prodigy": prodigy.read,
    "toggl": toggl.read,
    "clockify": clockify.read,
    "kimai": kimai.read,
    "timedot": timedot.read,
    "timeclock": timeclock.read,
    "git": git.read,
    "codecarbon": codecarbon.read,
    "mlflow": mlflow.read,
}
"""Tool → how its export is read."""

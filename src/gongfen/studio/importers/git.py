"""A git repository: each commit is evidence that somebody worked, never of how long."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from gongfen.errors import ToolExportError
from gongfen.facts.amounts import US_PER_SECOND
from gongfen.studio.importers.export import Entry, Export, How, Thing, User
from gongfen.studio.importers.reading import day_of, is_near

TOOL = "git"
MOST_FILES = 20
"""Files that the evidence names; the rest are counted."""
_SAFE = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false", "core.attributesFile=/dev/null")
"""Settings of a repository that could make git start another program when it only reads."""
_FORMAT = "%x1e%H%x1f%aN%x1f%aE%x1f%at%x1f%(trailers:key=Co-authored-by,valueonly,separator=%x1f)%x1e"
_COMMAND = ("log", "-z", "--no-merges", "--no-ext-diff", "--no-textconv", "--no-renames", "--name-only", "--no-color")


@dataclass(slots=True)
class _Commit:
    name: str
    authors: list[tuple[str, str]]
    at_us: int
    files: list[str] = field(default_factory=list)


def read(path: Path, how: How) -> Export:
    """Every commit of the checked-out branch, merges left out, for its author and its co-authors. Unmeasured.

    git only reads, without the user's and the machine's settings, without hooks, pagers, filters and the network.
    Raises ToolExportError.
    """
    if not path.is_dir():
        raise ToolExportError(str(path), "is not a folder", "name the folder of a git repository")
    top = _git(path, "rev-parse", "--verify", "--end-of-options", "HEAD^{commit}").decode().strip()
    name = path.resolve().name
    said = _git(path, *_COMMAND, f"--format=tformat:{_FORMAT}", top)
    export = Export(TOOL, name, sha256(said).hexdigest(), len(said))
    thing = Thing((TOOL, name), f"git repository {name}")
    for commit in _commits(said):
        if not is_near(commit.at_us):
            export.leave_out(f"{name}, commit {commit.name[:12]}", "no_day")
            continue
        for number, (author, email) in enumerate(dict.fromkeys(commit.authors)):
            key = commit.name if number == 0 else f"{commit.name}-{number + 1}"
            place = f"{name}, commit {commit.name[:12]}"
            user = User(email or author, author, (author,) if email and author else ()) if email or author else None
            evidence = _evidence(commit)
            day = day_of(commit.at_us, how.zone)
            export.entries.append(Entry(key, place, user, thing, None, "unmeasured", day, evidence, own_id=True))
    return export


def _git(path: Path, *words: str) -> bytes:
    """What git says about a repository. Raises ToolExportError when it refuses, or is not there."""
    settings = [part for setting in _SAFE for part in ("-c", setting)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours; the folder is one argument of its own
            ["git", "--no-pager", *settings, "-C", os.fspath(path.resolve()), *words],  # noqa: S607 - the user's own git
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ToolExportError("git", f"cannot be started: {error.strerror}", "install git") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = f"cannot be read by git: {said[-1] if said else f'it ends with {done.returncode}'}"
        raise ToolExportError(str(path), reason, "name the folder of a git repository of yours that has commits")
    return done.stdout


def _commits(said: bytes) -> Iterator[_Commit]:
    """Commits with their files, from what ``git log -z`` writes."""
    commit: _Commit | None = None
    for part in said.decode(errors="replace").split("\0"):
        text = part.lstrip("\n")
        if text.startswith("\x1e"):
            if commit is not None:
                yield commit
            head, _, rest = text[1:].partition("\x1e")
            name, author, email, at, *others = head.split("\x1f")
            authors = [(author.strip(), email.strip()), *(_person(other) for other in others if other.strip())]
            commit = _Commit(name, authors, int(at) * US_PER_SECOND)
            text = rest.lstrip("\n")
        if text and commit is not None:
            commit.files.append(text)
    if commit is not None:
        yield commit


def _person(text: str) -> tuple[str, str]:
    name, _, email = text.strip().partition("<")
    return name.strip(), email.rstrip("> \n")


def _evidence(commit: _Commit) -> str:
    """What a commit shows: its name, its time, its files. Nobody's name stands in it."""
    shown = ", ".join(f"{file[:120]!r}" for file in commit.files[:MOST_FILES])
    more = f" and {len(commit.files) - MOST_FILES} more" if len(commit.files) > MOST_FILES else ""
    return f"git commit {commit.name}, {commit.at_us // US_PER_SECOND}; files: {shown or 'none'}{more}"

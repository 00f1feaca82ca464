"""A file that a person keeps is there whole, or as it was before: written beside its place, synced, and renamed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gongfen.errors import BookPlaceError, InputError

ANOTHER = "name another file, or see the rights of its folder and the disk"


def write_file(path: Path, data: bytes | str) -> None:
    """Write a file, in place of the one that is there; raises InputError when it cannot be written.

    Where no file can be put in its place, for it is a pipe or a terminal, it is written to as it is.
    """
    content = data.encode() if isinstance(data, str) else data
    try:
        there = path.stat() if path.exists() else None
        if there is not None and not stat.S_ISREG(there.st_mode):
            path.write_bytes(content)
            return
        place = path.resolve()  # a link stays a link
        with _beside(place, 0o666, content) as part:
            if there is not None:
                part.chmod(stat.S_IMODE(there.st_mode))
            part.replace(place)
        _sync(place.parent)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(str(path), f"cannot be written: {_why(error)}", ANOTHER) from None


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write piece by piece, which takes its place once all of it is there; raises InputError as above."""
    try:
        there = path.stat() if path.exists() else None
        place = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(str(path), f"cannot be written: {_why(error)}", ANOTHER) from None
    try:
        if there is not None and not stat.S_ISREG(there.st_mode):
            with path.open("wb") as pipe:
                yield pipe
            return
        with _beside(place, 0o666, b"") as part:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if there is not None:
                part.chmod(stat.S_IMODE(there.st_mode))
            part.replace(place)
        _sync(place.parent)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {_why(error)}", ANOTHER) from None


def write_secret(path: Path, text: str, remedy: str, thing: str = "") -> None:
    """Write a new file that its owner alone may read; raises BookPlaceError when one is there, or it cannot be written.

    ``thing``: what the file is called in an error; its path, where nothing is said.
    The place is taken first, by an empty file, so that two who write at once do not write over each other.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise BookPlaceError(thing or str(path), "is there already", remedy) from None
    except (OSError, ValueError) as error:
        raise BookPlaceError(thing or str(path), f"cannot be written: {_why(error)}", ANOTHER) from None
    try:
        with _beside(path, 0o600, text.encode()) as part:
            part.replace(path)
        _sync(path.parent)
    except BaseException as error:
        with suppress(OSError):  # what is said is why it could not be written
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise BookPlaceError(thing or str(path), f"cannot be written: {_why(error)}", ANOTHER) from None
        raise


@contextmanager
def _beside(path: Path, mode: int, data: bytes) -> Iterator[Path]:
    """A synced file of this content beside ``path``, to be renamed; it is gone afterwards, if it was not."""
    part = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """The folder's new entry survives a loss of power."""
    with suppress(OSError):  # of a folder that may be written to and not read: the file is there, and synced itself
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)

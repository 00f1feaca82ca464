"""One program at a time in a folder: whoever comes second is told so, and whoever dies lets go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gongfen.errors import BookPlaceError


@contextmanager
def alone_in(folder: Path, thing: str, reason: str) -> Iterator[None]:
    """Hold a folder that is there. Raises BookPlaceError, for ``reason``, when another program holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except NotADirectoryError:
        raise BookPlaceError(str(folder), "is not a folder", "choose another place") from None
    except OSError as error:
        raise BookPlaceError(str(folder), f"cannot be opened: {error.strerror}", "see its rights") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BookPlaceError(thing, reason, "wait for it") from None
        yield
    finally:
        os.close(descriptor)

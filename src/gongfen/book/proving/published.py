"""The log as static files that any web server can serve (c2sp.org/tlog-tiles), written so that nothing can break it.

In the folder lie ``tile/…`` (hashes, and bundles of entries), ``blobs/<sha256>`` (bodies of facts above 64 KiB, which
their entries name by hash; no texts of works), ``key`` (the book's verifier keys, a line each) and ``checkpoint``. The
checkpoint is written last: until then a reader sees the log as it was. A file is written beside its place, synced and
renamed, so that a kill at any moment leaves whole files only; the next run takes up where it stopped. A partial tile
stays until the full one is there, for readers who hold an older checkpoint; then it is removed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gongfen.book.alone import alone_in
from gongfen.book.place import key_path
from gongfen.book.recording.record import Record
from gongfen.errors import BookPlaceError, DamagedBookError, ForkError, GongfenError, ProofError
from gongfen.facts import Elsewhere, decode
from gongfen.facts.envelope import MOST_FACT_BYTES
from gongfen.progress import Progress
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.note import MOST_BYTES as MOST_NOTE_BYTES
from gongfen.proof.tiles import HEIGHT, MOST_ENTRY_BYTES, WIDTH, files
from gongfen.proof.witness import KEEP_BOTH
from gongfen.storage import Entry
from gongfen.storage.connection import BACKUP

CHECKPOINT = "checkpoint"
KEY = "key"
BODIES = "blobs"
MOST_KEY_BYTES = 1 << 16
MOST_BUNDLE_BYTES = WIDTH * (2 + MOST_ENTRY_BYTES)
GOES_ON = "the files that were written stay, each of them whole; run it again, and it goes on from there"
ANOTHER_FOLDER = "choose another folder; a published log is never overwritten"
_BY_HASH = b'"body_sha256":'
"""Stands in every entry that names its body by hash."""


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """What lies in the folder now, and what had to be written for it."""

    origin: str
    size: int
    root: str
    before: int
    """How many entries were published before."""
    files: int
    bytes: int
    removed: int
    """Partial tiles whose full ones are there now."""


def most_bytes(name: str) -> int:
    """How long a file of a published log can be."""
    if name == CHECKPOINT:
        return MOST_NOTE_BYTES
    if name == KEY:
        return MOST_KEY_BYTES
    return MOST_FACT_BYTES if name.startswith(f"{BODIES}/") else MOST_BUNDLE_BYTES


def body_name(sha256: str) -> str:
    """Where the body with this hash lies in a published log."""
    return f"{BODIES}/{sha256}"


class LogFolder:
    """A folder with a published log: files that are there whole or not at all. Errors name the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = self.bytes = self.removed = 0
        self._folders: set[Path] = set()
        """Whose entries have changed since the last ``settle``."""
        self._superseded: list[Path] = []

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes here meanwhile. The folder is made if need be. Raises BookPlaceError.

        An error on its way out says what stays: nothing, or whole files from which the next run goes on.
        """
        with self._named():
            new = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
            if new:
                self.path.mkdir(parents=True)
                self._folders.add(self.path.parent)
        with alone_in(self.path, str(self.path), "is being written by another command"):
            try:
                with self._named():
                    self._waiting.unlink(missing_ok=True)
                yield
            except GongfenError as error:
                if self.files or self.removed:
                    error.left = GOES_ON
                else:
                    with suppress(OSError):  # others may have put something there
                        for folder in new:
                            folder.rmdir()
                raise

    def read(self, name: str) -> bytes | None:
        """A file's bytes, or ``None`` when it is not there; raises ProofError when it is too long to be right."""
        try:
            with (self.path / name).open("rb") as file:
                data = file.read(most_bytes(name) + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BookPlaceError(f"{self.path}/{name}", f"cannot be read: {error.strerror}", "see its rights") from None
        if len(data) > most_bytes(name):
            raise ProofError(f"{self.path}/{name}", f"is longer than {most_bytes(name):,} bytes", ANOTHER_FOLDER)
        return data

    def put(self, name: str, data: bytes) -> None:
        """A file that never changes; raises ProofError when another one is there already."""
        there = self.read(name)
        if there is None:
            self._write(name, data)
        elif there != data:
            reason = "is there already, with another content"
            raise ProofError(f"{self.path}/{name}", reason, "see who wrote it; remove it if it was damaged, or "
                             "choose another folder")  # fmt: skip
        if name.startswith("tile/") and ".p/" not in name and (partial := self.path / f"{name}.p").is_dir():
            self._superseded.append(partial)

    def replace(self, name: str, data: bytes) -> None:
        """A file that changes: readers see the old one or the new one."""
        if self.read(name) != data:
            self._write(name, data)

    def settle(self) -> None:
        """Everything so far survives a loss of power; then partial tiles go whose full ones are there."""
        with self._named():
            for folder in sorted(self._folders, reverse=True):
                _sync(folder)
            self._folders.clear()
            for folder in self._superseded:
                for file in folder.iterdir():
                    file.unlink()
                    self.removed += 1
                folder.rmdir()
            self._superseded.clear()

    @property
    def _waiting(self) -> Path:
        """The file that is being written."""
        return self.path / ".being-written"

    def _write(self, name: str, data: bytes) -> None:
        path = self.path / name
        try:
            with self._named(path):
                with self._waiting.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                path.parent.mkdir(parents=True, exist_ok=True)
                self._waiting.replace(path)
        except BookPlaceError:
            with suppress(OSError):  # what is told is why it could not be written
                self._waiting.unlink(missing_ok=True)
            raise
        self._folders.update((path.parent, *(parent for parent in path.parents if parent.is_relative_to(self.path))))
        self.files += 1
        self.bytes += len(data)

    @contextmanager
    def _named(self, path: Path | None = None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = str(path or error.filename or self.path)
            raise BookPlaceError(place, f"cannot be written: {error.strerror}", "see its rights and its disk") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(record: Record, folder: Path, progress: Progress | None = None) -> PublishedLog:
    """Write the log into ``folder``: what is new since the checkpoint that lies there, and that checkpoint last.

    Raises ForkError, with both heads, when the folder's checkpoint and this book contradict one another; ProofError
    when the folder holds another log, a later state, or another file in the place of one; DamagedBookError when the
    book does not give the root that it signed; BookPlaceError when nothing can be written. What was published before
    stays as it was then. Needs memory for one bundle.
    """
    _refuse_the_books_own(record, folder)
    place = LogFolder(folder)
    with record.reading(), place.alone():
        note = record.checkpoint()
        head = open_checkpoint(note, *record.verifiers)
        before = _published_before(record, place, head, note)
        growing = _Growing(record, head, before)
        for name, data in files(head.size, before, record.tree.subtree, growing.entries):
            for body in growing.bodies():
                place.put(*body)
            place.put(name, data)
            if progress:
                progress(growing.size, head.size)
        growing.end()
        place.replace(KEY, "".join(f"{key}\n" for key in record.verifiers).encode())
        place.settle()
        place.replace(CHECKPOINT, note.encode())
        place.settle()
    return PublishedLog(
        head.origin, head.size, head.root.hex(), before, place.files, place.bytes, place.removed
    )  # fmt: skip


def _refuse_the_books_own(record: Record, folder: Path) -> None:
    """What is published is for everybody: never the folder of the book, its key and its people."""
    if key_path(record.path).parent.resolve().is_relative_to(folder.resolve()):
        reason = "holds the book or its secret key, and would be published with them"
        raise BookPlaceError(str(folder), reason, "name a folder that holds nothing else, say public")


def _published_before(record: Record, place: LogFolder, head: Checkpoint, note: str) -> int:
    """How many entries the folder's checkpoint signs, 0 without one: the log must begin with exactly these."""
    data = place.read(CHECKPOINT)
    if data is None:
        return 0
    thing = f"{place.path}/{CHECKPOINT}"
    try:
        there = data.decode()
        old = open_checkpoint(there, *record.verifiers)
    except (UnicodeDecodeError, ProofError) as error:
        why = f": {error.thing} {error.reason}" if isinstance(error, ProofError) else ""
        raise ProofError(thing, f"is not a checkpoint of {record.origin}{why}", ANOTHER_FOLDER) from None
    if old.size > head.size:
        reason = (
            f"signs {old.size} entries with root {old.root.hex()[:16]}…; this book has {head.size}, with root "
            f"{head.root.hex()[:16]}…: it was set back, or is an older copy"
        )
        raise ProofError(thing, reason, "publish from the newest copy of the book")
    if merkle.root(old.size, record.tree.subtree) != old.root:
        reason = f"was published with {old.size} entries that are not the first {old.size} of this book"
        raise ForkError(f"the log {head.origin}", reason, KEEP_BOTH, there, note)
    return old.size


class _Growing:
    """The entries that are published, held against the leaves and the signed root as they go out."""

    def __init__(self, record: Record, head: Checkpoint, before: int) -> None:
        # The last bundle was partial, perhaps: it is written anew, and so it begins with the bundle's first entry.
        self.size = before // WIDTH * WIDTH
        self._record = record
        self._head = head
        self._frontier = merkle.Frontier(self.size, record.tree.subtree)
        self._bodies: list[str] = []

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries of one bundle; raises DamagedBookError when one is missing or not what its leaf says."""
        assert start == self.size, "bundles are written in their order"
        leaves: list[bytes] = []
        for entry in self._record.store.entries(start, end):
            leaves.append(self._leaf(entry, start + len(leaves)))
            if _BY_HASH in entry.data and isinstance(body := decode(entry.data).body, Elsewhere):
                self._bodies.append(body.sha256)
            yield entry.data
        if len(leaves) != end - start:
            raise self._damage(f"fact {start + len(leaves)},", "is missing")
        for level, index, found in self._frontier.extend(leaves, HEIGHT):
            if self._record.tree.subtree(level, index) != found:
                raise self._damage(f"tree level {level}, hash {index},", "is not what its leaves give")
        self.size = end

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of the bodies that the last bundle names by hash, as far as the book has them."""
        for sha256 in self._bodies:
            if (data := self._record.blob(sha256)) is not None:
                yield body_name(sha256), data
        self._bodies.clear()

    def end(self) -> None:
        """Raise DamagedBookError unless the entries lead to the signed root."""
        if self.size != self._head.size:
            return  # nothing was new
        if self._frontier.root() != self._head.root:
            raise self._damage(f"log of {self._head.size} facts,", "does not have the root that its checkpoint signs")

    def _leaf(self, entry: Entry, seq: int) -> bytes:
        if entry.seq != seq:
            raise self._damage(f"fact {seq},", "is missing")
        if not isinstance(entry.data, bytes) or merkle.leaf_hash(entry.data) != entry.leaf:
            raise self._damage(f"fact {seq},", "was altered: its bytes do not give its leaf hash")
        return entry.leaf

    def _damage(self, what: str, reason: str) -> DamagedBookError:
        return DamagedBookError(f"{self._record.path}, {what}", reason, BACKUP)

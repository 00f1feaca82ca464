"""A bundle is unpacked: a zip from anybody, whose bytes are counted and hashed before anything is believed of it."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256
from struct import error as StructError  # noqa: N812 - it is one

from gongfen.errors import ProofError
from gongfen.reports.bundle.parts import ASK, BLOBS, PARTS

MOST_BYTES = 1 << 30
PIECE_BYTES = 1 << 16


class Unpacked:
    """The parts of a zip, each of them read through once: its bytes counted and hashed, and not held.

    What counts is what is read. The sizes that the zip itself names are not trusted. Raises ProofError when the zip is
    damaged, foreign or hostile.
    """

    def __init__(self, data: bytes) -> None:
        self.sums: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self._entries: dict[str, zipfile.ZipInfo] = {}
        left = MOST_BYTES
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            for entry in self._archive.infolist():
                if entry.filename == BLOBS and not entry.file_size:
                    continue
                self._check_name(entry)
                digest, size = sha256(), 0
                with self._archive.open(entry) as file:
                    while piece := file.read(PIECE_BYTES):
                        digest.update(piece)
                        size += len(piece)
                        if size > left:
                            raise ProofError("bundle", f"unpacks to more than {MOST_BYTES >> 20} MiB", ASK)
                left -= size
                if size != entry.file_size:
                    raise ProofError(f"bundle, {entry.filename},", "is damaged: its length is wrong", ASK)
                self.sums[entry.filename], self.sizes[entry.filename] = digest.hexdigest(), size
                self._entries[entry.filename] = entry
        except _DAMAGE as error:
            raise ProofError("bundle", f"is not a whole zip file: {error}", ASK) from None

    def _check_name(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ProofError(f"bundle, {name[:60]!r},", "is packed in a way that a bundle never is", ASK)
        if not name.startswith(BLOBS) and name not in PARTS:
            raise ProofError(f"bundle, {name[:60]!r},", "is no part of a bundle", ASK)
        if name in self._entries:
            raise ProofError(f"bundle, {name},", "is there twice", ASK)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """A whole part; raises ProofError when it is missing."""
        if name not in self._entries:
            raise ProofError(f"bundle, {name},", "is missing", ASK)
        return self._archive.read(self._entries[name])

    def text(self, name: str) -> str:
        """A part that is text; raises ProofError when it is missing, or none."""
        try:
            return self.read(name).decode()
        except UnicodeDecodeError:
            raise ProofError(f"bundle, {name},", "is not text", ASK) from None

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a part, without their newlines, one at a time; the last may lack its newline."""
        with self._archive.open(self._entries[name]) as file:
            for line in file:
                yield line.removesuffix(b"\n")

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash (hex), or ``None``."""
        return self.read(BLOBS + name) if BLOBS + name in self._entries else None

    def blobs(self) -> Iterator[tuple[str, str]]:
        """The name that each blob has, and the hash (hex) that it should be."""
        return ((name.removeprefix(BLOBS), found) for name, found in self.sums.items() if name.startswith(BLOBS))


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, StructError, NotImplementedError, RuntimeError, LookupError, ValueError, EOFError,
    OSError, OverflowError,
)  # fmt: skip
"""All that ``zipfile`` was seen to raise on altered bytes."""


def unzipped(data: bytes) -> dict[str, bytes]:
    """All parts of a bundle, held; raises ProofError when the zip is damaged, foreign or hostile."""
    parts = Unpacked(data)
    return {name: parts.read(name) for name in parts.sums}

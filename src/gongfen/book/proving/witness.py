"""A witness: it sees the heads of logs that it knows, and cosigns one only when its tree has grown out of the last.

Its whole memory is one SQLite file: for each log the last head that it cosigned. That head is replaced in one
transaction with the check, synced to disk, and only then is the cosignature answered. So a witness that is killed at
any moment, asked by many at once, or run twice by mistake, never cosigns two heads that contradict one another. What it
must not do is forget: without the file that was made with its key it does not start (set a lost witness to rest, and
make a new one with another key).
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from gongfen.book.alone import alone_in
from gongfen.book.clock import now
from gongfen.book.files import write_secret
from gongfen.errors import BookPlaceError, DamagedBookError, ForkError, GongfenError, ProofError
from gongfen.proof.checkpoint import ORIGIN, read_checkpoint
from gongfen.proof.cosignature import (
    Cosigner,
    MLDSA44Signer,
    WitnessSigner,
    WitnessVerifier,
    cosign,
    read_cosigner,
    read_verifier,
)
from gongfen.proof.merkle import EMPTY_ROOT
from gongfen.proof.note import Note, add_signatures, read_note
from gongfen.proof.policy import CosignerVerifier, LogVerifier
from gongfen.proof.witness import UNPROCESSABLE, Accepted, Known, Refusal, consider
from gongfen.storage.connection import named_errors

KEY_FILE = "witness.key"
STATE_FILE = "witness.db"
MOST_FORKS = 100
"""Kept of one log: the first is enough, and a log must not fill the disk."""
RETIRE = "restore it from a copy of this very moment; else make a new witness with another key: gongfen witness new"
MADE_ONCE = "choose another folder: --dir DIR; a witness's key and memory are never made anew"
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- The last head that was cosigned of each log, with its signatures; size 0 before the first.
CREATE TABLE log (
  origin TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, keys TEXT NOT NULL,
  size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Two heads of one log, both validly signed, that cannot both be true.
CREATE TABLE fork (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, at TEXT NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL) STRICT;
"""  # noqa: E501 - as SQL is read


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The head was cosigned, and this witness will remember it: the answer's lines, and what they are about."""

    lines: str
    origin: str
    size: int


@dataclass(frozen=True, slots=True)
class WitnessedLog:
    """What a witness remembers of one log."""

    origin: str
    keys: tuple[LogVerifier, ...]
    size: int
    note: str
    """The last head with the log's signatures and this witness's; empty before the first."""
    forks: int


class Fork(NamedTuple):
    """Two signed heads of one log that cannot both be true."""

    at: str
    """When the second one was shown."""
    first: str
    """The one that was cosigned."""
    second: str


class Witness:
    """The witness that lives in a folder. May be used by many threads; closed by the one that opened it."""

    def __init__(self, folder: Path) -> None:
        """Open a witness; raises BookPlaceError when there is none, DamagedBookError when its memory is not its own."""
        for name in (KEY_FILE, STATE_FILE):
            if not (folder / name).is_file():
                lost = (folder / KEY_FILE).exists() or (folder / STATE_FILE).exists()
                remedy = RETIRE if lost else "make one: gongfen witness new NAME, or name another: --dir DIR"
                raise BookPlaceError(f"{folder / name}", "is not there", remedy)
        self.place = str(folder / STATE_FILE)
        self.signer: Cosigner = read_cosigner(_text_of(folder / KEY_FILE))
        self._lock = threading.RLock()
        self._db = _connected(self.place)
        try:
            self._check_own()
        except BaseException:
            self.close()
            raise

    def _check_own(self) -> None:
        """Raise DamagedBookError unless the memory was made with the key."""
        with self._lock, _named(self.place):
            made = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
            row = made and self._db.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()
        if row is None or row[0] != str(self.signer.verifier):
            raise DamagedBookError(self.place, "is not the memory of the witness whose key lies beside it", RETIRE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    @property
    def key(self) -> str:
        """The public key, in one line."""
        return str(self.signer.verifier)

    def trust(self, verifier: LogVerifier) -> bool:
        """Witness the log of this key from now on; whether the key is new. A log may have several: one must sign."""
        with self._writing():
            row = self._row(verifier.name)
            keys = row.keys if row else ()
            if verifier in keys:
                return False
            text = "\n".join(map(str, (*keys, verifier)))
            if row:
                self._db.execute("UPDATE log SET keys = ? WHERE origin = ?", (text, verifier.name))
            else:
                name = log_name(verifier.name)
                values = (verifier.name, name, text, 0, EMPTY_ROOT, "")
                self._db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", values)
        return True

    def logs(self) -> list[WitnessedLog]:
        """Every log that this witness knows, by its name."""
        with self._lock, _named(self.place):
            origins = self._db.execute("SELECT origin FROM log ORDER BY origin").fetchall()
            rows = [self._row(origin) for (origin,) in origins]
        return [row for row in rows if row is not None]

    def head(self, name: str) -> str:
        """The last head of the log with this name (:func:`log_name`), cosigned; empty when there is none."""
        with self._lock, _named(self.place):
            row = self._db.execute("SELECT note FROM log WHERE sha256 = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def forks(self, origin: str) -> list[Fork]:
        """Every fork that a log has shown, at most 100 of them."""
        with self._lock, _named(self.place):
            query = "SELECT at, first, second FROM fork WHERE origin = ? ORDER BY number"
            return [Fork(*row) for row in self._db.execute(query, (origin,))]

    def answer(self, text: str) -> Cosigned | Refusal:
        """The answer to the body of a request (c2sp.org/tlog-witness, "add-checkpoint").

        What is malformed, foreign or unsigned is refused without holding anybody up. For the others the check and the
        new state are one transaction, which is on the disk when this returns. Raises DamagedBookError or
        BookPlaceError when the state cannot be used; then nothing was cosigned.
        """
        first = consider(text, self._known)
        if isinstance(first, Refusal) and first.fork is None:
            return first
        with self._writing():
            found = consider(text, self._known)
            if isinstance(found, Accepted):
                return self._cosign(found)
            if found.fork is not None:
                self._keep_fork(found.fork)
            return found

    def _cosign(self, accepted: Accepted) -> Cosigned | Refusal:
        head = accepted.checkpoint
        try:
            line = cosign(accepted.note, self.signer, int(datetime.fromisoformat(now()).timestamp()))
        except ProofError as error:  # a head of a form that this key does not sign
            return Refusal(UNPROCESSABLE, str(error))
        kept = add_signatures(self._slim(accepted.note, head.origin, own=False), (line,))
        query = "UPDATE log SET size = ?, root = ?, note = ? WHERE origin = ?"
        changed = self._db.execute(query, (head.size, head.root, kept, head.origin)).rowcount
        assert changed == 1, "only known logs are accepted"
        return Cosigned(str(line), head.origin, head.size)

    def _keep_fork(self, fork: ForkError) -> None:
        origin = read_checkpoint(read_note(fork.second).text).origin
        first, second = (self._slim(note, origin) for note in (fork.first, fork.second))
        known = self._db.execute("SELECT first, second FROM fork WHERE origin = ?", (origin,)).fetchall()
        if len(known) < MOST_FORKS and (first, second) not in known:
            query = "INSERT INTO fork (origin, at, first, second) VALUES (?, ?, ?, ?)"
            self._db.execute(query, (origin, now(), first, second))

    def _slim(self, note: str, origin: str, *, own: bool = True) -> str:
        """The note with one line of each key that is known, and of this witness: strangers may have added others.

        Not ``own``: without this witness's lines, where a new one takes their place.
        """
        known = self._known(origin)
        assert known is not None, "only notes of known logs are kept"
        opened = read_note(note)
        ours = {(one.name, one.key_id) for one in (*known.verifiers, *((self.signer.verifier,) if own else ()))}
        lines = {(line.name, line.key_id): line for line in opened.lines if (line.name, line.key_id) in ours}
        return str(Note(opened.text, tuple(lines.values())))

    def _known(self, origin: str) -> Known | None:
        with self._lock, _named(self.place):
            row = self._db.execute("SELECT keys, size, root, note FROM log WHERE origin = ?", (origin,)).fetchone()
        if row is None:
            return None
        keys, size, root, note = row
        return Known(_log_keys(keys, self.place), size, root, note)

    def _row(self, origin: str) -> WitnessedLog | None:
        known = self._known(origin)
        if known is None:
            return None
        query = "SELECT count(*) FROM fork WHERE origin = ?"
        (forks,) = self._db.execute(query, (origin,)).fetchone()
        keys = _log_keys("\n".join(map(str, known.verifiers)), self.place)
        return WitnessedLog(origin, keys, known.size, known.note, forks)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, alone among threads and processes; on the disk at its end, or without a trace."""
        with self._lock, _named(self.place):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def new_witness(folder: Path, name: str, *, post_quantum: bool = False) -> Witness:
    """Make a witness with a key of its own, Ed25519 or ML-DSA-44: all of it, or nothing.

    Raises BookPlaceError if one is there, or when it cannot be written.
    """
    if not ORIGIN.fullmatch(name):
        remedy = "name it like a web address: witness.example.org/ada"
        raise BookPlaceError(f"the name {name[:200]!r}", "holds spaces or +, or is too long", remedy)
    key, memory = folder / KEY_FILE, folder / STATE_FILE
    signer: Cosigner = (MLDSA44Signer if post_quantum else WitnessSigner)(name, os.urandom(32))
    new = _make_folder(folder)
    # Else one would take away, as cut off, what another is making.
    alone = alone_in(folder, str(folder), "is being made a witness by another command")
    with alone, ExitStack() as undone:
        for one in new:
            undone.callback(_remove, one)
        _make_way(key, memory)
        # The memory first: whoever is killed in between leaves one without a key, of which nothing was ever signed.
        _make_memory(memory, signer, undone)
        write_secret(key, f"{signer}\n", MADE_ONCE)
        undone.callback(_remove, key)
        made = Witness(folder)
        undone.pop_all()
    return made


def _make_way(key: Path, memory: Path) -> None:
    """Refuse where a witness is; take away what is left of one whose making was cut off."""
    left = memory.exists() and not key.exists() and _never_used(memory)
    for file in (key, memory):
        if file.exists() and not left:
            raise BookPlaceError(str(file), "is there already", MADE_ONCE)
    if left:
        _remove_memory(memory)


def _make_folder(folder: Path) -> list[Path]:
    """The folder and those above it, as far as they are not there: which were made."""
    new: list[Path] = []
    try:
        for one in (*reversed(folder.parents), folder):
            if not one.exists():
                one.mkdir(exist_ok=True)
                new.append(one)
    except OSError as error:
        for one in reversed(new):
            _remove(one)
        raise BookPlaceError(str(error.filename), f"cannot be made: {error.strerror}", "see its rights") from None
    if not folder.is_dir():
        raise BookPlaceError(str(folder), "is not a folder", MADE_ONCE)
    return new


def _make_memory(path: Path, signer: Cosigner, undone: ExitStack) -> None:
    """An empty memory that belongs to this key, on the disk."""
    try:
        path.touch(0o644, exist_ok=False)
    except FileExistsError:
        raise BookPlaceError(str(path), "is there already", MADE_ONCE) from None
    except OSError as error:
        raise BookPlaceError(str(path), f"cannot be made: {error.strerror}", "see its rights and its disk") from None
    undone.callback(_remove_memory, path)
    with _named(str(path)), closing(_connected(str(path))) as db:
        db.executescript(f"BEGIN; {_SCHEMA}")
        db.execute("INSERT INTO meta VALUES ('key', ?)", (str(signer.verifier),))
        db.execute("COMMIT")


def _never_used(memory: Path) -> bool:
    """Whether a memory has seen no log: what is left of a witness whose making was cut off."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{memory.absolute().as_uri()}?mode=ro", uri=True)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if not tables:
            return True
        return db.execute("SELECT 1 FROM log UNION ALL SELECT 1 FROM fork").fetchone() is None
    return False  # no database, or that of another program


def _remove_memory(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        _remove(path.with_name(path.name + end))


def _remove(path: Path) -> None:
    with suppress(OSError):  # not there, or a folder into which somebody else has put something: what failed is told
        path.rmdir() if path.is_dir() else path.unlink()


def log_name(origin: str) -> str:
    """The name of a log in a witness's addresses: SHA-256 of its origin, in hexadecimal."""
    return sha256(origin.encode()).hexdigest()


def read_log_key(text: str) -> LogVerifier:
    """The public key of a log; raises ProofError when it is malformed, or a witness's."""
    verifier = read_verifier(text)
    if isinstance(verifier, WitnessVerifier):
        raise ProofError("verifier key", "is a witness's, not a log's", "ask for what `gongfen log key` prints")
    return verifier


def read_witness_key(text: str) -> CosignerVerifier:
    """The public key of a witness; raises ProofError when it is malformed, or can only be a log's."""
    verifier = read_verifier(text)
    if not isinstance(verifier, CosignerVerifier):
        raise ProofError("verifier key", "is a log's, not a witness's", "ask for what `gongfen witness key` prints")
    return verifier


@contextmanager
def _named(place: str) -> Iterator[None]:
    """The database's errors, as those of a witness's memory: it is no book, and must not be set back to a copy."""
    try:
        with named_errors(place):
            yield
    except (DamagedBookError, BookPlaceError) as error:
        if error.thing == place:
            error.thing = f"the witness's memory {place}"
            if isinstance(error, DamagedBookError):
                error.remedy = RETIRE
            elif "not a book" in error.reason:
                raise DamagedBookError(error.thing, "has lost its tables", RETIRE) from None
        raise


def _connected(place: str) -> sqlite3.Connection:
    # Write-ahead log with full sync: a transaction that has returned survives the loss of power. The threads of a
    # server share this connection, one at a time.
    with _named(place):
        db = sqlite3.connect(place, isolation_level=None, timeout=30, check_same_thread=False)
        try:
            for setting in ("journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF"):
                db.execute(f"PRAGMA {setting}")
        except BaseException:
            db.close()
            raise
    return db


def _log_keys(text: str, place: str) -> tuple[LogVerifier, ...]:
    try:
        return tuple(read_log_key(line) for line in text.split("\n"))
    except GongfenError as error:
        raise DamagedBookError(place, f"holds what is no key of a log: {error}", RETIRE) from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BookPlaceError(str(path), f"cannot be read: {error}", "see its rights, or restore it") from None

"""What an outsider does with a published log: check it, mirror it, and hold it against heads that they have kept.

Nothing is believed. The checkpoint is signed by keys that the outsider brought; from its root down, every tile is held
against the hash that stands for it in the tile above, every bundle against its tile of leaves, every entry against the
canonical form of a fact. What an outsider keeps has passed all of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from gongfen.book.proving.fetching import ask, check_address, is_address
from gongfen.book.proving.published import (
    BODIES,
    CHECKPOINT,
    KEY,
    LogFolder,
    body_name,
    most_bytes,
)
from gongfen.book.recording.own_key import read_log_keys
from gongfen.book.recording.record import Record
from gongfen.errors import BookPlaceError, ForkError, GongfenError, ProofError, UnreachableError
from gongfen.facts import Elsewhere, reread
from gongfen.progress import Progress
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import Cosignature
from gongfen.proof.policy import Log, LogVerifier, Policy
from gongfen.proof.tiles import (
    ENTRIES,
    HEIGHT,
    REMEDY,
    WIDTH,
    Fetch,
    Tile,
    TileReader,
    check_tiles,
    fetched,
    read_entries,
    read_hashes,
)
from gongfen.proof.witness import KEEP_BOTH, one_history

GONE = (403, 404, 410)
"""What servers answer for a file that is not there; stores of objects that may not be listed say 403."""


class Source:
    """A published log to read: a folder, or an address of http or https."""

    def __init__(self, place: str) -> None:
        self.place = check_address(place) if is_address(place) else place
        self._folder = None if is_address(place) else LogFolder(Path(place))
        if self._folder and not self._folder.path.is_dir():
            raise BookPlaceError(place, "is not a folder", "name the folder or the address of a published log")

    def fetch(self, name: str) -> bytes:
        """A file's bytes; a LookupError when it is not there, UnreachableError when nobody can tell."""
        data = self._folder.read(name) if self._folder else self._ask(name)
        if data is None:
            raise LookupError(name)
        return data

    def text(self, name: str) -> str:
        """A file's text; raises ProofError when it is missing or not in UTF-8."""
        try:
            return self.fetch(name).decode()
        except LookupError:
            remedy = "check that a log is published there: gongfen log publish"
            raise ProofError(f"{self.place}/{name}", "is missing", remedy) from None
        except UnicodeDecodeError:
            raise ProofError(f"{self.place}/{name}", "is not text", REMEDY) from None

    def _ask(self, name: str) -> bytes | None:
        address = f"{self.place}/{name}"
        answer = ask(address, most_bytes(name))
        if answer.status in GONE:
            return None
        if answer.status != 200:
            raise UnreachableError(address, f"answers with status {answer.status}", "try again later")
        return answer.body


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint that the outsider's keys hold for, and their policy, if they have one."""

    note: str
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """What holds of a published log. One that does not hold raises instead."""

    origin: str
    size: int
    root: str
    files: int
    bodies: int
    """Bodies of long facts that were there, and are what their hashes say."""
    missing: int
    """Bodies that were not there: proved, but nobody can read them here."""
    cosignatures: tuple[Cosignature, ...]
    """Witnesses of the policy that cosigned, by their names in it."""
    note: str
    """The signed checkpoint."""


@dataclass(frozen=True, slots=True)
class MirroredLog:
    """What lies in the mirror now, and what had to be fetched for it."""

    origin: str
    size: int
    root: str
    before: int
    files: int
    bytes: int
    missing: int
    note: str
    """The signed checkpoint."""


@dataclass
class _Seen:
    """What a walk has met so far."""

    files: int = 0
    entries: int = 0
    bodies: int = 0
    missing: list[str] = field(default_factory=list)


def check_published(
    source: Source,
    keys: Sequence[LogVerifier],
    since: str | None = None,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> CheckedLog:
    """Check a whole published log; raises ProofError that names the file, or ForkError with both heads.

    ``keys`` must all have signed the checkpoint; with ``policy``, enough witnesses too. ``since``: an older signed
    checkpoint, of which this log must be an extension. Needs memory for one bundle and one tile a level.
    """
    head = read_head(source, keys, policy)
    if since is not None:
        _check_since(since, head, keys, source.fetch)
    _check_key_file(source, head.note, keys)
    seen = _Seen()
    for _ in _walk(head.checkpoint, source.fetch, 0, seen):
        if progress:
            progress(seen.entries, head.checkpoint.size)
    return CheckedLog(
        head.checkpoint.origin,
        head.checkpoint.size,
        head.checkpoint.root.hex(),
        seen.files + 2,  # the checkpoint and the key
        seen.bodies,
        len(seen.missing),
        head.cosignatures,
        head.note,
    )


def mirror(
    source: Source,
    folder: Path,
    keys: Sequence[LogVerifier],
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> MirroredLog:
    """Bring a mirror up to date; a file that does not hold never lands in it, and the checkpoint comes last.

    Raises ForkError when the mirror's head and the source's contradict one another: then the mirror stays as it was.
    """
    place = LogFolder(folder)
    with place.alone():
        head = read_head(source, keys, policy)
        before = _mirrored_before(place, head, keys, source)
        keys_text = _check_key_file(source, head.note, keys)

        def fetch(name: str) -> bytes:
            """What an interrupted run has fetched is not fetched again, but it is checked again."""
            there = place.read(name)
            return source.fetch(name) if there is None else there

        seen = _Seen()
        with _blaming(place):
            for name, data in _walk(head.checkpoint, fetch, before, seen):
                place.put(name, data)
                if progress:
                    progress(seen.entries, head.checkpoint.size - before)
        place.replace(KEY, keys_text.encode())
        place.settle()
        place.replace(CHECKPOINT, head.note.encode())
        place.settle()
    found = head.checkpoint
    return MirroredLog(
        found.origin, found.size, found.root.hex(), before, place.files, place.bytes, len(seen.missing), head.note
    )  # fmt: skip


# -- heads -------------------------------------------------------------------------------------------------------------


def read_head(source: Source, keys: Sequence[LogVerifier], policy: Policy | None = None) -> Head:
    """The checkpoint of a published log, signed by all the ``keys`` and good by the ``policy``; raises ProofError."""
    note = source.text(CHECKPOINT)
    with _named(f"{source.place}/{CHECKPOINT}"):
        checkpoint = open_checkpoint(note, *keys)
        seen = policy_for(policy, keys).check(note).cosignatures if policy else ()
    return Head(note, checkpoint, seen)


def head_of(record: Record) -> Head:
    """The newest signed checkpoint of a book."""
    note = record.checkpoint()
    return Head(note, open_checkpoint(note, *record.verifiers))


def policy_for(policy: Policy, keys: Sequence[LogVerifier]) -> Policy:
    """The policy with the log of these keys in it: an outsider who names keys need not write them down again."""
    known = {log.verifier for log in policy.logs}
    return replace(policy, logs=(*policy.logs, *(Log(key) for key in keys if key not in known)))


def compare(heads: Sequence[str], keys: Sequence[LogVerifier], own: Head, subtree: merkle.Subtree) -> Checkpoint:
    """The newest of signed ``heads`` and ``own``, when all are states of one log; raises ForkError with the two others.

    ``own`` is the head of a log whose full subtrees are at hand; one of the heads may be newer than it only if another
    one has the same size.
    """
    newest = own.checkpoint
    for note in heads:
        head = open_checkpoint(note, *keys)
        if head.size > newest.size:
            reason = f"is of {head.size} entries; what it is compared with has {newest.size}"
            raise ProofError("the checkpoint", reason, "compare it with a newer copy of the log")
        if root_of_first(head.size, newest, subtree) != head.root:
            raise _contradiction(head, newest, note, own.note)
    return newest


def compare_two(first: str, second: str, keys: Sequence[LogVerifier]) -> Checkpoint | None:
    """The state that two signed heads of one size share, ``None`` if their sizes differ; raises ForkError."""
    one, two = open_checkpoint(first, *keys), open_checkpoint(second, *keys)
    return one_history(first, second, keys) if one.size == two.size else None


def root_of_first(size: int, head: Checkpoint, subtree: merkle.Subtree) -> bytes:
    """The root of the first ``size`` leaves of a log with this ``head``, proved by its subtrees, 32 bytes.

    Raises ProofError when the subtrees do not lead to the head: then nothing can be said.
    """
    found = merkle.root(size, subtree)
    proof = merkle.consistency_proof(size, head.size, subtree)
    if not merkle.check_consistency(size, head.size, proof, found, head.root):
        raise ProofError("the log's tiles", "do not lead to the root of its checkpoint", REMEDY)
    return found


def _check_since(since: str, head: Head, keys: Sequence[LogVerifier], fetch: Fetch) -> None:
    """The log extends an older head; raises ForkError, or ProofError when it is shorter."""
    with _named("the older checkpoint"):
        old = open_checkpoint(since, *keys)
    now = head.checkpoint
    if old.size > now.size:
        reason = f"has {now.size} entries, fewer than the {old.size} of the older checkpoint"
        raise ProofError("the published log", reason, "ask for a newer copy; keep the older checkpoint")
    with _every_file_blamed(now, fetch):
        was = root_of_first(old.size, now, TileReader(now.size, fetch))
    if was != old.root:
        raise _contradiction(old, now, since, head.note)


def _mirrored_before(place: LogFolder, head: Head, keys: Sequence[LogVerifier], source: Source) -> int:
    """How many entries the mirror holds: the source's log must begin with exactly these."""
    if place.read(CHECKPOINT) is None:
        return 0
    own = read_head(Source(str(place.path)), keys)
    if own.checkpoint.size > head.checkpoint.size:
        reason = f"has {head.checkpoint.size} entries, fewer than the {own.checkpoint.size} of the mirror"
        raise ProofError(source.place, reason, "mirror a newer copy; the mirror stays as it is")
    _check_since(own.note, head, keys, source.fetch)
    return own.checkpoint.size


def _contradiction(old: Checkpoint, new: Checkpoint, first: str, second: str) -> ForkError:
    reason = (
        f"has signed two roots for {old.size} entries"
        if old.size == new.size
        else f"has signed {new.size} entries that do not begin with the {old.size} it signed before"
    )
    return ForkError(f"the log {new.origin}", reason, KEEP_BOTH, first, second)


def _check_key_file(source: Source, note: str, keys: Sequence[LogVerifier]) -> str:
    """The text of the key file: it names keys that signed the checkpoint, and the outsider's are among them."""
    text = source.text(KEY)
    thing = f"{source.place}/{KEY}"
    with _named(thing):
        named = read_log_keys(text)
        open_checkpoint(note, *named)
    if text != "".join(f"{key}\n" for key in named) or not set(keys) <= set(named):
        raise ProofError(thing, "does not name the keys that this log is checked with", REMEDY)
    return text


# -- files -------------------------------------------------------------------------------------------------------------


def _walk(head: Checkpoint, fetch: Fetch, old: int, seen: _Seen) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file that a log of ``old`` entries lacked, each checked, from the root down.

    A tile comes before what lies below it, and a body before the bundle that names it. Raises ProofError that names
    the file.
    """
    for tile, data in _verified_tiles(head, fetch, old):
        if tile.level == ENTRIES:
            yield from _bodies(tile, data, fetch, seen)
            seen.entries += tile.width
        seen.files += 1
        yield tile.path, data


def _verified_tiles(head: Checkpoint, fetch: Fetch, old: int) -> Iterator[tuple[Tile, bytes]]:
    """Tiles and bundles. What hangs from a hash is held against it; the partial tiles together give the root."""
    edge: list[tuple[Tile, bytes]] = []
    level = 0
    while count := head.size >> level * HEIGHT:
        if count % WIDTH:
            data, tile = fetched(Tile(level, count // WIDTH, count % WIDTH), fetch)
            read_hashes(data, tile)
            edge.append((tile, data))
        level += 1
    at_hand = {tile.path: data for tile, data in edge}
    if merkle.root(head.size, TileReader(head.size, at_hand.__getitem__)) != head.root:
        check_tiles(head, fetch)  # finds and names the one that is wrong
        raise ProofError("checkpoint", "has another root than the tiles", REMEDY)
    for tile, data in reversed(edge):
        yield from _from(tile, data, fetch, old)


def _from(tile: Tile, data: bytes, fetch: Fetch, old: int) -> Iterator[tuple[Tile, bytes]]:
    """A tile whose hashes hold, and all that hangs from them; without what a log of ``old`` entries had."""
    hashes = read_hashes(data, tile)
    if _is_new(tile, old):
        yield tile, data
    if tile.level == 0:
        bundle = Tile(ENTRIES, tile.index, tile.width)
        if _is_new(tile, old):
            entries, _ = fetched(bundle, fetch)
            if [merkle.leaf_hash(entry) for entry in read_entries(entries, bundle)] != hashes:
                raise ProofError(bundle.path, "does not hold the entries of the signed log", REMEDY)
            yield bundle, entries
        return
    for place, expected in enumerate(hashes):
        child = Tile(tile.level - 1, tile.index * WIDTH + place)
        if _is_new(child, old):
            below, _ = fetched(child, fetch)
            if merkle.root_of(read_hashes(below, child)) != expected:
                raise ProofError(child.path, "does not hold the hashes of the signed log", REMEDY)
            yield from _from(child, below, fetch, old)


def _is_new(tile: Tile, old: int) -> bool:
    """Whether a log of ``old`` entries lacked this tile of hashes."""
    return tile.index * WIDTH + tile.width > old >> tile.level * HEIGHT


def _bodies(bundle: Tile, data: bytes, fetch: Fetch, seen: _Seen) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the bodies that a bundle names by hash; every entry of it is a fact in canonical form."""
    found: dict[str, bytes] = {}

    def body(digest: str) -> bytes | None:
        name = body_name(digest)
        try:
            there = fetch(name)
        except LookupError:
            return None
        if sha256(there).hexdigest() != digest:
            raise ProofError(name, "is not what its hash says", REMEDY)
        found[name] = there
        return there

    for place, entry in enumerate(read_entries(data, bundle)):
        seq = bundle.index * WIDTH + place
        try:
            fact = reread(entry, body)
        except ProofError:
            raise
        except GongfenError as error:
            remedy = "ask the log's owner; the entry is signed, but it is no fact"
            raise ProofError(f"{bundle.path}, entry {seq},", f"cannot be read: {error}", remedy) from None
        if isinstance(fact.body, Elsewhere):
            seen.missing.append(body_name(fact.body.sha256))
    seen.bodies += len(found)
    seen.files += len(found)
    yield from found.items()


@contextmanager
def _named(thing: str) -> Iterator[None]:
    """Say in which file a proof fails."""
    try:
        yield
    except ForkError:
        raise
    except ProofError as error:
        raise ProofError(f"{thing}:", f"{error.thing} {error.reason}", error.remedy) from None


@contextmanager
def _every_file_blamed(head: Checkpoint, fetch: Fetch) -> Iterator[None]:
    """When tiles do not lead to the root, look through all files for the one that is wrong."""
    try:
        yield
    except ProofError:
        check_tiles(head, fetch)
        raise


@contextmanager
def _blaming(place: LogFolder) -> Iterator[None]:
    """When a file that an interrupted run left behind does not hold, it is that file which is to blame."""
    try:
        yield
    except ProofError as error:
        if error.thing.startswith(("tile/", f"{BODIES}/")) and (place.path / error.thing).exists():
            remedy = "remove it from the mirror, and mirror again"
            raise ProofError(f"{place.path}/{error.thing}", error.reason, remedy) from None
        raise

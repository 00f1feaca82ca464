"""The record: facts go in once, checked and booked, and come out with a proof."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from gongfen import accounts, shares
from gongfen.book.clock import new_id, now
from gongfen.errors import BookPlaceError, DamagedBookError, DuplicateIdError, ProofError
from gongfen.facts import Body, Fact, checked, decode
from gongfen.facts.kinds import Settlement
from gongfen.facts.references import SAMPLE, references
from gongfen.proof.checkpoint import ORIGIN, Checkpoint, open_checkpoint
from gongfen.proof.merkle import check_inclusion, inclusion_proof, leaf_hash
from gongfen.proof.note import Signer, Verifier
from gongfen.storage import SqliteStore, create_store, open_store
from gongfen.storage.connection import BACKUP
from gongfen.storage.sqlite import PostingRow

Progress = Callable[[int, int], None]
"""Called with (done, of how many)."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that a fact is in the log, which holds without the book."""

    fact: str
    kind: str
    seq: int
    leaf: str
    size: int
    path: tuple[str, ...]
    checkpoint: str
    data: str
    """The fact's canonical bytes, as text."""

    def check(self, verifier: Verifier) -> None:
        """Raise ProofError unless the log signed by ``verifier`` holds this very fact."""
        checkpoint = open_checkpoint(self.checkpoint, verifier)
        leaf = leaf_hash(self.data.encode(errors="surrogatepass"))
        try:
            path = [bytes.fromhex(step) for step in self.path]
        except ValueError:
            path = [b""]
        said = decode(self.data.encode(errors="surrogatepass"))
        if (said.id, said.kind, checkpoint.size) != (self.fact, self.kind, self.size):
            raise ProofError(
                f"receipt of fact {self.seq}", "says another id, kind or size than it proves", "ask for a new receipt"
            )
        if leaf.hex() != self.leaf or not check_inclusion(leaf, self.seq, checkpoint.size, path, checkpoint.root):
            raise ProofError(f"receipt of fact {self.seq}", "does not lead to the signed root", "ask for a new receipt")


class Record:
    """One log with its views. The verbs of :class:`gongfen.Book` stand on it."""

    def __init__(self, store: SqliteStore, path: Path, by: str) -> None:
        self.store = store
        self.path = path
        self.by = by
        origin = store.meta("origin")
        assert origin is not None, "a book has an origin"
        self.origin = origin
        self.state = accounts.state_in(store.table)
        if store.viewed != store.size:
            with store.writing():
                self._catch_up()

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many facts the log holds."""
        return self.store.size

    @property
    def verifier(self) -> Verifier:
        """The book's public key: what an outsider checks with."""
        text = self.store.meta("key")
        assert text is not None, "a book has a key"
        return Verifier.parse(text)

    def fact(self, seq: int) -> Fact:
        """The fact with this number."""
        return decode(self.store.read(seq))

    def facts(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Fact]]:
        """Facts in their order, with their numbers."""
        return ((seq, decode(data)) for seq, data in self.store.entries(start, end))

    def about(self, ref: str) -> list[tuple[int, Fact]]:
        """The facts about a work, maker, target or ``kind|NAME``, in their order."""
        return [(seq, self.fact(seq)) for seq in self.store.touching(ref)]

    def find(self, fact_id: str) -> int | None:
        """The number of the fact with this id."""
        return self.store.find(fact_id)

    @property
    def sample(self) -> bool:
        """Whether some of its facts are sample data: then so is what follows from them."""
        return bool(self.store.touching(SAMPLE))

    def checkpoint(self) -> str:
        """The newest signed checkpoint. Raises DamagedBookError when the book is empty."""
        note = self.store.checkpoint()
        if note is None:
            raise BookPlaceError(f"the book {self.path}", "has no facts yet", "record some: gongfen record …")
        return note

    def receipt(self, seq: int) -> Receipt:
        """The proof of one fact against the newest checkpoint."""
        note = self.checkpoint()
        size = open_checkpoint(note, self.verifier).size
        data = self.store.read(seq)
        fact = decode(data)
        path = tuple(step.hex() for step in inclusion_proof(seq, size, self.store.subtree))
        leaf = leaf_hash(data).hex()
        return Receipt(
            fact=fact.id,
            kind=fact.kind,
            seq=seq,
            leaf=leaf,
            size=size,
            path=path,
            checkpoint=note,
            data=data.decode(),
        )

    # -- writing ---------------------------------------------------------------------------------------------------

    def new(self, body: Body, *, fact_id: str | None = None, at: str | None = None, sample: bool = False) -> Fact:
        """A fact said now, by this book's user."""
        return Fact(id=fact_id or new_id(), at=at or now(), by=self.by, body=body, sample=sample)

    def record(
        self,
        facts: Iterable[Fact | Body],
        blobs: Iterable[bytes] = (),
        progress: Progress | None = None,
    ) -> list[int]:
        """Write facts, all or none; their numbers come back. A fact that is there already is not written twice.

        Raises the first :class:`gongfen.errors.GongfenError`; nothing is written then.
        """
        signer = self._signer()
        numbers: list[int] = []
        with self.store.writing():
            self._catch_up()
            before = self.store.size
            for blob in blobs:
                self.store.put_blob(blob)
            for count, item in enumerate(facts, 1):
                numbers.append(self._append(item if isinstance(item, Fact) else self.new(item)))
                if progress:
                    progress(count, 0)
            size = self.store.size
            if size > before:
                self.store.keep_checkpoint(size, Checkpoint(self.origin, size, self.store.root()).sign(signer))
        return numbers

    def _append(self, fact: Fact) -> int:
        data = checked(fact)
        fact = decode(data)  # what is booked is what was written, not the object that a caller may have shaped
        there = self.store.find(fact.id)
        if there is not None:
            # A retry is said at another moment, and says the same.
            kept = self.fact(there)
            if kept == Fact(id=fact.id, at=kept.at, by=fact.by, body=fact.body, sample=fact.sample):
                return there
            reason = f"is already fact {there}, with a different content"
            raise DuplicateIdError(f"{fact.kind} {fact.id}", reason, "correct it by a new fact with an id of its own")
        seq = self.store.size
        if isinstance(fact.body, Settlement):
            self._check_settlement(fact.body, seq)
        self._fold(fact, seq)
        assert self.store.append(fact.id, data) == seq
        return seq

    def _check_settlement(self, said: Settlement, seq: int) -> None:
        if said.size != seq or said.root != self.store.root().hex():
            raise ProofError(
                f"settlement {said.settlement}",
                f"was computed from a log of {said.size} facts; the log now has {seq}",
                "compute it again: gongfen settle",
            )
        shares.check_settlement(self.state, said)

    def _fold(self, fact: Fact, seq: int) -> None:
        rows: list[PostingRow] = []
        for entry in accounts.book(self.state, fact, seq):
            rows += [
                (seq, len(rows) + n, posting.account, posting.unit, posting.amount, entry.why)
                for n, posting in enumerate(entry.postings)
            ]
        self.store.index(seq, references(fact), rows)

    def _catch_up(self) -> None:
        """Fold in what the views have not seen: after a crash between versions, or after they were dropped."""
        for seq, data in list(self.store.entries(self.store.viewed)):
            self._fold(decode(data), seq)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Throw the views away and make them again from the journal: the answers stay the same, bit by bit."""
        with self.store.writing():
            self.store.drop_views()
            size = self.store.size
            for seq, data in list(self.store.entries()):
                self._fold(decode(data), seq)
                if progress:
                    progress(seq + 1, size)

    def _signer(self) -> Signer:
        path = key_path(self.path)
        if not path.is_file():
            raise BookPlaceError(f"the key {path}", "is not there", "restore it from its backup; without it, only read")
        signer = Signer.parse(path.read_text(encoding="utf-8"))
        if signer.verifier != self.verifier:
            raise BookPlaceError(f"the key {path}", f"is not the key of {self.origin}", "restore it from its backup")
        return signer


def key_path(path: Path) -> Path:
    """Where a book's signing key lies: beside it, readable by its owner alone."""
    return path.with_name(path.name + ".key")


def create_record(path: Path, origin: str, by: str) -> Record:
    """A new book with a new key. Raises BookPlaceError."""
    if not ORIGIN.fullmatch(origin):
        raise BookPlaceError(
            f"the name {origin!r}", "holds spaces or +", "name it like a web address: example.org/book"
        )
    if key_path(path).exists() and not path.exists():
        raise BookPlaceError(str(key_path(path)), "is there already", "keep it safe elsewhere, or choose another place")
    signer = Signer(origin, os.urandom(32))
    store = create_store(path, origin, str(signer.verifier))
    descriptor = os.open(key_path(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{signer}\n")
    return Record(store, path, by)


def open_record(path: Path, by: str) -> Record:
    """A book that is there. Raises BookPlaceError or DamagedBookError."""
    store = open_store(path)
    if store.meta("origin") is None or store.meta("key") is None:
        raise DamagedBookError(str(path), "has lost its name or its key", BACKUP)
    return Record(store, path, by)

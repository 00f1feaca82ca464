"""The record: facts go in once, checked and booked, and come out with a proof."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TypeVar

from msgspec import UNSET

from gongfen import accounts, shares
from gongfen.book.clock import new_id, now
from gongfen.book.place import key_path
from gongfen.book.recording.own_key import ELSEWHERE, OwnKey, draw_own_key, keep_own_key, read_log_keys
from gongfen.book.recording.receipt import Receipt, receipt_of
from gongfen.book.recording.together import Admitted, desk_of
from gongfen.errors import (
    BookPlaceError,
    DamagedBookError,
    DuplicateIdError,
    GongfenError,
    MalformedFactError,
    ProofError,
)
from gongfen.facts import Body, Fact, admitted, admitted_together, decode, decoded_together
from gongfen.facts.kinds import Close, Correction, Settlement, Standard
from gongfen.facts.references import SAMPLE, references
from gongfen.progress import Progress
from gongfen.proof.checkpoint import ORIGIN, Checkpoint, open_checkpoint
from gongfen.proof.merkle import inclusion_proof
from gongfen.proof.note import NoteSigner, read_note
from gongfen.proof.policy import LogVerifier
from gongfen.storage import Address, Entry, Store, Tree, Views, create_store, open_store
from gongfen.storage.connection import BACKUP
from gongfen.storage.views import MOST_PENDING, VERSION
from gongfen.value.claimed import false_rule

Item = TypeVar("Item")
Given = TypeVar("Given")
_SAID = (Fact, tuple)
_OF_THE_LOG = (Settlement, Close, Correction)
"""Kinds that speak of the log before them."""
_ASKED = frozenset((*_OF_THE_LOG, Standard))
"""Kinds of which more is asked when they are recorded than when they are booked again."""
TOGETHER = 256
"""Facts that are looked up, booked and written together."""
KEPT_TOGETHER = 8_192
"""Facts that are folded between two writings of the views."""


class Record:
    """One log with its views. The verbs of :class:`gongfen.Book` stand on it."""

    def __init__(self, store: Store, path: Path | Address, by: str) -> None:
        self.store = store
        self.path = path
        self.by = by
        origin = store.meta("origin")
        assert origin is not None, "a book has an origin"
        self.origin = origin
        self.tree = Tree(store)
        self.views = Views(store)
        self.state = accounts.state_in(self.views.table, origin, self.said)
        self.own_key = OwnKey(key_path(path), origin, lambda: self.verifiers)
        self._at = 0
        """Which fact of a part is being booked."""
        self._desk = desk_of(self, store)
        self._renew_views()
        self._come_near()
        self.refresh()

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many facts the log holds."""
        return self.store.size()

    @property
    def size_seen(self) -> int:
        """How many facts the answers know of, without reading up."""
        return self.views.seen

    @property
    def verifier(self) -> LogVerifier:
        """The book's first public key, which every tool can check with (Ed25519)."""
        return self.verifiers[0]

    @property
    def verifiers(self) -> tuple[LogVerifier, ...]:
        """All the book's public keys; every checkpoint is signed with each."""
        text = self.store.meta("key")
        assert text is not None, "a book has a key"
        return read_log_keys(text)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One unchanging sight of the log and of the answers that follow from it, whatever others write meanwhile."""
        with self.store.reading():
            self.views.catch_up(self._fold)
            yield

    def refresh(self) -> None:
        """Fold in what others have written since."""
        with self.reading():
            pass

    def blob(self, name: str) -> bytes | None:
        """What is kept under a hash (hex), or ``None``; raises DamagedBookError when it is not what its hash says."""
        data = self.store.blob(name)
        if data is not None and (not isinstance(data, bytes) or sha256(data).hexdigest() != name):
            raise DamagedBookError(f"{self.store.place}, blob {name[:16]}…", "is not what its hash says", BACKUP)
        return data

    def keep_blob(self, data: bytes) -> str:
        """Keep a text or a record of a making under its SHA-256 (hex), which comes back."""
        name = sha256(data).hexdigest()
        with self.store.writing():
            self.store.put_blob(name, data)
        return name

    def fact(self, seq: int) -> Fact:
        """The fact with this number."""
        return self._read(self.entry(seq))

    def entry(self, seq: int) -> Entry:
        """The log's entry with this number: a fact's canonical bytes, or those that name its body by hash."""
        found = next(self.store.entries(seq, seq + 1), None)
        if found is None or not isinstance(found.data, bytes):
            raise DamagedBookError(f"{self.store.place}, fact {seq},", "is missing", BACKUP)
        return found

    def facts(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Fact]]:
        """Facts in their order, with their numbers."""
        return ((entry.seq, self._read(entry)) for entry in self.store.entries(start, end))

    def about(self, ref: str) -> list[tuple[int, Fact]]:
        """The facts about a work, maker, target or ``kind|NAME``, in their order."""
        return [(seq, self.fact(seq)) for seq in self.views.touching(ref)]

    def origin_of(self, work: str) -> list[tuple[int, Fact]]:
        """The facts that record a work and how it was made; none when it is unknown. Not those in which it was used."""
        known = self.state.works.get(work)
        return [(seq, self.fact(seq)) for seq in (known.seq, *known.made)] if known else []

    def said(self, fact_id: str) -> tuple[int, Fact] | None:
        """An earlier fact by its id, with its number; ``None``: it is not among those that are booked."""
        seq = self.find(fact_id)
        return None if seq is None or seq >= self.views.seen else (seq, self.fact(seq))

    def find(self, fact_id: str) -> int | None:
        """The number of the fact with this id."""
        return self.store.find([fact_id]).get(fact_id)

    @property
    def sample(self) -> bool:
        """Whether some of its facts are sample data: then so is what follows from them."""
        return bool(self.views.touching(SAMPLE))

    def checkpoint(self) -> str:
        """The newest signed checkpoint, with its witnesses if it has any. Raises BookPlaceError in an empty book."""
        note = self.store.checkpoint()
        witnessed = self.store.cosigned()
        if note is not None and witnessed is not None and read_note(witnessed).text == read_note(note).text:
            return witnessed
        if note is None:
            raise BookPlaceError(f"the book {self.path}", "has no facts yet", "record some: gongfen record …")
        return note

    def receipt(self, seq: int) -> Receipt:
        """The proof of one fact against the newest checkpoint."""
        note = self.checkpoint()
        size = open_checkpoint(note, *self.verifiers).size
        path = tuple(inclusion_proof(seq, size, self.tree.subtree))
        return receipt_of(seq, self.entry(seq).data, path, note)

    # -- writing ---------------------------------------------------------------------------------------------------

    def new(self, body: Body, *, fact_id: str | None = None, at: str | None = None, sample: bool = False) -> Fact:
        """A fact said now, by this book's user. A standard that is said anew says how unpaid labour counts."""
        if isinstance(body, Standard) and at is None and not self._is_said_as_it_was(fact_id):
            body = body.said_anew()
        return Fact(id=fact_id or new_id(), at=at or now(), by=self.by, body=body, sample=sample)

    def _is_said_as_it_was(self, fact_id: str | None) -> bool:
        """Whether it retries a standard that an older version recorded: a retry says the same."""
        seq = None if fact_id is None else self.find(fact_id)
        kept = None if seq is None else self.fact(seq).body
        return isinstance(kept, Standard) and kept.unpaid is UNSET

    def record(
        self,
        facts: Iterable[Fact | Body],
        blobs: Iterable[bytes] = (),
        progress: Progress | None = None,
        *,
        together: bool = False,
    ) -> list[int]:
        """Write facts, all or none; their numbers come back. A fact that is there already is not written twice.

        Facts are asked for within the transaction, some at a time. Raises the first
        :class:`gongfen.errors.GongfenError`; nothing is written then. ``together``: where many write one book, another
        program may write these facts for this one, whose answers then know of them with the next ``refresh``.
        """
        signers = self.own_key.signers()
        if together and self._desk is not None:
            facts, blobs = list(facts), list(blobs)
            if (numbers := self._desk.record(facts, blobs)) is not None:
                return numbers
        with self.writing():
            return self.put(facts, blobs, progress, signers)

    def put(
        self,
        facts: Iterable[Fact | Body | Admitted],
        blobs: Iterable[bytes] = (),
        progress: Progress | None = None,
        signers: Sequence[NoteSigner] = (),
    ) -> list[int]:
        """Book, write and sign facts within the open transaction; their numbers come back."""
        numbers: list[int] = []
        before = self.views.seen
        for blob in blobs:
            self.store.put_blob(sha256(blob).hexdigest(), blob)
        for part in _batches(facts, TOGETHER):
            try:
                numbers += self._append([item if isinstance(item, _SAID) else self.new(item) for item in part])
            except GongfenError as error:
                error.which = len(numbers) + self._at
                raise
            if progress:
                progress(len(numbers), 0)
        size = self.views.seen
        if size > before:
            signed = Checkpoint(self.origin, size, self.tree.root(size)).sign(*(signers or self.own_key.signers()))
            self.store.keep_checkpoint(size, signed)
        if self.views.pending >= MOST_PENDING:
            self.views.keep()
        return numbers

    @contextmanager
    def writing(self, opened: AbstractContextManager[Given | None] | None = None) -> Iterator[Given | None]:
        """One transaction, on answers that know every fact; what fails leaves neither facts nor answers behind.

        ``opened``: the store's transaction, whose result is passed on; if that is ``None``, nothing may be written.
        """
        try:
            with opened or self.store.writing() as given:
                if opened is None or given is not None:
                    self.views.catch_up(self._fold)
                yield given
        except BaseException:
            self.tree.forget()
            with suppress(BookPlaceError):  # when the place is away, the next use reads up again
                self.views.forget()
                self.refresh()
            raise

    def _append(self, facts: list[Fact | Admitted]) -> list[int]:
        """Book and write some facts within the open transaction."""
        self._at = 0
        ids = [said.id if isinstance(said, Fact) else said[0].id for said in facts]
        there = self.store.find(ids)
        if not there and len(set(ids)) == len(ids) and (new := _plain(facts)) is not None:
            return self._append_plain(new)
        return self._append_each(facts, there)

    def _append_plain(self, new: list[tuple[Fact, bytes]]) -> list[int]:
        """Book and write plain facts that are all new, in one go."""
        first, facts = self.views.seen, [fact for fact, _ in new]
        try:
            booked = accounts.book_all(self.state, facts, first)
        except GongfenError as error:
            self._at = error.which or 0
            raise
        self.views.note_all(first, map(references, facts), booked)
        self.store.append(*self.tree.extend(first, [(fact.id, data) for fact, data in new]))
        return list(range(first, first + len(new)))

    def _append_each(self, facts: list[Fact | Admitted], there: dict[str, int]) -> list[int]:
        """Book facts one by one, of which ``there`` are in the log already, or speak of what it holds."""
        numbers: list[int] = []
        new: dict[str, tuple[Fact, bytes]] = {}
        for said in facts:
            self._at = len(numbers)
            fact, data, body = admitted(said) if isinstance(said, Fact) else said
            seq = there.get(fact.id)
            if seq is not None:
                _refuse_another(new[fact.id][0] if fact.id in new else self.fact(seq), fact, seq)
            else:
                seq = there[fact.id] = self.views.seen
                if isinstance(fact.body, Standard) and (problem := false_rule(self.state, fact.body)) is not None:
                    raise problem
                if isinstance(fact.body, _OF_THE_LOG):
                    self._write(new)
                    self._check_against_log(fact.body, seq)
                self.views.note(seq, references(fact), tuple(accounts.book(self.state, fact, seq)))
                if body is not None:
                    self.store.put_blob(sha256(body).hexdigest(), body)
                new[fact.id] = (fact, data)
            numbers.append(seq)
        self._write(new)
        return numbers

    def _write(self, new: dict[str, tuple[Fact, bytes]]) -> None:
        first = self.views.seen - len(new)
        self.store.append(*self.tree.extend(first, [(fact_id, data) for fact_id, (_, data) in new.items()]))
        new.clear()

    def _check_against_log(self, said: Settlement | Close | Correction, seq: int) -> None:
        if isinstance(said, Correction):
            return
        if said.size != seq or said.root != self.tree.root(seq).hex():
            thing, verb = (
                (f"settlement {said.settlement}", "gongfen settle")
                if isinstance(said, Settlement)
                else (f"close {said.close}", "gongfen books close")
            )
            reason = f"was computed from a log of {said.size} facts; the log now has {seq}"
            raise ProofError(thing, reason, f"compute it again: {verb}")
        if isinstance(said, Settlement):
            shares.check_settlement(self.state, said)

    # -- views -----------------------------------------------------------------------------------------------------

    def _fold(self, entries: list[Entry]) -> Iterator[tuple[list[list[str]], list[accounts.Bookings]]]:
        """Fold entries that stand in the log: they were booked once, so one that cannot be booked was damaged."""
        facts, first = decoded_together([entry.data for entry in entries]), entries[0].seq
        # What is not plain may be large: it is held one by one.
        for part in ([self._read(entry)] for entry in entries) if facts is None else _up_to_corrections(facts):
            try:
                booked = accounts.book_all(self.state, part, first)
            except BookPlaceError:
                raise  # the place is away: that says nothing about the fact
            except GongfenError as error:
                thing = f"{self.store.place}, fact {first + (error.which or 0)},"
                raise DamagedBookError(thing, f"cannot be booked again: {error}", BACKUP) from None
            yield list(map(references, part)), booked
            first += len(part)

    def _read(self, entry: Entry) -> Fact:
        try:
            return decode(entry.data, self.blob)
        except (MalformedFactError, TypeError) as error:  # a damaged row may hold anything
            thing = f"{self.store.place}, fact {entry.seq},"
            raise DamagedBookError(thing, f"cannot be read: {error}", BACKUP) from None

    def _renew_views(self) -> None:
        """Throw kept views away that another version has folded: what follows makes them again."""
        if self.store.meta("views") == VERSION:
            return
        try:
            with self.store.writing():
                if self.store.meta("views") != VERSION:  # nobody else was quicker
                    self.views.drop()
                    self.store.put_meta("views", VERSION)
        except BookPlaceError as error:
            reason = f"keeps answers of another version, and they cannot be made again: {error.reason}"
            raise BookPlaceError(f"the book {self.path}", reason, "open it once where it may be written") from None

    def _come_near(self, progress: Progress | None = None) -> None:
        """Fold and keep what the kept views have not seen, some thousand facts at a time: it can be broken off.

        Where nothing can be kept, for another program writes or the place may only be read, it is folded for now only.
        """
        while (left := self.store.size() - self.views.seen) > MOST_PENDING:
            try:
                with self.store.writing():
                    self.views.catch_up(self._fold, min(left, KEPT_TOGETHER))
                    self.views.keep()
            except BaseException as error:
                self.views.forget()
                if isinstance(error, BookPlaceError):
                    return
                raise
            if progress:
                progress(self.views.seen, self.store.size())

    def keep_views(self) -> None:
        """Write the answers that lie in memory only."""
        with self.writing():
            self.views.keep()

    def rebuild(self, progress: Progress | None = None) -> None:
        """Throw the views away and make them again from the journal: the answers stay the same, bit by bit."""
        with self.store.writing():
            self.views.drop()
        self._come_near(progress)
        self.keep_views()


def _refuse_another(kept: Fact, fact: Fact, seq: int) -> None:
    """A retry is said at another moment, and says the same."""
    if kept != Fact(id=fact.id, at=kept.at, by=fact.by, body=fact.body, sample=fact.sample, signed=fact.signed):
        reason = f"is already fact {seq}, with a different content"
        raise DuplicateIdError(f"{fact.kind} {fact.id}", reason, "correct it by a new fact with an id of its own")


def _plain(facts: list[Fact | Admitted]) -> list[tuple[Fact, bytes]] | None:
    """Facts that keep the rules of their kinds, with their entries; ``None``: one breaks a rule, or is not plain."""
    given = [said for said in facts if isinstance(said, Fact)]
    found = admitted_together(given)
    if len(given) < len(facts):
        found = [(said[0], said[1]) for said in facts if not isinstance(said, Fact) and said[2] is None]
    if found is None or len(found) < len(facts) or not _ASKED.isdisjoint({type(fact.body) for fact, _ in found}):
        return None
    return found


def _up_to_corrections(facts: list[Fact]) -> Iterator[list[Fact]]:
    """The same, cut before each correction: it asks for facts that are folded and noted."""
    start = 0
    for number, fact in enumerate(facts):
        if number and isinstance(fact.body, Correction):
            yield facts[start:number]
            start = number
    yield facts[start:]


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while part := list(islice(source, size)):
        yield part


def create_record(path: Path | Address, origin: str, by: str, *, post_quantum: bool = False) -> Record:
    """A new book with a new key, Ed25519; with ``post_quantum`` a second one, ML-DSA-44. Raises BookPlaceError."""
    if not ORIGIN.fullmatch(origin):
        raise BookPlaceError(
            f"the name {origin!r}", "holds spaces or +", "name it like a web address: example.org/book"
        )
    key, there = key_path(path), isinstance(path, Path) and path.exists()
    if key.exists() and not there:
        raise BookPlaceError(str(key), "is there already", ELSEWHERE)
    if there:
        raise BookPlaceError(str(path), "is already there", "open it, or choose another place with --book")
    signers = draw_own_key(origin, post_quantum=post_quantum)
    keep_own_key(key, signers)  # first: a book without its key could never be written
    try:
        keys = "\n".join(str(signer.verifier) for signer in signers)
        store = create_store(path, {"origin": origin, "key": keys, "views": VERSION})
    except BaseException:
        key.unlink()
        raise
    return Record(store, path, by)


def open_record(path: Path | Address, by: str) -> Record:
    """A book that is there. Raises BookPlaceError or DamagedBookError."""
    store = open_store(path)
    if store.meta("origin") is None or store.meta("key") is None:
        raise DamagedBookError(str(path), "has lost its name or its key", BACKUP)
    return Record(store, path, by)

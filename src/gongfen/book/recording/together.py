"""Many writers, one pen: whoever holds it writes for all who wait.

Each writer keeps the answers in memory, and must fold what others wrote before it may write itself. Eight writers who
took turns would fold every fact eight times. So a batch is left in an inbox, and whoever writes at the moment writes
everything that waits there, in order, each batch whole or not at all, with one signature and one sync. Who knows most
of the log takes the pen first; who is far behind waits a little longer before it does. A writer who dies takes nothing
along: its transaction is rolled back, what waited still waits, and the next one takes the pen.
"""

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import msgspec

from gongfen import errors
from gongfen.errors import BookPlaceError, GongfenError, MalformedFactError
from gongfen.facts import Body, Fact, admitted, admitted_together, decode, encode, reread, reread_together
from gongfen.facts.envelope import MOST_ENTRY_BYTES

MOST_BYTES = 1 << 22
"""A larger batch waits for the pen itself; so many bytes are taken from the inbox at once."""
SHORTEST_MS, FACTS_IN_MS, LONGEST_MS = 5, 20, 100
"""How long to wait for an answer before one takes the pen: longer for the facts that one would have to fold first."""
AGAIN_MS = 100
"""How long until one looks again whether the pen is free, when nobody has called."""
BUSY_S = 30
"""Seconds after which a writer gives up, as with SQLite."""
NOBODY = ""
"""The ticket of no batch."""


Admitted = tuple[Fact, bytes, bytes | None]
"""A fact that keeps the rules of its kind, its entry, and its body if the log holds that by hash."""
Given = TypeVar("Given")


class Inbox(Protocol):
    """Where batches wait, and their answers."""

    def post(self, batch: bytes, ids: Sequence[str]) -> tuple[str, int]:
        """Leave a batch with the ids of its facts for whoever writes: (its ticket, how many entries there are)."""

    def wait(self, ticket: str, most_ms: int) -> str | None:
        """The answer to a batch, empty when it must be fetched; ``None``: nobody answered anybody for so long."""

    def look(self, ticket: str) -> tuple[bool, str | None]:
        """(whether a batch still waits, the answer if it has one to be fetched)."""

    def withdraw(self, ticket: str) -> bool:
        """Take a batch back; whether it was still waiting."""

    def answer(self, answers: dict[str, str]) -> None:
        """Answer batches with the open transaction; those who wait hear of it once it is committed."""


class Log(Protocol):
    """What a record lets a desk do."""

    @property
    def size_seen(self) -> int:
        """How many facts it has folded."""

    def new(self, body: Body, /) -> Fact:
        """A fact said now."""

    def put(self, facts: Sequence[Admitted], blobs: Sequence[bytes], /) -> list[int]:
        """Book, write and sign facts within the open transaction; their numbers."""

    def writing(self, opened: AbstractContextManager[Given | None], /) -> AbstractContextManager[Given | None]:
        """The store's transaction, on answers that know every fact; what fails leaves nothing behind."""


@runtime_checkable
class Shared(Protocol):
    """What a store has beyond :class:`gongfen.storage.Store`, when many may write."""

    @property
    def place(self) -> str:
        """Where it is, in words for a person."""

    @property
    def inbox(self) -> Inbox:
        """Where batches wait."""

    def writing_at_once(
        self, most_bytes: int, ids: Sequence[str]
    ) -> AbstractContextManager[list[tuple[str, bytes]] | None]:
        """One transaction, if nobody else writes, with what waits in the inbox; ``None``: nothing may be written.

        ``ids``: of what one wants to write oneself.
        """


class Batch(NamedTuple):
    """Facts that are written together or not at all."""

    facts: list[Admitted]
    blobs: list[bytes]

    @property
    def ids(self) -> list[str]:
        """The ids of its facts."""
        return [fact.id for fact, _, _ in self.facts]


class _Answer(msgspec.Struct, array_like=True, omit_defaults=True):
    """What became of a batch."""

    numbers: list[tuple[int, int]] = []
    """(first, how many) of its numbers."""
    refusal: tuple[str, str, str, str] | None = None
    """(class, thing, reason, remedy): nothing of it was written."""


_pack = msgspec.msgpack.Encoder()
_batches = msgspec.msgpack.Decoder(tuple[list[bytes], list[bytes]])
_answers = msgspec.json.Decoder(_Answer)


class Desk:
    """Where one program writes a book together with others."""

    def __init__(self, record: Log, store: Shared) -> None:
        self._record = record
        self._store = store
        self._inbox = store.inbox
        self._led = True
        """Whether this program was the last, as far as it knows, to hold the pen."""
        self._taken: list[str] = []
        """Tickets of the batches that were last taken from the inbox."""
        self._given: dict[str, str] = {}
        """What they were answered."""

    def record(self, said: Sequence[Fact | Body], blobs: Sequence[bytes]) -> list[int] | None:
        """Write facts, all or none; their numbers. ``None``: they are too many for the inbox, and are not written.

        Raises the first :class:`gongfen.errors.GongfenError`; nothing is written then.
        """
        given = [fact if isinstance(fact, Fact) else self._record.new(fact) for fact in said]
        plain = admitted_together(given)
        facts: list[Admitted] = (
            [admitted(fact) for fact in given] if plain is None else [(fact, data, None) for fact, data in plain]
        )
        own = Batch(facts, list(blobs))
        if self._led and (numbers := self._lead(own)) is not None:
            return numbers
        self._led = False
        data = _pack.encode(([data if body is None else encode(fact) for fact, data, body in facts], own.blobs))
        if len(data) > MOST_BYTES:
            return None
        last = time.monotonic() + BUSY_S
        while True:
            ticket, size = self._inbox.post(data, own.ids)
            try:
                if (found := self._wait(ticket, self._patience(size), last)) is not None:
                    return found
            except BaseException:
                with suppress(GongfenError):  # if the place is away, the first error has said so
                    self._inbox.withdraw(ticket)
                raise

    # -- waiting ---------------------------------------------------------------------------------------------------

    def _wait(self, ticket: str, patience: int, last: float) -> list[int] | None:
        """Wait until somebody has written a batch, or write it oneself. ``None``: the batch, or its answer, was lost.

        It is then posted again: what is there already is not written twice.
        """
        while True:
            if said := self._inbox.wait(ticket, patience):
                return _read(said)
            if said is None and self._lead(None, ticket) is not None and ticket in self._given:
                return _read(self._given[ticket])
            waits, kept = self._inbox.look(ticket)
            if kept is not None:
                return _read(kept)
            if not waits:
                said = self._inbox.wait(ticket, AGAIN_MS)  # what is called out is heard a moment later
                return _read(said) if said else None
            if time.monotonic() > last and self._inbox.withdraw(ticket):
                raise BookPlaceError(self._store.place, "is busy: another program writes", "ask again later")
            patience = AGAIN_MS

    def _patience(self, size: int) -> int:
        """Milliseconds to wait for another: those who know most of the log come first."""
        return min(SHORTEST_MS + max(size - self._record.size_seen, 0) // FACTS_IN_MS, LONGEST_MS)

    # -- writing ---------------------------------------------------------------------------------------------------

    def _lead(self, own: Batch | None, ticket: str | None = None) -> list[int] | None:
        """Write what waits, and then ``own``: its numbers. ``None``: somebody else holds the pen.

        Raises what refuses ``own``, or what is wrong with one's own ``ticket`` in a way that no answer can say.
        """
        try:
            return self._write(own)
        except BookPlaceError:
            raise
        except Exception:
            if not self._taken:
                raise
        # One of them is refused: each by itself, so that the others are written.
        answers: dict[str, str] = {}
        for other in self._taken:
            try:
                free = self._write(None, other)
            except BookPlaceError:
                raise
            except GongfenError as error:
                free = self._refuse(other, error)
            except Exception:
                if other == ticket:
                    raise
                continue  # its owner will meet it
            if free is None:
                return None
            answers |= self._given
        numbers = self._write(own, NOBODY) if own else []
        self._given |= answers
        return numbers

    def _write(self, own: Batch | None, only: str | None = None) -> list[int] | None:
        """Write what waits, or the batch with the ticket ``only``, and then ``own``, in one transaction."""
        self._given = {}
        if only is None:
            self._taken = []
        with self._record.writing(self._store.writing_at_once(MOST_BYTES, own.ids if own else ())) as waiting:
            if waiting is None:
                return None
            found = [(ticket, data) for ticket, data in waiting if only in (None, ticket)]
            if only is None:
                self._taken = [ticket for ticket, _ in found]
            batches = [_batch(data) for _, data in found]
            every = [*batches, own] if own else batches
            numbers = self._record.put(
                [fact for batch in every for fact in batch.facts], [blob for batch in every for blob in batch.blobs]
            )
            answers: dict[str, str] = {}
            for (ticket, _), batch in zip(found, batches, strict=True):
                answers[ticket] = _said(_Answer(_runs(numbers[: len(batch.facts)])))
                del numbers[: len(batch.facts)]
            if answers:
                self._inbox.answer(answers)
        self._led, self._given = True, answers
        return numbers

    def _refuse(self, ticket: str, error: GongfenError) -> list[int] | None:
        said = _said(_Answer(refusal=(type(error).__name__, error.thing, error.reason, error.remedy)))
        with self._store.writing_at_once(0, ()) as waiting:
            if waiting is None:
                return None
            self._inbox.answer({ticket: said})
        self._given = {ticket: said}
        return []


def desk_of(record: Log, store: object) -> Desk | None:
    """A desk, where the store lets many write."""
    return Desk(record, store) if isinstance(store, Shared) else None


def _batch(data: bytes) -> Batch:
    """A batch from the inbox, checked again. Raises MalformedFactError."""
    try:
        facts, blobs = _batches.decode(data)
    except msgspec.DecodeError as error:
        raise MalformedFactError("a batch in the inbox", f"cannot be read: {error}", "record it again") from None
    plain = reread_together(facts)
    if plain is not None:
        return Batch([(fact, data, None) for fact, data in zip(plain, facts, strict=True)], blobs)
    return Batch([_admitted(fact) for fact in facts], blobs)


def _admitted(data: bytes) -> Admitted:
    return (reread(data), data, None) if len(data) <= MOST_ENTRY_BYTES else admitted(decode(data))


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Numbers as (first, how many) of those that follow one another."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((number, 1))
    return runs


def _said(answer: _Answer) -> str:
    """An answer in ASCII, on one line."""
    return json.dumps(msgspec.to_builtins(answer))


def _read(said: str) -> list[int]:
    """The numbers in an answer; raises the refusal in it."""
    answer = _answers.decode(said)
    if answer.refusal is None:
        return [number for first, count in answer.numbers for number in range(first, first + count)]
    name, thing, reason, remedy = answer.refusal
    kind: type[GongfenError] = getattr(errors, name, GongfenError)
    raise kind(thing, reason, remedy)

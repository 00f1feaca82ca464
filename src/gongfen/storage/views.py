"""Answers kept ready: rows folded from facts in memory, written to the store from time to time, never ahead of the log.

The log is written with every batch; the views need not be, for they follow from it. So they lie in memory and reach the
store some thousand facts at a time: what is missing there after a crash is folded again from the facts. The kept
views always are those of the first ``viewed`` facts, and the fold goes on from there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Generic, TypeVar

import msgspec

from gongfen.errors import DamagedBookError
from gongfen.storage.store import Entry, PostingRow, Store, TouchRow, ViewRow

Row = TypeVar("Row")
Booking = tuple[str, tuple[tuple[str, int, str], ...]]
"""(why, postings of (account, amount, unit))."""

VERSION = "4"
"""Of the fold and of the rows that it keeps, under ``views`` in a book's settings. Raise it with whatever changes them:
a book whose answers another version kept makes them again when it is opened."""
MOST_PENDING = 1_024
"""So many facts may be folded in memory only: some ten milliseconds of catching up."""
MOST_CACHED = 50_000
"""Rows of a table in memory between two writings."""
TOGETHER = 256
"""Facts whose postings share a row: reading those of one fact reads no more. So many are folded together."""
REMEDY = "make the answers again: gongfen log rebuild"

_json = msgspec.json.Encoder(order="sorted")
_pack = msgspec.msgpack.Encoder()
_numbers = msgspec.msgpack.Decoder(list[int])
_bookings = msgspec.msgpack.Decoder(list[tuple[int, tuple[Booking, ...]]])


class _Loaded(dict[str, Any]):
    """What has been read of a table; the rest is read when it is asked for."""

    def __init__(self, load: Callable[[str], Any]) -> None:
        self._load = load

    def __missing__(self, key: str) -> Any:  # noqa: ANN401 - any row
        row = self[key] = self._load(key)
        return row


class ViewTable(Generic[Row]):
    """One table of a view: a cache in front of the store, written back by :meth:`Views.keep`."""

    def __init__(self, store: Store, name: str, row: Any) -> None:  # noqa: ANN401 - a type, which mypy calls Any
        self._store = store
        self._name = name
        self._decoder = msgspec.json.Decoder(row)
        self._cache: dict[str, Row | None] = _Loaded(self._load)
        self._changed: set[str] = set()
        self.whole = False
        """Whether the cache has every row that the store has, as in a new book and in a rebuild: no need to ask it."""
        self.get: Callable[[str], Row | None] = self._cache.__getitem__
        """The row, or ``None``. It is the dict's own method: it is called some twenty times a fact."""

    def set(self, key: str, row: Row) -> None:
        """Put the row there."""
        self._cache[key] = row
        self._changed.add(key)

    def prefixed(self, prefix: str) -> Iterator[tuple[str, Row]]:
        """Rows whose key begins so, ordered by the code points of their keys."""
        changed = sorted(key for key in self._changed if key.startswith(prefix))
        waiting = iter(changed)
        ours = next(waiting, None)
        for key, data in self._store.view_rows(self._name, prefix):
            while ours is not None and ours < key:
                yield ours, self._own(ours)
                ours = next(waiting, None)
            if ours == key:
                yield key, self._own(key)
                ours = next(waiting, None)
            else:
                yield key, self._decoded(key, data)
        while ours is not None:
            yield ours, self._own(ours)
            ours = next(waiting, None)

    def changes(self) -> Iterator[ViewRow]:
        """The rows that the store does not have yet."""
        return ((self._name, key, _json.encode(self._cache[key])) for key in sorted(self._changed))

    def kept(self) -> None:
        """The store has them now."""
        self._changed.clear()
        if len(self._cache) > MOST_CACHED:
            self._cache.clear()
            self.whole = False

    def forget(self) -> None:
        """Drop everything that the store does not say."""
        self._cache.clear()
        self._changed.clear()
        self.whole = False

    def _load(self, key: str) -> Row | None:
        found = None if self.whole else self._store.view_row(self._name, key)
        return None if found is None else self._decoded(key, found)

    def _own(self, key: str) -> Row:
        row = self._cache[key]
        assert row is not None, "what was changed is there"
        return row

    def _decoded(self, key: str, data: bytes) -> Row:
        try:
            found: Row = self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            thing = f"{self._store.place}, view {self._name}, {key},"
            raise DamagedBookError(thing, f"cannot be read: {error}", REMEDY) from None
        return found


Fold = Callable[[list[Entry]], Iterable[tuple[list[list[str]], list[tuple[Any, ...]]]]]
"""Folds entries into the tables, some at a time, and each time gives the names that every one of them is about, and its
bookings (of the shape ``Booking``)."""


class Views:
    """Everything that follows from a store's facts, and is found without reading them all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables: list[ViewTable[Any]] = []
        self._touched: defaultdict[str, list[int]] = defaultdict(list)
        self._booked: list[tuple[int, tuple[Any, ...]]] = []
        self._kept = self.seen = self._viewed()
        """``seen``: how many facts are folded in."""

    def table(self, name: str, row: Any) -> ViewTable[Any]:  # noqa: ANN401 - a type, which mypy calls Any
        """A table of the view."""
        table: ViewTable[Any] = ViewTable(self._store, name, row)
        table.whole = self._kept == 0
        self._tables.append(table)
        return table

    # -- folding ---------------------------------------------------------------------------------------------------

    def note(self, seq: int, names: Iterable[str], bookings: tuple[Any, ...]) -> None:
        """Index fact ``seq``, which has just been folded into the tables."""
        self.note_all(seq, (names,), (bookings,))

    def note_all(self, first: int, names: Iterable[Iterable[str]], booked: Iterable[tuple[Any, ...]]) -> None:
        """Index facts from ``first`` on, which have just been folded: the names of each, and what each booked."""
        assert first == self.seen, f"fact {first} was folded after {self.seen} facts"
        touched, seq = self._touched, first
        for found, bookings in zip(names, booked, strict=True):
            for name in found:
                touched[name].append(seq)
            if bookings:
                self._booked.append((seq, bookings))
            seq += 1
        self.seen = seq

    def catch_up(self, fold: Fold, most: int | None = None) -> None:
        """Fold in what was written since, by whomever; ``most`` so many facts. Within ``reading`` or ``writing``."""
        if self._store.viewed() != self._kept:
            # Another program has kept its views, which are the same: go on from them, with nothing of one's own.
            self.forget()
        try:
            entries = self._store.entries(self.seen, None if most is None else self.seen + most)
            while part := list(islice(entries, TOGETHER)):
                for names, booked in fold(part):
                    self.note_all(self.seen, names, booked)
        except BaseException:
            # Half a fact may be folded in: folded again, it would count twice.
            self.forget()
            raise

    @property
    def pending(self) -> int:
        """How many facts are folded in memory only."""
        return self.seen - self._kept

    def keep(self) -> None:
        """Write what is in memory only, within the open transaction."""
        rows = (row for table in self._tables for row in table.changes())
        self._store.keep_views(rows, self._touch_rows(), self._posting_rows(), self.seen)
        for table in self._tables:
            table.kept()
        self._touched, self._booked, self._kept = defaultdict(list), [], self.seen

    def forget(self) -> None:
        """Go back to what the store has kept: a transaction was rolled back, or another program has kept more."""
        self._kept = self.seen = -1  # should this be broken off, the next catching up begins here
        for table in self._tables:
            table.forget()
        self._touched, self._booked = defaultdict(list), []
        self._kept = self.seen = self._viewed()
        for table in self._tables:
            table.whole = self._kept == 0

    def drop(self) -> None:
        """Throw everything away, within the open transaction."""
        self._store.drop_views()
        self.forget()

    # -- reading ---------------------------------------------------------------------------------------------------

    def touching(self, name: str) -> list[int]:
        """The facts about a work, maker or target, in their order."""
        kept = [seq for row in self._store.touches(name) for seq in self._read(_numbers, row[2], f"index of {name}")]
        return kept + self._touched.get(name, [])

    def all_touches(self) -> Iterator[tuple[str, list[int]]]:
        """Every name with its facts, by name: to compare one build with another."""
        waiting = iter(sorted(self._touched.items()))
        ours = next(waiting, None)
        for name, rows in groupby(self._store.touches(), key=itemgetter(0)):
            while ours is not None and ours[0] < name:
                yield ours
                ours = next(waiting, None)
            seqs = [seq for row in rows for seq in self._read(_numbers, row[2], f"index of {name}")]
            if ours is not None and ours[0] == name:
                seqs += ours[1]
                ours = next(waiting, None)
            yield name, seqs
        if ours is not None:
            yield ours
        yield from waiting

    def bookings(self, seq: int) -> tuple[Booking, ...]:
        """What one fact booked."""
        if seq >= self._kept:
            return next((_plain(bookings) for number, bookings in self._booked if number == seq), ())
        return next((found for number, found in self._unpacked(self._store.postings(seq)) if number == seq), ())

    def all_bookings(self) -> Iterator[tuple[int, tuple[Booking, ...]]]:
        """What every fact booked that booked something, in order."""
        yield from self._unpacked(self._store.postings())
        for seq, bookings in self._booked:
            yield seq, _plain(bookings)

    # -- rows ------------------------------------------------------------------------------------------------------

    def _touch_rows(self) -> Iterator[TouchRow]:
        return ((name, seqs[0], _pack.encode(seqs)) for name, seqs in sorted(self._touched.items()))

    def _posting_rows(self) -> Iterator[PostingRow]:
        for start in range(0, len(self._booked), TOGETHER):
            part = self._booked[start : start + TOGETHER]
            yield part[0][0], _pack.encode(part)

    def _unpacked(self, rows: Iterable[PostingRow]) -> Iterator[tuple[int, tuple[Booking, ...]]]:
        for first, data in rows:
            found = self._read(_bookings, data, f"postings from fact {first} on")
            if not found or found[0][0] != first:
                thing = f"{self._store.place}, postings from fact {first} on,"
                raise DamagedBookError(thing, "are filed under another number", REMEDY)
            yield from found

    def _read(self, decoder: msgspec.msgpack.Decoder[Any], data: bytes, what: str) -> Any:  # noqa: ANN401 - any row
        try:
            return decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            thing = f"{self._store.place}, {what},"
            raise DamagedBookError(thing, f"cannot be read: {error}", REMEDY) from None

    def _viewed(self) -> int:
        viewed = self._store.viewed()
        if viewed > self._store.size():
            reason = f"have seen {viewed} facts, and the log has {self._store.size()}"
            raise DamagedBookError(f"{self._store.place}, the answers", reason, REMEDY)
        return viewed


def _plain(bookings: tuple[Any, ...]) -> tuple[Booking, ...]:
    """Bookings that lie in memory, in the shape in which they are read."""
    found: tuple[Booking, ...] = msgspec.convert(msgspec.to_builtins(bookings), tuple[Booking, ...])
    return found

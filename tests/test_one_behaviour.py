"""The same steps on SQLite, on PostgreSQL, and on lists and dicts: what one of them says, the others say too.

The model knows nothing of our code but the fields of three kinds of facts: it writes canonical JSON with ``json``, hashes
the tree by the recursive definition of RFC 9162, and keeps its answers in dicts. ``GONGFEN_EXAMPLES`` asks for more.
"""

import base64
import json
import os
import shutil
import sqlite3
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import gongfen
from gongfen import accounts
from gongfen import kinds as k
from gongfen.errors import (
    AbsurdLabourError,
    BookPlaceError,
    DuplicateIdError,
    GongfenError,
    UnknownMakerError,
    UnknownWorkError,
)
from gongfen.facts import Body, Fact
from tests.servers import Server

AT = "2026-11-22T04:17:24.000000Z"
HASH = sha256(b"").hexdigest()
HOUR = 3_600_000_000
MAKERS = ("ada", "bo", "é", "\uffee", "\U00010000", "\U00030000")
WORKS = ("poem", "poem-2", "\U0001f60a")
DAYS = ("2026-11-01", "2026-11-02")


class Said(NamedTuple):
    """A fact of the model: its id, kind, and the fields of its body."""

    fact_id: str
    body: Body

    @property
    def fact(self) -> Fact:
        return Fact(id=self.fact_id, at=AT, by="test", body=self.body)

    @property
    def data(self) -> bytes:
        """Canonical JSON: sorted, compact, UTF-8; our numbers are whole."""
        whole = {
            "at": AT,
            "body": msgspec.to_builtins(self.body),
            "by": "test",
            "id": self.fact_id,
            "kind": type(self.body).__name__.lower(),
            "sample": False,
            "v": 1,
        }
        return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def mth(data: list[bytes]) -> bytes:
    """Merkle tree hash, as RFC 9162, 2.1.1 defines it."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\0" + data[0]).digest()
    split = 1
    while split * 2 < len(data):
        split *= 2
    return sha256(b"\1" + mth(data[:split]) + mth(data[split:])).digest()


def path(index: int, data: list[bytes]) -> list[bytes]:
    """Inclusion proof, as RFC 9162, 2.1.3.1 defines it."""
    if len(data) == 1:
        return []
    split = 1
    while split * 2 < len(data):
        split *= 2
    if index < split:
        return [*path(index, data[:split]), mth(data[split:])]
    return [*path(index - split, data[split:]), mth(data[:split])]


class Model:
    """A book in lists and dicts."""

    def __init__(self) -> None:
        self.log: list[Said] = []
        self.roots: dict[int, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.people: dict[str, tuple[str, str]] = {}

    def record(self, batch: list[Said]) -> list[int] | set[type[GongfenError]]:
        """The numbers; or the errors of which one is due."""
        log, numbers = self.log[:], list[int]()
        for said in batch:
            ids = [known.fact_id for known in log]
            if said.fact_id in ids:
                if log[ids.index(said.fact_id)] != said:
                    return {DuplicateIdError}
            elif errors := self._wrong(log, said.body):
                return errors
            else:
                log.append(said)
                ids.append(said.fact_id)
            numbers.append(ids.index(said.fact_id))
        if len(log) > len(self.log):
            self.roots[len(log)] = mth([said.data for said in log])
        self.log = log
        return numbers

    @staticmethod
    def _wrong(log: list[Said], body: Body) -> set[type[GongfenError]]:
        bodies = [said.body for said in log]
        makers = {one.maker for one in bodies if isinstance(one, k.Enrol)}
        works = {one.work for one in bodies if isinstance(one, k.Work)}
        found: set[type[GongfenError]] = set()
        if isinstance(body, k.Enrol) and body.maker in makers:
            found.add(DuplicateIdError)
        if isinstance(body, k.Work):
            found |= {DuplicateIdError} if body.work in works else set()
            found |= {UnknownMakerError} if {part.maker for part in body.makers} - makers else set()
        if isinstance(body, k.Labour):
            found |= {UnknownMakerError} if body.maker not in makers else set()
            found |= {UnknownWorkError} if body.work not in works else set()
            spent = sum(one.labour_us or 0 for one in bodies if isinstance(one, k.Labour) and (one.maker, one.day) == (body.maker, body.day))  # fmt: skip
            found |= {AbsurdLabourError} if spent + (body.labour_us or 0) > 24 * HOUR else set()
        return found

    def about(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for seq, said in enumerate(self.log):
            match said.body:
                case k.Enrol(maker=maker):
                    names = [maker]
                case k.Work(work=work, makers=parts):
                    names = [work, *(part.maker for part in parts)]
                case k.Labour(work=work, maker=maker):
                    names = [work, maker]
            for name in dict.fromkeys(names):
                found.setdefault(name, []).append(seq)
        return found

    def days(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for said in self.log:
            if isinstance(said.body, k.Labour):
                key = f"{said.body.maker}|{said.body.day}"
                found[key] = found.get(key, 0) + (said.body.labour_us or 0)
        return found


bodies = st.one_of(
    st.builds(lambda maker: k.Enrol(maker=maker), st.sampled_from(MAKERS)),
    st.builds(
        lambda work, maker: k.Work(
            work=work, sha256=HASH, size_bytes=0, makers=(k.Part(maker=maker, ppm=1_000_000),), source="t", licence="l"
        ),
        st.sampled_from(WORKS),
        st.sampled_from(MAKERS),
    ),
    *[
        st.builds(
            lambda maker, work, hours, day: k.Labour(
                maker=maker, work=work, labour_kind=1, phase="training", standing="unpaid",
                labour_us=hours * HOUR, day=day,
            ),
            st.sampled_from(MAKERS[:3]), st.sampled_from(WORKS[:2]), st.sampled_from([0, 1, 7, 13, 25]),
            st.sampled_from(DAYS),
        )
    ] * 2,
)  # fmt: skip
handles = st.integers(0, 1)


class TwoStores(RuleBasedStateMachine):
    """Two handles on a book in each store, used in turn."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.environment = patch.dict(os.environ, {"GONGFEN_KEY": str(self.folder / "server.key")})
        self.environment.start()
        self.model = Model()
        self.count = 0
        self.places = [str(self.folder / "book.db"), self.server.new_schema()]
        self.books = [[gongfen.create(place, origin="example.org/x", by="test")] for place in self.places]
        for place, opened in zip(self.places, self.books, strict=True):
            opened.append(gongfen.open(place, by="test"))

    def teardown(self) -> None:
        try:
            for handle in (0, 1):
                self.answers_agree(handle)
            self.the_whole_holds(0)
        finally:
            for book in [*self.books[0], *self.books[1]]:
                book.close()
            self.environment.stop()
            shutil.rmtree(self.folder)

    def said(self, body: Body) -> Said:
        self.count += 1
        return Said(f"f{self.count}", body)

    def both(self, handle: int) -> list[gongfen.Book]:
        return [opened[handle] for opened in self.books]

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, handle: int, batch: list[Said]) -> None:
        due = self.model.record(batch)
        for book in self.both(handle):
            if isinstance(due, set):
                with pytest.raises(tuple(due)):
                    book.record(*(said.fact for said in batch))
            else:
                assert book.record(*(said.fact for said in batch)) == due
            assert book.log.size == len(self.model.log)

    @initialize()
    def begin(self) -> None:
        """Somebody and something, so that there is work for the rest."""
        self.write(0, [self.said(k.Enrol(maker=maker)) for maker in MAKERS if maker != "é"])
        parts = (k.Part(maker="ada", ppm=400_000), k.Part(maker="bo", ppm=600_000))
        self.write(
            1, [self.said(k.Work(work="poem", sha256=HASH, size_bytes=0, makers=parts, source="t", licence="l"))]
        )
        self.keep_views(0)

    @rule(handle=handles, new=st.lists(bodies, min_size=1, max_size=5))
    def record(self, handle: int, new: list[Body]) -> None:
        self.write(handle, [self.said(body) for body in new])

    @rule(handle=handles, hours=st.lists(st.sampled_from([0, 1]), min_size=60, max_size=140))
    def record_many(self, handle: int, hours: list[int]) -> None:
        """So many that they are looked up, sent and folded in parts, and that subtrees of 256 facts fill up."""
        self.write(handle, [
            self.said(k.Labour(maker="ada", work="poem", labour_kind=2, phase="training", standing="crowd",
                               labour_us=hour * 60_000_000, day="2026-11-03"))
            for hour in hours
        ])  # fmt: skip

    @rule(handle=handles, data=st.data())
    def retry(self, handle: int, data: st.DataObject) -> None:
        """An answer was lost: the same facts again, perhaps with new ones."""
        start = data.draw(st.integers(0, len(self.model.log) - 1))
        again = self.model.log[start : start + data.draw(st.integers(1, 70))]
        new = [self.said(body) for body in data.draw(st.lists(bodies, max_size=2))]
        self.write(handle, [*again, *new, *again[:1]])

    @rule(handle=handles, data=st.data(), body=bodies)
    def rewrite(self, handle: int, data: st.DataObject, body: Body) -> None:
        """An id that is there already, perhaps with another content; behind a good fact."""
        taken = data.draw(st.sampled_from(self.model.log)).fact_id
        self.write(handle, [self.said(k.Enrol(maker=f"new-{self.count}")), Said(taken, body)])

    @rule(handle=handles)
    def record_nothing(self, handle: int) -> None:
        self.write(handle, [])

    @rule(handle=handles, data=st.binary(max_size=70_000))
    def keep_a_text(self, handle: int, data: bytes) -> None:
        name = sha256(data).hexdigest()
        self.model.blobs[name] = data
        for book in self.both(handle):
            assert book.log.keep_blob(data) == name

    @rule(handle=handles, maker=st.sampled_from(MAKERS), details=st.text(st.characters(exclude_categories=["Cs"])))
    def describe(self, handle: int, maker: str, details: str) -> None:
        text = json.dumps({"name": details})
        self.model.people[maker] = ("salt", text)
        for book in self.both(handle):
            book.log.store.put_person(maker, "salt", text, waiting=True)  # the log commits to none of them

    @rule(handle=handles, maker=st.sampled_from(MAKERS))
    def forget(self, handle: int, maker: str) -> None:
        due = self.model.people.pop(maker, None) is not None
        for book in self.both(handle):
            assert book.log.store.forget_person(maker) is due

    # -- what must change nothing ----------------------------------------------------------------------------------

    @rule(handle=handles)
    def open_again(self, handle: int) -> None:
        for place, opened in zip(self.places, self.books, strict=True):
            opened[handle].close()
            opened[handle] = gongfen.open(place, by="test")

    @rule(handle=handles)
    def keep_views(self, handle: int) -> None:
        for book in self.both(handle):
            book.log.keep_views()
            assert book.log.store.viewed() == len(self.model.log)

    @rule(handle=handles)
    def rebuild(self, handle: int) -> None:
        for book in self.both(handle):
            book.log.rebuild()

    @rule(handle=handles, new=st.lists(bodies, min_size=1, max_size=80), views=st.booleans())
    def crash(self, handle: int, new: list[Body], views: bool) -> None:
        """Everything was sent, but for the commit; then the program is gone."""
        batch = [Said(f"crash-{self.count}-{n}", body).fact for n, body in enumerate(new)]
        for place, opened in zip(self.places, self.books, strict=True):
            record = opened[handle].log
            transaction = record.store.writing()
            transaction.__enter__()
            record.views.catch_up(record._fold)
            try:
                record.put(batch, [b"a text that is lost"])
            except GongfenError:
                record.put([], [b"a text that is lost"])
            if views:
                record.store.keep_views([("makers", "nobody", b"{}")], [("nobody", 0, b"")], [], 10**6)
            record.store.size()  # what waited was sent
            drop(record.store)
            with pytest.raises((BookPlaceError, sqlite3.ProgrammingError)):
                transaction.__exit__(None, None, None)
            opened[handle].close()
            opened[handle] = gongfen.open(place, by="test")

    @rule(handle=handles)
    def lose_the_connection(self, handle: int) -> None:
        """It is made again when it is needed."""
        drop(self.books[1][handle].log.store)

    # -- reading ---------------------------------------------------------------------------------------------------

    @rule(handle=handles)
    def answers_agree(self, handle: int) -> None:
        data = [said.data for said in self.model.log]
        for book in self.both(handle):
            book.log.refresh()
            log, store = book.log, book.log.store
            assert [(entry.seq, entry.fact_id, entry.data) for entry in store.entries()] == [
                (seq, said.fact_id, said.data) for seq, said in enumerate(self.model.log)
            ]
            assert [fact for _, fact in log.facts()] == [said.fact for said in self.model.log]
            assert store.find([said.fact_id for said in self.model.log]) == {
                said.fact_id: seq for seq, said in enumerate(self.model.log)
            }
            assert {size: root_in(note) for size, note in store.checkpoints()} == self.model.roots
            assert log.tree.root(len(data)) == mth(data)
            assert dict(log.views.all_touches()) == self.model.about()
            assert [name for name, _ in log.views.all_touches()] == sorted(self.model.about())
            assert dict(log.state.days.prefixed("")) == self.model.days()
            makers = sorted(said.body.maker for said in self.model.log if isinstance(said.body, k.Enrol))
            assert [maker for maker, _ in log.state.makers.prefixed("")] == makers
            assert list(store.blob_names()) == sorted(self.model.blobs)
            assert {name: log.blob(name) for name in self.model.blobs} == self.model.blobs
            assert [store.person(maker, waiting=True) for maker in MAKERS] == [
                self.model.people.get(maker) for maker in MAKERS
            ]
        one, other = self.both(handle)
        assert rows_of(one) == rows_of(other)
        assert one.balance() == other.balance()

    @rule(handle=handles, data=st.data())
    def a_receipt_is_the_path_of_the_definition(self, handle: int, data: st.DataObject) -> None:
        seq = data.draw(st.integers(0, len(self.model.log) - 1))
        due = path(seq, [said.data for said in self.model.log])
        for book in self.both(handle):
            receipt = book.receipt(seq)
            receipt.check(book.log.verifier)
            assert [bytes.fromhex(step) for step in receipt.path] == due

    @precondition(lambda self: len(self.model.log) < 200)
    @rule(handle=handles)
    def the_whole_holds(self, handle: int) -> None:
        root = mth([said.data for said in self.model.log]).hex()
        for book in self.both(handle):
            found = book.verify()
            assert (found.size, found.root, found.checkpoints) == (len(self.model.log), root, len(self.model.roots))


def drop(store: Any) -> None:
    """As if the program were killed: the connection ends, and nobody says why."""
    if hasattr(store, "inbox"):
        if store._db._db is not None:
            store._db._db.terminate()
    else:
        store._db._db.close()


def root_in(note: str) -> bytes:
    return base64.b64decode(note.split("\n")[2])


def rows_of(book: gongfen.Book) -> list[tuple[object, ...]]:
    return [
        *((name, *row) for name in accounts.TABLES for row in getattr(book.log.state, name).prefixed("")),
        *book.log.views.all_touches(),
        *book.log.views.all_bookings(),
    ]


def test_both_stores_do_what_lists_and_dicts_do(server: Server) -> None:
    class Bound(TwoStores):
        pass

    Bound.server = server
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Bound,
        settings=settings(
            max_examples=int(os.environ.get("GONGFEN_EXAMPLES", "10")),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Two stores, one behaviour: what holds of SQLite holds of PostgreSQL, and what either refuses, the other refuses too."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import gongfen
from gongfen import accounts
from gongfen.book.place import key_path, place_of
from gongfen.errors import BookPlaceError, DamagedBookError, GongfenError
from gongfen.facts import kinds as k
from gongfen.reports.bundle import verify_bundle
from gongfen.storage import Address, Entry, Store, create_store, open_store
from gongfen.value import worth
from tests import test_worked_example as example
from tests.books import COOPERATIVE, said
from tests.histories import booked, facts_of, histories
from tests.servers import PASSWORD, Server

STORES = ("sqlite", "postgresql")
KEYS = ["", "a", "a\0b", "a\0c", "ab", "b", "é", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0001f60a", "\U0010ffff", "\U0010ffff\U0010ffff"]  # fmt: skip
"""Where UTF-16, a locale's collation or C strings would sort or cut them otherwise."""


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a book may be made, in either store."""
    if request.param == "sqlite":
        return str(tmp_path / "book.db")
    found: str = request.getfixturevalue("schema")
    return found


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    """An empty store."""
    found = create_store(place_of(place), {"origin": "example.org/x"})
    yield found
    found.close()


@pytest.fixture
def another(place: str, store: Store) -> Iterator[Store]:
    """A second handle on the same store."""
    assert store.size() == 0
    found = open_store(place_of(place))
    yield found
    found.close()


def raw(place: str, *statements: str) -> list[tuple[Any, ...]]:
    """Statements that go past our code, as their owner may send them; the rows of the last."""
    if "://" in place:
        database, _, schema = place.rpartition("/")[2].partition("?schema=")
        return SERVER[0].sql(f"SET search_path = {schema}", *statements, database=database)
    with sqlite3.connect(place) as db:
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = db.execute(statement).fetchall()
        return rows


SERVER: list[Server] = []


@pytest.fixture(autouse=True)
def _know_the_server(request: pytest.FixtureRequest) -> None:
    if {"database", "schema"} & set(request.fixturenames) or "postgresql" in request.node.name:
        SERVER[:] = [request.getfixturevalue("server")]


def entries_of(count: int, first: int = 0, size: int = 10) -> list[Entry]:
    return [
        Entry(seq, f"id-{seq}", sha256(b"\0" + bytes(size)).digest(), seq.to_bytes(8, "big") + bytes(size))
        for seq in range(first, first + count)
    ]


# -- the contract ------------------------------------------------------------------------------------------------------


def test_an_empty_store_is_empty(store: Store) -> None:
    assert (store.size(), store.viewed(), store.checkpoint(), store.cosigned()) == (0, 0, None, None)
    assert list(store.entries()) == list(store.checkpoints()) == list(store.blob_names()) == []
    assert list(store.touches()) == list(store.postings()) == list(store.view_rows("t", "")) == store.flaws() == []
    assert store.find(["a"]) == {}
    assert store.meta("origin") == "example.org/x"
    assert store.meta("nothing") is store.blob("00") is store.view_row("t", "k") is store.person("ada") is None


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 1_000, 1_001, 2_500])
def test_what_is_appended_comes_back_in_order(store: Store, another: Store, count: int) -> None:
    """Also across the pages in which a server's answer is fetched, and the two ways in which rows are sent."""
    new = entries_of(count)
    with store.writing():
        store.append(new, [(8, n, bytes([n]) * 32) for n in range(count // 256)])
        assert store.size() == count
        assert list(store.entries()) == new
    for opened in (store, another):
        assert list(opened.entries()) == new
        assert list(opened.entries(count // 2, count - 1)) == new[count // 2 : count - 1]
        assert list(opened.entries(count)) == list(opened.entries(3, 3)) == []
        assert opened.find([entry.fact_id for entry in new] + ["other"]) == {entry.fact_id: entry.seq for entry in new}
        assert opened.hashes(0, 0, count) == [entry.leaf for entry in new]
        assert opened.hashes(8, 0, 100) == [bytes([n]) * 32 for n in range(count // 256)]


def test_keys_sort_by_code_points_and_prefixes_are_those_of_text(store: Store) -> None:
    with store.writing():
        store.keep_views(
            ((table, key, key.encode()) for table in ("t", "u") for key in reversed(KEYS)),
            ((key, 0, b"x") for key in reversed(KEYS)),
            [],
            0,
        )
    due = sorted(KEYS)
    assert [key for key, _ in store.view_rows("t", "")] == due
    assert [ref for ref, _, _ in store.touches()] == due
    for key in KEYS:
        assert [found for found, _ in store.view_rows("t", key)] == [one for one in due if one.startswith(key)]
        assert store.view_row("t", key) == key.encode()
        assert list(store.touches(key)) == [(key, 0, b"x")]


def test_many_rows_come_back_in_order(store: Store) -> None:
    """More than a page of each."""
    rows = [("t", f"{n:05}\U0010ffff", n.to_bytes(4, "big")) for n in range(2_100)]
    touches = [(f"n{n % 3}", n, b"\x90") for n in range(2_100)]
    postings = [(n * 7, bytes([n % 256])) for n in range(2_100)]
    with store.writing():
        store.keep_views(rows, touches, postings, 0)
        for n in range(1_050):
            store.put_blob(f"{n:064x}", bytes([n % 256]))
            store.keep_checkpoint(n, f"note {n}")
            store.keep_cosigned(n, f"cosigned {n}")
    assert list(store.view_rows("t", "")) == [(key, data) for _, key, data in rows]
    assert list(store.view_rows("t", "01")) == [(key, data) for _, key, data in rows[1_000:2_000]]
    assert list(store.touches()) == sorted(touches)
    assert list(store.touches("n1")) == sorted(row for row in touches if row[0] == "n1")
    assert list(store.postings()) == postings
    assert list(store.postings(13)) == [(7, b"\x01")]
    assert list(store.postings(14)) == [(14, b"\x02")]
    assert list(store.blob_names()) == [f"{n:064x}" for n in range(1_050)]
    assert list(store.checkpoints()) == [(n, f"note {n}") for n in range(1_050)]
    assert (store.checkpoint(), store.cosigned()) == ("note 1049", "cosigned 1049")


def test_values_are_kept_to_the_last_bit(store: Store, another: Store) -> None:
    large, odd = bytes(range(256)) * 20_000, "n\0ot\U0001f60a"
    last = 2**53 - 1
    with store.writing():
        store.put_blob("ab", large)
        store.put_blob("ab", b"twice is once")
        store.put_meta("m", "one")
        store.put_meta("m", "two lines\nünd")
        store.keep_views([("t", odd, large), ("t", odd, b"last")], [(odd, last, large)], [(last, large)], 0)
        store.append([Entry(0, odd, bytes(32), large)], [(last, last, bytes(32))])
    store.put_person(odd, "salt", '{"name":"Ada"}')
    store.put_person(odd, "salt2", '{"name":"Ada\U0010ffff"}')
    for opened in (store, another):
        assert opened.blob("ab") == large
        assert opened.meta("m") == "two lines\nünd"
        assert opened.view_row("t", odd) == b"last"
        assert list(opened.touches(odd)) == [(odd, last, large)]
        assert list(opened.postings(last)) == [(last, large)]
        assert list(opened.entries()) == [Entry(0, odd, bytes(32), large)]
        assert opened.find([odd]) == {odd: 0}
        assert opened.hashes(last, last, 1) == [bytes(32)]
        assert opened.person(odd) == ("salt2", '{"name":"Ada\U0010ffff"}')
    assert store.forget_person(odd) is True
    assert store.forget_person(odd) is False
    assert another.person(odd) is None


def test_views_are_replaced_and_thrown_away(store: Store) -> None:
    with store.writing():
        store.keep_views([("t", "a", b"1"), ("t", "b", b"1")], [("a", 0, b"1")], [(0, b"1")], 0)
        store.keep_views([("t", "b", b"2")], [("a", 5, b"2")], [(5, b"2")], 7)
        assert store.viewed() == 7
    assert list(store.view_rows("t", "")) == [("a", b"1"), ("b", b"2")]
    assert store.viewed() == 7
    with store.writing():
        store.drop_views()
    assert list(store.view_rows("t", "")) == list(store.touches()) == list(store.postings()) == []
    assert store.viewed() == 0


def test_what_fails_leaves_nothing(store: Store, another: Store) -> None:
    def fail() -> None:
        with store.writing():
            store.append(entries_of(70), [(8, 0, bytes(32))])
            store.put_blob("ab", b"1")
            store.keep_checkpoint(70, "note")
            store.keep_views([("t", "a", b"1")], [], [], 70)
            assert store.size() == store.viewed() == 70
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()
        for opened in (store, another):
            assert (opened.size(), opened.viewed(), opened.checkpoint()) == (0, 0, None)
            assert opened.blob("ab") is opened.view_row("t", "a") is None


def test_a_sight_does_not_change_while_others_write(store: Store, another: Store) -> None:
    with store.writing():
        store.append(entries_of(3), [])
    with another.reading():
        before = list(another.entries())
        with store.writing():
            store.append(entries_of(4, 3), [])
            store.keep_views([("t", "a", b"1")], [], [], 7)
        with another.reading():
            assert list(another.entries()) == before
            assert (another.size(), another.viewed(), another.view_row("t", "a")) == (3, 0, None)
        assert another.size() == 3, "the inner end does not end the outer sight"
    assert (another.size(), another.viewed(), another.view_row("t", "a")) == (7, 7, b"1")


def test_reading_within_writing_sees_what_is_written(store: Store, another: Store) -> None:
    with store.writing():
        store.append(entries_of(3), [])
        with store.reading():
            assert store.size() == 3
        assert another.size() == 0
    assert another.size() == 3


@pytest.mark.parametrize("missing", [0, 4, 8])
def test_a_missing_entry_is_damage(store: Store, missing: int) -> None:
    with store.writing():
        store.append([entry for entry in entries_of(10) if entry.seq != missing], [])
    with pytest.raises(DamagedBookError, match=f"fact {missing}, is missing"):
        assert len(list(store.entries())) == store.size() == 9


@pytest.mark.parametrize("entry", [Entry(2, "new", bytes(32), b""), Entry(9, "id-2", bytes(32), b"")])
def test_a_number_and_an_id_stand_once(store: Store, entry: Entry) -> None:
    """Should our own checks fail, the database refuses; and the handle can still be used."""
    with store.writing():
        store.append(entries_of(3), [])
    with pytest.raises(DamagedBookError), store.writing():
        store.append([entry], [])
    assert list(store.entries()) == entries_of(3)


@pytest.mark.parametrize("table", ["fact", "node", "checkpoint", "cosigned"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_the_database_itself_refuses_to_change_the_log(place: str, store: Store, table: str, change: str) -> None:
    with store.writing():
        store.append(entries_of(1), [(8, 0, bytes(32))])
        store.keep_checkpoint(1, "note")
        store.keep_cosigned(1, "note")
    if change.startswith("TRUNCATE") and "://" not in place:
        pytest.skip("SQLite has no TRUNCATE")
    column = {"fact": "seq", "node": "idx", "checkpoint": "size", "cosigned": "size"}[table]
    with pytest.raises(Exception, match="never"):
        raw(place, change.format(table, column))
    if "://" in place:
        with pytest.raises(Exception, match="never"):  # nor as if a replica said so
            raw(place, "SET session_replication_role = replica", change.format(table, column))
    assert raw(place, f"SELECT count(*) FROM {table}") == [(1,)]  # noqa: S608 - one of four


# -- whole books -------------------------------------------------------------------------------------------------------


def test_the_worked_example_gives_its_numbers(place: str) -> None:
    with gongfen.create(place, origin="example.org/x", by="test") as book:
        book.record(*example.TRAINING)
        book.log.keep_views()
        book.record(*example.SERVING)
        assert example.remaining(book.log.state, "model") == (660 - 165 + 75) * example.SLH - 75 * example.SLH
        answer = worth(book.log.state, ("plain", "reviewed"), 12_500_000_000)
        assert (answer.transferred_uslh, answer.living_uslh) == (165 * example.SLH, 75 * example.SLH)
        assert (answer.rent_avg_micro, answer.rent_repro_micro) == (2_900_000_000, 9_500_000_000)
        assert book.balance() == (1_035 * example.SLH, 1_035 * example.SLH)
        book.log.rebuild()
        assert book.balance() == (1_035 * example.SLH, 1_035 * example.SLH)
        assert book.verify().size == len(example.TRAINING) + len(example.SERVING)


def rows_of(book: gongfen.Book) -> list[tuple[object, ...]]:
    return [
        *((name, *row) for name in accounts.TABLES for row in getattr(book.log.state, name).prefixed("")),
        *book.log.views.all_touches(),
        *book.log.views.all_bookings(),
    ]


def test_a_cooperative_gets_the_same_answers_from_both_stores(tmp_path: Path, database: str) -> None:
    books = [gongfen.create(place, origin="example.org/x", by="test") for place in (tmp_path / "book.db", database)]
    for book in books:
        book.record(*(book.log.new(body, fact_id=f"f{n}", at="2026-11-22T04:17:24.000000Z") for n, body in enumerate(said(COOPERATIVE))))  # fmt: skip
        book.log.keep_blob(b"text")
    one, other = books
    assert list(one.log.store.entries()) == list(other.log.store.entries())
    assert one.verify().root == other.verify().root
    for book in books:
        book.settle("2026-11")
        book.log.keep_views()
    assert one.who("song-1") == other.who("song-1")
    assert one.worth("song-1") == other.worth("song-1")
    assert one.owed() == other.owed()
    assert [row for row in rows_of(one) if "settlement" not in str(row)] == [
        row for row in rows_of(other) if "settlement" not in str(row)
    ]
    for book in books:
        book.receipt(3).check(book.log.verifier)
        book.verify()
        assert verify_bundle(book.audit(), book.log.verifiers).size == book.log.size
        book.close()


def test_details_of_a_person_are_gone_from_the_server_s_files(server: Server, database: str) -> None:
    with gongfen.create(database, by="test") as book:
        book.describe("ada", name="Ada Unforgettable")
        book.describe("bo", name="Bo Stayed")
        server.sql("CHECKPOINT")
        assert found_in(server, b"Ada Unforgettable")
        book.forget("ada")
        assert book.details("ada").details is None
        assert book.details("bo").details == {"name": "Bo Stayed"}
        server.sql("CHECKPOINT")
        assert not found_in(server, b"Ada Unforgettable")
        assert found_in(server, b"Bo Stayed")
        book.verify()


def found_in(server: Server, text: bytes) -> bool:
    """Whether a text stands in the server's tables; its write-ahead log is overwritten in time, and is left out."""
    return any(text in path.read_bytes() for path in (server.data / "base").rglob("*") if path.is_file())


# -- places and their errors ------------------------------------------------------------------------------------------


def test_an_address_never_shows_its_password(database: str) -> None:
    found = Address(database)
    assert found.database == database.rpartition("/")[2]
    for text in (str(found), repr(found)):
        assert "postgres@127.0.0.1" in text
        assert PASSWORD not in text
        assert "w%2F" not in text
    assert str(Address("postgres://h/d?password=secret&schema=a1&sslmode=require")) == "postgresql://h/d?schema=a1"
    assert str(Address("postgresql:///d?host=/run/pg&user=x")) == "postgresql:///d?host=/run/pg"
    assert str(Address("postgresql://u:s3cret@[::1]:99/d")) == "postgresql://u@[::1]:99/d"


@pytest.mark.parametrize("url", [
    "postgresql://", "postgresql://h", "postgresql://h/", "postgresql://h/a/b", "postgresql://u:pa#secret@h/d",
    "postgresql://u:secret@h:port/d", "postgresql://u:secret@[::1/d", "postgresql://h/d%00",
    "postgresql://u:secret@h/d?schema=", "postgresql://u:secret@h/d?schema=a;b", "postgresql://h/d?schema=pg_catalog",
])  # fmt: skip
def test_a_malformed_address_is_named_without_its_password(url: str) -> None:
    with pytest.raises(BookPlaceError) as error:
        gongfen.open(url)
    assert "secret" not in str(error.value)


def other_port(address: str) -> str:
    return address.replace(f":{SERVER[0].port}/", ":1/")


WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "a wrong password": (lambda a: SERVER[0].address(a.rpartition("/")[2], "secret"), "refuses this user or password"),
    "an unknown user": (lambda a: a.replace("//postgres:", "//nobody:"), "refuses this user or password"),
    "no such database": (lambda a: a + "_not", "no such database"),
    "nobody listens": (other_port, "cannot be reached"),
    "an unknown host": (lambda a: a.replace("127.0.0.1", "no.invalid"), "cannot be reached"),
    "a database without a book": (lambda a: a, "is a database, but not a book"),
    "a schema that is not there": (lambda a: a + "?schema=other", "is a database, but not a book"),
    "an unknown setting": (lambda a: a + "?sslmode=secret", "cannot be reached"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_place_that_cannot_be_opened_is_named(database: str, wrong: str) -> None:
    change, reason = WRONG[wrong]
    with pytest.raises(BookPlaceError, match=reason) as error:
        gongfen.open(change(database))
    for secret in ("secret", PASSWORD, "w%2F"):
        assert secret not in str(error.value)


def test_a_book_is_not_made_twice_nor_over_a_key(place: str) -> None:
    gongfen.create(place).close()
    key = key_path(place_of(place))
    with pytest.raises(BookPlaceError, match="already"):
        gongfen.create(place)
    kept = key.read_text()
    key.unlink()
    with pytest.raises(BookPlaceError, match="already there"):
        gongfen.create(place)
    assert not key.exists()
    key.write_text(kept)
    gongfen.open(place).close()


def test_schemas_are_books_of_their_own(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GONGFEN_KEY")
    monkeypatch.chdir(tmp_path)
    books = [gongfen.create(f"{database}?schema={name}", origin=f"example.org/{name}") for name in ("a", "B")]
    for book in books:
        book.record(gongfen.kinds.Enrol(maker="ada"))
        assert book.verify().size == 1
        book.close()
    name = database.rpartition("/")[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.B.key", f"{name}.a.key"]
    with pytest.raises(BookPlaceError, match="not a book"):
        gongfen.open(database)
    with gongfen.open(f"{database}?schema=B") as book:
        assert book.log.origin == "example.org/B"


def test_without_the_driver_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(BookPlaceError, match=r"pip install 'gongfen\[postgres\]'"):
        gongfen.open("postgresql://h/d")


def test_a_server_that_is_only_read_says_so(server: Server, database: str) -> None:
    with gongfen.create(database) as book:
        book.record(gongfen.kinds.Enrol(maker="ada"))
    server.sql(f"ALTER DATABASE {database.rpartition('/')[2]} SET default_transaction_read_only = on")
    with gongfen.open(database) as book:
        assert book.verify().size == 1
        with pytest.raises(BookPlaceError, match="can only be read"):
            book.record(gongfen.kinds.Enrol(maker="bo"))
        assert book.log.size == 1


def test_a_writer_needs_no_more_rights_than_the_page_gives(server: Server, database: str) -> None:
    """The grants of docs/how-to/use-postgresql.md: enough to record, not to bend the log."""
    with gongfen.create(database) as book:
        book.record(*said(COOPERATIVE))
    name = database.rpartition("/")[2]
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "use-postgresql.md").read_text(encoding="utf-8")
    grants = page.partition("```sql\n")[2].partition("```")[0].replace("writer", f"writer_{name}")
    statements = [statement for statement in grants.split(";") if statement.strip()]
    server.sql(*statements, f"ALTER ROLE writer_{name} PASSWORD 'w'", database=name)
    address = f"postgresql://writer_{name}:w@127.0.0.1:{server.port}/{name}"
    with gongfen.open(address) as book:
        book.record(gongfen.kinds.Enrol(maker="dee"))
        book.log.keep_views()
        book.describe("dee", name="Dee")
        book.forget("dee")
        book.log.rebuild()
        book.verify()
        with pytest.raises(BookPlaceError, match="is not this user's"):
            book.log.store._db.run("ALTER TABLE fact DISABLE TRIGGER ALL")  # type: ignore[attr-defined]
        with pytest.raises(BookPlaceError, match="is not this user's"):
            book.log.store._db.run("DELETE FROM fact")  # type: ignore[attr-defined]


def test_the_server_s_pages_and_indexes_are_looked_at(server: Server, database: str) -> None:
    with gongfen.create(database) as book:
        book.record(*said(COOPERATIVE))
        assert book.log.store.flaws() == []
        name = database.rpartition("/")[2]
        ((path,),) = server.sql("SELECT pg_relation_filepath('fact')", database=name)
        server.sql("CHECKPOINT")
        file = server.data / path
        server.halt("fast")
        data = bytearray(file.read_bytes())
        data[7_000] ^= 0xFF
        file.write_bytes(data)
        server.start()
        try:
            with pytest.raises(DamagedBookError, match="is a damaged database"):
                book.verify()
        finally:
            data[7_000] ^= 0xFF
            file.write_bytes(data)


def test_texts_are_in_order_as_the_contract_says() -> None:
    assert all(one < two for one, two in pairwise(sorted(KEYS)))
    assert sorted(KEYS) == sorted(KEYS, key=str.encode)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=histories())
def test_any_history_gives_the_same_integers_on_both_stores_and_in_memory(
    tmp_path_factory: pytest.TempPathFactory, server: Server, monkeypatch: pytest.MonkeyPatch, bodies: list[k.Body]
) -> None:
    """I8: what is refused by one is refused by all; every table of the answers agrees, kept, verified and rebuilt."""
    folder = tmp_path_factory.mktemp("history")
    monkeypatch.setenv("GONGFEN_KEY", str(folder / "server.key"))
    state, _ = booked(bodies)
    due = {name: dict(getattr(state, name).prefixed("")) for name in accounts.TABLES}
    for place in (folder / "book.db", server.new_schema()):
        with gongfen.create(place, origin="example.org/x", by="t") as book:
            for fact in facts_of(bodies):
                with suppress(GongfenError):
                    book.record(fact)
            found = book.log.state
            assert {name: dict(getattr(found, name).prefixed("")) for name in accounts.TABLES} == due
            book.verify()
            book.log.rebuild()
            assert {name: dict(getattr(found, name).prefixed("")) for name in accounts.TABLES} == due
            assert verify_bundle(book.audit(), book.log.verifiers).size == book.log.size

"""What nobody looked at once: rows beside the log that are forged, moved or planted, in either store, are found."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book.place import key_path
from gongfen.book.proving.witnessing import POLICY, policy_of, policy_of_witnesses, set_policy
from gongfen.errors import BookPlaceError, DamagedBookError, ForkError, ProofError
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import WitnessSigner, cosign
from gongfen.proof.note import Signer, add_signatures, read_note
from gongfen.storage.postgres import SCHEMA_VERSION
from tests import test_stores
from tests.books import ORIGIN, cooperative, said, signer_of
from tests.servers import Server
from tests.test_stores import STORES, raw

ADA, BO = (WitnessSigner(f"w.example/{name}", bytes([number] * 32)) for number, name in enumerate(("ada", "bo"), 1))
STRANGER = Signer("example.org/other", bytes(32))
Forge = Callable[[gongfen.Book], tuple[int, str]]
"""(size, note) of a row that is no cosigned checkpoint of a book."""


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a book may be made, in either store."""
    if request.param == "sqlite":
        return str(tmp_path / "book.db")
    found: str = request.getfixturevalue("schema")
    test_stores.SERVER[:] = [request.getfixturevalue("server")]
    return found


@pytest.fixture
def book(place: str) -> Iterator[gongfen.Book]:
    """Five facts, a policy of one witness, and its cosignature after the second and the fourth."""
    with five_facts(place) as made:
        yield made


def five_facts(place: str | Path) -> gongfen.Book:
    made = gongfen.create(place, origin=ORIGIN, by="test")
    set_policy(made.log, policy_of_witnesses(made.log, [f"ada {ADA.verifier}"], 1))
    for number in range(5):
        made.record(k.Enrol(maker=f"maker-{number}"))
        if number in (1, 3):
            keep(made, number + 1, cosigned(made))
    return made


def cosigned(book: gongfen.Book, *witnesses: WitnessSigner) -> str:
    note = book.log.store.checkpoint()
    assert note is not None
    return add_signatures(note, [cosign(note, one, 1_700_000_000) for one in witnesses or (ADA,)])


def keep(book: gongfen.Book, size: int, note: str) -> None:
    with book.log.store.writing():
        book.log.store.keep_cosigned(size, note)


def signed(book: gongfen.Book, size: int, root: bytes) -> str:
    """A head that the book's own key signs, and a witness cosigns: what an insider can make."""
    note = Checkpoint(ORIGIN, size, root).sign(own_key(book))
    return add_signatures(note, [cosign(note, ADA, 1)])


def own_key(book: gongfen.Book) -> Signer:
    return Signer.parse(key_path(book.log.path).read_text())


# -- checkpoints that witnesses have seen ------------------------------------------------------------------------------


def test_every_cosigned_checkpoint_is_verified_and_counted(book: gongfen.Book) -> None:
    found = book.verify()
    assert (found.checkpoints, found.cosigned) == (7, 2)
    keep(book, 5, cosigned(book, ADA, BO))
    assert book.verify().cosigned == 3, "a witness that the policy does not name is passed over"


def other_root(book: gongfen.Book) -> tuple[int, str]:
    return 3, signed(book, 3, bytes(32))


def other_size(book: gongfen.Book) -> tuple[int, str]:
    return 4, signed(book, 3, book.log.tree.root(3))


def more_than_there_is(book: gongfen.Book) -> tuple[int, str]:
    return 9, signed(book, 9, bytes(32))


def larger_than_it_says(book: gongfen.Book) -> tuple[int, str]:
    return 10**9, cosigned(book)


def signed_by_a_stranger(_: gongfen.Book) -> tuple[int, str]:
    note = Checkpoint(STRANGER.name, 3, bytes(32)).sign(STRANGER)
    return 3, add_signatures(note, [cosign(note, ADA, 1)])


def false_cosignature(book: gongfen.Book) -> tuple[int, str]:
    line = cosign(signed(book, 3, bytes(32)), ADA, 1)
    return 5, add_signatures(book.log.store.checkpoint() or "", [line])


def no_cosignature(book: gongfen.Book) -> tuple[int, str]:
    return 5, book.log.store.checkpoint() or ""


def no_note(_: gongfen.Book) -> tuple[int, str]:
    return 2, "nonsense"


@pytest.mark.parametrize(
    "forge",
    [
        other_root,
        other_size,
        more_than_there_is,
        larger_than_it_says,
        signed_by_a_stranger,
        false_cosignature,
        no_cosignature,
        no_note,
    ],
)
def test_a_cosigned_checkpoint_that_is_none_is_found_wherever_it_stands(book: gongfen.Book, forge: Forge) -> None:
    """Not the newest alone: the row that is kept last, and that of the largest size, may be genuine."""
    keep(book, *forge(book))
    keep(book, 5, cosigned(book))
    with pytest.raises(DamagedBookError) as found:
        book.verify()
    if forge not in (other_root, more_than_there_is):  # a head that holds, and that the log does not bear out
        assert re.search(r", cosigned checkpoint of \d+ facts,$", found.value.thing)
    assert "backup" in found.value.remedy


@pytest.mark.parametrize("table", ["checkpoint", "cosigned"])
@pytest.mark.parametrize("where", ["the root", "the signature"])
def test_a_flipped_byte_of_an_old_head_is_told_by_its_row(tmp_path: Path, table: str, where: str) -> None:
    path = tmp_path / "book.db"
    with five_facts(path) as book:
        kept = book.log.store.checkpoints() if table == "checkpoint" else book.log.store.all_cosigned()
        note = next(note for size, note in kept if size == 2).encode()
    at = note.index(b"\n2\n") + 5 if where == "the root" else note.rindex(b"\n", 0, -1) - 9
    flipped = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
    row = re.escape(note) + "(?!—)".encode()  # a cosigned checkpoint begins as the other does
    data, times = re.subn(row, lambda _: flipped, path.read_bytes())
    assert times == 1
    path.write_bytes(data)
    with gongfen.open(path) as book, pytest.raises(DamagedBookError) as error:
        book.verify()
    assert error.value.thing == f"{path}, {'cosigned ' if table == 'cosigned' else ''}checkpoint of 2 facts,"
    assert "backup" in error.value.remedy


def test_a_key_of_another_is_not_called_damage(book: gongfen.Book) -> None:
    another = Signer(ORIGIN, bytes(32)).verifier
    with pytest.raises(ProofError, match=r"checkpoint of 1 facts, is not signed by .*check with the key"):
        book.verify(str(another))


def test_a_row_that_says_more_than_the_log_has_does_not_hide_the_newest(book: gongfen.Book) -> None:
    keep(book, 5, cosigned(book))
    keep(book, 10**9, "nonsense")
    assert len(read_note(book.log.checkpoint()).lines) == 2
    assert book.log.store.cosigned() == cosigned(book)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("quorum", "qorum"), "cannot be read"),
        (lambda _: "\0"[:0], "cannot be read"),
        (lambda text: text.replace("1", "2"), "cannot be read"),
        (lambda text: "\n".join(line for line in text.split("\n") if not line.startswith("log")), "does not name"),
        (lambda text: text.replace(text.split()[1], str(STRANGER.verifier)), "does not name"),
    ],
)
def test_a_damaged_policy_is_found_and_can_be_set_again(
    book: gongfen.Book, change: Callable[[str], str], reason: str
) -> None:
    log = book.log
    was = policy_of(log)
    with log.store.writing():
        log.store.put_meta(POLICY, change(str(was)))
    for ask in (book.verify, lambda: policy_of(log)):
        with pytest.raises(DamagedBookError, match=reason):
            ask()
    set_policy(log, was)
    book.verify()


# -- an older head -----------------------------------------------------------------------------------------------------


def test_a_log_that_forked_shows_both_heads(book: gongfen.Book) -> None:
    """It agrees with itself, and its key has signed something else before: the two heads convince anybody."""
    kept = signed(book, 3, bytes(32))
    with pytest.raises(ForkError, match="do not begin with the 3 of the older") as shown:
        book.verify(since=kept)
    assert (shown.value.first, shown.value.second) == (kept, book.log.checkpoint())
    for note in (shown.value.first, shown.value.second):
        open_checkpoint(note, book.log.verifier)


def test_a_verdict_says_with_what_it_compared(book: gongfen.Book) -> None:
    assert book.verify().since is None
    assert book.verify(since=signed(book, 3, book.log.tree.root(3))).since == 3
    with pytest.raises(DamagedBookError, match="has lost facts: 9 were signed, 5 are there"):
        book.verify(since=signed(book, 9, bytes(32)))


def test_a_damaged_log_is_no_fork(tmp_path: Path) -> None:
    """Nobody is accused of two stories because a disk has failed."""
    with cooperative(tmp_path) as book:
        book.log.keep_views()
        kept = Checkpoint(ORIGIN, 3, bytes(32)).sign(signer_of(book))
        path = str(book.log.path)
    guard = "CREATE TRIGGER fact_update BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'facts are never changed'); END"
    raw(path, "DROP TRIGGER fact_update", "UPDATE fact SET data = x'7b7d' WHERE seq = 1", guard)
    with gongfen.open(path) as damaged, pytest.raises(DamagedBookError, match="fact 1, was altered"):
        damaged.verify(since=kept)


# -- answers -----------------------------------------------------------------------------------------------------------


PLANTED = {
    "is filed under another number": ("UPDATE touch SET first = first + 1",) * 2,
    "view spy, is none of a book's": (
        "INSERT INTO view VALUES ('spy', 'k', x'31')",
        r"INSERT INTO view VALUES ('spy', '\x6b', '\x31')",
    ),
}
"""The reason, and the statement in SQLite and in PostgreSQL."""


@pytest.mark.parametrize("reason", PLANTED)
def test_rows_of_answers_that_nobody_reads_are_found(place: str, book: gongfen.Book, reason: str) -> None:
    book.log.keep_views()
    raw(place, PLANTED[reason]["://" in place])
    with pytest.raises(DamagedBookError, match=reason):
        book.verify()
    book.log.rebuild()
    book.verify()


# -- guards of a server ------------------------------------------------------------------------------------------------

PASSES = "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
ANY_CHANGE = "BEFORE UPDATE OR DELETE OR TRUNCATE"
UNGUARDED: dict[str, tuple[str, ...]] = {
    "the function refuse_change is not as a book has it": (f"CREATE OR REPLACE FUNCTION refuse_change{PASSES}",),
    "the function forget_person is not as a book has it": (
        "DROP FUNCTION forget_person(bytea, boolean)",
        "CREATE FUNCTION forget_person(who bytea, yes boolean) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    ),
    "the function take_pen is not as a book has it": (
        "CREATE FUNCTION take_pen(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ),
    "the trigger of fact is gone or off": ("ALTER TABLE fact ENABLE TRIGGER never_changed",),
    "the trigger of checkpoint is gone or off": ("DROP TRIGGER never_changed ON checkpoint",),
    "the trigger of cosigned is gone or off": ("ALTER TABLE cosigned DISABLE TRIGGER never_changed",),
    "the trigger of fact is gone or off ": (
        f"CREATE FUNCTION pass{PASSES}",
        "DROP TRIGGER never_changed ON fact",
        f"CREATE TRIGGER never_changed {ANY_CHANGE} ON fact EXECUTE FUNCTION pass()",
        "ALTER TABLE fact ENABLE ALWAYS TRIGGER never_changed",
    ),
    "the trigger of fact is gone or off  ": (
        "DROP TRIGGER never_changed ON fact",
        "CREATE TRIGGER never_changed BEFORE UPDATE OF id OR DELETE OR TRUNCATE ON fact EXECUTE FUNCTION refuse_change()",
        "ALTER TABLE fact ENABLE ALWAYS TRIGGER never_changed",
    ),
    "the trigger of node is gone or off": (
        "DROP TRIGGER never_changed ON node",
        "CREATE TRIGGER never_changed BEFORE DELETE ON node EXECUTE FUNCTION refuse_change()",
        "ALTER TABLE node ENABLE ALWAYS TRIGGER never_changed",
    ),
    "the trigger spy of person is none of a book's": (
        f"CREATE FUNCTION spy{PASSES}",
        "CREATE TRIGGER spy AFTER TRUNCATE ON person EXECUTE FUNCTION spy()",
    ),
    "the table person has rules of its own": ("CREATE RULE spy AS ON INSERT TO person DO ALSO NOTIFY spy",),
    "the table fact has rules of its own": ("ALTER TABLE fact ENABLE ROW LEVEL SECURITY",),
}
"""The reason (blanks tell three ways apart), and what somebody did who may change the tables."""


@pytest.mark.parametrize("reason", UNGUARDED)
def test_guards_of_another_make_are_found(server: Server, schema: str, reason: str) -> None:
    test_stores.SERVER[:] = [server]
    with gongfen.create(schema, origin=ORIGIN) as book:
        book.record(k.Enrol(maker="ada"))
        book.verify()
        raw(schema, *UNGUARDED[reason])
        with pytest.raises(DamagedBookError, match=f"open to changes: {reason.strip()}"):
            book.verify()


def test_what_else_lies_in_a_book_s_schema_is_its_owner_s_business(server: Server, schema: str) -> None:
    test_stores.SERVER[:] = [server]
    with gongfen.create(schema, origin=ORIGIN) as book:
        raw(schema, "CREATE TABLE notes (a int)", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        book.record(k.Enrol(maker="ada"))
        book.verify()


# -- an older schema on a server ---------------------------------------------------------------------------------------

BACK_TO_2 = (
    "DROP FUNCTION adopt_person(bytea)",
    "DROP FUNCTION forget_person(bytea, boolean)",
    "UPDATE person SET maker = maker || '|next'::bytea WHERE waiting",
    "ALTER TABLE person DROP CONSTRAINT person_pkey, DROP COLUMN waiting, ADD PRIMARY KEY (maker)",
    "CREATE FUNCTION forget_person(who bytea) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "UPDATE meta SET value = '2' WHERE key = 'schema'",
)


def set_back(schema: str) -> dict[str, Any]:
    """A book of schema 2, in which somebody was killed between the word in the log and the deed beside it."""
    with gongfen.create(schema, origin=ORIGIN, by="test") as book:
        book.record(*said("enrol maker=bo"))
        book.describe("ada", name="Ada")
        new = book.log.store.person("ada")
        assert new is not None
        book.log.store.put_person("ada", "salt", '{"name":"Old"}')
        book.log.store.put_person("ada", *new, waiting=True)
        book.log.store.put_person("bo", "salt", '{"name":"Bo"}', waiting=True)
    raw(schema, *BACK_TO_2)
    return {"salt": new[0]}


def test_a_book_of_an_older_schema_on_a_server_is_brought_to_today_s(server: Server, schema: str) -> None:
    test_stores.SERVER[:] = [server]
    set_back(schema)
    for _ in range(2):
        with gongfen.open(schema) as book:
            assert book.verify().waiting == ("bo",)
            assert book.details("ada").details == {"name": "Ada"}
            assert book.log.store.meta("schema") == SCHEMA_VERSION
    with gongfen.open(schema) as book:
        assert list(book.log.store.people())[1] == ("bo", "salt", '{"name":"Bo"}', True)
        book.forget("ada")
        assert [row[0] for row in book.log.store.people()] == ["bo"]
        book.verify()


def test_only_its_owner_brings_a_book_on_a_server_to_today_s_schema(server: Server, schema: str) -> None:
    test_stores.SERVER[:] = [server]
    set_back(schema)
    database, _, name = schema.rpartition("/")[2].partition("?schema=")
    grants = f"GRANT USAGE ON SCHEMA {name} TO reader_{name}", f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO reader_{name}"  # fmt: skip
    server.sql(f"CREATE ROLE reader_{name} LOGIN PASSWORD 'r'", *grants, database=database)
    address = f"postgresql://reader_{name}:r@127.0.0.1:{server.port}/{database}?schema={name}"
    with pytest.raises(BookPlaceError, match="has an older schema, and cannot be brought to today's") as shown:
        gongfen.open(address)
    assert "open it once as its owner" in shown.value.remedy
    assert raw(schema, "SELECT value FROM meta WHERE key = 'schema'") == [("2",)]


def test_details_that_wait_are_adopted_and_deleted_in_both_stores(place: str) -> None:
    with gongfen.create(place, origin=ORIGIN) as book:
        store = book.log.store
        assert not store.adopt_person("ada")
        store.put_person("ada", "1", "{}", waiting=True)
        store.put_person("bo", "5", "{}")
        assert (store.person("ada"), store.person("ada", waiting=True)) == (None, ("1", "{}"))
        assert store.adopt_person("ada")
        assert (store.person("ada"), store.person("ada", waiting=True)) == (("1", "{}"), None)
        store.put_person("ada", "2", "{}", waiting=True)
        assert list(store.people()) == [("ada", "1", "{}", False), ("ada", "2", "{}", True), ("bo", "5", "{}", False)]
        assert store.adopt_person("ada")
        assert store.person("ada") == ("2", "{}")
        store.put_person("ada", "3", "{}", waiting=True)
        assert store.forget_person("ada", only_waiting=True)
        assert not store.forget_person("ada", only_waiting=True)
        assert store.person("ada") == ("2", "{}")
        store.put_person("ada", "4", "{}", waiting=True)
        assert store.forget_person("ada")
        assert list(store.people()) == [("bo", "5", "{}", False)]

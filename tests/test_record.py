"""The record: written once, all or none, refused by the database itself when bent, found when damaged."""

import enum
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gongfen
from gongfen import accounts
from gongfen.book.recording.record import Record
from gongfen.errors import (
    AbsurdLabourError,
    BookPlaceError,
    DamagedBookError,
    DuplicateIdError,
    GongfenError,
    MalformedFactError,
    MissingAssumptionError,
    ProofError,
    UnknownMakerError,
    UnknownWorkError,
)
from gongfen.facts import Unknown
from gongfen.facts import kinds as k
from gongfen.proof.note import Signer
from tests.books import HASH, cooperative, new_book, said, signer_of


def rows_of(book: gongfen.Book) -> list[tuple[object, ...]]:
    return [
        *((name, *row) for name in accounts.TABLES for row in getattr(book.log.state, name).prefixed("")),
        *book.log.views.all_touches(),
        *book.log.views.all_bookings(),
    ]


def test_a_fact_gets_a_receipt_that_holds_without_the_book(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    for seq in range(book.log.size):
        book.receipt(seq).check(book.log.verifier)


def test_a_receipt_does_not_hold_for_another_fact_or_key(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    first, second = book.receipt(3), book.receipt(4)
    mixed = gongfen.book.recording.record.Receipt(
        **{name: getattr(first, name) for name in first.__struct_fields__} | {"data": second.data}
    )
    with pytest.raises(ProofError):
        mixed.check(book.log.verifier)
    with pytest.raises(ProofError):
        first.check(Signer(book.log.origin, bytes(32)).verifier)


def test_a_retry_is_harmless_and_a_rewrite_is_refused(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    fact = book.log.new(k.Enrol(maker="ada"), fact_id="enrol-ada")
    assert book.record(fact) == [0] == book.record(fact)
    assert book.log.size == 1
    with pytest.raises(DuplicateIdError, match="different content"):
        book.record(book.log.new(k.Enrol(maker="bo"), fact_id="enrol-ada"))


def test_a_retry_is_said_later_and_is_still_harmless(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    for minute in range(3):
        fact = book.log.new(k.Enrol(maker="ada"), fact_id="e", at=f"2026-11-22T04:0{minute}:00.000000Z")
        assert book.record(fact) == [0]


def test_what_is_booked_is_what_is_written_and_not_the_callers_object(tmp_path: Path) -> None:
    """A known kind disguised as an unknown one would pass every rule; an enum would be booked under its name."""
    book = cooperative(tmp_path)
    payment = b'{"amount_micro":5,"currency":"EUR","day":"2026-11-05","maker":"ada","method":"","payment":"p"}'
    with pytest.raises(MalformedFactError, match="are owed"):
        book.record(book.log.new(Unknown("payment", payment)))  # type: ignore[arg-type]

    class Name(enum.StrEnum):
        DEE = "dee"

    book.record(k.Enrol(maker=Name.DEE))
    assert book.log.state.makers.get("dee") is not None
    book.verify()


def test_names_at_the_edge_of_unicode_are_found_again(tmp_path: Path) -> None:
    # The last letter that Python 3.11 knows; what lies behind it cannot be seen, and is refused.
    book = new_book(
        tmp_path, f"enrol maker=\U0003134az\nwork work=\U0003134a sha256={HASH} size_bytes=0 makers= source=t licence=l"
    )
    book.verify()
    assert [key for key, _ in book.log.state.makers.prefixed("")] == ["\U0003134az"]


@pytest.mark.parametrize("body", [b"[" * 991 + b"]" * 991, b'{"x":9007199254740993}', b'{"x":1.5}', b'{"b":1,"a":1}'])
def test_a_fact_of_an_unknown_kind_that_others_could_not_read_is_refused(tmp_path: Path, body: bytes) -> None:
    book = new_book(tmp_path)
    with pytest.raises(MalformedFactError):
        book.record(book.log.new(Unknown("dream", body)))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [
    "labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1s day=9999-12-31 days=2",
    "enrol maker=owed:unidentified",
    'dataset dataset=d work= works=["base-2"] root=' + HASH + " licence=l",
    "sale sale=s output=poem-1 price_micro=1.0 currency=EUR day=2026-11-09",
])  # fmt: skip
def test_facts_that_would_break_the_books_later_are_refused_now(tmp_path: Path, line: str) -> None:
    book = cooperative(tmp_path)
    with pytest.raises(GongfenError):
        book.record(*said(line))
    book.verify()


def test_an_open_book_sees_what_another_program_wrote(tmp_path: Path) -> None:
    first = cooperative(tmp_path)
    before = first.worth("song-1").uslh
    second = gongfen.open(first.log.path)
    second.record(
        *said("labour maker=cy work=song-1 labour_kind=4 phase=inference standing=unpaid labour_us=1h day=2026-11-05")
    )
    assert first.worth("song-1").uslh == before + 1_000_000
    assert first.worth("song-1", "song-1") == first.worth("song-1"), "named twice, it is still one output"


@pytest.mark.parametrize("table", ["fact", "node", "checkpoint"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET rowid = 9", "DELETE FROM {}"])
def test_the_database_itself_refuses_update_and_delete(tmp_path: Path, table: str, verb: str) -> None:
    book = cooperative(tmp_path)
    if table == "node":
        book.record(*(k.Enrol(maker=f"maker-{n}") for n in range(256)))
        verb = verb.replace("rowid = 9", "level = 9")
    column = {"fact": "seq", "checkpoint": "size", "node": "level"}[table]
    with pytest.raises(sqlite3.IntegrityError, match="never"), sqlite3.connect(book.log.path) as db:
        db.execute(verb.format(table).replace("rowid", column))


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("labour maker=ada work=poem-9 labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-11-01", UnknownWorkError),
        ("labour maker=eve work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-11-01", UnknownMakerError),
        ("labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=23h day=2026-11-01", AbsurdLabourError),
        ("labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=25h day=2026-11-09", AbsurdLabourError),
        ("labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-11-09 skill=x9", MissingAssumptionError),
        ("labour maker=desk work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-11-09", MalformedFactError),
        ("compute machine=ada device=cpu work=poem-1 device_us=1s", MalformedFactError),
        ("enrol maker=ada", DuplicateIdError),
        (f"work work=poem-1 sha256={HASH} size_bytes=4 makers= source=t licence=l", DuplicateIdError),
        (f"output output=poem-1 sha256={HASH} size_bytes=4", DuplicateIdError),
        (f"work work=w sha256={HASH} size_bytes=4 makers=eve:1000000 source=t licence=l", UnknownMakerError),
        ("sale sale=s output=song-9 price_micro=1.0 currency=EUR day=2026-11-09", UnknownWorkError),
        ("plan work=song-9 uses=3", UnknownWorkError),
        (f"model model=late sha256={HASH} base=song-9 parameters=1 source=t licence=l", UnknownWorkError),
        ("influence influence=i9 target=song-9 model=poet grade=display method=t utility=u seed=0 effects=[]", UnknownWorkError),
    ],
)  # fmt: skip
def test_a_mistake_writes_nothing(tmp_path: Path, line: str, error: type[GongfenError]) -> None:
    """Also when it comes last in a batch of good facts."""
    book = cooperative(tmp_path)
    size, rows = book.log.size, rows_of(book)
    with pytest.raises(error):
        book.record(*said(f"enrol maker=good-{os.getpid()}\n{line}"))
    assert (book.log.size, rows_of(book)) == (size, rows)
    book.verify()


def test_a_model_without_a_plan_cannot_be_used(tmp_path: Path) -> None:
    book = new_book(
        tmp_path,
        f"model model=m sha256={HASH} parameters=1 source=t licence=l\noutput output=o sha256={HASH} size_bytes=0",
    )
    with pytest.raises(MissingAssumptionError, match="no planned uses"):
        book.record(*said('make make=x activity=generate inputs=[{"work":"m","role":"model"}] outputs=["o"] tool=t'))


def test_a_group_has_24_hours_a_head(tmp_path: Path) -> None:
    book = new_book(
        tmp_path,
        f"enrol maker=crew form=group people=3\nwork work=w sha256={HASH} size_bytes=0 makers= source=t licence=l",
    )
    labour = "labour maker=crew work=w labour_kind=2 phase=training standing=crowd day=2026-11-01 labour_us="
    book.record(*said(labour + "72h"))
    with pytest.raises(AbsurdLabourError):
        book.record(*said(labour + "1us"))


@pytest.mark.parametrize(
    ("line", "due"),
    [
        ("skill skill=knitting study_us=1h teach_us=1h wage_micro=1.0 simple_wage_micro=2.0", "skill knitting is paid"),
        ("labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=none day=2026-11-09",
         "labour of ada on poem-1 has no time"),
        ("labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-02-30",
         "labour of ada on poem-1 names the day"),
        ("compute machine=desk device=cpu work=poet device_us=1s day=2026-02-30", "compute of desk on poet names the day"),
        ("enrol maker=a:b", "enrol a:b holds a colon"),
        ("payment payment=p maker=ada amount_micro=1.0 currency=EUR day=2026-11-09", "payment p gives ada"),
        ("labour maker=bo work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=49h day=2026-11-09 days=2",
         "bo would have worked 24 h 30 min on 2026-11-09, of 24 h there are"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("fact_id", [None, "line-b9016f0bbb3e21816cccda42463d7a44", "timer-7"])
def test_an_error_calls_a_fact_by_what_it_says_and_by_no_id_that_a_program_drew(
    tmp_path: Path, line: str, due: str, fact_id: str | None
) -> None:
    book = cooperative(tmp_path)
    with pytest.raises(GongfenError) as found:
        book.record(book.log.new(said(line)[0], fact_id=fact_id))
    if fact_id == "timer-7" and not due.startswith(("bo", "payment")):
        due = f"{line.split(maxsplit=1)[0]} timer-7 "
    assert str(found.value).startswith(due)


def test_no_planned_use_is_answered_with_what_to_do() -> None:
    with pytest.raises(MalformedFactError) as found:
        said("plan work=poet uses=0")
    assert found.value.remedy == "plan at least one use"


def test_views_can_be_dropped_and_rebuilt_with_identical_results(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.settle("2026-11")
    before = rows_of(book)
    book.log.rebuild()
    assert rows_of(book) == before
    with sqlite3.connect(book.log.path) as db:
        db.executescript("DELETE FROM view; DELETE FROM touch; DELETE FROM posting; UPDATE viewed SET size = 0;")
    book.close()
    again = gongfen.open(book.log.path)
    assert rows_of(again) == before


def test_one_batch_and_many_give_the_same_views(tmp_path: Path) -> None:
    """How facts are cut into transactions must not change an answer."""
    from tests.books import COOPERATIVE

    whole = new_book(tmp_path, COOPERATIVE, "whole.db")
    single = new_book(tmp_path, "", "single.db")
    for body in said(COOPERATIVE):
        single.record(body)
    assert rows_of(whole) == rows_of(single)


def test_two_programs_write_one_book(tmp_path: Path) -> None:
    first = new_book(tmp_path, "enrol maker=ada")
    second = gongfen.open(first.log.path)
    second.record(*said(f"work work=w sha256={HASH} size_bytes=0 makers=ada:1000000 source=t licence=l"))
    first.record(
        *said("labour maker=ada work=w labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-11-01")
    )
    second.record(k.Enrol(maker="bo"))
    first.verify()
    second.verify()
    assert first.log.size == second.log.size == 4


def test_the_key_is_its_owners_alone_and_needed_to_write(tmp_path: Path) -> None:
    book = new_book(tmp_path, "enrol maker=ada")
    key = tmp_path / "book.db.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.write_text(f"{Signer('example.org/book', bytes(32))}\n")
    with pytest.raises(BookPlaceError, match="not the key of"):
        book.record(k.Enrol(maker="bo"))
    key.unlink()
    with pytest.raises(BookPlaceError, match="is not there"):
        book.record(k.Enrol(maker="bo"))
    assert gongfen.open(book.log.path).log.size == 1


def test_places_that_are_no_books_are_named(tmp_path: Path) -> None:
    with pytest.raises(BookPlaceError, match="is not there"):
        gongfen.open(tmp_path / "none.db")
    with pytest.raises(BookPlaceError, match="not a folder"):
        gongfen.create(tmp_path / "no" / "book.db")
    with pytest.raises(BookPlaceError, match="spaces"):
        gongfen.create(tmp_path / "book.db", origin="my book")
    new_book(tmp_path)
    with pytest.raises(BookPlaceError, match="already there"):
        gongfen.create(tmp_path / "book.db")
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be read as one" * 100)
    with pytest.raises(DamagedBookError, match="not a readable database"):
        gongfen.open(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE t (a)")
    with pytest.raises(BookPlaceError, match="not a book"):
        gongfen.open(tmp_path / "other.db")


def test_of_several_who_make_a_book_at_once_one_does_and_its_key_stays(tmp_path: Path) -> None:
    """The others find the key or the book there, and take neither away."""

    def make(number: int) -> str | None:
        try:
            gongfen.create(tmp_path / "book.db", origin=f"example.org/{number}").close()
        except BookPlaceError as error:
            return error.reason
        return None

    for _ in range(5):
        for left in tmp_path.iterdir():
            left.unlink()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(make, range(8)))
        assert found.count(None) == 1
        assert set(found) <= {None, "is there already", "is already there"}
        with gongfen.open(tmp_path / "book.db") as book:
            assert book.log.origin == f"example.org/{found.index(None)}"
            assert book.record(k.Enrol(maker="ada"))


# -- damage ------------------------------------------------------------------------------------------------------------

SCHEMA = files("gongfen.storage").joinpath("schema.sql").read_text(encoding="utf-8")
GUARDS = "".join(line for line in SCHEMA.splitlines(keepends=True) if line.startswith("CREATE TRIGGER"))
DROP = "DROP TRIGGER fact_update; DROP TRIGGER fact_delete; DROP TRIGGER checkpoint_update; DROP TRIGGER checkpoint_delete;"
TAMPERINGS = {
    "a byte of a fact": "UPDATE fact SET data = CAST(replace(data, 'ada', 'bob') AS BLOB) WHERE seq = 9",
    "a leaf hash": "UPDATE fact SET leaf = zeroblob(32) WHERE seq = 9",
    "a fact and its leaf hash": "UPDATE fact SET (data, leaf) = (SELECT data, leaf FROM fact WHERE seq = 2) WHERE seq = 9",
    "an id": "UPDATE fact SET id = 'other' WHERE seq = 9",
    "a fact in the middle is gone": "DELETE FROM fact WHERE seq = 9",
    "the last facts are gone": "DELETE FROM fact WHERE seq > 20",
    "the last checkpoint is gone": "DELETE FROM checkpoint",
    "a signature": "UPDATE checkpoint SET note = substr(note, 1, length(note) - 20) || 'AAAAAAAAAAAA' || substr(note, -8)",
    "an answer": "UPDATE view SET row = CAST('1' AS BLOB) WHERE tbl = 'balances' AND key = 'sales|EUR'",
    "an answer is gone": "DELETE FROM view WHERE tbl = 'works' AND key = 'poem-1'",
    "a posting": "UPDATE posting SET bookings = CAST(replace(bookings, 'ada', 'bob') AS BLOB)",
    "an index entry too many": "INSERT INTO touch VALUES ('poem-1', 1, x'9101')",
    "the book's name": "UPDATE meta SET value = 'evil.example/book' WHERE key = 'origin'",
    "a kept text": "UPDATE blob SET data = x'00'",
    "an index": "DELETE FROM touch WHERE ref = 'poem-1'",
    "views that have seen more than there is": "UPDATE viewed SET size = 1000",
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_an_edited_database_is_found(tmp_path: Path, tampering: str) -> None:
    book = cooperative(tmp_path)
    book.log.keep_views()
    with sqlite3.connect(book.log.path) as db:
        db.executescript(
            DROP + TAMPERINGS[tampering] + ";" + GUARDS.replace("CREATE TRIGGER", "CREATE TRIGGER IF NOT EXISTS")
        )
    with pytest.raises((DamagedBookError, ProofError), match=r"^(?!.*open to changes)"):
        gongfen.open(book.log.path).verify()


def test_a_log_that_could_be_changed_by_accident_is_found(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    with sqlite3.connect(book.log.path) as db:
        db.execute("DROP TRIGGER fact_delete")
    with pytest.raises(DamagedBookError, match="open to changes: the trigger fact_delete"):
        gongfen.open(book.log.path).verify()


def test_a_log_that_was_cut_and_signed_again_is_found_by_an_older_checkpoint(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    kept = book.log.checkpoint()
    other = tmp_path / "other"
    other.mkdir()
    rewritten = gongfen.create(other / "book.db", origin=book.log.origin)
    (other / "book.db.key").write_text(f"{signer_of(book)}\n")
    with sqlite3.connect(rewritten.log.path) as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'key'", (str(book.log.verifier),))
    forged = gongfen.open(rewritten.log.path)
    forged.record(k.Enrol(maker="eve"))
    forged.verify()
    with pytest.raises(DamagedBookError, match="lost facts"):
        forged.verify(since=kept)
    book.verify(since=kept)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_database_is_found(tmp_path: Path, share: float) -> None:
    book = cooperative(tmp_path)
    path = book.log.path
    book.close()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises((DamagedBookError, BookPlaceError)):
        gongfen.open(path).verify()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 2**31), change=st.integers(1, 255))
def test_a_flipped_byte_is_found_or_does_not_matter(small_book: Path, place: int, change: int) -> None:
    """Anywhere in the file: a named error, or the very same facts and answers (free space, statistics)."""
    data = bytearray(small_book.read_bytes())
    data[place % len(data)] ^= change
    copy = small_book.with_name("copy.db")
    for path in small_book.parent.glob("copy.db*"):
        path.unlink()
    copy.write_bytes(data)
    try:
        found = gongfen.open(copy)
        found.verify()
        assert facts_of(found.log) == facts_of(gongfen.open(small_book).log)
        found.close()
    except (DamagedBookError, BookPlaceError, ProofError):
        pass


def facts_of(record: Record) -> list[tuple[int, object]]:
    return list(record.facts())


@pytest.fixture(scope="module")
def small_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = cooperative(tmp_path_factory.mktemp("small"))
    book.log.store.close()
    return book.log.path

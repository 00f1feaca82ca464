"""Personal details live outside the log, and can be forgotten: then they are gone, and every proof still holds."""

import io
import json
import sqlite3
import stat
import zipfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gongfen
from gongfen.book.importing.corpus import name_of
from gongfen.book.recording import people
from gongfen.errors import DamagedBookError, DetailsError, GongfenError, MalformedFactError, UnknownMakerError
from gongfen.facts import kinds as k
from gongfen.reports.bundle import verify_bundle
from gongfen.storage.connection import Connection
from tests.books import HASH, cooperative, new_book, said
from tests.test_cli import gongfen_

NAME, CONTACT, ACCOUNT = "Grace Brewster Hopper", "grace@navy.example", "DE75512108001245126199"
KNOWN = {"name": NAME, "contact": CONTACT, "account": ACCOUNT}


def files_with(folder: Path, *texts: str) -> list[str]:
    """Every file below a folder in whose bytes one of the texts stands."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in found if any(text.encode() in path.read_bytes() for text in texts)]


def commitment_in(book: gongfen.Book, maker: str) -> str | None:
    known = book.log.state.makers.get(maker)
    assert known is not None
    return known.details_sha256


# -- described ---------------------------------------------------------------------------------------------------------


def test_a_person_is_enrolled_with_a_commitment_and_described_beside_the_log(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    found = book.describe("m-017", **KNOWN)
    assert found.details == book.details("m-017").details == KNOWN
    assert found.committed
    (enrol,) = [fact.body for _, fact in book.log.facts()]
    row = book.log.store.person("m-017")
    assert row is not None
    assert isinstance(enrol, k.Enrol)
    assert enrol.details_sha256 == sha256(f"{row[0]}\0{row[1]}".encode()).hexdigest()
    assert len(bytes.fromhex(row[0])) == 32
    assert row[1] == json.dumps(KNOWN, sort_keys=True, separators=(",", ":"))
    assert name_of(book.log, "m-017") == NAME
    book.verify()


def test_details_are_added_changed_and_taken_away_one_at_a_time(tmp_path: Path) -> None:
    book = new_book(tmp_path, "enrol maker=m-017")
    book.describe("m-017", name=NAME)
    book.describe("m-017", contact="grace@old.example")
    book.describe("m-017", contact=CONTACT)
    assert book.describe("m-017", name="").details == {"contact": CONTACT}
    assert [fact.kind for _, fact in book.log.facts()] == ["enrol", *["details"] * 4]
    assert book.log.about("m-017")[-1][1].body.details_sha256 == commitment_in(book, "m-017")  # type: ignore[union-attr]


def test_saying_the_same_again_writes_nothing(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    book.describe("m-017", name=NAME, nickname="")
    assert book.log.size == 1


def test_the_same_details_of_two_people_have_two_commitments(tmp_path: Path) -> None:
    """What the salt is for: otherwise a list of names is enough to find out who is who."""
    book = new_book(tmp_path)
    for maker in ("m-1", "m-2"):
        book.describe(maker, name=NAME)
    assert commitment_in(book, "m-1") != commitment_in(book, "m-2")
    for text in (NAME, f'{{"name":"{NAME}"}}'):
        assert sha256(text.encode()).hexdigest() not in {commitment_in(book, "m-1"), commitment_in(book, "m-2")}


@given(st.dictionaries(st.from_regex(people.FIELD, fullmatch=True), st.text(min_size=1, max_size=20), min_size=1))
def test_a_commitment_is_over_one_writing_of_the_details(details: dict[str, str]) -> None:
    try:
        salt, text, commitment = people.seal(details)
    except UnicodeEncodeError:
        return
    assert json.loads(text) == details
    assert commitment == sha256(bytes(salt, "ascii") + b"\0" + text.encode()).hexdigest()
    assert people.seal(dict(reversed(details.items())))[1] == text
    assert people.seal(details)[0] != salt


@pytest.mark.parametrize(
    ("maker", "details", "error"),
    [
        ("m-017", {}, DetailsError),
        ("m-017", {"Name": "x"}, DetailsError),
        ("m-017", {"full name": "x"}, DetailsError),
        ("m-017", {"name": "x" * 2001}, DetailsError),
        ("m-017", {"name": "\ud800"}, DetailsError),
        ("m-017", {"name": ""}, DetailsError),
        ("m 017", {"name": "x"}, MalformedFactError),
        ("m:017", {"name": "x"}, MalformedFactError),
        ("m-018", {"name": ""}, UnknownMakerError),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_of_it_is(
    tmp_path: Path, maker: str, details: dict[str, str], error: type[GongfenError]
) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", name=NAME)
    with pytest.raises(error):
        book.describe(maker, **details)
    assert book.log.size == 1
    assert book.details("m-017").details == {"name": NAME}
    assert book.log.store.person("m-018") is book.log.store.person("m 017") is book.log.store.person("m:017") is None


def test_a_description_that_cannot_be_recorded_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", name=NAME)

    def fail(*_: object) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(book.log.store, "append", fail)
    with pytest.raises(OSError, match="disk is full"):
        book.describe("m-017", name="Somebody Else")
    with pytest.raises(OSError, match="disk is full"):
        book.describe("m-018", name="Somebody Else")
    monkeypatch.undo()
    assert book.details("m-017").details == {"name": NAME}
    assert book.log.store.person("m-018") is None


def test_details_that_the_log_does_not_commit_to_are_noticed(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    row = book.log.store.person("m-017")
    assert row is not None
    for text in (row[1].replace("DE75", "DE76"), "no json", "[]"):
        book.log.store.put_person("m-017", row[0], text)
        with pytest.raises(DamagedBookError, match="m-017"):
            book.details("m-017")
    book.log.store.put_person("m-017", *row)
    assert book.details("m-017").details == KNOWN


def test_what_an_early_import_kept_is_still_believed(tmp_path: Path) -> None:
    """Version 0.1 wrote no zero byte between salt and details."""
    book = new_book(tmp_path)
    salt, text = "00" * 16, '{"name": "Ada"}'
    book.log.store.put_person("ada", salt, text)
    book.record(k.Enrol(maker="ada", details_sha256=sha256(f"{salt}{text}".encode()).hexdigest()))
    assert book.details("ada").details == {"name": "Ada"}


# -- forgotten ---------------------------------------------------------------------------------------------------------


def test_what_is_forgotten_is_in_no_file_of_the_book_and_every_proof_still_holds(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.describe("m-017", **KNOWN)
    book.describe("m-018", name="Somebody Else")
    book.settle("2026-11")
    receipts = [book.receipt(seq) for seq in range(book.log.size)]
    bundle, checkpoint = book.audit(), book.log.checkpoint()
    row = book.log.store.person("m-017")
    assert row is not None
    assert files_with(tmp_path, NAME, CONTACT, ACCOUNT, row[0]), "they were there"

    assert book.forget("m-017").forgotten == book.log.size - 1

    assert files_with(tmp_path, NAME, CONTACT, ACCOUNT, row[0]) == []
    book.close()
    assert files_with(tmp_path, NAME, CONTACT, ACCOUNT, row[0]) == []
    book = gongfen.open(book.log.path)
    book.verify(since=checkpoint)
    for receipt in receipts:
        receipt.check(book.log.verifier)
    verify_bundle(bundle, book.log.verifier)
    verify_bundle(book.audit(), book.log.verifier)
    assert book.details("m-018").details == {"name": "Somebody Else"}


def test_the_log_says_that_and_when_somebody_was_forgotten(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    commitment = commitment_in(book, "m-017")
    book.forget("m-017")
    assert book.log.fact(1).body == k.Forgetting(maker="m-017", details_sha256=commitment or "")
    found = book.details("m-017")
    assert (found.details, found.committed, found.forgotten) == (None, False, 1)
    assert name_of(book.log, "m-017") == "m-017"
    book.log.rebuild()
    assert book.details("m-017") == found


def test_a_bundle_never_holds_details(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.describe("ada", **KNOWN)
    with zipfile.ZipFile(io.BytesIO(book.audit())) as bundle:
        inside = b"".join(bundle.read(name) for name in bundle.namelist())
    for text in (NAME, CONTACT, ACCOUNT, "details_sha256"):
        assert (text.encode() in inside) == (text == "details_sha256")


def test_nobody_is_forgotten_twice_and_nothing_is_not_forgotten(tmp_path: Path) -> None:
    book = new_book(tmp_path, "enrol maker=bo")
    with pytest.raises(UnknownMakerError, match="eve is not enrolled"):
        book.forget("eve")
    with pytest.raises(DetailsError, match="bo has no details"):
        book.forget("bo")
    book.describe("bo", name="Bo")
    book.forget("bo")
    with pytest.raises(DetailsError, match="was forgotten with fact 2"):
        book.forget("bo")
    assert book.log.size == 3


def test_who_was_forgotten_can_be_described_again(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    book.forget("m-017")
    assert book.describe("m-017", name="Grace").details == {"name": "Grace"}, "nothing of the old comes back"
    assert book.details("m-017").forgotten is None
    book.forget("m-017")
    assert book.details("m-017").forgotten == 3


@pytest.mark.parametrize(
    "line", [f"forgetting maker=m-017 details_sha256={HASH}", f"forgetting maker=bo details_sha256={HASH}"]
)
def test_a_forgetting_of_what_is_not_there_is_refused(tmp_path: Path, line: str) -> None:
    book = new_book(tmp_path, "enrol maker=bo")
    book.describe("m-017", **KNOWN)
    with pytest.raises(DetailsError, match="no such details"):
        book.record(*said(line))


def test_a_forgetting_that_was_only_said_is_found_and_made_up_for(tmp_path: Path) -> None:
    """Somebody records the fact by hand, or restores an old copy of the details: the next `forget` deletes them."""
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    row = book.log.store.person("m-017")
    assert row is not None
    book.record(k.Forgetting(maker="m-017", details_sha256=commitment_in(book, "m-017") or ""))
    assert book.details("m-017").details is None, "what was forgotten is not shown, whoever kept it"
    with pytest.raises(DamagedBookError, match="still kept"):
        book.verify()
    size = book.log.size
    book.forget("m-017")
    book.verify()
    assert book.log.size == size
    assert files_with(tmp_path, NAME, row[0]) == []


def test_a_forgetting_that_could_not_be_written_can_be_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)

    def fail(*_: object) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(book.log.store, "append", fail)
    with pytest.raises(OSError, match="disk is full"):
        book.forget("m-017")
    monkeypatch.undo()
    assert files_with(tmp_path, NAME) == []
    found = book.details("m-017")
    assert (found.details, found.committed, found.forgotten) == (None, True, None)
    assert book.forget("m-017").forgotten == 1


def test_whoever_is_killed_while_describing_leaves_what_the_log_commits_to(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", name="Old")
    store = book.log.store
    old = store.person("m-017")
    assert old is not None
    store.put_person("m-017", "salt", '{"name":"New"}', waiting=True)
    assert book.details("m-017").details == {"name": "Old"}, "killed before the log committed to the new ones"
    assert book.verify().waiting == ("m-017",)
    book.describe("m-017", name="New")
    assert book.verify().waiting == ()
    new = store.person("m-017")
    assert new is not None
    store.put_person("m-017", *old)
    store.put_person("m-017", *new, waiting=True)
    assert book.details("m-017").details == {"name": "New"}, "killed after it"
    assert (store.person("m-017"), store.person("m-017", waiting=True)) == (new, None)
    assert files_with(tmp_path, '"Old"') == [], "what was replaced is overwritten"
    store.put_person("m-017", *old, waiting=True)
    book.forget("m-017")
    assert files_with(tmp_path, '"Old"', '"New"') == []


def test_details_that_wait_for_nothing_are_named_and_forgotten(tmp_path: Path) -> None:
    """Whoever was killed while describing somebody new: the book holds, and says whose details to delete."""
    book = new_book(tmp_path, "enrol maker=bo")
    book.log.store.put_person("m-017", "salt", '{"name":"Ada"}', waiting=True)
    assert book.verify().waiting == ("m-017",)
    book.close()
    said_ = gongfen_(tmp_path, "verify", "book.db").stdout
    assert "does not commit to: m-017" in said_
    assert "m-017" in gongfen_(tmp_path, "verify", "book.db", GONGFEN_LANG="zh").stdout
    with gongfen.open(book.log.path) as again:
        again.forget("m-017")
        assert again.verify().waiting == ()
    assert files_with(tmp_path, "Ada") == []


def test_details_of_strangers_are_found_and_can_be_deleted(tmp_path: Path) -> None:
    book = new_book(tmp_path, "enrol maker=bo")
    book.describe("m-017", **KNOWN)
    for maker in ("eve", "bo"):
        book.log.store.put_person(maker, "salt", '{"name":"Eve"}')
        with pytest.raises(DamagedBookError, match=f"of {maker} are still kept, though the log commits to none"):
            book.verify()
        book.forget(maker)
    book.verify()
    assert files_with(tmp_path, "Eve") == []


SPIES = {
    "a trigger": "CREATE TRIGGER spy BEFORE DELETE ON person BEGIN INSERT INTO person VALUES "
    "('copy of ' || OLD.maker, OLD.salt, OLD.details, 1); END",
    "a table": "CREATE TABLE spy AS SELECT * FROM person",
    "an index": "CREATE INDEX spy ON person (details)",
    "a view": "CREATE VIEW spy AS SELECT * FROM person",
    "another shape": "ALTER TABLE person ADD COLUMN spy TEXT",
}


@pytest.mark.parametrize("spy", SPIES)
def test_what_could_carry_details_away_is_found(tmp_path: Path, spy: str) -> None:
    """A trigger in the people's file would survive `gongfen forget`, and undo it."""
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    book.verify()
    with closing(sqlite3.connect(tmp_path / "book.db.people")) as db, db:
        db.execute(SPIES[spy])
    with pytest.raises(
        DamagedBookError, match=r"open to changes: the \w+ \w+ of book.db.people is not as a book has it"
    ):
        book.verify()


def test_damage_in_the_people_s_file_is_found(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    book.close()
    path = tmp_path / "book.db.people"
    data = path.read_bytes()
    path.write_bytes(data[:5_000] + data[5_000:].replace(b"m-017", b"m-018"))
    with gongfen.open(book.log.path) as again, pytest.raises(DamagedBookError):
        again.verify()


EARLY = "CREATE TABLE person (maker TEXT PRIMARY KEY, salt TEXT NOT NULL, details TEXT NOT NULL) STRICT"
WITHOUT_OVERWRITING = {"PRAGMA secure_delete = ON": "PRAGMA secure_delete = OFF"}
"""As SQLite behaves where it was built without it."""


def test_an_early_file_of_people_is_brought_to_today_s_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Details waited under a made-up name then. What is not needed any more is in no free page either."""
    run = Connection.run
    monkeypatch.setattr(
        Connection, "run", lambda db, query, *rest: run(db, WITHOUT_OVERWRITING.get(query, query), *rest)
    )
    book = new_book(tmp_path)
    book.describe("m-017", name="Old")
    book.describe("m-018", name="Other")
    rows = {row[0]: row[1:3] for row in book.log.store.people()}
    book.close()
    path = tmp_path / "book.db.people"
    path.unlink()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(EARLY)
        db.execute("INSERT INTO person VALUES ('m-017', ?, ?)", ("salt", '{"name":"Stale"}'))
        db.execute("INSERT INTO person VALUES ('m-017|next', ?, ?)", rows["m-017"])
        db.execute("INSERT INTO person VALUES ('m-018', ?, ?)", rows["m-018"])
        db.execute("INSERT INTO person VALUES ('m-018|next', 'salt', '{}')")
    book = gongfen.open(book.log.path)
    assert book.log.store.person("m-017", waiting=True) == rows["m-017"]
    assert book.log.store.person("m-017|next") is None
    assert book.details("m-017").details == {"name": "Old"}
    assert book.details("m-018").details == {"name": "Other"}
    assert book.verify().waiting == ("m-018",)
    assert files_with(tmp_path, "Stale", "|next") == []
    book.forget("m-017")
    assert files_with(tmp_path, '"Old"') == []


def test_the_details_are_their_owners_alone(tmp_path: Path) -> None:
    book = new_book(tmp_path)
    book.describe("m-017", **KNOWN)
    for name in files_with(tmp_path, NAME):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name


# -- on the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    assert gongfen_(tmp_path, "init").returncode == 0
    return tmp_path


def test_a_person_is_described_shown_and_forgotten_by_their_commands(shop: Path) -> None:
    done = gongfen_(shop, "person", "m-017", f"name={NAME}", f"contact={CONTACT}")
    assert done.returncode == 0, done.stderr
    shown = gongfen_(shop, "person", "m-017").stdout
    assert NAME in shown
    assert CONTACT in shown
    assert json.loads(gongfen_(shop, "person", "m-017", "--json").stdout)["details"]["name"] == NAME
    assert NAME not in gongfen_(shop, "log", "--json").stdout
    assert "is deleted" in gongfen_(shop, "forget", "m-017").stdout
    assert "was forgotten, with fact 1" in gongfen_(shop, "person", "m-017").stdout
    assert "已被遗忘" in gongfen_(shop, "person", "m-017", GONGFEN_LANG="zh").stdout
    assert gongfen_(shop, "verify").returncode == 0
    assert files_with(shop, NAME) == []


def test_markup_in_a_name_is_a_name(shop: Path) -> None:
    gongfen_(shop, "person", "m-017", "name=[bold red]X[/] =1+1")
    assert "[bold red]X[/] =1+1" in gongfen_(shop, "person", "m-017").stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("person", "m-017"), "m-017 is not enrolled"),
        (("person", "m-017", "Grace"), "is not of the form field=value"),
        (("person", "m-017", "name=a", "name=b"), "is given twice"),
        (("person", "m-017", "Name=a"), "is no name of a detail"),
        (("person", "m-017", "name="), "m-017 is not enrolled"),
        (("person", "m 017", "name=a"), "in which a space"),
        (("forget", "m-017"), "m-017 is not enrolled"),
    ],
)
def test_mistakes_with_people_are_named(shop: Path, words: tuple[str, ...], reason: str) -> None:
    found = gongfen_(shop, *words)
    assert found.returncode == 2, found.stdout
    assert reason in found.stderr
    assert gongfen_(shop, "log", "--json").stdout == ""


def test_a_detail_may_be_called_like_a_word_of_the_program(shop: Path) -> None:
    assert gongfen_(shop, "person", "m-017", "maker=a", "self=b").returncode == 0


@pytest.mark.parametrize("verb", [("person",), ("key",), ("key", "new")])
def test_help_advises_pseudonyms(shop: Path, verb: tuple[str, ...]) -> None:
    said_ = " ".join(gongfen_(shop, *verb, "--help").stdout.split())
    assert "m-017" in said_
    assert "for good" in said_

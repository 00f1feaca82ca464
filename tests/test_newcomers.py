"""What somebody meets who uses the record for the first time: keys, wrong words, narrow screens, another language."""

import json
import threading
import unicodedata
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

import gongfen
from gongfen.book.proving.witness import Witness, new_witness
from gongfen.facts import KINDS
from gongfen.reports import verify
from gongfen.reports.replies import Owed
from gongfen.reports.text import replies
from gongfen.reports.words import Words
from tests.books import cooperative, new_book
from tests.test_cli import Said, gongfen_

BOOK = ("--book", "book.db")
LABOUR = (
    "labour",
    "work=poem-1",
    "labour_kind=2",
    "phase=training",
    "standing=crowd",
    "labour_us=3s",
    "day=2026-11-09",
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a settled cooperative's book in it."""
    book = cooperative(tmp_path)
    book.settle("2026-11")
    book.close()
    return tmp_path


def asked(folder: Path, *words: str, code: int = 0, given: str = "", **environment: str) -> Said:
    found = gongfen_(folder, *words, given=given, **environment)
    assert found.returncode == code, found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    return found


# -- who made it -------------------------------------------------------------------------------------------------------


def test_who_made_a_work_names_its_makers_and_calls_it_no_output(shop: Path) -> None:
    """Its labour was measured, and has passed on: it is not said to be unmeasured."""
    said = asked(shop, "who", "poem-2", *BOOK).stdout
    assert "poem-2: a work by ada 40%, bo 60%" in said
    assert "poem-1: a work by ada\n" in asked(shop, "who", "poem-1", *BOOK).stdout
    assert "poem-2 (data)" in said
    assert "output" not in said
    assert "labour in it" in said
    assert "has passed on" in said


def test_who_made_a_model_says_what_it_is(shop: Path) -> None:
    said = asked(shop, "who", "poet", *BOOK).stdout
    assert "3 works by 2 makers stand behind it" in said
    assert "poet (model)" in said


def test_who_of_a_maker_leads_to_what_is_known_of_a_maker(shop: Path) -> None:
    said = asked(shop, "who", "ada", *BOOK, code=2).stderr
    assert "ada is a maker, not a work" in said
    assert "gongfen owed ada" in said
    assert "gongfen export statement --maker ada" in said


# -- settling and paying -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [("settle",), ("books", "close"), ("books", "indicators")])
@pytest.mark.parametrize("period", ["2026-1", "november"])
def test_what_is_no_period_is_named_before_anything_is_asked_of_it(
    shop: Path, verb: tuple[str, ...], period: str
) -> None:
    """``2026-1`` was said to lack a measurement, which nobody can make."""
    assert f"period '{period}' is no period" in asked(shop, *verb, period, *BOOK, code=2).stderr


def test_who_was_paid_everything_is_told_so(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.close()
    nothing = asked(tmp_path, "pay", *BOOK, code=2).stderr
    assert nothing.startswith("nobody is owed anything that can be paid\n  → settle a period first")
    asked(tmp_path, "settle", "2026-11", *BOOK)
    asked(tmp_path, "pay", *BOOK)
    for whom, said in (((), "everybody"), (("ada",), "ada")):
        assert asked(tmp_path, "pay", *whom, *BOOK, code=2).stderr.startswith(
            f"{said} has been paid all that was settled\n  → settle the next period"
        )


# -- bringing in and labelling ------------------------------------------------------------------------------------------


def test_a_table_is_no_list_of_facts(shop: Path) -> None:
    (shop / "hours.csv").write_text("Name,Date,Hours\nAda,2026-11-02,2\n")
    assert "gongfen import toggl FILE" in asked(shop, "record", "hours.csv", *BOOK, code=2).stderr


@pytest.mark.parametrize(("kind", "said"), [("labor", "write labour, or one of: close"), ("poem", "use one of: close")])
def test_a_kind_that_is_misspelt_is_guessed(shop: Path, kind: str, said: str) -> None:
    assert said in asked(shop, "record", kind, "maker=ada", *BOOK, code=2).stderr


def test_a_table_without_its_tool_is_no_broken_corpus(shop: Path) -> None:
    (shop / "hours.csv").write_text("Name,Date,Hours\nAda,2026-11-02,2\n")
    said = asked(shop, "import", "hours.csv", *BOOK, code=2).stderr
    assert "hours.csv is a table" in said
    assert "gongfen import --help" in said
    assert "JSON: Expecting" not in said


@pytest.mark.parametrize(("name", "what"), [("poem-1", "data"), ("poems", "a dataset"), ("poet", "a model")])
def test_what_no_model_made_is_refused_for_that_and_not_for_its_text(shop: Path, name: str, what: str) -> None:
    assert f"{name} is {what}, not an output" in asked(shop, "label", name, *BOOK, code=2).stderr
    sale = ("record", "sale", "sale=s9", f"output={name}", "price_micro=1.00", "currency=EUR", "day=2026-12-01")
    assert f"{name} is {what}, not an output" in asked(shop, *sale, *BOOK, code=2).stderr


# -- keys --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def quantum(tmp_path: Path) -> Path:
    """A book with two keys, its bundle, receipt, published log; and each key, and both, in a file."""
    asked(tmp_path, "init", "example.org/pq", "--post-quantum", *BOOK)
    asked(tmp_path, "record", "enrol", "maker=ada", *BOOK)
    asked(tmp_path, "audit", "a.zip", *BOOK)
    asked(tmp_path, "log", "receipt", "0", "--out", "r.tlog-proof", *BOOK)
    asked(tmp_path, "log", "publish", "log", *BOOK)
    asked(tmp_path, "log", "key", "--out", "both.txt", *BOOK)
    for name, line in zip(("ed.txt", "pq.txt"), (tmp_path / "both.txt").read_text().splitlines(), strict=True):
        (tmp_path / name).write_text(f" {line} \r\n\n")
    return tmp_path


@pytest.mark.parametrize(
    "target",
    [
        ("verify", "a.zip"),
        ("verify", "r.tlog-proof"),
        ("verify", "book.db"),
        ("log", "check", "log"),
        ("log", "mirror", "log", "mirror"),
        ("log", "compare", "log/checkpoint", "log/checkpoint"),
        ("log", "compare", "log/checkpoint", "--log", "log"),
        ("log", "compare", "log/checkpoint", "--book", "book.db"),
    ],
)
def test_a_signature_that_nobody_checked_is_said_to_be_unchecked(quantum: Path, target: tuple[str, ...]) -> None:
    for one in ("ed.txt", "pq.txt"):
        assert "Not checked: 1 further signature of the book" in asked(quantum, *target, "--key", one).stdout
        assert "未核验" in asked(quantum, *target, "--key", one, LANG="zh_CN.UTF-8").stdout
        assert json.loads(asked(quantum, *target, "--key", one, "--json").stdout)["unchecked_signatures"] == 1
    for both in (("both.txt",), ("ed.txt", "--key", "pq.txt"), ((quantum / "both.txt").read_text(),)):
        assert "Not checked" not in asked(quantum, *target, "--key", *both).stdout


def test_the_small_verifier_takes_files_and_says_what_it_did_not_check(
    quantum: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*words: str) -> str:
        monkeypatch.chdir(quantum)
        monkeypatch.setattr("sys.argv", ["verify.py", *words])
        verify.main()
        told = capsys.readouterr()
        return told.out + told.err

    assert "NOT CHECKED: another signature of the book" in said("a.zip", "--key", "ed.txt")
    whole = said("a.zip", "--key", "ed.txt", "--key", "pq.txt")
    assert whole == said("a.zip", "--key", "both.txt")
    assert "NOT CHECKED" not in whole
    assert max(map(len, whole.splitlines())) < 240
    assert "Fact 0, enrol, by " in said("r.tlog-proof", "--key", "ed.txt")


def test_a_log_is_no_witness_of_itself(quantum: Path) -> None:
    """Its ML-DSA key is of a kind that witnesses have, too, and signs every checkpoint."""
    for target in ("a.zip", "r.tlog-proof"):
        told = asked(quantum, "verify", target, "--key", "both.txt", "--witness", "pq.txt", code=2)
        assert "witness example.org/pq is the log itself" in told.stderr
        assert asked(quantum, "verify", target, "--key", "both.txt", "--quorum", "0", code=2)


def test_a_receipt_says_which_log_and_what_the_fact_says(quantum: Path) -> None:
    told = asked(quantum, "verify", "r.tlog-proof", "--key", "both.txt").stdout
    assert "Log example.org/pq, 1 fact, root " in told
    assert ": maker=ada" in told
    found = json.loads(asked(quantum, "verify", "r.tlog-proof", "--key", "both.txt", "--json").stdout)
    assert (found["origin"], found["size"], found["kind"]) == ("example.org/pq", 1, "enrol")
    assert found["said"]["body"]["maker"] == "ada"


def test_a_receipt_of_hours_shows_the_hours_and_the_day(shop: Path) -> None:
    asked(shop, "log", "receipt", "9", "--out", "hours.tlog-proof", *BOOK)
    asked(shop, "log", "key", "--out", "key.txt", *BOOK)
    said = asked(shop, "verify", "hours.tlog-proof", "--key", "key.txt", *BOOK).stdout
    assert "labour_us=2h" in said
    assert "day=2026-11-01" in said


def test_flagged_signatures_reach_whoever_checks_the_bundle(shop: Path) -> None:
    made = json.loads(asked(shop, "key", "new", "ada", "--name", "ada/k", "--out", "ada.key", "--json", *BOOK).stdout)
    assert made["key"] == "ada/k"
    work = ("record", "drop", "item=d", "reason=withdrawn", "--sign", "ada.key")
    asked(shop, *work, *BOOK)
    asked(shop, "key", "revoke", "ada/k", "--reason", "lost", *BOOK)
    number = json.loads(asked(shop, *work, "--json", *BOOK).stdout)
    asked(shop, "audit", "a.zip", *BOOK)
    found = json.loads(asked(shop, "verify", "a.zip", "--json").stdout)
    assert (found["signed"], found["flagged"], found["flagged_facts"]) == (2, 1, [found["size"] - 1]), number
    assert f"signed with a key that had ended: {found['size'] - 1}" in asked(shop, "verify", "a.zip").stdout
    assert "存疑" in asked(shop, "verify", "a.zip", LANG="zh_CN.UTF-8").stdout


def test_the_bundle_comes_with_the_command_that_checks_all_of_it(quantum: Path) -> None:
    told = asked(quantum, "audit", "b.zip", *BOOK).stdout
    assert "signed with 2 keys" in told
    assert max(map(len, told.splitlines())) < 160, "a key of 1,752 characters is cut on a screen"
    assert "gongfen verify b.zip --key key.txt" in told
    keys = json.loads(asked(quantum, "audit", "b.zip", "--json", *BOOK).stdout)["key"]
    assert keys.splitlines() == (quantum / "both.txt").read_text().splitlines()
    assert "Not checked" not in asked(quantum, "verify", "b.zip", "--key", keys).stdout


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nowhere.txt", "is neither a verifier key nor a file"), ("book.db.key", "holds a secret key"), ("empty", "is empty"),
     ("book.db", "is not text")],
)  # fmt: skip
def test_what_is_no_public_key_is_named(quantum: Path, name: str, reason: str) -> None:
    (quantum / "empty").write_text("\n")
    told = asked(quantum, "verify", "a.zip", "--key", name, code=2).stderr
    assert reason in told
    assert "nothing was written" not in told
    assert (quantum / "book.db.key").read_text().split()[0] not in told


def test_a_secret_key_that_is_given_as_text_is_not_said_again(quantum: Path) -> None:
    secret = (quantum / "book.db.key").read_text().split()[0]
    told = asked(quantum, "verify", "a.zip", "--key", secret, code=2).stderr
    assert "is a secret key" in told
    assert secret[-20:] not in told
    assert secret[20:50] not in told


def test_a_long_key_does_not_flood_an_error(quantum: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    asked(other, "init", "example.org/pq", "--post-quantum")
    key = asked(other, "log", "key").stdout.split()[1]
    told = asked(quantum, "verify", "a.zip", "--key", key, code=2).stderr
    assert "is not signed by example.org/pq+" in told
    assert max(map(len, told.splitlines())) < 160


def test_a_witness_is_trusted_and_named_by_files(shop: Path) -> None:
    asked(shop, "log", "key", "--out", "key.txt", *BOOK)
    with new_witness(shop / "w", "witness.example/archive") as made:
        (shop / "w.txt").write_text(f"{made.key}\n\n")
    assert "is witnessed" in asked(shop, "witness", "trust", "key.txt", "--dir", "w").stdout
    policy = asked(shop, "log", "policy", "--witness", "archive w.txt http://127.0.0.1:9", *BOOK).stdout
    assert f"witness archive {(shop / 'w.txt').read_text().strip()} http://127.0.0.1:9" in policy


def test_a_quorum_that_is_not_there_names_the_witnesses(shop: Path) -> None:
    for n in (1, 2):
        new_witness(shop / f"w{n}", f"witness.example/{n}").close()
        (shop / f"w{n}.txt").write_text(asked(shop, "witness", "key", "--dir", f"w{n}").stdout)
    asked(shop, "log", "key", "--out", "key.txt", *BOOK)
    asked(shop, "audit", "a.zip", *BOOK)
    asked(shop, "log", "receipt", "3", "--out", "r.tlog-proof", *BOOK)
    for target in ("a.zip", "r.tlog-proof"):
        told = asked(
            shop, "verify", target, "--key", "key.txt", "--witness", "w1.txt", "--witness", "w2.txt", code=2
        ).stderr
        assert "was cosigned by 0 of 2 witnesses; 2 are asked for" in told
        assert "witness.example/1, witness.example/2" in told


def test_a_receipt_shows_who_cosigned_it(shop: Path) -> None:
    from gongfen.book.proving.witness_server import WitnessServer

    asked(shop, "log", "key", "--out", "key.txt", *BOOK)
    with new_witness(shop / "w", "witness.example/archive") as made:
        (shop / "w.txt").write_text(made.key)
    asked(shop, "witness", "trust", "key.txt", "--dir", "w")
    with Witness(shop / "w") as witness, WitnessServer(witness, "127.0.0.1", 0, lambda _: None) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        asked(shop, "log", "policy", "--witness", f"archive w.txt {server.address}", *BOOK)
        for _ in range(2):
            asked(shop, "log", "witness", *BOOK)
        (log,) = witness.logs()
        server.stop()
        serving.join()
    assert log.note.count("— witness.example/archive ") == 1, "the newest line takes the place of the one before"
    assert (
        "cosigned by witness.example/archive at"
        in asked(shop, "log", "receipt", "3", "--out", "r.tlog-proof", *BOOK).stdout
    )
    trusted = asked(shop, "verify", "r.tlog-proof", "--key", "key.txt", "--witness", "w.txt").stdout
    assert "cosigned by witness.example/archive at 2" in trusted
    stranger = asked(shop, "verify", "r.tlog-proof", "--key", "key.txt").stdout
    assert "It carries cosignatures of witness.example/archive, not checked" in stranger
    assert "the policy holds" in asked(shop, "log", "witness", *BOOK).stdout


def test_a_damaged_memory_is_that_of_the_witness_and_no_book(tmp_path: Path) -> None:
    new_witness(tmp_path / "w", "witness.example/archive").close()
    (tmp_path / "w" / "witness.db").write_bytes(b"SQLite format 3\0" + bytes(5_000))
    told = asked(tmp_path, "witness", "list", "--dir", "w", code=2).stderr
    assert "the witness's memory w/witness.db" in told
    assert "gongfen witness new" in told
    assert "restore the book" not in told


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("work", "work=w"), "lacks the field sha256"),
        (("enrol", "maker=a", "nobody=1"), "has no field nobody"),
        (("enrol", "maker=a", "people=many"), "people must be a whole number, and is a text"),
        (("enrol", "maker=a", "people=0"), "people must be at least 1"),
        (("enrol", "maker=a", "form=ghost"), "form cannot be 'ghost'"),
        (("plan", "work=w", "uses=1.5"), "uses must be a whole number, and is a number with a point"),
        (("work", "work=w", "sha256=abc"), "sha256 must have at least 64 characters"),
        (("enrol", "maker="), "maker must have at least 1 character\n"),
    ],
)
def test_a_wrong_field_is_named_in_words_of_the_house(shop: Path, words: tuple[str, ...], reason: str) -> None:
    told = asked(shop, "record", *words, *BOOK, code=2).stderr
    assert reason in told
    assert "`" not in told
    assert "docs/" not in told
    if "gongfen record" in told:
        assert f"gongfen record {words[0]} --help" in told


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("labour_us=1:30",), "write a time, say 40s, 90m, 1.5h or 1h30m"),
        (("labour_us=",), "write a time, say 40s, 90m, 1.5h or 1h30m"),
        (("standing=volunteer",), "write one of employed, crowd, on-demand, unpaid; see its fields"),
        (("day=today",), "write the day as YYYY-MM-DD"),
        (("day=yesterday evening",), "write the day as YYYY-MM-DD"),
    ],
)
def test_a_value_that_does_not_fit_says_how_it_is_written(shop: Path, words: tuple[str, ...], remedy: str) -> None:
    names = {word.partition("=")[0] for word in words}
    others = (word for word in LABOUR if word.partition("=")[0] not in names)
    assert f"→ {remedy}" in asked(shop, "record", *others, "maker=ada", *words, *BOOK, code=2).stderr


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("sale sale=s output=song-1 price_micro=12,50 currency=EUR day=2026-11-03", "write an amount, say 12.50"),
        ("sale sale=s output=song-1 price_micro=12.50 currency=Euro day=2026-11-03", "write three capital letters"),
        ("policy policy=p statement=all pool_ppm=50% beta_ppm=0 utility=none currency=EUR", "50% is 500000"),
    ],
)
def test_money_and_parts_that_do_not_fit_say_how_they_are_written(shop: Path, words: str, remedy: str) -> None:
    assert remedy in asked(shop, "record", *words.split(), *BOOK, code=2).stderr


@pytest.mark.parametrize("kind", KINDS)
def test_help_on_a_kind_names_its_fields(tmp_path: Path, kind: str) -> None:
    told = asked(tmp_path, "record", kind, "--help").stdout
    for field in msgspec.structs.fields(KINDS[kind]):
        assert f"\n  {field.name} " in told
    assert "unset" not in told.lower()
    assert "``" not in told
    assert kind in asked(tmp_path, "record", "--help").stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("log", "--last", "-5"), "Invalid value for '--last'"),
        (("witness", "serve", "--port", "70000"), "Invalid value for '--port'"),
        (("verify", "--quorum", "-1"), "Invalid value for '--quorum'"),
        (("verify", "a.zip", "--quorum", "3"), "asks for more than 0 witnesses"),
        (("trace", "song-1", "--validate", "-1"), "Invalid value for '--validate'"),
        (("generate", "poet", "Sing", "--name", "x", "--by", "cy", "--tokens", "0"), "Invalid value for '--tokens'"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(shop: Path, words: tuple[str, ...], reason: str) -> None:
    asked(shop, "audit", "a.zip", *BOOK)
    assert reason in asked(shop, *words, code=2, GONGFEN_BOOK="book.db").stderr


def test_a_verb_that_only_reads_does_not_say_that_nothing_was_written(shop: Path) -> None:
    for words in (("who", "x"), ("owed", "x"), ("log", "receipt", "999"), ("verify", "--key", "x"), ("person", "nobody"),
                  ("log", "check", "nowhere", "--key", "x"), ("key", "list", "nobody")):  # fmt: skip
        assert "written" not in asked(shop, *words, code=2, GONGFEN_BOOK="book.db").stderr, words
        parts = json.loads(asked(shop, *words, "--json", code=2, GONGFEN_BOOK="book.db").stderr)
        assert parts["left"] == ""
    assert "nothing was written" in asked(shop, "person", "ada", "name", *BOOK, code=2).stderr


def test_a_label_without_a_producer_names_the_option(shop: Path) -> None:
    assert "gongfen label --producer CODE" in asked(shop, "label", "song-1", *BOOK).stdout


def test_forgetting_names_where_the_details_lie(shop: Path, schema: str) -> None:
    asked(shop, "person", "ada", "name=Ada", *BOOK)
    assert "Copies of book.db.people elsewhere" in asked(shop, "forget", "ada", *BOOK).stdout
    asked(shop, "init", "--book", schema, GONGFEN_KEY=str(shop / "server.key"))
    asked(shop, "person", "ada", "name=Ada", "--book", schema, GONGFEN_KEY=str(shop / "server.key"))
    told = asked(shop, "forget", "ada", "--book", schema, GONGFEN_KEY=str(shop / "server.key")).stdout
    assert "Copies of the table person of postgresql://" in told
    assert ".people" not in told


# -- lines -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"kind": "enrol", "smaple": True, "body": {"maker": "zoe"}}, "has the unknown field 'smaple' beside its body"),
        ({"kind": "enrol", "smaple": True, "maker": "zoe"}, "has no field smaple"),
        ({"kind": "enrol", "sample": "yes", "body": {"maker": "zoe"}}, "sample must be true or false, and is a text"),
        ({"kind": "enrol", "v": 2, "body": {"maker": "zoe"}}, "has version 2"),
        ({"kind": "enrol", "by": "a b", "body": {"maker": "zoe"}}, "holds the name 'a b'"),
    ],
)
def test_a_line_with_a_word_that_is_not_understood_is_refused(shop: Path, line: dict[str, object], reason: str) -> None:
    told = asked(shop, "record", "-", *BOOK, given=json.dumps(line), code=2).stderr
    assert "standard input, line 1," in told
    assert reason in told
    assert gongfen.open(shop / "book.db").log.state.makers.get("zoe") is None


def test_who_says_a_line_is_kept_and_is_part_of_what_it_says(shop: Path) -> None:
    line = json.dumps({"kind": "enrol", "id": "desk-1", "by": "front-desk", "body": {"maker": "zoe"}})
    for user in ("one", "another"):
        asked(shop, "record", "-", *BOOK, given=line, GONGFEN_BY=user)
    with gongfen.open(shop / "book.db") as book:
        assert book.log.fact(book.log.size - 1).by == "front-desk"
    other = line.replace("front-desk", "back-desk")
    assert "different content" in asked(shop, "record", "-", *BOOK, given=other, code=2).stderr
    asked(shop, "key", "new", "ada", "--out", "ada.key", *BOOK)
    lent = json.dumps({"kind": "drop", "by": "bo", "body": {"item": "x", "reason": "y"}})
    assert "is said by bo, but signed by ada" in asked(
        shop, "record", "-", "--sign", "ada.key", *BOOK, given=lent, code=2
    ).stderr  # fmt: skip


def test_new_facts_are_counted_once_and_only_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_book(tmp_path, "enrol maker=ada").close()
    line = json.dumps({"kind": "enrol", "id": "e-1", "maker": "bo"})
    told = asked(tmp_path, "record", "-", *BOOK, given=f"{line}\n{line}\n")
    assert "new facts: 1;" in told.stdout
    assert "already there: 1" in told.stdout
    # Another program records the same line just before ours comes to the book.
    from gongfen.book.recording.record import Record

    ours, line = Record.writing, line.replace("e-1", "e-2").replace("bo", "cy")

    def overtaken(self: Record, *more: object) -> object:
        monkeypatch.setattr(Record, "writing", ours)
        with gongfen.open(tmp_path / "book.db") as other:
            other.record(other.log.new(gongfen.kinds.Enrol(maker="cy"), fact_id="e-2"))
        return ours(self, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Record, "writing", overtaken)
    assert "new facts: 0;" in asked(tmp_path, "record", "-", *BOOK, given=line, GONGFEN_BY="book").stdout


def test_signed_lines_in_a_file_of_another_name_say_how_they_are_recorded(shop: Path) -> None:
    (shop / "signed.txt").write_text("{}")
    assert "gongfen record - < signed.txt" in asked(shop, "record", "signed.txt", *BOOK, code=2).stderr


def test_what_the_book_would_refuse_is_not_signed(shop: Path) -> None:
    asked(shop, "key", "new", "ada", "--out", "ada.key", *BOOK)
    (shop / "away").mkdir()
    size = gongfen.open(shop / "book.db").log.size
    key = ("--key", "ada.key")
    good = asked(shop, "key", "sign", *key, *LABOUR, "maker=ada", "--id", "ada-1", *BOOK)
    assert "1 fact is signed by" in good.stderr
    assert "would take what is signed" in good.stderr
    assert "gongfen record - < FILE" in good.stderr
    elsewhere = [word.replace("poem-1", "poem-9") for word in LABOUR]
    refused = asked(shop, "key", "sign", *key, *elsewhere, "maker=ada", *BOOK, code=2)
    assert "poem-9 is not in this book" in refused.stderr
    assert refused.stdout == ""
    assert gongfen.open(shop / "book.db").log.size == size, "nothing of what was tried stays"
    gongfen.open(shop / "book.db").verify()
    # Away from the book only what a key may never say is refused.
    away = asked(shop / "away", "key", "sign", "--key", "../ada.key", *elsewhere, "maker=ada")
    assert "No book is at hand" in away.stderr
    assert json.loads(away.stdout)["by"] == "ada"
    other = asked(shop / "away", "key", "sign", "--key", "../ada.key", *LABOUR, "maker=bo", code=2)
    assert "speaks of bo, but is signed by ada" in other.stderr
    assert "new facts: 1" in asked(shop, "record", "-", *BOOK, given=good.stdout).stdout


# -- screens -----------------------------------------------------------------------------------------------------------


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


ANSWERS = (("who", "song-1"), ("worth", "song-1"), ("owed",), ("log", "--last", "0"), ("key", "list"), ("person", "ada"),
           ("witness", "list", "--dir", "w"))  # fmt: skip


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_cut_and_no_line_ends_in_blanks(shop: Path, columns: int, language: str) -> None:
    asked(shop, "person", "ada", "name=Ada Lovelace", *BOOK)
    asked(shop, "key", "new", "ada", "--out", "ada.key", *BOOK)
    with new_witness(shop / "w", "witness.example/archive") as witness:
        witness.trust(gongfen.open(shop / "book.db").log.verifier)
    for words in ANSWERS:
        told = asked(shop, *words, GONGFEN_BOOK="book.db", COLUMNS=str(columns), GONGFEN_LANG=language).stdout
        for line in told.splitlines():
            assert line == line.rstrip(), (words, line)
            assert width(line) <= columns, (words, line)
            assert line[:1] not in tuple("，。、；：）"), (words, line)
        if words == ("owed",):
            assert "EUR 2.57" in told
            assert "owed:unidentified" in told
        if words[0] == "log":
            assert "[{'" not in told
            assert "makers=ada:400000" in told.replace("\n", "").replace(" ", "")


def test_a_narrow_table_keeps_names_and_figures_whole() -> None:
    rows = [Owed(maker=f"maker-{n}", currency="EUR", for_labour_micro=10**12, for_influence_micro=0, settled_micro=0,
                 paid_micro=0, owed_micro=10**12, settlements=()) for n in range(3)]  # fmt: skip
    console = Console(width=38)
    with console.capture() as captured:
        console.print(replies.owed(rows, Words("en")))
    assert captured.get().count("EUR 1,000,000.00") == 6
    assert "maker-2\n  for labour     EUR 1,000,000.00" in captured.get()


def test_one_is_said_in_the_singular(tmp_path: Path) -> None:
    new_book(tmp_path, "enrol maker=ada").close()
    assert "1 fact," in asked(tmp_path, "verify", *BOOK).stdout
    assert "rebuilt from 1 fact\n" in asked(tmp_path, "log", "rebuild", *BOOK).stdout
    assert "1 facts" not in asked(tmp_path, "log", "publish", "log", *BOOK).stdout


def test_the_readers_language_comes_from_where_other_programs_have_it(shop: Path) -> None:
    for variables in (
        {"LANGUAGE": "zh_CN:en"},
        {"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"},
        {"LANG": "zh_CN"},
    ):
        assert "应得" in asked(shop, "owed", *BOOK, **variables).stdout
    told = asked(shop, "who", "song-1", *BOOK, GONGFEN_LANG="zh").stdout
    for word in ("产出", "模型", "提示", "基础模型", "引文"):
        assert word in told
    for word in ("(model)", "(prompt)", "(base)", "引用"):
        assert word not in told


def test_a_price_of_25_millionths_is_taken_and_said(tmp_path: Path) -> None:
    """Fields in millionths take whole numbers as they are: who types 25 for twenty-five is told."""
    with cooperative(tmp_path):
        pass
    price = "sale sale=s2 output=song-1 price_micro={} currency=EUR day=2026-11-04".split
    said = gongfen_(tmp_path, "record", *(word.format(25) for word in price()), "--book", "book.db")
    assert said.returncode == 0, said.stderr
    assert "25 millionths; for 25 whole ones write price_micro=25.0" in " ".join(said.stdout.split())
    for amount in ("25.0", "25000000"):
        words_ = [word.format(amount).replace("s2", f"s{amount}") for word in price()]
        assert "millionths" not in gongfen_(tmp_path, "record", *words_, "--book", "book.db").stdout

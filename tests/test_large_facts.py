"""Facts above 64 KiB stand in the log by their body's hash; the body lies beside it, and can be lost but not changed."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

import gongfen
from gongfen.book.proving.verification import verify_record
from gongfen.errors import DamagedBookError, MalformedFactError
from gongfen.facts import Elsewhere, Fact, admitted, decode, encode, entry, reread
from gongfen.facts import kinds as k
from gongfen.facts.envelope import MOST_ENTRY_BYTES
from gongfen.reports.bundle import verify_bundle
from tests.books import HASH, new_book

AT = "2026-11-22T04:17:24.000000Z"


def works(count: int) -> list[k.Work]:
    return [
        k.Work(work=f"a-work-with-a-long-name-{n:06}", sha256=HASH, size_bytes=0, makers=(), source="t", licence="l")
        for n in range(count)
    ]


def gathered(count: int) -> Fact:
    names = tuple(work.work for work in works(count))
    return Fact(id="big", at=AT, by="t", body=k.Dataset(dataset="big", works=names, root=HASH, licence="l"))


@pytest.fixture
def book(tmp_path: Path) -> gongfen.Book:
    book = new_book(tmp_path)
    book.record(*works(2_500), gathered(2_500))
    return book


def test_the_log_holds_its_hash_and_the_book_its_body(book: gongfen.Book) -> None:
    seq = book.log.find("big")
    assert seq is not None
    logged = book.log.entry(seq).data
    body = json.loads(encode(gathered(2_500)))["body"]
    raw = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    said = json.loads(logged)
    assert len(logged) < 400 < MOST_ENTRY_BYTES < len(raw)
    assert (said["v"], said["body_sha256"], said["body_bytes"]) == (2, sha256(raw).hexdigest(), len(raw))
    assert "body" not in said
    assert book.log.fact(seq) == gathered(2_500)
    book.receipt(seq).check(*book.log.verifiers)
    book.verify()


def test_it_is_booked_counted_and_bundled_like_any_other(book: gongfen.Book) -> None:
    book.record(k.Model(model="m", sha256=HASH, parameters=1, source="t", licence="l"))
    book.record(k.Make(make="x", activity="train", inputs=(k.Use(work="big", role="data"),), outputs=("m",), tool="t"))
    assert book.who("m").works == 2_500
    verdict = verify_bundle(book.audit(), book.log.verifiers)
    assert (verdict.size, verdict.blobs) == (book.log.size, 1)
    book.log.rebuild()
    book.verify()


def test_the_border_is_where_a_tile_can_no_longer_hold_it() -> None:
    exact = 0
    for size in range(1_900, 2_600):
        fact = gathered(size)
        data, body = entry(fact)
        assert (body is None) == (len(encode(fact)) <= MOST_ENTRY_BYTES)
        assert len(data) <= MOST_ENTRY_BYTES
        exact += body is None
    assert 0 < exact < 700


def test_a_retry_is_harmless_and_another_body_is_refused(book: gongfen.Book) -> None:
    assert book.record(gathered(2_500)) == [book.log.find("big")]
    with pytest.raises(gongfen.errors.DuplicateIdError):
        book.record(gathered(2_499))


@pytest.mark.parametrize("sql", ["DELETE FROM blob", "UPDATE blob SET data = CAST(replace(data, '0', '1') AS BLOB)"])
def test_a_lost_or_changed_body_is_named(book: gongfen.Book, sql: str) -> None:
    with sqlite3.connect(book.log.path) as db:
        db.execute(sql)
    with pytest.raises(DamagedBookError, match=r"hash|lost"):
        verify_record(book.log)
    with pytest.raises(DamagedBookError):
        book.log.rebuild()


def test_without_its_body_it_is_still_proved_and_says_nothing() -> None:
    data, body = entry(gathered(2_500))
    assert body is not None
    fact = reread(data)
    assert isinstance(fact.body, Elsewhere)
    assert entry(fact) == (data, None) == (encode(fact), None)
    assert decode(data, {sha256(body).hexdigest(): body}.get) == gathered(2_500)
    with pytest.raises(MalformedFactError, match="not what its hash says"):
        decode(data, lambda _: body[:-1])


@pytest.mark.parametrize("change", [
    {"v": 1}, {"body": {}}, {"body_bytes": -1}, {"body_bytes": None}, {"body_sha256": "00"}, {"v": 3},
])  # fmt: skip
def test_an_entry_that_names_its_body_wrongly_is_refused(change: dict[str, object]) -> None:
    said = json.loads(entry(gathered(2_500))[0]) | change
    data = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(MalformedFactError):
        reread(data)


def test_a_small_body_by_hash_is_not_the_canonical_form() -> None:
    body = b'{"maker":"ada"}'
    said = {"at": AT, "body_bytes": len(body), "body_sha256": sha256(body).hexdigest(), "by": "t", "id": "1"}
    data = json.dumps(said | {"kind": "enrol", "sample": False, "v": 2}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(MalformedFactError, match="canonical"):
        reread(data, lambda _: body)


def test_what_no_reader_could_hold_is_refused() -> None:
    with pytest.raises(MalformedFactError, match="16 MiB"):
        admitted(gathered(600_000))

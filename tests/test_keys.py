"""Makers' own keys: nobody signs for another, nothing is signed twice, and what an ended key signs is flagged."""

import json
import stat
from base64 import b64decode, b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gongfen
from gongfen import accounts
from gongfen.accounts.keys import keys_of
from gongfen.book.recording.keys import draw_key, read_key_file, write_key_file
from gongfen.errors import (
    BookPlaceError,
    DuplicateIdError,
    GongfenError,
    MakerKeyError,
    MalformedFactError,
    ProofError,
    UnknownMakerError,
)
from gongfen.facts import Fact, Unknown, checked, decode, encode, reread, statement
from gongfen.facts import kinds as k
from gongfen.facts.curve import D, P, is_sound
from gongfen.facts.signing import MakerKey, check_possession, check_signature, public_bytes, sign
from gongfen.proof.note import ed25519_public, sign_ed25519
from gongfen.reports.bundle import verify_bundle
from tests.books import HASH, ORIGIN, new_book, said
from tests.test_cli import gongfen_

AT = "2026-11-22T04:17:24.000000Z"
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""The secret of RFC 8032, section 7.1, test 1."""
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

WORKSHOP = said(f"""
    enrol maker=ada
    enrol maker=bo
    work work=poem sha256={HASH} size_bytes=4 makers=ada:500000,bo:500000 source=t licence=l
""")
ADA, BO = MakerKey(ORIGIN, "ada", "ada/1", SEED), MakerKey(ORIGIN, "bo", "bo/1", bytes(range(32)))


def another(of: MakerKey, number: int) -> MakerKey:
    return MakerKey(of.origin, of.maker, f"{of.maker}/{number}", number.to_bytes(32, "big"))


def labour(maker: str = "ada", seconds: int = 40) -> k.Labour:
    return k.Labour(maker=maker, work="poem", labour_kind=2, phase="training", standing="crowd",
                    labour_us=seconds * 1_000_000, day="2026-11-02")  # fmt: skip


class Log:
    """Facts and the state that follows, in memory."""

    def __init__(self, *bodies: k.Body) -> None:
        self.state = accounts.state_in_memory(ORIGIN)
        self.facts: list[Fact] = []
        for body in (*WORKSHOP, *bodies):
            self.add(body)

    def fact(self, body: Any, by: str = "desk") -> Fact:
        return Fact(id=f"fact-{len(self.facts)}", at=AT, by=by, body=body)

    def add(self, what: Any, key: MakerKey | None = None) -> int:
        fact = what if isinstance(what, Fact) else self.fact(what)
        fact = decode(checked(key.sign(fact) if key else fact))
        accounts.book(self.state, fact, len(self.facts))
        self.facts.append(fact)
        return len(self.facts) - 1

    def flags(self) -> list[int]:
        return [int(number) for number, _ in self.state.flags.prefixed("")]

    def rows(self) -> dict[str, list[tuple[str, Any]]]:
        return {name: list(getattr(self.state, name).prefixed("")) for name in accounts.TABLES}


# -- what is signed ----------------------------------------------------------------------------------------------------


def test_a_signature_is_the_one_that_anybody_can_compute_from_the_standard() -> None:
    """RFC 8032's own key; the message is written out here by hand, byte for byte."""
    assert ed25519_public(SEED).hex() == PUBLIC
    fact = ADA.sign(Fact(id="timer-1", at=AT, by="whoever", body=labour()))
    message = (
        b'gongfen/fact/v1\nexample.org/book\n{"at":"2026-11-22T04:17:24.000000Z","body":{"day":"2026-11-02","days":1,'
        b'"evidence":"","labour_kind":2,"labour_us":40000000,"maker":"ada","phase":"training","quality":"measured",'
        b'"skill":"simple","standing":"crowd","work":"poem"},"by":"ada","id":"timer-1","kind":"labour","sample":false,"v":1}'
    )
    assert fact.signed is not None
    assert b64decode(fact.signed.ed25519) == sign_ed25519(SEED, message)
    assert fact.signed.ed25519 == GOLDEN
    assert sign(fact, "ada/1", SEED, ORIGIN) == fact, "the same fact and key give the same signature"


GOLDEN = "V9ZhCfJe3JzcPT1nLefhp6CuaznV22LO6/oGF6gLghQGcTufIcu8sI74OHdAsGoY5/PhFG0h4sxmZBhp7H62Cg=="


def test_the_proof_of_possession_is_over_book_maker_name_and_public_half() -> None:
    body = ADA.introduce()
    message = f"gongfen/key/v1\n{ORIGIN}\nada\nada/1\n{body.public}".encode()
    assert b64decode(body.possession) == sign_ed25519(SEED, message)
    assert check_possession(body, ORIGIN)
    for change in ({"maker": "bo"}, {"key": "ada/2"}, {"public": BO.public}):
        assert not check_possession(msgspec.structs.replace(body, **change), ORIGIN)
    assert not check_possession(body, "example.org/other")


def test_a_signature_holds_for_one_fact_one_key_one_book() -> None:
    fact = ADA.sign(Fact(id="1", at=AT, by="ada", body=labour()))
    public = public_bytes(ADA.public)
    assert check_signature(fact, public, ORIGIN)
    assert not check_signature(fact, public, "example.org/other")
    assert not check_signature(fact, public_bytes(BO.public), ORIGIN)
    for change in ({"id": "2"}, {"at": AT.replace("24", "25")}, {"by": "bo"}, {"sample": True}, {"body": labour("bo")},
                   {"body": labour(seconds=41)}, {"signed": None}):  # fmt: skip
        assert not check_signature(msgspec.structs.replace(fact, **change), public, ORIGIN), change


def test_a_fact_signed_for_another_purpose_is_no_signed_fact() -> None:
    """Ed25519 over the bare statement, or over the message of a key, does not pass for one over a fact."""
    fact = Fact(id="1", at=AT, by="ada", body=labour())
    for message in (statement(fact), b"gongfen/key/v1\n" + ORIGIN.encode() + b"\n" + statement(fact)):
        forged = b64encode(sign_ed25519(SEED, message)).decode()
        signed = msgspec.structs.replace(ADA.sign(fact), signed=gongfen.facts.Signature(key="ada/1", ed25519=forged))
        assert not check_signature(signed, public_bytes(ADA.public), ORIGIN)


# -- which keys are keys -----------------------------------------------------------------------------------------------

SMALL = ["00" * 32, "01" + "00" * 31, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
         "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ec" + "ff" * 30 + "7f",
         "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f"]  # fmt: skip
"""All points of small order, and their second spellings: the list that libsodium refuses."""


@pytest.mark.parametrize("point", SMALL)
@pytest.mark.parametrize("sign_bit", [0, 0x80])
def test_a_key_that_anybody_could_sign_for_is_refused(point: str, sign_bit: int) -> None:
    public = bytes.fromhex(point)
    public = public[:-1] + bytes([public[-1] | sign_bit])
    assert not is_sound(public)
    body = msgspec.structs.replace(ADA.introduce(), public=b64encode(public).decode())
    with pytest.raises(MalformedFactError, match="anybody could sign"):
        checked(Fact(id="1", at=AT, by="ada", body=body))


def test_a_zero_key_would_let_anybody_sign() -> None:
    """Why the check is there: the library itself takes this signature by nobody over anything."""
    from gongfen.proof.note import check_ed25519

    nobody = (1).to_bytes(32, "little")
    assert check_ed25519(nobody, b"ada worked for a year", nobody + bytes(32))


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_a_seed_gives_is_sound(seed: bytes) -> None:
    assert is_sound(ed25519_public(seed))


@given(st.integers(0, 2**256 - 1))
def test_a_sound_key_is_a_point_of_the_curve_written_in_the_one_way(number: int) -> None:
    """Held against the definition: some x solves −x² + y² = 1 + D·x²·y², by another way to the root."""
    y = number & (2**255 - 1)
    x_square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(x_square, (P + 3) // 8, P)
    roots = (root, root * pow(2, (P - 1) // 4, P) % P)
    assume(y.to_bytes(32, "little").hex() not in SMALL)
    assert is_sound(number.to_bytes(32, "little")) == (y < P and any(x * x % P == x_square for x in roots))


@pytest.mark.parametrize(
    "text", ["", "AAAA", "A" * 44, "é" * 43 + "=", "A" * 42 + "B=", " " + "A" * 42 + "=", "A" * 43 + "=\n"]
)
def test_hostile_base64_is_no_key_and_no_proof(text: str) -> None:
    for body in (msgspec.structs.replace(ADA.introduce(), public=text),
                 msgspec.structs.replace(ADA.introduce(), possession=text)):  # fmt: skip
        with pytest.raises(MalformedFactError):
            checked(Fact(id="1", at=AT, by="ada", body=body))


def test_a_signature_is_written_in_one_way_only() -> None:
    """Base64 leaves four bits unused: setting them would give the same signature another leaf in the log."""
    log = Log(ADA.introduce())
    fact = ADA.sign(log.fact(labour()))
    assert fact.signed is not None
    text = fact.signed.ed25519
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = text[:-3] + letters[letters.index(text[-3]) + 1] + "=="
    assert b64decode(twin) == b64decode(text)
    with pytest.raises(ProofError, match="false signature"):
        log.add(msgspec.structs.replace(fact, signed=gongfen.facts.Signature(key="ada/1", ed25519=twin)))
    log.add(fact)


# -- who may sign what -------------------------------------------------------------------------------------------------


def test_a_maker_signs_their_own_labour() -> None:
    log = Log(ADA.introduce())
    seq = log.add(labour(), ADA)
    assert log.flags() == []
    assert log.facts[seq].by == "ada", "who signs, says it"
    assert accounts.conservation(log.state) == (11_111, 11_111)


def test_a_work_is_signed_by_one_of_its_makers_and_what_names_nobody_by_anybody() -> None:
    log = Log(ADA.introduce(), BO.introduce())
    work = msgspec.structs.replace(WORKSHOP[2], work="poem-2")  # type: ignore[type-var]
    log.add(work, BO)
    log.add(k.Drop(item="poem-3", reason="unreadable"), BO)
    with pytest.raises(MakerKeyError, match="speaks of ada, but is signed by bo"):
        log.add(msgspec.structs.replace(work, work="poem-4", makers=(k.Part(maker="ada", ppm=1_000_000),)), BO)


def forged(log: Log, **change: Any) -> Fact:
    return msgspec.structs.replace(ADA.sign(log.fact(labour())), **change)


@pytest.mark.parametrize(
    ("fact", "error", "reason"),
    [
        (lambda log: another(ADA, 9).sign(log.fact(labour())), MakerKeyError, "no key of this book"),
        (lambda log: BO.sign(log.fact(labour("ada"))), MakerKeyError, "speaks of ada, but is signed by bo"),
        (lambda log: sign(log.fact(labour(), by="ada"), "bo/1", BO.seed, ORIGIN), MakerKeyError, "a key of bo"),
        (lambda log: sign(log.fact(labour(), by="ada"), "ada/1", BO.seed, ORIGIN), ProofError, "false signature"),
        (lambda log: sign(log.fact(labour(), by="ada"), "ada/1", SEED, "example.org/b"), ProofError, "false signature"),
        (lambda log: forged(log, body=labour(seconds=400)), ProofError, "false signature"),
        (lambda log: forged(log, id="again"), ProofError, "false signature"),
        (lambda log: forged(log, at=AT.replace("2026", "2025")), ProofError, "false signature"),
        (lambda log: forged(log, sample=True), ProofError, "false signature"),
        (lambda log: forged(log, by="bo"), MakerKeyError, "said by bo, but signed by ada/1"),
        (lambda log: forged(log, body=Unknown("dream", b"{}")), ProofError, "false signature"),
    ],
)  # fmt: skip
def test_what_is_signed_wrongly_is_refused_and_leaves_no_trace(
    fact: Any, error: type[GongfenError], reason: str
) -> None:
    log = Log(ADA.introduce(), BO.introduce())
    before = log.rows()
    with pytest.raises(error, match=reason):
        log.add(fact(log))
    assert log.rows() == before


def test_a_kind_of_the_future_can_be_signed_and_is_checked_today() -> None:
    log = Log(ADA.introduce())
    log.add(Unknown("dream", b'{"of":"sheep"}'), ADA)
    log.add(k.Revocation(key="ada/1", reason="stolen"))
    log.add(Unknown("dream", b'{"of":"wolves"}'), ADA)
    assert log.flags() == [6]


# -- how keys begin and end --------------------------------------------------------------------------------------------


def test_what_is_signed_before_a_revocation_stands_and_what_comes_after_is_flagged() -> None:
    log = Log(ADA.introduce(), BO.introduce())
    before = log.add(labour(), ADA)
    log.add(k.Revocation(key="ada/1", reason="laptop stolen"))
    after = log.add(labour(), ADA)
    log.add(labour("bo"), BO)
    assert before not in log.flags()
    assert log.flags() == [after]
    flag = log.state.flags.get(f"{after:016}")
    assert flag == accounts.state.Flag(key="ada/1", ended=6, why="revoked")


def test_a_thief_does_not_get_around_a_revocation_by_an_earlier_date() -> None:
    """The order of the log counts, not the moment that a fact claims."""
    log = Log(ADA.introduce())
    log.add(k.Revocation(key="ada/1", reason="stolen"))
    early = msgspec.structs.replace(log.fact(labour()), at="2020-01-01T00:00:00.000000Z")
    assert log.flags() == [] != [log.add(early, ADA)] == log.flags()


def test_keys_follow_one_another_each_signing_for_the_next() -> None:
    log = Log(ADA.introduce())
    chain = [ADA, *(another(ADA, n) for n in range(2, 6))]
    for old, fresh in pairwise(chain):
        log.add(fresh.introduce(old.key), old)
    assert [key.ended is None for key in keys_of(log.state, "ada")] == [False, False, False, False, True]
    log.add(labour(), chain[-1])
    assert log.flags() == []
    seq = log.add(labour(), chain[2])
    assert log.flags() == [seq]
    assert log.state.flags.get(f"{seq:016}").why == "replaced"  # type: ignore[union-attr]


def test_a_maker_may_hold_several_keys_and_one_of_them_replaces_another() -> None:
    log = Log(ADA.introduce())
    phone, new_phone = another(ADA, 2), another(ADA, 3)
    log.add(phone.introduce(), ADA)
    log.add(new_phone.introduce("ada/2"), ADA)
    assert [key.key for key in keys_of(log.state, "ada") if key.ended is None] == ["ada/1", "ada/3"]


REFUSED_KEYS: list[tuple[Any, MakerKey | None, type[GongfenError], str]] = [
    (another(ADA, 2).introduce(), None, MakerKeyError, "not signed, but ada has a valid key"),
    (another(ADA, 2).introduce("ada/1"), None, MakerKeyError, "not signed, but ada has a valid key"),
    (another(ADA, 2).introduce("ada/1"), BO, MakerKeyError, "speaks of ada, but is signed by bo"),
    (another(ADA, 2).introduce("bo/1"), ADA, MakerKeyError, "bo/1 is no key of ada"),
    (another(ADA, 2).introduce("ada/7"), ADA, MakerKeyError, "ada/7 is no key of ada"),
    (another(ADA, 2).introduce("bo/0"), BO, MakerKeyError, "speaks of ada"),
    (another(BO, 2).introduce("bo/0"), BO, MakerKeyError, "bo/0 has ended with fact 6 already"),
    (another(BO, 2).introduce(), MakerKey(ORIGIN, "bo", "bo/0", bytes(32)), MakerKeyError, "bo/0 has ended with fact 6"),
    (MakerKey(ORIGIN, "ada", "ada/1", bytes(32)).introduce(), ADA, GongfenError, "already in this book as a key"),
    (MakerKey(ORIGIN, "ada", "ada/2", SEED).introduce(), ADA, MakerKeyError, "public half of another key"),
    (MakerKey(ORIGIN, "bo", "bo/2", SEED).introduce(), BO, MakerKeyError, "public half of another key"),
    (MakerKey("example.org/b", "ada", "ada/2", bytes(31) + b"2").introduce(), ADA, ProofError, "without proof"),
    (msgspec.structs.replace(another(ADA, 2).introduce(), maker="bo"), BO, ProofError, "without proof"),
    (msgspec.structs.replace(another(ADA, 2).introduce(), possession=ADA.introduce().possession), ADA, ProofError,
     "without proof"),
    (MakerKey(ORIGIN, "eve", "eve/1", bytes(31) + b"e").introduce(), None, UnknownMakerError, "eve is not enrolled"),
    (another(ADA, 2).introduce("ada/2"), ADA, MalformedFactError, "replaces itself"),
    (k.Revocation(key="ada/7", reason="r"), None, MakerKeyError, "ada/7 is not in this book"),
    (k.Revocation(key="bo/0", reason="again"), None, MakerKeyError, "bo/0 has ended with fact 6 already"),
    (k.Revocation(key="ada/1", reason="r"), BO, MakerKeyError, "speaks of ada, but is signed by bo"),
    (k.Revocation(key="bo/1", reason="r"), MakerKey(ORIGIN, "bo", "bo/0", bytes(32)), MakerKeyError, "bo/0 has ended"),
    (k.Details(maker="bo", details_sha256=HASH), MakerKey(ORIGIN, "bo", "bo/0", bytes(32)), MakerKeyError, "has ended"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "key", "error", "reason"), REFUSED_KEYS)
def test_a_key_that_begins_or_ends_wrongly_is_refused(
    body: k.Body, key: MakerKey | None, error: type[GongfenError], reason: str
) -> None:
    log = Log(ADA.introduce(), MakerKey(ORIGIN, "bo", "bo/0", bytes(32)).introduce())
    log.add(BO.introduce("bo/0"), MakerKey(ORIGIN, "bo", "bo/0", bytes(32)))  # fact 5
    log.facts.insert(0, log.facts[0])  # so that the next is fact 7
    before = log.rows()
    with pytest.raises(error, match=reason.replace("fact 6", "fact 5")):
        log.add(body, key)
    assert log.rows() == before


def test_who_has_lost_every_key_begins_again_for_all_to_see() -> None:
    log = Log(ADA.introduce())
    log.add(k.Revocation(key="ada/1", reason="lost"))
    log.add(another(ADA, 2).introduce())
    log.add(labour(), another(ADA, 2))
    assert log.flags() == []


def test_a_maker_revokes_their_own_key_with_itself() -> None:
    log = Log(ADA.introduce())
    log.add(k.Revocation(key="ada/1", reason="I do not trust this laptop"), ADA)
    assert log.flags() == [], "it was valid when it signed"
    log.add(labour(), ADA)
    assert log.flags() == [5]


# -- over every history ------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(("key", "rotate", "revoke", "sign")), st.integers(0, 7), st.integers(0, 7)),
        max_size=25,
    )
)
@settings(deadline=None)
def test_a_fact_is_flagged_exactly_if_its_key_had_ended_before_it(steps: list[tuple[str, int, int]]) -> None:
    """Held against a model of two sets; and a replay from the bytes gives the same rows."""
    log, keys = Log(), [ADA, BO]
    for key in keys:
        log.add(key.introduce())
    ended: set[str] = set()
    due: list[int] = []
    for verb, first, second in steps:
        one, other = keys[first % len(keys)], keys[second % len(keys)]
        fresh = another(one, len(keys) + 1)
        live = [key for key in keys if key.maker == one.maker and key.key not in ended]
        try:
            match verb:
                case "key":
                    log.add(fresh.introduce(), live[0] if live else None)
                    keys.append(fresh)
                case "rotate":
                    log.add(fresh.introduce(other.key), one)
                    assert {one.key, other.key}.isdisjoint(ended)
                    assert one.maker == other.maker
                    ended.add(other.key)
                    keys.append(fresh)
                case "revoke":
                    log.add(k.Revocation(key=one.key, reason="r"), other if second % 2 else None)
                    assert one.key not in ended
                    assert not second % 2 or (other.maker == one.maker and other.key not in ended)
                    ended.add(one.key)
                case "sign":
                    seq = log.add(labour(one.maker, seconds=1), one)
                    due += [seq] if one.key in ended else []
        except MakerKeyError:
            assert verb != "sign", "an ended key's facts are flagged, not refused"
    assert log.flags() == due
    assert {key.key for key in keys_of(log.state) if key.ended is not None} == ended
    again = accounts.state_in_memory(ORIGIN)
    for seq, fact in enumerate(log.facts):
        accounts.book(again, reread(checked(fact)), seq)
    for name in accounts.TABLES:
        assert list(getattr(again, name).prefixed("")) == list(getattr(log.state, name).prefixed(""))


# -- in a book ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> gongfen.Book:
    made = new_book(tmp_path)
    made.record(*WORKSHOP)
    return made


def test_a_book_makes_replaces_and_revokes_keys(book: gongfen.Book) -> None:
    key = book.new_key("ada")
    assert key.key.startswith("ada/")
    book.record(book.sign(key, labour()))
    fresh = book.new_key("ada", replaces=key.key, sign_with=key)
    book.record(book.sign(fresh, labour()))
    assert book.flags() == ()
    ended = book.revoke(fresh.key, "lost on a train")
    (late,) = book.record(book.sign(fresh, labour()))
    (flag,) = book.flags()
    assert (flag.seq, flag.ended, flag.why, flag.maker, flag.kind) == (late, ended, "revoked", "ada", "labour")
    assert [one.ended is None for one in book.keys("ada")] == [False, False]
    assert book.keys("bo") == ()
    with pytest.raises(UnknownMakerError):
        book.keys("eve")
    book.verify()
    for seq in range(book.log.size):
        book.receipt(seq).check(book.log.verifier)
    verify_bundle(book.audit(), book.log.verifier)


def test_flags_stand_behind_the_answers_that_rest_on_them(book: gongfen.Book) -> None:
    key = book.new_key("ada")
    book.revoke(key.key, "stolen")
    (late,) = book.record(book.sign(key, labour()))
    book.record(*said(f"output output=song sha256={HASH} size_bytes=4\noutput output=other sha256={HASH} size_bytes=4"))
    book.record(*said('make make=m activity=assemble inputs=[{"work":"poem","role":"data"}] outputs=["song"] tool=t'))
    assert book.who("song").flagged == (late,)
    assert book.who("other").flagged == ()


def test_the_same_facts_give_the_same_flags_after_a_rebuild_and_to_another_program(book: gongfen.Book) -> None:
    key = book.new_key("ada")
    book.revoke(key.key, "stolen")
    book.record(book.sign(key, labour()))
    flags, keys = book.flags(), book.keys()
    book.log.rebuild()
    assert (book.flags(), book.keys()) == (flags, keys)
    other = gongfen.open(book.log.path)
    assert (other.flags(), other.keys()) == (flags, keys)


def test_a_signed_fact_that_is_sent_again_is_the_same_fact(book: gongfen.Book) -> None:
    key = book.new_key("ada")
    fact = book.sign(key, labour(), fact_id="timer-1")
    (seq,) = book.record(fact)
    assert book.record(fact) == [seq]
    assert book.record(book.sign(key, labour(), fact_id="timer-1")) == [seq], "signed anew, it says the same moment"
    for other in (book.sign(key, labour(seconds=41), fact_id="timer-1"), msgspec.structs.replace(fact, signed=None)):
        with pytest.raises(DuplicateIdError):
            book.record(other)


def test_a_key_for_another_book_is_named_as_such(book: gongfen.Book) -> None:
    foreign = draw_key("example.org/other", "ada")
    with pytest.raises(MakerKeyError, match=r"for the book example\.org/other"):
        book.sign(foreign, labour())


# -- key files ---------------------------------------------------------------------------------------------------------


def test_a_key_file_is_its_owners_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ada.key"
    write_key_file(path, ADA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(path) == ADA
    with pytest.raises(BookPlaceError, match="there already"):
        write_key_file(path, BO)
    assert read_key_file(path) == ADA


def test_a_key_does_not_print_its_secret_by_accident() -> None:
    for text in (repr(ADA), str(ADA), f"{ADA}"):
        assert b64encode(SEED).decode() not in text
        assert "kept secret" in text


@pytest.mark.parametrize("change", [
    lambda _: b"", lambda _: b"\xff\xfe", lambda _: b"[1]", lambda _: b"{",
    lambda said: json.dumps(said | {"more": 1}).encode(), lambda said: json.dumps(said | {"gongfen_key": 2}).encode(),
    lambda said: json.dumps(said | {"secret": "AAAA"}).encode(), lambda said: json.dumps(said | {"secret": "é"}).encode(),
    lambda said: json.dumps(said | {"public": BO.public}).encode(), lambda said: json.dumps(said | {"maker": "a b"}).encode(),
    lambda said: json.dumps(said | {"origin": "a b"}).encode(), lambda said: json.dumps(said | {"key": "x\n"}).encode(),
    lambda said: json.dumps({name: said[name] for name in said if name != "key"}).encode(),
])  # fmt: skip
def test_a_damaged_key_file_is_named_with_its_place(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "ada.key"
    path.write_bytes(change(json.loads(ADA.write())))
    with pytest.raises(MakerKeyError, match=r"ada\.key is"):
        read_key_file(path)


# -- on the command line -----------------------------------------------------------------------------------------------

WORK = (
    "labour",
    "maker=ada",
    "work=poem",
    "labour_kind=2",
    "phase=training",
    "standing=crowd",
    "labour_us=40s",
    "day=2026-11-02",
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    gongfen_(tmp_path, "init", ORIGIN)
    gongfen_(tmp_path, "record", "enrol", "maker=ada")
    done = gongfen_(tmp_path, "record", "work", "work=poem", f"sha256={HASH}", "size_bytes=4", "makers=ada:1000000", "source=t", "licence=l")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_maker_signs_on_their_own_machine_and_the_owner_records_it(shop: Path) -> None:
    """No book at hand, no secret handed over."""
    laptop = shop / "laptop"
    laptop.mkdir()
    line = gongfen_(laptop, "key", "new", "ada", "--origin", ORIGIN)
    assert line.returncode == 0, line.stderr
    assert stat.S_IMODE((laptop / "ada.key").stat().st_mode) == 0o600
    assert json.loads((laptop / "ada.key").read_text())["secret"] not in line.stdout
    assert gongfen_(shop, "record", "-", given=line.stdout).returncode == 0
    signed = gongfen_(laptop, "key", "sign", "--key", "ada.key", *WORK, "--id", "timer-1")
    assert json.loads(signed.stdout)["by"] == "ada"
    for wanted in ("new facts: 1; numbers: 3", "new facts: 0; numbers: 3"):
        assert wanted in gongfen_(shop, "record", "-", given=signed.stdout).stdout
    forged = signed.stdout.replace("40000000", "50000000").replace("timer-1", "timer-2")
    found = gongfen_(shop, "record", "-", given=forged)
    assert found.returncode == 2
    assert "false signature" in found.stderr
    assert "labour ✓ signed" in gongfen_(shop, "log").stdout
    assert gongfen_(shop, "verify").returncode == 0


def test_many_facts_are_signed_in_one_go_and_a_line_keeps_its_speaker_and_moment(shop: Path) -> None:
    assert gongfen_(shop, "key", "new", "ada", "--out", "a.key").returncode == 0
    body = dict(word.split("=") for word in WORK[1:]) | {"labour_us": 1_000_000, "labour_kind": 2}
    lines = "".join(json.dumps({"kind": "labour", "id": f"t-{n}", "at": AT, "body": body}) + "\n" for n in range(3))
    signed = gongfen_(shop, "key", "sign", "--key", "a.key", "-", given=lines)
    assert signed.returncode == 0, signed.stderr
    (shop / "shift.jsonl").write_text(signed.stdout)
    assert "new facts: 3" in gongfen_(shop, "record", "shift.jsonl").stdout
    facts = [json.loads(line) for line in gongfen_(shop, "log", "--json", "--last", "3").stdout.splitlines()]
    assert [(fact["by"], fact["at"], "signed" in fact) for fact in facts] == [("ada", AT, True)] * 3
    again = gongfen_(shop, "key", "sign", "--key", "a.key", "shift.jsonl")
    assert "is signed already" in again.stderr
    assert "no sample data" in gongfen_(shop, "record", "--sample", "shift.jsonl").stderr


def test_a_key_is_rotated_and_revoked_and_the_log_shows_it(shop: Path) -> None:
    assert gongfen_(shop, "key", "new", "ada", "--out", "1.key").returncode == 0
    line = gongfen_(shop, "key", "rotate", "--key", "1.key", "--line", "--out", "2.key")
    assert gongfen_(shop, "record", "-", given=line.stdout).returncode == 0
    done = gongfen_(shop, "key", "rotate", "--key", "2.key", "--out", "3.key", "--json")
    key = json.loads(done.stdout)["key"]
    assert gongfen_(shop, "record", *WORK, "--sign", "3.key").returncode == 0
    assert "is revoked by fact" in gongfen_(shop, "key", "revoke", key, "--reason", "stolen", "--sign", "3.key").stdout
    assert gongfen_(shop, "record", *WORK, "--sign", "3.key", "--id", "late").returncode == 0
    assert "new facts: 0" in gongfen_(shop, "record", *WORK, "--sign", "3.key", "--id", "late").stdout
    listed = gongfen_(shop, "key", "list").stdout
    assert (listed.count("replaced"), listed.count("revoked")) == (2, 1)
    assert len(json.loads(gongfen_(shop, "key", "list", "ada", "--json").stdout)) == 3
    shown = gongfen_(shop, "log", "--flagged").stdout
    assert "labour ⚑ flagged" in shown
    assert "signed" not in shown.replace("flagged", "")
    assert gongfen_(shop, "log", "--flagged", "--about", "nothing", "--json").stdout == ""


def test_a_key_file_is_not_left_behind_when_the_book_refuses_the_key(shop: Path) -> None:
    found = gongfen_(shop, "key", "new", "eve")
    assert found.returncode == 2
    assert "eve is not enrolled" in found.stderr
    assert not (shop / "eve.key").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("key", "new", "ada", "--out", "gongfen.db"), "there already"),
        (("key", "new", "ada", "--out", "no/such/folder.key"), "cannot be written"),
        (("key", "new", "ada", "--origin", "a b"), "is no name of a book"),
        (("key", "new", "ada", "--book", "none.db"), "--origin"),
        (("key", "new", "a b", "--origin", ORIGIN), "in which a space"),
        (("key", "new", "ada", "--name", "a|b", "--origin", ORIGIN), "in which a space"),
        (("key", "sign", "--key", "none.key", *WORK), "cannot be read"),
        (("key", "sign", "--key", "gongfen.db", *WORK), "is not a maker's key file"),
        (("key", "rotate", "--key", "gongfen.db.key"), "is not a maker's key file"),
        (("key", "revoke", "ada/1", "--reason", "r"), "is not in this book"),
        (("key", "list", "eve"), "eve is not enrolled"),
        (("record", *WORK, "--sign", "none.key"), "cannot be read"),
    ],
)
def test_mistakes_with_keys_are_named(shop: Path, words: tuple[str, ...], reason: str) -> None:
    before = gongfen_(shop, "log", "checkpoint").stdout
    found = gongfen_(shop, *words)
    assert found.returncode == 2, found.stdout
    assert reason in found.stderr
    assert gongfen_(shop, "log", "checkpoint").stdout == before


@pytest.mark.parametrize("signed", ["{}", "7", '"x"', "[]", '{"key":"ada/1","ed25519":"AAAA"}', "false"])
def test_a_line_that_claims_to_be_signed_is_never_taken_for_an_unsigned_one(shop: Path, signed: str) -> None:
    for rest in ("", ',"v":2', f',"v":2,"id":"1","by":"ada","at":"{AT}","sample":false'):
        line = f'{{"kind":"enrol","body":{{"maker":"zoe"}},"signed":{signed}{rest}}}'
        found = gongfen_(shop, "record", "-", given=line)
        assert found.returncode == 2, line
        assert "standard input, line 1," in found.stderr


def test_unsigned_facts_need_no_cryptography_of_makers() -> None:
    """The encoding of an unsigned fact is what it always was."""
    assert encode(Fact(id="1", at=AT, by="a", body=k.Enrol(maker="a"))).endswith(b'"sample":false,"v":1}')


def test_a_disk_that_fails_is_not_a_book_that_was_not_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object) -> None:
        raise BookPlaceError("gongfen.db", "cannot be used: disk I/O error", "check the disk")

    monkeypatch.setattr(gongfen, "open", failing)
    found = gongfen_(shop, "key", "new", "ada", "--out", "ada.key")
    assert "→ check the disk\n" in found.stderr

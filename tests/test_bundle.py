"""The audit bundle: what holds, and every way in which it may not."""

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gongfen
from gongfen.errors import ProofError
from gongfen.proof.note import Signer, Verifier
from gongfen.reports.bundle import unzipped, verify_bundle, write_bundle, zipped
from gongfen.reports.bundle.evidence import evidence
from tests.books import HASH, cooperative, said, signed_again

Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Verifier]:
    book = cooperative(tmp_path_factory.mktemp("audited"))
    book.settle("2026-11")
    found = book.audit(), book.log.verifier
    book.close()
    return found


def test_a_bundle_verifies_and_says_what_it_checked(bundle: tuple[bytes, Verifier]) -> None:
    verdict = verify_bundle(*bundle)
    assert verdict.size == 27
    assert [(one.period, one.total_micro, one.makers) for one in verdict.settlements] == [("2026-11", 5_000_000, 3)]
    assert verdict.proofs == verdict.size, "everything in this small book bears on the settlement"
    assert verdict.blobs == 1


def line_changed(parts: Parts, name: str, number: int, change: Callable[[bytes], bytes]) -> Parts:
    lines = parts[name].split(b"\n")
    lines[number] = change(lines[number])
    return parts | {name: b"\n".join(lines)}


TAMPERINGS: dict[str, tuple[Callable[[Parts], Parts], str]] = {
    "a price": (lambda p: line_changed(p, "facts.jsonl", 25, lambda x: x.replace(b"10010000", b"10010001")), "fact 25, was altered"),
    "a fact left out": (lambda p: p | {"facts.jsonl": p["facts.jsonl"].replace(p["facts.jsonl"].split(b"\n")[25] + b"\n", b"")}, "26 facts"),
    "a leaf": (lambda p: p | {"leaves": bytes(32) + p["leaves"][32:]}, "fact 0, was altered"),
    "two facts swapped with their leaves": (lambda p: swapped(p, 1, 2), "does not lead to the signed root"),
    "a proof left out": (lambda p: p | {"proofs.jsonl": b"\n".join(x for x in p["proofs.jsonl"].split(b"\n") if not x.endswith(b'"seq":25}'))}, r"fact 25 \(sale\), has no inclusion proof"),
    "a step of a proof": (lambda p: line_changed(p, "proofs.jsonl", 5, altered_step), "fact 5, has an inclusion proof that does not hold"),
    "proofs out of order": (lambda p: p | {"proofs.jsonl": b"\n".join(reversed(p["proofs.jsonl"].splitlines()))}, "out of order"),
    "no proofs": (lambda p: {name: part for name, part in p.items() if name != "proofs.jsonl"}, "proofs.jsonl, is missing"),
    "no checkpoint": (lambda p: {name: part for name, part in p.items() if name != "checkpoint"}, "checkpoint, is missing"),
    "a smaller checkpoint": (lambda p: p | {"checkpoint": p["checkpoint"].replace(b"\n27\n", b"\n26\n")}, "false signature"),
    "a text": (lambda p: p | {f"blobs/{HASH}": b"another"}, "is not what its hash says"),
    "a foreign key": (lambda p: p | {"key": str(Signer("example.org/book", bytes(32)).verifier).encode()}, ""),
    "binary garbage": (lambda p: p | {"checkpoint": b"\xff\xfe"}, "is not text"),
}  # fmt: skip


def swapped(parts: Parts, a: int, b: int) -> Parts:
    lines = parts["facts.jsonl"].split(b"\n")
    lines[a], lines[b] = lines[b], lines[a]
    leaves = [parts["leaves"][i : i + 32] for i in range(0, len(parts["leaves"]), 32)]
    leaves[a], leaves[b] = leaves[b], leaves[a]
    return parts | {"facts.jsonl": b"\n".join(lines), "leaves": b"".join(leaves)}


def altered_step(line: bytes) -> bytes:
    proof = json.loads(line)
    proof["path"][0] = "00" * 32
    return json.dumps(proof, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
def test_a_bundle_that_was_tampered_with_is_refused_and_the_place_named(
    bundle: tuple[bytes, Verifier], name: str
) -> None:
    data, verifier = bundle
    change, reason = TAMPERINGS[name]
    altered = zipped(change(unzipped(data)))
    if name == "a foreign key":
        assert verify_bundle(altered, verifier), "the key that came with it is not asked when the auditor brings one"
        with pytest.raises(ProofError, match="is not signed by"):
            verify_bundle(altered, None)
        return
    with pytest.raises(ProofError, match=reason):
        verify_bundle(altered, verifier)


def test_every_flipped_byte_in_the_parts_is_found(bundle: tuple[bytes, Verifier]) -> None:
    """Each byte of the checkpoint, the leaves and the proofs, and every hundredth of the facts; none is an internal error."""
    data, verifier = bundle
    parts = unzipped(data)
    for name, stride in (("checkpoint", 1), ("leaves", 7), ("proofs.jsonl", 97), ("facts.jsonl", 97)):
        for place in range(0, len(parts[name]), stride):
            content = bytearray(parts[name])
            content[place] ^= 1
            with pytest.raises(ProofError):
                verify_bundle(zipped(parts | {name: bytes(content)}), verifier)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2**31), change=st.integers(1, 255))
def test_a_flipped_byte_of_the_zip_is_found_or_does_not_matter(
    bundle: tuple[bytes, Verifier], place: int, change: int
) -> None:
    """A flip in the zip's own bookkeeping may leave every part as it was; then, and only then, it may pass."""
    data, verifier = bundle
    altered = bytearray(data)
    altered[place % len(data)] ^= change
    try:
        verify_bundle(bytes(altered), verifier)
    except ProofError:
        return
    kept = {name: part for name, part in unzipped(bytes(altered)).items() if name in unzipped(data)}
    original = unzipped(data)
    for name in ("checkpoint", "facts.jsonl", "leaves", "proofs.jsonl"):
        assert kept[name] == original[name]


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(ProofError):
        verify_bundle(data, None)


def test_a_booking_that_could_not_have_been_made_is_refused_though_signed_again(tmp_path: Path) -> None:
    """More than 24 hours in a day, slipped into the log around the book's own checks."""
    book = cooperative(tmp_path)
    facts = [entry.data for entry in book.log.store.entries()]
    place = next(n for n, data in enumerate(facts) if b'"labour_us":7200000000' in data)
    facts[place] = facts[place].replace(b'"labour_us":7200000000', b'"labour_us":97200000000')
    forged = write_bundle(facts, signed_again(book, facts), str(book.log.verifier), [])
    with pytest.raises(ProofError, match="could not have been booked: ada would have worked 27 h"):
        verify_bundle(forged, book.log.verifier)


def test_evidence_is_what_bears_on_the_sales_and_nothing_else(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    before = evidence(book.log.facts())
    book.record(
        *said(
            f"enrol maker=stranger\nwork work=unused sha256={HASH} size_bytes=0 makers=stranger:1000000 source=t licence=l"
        )
    )
    assert evidence(book.log.facts()) == before
    assert isinstance(book, gongfen.Book)


def test_a_zip_bomb_is_refused_while_it_is_unpacked(
    bundle: tuple[bytes, Verifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, verifier = bundle
    monkeypatch.setattr("gongfen.reports.bundle.unpacking.MOST_BYTES", 1_000)
    with pytest.raises(ProofError, match="unpacks to more than"):
        verify_bundle(data, verifier)


def test_a_bundle_with_the_same_id_twice_is_refused_though_signed_again(tmp_path: Path) -> None:
    """The same labour, counted as often as it is repeated."""
    book = cooperative(tmp_path)
    facts = [entry.data for entry in book.log.store.entries()]
    facts.append(next(data for data in facts if b'"kind":"labour"' in data))
    forged = write_bundle(facts, signed_again(book, facts), str(book.log.verifier), [])
    with pytest.raises(ProofError, match="of an earlier fact"):
        verify_bundle(forged, book.log.verifier)


def test_a_receipt_that_says_more_than_it_proves_is_refused(tmp_path: Path) -> None:
    import msgspec

    book = cooperative(tmp_path)
    receipt = book.receipt(0)
    for change in ({"kind": "payment"}, {"fact": "another"}, {"size": 3}, {"path": ("zz",)}):
        with pytest.raises(ProofError):
            msgspec.structs.replace(receipt, **change).check(book.log.verifier)


def test_what_nothing_rests_on_is_noticed_too(bundle: tuple[bytes, Verifier]) -> None:
    """README.txt, the small verifier and the key are in no proof: their sums find what happened to them on the way."""
    data, verifier = bundle
    sums = unzipped(data)["SHA256SUMS"]
    for name in ("README.txt", "verify.py", "key"):
        parts = unzipped(data)
        parts[name] = parts[name].replace(b"o", b"0", 1)
        with pytest.raises(ProofError, match=f"{name}, is not what SHA256SUMS says"):
            verify_bundle(as_they_are(parts | {"SHA256SUMS": sums}), verifier)
        assert verify_bundle(zipped(parts), verifier), "who writes new sums is not stopped by them"
    assert not verify_bundle(zipped(unzipped(data) | {"verify.py": b"print('It holds.')"}), verifier).own_verifier
    assert verify_bundle(data, verifier).own_verifier
    with pytest.raises(ProofError, match="SHA256SUMS, is missing"):
        verify_bundle(
            as_they_are({name: part for name, part in unzipped(data).items() if name != "SHA256SUMS"}), verifier
        )


def as_they_are(parts: Parts, *more: tuple[str, bytes]) -> bytes:
    """A zip of parts whose sums nobody computed anew."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in (*parts.items(), *more):
            archive.writestr(name, content)
    return buffer.getvalue()


def test_parts_that_are_foreign_or_there_twice_are_refused_and_a_folder_is_passed_over(
    bundle: tuple[bytes, Verifier],
) -> None:
    data, verifier = bundle
    parts = unzipped(data)
    assert verify_bundle(as_they_are(parts, ("blobs/", b"")), verifier), "as other tools pack it"
    for name, reason in (("leaves", "is there twice"), ("../leaves", "is no part"), ("evil.sh", "is no part")):
        with pytest.raises(ProofError, match=reason):
            verify_bundle(as_they_are(parts, (name, parts["leaves"])), verifier)


def test_facts_go_by_once_and_the_same_log_gives_the_same_bytes(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    entries = [entry.data for entry in book.log.store.entries()]
    given_ = (book.log.checkpoint(), str(book.log.verifier), [b"text"])
    assert write_bundle(iter(entries), *given_) == write_bundle(entries, *given_) == book.audit()

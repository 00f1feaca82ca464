"""Signed notes: the vectors of the format's own reference, and everything that must be refused."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ProofError
from gongfen.proof.note import (
    MOST_SIGNATURES,
    SignatureLine,
    Signer,
    Verifier,
    add_signatures,
    open_note,
    read_note,
    sign_note,
)

# From the documentation of Go's golang.org/x/mod/sumdb/note, which defined the format.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SIGNS = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
SIGNER = Signer("example.org/log", bytes(range(32)))
OTHER = Signer("example.org/log", bytes(32))
"""Another key under the same name."""
BOTH = sign_note(TEXT, (SIGNER, OTHER))


def test_the_reference_note_opens_with_the_reference_key() -> None:
    assert open_note(NOTE, Verifier.parse(NEUMANN)) == TEXT


def test_the_reference_key_signs_the_same_note() -> None:
    signer = Signer.parse(NEUMANN_SIGNS)
    assert str(signer.verifier) == NEUMANN
    assert str(signer) == NEUMANN_SIGNS
    assert signer.sign(TEXT) == NOTE


def test_a_signer_does_not_print_its_secret_by_accident() -> None:
    assert "secret" in repr(SIGNER)
    assert SIGNER.seed.hex() not in repr(SIGNER)


def test_lines_of_other_keys_are_passed_over() -> None:
    other = Signer("witness.example", bytes(32)).sign(TEXT).rpartition("\n\n")[2]
    assert open_note(NOTE + other, Verifier.parse(NEUMANN)) == TEXT


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_no_altered_byte_of_a_note_passes(place: int, change: int) -> None:
    data = bytearray(NOTE.encode())
    data[place] ^= change
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    with pytest.raises(ProofError):
        open_note(text, Verifier.parse(NEUMANN))


@pytest.mark.parametrize(
    "note",
    ["", "text\n", "text\n\n", "text\n\n— name\n", "text\n\n— name AAAA\n", "text\n\n- name AAAAAAAA\n", NOTE[:-1],
     NOTE.replace("\n\n", "\n"), "a\tb\n\n— PeterNeumann AAAAAAAA\n", NOTE.replace("Neumann x", "Neumann  x")],
)  # fmt: skip
def test_malformed_notes_are_refused(note: str) -> None:
    with pytest.raises(ProofError):
        open_note(note, Verifier.parse(NEUMANN))


@pytest.mark.parametrize(
    "key", ["", "a+b", "a+00000000+AA==", NEUMANN.replace("c74f", "c74e"), NEUMANN[:-4], NEUMANN.replace("+AR", "+Ag")]
)
def test_malformed_keys_are_refused(key: str) -> None:
    with pytest.raises(ProofError):
        Verifier.parse(key)


def flips(note: str) -> Iterator[str]:
    """The note with each of its bits flipped in turn, where that still is text."""
    for place, change in product(range(len(note.encode())), (1 << bit for bit in range(8))):
        data = bytearray(note.encode())
        data[place] ^= change
        with suppress(UnicodeDecodeError):
            yield data.decode()


def test_one_text_signed_by_two_keys_opens_with_either_and_with_both() -> None:
    for verifiers in ((SIGNER.verifier,), (OTHER.verifier,), (OTHER.verifier, SIGNER.verifier)):
        assert open_note(BOTH, *verifiers) == TEXT
    assert str(read_note(BOTH)) == BOTH
    assert [len(read_note(BOTH).signatures_of(one.verifier)) for one in (SIGNER, OTHER)] == [1, 1]


def test_every_key_that_is_asked_for_must_have_signed() -> None:
    with pytest.raises(ProofError, match="is not signed by"):
        open_note(SIGNER.sign(TEXT), SIGNER.verifier, OTHER.verifier)


def test_no_flipped_bit_of_a_note_passes_when_all_its_keys_are_asked_for() -> None:
    count = 0
    for flipped in flips(BOTH):
        count += 1
        with pytest.raises(ProofError):
            open_note(flipped, SIGNER.verifier, OTHER.verifier)
    assert count > 7 * len(BOTH)


def test_a_second_line_of_a_key_must_hold_too() -> None:
    """An attacker adds a line that no longer holds behind one that does; or repeats a good one, which is harmless."""
    line = SignatureLine(SIGNER.name, SIGNER.verifier.key_id, bytes(64))
    with pytest.raises(ProofError, match="false signature"):
        open_note(add_signatures(BOTH, [line]), SIGNER.verifier)
    assert open_note(BOTH + str(read_note(BOTH).lines[0]), SIGNER.verifier) == TEXT


def test_a_line_that_shares_only_the_name_or_only_the_id_is_passed_over() -> None:
    same_id = SignatureLine("example.org/other", SIGNER.verifier.key_id, bytes(64))
    same_name = SignatureLine(SIGNER.name, bytes(4), bytes(64))
    assert open_note(add_signatures(BOTH, [same_id, same_name]), SIGNER.verifier) == TEXT


def test_lines_are_added_once_and_only_up_to_a_limit() -> None:
    lines = [SignatureLine("w", bytes(4), n.to_bytes(2, "big")) for n in range(MOST_SIGNATURES - 2)]
    longest = add_signatures(BOTH, lines)
    assert add_signatures(longest, lines) == longest
    assert open_note(longest, SIGNER.verifier) == TEXT
    with pytest.raises(ProofError, match="more than 100"):
        add_signatures(longest, [SignatureLine("w", bytes(4), b"one more")])


@pytest.mark.parametrize(
    "key",
    ["+d3efdd06+AVnS", "a b+00000000+AA==", "\ud800+00000000+AA==", "a\x01b+00000000+AA==", NEUMANN + "=", "A" * 9_000,
     NEUMANN.upper(), NEUMANN_SIGNS],
)  # fmt: skip
def test_more_malformed_keys_are_refused(key: str) -> None:
    with pytest.raises(ProofError):
        Verifier.parse(key)


@pytest.mark.parametrize("place", range(len(NEUMANN)))
def test_no_altered_or_shortened_key_is_read(place: int) -> None:
    """After golang.org/x/mod/sumdb/note, TestNewVerifier and TestNewSigner: various manglings."""
    for key, parse in ((NEUMANN, Verifier.parse), (NEUMANN_SIGNS, Signer.parse)):
        for mangled in (key[: place + 1], key[place + 1 :], key[:place] + chr(ord(key[place]) + 1) + key[place + 1 :]):
            if mangled != key:
                with pytest.raises(ProofError):
                    parse(mangled)


@given(st.text() | st.text("— \nPeterNuman+/=x08AB", max_size=200))
def test_any_text_is_refused_or_read_as_it_is(text: str) -> None:
    for given_text in (text, f"{TEXT}\n{text}", NOTE + text, text + NOTE):
        try:
            assert str(read_note(given_text)) == given_text
        except ProofError:
            continue


@given(st.text())
def test_any_key_is_refused(text: str) -> None:
    for parse in (Verifier.parse, Signer.parse):
        with pytest.raises(ProofError):
            parse(text)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ProofError, match="not Unicode"):
        open_note("\ud800" + NOTE, Verifier.parse(NEUMANN))

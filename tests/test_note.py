"""Signed notes and checkpoints: the vectors of the format's own reference, and everything that must be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from gongfen.proof.note import Signer, Verifier, open_note

# From the documentation of Go's golang.org/x/mod/sumdb/note, which defined the format.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SIGNS = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
SIGNER = Signer("example.org/log", bytes(range(32)))
CHECKPOINT = Checkpoint("example.org/log", 7, bytes(32))


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


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    assert open_checkpoint(CHECKPOINT.sign(SIGNER), SIGNER.verifier) == CHECKPOINT


def test_a_checkpoint_of_another_log_is_refused_though_the_key_signed_it() -> None:
    note = SIGNER.sign(Checkpoint("other.org/log", 7, bytes(32)).text())
    with pytest.raises(ProofError, match=r"of the log other\.org/log"):
        open_checkpoint(note, SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    ["", "origin\n7\n", "origin\n07\nAAAA\n", "origin\n-1\n" + "A" * 43 + "=\n", "origin\n7\n" + "A" * 44 + "\n",
     "origin\n7\nAAAA\n", "\n7\n" + "A" * 43 + "=\n", "origin\n٧\n" + "A" * 43 + "=\n",
     "origin\n" + "9" * 30 + "\n" + "A" * 43 + "=\n", "origin\n7\n" + "A" * 42 + "B=\n"],
)  # fmt: skip
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(ProofError):
        read_checkpoint(text)

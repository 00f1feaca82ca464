"""Checkpoints: the vectors of other implementations, two keys, extension lines, and everything that must be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from gongfen.proof.cosignature import MLDSA44Signer
from gongfen.proof.note import Signer, Verifier, open_note

SIGNER = Signer("example.org/log", bytes(range(32)))
LATER = MLDSA44Signer("example.org/log", bytes(range(32)))
CHECKPOINT = Checkpoint("example.org/log", 7, bytes(32))
EXTENDED = Checkpoint("example.org/log", 7, bytes(32), ("an extension", "and another — line"))

# From sigsum.org/sigsum-go, pkg/checkpoint/checkpoint_test.go (validCheckpointASCII, private key 17).
SIGSUM_SIGNER = Signer(
    "sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69", bytes([17]) + bytes(31)
)
SIGSUM = """sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69
10
HA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

— sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69 gJ2ho0n8F8olcerUF1FFdv235A/5as/coWrpLrtE7ovMeP5whgwouYExowG/lTznxu6OUGjjt5yJQ6bXtTcf718MqAQ=
"""
# The Go checksum database on 2024-09-23, from the same file; the key is in the Go command. Its origin is not its name.
GO_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO = """go.sum database tree
30055305
mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=

— sum.golang.org Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJJYle3EJlDCrQ+y3A8=
"""


def test_the_reference_key_signs_the_same_checkpoint() -> None:
    checkpoint = Checkpoint(SIGSUM_SIGNER.name, 10, bytes([28, 14, 71]) + bytes(29))
    assert checkpoint.sign(SIGSUM_SIGNER) == SIGSUM
    assert open_checkpoint(SIGSUM, SIGSUM_SIGNER.verifier) == checkpoint


def test_a_log_whose_key_has_another_name_is_opened_by_its_origin() -> None:
    key = Verifier.parse(GO_KEY)
    assert open_checkpoint(GO, key, origin="go.sum database tree").size == 30_055_305
    with pytest.raises(ProofError, match=r"of the log go\.sum database tree, not of sum\.golang\.org"):
        open_checkpoint(GO, key)


@pytest.mark.parametrize("checkpoint", [CHECKPOINT, EXTENDED])
def test_a_checkpoint_comes_back_as_it_was_signed(checkpoint: Checkpoint) -> None:
    assert open_checkpoint(checkpoint.sign(SIGNER), SIGNER.verifier) == checkpoint


def test_a_log_signs_with_two_keys_and_its_reader_says_which_must_hold() -> None:
    both = CHECKPOINT.sign(SIGNER, LATER)
    for keys in ((SIGNER.verifier,), (LATER.verifier,), (SIGNER.verifier, LATER.verifier)):
        assert open_checkpoint(both, *keys) == CHECKPOINT
    one = CHECKPOINT.sign(SIGNER)
    with pytest.raises(ProofError, match="is not signed by"):
        open_checkpoint(one, SIGNER.verifier, LATER.verifier)


def test_every_bit_of_extension_lines_is_signed() -> None:
    note = EXTENDED.sign(SIGNER)
    with pytest.raises(ProofError, match="false signature"):
        open_checkpoint(note.replace("another", "an other"), SIGNER.verifier)


def test_a_checkpoint_of_another_log_is_refused_though_the_key_signed_it() -> None:
    note = SIGNER.sign(Checkpoint("other.org/log", 7, bytes(32)).text())
    assert open_note(note, SIGNER.verifier)
    with pytest.raises(ProofError, match=r"of the log other\.org/log"):
        open_checkpoint(note, SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    ["", "origin\n7\n", "origin\n07\nAAAA\n", "origin\n-1\n" + "A" * 43 + "=\n", "origin\n7\n" + "A" * 44 + "\n",
     "origin\n7\nAAAA\n", "\n7\n" + "A" * 43 + "=\n", "origin\n٧\n" + "A" * 43 + "=\n",
     "origin\n" + "9" * 30 + "\n" + "A" * 43 + "=\n", "origin\n7\n" + "A" * 42 + "B=\n",
     CHECKPOINT.text() + "\n", EXTENDED.text() + "\n\n", CHECKPOINT.text()[:-1], "origin\n+7\n" + "A" * 43 + "=\n"],
)  # fmt: skip
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(ProofError):
        read_checkpoint(text)


@given(st.text() | st.tuples(st.integers(0, len(EXTENDED.text()) - 1), st.text(max_size=3)))
def test_any_text_is_refused_or_read_as_it_is(change: str | tuple[int, str]) -> None:
    text = EXTENDED.text()
    text = change if isinstance(change, str) else text[: change[0]] + change[1] + text[change[0] + 1 :]
    try:
        assert read_checkpoint(text).text() == text
    except ProofError:
        return

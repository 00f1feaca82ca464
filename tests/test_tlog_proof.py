"""Receipts as text files: the vectors of another implementation, and every altered byte refused."""

from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ProofError
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.cosignature import Cosignature, MLDSA44Signer, WitnessSigner, cosign
from gongfen.proof.note import Signer, add_signatures
from gongfen.proof.policy import Policy
from gongfen.proof.tlog_proof import TlogProof, read_proof

LOG = Signer("example.org/log", bytes(range(32)))
LATER = MLDSA44Signer("example.org/log", bytes(range(32)))
ADA = WitnessSigner("witness.example/ada", bytes([1]) * 32)
POLICY = Policy.of([LOG.verifier], [ADA.verifier], 1)
TIME_S = 1_795_000_000
SIZE = 11
ENTRIES = [b"fact %d" % number for number in range(SIZE)]
SUBTREE = merkle.subtrees_of([merkle.leaf_hash(one) for one in ENTRIES])
HEAD = Checkpoint("example.org/log", SIZE, merkle.root(SIZE, SUBTREE))
SIGNED = HEAD.sign(LOG)
NOTE = add_signatures(SIGNED, [cosign(SIGNED, ADA, TIME_S)])


def proof(index: int, note: str = NOTE, extra: bytes = b"") -> TlogProof:
    return TlogProof(index, tuple(merkle.inclusion_proof(index, SIZE, SUBTREE)), note, extra)


H1, H2 = sha256(b"hash1").digest(), sha256(b"hash2").digest()
H1_TEXT, H2_TEXT, EXTRA = (b64encode(one).decode() for one in (H1, H2, b"extra information"))


# From github.com/transparency-dev/formats, proof/tlog_proof_test.go (TestMarshal).
@pytest.mark.parametrize(
    ("made", "text"),
    [(TlogProof(5, (H1, H2), "test checkpoint\n"),
      f"c2sp.org/tlog-proof@v1\nindex 5\n{H1_TEXT}\n{H2_TEXT}\n\ntest checkpoint\n"),
     (TlogProof(10, (H1,), "checkpoint data\n", b"extra information"),
      f"c2sp.org/tlog-proof@v1\nextra {EXTRA}\nindex 10\n{H1_TEXT}\n\ncheckpoint data\n"),
     (TlogProof(0, (), "checkpoint\n"), "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n")],
)  # fmt: skip
def test_the_reference_files(made: TlogProof, text: str) -> None:
    assert made.text() == text


@pytest.mark.parametrize("index", range(SIZE))
def test_every_entry_has_a_receipt_and_no_other_entry_fits_it(index: int) -> None:
    for extra in (b"", b"\0 anything"):
        made = proof(index, extra=extra)
        assert read_proof(made.text()) == made
        witnessed = made.check(ENTRIES[index], POLICY)
        assert (witnessed.checkpoint, witnessed.cosignatures) == (HEAD, (Cosignature("witness.example/ada", TIME_S),))
        assert made.check_signed(ENTRIES[index], [LOG.verifier]) == HEAD
        for other in ENTRIES:
            if other != ENTRIES[index]:
                with pytest.raises(ProofError, match=f"does not show that the entry is number {index} of"):
                    made.check(other, POLICY)


def test_a_receipt_without_a_witness_does_not_satisfy_a_policy_that_asks_for_one() -> None:
    with pytest.raises(ProofError, match="too few for the quorum"):
        proof(3, SIGNED).check(ENTRIES[3], POLICY)
    assert proof(3, SIGNED).check_signed(ENTRIES[3], [LOG.verifier]) == HEAD


def test_both_keys_of_a_log_can_be_asked_for() -> None:
    keys = [LOG.verifier, LATER.verifier]
    assert proof(3, HEAD.sign(LOG, LATER)).check_signed(ENTRIES[3], keys) == HEAD
    with pytest.raises(ProofError, match="is not signed by"):
        proof(3).check_signed(ENTRIES[3], keys)


def test_no_altered_byte_of_a_receipt_passes() -> None:
    data = proof(6).text().encode()
    refused = 0
    for place in range(len(data)):
        for change in (1, 2, 16, 32):
            altered = bytearray(data)
            altered[place] ^= change
            try:
                text = altered.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(ProofError):
                read_proof(text).check(ENTRIES[6], POLICY)
            refused += 1
    assert refused > 3 * len(data)


HEADER = "c2sp.org/tlog-proof@v1\n"


# After github.com/transparency-dev/formats, proof/tlog_proof_test.go (TestUnmarshalErrors), with a note that is one.
@pytest.mark.parametrize(
    "text",
    ["", HEADER, "wrong-header\nindex 0\n\n" + NOTE, f"{HEADER}extra !!notbase64!!\nindex 0\n\n{NOTE}", f"{HEADER}\n\n{NOTE}",
     f"{HEADER}index notanumber\n\n{NOTE}", f"{HEADER}index -5\n\n{NOTE}", f"{HEADER}index 0\n!!notbase64!!\n\n{NOTE}",
     f"{HEADER}index 0\n{b64encode(bytes(64)).decode()}\n\n{NOTE}", f"{HEADER}index 0\n" + "a" * 66_000 + "\n",
     f"{HEADER}index 00\n\n{NOTE}", f"{HEADER}index 0 \n\n{NOTE}", f"{HEADER}index 0\nextra AA==\n\n{NOTE}",
     f"{HEADER}extra \nindex 0\n\n{NOTE}", f"{HEADER}extra AA==\nextra AA==\nindex 0\n\n{NOTE}", f"{HEADER}index 0\n\n",
     f"{HEADER}index 0\n\nno note\n", f"{HEADER}index 0\n\n\n{NOTE}", f"{HEADER}\nindex 0\n\n{NOTE}", f"\n{HEADER}index 0\n\n{NOTE}",
     f"{HEADER}index 0\n" + f"{H1_TEXT}\n" * 64 + f"\n{NOTE}", "\ud800", HEADER + "extra " + "A" * (1 << 20) + f"\nindex 0\n\n{NOTE}",
     HEADER.replace("v1", "v2") + f"index 0\n\n{NOTE}", f"{HEADER}index {1 << 64}\n\n{NOTE}", f"{HEADER}index 0\r\n\n{NOTE}"],
)  # fmt: skip
def test_malformed_files_are_refused(text: str) -> None:
    with pytest.raises(ProofError):
        read_proof(text)


TEXT = proof(6, extra=b"extra").text()


@given(st.text() | st.tuples(st.integers(0, len(TEXT) - 1), st.text(max_size=3)))
def test_any_text_is_refused_or_read_as_it_is(change: str | tuple[int, str]) -> None:
    text = change if isinstance(change, str) else TEXT[: change[0]] + change[1] + TEXT[change[0] + 1 :]
    try:
        assert read_proof(text).text() == text
    except ProofError:
        return

"""Witnesses and policies: the vectors of other implementations, and everything that must be refused."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import (
    LATEST_S,
    Cosignature,
    Cosigner,
    MLDSA44Signer,
    MLDSA44Verifier,
    WitnessSigner,
    WitnessVerifier,
    cosign,
    cosignatures,
    read_cosigner,
    read_log_signer,
    read_verifier,
    timestamp,
)
from gongfen.proof.merkle import EMPTY_ROOT
from gongfen.proof.note import SignatureLine, Signer, Verifier, add_signatures, open_note, read_note
from gongfen.proof.policy import Policy

# From sigsum.org/sigsum-go, pkg/checkpoint/checkpoint_test.go (TestCheckpointVerifyCosignatureByKey, private key 17).
SIGSUM_TEXT = "example.org/log\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
SIGSUM_WITNESS = WitnessSigner("example.org/witness", bytes([17]) + bytes(31))
SIGSUM_LINE = "— example.org/witness ys8uUAAAAAAAAATSftMzceM8zssdZ9jin9SjwIxzx9iADMf63VqirX2hafol9RsqNqbofIz0LVRqHXI2kpEBSki5RTXFtxz1vo9+Cg==\n"
# From github.com/transparency-dev/formats, note/note_cosigv1_test.go (TestCoSigV1NewVerifier).
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
# From filippo.io/torchwood, cmd/litewitness/testdata/mldsa.txt: the log's seed, and its head signed at time 0.
LITEWITNESS = MLDSA44Signer(
    "example.com/mldsa-log", bytes.fromhex("2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0")
)
LITEWITNESS_SIGNATURE = (
    "td9FxQAAAAAAAAAAkjFvCxC6244QGemHL0hurmk5M3Hj6noQQtBM1TiwnC1lFmT+t+cUG9W0ENlRQtV20lJFLKCzoJ08ulQEkfiVueKHeMyU"
    "Rh97Iup0R9d41Monv472jkyfDoX3ILyX/kEOuSV4Ed2tU4VmtDSbP0rofMWAbKJRMnzCpNIT5xMe3tRbWLVTvAtnX9OB4UMKL1dvGS/uuhqW"
    "9Ddjik2D8veitBvk3TbQcT8fanSyZqCbDZ5zzw5JS3Gu5oD1zK7z+KiyqbzKUhglESs7YXFbeU0E03FrXdAPYS6GAuZtBWTJp4DEm4rL+NqU"
    "6Xp0n2ehhqd1rFAJUAcsE5CFakQdlmKkkzVMy3VZYll5ptS0amlYfGqX6/N9bJAYdAoWWpdgCep5eXCutQcTQXc69UocKT99/vholeAP1097"
    "GfS+hNL2ndNS2ieMnj8XLD1LCHVoBjKZUIObB0lx3leGRe9VjYgTRAY2WlE+K32b6Iz1rKzzDD8YBNQdkHgdx44uPOU3I+8szYS6NzQ2Z0Ql"
    "qAtz0j9vZu9yEUUxCEORAiMAHLtV5oWZ/RvSE7qq5B0b8WrHGPGoR/qUNK4ECmlIe/SRo6M7yRrPs3das3ox1bkC3f92c98ewHLeQtLwwsqQ"
    "Jny6rlYaiaiPMxgdT2CVcJEcKOfaK8pdy2fucBDxHrQitpGkeLJLmWk6LLxR/Ut6s6xNyyKSuZlVslS40n9MJ837uMmJFyecKPliwAj8HzTW"
    "QywSkMpEQfJyr4i2Kfa2paOZ4izmotRTfdvbFWlWFwuGLWOQ0X/pKaExpdNDwqahAwbfGkw/iHbsV7ZIlNIuSNs2ccQvnjM8xqkT6sYYVxYi"
    "Hpmk5sOwGsdeiMdwQqn7Q/Lz+uc3F6k/r0Ox7MJTX6fPhFdhe8RJg/77USR/MIGiT4YZHV+XgrtbV0jvMEgB4yEOircsScaBmLv18tTn1GiG"
    "lzFjK/s7gOzjk70jf1qCZ1MNgDAPstd/5sXdwYON0FnA5zPUp9yMkq1/wZq+DuePQDT6nj8zgFrkrvl8s7nibKKaL2bKcje5YP3CFcXLZoES"
    "ZnC3BJkV85VqXlAKl+dctM3vNfMVrqk3/boBARw27mdKLsysIREkWR4caByW0csjL3Js9tn1hB0yf6hIGo8mvPIUjPIXn1rFSSKWkQlq15wu"
    "2gwEo9FdVF5beMdF4LVwuO9PZ1Y4oXuRE2pIzMWq/jEzHAZ7GucP7yzU78X767ucrwO/AXjMlLUsLLFZaQcHHBsrQJLpy5w1Jn/L7XFyR2g0"
    "lBOdT+lSOhx7j33oIlzxmqdR47ovtkg+LJpbAJG7n/JiQ/h/xffe3VdqSsrB8S4ltKz+rq51swoZ59zmRzWaoNkyWX0eu0E7y6EfpfrKEmr0"
    "H+fYtVnJvCznWFKzbv7oDXKC0pOyKZsNctvFwhSGEEURCs1G+4IrAEWG2Y231thQ8HdMvaMcm+ocvBGhZjmE7bXFkdiJ7S09csFjljFDGCiG"
    "RiU+flxkyiqpa1DDgeFRWOEyNAdMeY2iQMTJU9ApqNVrPpjGbg7kL0HrfKCQM236d16DKfXIiUmZw/NONKnrliAIs6/WSzKdW/JUyTLiKfPV"
    "1ItODmw5eNz7lV36dR8g3us/bpWp4OaDIInrLxYZRfkLHLvXGGg5ogY2k/FMno/3UBbS0QfstK+ByB/pFVYCHWgDjctwpOHaqAAXAiWHAUh1"
    "KOpXBMv8qndpzhsYhvKbrL371aBST0e3iPW/K4x+kFfgdeClsftS9RnE8KDCf4Uz+9QMP9sxj4+ZACztE19eBVaSvCqv54wO6n5248UzbqPX"
    "zA1dweKQziw/FnPWC7qMrcs3jDi6PBPhpruk1xBy08MQg58l4YzuXrPm5gAyiUAyfNszvhTotaU02oljhvg24CycDo/2PvQY7sBmisIsVVeH"
    "ssiRxg23CMgWHaPMDn6OM+IhF2xaAqJOjfnsFBWlvMg8LxsrBnOQ1YABVLLtMvCSaIvgBjPt8XtLn9gZ0HL9OvGsR3efWHTR5p4nZyuHH2Nm"
    "8F3nWKVkEI4p4H6Yo5O0hkzCi1ZB7QT3uEIeR0Hq3g/bLTzmm6XzsjWSmQ8CtPapmXX476QT44wU0CWJ096SqUGUq2ZCDg3kFkV0BuKPIfLC"
    "t4sYK9bjj8UZCqkhyHbVm2x+HQwk8mNnDbUd7PK89riPjA33KX0Sw32RE0uKtB0sC8m7t028aEupsRx56/M0jBgeYmEHuRrXpW9nuOkQPTBa"
    "HdmYBHNkzTF2arPzZK3diFuhKPvmSQh2CN6g8r0p3EN+dmps1fIUfHM6emkEuaod+ZG83vyJsyd5B2oPMTVP12z8VJtDRAYfA5bRj+HEw2aD"
    "4f23u/Zq3PHk2C9T5LTAu28WCuO/EpXGSIkq1/hRpyE0qhJSnPN9/iE74PoU1OgjGBv6uSUsNhNZJeMe2W23s8EAyStB5+u83IBgUctrGwXz"
    "NdoC9LY1p+kNFSAZXIggNB3alVzoS+D9rcCYTUAafpkdwLaYq5/w0wRchljkG61rl+gZCiwtqZv3SHVxO7kRTAzfHsGDB1yc/9Sz++IMGyFH"
    "YvuqtclhpHPPToFByaVl687b1P4t2i/U4fWPZ4BBhN5Q7HGTxubspw1GY2MjBYU5OXvEJu9aWeibkM/fg6QrxPRYNsJBNJQRywMjYHj6Aefr"
    "ZeGXGxSNgS50kCNBvV7XTli/17y3MFgR4WfNmBK3BqKb87v3DBMVnLHcqvw1ZVjFPv91q0XYaDdVFHqOnS4Fh5nfwh1qfuvKrUZlwFPcwW+p"
    "G4YDyjx90MTFugpQ6KfEusmUhB5Dqr79nYWbOhW3e0PCEZtxmVrH9EtCHEgO6wnkWjPke6XULARu0ECF1gZvQczEjKfzxCt6Rknz+27lXyzg"
    "zRyHWxr0kB/pFty+8IebrDfIW9757d+1QLonDTmkLQiirF0ygsgQALmk1KljcHD/qiAZPHh5YX+Q2VdDfIfGeMXmCg3nX5r5DINcx47fNHtg"
    "WeGn8MjF8Hnff6x+ZU/7YqcBrDOvGqn46FBvuRY0+mWkRo576207vQR/023owl7pXZ5p/75V5yDkTZWDtXsfKjpypcxrWIBsg5GC25nZdjQQ"
    "GBtFUF1pfn+xvunq9AEIFidYY2Vyc3mYw8TW7PkVKis5PENhdbfJHDtIdIiQsLe+1Nr+/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA4e"
    "KDU="
)
LITEWITNESS_NOTE = f"""example.com/mldsa-log
1
+zoErtsZtGO6sfiSV/v4UJSIyowisE8hvjw0q5+bD38=

— example.com/mldsa-log {LITEWITNESS_SIGNATURE}
"""
# From C2SP/wycheproof, testvectors_v1/mldsa_44_sign_seed_test.json, group 1: both ends of the key of a seed.
WYCHEPROOF_SEED = bytes([0x2A]) * 32
WYCHEPROOF_KEY = ("db9ac67708f2ba0fac1f92bd802f9be89ecab966feef5987", "327085f4c9dda41839b7b3357ab9d")

ORIGIN = "example.org/log"
LOG = Signer(ORIGIN, bytes(range(32)))
LATER_LOG = MLDSA44Signer(ORIGIN, bytes(range(32)))
ADA = WitnessSigner("witness.example/ada", bytes([1]) * 32)
BO = MLDSA44Signer("witness.example/bo", bytes([2]) * 32)
CY = WitnessSigner("witness.example/cy", bytes([3]) * 32)
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(32))
EXTENDED = Checkpoint(ORIGIN, 7, bytes(32), ("extension",))
NOTE = CHECKPOINT.sign(LOG)
TIME_S = 1_795_000_000


def cosigned(note: str, *witnesses: Cosigner, time_s: int = TIME_S) -> str:
    return add_signatures(note, [cosign(note, one, time_s) for one in witnesses])


def test_the_reference_witness_signs_the_same_line() -> None:
    line = SignatureLine(
        SIGSUM_WITNESS.name, SIGSUM_WITNESS.verifier.key_id, SIGSUM_WITNESS.cosignature(SIGSUM_TEXT, 1234)
    )
    assert str(line) == SIGSUM_LINE
    note = read_note(f"{SIGSUM_TEXT}\n{SIGSUM_LINE}")
    assert cosignatures(note, [SIGSUM_WITNESS.verifier]) == (Cosignature("example.org/witness", 1234),)


def test_the_reference_key_of_a_witness_is_read() -> None:
    assert str(WitnessVerifier.parse(REMORA)) == REMORA == str(read_verifier(REMORA))


def test_the_reference_head_of_an_ml_dsa_log_opens_with_the_key_of_its_seed() -> None:
    key = str(LITEWITNESS.verifier)
    assert key.startswith("example.com/mldsa-log+b5df45c5+BuhtcL97l3dcitjZ8Y9J54gmQ1TWn")
    assert key.endswith("B6p5/tsh4rrcUht4yVIvFAaqsgAAE=")
    assert open_checkpoint(LITEWITNESS_NOTE, MLDSA44Verifier.parse(key)).size == 1
    assert timestamp(read_note(LITEWITNESS_NOTE).lines[0].signature) == 0


def test_a_seed_gives_the_reference_public_key() -> None:
    key = MLDSA44Signer("w", WYCHEPROOF_SEED).verifier.public
    assert len(key) == 1312
    assert key.hex().startswith(WYCHEPROOF_KEY[0])
    assert key.hex().endswith(WYCHEPROOF_KEY[1])


def test_no_altered_byte_of_a_post_quantum_note_passes() -> None:
    key, data = LITEWITNESS.verifier, LITEWITNESS_NOTE.encode()
    refused = 0
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1
        try:
            text = altered.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(ProofError):
            open_note(text, key)
        refused += 1
    assert refused > 3_000


@pytest.mark.parametrize("witness", [ADA, BO])
def test_no_altered_byte_of_a_cosignature_or_its_time_passes(witness: WitnessSigner | MLDSA44Signer) -> None:
    text, signature = CHECKPOINT.text(), witness.cosignature(CHECKPOINT.text(), TIME_S)
    assert witness.verifier.check(text, signature)
    assert timestamp(signature) == TIME_S
    for place in range(len(signature)):
        altered = bytearray(signature)
        altered[place] ^= 1 + place % 255
        assert not witness.verifier.check(text, bytes(altered))
    for length in (0, 7, 8, 9, len(signature) - 1):
        assert not witness.verifier.check(text, signature[:length])
    assert not witness.verifier.check(text, signature + b"\0")
    assert not witness.verifier.check(text.replace("\n7\n", "\n8\n"), signature)
    assert not witness.verifier.check("no checkpoint\n", signature)


def test_a_time_after_2_to_the_63_is_none() -> None:
    late = (LATEST_S + 1).to_bytes(8, "big") + bytes(64)
    assert not ADA.verifier.check(CHECKPOINT.text(), late)
    with pytest.raises(ProofError, match="has no time"):
        timestamp(late)
    last = ADA.cosignature(CHECKPOINT.text(), LATEST_S)
    assert ADA.verifier.check(CHECKPOINT.text(), last)


def test_one_key_is_not_good_for_another_kind_of_signature() -> None:
    """A log's Ed25519 key is put forward as a witness's, and the other way round."""
    log, witness = Signer("name", bytes(32)), WitnessSigner("name", bytes(32))
    text = Checkpoint("name", 7, bytes(32)).text()
    assert log.verifier.key_id != witness.verifier.key_id
    assert not witness.verifier.check(text, log.signature(text))
    assert not log.verifier.check(text, witness.cosignature(text, 0))


def test_ml_dsa_commits_to_the_name_of_who_signs() -> None:
    signature = BO.cosignature(CHECKPOINT.text(), TIME_S)
    assert not MLDSA44Verifier("witness.example/someone", BO.verifier.public).check(CHECKPOINT.text(), signature)


def test_ml_dsa_signs_no_extension_lines_and_so_does_not_hold_for_them() -> None:
    """After filippo.io/torchwood, TestSignerRoundtrip: an attacker adds a line that ML-DSA-44 does not cover."""
    assert open_checkpoint(cosigned(EXTENDED.sign(LOG), ADA), LOG.verifier) == EXTENDED
    with pytest.raises(ProofError, match="extension lines"):
        EXTENDED.sign(LATER_LOG)
    signature = BO.cosignature(CHECKPOINT.text(), TIME_S)
    assert not BO.verifier.check(EXTENDED.text(), signature)


def test_ml_dsa_signs_no_empty_tree_with_a_root_of_its_own() -> None:
    """After filippo.io/torchwood, TestSubtreeRoundtrip."""
    assert open_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT).sign(LATER_LOG), LATER_LOG.verifier).size == 0
    with pytest.raises(ProofError, match="is empty"):
        Checkpoint(ORIGIN, 0, bytes(32)).sign(LATER_LOG)


@pytest.mark.parametrize(("length", "fits"), [(255, True), (256, False)])
def test_names_of_256_bytes_are_too_long_for_ml_dsa(length: int, fits: bool) -> None:
    for signer, text in (
        (MLDSA44Signer("n" * length, bytes(32)), CHECKPOINT.text()),
        (BO, Checkpoint("o" * length, 7, bytes(32)).text()),
    ):
        if fits:
            assert signer.verifier.check(text, signer.signature(text))
        else:
            with pytest.raises(ProofError, match="256 bytes, of 255"):
                signer.signature(text)
            assert not signer.verifier.check(text, bytes(8 + 2420))


@pytest.mark.parametrize("signer", [ADA, BO])
def test_keys_come_back_as_they_were_written(signer: WitnessSigner | MLDSA44Signer) -> None:
    assert read_cosigner(str(signer)) == signer
    assert read_verifier(str(signer.verifier)) == signer.verifier
    assert str(read_verifier(str(signer.verifier))) == str(signer.verifier)
    assert signer.seed.hex() not in repr(signer)


def test_each_reader_takes_its_own_kinds_of_keys_only() -> None:
    assert [read_log_signer(str(one)) for one in (LOG, LATER_LOG)] == [LOG, LATER_LOG]
    assert read_verifier(str(LOG.verifier)) == LOG.verifier
    for read, key in (
        (read_log_signer, ADA), (read_cosigner, LOG), (WitnessSigner.parse, BO), (MLDSA44Signer.parse, ADA),
        (WitnessVerifier.parse, BO.verifier), (MLDSA44Verifier.parse, ADA.verifier), (Verifier.parse, BO.verifier),
    ):  # fmt: skip
        with pytest.raises(ProofError, match="key is not an"):
            read(str(key))


@pytest.mark.parametrize("signer", [ADA, BO])
def test_no_altered_sign_of_a_key_is_read(signer: WitnessSigner | MLDSA44Signer) -> None:
    private, public = str(signer), str(signer.verifier)
    for key, read in ((private, read_cosigner), (public, read_verifier)):
        for place in range(len(key)):
            with pytest.raises(ProofError):
                read(key[:place] + chr(ord(key[place]) ^ 1) + key[place + 1 :])


def test_trusted_witnesses_are_listed_with_their_latest_time() -> None:
    note = cosigned(cosigned(NOTE, ADA, BO), ADA, time_s=TIME_S + 9)
    found = cosignatures(read_note(note), [BO.verifier, CY.verifier, ADA.verifier])
    assert found == (Cosignature(BO.name, TIME_S), Cosignature(ADA.name, TIME_S + 9))
    assert open_checkpoint(note, LOG.verifier) == CHECKPOINT


def test_a_false_line_of_a_trusted_witness_condemns_the_note_and_of_a_stranger_does_not() -> None:
    false = SignatureLine(ADA.name, ADA.verifier.key_id, bytes(72))
    note = read_note(add_signatures(cosigned(NOTE, BO), [false]))
    assert cosignatures(note, [BO.verifier]) == (Cosignature(BO.name, TIME_S),)
    with pytest.raises(ProofError, match=r"false signature of witness\.example/ada"):
        cosignatures(note, [BO.verifier, ADA.verifier])


# Policies


def policy(quorum: int, *witnesses: WitnessSigner | MLDSA44Signer) -> Policy:
    return Policy.of([LOG.verifier], [one.verifier for one in witnesses], quorum)


def key(number: int) -> WitnessSigner:
    return WitnessSigner(f"witness.example/{number}", bytes([100 + number]) * 32)


# The example of c2sp.org/tlog-policy ("Example policy"), with keys.
X1, X2, X3, Y1, Y2, Y3 = map(key, range(6))
EXAMPLE = f"""log {LOG.verifier}

witness X1 {X1.verifier}
witness X2 {X2.verifier}
witness X3 {X3.verifier}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1.verifier}
witness Y2 {Y2.verifier}
witness Y3 {Y3.verifier}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("witnesses", "enough"),
    [((X1, X2, Y3), True), ((X1, X2, X3, Y1, Y2, Y3), True), ((X1, X2, X3), False), ((X1, Y1, Y2, Y3), False),
     ((), False)],
)  # fmt: skip
def test_the_example_of_the_specification(witnesses: Sequence[WitnessSigner], enough: bool) -> None:
    note = cosigned(NOTE, *witnesses)
    if enough:
        found = Policy.parse(EXAMPLE).check(note)
        assert found.checkpoint == CHECKPOINT
        assert {one.time_s for one in found.cosignatures} == {TIME_S}
        assert len(found.cosignatures) == len(witnesses)
    else:
        with pytest.raises(ProofError, match="too few for the quorum"):
            Policy.parse(EXAMPLE).check(note)


def test_an_error_says_who_is_missing() -> None:
    with pytest.raises(
        ProofError,
        match=r"cosigned by 1 of 3 witnesses, too few .*; ask these .*: witness.example/ada, witness.example/cy",
    ):
        policy(2, ADA, BO, CY).check(cosigned(NOTE, BO))


@pytest.mark.parametrize("quorum", range(4))
@pytest.mark.parametrize("seen", range(4))
def test_any_n_of_m_witnesses_are_enough(quorum: int, seen: int) -> None:
    note = cosigned(NOTE, *(ADA, BO, CY)[:seen])
    if seen < quorum:
        with pytest.raises(ProofError, match="too few"):
            policy(quorum, ADA, BO, CY).check(note)
    else:
        assert len(policy(quorum, ADA, BO, CY).check(note).cosignatures) == seen


def test_one_witness_twice_is_one_witness() -> None:
    note = cosigned(cosigned(NOTE, ADA), ADA, time_s=TIME_S + 1)
    with pytest.raises(ProofError, match="by 1 of 2 witnesses"):
        policy(2, ADA, CY).check(note)


def test_either_key_of_a_log_is_enough_but_a_false_line_is_not_forgiven() -> None:
    trust = Policy.of([LOG.verifier, LATER_LOG.verifier], [], 0)
    for signers in ((LOG,), (LATER_LOG,), (LOG, LATER_LOG)):
        assert trust.check(CHECKPOINT.sign(*signers)).checkpoint == CHECKPOINT
    false = SignatureLine(ORIGIN, LATER_LOG.verifier.key_id, bytes(2428))
    with pytest.raises(ProofError, match="false signature"):
        trust.check(add_signatures(NOTE, [false]))


def test_another_log_or_no_log_is_refused() -> None:
    stranger = Signer("other.org/log", bytes(32))
    note = Checkpoint("other.org/log", 7, bytes(32)).sign(stranger)
    with pytest.raises(ProofError, match="which the policy does not name"):
        policy(0).check(note)
    with pytest.raises(ProofError, match="which the policy does not name"):
        Policy.parse("quorum none\n").check(NOTE)
    with pytest.raises(ProofError, match=r"is not signed by the log example\.org/log"):
        policy(0).check(CHECKPOINT.sign(Signer(ORIGIN, bytes(32))))
    with pytest.raises(ProofError, match="which the policy does not name"):
        policy(0).check(LOG.sign(Checkpoint("other.org/log", 7, bytes(32)).text()))


def test_a_policy_comes_back_as_it_was_written() -> None:
    spaced = f"\n# one\n\t # two\n\twitness \t w1  {ADA.verifier}   https://w1.example/  \n\n  quorum\tw1"
    for text in (EXAMPLE, spaced, "quorum none", str(policy(2, ADA, BO, CY))):
        assert Policy.parse(str(Policy.parse(text))) == Policy.parse(text)
    assert Policy.parse(spaced).witnesses[0].url == "https://w1.example/"
    odd = f"witness all {ADA.verifier}\nwitness 名 {BO.verifier}\ngroup group 2 all 名\nquorum group\n"
    assert Policy.parse(odd).groups[0].members == ("all", "名")


W1, W2 = f"witness w1 {ADA.verifier}\n", f"witness w2 {BO.verifier}\n"
SAME_KEY = f"witness w2 {WitnessVerifier('impostor.example', ADA.verifier.public)}\n"
LOGS = f"log {LOG.verifier}\n"


# After github.com/transparency-dev/formats, policy/tlog_policy_test.go (TestUnmarshal_Errors).
@pytest.mark.parametrize(
    "text",
    ["quorum none\n\x01", "quorum none\r\n", "quorum none\x7f", "quibble w1\nquorum none\n", "log\nquorum none\n",
     W1[:-1] + " https://w1.example/ # comment\nquorum w1\n", "log garbage\nquorum none\n",
     LOGS + LOGS[:-1] + " https://log.example/\nquorum none\n", "witness w1\nquorum none\n",
     f"witness w1 {LOG.verifier}\nquorum w1\n", f"log {ADA.verifier}\nquorum none\n",
     W1.replace("w1", "none") + "quorum none\n", W1 + W2.replace("w2", "w1") + "quorum w1\n",
     W1 + "group w1 any w1\nquorum w1\n", W1 + "group g1 1\nquorum w1\n", W1 + "group none any w1\nquorum none\n",
     W1 + "group g1 0 w1\nquorum g1\n", W1 + "group g1 -1 w1\nquorum g1\n", W1 + "group g1 2 w1\nquorum g1\n",
     W1 + "group g1 01 w1\nquorum g1\n", W1 + "group g1 any w2\nquorum g1\n", "group g1 any w1\n" + W1 + "quorum g1\n",
     W1 + "group g1 any none w1\nquorum g1\n", W1 + "group g1 all w1 w1\nquorum g1\n",
     W1 + W2 + "group g1 any w1 w2\ngroup g2 any w1\nquorum g1\n", W1, "", W1 + "quorum w1\nquorum w1\n",
     "quorum unknown\n", "quorum w1\n" + W1, "quorum\n", "quorum none more\n", W1 + SAME_KEY + "quorum w1\n",
     W1 + "group g1 any g1\nquorum g1\n", "\ud800", "x" * (1 << 21)],
)  # fmt: skip
def test_malformed_policies_are_refused(text: str) -> None:
    with pytest.raises(ProofError):
        Policy.parse(text)


def test_a_policy_has_limits() -> None:
    signers = [WitnessSigner("w", n.to_bytes(32, "big")) for n in range(65)]
    assert len(policy(64, *signers[:64]).witnesses) == 64
    with pytest.raises(ProofError, match="more than 64"):
        policy(64, *signers)


@pytest.mark.parametrize("quorum", [-1, 3])
def test_a_quorum_that_cannot_be_is_refused(quorum: int) -> None:
    with pytest.raises(ProofError, match="of 2 members"):
        policy(quorum, ADA, BO)


@given(st.text() | st.tuples(st.integers(0, len(EXAMPLE) - 1), st.text(max_size=3)))
def test_any_text_is_refused_or_read_with_one_meaning(change: str | tuple[int, str]) -> None:
    text = change if isinstance(change, str) else EXAMPLE[: change[0]] + change[1] + EXAMPLE[change[0] + 1 :]
    try:
        found = Policy.parse(text)
    except ProofError:
        return
    assert Policy.parse(str(found)) == found

"""Witnesses: the conversations of another implementation's tests, every answer, and forks proved to anybody."""

from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import ForkError, ProofError
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import MLDSA44Signer, WitnessSigner, cosign, cosignatures
from gongfen.proof.note import Signer, Verifier, add_signatures, read_note, sign_note
from gongfen.proof.witness import (
    Accepted,
    Known,
    Refusal,
    Request,
    consider,
    one_history,
    read_conflict,
    read_request,
    take_cosignatures,
)

# The example of c2sp.org/tlog-witness ("add-checkpoint").
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""
# From filippo.io/torchwood, internal/witness/witness_test.go (TestRace): a log's key and three requests in its name.
SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
SIGSUM_KEY = Verifier(SIGSUM, bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"))
TO_1 = f"""old 0

{SIGSUM}
1
KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

— {SIGSUM} UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=
"""
TO_3 = f"""old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{SIGSUM}
3
RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=

— {SIGSUM} UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=
"""
TO_5 = f"""old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=
KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{SIGSUM}
5
QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=

— {SIGSUM} UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=
"""
# From filippo.io/torchwood, TestZeroSize: what the witness knows, the request, the answer. A leaf is the 1-leaf tree.
LEAF = merkle.leaf_hash(b"leaf")
ZERO_SIZE = [
    ("empty tree", 0, 0, 0, merkle.EMPTY_ROOT, (), 200),
    ("invalid empty root", 0, 0, 0, LEAF, (), 422),
    ("zero empty root", 0, 0, 0, bytes(32), (), 422),
    ("empty tree with proof", 0, 0, 0, merkle.EMPTY_ROOT, (LEAF,), 422),
    ("first nonempty tree", 0, 0, 1, LEAF, (), 200),
    ("first nonempty tree with proof", 0, 0, 1, LEAF, (LEAF,), 422),
    ("old size mismatch", 1, 0, 1, LEAF, (LEAF,), 409),
    ("old size greater than new", 1, 1, 0, merkle.EMPTY_ROOT, (), 400),
]

LOG = Signer("example.org/log", bytes(range(32)))
LATER = MLDSA44Signer("example.org/log", bytes(range(32)))
ADA = WitnessSigner("witness.example/ada", bytes([1]) * 32)
BO = MLDSA44Signer("witness.example/bo", bytes([2]) * 32)
TIME_S = 1_795_000_000
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(20)]
SUBTREE = merkle.subtrees_of(LEAVES)
FORGED = merkle.subtrees_of([LEAVES[0], LEAF, *LEAVES[2:]])
"""Another history: the second entry is another one."""


def head(size: int, subtree: merkle.Subtree = SUBTREE) -> str:
    return Checkpoint(LOG.name, size, merkle.root(size, subtree)).sign(LOG)


def request(old: int, size: int, subtree: merkle.Subtree = SUBTREE) -> str:
    return Request(old, tuple(merkle.consistency_proof(old, size, subtree)), head(size, subtree)).text()


def knows(size: int = 0, *keys: Signer | MLDSA44Signer) -> Callable[[str], Known | None]:
    """A witness that knows one log, at this size."""
    verifiers = tuple(key.verifier for key in keys or (LOG,))
    known = Known(verifiers, size, merkle.root(size, SUBTREE), head(size) if size else "")
    return lambda origin: known if origin == LOG.name else None


def refused(text: str, look_up: Callable[[str], Known | None]) -> Refusal:
    answer = consider(text, look_up)
    assert isinstance(answer, Refusal)
    return answer


def test_the_example_of_the_specification_is_read_and_written() -> None:
    found = read_request(EXAMPLE)
    assert (found.old, len(found.proof)) == (20_852_014, 4)
    assert found.text() == EXAMPLE


def test_the_reference_log_grows_and_does_not_roll_back() -> None:
    """TestRace: a shorter head, considered before a longer one but kept after it, would undo two leaves."""
    known = Known((SIGSUM_KEY,))
    answer = consider(TO_1, lambda _: known)
    assert isinstance(answer, Accepted)
    known = Known((SIGSUM_KEY,), answer.checkpoint.size, answer.checkpoint.root, answer.note)
    assert isinstance(consider(TO_3, lambda _: known), Accepted)
    answer = consider(TO_5, lambda _: known)
    assert isinstance(answer, Accepted)
    assert answer.checkpoint.root.hex() == "42bb57ad06420afa4882c4a63ac6a1ec77480b330b2f20dfc53a0caa5f564e36"
    known = Known((SIGSUM_KEY,), answer.checkpoint.size, answer.checkpoint.root, answer.note)
    late = refused(TO_3, lambda _: known)
    assert (late.status, late.body(), late.content_type()) == (409, "5\n", "text/x.tlog.size")


@pytest.mark.parametrize(("known", "old", "size", "root", "proof", "status"), [case[1:] for case in ZERO_SIZE])
def test_reference_answers_at_the_smallest_sizes(
    known: int, old: int, size: int, root: bytes, proof: tuple[bytes, ...], status: int
) -> None:
    state = Known((LOG.verifier,), known, LEAF if known else merkle.EMPTY_ROOT)
    text = Request(old, proof, Checkpoint(LOG.name, size, root).sign(LOG)).text()
    answer = consider(text, lambda _: state)
    assert (200 if isinstance(answer, Accepted) else answer.status) == status


@pytest.mark.parametrize("old", range(20))
def test_every_growth_of_every_small_log_is_accepted_and_no_other_history(old: int) -> None:
    for size in range(old, 20):
        answer = consider(request(old, size), knows(old))
        assert isinstance(answer, Accepted)
        assert answer.checkpoint == open_checkpoint(answer.note, LOG.verifier)
        if old >= 2:
            assert refused(request(old, size, FORGED), knows(old)).status == (409 if old == size else 422)
        for known in {0, old - 1, old + 1} - {old, -1}:
            other = refused(request(old, size), knows(known))
            assert (other.status, other.body()) == (409, f"{known}\n")


def test_an_unknown_log_is_not_found() -> None:
    assert refused(request(0, 7), lambda _: None).status == 404
    assert refused(request(0, 7), lambda _: Known(())).status == 404


def test_a_signature_that_is_missing_or_false_is_forbidden() -> None:
    stranger = Signer(LOG.name, bytes(32))
    assert refused(request(0, 7), knows(0, stranger)).status == 403
    false = request(0, 7).replace("\n7\n", "\n8\n")
    assert refused(false, knows(0)).status == 403
    extended = Checkpoint(LOG.name, 7, merkle.root(7, SUBTREE), ("line",)).sign(LOG)
    assert isinstance(consider(Request(0, (), extended).text(), knows(0)), Accepted)


def test_any_one_key_of_the_log_is_enough() -> None:
    both = Checkpoint(LOG.name, 7, merkle.root(7, SUBTREE)).sign(LOG, LATER)
    for keys in ((LOG,), (LATER,), (LATER, LOG)):
        assert isinstance(consider(Request(0, (), both).text(), knows(0, *keys)), Accepted)
    assert isinstance(consider(request(0, 7), knows(0, LATER, LOG)), Accepted)


HASH = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    ["", "old 0\n", "old 0\n\n", "old 0\n" + head(7), "old 00\n\n" + head(7), "old -1\n\n" + head(7), "old 0 \n\n" + head(7),
     "Old 0\n\n" + head(7), "old 0\n\n\n" + head(7), "\nold 0\n\n" + head(7), "old 0\nAAAA\n\n" + head(7),
     f"old 1\n{HASH} \n\n" + head(7), "old 1\n" + f"{HASH}\n" * 64 + "\n" + head(7), "old 0\r\n\n" + head(7),
     "old 0\n\n" + head(7)[:-1], "old 0\n\n" + sign_note("no checkpoint\n", (LOG,)), f"old {1 << 64}\n\n" + head(7), "\ud800",
     "old 0\n\n" + "x" * (1 << 21), "old 8\n\n" + head(7)],
)  # fmt: skip
def test_malformed_requests_are_bad(text: str) -> None:
    answer = refused(text, knows(0))
    assert (answer.status, answer.content_type()) == (400, "text/plain; charset=utf-8")
    assert answer.body().endswith("\n")


def test_no_altered_byte_of_a_request_is_accepted() -> None:
    data, look_up = request(5, 19).encode(), knows(5)
    assert isinstance(consider(data.decode(), look_up), Accepted)
    for place in range(len(data)):
        for change in (1, 2, 16, 32):
            altered = bytearray(data)
            altered[place] ^= change
            try:
                text = altered.decode()
            except UnicodeDecodeError:
                continue
            assert isinstance(consider(text, look_up), Refusal), place


@given(st.text() | st.tuples(st.integers(0, len(EXAMPLE) - 1), st.text(max_size=3)))
def test_any_text_is_answered_and_refused_or_read_as_it_is(change: str | tuple[int, str]) -> None:
    text = change if isinstance(change, str) else EXAMPLE[: change[0]] + change[1] + EXAMPLE[change[0] + 1 :]
    assert isinstance(consider(text, knows(0)), Refusal)
    try:
        assert read_request(text).text() == text
    except ProofError:
        return


# The log's side


def answer_of(note: str, *witnesses: WitnessSigner | MLDSA44Signer) -> str:
    return "".join(str(cosign(note, one, TIME_S)) for one in witnesses)


def test_a_log_takes_the_lines_of_witnesses_that_it_trusts() -> None:
    note = head(7)
    longer = take_cosignatures(note, answer_of(note, BO, ADA), [ADA.verifier])
    assert longer == add_signatures(note, [cosign(note, ADA, TIME_S)])
    assert [one.witness for one in cosignatures(read_note(longer), [ADA.verifier, BO.verifier])] == [ADA.name]
    both = take_cosignatures(longer, answer_of(note, BO, ADA), [ADA.verifier, BO.verifier])
    assert len(read_note(both).lines) == 3


def test_a_log_refuses_answers_without_a_line_that_holds() -> None:
    note = head(7)
    for text in (
        "",
        "\n",
        "no line\n",
        answer_of(note, BO),
        answer_of(head(8), ADA),
        answer_of(note, ADA)[:-1],
        "\ud800\n",
    ):
        with pytest.raises(ProofError):
            take_cosignatures(note, text, [ADA.verifier])


def test_the_size_in_a_conflict_is_read() -> None:
    assert read_conflict(refused(request(3, 7), knows(5)).body()) == 5
    for text in ("", "5", "5\n\n", "05\n", "-5\n", "five\n", "5 \n", "٥\n"):
        with pytest.raises(ProofError):
            read_conflict(text)


# Forks


def test_two_roots_of_one_size_are_a_fork_and_the_error_carries_the_evidence() -> None:
    honest, forged = head(7), head(7, FORGED)
    with pytest.raises(ForkError, match=r"the log example\.org/log has signed two roots for 7 entries") as found:
        one_history(honest, forged, [LOG.verifier])
    assert (found.value.first, found.value.second) == (honest, forged)
    heads = [open_checkpoint(note, LOG.verifier) for note in (found.value.first, found.value.second)]
    assert heads[0].size == heads[1].size
    assert heads[0].root != heads[1].root


def test_a_witness_that_sees_a_fork_keeps_the_evidence() -> None:
    answer = refused(request(7, 7, FORGED), knows(7))
    assert (answer.status, answer.body()) == (409, "7\n")
    assert answer.fork
    assert (answer.fork.first, answer.fork.second) == (head(7), head(7, FORGED))
    assert refused(request(6, 7, FORGED), knows(6)).fork is None


@pytest.mark.parametrize("old", range(20))
def test_heads_of_one_history_agree_and_of_two_do_not(old: int) -> None:
    for size in range(old + 1, 20):
        proof = merkle.consistency_proof(old, size, SUBTREE)
        for pair in ((head(old), head(size)), (head(size), head(old))):
            assert one_history(*pair, [LOG.verifier], proof).size == size
            assert one_history(*pair, [LOG.verifier]).size == size
        if old >= 2:
            other = merkle.consistency_proof(old, size, FORGED)
            with pytest.raises(ForkError, match=f"signed {size} entries that do not begin with the {old} it signed"):
                one_history(head(old), head(size, FORGED), [LOG.verifier], other)


def test_a_head_that_the_log_did_not_sign_proves_nothing_against_it() -> None:
    stranger = Checkpoint(LOG.name, 7, bytes(32)).sign(Signer(LOG.name, bytes(32)))
    other_log = Checkpoint("other.org/log", 7, bytes(32))
    for note in (stranger, sign_note(other_log.text(), (LOG,)), head(7).replace("\n7\n", "\n8\n")):
        with pytest.raises(ProofError) as found:
            one_history(head(7), note, [LOG.verifier])
        assert not isinstance(found.value, ForkError)

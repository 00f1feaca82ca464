"""The small verifier: alone with its bundle, it says what Gongfen says, and notices every byte."""

import ast
import dataclasses
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gongfen
from gongfen import accounts, shares
from gongfen.errors import MissingAssumptionError, ProofError
from gongfen.facts import KINDS, Body, Fact, encode, entry
from gongfen.facts import kinds as k
from gongfen.facts.signing import MakerKey, key_name
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.cosignature import MLDSA44Signer, WitnessSigner, cosign
from gongfen.proof.merkle import Frontier, inclusion_proof, leaf_hash, root_of, subtrees_of
from gongfen.proof.note import NoteSigner, Signer, add_signatures
from gongfen.proof.policy import Policy
from gongfen.proof.tlog_proof import TlogProof
from gongfen.reports import bundle, verify
from gongfen.reports.bundle import unzipped, verify_bundle, write_bundle, zipped
from tests.books import COOPERATIVE, HASH, ORIGIN, cooperative, said, settlement_of
from tests.histories import PLAIN_STEPS, STEPS, history, valid
from tests.test_bundle import TAMPERINGS
from tests.test_cli import gongfen_

Parts = dict[str, bytes]
KEY = Signer(ORIGIN, b"k" * 32)
PQ_KEY = MLDSA44Signer(ORIGIN, b"q" * 32)
WITNESSES = (WitnessSigner("w1.example", b"1" * 32), MLDSA44Signer("w2.example", b"2" * 32))
AT = "2026-11-22T04:17:24.000000Z"
NOON_S = 1_795_262_400
FILE = Path(verify.__file__)


def told(bodies: list[Body | Fact]) -> list[bytes]:
    """Entries of a log: bodies said by nobody in particular, numbered; facts as they are."""
    facts = [b if isinstance(b, Fact) else Fact(id=f"f{n}", at=AT, by="t", body=b) for n, b in enumerate(bodies)]
    return [entry(fact)[0] for fact in facts]


def note_over(entries: list[bytes], *signers: NoteSigner) -> str:
    root = root_of([leaf_hash(data) for data in entries])
    return Checkpoint(ORIGIN, len(entries), root).sign(*(signers or (KEY,)))


def bundled(entries: list[bytes], blobs: tuple[bytes, ...] = (), **more: str) -> bytes:
    return write_bundle(entries, note_over(entries), str(KEY.verifier), blobs, **more)


def by_hand(entries: list[bytes]) -> bytes:
    """A bundle as a forger writes it: whatever the entries are, all is signed, and each has its proof."""
    leaves = [leaf_hash(one) for one in entries]
    paths = [inclusion_proof(seq, len(entries), subtrees_of(leaves)) for seq in range(len(entries))]
    lines = [verify.canonical({"path": [step.hex() for step in path], "seq": n}) for n, path in enumerate(paths)]
    return zipped({
        "checkpoint": note_over(entries).encode(), "key": str(KEY.verifier).encode(), "leaves": b"".join(leaves),
        "facts.jsonl": b"".join(one + b"\n" for one in entries), "proofs.jsonl": b"".join(one + b"\n" for one in lines),
    })  # fmt: skip


def settled(bodies: list[Body], period: str, policy: str) -> list[bytes]:
    """The entries of a log, closed with a settlement that follows from them."""
    state = accounts.state_in_memory(ORIGIN)
    frontier = Frontier(0, lambda _level, _index: b"")
    entries = told(list(bodies))
    for seq, (data, body) in enumerate(zip(entries, bodies, strict=True)):
        accounts.book(state, Fact(id=f"f{seq}", at=AT, by="t", body=body), seq)
        frontier.append(leaf_hash(data))
    due = shares.settle(state, f"settlement-{period}", period, policy, len(entries), frontier.root().hex())
    return [*entries, *told([Fact(id="last", at=AT, by="t", body=due)])]


def small(data: bytes | Parts, key: str | None = str(KEY.verifier), **more: Any) -> list[str]:
    """What the small verifier says of a bundle, in this process; it raises what it refuses. ``None``: no key is named."""
    keys = verify.read_keys(None if key is None else key.split(), "log")
    if "witnesses" in more:
        more["witnesses"] = verify.read_keys(more["witnesses"].split(), "witness")
    return verify.audit(unzipped(data) if isinstance(data, bytes) else data, keys, **more)


def refused(data: bytes | Parts, **more: Any) -> str:
    with pytest.raises(verify.Refused) as no:
        small(data, **more)
    return str(no.value)


def both_refuse(data: bytes, **more: Any) -> str:
    """Why Gongfen refuses a bundle that the small verifier refuses too."""
    refused(data, **more)
    with pytest.raises(ProofError) as no:
        verify_bundle(data, KEY.verifier)
    return str(no.value)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gongfen.Book]:
    book = cooperative(tmp_path_factory.mktemp("audited"))
    book.settle("2026-11")
    book.pay("ada", 570_000)
    yield book
    book.close()


@pytest.fixture(scope="module")
def settlement(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gongfen.Book]:
    """The book of ``tests/test_bundle.py``."""
    book = cooperative(tmp_path_factory.mktemp("settled"))
    book.settle("2026-11")
    yield book
    book.close()


@pytest.fixture(scope="module")
def folder(book: gongfen.Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, zipped and unpacked, with nothing beside it but the published key and an older checkpoint."""
    folder = tmp_path_factory.mktemp("auditor")
    (folder / "audit.zip").write_bytes(book.audit())
    for name, content in unzipped(book.audit()).items():
        path = folder / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "key.txt").write_text(str(book.log.verifier))
    (folder / "old.txt").write_text(next(note for size, note in book.log.store.checkpoints() if size == 26))
    return folder


# -- alone -------------------------------------------------------------------------------------------------------------

WITHOUT_GONGFEN = """
import runpy, sys
class NoGongfen:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("gongfen", "msgspec", "rfc8785", "typer"):
            raise ImportError(name + " is not on this machine")
sys.meta_path.insert(0, NoGongfen())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def alone(folder: Path, *words: str) -> tuple[int, str, str]:
    """The bundle's own ``verify.py``, isolated (``-I``), where neither Gongfen nor its libraries can be imported."""
    command = [sys.executable, "-I", "-c", WITHOUT_GONGFEN, str(folder / "unpacked/verify.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, encoding="utf-8")
    return done.returncode, done.stdout, done.stderr


GOLDEN = """\
It holds. Log example.org/book, 28 facts, root {root}
Signed by {key}
Nothing was rewritten since the older checkpoint of 26 facts
Inclusion proofs: 28; signatures of makers: 0
settlement:EUR:2026-11 follows from the facts: EUR 5.000000 to share
  ada is owed EUR 2.000000
  bo is owed EUR 1.990000
  cy is owed EUR 0.020000
Not proved: that the facts are true of the world; that everything was recorded, and when; that nobody was
shown another log, unless witnesses whom you trust have seen this one; that money arrived; who was right.
"""


def test_it_checks_the_bundle_it_came_with_where_there_is_no_gongfen(folder: Path, book: gongfen.Book) -> None:
    key = (folder / "key.txt").read_text()
    verdict = verify_bundle((folder / "audit.zip").read_bytes(), book.log.verifier)
    due = GOLDEN.format(root=verdict.root, key=key)
    for place in ("audit.zip", "unpacked"):
        assert alone(folder, place, "--key", key, "--since", "old.txt") == (0, due, "")
    code, out, _ = alone(folder, "audit.zip")
    assert code == 0
    assert "the key that came with the bundle" in out


def test_what_does_not_hold_is_said_in_three_parts_with_exit_code_2(folder: Path) -> None:
    foreign = str(Signer(ORIGIN, bytes(32)).verifier)
    (folder / "other.tlog-proof").write_text("c2sp.org/tlog-proof@v1\nindex 0\n\n")
    for words, reason in {
        ("audit.zip", "--key", foreign): "checkpoint is not signed by",
        ("audit.zip", "--witness", str(WITNESSES[0].verifier)): "cosigned by 0 of 1 witnesses (none); 1 are asked for",
        ("other.tlog-proof", "--key", "key.txt"): "is no log proof",
    }.items():
        code, out, err = alone(folder, *words)
        assert (code, out) == (2, ""), words
        assert reason in err
        assert "\n  → " in err
        assert "Traceback" not in err


SLIPS = {
    ("audit.zip", "--key", "nonsense"): "No such file or directory: 'nonsense'",
    ("audit.zip", "--key", "empty"): "'empty' is empty",
    ("audit.zip", "--key", ""): "Is a directory",
    ("audit.zip", "--key", "audit.zip"): "a key or a checkpoint that you named cannot be read",
    ("audit.zip", "--key", "secret.txt"): "the log's key is a secret one",
    ("audit.zip", "--key", str(KEY)): "the log's key is a secret one",
    ("audit.zip", "--key", str(WITNESSES[0].verifier)): "is no key of a log",
    ("audit.zip", "--key", "key.txt", "--witness", "key.txt"): "is no key of a witness",
    ("audit.zip", "--key", "key.txt", "--witness", "empty"): "'empty' is empty",
    ("audit.zip", "--key", "key.txt", "--witness", str(PQ_KEY.verifier)): "--witness names the log itself",
    ("audit.zip", "--key", "key.txt", "--quorum", "1"): "--quorum 1 has 0 to choose from",
    ("audit.zip", "--key", "key.txt", "--witness", str(WITNESSES[0].verifier), "--quorum", "-5"): "--quorum -5 has 1",
    ("audit.zip", "--key", "key.txt", "--witness", str(WITNESSES[0].verifier), "--quorum", "0"): "--quorum 0 has 1",
    ("audit.zip", "--key", "key.txt", "--witness", str(WITNESSES[0].verifier), "--quorum", "2"): "--quorum 2 has 1",
    ("audit.zip", "--key", "key.txt", "--since", "empty"): "older checkpoint is not a signed note",
    ("audit.zip", "--key", "key.txt", "--since", "key.txt"): "older checkpoint is not a signed note",
    ("audit.zip", "--key", "key.txt", "--since", "gone.txt"): "No such file or directory: 'gone.txt'",
    ("nowhere.zip",): "No such file or directory: 'nowhere.zip'",
    ("key.txt",): "key.txt cannot be read",
    ("r.tlog-proof",): "receipt is checked with the key that the book published",
    ("r.tlog-proof", "--key", "key.txt", "--since", "old.txt"): "--since is for a bundle",
}


def test_a_slip_of_the_auditors_is_refused_and_said_to_be_theirs(
    folder: Path, book: gongfen.Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is named is asked for: an empty file is not the same as no option, and nothing is quietly left out."""
    (folder / "empty").write_text("\n")
    (folder / "secret.txt").write_text(str(KEY))
    (folder / "r.tlog-proof").write_text(book.receipt(3).text())
    monkeypatch.chdir(folder)
    for words, reason in SLIPS.items():
        monkeypatch.setattr("sys.argv", ["verify.py", *words])
        assert verify.main() == 2, words
        told_ = capsys.readouterr()
        assert not told_.out
        assert reason in told_.err, (words, told_.err)
        assert "\n  → " in told_.err
        assert str(KEY).split("+")[-1] not in told_.err, "a secret is not shown again"


def test_a_key_file_may_begin_with_a_mark_of_its_encoding(folder: Path) -> None:
    (folder / "bom.txt").write_text((folder / "key.txt").read_text(), encoding="utf-8-sig")
    assert alone(folder, "audit.zip", "--key", "bom.txt")[0] == 0


def test_without_cryptography_it_says_what_to_install(folder: Path) -> None:
    blocked = WITHOUT_GONGFEN.replace('"gongfen", ', '"cryptography", "gongfen", ')
    command = [sys.executable, "-I", "-c", blocked, str(folder / "unpacked/verify.py"), "audit.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cryptography is not on this machine\n  → pip install --upgrade cryptography\n"


def test_it_checks_a_receipt_and_says_what_the_fact_says(folder: Path, book: gongfen.Book) -> None:
    """Ada sees her hours; and no altered fact, path or signature passes."""
    number = next(n for n, fact in book.log.facts() if fact.kind == "labour" and fact.body.labour_us == 7_200_000_000)
    text = book.receipt(number).text()
    (folder / "r.tlog-proof").write_text(text)
    key = (folder / "key.txt").read_text()
    code, out, err = alone(folder, "r.tlog-proof", "--key", "key.txt")
    assert (code, err) == (0, "")
    for line in ("It holds. Log example.org/book, 28 facts, root ", f"Signed by {key}", f"Fact {number}, labour, by ",
                 '  maker: "ada"\n', "  labour_us: 7200000000\n", '  labour_us, hours: "2:00:00"\n'):  # fmt: skip
        assert line in out
    keys = verify.read_keys([key], "log")
    for place in range(len(text)):
        altered = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        try:
            verify.check_receipt(altered, keys)
        except (verify.Refused, ValueError):
            continue
        assert text[place + 1] == "=", "only bits of base64 that stand for nothing may differ"


def test_a_receipt_says_who_cosigned_it() -> None:
    entries = told(list(said("enrol maker=ada\nenrol maker=bo\nenrol maker=cy")))
    leaves = [leaf_hash(one) for one in entries]
    keys, names = verify.read_keys([str(KEY.verifier)], "log"), [str(one.verifier) for one in WITNESSES]
    for number, entry_ in enumerate(entries):
        path = tuple(inclusion_proof(number, 3, subtrees_of(leaves)))
        receipt = TlogProof(number, path, witnessed(entries, WITNESSES[0]), entry_).text()
        seen = verify.check_receipt(receipt, keys, verify.read_keys(names[:1], "witness"))
        assert "Cosigned by w1.example at 2026-11-21 12:00:00+00:00" in seen
        with pytest.raises(verify.Refused, match="cosigned by 1 of 2"):
            verify.check_receipt(receipt, keys, verify.read_keys(names, "witness"))


def test_with_the_stated_command_nothing_beside_it_is_run(folder: Path, tmp_path: Path) -> None:
    """An unpacked folder may hold a ``json.py``: with ``-I`` it is not Python's; and then it is no part of a bundle."""
    for name, content in unzipped((folder / "audit.zip").read_bytes()).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "json.py").write_text("raise SystemExit('It holds.')")
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "."], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "'json.py', is no part" in done.stderr
    assert "python -I verify.py" in verify.__doc__
    assert "python -I verify.py" in bundle.README


def test_it_is_400_lines_of_the_standard_library_and_cryptography() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert max(map(len, text.splitlines())) <= 120
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    roots = {name.partition(".")[0] for name in names}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}
    assert text.count("import_module(") == 1
    assert "cryptography.hazmat.primitives.asymmetric." in text


def test_it_reads_every_kind_on_which_money_rests() -> None:
    """A new kind must be thought about here too: does money rest on it?"""
    without = {"drop", "quote", "evaluation", "label", "revocation", "details", "forgetting", "skill", "rate", "close"}
    without |= {"wage", "rent"}  # money out of the till, which it does not count; nobody's share rests on it
    assert set(verify.KINDS) - set(KINDS) == set()
    moved = set(KINDS) - set(verify.KINDS) - verify.LATER - without
    state = accounts.state_in_memory()
    assert not [kind for kind in moved if _books_money(state, kind)], "verify.py does not know a kind that books"


def _books_money(_state: accounts.State, kind: str) -> bool:
    """Whether booking looks at a kind at all: what it does not name books nothing."""
    text = Path(accounts.booking.__file__).read_text(encoding="utf-8")
    return f"k.{KINDS[kind].__name__}" in text.partition("def _fold")[2].partition("\ndef ")[0]


def test_gongfen_verify_has_the_same_words(folder: Path, tmp_path: Path) -> None:
    """``--key``, ``--since``, ``--witness`` and ``--quorum``, for a bundle."""
    key = (folder / "key.txt").read_text()
    told_ = gongfen_(folder, "verify", "audit.zip", "--key", key, "--since", "old.txt")
    assert told_.returncode == 0, told_.stderr
    assert "nothing was rewritten since the older checkpoint of 26 facts" in told_.stdout
    entries = told(list(said("enrol maker=ada")))
    policy = str(Policy.of((KEY.verifier,), [one.verifier for one in WITNESSES], 2))
    data = write_bundle(entries, witnessed(entries, WITNESSES[0]), str(KEY.verifier), [], policy)
    (tmp_path / "seen.zip").write_bytes(data)
    words = ("seen.zip", "--key", str(KEY.verifier))
    names = [word for one in WITNESSES for word in ("--witness", str(one.verifier))]
    for more, code, text in (
        ([], 0, "Cosigned by 1 of 2 witnesses that the book names itself."),
        (names[:2], 0, "cosigned by w1.example at 2026-11-21T12:00:00Z"),
        (names, 2, "was cosigned by 1 of 2 witnesses"),
        ([*names, "--quorum", "1"], 0, "cosigned by w1.example"),
        ([*names, "--quorum", "3"], 2, "asks for more than 2 witnesses"),
        (["--witness", str(KEY.verifier)], 2, "is a log's, not a witness's"),
        (["--since", "gone.txt"], 2, "cannot be read"),
    ):
        found = gongfen_(tmp_path, "verify", *words, *more)
        assert (found.returncode, text in found.stdout + found.stderr) == (code, True), (more, found)
    spoken = gongfen_(tmp_path, "verify", *words, LANG="zh_CN.UTF-8", LANGUAGE="zh_CN", LC_ALL="zh_CN.UTF-8")
    assert spoken.returncode == 0
    missing = gongfen_(folder, "verify", "key.txt", *names)
    assert missing.returncode == 2
    assert "--witness" in missing.stderr


# -- it agrees with Gongfen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TAMPERINGS))
@pytest.mark.parametrize("summed", [False, True], ids=["as it is", "with new sums"])
def test_it_refuses_what_gongfen_refuses(settlement: gongfen.Book, name: str, summed: bool) -> None:
    altered = TAMPERINGS[name][0](unzipped(settlement.audit()))
    key = str(settlement.log.verifier)
    if summed:
        altered = unzipped(zipped(altered))
    if name == "a foreign key" and summed:
        assert small(altered, key), "the key that came with it is not asked when the auditor brings one"
        assert "is not signed by" in refused(altered, key=None)
        return
    if name == "proofs out of order" and summed:
        assert small(altered, key), "their order is for the eye"
        return
    with pytest.raises((verify.Refused, KeyError, ValueError, IndexError)):
        small(altered, key)


def sold(
    steps: list[tuple[str, int, int, int]], prices: list[int], effects: list[int], ppm: tuple[int, int]
) -> list[Body]:
    """A random history of labour, in which a model is trained on its first works, and writes what is then sold."""
    bodies = [fact.body for fact in valid(history(steps))]
    works = [body.work for body in bodies if isinstance(body, k.Work) and body.role == "data"]
    pool, beta = ppm
    names = ",".join(f'"{work}"' for work in works)
    rows = ",".join(f'{{"work":"{work}","effect_nnat":{effect}}}' for work, effect in zip(works, effects, strict=False))
    bodies += said(f"""
        policy policy=p statement=s pool_ppm={pool} beta_ppm={beta} utility=u currency=EUR
        work work=owned sha256={HASH} size_bytes=0 makers=ada:400000,bo:600000 source=t licence=l
        dataset dataset=set works=[{names},"owned"] root={HASH} licence=l
        model model=m sha256={HASH} parameters=1 source=t licence=l
        make make=train activity=train inputs=[{{"work":"set","role":"data"}}] outputs=["m"] tool=t
        plan work=m uses={1 + len(prices) // 2}
        influence influence=i target=period:2026:EUR model=m grade=settlement method=t utility=u seed=0 effects=[{rows}{"," if rows else ""}{{"work":"owned","effect_nnat":1}}]
    """)  # fmt: skip
    for n, price in enumerate(prices):
        bodies += said(f"""
            output output=o{n} sha256={HASH} size_bytes=0 quantity={1 + price % 3}
            make make=o{n} activity=generate inputs=[{{"work":"m","role":"model"}}] outputs=["o{n}"] tool=t
            labour maker=cy work=o{n} labour_kind=1 phase=inference standing=unpaid labour_us={price % 7}s day=2026-05-01
            sale sale=s{n} output=o{n} price_micro={price} currency=EUR day=2026-01-{1 + n:02}
            labour maker=ada work=o{n} labour_kind=4 phase=inference standing=crowd labour_us=1h day=2026-06-01
        """)  # fmt: skip
    return bodies


PPMS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    PLAIN_STEPS,
    st.lists(st.integers(0, 10**9), min_size=1, max_size=4),
    st.lists(st.integers(-9, 10**6), max_size=5),
    PPMS,
)
def test_both_recompute_the_same_cents_from_random_histories(
    steps: list[tuple[str, int, int, int]], prices: list[int], effects: list[int], ppm: tuple[int, int]
) -> None:
    """Two programs, written apart, say the same of every history; one cent moved, and both refuse."""
    entries = settled(sold(steps, prices, effects, ppm), "2026", "p")
    data = bundled(entries)
    verdict = verify_bundle(data, KEY.verifier)
    assert f"EUR {verdict.settlements[0].total_micro / 10**6:.6f} to share" in "\n".join(small(data))
    body = json.loads(entries[-1])["body"]
    if len(body["lines"]) > 1:
        body["lines"][0]["amount_micro"] += 10_000
        body["lines"][0]["labour_micro"] += 10_000
        body["lines"][1]["labour_micro"] -= 10_000
        body["lines"][1]["amount_micro"] -= 10_000
    else:
        body["carried_out_micro"] += 1
    forged = json.dumps(
        json.loads(entries[-1]) | {"body": body}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert "settlement" in both_refuse(by_hand([*entries[:-1], forged.encode()]))


@pytest.mark.parametrize(("unpaid", "cents"), [("simple", (500, 500)), ("reduced", (333, 667))])
def test_both_count_unpaid_labour_as_the_standard_says(unpaid: str, cents: tuple[int, int]) -> None:
    """Ada's paid hour and Bo's unpaid one of a skill that counts two: half each where unpaid labour is simple labour."""
    bodies = said(
        f"""
        enrol maker=ada
        enrol maker=bo
        standard standard=s basis=t reductions=[{{"skill":"x2","num":2,"den":1}}] machines=[] melt_micro=40.0 currency=EUR unpaid={unpaid}
        policy policy=p statement=t pool_ppm=1000000 beta_ppm=1000000 utility=none currency=EUR
        output output=o sha256={HASH} size_bytes=1
        labour maker=ada work=o labour_kind=4 phase=inference standing=employed labour_us=1h day=2026-11-05
        labour maker=bo work=o labour_kind=1 phase=inference standing=unpaid labour_us=1h day=2026-11-05 skill=x2
        sale sale=s1 output=o price_micro=10.00 currency=EUR day=2026-11-06
        """
    )
    entries = settled(list(bodies), "2026", "p")
    lines = json.loads(entries[-1])["body"]["lines"]
    assert tuple(line["amount_micro"] // 10_000 for line in lines) == cents
    data = bundled(entries)
    verify_bundle(data, KEY.verifier)
    assert "EUR 10.000000 to share" in "\n".join(small(data))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN_STEPS, st.integers(0, 30), st.integers(0, 30))
def test_both_accept_and_refuse_the_same_histories_though_signed(
    steps: list[tuple[str, int, int, int]], first: int, second: int
) -> None:
    """Facts of a valid history in another order, or said twice: what one could not have booked, nor could the other."""
    bodies = [fact.body for fact in valid(history(steps))]
    first, second = first % len(bodies), second % len(bodies)
    bodies[first], bodies[second] = bodies[second], bodies[first]
    data = bundled(told(list(bodies)))
    try:
        verify_bundle(data, KEY.verifier)
    except ProofError:
        refused(data)
    else:
        assert small(data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_what_the_small_verifier_does_not_book_it_says(steps: list[tuple[str, int, int, int]]) -> None:
    """Losses, recycling, corrections, averages: it goes on checking the log, and claims nothing of settlements."""
    facts = valid(history(steps))
    data = bundled(told(list(facts)))
    assert verify_bundle(data, KEY.verifier).size == len(facts)
    later = {"loss", "recycle", "correction", "opening"}
    behind = any(fact.kind in later or getattr(fact.body, "standard", "") == "averages" for fact in facts)
    assert ("NOT RECOMPUTED" in "\n".join(small(data))) == behind


FORGERIES = {
    "a maker who is not enrolled": ("labour", {"maker": "eve"}),
    "a work that nobody recorded": ("labour", {"work": "nothing"}),
    "27 hours in a day": ("labour", {"labour_us": 97_200_000_000}),
    "negative hours": ("labour", {"labour_us": -1}),
    "hours as a float": ("labour", {"labour_us": 1.5}),
    "hours as true": ("labour", {"labour_us": True}),
    "hours as a list": ("labour", {"labour_us": [10**9]}),
    "no days": ("labour", {"days": 0}),
    "a skill without reduction": ("labour", {"skill": "wizard"}),
    "a machine that labours": ("labour", {"maker": "desk"}),
    "a person who computes": ("compute", {"machine": "ada"}),
    "more than the whole pool": ("policy", {"pool_ppm": 1_000_001}),
    "a coin of nothing": ("policy", {"coin_micro": 0}),
    "makers of more than the whole": ("work", {"makers": [{"maker": "ada", "ppm": 1_000_001}]}),
    "makers of half": ("work", {"makers": [{"maker": "ada", "ppm": 500_000}]}),
    "a work that calls itself an output": ("work", {"role": "output"}),
    "a gathering of the same work twice": ("dataset", {"works": ["poem-1", "poem-1"]}),
    "a making out of itself": ("make", {"outputs": ["poems"]}),
    "a making of nothing": ("make", {"outputs": []}),
    "influence of a work that trained nothing": ("influence", {"effects": [{"work": "prompt-1", "effect_nnat": 9}]}),
    "influence claimed twice": ("influence", {"effects": [{"work": "poem-1", "effect_nnat": 9}] * 2}),
    "another price": ("sale", {"price_micro": 20_000_000}),
    "a sale of a data set": ("sale", {"output": "poems"}),
    "a sale on a day that no calendar has": ("sale", {"day": "2026-11-31"}),
    "another total": ("settlement", {"total_micro": 999_000_000}),
    "another root": ("settlement", {"root": "00" * 32}),
    "a policy that is not there": ("settlement", {"policy": "mine"}),
    "lines left out": ("settlement", {"lines": []}),
    "a payment of more than is owed": ("payment", {"amount_micro": 2_580_000}),
    "a fact without its fields": ("sale", None),
    "a maker called as what nobody is owed": ("enrol", {"maker": "owed:unidentified"}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_by_both_though_the_key_signed_it_again(book: gongfen.Book, name: str) -> None:
    kind, change = FORGERIES[name]
    entries = [one.data for one in book.log.store.entries()]
    place = next(n for n, data in reversed(list(enumerate(entries))) if json.loads(data)["kind"] == kind)
    fact = json.loads(entries[place])
    fact["body"] = {} if change is None else fact["body"] | change
    entries[place] = json.dumps(fact, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    both_refuse(by_hand(entries))


ODD: list[Any] = [None, True, False, 0, 1, -1, 10_000, 2**53, 10**30, 1.5, "", "x", "a|b", "ada", "poem-1", "song-1", "poems",
                  "poet", "EUR", "2026", "2026-1", "owed:unidentified", "\x00", "\U0001f600", [], {}, [None], [[]], [{}], {"work": []}]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 27), st.integers(0, 20), st.sampled_from(ODD), st.booleans())
def test_what_gongfen_accepts_it_accepts_and_nothing_upsets_it(
    book: gongfen.Book, which: int, field: int, odd: Any, inside: bool
) -> None:
    """Any field of any fact, made odd and signed again: it may be laxer where no money rests, and never the other way."""
    entries = [one.data for one in book.log.store.entries()]
    fact = json.loads(entries[which])
    place = fact["body"] if inside else fact
    place[sorted(place)[field % len(place)]] = odd
    try:
        entries[which] = verify.canonical(fact)
    except UnicodeEncodeError:
        return
    seq, said_, body = settlement_of(book)
    if which < seq:  # else every change would be found by the root that the settlement names
        root = root_of([leaf_hash(one) for one in entries[:seq]]).hex()
        entries[seq] = encode(msgspec.structs.replace(said_, body=msgspec.structs.replace(body, root=root)))
    data = by_hand(entries)
    try:
        verify_bundle(data, KEY.verifier)
    except ProofError:
        try:
            small(data)
        except verify.Refused:
            return
    else:
        assert small(data)


def test_an_hour_put_on_after_the_sale_is_refused_in_a_settlement_by_both(book: gongfen.Book) -> None:
    """The labour frozen at the sale is what counts: a settlement that shares by later labour does not follow."""
    seq, fact, body = settlement_of(book)
    first, second, *rest = body.lines
    lines = (
        msgspec.structs.replace(
            first, labour_micro=first.labour_micro + 10_000, amount_micro=first.amount_micro + 10_000
        ),
        msgspec.structs.replace(
            second, labour_micro=second.labour_micro - 10_000, amount_micro=second.amount_micro - 10_000
        ),
        *rest,
    )
    entries = [one.data for one in book.log.store.entries()]
    entries[seq] = encode(msgspec.structs.replace(fact, body=msgspec.structs.replace(body, lines=lines)))
    assert "gives ada" in both_refuse(bundled(entries))


def test_periods_policies_carry_and_closing_are_recomputed_over_several_settlements() -> None:
    text = COOPERATIVE.replace("price_micro=10.01", "price_micro=10.013333")
    bodies = said(text)
    first = [json.loads(data) for data in settled(bodies, "2026-11", "p1")]
    bodies.append(msgspec.convert(first[-1]["body"], k.Settlement))
    assert bodies[-1].carried_out_micro, "something is carried into the next period"
    bodies += said("""
        policy policy=p2 statement=later pool_ppm=900000 beta_ppm=1000000 utility=u currency=EUR coin_micro=50000
        sale sale=sale-2 output=song-1 price_micro=7.77 currency=EUR day=2026-12-03
    """)
    entries = settled(bodies, "2026-12", "p2")
    report = small(bundled(entries))
    assert [line for line in report if "follows" in line]
    assert verify_bundle(bundled(entries), KEY.verifier).settlements[1].total_micro % 50_000 == 0
    late = said("sale sale=late output=song-1 price_micro=1.00 currency=EUR day=2026-11-30")
    assert "has settled" in both_refuse(bundled([*entries, *told([Fact(id="late", at=AT, by="t", body=late[0])])]))
    with pytest.raises(MissingAssumptionError):
        settled(bodies, "2026-12", "p1")


# -- signatures, witnesses, long facts ---------------------------------------------------------------------------------


def test_all_keys_of_the_book_must_have_signed_ed25519_and_ml_dsa() -> None:
    entries = told(list(said("enrol maker=ada")))
    keys = f"{KEY.verifier}\n{PQ_KEY.verifier}"
    data = write_bundle(entries, note_over(entries, KEY, PQ_KEY), keys, [])
    assert verify_bundle(data, None).keys == (str(KEY.verifier), str(PQ_KEY.verifier))
    assert verify_bundle(data, (KEY.verifier, PQ_KEY.verifier))
    assert len([line for line in small(data, None) if line.startswith("Signed by")]) == 2
    assert small(data, str(PQ_KEY.verifier))
    half = write_bundle(entries, note_over(entries), keys, [])
    assert "is not signed by" in refused(half, key=None)
    with pytest.raises(ProofError, match="is not signed by"):
        verify_bundle(half, None)
    other = Checkpoint(ORIGIN, 1, leaf_hash(entries[0])).sign(KEY, MLDSA44Signer(ORIGIN, b"x" * 32))
    assert "is not signed by" in refused(write_bundle(entries, other, keys, []), key=None)


def witnessed(entries: list[bytes], *witnesses: WitnessSigner | MLDSA44Signer) -> str:
    note = note_over(entries)
    return add_signatures(note, [cosign(note, one, NOON_S) for one in witnesses])


def test_witnesses_are_counted_and_a_false_one_is_refused() -> None:
    entries = told(list(said("enrol maker=ada")))
    names = [str(one.verifier) for one in WITNESSES]
    policy = str(Policy.of((KEY.verifier,), [one.verifier for one in WITNESSES], 2))
    data = write_bundle(entries, witnessed(entries, *WITNESSES), str(KEY.verifier), [], policy)
    verifiers = [one.verifier for one in WITNESSES]
    verdict = verify_bundle(data, KEY.verifier, witnesses=verifiers)
    assert [(one.witness, one.time_s) for one in verdict.witnesses] == [(one.name, NOON_S) for one in WITNESSES]
    assert verify_bundle(data, KEY.verifier).witnesses_from_bundle
    assert [line for line in small(data, witnesses=" ".join(names)) if line.startswith("Cosigned by")] == [
        f"Cosigned by {one.name} at 2026-11-21 12:00:00+00:00" for one in WITNESSES
    ]
    one_of_two = write_bundle(entries, witnessed(entries, WITNESSES[1]), str(KEY.verifier), [], policy)
    assert verify_bundle(one_of_two, KEY.verifier, witnesses=verifiers, quorum=1)
    assert small(one_of_two, witnesses=" ".join(names), quorum=1)
    for more in ({}, {"quorum": 2}):
        no = refused(one_of_two, witnesses=" ".join(names), **more)
        assert f"was cosigned by 1 of 2 witnesses ({WITNESSES[1].name}); 2 are asked for" in no
        assert f"ask for one that these have cosigned: {WITNESSES[0].name}" in no
        with pytest.raises(ProofError, match="was cosigned by 1 of 2"):
            verify_bundle(one_of_two, KEY.verifier, witnesses=verifiers, **more)
    twice = f"{names[1]} {names[1]}"
    assert "--quorum 2 has 1 to choose from" in refused(one_of_two, witnesses=twice, quorum=2), (
        "one witness counts once"
    )
    line = cosign(note_over(entries), WITNESSES[0], NOON_S)
    for wrong in (
        line.signature[:7] + b"\x00" + line.signature[8:],
        line.signature[:-1] + bytes([line.signature[-1] ^ 1]),
        bytes(9),
    ):
        false = add_signatures(note_over(entries), [dataclasses.replace(line, signature=wrong)])
        forged = write_bundle(entries, false, str(KEY.verifier), [], policy)
        assert "false signature of w1.example" in refused(forged, witnesses=names[0])
        with pytest.raises(ProofError, match="false signature of w1"):
            verify_bundle(forged, KEY.verifier)


def test_an_older_checkpoint_must_be_the_beginning(book: gongfen.Book) -> None:
    entries = [one.data for one in book.log.store.entries()]
    data = bundled(entries)
    for size in range(len(entries) + 1):
        old = note_over(entries[:size])
        assert verify_bundle(data, KEY.verifier, since=old).since == size
        assert small(data, since=old)
    for old in (
        note_over([b"another", *entries[1:9]]),
        note_over([*entries, b"more"]),
        note_over([*entries[:-1], b"x"]),
    ):
        no = refused(data, since=old)
        assert f"root {root_of([leaf_hash(one) for one in entries]).hex()}" in no, "both heads are shown"
        assert no.count("facts, root ") == 2
        with pytest.raises(ProofError, match=r"was rewritten|ends with"):
            verify_bundle(data, KEY.verifier, since=old)
    foreign = Checkpoint(ORIGIN, 0, root_of([])).sign(Signer(ORIGIN, bytes(32)))
    assert "is not signed by" in refused(data, since=foreign)


def test_a_long_body_lies_among_the_blobs_and_counts() -> None:
    """More than 64 KiB: the log holds its hash, the bundle its bytes, and both read it."""
    names = tuple(f"{n}-{'a-long-name' * 17}" for n in range(350))
    bodies: list[Body | Fact] = list(said("enrol maker=ada"))
    bodies += [k.Work(work=name, sha256=HASH, size_bytes=0, makers=(), source="t", licence="l") for name in names]
    bodies += said(
        f"labour maker=ada work={names[7]} labour_kind=1 phase=training standing=crowd labour_us=1h day=2026-01-01"
    )
    long = Fact(id="long", at=AT, by="t", body=k.Dataset(dataset="d", works=names, root=HASH, licence="l"))
    entries = told([*bodies, long])
    _, body = entry(long)
    assert body is not None
    data = bundled(entries, (body,))
    assert verify_bundle(data, KEY.verifier).blobs == 1
    assert small(data)
    key = MakerKey(ORIGIN, "ada", key_name("ada", b"a" * 32), b"a" * 32)
    signed = key.sign(msgspec.structs.replace(long, by="ada"))
    by_ada = bundled(told([*bodies, key.introduce(), signed]), (body,))
    assert verify_bundle(by_ada, KEY.verifier)
    assert "Inclusion proofs: 0; signatures of makers: 1" in small(by_ada)
    without = bundled_without(data)
    assert "fact 352" in refused(without)
    with pytest.raises(ProofError, match="known by its hash only"):
        verify_bundle(without, KEY.verifier)
    inline = [*entries[:-1], encode(long)]
    parts = unzipped(data) | {"checkpoint": note_over(inline).encode(), "leaves": b"".join(map(leaf_hash, inline)),
                              "facts.jsonl": b"".join(one + b"\n" for one in inline)}  # fmt: skip
    both_refuse(zipped(parts))


def bundled_without(data: bytes) -> bytes:
    return zipped({name: part for name, part in unzipped(data).items() if not name.startswith("blobs/")})


def test_a_makers_own_signature_is_checked_by_both() -> None:
    key = MakerKey(ORIGIN, "ada", key_name("ada", b"a" * 32), b"a" * 32)
    bodies: list[Body | Fact] = [*said("enrol maker=ada\nenrol maker=bo"), key.introduce()]
    work = said(f"work work=w sha256={HASH} size_bytes=0 makers=ada:1000000 source=t licence=l")[0]
    signed = key.sign(Fact(id="signed", at=AT, by="ada", body=work))
    data = bundled(told([*bodies, signed]))
    assert verify_bundle(data, KEY.verifier)
    assert "Inclusion proofs: 0; signatures of makers: 1" in small(data)
    other = msgspec.structs.replace(signed, at="2026-11-22T04:17:25.000000Z")
    by_bo = msgspec.structs.replace(signed, by="bo")
    elsewhere = MakerKey("example.org/other", "ada", key.key, b"a" * 32).sign(signed)
    unknown = MakerKey(ORIGIN, "ada", "ada/none", b"a" * 32).sign(signed)
    for forged in (other, by_bo, elsewhere, unknown):
        both_refuse(bundled(told([*bodies, forged])))


def test_what_a_revoked_key_signs_is_flagged_by_both_from_its_revocation_on() -> None:
    """Before it: not. Replaced keys, too; and what is booked of the log or not makes no difference to signatures."""
    first, second, third = (MakerKey(ORIGIN, "ada", f"ada/{n}", bytes([n]) * 32) for n in (1, 2, 3))
    late = said("""
        labour maker=ada work=w1 labour_kind=1 phase=training standing=unpaid labour_us=1h day=2026-01-01
        loss loss=l1 work=w1 reason=decay amount_uslh=none
    """)
    for between in ([], late):
        bodies: list[Body | Fact] = [*said("enrol maker=ada"), first.introduce()]

        def sign(key: MakerKey, body: Body, bodies: list[Body | Fact] = bodies) -> None:
            bodies.append(key.sign(Fact(id=f"signed-{len(bodies)}", at=AT, by="ada", body=body)))

        def work(key: MakerKey, sign: Any = sign, bodies: list[Body | Fact] = bodies) -> None:
            text = f"work work=w{len(bodies)} sha256={HASH} size_bytes=0 makers=ada:1000000 source=t licence=l"
            sign(key, said(text)[0])

        bodies += said(f"work work=w1 sha256={HASH} size_bytes=0 makers=ada:1000000 source=t licence=l")
        bodies += between
        work(first)
        sign(first, second.introduce(replaces=first.key))
        before = len(bodies)
        work(first)
        work(second)
        bodies += [k.Revocation(key=second.key, reason="lost"), third.introduce()]
        work(second)
        work(third)
        data = bundled(told(bodies))
        verdict = verify_bundle(data, KEY.verifier)
        flagged = (before, before + 4)
        assert (verdict.signed, verdict.flagged, verdict.flagged_facts) == (6, 2, flagged)
        report = small(data)
        assert "Inclusion proofs: 0; signatures of makers: 6" in report
        numbers = f"{flagged[0]}, {flagged[1]}"
        assert f"IN DOUBT: 2 facts signed with a key that had ended: {numbers}" in report
        assert any(line.startswith("NOT RECOMPUTED") for line in report) == bool(between)


# -- every byte --------------------------------------------------------------------------------------------------------

TINY = f"""
enrol maker=ada
standard standard=s basis=t reductions=[] machines=[] melt_micro=40.0 currency=EUR
policy policy=p statement=s pool_ppm=500000 beta_ppm=1000000 utility=u currency=EUR
output output=o sha256={HASH} size_bytes=4
labour maker=ada work=o labour_kind=1 phase=inference standing=unpaid labour_us=1h day=2026-01-01
sale sale=s output=o price_micro=10.01 currency=EUR day=2026-01-01
"""


@pytest.fixture(scope="module")
def tiny() -> Parts:
    """Seven facts, a text, two witnesses. README and verify.py are cut short: nothing reads them but the sums."""
    entries = settled(said(TINY), "2026", "p")
    policy = str(Policy.of((KEY.verifier,), [WITNESSES[0].verifier], 1))
    data = write_bundle(entries, witnessed(entries, WITNESSES[0]), str(KEY.verifier), [b"text"], policy)
    cut = {"README.txt": b"read me", "verify.py": b"# verify"}
    parts = unzipped(zipped(unzipped(data) | cut))
    assert set(parts) == {*bundle.PARTS, f"blobs/{HASH}"}
    assert small(parts)
    assert verify_bundle(zipped(parts), KEY.verifier)
    return parts


def stored(parts: Parts, sums: bytes) -> bytes:
    """A zip of the parts as they are: the sums are not computed anew."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (parts | {"SHA256SUMS": sums}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_every_flipped_byte_of_every_part_is_noticed_by_both(tiny: Parts) -> None:
    """Each byte of each part once, as somebody alters an unpacked bundle: none passes, none is an internal error."""
    flips = 0
    for name, content in tiny.items():
        for place in range(len(content)):
            flipped = bytearray(content)
            flipped[place] ^= 1 << place % 8
            altered = tiny | {name: bytes(flipped)}
            with pytest.raises((verify.Refused, ValueError, LookupError, TypeError)):
                small(altered)
            with pytest.raises(ProofError):
                verify_bundle(stored(altered, altered["SHA256SUMS"]), KEY.verifier)
            flips += 1
    assert flips == sum(map(len, tiny.values())) > 4_500


def test_every_flipped_byte_of_the_zip_is_noticed_or_leaves_every_part_as_it_was(tiny: Parts, tmp_path: Path) -> None:
    """Flips in the zip's own bookkeeping (a date, a version, an attribute) may pass: all parts are then the same."""
    data = zipped(tiny)
    passed = 0
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1 << place % 8
        path = tmp_path / "altered.zip"
        path.write_bytes(altered)
        try:
            parts = verify.read_parts(path)
            small(parts)
        except Exception:  # noqa: BLE001 - what main() turns into a refusal
            parts = {}
        try:
            verify_bundle(bytes(altered), KEY.verifier)
            theirs = unzipped(bytes(altered))
        except ProofError:
            theirs = {}
        assert parts in ({}, tiny), place
        assert theirs in ({}, tiny), place
        passed += bool(parts) or bool(theirs)
    assert passed < len(data) // 5


def test_a_flipped_bundle_never_shows_a_traceback(folder: Path) -> None:
    """Through the command itself: the places where the parts of a zip begin, and some between."""
    data = (folder / "audit.zip").read_bytes()
    for place in (0, 30, len(data) // 3, len(data) - 22, len(data) - 60):
        altered = bytearray(data)
        altered[place] ^= 0xFF
        (folder / "flipped.zip").write_bytes(altered)
        code, out, err = alone(folder, "flipped.zip")
        assert "Traceback" not in err
        assert (code, bool(out), bool(err)) in ((0, True, False), (2, False, True))


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Parts) -> None:
    """Not by what its directory says, which may be anything, but by the bytes that come out."""
    data = bytearray(zipped(tiny | {"README.txt": bytes(5_000_000)}))
    assert len(data) < 20_000
    assert data.count((5_000_000).to_bytes(4, "little")) == 2
    honest = bytes(data)
    lying = bytes(data.replace((5_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    monkeypatch.setattr(verify, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr("gongfen.reports.bundle.unpacking.MOST_BYTES", 1_000_000)
    (tmp_path / "bomb.zip").write_bytes(honest)
    with pytest.raises(verify.Refused, match="unpacks to more than"):
        verify.read_parts(tmp_path / "bomb.zip")
    with pytest.raises(ProofError, match="unpacks to more than"):
        verify_bundle(honest, KEY.verifier)
    (tmp_path / "bomb.zip").write_bytes(lying)
    with pytest.raises(Exception, match=r"CRC|unpacks|length"):
        verify.read_parts(tmp_path / "bomb.zip")
    with pytest.raises(ProofError):
        verify_bundle(lying, KEY.verifier)

"""What each parser reads gladly: the bytes from which hostile ones are made."""

import io
import zipfile
from hashlib import sha256

import msgspec
import rfc8785

from fuzz.parsers import ANSWER, NOTE, ORIGIN, PARSERS, SIGNER, WITNESS
from gongfen.book.recording.receipt import receipt_of
from gongfen.facts import Fact, encode
from gongfen.facts import kinds as k
from gongfen.facts.signing import MakerKey
from gongfen.labels.gb45438 import first_label
from gongfen.labels.markdown import write_label
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.cosignature import MLDSA44Signer
from gongfen.proof.merkle import leaf_hash
from gongfen.proof.tiles import write_entries
from gongfen.proof.tlog_proof import TlogProof
from gongfen.proof.witness import Request
from gongfen.reports.bundle import write_bundle

HASH = sha256(b"text").hexdigest()
AT = "2026-11-22T04:17:24.000000Z"
LABOUR = k.Labour(
    maker="ada", work="item", labour_kind=2, phase="training", standing="crowd", labour_us=40, day="2026-11-22"
)
BODIES: tuple[k.Body, ...] = (
    k.Enrol(maker="ada"),
    k.Work(
        work="w", sha256=HASH, size_bytes=4, makers=(k.Part(maker="ada", ppm=1_000_000),), source="s", licence="CC0"
    ),
    LABOUR,
    k.Make(make="m", activity="train", inputs=(k.Use(work="a", role="data"),), outputs=("b",), tool="t"),
    k.Influence(
        influence="i", target="b", model="m", grade="display", method="t", utility="u", seed=1,
        effects=(k.Effect(work="w", effect_nnat=-3),),
    ),
)  # fmt: skip
FACTS = tuple(Fact(id=str(number), at=AT, by="ada", body=body) for number, body in enumerate(BODIES))
LARGE = {
    "at": AT, "body_bytes": 70_000, "body_sha256": HASH, "by": "a", "id": "1", "kind": "dream", "sample": False, "v": 2,
}  # fmt: skip
WORDS = (
    b"labour maker=ada work=item-17 labour_kind=2 phase=training standing=crowd labour_us=1.5h day=2026-11-22",
    b"work work=w sha256=00 size_bytes=0 makers=ada:600000,bo:400000 source=s licence=l",
    b'standard standard=s basis=b reductions=[{"skill":"x","num":2,"den":1}] machines=[] melt_micro=40.0 currency=EUR',
    b"sale sale=s output=o price_micro=1.000001 currency=EUR day=2026-11-09",
    b"enrol maker=ada form=group people=none",
)
LINES = (
    b'{"kind":"enrol","body":{"maker":"ada"},"id":"x","at":"2026-11-22T04:17:24.000000Z","sample":true}',
    b'{"kind":"enrol","maker":"ada","form":"group"}',
    *map(encode, FACTS),
)
HEAD = Checkpoint(ORIGIN, 1, leaf_hash(encode(FACTS[0]))).sign(SIGNER)
BUNDLE = write_bundle([encode(FACTS[0])], HEAD, str(SIGNER.verifier), [b"text"])
LABEL = write_label("a poem\n", first_label("sha256:00"), {"title": "T"}).encode()
KEYS = tuple(
    str(one).encode()
    for one in (
        SIGNER, SIGNER.verifier, WITNESS, WITNESS.verifier, MLDSA44Signer(ORIGIN, bytes(32)),
        MLDSA44Signer(ORIGIN, bytes(32)).verifier,
    )
)  # fmt: skip
PROOF = TlogProof(0, (), NOTE, b"entry").text().encode()
RECEIPT = receipt_of(0, encode(FACTS[0]), (), HEAD)
REQUEST = Request(0, (), NOTE).text().encode()
POLICY = (
    f"log {SIGNER.verifier} https://example.org/log\nwitness one {WITNESS.verifier}\n# why\n"
    "group some any one\nquorum some\n"
).encode()


def _bomb() -> bytes:
    """A thousand times larger inside than outside."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("facts.jsonl", bytes(1_000_000))
    return buffer.getvalue()


_FACTS = (*map(encode, FACTS), rfc8785.dumps(LARGE), rfc8785.dumps({**LARGE, "v": 1, "body": {"a": [None, "é"]}}))
SEEDS: dict[str, tuple[bytes, ...]] = {
    "fact": _FACTS,
    "fact in a log": _FACTS,
    "fact kept by hash": _FACTS,
    "body": tuple(bytes([number]) + msgspec.json.encode(LABOUR) for number in range(8)),
    "line": LINES,
    "lines": (b"\n".join(LINES),),
    "words": WORDS,
    "money": (b"12.50", b"0", b"99999999999999999999.000001"),
    "time": (b"40s", b"1.5h", b"0.000001s"),
    "maker's key": (MakerKey(ORIGIN, "ada", "ada/1", bytes(32)).write().encode(),),
    "note": (NOTE.encode(),),
    "signature lines": (ANSWER.encode(),),
    "verifier key": KEYS,
    "any verifier key": KEYS,
    "log's key": KEYS,
    "witness's key": KEYS,
    "checkpoint": (NOTE.partition("\n\n")[0].encode() + b"\n",),
    "signed checkpoint": (NOTE.encode(),),
    "policy": (POLICY,),
    "policy's judgement": ((NOTE + ANSWER).encode(),),
    "proof": (PROOF,),
    "receipt": (RECEIPT.text().encode(), PROOF),
    "receipt in JSON": (msgspec.json.encode(RECEIPT),),
    "tile's path": (b"tile/0/x001/x234/067.p/5", b"tile/entries/000", b"tile/63/000.p/255"),
    "tile": (b"\x02" + bytes(64), b"\x02" + write_entries([b"a", b"bc"])),
    "mirror": (b"\x01" + write_entries([b"entry", b"x" * 62]), bytes(64)),
    "request to a witness": (REQUEST,),
    "witness": (REQUEST,),
    "witness's refusal": (b"17\n",),
    "witness's answer": (ANSWER.encode(),),
    "zip": (BUNDLE, _bomb()),
    "bundle": (BUNDLE,),
    "bundle with its key": (BUNDLE,),
    "label": (LABEL,),
    "label's check": (LABEL,),
    "hidden label": (first_label("sha256:00").bare_json().encode(), first_label("x").wrapped_json().encode()),
    "address of a database": (b"postgresql://ada:secret@localhost:5432/books?schema=poems&sslmode=require",),
}
assert set(SEEDS) == set(PARSERS), "every parser has its seeds"
TOKENS = (
    b"{", b"[", b"]", b"}", b'"', b"\\u0000", b"\\ud800", b"1e999999", b"-0", b"9" * 400, b"1.0", b"null", b"true",
    b"\xff", b"\x00", b"\xed\xa0\x80", b"\xe2\x80\x94 ", b"\n\n", b"\r\n", b"+", b"=", b"|", b":", b",", b"%00",
    b"---\n", b"!!python/object", b"&a [*a]", b"2026-02-30", b"\xf0\x9f\x92\xa9", b"\xe2\x80\xa8", b'"kind":"dream"',
    b'"v":2',
)  # fmt: skip
"""What is put in between."""

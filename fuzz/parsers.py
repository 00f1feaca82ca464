"""Every parser of bytes that come from outside: what goes in, and that nothing but a named error comes out.

``PARSERS`` serves the fuzzing (``fuzz/run.py``) and the tests (``tests/test_hostile_input.py``). A parser takes bytes;
where the real one takes text, the bytes are decoded as Python decodes the words of a command line.
"""

import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from gongfen.book.recording.receipt import Receipt
from gongfen.cli.lines import _facts
from gongfen.errors import GongfenError, ProofError
from gongfen.facts import KINDS, body_of, decode, reread
from gongfen.facts.notation import read_line, read_money, read_time, read_words
from gongfen.facts.signing import MakerKey
from gongfen.labels.gb45438 import read_hidden
from gongfen.labels.markdown import check_label, read_label
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from gongfen.proof.cosignature import WitnessSigner, cosign, read_cosigner, read_log_signer, read_verifier
from gongfen.proof.note import Signer, Verifier, add_signatures, read_note, read_signature_lines
from gongfen.proof.policy import Policy
from gongfen.proof.tiles import ENTRIES, Tile, check_tiles, read_entries, read_hashes
from gongfen.proof.tlog_proof import read_proof
from gongfen.proof.witness import Known, consider, read_conflict, read_request, take_cosignatures
from gongfen.reports.bundle import unzipped, verify_bundle
from gongfen.storage.address import Address, is_address

Parser = Callable[[bytes], object]

ORIGIN = "example.org/log"
SIGNER = Signer(ORIGIN, bytes(range(32)))
WITNESS = WitnessSigner("witness.example", bytes(range(32, 64)))
CHECKPOINT = Checkpoint(ORIGIN, 1, sha256(b"\x00entry").digest())
NOTE = CHECKPOINT.sign(SIGNER)
ANSWER = str(cosign(NOTE, WITNESS, 1_800_000_000))
POLICY = Policy.parse(f"log {SIGNER.verifier}\nwitness one {WITNESS.verifier}\ngroup some any one\nquorum some\n")
NAMES = sorted(KINDS)


def text_of(data: bytes) -> str:
    """Text as a command line gives it: bytes that are no UTF-8 become halves of surrogate pairs."""
    return data.decode(errors="surrogateescape")


def _body(data: bytes) -> object:
    try:
        fields = msgspec.json.decode(data[1:])
    except (ValueError, RecursionError):
        return None
    return body_of(NAMES[data[0] % len(NAMES)], fields) if isinstance(fields, dict) else None


def _receipt(data: bytes) -> object:
    found: Any
    try:
        found = msgspec.json.decode(data, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # the command line says what it is not
    return found.check(SIGNER.verifier)


def _proof(data: bytes) -> object:
    found = read_proof(text_of(data))
    try:
        return found.check(b"entry", POLICY)
    except ProofError:
        return found.check_signed(b"entry", [SIGNER.verifier])


def _mirror(data: bytes) -> object:
    """Files of a log, cut from the bytes as they come."""

    def fetch(path: str) -> bytes:
        tile = Tile.parse(path)
        return data[1:] if tile.level == ENTRIES else data[-32 * tile.width :]

    return check_tiles(Checkpoint(ORIGIN, 2 * data[0], bytes(32)), fetch) if data else None


def _tile(data: bytes) -> object:
    width = data[0] or 256
    try:
        return read_hashes(data[1:], Tile(0, 0, width))
    except ProofError:
        return read_entries(data[1:], Tile(ENTRIES, 0, width))


PARSERS: dict[str, Parser] = {
    "fact": decode,
    "fact in a log": reread,
    "fact kept by hash": lambda data: decode(data, lambda _: data[-100:]),
    "body": lambda data: _body(data or b"\0"),
    "line": lambda data: read_line(data, "line 1,"),
    "lines": lambda data: list(_facts(io.BytesIO(data), "facts.jsonl", sample=False, chained=True)),
    "words": lambda data: read_words(text_of(data).split() or [""]),
    "money": lambda data: read_money(text_of(data)),
    "time": lambda data: read_time(text_of(data)),
    "maker's key": MakerKey.read,
    "note": lambda data: read_note(text_of(data)),
    "signature lines": lambda data: add_signatures(NOTE, read_signature_lines(text_of(data))),
    "verifier key": lambda data: Verifier.parse(text_of(data)),
    "any verifier key": lambda data: read_verifier(text_of(data)),
    "log's key": lambda data: read_log_signer(text_of(data)),
    "witness's key": lambda data: read_cosigner(text_of(data)),
    "checkpoint": lambda data: read_checkpoint(text_of(data)),
    "signed checkpoint": lambda data: open_checkpoint(text_of(data), SIGNER.verifier),
    "policy": lambda data: Policy.parse(text_of(data)),
    "policy's judgement": lambda data: POLICY.check(text_of(data)),
    "proof": _proof,
    "receipt": lambda data: Receipt.read(text_of(data)).check(SIGNER.verifier),
    "receipt in JSON": _receipt,
    "tile's path": lambda data: Tile.parse(text_of(data)),
    "tile": lambda data: _tile(data or b"\0"),
    "mirror": _mirror,
    "request to a witness": lambda data: read_request(text_of(data)),
    "witness": lambda data: consider(text_of(data), lambda _: Known((SIGNER.verifier,))),
    "witness's refusal": lambda data: read_conflict(text_of(data)),
    "witness's answer": lambda data: take_cosignatures(NOTE, text_of(data), [WITNESS.verifier]),
    "zip": unzipped,
    "bundle": lambda data: verify_bundle(data, SIGNER.verifier),
    "bundle with its key": lambda data: verify_bundle(data, None),
    "label": lambda data: read_label(text_of(data)),
    "label's check": lambda data: check_label(text_of(data)),
    "hidden label": lambda data: read_hidden(text_of(data)),
    "address of a database": lambda data: Address(text_of(data)) if is_address(text_of(data)) else None,
}


def parse(name: str, data: bytes) -> object:
    """What the parser makes of the bytes: a value, or the named error; anything else is raised."""
    try:
        return PARSERS[name](data)
    except GongfenError as error:
        found = error
    assert all((found.thing, found.reason, found.remedy)), "an error has three parts"
    return found

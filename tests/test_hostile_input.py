"""Hostile bytes for every parser: a value or a named error, soon, and with no more memory than they warrant."""

import io
import random
import resource
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fuzz.parsers import PARSERS, parse
from fuzz.seeds import BUNDLE, LABEL, NOTE, SEEDS, TOKENS
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.cli.lines import _facts
from gongfen.errors import GongfenError, MalformedFactError

SOON_S = 3
"""Of processor time, for the largest input on a slow machine; an honest parser takes milliseconds."""
ROOM_BYTES = 1 << 30
MOST_SAID = 10_000
"""An error is for a person to read."""


# -- a few hundred hostile ones for each -------------------------------------------------------------------------------


@st.composite
def spoiled(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A good input with some bytes changed, put in, left out, repeated, or joined with another."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 6)):
            case 0:
                data[at:at] = draw(st.sampled_from(TOKENS))
            case 1:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=4))
            case 2:
                del data[at : at + draw(st.integers(1, 40))]
            case 3:
                data[at:at] = data[at : at + draw(st.integers(1, 60))] * draw(st.integers(1, 8))
            case 4:
                other = draw(st.sampled_from(seeds))
                data[at:] = other[draw(st.integers(0, len(other))) :]
            case 5:
                data[at:at] = str(draw(st.integers())).encode()
            case _:
                data[at:at] = draw(st.text(max_size=5)).encode(errors="surrogatepass")
    return bytes(data)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_gives_a_value_or_a_named_error(name: str) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(spoiled(SEEDS[name]) | st.binary(max_size=300))
    def any_bytes(data: bytes) -> None:
        parse(name, data)

    any_bytes()


@pytest.mark.parametrize("name", [name for name in PARSERS if name not in {"body", "mirror"}])
def test_good_input_is_read(name: str) -> None:
    """The table feeds each parser with something that it takes, so that the rest of it is reached."""
    assert any(not isinstance(parse(name, seed), GongfenError) for seed in SEEDS[name])


# -- large, deep, and many ---------------------------------------------------------------------------------------------

MILLION = 1_000_000
DEEP = {
    "arrays": b"[" * MILLION + b"]" * MILLION,
    "open arrays": b"[" * MILLION,
    "objects": b'{"a":' * MILLION + b"1" + b"}" * MILLION,
    "a body of arrays": b'{"at":"x","body":%s,"by":"b","id":"1","kind":"dream","sample":false,"v":1}' % (
        b"[" * MILLION + b"]" * MILLION
    ),
    "a body field of arrays": b'{"kind":"enrol","body":{"maker":%s}}' % (b"[" * MILLION + b"]" * MILLION),
    "an unknown field of arrays": b'{"kind":"enrol","maker":"ada","more":%s}' % (b"[" * MILLION + b"]" * MILLION),
    "a list of arrays in words": b"dataset dataset=d works=" + b"[" * MILLION + b"]" * MILLION,
    "a label of arrays": b"---\nAIGC: " + b"[" * 60_000 + b"\n---\n",
    "a label of lists": b"---\nAIGC:\n" + b"- " * 30_000 + b"\n---\n",
    "a label of mappings": b"---\n" + b"".join(b" " * n + b"a:\n" for n in range(350)) + b"---\n",
    "a label in JSON": b"---\nAIGC: '" + b"[" * 60_000 + b"'\n---\n",
}  # fmt: skip
DIGITS = b"9" * 100_000
LONG = {
    "digits": DIGITS,
    "digits and a unit": DIGITS + b"s",
    "digits and a point": DIGITS + b"." + DIGITS,
    "no number": b"1" * 100_000 + b"!",
    "an exponent": b"1e999999",
    "time in words": b"labour maker=a work=w labour_us=" + DIGITS + b"s",
    "whole number in words": b"labour maker=a work=w labour_us=" + DIGITS,
    "money in words": b"sale sale=s output=o price_micro=" + DIGITS + b".5 currency=EUR day=2026-01-01",
    "decimals in words": b"sale sale=s output=o price_micro=0." + DIGITS + b" currency=EUR day=2026-01-01",
    "a share in words": b"work work=w makers=a:" + DIGITS,
    "a number in JSON in words": b"dataset dataset=d works=[" + DIGITS + b"]",
    "number in JSON": b'{"kind":"compute","body":{"machine":"m","device":"d","work":"w","device_us":%s}}' % DIGITS,
    "exponent in JSON": b'{"kind":"compute","body":{"machine":"m","device":"d","work":"w","device_us":1e999999}}',
    "version in a fact": b'{"at":"x","body":{},"by":"b","id":"1","kind":"enrol","sample":false,"v":%s}' % DIGITS,
    "number of an unknown kind": (
        b'{"at":"2026-11-22T04:17:24.000000Z","body":%s,"by":"b","id":"1","kind":"dream","sample":false,"v":1}' % DIGITS
    ),
    "size of a checkpoint": b"example.org/log\n%s\n2cLWa1IsJSJyj1Of+fZ7hdQN7/8JX8ilKMmU9PNbs94=\n" % DIGITS,
    "number in a label": b"---\nAIGC: " + DIGITS[:60_000] + b"\n---\n",
    "hexadecimal in a label": b"---\nAIGC: 0x" + DIGITS[:60_000] + b"\n---\n",
    "number to base 60 in a label": b"---\nAIGC: 1" + b":59" * 20_000 + b"\n---\n",
    "exponent in a label": b"---\nAIGC: 1.0e+999999\n---\n",
    "number in a label's JSON": b"---\nAIGC: '{\"AIGC\": %s}'\n---\n" % DIGITS[:60_000],
}
MANY = {
    "lines": b"\n" * MILLION,
    "lines of dashes": b"---\n" * MILLION,
    "dashes and spaces": b"---" + b" \t" * MILLION + b"x",
    "carriage returns": b"---\r" * MILLION,
    "signature lines": NOTE.encode() + "— a aaaa\n".encode() * MILLION,
    "empty lines in a note": NOTE.encode().replace(b"\n\n", b"\n" * MILLION),
    "signature marks": "— ".encode() * MILLION,
    "plus signs": b"+" * MILLION,
    "equals signs": b"enrol " + b"=" * MILLION,
    "fields": b"enrol " + b" ".join(b"a%d=1" % number for number in range(100_000)),
    "makers": b"work makers=" + b"a:1," * 200_000,
    "objects in a line": b"{}" * MILLION,
    "keys": b"{%s}" % b",".join(b'"%d":1' % number for number in range(100_000)),
    "the same key": b'{"kind":"enrol","body":{%s}}' % b",".join([b'"maker":"a"'] * 100_000),
    "escapes": b'{"kind":"enrol","maker":"%s"}' % (b"\\u0041" * 200_000),
    "half pairs": b'{"kind":"enrol","maker":"%s"}' % (b"\\ud800" * 200_000),
    "bytes that are no text": b"\xff" * MILLION,
    "zeros": bytes(MILLION),
    "policy lines": b"".join(b"group g%d 1 one\n" % number for number in range(100_000)),
    "parts of a path": b"tile/0/" + b"x000/" * MILLION + b"000",
    "hashes": NOTE.encode() + b"A" * MILLION,
    "percent signs": b"postgresql://a/" + b"%" * 100_000,
    "queries": b"postgresql://a/b?" + b"a=b&" * 100_000,
    "a visible label": LABEL.replace(b"a poem", "AI生成".encode() * 300_000),
    "twenty megabytes of a line": b"a" * (20 * MILLION),
}
LAUGHS = {
    # "A billion laughs": each line holds the one before nine times.
    "lists": b"---\na: &a [x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 9)) for n in range(97, 115))
    + b"AIGC: *s\n---\n",
    "merged mappings": b"---\na: &a {k: v}\n"
    + b"".join(b"%c: &%c {<<: [%s]}\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 9)) for n in range(97, 115))
    + b"AIGC: *s\n---\n",
    "an alias within itself": b"---\nAIGC: &a [*a]\n---\n",
    "keys": b"---\n? &a [x]\n: 1\n? [*a, *a]\n: 2\n---\n",
}
HOSTILE = {
    f"{group}: {name}": data
    for group, inputs in (("deep", DEEP), ("long", LONG), ("many", MANY), ("laughs", LAUGHS))
    for name, data in inputs.items()
}


@contextmanager
def soon_and_small() -> Iterator[None]:
    """Refuse more than a gigabyte of memory, and measure the time."""
    (pages,) = Path("/proc/self/statm").read_text(encoding="ascii").split()[:1]
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(pages) * resource.getpagesize() + ROOM_BYTES, hard))
    start = time.process_time()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert time.process_time() - start < SOON_S


@pytest.mark.parametrize("name", PARSERS)
def test_large_and_deep_input_is_refused_soon(name: str) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc here: memory cannot be measured")
    for title, data in HOSTILE.items():
        try:
            with soon_and_small():
                found = parse(name, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, say for which input
            pytest.fail(f"{title}: {type(error).__name__} {str(error)[:200]}")
        if isinstance(found, GongfenError):
            assert len(str(found)) < MOST_SAID, title


class Endless(io.RawIOBase):
    """A file of one line that has no end."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        buffer[:] = b"a" * len(buffer)
        self.given += len(buffer)
        return len(buffer)


def test_a_line_without_an_end_is_not_read_to_its_end() -> None:
    source = Endless()
    with soon_and_small(), pytest.raises(MalformedFactError, match="longer than"):
        list(_facts(io.BufferedReader(source), "facts.jsonl", sample=False, chained=True))
    assert source.given < 100_000_000


# -- zips --------------------------------------------------------------------------------------------------------------


def zip_of(name: str, content: bytes, times: int = 1) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(times):
            archive.writestr(name if times == 1 else f"blobs/{number:064}", content)
    return bytearray(buffer.getvalue())


def with_sizes(archive: bytearray, size: int) -> bytes:
    """The archive, whose directory claims another size of every part."""
    at = archive.find(b"PK\x01\x02")
    while at >= 0:
        archive[at + 24 : at + 28] = size.to_bytes(4, "little")
        at = archive.find(b"PK\x01\x02", at + 4)
    return bytes(archive)


ZIPS = {
    "that claims four gigabytes": lambda: with_sizes(zip_of("facts.jsonl", b"x"), 0xFFFFFFF0),
    "of parts that claim a gigabyte together": lambda: with_sizes(zip_of("", b"x", 70), 1 << 24),
    "that holds more than it claims": lambda: with_sizes(zip_of("facts.jsonl", bytes(50_000_000)), 10),
    "of many parts": lambda: bytes(zip_of("", b"x", 20_000)),
    "within a zip": lambda: bytes(zip_of("facts.jsonl", bytes(zip_of("facts.jsonl", bytes(10_000_000))))),
    "cut off": lambda: BUNDLE[:-30],
    "of names that lead elsewhere": lambda: bytes(zip_of("../../etc/passwd", b"x")),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_a_hostile_zip_is_refused_soon(kind: str) -> None:
    data = ZIPS[kind]()
    for name in ("zip", "bundle", "bundle with its key"):
        with soon_and_small():
            found = parse(name, data)
        assert isinstance(found, GongfenError) or name == "zip"


def test_every_byte_of_a_bundle_matters() -> None:
    """A flipped byte is refused, or changes nothing that the bundle says (dates and attributes of a zip's directory)."""
    chance = random.Random(1)  # noqa: S311 - any masks
    was = parse("bundle", BUNDLE)
    for at in range(0, len(BUNDLE), 2):
        data = bytearray(BUNDLE)
        data[at] ^= 1 << chance.randrange(8)
        found = parse("bundle", bytes(data))
        assert isinstance(found, GongfenError) or found == was

"""Damage anywhere in a book's files or in a receipt: a named error, or the very same facts and answers."""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from benchmarks.flips import HARMLESS, MASKS, NAMED, flipped, named, sight, small_book, whole

import gongfen
from gongfen import kinds as k
from gongfen.book.recording.record import Receipt
from gongfen.errors import DamagedBookError, GongfenError, ProofError
from gongfen.proof.note import Verifier
from tests.books import cooperative, new_book

PAGE = 4_096
STRIDE = 47
"""Every so-manieth byte; benchmarks/flips.py tries each of them."""
Spoil = Callable[[bytearray, random.Random], bytes]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    """A small book in pages of 512 bytes: little free space, many kinds of page."""
    path = small_book(tmp_path_factory.mktemp("small"), 512)
    with gongfen.open(path) as book:
        return path, sight(book)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    """A book with a full tile of the tree, a settlement, and pages of every use."""
    with cooperative(tmp_path_factory.mktemp("larger")) as book:
        book.settle("2026-11")
        book.record(*(k.Enrol(maker=f"maker-{number}") for number in range(300)))
        book.log.keep_views()
    with gongfen.open(book.log.path) as again:
        return book.log.path, sight(again)


def outcome(original: tuple[Path, list[object]], data: bytes, folder: Path, **beside: bytes) -> str:
    """What becomes of a book whose file holds ``data``, with other files beside it."""
    path = folder / "book.db"
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(data)
    for end, content in beside.items():
        path.with_name(f"{path.name}-{end}").write_bytes(content)
    return whole(original[1])(path)


def test_a_flipped_byte_is_named_or_harmless(small: tuple[Path, list[object]]) -> None:
    path, was = small
    flips = [(offset, MASKS[offset % 3]) for offset in range(0, path.stat().st_size, STRIDE)]
    outcomes = Counter(zip(flipped(path, flips, whole(was)), (offset for offset, _ in flips), strict=True))
    assert [found for found in outcomes if found[0].startswith("!")] == []
    counts = Counter(found for found, _ in outcomes)
    assert counts[HARMLESS] < len(flips) * 0.7
    assert counts["DamagedBookError"] > len(flips) * 0.3
    assert counts["ProofError"]


def test_a_check_that_notices_nothing_is_noticed(small: tuple[Path, list[object]], tmp_path: Path) -> None:
    """The judge itself: another book is not harmless, and an internal error is not a named one."""
    path, was = small
    copy = shutil.copy(path, tmp_path / "copy.db")
    assert whole(was)(copy) == HARMLESS
    assert whole(was[1:])(copy) == "! unnoticed"
    assert named(lambda: {}["nothing"]).startswith("! KeyError")


# -- more than a byte --------------------------------------------------------------------------------------------------


def pages(data: bytes) -> list[bytes]:
    return [data[start : start + PAGE] for start in range(0, len(data), PAGE)]


def test_a_file_cut_at_any_page_is_named(larger: tuple[Path, list[object]], tmp_path: Path) -> None:
    data = larger[0].read_bytes()
    for end in range(0, len(data), PAGE):
        for cut in (end, end + 1, end + PAGE - 1):
            assert outcome(larger, data[:cut], tmp_path) in {error.__name__ for error in NAMED}, cut


def test_a_page_of_zeros_or_of_another_use_is_named_or_harmless(
    larger: tuple[Path, list[object]], tmp_path: Path
) -> None:
    data = larger[0].read_bytes()
    parts = pages(data)
    free = 0
    for number in range(len(parts)):
        for other in (bytes(PAGE), parts[(number + 1) % len(parts)], b"\xff" * PAGE):
            found = outcome(larger, b"".join([*parts[:number], other, *parts[number + 1 :]]), tmp_path)
            assert not found.startswith("!"), (number, found)
            free += found == HARMLESS
    assert free <= 3 * 2, "hardly a page is free"


def test_swapped_pages_are_named(larger: tuple[Path, list[object]], tmp_path: Path) -> None:
    parts = pages(larger[0].read_bytes())
    chance = random.Random(5)  # noqa: S311 - any places
    pairs = [(number, number + 1) for number in range(len(parts) - 1)]
    pairs += [tuple(chance.sample(range(len(parts)), 2)) for _ in range(30)]
    for one, two in pairs:
        swapped = parts[:]
        swapped[one], swapped[two] = parts[two], parts[one]
        assert outcome(larger, b"".join(swapped), tmp_path) in {error.__name__ for error in NAMED}, (one, two)


SPOILS: dict[str, Spoil] = {
    "zeros": lambda data, chance: _over(data, chance, bytes),
    "chance": lambda data, chance: _over(data, chance, chance.randbytes),
    "from elsewhere": lambda data, chance: _over(data, chance, lambda n: _from(data, chance, n)),
    "moved by a byte": lambda data, chance: bytes(data[: (at := chance.randrange(len(data)))] + data[at + 1 :]),
    "twice, one behind the other": lambda data, _: bytes(data + data),
    "longer": lambda data, chance: bytes(data) + chance.randbytes(PAGE),
}


def _over(data: bytearray, chance: random.Random, what: Callable[[int], bytes]) -> bytes:
    length = chance.choice((2, 16, 300, 5_000))
    at = chance.randrange(len(data) - length)
    data[at : at + length] = what(length)
    return bytes(data)


def _from(data: bytearray, chance: random.Random, length: int) -> bytes:
    at = chance.randrange(len(data) - length)
    return bytes(data[at : at + length])


@pytest.mark.parametrize("spoil", SPOILS)
def test_spoiled_ranges_are_named_or_harmless(larger: tuple[Path, list[object]], tmp_path: Path, spoil: str) -> None:
    data, chance = larger[0].read_bytes(), random.Random(3)  # noqa: S311 - any places
    outcomes = [outcome(larger, SPOILS[spoil](bytearray(data), chance), tmp_path) for _ in range(25)]
    assert [found for found in outcomes if found.startswith("!")] == []


# -- files beside ------------------------------------------------------------------------------------------------------


@pytest.fixture
def unfinished(tmp_path: Path) -> Iterator[tuple[bytes, bytes]]:
    """A book's file and its write-ahead log, as a killed writer leaves them."""
    (tmp_path / "other").mkdir()
    book = new_book(tmp_path / "other", "enrol maker=ada\nenrol maker=bo")
    path = book.log.path
    yield path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
    book.close()


def test_a_write_ahead_log_of_another_book_is_named(
    larger: tuple[Path, list[object]], unfinished: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """SQLite replays it, for nothing in it says whose it is. If it holds that whole book, the file is that book now:
    it agrees with itself, but not with the key that was published, and nothing can be written to it."""
    path = tmp_path / "book.db"
    with gongfen.open(larger[0]) as book:
        key = str(book.log.verifier)
    path.write_bytes(larger[0].read_bytes())
    path.with_name("book.db-wal").write_bytes(unfinished[1])
    shutil.copy(larger[0].with_name("book.db.key"), path.with_name("book.db.key"))
    with pytest.raises(NAMED), gongfen.open(path) as book:
        book.verify(key)
    with pytest.raises(NAMED), gongfen.open(path) as book:
        book.record(k.Enrol(maker="eve"))


def test_damage_in_a_write_ahead_log_loses_its_end_and_nothing_else(
    unfinished: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """A frame whose checksum is wrong ends it, so the book is that of an earlier moment; a kept checkpoint tells."""
    data, log = unfinished
    path = tmp_path / "book.db"

    def opened(spoiled: bytes) -> str:
        path.with_name("book.db-shm").unlink(missing_ok=True)
        path.write_bytes(data)
        path.with_name("book.db-wal").write_bytes(spoiled)
        try:
            with gongfen.open(path) as book:
                book.verify()
                return str(book.log.size)
        except NAMED as error:
            return type(error).__name__

    assert opened(log) == "2"
    outcomes = Counter(
        opened(log[:at] + bytes([log[at] ^ 0x40]) + log[at + 1 :]) for at in range(0, len(log), len(log) // 60)
    )
    assert set(outcomes) <= {"0", "2", "BookPlaceError", "DamagedBookError"}
    assert outcomes["0"] or outcomes["BookPlaceError"]


@pytest.mark.parametrize("end", ["shm", "journal", "wal"])
def test_rubbish_beside_a_book_is_named_or_harmless(
    larger: tuple[Path, list[object]], tmp_path: Path, end: str
) -> None:
    chance = random.Random(end)  # noqa: S311 - any bytes
    for content in (b"", b"x", chance.randbytes(40_000), bytes(32_768)):
        found = outcome(larger, larger[0].read_bytes(), tmp_path, **{end: content})
        assert not found.startswith("!"), found


def test_details_of_another_book_or_damaged_ones_are_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with new_book(tmp_path / "one") as one, new_book(tmp_path / "two") as two:
        one.describe("ada", name="Ada Lovelace")
        two.describe("ada", name="Ada Byron")
    kept, foreign = (tmp_path / name / "book.db.people" for name in ("one", "two"))
    own = kept.read_bytes()

    def told() -> str:
        try:
            with gongfen.open(tmp_path / "one" / "book.db") as book:
                book.verify()
                return str(book.details("ada").details)
        except GongfenError as error:
            return type(error).__name__

    assert told() == "{'name': 'Ada Lovelace'}"
    shutil.copy(foreign, kept)
    assert told() == "DamagedBookError"
    kept.unlink()
    assert told() == "None", "a copy without its people's details is a book as good as any"
    for at in range(0, len(own), 61):
        kept.write_bytes(own[:at] + bytes([own[at] ^ 0xFF]) + own[at + 1 :])
        assert told() in {"{'name': 'Ada Lovelace'}", "DamagedBookError", "BookPlaceError", "None"}, at
    for content in (b"", b"x" * 5_000, own[:PAGE]):
        kept.write_bytes(content)
        assert told() in {"DamagedBookError", "BookPlaceError", "None"}


# -- receipts ----------------------------------------------------------------------------------------------------------


def proved(receipt: Receipt, verifier: Verifier) -> tuple[object, ...]:
    """What a receipt proves, when it holds."""
    receipt.check(verifier)
    path = [bytes.fromhex(step) for step in receipt.path]
    return receipt.fact, receipt.kind, receipt.seq, receipt.size, path, receipt.data, receipt.checkpoint


def test_every_byte_of_a_receipt_matters(tmp_path: Path) -> None:
    """In both of its forms, whichever bit is flipped."""
    with cooperative(tmp_path) as book:
        receipt, verifier = book.receipt(9), book.log.verifier
    was = proved(receipt, verifier)
    forms: list[tuple[bytes, Callable[[bytes], Receipt]]] = [
        (msgspec.json.encode(receipt), lambda data: msgspec.json.decode(data, type=Receipt)),
        (receipt.text().encode(), lambda data: Receipt.read(data.decode())),
    ]
    for data, read in forms:
        refused = 0
        for at in range(len(data)):
            for mask in (1 << at % 8, *MASKS):
                try:
                    # As the command line does: what is no JSON, or no text, is no receipt.
                    found = read(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])
                    assert proved(found, verifier) == was, (at, mask)
                except (ProofError, DamagedBookError, msgspec.DecodeError, UnicodeDecodeError):
                    refused += 1
        assert refused > 3.9 * len(data), "what is not refused is a hexadecimal digit written large"

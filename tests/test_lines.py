"""JSON lines in and out: as many as there are, in constant memory, and again after they were broken off."""

import json
import subprocess
import sys
from pathlib import Path

import gongfen
from tests.books import HASH, new_book
from tests.test_cli import gongfen_

WORK = {"kind": "work", "work": "w", "sha256": HASH, "size_bytes": 0, "makers": [], "source": "t", "licence": "l"}
LABOUR = {"kind": "labour", "maker": "ada", "work": "w", "labour_kind": 2, "phase": "training", "standing": "crowd"}


def labours(count: int) -> list[str]:
    return [json.dumps(LABOUR | {"labour_us": 1_000 + n, "day": f"2026-01-{1 + n % 28:02}"}) for n in range(count)]


def crowd(folder: Path) -> gongfen.Book:
    return new_book(
        folder,
        f"enrol maker=ada form=group people=1000\nwork work=w sha256={HASH} size_bytes=0 makers= source=t licence=l",
    )


def test_a_file_recorded_twice_says_nothing_twice(tmp_path: Path) -> None:
    crowd(tmp_path).close()
    (tmp_path / "day.jsonl").write_text("\n".join(labours(30)))
    assert "new facts: 30; numbers: 2 … 31" in gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl").stdout
    assert "new facts: 0; numbers: 2 … 31" in gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl").stdout
    assert gongfen.open(tmp_path / "book.db").log.size == 32


def test_equal_lines_in_one_file_are_facts_of_their_own(tmp_path: Path) -> None:
    crowd(tmp_path).close()
    (tmp_path / "day.jsonl").write_text("\n".join(labours(1) * 5))
    assert "new facts: 5" in gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl").stdout


def test_a_mistake_in_the_middle_is_mended_and_the_rest_goes_on(tmp_path: Path) -> None:
    crowd(tmp_path).close()
    lines = labours(3_000)
    (tmp_path / "day.jsonl").write_text("\n".join([*lines[:2_500], '{"kind": "labour"}', *lines[2_500:]]))
    found = gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl")
    assert found.returncode == 2
    assert "day.jsonl, line 2501," in found.stderr
    assert "2048 facts before it stay recorded" in found.stderr
    assert gongfen.open(tmp_path / "book.db").log.size == 2_050
    (tmp_path / "day.jsonl").write_text("\n".join(lines))
    assert (
        "new facts: 952; numbers: 2050 … 3001; already there: 2048"
        in gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl").stdout
    )
    gongfen.open(tmp_path / "book.db").verify()


def test_what_goes_out_comes_in_elsewhere(tmp_path: Path) -> None:
    book = crowd(tmp_path)
    (tmp_path / "day.jsonl").write_text("\n".join(labours(1_500)))
    gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl")
    other = tmp_path / "other"
    other.mkdir()
    new_book(other).close()
    gone = gongfen_(tmp_path, "--book", "book.db", "log", "--json", "--last", "0").stdout
    assert (
        "new facts: 1502; numbers: 0 … 1501" in gongfen_(other, "--book", "book.db", "record", "-", given=gone).stdout
    )
    both = [
        [(fact.id, fact.at, fact.body) for _, fact in b.log.facts()] for b in (book, gongfen.open(other / "book.db"))
    ]
    assert both[0] == both[1]
    rest = gongfen_(tmp_path, "--book", "book.db", "log", "--json", "--from", "1500", "--last", "0").stdout
    assert rest == "".join(gone.splitlines(keepends=True)[1_500:])


def test_a_line_that_never_ends_is_refused_before_it_is_read(tmp_path: Path) -> None:
    crowd(tmp_path).close()
    with subprocess.Popen(["head", "-c", "300000000", "/dev/zero"], stdout=subprocess.PIPE) as endless:
        command = [sys.executable, "-m", "gongfen", "record", "-", "--book", str(tmp_path / "book.db")]
        found = subprocess.run(command, stdin=endless.stdout, capture_output=True, text=True, check=False)
        endless.kill()
    assert found.returncode == 2
    assert "standard input, line 1, is longer than 16 MiB" in found.stderr


MEASURE = """
import resource, sys
from gongfen.cli.main import run
try:
    run()
except SystemExit:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    peaks = []
    for count in (3_000, 30_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        crowd(folder).close()
        found = subprocess.run(
            [sys.executable, "-c", MEASURE, "record", "-", "--book", str(folder / "book.db")],
            input="\n".join(labours(count)), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"new facts: {count}" in found.stdout
        peaks.append(int(found.stderr.splitlines()[-1]))
    assert peaks[1] < peaks[0] + 24, f"MiB for 3,000 and 30,000 lines: {peaks}"

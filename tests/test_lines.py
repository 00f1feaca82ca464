"""JSON lines in and out: as many as there are, in constant memory, and again after they were broken off."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gongfen
import gongfen.cli.record
from gongfen.facts.names import check_names
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
    again = gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl").stdout
    assert "new facts: 0; numbers: 2 … 31; already there: 30" in again
    assert gongfen.open(tmp_path / "book.db").log.size == 32


def test_many_lines_recorded_twice_say_all_their_numbers(tmp_path: Path) -> None:
    crowd(tmp_path).close()
    (tmp_path / "days.jsonl").write_text("\n".join(labours(2_100)))
    gongfen_(tmp_path, "--book", "book.db", "record", "days.jsonl")
    again = gongfen_(tmp_path, "--book", "book.db", "record", "days.jsonl").stdout
    assert "new facts: 0; numbers: 2 … 2101; already there: 2100" in again


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


class Broken:
    """Standard input on which lines come, and then Ctrl-C."""

    def __init__(self, lines: list[str]) -> None:
        self.stdin = self.buffer = self
        self.lines = iter([line.encode() + b"\n" for line in lines])

    def readline(self, _most: int) -> bytes:
        for line in self.lines:
            return line
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("before", "written", "how", "left"),
    [
        (1_000, 0, "send the same again", "nothing was written"),
        (1_100, 1_024, "send what follows standard input, line 1025", "1024 facts before it stay recorded"),
    ],
)
def test_who_presses_ctrl_c_is_told_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, written: int, how: str, left: str
) -> None:
    crowd(tmp_path).close()
    monkeypatch.setattr("gongfen.cli.lines.sys", Broken(["", *labours(before)]))  # an empty line is none the less one
    found = gongfen_(tmp_path, "--book", "book.db", "record", "-")
    assert found.returncode == 2
    assert f"recording was stopped\n  → {how}\n" in found.stderr
    assert left in found.stderr
    assert gongfen.open(tmp_path / "book.db").log.size == 2 + written


def test_what_was_written_just_before_ctrl_c_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(tmp_path).close()
    (tmp_path / "day.jsonl").write_text("\n".join(labours(30)))
    put = gongfen.book.recording.record.Record.writing

    @contextmanager
    def interrupted(self: Any) -> Iterator[None]:
        with put(self):
            yield
        raise KeyboardInterrupt

    monkeypatch.setattr(gongfen.book.recording.record.Record, "writing", interrupted)
    found = gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl")
    assert "recording was stopped\n  → record the same again\n" in found.stderr
    assert "30 facts before it stay recorded" in found.stderr


def test_short_memory_blames_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(tmp_path).close()
    (tmp_path / "day.jsonl").write_text("\n".join(labours(1_100)))
    written = gongfen.cli.record._written
    parts = iter([written])

    def large(*given: Any) -> Any:
        for one in parts:
            return one(*given)
        raise MemoryError

    monkeypatch.setattr("gongfen.cli.record._written", large)
    found = gongfen_(tmp_path, "--book", "book.db", "record", "day.jsonl")
    assert found.returncode == 2
    assert "asks for more memory than there is" in found.stderr
    assert "divide long lines" in found.stderr
    assert "model" not in found.stderr
    assert "1024 facts before it stay recorded" in found.stderr


TWICE = {
    "in the envelope": '{"kind":"enrol","sample":true,"sample":false,"body":{"maker":"a"}}',
    "in the body": '{"kind":"enrol","body":{"maker":"a","maker":"b"}}',
    "the body": '{"kind":"enrol","body":{"maker":"a"},"body":{"maker":"b"}}',
    "beside the kind": '{"kind":"enrol","maker":"a","maker":"b"}',
    "within a list": f'{{"kind":"work","work":"x","sha256":"{HASH}","size_bytes":0,"source":"t","licence":"l",'
    '"makers":[{"maker":"ada","ppm":1,"ppm":1000000}]}',
    "in other signs": r'{"kind":"enrol","maker":"a","m\u0061ker":"b"}',
    "with a colon in their stead": r'{"kind":"enrol","maker":"a","maker":"b\u003a"}',
    "with blanks": '{ "kind" : "enrol" , "maker" : "a" , "maker" : "b" }',
    "deep": '{"kind":"enrol","maker":%s,"maker":"b"}' % ("[" * 500 + "]" * 500),
    "very deep": '{"kind":"enrol","maker":%s,"maker":"b"}' % ("[" * 990 + "]" * 990),
}


@pytest.mark.parametrize("line", TWICE.values(), ids=TWICE)
def test_a_name_that_stands_twice_in_a_line_is_refused(tmp_path: Path, line: str) -> None:
    """One reader would take the first, another the last: nobody knows which was meant."""
    crowd(tmp_path).close()
    found = gongfen_(tmp_path, "--book", "book.db", "record", "-", given=line)
    assert found.returncode == 2
    assert "standard input, line 1," in found.stderr
    assert "twice" in found.stderr or "too deeply" in found.stderr
    assert gongfen.open(tmp_path / "book.db").log.size == 2


@pytest.mark.parametrize("name", ["signed", "maker", "ed25519", "at"])
def test_a_name_that_stands_twice_in_a_signed_line_is_refused(tmp_path: Path, name: str) -> None:
    crowd(tmp_path).close()
    gongfen_(tmp_path, "--book", "book.db", "key", "new", "ada", "--out", "ada.key")
    words = [f"{name}={value}" for name, value in (LABOUR | {"labour_us": "1s", "day": "2026-01-01"}).items()][1:]
    line = gongfen_(tmp_path, "--book", "book.db", "key", "sign", "--key", "ada.key", "labour", *words).stdout
    twice, times = re.subn(rf'"{name}":(\{{.*?\}}|".*?")', r"\g<0>,\g<0>", line)
    assert times == 1
    found = gongfen_(tmp_path, "--book", "book.db", "record", "-", given=twice)
    assert found.returncode == 2
    assert f"gives {name!r} twice" in found.stderr
    assert "new facts: 1" in gongfen_(tmp_path, "--book", "book.db", "record", "-", given=line).stdout


def test_a_name_that_stands_twice_in_a_list_of_words_is_refused(tmp_path: Path) -> None:
    crowd(tmp_path).close()
    twice = 'reductions=[{"skill":"x","num":2,"num":3,"den":1}]'
    found = gongfen_(tmp_path, "--book", "book.db", "record", "standard", "standard=s", "basis=t", twice, "machines=[]",
                     "melt_micro=1.0", "currency=EUR")  # fmt: skip
    assert "gives 'num' twice" in found.stderr


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a:\\"{},u003工')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from("ab:\\"), max_size=2), inner),
    max_leaves=12,
), st.booleans())  # fmt: skip
def test_names_that_stand_once_are_taken_however_they_are_written(value: Any, plain: bool) -> None:
    data = json.dumps(value, ensure_ascii=plain).encode()
    check_names(data, json.loads(data), "it")


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
import sys
from pathlib import Path
from gongfen.cli.main import run
try:
    run()
except SystemExit:
    pass
found = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
print(int(found["VmHWM"].split()[0]) // 1024, file=sys.stderr)
"""
"""The peak of this program alone: what ``resource`` says begins with that of whoever started it."""


def peak_mib(folder: Path, lines: Iterable[str], count: int) -> int:
    """How much memory it takes to record lines that come one by one."""
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc here: memory cannot be measured")
    folder.mkdir()
    crowd(folder).close()
    command = [sys.executable, "-c", MEASURE, "record", "-", "--book", str(folder / "book.db")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stdin is not None
        program.stdin.writelines(line + "\n" for line in lines)
        out, errors = program.communicate()
    assert f"new facts: {count}" in out, errors
    return int(errors.splitlines()[-1])


def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    peaks = [peak_mib(tmp_path / str(count), labours(count), count) for count in (3_000, 30_000)]
    assert peaks[1] < peaks[0] + 24, f"MiB for 3,000 and 30,000 lines: {peaks}"


def test_memory_does_not_grow_with_long_lines(tmp_path: Path) -> None:
    """A line may be 16 MiB long: a thousand of them are never held together."""
    points = [{"label": f"p{n}", "predicted_nnat": n, "measured_nnat": n} for n in range(20_000)]
    line = json.dumps(
        {"kind": "evaluation", "subject": "w", "method": "m", "metric": "m", "value_ppm": 0, "points": points}
    )
    peaks = [peak_mib(tmp_path / str(count), [line] * count, count) for count in (4, 40)]
    assert peaks[1] < peaks[0] + 24, f"MiB for 4 and 40 lines of {len(line):,} bytes: {peaks}"

"""The command line, as a person uses it: every verb answers, and every mistake is named with exit code 2."""

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
import typer

from gongfen.cli.main import app, run
from tests.books import COOPERATIVE, HASH, cooperative

VERBS = ("audit", "books", "correct", "demo", "export", "forget", "generate", "import", "init", "key", "label", "log", "owed", "pay", "person",
         "record", "report", "sectors", "settle", "trace", "train", "verify", "who", "witness", "worth")  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    stdout: str
    stderr: str
    returncode: int


def gongfen_(folder: Path, *words: str, given: str = "", **environment: str) -> Said:
    """The command as a person gives it, in ``folder``; in this process, because a hundred starts take a minute."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GONGFEN")}
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        patch.dict(os.environ, clean | {"COLUMNS": "120", "LANG": "C.UTF-8"} | environment, clear=True),
        patch.object(sys, "argv", ["gongfen", *words]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode()))),
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            run()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    return Said(out.getvalue(), err.getvalue(), code)


def test_the_program_itself_starts_and_says_a_mistake(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-W", "error", "-m", "gongfen", "owed"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert "the book gongfen.db is not there" in found.stderr
    assert "Traceback" not in found.stderr


def test_memory_that_is_short_is_said_and_another_failure_of_torch_is_not_hidden(tmp_path, monkeypatch) -> None:
    """torch says it by a RuntimeError, as it says all that is wrong with a program."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("gongfen.cli.app.app", lambda **_: torch.empty(10**15))
    found = gongfen_(tmp_path, "train")
    assert found.returncode == 2
    assert "the command asks for more memory than there is" in found.stderr
    assert "fewer works or fewer tokens a work" in found.stderr
    monkeypatch.setattr("gongfen.cli.app.app", lambda **_: torch.zeros(2, 3) @ torch.zeros(2, 3))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        gongfen_(tmp_path, "train")


WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {%s}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from gongfen.cli.main import run
sys.argv[0] = "gongfen"
run()
"""


@pytest.mark.parametrize("absent", ["torch", "numpy"])
@pytest.mark.parametrize(
    "words",
    [
        ("train", "poet", "--quick"),
        ("generate", "poet", "sing", "--name", "s", "--by", "ada"),
        ("trace", "song-1"),
        ("trace", "evaluate", "poet"),
        ("trace", "period:2026-11:EUR"),
    ],
    ids=" ".join,
)
def test_a_verb_that_needs_torch_says_so_where_it_is_not_installed(shop: Path, words: tuple[str, ...], absent) -> None:
    program = (sys.executable, "-c", WITHOUT % f'"{absent}"', *words)
    environment = {**os.environ, "GONGFEN_BOOK": "gongfen.db", "COLUMNS": "120"}
    found = subprocess.run(program, cwd=shop, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in found.stderr
    assert found.returncode == 2
    said = " ".join(found.stderr.split())
    assert f"the command needs {absent}, which is not installed → install it: pip install 'gongfen[studio]'" in said


def test_a_part_of_gongfen_that_is_missing_is_no_mistake_of_the_reader(tmp_path: Path, monkeypatch) -> None:
    def broken(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'gongfen.nothing'", name="gongfen.nothing")

    monkeypatch.setattr("gongfen.cli.app.app", broken)
    with pytest.raises(ModuleNotFoundError):
        gongfen_(tmp_path, "who")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a settled cooperative's book in it."""
    folder = tmp_path_factory.mktemp("shop")
    book = cooperative(folder)
    book.settle("2026-11")
    book.close()
    for name in ("book.db", "book.db.key"):
        (folder / name).rename(folder / name.replace("book", "gongfen"))
    return folder


def test_there_is_a_command_for_every_verb() -> None:
    assert sorted(typer.main.get_command(app).commands) == list(VERBS)  # type: ignore[attr-defined]


def test_the_help_says_how_to_choose_the_language(tmp_path: Path) -> None:
    assert "GONGFEN_LANG=zh answers in Chinese, GONGFEN_LANG=en in English" in gongfen_(tmp_path, "--help").stdout
    for page in ("README.md", "README.zh.md"):
        assert "GONGFEN_LANG=zh" in (Path(__file__).parents[1] / page).read_text("utf-8")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(tmp_path: Path, verb: str) -> None:
    found = gongfen_(tmp_path, verb, "--help")
    assert found.returncode == 0, found.stderr
    assert "Usage:" in found.stdout


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        (("who", "song-1"), "song-1: 3 works by 2 makers"),
        (("worth", "song-1"), "rent by average theory"),
        (("owed",), "EUR 2.57"),
        (("owed", "bo"), "EUR 1.99"),
        (("log", "--kind", "sale"), "sale-1"),
        (("log", "--about", "poem-1"), "labour"),
        (("verify",), "recomputed to the cent"),
        (("log", "key"), "example.org/book+"),
        (("log", "checkpoint"), "— example.org/book "),
    ],
)
def test_questions_are_answered_in_words_and_in_json(shop: Path, words: tuple[str, ...], needle: str) -> None:
    found = gongfen_(shop, *words)
    assert found.returncode == 0, found.stderr
    assert needle in found.stdout
    answer = gongfen_(shop, *words, "--json")
    assert answer.returncode == 0, answer.stderr
    for text in answer.stdout.splitlines() if words[0] == "log" else [answer.stdout]:
        json.loads(text)


def test_answers_speak_chinese_too(shop: Path) -> None:
    found = gongfen_(shop, "owed", GONGFEN_LANG="zh")
    assert "劳动者" in found.stdout


def test_the_books_place_comes_from_the_option_or_the_environment(shop: Path, tmp_path: Path) -> None:
    place = str(shop / "gongfen.db")
    assert gongfen_(tmp_path, "owed", "--book", place).returncode == 0
    assert gongfen_(tmp_path, "--book", place, "owed").returncode == 0
    assert gongfen_(tmp_path, "owed", GONGFEN_BOOK=place).returncode == 0
    assert gongfen_(tmp_path, "owed").returncode == 2


def test_a_days_work_by_hand(tmp_path: Path) -> None:
    """init → record (from standard input) → settle → pay → label → audit → verify, each by its command."""
    lines = "\n".join(json.dumps({"kind": kind, "body": body}) for kind, body in facts_of(COOPERATIVE))
    assert gongfen_(tmp_path, "init", "example.org/book").returncode == 0
    assert gongfen_(tmp_path, "record", "-", given=lines).returncode == 0
    assert "3 makers by policy p1" in gongfen_(tmp_path, "settle", "2026-11").stdout
    assert "EUR 2.57" in gongfen_(tmp_path, "pay", "ada").stdout
    assert gongfen_(tmp_path, "audit", "a.zip").returncode == 0
    key = gongfen_(tmp_path, "log", "key").stdout.strip()
    assert "It holds" in gongfen_(tmp_path, "verify", "a.zip", "--key", key).stdout
    receipt = gongfen_(tmp_path, "log", "receipt", "25")
    (tmp_path / "r.json").write_text(receipt.stdout)
    assert "fact 25 (sale)" in gongfen_(tmp_path, "verify", "r.json", "--key", key).stdout
    assert gongfen_(tmp_path, "verify", "r.json").returncode == 2


def test_what_is_verified_is_told_by_its_first_bytes_whatever_it_is_called(tmp_path: Path) -> None:
    """A receipt that somebody has called otherwise is no damaged book."""
    with cooperative(tmp_path) as book:
        made = {
            "a.zip": book.audit(),
            "r.tlog-proof": book.receipt(3).text().encode(),
            "r.json": json.dumps(msgspec.to_builtins(book.receipt(3))).encode(),
            "song.md": Path(book.label("song-1", tmp_path / "out").file).read_bytes(),
        }
        key = str(book.log.verifier)
    for name, others, said in (
        ("r.tlog-proof", ("r1.txt", "proof", "r1.zip", "r1.md", "r1.json"), "fact 3"),
        ("r.json", ("r2.txt", "r2"), "fact 3"),
        ("a.zip", ("a.bundle", "a.json", "a"), "inclusion proofs"),
        ("song.md", ("song", "song.markdown"), "both labels"),
    ):
        for other in (name, *others):
            (tmp_path / other).write_bytes(made[name])
            found = gongfen_(tmp_path, "verify", other, *([] if name == "song.md" else ["--key", key]))
            assert said in found.stdout, (other, found)
    (tmp_path / "book.db.key").rename(tmp_path / "book.zip.key")
    (tmp_path / "book.db").rename(tmp_path / "book.zip")
    assert "signed checkpoints checked" in gongfen_(tmp_path, "verify", "book.zip").stdout
    (tmp_path / "letter.txt").write_text("Dear Ada")
    found = gongfen_(tmp_path, "verify", "letter.txt")
    assert "letter.txt is no bundle, receipt, labelled file or book" in found.stderr
    assert found.returncode == 2


def facts_of(text: str) -> list[tuple[str, object]]:
    from tests.books import said

    return [(body.kind, msgspec.to_builtins(body)) for body in said(text)]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("record", "poem", "a=b"), "not a fact kind"),
        (("record", "labour", "maker=ada", "work=poem-9", "labour_kind=1", "phase=training", "standing=crowd", "labour_us=1s", "day=2026-11-09"), "poem-9 is not in this book"),
        (("record", "labour", "maker=ada", "work=poem-1", "labour_kind=1", "phase=training", "standing=crowd", "labour_us=-1", "day=2026-11-09"), "labour_us must be at least 0"),
        (("record", "labour", "maker=ada", "work=poem-1", "labour_kind=1", "phase=training", "standing=crowd", "labour_us=1.5", "day=2026-11-09"), "float"),
        (("record", "labour", "maker=ada", "work=poem-1", "labour_kind=1", "phase=training", "standing=crowd", "labour_us=25h", "day=2026-11-09"), "25 h on 2026-11-09"),
        (("record", "work", "work=w", f"sha256={HASH}", "size_bytes=1", "makers=ada", "source=s", "licence=l"), "has no share"),
        (("record", "work", "work=w", f"sha256={HASH}", "size_bytes=1", "makers=ada:1", "source=s", "licence=l"), "add to 1 ppm"),
        (("record", "none.jsonl"), "is not a file"),
        (("who", "nothing"), "nothing is not in this book"),
        (("worth", "nothing"), "nothing is not in this book"),
        (("owed", "nobody"), "nobody is not enrolled"),
        (("settle", "2031"), "no sales"),
        (("settle", "2026-11"), "is settled by"),
        (("pay", "cy", "--amount", "99"), "are owed"),
        (("pay", "cy", "--amount", "many"), "not an amount of money"),
        (("label", "poem-1"), "not an output"),
        (("verify", "none.zip"), "is not a file"),
        (("verify", "--key", "nonsense"), "verifier key"),
        (("log", "receipt", "999"), "fact 999 is not in this book"),
        (("import", "none.jsonl"), "none.jsonl"),
        (("init",), "already there"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_reason_and_remedy_and_nothing_is_written(
    shop: Path, words: tuple[str, ...], reason: str
) -> None:
    before = gongfen_(shop, "log", "checkpoint").stdout
    found = gongfen_(shop, *words)
    assert found.returncode == 2, found.stdout + found.stderr
    assert reason in found.stderr
    assert "→" in found.stderr
    assert "Traceback" not in found.stderr
    assert gongfen_(shop, "log", "checkpoint").stdout == before


def test_a_malformed_line_names_its_number_and_nothing_of_the_file_is_written(shop: Path, tmp_path: Path) -> None:
    broken = tmp_path / "facts.jsonl"
    broken.write_text('{"kind":"enrol","maker":"zoe"}\n\n{"kind":"enrol" "maker":"yan"}\n')
    found = gongfen_(shop, "record", str(broken))
    assert found.returncode == 2
    assert "line 3" in found.stderr
    assert gongfen_(shop, "owed", "zoe").returncode == 2


def test_an_id_with_another_content_is_refused(shop: Path) -> None:
    assert gongfen_(shop, "record", "enrol", "maker=newcomer", "--id", "n-1").returncode == 0
    found = gongfen_(shop, "record", "enrol", "maker=other", "--id", "n-1")
    assert found.returncode == 2
    assert "different content" in found.stderr


def test_mistakes_are_json_for_programs(shop: Path) -> None:
    found = gongfen_(shop, "who", "nothing", "--json")
    assert json.loads(found.stderr)["error"] == "UnknownWorkError"


def test_a_corpus_without_a_licence_is_refused(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("word " * 60)
    found = gongfen_(shop, "import", str(tmp_path), "--maker", "ada")
    assert found.returncode == 2
    assert "licence" in found.stderr


def test_a_folder_comes_in_and_again_without_harm(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    (texts / "ada").mkdir(parents=True)
    (texts / "ada" / "one.txt").write_text(" ".join(f"word{n}" for n in range(60)) + "\n\ntoo short\n")
    gongfen_(tmp_path, "init")
    first = json.loads(gongfen_(tmp_path, "import", "texts", "--licence", "CC0-1.0", "--json").stdout)
    again = json.loads(gongfen_(tmp_path, "import", "texts", "--licence", "CC0-1.0", "--json").stdout)
    assert (first["passages"], first["left"], first["makers"]) == (1, {"too_short": 1}, 1)
    assert (first["facts"], again["facts"]) == (4, 0)


def test_opening_the_package_loads_no_torch_and_no_data_frames() -> None:
    code = "import sys, gongfen; print([m for m in ('torch', 'numpy', 'pandas', 'transformers', 'jinja2', 'typer', 'rich') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_lineage_answers_need_no_torch(shop: Path) -> None:
    """Measurements are facts: who, worth, owed, settle and verify read them."""
    code = (
        "import sys, gongfen; b = gongfen.open('gongfen.db'); b.who('song-1'); b.worth('song-1'); b.owed(); b.verify();"
        "b.audit(); print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=shop, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False False"

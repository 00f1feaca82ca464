"""Help in the reader's language: every text of every verb, on narrow screens too, and only when it is asked for."""

import re
from pathlib import Path

import pytest
import typer
from rich.cells import cell_len

from gongfen.cli.main import app
from gongfen.facts import KINDS
from gongfen.reports.words import Words
from tests.sentences import translations
from tests.test_cli import Said, gongfen_

SAME = {"8", "1%, 5%", "gongfen.db"}
"""Defaults that are written alike in every language."""


def verbs() -> list[tuple[str, ...]]:
    """The command itself, its verbs, and theirs."""
    root = typer.main.get_command(app)
    inner = {name: getattr(verb, "commands", {}) for name, verb in root.commands.items()}  # type: ignore[attr-defined]
    return [(), *((name,) for name in inner), *((name, below) for name in inner for below in inner[name])]


def helped(folder: Path, *words: str, **environment: str) -> Said:
    found = gongfen_(folder, *words, **({"GONGFEN_LANG": "zh", "COLUMNS": "80"} | environment))
    assert "Traceback" not in found.stderr
    return found


def known() -> dict[str, str]:
    return translations("gongfen.cli")


def test_every_text_of_every_help_is_translated_and_no_translation_is_left_over(tmp_path: Path, monkeypatch) -> None:
    """Whoever adds an option adds its Chinese: src/gongfen/cli/locale/zh_Hans.po."""
    asked: set[str] = set()
    look_up = Words.gettext

    def listening(self: Words, message: str) -> str:
        asked.add(message)
        return look_up(self, message)

    monkeypatch.setattr(Words, "gettext", listening)
    for words in [*verbs(), *(("record", kind) for kind in KINDS)]:
        assert helped(tmp_path, *words, "--help").returncode == 0
    assert asked - set(known()) - SAME == set()
    assert set(known()) - asked == set()
    assert all(known().values())


def test_a_translation_names_the_same_options_and_verbs() -> None:
    for english, chinese in known().items():
        for named in (r"--[a-z][a-z-]*", r"gongfen [a-z]+", r"c2sp\.org/[a-z-]+"):
            assert set(re.findall(named, english)) <= set(re.findall(named, chinese)), (english, chinese)
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", chinese)), english


@pytest.mark.parametrize("columns", [50, 80])
def test_chinese_help_fits_the_screen_and_breaks_no_line_before_a_mark(tmp_path: Path, columns: int) -> None:
    for words in verbs():
        text = helped(tmp_path, *words, "-h", COLUMNS=str(columns)).stdout
        assert text.startswith(f"用法：{' '.join(('gongfen', *words))} ")
        for line in text.splitlines():
            if "gongfen " not in line:  # a command stays whole, so that it can be copied
                assert cell_len(line) <= columns, line
            assert line.strip()[:1] not in tuple("，。、；：！？）」”]"), text
            assert line[-1:] not in tuple("（「“"), text


@pytest.mark.parametrize("words", verbs(), ids=" ".join)
def test_no_english_text_of_a_verb_is_left_in_its_chinese_help(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Held against what typer itself writes, so that no text is forgotten that is asked of no catalogue."""
    english = helped(tmp_path, *words, "-h", GONGFEN_LANG="en").stdout
    chinese = helped(tmp_path, *words, "-h").stdout
    assert english.startswith("Usage: ")
    names = {"--sample / --no-sample", "--memo / --no-memo"}
    for line in english.splitlines():
        for part in re.split(r"  +", line.strip()):
            if part.count(" ") > 1 and part not in names and "," not in part.partition(" ")[0]:
                assert part not in chinese


def test_a_kind_of_fact_is_explained_in_chinese_with_its_fields_as_they_are_written(tmp_path: Path) -> None:
    told = helped(tmp_path, "record", "labour", "--help").stdout
    assert told.startswith("gongfen record labour 字段=值 …\n")
    assert re.search(r"\n  labour_us +必填：整数，从 0 起，或 none：40s、3m、2h，或以微秒计\n", told)
    assert re.search(r"\n  phase +必填：training \| inference \| operation\n", told)


def test_the_locale_chooses_and_a_group_without_a_verb_explains_itself(tmp_path: Path) -> None:
    assert "命令：" in gongfen_(tmp_path, "--help", LANG="zh_CN.UTF-8").stdout
    bare = helped(tmp_path, "key")
    assert bare.returncode == 2
    assert "劳动者自己的密钥" in bare.stderr
    assert "Commands:" in gongfen_(tmp_path, "key", LANG="de_DE.UTF-8").stderr


def test_what_is_no_help_reads_no_catalogue_of_helps(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gongfen.cli.help.Words", None)
    assert helped(tmp_path, "init", "example.org/book", "--book", "gongfen.db").returncode == 0
    assert "无应付" in helped(tmp_path, "owed").stdout
    with pytest.raises(TypeError):
        helped(tmp_path, "owed", "--help")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_shell_completes_in_the_readers_language_one_line_each(tmp_path: Path, lang: str) -> None:
    shell = {"_GONGFEN_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "GONGFEN_LANG": lang}
    verbs_ = completed(tmp_path, **shell, _TYPER_COMPLETE_ARGS="gongfen key ")
    assert list(verbs_) == ["new", "rotate", "sign", "revoke", "list"]
    assert verbs_["new"] == {"en": "Make a key for a maker.", "zh": "为劳动者新建密钥。"}[lang]
    options = completed(tmp_path, **shell, _TYPER_COMPLETE_ARGS="gongfen import label-studio --")
    assert all(name.startswith("--") for name in options)
    assert options["--map"].endswith({"en": "'*=MAKER': everybody else.", "zh": "。"}[lang])


def completed(folder: Path, **environment: str) -> dict[str, str]:
    """Completions, each with its explanation, as the shell fish is given them."""
    lines = gongfen_(folder, **environment).stdout.splitlines()
    return dict(line.split("\t") for line in lines)

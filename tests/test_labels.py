"""Labels: written, read back, and every damage noticed."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import get_args

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gongfen.errors import LabelError
from gongfen.labels import gb45438
from gongfen.labels.gb45438 import (
    CLAUSES,
    KEYS,
    PLACEHOLDER_PRODUCER,
    Clause,
    Evidence,
    HiddenLabel,
    check_hidden,
    credit_code_holds,
    first_label,
    producer_code,
    producer_fault,
    read_hidden,
    wording,
)
from gongfen.labels.markdown import Labelled, check_label, read_label, visible_line, write_label

CODE = "0011" + "91110000600037341L" + "1" + "0001"  # the credit code is python-stdnum's public example
HIDDEN = first_label("sha256:2c26b46b", CODE)
TEXT = "# Poem 9\n\nThe wheel remembers every hand.\n"

HOSTILE = [
    "",
    "\n",
    "\n\n\n# late",
    "---\n",
    "---\ntitle: mine\n---\n\nbody",
    "---\nAIGC\n---\n",
    "---",
    "```yaml\n---\nAIGC: {Label: '1'}\n---\n```\n",
    "a\r\nb\r\n",
    "\r\n\r\nline ends first",
    f"{visible_line('1')}\n\nlabelled twice, seen",
    f"{visible_line('3')}",
    "> **AI-generated content · 人工智能生成内容",
    "\ufeffa byte order mark",
    "\u2028\x85\x0b\x00",
    "tail without line end",
    "...\n---\n...",
]


def problems(markdown, **more):
    return [finding for finding in check_label(markdown, **more) if finding.level == "problem"]


# ---- round trips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back(text):
    written = write_label(text, HIDDEN, {"title": "---"})
    assert read_label(written) == Labelled(
        HIDDEN, visible_line("1"), text, {"title": "---"}, sha256(text.encode()).hexdigest()
    )
    assert check_label(written) == []
    assert read_label(written.encode().decode()).text == text


PIECES = st.sampled_from(
    ["---", "\n", "\r\n", "AIGC:", " {", "```", visible_line("1"), "...", "\ufeff", "title: x", "# "]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.dates() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FRONTS = st.dictionaries(st.text(max_size=8).filter(lambda key: key not in ("AIGC", "gongfen")), VALUES, max_size=4)
SIGNS = "".join(chr(code) for code in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)))
NAMES = st.text(st.sampled_from(SIGNS), min_size=1, max_size=30)
LABELS = st.builds(
    HiddenLabel, st.sampled_from("123"), NAMES, NAMES, NAMES, NAMES, NAMES | st.just(""), NAMES | st.just("")
)


@settings(max_examples=250, deadline=None)
@example("", replace(HIDDEN, propagate_id="<<"), {"<<": "<<", "=": "="})
@given(TEXTS, LABELS, FRONTS)
def test_any_text_label_and_front_matter_come_back(text, hidden, front):
    written = write_label(text, hidden, front)
    back = read_label(written)
    assert (back.text, back.hidden, back.front) == (text, hidden, front)
    assert problems(written, expected_sha256=sha256(text.encode()).hexdigest()) == []


@given(LABELS)
def test_bare_and_wrapped_json_read_back(hidden):
    for found in (hidden.as_mapping(), {"AIGC": hidden.as_mapping()}, hidden.bare_json(), hidden.wrapped_json()):
        assert read_hidden(found) == hidden
    assert tuple(json.loads(hidden.bare_json())) == KEYS.value
    assert list(json.loads(hidden.wrapped_json())) == ["AIGC"]


def test_other_programs_see_a_plain_mapping_of_strings():
    _, front, _ = write_label(TEXT, HIDDEN, {"title": "Poem 9"}).split("---\n", 2)
    assert yaml.safe_load(front) == {
        "AIGC": {
            "Label": "1",
            "ContentProducer": CODE,
            "ProduceID": "sha256:2c26b46b",
            "ReservedCode1": "",
            "ContentPropagator": CODE,
            "PropagateID": "sha256:2c26b46b",
            "ReservedCode2": "",
        },
        "gongfen": {"sha256": sha256(TEXT.encode()).hexdigest()},
        "title": "Poem 9",
    }


def test_a_reader_sees_both_languages_above_the_text():
    assert write_label(TEXT, HIDDEN).endswith(f"\n---\n\n> **AI-generated content · 人工智能生成内容**\n\n{TEXT}")


@pytest.mark.parametrize("style", ["mapping", "wrapped", "json", "flow", "byte order mark", "windows"])
def test_other_peoples_files_are_read(style):
    """Producers write the mapping with keys in any order; readers accept the wrapper and JSON as well."""
    bare = dict(sorted(HIDDEN.as_mapping().items()))
    held = {"mapping": bare, "wrapped": {"AIGC": bare}, "json": json.dumps(bare)}.get(style, bare)
    front = yaml.safe_dump({"AIGC": held, "layout": "post"}, default_flow_style=style == "flow", width=10**6)
    markdown = f"---\n{front}---\n\n（本文由人工智能生成）\n\n{TEXT}"
    markdown = {"windows": markdown.replace("\n", "\r\n"), "byte order mark": f"\ufeff{markdown}"}.get(style, markdown)
    back = read_label(markdown)
    assert (back.hidden, back.visible, back.front) == (HIDDEN, "（本文由人工智能生成）", {"layout": "post"})
    (finding,) = check_label(markdown)
    assert (finding.level, finding.reason) == ("warning", "states no hash of the text")


# ---- damage --------------------------------------------------------------------------------------------------------

WRITTEN = write_label(TEXT, HIDDEN, {"title": "Poem 9"})
FRONT_END = WRITTEN.index("\n---\n", 4) + 5


@pytest.mark.parametrize(
    ("damaged", "place", "reason"),
    [
        (TEXT, "file", "has no front matter"),
        ("", "file", "has no front matter"),
        (WRITTEN[FRONT_END:], "file", "has no front matter"),
        (WRITTEN.replace(visible_line("1"), ""), "text", "has no visible label at its start or end"),
        (WRITTEN.replace("人工智能生成", "").replace("AI-", ""), "text", "has no visible label at its start or end"),
        (WRITTEN.replace(visible_line("1"), visible_line("2")), "visible label", "says 2, the hidden label 1"),
        (WRITTEN.replace("AIGC:", "aigc:"), "front matter", "has no hidden label"),
        (WRITTEN.replace("Label:", "Lable:"), "front matter: AIGC: Label", "is missing"),
        (WRITTEN.replace("Label:", "Lable:"), "front matter: AIGC: Lable", "is not one of the seven keys"),
        (WRITTEN.replace("'1'", "1"), "front matter: AIGC: Label", "is int, not a string"),
        (WRITTEN.replace("'1'", "'4'"), "front matter: AIGC: Label", "is '4'"),
        (WRITTEN.replace("'1'", "'1 '"), "front matter: AIGC: Label", "holds ' ' (U+0020)"),
        (WRITTEN.replace("sha256:2c26b46b", "''"), "front matter: AIGC: ProduceID", "is empty"),
        (WRITTEN.replace("sha256:2c26b46b", "诗"), "front matter: AIGC: PropagateID", "holds '诗' (U+8BD7)"),
        (WRITTEN.replace("AIGC:\n", "AIGC: none\nx:\n"), "front matter: AIGC", "is not a mapping of seven keys"),
        (WRITTEN.replace("title:", "AIGC: {}\ntitle:"), "front matter", "has AIGC twice"),
        (WRITTEN.replace("  ProduceID", "  Label: '2'\n  ProduceID"), "front matter", "has Label twice"),
        (WRITTEN.replace("# Poem", "# poem"), "text", "has been changed since it was labelled"),
        (WRITTEN.replace("\n", "\r\n"), "text", "has other line ends since it was labelled"),
        (f"{WRITTEN} ", "text", "has been changed since it was labelled"),
        (write_label("", HIDDEN) + WRITTEN, "text", "carries a second hidden label"),
        ("---\n- a\n---\n", "front matter", "is not a list of keys and values"),
        ("---\nAIGC: {\n---\n", "front matter", "is not YAML"),
        ("---\nday: 2025-13-45\n---\n", "front matter", "is not YAML"),
        ("---\na: &a {b: 1}\nc: {<<: *a}\n---\n", "front matter", "merges mappings with <<"),
        ("---\na: &a {b: 1}\nc: {!!merge 'x': *a}\n---\n", "front matter", "merges mappings with <<"),
        (f"---\n{'[' * 9_000}\n---\n", "front matter", "is not YAML"),
        (f"---\na: {'b' * 70_000}\n---\n", "front matter", "has 70004 characters"),
    ],
)
def test_every_damage_is_found_with_its_place(damaged, place, reason):
    found = problems(damaged)
    assert any(finding.place == place and finding.reason.startswith(reason) for finding in found), found
    assert all(finding.remedy for finding in found)


@pytest.mark.parametrize("at", range(len(TEXT)))
def test_every_lost_character_of_the_text_is_noticed(at):
    assert problems(WRITTEN[: len(WRITTEN) - len(TEXT)] + TEXT[:at] + TEXT[at + 1 :])


@pytest.mark.parametrize("gone", KEYS.value)
def test_every_lost_key_is_noticed_and_refused(gone):
    bare = {key: value for key, value in HIDDEN.as_mapping().items() if key != gone}
    assert [finding.place for finding in check_hidden(bare)] == [f"hidden label: {gone}"]
    with pytest.raises(LabelError, match=f"{gone} is missing"):
        read_hidden({"AIGC": bare})


def test_a_record_knows_better_than_the_file():
    """Text and stated hash changed together: only the record's hash can tell."""
    forged = write_label(TEXT.replace("every", "no"), HIDDEN)
    assert problems(forged) == []
    (finding,) = problems(forged, expected_sha256=sha256(TEXT.encode()).hexdigest())
    assert "not the one in the record" in finding.reason


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("-AIGC:{}[]&*!'\"\n\r #|>?%@`0x1.e ab\\\t\ufeff<"), max_size=60), st.booleans())
def test_the_checker_says_what_is_wrong_and_never_fails(inside, closed):
    markdown = f"---\n{inside}\n---\n{TEXT}" if closed else inside
    assert problems(markdown)
    with pytest.raises(LabelError):
        read_label(markdown)


@pytest.mark.parametrize(
    "tag", ["!!timestamp x", "!!int ''", "!!bool maybe", "!!python/object:os.system x", "&a [*a]", "{[]: 1}"]
)
def test_strange_yaml_values_do_no_harm(tag):
    assert problems(f"---\nAIGC: {tag}\n---\n{TEXT}")


# ---- writing what must not be written ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["AIGC", "gongfen"])
def test_front_matter_may_not_bring_a_label_of_its_own(key):
    with pytest.raises(LabelError, match=f"already has {key}"):
        write_label(TEXT, HIDDEN, {key: {}})


def test_a_labelled_text_is_not_labelled_again():
    with pytest.raises(LabelError, match="already carries a hidden label"):
        write_label(WRITTEN, HIDDEN)
    assert read_label(write_label(read_label(WRITTEN).text, HIDDEN)).text == TEXT


@pytest.mark.parametrize(
    ("text", "front"), [("\ud800", None), (TEXT, {"title": object()}), (TEXT, {"a": "b" * 70_000})]
)
def test_what_cannot_be_written_is_refused(text, front):
    with pytest.raises(LabelError):
        write_label(text, HIDDEN, front)


@pytest.mark.parametrize("code", [*range(0x21), 0x22, 0x5C, 0x7F, 0xA0, 0x4EBA, 0x1F600])
@pytest.mark.parametrize("field", ["content_producer", "produce_id", "reserved_code1", "propagate_id"])
def test_signs_outside_the_standards_range_are_refused(code, field):
    with pytest.raises(LabelError, match=f"U\\+{code:04X}"):
        replace(HIDDEN, **{field: f"a{chr(code)}"})


def test_signs_inside_the_range_are_accepted():
    assert replace(HIDDEN, produce_id=SIGNS).produce_id == SIGNS


@pytest.mark.parametrize(
    "change", [{"label": "0"}, {"label": ""}, {"produce_id": ""}, {"content_propagator": ""}, {"label": 1}]
)
def test_a_label_that_breaks_the_rules_cannot_be_made(change):
    with pytest.raises(LabelError):
        replace(HIDDEN, **change)


# ---- producers -----------------------------------------------------------------------------------------------------


def test_without_a_configured_code_the_label_says_so_and_the_checker_warns():
    hidden = first_label("poem-9")
    assert hidden.content_producer == hidden.content_propagator == PLACEHOLDER_PRODUCER
    assert (hidden.produce_id, hidden.propagate_id) == ("poem-9", "poem-9")
    assert producer_fault(PLACEHOLDER_PRODUCER), "it can never be taken for a code"
    findings = check_label(write_label(TEXT, hidden))
    assert [(finding.level, finding.reason) for finding in findings] == [("warning", "is a placeholder")] * 2


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (CODE[:-1], "26 signs"),
        (f"{CODE}0", "28 signs"),
        (f"01{CODE[2:]}", "not built"),
        (CODE.replace("L10001", "L30001"), "not built"),
        (CODE.lower(), "not built"),
        (CODE.replace("41L", "42L"), "wrong check sign"),
        ("", "0 signs"),
        (PLACEHOLDER_PRODUCER, "not built"),
    ],
)
def test_a_mistyped_code_is_refused_in_the_configuration_and_warned_of_in_a_file(code, said):
    with pytest.raises(LabelError, match=said):
        producer_code(code)
    if code and code != PLACEHOLDER_PRODUCER:
        (finding,) = check_hidden(replace(HIDDEN, content_producer=code).as_mapping())
        assert (finding.level, finding.place) == ("warning", "hidden label: ContentProducer")


@pytest.mark.parametrize("at", range(18))
def test_the_check_sign_notices_every_single_change(at):
    """GB 32100-2015, modulus 31: a change of one sign always shows."""
    good = "91110000600037341L"
    assert credit_code_holds(good)
    for sign in "0123456789ABCDEFGHJKLMNPQRTUWXY":
        assert credit_code_holds(good[:at] + sign + good[at + 1 :]) == (sign == good[at])


# ---- wording and clauses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("人工智能生成", "zh"),
        ("AI合成", "zh"),
        ("AI-generated", "en"),
        ("AI", None),
        ("人工智能", None),
        ("本文由机器生成", None),
        ("MAIN text generated", None),
        ("Aid was generated", None),
        ("DUBAI was generated", None),
    ],
)
def test_a_wording_needs_both_elements(text, language):
    assert wording(text) == language


@pytest.mark.parametrize("label", ["1", "2", "3"])
def test_our_wordings_have_both_elements_in_both_languages(label):
    line = visible_line(label)
    english, chinese = line.split(" · ")
    assert (wording(line), wording(english), wording(chinese)) == ("zh", "en", "zh")


@pytest.mark.parametrize("place", ["start", "end", "middle"])
def test_where_another_persons_visible_label_is_looked_for(place):
    label = "本文由AI生成"
    parts = {"start": [label, "a", "b"], "middle": ["a", label, "b"], "end": ["a", "b", label]}[place]
    markdown = f"---\n{yaml.safe_dump({'AIGC': HIDDEN.as_mapping()})}---\n" + "\n\n".join(parts)
    assert read_label(markdown).visible == (None if place == "middle" else label)
    assert bool(problems(markdown)) == (place == "middle")


def test_a_sentence_about_ai_is_no_label():
    text = "This long first paragraph tells of AI and of what it has generated in the years since " + "then " * 20
    assert any(finding.place == "text" for finding in problems(WRITTEN.replace(visible_line("1"), text)))


def test_an_english_wording_alone_is_warned_of():
    markdown = WRITTEN.replace(visible_line("1"), "AI-generated").replace("gongfen:", "other:")
    assert "is in English only" in [finding.reason for finding in check_label(markdown) if finding.level == "warning"]


def test_every_clause_is_in_the_table_with_its_evidence():
    ours = {name: value for name, value in vars(gb45438).items() if isinstance(value, Clause)}
    assert ours == CLAUSES
    assert {clause.evidence for clause in CLAUSES.values()} <= set(get_args(Evidence))
    assert all(clause.says.endswith(".") for clause in CLAUSES.values())

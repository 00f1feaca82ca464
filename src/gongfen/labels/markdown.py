"""A labelled Markdown file: the hidden label in its front matter, the visible one above the text, the text untouched.

    ---
    AIGC:
      Label: '1'
      …
    gongfen:
      sha256: <of the text, so that an edit is noticed>
    title: …
    ---

    > **AI-generated content · 人工智能生成内容**

    the text, character for character

The text begins after the empty line below the visible label, so a text that itself begins with ``---``, with a label
or with nothing comes back as it was. Write the file as bytes (``.encode()``): Python's text mode may change line
ends. Readers accept the label bare, wrapped in a second ``AIGC``, or as JSON. In other people's files the visible
label may also be the first or last line of the text; one in the middle is not looked for.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import yaml

from gongfen.errors import LabelError
from gongfen.labels.gb45438 import (
    MARKDOWN_PLACE,
    VISIBLE_WORDING,
    Finding,
    HiddenLabel,
    check_hidden,
    read_hidden,
    unwrapped,
    wording,
)

OWN_KEY = "gongfen"
MAX_FRONT = 65_536
"""Longest front matter that is read, in characters."""

_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_OURS = {f"> **{words}**": label for label, words in VISIBLE_WORDING.value.items()}
_HEAD = re.compile(rf"(?:\r?\n)?({'|'.join(map(re.escape, _OURS))})(?:\r?\n|\Z)(?:\r?\n)?")
_MAX_VISIBLE = 120
# PyYAML's constructors let these through for values such as `!!int ""` or the date 2025-13-45.
_UNREADABLE = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled file, read: the text as written, the rest of the front matter, the hash that the file states."""

    hidden: HiddenLabel
    visible: str | None
    text: str
    front: Mapping[str, object]
    sha256: str | None


@dataclass(frozen=True, slots=True)
class _Parts:
    front: str | None
    visible: str | None
    text: str


def visible_line(label: str) -> str:
    """The visible label for a value of Label, as a line of Markdown.

    >>> visible_line("1")
    '> **AI-generated content · 人工智能生成内容**'
    """
    return f"> **{VISIBLE_WORDING.value[label]}**"


def write_label(text: str, hidden: HiddenLabel, front: Mapping[str, object] | None = None) -> str:
    """``text`` with both labels; ``front`` (title, author…) is kept beside them. What was written is read back."""
    taken = {MARKDOWN_PLACE.value, OWN_KEY} & set(front or ())
    if taken:
        raise LabelError("front matter", f"already has {', '.join(sorted(taken))}", "leave these keys to the label")
    if any(finding.place == "text" for finding in _labelled_within(text)):
        raise LabelError("text", "already carries a hidden label", "read it with read_label and label its text")
    try:
        digest = _sha256(text)
        keys = {MARKDOWN_PLACE.value: hidden.as_mapping(), OWN_KEY: {"sha256": digest}, **(front or {})}
        head = _head(keys)
    except _UNREADABLE as error:
        reason = f"cannot be written: {error}".replace("\n", " ")
        raise LabelError("text or front matter", reason, "use plain values and whole characters") from error
    written = f"---\n{head}---\n\n{visible_line(hidden.label)}\n\n{text}"
    back = read_label(written)
    assert (back.hidden, back.text, back.front, back.sha256) == (hidden, text, front or {}, digest)
    return written


def _head(keys: Mapping[str, object]) -> str:
    """Front matter that loads as it was: readable, or all in escapes where PyYAML needs it (U+0085, U+2028)."""
    for readable in (True, False):
        head = yaml.safe_dump(dict(keys), allow_unicode=readable, sort_keys=False, width=2**31)
        if yaml.safe_load(head) == keys:
            return head
    raise LabelError("front matter", "does not come back as it was written", "use plain lists, texts and numbers in it")


def read_label(markdown: str) -> Labelled:
    """The label and the text of a Markdown file."""
    parts = _split(markdown)
    front = _front(parts.front)
    if MARKDOWN_PLACE.value not in front:
        raise LabelError("front matter", "has no hidden label", f"add the key {MARKDOWN_PLACE.value}: label the text")
    hidden = read_hidden(front.pop(MARKDOWN_PLACE.value), f"front matter: {MARKDOWN_PLACE.value}")
    own = front.pop(OWN_KEY, None)
    return Labelled(hidden, parts.visible, parts.text, front, _stated(own))


def check_label(markdown: str, expected_sha256: str | None = None) -> list[Finding]:
    """All that is wrong with a file's labels; ``expected_sha256`` is the text's hash from a record, if there is one."""
    parts = _split(markdown)
    front: dict[str, object] = {}
    try:
        front = _front(parts.front)
        findings = _check_front(front)
    except LabelError as error:
        findings = [Finding("problem", error.thing, error.reason, error.remedy)]
    findings += _labelled_within(parts.text)
    findings += _check_visible(parts, front.get(MARKDOWN_PLACE.value))
    stated = _stated(front.get(OWN_KEY))
    if stated is None and expected_sha256 is None:
        reason, remedy = "states no hash of the text", "an edited text cannot be noticed: label it anew to add one"
        findings.append(Finding("warning", "front matter", reason, remedy))
    for digest, whose in ((stated, "front matter"), (expected_sha256, "record")):
        findings += _check_text(parts.text, digest, whose)
    return findings


def _check_front(front: Mapping[str, object]) -> list[Finding]:
    if MARKDOWN_PLACE.value not in front:
        remedy = f"add the key {MARKDOWN_PLACE.value} with its seven values"
        return [Finding("problem", "front matter", "has no hidden label", remedy)]
    return check_hidden(unwrapped(front[MARKDOWN_PLACE.value]), f"front matter: {MARKDOWN_PLACE.value}")


def _check_visible(parts: _Parts, hidden: object) -> list[Finding]:
    if parts.visible is None:
        remedy = f"write at the start: {visible_line('1')}"
        return [Finding("problem", "text", "has no visible label at its start or end", remedy)]
    bare = unwrapped(hidden)
    label = bare.get("Label") if isinstance(bare, dict) else None
    if parts.visible in _OURS and label in VISIBLE_WORDING.value and _OURS[parts.visible] != label:
        reason = f"says {_OURS[parts.visible]}, the hidden label {label}"
        return [Finding("problem", "visible label", reason, f"write {visible_line(str(label))}")]
    if wording(parts.visible) == "en":
        return [Finding("warning", "visible label", "is in English only", "add 人工智能生成 beside it")]
    return []


def _check_text(text: str, digest: str | None, whose: str) -> list[Finding]:
    """The text against the hash that was taken of it."""
    if digest is None or _sha256(text, "surrogatepass") == digest:
        return []
    changed = "has been changed"
    if _sha256(text.replace("\r\n", "\n"), "surrogatepass") == digest:
        changed = "has other line ends"
    reason = f"{changed} since it was labelled: its sha256 is not the one in the {whose}"
    return [Finding("problem", "text", reason, "restore it, or label the new text as a new work")]


def _labelled_within(text: str) -> list[Finding]:
    """One label in a file: no other front matter with a label may stand at the start of the text."""
    try:
        inner = _front(_split(text).front)
    except LabelError:
        return []
    if MARKDOWN_PLACE.value not in inner:
        return []
    return [
        Finding("problem", "text", "carries a second hidden label", "take the inner front matter out: one per file")
    ]


def _split(markdown: str) -> _Parts:
    """Front matter, visible label and text; our own visible line is not part of the text, another's is."""
    found = _FRONT.match(markdown)
    rest = markdown[found.end() :] if found else markdown
    front = found[1] if found else None
    if head := _HEAD.match(rest):
        return _Parts(front, head[1], rest[head.end() :])
    text = rest.lstrip("\r\n") if found else rest
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    ends = (line for line in lines[:1] + lines[-1:] if len(line) <= _MAX_VISIBLE and wording(line))
    return _Parts(front, next(ends, None), text)


def _front(text: str | None) -> dict[str, object]:
    """The front matter's mapping; nothing in it may stand twice, for YAML readers disagree about which one counts."""
    if text is None:
        remedy = "label the text: the hidden label stands between two lines of ---"
        raise LabelError("file", "has no front matter", remedy)
    if len(text) > MAX_FRONT:
        raise LabelError("front matter", f"has {len(text)} characters", f"keep it under {MAX_FRONT}")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if any(_merges(event) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            # Merged mappings within merged mappings: a kilobyte of them fills any memory.
            raise LabelError("front matter", "merges mappings with <<", "write out what is merged")
        twice = list(_twice(node))
        front = yaml.safe_load(text)
    except _UNREADABLE as error:
        reason = f"is not YAML: {error}".replace("\n", " ")
        raise LabelError("front matter", reason, "repair it, or label the text anew") from error
    if twice:
        raise LabelError("front matter", f"has {twice[0]} twice", "keep one: exactly one label per file")
    if not isinstance(front, dict):
        raise LabelError("front matter", "is not a list of keys and values", "label the text anew")
    return {str(key): value for key, value in front.items()}


def _merges(event: yaml.Event) -> bool:
    """Whether a scalar is YAML's merge key: << without quotes, or anything that is tagged so; '<<' is a string."""
    if not isinstance(event, yaml.ScalarEvent):
        return False
    plain = bool(event.implicit[0]) and event.value == "<<"
    return plain or event.tag == "tag:yaml.org,2002:merge"


def _twice(node: yaml.Node | None) -> Iterator[str]:
    """Keys that stand twice in the front matter or in its label."""
    if isinstance(node, yaml.MappingNode):
        counts = Counter(str(key.value) for key, _ in node.value)
        yield from (key for key, count in counts.items() if count > 1)
        for key, value in node.value:
            if key.value == MARKDOWN_PLACE.value:
                yield from _twice(value)


def _stated(own: object) -> str | None:
    stated = own.get("sha256") if isinstance(own, dict) else None
    return stated if isinstance(stated, str) else None


def _sha256(text: str, errors: str = "strict") -> str:
    return sha256(text.encode(errors=errors)).hexdigest()

"""GB 45438-2025, the Chinese rules for labelling AI-generated content: the clauses as data, and the hidden label.

No primary text of the standard was read for this module. Every clause that the code rests on therefore stands once,
in ``CLAUSES``, with the evidence for it (independent transcriptions, and what was seen in real files): correct it
there and the code follows. Evidence: ``t`` tried on real files · ``2+`` two or more independent sources agree · ``1``
one transcription · ``?`` unverified or our own reading.

Never invented: a producer's code. It comes from the user's configuration (``producer_code``); without one the label
says ``UNREGISTERED-PRODUCER`` and the checker warns.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from gongfen.errors import LabelError

T = TypeVar("T")
Evidence = Literal["t", "2+", "1", "?"]
Level = Literal["problem", "warning"]


@dataclass(frozen=True, slots=True)
class Clause(Generic[T]):
    """A rule as data: the ``value`` that the code uses, what it says, and how well that is known."""

    value: T
    says: str
    evidence: Evidence


# ---- The clauses: the one place to correct ----
IN_FORCE = Clause("2025-09-01", "The standard and the labelling measures apply from this day.", "2+")
AI_ELEMENT = Clause(("人工智能", "AI"), "The visible wording names artificial intelligence.", "1")
MAKING_ELEMENT = Clause(("生成", "合成"), "The visible wording says that content was generated or synthesised.", "1")
MAKING_ELEMENT_ENGLISH = Clause(
    ("generated", "synthesised", "synthesized"),
    "English words for the making element; ours stand beside Chinese ones.",
    "?",
)
TEXT_PLACE = Clause(
    "start", "Text: the visible label stands at the start, the end or a fitting middle; ours: start.", "1"
)
VISIBLE_WORDING: Final = Clause(
    {
        "1": "AI-generated content · 人工智能生成内容",
        "2": "Possibly AI-generated content · 可能为人工智能生成内容",
        "3": "Suspected AI-generated content · 疑似人工智能生成内容",
    },
    "Our wording for the three values of Label.",
    "1",
)
WRAPPER = Clause("AIGC", "The name under which the hidden label stands; exactly one in a file.", "2+")
KEYS = Clause(
    (
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ),
    "The hidden label has these seven keys, all values strings; we write all seven.",
    "2+",
)
LABEL_VALUES = Clause(("1", "2", "3"), "Label: 1 is, 2 possibly is, 3 is suspected to be AI-generated.", "?")
MAY_BE_EMPTY = Clause(("ReservedCode1", "ReservedCode2"), "The reserved codes may be empty strings.", "?")
CHARACTERS = Clause(
    r"[\x21\x23-\x5b\x5d-\x7e]*", "Values use 0x21, 0x23–0x5B and 0x5D–0x7E: no space, quote, backslash.", "?"
)
FIRST_WRITE = Clause(
    {"ContentPropagator": "ContentProducer", "PropagateID": "ProduceID"},
    "At the first writing the propagator is the producer and PropagateID is ProduceID.",
    "2+",  # and seen in Markdown files of three independent producers
)
PRODUCER_CODE = Clause(
    r"00(?P<binding>[0-9A-Z]{2})(?P<subject>[0-9A-Z]{18})(?P<service>[12])(?P<model>[0-9A-Z]{4})",
    "TC260-PG-20252A: 00, subject type and binding, 18-character code, 1 generate or 2 propagate, 4 for the model.",
    "2+",  # one transcription, and the codes in Markdown files of three independent producers
)
ORGANISATION = Clause("11", "Subject type and binding: an organisation, by its unified social credit code.", "1")
GENERATES = Clause("1", "The service digit of one who generates.", "1")
MARKDOWN_PLACE = Clause(
    "AIGC", "Markdown: YAML front matter, key AIGC, the bare seven keys as a mapping.", "2+"
)  # three independent producers' files write it so
IMAGE_HEIGHT = Clause(
    "5 %", "Image: on an edge or corner, legible, at least this share of the shortest side high.", "2+"
)
AUDIO_RHYTHM = Clause(
    "短长 短短", "Audio: spoken at normal pace, or this rhythm (Morse A I), at start, end or middle.", "2+"
)
VIDEO_SECONDS = Clause(2, "Video: at least so long at normal speed, 5 % high, start frame and around the player.", "2+")
LOG_MONTHS = Clause(6, "Unlabelled output only after the user agreement moves the duty; logs are kept so long.", "1")

CLAUSES: Mapping[str, Clause[object]] = {
    name: clause for name, clause in list(globals().items()) if isinstance(clause, Clause)
}
# ---- End of the clauses ----

PLACEHOLDER_PRODUCER = "UNREGISTERED-PRODUCER"
"""What stands where no code is configured. It is no code, and the checker says so."""

_CREDIT_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_AI = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" for word in AI_ELEMENT.value))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a label (``problem``) or worth knowing (``warning``): where, what, and what to do."""

    level: Level
    place: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.level}: {self.place} {self.reason}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class HiddenLabel:
    """The seven values of a hidden label; one that breaks the rules cannot be made."""

    label: str
    content_producer: str
    produce_id: str
    content_propagator: str
    propagate_id: str
    reserved_code1: str = ""
    reserved_code2: str = ""

    def __post_init__(self) -> None:
        _refuse(check_hidden(self.as_mapping()))

    def as_mapping(self) -> dict[str, str]:
        """The bare seven keys, in the standard's order."""
        return {key: getattr(self, _FIELDS[key]) for key in KEYS.value}

    def bare_json(self) -> str:
        """For keyed carriers: XMP, MP4, ID3, PDF."""
        return json.dumps(self.as_mapping(), separators=(",", ":"))

    def wrapped_json(self) -> str:
        """For carriers without a key of their own: EXIF UserComment, PNG tEXt."""
        return json.dumps({WRAPPER.value: self.as_mapping()}, separators=(",", ":"))


_FIELDS = {
    "Label": "label",
    "ContentProducer": "content_producer",
    "ProduceID": "produce_id",
    "ReservedCode1": "reserved_code1",
    "ContentPropagator": "content_propagator",
    "PropagateID": "propagate_id",
    "ReservedCode2": "reserved_code2",
}


def first_label(produce_id: str, producer: str | None = None, label: str = "1") -> HiddenLabel:
    """The hidden label of a new output; ``producer`` is the code from the configuration, if there is one.

    >>> first_label("sha256:2c26b46b").bare_json()[:56]
    '{"Label":"1","ContentProducer":"UNREGISTERED-PRODUCER","'
    """
    code = PLACEHOLDER_PRODUCER if producer is None else producer_code(producer)
    return HiddenLabel(label, code, produce_id, content_propagator=code, propagate_id=produce_id)


def read_hidden(found: object, place: str = "hidden label") -> HiddenLabel:
    """A hidden label as found in a carrier: bare or wrapped, a mapping or its JSON."""
    bare = unwrapped(found)
    _refuse(check_hidden(bare, place))
    assert isinstance(bare, dict)
    return HiddenLabel(**{_FIELDS[key]: value for key, value in bare.items()})


def unwrapped(found: object) -> object:
    """The seven-key mapping inside what a carrier holds, if it is there; else what was found."""
    if isinstance(found, str):
        try:
            found = json.loads(found, object_pairs_hook=_each_once)
        except (ValueError, RecursionError):
            return found
    return found[WRAPPER.value] if isinstance(found, dict) and list(found) == [WRAPPER.value] else found


def check_hidden(found: object, place: str = "hidden label") -> list[Finding]:
    """What is wrong with a seven-key mapping as found in a carrier, after ``unwrapped``."""
    if not isinstance(found, dict):
        return [_problem(place, "is not a mapping of seven keys", f"write the keys {', '.join(KEYS.value)}")]
    missing = [key for key in KEYS.value if key not in found]
    findings = [_problem(f"{place}: {key}", "is missing", "write all seven keys, unused ones empty") for key in missing]
    for key, value in found.items():
        findings += _check_value(key, value, f"{place}: {key}")
    return findings


def _check_value(key: object, value: object, place: str) -> list[Finding]:
    if key not in KEYS.value:
        return [_problem(place, "is not one of the seven keys", "take it out of the label")]
    if not isinstance(value, str):
        return [_problem(place, f"is {type(value).__name__}, not a string", "put the value in quotes")]
    if not re.fullmatch(CHARACTERS.value, value):
        bad = next(sign for sign in value if not re.fullmatch(CHARACTERS.value, sign))
        return [_problem(place, f"holds {bad!r} (U+{ord(bad):04X})", CHARACTERS.says)]
    if not value and key not in MAY_BE_EMPTY.value:
        return [_problem(place, "is empty", "name the producer and the content, or the propagator and the copy")]
    if key == "Label" and value not in LABEL_VALUES.value:
        return [_problem(place, f"is {value!r}", LABEL_VALUES.says)]
    if key in ("ContentProducer", "ContentPropagator"):
        return _check_producer(value, place)
    return []


def _check_producer(code: str, place: str) -> list[Finding]:
    if code == PLACEHOLDER_PRODUCER:
        remedy = "give your registered code: gongfen label --producer CODE"
        return [Finding("warning", place, "is a placeholder", remedy)]
    fault = producer_fault(code)
    return [Finding("warning", place, fault, "compare it with the code that was registered")] if fault else []


def producer_code(code: str) -> str:
    """A producer's code from the configuration, if it is built like one; nothing is added or guessed."""
    if fault := producer_fault(code):
        remedy = "correct it, or leave it out to write a placeholder"
        raise LabelError(f"producer code {code!r}", f"{fault} (evidence {PRODUCER_CODE.evidence})", remedy)
    return code


def producer_fault(code: str) -> str | None:
    """What is wrong with the build of a producer's code."""
    parts = re.fullmatch(PRODUCER_CODE.value, code)
    if parts is None:
        return f"is not built as 00 + 2 + 18 + 1 + 4 signs: {len(code)} signs"
    if parts["binding"] == ORGANISATION.value and not credit_code_holds(parts["subject"]):
        return f"holds a unified social credit code with a wrong check sign: {parts['subject']}"
    return None


def credit_code_holds(code: str) -> bool:
    """The check sign of a unified social credit code (GB 32100-2015: weights 3^i mod 31, modulus 31).

    >>> credit_code_holds("91110000600037341L"), credit_code_holds("91110000600037342L")
    (True, False)
    """
    if len(code) != len(_CREDIT_WEIGHTS) + 1 or not set(code) <= set(_CREDIT_SIGNS):
        return False
    total = sum(_CREDIT_SIGNS.index(sign) * weight for sign, weight in zip(code, _CREDIT_WEIGHTS, strict=False))
    return _CREDIT_SIGNS[-total % 31] == code[-1]


def wording(text: str) -> Literal["zh", "en"] | None:
    """Has a wording an AI and a making element: in the standard's words (zh), only in English ones (en), or not.

    >>> wording("本文由AI生成"), wording("AI-generated content"), wording("Generated on Main Street")
    ('zh', 'en', None)
    """
    if not _AI.search(text):
        return None
    if any(word in text for word in MAKING_ELEMENT.value):
        return "zh"
    return "en" if any(word in text.lower() for word in MAKING_ELEMENT_ENGLISH.value) else None


def _problem(place: str, reason: str, remedy: str) -> Finding:
    return Finding("problem", place, reason, remedy)


def _refuse(findings: list[Finding]) -> None:
    for finding in findings:
        if finding.level == "problem":
            raise LabelError(finding.place, finding.reason, finding.remedy)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)

"""Facts: canonical bytes, what they refuse, and the one-line notation."""

import json
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import MalformedFactError, UnknownKindError
from gongfen.facts import KINDS, Fact, Unknown, body_of, checked, decode, encode
from gongfen.facts import kinds as k
from gongfen.facts.amounts import MOST, apportion
from gongfen.facts.notation import read_line, read_money, read_words
from gongfen.facts.shapes import _name_given, misleading

AT = "2026-11-22T04:17:24.000000Z"
WORDS = {"maker": "ada", "work": "item-17", "labour_kind": 2, "phase": "training", "standing": "crowd",
         "labour_us": 40_000_000, "day": "2026-11-22"}  # fmt: skip


def fact(body: k.Body | Unknown, **fields: Any) -> Fact:
    return Fact(**{"id": "1", "at": AT, "by": "ada", "body": body} | fields)


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(texts, texts, st.integers(0, MOST))
def test_canonical_bytes_are_rfc_8785(evidence: str, method: str, amount: int) -> None:
    """Held against an independent implementation, for every character that JSON must or must not escape."""
    for body in (
        k.Labour(**WORDS | {"evidence": evidence, "labour_us": amount}),
        k.Compute(machine="m", device="d", work="w", device_us=amount, method=method),
    ):
        data = encode(fact(body))
        assert data == rfc8785.dumps(json.loads(data))
        assert decode(data) == fact(body)


@given(st.integers(-(2**70), 2**70))
def test_a_number_is_kept_exactly_or_refused(amount: int) -> None:
    found = fact(k.Labour(**WORDS | {"labour_us": amount}))
    if 0 <= amount <= MOST:
        assert decode(checked(found)) == found
    else:
        with pytest.raises(MalformedFactError):
            checked(found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labour_us": 1.5}, "float"),
        ({"labour_us": -1}, "at least 0"),
        ({"labour_us": None}, "no time but calls it measured"),
        ({"quality": "unmeasured"}, "unmeasured"),
        ({"day": "2026-02-30"}, "no calendar"),
        ({"maker": "a b"}, "name 'a b'"),
        ({"maker": "a|b"}, "name 'a.b'"),
        ({"maker": "a\u3000b"}, "space"),
        ({"maker": "a\x7fb"}, "control"),
        ({"maker": "\ud800"}, "surrogate"),
        ({"labour_kind": 9}, "at most 8"),
        ({"labour_kind": True}, "must be a whole number"),
        ({"phase": "sometimes"}, "enum|phase"),
    ],
)
def test_a_labour_fact_that_breaks_its_rules_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedFactError, match=reason):
        checked(fact(k.Labour(**WORDS | change)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (k.Work(work="w", sha256="0" * 64, size_bytes=0, source="s", licence="l",
                makers=(k.Part(maker="a", ppm=999_999),)), "999999 ppm"),
        (k.Work(work="w", sha256="0" * 64, size_bytes=0, source="s", licence="l",
                makers=(k.Part(maker="a", ppm=500_000), k.Part(maker="a", ppm=500_000))), "twice"),
        (k.Work(work="w", sha256="0" * 64, size_bytes=0, source="s", licence="", makers=()), "licence"),
        (k.Dataset(dataset="d", works=(), root="0" * 64, licence="l"), "no work"),
        (k.Make(make="m", activity="train", inputs=(), outputs=(), tool="t"), "makes nothing"),
        (k.Make(make="m", activity="train", inputs=(k.Use(work="a", role="r"),), outputs=("a",), tool="t"), "itself"),
        (k.Standard(standard="s", basis="b", reductions=(k.Reduction(skill="x", num=1, den=2),), machines=(),
                    melt_micro=1, currency="EUR"), "below simple"),
    ],
)  # fmt: skip
def test_other_facts_that_break_their_rules_are_refused(body: k.Body, reason: str) -> None:
    with pytest.raises(MalformedFactError, match=reason):
        checked(fact(body))


@pytest.mark.parametrize(
    "at", ["2026-11-22", "2026-11-22T04:17:24Z", "2026-13-22T04:17:24.000000Z", "2026-11-22T04:17:24.000000+01:00", ""]
)
def test_an_instant_is_utc_with_microseconds(at: str) -> None:
    with pytest.raises(MalformedFactError, match="write UTC"):
        checked(fact(k.Enrol(maker="ada"), at=at))


def test_a_kind_of_the_future_is_kept_byte_for_byte_but_not_taken_from_the_command_line() -> None:
    data = rfc8785.dumps({"v": 1, "id": "1", "at": AT, "by": "ada", "kind": "dream", "sample": False,
                          "body": {"b": 1, "a": [None, "é"]}})  # fmt: skip
    found = decode(data)
    assert isinstance(found.body, Unknown)
    assert found.kind == "dream"
    assert checked(found) == data
    with pytest.raises(UnknownKindError, match="dream"):
        body_of("dream", {})


def test_unknown_kinds_must_be_canonical_too() -> None:
    with pytest.raises(MalformedFactError, match="canonical"):
        checked(fact(Unknown("dream", b'{"b":1,"a":2}')))


def test_deep_nesting_is_an_error_and_not_a_crash() -> None:
    deep = (
        b'{"v":1,"id":"1","at":"x","by":"b","kind":"dream","sample":false,"body":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}"
    )
    with pytest.raises(MalformedFactError):
        checked(decode(deep))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_kind_has_a_field_for_floats(kind: str) -> None:
    """Followed through every nested structure."""
    seen: list[Any] = [KINDS[kind]]
    for found in seen:
        assert found is not float, f"{kind} holds a float"
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            hints = get_type_hints(found)
            hints.pop("kind", None)
            seen += hints.values()
        seen += [part for part in get_args(found) if part not in seen]


def test_a_line_says_a_fact() -> None:
    said = "labour maker=ada work=item-17 labour_kind=2 phase=training standing=crowd labour_us=40s day=2026-11-22"
    assert read_words(said.split()) == k.Labour(**WORDS)


@pytest.mark.parametrize(
    ("text", "us"), [("40s", 40_000_000), ("1.5h", 5_400_000_000), ("3m", 180_000_000), ("7", 7), ("2ms", 2_000)]
)
def test_times_take_units(text: str, us: int) -> None:
    body = read_words(["compute", "machine=m", "device=d", "work=w", f"device_us={text}"])
    assert isinstance(body, k.Compute)
    assert body.device_us == us


def test_shares_and_money_are_said_as_people_say_them() -> None:
    work = read_words(
        ["work", "work=w", f"sha256={'0' * 64}", "size_bytes=0", "makers=ada:600000,bo:400000", "source=s", "licence=l"]
    )
    assert isinstance(work, k.Work)
    assert [part.maker for part in work.makers] == ["ada", "bo"]
    assert read_money("12.50") == 12_500_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [("labour maker", "field=value"), ("enrol maker=a maker=b", "twice"), ("work makers=ada", "no share"),
     ("labour labour_us=1.5", "float"), ("sale price_micro=0.00000001", "finer"), ("enrol nobody=1", "has no field nobody"),
     ("sale price_micro=1.0000001", "finer")],
)  # fmt: skip
def test_a_line_that_says_no_fact_is_refused_with_a_reason(line: str, reason: str) -> None:
    kind, *rest = line.split()
    more = {"labour": ["maker=a", "work=w", "labour_kind=1", "phase=training", "standing=crowd", "day=2026-01-01"]}
    with pytest.raises(MalformedFactError, match=reason):
        read_words([kind, *rest, *([] if "maker" in line else more.get(kind, []))])


@pytest.mark.parametrize(
    "line", [b"{", b'{"kind":"enrol" "maker":"a"}', b"[]", b'{"kind":1}', b"\xff", b'{"kind":"enrol"}', b"[" * 10_000]
)
def test_a_broken_line_names_its_place(line: bytes) -> None:
    with pytest.raises(MalformedFactError, match="line 7"):
        read_line(line, "facts.jsonl, line 7,")


@given(st.integers(0, 10**12), st.dictionaries(st.text(max_size=5), st.integers(0, 10**9), min_size=1, max_size=30))
def test_parts_add_up_and_are_within_one_of_their_quota(total: int, weights: dict[str, int]) -> None:
    whole = sum(weights.values())
    if not whole:
        return
    parts = apportion(total, weights)
    assert sum(parts.values()) == total
    for name, part in parts.items():
        assert abs(part * whole - total * weights[name]) < whole
        assert weights[name] or not part
        if total <= whole:
            assert part <= weights[name]


def test_names_are_apportioned_in_the_same_order_however_they_come() -> None:
    assert (
        apportion(100, {"c": 1, "a": 1, "b": 1})
        == apportion(100, {"b": 1, "c": 1, "a": 1})
        == {"a": 34, "b": 33, "c": 33}
    )


# -- names that look alike ---------------------------------------------------------------------------------------------

MISLEADING = ["a\u200db", "ada\u200f", "\u202eada", "ad\u00ada", "e\u0301mile", "\ufeffada", "\u212b", "\uac00\u11a8"]
"""A joiner, marks of direction, a soft hyphen, an accent by itself, a byte-order mark, Ångström's sign, a loose jamo."""
MISLEADING += ["ada\ufe0f", "ada\u034f", "ada\u3164", "ada\u115f", "ada\u1160", "ada\uffa0", "ada\u2800",
               "工\U000e0100分", "ada\u17b4", "ada\ue000", "ada\U0010fffd", "ada\u0378", "ada\uffff", "ada\u180b",
               "ada\ufff0"]  # fmt: skip
"""Selectors, a joiner that joins nothing, fillers, blanks, unwritten vowels, what is private or was never assigned."""


@pytest.mark.parametrize("name", MISLEADING)
def test_a_new_name_that_looks_like_another_is_found(name: str) -> None:
    for body in (k.Enrol(maker=name), k.Plan(work="w", uses=1)):
        others = () if isinstance(body, k.Enrol) else (name,)
        ((reason, _),) = misleading(body, others)
        assert "looks like another" in reason
        assert reason.isascii(), "what cannot be seen is written out"


@pytest.mark.parametrize("name", ["ada", "émile", "工分", "\U0001f60a", "Å", "각", "\uffee", "é-Ω", "𠮷", "ａ"])
def test_a_name_in_any_script_is_no_mistake(name: str) -> None:
    assert misleading(k.Enrol(maker=name), (name,)) == []


@pytest.mark.parametrize("name", MISLEADING)
def test_what_was_named_so_before_is_read_and_spoken_of(name: str) -> None:
    """A log never changes: an old name goes on to work, or who was named so could never be paid."""
    old = fact(k.Enrol(maker=name))
    assert decode(encode(old)) == old
    assert misleading(k.Payment(payment="p", maker=name, amount_micro=1, currency="EUR", day="2026-11-22")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_that_kinds_give_are_texts(kind: str) -> None:
    given_ = _name_given(KINDS[kind])
    assert given_ is None or get_type_hints(KINDS[kind])[given_] is str

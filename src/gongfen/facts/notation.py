"""A fact in one line, as people and programs write it: ``labour maker=ada work=item-17 labour_us=40s …``.

The same words serve the command line, the tests and the docs. Times take ``us``, ``ms``, ``s``, ``m`` or ``h``, or
several of them, the largest first: ``1h30m``. Money in ``…_micro`` fields takes decimals; lists take commas, and shares
colons. A line of JSON holds the fields as they are, in whole units, under ``body``, or beside ``kind``.
"""

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from gongfen.errors import MalformedFactError
from gongfen.facts.amounts import MICRO
from gongfen.facts.envelope import body_of, in_words
from gongfen.facts.kinds import KINDS, Body
from gongfen.facts.names import check_names

_US = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_TIME = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,40}}(?:\.\d{{1,40}})?){unit})?" for unit in _US), re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,40}\.\d{1,40}", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,40}", re.ASCII)
"""Longer numbers are refused as text: no unit needs them, and Python will not read thousands of digits."""


class Said(msgspec.Struct, frozen=True):
    """A fact as a line of JSON says it; what it leaves out is filled in when it is recorded."""

    body: Body
    id: str | None = None
    at: str | None = None
    sample: bool = False
    by: str | None = None


class _Line(msgspec.Struct, forbid_unknown_fields=False):
    kind: str
    body: dict[str, Any] | None = None
    id: str | None = None
    at: str | None = None
    by: str | None = None
    v: int = 1
    sample: bool = False
    signed: None = None


_ENVELOPE = dict.fromkeys(_Line.__struct_fields__)


def read_words(said: list[str]) -> Body:
    """The body in ``KIND field=value …``. Raises MalformedFactError or UnknownKindError."""
    kind, *rest = said
    fields: dict[str, Any] = {}
    for word in rest:
        name, equals, value = word.partition("=")
        if not equals:
            raise MalformedFactError(
                f"{kind[:60]}: {word[:60]!r}", "is not of the form field=value", "write, say, maker=ada"
            )
        if name in fields:
            raise MalformedFactError(f"{kind[:60]}: {name[:60]}", "is given twice", "give each field once")
        fields[name] = _value(kind, name, value)
    return body_of(kind, fields)


def read_money(text: str) -> int:
    """Micro-units in a decimal amount such as ``12.50``. Raises MalformedFactError."""
    if not re.fullmatch(r"\d{1,40}(\.\d{1,40})?", text, re.ASCII):
        raise MalformedFactError(f"amount {text[:60]!r}", "is not an amount of money", "write, say, 12.50")
    return _whole(Decimal(text) * MICRO, "amount", "micro", text)


def read_time(text: str) -> int:
    """Microseconds in a time such as ``40s``. Raises MalformedFactError."""
    amount = _time(text)
    if amount is None:
        raise MalformedFactError(f"time {text[:60]!r}", "is not a time", "write, say, 40s, 90m, 1.5h or 1h30m")
    return _whole(amount, "time", "us", text)


def read_line(line: bytes, place: str) -> Said:
    """The fact in a line of JSON; ``place`` (file and line) opens the error. Raises MalformedFactError."""
    try:
        head = msgspec.json.decode(line, type=_Line)
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = f"is not a fact in JSON: {in_words(error)}"
        raise MalformedFactError(place, reason, "correct the line, or leave it out") from None
    check_names(line, fields, place)
    beside = {name: value for name, value in fields.items() if name not in _ENVELOPE}
    if head.body is not None and beside:
        reason = f"has the unknown field {min(beside)[:60]!r} beside its body"
        raise MalformedFactError(place, reason, f"beside body stand {', '.join(_ENVELOPE)}, and nothing else")
    if head.v != 1:
        raise MalformedFactError(place, f"has version {head.v}, but no signature", "leave v out, or write 1")
    try:
        return Said(
            body_of(head.kind, beside if head.body is None else head.body), head.id, head.at, head.sample, head.by
        )
    except MalformedFactError as error:
        raise type(error)(f"{place} {error.thing}", error.reason, error.remedy) from None


def _value(kind: str, name: str, text: str) -> Any:  # noqa: ANN401 - what the field takes
    takes = _takes(kind, name)
    if text == "none" and inspect.NoneType in takes:
        return None
    if inspect.BoolType in takes:
        return {"true": True, "false": False}.get(text, text)
    if inspect.VarTupleType in takes:
        return _list(kind, name, text)
    if inspect.IntType not in takes:
        return text
    if name.endswith("_us") and (amount := _time(text)) is not None:
        return _whole(amount, kind, name, text)
    if name.endswith("_micro") and _DECIMAL.fullmatch(text):
        return _whole(Decimal(text) * MICRO, kind, name, text)
    if _DECIMAL.fullmatch(text):
        return float(text)  # the kind refuses it, and says how to count instead
    return int(text) if _WHOLE.fullmatch(text) else text


def _time(text: str) -> Decimal | None:
    """Microseconds in ``90m`` or ``1h30m``; ``None`` where it is no time."""
    found = _TIME.fullmatch(text)
    if not text or found is None:
        return None
    return sum((Decimal(amount) * _US[unit] for unit, amount in found.groupdict().items() if amount), Decimal(0))


def _takes(kind: str, name: str) -> frozenset[type[inspect.Type]]:
    """Which types a field takes; none when the kind has no such field, which is refused later, by its name."""
    return _fields(kind).get(name, frozenset()) if kind in KINDS else frozenset()


@cache
def _fields(kind: str) -> dict[str, frozenset[type[inspect.Type]]]:
    info = inspect.type_info(KINDS[kind])
    assert isinstance(info, inspect.StructType)
    types = {
        field.name: field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        for field in info.fields
    }
    return {name: frozenset(map(type, options)) for name, options in types.items()}


def _list(kind: str, name: str, text: str) -> Any:  # noqa: ANN401 - what the field takes
    if name == "makers":
        return [_part(kind, part) for part in text.split(",") if part]
    return _json(kind, name, text)


def _part(kind: str, text: str) -> dict[str, Any]:
    maker, colon, ppm = text.partition(":")
    if not colon or not _WHOLE.fullmatch(ppm):
        raise MalformedFactError(
            f"{kind}: {(maker or text)[:60]}",
            "has no share",
            "write makers=ada:600000,bo:400000, adding to 1,000,000 ppm",
        )
    return {"maker": maker, "ppm": int(ppm)}


def _json(kind: str, name: str, text: str) -> Any:  # noqa: ANN401 - what the field takes
    if not text.startswith("["):
        return text.split(",")
    try:
        data = text.encode()
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise MalformedFactError(f"{kind}: {name}", f"is not a JSON list: {error}", "write a JSON list") from None
    check_names(data, found, f"{kind}: {name}")
    return found


def _whole(amount: Decimal, kind: str, name: str, text: str) -> int:
    try:
        whole = int(amount.to_integral_exact())
    except InvalidOperation:
        whole = -1
    if whole != amount:
        raise MalformedFactError(f"{kind}: {name}={text}", "is finer than its unit", "round it to whole units")
    return whole

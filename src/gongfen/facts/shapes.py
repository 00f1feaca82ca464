"""How names, hashes and days are written. Checked by hand: a pattern for each field would cost more than the rest."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any
from unicodedata import category, is_normalized

import msgspec
from msgspec import inspect

NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f|]+")
HEX_DIGITS = "0123456789abcdef"
IGNORABLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Signs that are shown as nothing: Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt (15.1)."""
BLANK = ((0x2800, 0x2800), (0x1D159, 0x1D159))
"""Signs that are shown as a space, and are none: Braille without dots, a note without a head."""
NOWHERE = frozenset(("Cf", "Cn", "Co", "Cs"))
"""Categories of what has no shape of its own: format signs, and what is not assigned, private or half a pair."""
DAYS_REMEMBERED = 100_000

Wrong = list[tuple[str, str]]
"""(reason, remedy) pairs."""


def marked(shape: str, **limits: Any) -> msgspec.Meta:  # noqa: ANN401 - what msgspec.Meta takes
    """The mark of a text field whose shape is checked here: ``name``, ``sha256`` or ``day``."""
    return msgspec.Meta(extra={"shape": shape}, **limits)


def misshapen(body: msgspec.Struct, others: Sequence[str] = ()) -> Wrong:
    """What is wrong with the names, hashes and days of a body, and with ``others`` names; empty when nothing is."""
    names, hashes, days = _fields(type(body))
    wrong = wrong_names((*names(body), *others) if names else others)
    for text in hashes(body) if hashes else ():
        if text.strip(HEX_DIGITS):
            wrong.append((f"names the hash {text[:70]!r}, which is not hexadecimal", "write 64 digits 0–9 and a–f"))
    for text in days(body) if days else ():
        if not is_day(text):
            wrong.append((f"names the day {text!r}, which no calendar has", "write the day as YYYY-MM-DD"))
    return wrong


def all_in_shape(bodies: Iterable[msgspec.Struct], others: Iterable[str]) -> bool:
    """Whether nothing is wrong with the names, hashes and days of many bodies, and with ``others`` names."""
    names, hashes, days = list(others), list[str](), set[str]()
    for body in bodies:
        of_names, of_hashes, of_days = _fields(type(body))
        if of_names:
            names += of_names(body)
        if of_hashes:
            hashes += of_hashes(body)
        if of_days:
            days.update(of_days(body))
    return _are_names("".join(names)) and not "".join(hashes).strip(HEX_DIGITS) and all(map(is_day, days))


def _are_names(together: str) -> bool:
    return together.isprintable() and " " not in together and "|" not in together


def wrong_names(names: Sequence[str]) -> Wrong:
    """What is wrong with names: they hold no space, no control character and no ``|``."""
    if _are_names("".join(names)):
        return []
    return [
        (f"holds the name {name[:70]!r}, in which a space, a control character or | stands", "write it without")
        for name in names
        if not NAME.fullmatch(name)
    ]


def misleading(body: msgspec.Struct, others: Sequence[str] = ()) -> Wrong:
    """What is wrong with the name that a new fact gives, and with ``others`` names: two that look alike must be one.

    Refused are signs that nobody sees (joiners, marks of direction, selectors, fillers, blanks), those that have no
    shape of their own, and what is not in NFC, where a letter and its accent are one sign. For facts that are written
    now: logs from before may hold such names, and are read as they are; so facts may go on to speak of what was named
    so.
    """
    given = _name_given(type(body))
    names = (*others, getattr(body, given)) if given else others
    if "".join(names).isascii():
        return []
    return [
        (
            f"gives the name {ascii(name)[:70]}, which looks like another: {flaw}",
            "write it in NFC, with visible signs only",
        )
        for name in names
        if (flaw := _flaw(name))
    ]


def _flaw(name: str) -> str:
    if any(map(is_unseen, name)):
        return "a sign in it cannot be seen"
    return "" if is_normalized("NFC", name) else "it is not in NFC"


@lru_cache
def is_unseen(sign: str) -> bool:
    """Whether a sign is shown as nothing, as a blank that is no space, or as who knows what."""
    if category(sign) in NOWHERE:
        return True
    return any(first <= ord(sign) <= last for first, last in (*IGNORABLE, *BLANK))


@cache
def _name_given(kind: type) -> str | None:
    """The field in which a kind gives a new name: called like the kind; a maker's when they are enrolled."""
    own = {"enrol": "maker"}.get(kind.__name__.lower(), kind.__name__.lower())
    found = inspect.type_info(kind)
    fields = found.fields if isinstance(found, inspect.StructType) else ()
    return next((field.name for field in fields if field.name == own and _shape_of(field.type) == "name"), None)


@lru_cache(DAYS_REMEMBERED)
def is_day(text: str) -> bool:
    """Whether a text is a day, ``YYYY-MM-DD``, that the calendar has."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


Collect = Callable[[Any], Sequence[str]] | None
"""The texts of one shape in a body; ``None`` when it has no such field."""


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[Collect, Collect, Collect]:
    return _collector(kind, "name"), _collector(kind, "sha256"), _collector(kind, "day")


def _collector(kind: type[msgspec.Struct], shape: str) -> Collect:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType), "a body is a structure"
    flat: list[str] = []
    optional: list[str] = []
    deep: list[tuple[str, Collect]] = []
    for field in found.fields:
        if _shape_of(field.type) == shape:
            (optional if _may_be_unset(field) else flat).append(field.name)
        elif isinstance(field.type, inspect.UnionType) and any(_shape_of(one) == shape for one in field.type.types):
            optional.append(field.name)
        elif isinstance(field.type, inspect.VarTupleType):
            item = field.type.item_type
            if _shape_of(item) == shape:
                deep.append((field.name, None))
            elif isinstance(item, inspect.StructType) and (inner := _collector(item.cls, shape)):
                deep.append((field.name, inner))
    return _reader(flat, optional, deep)


def _reader(flat: list[str], optional: list[str], deep: list[tuple[str, Collect]]) -> Collect:
    if not (flat or optional or deep):
        return None
    several = attrgetter(*flat) if len(flat) > 1 else None
    if several and not (optional or deep):
        return several

    def read(body: object) -> list[str]:
        texts: list[str] = [getattr(body, name) for name in flat]
        texts += [text for text in (getattr(body, name) for name in optional) if isinstance(text, str)]
        for name, inner in deep:
            items = getattr(body, name)
            texts += chain.from_iterable(map(inner, items)) if inner else items
        return texts

    if len(flat) == 1 and not (optional or deep):
        (only,) = flat
        return lambda body: (getattr(body, only),)
    return read


def _may_be_unset(field: inspect.Field) -> bool:
    """Of a field whose default is UNSET, the description says that it has none."""
    return not field.required and field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT


def _shape_of(found: inspect.Type) -> str | None:
    return (found.extra or {}).get("shape") if isinstance(found, inspect.Metadata) else None

"""Names in JSON: each stands once in its set of fields, or one reader takes the first of two and another the last."""

import json
from typing import Any

import msgspec

from gongfen.errors import MalformedFactError

_encode = msgspec.json.Encoder().encode
_ESCAPED = b"\\u003"
"""So begins the one way to write a colon that is not counted."""


class _TwiceError(ValueError):
    """A name that stands twice."""


def check_names(data: bytes, found: object, place: str) -> None:
    """Raise MalformedFactError about ``place`` if the JSON ``data``, read as ``found``, gives a field twice."""
    if not _all_kept(data, found):
        _check_slowly(data, place)


def _all_kept(data: bytes, found: object) -> bool:
    """Whether every name in ``data`` is in ``found``, as far as that can be told quickly: by counting colons.

    One stands behind each name, and texts may hold some. Those of a name that another took the place of are missing.
    """
    try:
        if b"\\" in data and _ESCAPED in data:
            return False
        return data.count(b":") == _encode(found).count(b":")
    except (UnicodeEncodeError, OverflowError, RecursionError):
        return False


def _check_slowly(data: bytes, place: str) -> None:
    try:
        json.loads(data.decode(), object_pairs_hook=_check_pairs, parse_int=len, parse_float=len)
    except _TwiceError as error:
        raise MalformedFactError(place, f"gives {str(error)[:60]!r} twice", "give each field once") from None
    except (ValueError, RecursionError):
        reason = "cannot be searched for fields that stand twice: it is nested too deeply, or no JSON"
        raise MalformedFactError(place, reason, "write it plainly") from None


def _check_pairs(pairs: list[tuple[str, Any]]) -> None:
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            raise _TwiceError(name)
        seen.add(name)

"""One fact: who says what happened, when; and the canonical bytes that are hashed, signed and kept (RFC 8785)."""

import re
from datetime import date, datetime
from typing import Any

import msgspec
import rfc8785

from gongfen.errors import MalformedFactError, UnknownKindError
from gongfen.facts.amounts import PPM
from gongfen.facts.kinds import (
    KINDS,
    Body,
    Dataset,
    Enrol,
    Id,
    Influence,
    Labour,
    Make,
    Payment,
    Sale,
    Settlement,
    Standard,
    Work,
)

VERSION = 1
DEEPEST = 32
"""Nesting of a fact of an unknown kind; brackets within its texts count too."""
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)

_encoder = msgspec.json.Encoder(order="sorted")


class Unknown(msgspec.Struct, frozen=True):
    """The body of a kind that this version does not know: kept, proved and exported, never dropped, never booked."""

    kind: str
    raw: bytes


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable record of something that happened."""

    id: str
    """Chosen by the caller, so that a retry is harmless."""
    at: str
    """When it was said: UTC with microseconds, ``2026-11-22T04:17:24.000000Z``."""
    by: str
    """Who says so."""
    body: Body | Unknown
    sample: bool = False
    """Sample data, not a claim about the world: marked wherever it shows."""

    @property
    def kind(self) -> str:
        """The kind's name in the log."""
        return self.body.kind


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int
    id: Id
    at: str
    by: Id
    kind: Id
    body: msgspec.Raw
    sample: bool


_envelopes = msgspec.json.Decoder(_Envelope)
_bodies = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


def encode(fact: Fact) -> bytes:
    """Canonical bytes of a fact. The same fact always gives the same bytes, on any machine.

    The keys of our structures are ASCII and the numbers are integers below 2⁵³, for which a sorted compact JSON *is*
    RFC 8785; the tests hold it against an independent implementation.
    """
    raw = fact.body.raw if isinstance(fact.body, Unknown) else _encoder.encode(fact.body)
    envelope = _Envelope(
        v=VERSION,
        id=fact.id,
        at=fact.at,
        by=fact.by,
        kind=fact.kind,
        body=msgspec.Raw(raw),
        sample=fact.sample,
    )
    return _encoder.encode(envelope)


def decode(data: bytes) -> Fact:
    """The fact in its bytes. Raises MalformedFactError; an unknown kind is kept as :class:`Unknown`."""
    try:
        envelope = _envelopes.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed("fact", error) from None
    if envelope.v != VERSION:
        raise MalformedFactError(f"fact {envelope.id}", f"has version {envelope.v}", "use a newer gongfen")
    decoder = _bodies.get(envelope.kind)
    body: Body | Unknown
    if decoder is None:
        body = Unknown(envelope.kind, bytes(envelope.body))
    else:
        try:
            body = decoder.decode(envelope.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _malformed(f"{envelope.kind} {envelope.id}", error) from None
    return Fact(id=envelope.id, at=envelope.at, by=envelope.by, body=body, sample=envelope.sample)


def checked(fact: Fact) -> bytes:
    """Canonical bytes of a fact that keeps the rules of its kind; raises MalformedFactError where it does not.

    Reading the bytes back is the check: it finds floats and wrong types that Python lets through.
    """
    try:
        data = encode(fact)
    except (TypeError, UnicodeEncodeError, OverflowError) as error:
        raise _malformed(f"{fact.kind} {fact.id}", error) from None
    found = decode(data)
    thing = f"{fact.kind} {fact.id}"
    if not _is_instant(fact.at):
        raise MalformedFactError(thing, f"is said at {fact.at!r}", "write UTC: 2026-11-22T04:17:24.000000Z")
    if isinstance(found.body, Unknown):
        if not _is_canonical(data):
            raise MalformedFactError(thing, "is not in canonical form", "write it as RFC 8785 JSON, in whole numbers")
    else:
        for reason, remedy in _broken_rules(found.body):
            raise MalformedFactError(thing, reason, remedy)
    return data


def _is_canonical(data: bytes) -> bool:
    """Whether bytes are RFC 8785, and not nested so deeply that another reader might refuse them."""
    depth = deepest = 0
    for byte in data:
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        return False
    try:
        found = msgspec.json.decode(data)
        return not _holds_float(found) and data == rfc8785.dumps(found)
    except (rfc8785.CanonicalizationError, ValueError):
        return False


def _holds_float(found: object) -> bool:
    if isinstance(found, dict):
        return any(map(_holds_float, found.values()))
    return any(map(_holds_float, found)) if isinstance(found, list) else isinstance(found, float)


def body_of(kind: str, fields: dict[str, Any]) -> Body:
    """A body from plain values, as they come from JSON or a command line. Raises MalformedFactError."""
    known = KINDS.get(kind)
    if known is None:
        known_kinds = ", ".join(sorted(KINDS))
        raise UnknownKindError(
            f"kind {kind!r}", "is not a fact kind that can be recorded", f"use one of: {known_kinds}"
        )
    try:
        return msgspec.convert(fields, known)
    except msgspec.ValidationError as error:
        raise _malformed(kind, error) from None


def _broken_rules(body: Body) -> list[tuple[str, str]]:
    """Rules of a kind that its field types cannot say: (reason, remedy) pairs."""
    match body:
        case Work(makers=makers) if makers and sum(part.ppm for part in makers) != PPM:
            total = sum(part.ppm for part in makers)
            return [(f"has makers' shares that add to {total} ppm", "make them add to 1,000,000 ppm")]
        case Work(makers=makers) if len({part.maker for part in makers}) != len(makers):
            return [("names a maker twice", "give each maker one share")]
        case Labour(labour_us=None, quality=quality) if quality != "unmeasured":
            return [(f"has no time but calls it {quality}", "give labour_us, or quality=unmeasured")]
        case Labour(labour_us=int(), quality="unmeasured"):
            return [("gives a time but calls it unmeasured", "leave labour_us out, or say how it was measured")]
        case Labour(day=day) | Sale(day=day) | Payment(day=day) if not _is_day(day):
            return [(f"names the day {day}, which no calendar has", "write the day as YYYY-MM-DD")]
        case Enrol(maker=maker) if ":" in maker:
            return [("holds a colon in its maker's name, which the names of accounts need", "use a name without")]
        case Labour(day=day, days=days) if date.fromisoformat(day).toordinal() + days > date.max.toordinal():
            return [("lasts beyond the year 9999", "check the day and the number of days")]
        case Influence(effects=effects):
            return _twice([effect.work for effect in effects])
        case Dataset(works=works) if not works or len(set(works)) != len(works):
            return [("names no work, or one twice", "name each work once")]
        case Make(inputs=inputs, outputs=outputs):
            return _broken_making([use.work for use in inputs], list(outputs))
        case Standard(reductions=reductions):
            low = [r.skill for r in reductions if r.num < r.den]
            if low:
                return [(f"reduces {', '.join(low)} below simple labour", "give num/den of at least 1")]
            return _twice([r.skill for r in reductions]) + _twice([m.device for m in body.machines])
        case Settlement(lines=lines):
            return _twice([line.maker for line in lines])
    return []


def _broken_making(inputs: list[str], outputs: list[str]) -> list[tuple[str, str]]:
    if not outputs:
        return [("makes nothing", "name its outputs")]
    both = set(inputs) & set(outputs)
    if both:
        return [(f"makes {min(both)} out of itself", "give the new version its own name")]
    return _twice(inputs) + _twice(outputs)


def _twice(names: list[str]) -> list[tuple[str, str]]:
    again = {name for name in names if names.count(name) > 1} if len(set(names)) != len(names) else set()
    return [(f"names {min(again)} twice", "name each once")] if again else []


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return AT.fullmatch(text) is not None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _malformed(thing: str, error: Exception) -> MalformedFactError:
    text = str(error)
    if "got `float`" in text:
        return MalformedFactError(thing, f"holds a float: {text}", "count in whole units (labour_us, price_micro)")
    if isinstance(error, RecursionError):
        text = "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        text = "it is not in UTF-8"
    if isinstance(error, UnicodeEncodeError):
        text = "it holds half a surrogate pair, which is not text"
    return MalformedFactError(thing, f"does not fit its kind: {text}", "see docs/reference/facts.md")

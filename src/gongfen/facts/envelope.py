"""One fact: who says what happened, when; and the canonical bytes that are hashed, signed and kept (RFC 8785)."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from hashlib import sha256
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import msgspec
import rfc8785
from msgspec.structs import fields as get_fields

from gongfen.errors import MalformedFactError, UnknownKindError
from gongfen.facts.amounts import MOST
from gongfen.facts.calling import called
from gongfen.facts.kinds import KINDS, Body, Currency, Day, Id, Sha256
from gongfen.facts.rules import broken_rules
from gongfen.facts.shapes import all_in_shape, is_day, misleading, misshapen, wrong_names

PLAIN, EXTENDED = 1, 2
"""Versions of the envelope. Only a fact that is signed, or kept by hash, needs the second; all others keep the bytes
that they always had."""
MOST_ENTRY_BYTES = (1 << 16) - 1
"""A longer fact is logged by its body's hash: what a log of tiles can hold (c2sp.org/tlog-tiles, "Log entries")."""
MOST_FACT_BYTES = 1 << 24
"""A longer fact is refused: a reader must be able to hold it."""
DEEPEST = 32
"""Nesting of a fact of an unknown kind; brackets within its texts count too."""
AT = re.compile(r"(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)

_encoder = msgspec.json.Encoder(order="sorted")


class Unknown(msgspec.Struct, frozen=True):
    """The body of a kind that this version does not know: kept, proved and exported, never dropped, never booked."""

    kind: str
    raw: bytes


class Elsewhere(msgspec.Struct, frozen=True):
    """A body that the log holds by hash, and that is not at hand: proved, but nobody can say what it says."""

    kind: str
    sha256: str
    size_bytes: int


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A maker's own signature on a fact, by one of the keys that the book knows."""

    key: Id
    """The key's name, as its ``key`` fact gives it."""
    ed25519: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{86}==\Z")]
    """64 bytes in base64, over :func:`statement`."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One immutable record of something that happened."""

    id: str
    """Chosen by the caller, so that a retry is harmless."""
    at: str
    """When it was said: UTC with microseconds, ``2026-11-22T04:17:24.000000Z``."""
    by: str
    """Who says so."""
    body: Body | Unknown | Elsewhere
    sample: bool = False
    """Sample data, not a claim about the world: marked wherever it shows."""
    signed: Signature | None = None
    """The signature of a maker who holds a key."""

    @property
    def kind(self) -> str:
        """The kind's name in the log."""
        return self.body.kind


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    v: int
    id: Id
    at: str
    by: Id
    kind: Id
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    body_bytes: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | msgspec.UnsetType = msgspec.UNSET
    body_sha256: Sha256 | msgspec.UnsetType = msgspec.UNSET
    sample: bool
    signed: Signature | msgspec.UnsetType = msgspec.UNSET


class _Plain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A plain fact of a known kind, read and written in one go, as all but a few are; a structure a kind."""

    at: str
    body: Any
    by: Id
    id: Id
    sample: bool
    v: Literal[1] = 1


_STRUCTURES: dict[type, type[_Plain]] = {
    kind: cast(
        "type[_Plain]",
        msgspec.defstruct(f"_{kind.__name__}", [("body", kind)], bases=(_Plain,), tag_field="kind", tag=name),
    )
    for name, kind in KINDS.items()
}

Fetch = Callable[[str], bytes | None]
"""``fetch(sha256)`` → a body that the log holds by hash, or ``None`` when it is not at hand."""

_plain: msgspec.json.Decoder[_Plain] = msgspec.json.Decoder(Union[tuple(_STRUCTURES.values())])  # noqa: UP007 - made here
_envelopes = msgspec.json.Decoder(_Envelope)
_bodies = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


def statement(fact: Fact) -> bytes:
    """What a fact says, in canonical bytes: without a signature, and with its whole body. This is what is signed.

    The same fact always gives the same bytes, on any machine. The keys of our structures are ASCII and the numbers are
    integers below 2⁵³, for which a sorted compact JSON *is* RFC 8785; the tests hold it against an independent
    implementation.
    """
    body = fact.body
    assert not isinstance(body, Elsewhere), "a body that is not at hand cannot be stated"
    if type(body) in _STRUCTURES:
        return _encoder.encode(_structure(fact))
    raw = msgspec.Raw(_body_bytes(fact))
    plain = _Envelope(v=PLAIN, id=fact.id, at=fact.at, by=fact.by, kind=fact.kind, body=raw, sample=fact.sample)
    return _encoder.encode(plain)


def _structure(fact: Fact) -> _Plain:
    return _STRUCTURES[type(fact.body)](at=fact.at, body=fact.body, by=fact.by, id=fact.id, sample=fact.sample)


def encode(fact: Fact) -> bytes:
    """Canonical bytes of a fact with its whole body, if it is at hand: what goes in and out of a book as a line."""
    if isinstance(fact.body, Elsewhere):
        return _extended(fact, None)
    return statement(fact) if fact.signed is None else _extended(fact, msgspec.Raw(_body_bytes(fact)))


def entry(fact: Fact) -> tuple[bytes, bytes | None]:
    """What the log holds of a fact, and its body's bytes if the log holds those by hash only (above 64 KiB)."""
    data = encode(fact)
    if len(data) <= MOST_ENTRY_BYTES or isinstance(fact.body, Elsewhere):
        return data, None
    return _extended(fact, None), _body_bytes(fact)


def _extended(fact: Fact, raw: msgspec.Raw | None) -> bytes:
    size: int | msgspec.UnsetType = msgspec.UNSET
    digest: str | msgspec.UnsetType = msgspec.UNSET
    if isinstance(fact.body, Elsewhere):
        size, digest = fact.body.size_bytes, fact.body.sha256
    elif raw is None:
        data = _body_bytes(fact)
        size, digest = len(data), sha256(data).hexdigest()
    return _encoder.encode(
        _Envelope(
            v=EXTENDED,
            id=fact.id,
            at=fact.at,
            by=fact.by,
            kind=fact.kind,
            body=raw if raw is not None else msgspec.UNSET,
            body_bytes=size,
            body_sha256=digest,
            sample=fact.sample,
            signed=fact.signed or msgspec.UNSET,
        )
    )


def _body_bytes(fact: Fact) -> bytes:
    assert not isinstance(fact.body, Elsewhere), "a body that is not at hand has no bytes"
    return fact.body.raw if isinstance(fact.body, Unknown) else _encoder.encode(fact.body)


def decode(data: bytes, fetch: Fetch | None = None) -> Fact:
    """The fact in its bytes. Raises MalformedFactError; an unknown kind is kept as :class:`Unknown`.

    ``fetch`` finds the bodies that the log holds by hash; what it does not find comes back as :class:`Elsewhere`.
    """
    found = _quickly(data)
    return _slowly(data, fetch) if found is None else _fact(found)


def _quickly(data: bytes) -> _Plain | None:
    """What is in the bytes of a plain fact of a known kind; ``None``: it is another, or wrong, which takes longer."""
    try:
        found = _plain.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if misshapen(found.body, (found.id, found.by)) else found


def _fact(found: _Plain) -> Fact:
    return Fact(id=found.id, at=found.at, by=found.by, body=found.body, sample=found.sample)


def _slowly(data: bytes, fetch: Fetch | None) -> Fact:
    try:
        envelope = _envelopes.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed("fact", error) from None
    for reason, remedy in wrong_names((envelope.id, envelope.by, envelope.kind)):
        raise MalformedFactError("fact", reason, remedy)
    if envelope.v != PLAIN:
        _check_version(envelope)
    elif envelope.body is msgspec.UNSET or envelope.signed is not msgspec.UNSET:
        raise MalformedFactError(f"fact {envelope.id}", "is signed or has no body, but says version 1", "write v: 2")
    raw: bytes | msgspec.Raw | None
    raw = envelope.body if envelope.body is not msgspec.UNSET else _fetched(envelope, fetch)
    signed = None if envelope.signed is msgspec.UNSET else envelope.signed
    body = _read_body(envelope, raw)
    return Fact(id=envelope.id, at=envelope.at, by=envelope.by, body=body, sample=envelope.sample, signed=signed)


def _read_body(envelope: _Envelope, raw: bytes | msgspec.Raw | None) -> Body | Unknown | Elsewhere:
    if raw is None:
        assert isinstance(envelope.body_sha256, str), "checked with the version"
        assert isinstance(envelope.body_bytes, int), "checked with the version"
        return Elsewhere(envelope.kind, envelope.body_sha256, envelope.body_bytes)
    if envelope.kind not in _bodies:
        return Unknown(envelope.kind, bytes(raw))
    return _known_body(envelope.kind, envelope.id, raw)


def _known_body(kind: str, fact_id: str, raw: bytes | msgspec.Raw) -> Body:
    try:
        body: Body = _bodies[kind].decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(called(kind, fact_id), error) from None
    for reason, remedy in misshapen(body):
        raise MalformedFactError(called(kind, fact_id, body), reason, remedy)
    return body


def _check_version(envelope: _Envelope) -> None:
    thing = f"fact {envelope.id}"
    if envelope.v != EXTENDED:
        raise MalformedFactError(thing, f"has version {envelope.v}", "use a newer gongfen")
    whole = envelope.body is not msgspec.UNSET
    by_hash = (envelope.body_bytes is not msgspec.UNSET, envelope.body_sha256 is not msgspec.UNSET)
    if by_hash != (not whole, not whole):
        raise MalformedFactError(thing, "needs either a body, or a body's hash and size", "give one of the two")
    if whole and envelope.signed is msgspec.UNSET:
        raise MalformedFactError(thing, "says version 2, but is neither signed nor kept by hash", "write v: 1")


def _fetched(envelope: _Envelope, fetch: Fetch | None) -> bytes | None:
    assert isinstance(envelope.body_sha256, str), "checked with the version"
    found = fetch(envelope.body_sha256) if fetch else None
    if found is not None and (len(found) != envelope.body_bytes or sha256(found).hexdigest() != envelope.body_sha256):
        raise MalformedFactError(f"fact {envelope.id}", "has a body that is not what its hash says", "restore the body")
    return found


def checked(fact: Fact) -> bytes:
    """What the log would hold of a fact, if it keeps the rules of its kind; raises MalformedFactError otherwise."""
    return admitted(fact)[1]


def admitted(fact: Fact) -> tuple[Fact, bytes, bytes | None]:
    """A fact that keeps the rules of its kind, its entry in the log, and its body if the log holds that by hash.

    Reading the bytes back is the check: it finds floats and wrong types that Python lets through, and what is booked
    is what was written, not the object that a caller may have shaped. Raises MalformedFactError.
    """
    try:
        data = encode(fact)
    except (TypeError, UnicodeEncodeError, OverflowError) as error:
        raise _malformed(_called(fact), error) from None
    found = decode(data)
    if len(data) > MOST_FACT_BYTES:
        raise MalformedFactError(_called(fact), f"has {len(data)} bytes, more than 16 MiB", "divide it")
    _check_rules(found)
    for reason, remedy in misleading(found.body, (found.id, found.by)) if isinstance(found.body, Body) else ():
        raise MalformedFactError(_called(fact), reason, remedy)
    if len(data) <= MOST_ENTRY_BYTES:
        return found, data, None
    return found, *entry(found)


def decoded_together(data: Sequence[bytes]) -> list[Fact] | None:
    """What :func:`decode` finds in each; ``None``: they are not all plain facts of known kinds, or one is wrong."""
    found = _all_quickly(data)
    return None if found is None else _facts(found)


def admitted_together(facts: Sequence[Fact]) -> list[tuple[Fact, bytes]] | None:
    """What :func:`admitted` gives for each; ``None``: one of them must be looked at by itself, or breaks a rule."""
    if any([fact.signed is not None for fact in facts]):  # noqa: C419 - a list is quicker
        return None
    try:
        data = [_encoder.encode(_structure(fact)) for fact in facts]
    except (KeyError, TypeError, UnicodeEncodeError, OverflowError):
        return None
    found = _all_quickly(data)
    if found is None or _too_long(data) or _any_breaks_rules(found):
        return None
    plain = all(map(bytes.isascii, data))
    if not plain and any(misleading(one.body, (one.id, one.by)) for one in found):
        return None
    return list(zip(_facts(found), data, strict=True))


def reread_together(data: Sequence[bytes]) -> list[Fact] | None:
    """What :func:`reread` finds in each; ``None``: one of them must be looked at by itself, or is wrong."""
    found = _all_quickly(data)
    if found is None or _too_long(data) or _any_breaks_rules(found):
        return None
    return _facts(found) if list(map(_encoder.encode, found)) == data else None


def _all_quickly(data: Sequence[bytes]) -> list[_Plain] | None:
    try:
        found = list(map(_plain.decode, data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
        return None
    names = [one.id for one in found] + list({one.by for one in found})
    return found if all_in_shape([one.body for one in found], names) else None


def _facts(found: Sequence[_Plain]) -> list[Fact]:
    return [Fact(id=one.id, at=one.at, by=one.by, body=one.body, sample=one.sample) for one in found]


def _too_long(data: Sequence[bytes]) -> bool:
    return max(map(len, data), default=0) > MOST_ENTRY_BYTES


def _any_breaks_rules(found: Sequence[_Plain]) -> bool:
    return not all(map(_is_instant, {one.at for one in found})) or any(map(broken_rules, [one.body for one in found]))


def reread(data: bytes, fetch: Fetch | None = None) -> Fact:
    """The fact in an entry of a log, which must hold the very bytes that this fact gives. Raises MalformedFactError."""
    found = _quickly(data) if len(data) <= MOST_ENTRY_BYTES else None
    if found is None:
        fact = _slowly(data, fetch)
        due = entry(fact)[0]
    else:
        fact, due = _fact(found), _encoder.encode(found)
    _check_rules(fact)
    if due != data:
        raise MalformedFactError(_called(fact), "is not in canonical form", "write it as RFC 8785 JSON")
    return fact


def _check_rules(fact: Fact) -> None:
    """Raise MalformedFactError where a fact breaks a rule of its kind."""
    if not _is_instant(fact.at):
        thing = _called(fact)
        raise MalformedFactError(thing, f"is said at {fact.at!r}", "write UTC: 2026-11-22T04:17:24.000000Z")
    if isinstance(fact.body, Body):
        for reason, remedy in broken_rules(fact.body):
            raise MalformedFactError(_called(fact), reason, remedy)
    elif isinstance(fact.body, Unknown) and not _is_canonical(fact.body.raw):
        thing = _called(fact)
        raise MalformedFactError(thing, "is not in canonical form", "write it as RFC 8785 JSON, in whole numbers")


def _called(fact: Fact) -> str:
    return called(fact.kind, fact.id, fact.body)


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
        near = get_close_matches(kind[:60].lower(), KINDS, 1)
        remedy = f"write {near[0]}, or one of: {known_kinds}" if near else f"use one of: {known_kinds}"
        raise UnknownKindError(f"kind {kind[:60]!r}", "is not a fact kind that can be recorded", remedy)
    try:
        return msgspec.convert(fields, known)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise _malformed(kind, error) from None


def _is_instant(text: str) -> bool:
    found = AT.fullmatch(text)
    return found is not None and is_day(found[1])


_TYPES = {
    "int": "a whole number", "str": "a text", "bool": "true or false", "array": "a list", "object": "a set of fields",
    "null": "none", "float": "a number with a point",
}  # fmt: skip
_SAYINGS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"Object missing required field `(.*)`", lambda found: f"lacks the field {found[1]}"),
    (r"Object contains unknown field `(.*)`", lambda found: f"has no field {found[1]}"),
    (r"Expected `(.*)`, got `(.*)`", lambda found: f"must be {_type(found[1])}, and is {_type(found[2])}"),
    (r"Expected `str` of length (\S+) (.*)", lambda found: f"must have {_many(found, 'character')}"),
    (r"Expected `\w+` of length (\S+) (.*)", lambda found: f"must have {_many(found, 'item')}"),
    (r"Expected `\w+` (>=|<=|>|<) (.*)", lambda found: f"must be {_bound(found)}"),
    (r"Expected `str` matching regex .*", lambda _: "is not of the form that is asked"),
    (r"Invalid (?:enum )?value (.*)", lambda found: f"cannot be {found[1]}"),
)
"""What msgspec says of a value → what we say of a field."""


def in_words(error: Exception) -> str:
    """What a decoder found wrong, with the field first: ``labour_us must be a whole number, and is a text``."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text, _, at = str(error).partition(" - at `")
    for saying, words in _SAYINGS:
        if (found := re.fullmatch(saying, text, re.DOTALL)) is not None:
            place = at.removesuffix("`").removeprefix("key in ").removeprefix("$").removeprefix(".")
            return f"{place or 'it'} {words(found)}"[:_LONGEST_SAID]
    return str(error)[:_LONGEST_SAID]


_LONGEST_SAID = 400


def _type(said: str) -> str:
    return " or ".join(_TYPES.get(one, one) for one in said.split(" | "))


def _bound(found: re.Match[str]) -> str:
    form = {">=": "at least {}", "<=": "at most {}", ">": "more than {}", "<": "less than {}"}.get(found[1], "{}")
    return form.format(found[2])


def _many(found: re.Match[str], what: str) -> str:
    return f"{_bound(found)} {what}" if found[2] == "1" else f"{_bound(found)} {what}s"


def _malformed(thing: str, error: Exception) -> MalformedFactError:
    text = in_words(error)
    if "got `float`" in str(error):
        return MalformedFactError(thing, f"holds a float: {text}", "count in whole units (labour_us, price_micro)")
    if isinstance(error, UnicodeDecodeError):
        text = "it is not in UTF-8"
    if isinstance(error, UnicodeEncodeError):
        text = "it holds half a surrogate pair, which is not text"
    kind = thing.partition(" ")[0]
    if kind == "plan" and text.startswith("uses must be at least"):
        return MalformedFactError(thing, f"does not fit its kind: {text}", "plan at least one use")
    remedy = f"see its fields: gongfen record {kind} --help" if kind in KINDS else "write it as gongfen log --json does"
    if kind in KINDS and (how := _how_written(kind, text)):
        remedy = f"{how}; {remedy}"
    return MalformedFactError(thing, f"does not fit its kind: {text}", remedy)


_WRITTEN = {
    "_us": "write a time, say 40s, 90m, 1.5h or 1h30m; in JSON, microseconds",
    "_micro": "write an amount, say 12.50; in JSON, millionths",
    "_ppm": "write parts per million: 50% is 500000",
}
"""The end of a field's name → how its value is written."""


def _how_written(kind: str, said: str) -> str | None:
    """How the field of which ``said`` complains is written, where its name or its type tells."""
    name = said.partition(" ")[0]
    field = next((one for one in get_fields(KINDS[kind]) if one.name == name), None)
    if field is None:
        return None
    if get_origin(field.type) is Literal:
        return f"write one of {', '.join(map(str, get_args(field.type)))}"
    shapes = ((Day, "write the day as YYYY-MM-DD"), (Currency, "write three capital letters, say EUR"))
    ends = (how for end, how in _WRITTEN.items() if name.endswith(end))
    return next((how for shape, how in shapes if field.type == shape), None) or next(ends, None)

"""Makers' own keys: made, handed over, replaced, revoked; facts signed with them; and signatures that are in doubt."""

import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from gongfen.accounts.keys import keys_of
from gongfen.accounts.state import HeldKey
from gongfen.book.clock import new_id, now
from gongfen.book.files import write_secret
from gongfen.book.recording.record import Record
from gongfen.errors import BookPlaceError, MakerKeyError, UnknownMakerError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.curve import KEY_BYTES
from gongfen.facts.kinds import Standard
from gongfen.facts.references import references
from gongfen.facts.signing import MakerKey, key_name
from gongfen.reports.replies import Flagged, Owed, Who
from gongfen.trace.lineage import lineage


def draw_key(origin: str, maker: str, key: str | None = None) -> MakerKey:
    """A new key of a maker for the book ``origin``, drawn by chance; the book knows nothing of it yet."""
    seed = secrets.token_bytes(KEY_BYTES)
    return MakerKey(origin, maker, key or key_name(maker, seed), seed)


def key_fact(key: MakerKey, replaces: str | None = None, sign_with: MakerKey | None = None) -> Fact:
    """The fact that makes a new key known, for the book's owner to record; signed, if the maker has a key already."""
    return signed_fact(sign_with, key.introduce(replaces)) if sign_with else _said_by(key, key.introduce(replaces))


def signed_fact(
    key: MakerKey, body: Body, fact_id: str | None = None, at: str | None = None, *, sample: bool = False
) -> Fact:
    """A fact said and signed by a maker, without a book at hand: now, unless ``at`` says when."""
    return key.sign(_said_by(key, body, fact_id, at, sample=sample))


def _said_by(
    key: MakerKey, body: Body, fact_id: str | None = None, at: str | None = None, *, sample: bool = False
) -> Fact:
    if isinstance(body, Standard) and at is None:
        body = body.said_anew()
    return Fact(id=fact_id or new_id(), at=at or now(), by=key.maker, body=body, sample=sample)


def sign_for(
    record: Record,
    key: MakerKey,
    body: Body,
    fact_id: str | None = None,
    at: str | None = None,
    *,
    sample: bool = False,
) -> Fact:
    """A fact signed for this book. Raises MakerKeyError when the key is for another.

    The signature covers the moment: a retry under the same id is said at the moment of the first, and so is the same.
    """
    if key.origin != record.origin:
        reason = f"is a key for the book {key.origin}, and this one is {record.origin}"
        raise MakerKeyError(f"key {key.key}", reason, "make a key for this book: gongfen key new")
    there = record.find(fact_id) if fact_id and at is None else None
    return signed_fact(key, body, fact_id, record.fact(there).at if there is not None else at, sample=sample)


def bring_key(record: Record, key: MakerKey, replaces: str | None = None, sign_with: MakerKey | None = None) -> int:
    """Record a new key; its fact's number. Raises MakerKeyError, UnknownMakerError, ProofError."""
    body = key.introduce(replaces)
    (seq,) = record.record([sign_for(record, sign_with, body) if sign_with else record.new(body)])
    return seq


def revoke(record: Record, key: str, reason: str, sign_with: MakerKey | None = None) -> int:
    """Record that a key is not to be trusted from now on; the fact's number. Raises MakerKeyError."""
    body = k.Revocation(key=key, reason=reason)
    (seq,) = record.record([sign_for(record, sign_with, body) if sign_with else record.new(body)])
    return seq


def known_keys(record: Record, maker: str | None = None) -> tuple[HeldKey, ...]:
    """The keys of a maker, or of all, valid and ended. Raises UnknownMakerError."""
    if maker is not None and record.state.makers.get(maker) is None:
        raise UnknownMakerError(maker, "is not enrolled", f"record: gongfen record enrol maker={maker}")
    return tuple(keys_of(record.state, maker))


def flagged(record: Record) -> tuple[Flagged, ...]:
    """The facts that were signed by a key which had ended, in their order."""
    rows: list[Flagged] = []
    for number, flag in record.state.flags.prefixed(""):
        fact = record.fact(int(number))
        rows.append(
            Flagged(
                seq=int(number),
                fact=fact.id,
                kind=fact.kind,
                maker=fact.by,
                key=flag.key,
                ended=flag.ended,
                why=flag.why,
                about=tuple(references(fact)),
            )
        )
    return tuple(rows)


def marked_who(record: Record, answer: Who) -> Who:
    """The answer, with the flagged facts about the output and what stands behind it."""
    doubtful = flagged(record)
    if not doubtful:
        return answer
    behind = {step.work for step in lineage(answer.output, record.origin_of)}
    return msgspec.structs.replace(answer, flagged=_about(doubtful, behind))


def marked_owed(record: Record, rows: tuple[Owed, ...]) -> tuple[Owed, ...]:
    """The answers, each with the flagged facts that its maker signed, or that are about them."""
    doubtful = flagged(record)
    if not doubtful:
        return rows
    return tuple(msgspec.structs.replace(row, flagged=_about(doubtful, {row.maker})) for row in rows)


def _about(doubtful: Iterable[Flagged], names: set[str]) -> tuple[int, ...]:
    return tuple(one.seq for one in doubtful if names.intersection((*one.about, one.maker)))


def write_key_file(path: Path, key: MakerKey) -> None:
    """Write a key with its secret, readable by its owner alone. Raises BookPlaceError when a file is there already."""
    write_secret(path, key.write(), "keep it; write the new key elsewhere: --out FILE")


def read_key_file(path: Path) -> MakerKey:
    """The key in a file. Raises BookPlaceError when it cannot be read, MakerKeyError when it is no key."""
    try:
        return MakerKey.read(path.read_bytes(), str(path))
    except OSError as error:
        raise BookPlaceError(str(path), f"cannot be read: {error.strerror}", "name the maker's key file") from None

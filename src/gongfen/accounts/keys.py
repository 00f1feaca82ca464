"""Makers' own keys: which are known, since when, until when; and which facts were signed by a key that had ended.

A maker's first key is taken on the book's word. From then on the maker's keys speak for themselves: a further key needs
the signature of one that is valid, so that nobody who keeps the book can sign for a maker unseen. A maker who has lost
every key is given a new first one, after the lost ones were revoked in the log for all to see.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from gongfen.accounts.state import Flag, HeldKey, State
from gongfen.errors import GongfenError, MakerKeyError, ProofError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.calling import called
from gongfen.facts.signing import check_possession, check_signature, public_bytes

KeyCheck = Callable[[State, Fact], GongfenError | None]
_ABOUT_KEYS = frozenset((k.Key, k.Revocation))
SIGN_WITH_VALID = "sign it with a key that is valid: gongfen key list"


def concerns_keys(fact: Fact) -> bool:
    """Whether a fact is signed, or about keys: most are neither, and pay nothing for those that are."""
    return fact.signed is not None or type(fact.body) in _ABOUT_KEYS


def check_keys(state: State, fact: Fact) -> None:
    """Raise the first rule about keys that a fact breaks, as a :class:`gongfen.errors.GongfenError`."""
    for check in KEY_CHECKS:
        if (problem := check(state, fact)) is not None:
            raise problem


def signatures_hold(state: State, fact: Fact) -> GongfenError | None:
    """A signed fact names a key of this book, is said by that key's maker, and its signature holds for this book."""
    if fact.signed is None:
        return None
    thing, held = called(fact.kind, fact.id, fact.body), state.keys.get(fact.signed.key)
    if held is None:
        reason = f"is signed by {fact.signed.key}, which is no key of this book"
        return MakerKeyError(thing, reason, "record the key first: gongfen key new")
    if fact.by != held.maker:
        reason = f"is said by {fact.by}, but signed by {fact.signed.key}, a key of {held.maker}"
        return MakerKeyError(thing, reason, "who signs, says it: sign with a key of your own")
    if not check_signature(fact, public_bytes(held.public), state.origin):
        reason = f"carries a false signature of {fact.signed.key}"
        return ProofError(thing, reason, f"sign it again, as it is, for the book {state.origin}")
    return None


def signers_speak_for_themselves(state: State, fact: Fact) -> GongfenError | None:
    """What is said of one maker is not signed by another; a work is signed by one of its makers."""
    if fact.signed is None:
        return None
    makers = _makers_named(state, fact)
    if makers and fact.by not in makers:
        reason = f"speaks of {', '.join(makers)}, but is signed by {fact.by}"
        thing = called(fact.kind, fact.id, fact.body)
        return MakerKeyError(thing, reason, "let them sign it, or record it unsigned")
    return None


def ended_keys_decide_nothing(state: State, fact: Fact) -> GongfenError | None:
    """A key that has ended neither adds nor ends a key, and changes no details: whoever stole it could."""
    if fact.signed is None or not isinstance(fact.body, k.Key | k.Revocation | k.Details | k.Forgetting):
        return None
    held = state.keys.get(fact.signed.key)
    if held is not None and held.ended is not None:
        return MakerKeyError(fact.signed.key, f"has ended with fact {held.ended}", SIGN_WITH_VALID)
    return None


def keys_are_held(state: State, fact: Fact) -> GongfenError | None:
    """Whoever brings a key proves that they hold its secret half, for this book, maker and name."""
    if isinstance(fact.body, k.Key) and not check_possession(fact.body, state.origin):
        reason = "comes without proof that its maker holds the secret half"
        return ProofError(f"key {fact.body.key}", reason, f"make it again for the book {state.origin}: gongfen key new")
    return None


def public_halves_are_given_once(state: State, fact: Fact) -> GongfenError | None:
    """One key has one name: a revoked key does not come back under another."""
    if isinstance(fact.body, k.Key) and state.names.get(_public_name(fact.body)) is not None:
        reason = "has the public half of another key of this book"
        return MakerKeyError(f"key {fact.body.key}", reason, "make a new one: gongfen key new")
    return None


def further_keys_are_signed(state: State, fact: Fact) -> GongfenError | None:
    """A maker with a valid key signs for every further one, and for each that takes the place of another."""
    if not isinstance(fact.body, k.Key):
        return None
    body = fact.body
    if body.replaces is not None:
        old = state.keys.get(body.replaces)
        if old is None or old.maker != body.maker:
            reason = f"is no key of {body.maker}"
            return MakerKeyError(f"key {body.replaces}", reason, "see which are: gongfen key list")
        if old.ended is not None:
            reason = f"has ended with fact {old.ended} already"
            return MakerKeyError(f"key {body.replaces}", reason, "leave replaces out")
    if fact.signed is None and any(held.ended is None for held in keys_of(state, body.maker)):
        reason = f"is not signed, but {body.maker} has a valid key"
        return MakerKeyError(f"key {body.key}", reason, "sign it with that key; if it is lost, revoke it first")
    return None


def revoked_keys_are_there(state: State, fact: Fact) -> GongfenError | None:
    """What is revoked is a key of this book, and has not ended yet."""
    if isinstance(fact.body, k.Revocation):
        held = state.keys.get(fact.body.key)
        if held is None:
            return MakerKeyError(f"key {fact.body.key}", "is not in this book", "see which are: gongfen key list")
        if held.ended is not None:
            reason = f"has ended with fact {held.ended} already"
            return MakerKeyError(f"key {fact.body.key}", reason, "nothing is left to do")
    return None


KEY_CHECKS: tuple[KeyCheck, ...] = (
    signatures_hold,
    signers_speak_for_themselves,
    ended_keys_decide_nothing,
    revoked_keys_are_there,
    public_halves_are_given_once,
    further_keys_are_signed,
    keys_are_held,
)


def keep_keys(state: State, fact: Fact, seq: int) -> None:
    """Fold a checked fact in: keys that begin and end with it, and whether its own signature is by an ended key."""
    if fact.signed is not None:
        signer = state.keys.get(fact.signed.key)
        assert signer is not None, "signatures_hold has checked"
        if signer.ended is not None:
            why = signer.why
            assert why is not None, "an ended key says why"
            state.flags.set(f"{seq:016}", Flag(key=fact.signed.key, ended=signer.ended, why=why))
    match fact.body:
        case k.Key(replaces=replaces):
            if replaces is not None:
                _end(state, replaces, seq, "replaced")
            held = HeldKey(key=fact.body.key, maker=fact.body.maker, public=fact.body.public, since=seq)
            state.names.set(_public_name(fact.body), seq)
            _set(state, held)
        case k.Revocation(key=key):
            _end(state, key, seq, "revoked")


def keys_of(state: State, maker: str | None = None) -> Iterator[HeldKey]:
    """The keys of a maker, or of all, valid and ended, ordered by maker and name."""
    rows = state.keys.prefixed("maker|" if maker is None else f"maker|{maker}|")
    return (held for _, held in rows)


def _end(state: State, key: str, seq: int, why: Literal["replaced", "revoked"]) -> None:
    held = state.keys.get(key)
    assert held is not None, "the checks have found it"
    _set(state, msgspec.structs.replace(held, ended=seq, why=why))


def _set(state: State, held: HeldKey) -> None:
    state.keys.set(held.key, held)
    state.keys.set(f"maker|{held.maker}|{held.key}", held)


def _public_name(body: k.Key) -> str:
    return f"public|{body.public}"


def _makers_named(state: State, fact: Fact) -> tuple[str, ...]:
    match fact.body:
        case k.Enrol(maker=maker) | k.Labour(maker=maker) | k.Payment(maker=maker) | k.Key(maker=maker):
            return (maker,)
        case k.Details(maker=maker) | k.Forgetting(maker=maker) | k.Wage(maker=maker):
            return (maker,)
        case k.Opening(money=money):
            return tuple(item.maker for item in money if item.maker is not None)
        case k.Correction(fact=corrected):
            found = state.said(corrected)
            return _makers_named(state, found[1]) if found else ()
        case k.Work(makers=parts):
            return tuple(part.maker for part in parts)
        case k.Revocation(key=key):
            held = state.keys.get(key)
            return (held.maker,) if held else ()
    return ()

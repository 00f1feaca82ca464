"""How a fact is called where an error is about it: by what it names, not by an id that a program has drawn."""

import re

from gongfen.facts.kinds import Body

DRAWN = re.compile(r"(?:\w+:)?(?:line-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})")
"""Ids that nobody has chosen: a UUIDv7, or the hash of a line in a file."""
SUBJECTS = ("maker", "machine", "item", "subject", "key", "output")
LONGEST = 60


def called(kind: str, fact_id: str, body: object = None) -> str:
    """A fact by its kind and its id, or, where nobody has chosen that, by what it is about.

    >>> called("labour", "timer-881"), called("labour", "01a22e53-169a-7701-9a91-cfe4559dc038")
    ('labour timer-881', 'labour')
    """
    if not DRAWN.fullmatch(fact_id):
        return f"{kind} {fact_id}"
    return named(body) if isinstance(body, Body) else kind


def named(body: Body) -> str:
    """A body by the name that it gives, or by whom and what it is about: ``skill writing``, ``labour of ada on song``.

    What it says may be wrong in any way: it is in an error.
    """
    own = _text(body, "maker" if body.kind == "enrol" else body.kind)
    if own and not DRAWN.fullmatch(own):
        return f"{body.kind} {own}"
    subject = next(filter(None, (_text(body, name) for name in SUBJECTS)), "")
    work = _text(body, "work")
    about = f"{subject} on {work}" if subject and work else subject or work
    joint = "to" if body.kind == "payment" else "of"
    return f"{body.kind} {joint} {about}" if about else body.kind


def _text(body: Body, name: str) -> str:
    found = getattr(body, name, None)
    return found[:LONGEST] if isinstance(found, str) else ""

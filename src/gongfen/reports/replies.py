"""What the book answers, as plain data: the verbs fill it in, the terminal, JSON and the pages draw it."""

import msgspec


class Strongest(msgspec.Struct, frozen=True, kw_only=True):
    """One training work and its measured effect on the output."""

    work: str
    makers: tuple[str, ...]
    effect_nnat: int
    share_ppm: int
    """Of the sum of positive effects; 0 for a negative effect, which is stated and counts as none."""
    seq: int


class Quotation(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the output that stands in a work; code points."""

    start: int
    end: int
    work: str
    makers: tuple[str, ...]
    seq: int


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """One maker behind an output."""

    maker: str
    works: int
    """Works of theirs along its lineage."""
    labour_uslh: int
    """Their living labour at rest in it."""
    influence_ppm: int | None
    """Their part of the positive influence; ``None``: not measured."""
    quotes: int


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who made an output: three separate answers, never mixed in one number."""

    output: str
    lineage: tuple[tuple[str, str, str], ...]
    """(work, kind, role), nearest first; training works are counted in ``works``."""
    works: int
    unmeasured: bool
    grade: str | None
    method: str | None
    makers: tuple[Behind, ...]
    searched: str | None
    """The rule by which quotations were looked for; ``None``: nobody has looked."""
    strongest: tuple[Strongest, ...]
    quotes: tuple[Quotation, ...]
    seq: int
    told: bool | None = None
    """Whether the strongest works stand above random ones; ``None``: the measurement does not say."""
    flagged: tuple[int, ...] = ()
    """Facts behind it whose signature is in doubt: numbers."""


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What one maker is owed in one currency, and why. Micro-units."""

    maker: str
    currency: str
    for_labour_micro: int
    for_influence_micro: int
    opening_micro: int = 0
    """What older books owed when this one began."""
    settled_micro: int
    paid_micro: int
    owed_micro: int
    settlements: tuple[str, ...]
    flagged: tuple[int, ...] = ()
    """Facts of this maker whose signature is in doubt: numbers."""


class Flagged(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that was signed by a key which had ended."""

    seq: int
    fact: str
    kind: str
    maker: str
    """Who is said to have signed it."""
    key: str
    ended: int
    """Number of the fact that ended the key."""
    why: str
    """``revoked`` or ``replaced``."""
    about: tuple[str, ...]
    """The works and makers that it is about."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a maker outside the log."""

    maker: str
    details: dict[str, str] | None
    """``None``: there are none, they were forgotten, or they are kept elsewhere."""
    committed: bool
    """Whether the log holds a commitment to details that is in force."""
    forgotten: int | None
    """Number of the fact that forgot them; ``None``: nothing was forgotten, or they were described again since."""

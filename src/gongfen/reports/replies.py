"""What the book answers, as plain data: the verbs fill it in, the terminal, JSON and the pages draw it."""

import msgspec

from gongfen.value import TakenBack

CHECKPOINTS_AGREE, SEEDS_AGREE, WORDS_ALONE = "halves of the checkpoints", "runs with other seeds", "rearranged words"
"""By what the strongest works are told from random ones, as it is recorded: two halves of the checkpoints name the same
works; so do other runs; or its own words in random order move no work as far above the others."""


class Strongest(msgspec.Struct, frozen=True, kw_only=True):
    """One training work and its measured effect on the output."""

    work: str
    makers: tuple[str, ...]
    effect_nnat: int
    share_ppm: int
    """Of the sum of positive effects; 0 for a negative effect, which is stated and counts as none."""
    seq: int
    low_nnat: int | None = None
    """With ``high_nnat``, the interval of the effect; ``None``: unknown."""
    high_nnat: int | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of an output, code points, and the works that moved it most."""

    start: int
    end: int
    text: str
    """Empty when the book does not hold the text."""
    told: bool | None
    strongest: tuple[Strongest, ...]


class Quotation(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the output that stands in a work; code points."""

    start: int
    end: int
    work: str
    makers: tuple[str, ...]
    seq: int


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the output that follows a work closely, and not word for word; code points. It is no quotation."""

    start: int
    end: int
    work: str
    makers: tuple[str, ...]
    similarity_ppm: int | None
    """Words and Han characters that are equal, of those that were aligned; ``None``: not said."""
    seq: int


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """Training works that are one text, or nearly: what is shown of each is a part of what is shown of the text."""

    works: tuple[str, ...]
    effect_nnat: int
    """Of all of them together."""
    share_ppm: int


class Unseen(msgspec.Struct, frozen=True, kw_only=True):
    """What of a model an index does not look at: what a work did there is in no effect."""

    why: str
    """``in no linear layer``, ``too wide``, or ``silent``: nothing flows through it."""
    count: int
    names: tuple[str, ...]
    """The first of them."""


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """How well the way that measured an output ranked honest retrainings of the same model (LDS)."""

    model: str
    method: str
    """Its name in the table of ``gongfen trace evaluate``."""
    value_ppm: int
    """Mean rank correlation; 1,000,000: always right; 0: chance."""
    low_ppm: int | None
    """With ``high_ppm``, its interval; ``None``: not said."""
    high_ppm: int | None
    retrainings: int | None
    """On random halves of the works; ``None``: not said."""
    outputs: int | None
    """On which it was tested; ``None``: not said."""
    above_likeness: str | None
    """Whether it is above plain likeness of texts for certain: ``yes``, ``no``, ``unknown``; ``None``: not said."""
    seq: int
    """The fact that says it."""


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """One maker behind an output."""

    maker: str
    works: int
    """Works of theirs along its lineage."""
    labour_uslh: int
    """Their living labour at rest in it."""
    influence_ppm: int | None
    """Their part of the positive influence; ``None``: not measured."""
    influence_low_ppm: int | None = None
    """With ``influence_high_ppm``, the interval of that part; ``None``: unknown."""
    influence_high_ppm: int | None = None
    quotes: int


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who made an output: three separate answers, never mixed in one number."""

    output: str
    lineage: tuple[tuple[str, str, str], ...]
    """(work, kind, role), nearest first; training works are counted in ``works``."""
    by: tuple[tuple[str, int], ...] = ()
    """(maker, ppm): who the book says made it, where it is a work that people made and not the output of a model."""
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
    utility_nnat: int | None = None
    """The utility whose changes the effects are; ``None``: not recorded."""
    gained_nnat: int | None = None
    """What it gained by tuning the model on the works."""
    residual_nnat: int | None = None
    """The gain, less the sum of all effects."""
    interval: str | None = None
    """What the effects' intervals are, or why they are unknown; ``None``: not said."""
    cut: str | None = None
    """How many works were cut for training, so that only their beginning was measured; ``None``: not said."""
    unseen: tuple[Unseen, ...] = ()
    """What the index that answered does not look at."""
    parts: tuple[Part, ...] = ()
    """Sentences that were measured by themselves, in their order."""
    near_copies: tuple[Followed, ...] = ()
    """What follows a work closely, beside the quotations."""
    twins: tuple[Twins, ...] = ()
    """Training works that are copies of one another, strongest first."""
    told: bool | None = None
    """Whether the strongest works stand above random ones; ``None``: the measurement does not say."""
    told_by: str | None = None
    """By what: see ``SEEDS_AGREE`` and its neighbours; ``None``: the measurement does not say."""
    tested: Tested | None = None
    """How well this way of measuring stood its test on this model; ``None``: nobody has tested it there."""
    sample: tuple[str, ...] = ()
    """Which of these answers rest on sample data: ``lineage``, ``labour``, ``influence``, ``quotations``."""
    flagged: tuple[int, ...] = ()
    """Facts behind it whose signature is in doubt: numbers."""
    taken_back: tuple[TakenBack, ...] = ()
    """Facts about it, or about its prompts, that were corrected."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was refused, in words that can be translated: ``said`` with its ``values``."""

    said: str
    values: dict[str, str] = {}


class TracedPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A period's measured influence as it was recorded, with what it was held against."""

    influence: str
    grade: str
    reasons: tuple[Reason, ...]
    """Why it is not settlement grade."""
    growth_ppm: int
    """Growth of the adjoint's norm over the backward pass."""
    retrainings: int
    spearman_ppm: int | None
    spearman_between_ppm: tuple[int, int] | None = None
    """The interval of that rank correlation, 95 %; ``None``: too few retrainings."""
    slope_ppm: int | None
    """Of the straight line of measured on predicted changes; ``None``: too few to say."""
    intercept_nnat: int | None
    utility_nnat: int
    """Of the period's sales, by the model as it is."""
    residual_nnat: int | None
    """What the utility gained by tuning, less the sum of all effects."""
    told: bool | None
    """Whether the strongest works of one run stand above random ones in the others; ``None``: one run cannot say."""
    seq: int


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

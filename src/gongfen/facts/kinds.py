"""The kinds of fact, one frozen structure each. A new kind starts here and in ``docs/reference/facts.md``.

Fields hold text, whole numbers with their unit in the name, and tuples of these: never a float. ``None`` says
*unknown*, which is not zero. A field that came later is ``UNSET`` where it is not given, and then not written: older
facts keep their bytes. Rules that need the rest of the book (is the work known, has the day enough hours) are in
``accounts.checks``.
"""

from typing import Annotated, ClassVar, Literal, Self

import msgspec
from msgspec import UNSET, UnsetType

from gongfen.facts.amounts import MOST, PPM, US_PER_HOUR
from gongfen.facts.shapes import marked

MOST_NAME = 200
"""Code points of a name."""
Id = Annotated[str, marked("name", min_length=1, max_length=MOST_NAME)]
Text = Annotated[str, msgspec.Meta(max_length=4_000)]
Named = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
Sha256 = Annotated[str, marked("sha256", min_length=64, max_length=64)]
Day = Annotated[str, marked("day", min_length=10, max_length=10)]
Period = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?\Z")]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
Count = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Signed = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
Ppm = Annotated[int, msgspec.Meta(ge=0, le=PPM)]
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{43}=\Z")]
Ed25519 = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{86}==\Z")]

UseUnit = Literal["token", "gflop"]
"""What uses that differ in size are counted in: tokens, or the operations that they take (2·N a token)."""
ReductionRule = Literal["rowthorn", "wage", "hilferding", "uniform", "stated"]

LABOURS = {
    1: "knowledge & prompting",
    2: "data",
    3: "model",
    4: "evaluation",
    5: "operations",
    6: "product",
    7: "compliance",
    8: "business",
}
"""The eight labours (八种劳动)."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One maker's part in a work."""

    maker: Id
    ppm: Ppm


class Use(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A work used in making another, so many times, in a role."""

    work: Id
    role: Named
    uses: Count = 1
    unit: UseUnit | UnsetType = UNSET
    """What they are counted in: what the work's plan counts in. Without it, a use is one use."""


class Effect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one work did to the utility, in nano-nats; positive: the work raised it."""

    work: Id
    effect_nnat: Signed
    low_nnat: Signed | UnsetType = UNSET
    """With ``high_nnat``, the interval of the effect, as the measurement's note ``interval`` defines it."""
    high_nnat: Signed | UnsetType = UNSET


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One prediction beside its measurement, in nano-nats."""

    label: Id
    predicted_nnat: Signed
    measured_nnat: Signed


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named finding in words or digits: diagnostics, sizes, versions."""

    name: Named
    value: Text


class Reduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An hour of this skill counts ``num/den`` hours of simple labour (复杂劳动是倍加的简单劳动)."""

    skill: Id
    num: Count
    den: Count
    rule: ReductionRule | UnsetType = UNSET
    """How it was found; see :mod:`gongfen.value.reductions`."""


class Coefficient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An hour of this device carries so much labour embodied in the machine (λ)."""

    device: Id
    uslh_per_hour: Amount
    origin: Literal["life-cycle", "input-output", "price"] | UnsetType = UNSET
    """Where it is from: hours counted over the machine's life, the sector that builds it, or its price (circular)."""
    evidence: Text | UnsetType = UNSET


class Average(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The social average of a task: ``labour_us`` for ``units`` of it. What takes longer is not socially necessary."""

    task: Named
    labour_us: Count
    units: Count = 1


class Lot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labour that was in a work when the book began, and whose it was by the older books."""

    work: Id
    name: Id
    amount_uslh: Count


class OpeningBalance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money at hand, or owed to a maker, when the book began."""

    account: Literal["cash", "owed"]
    maker: Id | None = None
    amount_micro: Count
    currency: Currency


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one maker gets in a settlement, and why."""

    maker: Id
    labour_micro: Amount
    influence_micro: Amount
    amount_micro: Amount


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What every kind has in common: its name in the log. Nothing in it can point back: no rubbish to look for."""

    kind: ClassVar[str]


class Enrol(Body, frozen=True, kw_only=True):
    """A maker joins: a person, a group of ``people``, or a machine. Personal details stay outside the log."""

    kind: ClassVar[str] = "enrol"
    maker: Id
    form: Literal["person", "group", "machine"] = "person"
    people: Count = 1
    details_sha256: Sha256 | None = None
    """Salted commitment to name and contact, which live outside the log and can be forgotten."""


class Work(Body, frozen=True, kw_only=True):
    """Anything made, named by ``work`` and by its content's hash. No makers: their names are unknown."""

    kind: ClassVar[str] = "work"
    work: Id
    sha256: Sha256
    media: Named = "text/plain"
    size_bytes: Amount
    makers: tuple[Part, ...]
    source: Named
    licence: Named
    role: Literal["data", "prompt", "deployment", "training"] = "data"
    """``training``: of people, a course say, whose labour passes on with the uses that are planned for it."""
    part_of: Id | None = None


class Drop(Body, frozen=True, kw_only=True):
    """An item that was left out of the data, and why."""

    kind: ClassVar[str] = "drop"
    item: Id
    reason: Id
    detail: Text = ""
    like: Id | None = None
    """The work that it repeats."""
    sha256: Sha256 | None = None


class Dataset(Body, frozen=True, kw_only=True):
    """Works gathered for training, in a stated order. Their stock of labour passes into the data set."""

    kind: ClassVar[str] = "dataset"
    dataset: Id
    works: tuple[Id, ...]
    root: Sha256
    """RFC 6962 root over the works' content hashes, in the stated order."""
    licence: Named


class Model(Body, frozen=True, kw_only=True):
    """A model, named by the hash of its weights."""

    kind: ClassVar[str] = "model"
    model: Id
    sha256: Sha256
    format: Named = "safetensors"
    base: Id | None = None
    parameters: Count
    source: Named
    licence: Named


class Output(Body, frozen=True, kw_only=True):
    """What a model and a person made together; ``quantity`` copies when it is a batch of like outputs."""

    kind: ClassVar[str] = "output"
    output: Id
    sha256: Sha256
    media: Named = "text/plain"
    size_bytes: Amount
    quantity: Count = 1


class Labour(Body, frozen=True, kw_only=True):
    """``maker`` worked on ``work``. ``labour_us`` is ``None`` when nobody measured it."""

    kind: ClassVar[str] = "labour"
    maker: Id
    work: Id
    labour_kind: Annotated[int, msgspec.Meta(ge=1, le=8)]
    phase: Literal["training", "inference", "operation"]
    standing: Literal["employed", "crowd", "on-demand", "unpaid"]
    labour_us: Amount | None
    skill: Id = "simple"
    day: Day
    days: Annotated[int, msgspec.Meta(ge=1, le=3_660)] = 1
    """The labour was spent over so many days, beginning on ``day``."""
    quality: Literal["measured", "clipped", "imputed", "unmeasured"] = "measured"
    evidence: Text = ""
    task: Named | UnsetType = UNSET
    """A task of which the standard may know the social average, and ``units`` of it."""
    units: Count | UnsetType = UNSET
    discarded: bool | UnsetType = UNSET
    """What was made is thrown away: labour, but not socially necessary (5820)."""


class Compute(Body, frozen=True, kw_only=True):
    """A machine ran for a work. Machines only transfer: no living labour comes of it."""

    kind: ClassVar[str] = "compute"
    machine: Id
    device: Id
    work: Id
    device_us: Amount
    gflop: Amount | None = None
    tokens: Amount | None = None
    energy_mwh: Amount | None = None
    energy_quality: Literal["measured", "estimated", "unknown"] = "unknown"
    method: Text = ""
    day: Day | UnsetType = UNSET
    """On which the running began; without it, it is of the day on which it is recorded."""


class Purchase(Body, frozen=True, kw_only=True):
    """Something bought for a work; ``embodied_uslh`` is the labour in it, by the stated evidence."""

    kind: ClassVar[str] = "purchase"
    item: Id
    source: Literal["data", "energy", "site"]
    work: Id
    price_micro: Amount
    currency: Currency
    embodied_uslh: Amount | None
    evidence: Named
    day: Day | UnsetType = UNSET
    """On which it was bought; without it, it is of the day on which it is recorded."""


class Make(Body, frozen=True, kw_only=True):
    """Outputs were made from inputs; labour stored in the inputs passes on, use by use (转移)."""

    kind: ClassVar[str] = "make"
    make: Id
    activity: Literal["train", "generate", "assemble", "review", "serve"]
    inputs: tuple[Use, ...]
    outputs: tuple[Id, ...]
    tool: Named
    seed: Amount | None = None
    config_sha256: Sha256 | None = None
    code_sha256: Sha256 | None = None
    record_sha256: Sha256 | None = None
    """Hash of the stored record of the making, from which it can be replayed."""
    notes: tuple[Note, ...] = ()


class Influence(Body, frozen=True, kw_only=True):
    """Measured effects of training works on a target. A measurement with a method and an error, never a certainty."""

    kind: ClassVar[str] = "influence"
    influence: Id
    target: Id
    """An output, or ``period:PERIOD:CURRENCY`` for a period's price-weighted income."""
    model: Id
    grade: Literal["display", "settlement"]
    method: Named
    utility: Text
    seed: Amount
    effects: tuple[Effect, ...]
    notes: tuple[Note, ...] = ()
    utility_nnat: Signed | UnsetType = UNSET
    """The utility with the model as it is."""
    untuned_nnat: Signed | UnsetType = UNSET
    """The utility with the model as it was before it was tuned on the works. What it gained since, less the sum of all
    effects, is the residual: what the effects do not account for."""
    output_start: Amount | UnsetType = UNSET
    """With ``output_end``: it is of this part of the output alone, code points, start included, end excluded. Of a
    part, the strongest effects may be all that is kept."""
    output_end: Amount | UnsetType = UNSET


class Quote(Body, frozen=True, kw_only=True):
    """A stretch of an output stands in a work, or follows it closely: code points, start included, end excluded."""

    kind: ClassVar[str] = "quote"
    output: Id
    output_start: Amount
    output_end: Amount
    work: Id
    work_start: Amount
    work_end: Amount
    exact: bool = True
    """``False``: a near copy, which is no quotation."""
    method: Named
    similarity_ppm: Ppm | UnsetType = UNSET
    """Of a near copy: the words and Han characters that are the same in the same order, of all that were aligned."""


class Evaluation(Body, frozen=True, kw_only=True):
    """A test of a measurement or a model: what was compared, how, with which result."""

    kind: ClassVar[str] = "evaluation"
    subject: Id
    method: Named
    metric: Named
    value_ppm: Signed | None
    """``None``: too few points to say."""
    points: tuple[Point, ...] = ()
    seed: Amount | None = None
    notes: tuple[Note, ...] = ()


class Standard(Body, frozen=True, kw_only=True):
    """The published assumptions that turn labour and machine time into work points, and work points into money."""

    kind: ClassVar[str] = "standard"
    standard: Id
    basis: Named
    reductions: tuple[Reduction, ...]
    machines: tuple[Coefficient, ...]
    melt_micro: Amount
    """μ, the monetary expression of labour time: micro-units of ``currency`` for one SLH."""
    currency: Currency
    averages: tuple[Average, ...] | UnsetType = UNSET
    business: Literal["memo", "counted"] | UnsetType = UNSET
    """Whether business labour (kind 8) enters works; by default it is circulation, and stays in memo."""
    unpaid: Literal["simple", "reduced"] | UnsetType = UNSET
    """How unpaid labour counts: an hour is an hour, or by its skill. What a book records now says ``simple`` where it
    does not say; a standard of an older log that does not say meant ``reduced``, and still does."""

    def said_anew(self) -> Self:
        """The standard as it is meant when it is published now."""
        return msgspec.structs.replace(self, unpaid="simple") if self.unpaid is UNSET else self


class Skill(Body, frozen=True, kw_only=True):
    """What a skill takes to learn and to teach, and what it is paid: from which the reductions are computed."""

    kind: ClassVar[str] = "skill"
    skill: Id
    study_us: Amount
    """T_s, the learner's own time."""
    teach_us: Amount
    """T_t, the teachers' time for one learner."""
    life_us: Count = 68_000 * US_PER_HOUR
    """H, hours of a working life. The default, 1,700 a year for forty years, is an assumption: state your own."""
    wage_micro: Count | None = None
    """For an hour."""
    simple_wage_micro: Count | None = None
    """For an hour of simple labour, in the same currency."""
    evidence: Text = ""


class Rate(Body, frozen=True, kw_only=True):
    """On that day, ``den`` units of ``currency`` were ``num`` units of ``into``."""

    kind: ClassVar[str] = "rate"
    rate: Id
    currency: Currency
    into: Currency
    num: Count
    den: Count
    day: Day
    source: Named


class Plan(Body, frozen=True, kw_only=True):
    """How many uses a stock is planned for, counted from now (N̂). Re-planning is prospective."""

    kind: ClassVar[str] = "plan"
    work: Id
    uses: Count
    unit: UseUnit | UnsetType = UNSET
    """What they are counted in. Without it, a use is one use, whatever its size."""
    reason: Text = ""


class Loss(Body, frozen=True, kw_only=True):
    """Labour at rest in a work is lost: it passes on into nothing. The amount is stated with the method behind it."""

    kind: ClassVar[str] = "loss"
    loss: Id
    work: Id
    reason: Literal["obsolescence", "idle", "decay", "not-necessary"]
    amount_uslh: Count | None
    """``None``: all that remains, as when a model is retired."""
    method: Text = ""
    first_day: Day | UnsetType = UNSET
    """With ``last_day``, the days over which it was lost, both included: a work stands idle once on a day."""
    last_day: Day | UnsetType = UNSET


class Recycle(Body, frozen=True, kw_only=True):
    """Copies of an output become data again: ``(1 − δ)`` of their labour goes into ``work``, δ is lost."""

    kind: ClassVar[str] = "recycle"
    recycle: Id
    output: Id
    copies: Count = 1
    work: Id
    decay_ppm: Ppm
    method: Text = ""


class Correction(Body, frozen=True, kw_only=True):
    """An earlier fact was wrong: what it booked is booked back. What is right is said by a fact of its own."""

    kind: ClassVar[str] = "correction"
    correction: Id
    fact: Id
    """The id of the fact."""
    reason: Named


class Opening(Body, frozen=True, kw_only=True):
    """What was there when this book began, by older books."""

    kind: ClassVar[str] = "opening"
    opening: Id
    lots: tuple[Lot, ...] = ()
    money: tuple[OpeningBalance, ...] = ()
    evidence: Named


class Close(Body, frozen=True, kw_only=True):
    """A period of the labour ledger is closed: nothing is dated in it any more. The balances are those of the log."""

    kind: ClassVar[str] = "close"
    close: Id
    period: Period
    size: Amount
    root: Sha256
    """The log that this was computed from."""
    given_uslh: Amount
    """All labour that the sources gave, so far."""
    outputs_uslh: Amount
    """At rest in outputs."""
    stocks_uslh: Amount
    losses_uslh: Signed


class Policy(Body, frozen=True, kw_only=True):
    """How revenue is shared. Frozen and published before the period that it settles."""

    kind: ClassVar[str] = "policy"
    policy: Id
    statement: Named
    pool_ppm: Ppm
    """The part of the period's sales that is shared."""
    beta_ppm: Ppm
    """β: the part of the pool shared by labour; the rest is shared by influence."""
    utility: Text
    grade: Literal["settlement"] = "settlement"
    """The grade of influence that is paid on. Display grade is for looking at."""
    negative: Literal["clip"] = "clip"
    """Negative influence is stated, and counts as none."""
    coin_micro: Count = 10_000
    """The smallest amount that can be paid: a cent."""
    currency: Currency


class Sale(Body, frozen=True, kw_only=True):
    """An output was sold."""

    kind: ClassVar[str] = "sale"
    sale: Id
    output: Id
    price_micro: Amount
    currency: Currency
    day: Day
    buyer: Text = ""
    copies: Count | UnsetType = UNSET
    """How many copies of an output that is a batch of them; left out: all of it."""


class Settlement(Body, frozen=True, kw_only=True):
    """One period's shares, fixed against one state of the log."""

    kind: ClassVar[str] = "settlement"
    settlement: Id
    period: Period
    policy: Id
    standard: Id
    influence: Id | None
    """The influence fact that was paid on; ``None`` when the whole pool is shared by labour."""
    currency: Currency
    size: Amount
    root: Sha256
    """The log that this was computed from: anyone with it gets the same cents."""
    sales_micro: Amount
    carried_in_micro: Amount
    pool_micro: Amount
    total_micro: Amount
    """What the lines and ``unidentified_micro`` add up to."""
    lines: tuple[Line, ...]
    unidentified_micro: Amount
    carried_out_micro: Amount


class Payment(Body, frozen=True, kw_only=True):
    """Money went to a maker."""

    kind: ClassVar[str] = "payment"
    payment: Id
    maker: Id
    amount_micro: Count
    currency: Currency
    day: Day
    method: Text = ""


class Wage(Body, frozen=True, kw_only=True):
    """A maker was paid a wage: money for labour, whatever was sold."""

    kind: ClassVar[str] = "wage"
    wage: Id
    maker: Id
    amount_micro: Count
    currency: Currency
    day: Day
    method: Text = ""


class Rent(Body, frozen=True, kw_only=True):
    """Money went to whoever owns a model, machines, data or a site, for letting them be used."""

    kind: ClassVar[str] = "rent"
    rent: Id
    owned: Literal["model", "machine", "data", "site"]
    owner: Named
    amount_micro: Count
    currency: Currency
    day: Day


class Label(Body, frozen=True, kw_only=True):
    """An output left the house with its marks, seen and unseen."""

    kind: ClassVar[str] = "label"
    output: Id
    rule: Named
    visible: Named
    hidden: Text
    """The hidden label, as JSON."""
    file: Named
    file_sha256: Sha256


class Key(Body, frozen=True, kw_only=True):
    """A maker holds a key of their own, and signs with it from now on."""

    kind: ClassVar[str] = "key"
    key: Id
    """Its name in this book."""
    maker: Id
    public: PublicKey
    replaces: Id | None = None
    """The key that retires with this fact."""
    possession: Ed25519
    """Signature by the new key itself over its maker, name and public half: the maker holds the secret half."""


class Revocation(Body, frozen=True, kw_only=True):
    """A key is lost, stolen or no longer wanted: what it signs from now on is flagged."""

    kind: ClassVar[str] = "revocation"
    key: Id
    reason: Text


class Details(Body, frozen=True, kw_only=True):
    """A maker's personal details were written anew, outside the log: this commitment takes the place of the last."""

    kind: ClassVar[str] = "details"
    maker: Id
    details_sha256: Sha256
    """Salted commitment to name, contact and payout account."""


class Forgetting(Body, frozen=True, kw_only=True):
    """A maker's personal details and their salt were deleted: nobody can tell any more what was committed to."""

    kind: ClassVar[str] = "forgetting"
    maker: Id
    details_sha256: Sha256
    """The commitment to what was forgotten."""


KINDS: dict[str, type[Body]] = {
    kind.kind: kind
    for kind in (
        Enrol, Work, Drop, Dataset, Model, Output, Labour, Compute, Purchase, Make, Influence, Quote, Evaluation,
        Standard, Plan, Policy, Sale, Settlement, Payment, Label, Key, Revocation, Details, Forgetting, Skill, Rate,
        Loss, Recycle, Correction, Opening, Close, Wage, Rent,
    )
}  # fmt: skip

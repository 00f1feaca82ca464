"""What a report tells, as plain data: the book fills it in, the page and the terminal draw it.

Amounts are integers with their unit in the name. ``None`` means *unknown* and is shown as such, never as zero.
``sample`` marks numbers that come from sample data; they are marked wherever they are shown.
"""

from dataclasses import dataclass

from gongfen.reports.replies import Flagged, Tested, Twins, Unseen
from gongfen.value import Layer, Swings, TakenBack, Worth
from gongfen.value.worth import Skilled


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where one fact stands in the log, and how to check it without us."""

    seq: int
    """Index of the leaf, from 0."""
    fact: str
    """The fact's id."""
    kind: str
    leaf: str
    """RFC 6962 leaf hash, hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Labour that passed from one node of the picture to another, in micro-SLH."""

    source: str
    target: str
    uslh: int
    quality: str
    """``measured``, ``estimated`` or ``imputed``: how the amount is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A bar of the flow: who or what labour comes from, rests in or goes to."""

    node: str
    label: str
    column: int
    """0 sources, 1 data, 2 model, 3 deployment and prompts, 4 outputs, stock and losses: columns are phases in time."""
    kind: str
    """maker, makers, machine, bought, data, model, prompt, output, stock or loss."""
    unmeasured: bool = False
    """Some labour behind it was not measured: the true amount is at least what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One training work behind one output, with the effect that was measured for it."""

    work: str
    makers: tuple[str, ...]
    excerpt: str
    origin: str
    """Where the work came from: a URL or a citation."""
    effect_nnat: int
    """Estimated change of the output's log-likelihood without the work, nano-nats; negative effects are shown too."""
    share_ppm: int
    """Of the sum of the positive effects on this output."""
    proof: Proof
    low_nnat: int | None = None
    """With ``high_nnat``, the interval of the effect; ``None``: unknown."""
    high_nnat: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of an output that was measured by itself, in code points of what the model wrote."""

    start: int
    end: int
    told: bool | None
    """Whether its strongest works stand above random ones; ``None``: the measurement does not say."""
    sources: tuple[Source, ...]
    """The strongest ones that helped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A stretch of the output that stands word for word in a training work (certain, unlike influence)."""

    start: int
    """First code point in the output's text."""
    end: int
    work: str
    makers: tuple[str, ...]
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Near(Quoted):
    """A stretch of the output that follows a training work closely, and not word for word: no quotation."""

    similarity_ppm: int | None
    """Equal words of those that were aligned; ``None``: not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabourPart:
    """One part of an output's value."""

    part: str
    """A labour kind ``1``…``8``, a phase, a standing, a maker, or ``machine``, ``data``: the breakdown's key."""
    uslh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStory:
    """One output: its text, whose work is in it, what it is worth, what it fetched."""

    output: str
    prompt: str
    prompted_by: str
    text: str
    """What the model wrote after the prompt; of an output that no model made, all of it."""
    unread: str = ""
    """Why the book cannot show its text."""
    lineage: tuple[tuple[str, str, str], ...] = ()
    """(work, kind, role) of what it was made with, nearest first, without the training works."""
    origin: str = "generated"
    """``generated``: a model wrote it; ``made``: it was made without one; empty: nobody recorded how it was made."""
    visible_label: str
    sources: tuple[Source, ...]
    """Strongest first."""
    works_measured: int
    """How many training works were measured for it; ``sources`` shows the strongest of them."""
    sentences: tuple[Sentence, ...] = ()
    """Those of what the model wrote that were measured by themselves."""
    influence_told: bool | None = None
    """Whether its strongest works stand above random ones; ``None``: the measurement does not say."""
    unseen: tuple[Unseen, ...] = ()
    """What of the model the index that measured it does not look at."""
    influence_told_by: str | None = None
    """By what that is told; ``None``: the measurement does not say."""
    cut: str = ""
    """How many works were cut for training, and measured as far as that; empty: not said."""
    gained_nnat: int | None = None
    """What tuning the model gained the output; with ``residual_nnat``, what of it the effects leave over."""
    residual_nnat: int | None = None
    twins: tuple[Twins, ...] = ()
    """Training works that are one text, or nearly."""
    influence_grade: str
    influence_method: str
    influence_interval: str = ""
    """What the intervals of the effects are, or why they are unknown; empty: the measurement does not say."""
    tested: Tested | None = None
    """How well this way of measuring stood its test on the model; ``None``: nobody has tested it there."""
    sample: tuple[str, ...] = ()
    """What of ``lineage``, ``labour``, ``influence``, ``quotations`` rests on sample data."""
    quotes: tuple[Quoted, ...]
    near_copies: tuple[Near, ...] = ()
    """What follows a work closely: stands apart from the quotations, and is never marked as one."""
    quote_rule: str
    """From how many words on a shared stretch counts as a quotation."""
    transferred_uslh: int
    """T, labour objectified in data, model and machines that passed into the output."""
    living_uslh: int
    """L, living labour spent on the output: prompting, review, operation."""
    unmeasured: bool
    """Some labour behind it was not measured: T + L is a lower bound."""
    untimed: bool
    """Some of that is living labour of now: L is a lower bound."""
    by_kind: tuple[LabourPart, ...]
    layers: tuple[Layer, ...] = ()
    """T and L by kind, phase and standing."""
    price_micro: int | None
    """``None``: not sold in this period, or ``unrated``."""
    unrated: tuple[tuple[str, int], ...] = ()
    """(currency, micro-units) of a price for which no rate into the page's currency is published."""
    quantity: int = 1
    """Copies; the value is of all of them."""
    copies_sold: int | None = None
    """Of several copies of which not all were sold: how many the price, and so both rents, are of."""
    value_micro: int | None
    """μ(T + L), in micro-units of the currency; ``None``: no standard is published."""
    rent_avg_micro: int | None
    """p − μ(T + L), of what was sold."""
    rent_repro_micro: int | None
    """p − μL, of what was sold."""
    gated: bool = False
    """No living labour entered it: nothing passes on to it."""
    spent: tuple[str, ...] = ()
    """Models and deployments that were past their plan, or had lost all, when it was made with them."""
    claimed: tuple[Skilled, ...] = ()
    """Reductions that name a rule which does not give them, as far as the book knows."""
    taken_back: tuple[TakenBack, ...] = ()
    """Facts about it, or about its prompts, that were corrected, and are no longer counted."""
    in_doubt: tuple[int, ...] = ()
    """Numbers of facts behind it that were signed with a key that had ended."""
    proofs: tuple[Proof, ...]
    """The facts behind it: make, output, sale, label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerStory:
    """One maker in a settlement: what is owed, and why."""

    maker: str
    name: str
    works: int
    """Works of theirs in the training data."""
    labour_uslh: int
    """Their living labour in the outputs sold in the period."""
    labour_quality: str
    influence_ppm: int
    """Their part of the positive influence on the period's income."""
    owed_for_labour_micro: int
    owed_for_influence_micro: int
    owed_micro: int
    """What the settlement gives them; less payments, it is what is still due."""
    paid_micro: int
    quoted: int
    """How many of their stretches are quoted in the outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonStory:
    """One maker whom the settlement gives nothing, or in a book that has settled nothing."""

    maker: str
    name: str
    works: int
    """Works of the book that name them."""
    labour_uslh: int
    """Their living labour in the whole book."""
    unmeasured: bool
    """Some of their labour was never measured: the true amount is at least this."""
    owed: tuple[tuple[str, int], ...]
    """(currency, micro-units) still due: by other settlements, or from older books."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStory:
    """One work in which labour is at rest: not an output."""

    work: str
    kind: str
    """data, dataset, model, prompt or deployment."""
    makers: tuple[str, ...]
    uslh: int
    unmeasured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStory:
    """What one device did for the works of the book; ``None``: nobody read that meter."""

    device: str
    device_us: int | None
    energy_mwh: int | None
    energy_lacking: int
    """Of how many runs nobody read the energy."""
    uslh: int | None
    """Past labour that it passed on; ``None``: no standard gave its coefficient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksStory:
    """The books at a glance. Labour in micro-SLH, by the names that :class:`gongfen.reports.ledger.Ledger` has."""

    given: tuple[tuple[str, int], ...]
    by_kind: tuple[tuple[str, int], ...]
    outputs_uslh: int
    stocks: tuple[tuple[str, int], ...]
    losses: tuple[tuple[str, int], ...]
    passed_on_uslh: int
    """Taken back by corrections after it had passed on: never positive."""
    circulation_us: int | None
    """Business labour that is kept in memo, microseconds of the clock."""
    money: tuple[tuple[str, str, int], ...]
    """(account, currency, micro-units); debits are positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterPoint:
    """One real retraining without one maker, beside what the metagradient predicted. Units: nano-nats."""

    maker: str
    predicted_nnat: int
    measured_nnat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """How well the settlement-grade influence agrees with honest retraining."""

    points: tuple[ScatterPoint, ...]
    spearman_ppm: int | None
    """Rank correlation × 10⁶; ``None`` with fewer than three points."""
    spearman_between_ppm: tuple[int, int] | None = None
    """Its interval, 95 %; ``None``: too few points."""
    adjoint_growth_ppm: int | None
    """Growth of the adjoint's norm over the backward pass × 10⁶; above 3·10⁶ the run is not smooth enough."""
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementStory:
    """The period's arithmetic, from sales to cents."""

    settlement: str
    period: str
    policy: str
    policy_text: str
    standard: str
    currency: str
    sales_micro: int
    pool_micro: int
    beta_ppm: int
    """β: the part of the pool shared by labour; the rest is shared by influence."""
    shared_micro: int
    unidentified_micro: int
    carried_micro: int
    """Too small for the smallest coin; carried into the next period."""
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStory:
    """How the model was made. What the record does not say is ``None`` or empty."""

    model: str
    base: str
    base_sha256: str
    works: int | None
    makers: int | None
    dropped: tuple[tuple[str, int], ...]
    """Reason → how many items were left out."""
    steps: int | None
    tokens: int | None
    losses_unat: tuple[int, ...]
    """Mean training loss of each step, micro-nats a token: a curve for the page."""
    device: str
    device_us: int | None
    gflop: int | None
    energy_mwh: int | None
    energy_quality: str
    seed: int | None
    adapter_sha256: str
    data_root: str
    config_sha256: str
    code_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """The book's indicators in one month; ``None`` is unknown, and drawn as a gap. Money in micro-units."""

    month: str
    """``2026-11``."""
    sales_micro: int | None
    value_micro: int | None
    """μ(T + L) of the outputs that were first sold in it."""
    rent_avg_micro: int | None
    rent_repro_micro: int | None
    living_uslh: int | None
    """Living labour worked in it."""
    surplus_rate_ppm: int | None
    """e = s/v × 10⁶, with v = wages/μ."""
    composition_ppm: int | None
    """q = c/v × 10⁶."""
    unmeasured: bool
    """Labour of this month was never measured, or a machine or purchase: e is a lower bound."""
    value_at_least: bool = False
    """The value is a lower bound, the rent by average theory an upper one."""
    untimed: bool = False
    """The rent by reproduction theory is an upper bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything the page shows."""

    title: str
    book: str
    """The log's origin: the book's public name."""
    made_at: str
    sample: bool
    """The prices, hours and standards of this book are sample data."""
    sample_what: tuple[str, ...]
    """Which parts are sample data, in words."""
    command: str
    """The command that made this page."""
    size: int
    root: str
    checkpoint: str
    """The signed note, as it stands."""
    key: str
    """The verifier key of the book."""
    currency: str
    """Of all amounts on the page: the settlement's, else the standard's, else what was sold for; empty: no money."""
    melt_micro: int | None
    """μ: micro-units of money per SLH; ``None``: no standard is published."""
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    in_uslh: int
    """I2, left side: labour from all sources."""
    out_uslh: int
    """I2, right side: outputs + stocks + losses. Equal to ``in_uslh``, to the last unit."""
    works: tuple[WorkStory, ...] = ()
    """Those that hold the most labour."""
    more_works: int = 0
    machines: tuple[MachineStory, ...] = ()
    training: TrainingStory | None
    """``None``: no model has a part in it."""
    outputs: tuple[OutputStory, ...]
    """Those that were sold in the settled period; in a book without one, those with the most labour in them."""
    more_outputs: int = 0
    """How many other outputs the book has."""
    makers: tuple[MakerStory, ...]
    """Whom the settlement pays; empty without one."""
    people: tuple[PersonStory, ...] = ()
    """The others; without a settlement, everybody."""
    more_people: int = 0
    """How many others have less labour in the book, and are not in ``people``."""
    measured: bool = True
    """Whether any influence was measured on what the page shows."""
    validation: Validation | None
    settlement: SettlementStory | None
    """``None``: no period has been settled."""
    unsettled: tuple[tuple[str, str, int], ...] = ()
    """(month, currency, micro-units) of what was sold and no settlement has shared out."""
    books: BooksStory | None = None
    taken_back: tuple[TakenBack, ...] = ()
    """The last facts of the book that were corrected, the newest correction first."""
    more_taken_back: int = 0
    in_doubt: tuple[Flagged, ...] = ()
    """The last facts that were signed with a key that had ended, the newest first."""
    more_in_doubt: int = 0
    closed: tuple[tuple[str, str, str], ...] = ()
    """Periods in which nothing is dated any more: (period, the fact that closed it, its ledger)."""
    worth: Worth | None = None
    """All outputs on the page that were sold, together; all of them, when none was. ``None``: there is no standard."""
    swings: tuple[Swings, ...] = ()
    """Which assumptions their worth hangs on."""
    months: tuple[Month, ...] = ()

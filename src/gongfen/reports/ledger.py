"""What the books answer, as plain data: the ledger at a glance, accounts, indicators, models, the loop, sectors.

Whole numbers carry their unit in the name; ratios are parts per million; exact fractions that are no whole numbers are
text in decimals. ``None`` is *unknown*, never zero.
"""

import msgspec

from gongfen.reports.story import Month

# -- the ledger at a glance --------------------------------------------------------------------------------------------


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """What one device used, each in its own unit; ``None``: nobody read that meter."""

    device: str
    device_us: int | None
    energy_mwh: int | None
    tokens: int | None
    gflop: int | None
    pf_days: str | None
    """The same FLOP, in petaflop-days."""
    runs: int
    lacking: dict[str, int]
    """Meter → of how many of the runs nobody read it: what stands above is at least so much."""


class Unbalanced(msgspec.Struct, frozen=True, kw_only=True):
    """A source whose labour is not where it should be: the book is damaged."""

    account: str
    given_uslh: int
    held_uslh: int


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts of one name together, in one currency; debits are positive."""

    account: str
    accounts: int
    currency: str
    micro: int


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """A period in which nothing is dated any more: of the labour ledger, or settled."""

    period: str
    by: str
    """The fact that closed it."""
    ledger: str
    """``labour``, or the currency that was settled."""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The labour ledger, and what stands beside it. Micro-SLH where nothing else is said."""

    origin: str
    size: int
    given_uslh: int
    given: dict[str, int]
    """``living``, ``living-unpaid``, ``machine``, ``energy``, ``site``, ``data``, ``opening``."""
    by_kind: dict[str, int]
    """Living labour, paid and unpaid, by the eight kinds."""
    outputs_uslh: int
    stocks_uslh: int
    stocks: dict[str, int]
    """``data``, ``dataset``, ``model``, ``deployment``, ``prompt``."""
    losses_uslh: int
    losses: dict[str, int]
    passed_on_uslh: int
    """Taken back by corrections after it had passed on: never positive."""
    held_uslh: int
    balanced: bool
    sources: int
    unbalanced: tuple[Unbalanced, ...]
    meters: tuple[Meter, ...]
    governance_data_uslh: int
    """Living labour of kind 2, data."""
    governance_compliance_uslh: int
    """Living labour of kind 7, compliance."""
    circulation_us: int | None
    """Business labour that is kept in memo, in microseconds of the clock."""
    money: tuple[Money, ...]
    closed: tuple[Closed, ...]
    corrections: int
    unmeasured: dict[str, int]
    """Kind of work → how many are lower bounds."""
    unmeasured_works: tuple[str, ...]


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """Labour that passed from one place to the next; micro-SLH."""

    source: str
    """``makers``, ``machines``, ``bought``, ``opening``; ``trainings``, ``works``, ``data``, ``models``,
    ``deployments``, ``prompts``; and ``outputs``, which come back as data."""
    target: str
    """One of the later of these, ``outputs``, ``left:…`` (still at rest there), or ``lost``."""
    uslh: int


class LabourFlow(msgspec.Struct, frozen=True, kw_only=True):
    """Where labour went, step by step: what passes on is counted at each step."""

    passed: tuple[Passed, ...]
    lower_bound: bool
    """Some labour was never measured."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account and its balance; debits are positive."""

    account: str
    unit: str
    balance: int


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """What a work loses by standing idle, and the fact of it if it was recorded."""

    work: str
    held_uslh: int
    lost_uslh: int
    left_uslh: int
    rate: str
    """λ, a day."""
    days: str
    first_day: str | None
    """``None``: the days are no span of the calendar, and cannot be recorded."""
    last_day: str | None
    method: str
    fact: int | None
    """Its number; ``None``: it was only shown."""


# -- indicators --------------------------------------------------------------------------------------------------------


class Outlying(msgspec.Struct, frozen=True, kw_only=True):
    """A price that stands far from value."""

    name: str
    ratio_ppm: int
    """Price over value, 1,000,000 being the average of all."""
    bears_rent: bool
    """Priced far above; else far below."""


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """Prices against values, over everything of which both are known. Decimals are of the amounts' own units."""

    counted: int
    price: str | None
    """``None``: of nothing both are known."""
    value: str | None
    """μ times the labour; ``None`` without μ, and where of nothing both are known."""
    scale: str | None
    """Money for one unit of labour, as these were sold."""
    mawd_ppm: int | None
    """``None``, as the next two, over fewer than two: one alone is its own average."""
    variation_ppm: int | None
    """Coefficient of variation of price over value."""
    distance_ppm: int | None
    outliers: tuple[Outlying, ...]
    left_out: tuple[str, ...]
    """Price or value unknown."""
    without_value: tuple[str, ...]
    """A price, and no labour in it at all."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """W = c + v + s, and what follows. Labour in decimals of hours of simple labour, or of the table's unit."""

    constant: str | None
    variable: str | None
    surplus: str | None
    value: str | None
    surplus_rate_ppm: int | None
    composition_ppm: int | None
    profit_rate_ppm: int | None


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns what, and how concentrated it is: 1,000,000 for one alone."""

    owned: str
    concentration_ppm: int | None
    amounts: dict[str, str]


class Indicators(msgspec.Struct, frozen=True, kw_only=True):
    """Of a book, in a period or altogether. Labour in micro-SLH, money in micro-units of ``currency``."""

    period: str | None
    size: int
    """Computed from so many facts: what is recorded later for these days changes the answer."""
    closed_by: str | None
    """The fact that closed the period for the labour ledger; corrections of it are still told here."""
    standard: str
    currency: str
    melt_micro: int
    constant: dict[str, int]
    """c by source: ``machine``, ``energy``, ``site``, ``data``, ``opening``."""
    constant_uslh: int | None
    living_uslh: int | None
    """L: paid and unpaid, but not what was more than socially necessary."""
    unpaid_uslh: int | None
    not_necessary_uslh: int
    lower_bound: bool
    """Some labour, or some labour in machines or purchases, was never measured: c or L is at least this."""
    wages_micro: int | None
    """``None``: none is recorded, or not all can be counted into ``currency``."""
    wages_recorded: bool
    without_wage: tuple[str, ...]
    """Makers of paid labour of whom no wage is recorded in the period: v is at least what is stated."""
    rates: Rates
    surplus_rate_paid_ppm: int | None
    """e without the unpaid labour, which is in L otherwise."""
    sales_micro: int | None
    dividends_micro: int
    labour_share_ppm: int | None
    dividend_share_ppm: int | None
    """Of the sales, by dividends alone."""
    prices: Prices | None
    """``None``: nothing was sold."""
    lower_bounds_sold: tuple[str, ...]
    """Outputs among those sold whose value is a lower bound."""
    owners: tuple[Owners, ...]
    """By what rents were paid for."""
    months: tuple[Month, ...]
    """Month by month, of a year or of all; empty for a month or a day."""
    unrated: tuple[str, ...]
    """Currencies without a rate into ``currency``: what they count into is unknown."""


class OfProducer(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a table of producers."""

    producer: str
    revenue: str | None
    rates: Rates


class Producers(msgspec.Struct, frozen=True, kw_only=True):
    """Several producers side by side."""

    producers: tuple[OfProducer, ...]
    together: Rates
    """Of those whose c, v and s are all known."""
    composition_mean_ppm: int | None
    composition_variation_ppm: int | None
    """Standard deviation of q over its mean, each producer counted by its v."""
    composition_left_out: tuple[str, ...]
    sellers_ppm: int | None
    """Herfindahl–Hirschman, by revenue."""
    owners: tuple[Owners, ...]
    prices: Prices


# -- sectors -----------------------------------------------------------------------------------------------------------


class Sector(msgspec.Struct, frozen=True, kw_only=True):
    """One sector of a table; labour for one unit of its flows. ``None``: it made nothing."""

    sector: str
    output: str
    direct: str | None
    value: str | None
    price: str | None
    ratio_ppm: int | None
    """Price over value, 1,000,000 being the average."""


class Sectors(msgspec.Struct, frozen=True, kw_only=True):
    """Labour values of a whole table."""

    table: str
    sectors: tuple[Sector, ...]
    labour: str
    """l·x, all labour that was done."""
    embodied: str
    """v·y, the labour in the final product: the same number."""
    holds: bool
    price_of: str
    """Where prices are from: ``column``, ``money`` (flows are money, and a unit costs 1), or ``unknown``."""
    prices: Prices | None


# -- tasks -------------------------------------------------------------------------------------------------------------


class OfAverage(msgspec.Struct, frozen=True, kw_only=True):
    """One producer of a task, in hours."""

    producer: str
    time: str
    """For one unit."""
    units: str
    transfer: str
    """What the product is worth beyond the time it took (+), or took beyond what it is worth (−)."""


class Average(msgspec.Struct, frozen=True, kw_only=True):
    """What a task takes on the social average, in hours."""

    table: str
    time: str | None
    """For one unit; ``None``: nothing was made."""
    producers: tuple[OfAverage, ...]
    given: str
    """All hours that were worked."""
    not_necessary: str
    """Of those, what lies above the average: as much as the others gain."""


class OfTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task that people do and a machine might, in money."""

    task: str
    machine_cost: str | None
    threshold: str | None
    """w·h, the wages that it costs now."""
    automates: bool | None
    """Whether the machine is cheaper."""


class Automation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a machine replaces labour."""

    table: str
    tasks: tuple[OfTask, ...]


# -- models ------------------------------------------------------------------------------------------------------------


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """How fast one machine of a kind computed, on average over all its time."""

    device: str
    flop_per_second: int
    peak_flop_per_second: int | None
    """What it could do at most, as somebody said."""
    utilisation_ppm: int | None


class Composite(msgspec.Struct, frozen=True, kw_only=True):
    """One model, in each unit by itself; nothing here is added to anything else."""

    model: str
    labour_uslh: int
    """What went into it, by the ledger."""
    lower_bound: bool
    living_us: int | None
    """Hours of the clock, of the model and of the data gathered for it, not reduced."""
    data_us: int | None
    """Of those, kind 2."""
    compliance_us: int | None
    """Of those, kind 7."""
    unmeasured: int
    """Facts of labour that say no time."""
    parameters: int
    meters: tuple[Meter, ...]
    gflop: int | None
    speeds: tuple[Speed, ...]
    """Of the devices whose every run says its FLOP."""
    flop_by: str
    """``recorded``, ``6ND`` (computed from parameters and tokens), or ``unknown``."""
    pf_days: str | None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """One model's labour by the fitted line; not in any ledger. Micro-SLH."""

    model: str
    booked_uslh: int
    typical_uslh: int
    low_uslh: int
    high_uslh: int
    beyond: tuple[str, ...]


class Estimator(msgspec.Struct, frozen=True, kw_only=True):
    """ln L̂ = a + b₁ ln(machine hours) + b₂ ln(hours of data governance) + b₃ ln(parameters)."""

    models: int
    coefficients: tuple[str, ...]
    errors: tuple[str, ...]
    """Standard errors."""
    estimates: tuple[Estimate, ...]


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """The composite measure of every model."""

    models: tuple[Composite, ...]
    estimator: Estimator | None
    why_not: str | None
    """Why there is no estimate."""
    left_out: tuple[str, ...]
    """Models that lack what the line needs, or are lower bounds."""


# -- the loop ----------------------------------------------------------------------------------------------------------


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One work on the loop: what its labour must be by the equations, and what was booked."""

    work: str
    kind: str
    new_uslh: int
    """New labour that entered it."""
    solved_uslh: str
    booked_uslh: int
    difference_uslh: str
    """Booked less solved."""
    lost_uslh: int
    """What it lost, by decay and otherwise."""


class Steady(msgspec.Struct, frozen=True, kw_only=True):
    """Where the last round's way of making leads, if every round is made so."""

    model: str
    before: str
    """The model of the round before."""
    passed_on_ppm: int
    """How much of a model's labour the next one gets."""
    new_uslh: int
    """What a round adds."""
    steady_uslh: str | None
    """``None``: it has none, for as much passes on as comes in."""
    booked_uslh: int


class DataLoop(msgspec.Struct, frozen=True, kw_only=True):
    """Model → outputs → data → next model."""

    rounds: tuple[tuple[str, ...], ...]
    """Each: model, outputs that came back, data, data sets, next models."""
    versions: tuple[Version, ...]
    transfers: int
    """Each was rounded to whole micro-SLH, by one at most for every source that it carried."""
    passed_on_uslh: int
    """Taken back by corrections after it had passed on: booked, and not solved for."""
    decay_uslh: int
    steady: Steady | None

"""What outputs are worth: labour transferred and living, against their price (``economics.md``, section 1).

``V = T + L``. L is living labour of the inference and operation phases: prompting, review, running the service. T is
everything that was objectified before: training labour, machines, bought data, labour that came back as data. Without
living labour the model is dead code: into an output that no living labour entered at all, not even a prompt, nothing
passes on, and its T counts as 0. Rent is price less value, under the two theories that the field disputes:
``R_avg = p − μ(T + L)`` and ``R_repro = p − μL``; their difference is ``μT``.

The answer stands under every rule of reduction at once (:mod:`gongfen.value.by_rule`); what else may move it is asked
by :mod:`gongfen.value.assumptions`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import UNSET

from gongfen.accounts.batches import batch_of, parts, stock_in
from gongfen.accounts.chart import SIMPLE, UNPAID, External, Living
from gongfen.accounts.copies import copies_sold, parts_sold
from gongfen.accounts.state import State
from gongfen.accounts.stocks import Batch
from gongfen.errors import MissingAssumptionError
from gongfen.facts.kinds import Coefficient, Standard
from gongfen.value.by_rule import Valued, by_rule, money
from gongfen.value.claimed import is_claimed
from gongfen.value.lot import LIVING_PHASES, NOW, PAST, Lot, is_now, lot_of
from gongfen.value.together import parts_of

PRICE = "price"
"""The origin of a coefficient that was read off a price."""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of a value: living labour of one kind, phase and standing, or one outside source."""

    part: Literal["T", "L"]
    kind: str
    """``1`` … ``8``, the eight labours; or ``machine``, ``energy``, ``site``, ``data``, ``opening``."""
    phase: str
    """Of living labour; empty for what came from outside."""
    standing: str
    uslh: int


class Skilled(msgspec.Struct, frozen=True, kw_only=True):
    """Living labour of one skill, and how its hours were counted."""

    skill: str
    num: int
    den: int
    rule: str
    """The rule by which the standard in force found ``num/den``; ``unknown`` when it does not say, or has
    others; ``unit``: it is simple labour; ``unpaid``: it counts as such."""
    claimed: bool
    """The rule does not give that number, as far as the book knows: by the ``skill`` facts in force."""
    uslh: int


class Out(msgspec.Struct, frozen=True, kw_only=True):
    """The same with unpaid labour left out: users' prompting, which the field does not agree to count."""

    unpaid_uslh: int
    """What is left out, of all phases."""
    transferred_uslh: int
    living_uslh: int
    value_micro: int
    rent_avg_micro: int | None
    rent_repro_micro: int | None


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """A model or deployment that was past its plan, or had lost all its labour, when outputs were made with it."""

    model: str
    outputs: tuple[str, ...]


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about an output that was taken back, and is no longer counted."""

    number: int
    kind: str
    by: int
    """The number of the correction."""
    reason: str


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of learning a skill: from which the rules of reduction are computed. Times in microseconds."""

    skill: str
    study_us: int
    """T_s."""
    teach_us: int
    """T_t."""
    life_us: int
    """H."""
    wage_micro: int | None
    """For an hour; ``None``: nobody said."""
    simple_wage_micro: int | None
    evidence: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What one device passed on, and where its coefficient λ is from."""

    device: str
    uslh: int
    uslh_per_hour: int | None
    """λ by the standard in force; ``None``: it has none, and the amount is by an older standard."""
    origins: tuple[str, ...]
    """``life-cycle``, ``input-output``, ``price`` or ``unknown``: each that a standard of this book gave, in turn.

    A new standard says nothing about what was booked under those before it, and an amount does not say which of them
    that was: it may be any."""

    @property
    def circular(self) -> bool:
        """Whether labour was, or may have been, read off a price, which is what it is to explain."""
        return PRICE in self.origins


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """The value of one or more outputs. Labour in micro-SLH, money in micro-units of ``currency``."""

    outputs: tuple[str, ...]
    quantity: int
    """Copies."""
    transferred_uslh: int
    """T; nothing of it from outputs that are ``gated``."""
    gated: tuple[str, ...]
    """Outputs that no living labour entered: their labour is in the books, and is not worth anything here."""
    living_uslh: int
    """L."""
    unmeasured: bool
    """Labour behind them was never measured: T + L is a lower bound, and rent an upper bound."""
    untimed: bool
    """Some of that is living labour of now: L is a lower bound, and rent by reproduction theory an upper bound."""
    copies_sold: int | None
    """Of outputs that are several copies, of which not all were sold: how many the price is for; ``None``: all."""
    sold_uslh: int | None
    """T + L in those; both rents are of them. ``None``: all were sold, or none."""
    by_kind: dict[str, int]
    """Living labour, of all phases, by the eight kinds."""
    by_phase: dict[str, int]
    by_standing: dict[str, int]
    by_skill: dict[str, int]
    by_quality: dict[str, int]
    """How the labour is known: measured, clipped, imputed; ``external`` for machines, energy and bought data."""
    by_maker: dict[str, int]
    by_external: dict[str, int]
    layers: tuple[Layer, ...]
    """T and L by kind, phase and standing at once; they add up to T + L."""
    skills: tuple[Skilled, ...]
    learned: tuple[Learned, ...]
    """Of the skills in it, those of which something is known."""
    machines: tuple[Machine, ...]
    standard: str
    currency: str
    melt_micro: int
    value_micro: int
    price_micro: int | None
    """``None``: nothing was sold yet, which is not a price of zero."""
    rent_avg_micro: int | None
    rent_repro_micro: int | None
    by_rule: tuple[Valued, ...]
    """As booked, then by each rule of reduction, the default first."""
    spent: tuple[Spent, ...] = ()
    """Models that passed on less, or nothing, for they were past their plan or retired."""
    without_unpaid: Out | None = None
    """As booked, but for unpaid labour; ``None``: there is none in it."""
    taken_back: tuple[TakenBack, ...] = ()
    """Facts about the outputs, or about the prompts that they were made with, that were corrected."""

    @property
    def uslh(self) -> int:
        """T + L."""
        return self.transferred_uslh + self.living_uslh

    @property
    def past_micro(self) -> int:
        """μT: what the two rents differ by; of what was sold, where that is not all."""
        if self.rent_avg_micro is not None and self.rent_repro_micro is not None:
            return self.rent_repro_micro - self.rent_avg_micro
        return self.value_micro - money(self.living_uslh, self.melt_micro)


def worth(
    state: State, outputs: tuple[str, ...], price_micro: int | None, copies: Mapping[str, int] | None = None
) -> Worth:
    """The value of ``outputs`` together, under the standard in force.

    ``copies``: of outputs that are several copies, how many fetched the price; of the others all that were ever sold.
    Raises UnknownWorkError, or MissingAssumptionError when no standard has been published.
    """
    standard = standard_in_force(state)
    lot = lot_of(state, outputs)
    living, outside = lot.living, sum(lot.external.values())
    parts = parts_sold(state, outputs, copies)
    sold = lot_of(state, outputs, parts) if any(part != 1 for part in parts.values()) else None
    rules = by_rule(state, lot, standard.melt_micro, price_micro, sold)
    booked = rules[0]
    assert booked.value_micro is not None, "what was booked is known"
    return Worth(
        outputs=outputs,
        quantity=lot.quantity,
        copies_sold=None if sold is None else sum(copies_sold(state, one, (copies or {}).get(one)) for one in outputs),
        sold_uslh=None if sold is None else sold.past_uslh + sold.now_uslh,
        transferred_uslh=lot.past_uslh,
        gated=lot.gated,
        living_uslh=lot.now_uslh,
        unmeasured=lot.unmeasured,
        untimed=lot.untimed,
        by_kind=_by(living, lambda source: str(source.labour_kind)),
        by_phase=_by(living, lambda source: source.phase),
        by_standing=_by(living, lambda source: source.standing),
        by_skill=_by(living, lambda source: source.skill),
        by_quality=_by(living, lambda source: source.quality) | ({"external": outside} if lot.external else {}),
        by_maker=_by(living, lambda source: source.maker),
        by_external=dict(sorted((f"{one.source}:{one.name}", amount) for one, amount in lot.external.items())),
        layers=layers_of(lot),
        skills=_skills(state, living, standard),
        learned=_learned(state, living),
        machines=_machines(state, lot.external, standard),
        standard=standard.standard,
        currency=standard.currency,
        melt_micro=standard.melt_micro,
        value_micro=booked.value_micro,
        price_micro=price_micro,
        rent_avg_micro=booked.rent_avg_micro,
        rent_repro_micro=booked.rent_repro_micro,
        by_rule=rules,
        spent=_spent(state, outputs),
        without_unpaid=_without_unpaid(state, lot, standard.melt_micro, price_micro, sold),
    )


def _spent(state: State, outputs: tuple[str, ...]) -> tuple[Spent, ...]:
    found: dict[str, list[str]] = {}
    for output in outputs:
        known = state.works.get(output)
        for model in known.spent if known is not None else ():
            found.setdefault(model, []).append(output)
    return tuple(Spent(model=model, outputs=tuple(made)) for model, made in sorted(found.items()))


def _without_unpaid(state: State, lot: Lot, melt_micro: int, price_micro: int | None, sold: Lot | None) -> Out | None:
    """As booked, with unpaid labour out."""
    paid = {source: amount for source, amount in lot.living.items() if source.standing != UNPAID}
    if len(paid) == len(lot.living):
        return None
    rest = msgspec.structs.replace(lot, living=paid)
    if sold is not None:
        sold = msgspec.structs.replace(sold, living={one: sold.living[one] for one in paid})
    found = by_rule(state, rest, melt_micro, price_micro, sold)[0]
    assert found.value_micro is not None, "what was booked is known"
    return Out(
        unpaid_uslh=sum(lot.living.values()) - sum(paid.values()),
        transferred_uslh=rest.past_uslh,
        living_uslh=rest.now_uslh,
        value_micro=found.value_micro,
        rent_avg_micro=found.rent_avg_micro,
        rent_repro_micro=found.rent_repro_micro,
    )


def standard_in_force(state: State) -> Standard:
    """The newest standard. Raises MissingAssumptionError when none has been published."""
    standard = state.standards.get("*")
    if standard is None:
        raise MissingAssumptionError("the standard", "is not published", "publish it: gongfen record standard …")
    return standard


def value_of_each(state: State) -> Iterator[tuple[str, int, int]]:
    """Every output with its T and its L, in micro-SLH, each by itself, without the breakdowns.

    What one took over from another is in both: for a sum take :func:`value_together`.
    """
    living, shared = _IsLiving(), dict[int, list[int]]()
    for name, stock in state.stocks.prefixed(""):
        if stock.kind != "output":
            continue
        content, now = stock.sources if stock.produced is None else stock.produced, 0
        for source, amount in content.items():
            if living[source]:
                now += amount
        if stock.batch is None:
            whole = sum(content.values())
        else:
            making, place = stock.batch
            if (gave := shared.get(making)) is None:
                batch = batch_of(state, making)
                of_now = {source: amount for source, amount in batch.sources.items() if living[source]}
                gave = shared[making] = parts(Batch(sources=of_now, outputs=batch.outputs))
            now, whole = now + gave[place], stock.remaining
        yield name, whole - now if stock.lived else 0, now


def value_together(state: State, outputs: Iterable[str]) -> dict[str, tuple[int, int]]:
    """T and L that each output adds to what they are worth together (:mod:`gongfen.value.together`), in micro-SLH.

    Outputs that are not in the book are left out.
    """
    living, found = _IsLiving().__getitem__, dict[str, tuple[int, int]]()
    stocks = {name: stock for name in outputs if (stock := stock_in(state, name)) is not None}
    parts_ = parts_of(state, stocks)
    for name in stocks:
        vector = parts_.get(name, {})
        now = sum(map(vector.__getitem__, filter(living, vector)))
        found[name] = sum(vector.values()) - now, now
    return found


class _IsLiving(dict[str, bool]):
    """Whether a source is living labour of now, by its key: asked for every source of every output."""

    def __missing__(self, source: str) -> bool:
        found = self[source] = source.startswith("living|") and source.split("|", 3)[2] in LIVING_PHASES
        return found


def _by(living: dict[Living, int], name: Callable[[Living], str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for source, amount in living.items():
        sums[name(source)] = sums.get(name(source), 0) + amount
    return dict(sorted(sums.items()))


def layers_of(lot: Lot) -> tuple[Layer, ...]:
    """T and L of a lot by kind, phase and standing: what can be said without a standard, in labour."""
    sums: dict[tuple[Literal["T", "L"], str, str, str], int] = {}
    for source, amount in lot.living.items():
        key = (NOW if is_now(source) else PAST, str(source.labour_kind), source.phase, source.standing)
        sums[key] = sums.get(key, 0) + amount
    for outside, amount in lot.external.items():
        sums[PAST, outside.source, "", ""] = sums.get((PAST, outside.source, "", ""), 0) + amount
    order = sorted(sums, key=lambda key: (key[0] == NOW, key))
    return tuple(Layer(part=key[0], kind=key[1], phase=key[2], standing=key[3], uslh=sums[key]) for key in order)


def _skills(state: State, living: dict[Living, int], standard: Standard) -> tuple[Skilled, ...]:
    named = {(one.skill, one.num, one.den): one for one in standard.reductions if one.rule is not UNSET}
    rules = {key: str(one.rule) for key, one in named.items()}
    sums: dict[tuple[str, int, int, bool], int] = {}
    for source, amount in living.items():
        as_simple = source.standing == UNPAID and source.skill != SIMPLE and source.num == source.den
        key = (source.skill, source.num, source.den, as_simple)
        sums[key] = sums.get(key, 0) + amount
    return tuple(
        Skilled(
            skill=key[0],
            num=key[1],
            den=key[2],
            rule=UNPAID if key[3] else rules.get(key[:3], "unit" if key[:3] == (SIMPLE, 1, 1) else "unknown"),
            claimed=not key[3] and key[:3] in named and is_claimed(state, named[key[:3]]),
            uslh=amount,
        )
        for key, amount in sorted(sums.items())
    )


def _learned(state: State, living: dict[Living, int]) -> tuple[Learned, ...]:
    known = ((name, state.skills.get(name)) for name in sorted({source.skill for source in living}))
    return tuple(
        Learned(
            skill=name,
            study_us=skill.study_us,
            teach_us=skill.teach_us,
            life_us=skill.life_us,
            wage_micro=skill.wage_micro,
            simple_wage_micro=skill.simple_wage_micro,
            evidence=skill.evidence,
        )
        for name, skill in known
        if skill is not None
    )


def origins_of(state: State, device: str) -> tuple[str, ...]:
    """Where the coefficients of a device are from, by every standard of the book that had one, in turn."""
    published = (one for _, standard in state.standards.prefixed("seq|") for one in standard.machines)
    origins = ("unknown" if one.origin is UNSET else one.origin for one in published if one.device == device)
    return tuple(dict.fromkeys(origins))


def _machines(state: State, external: dict[External, int], standard: Standard) -> tuple[Machine, ...]:
    known: dict[str, Coefficient] = {one.device: one for one in standard.machines}
    found = []
    for source, amount in sorted(external.items()):
        if source.source == "machine":
            one = known.get(source.name)
            rate = one.uslh_per_hour if one is not None else None
            found.append(Machine(device=source.name, uslh=amount, uslh_per_hour=rate,
                                 origins=origins_of(state, source.name)))  # fmt: skip
    return tuple(found)

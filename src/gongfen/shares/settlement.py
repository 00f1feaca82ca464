"""One period's shares, exact to the cent, computed from the state of the log and nothing else.

Pay = Pool · [β · labour share + (1 − β) · influence share] (``economics.md``, section 5). Labour: each price over the
living labour that was in its output when it was sold. Influence: positive effects of the training works on the
period's price-weighted utility, split over each work's makers. What has no known maker goes to
``owed:unidentified``; what is smaller than a coin is carried into the next period.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gongfen.accounts.batches import stock_in
from gongfen.accounts.booking import living_labour
from gongfen.accounts.chart import UNIDENTIFIED
from gongfen.accounts.periods import period_is_open
from gongfen.accounts.state import Published, Sold, State
from gongfen.errors import MissingAssumptionError, ProofError
from gongfen.facts.amounts import PPM, apportion
from gongfen.facts.kinds import Influence, Line, Policy, Settlement, Standard


@dataclass(frozen=True, slots=True)
class Period:
    """What there is to settle."""

    name: str
    currency: str
    sales: tuple[Sold, ...]
    carried_in_micro: int

    @property
    def sales_micro(self) -> int:
        """What the period brought in."""
        return sum(sale.price_micro for sale in self.sales)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that were sold, each once, by name."""
        return tuple(sorted({sale.output for sale in self.sales}))


def period_of(state: State, name: str, currency: str) -> Period:
    """The sales of a period: a year, a month or a day."""
    found = state.sales.prefixed(f"{currency}|{name}")
    sales = tuple(sale for _, sale in found if not sale.reversed)
    return Period(name, currency, sales, state.carried.get(currency) or 0)


def left_by(state: State, settlement: Settlement) -> dict[str, int]:
    """Currency → what was sold in it in a settlement's period, and is none of its sales, micro-units."""
    found: dict[str, int] = {}
    for key, sale in state.sales.prefixed(""):
        currency, day, _ = key.split("|", 2)
        if currency != settlement.currency and day.startswith(settlement.period) and not sale.reversed:
            found[currency] = found.get(currency, 0) + sale.price_micro
    return found


def period_target(period: str, currency: str) -> str:
    """What a settlement-grade measurement is about: a period's income in one currency."""
    return f"period:{period}:{currency}"


def labour_weights(state: State, sales: Iterable[Sold]) -> dict[str, int]:
    """Maker → the part of the period's prices that their living labour stands for, in micro-units.

    Each price is divided by the labour in its output when it was sold. So hours that are added afterwards claim
    nothing, and hours in an output that nobody buys claim what it fetched. Hours that were taken back since claim
    nothing either. A price over no measured labour counts for the unidentified.
    """
    weights: dict[str, int] = {}
    for sale in sales:
        stock = stock_in(state, sale.output)
        assert stock is not None, "what is sold is in the book"
        now = living_labour(stock)
        stands = {maker: min(amount, now[maker]) for maker, amount in sale.labour.items() if maker in now}
        labour = stands if sum(stands.values()) else {UNIDENTIFIED: 1}
        for maker, part in apportion(sale.price_micro, labour).items():
            weights[maker] = weights.get(maker, 0) + part
    return weights


def influence_weights(state: State, influence: Influence) -> dict[str, int]:
    """Maker → positive effect of their works, in nano-nats × ppm; works without makers count for the unidentified."""
    weights: dict[str, int] = {}
    for effect in influence.effects:
        if effect.effect_nnat <= 0:
            continue
        known = state.works.get(effect.work)
        parts = [(part.maker, part.ppm) for part in known.makers] if known else []
        for maker, ppm in parts or [(UNIDENTIFIED, PPM)]:
            weights[maker] = weights.get(maker, 0) + effect.effect_nnat * ppm
    return weights


def settle(state: State, settlement: str, period: str, policy: str, size: int, root: str) -> Settlement:
    """The settlement of ``period`` by ``policy``, on the log of ``size`` facts with this root (hex).

    Raises MissingAssumptionError when there is nothing to settle, or nothing to settle it by.
    """
    published = state.policies.get(policy)
    standard = state.standards.get("*")
    if published is None:
        raise MissingAssumptionError(f"policy {policy}", "is not in this book", "publish it: gongfen record policy …")
    if standard is None:
        raise MissingAssumptionError("the standard", "is not published", "publish it: gongfen record standard …")
    rule = published.policy
    if (problem := period_is_open(state, period, rule.currency)) is not None:
        raise problem
    sold = period_of(state, period, rule.currency)
    _refuse_what_cannot_be_settled(state, sold, published)
    influence = state.influences.get(f"target|{period_target(period, rule.currency)}")
    _refuse_foreign_outputs(state, sold, influence)
    labour = labour_weights(state, sold.sales)
    effects = influence_weights(state, influence) if influence else {}
    if rule.beta_ppm < PPM and not sum(effects.values()):
        raise MissingAssumptionError(
            f"period {period}",
            f"has no {rule.grade}-grade influence, and policy {policy} pays on it",
            f"measure it first: gongfen trace {period_target(period, rule.currency)}",
        )
    return _apportioned(sold, rule, standard, influence, labour, effects, settlement, size, root)


def _refuse_foreign_outputs(state: State, sold: Period, influence: Influence | None) -> None:
    """What is paid on was measured with the model that made what was sold."""
    for output in sold.outputs if influence else ():
        known = state.works.get(output)
        if influence and known and known.model not in (None, influence.model):
            raise MissingAssumptionError(
                output,
                f"was made with {known.model}, but the influence was measured with {influence.model}",
                "settle the models of a period by themselves, or measure again",
            )


def _refuse_what_cannot_be_settled(state: State, sold: Period, published: Published) -> None:
    if not sold.sales:
        thing = f"period {sold.name}"
        raise MissingAssumptionError(thing, f"has no sales in {sold.currency}", "record them: gongfen record sale …")
    # Of all sales, those that were taken back too: a policy is not picked by selling a second time.
    first = min(sale.seq for _, sale in state.sales.prefixed(f"{sold.currency}|{sold.name}"))
    if published.seq > first:
        raise MissingAssumptionError(
            f"policy {published.policy.policy}",
            "was published after the first sale that it would settle",
            "settle by a policy that stood before the period's sales",
        )
    stood = [row for _, row in state.policies.prefixed(f"{sold.currency}|") if row.seq < first]
    if stood[-1].policy.policy != published.policy.policy:
        raise MissingAssumptionError(
            f"policy {published.policy.policy}",
            f"was replaced by {stood[-1].policy.policy} before the period's first sale",
            f"settle by the policy that was in force: --policy {stood[-1].policy.policy}",
        )


def _apportioned(
    sold: Period,
    rule: Policy,
    standard: Standard,
    influence: Influence | None,
    labour: dict[str, int],
    effects: dict[str, int],
    settlement: str,
    size: int,
    root: str,
) -> Settlement:
    pool = sold.sales_micro * rule.pool_ppm // PPM + sold.carried_in_micro
    coins = pool // rule.coin_micro
    for_labour = coins * rule.beta_ppm // PPM
    if not sum(labour.values()):
        labour = {UNIDENTIFIED: 1}
    if not sum(effects.values()):
        effects = {UNIDENTIFIED: 1}
    by_labour = apportion(for_labour, labour)
    by_influence = apportion(coins - for_labour, effects)
    lines = [
        Line(
            maker=maker,
            labour_micro=by_labour.get(maker, 0) * rule.coin_micro,
            influence_micro=by_influence.get(maker, 0) * rule.coin_micro,
            amount_micro=(by_labour.get(maker, 0) + by_influence.get(maker, 0)) * rule.coin_micro,
        )
        for maker in sorted({*by_labour, *by_influence} - {UNIDENTIFIED})
    ]
    unidentified = (by_labour.get(UNIDENTIFIED, 0) + by_influence.get(UNIDENTIFIED, 0)) * rule.coin_micro
    return Settlement(
        settlement=settlement,
        period=sold.name,
        policy=rule.policy,
        standard=standard.standard,
        influence=influence.influence if influence and rule.beta_ppm < PPM else None,
        currency=rule.currency,
        size=size,
        root=root,
        sales_micro=sold.sales_micro,
        carried_in_micro=sold.carried_in_micro,
        pool_micro=pool,
        total_micro=coins * rule.coin_micro,
        lines=tuple(lines),
        unidentified_micro=unidentified,
        carried_out_micro=pool - coins * rule.coin_micro,
    )


def check_settlement(state: State, said: Settlement) -> None:
    """Recompute a settlement from the state just before it; raises ProofError naming the first figure that differs."""
    thing = f"settlement {said.settlement}"
    remedy = "do not pay by it; ask for a settlement that follows from the facts"
    added = sum(line.amount_micro for line in said.lines) + said.unidentified_micro
    if added != said.total_micro:
        raise ProofError(thing, f"claims a total of {said.total_micro}, but its lines add to {added}", remedy)
    for line in said.lines:
        if line.labour_micro + line.influence_micro != line.amount_micro:
            raise ProofError(thing, f"gives {line.maker} more or less than labour and influence together", remedy)
    due = settle(state, said.settlement, said.period, said.policy, said.size, said.root)
    for name in due.__struct_fields__:
        if name != "lines" and getattr(due, name) != getattr(said, name):
            raise ProofError(thing, f"claims {name} {getattr(said, name)}; the facts give {getattr(due, name)}", remedy)
    for got, line in zip(said.lines, due.lines, strict=False):
        if got != line:
            reason = f"gives {got.maker} {got.amount_micro}; the facts give {line.maker} {line.amount_micro}"
            raise ProofError(thing, reason, remedy)
    if len(said.lines) != len(due.lines):
        raise ProofError(thing, f"has {len(said.lines)} lines; the facts give {len(due.lines)}", remedy)

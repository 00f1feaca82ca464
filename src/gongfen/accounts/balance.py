"""Whether the labour ledger balances: in total, and for every source that gave anything."""

from typing import NamedTuple

from gongfen.accounts.batches import every_stock
from gongfen.accounts.chart import LABOUR_UNIT, read_source
from gongfen.accounts.state import State
from gongfen.facts.kinds import Close


class AtRest(NamedTuple):
    """Where the labour that was given lies now, micro-SLH."""

    given: int
    outputs: int
    stocks: int
    losses: int

    @property
    def held(self) -> int:
        """All of it: equal to what was given, to the last unit (invariant I2)."""
        return self.outputs + self.stocks + self.losses


def at_rest(state: State) -> AtRest:
    """What sources gave, and what outputs, stocks and losses hold."""
    return AtRest(-_sum(state, "4"), _sum(state, "5000:"), _sum(state, "1"), _sum(state, "58"))


def _sum(state: State, accounts: str) -> int:
    return sum(amount for key, amount in state.balances.prefixed(accounts) if key.endswith(f"|{LABOUR_UNIT}"))


def closing(state: State, close: str, period: str, size: int, root: str) -> Close:
    """The fact that closes a period of the labour ledger, on the log of ``size`` facts with this root (hex)."""
    given, outputs, stocks, losses = at_rest(state)
    return Close(
        close=close,
        period=period,
        size=size,
        root=root,
        given_uslh=given,
        outputs_uslh=outputs,
        stocks_uslh=stocks,
        losses_uslh=losses,
    )


def conservation(state: State) -> tuple[int, int]:
    """Labour in, and labour at rest in outputs, stocks and losses, in micro-SLH: equal, to the last unit (I2)."""
    found = at_rest(state)
    return found.given, found.held


def conservation_by_source(state: State) -> dict[str, tuple[int, int]]:
    """For every source account: labour given, and labour that works hold of it or have lost of it (I4)."""
    given: dict[str, int] = {}
    for key, amount in state.balances.prefixed("4"):
        account, _, unit = key.rpartition("|")
        if unit == LABOUR_UNIT:
            given[account] = -amount
    held: dict[str, int] = {}
    for _, stock in every_stock(state):
        for source, amount in stock.sources.items():
            account = read_source(source).account
            held[account] = held.get(account, 0) + amount
    for key, amount in state.lost.prefixed(""):
        account = read_source(key.partition("|")[2]).account
        held[account] = held.get(account, 0) + amount
    return {account: (given.get(account, 0), held.get(account, 0)) for account in sorted({*given, *held})}

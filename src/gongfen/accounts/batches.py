"""Batches: outputs that one making gave share its labour equally, so the vector is kept once, not once for each.

A service that makes ten outputs at a time out of the labour of twenty people would keep two hundred numbers of which
twenty say everything. It keeps those, and each output its place among the ten (batch costing: what a run cost is
divided equally over what it gave). An output leaves its batch when something is taken out of it.
"""

from collections.abc import Iterator
from itertools import accumulate, islice

import msgspec

from gongfen.accounts.state import State
from gongfen.accounts.stocks import Batch, Stock


def parts(batch: Batch) -> list[int]:
    """What each output got in all, by its place, micro-SLH: the sums of :func:`part`, for all places at once."""
    outputs, amounts = batch.outputs, batch.sources.values()
    left = [0] * outputs  # how many sources have so many micro-SLH left over, which go to those that sort first
    for amount in amounts:
        left[amount % outputs] += 1
    each = (sum(amounts) - sum(over * sources for over, sources in enumerate(left))) // outputs
    more = accumulate(reversed(left))  # sources with at least so many left over, the most first
    return [each + got for got in reversed([0, *islice(more, outputs - 1)])]


def part(batch: Batch, place: int) -> dict[str, int]:
    """What the output in this place got, by source, micro-SLH."""
    return _at(batch.sources, batch.outputs, place)


def _at(sources: dict[str, int], outputs: int, place: int) -> dict[str, int]:
    return {source: amount // outputs + (place < amount % outputs) for source, amount in sources.items()}


def key_of(making: int) -> str:
    """Under which a batch is kept: the number of the fact that made it."""
    return f"{making:016}"


def batch_of(state: State, making: int) -> Batch:
    """The batch that the fact with this number made."""
    batch = state.batches.get(key_of(making))
    assert batch is not None, f"fact {making} made a batch"
    return batch


def opened(state: State, stock: Stock) -> Stock:
    """The stock with everything in it by source, what it got of its batch too."""
    if stock.batch is None:
        return stock
    making, place = stock.batch
    batch = batch_of(state, making)
    vector = part(batch, place)
    for source, amount in stock.sources.items():
        vector[source] = vector.get(source, 0) + amount
    found = msgspec.structs.replace(stock, sources=vector, batch=None)
    drafts = (batch.made_of or {}).items()
    return found.made_also_of({draft: _at(gave, batch.outputs, place) for draft, gave in drafts})


def stock_in(state: State, work: str) -> Stock | None:
    """The labour at rest in a work, by source; ``None``: the work is not in the book."""
    stock = state.stocks.get(work)
    return None if stock is None else opened(state, stock)


def every_stock(state: State) -> Iterator[tuple[str, Stock]]:
    """Every work with the labour at rest in it, by source; works in the order of their names."""
    return ((work, opened(state, stock)) for work, stock in state.stocks.prefixed(""))

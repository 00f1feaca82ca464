"""Outputs that were made of outputs, valued together: labour that passed from one into another counts once.

An output is worth all that it was made with, whatever has left it since. So labour that passed from a draft into a fair
copy is in the worth of either; of both together it counts where it was done: with the draft, as it was there. What a
fair copy adds is its part. What the set holds in the books bounds it all: labour that a fair copy took over and lost
counts with neither. In whole micro-SLH, with no output of the set gated and nothing corrected after it passed on::

    Σ (T + L) of the parts = Σ balances of the set's accounts 5000 + what passed from them on to anything else

where *anything else* is data (recycled, with what decayed), models, and outputs that are not in the set. What a gated
output got from another is as good as given to something else. What came from an output of the set by way of one that is
not in it is divided by what that one was made of, to the whole micro-SLH below.
"""

from collections.abc import Mapping
from heapq import heappop, heappush

from gongfen.accounts.batches import stock_in
from gongfen.accounts.chart import as_past
from gongfen.accounts.state import State
from gongfen.accounts.stocks import Stock

Vector = dict[str, int]
"""Micro-SLH by source."""


def parts_of(state: State, stocks: Mapping[str, Stock]) -> dict[str, Vector]:
    """What each output adds to what they are worth together, by source; of those that are not gated."""
    counted = {name: stock for name, stock in stocks.items() if stock.lived}
    found = {name: stock.content for name, stock in counted.items()}
    made = {name: _made(state, name) for name, stock in counted.items() if stock.made_of}
    left = dict[str, Vector]()
    # The last made first: what a copy of a copy lacks is taken off the copy before that is held against its draft.
    for name in sorted(made, key=lambda one: (-made[one], one)):
        for draft, gave in _got_from(state, name, counted).items():
            if draft not in left:
                left[draft] = _left(counted[draft])
                found[draft] = found[draft].copy()
            found[name] = found[name].copy()
            _count_once(found[name], found[draft], left[draft], gave)
    return found


def _made(state: State, output: str) -> int:
    known = state.works.get(output)
    assert known is not None, "a stock is of a known work"
    return known.made[-1] if known.made else known.seq


def _left(stock: Stock) -> Vector:
    """What left it, as far as it still shows it: no more can be counted with another."""
    return {source: amount - stock.sources.get(source, 0) for source, amount in stock.content.items()}


def _count_once(copy: Vector, draft: Vector, left: Vector, gave: Vector) -> None:
    """Take what a draft gave off the copy; what the copy has lost of it, off the draft."""
    for source, amount in gave.items():
        both = min(amount, left.get(source, 0))
        if both <= 0:
            continue
        left[source] -= both
        (past,) = as_past({source: both})
        there = min(both, copy.get(past, 0))
        if there == both == copy[past]:
            del copy[past]
        elif there:
            copy[past] -= there
        if there < both:
            draft[source] -= both - there


def _got_from(state: State, output: str, wanted: Mapping[str, Stock]) -> dict[str, Vector]:
    """What an output got of each of ``wanted``, by source as it was there: from it, or by way of others."""
    found = dict[str, Vector]()
    through = dict[str, Vector]()
    queue = list[tuple[int, str]]()

    def meet(giver: str, gave: Vector) -> None:
        if giver not in wanted and giver not in through:
            heappush(queue, (-_made(state, giver), giver))
        sums = (found if giver in wanted else through).setdefault(giver, {})
        for source, amount in gave.items():
            sums[source] = sums.get(source, 0) + amount

    for giver, gave in (wanted[output].made_of or {}).items():
        meet(giver, gave)
    while queue:  # the last made first: all that came by way of an output is known before it is divided
        _, between = heappop(queue)
        stock, carried = stock_in(state, between), through.pop(between)
        assert stock is not None, "it was used"
        for giver, gave in (stock.made_of or {}).items():
            meet(giver, {source: _part(amount, source, stock.content, carried) for source, amount in gave.items()})
    return found


def _part(amount: int, source: str, whole: Vector, carried: Vector) -> int:
    """What of ``amount``, which is in a whole, went on with what was carried out of it."""
    (past,) = as_past({source: amount})
    return carried.get(past, 0) * amount // max(whole.get(past, 0), amount, 1)

"""The books balance: over every history that hypothesis can think of, for every maker, to the last unit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen import accounts
from gongfen.accounts.chart import External, Living, read_source
from gongfen.accounts.stocks import Stock
from gongfen.errors import GongfenError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from tests.books import HASH, said
from tests.histories import START, booked, histories


@settings(max_examples=150, deadline=None)
@given(histories())
def test_labour_in_is_labour_at_rest_in_total_and_for_every_maker(bodies: list[k.Body]) -> None:
    """I1 (an entry that does not balance cannot exist), I2, I4."""
    state, _ = booked(bodies)
    given_, held = accounts.conservation(state)
    assert given_ == held
    for account, (gave, holds) in accounts.conservation_by_source(state).items():
        assert gave == holds, account


@settings(max_examples=100, deadline=None)
@given(histories())
def test_what_stocks_say_is_what_their_accounts_say(bodies: list[k.Body]) -> None:
    """I3: per lot, received = passed on + remaining + lost; the balances of the entries are those of the state."""
    state, entries = booked(bodies)
    totals = accounts.balances(entries)
    for name, stock in state.stocks.prefixed(""):
        account = accounts.chart.stock_account(stock.kind, name)
        assert totals.get((account, "uslh"), 0) == stock.remaining
        assert all(amount >= 0 for amount in stock.sources.values())
    assert {f"{account}|{unit}": amount for (account, unit), amount in totals.items()} == dict(
        state.balances.prefixed("")
    )


@settings(max_examples=60, deadline=None)
@given(histories())
def test_replaying_the_log_gives_identical_integers(bodies: list[k.Body]) -> None:
    """I8."""
    first, second = booked(bodies)[0], booked(bodies)[0]
    for table in accounts.TABLES:
        assert dict(getattr(first, table).prefixed("")) == dict(getattr(second, table).prefixed(""))


@settings(max_examples=100, deadline=None)
@given(histories())
def test_labour_and_money_never_mix(bodies: list[k.Body]) -> None:
    """I6: no entry holds both units, no account either; money is labour through μ alone, which books nothing."""
    _, entries = booked(bodies)
    units: dict[str, set[str]] = {}
    for entry in entries:
        assert len({unit for _, _, unit in entry.postings}) == 1, entry
        for account, _, unit in entry.postings:
            units.setdefault(account, set()).add("money" if unit.isupper() else unit)
    assert all(len(found) == 1 for found in units.values())


@settings(max_examples=100, deadline=None)
@given(histories())
def test_nothing_that_is_lost_taken_back_or_recycled_goes_below_zero(bodies: list[k.Body]) -> None:
    """A source holds and loses no less than nothing; only 5890, what passed on before it was taken back, is negative."""
    state, _ = booked(bodies)
    for key, amount in state.lost.prefixed(""):
        assert amount <= 0 if key.startswith("passed-on|") else amount >= 0, key
    for name, stock in state.stocks.prefixed(""):
        known = state.works.get(name)
        assert known is not None
        assert stock.recycled <= known.quantity
        assert all(amount > 0 for amount in stock.sources.values())


@given(st.integers(0, 10**12), st.integers(1, 50), st.lists(st.integers(1, 9), max_size=20))
def test_uses_telescope_to_exactly_what_was_there(base: int, planned: int, uses: list[int]) -> None:
    """I5: however the uses are cut, they carry ⌊B·k/N⌋ together, all of it after N, and nothing more after that."""
    stock = Stock(kind="model", sources={}).plan(planned).receive({"external|data|x": base})
    carried = done = 0
    for count in uses:
        stock, vector = stock.use(count)
        carried, done = carried + sum(vector.values()), done + count
        assert carried == base * min(done, planned) // planned
    assert stock.remaining == base - carried


def test_100_over_3_uses_is_33_33_34() -> None:
    stock = Stock(kind="model", sources={"external|data|x": 100}, base=100, planned=3, fed=True)
    found = []
    for _ in range(4):
        stock, vector = stock.use(1)
        found.append(sum(vector.values()))
    assert found == [33, 33, 34, 0]


@given(st.integers(0, 10**9), st.integers(1, 20), st.integers(0, 20), st.integers(1, 20), st.integers(0, 10**9))
def test_re_planning_is_prospective_and_conserves(base: int, first: int, used: int, second: int, more: int) -> None:
    """I7: what was used stays as it was; what remains is spread over the new plan, with what is added later."""
    stock = Stock(kind="model", sources={}).plan(first).receive({"external|data|x": base})
    stock, before = stock.use(used)
    left = stock.remaining
    assert left + sum(before.values()) == base
    stock = stock.plan(second).receive({"external|data|y": more})
    assert stock.remaining == left + more
    stock, after = stock.use(second)
    assert sum(after.values()) == left + more
    assert stock.remaining == 0


def test_business_labour_is_circulation_and_stays_in_memo() -> None:
    state, entries = booked([*START, *said(f"work work=w sha256={HASH} size_bytes=0 makers= source=t licence=l"),
        *said("labour maker=ada work=w labour_kind=8 phase=operation standing=employed labour_us=1h day=2026-01-01")])  # fmt: skip
    assert accounts.conservation(state) == (0, 0)
    assert accounts.balances(entries)["9000:circulation:ada", "us"] == -3_600_000_000


def test_labour_that_nobody_measured_is_not_zero() -> None:
    """It is booked nowhere, and every work made with it says that it holds at least what is shown."""
    text = f"""
        work work=known sha256={HASH} size_bytes=0 makers= source=t licence=l
        work work=silent sha256={HASH} size_bytes=0 makers= source=t licence=l
        labour maker=ada work=known labour_kind=1 phase=training standing=crowd labour_us=1h day=2026-01-01
        dataset dataset=whole works=["known"] root={HASH} licence=l
        work work=known-2 sha256={HASH} size_bytes=0 makers= source=t licence=l
        labour maker=ada work=known-2 labour_kind=1 phase=training standing=crowd labour_us=1h day=2026-01-01
        dataset dataset=mixed works=["known-2","silent"] root={HASH} licence=l
    """
    state, _ = booked([*START, *said(text)])
    whole, mixed = state.stocks.get("whole"), state.stocks.get("mixed")
    assert whole is not None
    assert mixed is not None
    assert (whole.is_lower_bound, mixed.is_lower_bound) == (False, True)


@pytest.mark.parametrize("source", [Living(3, "training", "crowd", "imputed", "ada"), External("machine", "cpu")])
def test_a_source_is_read_back_from_its_key(source: Living | External) -> None:
    assert read_source(str(source)) == source


def test_a_refused_fact_leaves_the_state_untouched() -> None:
    bodies = [*START, *said(f"work work=w sha256={HASH} size_bytes=0 makers= source=t licence=l")]
    state, _ = booked(bodies)
    before = {table: dict(getattr(state, table).prefixed("")) for table in accounts.TABLES}
    bad = said("labour maker=eve work=w labour_kind=1 phase=training standing=crowd labour_us=1h day=2026-01-01")[0]
    with pytest.raises(GongfenError):
        accounts.book(state, Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=bad), 99)
    assert before == {table: dict(getattr(state, table).prefixed("")) for table in accounts.TABLES}

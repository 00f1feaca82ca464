"""The books balance: over every history that hypothesis can think of, for every maker, to the last unit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen import accounts, shares
from gongfen.accounts.chart import External, Living, read_source
from gongfen.accounts.stocks import Stock
from gongfen.errors import AbsurdLabourError, ClosedPeriodError, GongfenError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.value import worth
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
        assert all(amount >= 0 for amount in stock.sources.values())


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


# -- what a hostile review found --------------------------------------------------------------------------------------

SHOP = f"""
    enrol maker=ada
    enrol maker=bo
    standard standard=s basis=t reductions=[] machines=[] melt_micro=40.0 currency=EUR
    policy policy=p1 statement=s pool_ppm=1000000 beta_ppm=1000000 utility=u currency=EUR
    work work=data sha256={HASH} size_bytes=0 makers= source=t licence=l
    labour maker=ada work=data labour_kind=2 phase=training standing=crowd labour_us=3h day=2026-01-01
    output output=o sha256={HASH} size_bytes=0
    make make=m activity=generate inputs=[{{"work":"data","role":"data"}}] outputs=["o"] tool=t
"""
SALE = "sale sale=s1 output=o price_micro=100.00 currency=EUR day=2026-01-02"


def hours(maker: str, work: str, count: int, day: str = "2026-01-02", **more: str) -> str:
    rest = "".join(f" {name}={value}" for name, value in more.items())
    return (f"labour maker={maker} work={work} labour_kind=1 phase=inference standing=crowd labour_us={count}h day={day}"
            + rest)  # fmt: skip


def shop(*lines: str) -> accounts.State:
    bodies = [*said(SHOP), *(body for line in lines for body in said(line))]
    state, _ = booked(bodies)
    assert len(list(state.names.prefixed("correction|"))) == sum(line.startswith("correction") for line in lines)
    return state


def paid(state: accounts.State) -> dict[str, int]:
    found = shares.settle(state, "settlement", "2026", "p1", 0, HASH)
    return {line.maker: line.amount_micro for line in found.lines}


def test_labour_that_was_taken_back_claims_no_price_that_is_not_settled() -> None:
    state = shop(hours("ada", "o", 1), hours("bo", "o", 9), SALE, "correction correction=c fact=9 reason=wrong")
    assert paid(state)["ada"] == 100_000_000
    assert "bo" not in paid(state)


def test_a_policy_is_not_picked_by_selling_again_after_the_money_is_known() -> None:
    greedy = "policy policy=greedy statement=s pool_ppm=0 beta_ppm=1000000 utility=u currency=EUR"
    state = shop(
        hours("ada", "o", 1), SALE, greedy, "correction correction=c fact=9 reason=wrong", SALE.replace("s1", "s2")
    )
    with pytest.raises(GongfenError, match="published after the first sale"):
        shares.settle(state, "settlement", "2026", "greedy", 0, HASH)
    assert paid(state) == {"ada": 100_000_000}


def test_a_day_stays_full_of_labour_that_passed_on_before_it_was_taken_back() -> None:
    """Else each of its hours could be worked, passed on and taken back again, without end."""
    prompt = f"work work=p sha256={HASH} size_bytes=0 makers= source=t licence=l role=prompt"
    made = [f"output output=o2 sha256={HASH} size_bytes=0",
            'make make=m2 activity=generate inputs=[{"work":"p","role":"prompt"}] outputs=["o2"] tool=t']  # fmt: skip
    state = shop(prompt, hours("bo", "p", 24), *made, "correction correction=c fact=9 reason=wrong")
    assert state.days.get("bo|2026-01-02") == 24 * 3_600_000_000
    late = Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=said(hours("bo", "o", 1))[0])
    with pytest.raises(AbsurdLabourError):
        accounts.book(state, late, 99)


@pytest.mark.parametrize("line", [hours("ada", "o", 0), hours("ada", "o", 2, discarded="true")])
def test_no_labour_and_labour_thrown_away_do_not_make_past_labour_count(line: str) -> None:
    assert worth(shop(line), ("o",), None).gated == ("o",)
    assert worth(shop(hours("ada", "o", 1)), ("o",), None).gated == ()


def test_living_labour_that_was_taken_back_gates_the_output_again() -> None:
    """Each of what had entered it counts: while one thing is left that stands, T counts."""
    silent = hours("bo", "o", 1, quality="unmeasured").replace("1h", "none")
    wrong = [f"correction correction=c{n} fact={n} reason=never" for n in (8, 9, 10)]
    lines = [hours("ada", "o", 1), silent, hours("ada", "o", 2), hours("bo", "o", 0)]
    assert worth(shop(*lines, *wrong[:2]), ("o",), None).gated == ()
    answer = worth(shop(*lines, *wrong), ("o",), None)
    assert (answer.gated, answer.uslh) == (("o",), 0)
    again = worth(shop(*lines, *wrong, hours("ada", "o", 2)), ("o",), None)
    assert (again.gated, again.transferred_uslh, again.living_uslh) == ((), 3_000_000, 2_000_000)


def test_what_an_output_loses_it_is_neither_worth_nor_paid_for() -> None:
    state = shop(hours("ada", "o", 5), "loss loss=l work=o reason=not-necessary amount_uslh=none")
    assert worth(state, ("o",), None).uslh == 0


def test_opening_balances_come_before_anything_was_closed() -> None:
    state = shop(hours("ada", "o", 1))
    at = accounts.closing(state, "c", "2025", 9, HASH)
    accounts.book(state, Fact(id="c", at="2026-11-22T00:00:00.000000Z", by="t", body=at), 9)
    late = said('opening opening=late evidence=e money=[{"account":"owed","maker":"bo","amount_micro":5000000000,"currency":"EUR"}]')[0]  # fmt: skip
    with pytest.raises(ClosedPeriodError):
        accounts.book(state, Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=late), 10)

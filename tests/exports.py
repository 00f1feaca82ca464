"""What the tests of the exports share: a ledger of a random history, and what other people's tools read in ours."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gongfen import accounts
from gongfen.accounts.chart import External, Living, loss_account, payable, stock_account
from gongfen.book.recording.booked import day_of
from gongfen.errors import GongfenError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.shapes import NAME
from gongfen.reports.export.ledger import Balance, Booked, Ledger, commodity
from gongfen.reports.export.names import their_name
from tests.histories import facts_of

Balances = dict[tuple[str, str], Decimal]
"""(their account, their commodity) → balance."""

AWKWARD = [
    "Ada", "ada", "ADA", "a-b", "a--b", "-a", "a-", "-", "--", "---", "X", "X---", "X陈静---", "陈静", "陈静-", "--9648-",
    "a:b", "a:", ":", "::", "é", "É", "1", "1-", "1a", "A-", "A--", "ß", "ﬀ", "𐐀", "a.b",
]  # fmt: skip


def ledger_of_history(bodies: list[k.Body]) -> Ledger:
    """The ledger of what can be booked of a history."""
    earlier: dict[str, tuple[int, Fact]] = {}
    state, booked = accounts.state_in_memory(said=earlier.get), []
    for fact in facts_of(bodies):
        seq = len(earlier)
        try:
            entries = accounts.book(state, fact, seq)
        except GongfenError:
            continue
        earlier[fact.id] = (seq, fact)
        if entries:
            plain = tuple((entry.why, tuple(map(tuple, entry.postings))) for entry in entries)
            booked.append(Booked(seq, fact.id, fact.at, day_of(fact), fact.kind, fact.sample, plain))
    days = [day_of(fact) for _, fact in earlier.values()]
    return Ledger(
        origin="example.org/book",
        size=len(earlier),
        root="0" * 64,
        sample=False,
        days=lambda: (min(days), max(days)),
        facts=lambda: iter(booked),
        balances=lambda: (Balance(*key.rpartition("|")[::2], amount) for key, amount in state.balances.prefixed("")),
    )


def our_balances(ledger: Ledger) -> Balances:
    """What the books say, in their words."""
    return {
        (their_name(account), commodity(unit).name): Decimal(amount).scaleb(-commodity(unit).digits)
        for account, unit, amount in ledger.balances()
    }


def their_balances(text: str) -> Balances:
    """What Beancount reads; it must find nothing wrong."""
    from beancount import loader
    from beancount.core.data import Transaction

    entries, errors, _ = loader.load_string(text)
    assert not errors, [(error.message, error.source["lineno"]) for error in errors][:3]
    sums: Balances = {}
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            key = (posting.account, posting.units.currency)
            sums[key] = sums.get(key, Decimal(0)) + posting.units.number
    return sums


def their_errors(text: str) -> list[str]:
    """What Beancount finds wrong."""
    from beancount import loader

    return [error.message for error in loader.load_string(text)[1]]


def names() -> st.SearchStrategy[str]:
    """Every name that a log may hold; those that hurt often."""
    awkward = st.sampled_from(AWKWARD)
    anything = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
    close = st.text("aA-xX19:陈é.", min_size=1, max_size=8)
    return (awkward | close | anything).filter(lambda name: NAME.fullmatch(name) is not None)


def charted() -> st.SearchStrategy[str]:
    """Every account that the chart can make."""
    one = names()
    made: list[st.SearchStrategy[Any]] = [
        *(one.map(lambda name, kind=kind: stock_account(kind, name))
          for kind in ("data", "prompt", "deployment", "dataset", "model", "output")),
        *(one.map(lambda name, reason=reason: loss_account(reason, name))
          for reason in ("obsolescence", "idle", "decay", "not-necessary", "passed-on")),
        *(one.map(lambda name, standing=standing: Living(1, "training", standing, "measured", name).account)
          for standing in ("crowd", "unpaid")),
        *(one.map(lambda name, source=source: External(source, name).account)
          for source in ("machine", "energy", "site", "data", "opening")),
        one.map(payable),
        *(one.map(lambda name, start=start: f"{start}:{name}")
          for start in ("wages", "rent", "9000:circulation", "9100:device-us", "9200:mwh", "9300:tokens", "9400:gflop")),
        st.sampled_from(list(fixed())),
    ]  # fmt: skip
    return st.one_of(*made)


def fixed() -> Iterator[str]:
    """The accounts that have no name of anybody in them."""
    yield from ("cash", "sales", "purchases", "dividends", "owed:unidentified", "equity:opening", "9000:circulation")
    yield from ("9100:meter:device-us", "9200:meter:mwh", "9300:meter:tokens", "9400:meter:gflop")

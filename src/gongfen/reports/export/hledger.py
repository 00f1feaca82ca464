"""Both ledgers as an hledger journal, which ``hledger check --strict`` accepts: the same accounts as in Beancount.

A fact that booked something is a transaction, with the fact's number as its code, and tags. The last transaction moves
nothing and asserts every balance, exactly. Grammar: hledger.org/hledger.html, "Journal".
"""

from collections.abc import Iterator
from itertools import groupby

from gongfen.reports.export.ledger import Booked, Ledger, commodity, exact, units_of, why_of
from gongfen.reports.export.names import their_name


def hledger(ledger: Ledger) -> Iterator[str]:
    """The text, piece by piece."""
    yield f"; The books of {ledger.origin}, taken out by Gongfen.\n"
    yield f"; They follow from a signed log of {ledger.size} facts with the root {ledger.root}.\n"
    if ledger.sample:
        yield "; Sample data: some of these numbers rest on examples.\n"
    yield "\ndecimal-mark .\n"
    for unit in units_of(ledger):
        name, digits, says = commodity(unit)
        yield f"commodity 0.{'0' * digits} {name}  ; {says}\n"
    yield "\n"
    for account, _ in groupby(ledger.balances(), key=lambda balance: balance.account):
        yield f"account {their_name(account)}\n"
    last = "0001-01-01"
    for fact in ledger.facts():
        yield _transaction(fact)
        last = max(last, fact.day)
    yield f"\n{last} * balances of the books after {ledger.size} facts\n"
    for account, unit, amount in ledger.balances():
        name, digits, _ = commodity(unit)
        yield f"    {their_name(account)}  {exact(0, digits)} {name} = {exact(amount, digits)} {name}\n"


def _transaction(fact: Booked) -> str:
    why = why_of(fact).replace(";", ",")  # a semicolon begins a comment
    lines = [
        f"\n{fact.day} * ({fact.seq}) {why}\n"
        f"    ; id:{_tag(fact.id)}\n    ; kind:{fact.kind}\n    ; said-at:{fact.at}\n"
        + ("    ; sample:\n" if fact.sample else "")
    ]
    for _, postings in fact.entries:
        for account, amount, unit in postings:
            found = commodity(unit)
            lines.append(f"    {their_name(account)}  {exact(amount, found.digits)} {found.name}\n")
    return "".join(lines)


def _tag(value: str) -> str:
    """A tag's value ends at a comma: commas are written as in a web address."""
    return value.replace("%", "%25").replace(",", "%2C")

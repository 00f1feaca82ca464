"""Both ledgers as Beancount text, which ``bean-check`` accepts, and whose balances are ours.

Labour is a commodity, SLH; money is one a currency; what machines and business took are commodities of their own. A
fact that booked something is a transaction. The assertions at the end allow no tolerance: a millionth that is missing
is found. Grammar: beancount.github.io/docs/beancount_language_syntax.html.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

from gongfen.errors import InputError
from gongfen.reports.export.ledger import Booked, Ledger, commodity, exact, units_of, why_of
from gongfen.reports.export.names import their_name


def beancount(ledger: Ledger) -> Iterator[str]:
    """The text, piece by piece. Raises InputError where a fact is dated on the calendar's last day."""
    first, last = ledger.days()
    after = _day_after(last)
    units = units_of(ledger)
    yield f";; The books of {ledger.origin}, taken out by Gongfen.\n"
    yield f";; They follow from a signed log of {ledger.size} facts with the root {ledger.root}.\n"
    if ledger.sample:
        yield ";; Sample data: some of these numbers rest on examples.\n"
    yield f'\noption "title" {_quoted(ledger.origin)}\n'
    yield from (f'option "operating_currency" "{commodity(unit).name}"\n' for unit in units)
    yield "\n"
    for unit in units:
        yield f'{first} commodity {commodity(unit).name}\n  name: "{commodity(unit).says}"\n'
    yield "\n"
    for account, held in groupby(ledger.balances(), key=lambda balance: balance.account):
        yield f"{first} open {their_name(account)} {','.join(commodity(one.unit).name for one in held)}\n"
    for fact in ledger.facts():
        yield _transaction(fact)
    yield "\n"
    # Beancount forgives an assertion the last digit, unless it is told not to.
    for account, unit, amount in ledger.balances():
        found = commodity(unit)
        yield f"{after} balance {their_name(account)} {exact(amount, found.digits)} ~ 0 {found.name}\n"


def _transaction(fact: Booked) -> str:
    lines = [
        f"\n{fact.day} * {_quoted(why_of(fact))}{' #sample' if fact.sample else ''}\n",
        f"  fact: {fact.seq}\n  id: {_quoted(fact.id)}\n  kind: {_quoted(fact.kind)}\n  said-at: {_quoted(fact.at)}\n",
    ]
    for _, postings in fact.entries:
        for account, amount, unit in postings:
            found = commodity(unit)
            lines.append(f"  {their_name(account)}  {exact(amount, found.digits)} {found.name}\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _day_after(day: str) -> str:
    """An assertion holds at the beginning of its day."""
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except OverflowError:
        reason = "is the last of the calendar: no day is left on which the balances could be asserted"
        raise InputError(f"the day {day}", reason, "correct that fact, or take out csv") from None

"""A balanced entry: postings that add to zero in every unit. Debits are positive, credits negative."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec


class Posting(NamedTuple):
    """``amount`` units on one side of one account."""

    account: str
    amount: int
    unit: str


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One booking, with the reason for it. An entry that does not balance cannot exist (invariant I1)."""

    why: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        """Refuse what does not balance: a broken invariant, never a person's mistake."""
        if len(self.postings) == 2:  # nearly every entry: asked for every fact, so asked quickly
            debit, credit = self.postings
            if debit.amount + credit.amount == 0 and debit.unit == credit.unit:
                return
        sums: dict[str, int] = defaultdict(int)
        for posting in self.postings:
            sums[posting.unit] += posting.amount
        assert not any(sums.values()), f"{self.why}: left over {dict(sums)}"


def transfer(why: str, source: str, target: str, amount: int, unit: str) -> Entry:
    """Debit ``target``, credit ``source``."""
    return Entry(why, (Posting(target, amount, unit), Posting(source, -amount, unit)))


def balances(entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    """What each account holds, by (account, unit)."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        for posting in entry.postings:
            totals[posting.account, posting.unit] += posting.amount
    return dict(totals)

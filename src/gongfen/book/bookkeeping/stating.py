"""A statement of account: gathered in one pass over the facts and what they booked, of a maker or of the whole book."""

from collections.abc import Iterable

from gongfen.accounts import every_stock
from gongfen.accounts.chart import (
    LABOUR_UNIT,
    OPENING,
    UNIDENTIFIED,
    WAGES,
    loss_account,
    payable,
    read_source,
    stock_account,
)
from gongfen.book.clock import now
from gongfen.book.recording.booked import day_of, with_entries
from gongfen.book.recording.record import Record
from gongfen.errors import UnknownMakerError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.progress import Progress, silent
from gongfen.proof.checkpoint import open_checkpoint
from gongfen.reports.export.ledger import MEMO
from gongfen.reports.export.statement import Account, Lies, Maker, Move, Opened, Statement, Worked
from gongfen.storage.views import Booking

LIVING = ("4000:", "4100:", "9000:circulation:")
STOCKS = ("1", "50")
MOST_LINES = 500
"""Lines of labour on one statement; the rest is added up in one more, and CSV has it all."""
Key = tuple[str, int, str, str, bool]
"""(work, kind of labour, phase, standing, memo)."""


def state_account(record: Record, maker: str | None = None, progress: Progress = silent) -> Statement:
    """The statement of a maker, or of the whole book. Within ``reading``. Raises UnknownMakerError."""
    if maker is not None and record.state.makers.get(maker) is None:
        raise UnknownMakerError(maker, "is not enrolled", "see who is: gongfen log --kind enrol --last 0")
    note = record.checkpoint()
    signed = open_checkpoint(note, *record.verifiers)
    found = _Gathering(record, maker)
    for seq, fact, entries in with_entries(record, signed.size):
        if seq % 1_000 == 0:
            progress(seq, signed.size)
        found.take(seq, fact, entries)
    worked, more = found.labour()
    return Statement(
        maker=maker,
        made_at=now()[:19] + "Z",
        origin=record.origin,
        size=signed.size,
        root=signed.root.hex(),
        checkpoint=note,
        keys=tuple(map(str, record.verifiers)),
        sample=record.sample,
        opened=tuple(found.opened),
        worked=worked,
        more_worked=more,
        outside=tuple(sorted(found.outside.items())),
        lies=_lies_of(record, maker) if maker is not None else found.lies(),
        moves=tuple(found.moves),
        accounts=found.accounts(),
        makers=_makers(record) if maker is None else (),
        owed=_owed(record, payable(maker)) if maker is not None else _all_owed(record),
    )


class _Gathering:
    """What the pass has seen so far."""

    def __init__(self, record: Record, maker: str | None) -> None:
        self._record = record
        self._maker = maker
        self.opened: list[Opened] = []
        self.moves: list[Move] = []
        self.outside: dict[str, int] = {}
        self._worked: dict[Key, list[int]] = {}
        """→ [facts, measured µs, micro-SLH, facts without a time]."""
        self._passed: dict[str, list[int]] = {}
        """Account of the chart → [received, passed on]."""
        self._money: dict[tuple[str, str], list[int]] = {}
        self._owed: dict[str, int] = {}

    def take(self, seq: int, fact: Fact, entries: tuple[Booking, ...]) -> None:
        """One more fact."""
        body = fact.body
        if isinstance(body, k.Labour):
            self._take_labour(body, 1, 1, entries)
        elif isinstance(body, k.Correction) and (said := self._record.said(body.fact)) is not None:
            if isinstance(said[1].body, k.Labour):
                self._take_labour(said[1].body, -1, 0, entries)
        elif isinstance(body, k.Opening):
            self._take_opening(seq, fact, body)
        for _, postings in entries:
            for account, amount, unit in postings:
                if unit == LABOUR_UNIT:
                    self._take_posting(account, amount)
                elif unit not in MEMO:
                    self._take_money(account, amount, unit)
        if self._maker is not None:
            self._take_moves(seq, fact, entries)

    def _take_labour(self, said: k.Labour, sign: int, facts: int, entries: tuple[Booking, ...]) -> None:
        """``sign``: 1 as it was said, −1 as it was taken back."""
        if self._maker not in (None, said.maker):
            return
        given = [
            (account, amount)
            for _, postings in entries
            for account, amount, _ in postings
            if account.startswith(LIVING)
        ]
        memo = bool(given) and given[0][0].startswith("9")
        work = said.work if self._maker is not None else ""
        line = self._worked.setdefault((work, said.labour_kind, said.phase, said.standing, memo), [0, 0, 0, 0])
        line[0] += facts
        line[1] += sign * (said.labour_us or 0)
        line[2] -= 0 if memo else sum(amount for _, amount in given)
        line[3] += sign * (said.labour_us is None)

    def _take_opening(self, seq: int, fact: Fact, body: k.Opening) -> None:
        day = day_of(fact)
        self.opened += [
            Opened(day=day, seq=seq, what=lot.work, evidence=body.evidence, amount=lot.amount_uslh, unit=LABOUR_UNIT)
            for lot in body.lots
            if self._maker in (None, lot.name)
        ]
        self.opened += [
            Opened(day=day, seq=seq, what="cash" if item.account == "cash" else payable(item.maker or ""),
                   evidence=body.evidence, amount=item.amount_micro, unit=item.currency)
            for item in body.money
            if self._maker in (None, item.maker)
        ]  # fmt: skip

    def _take_posting(self, account: str, amount: int) -> None:
        if self._maker is not None:
            return
        if account.startswith(("42", "43")):
            self.outside[account] = self.outside.get(account, 0) - amount
        elif account.startswith(("1", "5")):
            line = self._passed.setdefault(":".join(account.split(":", 2)[:2]), [0, 0])
            line[0 if amount > 0 else 1] += abs(amount)

    def _take_money(self, account: str, amount: int, currency: str) -> None:
        if self._maker is None:
            line = self._money.setdefault((account.partition(":")[0], currency), [0, 0])
            line[0 if amount > 0 else 1] += abs(amount)

    def _take_moves(self, seq: int, fact: Fact, entries: tuple[Booking, ...]) -> None:
        """What was settled for the maker and paid to them, posting by posting."""
        maker = self._maker or ""
        for _, postings in entries:
            for account, amount, currency in postings:
                if account not in (payable(maker), f"{WAGES}:{maker}"):
                    continue
                owed = None
                if account == payable(maker):
                    owed = self._owed[currency] = self._owed.get(currency, 0) - amount
                labour, influence = _reasons(fact, maker)
                self.moves.append(
                    Move(day=day_of(fact), seq=seq, kind=fact.kind, what=_what(fact), for_labour_micro=labour,
                         for_influence_micro=influence, amount_micro=-amount if owed is not None else amount,
                         owed_micro=owed, currency=currency)
                )  # fmt: skip

    def labour(self) -> tuple[tuple[Worked, ...], int]:
        """The lines of labour, most first where there are too many, and how many were added up in the last one."""
        order = sorted(self._worked.items(), key=lambda item: (-item[1][2], item[0]))
        kept, rest = order[:MOST_LINES], order[MOST_LINES:]
        lines = [_worked(key, line) for key, line in sorted(kept)]
        if rest:
            sums = [sum(line[place] for _, line in rest) for place in range(4)]
            lines.append(_worked(("", 0, "", "", False), sums))
        return tuple(lines), len(rest)

    def lies(self) -> tuple[Lies, ...]:
        """Where labour lies in the whole book, and what passed through."""
        return tuple(
            Lies(group=group, works=self._works(group), received=received, passed=passed, uslh=received - passed)
            for group, (received, passed) in sorted(self._passed.items())
        )

    def _works(self, group: str) -> int:
        return sum(1 for _ in self._record.state.balances.prefixed(f"{group}:")) if group.startswith(STOCKS) else 0

    def accounts(self) -> tuple[Account, ...]:
        """The money accounts of the whole book."""
        return tuple(
            Account(account=account, currency=currency, debit_micro=debit, credit_micro=credit)
            for (account, currency), (debit, credit) in sorted(self._money.items(), key=lambda item: item[0][::-1])
        )


def _worked(key: Key, line: list[int]) -> Worked:
    work, labour_kind, phase, standing, memo = key
    facts, labour_us, uslh, unmeasured = line
    return Worked(work=work, labour_kind=labour_kind, phase=phase, standing=standing, memo=memo, facts=facts,
                  labour_us=labour_us, uslh=uslh, unmeasured=unmeasured)  # fmt: skip


def _reasons(fact: Fact, maker: str) -> tuple[int | None, int | None]:
    """Of a settlement: what the maker got for labour, and for influence."""
    if not isinstance(fact.body, k.Settlement):
        return None, None
    lines = [line for line in fact.body.lines if line.maker == maker]
    return sum(line.labour_micro for line in lines), sum(line.influence_micro for line in lines)


def _what(fact: Fact) -> str:
    match fact.body:
        case k.Settlement(settlement=name):
            return name
        case k.Payment(payment=name, method=method):
            return method or name
        case k.Wage(wage=name, method=method):
            return method or name
        case k.Opening(evidence=evidence):
            return evidence
        case k.Correction(fact=corrected, reason=reason):
            return f"{corrected}: {reason}"
    return fact.id


def _lies_of(record: Record, maker: str) -> tuple[Lies, ...]:
    """Where a maker's labour lies: what stocks hold of it, and what they lost of it."""
    sums: dict[str, list[int]] = {}

    def add(account: str, vector: Iterable[tuple[str, int]]) -> None:
        amount = sum(amount for source, amount in vector if _is_of(source, maker))
        if amount:
            line = sums.setdefault(account.rstrip(":"), [0, 0])
            line[0], line[1] = line[0] + 1, line[1] + amount

    for _, stock in every_stock(record.state):
        add(stock_account(stock.kind, ""), stock.sources.items())
    for key, amount in record.state.lost.prefixed(""):
        reason, _, source = key.partition("|")
        add(loss_account(reason, ""), [(source, amount)])
    return tuple(
        Lies(group=group, works=works if group.startswith(STOCKS) else 0, received=None, passed=None, uslh=uslh)
        for group, (works, uslh) in sorted(sums.items())
    )


def _is_of(key: str, maker: str) -> bool:
    account = read_source(key).account
    return account == f"4900:{OPENING}:{maker}" or (
        account.startswith(("4000:", "4100:")) and account.split(":", 3)[3] == maker
    )


def _makers(record: Record) -> tuple[Maker, ...]:
    labour: dict[str, int] = {}
    for start in ("4000:", "4100:"):
        for key, amount in record.state.balances.prefixed(start):
            account, _, unit = key.rpartition("|")
            if unit == LABOUR_UNIT:
                name = account.split(":", 3)[3]
                labour[name] = labour.get(name, 0) - amount
    owed: dict[str, list[tuple[str, int]]] = {}
    for key, amount in record.state.balances.prefixed(payable("")):
        account, _, currency = key.rpartition("|")
        owed.setdefault(account.removeprefix(payable("")), []).append((currency, -amount))
    return tuple(
        Maker(maker=name, uslh=labour.get(name, 0), owed=tuple(owed.get(name, ()))) for name in sorted({*labour, *owed})
    )


def _owed(record: Record, account: str) -> tuple[tuple[str, int], ...]:
    return tuple((key.rpartition("|")[2], -amount) for key, amount in record.state.balances.prefixed(f"{account}|"))


def _all_owed(record: Record) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for start in (payable(""), f"{UNIDENTIFIED}|"):
        for key, amount in record.state.balances.prefixed(start):
            currency = key.rpartition("|")[2]
            sums[currency] = sums.get(currency, 0) - amount
    return tuple(sorted(sums.items()))

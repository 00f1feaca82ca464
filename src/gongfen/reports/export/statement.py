"""A statement of the books as one page for paper: of a maker, or of the whole book, in both languages.

Every amount is exact. What somebody worked and what has become of it stand side by side and are added up here again: a
sum that fails is said. It is HTML, which every machine prints, and saves as PDF, with its own fonts for every script.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial

from jinja2 import Environment
from markupsafe import Markup

from gongfen.reports.templating import environment, style_sheet
from gongfen.reports.words import LANGUAGES, N_, Words, key_of, nearest
from gongfen.reports.worth_words import LAYER_NAMES

GROUPS = {
    "1100:data": N_("in works that are data"),
    "1100:dataset": N_("in data sets"),
    "1200:model": N_("in models"),
    "1300:deployment": N_("in deployments"),
    "1400:prompt": N_("in prompts"),
    "1500:training-of-people": N_("in the training of people"),
    "5000:output": N_("resting in outputs"),
    "5800:obsolescence": N_("lost: obsolescence"),
    "5810:idle": N_("lost: idle"),
    "5820:not-necessary": N_("lost: not socially necessary"),
    "5830:decay": N_("lost: decay"),
    "5890:passed-on": N_("taken back after it had passed on"),
}
MONEY = {
    "cash": N_("cash"),
    "sales": N_("sales"),
    "purchases": N_("purchases"),
    "wages": N_("wages"),
    "rent": N_("rent"),
    "dividends": N_("given out by settlements"),
    "dividend-payable": N_("owed to makers"),
    "owed": N_("owed to the unidentified"),
    "equity": N_("opening balance"),
}
MOVES = {
    "opening": N_("opening balance"),
    "settlement": N_("settled"),
    "payment": N_("paid"),
    "wage": N_("wage paid"),
    "correction": N_("correction"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What was there when the book began."""

    day: str
    seq: int
    what: str
    """A work, or an account of money."""
    evidence: str
    amount: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Labour of one kind, phase and standing: on one work, or of the whole book."""

    work: str
    """Empty: on several works."""
    labour_kind: int
    phase: str
    standing: str
    facts: int
    labour_us: int
    """As far as it was measured."""
    uslh: int
    """After reduction."""
    memo: bool
    """Circulation: in no work."""
    unmeasured: int
    """Facts without a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lies:
    """Labour of one account of the chart, micro-SLH."""

    group: str
    works: int
    received: int | None
    """Of the whole book; ``None`` on a maker's statement."""
    passed: int | None
    uslh: int
    """What lies there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Money of a maker that was settled, paid or taken back, and what was owed then."""

    day: str
    seq: int
    kind: str
    what: str
    for_labour_micro: int | None
    for_influence_micro: int | None
    amount_micro: int
    owed_micro: int | None
    """``None``: a wage, which changes nothing of what is owed."""
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Money accounts of one name."""

    account: str
    currency: str
    debit_micro: int
    credit_micro: int

    @property
    def balance_micro(self) -> int:
        """Debits are positive."""
        return self.debit_micro - self.credit_micro


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """One maker in the whole book."""

    maker: str
    uslh: int
    owed: tuple[tuple[str, int], ...]
    """(currency, micro-units)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything that the page shows."""

    maker: str | None
    made_at: str
    origin: str
    size: int
    root: str
    checkpoint: str
    """The signed note, as it stands."""
    keys: tuple[str, ...]
    sample: bool
    opened: tuple[Opened, ...]
    worked: tuple[Worked, ...]
    more_worked: int
    """Lines of ``worked`` that are added up in its last one."""
    outside: tuple[tuple[str, int], ...]
    """(account, micro-SLH) of labour that came in as machines, energy, sites and bought data."""
    lies: tuple[Lies, ...]
    moves: tuple[Move, ...]
    accounts: tuple[Account, ...]
    makers: tuple[Maker, ...]
    owed: tuple[tuple[str, int], ...]
    """(currency, micro-units): to the maker; of the whole book to all, the unidentified too."""

    @property
    def given_uslh(self) -> int:
        """Labour that came in: worked, from outside, and there at the opening."""
        there = sum(one.amount for one in self.opened if one.unit == "uslh")
        return sum(one.uslh for one in self.worked) + sum(amount for _, amount in self.outside) + there

    @property
    def unmeasured(self) -> int:
        """Facts of labour without a time: what was given is at least what is stated."""
        return sum(one.unmeasured for one in self.worked)

    @property
    def held_uslh(self) -> int:
        """Labour that lies somewhere or was lost: equal, to the last unit."""
        return sum(one.uslh for one in self.lies)


def render(statement: Statement, lang: str = LANGUAGES[0]) -> str:
    """The page: in ``lang`` at first, in the other language under ``#en`` or ``#zh``; nothing to fetch, no script."""
    first = nearest(lang)
    order = sorted(LANGUAGES, key=lambda one: one != first)
    bodies = [(one, key_of(one), Markup(_body(statement, one))) for one in order]  # noqa: S704 — rendered with autoescape
    style = style_sheet("statement.css")
    page = _environment(first).get_template("statement.html.j2")
    return page.render(statement=statement, lang=first, bodies=bodies, style=Markup(style))  # noqa: S704 — our own file


def _body(statement: Statement, lang: str) -> str:
    other = next(one for one in LANGUAGES if one != lang)
    template = _environment(lang).get_template("statement_body.html.j2")
    return template.render(s=statement, key=key_of(lang), other=other, other_key=key_of(other))


@lru_cache(maxsize=len(LANGUAGES))
def _environment(lang: str) -> Environment:
    words = Words(lang)
    return environment(
        words,
        slh=lambda uslh: words.number(Decimal(uslh).scaleb(-6), least=6, most=6),
        spent=lambda us: words.seconds(Decimal(us).scaleb(-6)),
        part=partial(_told, words, LAYER_NAMES),
        group=partial(_told, words, GROUPS),
        account=partial(_told, words, MONEY),
        move=partial(_told, words, MOVES),
    )


def _told(words: Words, names: dict[str, str], name: str | int) -> str:
    """What a name of the books is called; a name that is newer than this page stands for itself."""
    return words.gettext(names.get(str(name), str(name)))

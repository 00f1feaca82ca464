"""What our accounts are called in other people's books: one name an account, and one account a name.

Beancount wants one of five roots, then components of letters, digits and hyphens that begin with a capital or a digit
(its reference, "Accounts"); hledger takes any such name too. So an account is cut where the chart cuts it, each
component is written so, and the root says on which side it stands:

- a small first letter becomes a capital: ``ada`` is ``Ada``;
- a capital first letter stays, and the component ends in a hyphen: ``Ada`` is ``Ada-``;
- a component that begins with anything but a Latin letter or a digit stands between ``X`` and ``---``;
- what is no letter, digit or single hyphen is written as ``--``, its code point in hexadecimal, ``-``.

Letters of every script stay: those of Unicode 3.2, which never change. Two accounts never share a name, none is
another's parent (a Beancount assertion would add them), and :func:`own_name` reads the account back.
"""

import re
from functools import lru_cache
from unicodedata import ucd_3_2_0

ASSETS, LIABILITIES, EQUITY, INCOME, EXPENSES = "Assets", "Liabilities", "Equity", "Income", "Expenses"
WORDS = {
    "cash": ASSETS,
    "sales": INCOME,
    "purchases": EXPENSES,
    "wages": EXPENSES,
    "rent": EXPENSES,
    "dividends": EXPENSES,
    "dividend-payable": LIABILITIES,
    "owed": LIABILITIES,
    "equity": EQUITY,
}
"""First word of a money account → its root."""
NUMBERS = {
    "1": ASSETS,  # stocks
    "4": INCOME,  # sources: living, external
    "49": EQUITY,  # what was there at the opening
    "50": ASSETS,  # outputs hold their labour
    "58": EXPENSES,  # losses
    "9": EXPENSES,  # memo: what was used
}
"""First digits of a labour account → its root; the longest that fits."""
IN_FOUR = {"4000", "4100", "4200", "4300"}
"""Their name is cut into number, word, group and name; of other numbers into number, word and name."""
REMEMBERED = 65_536

_PIECE = re.compile(r"--([0-9a-f]+)-|(.)", re.DOTALL)
_BESIDE = "X"
_NOT_LATIN = "---"
_CAPITAL = "-"


@lru_cache(REMEMBERED)
def their_name(account: str) -> str:
    """An account of ours, as Beancount and hledger call it.

    >>> their_name("1100:data:poem-1"), their_name("dividend-payable:陈静")
    ('Assets:1100:Data:Poem-1', 'Liabilities:Dividend-payable:X陈静---')
    """
    parts = _parts(account)
    return ":".join((root_of(account), *map(_written, parts)))


def own_name(name: str) -> str:
    """The account of ours that has this name elsewhere.

    >>> own_name("Assets:1100:Data:Poem-1"), own_name("Liabilities:Dividend-payable:X陈静---")
    ('1100:data:poem-1', 'dividend-payable:陈静')
    """
    return ":".join(map(_read, name.split(":")[1:]))


def root_of(account: str) -> str:
    """Where an account stands: what holds something, what is owed, what came, what was used up."""
    head, *rest = _parts(account)
    if head in WORDS or not head[:1].isdigit():
        return WORDS.get(head, EQUITY)
    given = rest[:1] == ["meter"] or (head == "9000" and len(rest) > 1)
    if head.startswith("9") and given:
        return INCOME  # the other side of memo: a parent of none of the accounts that it feeds
    found = (NUMBERS[head[:size]] for size in (2, 1) if head[:size] in NUMBERS)
    return next(found, EQUITY)


def _parts(account: str) -> list[str]:
    """The components of an account; a colon in a maker's or a work's name cuts nothing."""
    head = account.partition(":")[0]
    return account.split(":", 3 if head in IN_FOUR else 2 if head[:1].isdigit() else 1)


def _written(part: str) -> str:
    body = "".join(
        sign if _is_plain(sign) or (sign == "-" and _is_plain(part[at + 1 : at + 2])) else f"--{ord(sign):x}-"
        for at, sign in enumerate(part)
    )
    first = part[:1]
    if first.isascii() and first.isalnum():
        return f"{body}{_CAPITAL}" if first.isupper() else body[0].upper() + body[1:]
    return f"{_BESIDE}{body}{_NOT_LATIN}"


def _is_plain(sign: str) -> bool:
    return (sign.isalnum() if sign.isascii() else ucd_3_2_0.category(sign)[0] == "L") if sign else False


def _read(part: str) -> str:
    if part.endswith(_NOT_LATIN):
        return _said(_PIECE.findall(part.removeprefix(_BESIDE).removesuffix(_NOT_LATIN)))
    pieces = _PIECE.findall(part)
    if pieces[-1] == ("", _CAPITAL):  # a hyphen of the name itself never stands at its end
        return _said(pieces[:-1])
    return _said([("", pieces[0][1].lower()), *pieces[1:]])


def _said(pieces: list[tuple[str, str]]) -> str:
    return "".join(chr(int(code, 16)) if code else sign for code, sign in pieces)

"""Accounts under other people's rules: a name an account, an account a name, and none the parent of another."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.accounts.chart import METERS
from gongfen.reports.export.ledger import MEMO, commodity
from gongfen.reports.export.names import NUMBERS, WORDS, own_name, root_of, their_name
from tests.exports import charted, fixed

CHART = Path(__file__).parents[1] / "docs" / "reference" / "accounts.md"


@settings(max_examples=400, deadline=None)
@given(charted())
def test_beancount_takes_every_name_and_we_read_it_back(account: str) -> None:
    from beancount.core import account as rules

    assert rules.is_valid(their_name(account)), their_name(account)
    assert own_name(their_name(account)) == account


@settings(max_examples=400, deadline=None)
@given(st.lists(charted() | st.text(min_size=1, max_size=6), min_size=2, max_size=2, unique=True))
def test_two_accounts_never_share_a_name(two: list[str]) -> None:
    assert their_name(two[0]) != their_name(two[1])


@settings(max_examples=400, deadline=None)
@given(charted(), charted())
def test_no_account_is_the_parent_of_another(one: str, other: str) -> None:
    """A Beancount assertion on a parent adds its children: of work ``a`` it would count work ``a:b`` too."""
    assert not their_name(one).startswith(their_name(other) + ":")


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("1100:data:poem-1", "Assets:1100:Data:Poem-1"),
        ("1100:data:Poem-1", "Assets:1100:Data:Poem-1-"),
        ("1100:data:sotu/1790#4", "Assets:1100:Data:Sotu--2f-1790--23-4"),
        ("1200:model:a:b", "Assets:1200:Model:A--3a-b"),
        ("4000:living:2:陈静", "Income:4000:Living:2:X陈静---"),
        ("4100:living-unpaid:8:ada", "Income:4100:Living-unpaid:8:Ada"),
        ("4200:external:machine:gpu:0", "Income:4200:External:Machine:Gpu--3a-0"),
        ("4300:external:data:scans", "Income:4300:External:Data:Scans"),
        ("4900:opening:ada", "Equity:4900:Opening:Ada"),
        ("5000:output:song-1", "Assets:5000:Output:Song-1"),
        ("5820:not-necessary:w", "Expenses:5820:Not-necessary:W"),
        ("9000:circulation", "Expenses:9000:Circulation"),
        ("9000:circulation:ada", "Income:9000:Circulation:Ada"),
        ("9100:device-us:cpu", "Expenses:9100:Device-us:Cpu"),
        ("9100:meter:device-us", "Income:9100:Meter:Device-us"),
        ("dividend-payable:o'neill", "Liabilities:Dividend-payable:O--27-neill"),
        ("owed:unidentified", "Liabilities:Owed:Unidentified"),
        ("cash", "Assets:Cash"),
        ("sales", "Income:Sales"),
        ("wages:ada", "Expenses:Wages:Ada"),
    ],
)
def test_names_as_a_person_sees_them(account: str, name: str) -> None:
    assert their_name(account) == name
    assert own_name(name) == account


def test_every_account_of_the_chart_has_a_root_of_its_own_choosing() -> None:
    """A new account in the chart needs a place here: without one it would stand under Equity, and nobody would know."""
    heads = {
        found.split(":")[0]
        for row in re.findall(r"^\| (`[^|]+) \|", CHART.read_text("utf-8").split("## What each kind")[0], re.MULTILINE)
        for found in re.findall(r"`([^`]+)`", row)
    }
    assert {"1100", "4000", "5890", "9400", "cash", "equity"} <= heads
    unplaced = {head for head in heads if head not in WORDS and not any(head.startswith(digits) for digits in NUMBERS)}
    assert unplaced == set()
    assert all(root_of(account) for account in fixed())


def test_every_unit_has_a_commodity_and_no_two_share_one() -> None:
    from beancount.core.amount import CURRENCY_RE

    units = ["uslh", "EUR", "CNY", "SLH", *MEMO]
    assert {"us", *METERS} == MEMO
    found = [commodity(unit).name for unit in units]
    assert len(set(found)) == len(units)
    assert all(re.fullmatch(CURRENCY_RE, name) for name in found)
    assert all(name.isalpha() for name in found), "hledger wants quotes around any other"

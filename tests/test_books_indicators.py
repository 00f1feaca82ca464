"""c, v, s and what follows, from a book and from a table of producers; what nobody recorded is unknown, never zero.

Golden numbers: ``economics.md``, section 3, step 7: wages 14,300 → v = 357.5, s = 357.5, e = 1; c = 320, q = 0.8951,
r = 0.52768.
"""

import csv
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gongfen
from gongfen import kinds as k
from gongfen.book.clock import today
from gongfen.facts import Body
from gongfen.facts.amounts import US_PER_HOUR
from tests.books import HASH, new_book
from tests.test_books import SLH, STANDARD, answer, asked, data, labour, make, model
from tests.test_worked_example import SALE, SERVING, TRAINING
from tests.test_worked_example import STANDARD as LAMBDA

WAGES = k.Wage(wage="january", maker="researchers", amount_micro=14_300_000_000, currency="EUR", day="2026-01-31")


def book_of(folder: Path, *facts: Body) -> Path:
    with new_book(folder) as book:
        book.record(*facts)
    return folder


@pytest.fixture
def paid(tmp_path: Path) -> Path:
    """The worked example, sold and with its wages."""
    return book_of(tmp_path, *TRAINING, *SERVING, *SALE, WAGES)


def test_step_7_of_the_worked_example(paid: Path) -> None:
    found = answer(paid, "books", "indicators")
    assert found["constant"] == {"data": 120 * SLH, "machine": 200 * SLH}
    assert (found["constant_uslh"], found["living_uslh"]) == (320 * SLH, 715 * SLH)
    rates = found["rates"]
    assert (rates["constant"], rates["variable"], rates["surplus"], rates["value"]) == ("320", "357.5", "357.5", "1035")
    assert rates["surplus_rate_ppm"] == 1_000_000
    assert rates["composition_ppm"] == 895_105
    assert rates["profit_rate_ppm"] == 527_675
    shown = asked(paid, "books", "indicators").stdout
    for said in ("357.5 h", "0.8951", "0.52768", "EUR 14,300.00", "114.4%"):
        assert said in shown


def test_without_wages_v_s_e_q_and_r_are_unknown_and_not_zero(tmp_path: Path) -> None:
    book_of(tmp_path, *TRAINING, *SERVING, *SALE)
    found = answer(tmp_path, "books", "indicators")
    assert found["rates"] == {
        "constant": "320", "variable": None, "surplus": None, "value": "1035", "surplus_rate_ppm": None,
        "composition_ppm": None, "profit_rate_ppm": None,
    }  # fmt: skip
    assert (found["wages_micro"], found["labour_share_ppm"]) == (None, None)
    assert "no wage is recorded, so v, s, e, q and r are unknown" in asked(tmp_path, "books", "indicators").stdout


def sale(name: str, price_micro: int, day: str) -> k.Sale:
    return k.Sale(sale=name, output="o", price_micro=price_micro, currency="EUR", day=day)


def test_the_indicators_have_a_course_where_there_are_months(tmp_path: Path) -> None:
    """Two hours are sold in January; in February they are sold again, and their value is not counted twice."""
    output = k.Output(output="o", sha256=HASH, size_bytes=0)
    book_of(tmp_path, STANDARD, k.Enrol(maker="ada"), output,
            labour("o", 2, 4, phase="inference", days=1), sale("one", 500_000_000, "2026-01-31"))  # fmt: skip
    assert "month by month" not in asked(tmp_path, "books", "indicators").stdout, "one month has no course"
    with gongfen.open(tmp_path / "book.db", by="test") as book:
        book.record(sale("again", 250_000_000, "2026-02-02"))
        january, february = book.indicators().months
        assert (january.sales_micro, january.value_micro) == (500_000_000, 80_000_000)
        assert (february.sales_micro, february.value_micro) == (250_000_000, None)
        assert len(book.indicators("2026").months) == 2
        assert book.indicators("2026-02").months == book.indicators("2025").months == ()
    for columns in ("80", "50"):
        for lang, head, none in (("en", "month by month", "none"), ("zh", "逐月", "无")):
            text = asked(tmp_path, "books", "indicators", COLUMNS=columns, GONGFEN_LANG=lang).stdout
            below = text[text.index(head) :]
            assert re.search(r"▒─+◆", below)
            assert none in below


def test_a_sale_that_no_rate_counts_is_unknown_and_not_nothing(tmp_path: Path) -> None:
    """What was sold fetched something: neither Σpq nor the labour in it is zero."""
    (one,) = SALE
    book_of(tmp_path, *TRAINING, *SERVING, msgspec.structs.replace(one, currency="USD"))
    prices = answer(tmp_path, "books", "indicators")["prices"]
    assert (prices["counted"], prices["price"], prices["value"], prices["left_out"]) == (0, None, None, ["reviewed"])
    shown = asked(tmp_path, "books", "indicators").stdout
    assert "Σpq" not in shown
    assert "prices against values: unknown" in shown
    assert "no rate is published for USD" in shown


def test_a_book_in_which_nothing_came_from_outside_has_an_unknown_c(tmp_path: Path) -> None:
    book_of(tmp_path, STANDARD, k.Enrol(maker="ada"), data("d"), labour("d", 2, 2))
    found = answer(tmp_path, "books", "indicators")
    assert (found["constant_uslh"], found["living_uslh"], found["sales_micro"]) == (None, 2 * SLH, None)
    assert (found["prices"], found["owners"]) == (None, [])


def test_unpaid_labour_is_in_l_and_e_stands_with_and_without_it(tmp_path: Path) -> None:
    """2 paid and 1 unpaid hours, wages worth 1: e = 2, without the unpaid 1."""
    book_of(
        tmp_path, STANDARD, k.Enrol(maker="ada"), data("d"), labour("d", 2, 2), labour("d", 1, 1, standing="unpaid"),
        k.Wage(wage="w", maker="ada", amount_micro=40_000_000, currency="EUR", day="2026-01-01"),
    )  # fmt: skip
    found = answer(tmp_path, "books", "indicators")
    assert (found["living_uslh"], found["unpaid_uslh"]) == (3 * SLH, SLH)
    assert (found["rates"]["surplus_rate_ppm"], found["surplus_rate_paid_ppm"]) == (2_000_000, 1_000_000)
    assert "without the unpaid labour e is 1" in asked(tmp_path, "books", "indicators").stdout


def test_what_makes_no_value_is_not_in_l(tmp_path: Path) -> None:
    """Thrown-away labour, business labour in memo, and labour that was corrected."""
    with new_book(tmp_path) as book:
        book.record(STANDARD, k.Enrol(maker="ada", form="group", people=9), data("d"), labour("d", 2, 2),
                    labour("d", 5, 2, discarded=True), labour("d", 7, 8))  # fmt: skip
        (wrong,) = book.record(labour("d", 11, 2))
        book.record(k.Correction(correction="c", fact=book.log.fact(wrong).id, reason="nobody worked it"))
    found = answer(tmp_path, "books", "indicators")
    assert (found["living_uslh"], found["not_necessary_uslh"]) == (2 * SLH, 5 * SLH)


def test_labour_that_nobody_measured_makes_l_a_lower_bound(tmp_path: Path) -> None:
    book_of(tmp_path, STANDARD, k.Enrol(maker="ada"), data("d"), labour("d", 2, 2),
            k.Labour(maker="ada", work="d", labour_kind=2, phase="training", standing="unpaid", labour_us=None,
                     day="2026-01-01", quality="unmeasured"))  # fmt: skip
    assert answer(tmp_path, "books", "indicators")["lower_bound"] is True
    assert "never measured: c and L are at least this" in asked(tmp_path, "books", "indicators").stdout


def test_a_period_counts_what_is_dated_in_it(tmp_path: Path) -> None:
    """300 hours over 300 days from 1 January: 31 in January, 28 in February, 300 in the year."""
    wage = {"maker": "ada", "amount_micro": 40_000_000, "currency": "EUR"}
    book_of(
        tmp_path, STANDARD, k.Enrol(maker="ada"), data("d"), labour("d", 300, 2),
        k.Wage(wage="w-1", day="2026-01-31", **wage), k.Wage(wage="w-2", day="2026-02-28", **wage),
    )  # fmt: skip
    for period, hours, wages in (("2026-01", 31, 1), ("2026-02", 28, 1), ("2026", 300, 2), ("2026-01-05", 1, None)):
        found = answer(tmp_path, "books", "indicators", period)
        assert found["living_uslh"] == hours * SLH, period
        assert found["wages_micro"] == (None if wages is None else wages * 40_000_000)
    assert answer(tmp_path, "books", "indicators", "2025")["living_uslh"] is None
    assert "InputError" in asked(tmp_path, "books", "indicators", "soon", code=2).stderr


def test_what_machines_and_purchases_gave_counts_on_its_day_whenever_it_was_recorded(tmp_path: Path) -> None:
    """Two hours at λ = 0.04 in November 2024 and 3 SLH bought in December; all of it written down today."""
    from gongfen.book.bookkeeping.valuing import months_of

    run = {"machine": "desk", "device": "gpu", "work": "d", "device_us": 2 * US_PER_HOUR}
    bought = {"item": "corpus", "source": "data", "work": "d", "price_micro": 1, "currency": "EUR",
              "embodied_uslh": 3 * SLH, "evidence": "test"}  # fmt: skip
    book_of(
        tmp_path, LAMBDA, k.Enrol(maker="desk", form="machine"), k.Enrol(maker="ada"), data("d"),
        k.Compute(day="2024-11-20", **run), k.Purchase(day="2024-12-01", **bought), k.Compute(**run),
        k.Wage(wage="w", maker="ada", amount_micro=1, currency="EUR", day="2024-11-01"),
    )  # fmt: skip
    now = today()[:7]
    for period, uslh in (("2024-11", 80_000), ("2024-12", 3 * SLH), ("2024", 3 * SLH + 80_000), (now, 80_000)):
        assert answer(tmp_path, "books", "indicators", period)["constant_uslh"] == uslh, period
    with gongfen.open(tmp_path / "book.db") as book:
        assert max(one.month for one in months_of(book.log, "EUR")) == now
    rows = csv.DictReader(asked(tmp_path, "export", "csv").stdout.splitlines())
    assert {row["day"] for row in rows if row["kind"] in ("compute", "purchase")} == {
        "2024-11-20", "2024-12-01", today(),
    }  # fmt: skip


def test_months_add_up_to_the_year(paid: Path) -> None:
    year = answer(paid, "books", "indicators", "2026")
    months = [answer(paid, "books", "indicators", month) for month in ("2026-01", "2026-02")]
    assert sum(one["living_uslh"] for one in months) == year["living_uslh"] == 715 * SLH


def sold(name: str, hours: int, price: int) -> list[Body]:
    return [
        k.Output(output=name, sha256=HASH, size_bytes=0),
        labour(name, hours, 4, phase="inference"),
        k.Sale(sale=f"sale-{name}", output=name, price_micro=price * SLH, currency="EUR", day="2026-03-01"),
    ]


def test_what_bears_rent_is_named(tmp_path: Path) -> None:
    """Five at 40 an hour, more or less, and one at ten times that."""
    outputs = [
        sold("a", 1, 40),
        sold("b", 2, 82),
        sold("c", 3, 117),
        sold("d", 1, 41),
        sold("e", 2, 78),
        sold("oil", 1, 400),
    ]
    book_of(tmp_path, STANDARD, k.Enrol(maker="ada"), *(fact for facts in outputs for fact in facts))
    prices = answer(tmp_path, "books", "indicators")["prices"]
    assert [(one["name"], one["bears_rent"]) for one in prices["outliers"]] == [("oil", True)]
    assert (prices["counted"], prices["price"], prices["value"]) == (6, "758", "400")
    assert prices["mawd_ppm"] == round(
        (400 - 75.8 + sum(abs(p - 75.8 * h) for p, h in ((40, 1), (82, 2), (117, 3), (41, 1), (78, 2)))) / 758 * 10**6
    )
    assert "oil bears rent" in asked(tmp_path, "books", "indicators").stdout


def test_two_prices_twelve_and_eight_for_the_same_labour_deviate_by_a_fifth(tmp_path: Path) -> None:
    """p = (12, 8), v = (10, 10): MAWD = CV = .2, d = .197075."""
    book_of(tmp_path, STANDARD, k.Enrol(maker="ada"), *sold("iron", 10, 12), *sold("corn", 10, 8))
    prices = answer(tmp_path, "books", "indicators")["prices"]
    assert (prices["mawd_ppm"], prices["variation_ppm"], prices["distance_ppm"]) == (200_000, 200_000, 197_075)


def test_an_output_that_no_labour_was_recorded_for_is_named(tmp_path: Path) -> None:
    book_of(
        tmp_path, STANDARD, k.Output(output="o", sha256=HASH, size_bytes=0),
        k.Sale(sale="s", output="o", price_micro=5 * SLH, currency="EUR", day="2026-03-01"),
    )  # fmt: skip
    found = answer(tmp_path, "books", "indicators")
    assert (found["prices"]["without_value"], found["lower_bounds_sold"]) == (["o"], ["o"])


def test_owners_are_as_concentrated_as_the_rents_they_are_paid(paid: Path) -> None:
    """3 and 1 of 4: 9/16 + 1/16 = 0.625."""
    import gongfen

    rent = {"currency": "EUR", "day": "2026-02-01"}
    with gongfen.open(paid / "book.db") as book:
        book.record(
            k.Rent(rent="1", owned="machine", owner="cloud", amount_micro=2 * SLH, **rent),
            k.Rent(rent="2", owned="machine", owner="cloud", amount_micro=SLH, **rent),
            k.Rent(rent="3", owned="machine", owner="school", amount_micro=SLH, **rent),
            k.Rent(rent="4", owned="model", owner="lab", amount_micro=7 * SLH, **rent),
        )
    found = {
        one["owned"]: (one["concentration_ppm"], one["amounts"])
        for one in answer(paid, "books", "indicators")["owners"]
    }
    assert found == {"machine": (625_000, {"cloud": "3", "school": "1"}), "model": (1_000_000, {"lab": "7"})}
    assert answer(paid, "books", "indicators", "2026-01")["owners"] == []


def test_money_without_a_rate_is_unknown_and_named(paid: Path) -> None:
    import gongfen

    with gongfen.open(paid / "book.db") as book:
        book.record(k.Wage(wage="dollars", maker="researchers", amount_micro=SLH, currency="USD", day="2026-02-01"))
        found = book.indicators()
        assert (found.wages_micro, found.unrated, found.rates.variable) == (None, ("USD",), None)
        book.record(k.Rate(rate="r", currency="USD", into="EUR", num=1, den=2, day="2026-02-01", source="test"))
        assert book.indicators().wages_micro == 14_300_500_000


def test_the_labour_share_is_wages_and_dividends_of_sales(tmp_path: Path) -> None:
    from tests.books import cooperative

    book = cooperative(tmp_path)
    book.settle("2026-11")
    shares = book.indicators("2026-11")
    assert shares.labour_share_ppm is None, "no wage is recorded"
    assert shares.dividend_share_ppm == round(shares.dividends_micro * 10**6 / 10_010_000)
    book.record(k.Wage(wage="w", maker="ada", amount_micro=1_000_000, currency="EUR", day="2026-11-03"))
    assert book.indicators("2026-11").labour_share_ppm == round((shares.dividends_micro + 10**6) * 10**6 / 10_010_000)
    book.close()


def test_without_a_standard_there_is_no_mu_and_that_is_said(tmp_path: Path) -> None:
    book_of(tmp_path, k.Enrol(maker="ada"))
    assert "MissingAssumptionError" in asked(tmp_path, "books", "indicators", code=2).stderr


def test_labour_from_an_older_book_is_in_c(tmp_path: Path) -> None:
    lots = (k.Lot(work="d", name="old", amount_uslh=3 * SLH),)
    book_of(tmp_path, STANDARD, data("d"), k.Opening(opening="o", lots=lots, evidence="the old book"))
    assert answer(tmp_path, "books", "indicators")["constant"] == {"opening": 3 * SLH}


def test_what_the_indicators_count_is_what_the_ledger_holds(tmp_path: Path) -> None:
    """c is what came from outside, and L with what was not necessary is all living labour, under any history."""
    book_of(tmp_path, *TRAINING, *SERVING, k.Enrol(maker="ada"), labour("raw-data", 7, 2, discarded=True),
            labour("raw-data", 3, 8), labour("service", 2, 5, standing="unpaid", phase="operation"))  # fmt: skip
    ledger, found = answer(tmp_path, "books"), answer(tmp_path, "books", "indicators")
    living = ledger["given"]["living"] + ledger["given"]["living-unpaid"]
    assert found["living_uslh"] + found["not_necessary_uslh"] == living == (715 + 7 + 2) * SLH
    assert found["unpaid_uslh"] == ledger["given"]["living-unpaid"] == 2 * SLH
    assert found["constant_uslh"] + living == ledger["given_uslh"]


# -- several producers -------------------------------------------------------------------------------------------------

TABLE = """producer,revenue,c,v,s,owner of model,owner of machines
press,12500,320,357.5,357.5,lab,cloud
radio,9000,100,200,200,lab,cloud
school,3000,50,100,80,commons,commons
"""


def table(folder: Path, text: str, name: str = "producers.csv") -> Any:
    (folder / name).write_text(text, encoding="utf-8")
    return asked(folder, "books", "indicators", "--table", name, "--json")


def test_producers_of_a_table_are_set_side_by_side(tmp_path: Path) -> None:
    found = json.loads(table(tmp_path, TABLE).stdout)
    press, radio, school = found["producers"]
    assert press["rates"]["composition_ppm"] == 895_105
    assert (radio["rates"]["composition_ppm"], school["rates"]["surplus_rate_ppm"]) == (500_000, 800_000)
    assert found["composition_mean_ppm"] == round(470 / 657.5 * 10**6)
    assert found["sellers_ppm"] == round((12_500**2 + 9_000**2 + 3_000**2) / 24_500**2 * 10**6)
    owners = {one["owned"]: one["concentration_ppm"] for one in found["owners"]}
    both = round((21_500**2 + 3_000**2) / 24_500**2 * 10**6)
    assert owners == {"model": both, "machine": both}


def test_equal_compositions_do_not_disperse(tmp_path: Path) -> None:
    """q = ½ and q = ½: variation 0; q = 1 and q = 0 at equal v: mean ½, variation 1."""
    same = "producer,revenue,c,v,s\na,1,5,10,1\nb,1,50,100,1\n"
    assert json.loads(table(tmp_path, same).stdout)["composition_variation_ppm"] == 0
    apart = "producer,revenue,c,v,s\na,1,10,10,1\nb,1,0,10,1\n"
    assert json.loads(table(tmp_path, apart).stdout)["composition_variation_ppm"] == 1_000_000


def test_what_a_table_leaves_out_is_unknown(tmp_path: Path) -> None:
    found = json.loads(table(tmp_path, "producer;revenue;c;v;s;owner of model\na;10;1;;1;lab\nb;;1;2;1;\n").stdout)
    assert found["composition_left_out"] == ["a"]
    assert (found["sellers_ppm"], found["owners"]) == (None, [])
    assert found["producers"][0]["rates"]["value"] is None
    assert found["producers"][1]["revenue"] is None
    assert "owners: unknown" in asked(tmp_path, "books", "indicators", "--table", "producers.csv").stdout


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("", "is empty"),
        ("producer,revenue\n", "names no producer"),
        ("producer,c\na,1\n", "no column revenue"),
        ("producer,revenue,profit\na,1,1\n", "column profit, is not one of the table's"),
        ("producer,revenue\na,1\na,2\n", "row a stands there twice"),
        ("producer,revenue\na,many\n", "row a, column revenue is no number"),
        ("producer,revenue,revenue\na,1,1\n", "more than one column"),
        ("producer,revenue\na,-1\n", "below zero"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_place(tmp_path: Path, text: str, needle: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    found = asked(tmp_path, "books", "indicators", "--table", "t.csv", code=2).stderr
    assert "InputError" in found
    assert needle.replace(", is", " is") in found


def test_a_period_of_a_table_is_refused(tmp_path: Path) -> None:
    assert "InputError" in asked(tmp_path, "books", "indicators", "2026", "--table", "t.csv", code=2).stderr


def test_a_loss_of_surplus_may_be_below_zero(tmp_path: Path) -> None:
    found = json.loads(table(tmp_path, "producer,revenue,c,v,s\na,1,1,10,-2\n").stdout)
    assert found["producers"][0]["rates"]["surplus_rate_ppm"] == -200_000


def test_models_that_were_sold_through_are_in_the_deviation_with_all_their_labour(paid: Path) -> None:
    prices = answer(paid, "books", "indicators")["prices"]
    assert (prices["counted"], prices["price"]) == (1, "12500")
    assert prices["value"] == "636", "40 · 15.9: the thousand reviewed calls"
    assert make("m", "train", {}, "x").outputs == ("x",)
    assert model("m").parameters == 1


def two_paid(folder: Path, *facts: Body) -> Path:
    book_of(folder, STANDARD, k.Enrol(maker="ada"), k.Enrol(maker="bo"), k.Enrol(maker="eve"), data("d"))
    with gongfen.open(folder / "book.db", by="test") as book:
        for maker, standing in (("ada", "employed"), ("bo", "crowd"), ("eve", "unpaid")):
            book.record(
                k.Labour(maker=maker, work="d", labour_kind=2, phase="training", standing=standing, labour_us=60_000_000,
                         day="2026-01-05")
            )  # fmt: skip
        book.record(*facts)
    return folder


def heard(folder: Path, *words: str) -> str:
    return " ".join(asked(folder, "books", "indicators", *words).stdout.split())


def test_wages_of_some_makers_are_not_taken_for_all(tmp_path: Path) -> None:
    """Two were paid, one wage is recorded: v is at least that, and it is said of how many none is known."""
    two_paid(tmp_path, k.Wage(wage="w", maker="ada", amount_micro=40_000_000, currency="EUR", day="2026-01-05"))
    assert answer(tmp_path, "books", "indicators")["without_wage"] == ["bo"]
    assert "of 1 maker of paid labour no wage is recorded" in heard(tmp_path)


def test_wages_without_a_rate_are_not_called_missing(tmp_path: Path) -> None:
    two_paid(tmp_path, k.Wage(wage="w", maker="ada", amount_micro=40_000_000, currency="USD", day="2026-01-05"))
    assert "wages lack a rate into EUR" in heard(tmp_path)
    assert "no wage is recorded" not in heard(tmp_path)


def test_an_answer_says_after_which_fact_it_stands_and_whether_the_period_is_closed(tmp_path: Path) -> None:
    two_paid(tmp_path)
    assert "after 8 facts; not closed" in heard(tmp_path, "2026-01")
    with gongfen.open(tmp_path / "book.db", by="test") as book:
        book.close_period("2026-01")
    assert "after 9 facts; the period is closed by" in heard(tmp_path, "2026-01")

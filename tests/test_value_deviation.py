"""How far prices lie from values: exact, free of units, and robust against those that bear rent."""

from fractions import Fraction
from math import atan, cos, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.errors import InputError
from gongfen.value import Priced, decimal, deviation

above_zero = st.fractions(Fraction(1, 100), 1000, max_denominator=100)
outputs = st.dictionaries(
    st.text(max_size=3), st.builds(Priced, above_zero, above_zero, st.integers(1, 50)), min_size=1, max_size=8
)


def test_two_goods():
    """economics.md, section 4: p = (12, 8), v = (10, 10), q = (1, 1)."""
    found = deviation(
        {"iron": Priced(Fraction(12), Fraction(10)), "corn": Priced(Fraction(8), Fraction(10))}, melt=Fraction(1)
    )
    assert (found.price, found.value, found.scale) == (20, 20, 1)
    assert (found.mawd, found.variation) == (Fraction(1, 5), Fraction(1, 5))
    assert decimal(found.distance, 6) == "0.197075"


def test_totals_are_compared_under_mu():
    """economics.md, section 3, step 6: sold for 12,500, and worth 240 SLH at μ = 40."""
    found = deviation({"calls": Priced(Fraction(12_500), Fraction(240))}, melt=Fraction(40))
    assert (found.price, found.value) == (12_500, 9_600)
    assert found.scale == Fraction(12_500, 240)


@settings(deadline=None)
@given(outputs)
def test_there_is_no_deviation_where_prices_are_proportional_to_values_and_only_there(sold):
    found = deviation(sold)
    proportional = len({one.price / one.value for one in sold.values()}) == 1
    assert (found.mawd == 0) is proportional
    assert (found.variation == 0) is proportional
    assert (found.distance == 0) is proportional


@settings(deadline=None)
@given(outputs, above_zero, above_zero)
def test_units_of_money_and_of_labour_do_not_matter(sold, money, labour):
    changed = {name: Priced(one.price * money, one.value * labour, one.quantity) for name, one in sold.items()}
    first, second = deviation(sold), deviation(changed)
    assert first.mawd == second.mawd
    assert abs(first.variation - second.variation) < Fraction(1, 10**30)
    assert first.outliers == second.outliers


@settings(deadline=None)
@given(outputs)
def test_a_thing_sold_in_two_lots_is_the_same_thing(sold):
    """Weights are quantities: nothing changes when each output is cut into lots."""
    lots = {
        f"{name}/{lot}": Priced(one.price, one.value, one.quantity * share)
        for name, one in sold.items()
        for lot, share in (("a", Fraction(1, 3)), ("b", Fraction(2, 3)))
    }
    first, second = deviation(sold), deviation(lots)
    assert (first.mawd, first.variation, first.distance) == (second.mawd, second.variation, second.distance)


@settings(deadline=None)
@given(outputs)
def test_the_distance_is_that_of_the_angle(sold):
    """d = √(2(1 − cos arctan CV)), once by the trigonometry of the machine. From 0 to √2."""
    found = deviation(sold)
    assert float(found.distance) == pytest.approx(sqrt(2 * (1 - cos(atan(float(found.variation))))), abs=1e-7)
    assert 0 <= found.distance**2 < 2


def test_a_price_without_value_is_nothing_but_rent():
    found = deviation({"name": Priced(Fraction(5), Fraction(0)), "poem": Priced(Fraction(5), Fraction(1))})
    assert found.without_value == ("name",)
    assert found.mawd == 1
    assert (found.variation, found.distance) == (None, None)


def test_what_is_unknown_is_left_out_and_named():
    known = {"iron": Priced(Fraction(12), Fraction(10)), "corn": Priced(Fraction(8), Fraction(10))}
    unknown = {
        "gift": Priced(None, Fraction(10)),
        "mystery": Priced(Fraction(8), None),
        "unsold": Priced(Fraction(3), Fraction(3), 0),
    }
    found = deviation(known | unknown)
    assert found.left_out == ("gift", "mystery")
    assert (found.price, found.mawd, found.variation) == (20, Fraction(1, 5), Fraction(1, 5))
    assert found.value is None


def test_nothing_sold_deviates_from_nothing():
    for nothing in ({}, {"gift": Priced(Fraction(0), Fraction(3))}, {"name": Priced(Fraction(5), Fraction(0))}):
        found = deviation(nothing)
        assert (found.mawd, found.variation, found.distance, found.outliers) == (None, None, None, ())


def test_less_than_nothing_is_refused():
    with pytest.raises(InputError, match="iron has a price, value or quantity below zero"):
        deviation({"iron": Priced(Fraction(-1), Fraction(1))})


# Outliers

COMMON = {
    f"sector {at}": Priced(Fraction(ratio, 100), Fraction(1))
    for at, ratio in enumerate((90, 95, 98, 100, 102, 105, 110))
}


def test_oil_bears_rent_and_gifts_give_value_away():
    """By hand: median 1.00, deviations .10 .05 .02 0 .02 .05 .10 and those of oil and gift: MAD .05."""
    found = deviation(COMMON | {"oil": Priced(Fraction(3), Fraction(1)), "gift": Priced(Fraction(1, 10), Fraction(1))})
    assert [(outlier.name, outlier.bears_rent) for outlier in found.outliers] == [("oil", True), ("gift", False)]
    assert found.outliers[0].score == Fraction(6745, 10_000) * 2 / Fraction(5, 100)
    assert found.outliers[0].ratio == 3 / found.scale


def test_an_outlier_cannot_hide_another():
    """With mean and standard deviation the larger of two would: the rule is robust."""
    found = deviation(COMMON | {"oil": Priced(Fraction(3), Fraction(1)), "land": Priced(Fraction(1_000), Fraction(1))})
    assert [outlier.name for outlier in found.outliers] == ["land", "oil"]


def test_common_prices_have_no_outlier():
    assert deviation(COMMON).outliers == ()


def test_where_most_prices_are_the_same_the_mean_deviation_takes_over():
    """Median and MAD say nothing when more than half are equal."""
    same = {str(at): Priced(Fraction(1), Fraction(1)) for at in range(9)}
    assert deviation(same).outliers == ()
    assert [outlier.name for outlier in deviation(same | {"oil": Priced(Fraction(3), Fraction(1))}).outliers] == ["oil"]


def test_four_outputs_name_no_outlier():
    few = {str(at): Priced(Fraction(1), Fraction(1)) for at in range(3)} | {"oil": Priced(Fraction(30), Fraction(1))}
    assert deviation(few).outliers == ()

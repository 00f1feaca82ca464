"""Reductions, computing, averages, rents, indicators, sensitivity: each against the numbers it is known by."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gongfen.errors import InputError, MalformedFactError, MissingAssumptionError
from gongfen.facts.kinds import Reduction
from gongfen.value import (
    RULES,
    Assumption,
    Capital,
    automates,
    automation_threshold,
    capital,
    chosen,
    concentration,
    decimal,
    dispersion,
    every_rule,
    flop_of_pf_days,
    flop_per_second,
    hilferding,
    inference_flop,
    labour_share,
    machine_hours,
    money,
    pf_days,
    rents,
    rents_of,
    rowthorn,
    social_average,
    tornado,
    training_flop,
    utilisation,
    wage_ratio,
)
from tests.books import cooperative

amounts = st.fractions(0, 10**6, max_denominator=1000)
above_zero = st.fractions(Fraction(1, 1000), 10**6, max_denominator=1000)
LIFE = 68_000


# Reductions


def test_reductions_by_hilferding_and_rowthorn():
    """economics.md, section 1: H = 68,000 h."""
    assert hilferding(6_800, 2_000, LIFE) == Fraction(96, 85)
    assert rowthorn(6_800, 1_200, LIFE) == Fraction(187, 167)


def test_a_reduction_fits_a_standard_without_rounding():
    found = rowthorn(6_800, 1_200, LIFE)
    stored = Reduction(skill="engineer", num=found.numerator, den=found.denominator)
    assert Fraction(stored.num, stored.den) == found


def test_every_rule_side_by_side_the_default_first():
    found = every_rule(6_800, 1_200, LIFE, wage=60, simple_wage=20)
    assert found == {"rowthorn": Fraction(187, 167), "wage": 3, "hilferding": Fraction(19, 17), "uniform": 1}
    assert tuple(found) == RULES
    assert chosen(found) == Fraction(187, 167)
    assert chosen(found, "wage") == 3


def test_what_a_rule_needs_and_nobody_knows_stays_unknown():
    found = every_rule(None, None, LIFE)
    assert found == {"rowthorn": None, "wage": None, "hilferding": None, "uniform": 1}
    with pytest.raises(MissingAssumptionError, match="needs times of study and teaching"):
        chosen(found)
    with pytest.raises(MissingAssumptionError, match="needs wages"):
        chosen(found, "wage")
    with pytest.raises(MalformedFactError, match="is no rule"):
        chosen(found, "marx")


def test_complex_labour_never_counts_less_than_simple_labour():
    with pytest.raises(MalformedFactError, match="3/4 of simple labour") as raised:
        wage_ratio(15, 20)
    assert "uniform" in raised.value.remedy


@pytest.mark.parametrize("times", [(1, 1, 0), (-1, 1, LIFE), (1, -1, LIFE), (0, LIFE, LIFE)])
def test_impossible_times_are_refused(times):
    with pytest.raises(MalformedFactError):
        rowthorn(*times)


def test_wages_of_nothing_are_refused():
    with pytest.raises(MalformedFactError, match="above zero"):
        wage_ratio(15, 0)


@settings(deadline=None)
@given(study=amounts, teach=st.fractions(0, 60_000))
def test_rowthorn_counts_no_less_than_hilferding(study, teach):
    """(1 + a)/(1 − b) ≥ 1 + a + b: teachers' labour is skilled too. Equal only where nobody teaches."""
    assert rowthorn(study, teach, LIFE) >= hilferding(study, teach, LIFE) >= 1
    assert (rowthorn(study, teach, LIFE) == hilferding(study, teach, LIFE)) is (teach == 0)


# Computing


def test_gpt_3():
    """economics.md, section 4; Brown et al. 2020, table D.1: 175e9 parameters, 300e9 tokens, 3,640 PF-days."""
    assert training_flop(175 * 10**9, 300 * 10**9) == 315 * 10**21
    assert decimal(pf_days(315 * 10**21), 1) == "3645.8"
    assert flop_of_pf_days(3_640) == 314_496 * 10**18
    done = flop_per_second(flop_of_pf_days(3_640), Fraction(148, 10), 10_000)
    assert done is not None
    assert decimal(done / 10**12, 2) == "24.59"
    assert decimal(utilisation(done, 125 * 10**12) * 100, 1) == "19.7"
    assert machine_hours(Fraction(148, 10), 10_000) == 3_552_000


def test_an_answer_takes_two_flop_for_every_parameter_and_token():
    assert inference_flop(175 * 10**9, 100) == 35 * 10**12


def test_machines_that_did_not_run_have_no_speed():
    assert flop_per_second(10**21, 0, 8) is None
    assert flop_per_second(10**21, 1, 0) is None
    assert utilisation(None, 10**12) is None
    assert utilisation(Fraction(1), None) is None
    assert utilisation(Fraction(1), 0) is None


def test_half_a_parameter_is_refused():
    with pytest.raises(MalformedFactError, match="count them"):
        training_flop(1.5, 2)
    with pytest.raises(MalformedFactError, match="tokens cannot be -1"):
        inference_flop(1, -1)


# The social average


def test_the_social_average_of_three():
    """economics.md, section 1: times 4, 5, 9 h for 100, 60, 40 units."""
    found = social_average({"ada": (4, 100), "bo": (5, 60), "cy": (9, 40)})
    assert found.time == Fraction(53, 10)
    assert found.transfers == {"ada": 130, "bo": 18, "cy": -148}
    assert found.not_necessary == 148


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.tuples(amounts, amounts), max_size=6))
def test_what_some_give_others_gain(producers):
    found = social_average(producers)
    assert sum(found.transfers.values()) == 0
    made = sum(units for _, units in producers.values())
    assert (found.time is None) is (made == 0)
    if found.time is not None:
        assert found.time * made == sum(time * units for time, units in producers.values())
        assert found.not_necessary >= 0


def test_less_than_no_time_is_refused():
    with pytest.raises(MalformedFactError, match="ada has a time"):
        social_average({"ada": (-1, 3)})


# Rent


def test_rents_of_the_worked_example():
    """economics.md, section 3, step 6."""
    found = rents(12_500, 165, 75, 40)
    assert (found.average, found.reproduction, found.past) == (2_900, 9_500, 6_600)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """What a real book answers about its one song, which sold for 10.01."""
    with cooperative(tmp_path_factory.mktemp("cooperative")) as book:
        yield book.worth("song-1")


def test_rents_of_a_book_are_those_it_shows(song):
    found = rents_of(song)
    assert found.past == Fraction(song.melt_micro * song.transferred_uslh, 10**6) > 0
    assert found.at_most is song.unmeasured is True
    assert found.reproduction_at_most is song.untimed is False
    assert abs(found.average - song.rent_avg_micro) <= Fraction(1, 2)
    assert abs(found.reproduction - song.rent_repro_micro) <= Fraction(1, 2)


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_theories_differ_by_the_past_labour_exactly(song, price, past, now, melt):
    answer = replace(song, price_micro=price, transferred_uslh=past, living_uslh=now, melt_micro=melt)
    found = rents_of(answer)
    assert found.reproduction - found.average == Fraction(melt * past, 10**6)
    assert abs(price - money(past + now, melt) - found.average) <= Fraction(1, 2)
    assert abs(price - money(now, melt) - found.reproduction) <= Fraction(1, 2)


def test_what_was_not_sold_has_no_rent(song):
    assert rents_of(replace(song, price_micro=None)) is None


# Indicators


def test_step_7_of_the_worked_example():
    """economics.md, section 3, step 7: wages 14,300 at μ = 40, c = 200 + 120, L = 715."""
    found = capital(constant=Fraction(320), living=Fraction(715), wages=Fraction(14_300), melt=Fraction(40))
    assert (found.variable, found.surplus, found.surplus_rate) == (Fraction(715, 2), Fraction(715, 2), 1)
    assert decimal(found.composition, 4) == "0.8951"
    assert decimal(found.profit_rate, 5) == "0.52768"
    assert found.value == 1_035


@settings(deadline=None)
@given(c=amounts, v=above_zero, s=amounts)
def test_the_rate_of_profit_falls_with_the_composition(c, v, s):
    found = Capital(constant=c, variable=v, surplus=s)
    assert found.profit_rate == found.surplus_rate / (1 + found.composition)
    assert found.value == c + v + s


def test_what_is_unknown_is_never_zero():
    unpaid = Capital(constant=Fraction(10), variable=Fraction(0), surplus=Fraction(5))
    assert (unpaid.surplus_rate, unpaid.composition, unpaid.profit_rate) == (None, None, Fraction(1, 2))
    unknown = capital(constant=None, living=Fraction(5), wages=Fraction(40), melt=Fraction(40))
    assert (unknown.value, unknown.composition, unknown.profit_rate, unknown.surplus_rate) == (None, None, None, 4)
    assert capital(Fraction(1), Fraction(5), Fraction(40), Fraction(0)).variable is None
    assert capital(Fraction(1), Fraction(5), None, Fraction(40)).surplus is None
    assert labour_share(Fraction(5), None, Fraction(10)) is None
    assert labour_share(Fraction(5), Fraction(0), Fraction(0)) is None
    assert concentration({"ada": Fraction(1), "bo": None}) is None
    assert concentration({}) is None
    assert concentration({"ada": Fraction(0)}) is None
    assert automates(None, Fraction(20), Fraction(2)) is None
    assert automation_threshold(Fraction(20), None) is None


def test_the_labour_share_counts_wages_and_dividends():
    assert labour_share(Fraction(14_300), Fraction(1_450), Fraction(31_500)) == Fraction(1, 2)


def test_concentration_of_one_of_equals_and_of_unequals():
    assert concentration({"ada": Fraction(7)}) == 1
    assert concentration(dict.fromkeys("abcd", Fraction(3))) == Fraction(1, 4)
    assert concentration({"ada": Fraction(60), "bo": Fraction(30), "cy": Fraction(10)}) == Fraction(46, 100)
    with pytest.raises(InputError, match="below zero"):
        concentration({"ada": Fraction(-1)})


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), above_zero, min_size=1, max_size=6))
def test_concentration_lies_between_equals_and_one(sellers):
    assert Fraction(1, len(sellers)) <= concentration(sellers) <= 1


def test_dispersion_of_composition():
    """By hand: q = 1 and 3 with v = 10 and 10: mean 2, standard deviation 1."""
    found = dispersion({
        "hand": Capital(constant=Fraction(10), variable=Fraction(10), surplus=Fraction(5)),
        "machine": Capital(constant=Fraction(30), variable=Fraction(10), surplus=Fraction(5)),
        "nobody paid": Capital(constant=Fraction(30), variable=Fraction(0), surplus=None),
        "unknown": Capital(constant=None, variable=Fraction(1), surplus=None),
    })  # fmt: skip
    assert (found.mean, found.variance, found.variation) == (2, 1, Fraction(1, 2))
    assert found.left_out == ("nobody paid", "unknown")
    assert dispersion({}).mean is None
    assert dispersion({}).variation is None


@settings(deadline=None)
@given(st.lists(st.tuples(amounts, above_zero), min_size=1, max_size=5))
def test_the_mean_composition_is_that_of_all_together(producers):
    found = dispersion({str(at): Capital(constant=c, variable=v, surplus=None) for at, (c, v) in enumerate(producers)})
    assert found.mean == sum(c for c, _ in producers) / sum(v for _, v in producers)
    assert (found.variance == 0) is (len({c / v for c, v in producers}) == 1)


def test_a_machine_replaces_labour_when_it_costs_less_than_its_wage():
    assert automation_threshold(Fraction(20), Fraction(2)) == 40
    assert automates(Fraction(39), Fraction(20), Fraction(2)) is True
    assert automates(Fraction(40), Fraction(20), Fraction(2)) is False


# Sensitivity


def test_the_widest_swing_stands_first():
    """Rent of the worked example, R_avg = p − μ(T + L), under what is least certain."""
    base = {"price": Fraction(12_500), "melt": Fraction(40), "transferred": Fraction(165), "living": Fraction(75)}

    def rent(settings):
        return rents(*(settings[name] for name in ("price", "transferred", "living", "melt"))).average

    found = tornado(
        base,
        [
            Assumption(name="living", low=Fraction(70), high=Fraction(80)),
            Assumption(name="melt", low=Fraction(30), high=Fraction(50)),
            Assumption(name="transferred", low=Fraction(240), high=Fraction(90)),
        ],
        rent,
    )
    assert found.base == 2_900
    assert [(bar.assumption.name, bar.swing) for bar in found.bars] == [
        ("transferred", 6_000), ("melt", 4_800), ("living", 400),
    ]  # fmt: skip
    assert (found.bars[1].at_low, found.bars[1].at_high) == (5_300, 500)


def test_an_assumption_may_be_the_name_of_a_rule():
    reductions = every_rule(6_800, 1_200, LIFE, 60, 20)
    found = tornado(
        {"rule": "rowthorn"},
        [Assumption(name="rule", low="uniform", high="wage")],
        lambda settings: 10 * chosen(reductions, settings["rule"]),
    )
    assert (found.base, found.bars[0].at_low, found.bars[0].at_high) == (Fraction(1870, 167), 10, 30)


def test_an_unknown_swing_is_not_the_narrowest():
    found = tornado(
        {"a": Fraction(1), "b": Fraction(1)},
        [
            Assumption(name="b", low=Fraction(0), high=Fraction(9)),
            Assumption(name="a", low=Fraction(0), high=Fraction(2)),
        ],
        lambda settings: None if not settings["a"] else settings["a"] + settings["b"],
    )
    assert [(bar.assumption.name, bar.swing) for bar in found.bars] == [("a", None), ("b", 9)]


def test_an_assumption_without_a_base_is_refused():
    with pytest.raises(MissingAssumptionError, match="melt has no base"):
        tornado({}, [Assumption(name="melt", low=Fraction(1), high=Fraction(2))], lambda _: Fraction(0))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(amounts, amounts), min_size=1))
def test_a_sum_swings_by_what_its_parts_swing(ranges):
    base = dict.fromkeys(ranges, Fraction(0))
    found = tornado(
        base,
        [Assumption(name=name, low=low, high=high) for name, (low, high) in ranges.items()],
        lambda settings: sum(settings.values(), Fraction(0)),
    )
    swings = [bar.swing for bar in found.bars]
    assert swings == sorted((abs(high - low) for low, high in ranges.values()), reverse=True)
    assert base == dict.fromkeys(ranges, 0)

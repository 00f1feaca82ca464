"""The estimator of a model's labour: the line it finds, its intervals, and when it says nothing."""

from fractions import Fraction
from math import cos, exp, log, pi, sin, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.errors import InputError, MissingAssumptionError
from gongfen.value import Features, decimal, estimate, fit
from gongfen.value.irrational import arc, logarithm, power_of_e, root
from gongfen.value.student import quantile, within


def features(gpu, data, complexity):
    return Features(gpu_hours=gpu, data_hours=data, complexity=complexity)


POINTS = [(1, 1, 1), (10, 1, 1), (1, 10, 1), (1, 1, 10), (10, 10, 1), (10, 1, 10), (1, 10, 10), (10, 10, 10)]


def lawful(a=3, powers=(2, 1, 0)):
    """L = a · G² · D: whole powers, so that the labour is exact."""
    return {
        str(at): (features(*map(Fraction, point)), Fraction(a) * Fraction(point[0]) ** powers[0] * Fraction(point[1]) ** powers[1] * Fraction(point[2]) ** powers[2])
        for at, point in enumerate(POINTS)
    }  # fmt: skip


def noisy():
    """The same with errors of a few per cent, in a fixed order."""
    errors = [
        Fraction(105, 100),
        Fraction(97, 100),
        Fraction(102, 100),
        Fraction(94, 100),
        Fraction(99, 100),
        Fraction(104, 100),
        Fraction(96, 100),
        Fraction(101, 100),
    ]
    return {name: (one, labour * error) for (name, (one, labour)), error in zip(lawful().items(), errors, strict=True)}


# Student's t


@pytest.mark.parametrize(
    ("percent", "freedom", "table"),
    [(95, 1, "12.7062"), (95, 2, "4.3027"), (95, 3, "3.1824"), (95, 4, "2.7764"), (95, 5, "2.5706"), (95, 10, "2.2281"),
     (95, 30, "2.0423"), (99, 1, "63.6567"), (99, 10, "3.1693"), (90, 7, "1.8946"), (95, 1000, "1.9623")],
)  # fmt: skip
def test_quantiles_of_the_printed_tables(percent, freedom, table):
    """Abramowitz & Stegun, table 26.10; NIST/SEMATECH e-Handbook, section 1.3.6.7.2."""
    assert decimal(quantile(Fraction(percent, 100), freedom), 4) == table


def test_two_quantiles_in_closed_form():
    """ν = 1: tan(πp/2); ν = 2: p·√(2/(1 − p²))."""
    assert abs(quantile(Fraction(1, 2), 1) - 1) < Fraction(1, 10**25)
    assert abs(quantile(Fraction(3, 5), 2) ** 2 - Fraction(9, 25) * 2 / (1 - Fraction(9, 25))) < Fraction(1, 10**25)


@settings(deadline=None)
@given(st.fractions(0, 30, max_denominator=50), st.integers(1, 40))
def test_the_probability_is_the_area_under_the_density(t, freedom):
    """Against Simpson's rule on ∫cos^(ν−1), which knows nothing of the finite sums."""
    slices, top = 400, float(arc(Fraction(t) / root(Fraction(freedom))))

    def area(end):
        step = end / slices
        ys = [cos(at * step) ** (freedom - 1) for at in range(slices + 1)]
        return step / 3 * (ys[0] + ys[-1] + 4 * sum(ys[1:-1:2]) + 2 * sum(ys[2:-1:2]))

    assert float(within(t, freedom)) == pytest.approx(area(top) / area(pi / 2), abs=1e-6)


@settings(deadline=None)
@given(st.fractions(Fraction(1, 1000), 1000, max_denominator=1000))
def test_roots_logarithms_and_arcs_agree_with_the_machine(number):
    assert float(root(number)) == pytest.approx(sqrt(number), rel=1e-12)
    assert float(logarithm(number)) == pytest.approx(log(number), rel=1e-12, abs=1e-12)
    assert abs(power_of_e(logarithm(number)) - number) < Fraction(1, 10**40)
    assert float(arc(number)) == pytest.approx(arc_of(number), rel=1e-12)
    assert root(number * number) == number


def arc_of(number):
    angle = float(arc(number))
    assert sin(angle) / cos(angle) == pytest.approx(float(number), rel=1e-9)
    return angle


# The line


def test_a_law_without_error_is_found():
    found = fit(lawful())
    assert [decimal(number, 20) for number in found.coefficients] == [
        decimal(logarithm(Fraction(3)), 20), decimal(Fraction(2), 20), decimal(Fraction(1), 20), decimal(Fraction(0), 20),
    ]  # fmt: skip
    assert found.freedom == 4
    assert found.residual < Fraction(1, 10**80)
    said = estimate(found, features(Fraction(5), Fraction(7), Fraction(3)))
    assert decimal(said.typical, 9) == decimal(Fraction(3 * 25 * 7), 9)
    assert said.beyond == ()


def test_balanced_models_make_columns_that_say_something_of_their_own():
    """A full factorial: columns do not correlate, b is known to σ/√(n·s²) by hand."""
    found = fit(noisy())
    assert all(abs(tolerance - 1) < Fraction(1, 10**30) for tolerance in found.tolerances)
    spread = 8 * (log(10) / 2) ** 2
    assert float(found.errors[1]) == pytest.approx(sqrt(float(found.residual) / spread), rel=1e-9)


def test_slopes_of_a_factorial_are_differences_of_means():
    """Independent of the equations solved: ln L at the high level less at the low one, over ln 10."""
    models, found = noisy(), fit(noisy())
    for column, name in enumerate(("gpu_hours", "data_hours", "complexity"), start=1):
        high = [log(labour) for one, labour in models.values() if getattr(one, name) == 10]
        low = [log(labour) for one, labour in models.values() if getattr(one, name) == 1]
        assert float(found.coefficients[column]) == pytest.approx((sum(high) - sum(low)) / 4 / log(10), rel=1e-9)


def test_what_is_left_is_what_the_means_do_not_explain():
    """Of eight logarithms, one mean and three differences explain four: s² is the rest over the other four."""
    labour = [log(amount) for _, amount in noisy().values()]
    signs = [[1 if level == 10 else -1 for level in column] for column in zip(*POINTS, strict=True)]
    explained = [sum(labour)] + [sum(s * one for s, one in zip(column, labour, strict=True)) for column in signs]
    left = sum(one * one for one in labour) - sum(one * one for one in explained) / 8
    assert float(fit(noisy()).residual) == pytest.approx(left / 4, rel=1e-9)


def test_intervals_by_hand():
    """At the middle of a factorial the line is known to s/√8, one more model to s·√(1 + 1/8); t with 4 degrees."""
    found = fit(noisy())
    middle = root(Fraction(10))
    said = estimate(found, features(middle, middle, middle))
    s, t = sqrt(float(found.residual)), 2.7764451052
    mean = sum(log(labour) for _, labour in noisy().values()) / 8
    assert float(said.typical) == pytest.approx(exp(mean), rel=1e-9)
    assert float(said.confidence[1]) == pytest.approx(exp(mean + t * s / sqrt(8)), rel=1e-9)
    assert float(said.prediction[0]) == pytest.approx(exp(mean - t * s * sqrt(1 + 1 / 8)), rel=1e-9)


def test_more_certain_is_wider_and_farther_is_wider():
    found = fit(noisy())
    near, far = features(Fraction(5), Fraction(5), Fraction(5)), features(Fraction(5000), Fraction(5), Fraction(5))
    wide, narrow = estimate(found, near, Fraction(99, 100)), estimate(found, near, Fraction(1, 2))
    assert wide.prediction[0] < narrow.prediction[0] < narrow.typical < narrow.prediction[1] < wide.prediction[1]
    assert narrow.prediction[0] < narrow.confidence[0] < narrow.typical
    away = estimate(found, far)
    assert away.beyond == ("gpu_hours",)
    usual = estimate(found, near)
    assert away.prediction[1] / away.typical > usual.prediction[1] / usual.typical


def test_other_units_give_the_same_estimate():
    """Hours as seconds, parameters as billions: only the coefficient a changes."""
    models = {
        name: (features(one.gpu_hours * 3600, one.data_hours, one.complexity / 10**9), labour)
        for name, (one, labour) in noisy().items()
    }
    first = estimate(fit(noisy()), features(Fraction(4), Fraction(5), Fraction(6)))
    second = estimate(fit(models), features(Fraction(4 * 3600), Fraction(5), Fraction(6, 10**9)))
    assert decimal(first.typical, 25) == decimal(second.typical, 25)
    assert decimal(first.prediction[1], 25) == decimal(second.prediction[1], 25)


# Refusals


def test_too_few_models_are_refused():
    few = dict(list(noisy().items())[:6])
    with pytest.raises(MissingAssumptionError, match="too few models: 6, where 4 coefficients need 7"):
        fit(few)
    assert fit(dict(list(noisy().items())[:7])).freedom == 3


def test_models_that_are_all_alike_in_one_thing_are_refused():
    alike = {
        name: (features(one.gpu_hours, one.data_hours, Fraction(7)), labour) for name, (one, labour) in noisy().items()
    }
    with pytest.raises(MissingAssumptionError, match="complexity is the same for all"):
        fit(alike)


@pytest.mark.parametrize(
    "law", [lambda gpu, _: gpu, lambda gpu, data: gpu * gpu * data, lambda gpu, _: gpu + Fraction(1, 10**9)]
)
def test_columns_that_follow_from_each_other_are_refused(law):
    """Same, same but for a power, and same but for the last digit."""
    bound = {
        name: (features(one.gpu_hours, one.data_hours, law(one.gpu_hours, one.data_hours)), labour)
        for name, (one, labour) in noisy().items()
    }
    with pytest.raises(MissingAssumptionError, match="follow from each other"):
        fit(bound)


@pytest.mark.parametrize(
    ("gpu", "labour", "error", "match"),
    [(None, 1, MissingAssumptionError, "new, gpu_hours is unknown"), (0, 1, InputError, "new, gpu_hours is 0"),
     (1, None, MissingAssumptionError, "new, labour is unknown"), (1, 0, InputError, "new, labour is 0"),
     (-1, 1, InputError, "new, gpu_hours is -1")],
)  # fmt: skip
def test_what_has_no_logarithm_is_refused(gpu, labour, error, match):
    one = features(None if gpu is None else Fraction(gpu), Fraction(1), Fraction(1))
    with pytest.raises(error, match=match):
        fit(noisy() | {"new": (one, None if labour is None else Fraction(labour))})
    if labour == 1:
        with pytest.raises(error, match=match):
            estimate(fit(noisy()), one, name="new")


@pytest.mark.parametrize(
    "probability", [Fraction(0), Fraction(1), Fraction(95), Fraction(-1, 2), 1 - Fraction(1, 10**30)]
)
def test_a_probability_that_is_none_is_refused(probability):
    with pytest.raises(InputError, match="the probability"):
        estimate(fit(noisy()), features(Fraction(1), Fraction(1), Fraction(1)), probability)


def test_a_model_unlike_any_other_is_refused():
    with pytest.raises(MissingAssumptionError, match="so unlike"):
        estimate(fit(noisy()), features(Fraction(10**400), Fraction(1), Fraction(1)))

"""What outputs are worth: under every reduction, gated, circular, and which assumption moves it most."""

import json
import re
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from gongfen.accounts import State
from gongfen.cli.main import app
from gongfen.errors import InputError, MalformedFactError, MissingAssumptionError, UnknownWorkError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import US_PER_HOUR as HOUR
from gongfen.reports.text import worth as worth_text
from gongfen.reports.words import Words
from gongfen.reports.worth_words import machine_note
from gongfen.value import Carried, Swing, Swings, Worth, swings, worth
from gongfen.value.by_rule import Lacking
from gongfen.value.worth import Out, Spent
from tests.books import COOPERATIVE, HASH, cooperative, new_book, said
from tests.test_books import asked
from tests.test_worked_example import SALE, SERVING, SLH, STANDARD, TRAINING, booked, labour

OUTPUTS = ("plain", "reviewed")
PRICE = 12_500_000_000
SKILLS: list[Body] = [
    k.Skill(skill="x2", study_us=6_800 * HOUR, teach_us=1_200 * HOUR, wage_micro=40_000_000,
            simple_wage_micro=20_000_000),
    k.Skill(skill="x3", study_us=13_600 * HOUR, teach_us=3_400 * HOUR, wage_micro=60_000_000,
            simple_wage_micro=20_000_000),
    k.Skill(skill="x1.5", study_us=3_400 * HOUR, teach_us=600 * HOUR, wage_micro=30_000_000,
            simple_wage_micro=20_000_000),
]  # fmt: skip
CARRIED = (Carried(model="model", uslh=165 * SLH, planned=1_000_000, used=250_000),)


def example(*more: Body, standard: k.Standard = STANDARD, plan: int = 1_000_000) -> State:
    """The worked example, under another standard or another plan."""
    facts = [*TRAINING, *SERVING, *SALE, *more]
    facts = [standard if body is STANDARD else body for body in facts]
    return booked(
        *(k.Plan(work="model", uses=plan) if isinstance(one, k.Plan) and one.work == "model" else one for one in facts)
    )


def under(answer: Worth, rule: str) -> tuple[int | None, int | None]:
    found = next(one for one in answer.by_rule if one.rule == rule)
    return found.transferred_uslh, found.living_uslh


def near(found: int | None, slh: Fraction | int, within: int = 20) -> bool:
    """Equal but for one micro-SLH for each source of each lot."""
    return found is not None and abs(found - slh * SLH) <= within


# -- under every reduction ---------------------------------------------------------------------------------------------


def test_the_worked_example_where_an_hour_is_an_hour() -> None:
    """By hand. Data set: annotators 200, data engineers 40, bought 120; a quarter of it, 90, goes into the model.
    Model: 90 + researchers 100 + evaluation 30 + GPU 200 = 420; a quarter of its uses: T = 105.
    L: operations 20 + compliance 10 + review 10 = 40. V = 145.
    R_avg = 12,500 − 40·145 = 6,700; R_repro = 12,500 − 40·40 = 10,900; they differ by 40·105 = 4,200.
    """
    uniform = worth(example(), OUTPUTS, PRICE).by_rule[-1]
    assert uniform.rule == "uniform"
    assert near(uniform.transferred_uslh, 105)
    assert near(uniform.living_uslh, 40)
    assert uniform.value_micro == 5_800_000_000
    assert (uniform.rent_avg_micro, uniform.rent_repro_micro) == (6_700_000_000, 10_900_000_000)


def test_the_worked_example_by_rowthorn() -> None:
    """r: x2 187/167 (6,800 and 1,200 of 68,000 hours); x3 (1 + 0.2)/(1 − 0.05) = 24/19; x1.5 1.05/(1 − 600/68,000)
    = 357/337. T = 12.5 + 2.5·187/167 + 7.5 + 25·24/19 + 7.5·187/167 + 50; L = 30·187/167 + 10·357/337.
    """
    x2, x3, x15 = Fraction(187, 167), Fraction(24, 19), Fraction(357, 337)
    past, now = under(worth(example(*SKILLS), OUTPUTS, PRICE), "rowthorn")
    assert near(past, Fraction(70) + 10 * x2 + 25 * x3)
    assert near(now, 30 * x2 + 10 * x15)


def test_the_worked_example_by_hilferding_and_by_wages() -> None:
    """Hilferding: x2 1 + 8,000/68,000 = 19/17; x3 1 + 17,000/68,000 = 5/4; x1.5 1 + 4,000/68,000 = 18/17.
    Wages are as the example reduces: 2, 3 and 1.5, so all is as booked.
    """
    answer = worth(example(*SKILLS), OUTPUTS, PRICE)
    past, now = under(answer, "hilferding")
    assert near(past, Fraction(70) + 10 * Fraction(19, 17) + 25 * Fraction(5, 4))
    assert near(now, 30 * Fraction(19, 17) + 10 * Fraction(18, 17))
    assert under(answer, "wage") == under(answer, "booked") == (165 * SLH, 75 * SLH)


def test_a_rule_without_its_data_is_unknown_and_says_which_skill_lacks_what() -> None:
    poor = k.Skill(skill="x2", study_us=HOUR, teach_us=HOUR)
    found = {one.rule: one for one in worth(example(poor), OUTPUTS, PRICE).by_rule}
    assert found["rowthorn"].uslh is None
    assert found["rowthorn"].lacking == (Lacking("x1.5", "skill"), Lacking("x3", "skill"))
    assert found["wage"].lacking == (Lacking("x1.5", "skill"), Lacking("x2", "wage"), Lacking("x3", "skill"))
    assert (found["wage"].value_micro, found["wage"].rent_avg_micro) == (None, None)
    assert found["uniform"].uslh is not None


@pytest.mark.parametrize("rule", ["rowthorn", "hilferding", "uniform"])
def test_what_is_recomputed_is_what_a_second_book_holds(rule: str) -> None:
    """The same facts, booked under a standard that reduces by the rule."""
    r = {
        "rowthorn": (Fraction(187, 167), Fraction(24, 19), Fraction(357, 337)),
        "hilferding": (Fraction(19, 17), Fraction(5, 4), Fraction(18, 17)),
        "uniform": (Fraction(1), Fraction(1), Fraction(1)),
    }[rule]
    reductions = tuple(
        k.Reduction(skill=name, num=one.numerator, den=one.denominator)
        for name, one in zip(("x2", "x3", "x1.5"), r, strict=True)
    )
    second = worth(example(standard=msgspec.structs.replace(STANDARD, reductions=reductions)), OUTPUTS, PRICE)
    past, now = under(worth(example(*SKILLS), OUTPUTS, PRICE), rule)
    assert near(past, Fraction(second.transferred_uslh, SLH))
    assert near(now, Fraction(second.living_uslh, SLH))


hours = st.integers(0, 10**9)
fractions = st.tuples(st.integers(1, 1_000), st.integers(1, 1_000)).filter(lambda pair: pair[0] >= pair[1])


@given(
    st.lists(st.tuples(hours, st.sampled_from(["simple", "a", "b"]), st.sampled_from(["training", "inference"])),
             min_size=1, max_size=8),
    fractions, fractions, st.integers(0, 10**8), st.none() | st.integers(0, 10**10),
)  # fmt: skip
@settings(max_examples=60)
def test_as_booked_is_t_plus_l_and_uniform_is_never_more(
    spent: list[tuple[int, str, str]], a: tuple[int, int], b: tuple[int, int], melt: int, price: int | None
) -> None:
    standard = k.Standard(
        standard="s", basis="any", machines=(), melt_micro=melt, currency="EUR",
        reductions=(k.Reduction(skill="a", num=a[0], den=a[1]), k.Reduction(skill="b", num=b[0], den=b[1])),
    )  # fmt: skip
    facts: list[Body] = [standard, k.Enrol(maker="ada"), k.Output(output="song", sha256=STANDARD_HASH, size_bytes=0)]
    facts += [
        k.Labour(maker="ada", work="song", labour_kind=1, phase=phase, standing="unpaid", labour_us=us, skill=skill,
                 day=f"2026-01-{day:02}")
        for day, (us, skill, phase) in enumerate(spent, 1)
    ]  # fmt: skip
    answer = worth(booked(*facts), ("song",), price)
    booked_now, uniform = answer.by_rule[0], answer.by_rule[-1]
    assert booked_now.uslh == answer.uslh == answer.transferred_uslh + answer.living_uslh
    assert uniform.uslh is not None
    assert uniform.uslh <= answer.uslh
    assert sum(layer.uslh for layer in answer.layers) == answer.uslh
    assert sum(layer.uslh for layer in answer.layers if layer.part == "L") == answer.living_uslh
    assert sum(one.uslh for one in answer.skills) == sum(answer.by_maker.values())
    for one in answer.by_rule:
        if one.rent_avg_micro is not None and one.rent_repro_micro is not None:
            assert one.transferred_uslh is not None
            past = one.rent_repro_micro - one.rent_avg_micro
            assert abs(past - Fraction(one.transferred_uslh * melt, SLH)) <= 1
    if answer.rent_avg_micro is not None and answer.rent_repro_micro is not None:
        assert answer.rent_repro_micro - answer.rent_avg_micro == answer.past_micro


STANDARD_HASH = "0" * 64


# -- rules that are named ----------------------------------------------------------------------------------------------

WRITING = """
    enrol maker=ada
    skill skill=writing study_us=6800h teach_us=1200h wage_micro=27.0 simple_wage_micro=18.0
    standard standard=s basis=t reductions=[{"skill":"writing","num":187,"den":167,"rule":"rowthorn"}] machines=[] melt_micro=40.0 currency=EUR
    output output=song sha256=0000000000000000000000000000000000000000000000000000000000000000 size_bytes=0
    labour maker=ada work=song labour_kind=1 phase=inference standing=employed skill=writing labour_us=2h day=2026-01-01
"""


@pytest.mark.parametrize(
    ("rule", "right"),
    [("rowthorn", "187 den=167"), ("wage", "3 den=2"), ("hilferding", "19 den=17"), ("uniform", "1 den=1")],
)
def test_a_standard_whose_number_is_not_what_its_rule_gives_is_refused(tmp_path: Path, rule: str, right: str) -> None:
    """A hundred hours for one by Rowthorn, where the skill fact of the same batch gives 187/167."""
    false = WRITING.replace('"num":187,"den":167', '"num":100,"den":1').replace("rowthorn", rule)
    with new_book(tmp_path) as book:
        with pytest.raises(MalformedFactError, match=f"write num={right}, or rule=stated"):
            book.record(*said(false))
        assert book.log.size == 0
        book.record(*said(false.replace(f'"{rule}"', '"stated"')))
        (skill,) = book.worth("song").skills
        assert (skill.num, skill.rule, skill.claimed) == (100, "stated", False)


def test_a_rule_that_the_book_cannot_follow_shows_as_claimed(tmp_path: Path) -> None:
    """No skill fact; then one that gives it; then one that gives another number."""
    lines = [line for line in WRITING.splitlines() if "study_us" not in line]
    with new_book(tmp_path) as book:
        book.record(*said("\n".join(lines)))
        found = [book.worth("song").skills[0].claimed]
        for study in (6_800, 6_801):
            book.record(*said(f"skill skill=writing study_us={study}h teach_us=1200h"))
            found.append(book.worth("song").skills[0].claimed)
    assert found == [True, False, True]
    assert "claimed: by Rowthorn" in asked(tmp_path, "worth", "song").stdout


def test_a_false_rule_of_an_older_log_is_read_and_shows_as_claimed() -> None:
    """Booked again it counts as it was stated; only what is recorded now is asked."""
    bodies = said(WRITING.replace('"num":187,"den":167', '"num":100,"den":1'))
    (skill,) = worth(booked(*bodies), ("song",), None).skills
    assert (skill.num, skill.claimed) == (100, True)


# -- gates, lower bounds, circular coefficients ------------------------------------------------------------------------


def test_an_output_without_living_labour_is_named_and_its_transfer_counts_nothing() -> None:
    """A model run without anybody: 1,000 calls would carry 0.66, and are worth nothing."""
    alone: list[Body] = [
        k.Output(output="alone", sha256=STANDARD_HASH, size_bytes=0, quantity=1_000),
        k.Make(make="alone", activity="generate", tool="example", outputs=("alone",),
               inputs=(k.Use(work="model", role="model", uses=1_000),)),
    ]  # fmt: skip
    state = booked(*TRAINING, *alone)
    answer = worth(state, ("alone",), None)
    assert answer.gated == ("alone",)
    assert answer.uslh == 0
    assert answer.layers == ()
    stock = state.stocks.get("alone")
    assert stock is not None
    assert stock.remaining == 660_000


def used(name: str, uses: int) -> list[Body]:
    return [
        k.Output(output=name, sha256=STANDARD_HASH, size_bytes=0),
        k.Make(make=name, activity="generate", tool="t", outputs=(name,),
               inputs=(k.Use(work="model", role="model", uses=uses),)),
    ]  # fmt: skip


def test_a_model_that_was_past_its_plan_or_retired_is_named(tmp_path: Path) -> None:
    """After ten uses of ten, the next is past the plan; and what is used when all was lost has nothing to give."""
    state = booked(*TRAINING, k.Plan(work="model", uses=10), *used("within", 10), *used("past", 1))
    assert worth(state, ("within", "past"), None).spent == (Spent(model="model", outputs=("past",)),)
    state = example(k.Loss(loss="l", work="model", reason="obsolescence", amount_uslh=None), *used("late", 1))
    assert worth(state, (*OUTPUTS, "late"), None).spent == (Spent(model="model", outputs=("late",)),)
    with new_book(tmp_path) as book:
        book.record(*TRAINING, k.Plan(work="model", uses=1), *used("one", 1), *used("two", 1))
    assert "model was past its plan" in " ".join(asked(tmp_path, "worth", "two").stdout.split())
    assert "past its plan" not in asked(tmp_path, "worth", "one").stdout


def test_unpaid_labour_counts_as_simple_labour_in_and_out(tmp_path: Path) -> None:
    """Two hours of an unpaid writer are two hours by every rule, where an employed one's are four; 40 EUR an hour."""
    lines = """
        enrol maker=ada
        standard standard=s basis=t reductions=[{"skill":"writing","num":2,"den":1}] machines=[] melt_micro=40.0 currency=EUR
        output output=song sha256=0000000000000000000000000000000000000000000000000000000000000000 size_bytes=0
        labour maker=ada work=song labour_kind=1 phase=inference standing=unpaid skill=writing labour_us=2h day=2026-01-01
        labour maker=ada work=song labour_kind=1 phase=inference standing=employed skill=writing labour_us=2h day=2026-01-01
        skill skill=writing study_us=68000h teach_us=0h
        sale sale=s output=song price_micro=300.0 currency=EUR day=2026-01-02
    """
    with new_book(tmp_path) as book:
        book.record(*said(lines))
        answer, indicators = book.worth("song"), book.indicators()
        tornado = swings(book.log.state, ("song",), None)
    assert (answer.transferred_uslh, answer.living_uslh, answer.rent_avg_micro) == (0, 6 * SLH, 60_000_000)
    assert under(answer, "rowthorn") == (0, 6 * SLH)
    assert under(answer, "uniform") == (0, 4 * SLH)
    assert answer.without_unpaid == Out(
        unpaid_uslh=2 * SLH, transferred_uslh=0, living_uslh=4 * SLH, value_micro=160_000_000,
        rent_avg_micro=140_000_000, rent_repro_micro=140_000_000,
    )  # fmt: skip
    assert [(one.num, one.den, one.rule, one.uslh) for one in answer.skills] == [
        (1, 1, "unpaid", 2 * SLH), (2, 1, "unknown", 4 * SLH)
    ]  # fmt: skip
    assert (indicators.living_uslh, indicators.unpaid_uslh) == (6 * SLH, 2 * SLH)
    swing = bar(tornado, "unpaid")
    assert (swing.at_low, swing.at_high, swing.approximate) == (6 * SLH, 4 * SLH, False)


def test_a_standard_of_an_older_log_means_what_it_meant() -> None:
    """It does not say how unpaid labour counts, which was by its skill; only what is recorded now says it."""
    skilled = k.Labour(maker="reviewers", work="reviewed", labour_kind=4, phase="inference", standing="unpaid",
                       labour_us=HOUR, skill="x3", day="2026-01-01")  # fmt: skip
    before = worth(example(), OUTPUTS, PRICE).uslh
    assert worth(example(skilled), OUTPUTS, PRICE).uslh == before + 3 * SLH
    assert worth(example(skilled, standard=STANDARD.said_anew()), OUTPUTS, PRICE).uslh == before + SLH


def test_a_standard_that_is_recorded_says_how_unpaid_labour_counts_and_a_retry_says_the_same(tmp_path: Path) -> None:
    kept = msgspec.structs.replace(STANDARD, standard="older")
    with new_book(tmp_path) as book:
        older = Fact(id="older", at="2026-01-01T00:00:00.000000Z", by="test", body=kept)
        assert book.record(older) == [0]
        assert book.record(book.log.new(STANDARD, fact_id="now")) == [1]
        assert [getattr(fact.body, "unpaid", "") for _, fact in book.log.facts()] == [msgspec.UNSET, "simple"]
        assert book.record(book.log.new(kept, fact_id="older"), book.log.new(STANDARD, fact_id="now")) == [0, 1]


def test_what_nobody_measured_keeps_every_reduction_a_lower_bound() -> None:
    silent = k.Labour(maker="reviewers", work="reviewed", labour_kind=4, phase="inference", standing="unpaid",
                      labour_us=None, quality="unmeasured", day="2026-01-01")  # fmt: skip
    answer = worth(example(silent), OUTPUTS, PRICE)
    assert answer.unmeasured
    assert answer.uslh == 240 * SLH


@pytest.mark.parametrize(("origin", "circular"), [("price", True), ("life-cycle", False), (None, False)])
def test_a_coefficient_that_was_read_off_a_price_is_circular(origin: str | None, circular: bool) -> None:
    extra = {} if origin is None else {"origin": origin}
    gpu = msgspec.convert({"device": "gpu", "uslh_per_hour": 40_000, **extra}, k.Coefficient)
    state = example(standard=msgspec.structs.replace(STANDARD, machines=(gpu,)))
    (machine,) = worth(state, OUTPUTS, PRICE).machines
    assert (machine.device, machine.origins, machine.circular) == ("gpu", (origin or "unknown",), circular)
    assert near(machine.uslh, 50)
    assert bar(swings(state, OUTPUTS, PRICE), "machine").circular is circular


def test_a_new_standard_launders_no_coefficient_that_was_read_off_a_price() -> None:
    """What was booked under a price stays circular, whatever a later standard says of the device."""
    gpu = [k.Coefficient(device="gpu", uslh_per_hour=40_000, origin=origin) for origin in ("price", "life-cycle")]
    old, new = (msgspec.structs.replace(STANDARD, standard=one.origin, machines=(one,)) for one in gpu)
    state = example(new, standard=old)
    (machine,) = worth(state, OUTPUTS, PRICE).machines
    assert (machine.origins, machine.circular) == (("price", "life-cycle"), True)
    assert bar(swings(state, OUTPUTS, PRICE), "machine").circular
    assert machine_note(machine, Words("en")) == "λ from a price: circular; λ by life cycle"


# -- which assumption moves it most ------------------------------------------------------------------------------------


def bar(found: tuple[Swings, ...], name: str, about: str | None = None, measure: str = "value") -> Swing:
    (swings_,) = [one for one in found if one.measure == measure]
    (swing,) = [one for one in swings_.bars if one.name == name and about in (None, one.about)]
    return swing


def test_the_tornado_of_the_worked_example() -> None:
    """V = 240. N̂ halved: T = 330, V = 405; doubled: T = 82.5, V = 157.5. λ halved: −25, V = 215; doubled: +50, V = 290.
    Uniform: 145. R_avg = 12,500 − 40 V.
    """
    value, average, reproduction = found = swings(example(*SKILLS), OUTPUTS, PRICE, CARRIED)
    assert value.base == 240 * SLH
    uses = bar(found, "uses", "model")
    assert (uses.low, uses.high, uses.at_low, uses.at_high) == ("500000", "2000000", 405 * SLH, 157_500_000)
    assert uses.approximate
    machine = bar(found, "machine", "gpu")
    assert (machine.low, machine.high) == ("20000", "80000")
    assert near(machine.at_low, 215)
    assert near(machine.at_high, 290)
    assert near(bar(found, "reduction", "uniform").at_high, 145)
    assert [one.name for one in value.bars][:2] == ["uses", "reduction"]
    assert average.base == 2_900_000_000
    assert bar(found, "uses", measure="rent-avg").at_low == PRICE - 40 * 405 * SLH
    melt = bar(found, "melt", measure="rent-avg")
    assert (melt.low, melt.high) == ("20000000", "80000000")
    assert (melt.at_low, melt.at_high) == (PRICE - 20 * 240 * SLH, PRICE - 80 * 240 * SLH)
    assert reproduction.base == 9_500_000_000
    assert bar(found, "uses", measure="rent-repro").width == 0, "reproduction does not ask what the model cost"
    assert all(one.name != "melt" for one in value.bars), "labour does not hang on money"


@pytest.mark.parametrize(("plan", "end"), [(500_000, "at_low"), (2_000_000, "at_high")])
def test_the_end_of_the_planned_uses_is_what_a_second_book_holds(plan: int, end: str) -> None:
    uses = bar(swings(example(), OUTPUTS, PRICE, CARRIED), "uses")
    assert getattr(uses, end) == worth(example(plan=plan), OUTPUTS, PRICE).uslh


def test_a_model_that_is_used_up_cannot_have_carried_more_than_it_held() -> None:
    used_up = (Carried(model="model", uslh=165 * SLH, planned=250_000, used=250_000),)
    assert bar(swings(example(), OUTPUTS, PRICE, used_up), "uses").at_low == 240 * SLH


def test_rival_coefficients_that_were_published_are_the_range() -> None:
    rival = msgspec.structs.replace(
        STANDARD, standard="rival", machines=(k.Coefficient(device="gpu", uslh_per_hour=120_000),)
    )
    back = msgspec.structs.replace(STANDARD, standard="again")
    machine = bar(swings(example(rival, back), OUTPUTS, PRICE), "machine")
    assert (machine.low, machine.high, machine.range) == ("40000", "120000", "rivals")
    assert machine.at_low == 240 * SLH
    assert near(machine.at_high, 340)


def test_a_rule_whose_data_is_missing_stands_first_and_is_unknown() -> None:
    value = swings(example(), OUTPUTS, PRICE)[0]
    assert [one.about for one in value.bars if one.width is None] == ["hilferding", "rowthorn", "wage"]
    assert [one.width is None for one in value.bars][:3] == [True] * 3


def test_the_social_average_left_out_brings_back_what_was_not_necessary() -> None:
    """Ada takes 6 h for what takes 4 on the average: 2 h are not in the song; without the average they would be."""
    standard = msgspec.structs.replace(STANDARD, averages=(k.Average(task="review", labour_us=4 * HOUR),))
    slow = k.Labour(maker="ada", work="song", labour_kind=4, phase="inference", standing="employed",
                    labour_us=6 * HOUR, day="2026-01-01", task="review", units=1)  # fmt: skip
    song = k.Output(output="song", sha256=STANDARD_HASH, size_bytes=0)
    state = booked(standard, k.Enrol(maker="ada"), song, slow)
    kept = bar(swings(state, ("song",), None), "social-average")
    assert (kept.low, kept.high) == ("kept", "left out")
    assert (kept.at_low, kept.at_high) == (4 * SLH, 6 * SLH)


@pytest.mark.parametrize(("business", "now", "other"), [("counted", 5, 4), ("memo", 4, 5)])
def test_business_labour_in_memo_or_counted(business: str, now: int, other: int) -> None:
    """4 h of review and 1 h of selling, all of the book's labour in one song."""
    standard = msgspec.structs.replace(STANDARD, business=business)
    song = k.Output(output="song", sha256=STANDARD_HASH, size_bytes=0)
    spent = [labour("ada", 4, "simple", "song", 4, "inference"), labour("ada", 1, "simple", "song", 8, "inference")]
    found = bar(swings(booked(standard, k.Enrol(maker="ada"), song, *spent), ("song",), None), "business")
    assert (found.at_low, found.at_high) == (now * SLH, other * SLH)
    assert found.approximate is (business == "memo")


def test_without_a_price_there_is_no_rent_to_move() -> None:
    value, average, reproduction = swings(example(), OUTPUTS, None)
    assert value.base == 240 * SLH
    assert (average.base, average.bars, reproduction.base) == (None, (), None)


def test_the_book_knows_what_the_model_passed_on(tmp_path: Path) -> None:
    """song-1 took one of three uses of poet; half of N̂ would be as if 1.5 uses shared it, twice N̂ six."""
    with cooperative(tmp_path) as book:
        stock = book.log.state.stocks.get("poet")
        assert stock is not None
        uses = bar(book.hangs_on("song-1"), "uses", "poet")
        now = book.worth("song-1").uslh
        carried = stock.base // 3
        assert uses.at_low is not None
        assert uses.at_high is not None
        assert abs(uses.at_low - now - carried) <= 2
        assert abs(now - uses.at_high - carried // 2) <= 2


# -- on the command line -----------------------------------------------------------------------------------------------


def ask(folder: Path, *words: str, lang: str = "en") -> str:
    environment = {"COLUMNS": "110", "GONGFEN_LANG": lang, "GONGFEN_BOOK": str(folder / "book.db")}
    found = CliRunner().invoke(app, ["worth", *words], env=environment)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_worth_shows_every_reduction_every_breakdown_and_both_rents(tmp_path: Path) -> None:
    cooperative(tmp_path).close()
    said = ask(tmp_path, "song-1")
    for words in ("as booked", "Rowthorn (default)", "ratio of wages", "Hilferding", "uniform", "by kind", "by phase",
                  "by standing", "by skill", "by maker", "rent by average theory", "rent by reproduction theory",
                  "what the theories differ by, μT", "no fact about skill x2", "origin of λ not stated"):  # fmt: skip
        assert words in said, words
    assert "hangs" not in said


def test_an_output_that_nobody_prompted_is_named_on_the_terminal(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.record(
            k.Output(output="echo", sha256=STANDARD_HASH, size_bytes=0),
            k.Make(make="echoing", activity="generate", inputs=(k.Use(work="poet", role="model"),), outputs=("echo",),
                   tool="test"),
        )  # fmt: skip
    assert "no living labour entered echo: what is booked on it passes nothing on, and T counts 0" in " ".join(
        ask(tmp_path, "echo", "song-1").split()
    )
    assert "echo 没有任何活劳动进入" in ask(tmp_path, "echo", lang="zh")


def test_the_tornado_on_a_terminal_and_as_json(tmp_path: Path) -> None:
    cooperative(tmp_path).close()
    said = ask(tmp_path, "song-1", "--tornado")
    assert "Which assumption moves it most" in said
    assert "N̂, planned uses of poet ≈" in said
    assert "哪项假设影响最大" in ask(tmp_path, "song-1", "--tornado", lang="zh")
    both = json.loads(ask(tmp_path, "song-1", "--tornado", "--json"))
    assert both["worth"]["outputs"] == ["song-1"]
    assert [one["measure"] for one in both["hangs_on"]] == ["value", "rent-avg", "rent-repro"]


def test_the_same_assumption_in_two_standards_keeps_its_bar(tmp_path: Path) -> None:
    """μ as a second standard has it is the range, and moves the rents only."""
    with new_book(tmp_path, COOPERATIVE) as book:
        book.record(
            k.Standard(standard="s2", basis="test", reductions=(k.Reduction(skill="x2", num=2, den=1),),
                       machines=(k.Coefficient(device="cpu", uslh_per_hour=40_000),), melt_micro=20_000_000,
                       currency="EUR")
        )  # fmt: skip
        melt = bar(book.hangs_on("song-1"), "melt", measure="rent-avg")
        assert (melt.low, melt.high, melt.range) == ("20000000", "40000000", "rivals")


def test_bad_questions_are_named_with_a_remedy(tmp_path: Path) -> None:
    with new_book(tmp_path, name="empty.db") as empty:
        for question in (empty.worth, empty.hangs_on):
            with pytest.raises(MissingAssumptionError) as found:
                question("song-1")
            assert (found.value.thing, found.value.reason) == ("the standard", "is not published")
            assert "gongfen record standard" in found.value.remedy
    with cooperative(tmp_path) as book:
        for question in (book.worth, book.hangs_on):
            with pytest.raises(UnknownWorkError, match="nothing"):
                question("nothing")


@pytest.mark.parametrize(
    ("name", "what"),
    [("poet", "a model"), ("poem-1", "data"), ("poems", "a dataset"), ("prompt-1", "a prompt")],
)
def test_what_is_no_output_has_no_worth_of_zero(tmp_path: Path, name: str, what: str) -> None:
    """The model holds hours of labour; 'value 0 s' would deny them."""
    with cooperative(tmp_path) as book:
        for question in (book.worth, book.hangs_on):
            with pytest.raises(InputError) as found:
                question("song-1", name)
            assert (found.value.thing, found.value.reason) == (name, f"is {what}, not an output")
            assert "name what was made with it" in found.value.remedy


def test_a_sale_in_another_currency_needs_a_published_rate(tmp_path: Path) -> None:
    """10.01 EUR and 5.00 USD; at 9 EUR for 10 USD the song fetched 14.51 EUR."""
    with cooperative(tmp_path) as book:
        book.record(k.Sale(sale="sale-2", output="song-1", price_micro=5_000_000, currency="USD", day="2026-11-04"))
        for question in (book.worth, book.hangs_on):
            with pytest.raises(MissingAssumptionError) as found:
                question("song-1")
            assert found.value.thing == "the rate of USD in EUR"
            assert "gongfen record rate" in found.value.remedy
        book.record(
            k.Rate(rate="r1", currency="USD", into="EUR", num=9, den=10, day="2026-11-04", source="a central bank")
        )
        assert book.worth("song-1").price_micro == 14_510_000


def rate(day: str, num: int, den: int = 10, currency: str = "USD", into: str = "EUR") -> k.Rate:
    """So many euros for ten dollars, on a day."""
    return k.Rate(
        rate=f"{currency}-{day}-{num}", currency=currency, into=into, num=num, den=den, day=day, source="bank"
    )


RATES = (
    rate("2025-01-01", 5),
    rate("2026-10-31", 8),
    rate("2026-12-01", 9),
    rate("2026-11-05", 7),
    rate("2026-11-02", 10, 6, "EUR", "USD"),
)
"""Of the last, 1 USD is 0.60 EUR: a rate holds both ways."""


@pytest.mark.parametrize("rates", [RATES, RATES[::-1]], ids=["in order", "in another order"])
@pytest.mark.parametrize(
    ("day", "euros"),
    [
        ("2026-11-04", 3_000_000),
        ("2026-11-05", 3_500_000),
        ("2026-11-30", 3_500_000),
        ("2026-12-01", 4_500_000),
        ("2026-11-01", 4_000_000),
        ("2026-10-30", 2_500_000),
        ("2025-01-01", 2_500_000),
    ],
)
def test_a_sale_counts_by_the_rate_of_its_day_whenever_that_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rates: tuple[k.Rate, ...], day: str, euros: int
) -> None:
    """5.00 USD: by the last rate of a day not after the sale, in the worth, in the indicators and on the page."""
    # The months that are told are the last 24.
    monkeypatch.setattr("gongfen.book.recording.record.now", lambda: "2026-12-01T00:00:00.000000Z")
    from gongfen.book.bookkeeping.valuing import months_of
    from gongfen.book.telling.outputs import shown

    with cooperative(tmp_path) as book:
        output = k.Output(output="song-2", sha256=HASH, size_bytes=4)
        book.record(output, k.Sale(sale="abroad", output="song-2", price_micro=5_000_000, currency="USD", day=day))
        book.record(*rates)
        assert book.worth("song-2").price_micro == euros
        assert book.indicators(day).sales_micro == euros
        assert shown(book.log, None).price("song-2") == (euros, ())
        months = {one.month: one.sales_micro for one in months_of(book.log, "EUR")}
        assert months[day[:7]] == euros + (10_010_000 if day[:7] == "2026-11" else 0)


def test_a_later_rate_says_nothing_of_an_earlier_sale(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        book.record(k.Sale(sale="abroad", output="song-1", price_micro=1, currency="USD", day="2026-11-04"))
        book.record(rate("2026-11-05", 9))
        with pytest.raises(MissingAssumptionError) as found:
            book.worth("song-1")
        assert found.value.reason == "is not published for 2026-11-04, nor before"
        assert "currency=USD into=EUR num=N den=N day=2026-11-04" in found.value.remedy
        assert book.indicators("2026-11").unrated == ("USD",)


def test_month_by_month_what_is_unknown_is_unknown(tmp_path: Path) -> None:
    """One sale in November, no wage: e and q are unknown; in December a wage, and nothing sold."""
    from gongfen.book.bookkeeping.valuing import months_of

    with cooperative(tmp_path) as book:
        book.record(
            k.Labour(maker="ada", work="poem-1", labour_kind=1, phase="training", standing="employed",
                     labour_us=2 * HOUR, day="2027-01-10"),
            k.Wage(wage="w1", maker="ada", amount_micro=40_000_000, currency="EUR", day="2027-01-31"),
        )  # fmt: skip
        months = {month.month: month for month in months_of(book.log, "EUR")}
    sold, quiet, paid = months["2026-11"], months["2026-12"], months["2027-01"]
    assert min(months) == "2026-11", "it begins where money moved"
    assert (sold.sales_micro, sold.surplus_rate_ppm) == (10_010_000, None)
    assert sold.value_micro is not None
    assert (quiet.sales_micro, quiet.value_micro, quiet.living_uslh) == (None, None, None)
    assert (paid.surplus_rate_ppm, paid.sales_micro) == (1_000_000, None), "2 h, of which 1 h is paid back: e = 1"


def test_labour_in_the_last_month_there_is_ends(tmp_path: Path) -> None:
    from gongfen.book.bookkeeping.valuing import months_of

    with new_book(tmp_path, COOPERATIVE) as book:
        book.record(k.Labour(maker="ada", work="poem-1", labour_kind=1, phase="training", standing="employed",
                             labour_us=HOUR, day="9999-12-30", days=1))  # fmt: skip
        assert months_of(book.log, "EUR")[-1].month == "9999-12"


def test_what_the_reductions_are_computed_from_is_told_for_the_skills_in_it() -> None:
    """T_s, T_t and H of a skill that entered; not of one that did not, and nothing where nobody said anything."""
    standard = k.Standard(
        standard="s", basis="any", machines=(), melt_micro=20_000_000, currency="EUR",
        reductions=(k.Reduction(skill="editor", num=2, den=1), k.Reduction(skill="smith", num=3, den=1)),
    )  # fmt: skip
    hour = 3_600_000_000
    facts: list[Body] = [
        standard, k.Enrol(maker="ada"), k.Output(output="song", sha256=STANDARD_HASH, size_bytes=0),
        k.Skill(skill="editor", study_us=6_800 * hour, teach_us=1_200 * hour, life_us=68_000 * hour, evidence="a survey"),
        k.Skill(skill="mason", study_us=hour, teach_us=hour),
        *(k.Labour(maker="ada", work="song", labour_kind=4, phase="inference", standing="unpaid", labour_us=hour,
                   skill=skill, day="2026-01-01") for skill in ("editor", "smith", "simple")),
    ]  # fmt: skip
    (learned,) = worth(booked(*facts), ("song",), None).learned
    assert (learned.skill, learned.study_us // hour, learned.teach_us // hour, learned.life_us // hour) == (
        "editor", 6_800, 1_200, 68_000,
    )  # fmt: skip
    assert (learned.wage_micro, learned.simple_wage_micro, learned.evidence) == (None, None, "a survey")


@given(productivity=st.integers(1, 5_000), hours=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_productivity_leaves_the_value_of_all_and_divides_that_of_one(productivity: int, hours: int) -> None:
    """The self-multiplying effect, economics.md, section 1: Q = Π·L up, total value unchanged, unit value 1/Π.

    A model of 7 SLH is used up by all that it makes, whether that is one output an hour or Π of them.
    """
    made = productivity * hours
    facts: list[Body] = [
        k.Enrol(maker="ada", form="group", people=100),
        STANDARD,
        k.Model(model="model", sha256="0" * 64, parameters=1, source="example", licence="CC0-1.0"),
        labour("ada", 7, "simple", "model", 3, "training"),
        k.Plan(work="model", uses=made),
        k.Output(output="all", sha256="0" * 64, size_bytes=0, quantity=made),
        k.Make(make="all", activity="generate", inputs=(k.Use(work="model", role="model", uses=made),),
               outputs=("all",), tool="example"),
        labour("ada", hours, "simple", "all", 1, "inference"),
    ]  # fmt: skip
    state = booked(*facts, k.Sale(sale="s", output="all", price_micro=1, currency="EUR", day="2026-01-31"))
    answer = worth(state, ("all",), 1)
    assert answer.uslh == (7 + hours) * SLH, "whatever the productivity"
    stock, known = state.stocks.get("all"), state.works.get("all")
    assert stock is not None
    assert known is not None
    unit = Fraction(stock.remaining, known.quantity)
    assert unit * productivity == Fraction((7 + hours) * SLH, hours), "1/Π of what one was worth at Π = 1"


# -- as it is read -----------------------------------------------------------------------------------------------------


def shown(answer: Worth, lang: str = "en", width: int = 100) -> str:
    screen = Console(file=StringIO(), width=width)
    screen.print(worth_text.worth(answer, Words(lang)))
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


def test_the_product_can_be_checked_by_hand() -> None:
    """μ(T + L) of what is on the screen is what is on the screen, also where a person reads no minutes any more."""
    state = booked(*TRAINING, *SERVING, *SALE, msgspec.structs.replace(
        labour("annotators", 1, "simple", "reviewed", 4, "inference"), labour_us=HOUR // 7))  # fmt: skip
    answer = worth(state, OUTPUTS, PRICE)
    text = shown(answer)
    past, now, both = (Decimal(found) for found in re.search(
        r"T = ([\d.]+) h, L = ([\d.]+) h, T \+ L = ([\d.]+) h", text).groups())  # fmt: skip
    assert (past + now, both) == (both, Decimal("240.142857"))
    assert f"{both} h" in next(line for line in text.splitlines() if line.startswith("as booked"))
    assert f"{both * 40:,.5f}" in text
    assert "手工验算" in shown(answer, "zh-Hans")


def test_bars_that_lie_close_together_are_told_apart() -> None:
    state = example()
    value, *_ = swings(state, OUTPUTS, PRICE, CARRIED)
    screen = Console(file=StringIO(), width=100)
    screen.print(worth_text.tornado([value], "EUR", Words("en")))
    assert isinstance(screen.file, StringIO)
    ends = re.findall(r"[\d.]+ h … [\d.]+ h", screen.file.getvalue())
    assert len(ends) == len([bar for bar in value.bars if bar.width])
    assert len({end for line in ends for end in line.split(" … ")}) == len(
        {end for bar in value.bars if bar.width for end in (bar.at_low, bar.at_high)}
    )


def test_an_output_that_nothing_living_entered_has_no_empty_headings() -> None:
    """What is in it is nothing: there is nothing to list by kind, phase, standing, skill and maker."""
    alone = k.Output(output="alone", sha256="0" * 64, size_bytes=0)
    made = k.Make(make="alone", activity="generate", inputs=(k.Use(work="base", role="model"),), outputs=("alone",),
                  tool="example")  # fmt: skip
    base = k.Model(model="base", sha256="0" * 64, parameters=1, source="example", licence="CC0-1.0")
    answer = worth(booked(STANDARD, base, k.Plan(work="base", uses=2), alone, made), ("alone",), None)
    assert answer.gated == ("alone",)
    text = shown(answer)
    assert "no living labour entered alone" in text
    assert "by maker" in shown(worth(example(), OUTPUTS, PRICE))
    for heading in ("labour in it, by kind", "by phase", "by standing", "by skill", "by maker", "L living\n"):
        assert heading not in text


@pytest.mark.parametrize(
    ("price", "line"),
    [
        (12_500_000_000, "█" * 10 + "▒" * 21 + "─" * 8 + "◆"),
        (9_600_000_000, "█" * 13 + "▒" * 26 + "◆"),
        (4_800_000_000, "█" * 13 + "▒" * 6 + "◆" + "▒" * 20),
        (1, "◆" + "█" * 12 + "▒" * 27),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
def test_the_price_stands_in_the_band_of_the_rents(price: int, line: str, lang: str) -> None:
    """μL = 3,000, μ(T + L) = 9,600: from either end to the price is a rent; below the value the price lies in the band."""
    text = shown(worth(example(), OUTPUTS, price), lang, width=50)
    assert line in text.splitlines()


def test_the_band_of_a_lower_bound_goes_on_and_what_was_not_sold_has_none() -> None:
    silent = msgspec.structs.replace(labour("reviewers", 1, "simple", "reviewed", 4, "inference"), labour_us=None)
    assert "▒" * 21 + "›" + "─" * 7 + "◆" in shown(worth(example(silent), OUTPUTS, PRICE))
    assert "◆" not in shown(worth(example(), OUTPUTS, None))


# -- which of T and L lacks labour -------------------------------------------------------------------------------------

UNTIMED = f"""
enrol maker=ada
standard standard=s basis=t reductions=[] machines=[] melt_micro=40.00 currency=EUR
model model=m sha256={HASH} parameters=1 source=t licence=CC0-1.0
labour maker=ada work=m labour_kind=3 phase=training standing=employed labour_us=MODEL day=2026-11-01 quality=MODELQ
plan work=m uses=10
work work=p sha256={HASH} size_bytes=1 source=t licence=CC0-1.0 role=prompt makers=ada:1000000
PROMPT
output output=o sha256={HASH} size_bytes=1
output output=o2 sha256={HASH} size_bytes=1
make make=k activity=generate inputs=[{{"role":"model","uses":2,"work":"m"}},{{"role":"prompt","uses":1,"work":"p"}}] outputs=OUTS tool=t
REVIEW
sale sale=s1 output=o price_micro=100.00 currency=EUR day=2026-11-03
"""
TIMED = "labour_us=1h day=2026-11-02"
NOT_TIMED = "labour_us=none day=2026-11-02 quality=unmeasured"


def told_of(model: str, prompt: str | None, review: str | None, outputs: str) -> list[Body]:
    """The book above; ``None``: nobody said anything."""
    living = "labour maker=ada work={} labour_kind={} phase=inference standing=employed {}"
    text = UNTIMED.replace("labour_us=MODEL day=2026-11-01 quality=MODELQ", model)
    text = text.replace("PROMPT", "" if prompt is None else living.format("p", 1, prompt))
    text = text.replace("REVIEW", "" if review is None else living.format("o", 4, review))
    return said(text.replace("OUTS", f"[{outputs}]".replace("'", '"')))


@pytest.mark.parametrize("outputs", ['"o"', '"o","o2"'])
@pytest.mark.parametrize(
    ("model", "prompt", "review", "unmeasured", "untimed"),
    [
        (TIMED, TIMED, TIMED, False, False),
        (NOT_TIMED, TIMED, TIMED, True, False),
        (TIMED, NOT_TIMED, TIMED, True, True),
        (TIMED, TIMED, NOT_TIMED, True, True),
        (TIMED, None, TIMED, True, True),
        (TIMED, TIMED, None, False, False),
    ],
    ids=["all timed", "the model not", "the prompt not", "the review not", "no word of the prompt", "no review"],
)
def test_a_bound_is_said_of_what_lacks_labour_and_of_nothing_else(
    tmp_path: Path, model: str, prompt: str | None, review: str | None, outputs: str, unmeasured: bool, untimed: bool
) -> None:
    """A model that nobody timed makes T a lower bound, and leaves L, and the rent by reproduction, what they are."""
    with new_book(tmp_path) as book:
        book.record(*told_of(model, prompt, review, outputs))
        found = book.worth("o")
        assert (found.unmeasured, found.untimed) == (unmeasured, untimed)
        assert [one.unmeasured for one in book.hangs_on("o")] == [unmeasured, unmeasured, untimed]
        page = book.report()
    lines = {line.split("  ")[0]: line for line in ask(tmp_path, "o").splitlines()}
    assert ("≥" in lines["T transferred: data, model, machines"]) == unmeasured
    assert ("≥" in lines["L living: prompting, review, operation"]) == untimed
    assert ("≤" in lines["rent by average theory p − μ(T + L)"]) == unmeasured
    assert ("≤" in lines["rent by reproduction theory p − μL"]) == untimed
    card = re.search(r"R<sub>repro</sub>.*?</tr>", page, re.DOTALL)
    assert card is not None
    assert ("≤" in card[0]) == untimed


def test_living_labour_that_nobody_timed_is_past_in_what_is_made_of_the_draft(tmp_path: Path) -> None:
    draft = f"""
    output output=final sha256={HASH} size_bytes=1
    make make=k2 activity=review inputs=[{{"role":"draft","uses":1,"work":"o"}}] outputs=["final"] tool=t
    labour maker=ada work=final labour_kind=4 phase=inference standing=employed labour_us=1h day=2026-11-03
    """
    with new_book(tmp_path) as book:
        book.record(*told_of(TIMED, TIMED, NOT_TIMED, '"o"'), *said(draft))
        found = book.worth("final")
    assert (found.unmeasured, found.untimed) == (True, False)

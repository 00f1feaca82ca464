"""The worked example of ``docs/explanation/worked-example.md``, in the book's own facts.

Source: ``economics.md``, section 3, steps 1–6, 8 and 9 (λ = 0.04 SLH per GPU hour, μ = 40). Integers in micro-SLH.
"""

from hashlib import sha256

import pytest

from gongfen.accounts import State, book, conservation, conservation_by_source, state_in_memory
from gongfen.accounts.chart import Living, read_source
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import US_PER_HOUR, apportion
from gongfen.value import worth

SLH = 1_000_000
HOUR = US_PER_HOUR
HASH = sha256(b"").hexdigest()


def labour(maker: str, hours: int, skill: str, work: str, labour_kind: int, phase: str) -> k.Labour:
    return k.Labour(
        maker=maker,
        work=work,
        labour_kind=labour_kind,
        phase=phase,
        standing="employed",
        labour_us=hours * HOUR,
        skill=skill,
        day="2026-01-01",
        days=40,
    )


def work(name: str, role: str = "data") -> k.Work:
    return k.Work(work=name, sha256=HASH, size_bytes=0, makers=(), source="example", licence="CC0-1.0", role=role)


MAKERS = ("annotators", "data-engineers", "researchers", "evaluators", "operators", "compliance", "reviewers")
STANDARD = k.Standard(
    standard="example",
    basis="economics.md, section 3",
    reductions=(k.Reduction(skill="x2", num=2, den=1), k.Reduction(skill="x3", num=3, den=1),
                k.Reduction(skill="x1.5", num=3, den=2)),
    machines=(k.Coefficient(device="gpu", uslh_per_hour=40_000),),
    melt_micro=40_000_000,
    currency="EUR",
)  # fmt: skip

TRAINING: list[Body] = [
    *(k.Enrol(maker=maker, form="group", people=10) for maker in MAKERS),
    k.Enrol(maker="cluster", form="machine"),
    STANDARD,
    work("raw-data"),
    labour("annotators", 200, "simple", "raw-data", 2, "training"),
    labour("data-engineers", 40, "x2", "raw-data", 2, "training"),
    k.Purchase(item="bought", source="data", work="raw-data", price_micro=0, currency="EUR",
               embodied_uslh=120 * SLH, evidence="example"),
    k.Dataset(dataset="data-set", works=("raw-data",), root=HASH, licence="CC0-1.0"),
    k.Plan(work="data-set", uses=4),
    k.Model(model="model", sha256=HASH, parameters=1, source="example", licence="CC0-1.0"),
    k.Make(make="training", activity="train", inputs=(k.Use(work="data-set", role="data"),), outputs=("model",),
           tool="example"),
    labour("researchers", 100, "x3", "model", 3, "training"),
    labour("evaluators", 30, "x2", "model", 4, "training"),
    k.Compute(machine="cluster", device="gpu", work="model", device_us=5_000 * HOUR),
    k.Plan(work="model", uses=1_000_000),
]  # fmt: skip

SERVING: list[Body] = [
    work("service", "deployment"),
    labour("operators", 20, "x2", "service", 5, "operation"),
    labour("compliance", 10, "x2", "service", 7, "operation"),
    k.Plan(work="service", uses=250_000),
    *(
        body
        for name, calls in (("plain", 249_000), ("reviewed", 1_000))
        for body in (
            k.Output(output=name, sha256=HASH, size_bytes=0, quantity=calls),
            k.Make(make=f"serve-{name}", activity="serve", tool="example", outputs=(name,),
                   inputs=(k.Use(work="model", role="model", uses=calls),
                           k.Use(work="service", role="service", uses=calls))),
        )
    ),
    labour("reviewers", 10, "x1.5", "reviewed", 4, "inference"),
]  # fmt: skip

SALE: list[Body] = [k.Sale(sale="all", output="reviewed", price_micro=12_500_000_000, currency="EUR", day="2026-01-31")]


def booked(*bodies: Body) -> State:
    state = state_in_memory()
    for seq, body in enumerate(bodies):
        book(state, Fact(id=str(seq), at="2026-01-31T00:00:00.000000Z", by="example", body=body), seq)
    return state


def remaining(state: State, name: str) -> int:
    stock = state.stocks.get(name)
    assert stock is not None
    return stock.remaining


def test_step_1_the_data_set_gives_a_quarter_and_the_model_holds_660() -> None:
    state = booked(*TRAINING)
    assert remaining(state, "data-set") == 300 * SLH
    assert remaining(state, "model") == 660 * SLH


def test_step_2_250_000_calls_carry_165_and_labour_is_conserved() -> None:
    state = booked(*TRAINING, *SERVING)
    answer = worth(state, ("plain", "reviewed"), None)
    assert (answer.transferred_uslh, answer.living_uslh) == (165 * SLH, 75 * SLH)
    stocks = remaining(state, "data-set") + remaining(state, "model") + remaining(state, "service")
    assert stocks == 795 * SLH
    assert conservation(state) == (1_035 * SLH, 1_035 * SLH)


def test_step_2_labour_is_conserved_for_every_maker() -> None:
    for account, (given, held) in conservation_by_source(booked(*TRAINING, *SERVING)).items():
        assert given == held, account


def test_step_3_a_plain_call_carries_900_and_a_reviewed_one_15_900_micro_slh() -> None:
    state = booked(*TRAINING, *SERVING)
    assert remaining(state, "plain") == 249_000 * 900
    assert remaining(state, "reviewed") == 1_000 * 15_900


def losses(state: State, reason: str) -> int:
    return sum(amount for key, amount in state.lost.prefixed(f"{reason}|"))


def test_step_4_re_planning_spreads_495_over_the_uses_still_to_come() -> None:
    """N̂ → 2·10⁶: 1.75·10⁶ uses are left, and each carries 495/1.75·10⁶ = 99/350,000 SLH; 350,000 of them carry 99."""
    more: list[Body] = [
        k.Plan(work="model", uses=1_750_000),
        k.Output(output="later", sha256=HASH, size_bytes=0, quantity=350_000),
        k.Make(make="later", activity="serve", tool="example", outputs=("later",),
               inputs=(k.Use(work="model", role="model", uses=350_000),)),
    ]  # fmt: skip
    state = booked(*TRAINING, *SERVING, *more)
    assert remaining(state, "later") == 99 * SLH
    assert remaining(state, "model") == 396 * SLH
    assert conservation(state) == (1_035 * SLH, 1_035 * SLH)


def test_step_4_a_model_that_is_retired_after_350_000_more_calls_loses_264() -> None:
    more: list[Body] = [
        k.Output(output="later", sha256=HASH, size_bytes=0, quantity=350_000),
        k.Make(make="later", activity="serve", tool="example", outputs=("later",),
               inputs=(k.Use(work="model", role="model", uses=350_000),)),
        k.Loss(loss="retired", work="model", reason="obsolescence", amount_uslh=None),
    ]  # fmt: skip
    state = booked(*TRAINING, *SERVING, *more)
    assert losses(state, "obsolescence") == 264 * SLH
    assert remaining(state, "model") == 0
    assert conservation(state) == (1_035 * SLH, 1_035 * SLH)


def test_step_4_a_model_that_costs_440_instead_of_660_to_make_loses_165_of_its_495() -> None:
    state = booked(*TRAINING, *SERVING, k.Loss(loss="cheaper", work="model", reason="obsolescence",
                                               amount_uslh=165 * SLH, method="660 → 440: a third of what is left"))  # fmt: skip
    assert (remaining(state, "model"), losses(state, "obsolescence")) == (330 * SLH, 165 * SLH)
    assert conservation(state) == (1_035 * SLH, 1_035 * SLH)
    for account, (given, held) in conservation_by_source(state).items():
        assert given == held, account


def test_step_5_10_000_outputs_of_9_come_back_as_data_of_13_5_with_9_of_curation() -> None:
    """δ = ½: 4.5 are lost, 4.5 come back, 9 are added."""
    more: list[Body] = [
        work("recycled"),
        k.Recycle(recycle="again", output="plain", copies=10_000, work="recycled", decay_ppm=500_000),
        labour("annotators", 9, "simple", "recycled", 2, "training"),
    ]
    state = booked(*TRAINING, *SERVING, *more)
    assert remaining(state, "plain") == (249_000 - 10_000) * 900
    assert (remaining(state, "recycled"), losses(state, "decay")) == (13_500_000, 4_500_000)
    stock = state.stocks.get("recycled")
    assert stock is not None
    phases = {source.phase for key in stock.sources if isinstance(source := read_source(key), Living)}
    assert phases == {"training", "recycled"}
    assert conservation(state) == (1_044 * SLH, 1_044 * SLH)


def test_step_6_rent_is_2_900_or_9_500_and_the_difference_is_the_transfer_in_money() -> None:
    answer = worth(booked(*TRAINING, *SERVING), ("plain", "reviewed"), 12_500_000_000)
    assert answer.rent_avg_micro == 2_900_000_000
    assert answer.rent_repro_micro == 9_500_000_000
    assert answer.rent_repro_micro - answer.rent_avg_micro == 6_600_000_000 == 165 * answer.melt_micro


@pytest.mark.parametrize(
    ("name", "slh_tenths"),
    [("annotators", 125), ("data-engineers", 50), ("external:data", 75), ("researchers", 750), ("evaluators", 150),
     ("external:machine", 500), ("operators", 400), ("compliance", 200), ("reviewers", 150)],
)  # fmt: skip
def test_the_240_by_origin(name: str, slh_tenths: int) -> None:
    """Step 8, exact up to one micro-SLH of rounding for each of the two batches."""
    state = booked(*TRAINING, *SERVING)
    found = 0
    for output in ("plain", "reviewed"):
        stock = state.stocks.get(output)
        assert stock is not None
        for key, amount in stock.sources.items():
            source = read_source(key)
            label = source.maker if isinstance(source, Living) else f"external:{source.source}"
            found += amount if label == name else 0
    assert abs(found - slh_tenths * SLH // 10) <= 2


def test_step_9_half_of_the_rent_is_paid_out_by_living_labour_to_the_cent() -> None:
    """½·R_avg = 1,450 over the 182.5 living SLH in the outputs, by largest remainder: 145,000 cents, none over."""
    answer = worth(booked(*TRAINING, *SERVING), ("plain", "reviewed"), 12_500_000_000)
    assert answer.rent_avg_micro is not None
    cents = answer.rent_avg_micro // 2 // 10_000
    paid = apportion(cents, answer.by_maker)
    assert [paid[maker] for maker in (
        "annotators", "data-engineers", "researchers", "evaluators", "operators", "compliance", "reviewers",
    )] == [9931, 3973, 59589, 11918, 31781, 15890, 11918]  # fmt: skip
    assert sum(paid.values()) == cents == 145_000
    assert abs(sum(answer.by_maker.values()) - 182_500_000) <= len(MAKERS) * 2

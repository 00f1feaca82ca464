"""Uses that differ in size are counted in tokens, or in the operations that they take; a use is never taken for one."""

from pathlib import Path

import pytest
from msgspec import UNSET, structs

from gongfen import accounts
from gongfen.book.uses import counted
from gongfen.errors import GongfenError, MalformedFactError
from gongfen.facts import Body, Fact, decode, encode
from gongfen.facts import kinds as k
from tests.books import HASH, new_book, said

MODEL = said(f"""
    enrol maker=ada
    model model=poet sha256={HASH} parameters=1000 source=t licence=l
    labour maker=ada work=poet labour_kind=3 phase=training standing=employed labour_us=10h day=2026-01-01
""")
AT = "2026-11-22T04:17:24.000000Z"


def plan(uses: int, unit: k.UseUnit | None = None) -> Body:
    return k.Plan(work="poet", uses=uses, unit=unit or UNSET)


def poem(name: str, uses: int, unit: k.UseUnit | None = None) -> list[Body]:
    use = k.Use(work="poet", role="model", uses=uses, unit=unit or UNSET)
    return [
        k.Output(output=name, sha256=HASH, size_bytes=0),
        k.Make(make=name, activity="generate", tool="t", outputs=(name,), inputs=(use,)),
    ]


def booked(*bodies: Body) -> accounts.State:
    state = accounts.state_in_memory("example.org/t")
    for number, body in enumerate(bodies):
        accounts.book(state, Fact(id=str(number), at=AT, by="t", body=body), number)
    return state


def labour_in(state: accounts.State, work: str) -> int:
    stock = state.stocks.get(work)
    assert stock is not None
    return stock.remaining


@pytest.mark.parametrize("unit", ["token", "gflop"])
def test_a_long_text_carries_more_of_its_model_than_a_short_one(unit: k.UseUnit) -> None:
    """Ten hours over 1,000 tokens: T_k = ⌊M·k/N̂⌋ − ⌊M·(k−1)/N̂⌋ (economics.md, section 1), driven by their size."""
    poems = [("ode", 700), ("line", 25), ("song", 275), ("late", 3)]
    state = booked(*MODEL, plan(1_000, unit), *(one for name, size in poems for one in poem(name, size, unit)))
    assert [labour_in(state, name) for name, _ in poems] == [7_000_000, 250_000, 2_750_000, 0]
    assert labour_in(state, "poet") == 0


@pytest.mark.parametrize(
    ("planned", "used", "told"),
    [
        ("token", None, "poet is planned in tokens, and used in uses; count what was used in tokens: unit=token"),
        ("token", "gflop", "poet is planned in tokens, and used in GFLOP; count what was used in tokens: unit=token"),
        ("gflop", "token", "poet is planned in GFLOP, and used in tokens; count what was used in GFLOP: unit=gflop"),
        (None, "token", "poet is planned in uses, and used in tokens; count what was used in uses: leave unit out"),
    ],
)
def test_a_use_is_no_token(tmp_path: Path, planned: k.UseUnit | None, used: k.UseUnit | None, told: str) -> None:
    with new_book(tmp_path) as book:
        book.record(*MODEL, plan(1_000, planned))
        before = book.log.size
        with pytest.raises(MalformedFactError) as refused:
            book.record(*poem("ode", 10, used))
        assert str(refused.value) == told
        assert book.log.size == before


def test_a_data_set_takes_one_use_of_each_work_and_no_token() -> None:
    song = said(f"work work=song sha256={HASH} size_bytes=0 makers= source=t licence=l")
    gather = k.Dataset(dataset="songs", works=("song",), root=HASH, licence="l")
    booked(*song, k.Plan(work="song", uses=3), gather)
    with pytest.raises(GongfenError, match="song is planned in tokens, and used in uses"):
        booked(*song, k.Plan(work="song", uses=3_000, unit="token"), gather)


def test_another_plan_may_count_in_something_else_and_what_was_used_stays() -> None:
    """Half of it in five uses; the rest, and what is added later, over a thousand tokens."""
    more = structs.replace(MODEL[-1], labour_us=5 * 3_600_000_000, day="2026-01-02")
    state = booked(
        *MODEL, plan(10), *poem("ode", 5), plan(1_000, "token"), more, *poem("song", 500, "token"), plan(2),
        *poem("line", 1)
    )  # fmt: skip
    assert [labour_in(state, name) for name in ("ode", "song", "line", "poet")] == [
        5_000_000, 5_000_000, 2_500_000, 2_500_000
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "tokens", "due"),
    [(None, 120, (1, None)), ("token", 120, (120, "token")), ("token", None, (1, None)), ("gflop", None, (7, "gflop"))],
)
def test_who_counts_no_tokens_says_no_unit(
    unit: k.UseUnit | None, tokens: int | None, due: tuple[int, k.UseUnit | None]
) -> None:
    """So a book that plans in tokens refuses the use, and nobody takes it for one token."""
    use = counted("poet", "base", unit, tokens=tokens, gflop=7)
    assert (use.uses, use.unit or None) == due


def test_facts_of_older_logs_say_no_unit_and_stay_what_they_were() -> None:
    for body in (plan(10), poem("ode", 1)[1]):
        fact = Fact(id="f", at=AT, by="t", body=body)
        assert b"unit" not in encode(fact)
        assert decode(encode(fact)) == fact


def test_generating_counts_what_the_plan_counts_and_training_plans_so(tmp_path: Path) -> None:
    """The tokens that were written, or their operations in units of 10⁹: of so small a model one at least."""
    pytest.importorskip("torch")
    from gongfen.book.making import Prompt
    from tests.test_evaluate import SETUP, a_book

    with a_book(tmp_path) as book:
        book.train("bard", setup=SETUP, per_maker=4, planned_uses=500, counted_in="token", cache=tmp_path)
        for model, unit in (("bard", "token"), ("poet", "gflop"), ("poet", None)):
            if model == "poet":
                book.record(k.Plan(work=model, uses=100, unit=unit or UNSET))
            name = f"{model}-{unit}"
            book.generate(model, Prompt(name, "sing of the river", "ada", None), length=8, cache=tmp_path)
            made = [fact.body for _, fact in book.log.about(f"{name}/output")]
            (use,) = (use for body in made if isinstance(body, k.Make) for use in body.inputs if use.work == model)
            (tokens,) = (body.tokens for body in made if isinstance(body, k.Compute))
            assert (use.uses, use.unit or None) == (tokens if unit == "token" else 1, unit)
            assert tokens is not None
            assert 1 <= tokens <= 8

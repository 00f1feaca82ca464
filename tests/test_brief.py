"""A fact in one line says times and money in the words that ``gongfen record`` takes, so that they mean the same."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen import kinds as k
from gongfen.cli.brief import WHOLE, brief
from gongfen.errors import MalformedFactError
from gongfen.facts import Fact
from gongfen.facts.notation import read_time, read_words

AT = "2026-11-22T04:17:24.000000Z"
MOST = (1 << 53) - 1


def said(body: k.Labour | k.Sale) -> str:
    return brief(Fact(id="f", at=AT, by="test", body=body), WHOLE)


def labour(us: int) -> k.Labour:
    return k.Labour(
        maker="ada", work="poem", labour_kind=1, phase="training", standing="crowd", labour_us=us, day="2026-11-22"
    )


@given(
    st.one_of(
        st.integers(0, MOST), *(st.integers(0, 9_000).map(lambda n, u=unit: n * u) for unit in (10**6, 36 * 10**8))
    )
)
def test_a_time_is_said_as_it_is_typed(us: int) -> None:
    words = said(labour(us)).split(", ")
    assert read_words(["labour", *words]) == labour(us)


@given(st.one_of(st.integers(0, MOST), st.integers(0, 9_000).map(lambda cents: cents * 10_000)))
def test_money_is_said_as_it_is_typed(micro: int) -> None:
    sale = k.Sale(sale="s", output="song", price_micro=micro, currency="EUR", day="2026-11-22")
    assert read_words(["sale", *said(sale).split(", ")]) == sale


def test_times_and_money_are_said_in_the_unit_that_a_person_uses() -> None:
    shown = [said(labour(us)).split("labour_us=")[1].split(",")[0] for us in (7_200_000_000, 5_400_000_000, 40_000_000)]
    assert shown == ["2h", "90m", "40s"]
    sale = k.Sale(sale="s", output="song", price_micro=24_900_000, currency="EUR", day="2026-11-22")
    assert "price_micro=24.90" in said(sale)


def test_a_fact_that_is_asked_about_by_itself_is_shown_to_its_end() -> None:
    long = msgspec.structs.replace(labour(7_200_000_000), evidence="the clock at the desk " * 10 + "stopped")
    fact = Fact(id="f", at=AT, by="test", body=long)
    assert "day=2026-11-22" in brief(fact)
    assert brief(fact).endswith("…")
    assert brief(fact, WHOLE).endswith("stopped")


@pytest.mark.parametrize(
    ("text", "us"), [("1h30m", 5_400_000_000), ("90m", 5_400_000_000), ("1m5s", 65_000_000), ("5ms2us", 5_002)]
)
def test_a_time_of_several_units_is_their_sum(text: str, us: int) -> None:
    assert read_time(text) == us
    assert read_words([*["labour", "maker=ada", "work=poem", "labour_kind=1", "phase=training", "standing=crowd"],
                       f"labour_us={text}", "day=2026-11-22"]) == labour(us)  # fmt: skip


@pytest.mark.parametrize("text", ["", "h", "1h30", "30m1h", "1h1h", "1:30", "-1h", "1h 30m"])
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    with pytest.raises(MalformedFactError, match="is not a time"):
        read_time(text)

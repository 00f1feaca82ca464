"""The books on the command line: the ledger at a glance, accounts, closing, idling, models, and the data loop.

Golden numbers: ``economics.md``, section 3 (the worked example) and section 4 (the steady loop, 20/9 and 22/9).
"""

import json
import re
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import gongfen
from gongfen import kinds as k
from gongfen.accounts import closing, conservation
from gongfen.book.clock import today
from gongfen.errors import ClosedPeriodError, InputError, MalformedFactError
from gongfen.facts import Body
from gongfen.facts.amounts import US_PER_HOUR
from gongfen.value.decay import idle_loss
from tests.books import HASH, cooperative, new_book, said
from tests.test_cli import Said, gongfen_
from tests.test_worked_example import SERVING, TRAINING

SLH = 1_000_000
DAY = timedelta(days=1)
BOOK = ("--book", "book.db")


def asked(folder: Path, *words: str, code: int = 0, **environment: str) -> Said:
    found = gongfen_(folder, *words, *BOOK, **environment)
    assert found.returncode == code, found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    return found


def answer(folder: Path, *words: str) -> Any:
    return json.loads(asked(folder, *words, "--json").stdout)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The worked example in a book of its own."""
    with new_book(tmp_path) as book:
        book.record(*TRAINING, *SERVING)
    return tmp_path


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for tests that write nothing."""
    folder = tmp_path_factory.mktemp("example")
    with new_book(folder) as book:
        book.record(*TRAINING, *SERVING)
    return folder


def ran(energy_mwh: int | None, gflop: int | None = None) -> k.Compute:
    return k.Compute(machine="cluster", device="gpu", work="model", device_us=US_PER_HOUR, energy_mwh=energy_mwh,
                     energy_quality="unknown" if energy_mwh is None else "measured", gflop=gflop)  # fmt: skip


def test_what_some_runs_did_not_measure_is_at_least_what_the_others_did(tmp_path: Path) -> None:
    """Two of the device's runs say no energy: 10 Wh is a lower bound, for the book and for the model."""
    with new_book(tmp_path) as book:
        book.record(*TRAINING, ran(10_000, gflop=5))
        (before,) = book.ledger().meters
        assert (before.runs, before.lacking) == (2, {"energy_mwh": 1, "tokens": 2, "gflop": 1})
        (number,) = book.record(ran(None, gflop=7))
        (meter,) = book.ledger().meters
        assert (meter.energy_mwh, meter.lacking["energy_mwh"], meter.gflop) == (10_000, 2, 12)
        (model,) = book.models().models
        assert model.meters == (meter,)
        assert (model.gflop, model.flop_by) == (None, "unknown"), "what a part of the runs said is not what all did"
        page = book.report()
    for verb in (["books"], ["books", "models"]):
        shown = asked(tmp_path, *verb).stdout
        assert re.search(r"gpu: energy \(not read in 2 runs of 3\) +≥ 10 Wh", shown)
        assert re.search(r"能耗（3 次运行中有 2 次未读取） +≥ 10 Wh", asked(tmp_path, *verb, GONGFEN_LANG="zh").stdout)
    assert "≥ 10 Wh" in page
    with gongfen.open(tmp_path / "book.db", by="test") as book:
        book.correct(number, "it was another machine")
        assert book.ledger().meters == (before,)


def test_energy_that_nobody_read_is_unknown(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(*TRAINING)
    assert re.search(r"gpu: energy +unknown", asked(tmp_path, "books").stdout)


def labour(work: str, hours: int, kind: int, **more: Any) -> k.Labour:
    given: dict[str, Any] = {
        "maker": "ada", "phase": "training", "standing": "employed", "day": "2026-01-01", "days": 300,
    }  # fmt: skip
    return k.Labour(work=work, labour_kind=kind, labour_us=hours * US_PER_HOUR, **given | more)


def data(name: str) -> k.Work:
    return k.Work(work=name, sha256=HASH, size_bytes=0, makers=(), source="test", licence="CC0-1.0")


def model(name: str, parameters: int = 1) -> k.Model:
    return k.Model(model=name, sha256=HASH, parameters=parameters, source="test", licence="CC0-1.0")


def make(name: str, activity: str, used: dict[str, int], *outputs: str) -> k.Make:
    inputs = tuple(k.Use(work=work, role="used", uses=uses) for work, uses in used.items())
    return k.Make(make=name, activity=activity, inputs=inputs, outputs=outputs, tool="test")


# -- at a glance -------------------------------------------------------------------------------------------------------


def test_the_ledger_at_a_glance_says_where_1_035_hours_came_from_and_where_they_are(example: Path) -> None:
    found = answer(example, "books")
    assert found["given"] == {"living": 715 * SLH, "machine": 200 * SLH, "data": 120 * SLH}
    assert found["by_kind"] == {
        kind: slh * SLH for kind, slh in (("2", 280), ("3", 300), ("4", 75), ("5", 40), ("7", 20))
    }
    assert found["outputs_uslh"] == 240 * SLH
    assert found["stocks"] == {"dataset": 300 * SLH, "model": 495 * SLH}
    assert (found["given_uslh"], found["held_uslh"], found["balanced"]) == (1_035 * SLH, 1_035 * SLH, True)
    assert (found["sources"], found["unbalanced"]) == (9, [])
    assert (found["governance_data_uslh"], found["governance_compliance_uslh"]) == (280 * SLH, 20 * SLH)


def test_meters_stand_beside_the_ledger_each_in_its_unit(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(k.Enrol(maker="desk", form="machine"), model("m"))
        book.record(
            k.Compute(machine="desk", device="gpu", work="m", device_us=3 * US_PER_HOUR, gflop=86_400 * 10**3,
                      tokens=7, energy_mwh=1_500_000, energy_quality="measured"),
            k.Compute(machine="desk", device="cpu", work="m", device_us=US_PER_HOUR),
        )  # fmt: skip
    cpu, gpu = answer(tmp_path, "books")["meters"]
    assert gpu == {"device": "gpu", "device_us": 3 * US_PER_HOUR, "energy_mwh": 1_500_000, "tokens": 7,
                   "gflop": 86_400 * 10**3, "pf_days": "0.001000000", "runs": 1, "lacking": {}}  # fmt: skip
    assert (cpu["energy_mwh"], cpu["tokens"], cpu["gflop"], cpu["pf_days"]) == (None, None, None, None)
    shown = asked(tmp_path, "books").stdout
    assert "0.001 PF-days" in shown
    assert "1.5 kWh" in shown
    assert "cpu: tokens" not in shown, "what nobody read is not shown as nothing"


def test_what_is_not_socially_necessary_unpaid_or_circulation_has_its_own_line(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(
            k.Enrol(maker="ada"), data("d"), labour("d", 2, 2), labour("d", 1, 2, discarded=True),
            labour("d", 3, 1, standing="unpaid"), labour("d", 4, 8), data("empty"),
        )  # fmt: skip
    found = answer(tmp_path, "books")
    assert found["given"] == {"living": 3 * SLH, "living-unpaid": 3 * SLH}
    assert found["losses"] == {"not-necessary": SLH}
    assert found["circulation_us"] == 4 * US_PER_HOUR
    assert (found["unmeasured"], found["unmeasured_works"]) == ({"data": 1}, ["empty"])
    assert found["balanced"]


def test_a_correction_after_labour_has_passed_on_is_told(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(
            k.Enrol(maker="ada"), model("m"), k.Plan(work="m", uses=2), k.Output(output="o", sha256=HASH, size_bytes=0)
        )
        (seq,) = book.record(labour("m", 4, 3))
        book.record(make("one", "generate", {"m": 1}, "o"))
        book.record(k.Correction(correction="c", fact=book.log.fact(seq).id, reason="nobody worked it"))
    found = answer(tmp_path, "books")
    assert (found["corrections"], found["passed_on_uslh"]) == (1, -2 * SLH)
    assert found["given_uslh"] == 0
    assert found["outputs_uslh"] == 2 * SLH
    assert found["balanced"]
    shown = asked(tmp_path, "books").stdout
    assert "took back 2 h after it had passed on" in shown
    assert max(map(len, shown.splitlines())) <= 120, "outputs hold more than was given: a bar still fits the screen"


def test_money_stands_by_account_and_currency(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.settle("2026-11")
    book.record(
        k.Wage(wage="w1", maker="ada", amount_micro=5_000_000, currency="EUR", day="2026-11-05"),
        k.Wage(wage="w2", maker="bo", amount_micro=7_000_000, currency="USD", day="2026-11-05"),
        k.Rent(rent="r", owned="machine", owner="cloud", amount_micro=1_000_000, currency="EUR", day="2026-11-05"),
    )
    book.close()
    found = {(one["account"], one["currency"]): one["micro"] for one in answer(tmp_path, "books")["money"]}
    assert found["wages", "EUR"] == 5_000_000
    assert found["wages", "USD"] == 7_000_000
    assert found["rent:machine", "EUR"] == 1_000_000
    assert found["sales", "EUR"] == -10_010_000
    assert sum(micro for (_, currency), micro in found.items() if currency == "EUR") == 0
    assert {one["ledger"] for one in answer(tmp_path, "books")["closed"]} == {"EUR"}
    assert re.search(r"^sales +EUR 10.01$", asked(tmp_path, "books").stdout, re.MULTILINE), "as a person expects it"


@pytest.mark.parametrize("columns", ["40", "80", "120"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("verb", [(), ("indicators",), ("models",), ("loop",), ("account", "4")])
def test_the_books_fit_every_screen_in_both_languages(
    read_only: Path, columns: str, lang: str, verb: tuple[str, ...]
) -> None:
    from rich.cells import cell_len

    shown = asked(read_only, "books", *verb, COLUMNS=columns, GONGFEN_LANG=lang).stdout
    for line in shown.splitlines():
        assert cell_len(line) <= int(columns) or verb == ("loop",), line  # its one sentence is running text
    if lang == "zh":
        assert any("\u4e00" <= sign <= "\u9fff" for sign in shown)


def test_an_empty_book_has_books_too(tmp_path: Path) -> None:
    new_book(tmp_path).close()
    found = answer(tmp_path, "books")
    assert (found["given_uslh"], found["balanced"], found["money"]) == (0, True, [])
    assert "none recorded" in asked(tmp_path, "books").stdout


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_the_accounts_below_a_prefix_are_listed_with_their_balances(example: Path) -> None:
    found = answer(example, "books", "account", "1200")
    assert found == [{"account": "1200:model:model", "unit": "uslh", "balance": 495 * SLH}]
    shown = asked(example, "books", "account", "4000:living:2").stdout
    assert "4000:living:2:annotators" in shown
    assert "280 h" in shown


def test_a_prefix_that_no_account_has_is_a_named_mistake(example: Path) -> None:
    found = asked(example, "books", "account", "7777", code=2)
    assert "account '7777' is the beginning of no account of this book" in found.stderr
    assert "1200" in found.stderr
    assert "InputError" in found.stderr


def test_the_book_may_be_named_before_the_inner_verb(example: Path) -> None:
    found = gongfen_(example, "books", *BOOK, "account", "1200", "--json")
    assert json.loads(found.stdout)[0]["balance"] == 495 * SLH


# -- closing -----------------------------------------------------------------------------------------------------------


def test_closing_states_the_balances_and_nothing_is_dated_in_the_period_any_more(example: Path) -> None:
    found = answer(example, "books", "close", "2026-01")
    assert (found["given_uslh"], found["outputs_uslh"], found["stocks_uslh"], found["losses_uslh"]) == (
        1_035 * SLH, 240 * SLH, 795 * SLH, 0,
    )  # fmt: skip
    assert found["close"] == "close:2026-01"
    (closed,) = answer(example, "books")["closed"]
    assert closed == {"period": "2026-01", "by": "close:2026-01", "ledger": "labour"}
    late = ("labour", "maker=reviewers", "work=reviewed", "labour_kind=4", "phase=inference", "standing=employed",
            "labour_us=1h", "day=2026-01-30")  # fmt: skip
    assert "ClosedPeriodError" in asked(example, "record", *late, code=2).stderr
    asked(example, "record", *late[:-1], "day=2026-02-01")
    assert answer(example, "verify")


@pytest.mark.parametrize(
    "line",
    [
        "labour maker=ada work=d labour_kind=2 phase=training standing=employed labour_us=1h",
        "compute machine=desk device=gpu work=d device_us=1h",
        "purchase item=i source=data work=d price_micro=1.00 currency=EUR embodied_uslh=1 evidence=test",
        "sale sale={n} output=o price_micro=1.00 currency=EUR",
        "wage wage={n} maker=ada amount_micro=1.00 currency=EUR",
        "rent rent={n} owned=machine owner=lab amount_micro=1.00 currency=EUR",
        "payment payment={n} maker=ada amount_micro=1.00 currency=EUR",
    ],
)
def test_whatever_has_a_day_is_refused_in_a_closed_period(tmp_path: Path, line: str) -> None:
    """Else what the closed month says of itself would move: v, e, the labour share, c, and the cash at its end."""
    money = '[{"account":"owed","maker":"ada","amount_micro":5000000,"currency":"EUR"}]'
    begun = f"enrol maker=ada\nenrol maker=desk form=machine\nopening opening=o evidence=e money={money}"
    with new_book(tmp_path, begun) as book:
        book.record(STANDARD, data("d"), k.Output(output="o", sha256=HASH, size_bytes=0))
        book.close_period("2026-01")
        before = book.indicators("2026-01")
        for day in ("2026-01-01", "2026-01-31"):
            with pytest.raises(ClosedPeriodError, match="2026-01 is closed by close:2026-01"):
                book.record(*said(f"{line} day={day}".format(n="late")))
        for day in ("2025-12-31", "2026-02-01"):
            book.record(*said(f"{line} day={day}".format(n=day)))
        assert msgspec.structs.replace(book.indicators("2026-01"), size=0) == msgspec.structs.replace(before, size=0)


@pytest.mark.parametrize("kind", ["compute", "purchase"])
def test_what_names_no_day_is_of_the_day_on_which_it_is_said(tmp_path: Path, kind: str) -> None:
    bodies = {
        "compute": k.Compute(machine="desk", device="gpu", work="d", device_us=1),
        "purchase": k.Purchase(item="i", source="data", work="d", price_micro=1, currency="EUR", embodied_uslh=1,
                               evidence="test"),
    }  # fmt: skip
    with new_book(tmp_path, "enrol maker=desk form=machine") as book:
        book.record(data("d"))
        book.close_period("2026-01")
        with pytest.raises(ClosedPeriodError):
            book.record(book.log.new(bodies[kind], at="2026-01-31T23:59:59.000000Z"))
        book.record(book.log.new(bodies[kind], at="2026-02-01T00:00:00.000000Z"))


@pytest.mark.parametrize(
    ("period", "said_at", "over"),
    [
        ("2031", "2026-11-30", False),
        ("2026", "2026-12-31", False),
        ("2026", "2027-01-01", True),
        ("2026-11", "2026-11-30", False),
        ("2026-11", "2026-12-01", True),
        ("2026-11-30", "2026-11-30", False),
        ("2026-11-30", "2026-12-01", True),
    ],
)
def test_a_period_is_closed_when_it_is_over(tmp_path: Path, period: str, said_at: str, over: bool) -> None:
    """What is closed stays closed: a slip of the year would lock the book for good."""
    with new_book(tmp_path) as book:
        book.record(data("d"))
        size = book.log.size
        body = closing(book.log.state, "c", period, size, book.log.tree.root(size).hex())
        close = book.log.new(body, at=f"{said_at}T23:59:59.000000Z")
        if over:
            book.record(close)
        else:
            with pytest.raises(MalformedFactError, match=f"period {period} is not over: it is {said_at}"):
                book.record(close)
        assert book.log.size == size + over


def test_the_verb_that_closes_knows_the_clock(example: Path) -> None:
    found = asked(example, "books", "close", "2999", code=2)
    assert "period 2999 is not over" in found.stderr
    assert "close it when it is over" in found.stderr


def test_a_period_is_closed_once(example: Path) -> None:
    asked(example, "books", "close", "2025-01")
    size = answer(example, "books")["size"]
    assert "DuplicateIdError" in asked(example, "books", "close", "2025-01", code=2).stderr
    again = asked(example, "books", "close", "2025-01", "--name", "once-more", code=2)
    assert "ClosedPeriodError" in again.stderr
    assert "ClosedPeriodError" in asked(example, "books", "close", "2025", "--name", "year", code=2).stderr
    assert answer(example, "books")["size"] == size, "nothing was written"


def test_a_period_that_is_none_is_refused(example: Path) -> None:
    assert "period 'January' is no period" in asked(example, "books", "close", "January", code=2).stderr


# -- standing idle -----------------------------------------------------------------------------------------------------


def test_an_idle_model_loses_k_times_1_minus_e_to_the_minus_lambda_t(example: Path) -> None:
    """1 − e^−0.3 = 0.259181779318…: of 495 SLH 128.294980762…"""
    words = ("books", "idle", "model", "--rate", "0.01", "--days", "30")
    shown = answer(example, *words)
    assert (shown["held_uslh"], shown["lost_uslh"], shown["left_uslh"]) == (495_000_000, 128_294_981, 366_705_019)
    assert shown["fact"] is None
    assert answer(example, "books")["losses"] == {}
    written = answer(example, *words, "--record")
    assert written["lost_uslh"] == 128_294_981
    found = answer(example, "books")
    assert found["losses"] == {"idle": 128_294_981}
    assert found["stocks"]["model"] == 366_705_019
    assert found["balanced"]
    loss = json.loads(asked(example, "log", "--last", "1", "--json").stdout)
    assert loss["body"]["method"] == ("K(1 − e^(−λt)), K = 495000000 micro-SLH, λ = 0.01 a day, t = 30 days; halves up")


def test_nobody_loses_the_same_days_twice(example: Path) -> None:
    """The second time the span would begin where the first one ended, and those days are not over."""
    words = ("books", "idle", "model", "--rate", "0.01", "--days", "90", "--record")
    first = answer(example, *words)
    yesterday = (date.fromisoformat(today()) - DAY).isoformat()
    assert (first["first_day"], first["last_day"]) == ((date.fromisoformat(today()) - 90 * DAY).isoformat(), yesterday)
    again = asked(example, *words, code=2).stderr
    assert "model would stand idle until" in again
    assert "give fewer days, or record it when they are over" in again
    for more in (("--days", "1", "--from", first["first_day"]), ("--days", "1", "--from", yesterday),
                 ("--from", "2020-01-01")):  # fmt: skip
        found = asked(example, *words[:5], *more, "--record", code=2).stderr
        assert f"model has lost already by standing idle from {first['first_day']} to {yesterday}" in found
    assert "has no day since" in asked(example, *words[:5], code=2).stderr
    other = answer(example, "books", "idle", "data-set", *words[3:])
    assert other["first_day"] == first["first_day"], "another work has days of its own"


def test_the_next_loss_begins_where_the_last_one_ended(example: Path) -> None:
    words = ("books", "idle", "model", "--rate", "0.01")
    answer(example, *words, "--from", "2026-02-01", "--days", "28", "--record")
    march = answer(example, *words, "--days", "31", "--record")
    assert (march["first_day"], march["last_day"]) == ("2026-03-01", "2026-03-31")
    loss = json.loads(asked(example, "log", "--last", "1", "--json").stdout)["body"]
    assert (loss["first_day"], loss["last_day"]) == ("2026-03-01", "2026-03-31")
    rest = answer(example, *words)
    assert (rest["first_day"], rest["last_day"]) == ("2026-04-01", (date.fromisoformat(today()) - DAY).isoformat())
    assert int(rest["days"]) == (date.fromisoformat(today()) - date(2026, 4, 1)).days
    assert "2026-04-01 to " in asked(example, *words).stdout


@pytest.mark.parametrize(
    ("span", "due"),
    [
        ("first_day=2026-01-01", "names one end of its days"),
        ("first_day=2026-01-02 last_day=2026-01-01", "ends before it begins"),
        ("first_day=2026-01-01 last_day=2026-02-30", "which no calendar has"),
        ("first_day=2026-01-31 last_day=2026-02-10", "has lost already by standing idle from 2026-01-01 to 2026-01-31"),
        ("first_day=2025-01-01 last_day=2026-12-31", "would stand idle until 2026-12-31, which is not over"),
        ("first_day=2025-01-01 last_day=2025-12-31", None),
        ("first_day=2026-02-01 last_day=2026-02-01", None),
        ("", None),
    ],
)
def test_the_days_of_a_loss_are_said_whole_and_once(tmp_path: Path, span: str, due: str | None) -> None:
    loss = "loss loss={} work=d reason=idle amount_uslh=1"
    with new_book(tmp_path, "enrol maker=ada") as book:
        book.record(data("d"), labour("d", 1, 2, days=1))
        book.record(*said(f"{loss.format('first')} first_day=2026-01-01 last_day=2026-01-31"))
        fact = book.log.new(said(f"{loss.format('next')} {span}")[0], at="2026-11-22T00:00:00.000000Z")
        if due is None:
            book.record(fact)
            assert book.verify()
        else:
            with pytest.raises(MalformedFactError, match=due):
                book.record(fact)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("nothing", "--rate", "0.1", "--days", "1"), "UnknownWorkError"),
        (("model", "--rate", "fast", "--days", "1"), "InputError"),
        (("model", "--rate", "-0.1", "--days", "1"), "InputError"),
        (("model", "--rate", "nan", "--days", "1"), "InputError"),
        (("model", "--rate", "1e99999999", "--days", "1"), "InputError"),
        (("model", "--rate", "0.00000000000001", "--days", "1"), "InputError"),
        (("model", "--rate", "0", "--days", "5", "--record"), "InputError"),
        (("plain", "--rate", "0.1", "--days", "-5"), "InputError"),
        (("model", "--rate", "0.1"), "InputError"),
        (("model", "--rate", "0.1", "--days", "1.5", "--record"), "InputError"),
        (("model", "--rate", "0.1", "--days", "1e9", "--record"), "InputError"),
        (("model", "--rate", "0.1", "--days", "5", "--from", "soon"), "InputError"),
    ],
)
def test_what_cannot_be_an_idle_loss_is_refused(example: Path, words: tuple[str, ...], error: str) -> None:
    assert error in asked(example, "books", "idle", *words, code=2).stderr
    assert answer(example, "books")["losses"] == {}


def test_an_idle_loss_is_whole_monotone_and_never_more_than_there_is() -> None:
    assert idle_loss(0, Fraction(1), 10) == 0
    assert idle_loss(10**15, Fraction(0), 10**6) == 0
    assert idle_loss(10**15, Fraction(10), 10**6) == 10**15
    assert idle_loss(10**15, Fraction(1), 1) == 632_120_558_828_558
    rising = [idle_loss(SLH, Fraction(1, 10), days) for days in range(100)]
    assert rising == sorted(rising)
    with pytest.raises(InputError):
        idle_loss(1, Fraction(-1), 1)


@given(uslh=some.integers(0, 2**53 - 1), first=some.integers(0, 400), then=some.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_two_spans_lose_what_one_span_of_both_does(uslh: int, first: int, then: int) -> None:
    rate = Fraction(1, 250)
    once = idle_loss(uslh, rate, first)
    twice = once + idle_loss(uslh - once, rate, then)
    assert abs(twice - idle_loss(uslh, rate, first + then)) <= 1


# -- models ------------------------------------------------------------------------------------------------------------


def test_every_unit_of_a_model_stands_by_itself(example: Path) -> None:
    (found,) = answer(example, "books", "models")["models"]
    assert found["labour_uslh"] == 660 * SLH, "what went in, though 165 have passed on"
    assert found["living_us"] == (200 + 40 + 100 + 30) * US_PER_HOUR, "of the clock, of the model and its data"
    assert (found["data_us"], found["compliance_us"]) == (240 * US_PER_HOUR, None)
    assert found["meters"][0]["device_us"] == 5_000 * US_PER_HOUR
    assert (found["flop_by"], found["pf_days"]) == ("unknown", None)


def test_flop_is_as_recorded_or_by_6nd_and_says_which(tmp_path: Path) -> None:
    """GPT-3: 6·175e9·300e9 = 3.15e23 FLOP = 3,645.8 PF-days; the paper's own count is 3,640."""
    with new_book(tmp_path) as book:
        book.record(
            k.Enrol(maker="desk", form="machine"), model("counted", 175 * 10**9), model("read", 1), model("dark", 1)
        )
        run = {"machine": "desk", "device": "v100", "device_us": US_PER_HOUR}
        book.record(
            k.Compute(work="counted", tokens=300 * 10**9, **run),
            k.Compute(work="read", gflop=3_640 * 864 * 10**8, tokens=1, **run),
            k.Compute(work="dark", **run),
        )
    counted, read, dark = answer(tmp_path, "books", "models")["models"]
    assert (counted["flop_by"], counted["pf_days"]) == ("6ND", "3645.833333333")
    assert (read["flop_by"], read["pf_days"]) == ("recorded", "3640.000000000")
    assert (dark["flop_by"], dark["pf_days"]) == ("unknown", None)


def test_how_much_of_a_machine_was_used(tmp_path: Path) -> None:
    """GPT-3, economics.md, 4: 3,640 PF-days on 10,000 V100 for 14.8 days, 3,552,000 hours, are 24.59 TFLOP/s each, 19.7 % of 125."""
    run = k.Compute(machine="desk", device="v100", work="gpt-3", device_us=888_000 * US_PER_HOUR,
                    gflop=910 * 864 * 10**8)  # fmt: skip
    silent = k.Compute(machine="desk", device="cpu", work="gpt-3", device_us=US_PER_HOUR)
    with new_book(tmp_path) as book:
        book.record(k.Enrol(maker="desk", form="machine"), model("gpt-3"), *[run] * 4, silent)
        (found,) = book.models(peaks={"v100": 125 * 10**12}).models
        (speed,) = found.speeds
        assert (speed.device, speed.flop_per_second // 10**10, speed.utilisation_ppm) == ("v100", 2_459, 196_757)
        assert book.models().models[0].speeds[0].utilisation_ppm is None, "nobody said what it could do"
        book.record(msgspec.structs.replace(run, gflop=None))
        assert book.models().models[0].speeds == (), "a run that says no FLOP leaves the speed unknown"
    with new_book(tmp_path, name="one.db") as book:
        book.record(k.Enrol(maker="desk", form="machine"), model("gpt-3"), *[run] * 4)
    shown = gongfen_(tmp_path, "books", "models", "--peak", "v100=125", "--book", "one.db").stdout
    assert "24.59 TFLOP/s = 19.7% of 125 TFLOP/s" in shown
    for wrong in ("125", "v100=fast", "v100=-1", "v100=0"):
        assert gongfen_(tmp_path, "books", "models", "--peak", wrong, "--book", "one.db").returncode == 2


def test_too_few_models_give_no_estimate_and_say_why(example: Path) -> None:
    found = answer(example, "books", "models")
    assert found["estimator"] is None
    assert "4 coefficients need 7" in found["why_not"]
    assert "why not: the estimate would rest on too few models: 1," in asked(example, "books", "models").stdout


def several_models(noise: tuple[int, ...]) -> list[Body]:
    """Models whose labour is nearly 2 · data hours · (machine hours)^0 …: enough of them for a line."""
    facts: list[Body] = [k.Enrol(maker="ada", form="group", people=50), k.Enrol(maker="desk", form="machine")]
    for at, extra in enumerate(noise):
        name, hours = f"m{at}", 10 * (at + 1)
        facts += [
            model(name, 10 ** (at * 7 % 5 + 1)),
            labour(name, hours, 2),
            labour(name, hours + extra, 3),
            k.Compute(machine="desk", device="gpu", work=name, device_us=(at * 5 % 8 + 1) * US_PER_HOUR),
        ]
    return facts


def test_enough_models_give_an_estimate_with_its_interval(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        standard = k.Standard(standard="s", basis="test", reductions=(), melt_micro=1_000_000, currency="EUR",
                              machines=(k.Coefficient(device="gpu", uslh_per_hour=40_000),))  # fmt: skip
        book.record(standard, *several_models((0, 3, -2, 5, 1, -4, 2, 0)), model("unknown"))
    found = answer(tmp_path, "books", "models")
    assert found["estimator"]["models"] == 8
    assert found["left_out"] == ["unknown"]
    for one in found["estimator"]["estimates"]:
        assert one["low_uslh"] < one["typical_uslh"] < one["high_uslh"]
        assert one["low_uslh"] < one["booked_uslh"] < one["high_uslh"]
    assert 0.7 < float(found["estimator"]["coefficients"][2]) < 1.3, "labour goes with the hours of data work"
    assert "never in the ledger" in asked(tmp_path, "books", "models").stdout
    with gongfen.open(tmp_path / "book.db") as book:
        assert book.balance()[0] == sum(one.labour_uslh for one in book.models().models), "nothing was added to it"


# -- the loop ----------------------------------------------------------------------------------------------------------

STANDARD = k.Standard(standard="s", basis="test", reductions=(), machines=(), melt_micro=40_000_000, currency="EUR")


def once_around(decay_ppm: int = 0) -> list[Body]:
    """A = [[0, .2], [.5, 0]], l = (1, 2): a fifth of a model goes into data, half of the data into a model."""
    return [
        k.Enrol(maker="ada"), STANDARD,
        model("model-1"), labour("model-1", 3, 3), k.Plan(work="model-1", uses=5),
        k.Output(output="text", sha256=HASH, size_bytes=0), make("write", "generate", {"model-1": 1}, "text"),
        data("back"), k.Recycle(recycle="r", output="text", work="back", decay_ppm=decay_ppm), labour("back", 2, 2),
        k.Plan(work="back", uses=2),
        model("model-2"), labour("model-2", 1, 3), make("train", "train", {"back": 1}, "model-2"),
    ]  # fmt: skip


def test_the_steady_loop_leads_to_20_ninths(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(*once_around())
    found = answer(tmp_path, "books", "loop")
    assert found["rounds"] == [["model-1", "text", "back", "model-2"]]
    assert found["steady"]["steady_uslh"] == "2222222.222222", "20/9"
    assert (found["steady"]["passed_on_ppm"], found["steady"]["new_uslh"]) == (100_000, 2 * SLH)
    assert found["steady"]["booked_uslh"] == 2_300_000
    shown = asked(tmp_path, "books", "loop").stdout
    assert "round 1: model-1 → text → back → model-2" in shown
    assert "a model would come to hold 2 h 13 min; it holds 2 h 18 min now" in shown


def test_solved_and_booked_are_the_same_but_for_rounding_and_losses_are_told(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(*once_around(decay_ppm=333_333))
    found = answer(tmp_path, "books", "loop")
    by_name = {one["work"]: one for one in found["versions"]}
    assert found["decay_uslh"] == 200_000 == by_name["text"]["lost_uslh"]
    assert by_name["back"]["solved_uslh"] == "2400000.200000"
    assert by_name["back"]["booked_uslh"] == 2_400_000
    assert by_name["back"]["difference_uslh"] == "-0.200000"


def test_labour_that_comes_after_the_first_use_counts_from_then_on(tmp_path: Path) -> None:
    """Half of 4 has left when 6 are added: 2 + 6 = 8 are spread over the use that is left."""
    with new_book(tmp_path) as book:
        book.record(
            k.Enrol(maker="ada"), STANDARD, model("m"), labour("m", 4, 3), k.Plan(work="m", uses=2),
            k.Output(output="o-1", sha256=HASH, size_bytes=0), k.Output(output="o-2", sha256=HASH, size_bytes=0),
            make("one", "generate", {"m": 1}, "o-1"), labour("m", 6, 3), make("two", "generate", {"m": 1}, "o-2"),
            data("d"), k.Recycle(recycle="r1", output="o-1", work="d", decay_ppm=0),
            k.Recycle(recycle="r2", output="o-2", work="d", decay_ppm=0),
        )  # fmt: skip
    found = answer(tmp_path, "books", "loop")
    by_name = {one["work"]: (one["solved_uslh"], one["booked_uslh"]) for one in found["versions"]}
    assert by_name == {
        "m": ("10000000.000000", 10 * SLH), "o-1": ("2000000.000000", 2 * SLH), "o-2": ("8000000.000000", 8 * SLH),
        "d": ("10000000.000000", 10 * SLH),
    }  # fmt: skip
    assert found["steady"] is None
    assert "No next model was made" in asked(tmp_path, "books", "loop").stdout


def test_a_book_without_a_loop_says_so(example: Path) -> None:
    assert "No output has come back as data" in asked(example, "books", "loop").stdout
    assert answer(example, "books", "loop")["rounds"] == []


def test_what_a_correction_took_back_after_it_had_passed_on_is_told_apart(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        first, *rest = (one for one in once_around() if not isinstance(one, k.Enrol))
        book.record(k.Enrol(maker="ada"), first)
        numbers = book.record(*rest)
        wrong = next(seq for seq in numbers if isinstance(book.log.fact(seq).body, k.Labour))
        book.record(k.Correction(correction="c", fact=book.log.fact(wrong).id, reason="nobody worked it"))
    found = answer(tmp_path, "books", "loop")
    by_name = {one["work"]: one for one in found["versions"]}
    assert by_name["model-1"]["solved_uslh"] == "0.000000"
    assert by_name["model-1"]["booked_uslh"] == 600_000, "what had passed on stays"
    assert found["passed_on_uslh"] == -600_000
    assert by_name["model-2"]["booked_uslh"] == 2_300_000


@given(
    hours=some.tuples(*[some.integers(1, 50)] * 3),
    uses=some.tuples(*[some.integers(1, 7)] * 3),
    copies=some.integers(1, 9),
    decay=some.integers(0, 1_000_000),
    idle=some.integers(1, 300_000),
    again=some.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_whatever_goes_around_solved_and_booked_differ_by_rounding_alone(
    tmp_path_factory: pytest.TempPathFactory,
    hours: tuple[int, int, int],
    uses: tuple[int, int, int],
    copies: int,
    decay: int,
    idle: int,
    again: bool,
) -> None:
    facts: list[Body] = [
        k.Enrol(maker="ada", form="group", people=9), STANDARD, data("d-1"), labour("d-1", hours[0], 2),
        k.Dataset(dataset="set-1", works=("d-1",), root=HASH, licence="CC0-1.0"), k.Plan(work="set-1", uses=uses[0]),
        model("m-1"), make("t-1", "train", {"set-1": 1}, "m-1"), labour("m-1", hours[1], 3),
        k.Plan(work="m-1", uses=uses[1] + 9), k.Output(output="o", sha256=HASH, size_bytes=0, quantity=9),
        k.Output(output="other", sha256=HASH, size_bytes=0, quantity=2),
        make("g", "generate", {"m-1": 7}, "o", "other"), k.Loss(loss="l", work="m-1", reason="idle", amount_uslh=idle),
        data("d-2"), k.Recycle(recycle="r", output="o", copies=copies, work="d-2", decay_ppm=decay),
        labour("d-2", hours[2], 2), k.Plan(work="d-2", uses=uses[2]), model("m-2"),
        make("t-2", "train", {"d-2": 1}, "m-2"),
    ]  # fmt: skip
    if again:
        facts += [labour("m-1", 5, 3), k.Plan(work="m-1", uses=3), k.Output(output="o-3", sha256=HASH, size_bytes=0),
                  make("g-3", "generate", {"m-1": 1}, "o-3"),
                  k.Recycle(recycle="r-3", output="o-3", work="d-2", decay_ppm=decay)]  # fmt: skip
    folder = tmp_path_factory.mktemp("loop")
    with new_book(folder) as book:
        book.record(*facts)
        found = book.loop()
        assert conservation(book.log.state)[0] == conservation(book.log.state)[1]
    most = 4 * found.transfers
    for one in found.versions:
        assert abs(Fraction(one.difference_uslh)) <= most, one


def test_the_python_verbs_answer_what_the_command_line_does(example: Path) -> None:
    with gongfen.open(example / "book.db") as book:
        assert book.ledger().given_uslh == 1_035 * SLH
        assert [one.account for one in book.accounts("1200")] == ["1200:model:model"]
        assert book.idle("model", Fraction(1, 100), Fraction(30)).lost_uslh == 128_294_981
        assert book.close_period("2026-01", "january").close == "january"
        assert said("enrol maker=x")[0] == k.Enrol(maker="x")

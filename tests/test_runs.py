"""Facts booked together give what they give one by one: the same rows, entries and errors, wherever they are divided."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

import gongfen
from gongfen import accounts
from gongfen.accounts.checks import checks_of
from gongfen.accounts.stocks import Stock
from gongfen.book.proving.verification import read_log
from gongfen.errors import AbsurdLabourError, DamagedBookError, GongfenError, UnknownWorkError
from gongfen.facts import Body, Fact, admitted, admitted_together, decode, decoded_together, encode, reread_together
from gongfen.facts import kinds as k
from tests.books import HASH, cooperative, new_book, said
from tests.histories import STEPS, facts_of, history, valid
from tests.servers import Server

EXAMPLES = int(os.environ.get("GONGFEN_EXAMPLES", "150"))
CLOSED = {"books": "c-1", "books|2026-01": "c-1"}
ODD = said(
    'standard standard=odd basis=t reductions=[{"skill":"odd","num":187,"den":167},{"skill":"simple","num":3,"den":2},'
    '{"skill":"huge","num":9007199254740991,"den":1}] machines=[] melt_micro=40.0 currency=EUR'
)


@st.composite
def usual_labour(draw: st.DrawFn) -> k.Labour:
    """Labour of one day, of few makers on few works, so that much of it is alike; some of it breaks a rule."""
    return k.Labour(
        maker=draw(st.sampled_from(("ada", "ada", "bo", "cy", "desk", "nobody"))),
        work=draw(st.sampled_from(("work-0", "work-0", "work-1", "work-2", "more-0", "nothing"))),
        labour_kind=draw(st.sampled_from((1, 2, 8))),
        phase=draw(st.sampled_from(("training", "inference"))),
        standing=draw(st.sampled_from(("crowd", "unpaid"))),
        labour_us=draw(st.sampled_from((0, 1_799, 1_800, 3_600_000_000, 40_000_001, 80_000_000_000))),
        skill=draw(st.sampled_from(("simple", "simple", "odd", "huge", "unheard"))),
        day=draw(st.sampled_from(("2026-01-01", "2026-01-02", "2026-02-01"))),
    )


OUTPUTS = st.builds(
    k.Output,
    output=st.sampled_from(("work-0", "more-0", "more-1", "more-2")),
    sha256=st.just(HASH),
    size_bytes=st.just(1),
    quantity=st.sampled_from((1, 3)),
)
"""Outputs whose name may be taken: by another, or by a work."""


@st.composite
def bodies(draw: st.DrawFn) -> list[Body]:
    """A history with usual labour strewn in, alone and in runs, and standards that change between."""
    some: list[Body] = []
    for body in history(draw(STEPS)):
        plain = draw(st.booleans()) and isinstance(body, k.Labour)
        few = draw(st.booleans()) and isinstance(body, k.Enrol)
        some.append(msgspec.structs.replace(body, **{"days": 1} if plain else {"people": 1} if few else {}))
        some += draw(st.lists(usual_labour() | OUTPUTS, max_size=6)) if draw(st.booleans()) else []
    place = draw(st.integers(5, len(some)))
    odd = [msgspec.structs.replace(one, unpaid=draw(st.sampled_from(("simple", "reduced", UNSET)))) for one in ODD]
    return [*some[:place], *odd, *some[place:]]


def plain(bookings: tuple[Any, ...]) -> Any:
    """Entries and tuples in one shape."""
    return msgspec.json.decode(msgspec.json.encode(bookings))


class Fold:
    """A state, what was booked, and what was refused."""

    def __init__(self, closed: dict[str, str]) -> None:
        self.earlier: dict[str, tuple[int, Fact]] = {}
        self.state = accounts.state_in_memory("example.org/t", self.earlier.get)
        for key, row in closed.items():
            self.state.closed.set(key, row)
        self.booked: list[Any] = []
        self.refused: list[tuple[str, str]] = []

    def keep(self, facts: list[Fact], booked: list[Any]) -> None:
        for fact, bookings in zip(facts, booked, strict=True):
            self.earlier[fact.id] = (len(self.earlier), fact)
            self.booked.append(plain(bookings))

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        return {name: dict(getattr(self.state, name).prefixed("")) for name in accounts.TABLES}


def one_by_one(facts: list[Fact], closed: dict[str, str]) -> Fold:
    fold = Fold(closed)
    for fact in facts:
        try:
            fold.keep([fact], [tuple(accounts.book(fold.state, fact, len(fold.earlier)))])
        except GongfenError as error:
            fold.refused.append((fact.id, f"{type(error).__name__} {error}"))
    return fold


def together(facts: list[Fact], cuts: set[int], closed: dict[str, str]) -> Fold:
    """Divided at ``cuts``, before each correction, and behind whatever is refused."""
    fold = Fold(closed)
    cuts |= {number for number, fact in enumerate(facts) if isinstance(fact.body, k.Correction)}
    for start, end in pairwise(sorted({0, len(facts), *(cut for cut in cuts if cut < len(facts))})):
        part = facts[start:end]
        while part:
            try:
                fold.keep(part, accounts.book_all(fold.state, part, len(fold.earlier)))
                break
            except GongfenError as error:
                which = error.which or 0
                fold.refused.append((part[which].id, f"{type(error).__name__} {error}"))
                fold.keep(part[:which], [None] * which)  # what they booked went with the error
                part = part[which + 1 :]
    return fold


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies(), st.sets(st.integers(0, 120)), st.sampled_from(({}, {}, CLOSED)))
def test_facts_booked_together_are_the_same_as_one_by_one(
    told: list[Body], cuts: set[int], closed: dict[str, str]
) -> None:
    facts = facts_of(told)
    due, found = one_by_one(facts, closed), together(facts, cuts, closed)
    assert found.refused == due.refused
    assert found.tables == due.tables
    assert all(ours in (None, theirs) for ours, theirs in zip(found.booked, due.booked, strict=True))
    assert found.earlier == due.earlier


def test_whoever_adds_to_labour_adds_to_runs() -> None:
    """Each field and each rule of labour is either what lanes are told apart by, or looked at in :mod:`runs`."""
    alike = {"maker", "work", "labour_kind", "phase", "standing", "quality", "skill"}
    one_value_only = {"days", "task", "units", "discarded"}
    each = {"labour_us", "day"}
    booked_nowhere = {"evidence"}
    assert set(k.Labour.__struct_fields__) == alike | one_value_only | each | booked_nowhere
    assert [check.__name__ for check in checks_of(k.Labour)] == [
        "makers_are_enrolled",
        "works_are_known",
        "machines_do_not_labour",
        "days_have_24_hours",
        "skills_are_reduced",
        "books_are_open",
    ]


def test_whoever_adds_to_outputs_adds_to_runs() -> None:
    assert set(k.Output.__struct_fields__) == {"output", "sha256", "media", "size_bytes", "quantity"}
    assert [check.__name__ for check in checks_of(k.Output)] == ["names_are_new"]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.sampled_from(("data", "model", "output")),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), min_size=1, max_size=8),
    st.integers(0, 5),
    st.integers(1, 9),
    st.integers(0, 12),
)
def test_what_a_stock_receives_can_be_summed_first(
    kind: Any, gains: list[tuple[str, int, bool]], before: int, planned: int, used: int
) -> None:
    stock = Stock(kind=kind, sources={}, planned=None).receive({"a": before})
    if used:
        stock = stock.plan(planned).use(used)[0]
    sums: dict[str, int] = {}
    one = stock
    for source, amount, lived in gains:
        one = one.receive({source: amount}, lived=lived)
        sums[source] = sums.get(source, 0) + amount
    assert stock.receive(sums, lived=sum(lived for *_, lived in gains)) == one


# -- reading and admitting many ----------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None)
@given(STEPS)
def test_facts_are_read_and_admitted_together_as_one_by_one(steps: list[tuple[str, int, int, int]]) -> None:
    facts = facts_of(history(steps))
    data = [encode(fact) for fact in facts]
    assert decoded_together(data) == reread_together(data) == [decode(one) for one in data] == facts
    assert admitted_together(facts) == [admitted(fact)[:2] for fact in facts]


SOUND = k.Labour(
    maker="ada", work="w", labour_kind=1, phase="training", standing="crowd", labour_us=1, day="2026-01-01"
)
WRONG: dict[str, Fact] = {
    "float": Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=msgspec.structs.replace(SOUND, labour_us=0.5)),
    "space": Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=msgspec.structs.replace(SOUND, work="a b")),
    "bar": Fact(id="x|y", at="2026-11-22T00:00:00.000000Z", by="t", body=SOUND),
    "speaker": Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t\u2028", body=SOUND),
    "day": Fact(
        id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=msgspec.structs.replace(SOUND, day="2026-02-30")
    ),
    "time": Fact(id="x", at="2026-11-22T24:00:00.000000Z", by="t", body=SOUND),
    "rule": Fact(id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=msgspec.structs.replace(SOUND, labour_us=None)),
    "hash": Fact(
        id="x", at="2026-11-22T00:00:00.000000Z", by="t", body=k.Output(output="o", sha256="g" * 64, size_bytes=1)
    ),
    "unseen": Fact(id="x\u200b", at="2026-11-22T00:00:00.000000Z", by="t", body=SOUND),
    "surrogate": Fact(id="x\ud800", at="2026-11-22T00:00:00.000000Z", by="t", body=SOUND),
    "long": Fact(
        id="x",
        at="2026-11-22T00:00:00.000000Z",
        by="t",
        body=k.Dataset(dataset="d", works=tuple(f"w-{n}" for n in range(9_000)), root=HASH, licence="l"),
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_needs_a_closer_look_is_not_admitted_with_others(wrong: str) -> None:
    sound = Fact(id="1", at="2026-11-22T00:00:00.000000Z", by="t", body=SOUND)
    assert admitted_together([sound, WRONG[wrong]]) is None
    assert admitted_together([sound]) == [(sound, encode(sound))]


def test_bytes_that_are_not_canonical_are_not_read_together() -> None:
    data = encode(Fact(id="1", at="2026-11-22T00:00:00.000000Z", by="t", body=SOUND))
    assert reread_together([data, data]) is not None
    for other in (data + b"\n", b" " + data, data.replace(b"1}", b"2}"), b"", None, data + data):
        assert reread_together([data, other]) is None  # type: ignore[list-item]


# -- in books ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("fsync=off") as one:
        yield one


def tables(book: gongfen.Book) -> dict[str, Any]:
    state, views = book.log.state, book.log.views
    found: dict[str, Any] = {name: list(getattr(state, name).prefixed("")) for name in accounts.TABLES}
    return found | {
        "index": [(name, seqs[:]) for name, seqs in views.all_touches()],
        "postings": list(views.all_bookings()),
    }


@settings(
    max_examples=max(EXAMPLES // 15, 5),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
@given(told=bodies(), size=st.integers(1, 40))
def test_books_are_the_same_however_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, server: Server, told: list[Body], size: int
) -> None:
    # What overflows leaves a state behind that a book would roll back: then not all that looks valid is.
    folder = tmp_path_factory.mktemp("runs")
    facts = valid([body for body in told if not (isinstance(body, k.Labour) and body.skill == "huge")])
    due, answers = one_by_one(facts, {}), []
    places = (folder / "one.db", folder / "many.db", server.new_schema())
    for place, most in zip(places, (1, size, size), strict=True):
        key = patch.dict(os.environ, {"GONGFEN_KEY": str(folder / "server.key")})
        with key, gongfen.create(place, origin="example.org/t", by="t") as book:
            for start in range(0, len(facts), most):
                book.log.record(facts[start : start + most])
            answers.append((book.log.tree.root(), tables(book)))
            book.log.rebuild()
            answers.append((book.log.tree.root(), tables(book)))
            book.verify()
    assert all(answer == answers[0] for answer in answers)
    kept = answers[0][1]
    assert {name: dict(kept[name]) for name in accounts.TABLES} == due.tables
    assert plain(kept["postings"]) == [[seq, bookings] for seq, bookings in enumerate(due.booked) if bookings]


@pytest.mark.parametrize("place", [0, 7, 299, 300])
def test_a_refused_fact_is_named_by_its_place_and_nothing_is_written(tmp_path: Path, place: int) -> None:
    book = cooperative(tmp_path)
    before, size = tables(book), book.log.size
    usual = said("labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1s day=2026-11-05")
    bad = [msgspec.structs.replace(usual[0], work="nothing"), msgspec.structs.replace(usual[0], labour_us=10**12)]
    for body, kind in zip(bad, (UnknownWorkError, AbsurdLabourError), strict=True):
        with pytest.raises(kind) as caught:
            book.record(*usual * place, body, *usual * 5)
        assert caught.value.which == place
        assert book.log.size == size
        assert tables(book) == before
    book.record(*usual * 400)
    book.verify()


def test_a_correction_finds_what_was_said_just_before_it(tmp_path: Path) -> None:
    labour = "labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=1h day=2026-11-05"
    book = cooperative(tmp_path)
    before = book.balance()
    for _ in range(2):
        facts = [book.log.new(body) for body in said(labour) * 3]
        facts += [book.log.new(k.Correction(correction=f"c-{f.id}", fact=f.id, reason="was wrong")) for f in facts]
        book.log.record(facts)
    assert book.balance() == before
    book.log.rebuild()
    assert book.balance() == before
    book.verify()


def test_a_damaged_fact_among_many_is_named(tmp_path: Path) -> None:
    book = new_book(tmp_path, "enrol maker=ada")
    book.record(*(k.Enrol(maker=f"m-{number}") for number in range(300)))
    store, log = book.log.store, book.log
    first = next(store.entries(5, 6))
    store._db.run("DROP TRIGGER fact_update")  # type: ignore[attr-defined]
    store._db.run("UPDATE fact SET data = ? WHERE seq = 7", (first.data,))  # type: ignore[attr-defined]
    with pytest.raises(DamagedBookError, match=r"fact 7, cannot be booked again: m-4 is already in this book"):
        log.rebuild()
    with pytest.raises(DamagedBookError, match=r"fact 7, was altered"):
        read_log(log, [])

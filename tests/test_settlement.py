"""Who gets how much: exact to the cent, recomputed by anyone, refused when it does not follow."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen import accounts, shares
from gongfen.errors import ClosedPeriodError, MalformedFactError, MissingAssumptionError, ProofError
from gongfen.facts import Fact, encode
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.reports.bundle import unzipped, verify_bundle, write_bundle, zipped
from tests.books import COOPERATIVE, HASH, cooperative, new_book, said, settlement_of, signed_again

CENT = 10_000


def booked(text: str) -> accounts.State:
    state = accounts.state_in_memory()
    for seq, body in enumerate(said(text)):
        accounts.book(state, Fact(id=str(seq), at="2026-11-22T00:00:00.000000Z", by="t", body=body), seq)
    return state


def equal_makers(count: int, euros: int) -> str:
    """``count`` makers with one work each, the same influence each, and one sale."""
    names = [f"maker-{n:04d}" for n in range(count)]
    effects = ",".join(f'{{"work":"work-{name}","effect_nnat":1000}}' for name in names)
    works = ",".join(f'"work-{name}"' for name in names)
    return "\n".join([
        *(f"enrol maker={name}" for name in names),
        "standard standard=s1 basis=t reductions=[] machines=[] melt_micro=40.0 currency=EUR",
        "policy policy=p1 statement=all-by-influence pool_ppm=1000000 beta_ppm=0 utility=u currency=EUR",
        *(f"work work=work-{name} sha256={HASH} size_bytes=4 makers={name}:1000000 source=t licence=l" for name in names),
        f"dataset dataset=d works=[{works}] root={HASH} licence=l",
        f"model model=m sha256={HASH} parameters=1 source=t licence=l",
        'make make=t activity=train inputs=[{"work":"d","role":"data"}] outputs=["m"] tool=t',
        f"output output=o sha256={HASH} size_bytes=4",
        f"influence influence=i target=period:2026:EUR model=m grade=settlement method=t utility=u seed=0 effects=[{effects}]",
        f"sale sale=s output=o price_micro={euros}.0 currency=EUR day=2026-01-01",
    ])  # fmt: skip


def test_3000_equal_makers_share_10_euros_in_a_stated_order() -> None:
    """A measured fault of a neighbour: it paid one of them 10.00 and the others nothing (``mission.md``, end).

    1,000 cents over 3,000 makers: each gets 0 or 1 cent, all 1,000 are paid, to those whose names sort first.
    """
    found = shares.settle(booked(equal_makers(3_000, 10)), "s", "2026", "p1", 0, HASH)
    amounts = [line.amount_micro for line in found.lines]
    assert len(amounts) == 3_000
    assert set(amounts) == {0, CENT}
    assert sum(amounts) == found.total_micro == 1_000 * CENT
    assert [line.maker for line in found.lines if line.amount_micro] == [f"maker-{n:04d}" for n in range(1_000)]


def test_a_settlement_that_does_not_add_up_is_refused_though_the_books_own_key_signed_it_again(tmp_path: Path) -> None:
    """A measured fault of a neighbour: it accepted a re-signed settlement of 999 over lines of 0.3."""
    book = cooperative(tmp_path)
    book.settle("2026-11")
    seq, fact, body = settlement_of(book)
    forged = msgspec.structs.replace(fact, body=msgspec.structs.replace(body, total_micro=999 * PPM))
    facts = [entry.data for entry in book.log.store.entries()]
    facts[seq] = encode(forged)
    bundle = write_bundle(facts, signed_again(book, facts), str(book.log.verifier), [])
    with pytest.raises(ProofError, match=r"claims a total of 999000000, but its lines add to"):
        verify_bundle(bundle, book.log.verifier)


@pytest.mark.parametrize("cents", [1, -1])
def test_a_settlement_that_adds_up_but_does_not_follow_is_refused_too(tmp_path: Path, cents: int) -> None:
    """One cent moved from one maker to another, total unchanged, signed again by the book's own key."""
    book = cooperative(tmp_path)
    book.settle("2026-11")
    seq, fact, body = settlement_of(book)
    first, second, *rest = body.lines
    moved = (
        msgspec.structs.replace(
            first, labour_micro=first.labour_micro + cents * CENT, amount_micro=first.amount_micro + cents * CENT
        ),
        msgspec.structs.replace(
            second, labour_micro=second.labour_micro - cents * CENT, amount_micro=second.amount_micro - cents * CENT
        ),
    )
    forged = msgspec.structs.replace(fact, body=msgspec.structs.replace(body, lines=(*moved, *rest)))
    facts = [entry.data for entry in book.log.store.entries()]
    facts[seq] = encode(forged)
    bundle = write_bundle(facts, signed_again(book, facts), str(book.log.verifier), [])
    with pytest.raises(ProofError, match=f"gives {first.maker}"):
        verify_bundle(bundle, book.log.verifier)


def test_the_book_itself_refuses_to_record_a_false_settlement(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    size = book.log.size
    due = shares.settle(book.log.state, "s", "2026-11", "p1", size, book.log.tree.root().hex())
    with pytest.raises(ProofError, match="sales_micro"):
        book.record(msgspec.structs.replace(due, sales_micro=1))
    with pytest.raises(ProofError, match="the log now has"):
        book.record(msgspec.structs.replace(due, size=size - 1))
    assert book.log.size == size
    book.record(due)
    assert book.log.size == size + 1


def test_the_pool_is_shared_by_labour_and_influence_and_nothing_is_lost(tmp_path: Path) -> None:
    """10.01 EUR sold, half shared: 500 cents; 250 by labour, 250 by influence; half a cent is carried.

    Labour in song-1 is a third of the model's (3 planned uses): ada 2 h, bo 90 min × 2, and cy's 40 s prompt in full.
    Influence: poem-1 300 (ada), poem-2 200 (ada 40 %, bo 60 %), poem-3 100, whose maker is not known.
    """
    book = cooperative(tmp_path)
    found = book.settle("2026-11")
    assert (found.sales_micro, found.pool_micro, found.total_micro) == (10_010_000, 5_005_000, 5_000_000)
    assert found.carried_out_micro == 5_000
    by_name = {line.maker: (line.labour_micro // CENT, line.influence_micro // CENT) for line in found.lines}
    assert by_name == {"ada": (99, 158), "bo": (149, 50), "cy": (2, 0)}
    assert found.unidentified_micro == 42 * CENT
    assert [(row.maker, row.owed_micro // CENT) for row in book.owed()] == [
        ("ada", 257), ("bo", 199), ("cy", 2), ("owed:unidentified", 42),
    ]  # fmt: skip


def test_what_was_carried_is_shared_in_the_next_period(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.settle("2026-11")
    effects = '[{"work":"poem-1","effect_nnat":1}]'
    book.record(*said(f"""
        sale sale=sale-2 output=song-1 price_micro=0.01 currency=EUR day=2026-12-01
        influence influence=i3 target=period:2026-12:EUR model=poet grade=settlement method=t utility=u seed=7 effects={effects}
    """))  # fmt: skip
    found = book.settle("2026-12")
    assert (found.carried_in_micro, found.pool_micro, found.carried_out_micro) == (5_000, 10_000, 0)
    assert found.total_micro == CENT


def test_a_settled_period_stays_settled(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.settle("2026-11")
    with pytest.raises(ClosedPeriodError, match="2026-11"):
        book.settle("2026-11", settlement="again")
    with pytest.raises(ClosedPeriodError):
        book.settle("2026", settlement="the-whole-year")
    with pytest.raises(ClosedPeriodError, match="falls into 2026-11"):
        book.record(*said("sale sale=late output=song-1 price_micro=1.0 currency=EUR day=2026-11-30"))


def test_what_is_missing_for_a_settlement_is_named(tmp_path: Path) -> None:
    book = new_book(tmp_path, "enrol maker=ada")
    with pytest.raises(MissingAssumptionError, match="policy"):
        book.settle("2026")
    book.record(*said("policy policy=p statement=s pool_ppm=1 beta_ppm=0 utility=u currency=EUR"))
    with pytest.raises(MissingAssumptionError, match="standard"):
        book.settle("2026")
    book.record(*said("standard standard=s basis=t reductions=[] machines=[] melt_micro=1 currency=EUR"))
    with pytest.raises(MissingAssumptionError, match="no sales"):
        book.settle("2026")
    book.record(*said(f"output output=o sha256={HASH} size_bytes=0\n"
                      "sale sale=s output=o price_micro=1.0 currency=EUR day=2026-01-01"))  # fmt: skip
    with pytest.raises(MissingAssumptionError, match="influence"):
        book.settle("2026")


def test_a_policy_published_after_the_sales_cannot_settle_them(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.record(*said("policy policy=better-for-me statement=s pool_ppm=1 beta_ppm=1000000 utility=u currency=EUR"))
    with pytest.raises(MissingAssumptionError, match="after the first sale"):
        book.settle("2026-11", "better-for-me")


def test_labour_that_is_added_after_the_sale_claims_nothing_of_its_price(tmp_path: Path) -> None:
    """Hours put on an output once its price is known were a way to take the pool."""
    book = cooperative(tmp_path)
    book.record(
        *said("labour maker=cy work=song-1 labour_kind=4 phase=inference standing=unpaid labour_us=24h day=2031-01-01")
    )
    by_name = {line.maker: line.labour_micro // CENT for line in book.settle("2026-11").lines}
    assert by_name == {"ada": 99, "bo": 149, "cy": 2}


def test_an_output_that_is_used_again_keeps_its_worth_and_its_makers_shares(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    before = book.worth("song-1")
    book.record(*said(f"""
        output output=album sha256={HASH} size_bytes=4
        make make=album activity=assemble inputs=[{{"work":"song-1","role":"part"}}] outputs=["album"] tool=t
    """))  # fmt: skip
    assert book.worth("song-1").uslh == before.uslh
    assert sum(row.labour_uslh for row in book.who("song-1").makers) == sum(before.by_maker.values())
    by_name = {line.maker: line.labour_micro // CENT for line in book.settle("2026-11").lines}
    assert by_name == {"ada": 99, "bo": 149, "cy": 2}


def test_hours_in_an_output_that_fetched_nothing_claim_nothing(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.record(*said(f"""
        output output=junk sha256={HASH} size_bytes=4
        labour maker=bo work=junk labour_kind=1 phase=inference standing=unpaid labour_us=24h day=2026-11-04
        sale sale=junk output=junk price_micro=0 currency=EUR day=2026-11-04
    """))  # fmt: skip
    by_name = {line.maker: line.labour_micro // CENT for line in book.settle("2026-11").lines}
    assert by_name == {"ada": 99, "bo": 149, "cy": 2}


def test_the_policy_in_force_at_the_first_sale_settles_and_no_other(tmp_path: Path) -> None:
    """Of several policies that stood, the one that suits cannot be picked in hindsight."""
    later = "policy policy=p2 statement=s pool_ppm=1000000 beta_ppm=1000000 utility=u currency=EUR"
    book = new_book(tmp_path)
    *facts, sale = said(COOPERATIVE)
    book.record(*facts, *said(later), sale)
    with pytest.raises(MissingAssumptionError, match="was replaced by p2"):
        book.settle("2026-11", "p1")
    assert book.settle("2026-11", "p2").policy == "p2"


def test_influence_is_claimed_for_training_works_alone_and_once_each(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    start = (
        "influence influence=x target=period:2026-12:EUR model=poet grade=settlement method=t utility=u seed=0 effects="
    )
    with pytest.raises(MalformedFactError, match="was no training work"):
        book.record(*said(start + '[{"work":"prompt-1","effect_nnat":9}]'))
    with pytest.raises(MalformedFactError, match="twice"):
        book.record(*said(start + '[{"work":"poem-1","effect_nnat":9},{"work":"poem-1","effect_nnat":9}]'))


def test_a_part_payment_needs_a_maker_an_amount_and_one_currency(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.settle("2026-11")
    for maker, amount in ((None, 10_000), ("ada", 0), ("ada", -1)):
        with pytest.raises(MalformedFactError):
            book.pay(maker, amount)
    assert book.owed("ada")[0].paid_micro == 0


def test_nobody_is_paid_more_than_is_owed(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    book.settle("2026-11")
    with pytest.raises(MalformedFactError, match="but 2570000 are owed"):
        book.pay("ada", 2_580_000)
    book.pay("ada", 570_000)
    assert book.owed("ada")[0].owed_micro == 2_000_000
    assert len(book.pay()) == 3
    assert {row.owed_micro for row in book.owed() if row.maker != "owed:unidentified"} == {0}


def test_a_key_from_the_bundle_is_said_to_be_one(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    assert verify_bundle(book.audit(), None).key_from_bundle
    assert not verify_bundle(book.audit(), book.log.verifier).key_from_bundle
    assert zipped(unzipped(book.audit())) == book.audit()


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=12),
    st.integers(0, 10**9),
    st.integers(0, PPM),
    st.integers(0, PPM),
)
def test_every_coin_of_the_pool_goes_somewhere(effects: list[int], price: int, pool: int, beta: int) -> None:
    """Whatever the influence, the price and the policy: pool = lines + unidentified + carried, each in whole cents."""
    rows = ",".join(f'{{"work":"w{n}","effect_nnat":{effect}}}' for n, effect in enumerate(effects))
    names = ",".join(f'"w{n}"' for n in range(len(effects)))
    state = booked("\n".join([
        "enrol maker=a", "enrol maker=b",
        "standard standard=s1 basis=t reductions=[] machines=[] melt_micro=1 currency=EUR",
        f"policy policy=p1 statement=s pool_ppm={pool} beta_ppm={beta} utility=u currency=EUR",
        *(f"work work=w{n} sha256={HASH} size_bytes=4 makers={('a:1000000', 'a:300000,b:700000', '')[n % 3]} source=t licence=l"
          for n in range(len(effects))),
        f"dataset dataset=d works=[{names}] root={HASH} licence=l",
        f"model model=m sha256={HASH} parameters=1 source=t licence=l",
        'make make=t activity=train inputs=[{"work":"d","role":"data"}] outputs=["m"] tool=t',
        f"output output=o sha256={HASH} size_bytes=4",
        "labour maker=b work=o labour_kind=1 phase=inference standing=unpaid labour_us=1s day=2026-01-01",
        f"influence influence=i target=period:2026:EUR model=m grade=settlement method=t utility=u seed=0 effects=[{rows}]",
        f"sale sale=s output=o price_micro={price} currency=EUR day=2026-01-01",
    ]))  # fmt: skip
    if beta < PPM and not sum(effects):
        with pytest.raises(MissingAssumptionError):
            shares.settle(state, "s", "2026", "p1", 0, HASH)
        return
    found = shares.settle(state, "s", "2026", "p1", 0, HASH)
    paid = sum(line.amount_micro for line in found.lines) + found.unidentified_micro
    assert paid == found.total_micro
    assert found.pool_micro == paid + found.carried_out_micro == price * pool // PPM
    assert all(line.amount_micro % CENT == 0 for line in found.lines)
    shares.check_settlement(state, found)


def test_settlement_lines_say_why(tmp_path: Path) -> None:
    book = cooperative(tmp_path)
    found = book.settle("2026-11")
    assert isinstance(found, k.Settlement)
    for line in found.lines:
        assert line.labour_micro + line.influence_micro == line.amount_micro

"""Small books for tests, in the notation of the command line: what a test needs, in one line a fact."""

from hashlib import sha256
from pathlib import Path

import gongfen
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.notation import read_words
from gongfen.proof.checkpoint import Checkpoint
from gongfen.proof.note import Signer

ORIGIN = "example.org/book"
HASH = sha256(b"text").hexdigest()

COOPERATIVE = f"""
enrol maker=ada
enrol maker=bo
enrol maker=cy
enrol maker=desk form=machine
standard standard=s1 basis=test reductions=[{{"skill":"x2","num":2,"den":1}}] machines=[{{"device":"cpu","uslh_per_hour":40000}}] melt_micro=40.0 currency=EUR
policy policy=p1 statement=half-and-half pool_ppm=500000 beta_ppm=500000 utility=log-likelihood currency=EUR
work work=poem-1 sha256={HASH} size_bytes=4 makers=ada:1000000 source=test licence=CC0-1.0
work work=poem-2 sha256={HASH} size_bytes=4 makers=ada:400000,bo:600000 source=test licence=CC0-1.0
work work=poem-3 sha256={HASH} size_bytes=4 makers= source=test licence=CC0-1.0
labour maker=ada work=poem-1 labour_kind=1 phase=training standing=employed labour_us=2h day=2026-11-01
labour maker=bo work=poem-2 labour_kind=1 phase=training standing=crowd labour_us=90m day=2026-11-01 skill=x2
dataset dataset=poems works=["poem-1","poem-2","poem-3"] root={HASH} licence=CC0-1.0
model model=base sha256={HASH} parameters=100 source=test licence=Apache-2.0
plan work=base uses=10
model model=poet sha256={HASH} base=base parameters=10 source=test licence=CC0-1.0
make make=tuning activity=train inputs=[{{"work":"poems","role":"data"}},{{"work":"base","role":"base"}}] outputs=["poet"] tool=test seed=7
compute machine=desk device=cpu work=poet device_us=1h energy_mwh=15000 energy_quality=estimated
plan work=poet uses=3
work work=prompt-1 sha256={HASH} size_bytes=4 makers=cy:1000000 source=test licence=CC0-1.0 role=prompt
labour maker=cy work=prompt-1 labour_kind=1 phase=inference standing=unpaid labour_us=40s day=2026-11-02
output output=song-1 sha256={HASH} size_bytes=4
make make=singing activity=generate inputs=[{{"work":"poet","role":"model"}},{{"work":"prompt-1","role":"prompt"}}] outputs=["song-1"] tool=test seed=7
influence influence=i1 target=song-1 model=poet grade=display method=test utility=log-likelihood seed=7 effects=[{{"work":"poem-1","effect_nnat":300}},{{"work":"poem-2","effect_nnat":-50}}]
influence influence=i2 target=period:2026-11:EUR model=poet grade=settlement method=test utility=log-likelihood seed=7 effects=[{{"work":"poem-1","effect_nnat":300}},{{"work":"poem-2","effect_nnat":200}},{{"work":"poem-3","effect_nnat":100}}]
quote output=song-1 output_start=0 output_end=4 work=poem-2 work_start=0 work_end=4 method=test
sale sale=sale-1 output=song-1 price_micro=10.01 currency=EUR day=2026-11-03
"""


def said(text: str) -> list[Body]:
    """The facts of a text, a line each."""
    return [read_words(line.split()) for line in text.splitlines() if line.strip()]


def new_book(folder: Path, text: str = "", name: str = "book.db") -> gongfen.Book:
    """A book in ``folder`` that holds the facts of ``text``."""
    book = gongfen.create(folder / name, origin=ORIGIN, by="test")
    if text:
        book.record(*said(text))
    return book


def cooperative(folder: Path) -> gongfen.Book:
    """Three makers, three poems, one model, one song, one sale: the smallest book in which every room has work."""
    book = new_book(folder, COOPERATIVE)
    book.log.keep_blob(b"text")
    return book


def signer_of(book: gongfen.Book) -> Signer:
    """The book's own key: what an insider could sign with."""
    return Signer.parse(book.log.path.with_name(book.log.path.name + ".key").read_text())


def signed_again(book: gongfen.Book, facts: list[bytes]) -> str:
    """A checkpoint over other facts, correctly signed by the book's own key."""
    from gongfen.proof.merkle import leaf_hash, root_of

    root = root_of([leaf_hash(fact) for fact in facts])
    return Checkpoint(ORIGIN, len(facts), root).sign(signer_of(book))


def settlement_of(book: gongfen.Book) -> tuple[int, Fact, k.Settlement]:
    """The last settlement in a book."""
    seq, fact = book.log.about("kind|settlement")[-1]
    assert isinstance(fact.body, k.Settlement)
    return seq, fact, fact.body

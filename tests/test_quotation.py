"""Quotations: against brute force on small alphabets, and case by case where a person would look."""

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.errors import GongfenError
from gongfen.trace.copies.quotation import Quote, QuoteIndex, QuoteRule, find_quotes
from gongfen.trace.copies.tokens import is_han, tokens, words

HOUSE = "A house divided against itself cannot stand. I believe this government cannot endure."


def spans(text, quotes):
    return [(text[q.start : q.end], q.work) for q in quotes]


# ---- against brute force -------------------------------------------------------------------------------------------


def brute(text, works, rule, makers):
    """The definition, read aloud: every span, every work, every place; the longest first; then left and right of it."""
    spelled = {
        work: [(m.group().lower(), *m.span()) for m in re.finditer(r"[a-z]+|[甲乙]", body, re.IGNORECASE)]
        for work, body in {**works, None: text}.items()
    }
    output = spelled.pop(None)

    def length(start, end):
        units = (rule.min_han if key in "甲乙" else rule.min_words for key, *_ in output[start:end])
        return sum(Fraction(1, unit) for unit in units)

    def places(start, end, work):
        wanted = [key for key, *_ in output[start:end]]
        held = [key for key, *_ in spelled[work]]
        return [at for at in range(len(held)) if held[at : at + len(wanted)] == wanted]

    def search(low, high):
        found = []
        for start in range(low, high):
            for end in range(start + 1, high + 1):
                holders = {work for work in works if places(start, end, work)}
                few = len({makers.get(work, work) for work in holders}) <= rule.commonplace_makers
                if holders and few and length(start, end) >= 1:
                    work = min(holders)
                    found.append((-length(start, end), work, start, places(start, end, work)[0], end, holders))
        if not found:
            return []
        _, work, start, place, end, holders = min(found, key=lambda one: one[:4])
        source = spelled[work]
        quote = Quote(
            output[start][1],
            output[end - 1][2],
            work,
            source[place][1],
            source[place + end - start - 1][2],
            tuple(sorted(holders - {work})),
        )
        return [*search(low, start), quote, *search(end, high)]

    return tuple(search(0, len(output)))


TEXTS = st.lists(st.sampled_from(["a", "B", "甲", "乙", "c"]), max_size=11).flatmap(
    lambda keys: st.lists(st.sampled_from([" ", ", ", "—", "\n\n"]), min_size=len(keys), max_size=len(keys)).map(
        lambda gaps: "".join(f"{key}{gap}" for key, gap in zip(keys, gaps, strict=True))
    )
)
RULES = st.builds(QuoteRule, st.integers(1, 3), st.integers(1, 4), st.integers(1, 3))


@settings(max_examples=400, deadline=None)
@given(
    TEXTS,
    st.dictionaries(st.sampled_from("pqrst"), TEXTS, max_size=5),
    RULES,
    st.dictionaries(st.sampled_from("pqrst"), st.sampled_from(["ada", "bo"])),
)
def test_as_brute_force_finds_them(text, works, rule, makers):
    assert find_quotes(text, works, rule, makers) == brute(text, works, rule, makers)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=4), st.dictionaries(st.sampled_from("pqr"), TEXTS, max_size=3), RULES)
def test_one_index_answers_many_questions(outputs, works, rule):
    """An index has no memory of earlier outputs, and the order of the works changes nothing."""
    index = QuoteIndex(dict(reversed(works.items())), rule)
    assert [index.find(output) for output in outputs] == [find_quotes(output, works, rule) for output in outputs]


@given(st.text())
def test_words_are_the_tokens_keys(text):
    assert words(text) == [token.key for token in tokens(text)]


@given(st.text())
def test_tokens_stand_where_they_say(text):
    ends = 0
    for token in tokens(text):
        assert ends <= token.start < token.end <= len(text)
        assert words(text[token.start : token.end]) == [token.key]
        ends = token.end


# ---- case by case --------------------------------------------------------------------------------------------------


def test_offsets_point_into_the_original_on_both_sides():
    output = "He said (twice): “a HOUSE, divided — against itself — cannot stand!” and sat down"
    (quote,) = find_quotes(output, {"lincoln": HOUSE})
    assert output[quote.start : quote.end] == "a HOUSE, divided — against itself — cannot stand"
    assert HOUSE[quote.work_start : quote.work_end] == "A house divided against itself cannot stand"


def test_five_words_are_no_quotation_and_six_are():
    assert not find_quotes("a house divided against itself", {"l": HOUSE})
    assert find_quotes("a house divided against itself cannot", {"l": HOUSE})


def test_one_other_word_ends_a_quotation():
    text = "a house divided against itself cannot fall I believe this government cannot endure"
    assert spans(text, find_quotes(text, {"l": HOUSE})) == [
        ("a house divided against itself cannot", "l"),
        ("I believe this government cannot endure", "l"),
    ]


def test_chinese_by_characters():
    poem = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
    text = "他念道：「疑是地上霜 举头望明月低头——思故乡」。"
    (quote,) = find_quotes(text, {"静夜思": poem})
    assert text[quote.start : quote.end] == "疑是地上霜 举头望明月低头——思故乡"
    assert poem[quote.work_start : quote.work_end] == "疑是地上霜。举头望明月，低头思故乡"
    assert not find_quotes("疑是地上霜举头望明月低", {"静夜思": poem}), "eleven characters"
    assert find_quotes("疑是地上霜举头望明月低头", {"静夜思": poem}), "twelve characters"


def test_a_mixture_adds_up():
    """Three of six words and six of twelve characters are one whole."""
    work = "我们用 large language models 写作文章"
    assert spans(work, find_quotes(work, {"w": work})) == [(work, "w")]
    assert not find_quotes("我们用 large language models 写作", {"w": work})


def test_the_longer_quotation_wins_and_the_rest_of_the_shorter_stays():
    works = {
        "a": "one two three four five six seven eight",
        "b": "seven eight nine ten eleven twelve thirteen fourteen x",
    }
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen x"
    assert spans(text, find_quotes(text, works)) == [
        ("one two three four five six", "a"),
        ("seven eight nine ten eleven twelve thirteen fourteen x", "b"),
    ]


def test_a_remainder_that_is_too_short_is_no_quotation():
    works = {"a": "one two three four five six seven", "b": "six seven eight nine ten eleven twelve thirteen"}
    text = "one two three four five six seven eight nine ten eleven twelve thirteen"
    assert spans(text, find_quotes(text, works)) == [("six seven eight nine ten eleven twelve thirteen", "b")]


def test_ties_go_to_the_first_work_id_and_name_the_others():
    (quote,) = find_quotes(HOUSE, {"z": HOUSE, "m": HOUSE, "k": HOUSE})
    assert (quote.work, quote.also) == ("k", ("m", "z"))


def test_a_commonplace_is_nobodys():
    phrase = "by the people of the United States of America"
    works = {name: f"{phrase} {name}" for name in ("ada", "bo", "cy")}
    assert spans(phrase, find_quotes(phrase, works)) == [(phrase, "ada")]
    assert not find_quotes(phrase, {**works, "di": phrase})
    longer = f"{phrase} cy"
    assert spans(longer, find_quotes(longer, {**works, "di": phrase})) == [(longer, "cy")], (
        "one word more is one maker's"
    )


def test_repeating_oneself_makes_no_commonplace():
    works = {f"lincoln#{number}": HOUSE for number in range(9)}
    assert not find_quotes(HOUSE, works)
    assert find_quotes(HOUSE, works, makers=dict.fromkeys(works, "lincoln"))


def test_quotations_never_cross_from_one_work_into_the_next():
    assert not find_quotes("one two three four five six", {"a": "one two three", "b": "four five six"})


@pytest.mark.parametrize(
    "disguise",
    [
        "A HOUSE DIVIDED AGAINST ITSELF CANNOT STAND",
        "a house\u00a0di\u00advided against it\u200bself cannot stand",
        "ａ ｈｏｕｓｅ divided against itself cannot stand",
        "a*house*divided_against/itself...cannot\tstand",
    ],
)
def test_disguises_that_do_not_hide_a_quotation(disguise):
    assert spans(disguise, find_quotes(disguise, {"l": HOUSE})) == [(disguise, "l")]


def test_composed_and_decomposed_accents_and_both_apostrophes_match():
    assert words("Caf\u00e9 l\u2019\u00e9t\u00e9") == words("cafe\u0301 l'e\u0301te\u0301") == ["café", "l'été"]
    assert words("\uf900") == words("\u8c48"), "a compatibility ideograph"
    assert [is_han(key) for key in words("〇々𠀀 a1")] == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "works"), [("", {"a": HOUSE}), (HOUSE, {}), (HOUSE, {"a": ""}), ("…?!", {"a": "…?!"})]
)
def test_nothing_to_find(text, works):
    assert find_quotes(text, works) == ()


@pytest.mark.parametrize("bad", [0, -1, 1.5, True])
def test_a_rule_counts_from_one(bad):
    with pytest.raises(GongfenError, match="min_words"):
        QuoteRule(min_words=bad)


@pytest.mark.parametrize(("work_times", "output_times"), [(100_000, 100_000), (100_000, 10), (10, 10_000)])
def test_a_phrase_repeated_a_hundred_thousand_times_is_found_at_once(work_times, output_times):
    """Comparing every place with every other would take hours."""
    phrase = "we the people of this land "
    quotes = find_quotes(phrase * output_times, {"w": phrase * work_times})
    assert sum(quote.end - quote.start + 1 for quote in quotes) == len(phrase) * output_times
    assert len(quotes) == max(1, output_times // work_times)

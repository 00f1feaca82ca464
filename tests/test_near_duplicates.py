"""Near-duplicates: MinHash may only propose; what is found is what comparing every pair would find."""

from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.trace.copies.near_duplicates import THRESHOLD, clusters, near_duplicates, shingles

VOCABULARY = [f"w{number}" for number in range(400)]


def mutated(words, changes, random):
    words = list(words)
    for _ in range(changes):
        words[random.randrange(len(words))] = random.choice(VOCABULARY)
    return words


def family(seed):
    """Texts descended from a few ancestors by 0–4 changed words, in any order."""
    random = Random(seed)  # noqa: S311 — test data
    ancestors = [[random.choice(VOCABULARY) for _ in range(random.randint(40, 90))] for _ in range(3)]
    return [" ".join(mutated(random.choice(ancestors), random.randint(0, 4), random)) for _ in range(14)]


def every_pair(texts):
    """The definition by brute force, on sets of word tuples."""
    sets = [{tuple(text.split()[at : at + 5]) for at in range(len(text.split()) - 4)} for text in texts]
    twins, kept = {}, []
    for at, own in enumerate(sets):
        likeness = [(Fraction(len(own & sets[first]), len(own | sets[first])), -first) for first in kept]
        best = max(likeness, default=(Fraction(0), 0))
        if best[0] >= Fraction(3, 5):
            twins[at] = (-best[1], best[0])
        else:
            kept.append(at)
    return twins


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_as_every_pair_compared(seed):
    texts = family(seed)
    assert {at: (twin.first, twin.jaccard) for at, twin in near_duplicates(texts).items()} == every_pair(texts)


def test_the_family_has_both_sides_of_the_threshold():
    """Otherwise the test above could not fail."""
    found = [every_pair(family(seed)) for seed in range(20)]
    assert all(0 < len(twins) < 13 for twins in found)
    assert min(likeness for twins in found for _, likeness in twins.values()) < Fraction(7, 10)


def chain(*numbers):
    return " ".join(VOCABULARY[number] for number in numbers)


def test_at_the_threshold_and_just_below():
    """6 of 10 shingles is a near-duplicate; 6 of 11 is not."""
    base = chain(*range(12))  # 8 shingles
    assert near_duplicates([base, chain(*range(2, 14))])[1].jaccard == THRESHOLD
    assert near_duplicates([base, chain(*range(2, 15))]) == {}


def test_compared_with_kept_texts_only():
    """B goes because of A; C resembles B alone, and stays."""
    assert set(near_duplicates([chain(*range(12)), chain(*range(2, 14)), chain(*range(4, 16))])) == {1}


def test_case_and_punctuation_do_not_hide_a_copy():
    twins = near_duplicates(
        ["To be, or not to be: that is the question.", "TO BE OR NOT TO BE -- THAT IS THE QUESTION"]
    )
    assert twins[1].first == 0
    assert twins[1].jaccard == 1


def test_chinese_by_characters():
    poem = "明月几时有把酒问青天不知天上宫阙今夕是何年我欲乘风归去又恐琼楼玉宇高处不胜寒"
    assert shingles("明月几时有把") == {"明 月 几 时 有", "月 几 时 有 把"}
    assert near_duplicates([poem, poem.replace("明月", "皓月", 1), poem[::-1]]).keys() == {1}


def test_texts_without_words_resemble_nothing():
    assert near_duplicates(["", "…", "***", ""]) == {}
    assert shingles("two words") == {"two words"}


# ---- works that are one text --------------------------------------------------------------------------------------


def test_equal_words_are_one_text_and_so_are_nearly_equal_ones():
    base = chain(*range(12))
    works = {
        "d": base.upper(),
        "b": chain(*range(2, 14)),
        "a": base,
        "c": base.replace(" ", ", "),
        "z": chain(*range(50, 70)),
    }
    assert clusters(works) == (("a", "b", "c", "d"),)


def test_two_texts_give_two_clusters_and_a_single_work_none():
    one, other = chain(*range(20)), chain(*range(30, 50))
    assert clusters({"p": one, "q": other, "r": other, "s": one, "t": chain(*range(60, 80))}) == (
        ("p", "s"),
        ("q", "r"),
    )
    assert clusters({"p": one}) == clusters({}) == clusters({"p": "…", "q": "…"}) == ()


def test_short_texts_are_one_when_they_are_equal():
    assert clusters({"p": "two words", "q": "Two words!", "r": "two birds"}) == (("p", "q"),)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_clusters_are_near_duplicates_with_what_they_resemble(seed):
    texts = family(seed)
    works = {f"w{at:02}": text for at, text in enumerate(texts)}
    found = clusters(works)
    assert len({work for group in found for work in group}) == sum(map(len, found)), "no work is in two"
    for group in found:
        sets = [shingles(works[work]) for work in group]
        assert all(
            any(len(own & other) * 5 >= 3 * len(own | other) for other in sets if other is not own) for own in sets
        )

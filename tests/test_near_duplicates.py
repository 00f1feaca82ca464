"""Near-duplicates: MinHash may only propose; what is found is what comparing every pair would find."""

from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.studio.near_duplicates import THRESHOLD, near_duplicates, shingles

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

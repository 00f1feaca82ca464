"""Parts of an output: its sentences, and the tokens that each is made of."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gongfen.errors import TrainingError
from gongfen.trace.parts import sentences, token_ends, touched


class Bytes:
    """A tokenizer of one byte a token: a Chinese character takes three."""

    def decode(self, ids):
        return bytes(ids).decode(errors="replace")


class Pieces:
    """A tokenizer of whole pieces."""

    def __init__(self, *pieces):
        self.pieces = pieces

    def decode(self, ids):
        return "".join(self.pieces[i] for i in ids)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("One. Two!  Three", ["One.", "Two!", "Three"]),
        ("It is 3.5 million; pay it. Now", ["It is 3.5 million; pay it.", "Now"]),
        ("人民当家作主。劳动创造价值！好吗？", ["人民当家作主。", "劳动创造价值！", "好吗？"]),
        (" first line\nsecond line ", ["first line", "second line"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences_in_two_languages(text, due):
    assert [text[start:end] for start, end in sentences(text)] == due


@given(st.text(alphabet="ab .!?。！\n 中国", max_size=60))
def test_sentences_cover_everything_but_white_space_and_never_overlap(text):
    found = sentences(text)
    assert all(start < end for start, end in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    covered = {at for start, end in found for at in range(start, end)}
    assert all(character.isspace() for at, character in enumerate(text) if at not in covered)


@given(st.text(alphabet="ab 中国é😀", max_size=20))
def test_a_token_ends_where_its_last_whole_character_does(text):
    ends = token_ends(Bytes(), list(text.encode()), text)
    assert ends == sorted(ends)
    assert len(ends) == len(text.encode())
    if text:
        assert ends[-1] == len(text)
    at = 0
    for number, character in enumerate(text, 1):
        at += len(character.encode())
        assert ends[at - 1] == number


def test_a_part_is_made_of_every_token_that_touches_it():
    pieces = Pieces("The ", "sea. ", "The", " sky", ".")
    text = "The sea. The sky."
    ends = token_ends(pieces, range(5), text)
    assert ends == [4, 9, 12, 16, 17]
    assert [touched(ends, start, end) for start, end in sentences(text)] == [(0, 2), (2, 5)]
    assert touched(ends, 5, 10) == (1, 3)
    with pytest.raises(TrainingError, match="hold nothing that the model wrote"):
        touched(ends, 17, 20)


def test_tokens_that_spell_something_else_are_refused():
    with pytest.raises(TrainingError, match="another tokenizer"):
        token_ends(Pieces("sea", "sky"), [0, 1], "sea sky")


def test_a_token_without_a_character_of_its_own_belongs_to_the_next_one_or_at_the_end_to_the_last():
    """The first bytes of a character stand in two tokens here, and the last token says that the text is over."""
    ends = [0, 0, 3, 7, 7, 9, 9]
    assert touched(ends, 0, 3) == (0, 3)
    assert touched(ends, 3, 7) == (3, 4)
    assert touched(ends, 7, 9) == (4, 7)
    assert touched(ends, 0, 9) == (0, 7)

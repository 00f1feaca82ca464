"""Words and Han characters: how a text is cut before it is compared with another, and where each piece stands.

English and its kin by words, Chinese by characters, so that a mixed text needs no language guess. Matching does not
see case, punctuation, spaces, ligatures, full-width forms, composed or decomposed accents (NFKC and case folding,
Unicode Standard Annex 15) or characters that show nothing inside a word (soft hyphen, zero-width space). It does see
everything else: simplified and traditional characters differ. Limits: Thai and Khmer, which write no spaces, and
scripts whose vowels are combining marks outside U+0300–036F are cut coarsely, but alike on both sides.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple
from unicodedata import normalize

HAN = "々〇〡-〩\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Han characters, as the inside of a regular expression's character class (Unicode 16: script Han)."""

_UNSEEN = "\u00ad\u200b-\u200d\u2060\ufeff"
_LETTER = rf"[^\W_{HAN}]"
_INNER = rf"(?:{_LETTER}|[\u0300-\u036f{_UNSEEN}])"
_TOKEN = re.compile(rf"[{HAN}]|{_LETTER}{_INNER}*(?:['’]{_INNER}+)*")
_ASCII_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_INVISIBLE = re.compile(rf"[{_UNSEEN}]")
_IS_HAN = re.compile(rf"[{HAN}]")


class Token(NamedTuple):
    """A word or a Han character as matching sees it, and where it stands, in code points."""

    key: str
    start: int
    end: int


def _fold(token: str) -> str:
    if token.isascii():
        return token.lower()
    shown = _INVISIBLE.sub("", token).replace("’", "'")
    return normalize("NFKC", normalize("NFKC", shown).casefold())


def tokens(text: str) -> Iterator[Token]:
    """Words and Han characters with their places.

    >>> [token.key for token in tokens("Don’t panic: 人民，AI!")]
    ["don't", 'panic', '人', '民', 'ai']
    """
    pattern = _ASCII_TOKEN if text.isascii() else _TOKEN
    for found in pattern.finditer(text):
        yield Token(_fold(found.group()), found.start(), found.end())


def words(text: str) -> list[str]:
    """The keys of ``tokens(text)``, without the places: faster."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return [_fold(token) for token in _TOKEN.findall(text)]


def is_han(key: str) -> bool:
    """Whether a token is a Han character, and not a word."""
    return _IS_HAN.match(key) is not None


def measure(keys: Sequence[str], min_words: int, min_han: int) -> tuple[Callable[[int, int], int], int]:
    """How long a span of ``keys`` is, in whole numbers, and from which length on it is long enough.

    Enough are ``min_words`` words, or ``min_han`` characters, or a mixture: ``words / min_words + characters /
    min_han ≥ 1``.
    """
    weights = (min_words if is_han(key) else min_han for key in keys)
    upto = list(accumulate(weights, initial=0))
    return lambda start, end: upto[end] - upto[start], min_words * min_han

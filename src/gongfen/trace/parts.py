"""Where the sentences of an output stand, and which of its tokens they are made of.

Sentences are those of Unicode Standard Annex 29 (sentence boundaries), which knows Chinese stops as well as English
ones; it takes no dictionary, so "Mr." ends one. A token belongs to every part that it touches.
"""

from collections.abc import Sequence
from typing import Protocol

from uniseg.sentencebreak import sentences as sentence_units

from gongfen.errors import TrainingError

BROKEN = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer shows for the first bytes of a character whose last ones stand in the next token."""


class Tokenizer(Protocol):
    """What turns token ids into text."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens."""


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of every sentence in code points, without the white space around it.

    >>> sentences("Pay it! 劳动创造价值。")
    [(0, 7), (8, 15)]
    """
    found: list[tuple[int, int]] = []
    at = 0
    for unit in sentence_units(text):
        start = at + len(unit) - len(unit.lstrip())
        end = start + len(unit.strip())
        if end > start:
            found.append((start, end))
        at += len(unit)
    return found


def token_ends(tokenizer: Tokenizer, tokens: Sequence[int], text: str) -> list[int]:
    """Where each token ends in ``text``, code points. Raises TrainingError when the tokens do not spell it."""
    if tokenizer.decode(tokens) != text:
        reason = "is not what its tokens spell: they were written with another tokenizer"
        raise TrainingError("the output's text", reason, "trace it with the model and tokenizer that wrote it")
    ends: list[int] = []
    for upto in range(1, len(tokens) + 1):
        shown = len(tokenizer.decode(tokens[:upto]).rstrip(BROKEN))
        ends.append(min(max(shown, ends[-1] if ends else 0), len(text)))
    if ends:
        ends[-1] = len(text)
    return ends


def touched(ends: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """(first, last + 1) of the tokens that touch the code points ``start:end``. Raises TrainingError for none.

    A token without a character of its own, such as the first bytes of one, belongs to the character that follows; at
    the end, such as the sign that a text is over, to the last.
    """
    last = ends[-1] - 1 if ends else 0
    starts = [min(before, last) for before in (0, *ends)]
    chosen = [n for n, upto in enumerate(ends) if max(upto, starts[n] + 1) > start and starts[n] < end]
    if not chosen:
        thing, reason = f"characters {start} to {end}", "hold nothing that the model wrote"
        raise TrainingError(thing, reason, "name a part of what it wrote")
    return chosen[0], chosen[-1] + 1

"""Whose work is in a part of an output: sentences, tokens or stretches that are measured by themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gongfen.book.answers import making_of, prompt_length
from gongfen.book.making import Atelier
from gongfen.book.proving.publishing import text_of
from gongfen.book.recording.record import Record
from gongfen.errors import TrainingError
from gongfen.trace.parts import sentences, token_ends, touched
from gongfen.trace.problem import Passage
from gongfen.trace.spans import Span

KEPT = 20
"""Of a part, so many of the strongest works are recorded."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an output, ``start:end`` in code points of its whole text, and the tokens that it is made of."""

    output: str
    start: int
    end: int
    span: Span


@dataclass(frozen=True, slots=True)
class Parts:
    """Which parts are asked about: sentences, tokens, or stretches in code points of an output's whole text."""

    sentences: bool = False
    tokens: bool = False
    spans: tuple[tuple[int, int], ...] = ()


def parts_of(
    record: Record, atelier: Atelier, outputs: Sequence[str], passages: Sequence[Passage], wanted: Parts
) -> list[Part]:
    """The parts of what the model wrote in each output that are asked about; of one sentence, no sentences.

    Raises TrainingError for a stretch that it did not write, and when the tokens of an output do not spell its text:
    another tokenizer wrote them.
    """
    if not (wanted.sentences or wanted.tokens or wanted.spans):
        return []
    return [
        part
        for number, (output, passage) in enumerate(zip(outputs, passages, strict=True))
        for part in _parts(record, atelier, output, number, passage, wanted)
    ]


def _stretches(output: str, text: str, typed: int, ends: Sequence[int], wanted: Parts) -> list[tuple[int, int]]:
    """Where the parts stand in what was written; tokens that hold a character together are one part."""
    if wanted.tokens:
        shown = sorted({0, *ends})
        return list(pairwise(shown))
    if not wanted.spans:
        found = sentences(text)
        return found if len(found) > 1 else []
    for start, end in wanted.spans:
        if not typed <= start < end <= typed + len(text):
            reason = f"is no part of what the model wrote in {output}: characters {typed} to {typed + len(text)}"
            raise TrainingError(f"--span {start}:{end}", reason, "name a part of it")
    return [(start - typed, end - typed) for start, end in dict.fromkeys(wanted.spans)]


def _parts(
    record: Record, atelier: Atelier, output: str, number: int, passage: Passage, wanted: Parts
) -> Iterable[Part]:
    typed = prompt_length(making_of(record, output))
    text = text_of(record, output)[typed:]
    ends = token_ends(atelier.workshop.tokenizer, passage.tokens[passage.scored_from :], text)
    scored = passage.scored_from - 1
    for start, end in _stretches(output, text, typed, ends, wanted):
        first, last = touched(ends, start, end)
        yield Part(output, typed + start, typed + end, Span(number, scored + first, scored + last))

"""Whose work is in each sentence of an output: the parts that are measured by themselves, and the facts about them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gongfen.book.answers import making_of, prompt_length
from gongfen.book.making import Atelier
from gongfen.book.publishing import text_of
from gongfen.book.recording import Record
from gongfen.trace.parts import sentences, token_ends, touched
from gongfen.trace.problem import Passage
from gongfen.trace.spans import Span

KEPT = 20
"""Of a part, so many of the strongest works are recorded."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of an output, ``start:end`` in code points of its whole text, and the tokens that it is made of."""

    output: str
    start: int
    end: int
    span: Span


def parts_of(record: Record, atelier: Atelier, outputs: Sequence[str], passages: Sequence[Passage]) -> list[Part]:
    """The sentences of what the model wrote in each output; none in an output of one sentence.

    Raises TrainingError when the tokens of an output do not spell its text: another tokenizer wrote them.
    """
    return [
        part
        for number, (output, passage) in enumerate(zip(outputs, passages, strict=True))
        for part in _parts(record, atelier, output, number, passage)
    ]


def _parts(record: Record, atelier: Atelier, output: str, number: int, passage: Passage) -> Iterable[Part]:
    typed = prompt_length(making_of(record, output))
    text = text_of(record, output)[typed:]
    ends = token_ends(atelier.workshop.tokenizer, passage.tokens[passage.scored_from :], text)
    found = sentences(text)
    if len(found) < 2:
        return
    scored = passage.scored_from - 1
    for start, end in found:
        first, last = touched(ends, start, end)
        yield Part(output, typed + start, typed + end, Span(number, scored + first, scored + last))

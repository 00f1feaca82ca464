"""Whether works and outputs are still the tokens that they were: read with another tokenizer, they are other works.

A tokenizer is not kept in the book: it comes with the base model, or is learned anew from the training works, and
another release of its library may cut a text otherwise. So what is recorded of the training's tokens is held against
what the works give now, whenever a model is opened, and every output that is measured against the tokens it was
written in.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version

from gongfen.book.answers import making_of, prompt_length
from gongfen.book.proving.publishing import text_of
from gongfen.book.recording.record import Record
from gongfen.errors import TrainingError
from gongfen.studio.workshop import Workshop
from gongfen.trace.problem import Passage
from gongfen.trace.tuning import Run, retold

LIBRARY = "tokenizers"
ANOTHER = "another tokenizer"


def tokens_known(passages: Sequence[Passage]) -> dict[str, str]:
    """What a training is remembered by, of its tokens: their hash, and the library's release."""
    return {"tokens_sha256": _hash(passages), LIBRARY: version(LIBRARY)}


def hold_works(model: str, said: Mapping[str, object], workshop: Workshop, texts: Sequence[str], run: Run) -> None:
    """Raise TrainingError when a model's works are not the tokens that it was trained on, by what was remembered.

    A training that remembers no hash, of an earlier release, is held against its number of tokens, its number of
    parameters, and the losses on its tape: each work's when it was first trained on.
    """
    passages = [workshop.passage(text) for text in texts]
    if "tokens_sha256" in said:
        same = said["tokens_sha256"] == _hash(passages)
    else:
        problem, tokens = workshop.problem(texts), sum(len(passage.tokens) for passage in passages)
        tokens *= workshop.setup.recipe.epochs
        same = tokens == said["tokens"] and problem.theta0.numel() == run.theta0.numel() and retold(problem, run)
    if not same:
        was = f"=={said[LIBRARY]}" if LIBRARY in said else ", in the release of its training"
        reason = f"was trained on other tokens than its works give now: they are read with {ANOTHER}"
        raise TrainingError(model, reason, f"install the one it had: {LIBRARY}{was}; or train again under another name")


def hold_output(record: Record, workshop: Workshop, output: str, passage: Passage) -> None:
    """Raise TrainingError when the tokens of an output are not its text: neither what was typed, nor what was written.

    A text that a person typed is cut into the same tokens again; one that the model wrote is spelled.
    """
    typed, text = prompt_length(making_of(record, output)), text_of(record, output)
    given, written = passage.tokens[: passage.scored_from], passage.tokens[passage.scored_from :]
    tokenizer = workshop.tokenizer
    if tokenizer.decode(written) != text[typed:] or (typed and tuple(tokenizer.encode(text[:typed])) != given):
        reason = f"is not what its tokens spell: they were written with {ANOTHER}"
        raise TrainingError(f"the text of {output}", reason, "trace it with the model and tokenizer that wrote it")


def _hash(passages: Sequence[Passage]) -> str:
    """SHA-256 over the tokens of these passages, in their order, hex."""
    return sha256(repr([passage.tokens for passage in passages]).encode()).hexdigest()

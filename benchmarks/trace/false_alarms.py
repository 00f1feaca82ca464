"""How often "cannot tell" is wrong: texts that say nothing must seldom stand above their own words in random order.

python benchmarks/trace/false_alarms.py BOOK [--model NAME] [--cache FOLDER] [--texts N]

BOOK is that of ``gongfen demo --quick``. Of random tokens, and of tokens drawn from the works, whole gradients should
tell a strongest work once in twenty; of outputs whose second half is the beginning of a work, nearly always.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch

import gongfen
from gongfen.book.making import Atelier, open_atelier
from gongfen.book.place import cache_folder
from gongfen.book.tracing.gradients import by_gradients
from gongfen.book.tracing.outputs import passage_of
from gongfen.trace.problem import Passage

LENGTH, DRAWN, COPIES = 60, 40, 12


def of_random_tokens(atelier: Atelier, texts: int, chance: random.Random) -> list[Passage]:
    """Tokens of the vocabulary that the works use, each as likely as any."""
    known = sorted({token for text in atelier.texts for token in atelier.workshop.passage(text).tokens})
    return [Passage(tuple(chance.choices(known, k=LENGTH))) for _ in range(texts)]


def of_the_works_tokens(atelier: Atelier, texts: int, chance: random.Random) -> list[Passage]:
    """Tokens drawn from the works, as often as they stand there."""
    all_of_them = [token for text in atelier.texts for token in atelier.workshop.passage(text).tokens]
    return [Passage(tuple(chance.choices(all_of_them, k=DRAWN))) for _ in range(texts)]


def half_copies(atelier: Atelier, outputs: Sequence[Passage], chance: random.Random) -> list[Passage]:
    """Outputs whose second half is the beginning of a work."""
    found = []
    for number, text in enumerate(chance.sample(atelier.texts, COPIES)):
        output, copied = outputs[number % len(outputs)], atelier.workshop.passage(text).tokens
        half = len(output.tokens) // 2
        found.append(Passage((*output.tokens[:half], *copied[:half]), output.scored_from))
    return found


def told(atelier: Atelier, name: str, passages: Sequence[Passage]) -> None:
    """Print of how many a strongest work is told."""
    answers = by_gradients(atelier, passages).told
    unknown = f", {answers.count(None)} unknown" if None in answers else ""
    print(f"{name:58}{answers.count(True):4} of {len(answers)}{unknown}", flush=True)


def main() -> None:
    """All four kinds of texts."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("book", type=Path)
    options.add_argument("--model", default="orator")
    options.add_argument("--cache", type=Path, default=cache_folder())
    options.add_argument("--texts", type=int, default=60)
    options.add_argument("--threads", type=int, default=2)
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    chance = random.Random(0)  # noqa: S311 - for texts, not for secrets
    with gongfen.open(asked.book) as book:
        atelier = open_atelier(book.log, asked.model, asked.cache)
        names = [name for name, known in book.log.state.works.prefixed("") if known.model == asked.model]
        outputs = [passage_of(book.log, atelier, name) for name in names]
    told(atelier, f"texts of {LENGTH} random tokens", of_random_tokens(atelier, asked.texts, chance))
    told(atelier, f"texts of {DRAWN} tokens drawn from the works", of_the_works_tokens(atelier, asked.texts, chance))
    told(atelier, "outputs whose second half is the beginning of a work", half_copies(atelier, outputs, chance))
    told(atelier, "the demo's own outputs", outputs)


if __name__ == "__main__":
    main()

"""Two ways through the house: the full one on a pre-trained model, a quick one from scratch. Measured, not guessed.

Both are smooth (warm-up, decay, modest rate, large ε), so that a period can be settled on their metagradient; what was
measured for each stands in ``docs/explanation/influence.md``.
"""

from dataclasses import dataclass

from gongfen.studio.workshop import Setup
from gongfen.trace.adamw import Recipe


@dataclass(frozen=True, slots=True)
class Plan:
    """A setup with the amount of data, text and checking that fits its time."""

    setup: Setup
    per_maker: int
    """Works of every maker."""
    length: int
    """The most tokens of an output."""
    retrainings: int
    """Makers left out one by one, by honest retraining, to hold the measured influence against."""


FULL = Plan(
    Setup(
        base="smollm2",
        max_tokens=56,
        from_layer=15,
        recipe=Recipe(seed=7, epochs=1, batch_size=8, learning_rate_nano=2_000_000, warmup_steps=4, eps_nano=100_000),
    ),
    per_maker=2,
    length=56,
    retrainings=8,
)
"""SmolLM2-135M in fp32 with adapters in its upper 15 layers; 43 makers × 2 passages."""

QUICK = Plan(
    Setup(
        base="tiny",
        max_tokens=48,
        recipe=Recipe(seed=7, epochs=6, batch_size=43, learning_rate_nano=2_000_000, warmup_steps=6, eps_nano=100_000),
    ),
    per_maker=3,
    length=40,
    retrainings=8,
)
"""A Llama of some 230,000 parameters from scratch; 43 makers × 3 passages. It has learned words, not yet sentences."""

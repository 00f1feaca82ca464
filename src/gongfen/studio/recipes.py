"""Two ways through the house: the full one on a pre-trained model, a quick one from scratch. Measured, not guessed.

Both are smooth (warm-up, decay, modest rate, large ε), so that a period can be settled on their metagradient; what was
measured for each stands in ``docs/explanation/influence.md``. A longer run at the same rate goes further and is rough:
so the rate falls as the number of steps grows, and a third of them is warm-up.
"""

from dataclasses import dataclass, replace

from gongfen.errors import TrainingError
from gongfen.studio.workshop import Setup
from gongfen.trace.adamw import Recipe

WARM = 3
"""One step in so many is warm-up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A setup with the amount of data, text and checking that fits its time."""

    setup: Setup
    """As it is for ``per_maker`` works of each of the demo's makers; :meth:`fitted` has it for any number of works."""
    steps: int
    """Of that run: a longer one has a lower rate."""
    per_maker: int
    """Works of every maker."""
    length: int
    """The most tokens of an output."""
    retrainings: int
    """Makers left out one by one, by honest retraining, to hold the measured influence against."""
    rate_nano: int | None = None
    """The highest rate, if somebody says it."""
    warmup: int | None = None
    """Steps of warm-up, if somebody says it."""
    epochs: int | None = None

    def fitted(self, works: int) -> Setup:
        """The setup for so many works. Raises TrainingError for a warm-up that never ends."""
        recipe = replace(self.setup.recipe, epochs=self.setup.recipe.epochs if self.epochs is None else self.epochs)
        steps = recipe.steps(works)
        slower = recipe.learning_rate_nano * self.steps // max(steps, self.steps)
        rate = slower if self.rate_nano is None else self.rate_nano
        warmup = min(-(-steps // WARM), steps - 1) if self.warmup is None else self.warmup
        if warmup >= steps:
            reason = f"leaves nothing of the run: it has {steps} steps"
            raise TrainingError(f"a warm-up of {warmup} steps", reason, "give a shorter --warmup, or more --epochs")
        return replace(self.setup, recipe=replace(recipe, learning_rate_nano=rate, warmup_steps=warmup))


FULL = Plan(
    Setup(
        base="smollm2",
        max_tokens=56,
        from_layer=15,
        recipe=Recipe(seed=7, epochs=1, batch_size=8, learning_rate_nano=2_000_000, warmup_steps=4, eps_nano=100_000),
    ),
    steps=11,
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
    steps=18,
    per_maker=3,
    length=40,
    retrainings=8,
)
"""A Llama of some 230,000 parameters from scratch; 43 makers × 3 passages. It has learned words, not yet sentences."""

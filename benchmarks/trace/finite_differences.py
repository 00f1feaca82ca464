"""The metagradient against what it claims to be: differences of whole retrainings in each example's weight, in float64.

python benchmarks/trace/finite_differences.py [--threads N]

Two problems: the byte transformer of finetune.py, all of whose parameters are trained, and a frozen next-token model
with a low-rank adapter whose B starts at zero. AdamW with bias correction and decoupled decay, two epochs, and a last
batch that is short. Each example's weight is moved up and down by H and the run made again, from the start; H is that
of 1e-5, 1e-6 and 1e-7 at which the differences move least when it is doubled. Told is how far they move, ‖metagradient
− differences‖ / ‖differences‖ over the examples, and the worst single example over the largest effect.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.trace.finetune import ALPHABET, ByteTransformer

from gongfen.trace.adamw import Recipe
from gongfen.trace.metagradient import Mode, metagradient
from gongfen.trace.problem import LanguageProblem, Passage, utility
from gongfen.trace.tuning import tune

DUE = 1e-5
EXAMPLES, OUTPUTS, LENGTH = 14, 3, 16
SMOOTH = Recipe(
    seed=3,
    epochs=2,
    batch_size=4,
    learning_rate_nano=3_000_000,
    warmup_steps=2,
    eps_nano=100_000,
    weight_decay_ppm=10_000,
)
RECIPES = {
    "smooth (ε 1e-4, warm-up 2)": SMOOTH,
    "torch's ε of 1e-8, no warm-up": replace(SMOOTH, eps_nano=10, warmup_steps=0),
}
STEPS = (1e-5, 1e-6, 1e-7)
MODES: tuple[tuple[Mode, float], ...] = (("exact", 0.0), ("central", 1e-4), ("one-sided", 1e-6), ("one-sided", 1e-3))
"""With the relative step of each; 1e-3 is the product's, meant for fp32."""


class Adapted(nn.Module):
    """A frozen next-token model with a low-rank adapter that does nothing at first."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(ALPHABET, 16).requires_grad_(requires_grad=False)
        self.a, self.b = nn.Linear(16, 4, bias=False), nn.Linear(4, 16, bias=False)
        self.head = nn.Linear(16, ALPHABET).requires_grad_(requires_grad=False)
        nn.init.zeros_(self.b.weight)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        """Logits [B, L, ALPHABET]."""
        seen = (self.embed(input_ids) * attention_mask.unsqueeze(-1)).cumsum(1)
        return SimpleNamespace(logits=self.head(torch.tanh(seen + self.b(self.a(seen)))))


def problem_of(module: nn.Module) -> LanguageProblem:
    """Random texts of one length, and outputs at different prices."""
    source = torch.Generator().manual_seed(1)
    rows = torch.randint(0, ALPHABET, (EXAMPLES + OUTPUTS, LENGTH), generator=source).tolist()
    sold = [Passage(tuple(row), 4) for row in rows[EXAMPLES:]]
    return LanguageProblem(module.double(), [Passage(tuple(row)) for row in rows[:EXAMPLES]], sold, [3, 1, 5])


def problems() -> Iterator[tuple[str, LanguageProblem]]:
    """Both, always the same."""
    torch.manual_seed(0)
    yield "byte transformer", problem_of(ByteTransformer())
    yield "adapter, B = 0", problem_of(Adapted())


def differences(problem: LanguageProblem, recipe: Recipe, step: float) -> Tensor:
    """∂U/∂w of each example [N], by two whole retrainings."""
    found = []
    for number in range(problem.examples):
        ends = []
        for moved in (step, -step):
            weights = torch.ones(problem.examples, dtype=torch.float64)
            weights[number] += moved
            ends.append(utility(problem, tune(problem, recipe, weights, tape=False).theta))
        found.append((ends[0] - ends[1]) / (2 * step))
    return torch.tensor(found, dtype=torch.float64)


def steadiest(problem: LanguageProblem, recipe: Recipe) -> tuple[Tensor, float, float]:
    """The differences [N] at the H of STEPS at which they move least when it is doubled; that H; how far they move."""
    found = []
    for step in STEPS:
        due = differences(problem, recipe, step)
        moved, _ = apart(differences(problem, recipe, 2 * step), due)
        found.append((moved, step, due))
    moved, step, due = min(found, key=lambda each: each[0])
    return due, step, moved


def apart(found: Tensor, due: Tensor) -> tuple[float, float]:
    """Relative error over all examples, and of the worst one over the largest effect."""
    return float((found - due).norm() / due.norm()), float((found - due).abs().max() / due.abs().max())


def main() -> int:
    """Print the table; 1 when the exact or the central mode is further off than is due."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    given = asked.parse_args()
    torch.set_num_threads(given.threads)
    start, worst = time.process_time(), 0.0
    print("| problem | recipe | mode | relative step | relative error | worst example | H | differences move |")
    print("|---" * 8 + "|")
    for name, problem in problems():
        for said, recipe in RECIPES.items():
            due, step, moved = steadiest(problem, recipe)
            run = tune(problem, recipe)
            for mode, relative_step in MODES:
                error, single = apart(metagradient(problem, run, mode, relative_step or 1e-3).effects, due)
                told = f"{relative_step:g}" if relative_step else "–"
                cells = [name, said, mode, told, f"{error:.1e}", f"{single:.1e}", f"{step:g}", f"{moved:.1e}"]
                print(f"| {' | '.join(cells)} |", flush=True)
                if mode != "one-sided":
                    worst = max(worst, error)
    print(f"\nexact and central: {worst:.1e} at most, {DUE:g} is due; {time.process_time() - start:.0f} CPU s")
    return int(worst > DUE)


if __name__ == "__main__":
    sys.exit(main())

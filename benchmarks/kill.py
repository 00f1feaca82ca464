"""Writers of one book are killed at random moments: nothing acknowledged is lost, and the next one needs no repair.

python benchmarks/kill.py [--kills N] [--writers N] [--seed N]

Several processes write into one SQLite book. One of them is killed (SIGKILL) in the middle of whatever it does, and
sometimes all of them at once; the rest is as in killing.py. Prints what happened; exit code 1 when something was lost.
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.killing import Counts, Target, Writers, campaign, options, tell


class Files:
    """Books in files: nothing but the writers can be killed, and no error passes by itself."""

    longest_pause_s = 0.12

    def new_book(self, folder: Path) -> Target:
        """A file in the folder."""
        return Target(str(folder / "book.db"), folder)

    def kill_something(self, writers: Writers, chance: random.Random, _: Counts) -> str:
        """One writer, or all at once."""
        if chance.random() < 0.3:
            writers.kill(writers.alive)
            return "all writers"
        writers.kill([chance.choice(writers.alive)])
        return "a writer"


def main() -> None:
    """Print the counts; exit 1 when something was lost."""
    asked = options(__doc__ or "", kills=300, writers=3).parse_args()
    start = time.monotonic()
    counts = campaign(Files(), asked.kills, asked.writers, asked.seed)
    raise SystemExit(tell(counts, time.monotonic() - start))


if __name__ == "__main__":
    main()

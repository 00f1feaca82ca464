"""Writers and the server of one book are killed at random moments: nothing acknowledged is lost, nothing needs repair.

python benchmarks/kill_postgres.py [--kills N] [--writers N] [--seed N] [--no-sync]

Several processes write into one book on a PostgreSQL server of its own, all at once. A writer is killed (SIGKILL), or
all of them, or one of the server's own processes, or the server's first process, or the server is stopped as if by a
power cut (``immediate``), and started again as always; the rest is as in killing.py. Prints what happened; exit code 1
when something was lost.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import killing
from benchmarks.killing import Counts, Target, Writers, options, tell
from tests.servers import Server

PATIENCE_S = 60


class Databases:
    """Books on one server. It may be away for a while: who waits is served."""

    longest_pause_s = 0.48

    def __init__(self, server: Server) -> None:
        self._server = server

    def new_book(self, folder: Path) -> Target:
        """A database of its own, and a key in the folder."""
        return Target(self._server.new_database(), folder, PATIENCE_S, folder / "book.key")

    def kill_something(self, writers: Writers, chance: random.Random, counts: Counts) -> str:
        """A writer, all of them, a process of the server, or the server; what was killed of it is started as always."""
        what = self._kill(writers, chance, counts)
        self._wait_until_it_answers()
        return what

    def _kill(self, writers: Writers, chance: random.Random, counts: Counts) -> str:
        dice = chance.random()
        if dice < 0.35:
            writers.kill([chance.choice(writers.alive)])
            return "a writer"
        if dice < 0.45:
            writers.kill(writers.alive)
            return "all writers"
        if dice < 0.6:
            helpers = psutil.Process(self._server.pid).children()
            os.kill(chance.choice(helpers).pid, signal.SIGKILL)
            return "a process of the server"
        if dice < 0.8:
            self._server.kill()
            self._start(counts)
            return "the server's first process"
        self._server.halt("immediate")
        self._start(counts)
        return "the server, immediately"

    def _start(self, counts: Counts) -> None:
        begun = time.monotonic()
        self._server.start()
        counts.slowest_start_ms = max(counts.slowest_start_ms, int(1_000 * (time.monotonic() - begun)))

    def _wait_until_it_answers(self) -> None:
        """A server that lost a process starts itself again."""
        words = [str(self._server.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._server.port)]
        for _ in range(600):
            if subprocess.run(words, check=False).returncode == 0:
                return
            time.sleep(0.05)


def campaign(kills: int, writers: int, seed: int, *settings: str) -> Counts:
    """So many kills, on a server of its own with these settings."""
    with Server(*settings) as server:
        return killing.campaign(Databases(server), kills, writers, seed)


def main() -> None:
    """Print the counts; exit 1 when something was lost."""
    wanted = options(__doc__ or "", kills=100, writers=4)
    wanted.add_argument("--no-sync", action="store_true", help="a server without fsync: killed processes need none")
    asked = wanted.parse_args()
    begun = time.monotonic()
    counts = campaign(asked.kills, asked.writers, asked.seed, *(["fsync=off"] if asked.no_sync else []))
    raise SystemExit(tell(counts, time.monotonic() - begun))


if __name__ == "__main__":
    main()

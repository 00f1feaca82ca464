"""Exact quotations: our suffix array beside the sorted seeds that it replaced and the package infini-gram.

python benchmarks/quotation.py [--tokens N] [--outputs N] [--only NAME,NAME]

Every method gets the same tokens as numbers, in a process of its own, and must find the same maximal common runs of
six tokens or more in the same outputs of 500 tokens. infini-gram is pip install infini-gram, in an environment of your
own; without it the others are compared.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydivsufsort import divsufsort

from gongfen.studio.corpus import read_sotu
from gongfen.trace.copies.near_copies import NearCopies
from gongfen.trace.copies.quotation import Look
from gongfen.trace.copies.suffixes import GAP, Suffixes
from gongfen.trace.copies.tokens import words

SEED = 6
LENGTH = 500
WORDS = 40_000
"""Different words of the synthetic corpus: infini-gram's numbers of 16 bits have room for them."""
Numbers = NDArray[np.uint32]
Runs = list[tuple[int, int]]


class Method(Protocol):
    """A way to find common runs."""

    size: int
    """Bytes of the index, tokens included."""

    def runs(self, output: Numbers) -> Runs:
        """The maximal common runs of ``SEED`` tokens or more, none within another."""


class Ours:
    """What the product does."""

    def __init__(self, tokens: Numbers, folder: Path) -> None:
        del folder
        self.held = Suffixes({})
        self.held.order = divsufsort(tokens)
        self.held.held = tokens.astype(">u4")
        self.size = self.held.order.nbytes + self.held.held.nbytes

    def runs(self, output: Numbers) -> Runs:
        return list(Look(self.held, output.astype(">u4"), SEED).longest())


class OnDisk(Ours):
    """The same, read from two files that are mapped into memory."""

    def __init__(self, tokens: Numbers, folder: Path) -> None:
        super().__init__(tokens, folder)
        for name in ("held", "order"):
            np.save(folder / name, getattr(self.held, name))
            setattr(self.held, name, np.load(folder / f"{name}.npy", mmap_mode="r"))


class Seeds:
    """Every run of six tokens as 32 bits of hash and 32 of place, sorted: as it was, and in numpy."""

    def __init__(self, tokens: Numbers, folder: Path) -> None:
        del folder
        self.tokens = tokens
        hashes = self.hashes(tokens)
        self.grams = (hashes << np.uint64(32)) | np.arange(len(hashes), dtype=np.uint64)
        self.grams.sort()
        self.size = self.grams.nbytes + tokens.nbytes

    @staticmethod
    def hashes(tokens: Numbers) -> NDArray[np.uint64]:
        count = max(len(tokens) - SEED + 1, 0)
        found = np.zeros(count, np.uint64)
        for shift in range(SEED):
            found = (found ^ tokens[shift : shift + count]) * np.uint64(0x9E3779B97F4A7C15)
            found ^= found >> np.uint64(29)
        return found & np.uint64(0xFFFFFFFF)

    def runs(self, output: Numbers) -> Runs:
        hashes = self.hashes(output) << np.uint64(32)
        low = np.searchsorted(self.grams, hashes)
        high = np.searchsorted(self.grams, hashes | np.uint64(0xFFFFFFFF), "right")
        furthest: dict[int, int] = {}
        for start in np.flatnonzero(low < high).tolist():
            for gram in self.grams[low[start] : high[start]].tolist():
                place, length = gram & 0xFFFFFFFF, 0
                if start and self.tokens[place - 1] == output[start - 1]:
                    continue
                while start + length < len(output) and self.tokens[place + length] == output[start + length]:
                    length += 1
                if length >= SEED:
                    furthest[start] = max(furthest.get(start, 0), start + length)
        return _outermost(sorted(furthest.items()))


class InfiniGram:
    """infini-gram 2.6: its own index, built by its own program, asked by its ``attribute``."""

    def __init__(self, tokens: Numbers, folder: Path) -> None:
        from infini_gram import indexing  # noqa: PLC0415 - one method of several needs it
        from infini_gram.engine import InfiniGramEngine  # noqa: PLC0415

        # A document begins with the separator that its numbers of 16 bits have; ours ends with a gap.
        numbers = np.where(tokens == GAP, 0xFFFF, tokens).astype("<u2")[:-1]
        (folder / "tokenized.0").write_bytes(numbers.tobytes())
        (folder / "offset.0").write_bytes((2 * np.flatnonzero(numbers == 0xFFFF)).astype("<u8").tobytes())
        asked = argparse.Namespace(
            save_dir=str(folder), temp_dir=str(folder), worker_id=0, shards=1, workers=1, token_width=2, cpus=1, mem=8
        )
        here = Path.cwd()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            indexing.build_sa(asked)
        os.chdir(here)
        self.engine = InfiniGramEngine(
            str(folder),
            eos_token_id=0xFFFE,
            vocab_size=0xFFFF,
            version=4,
            token_dtype="u16",  # noqa: S106 - a type of number
        )
        self.size = sum(path.stat().st_size for path in folder.iterdir())

    def runs(self, output: Numbers) -> Runs:
        found = self.engine.attribute(output.tolist(), [], SEED, 1_000_000, enforce_bow=False)
        return _outermost(sorted((span["l"], span["r"]) for span in found["spans"]))


METHODS: dict[str, type[Method]] = {
    "suffix array (ours)": Ours,
    "ours mapped from disk": OnDisk,
    "sorted seeds": Seeds,
    "infini-gram": InfiniGram,
}


def _outermost(runs: Runs) -> Runs:
    found: Runs = []
    for start, end in runs:
        if not found or end > found[-1][1]:
            found.append((start, end))
    return found


def sotu(outputs: int) -> tuple[list[list[str]], list[list[str]]]:
    """The speeches as works, and the first 500 words of every so many of them, which are left out, as outputs."""
    texts = [words(document.text) for document in read_sotu().documents]
    step = max(len(texts) // outputs, 1)
    return [text for at, text in enumerate(texts) if at % step], [text[:LENGTH] for text in texts[::step]]


def numbered(works: Sequence[Sequence[str]], outputs: Sequence[Sequence[str]]) -> tuple[Numbers, list[Numbers]]:
    """Words as numbers from 1 on, gaps between works; words that no work has are 0xFFF0."""
    vocabulary: dict[str, int] = {}
    held = [GAP]
    for work in works:
        held += [vocabulary.setdefault(key, len(vocabulary) + 1) for key in work]
        held.append(GAP)
    asked = [np.array([vocabulary.get(key, 0xFFF0) for key in output], np.uint32) for output in outputs]
    return np.array(held, np.uint32), asked


def synthetic(count: int, outputs: int) -> tuple[Numbers, list[Numbers]]:
    """Words as rare as Zipf has them, in works of 2,000; outputs are the same, with five passages out of works."""
    random = np.random.default_rng(45438)
    weights = 1 / np.arange(1, WORDS + 1)
    ends = np.cumsum(weights / weights.sum())

    def drawn(size: int) -> Numbers:
        return (np.searchsorted(ends, random.random(size)) + 1).astype(np.uint32).clip(1, WORDS)

    held = drawn(count)
    held[::2_000] = GAP
    held[-1] = GAP
    asked = []
    for _ in range(outputs):
        output = drawn(LENGTH)
        for at in range(0, LENGTH, 100):
            size, place = int(random.integers(8, 60)), int(random.integers(0, count - 60))
            passage = held[place : place + size]
            output[at : at + size] = np.where(passage == GAP, 1, passage)
        asked.append(output)
    return held, asked


def _peak() -> int:
    """KiB that this process has ever held; the kernel's ``ru_maxrss`` would tell its parent's, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def measured(name: str, folder: Path) -> dict[str, Any]:
    """One method, in this process: what it costs, and what it finds."""
    tokens, asked = np.load(folder / "tokens.npy"), list(np.load(folder / "outputs.npz").values())
    before = _peak()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        start = time.perf_counter()
        method = METHODS[name](tokens, Path(place))  # type: ignore[call-arg]
        built = time.perf_counter() - start
        runs, times = [], []
        for _ in range(2):
            for output in asked:
                start = time.perf_counter()
                runs.append(method.runs(output))
                times.append(time.perf_counter() - start)
    own = max(_peak() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    return {
        "method": name,
        "build s": round(built, 2),
        "bytes/token": round(method.size / len(tokens), 2),
        "peak MiB": own // 1024,
        "first pass ms": round(1e3 * median(times[: len(asked)]), 2),
        "warm ms": round(1e3 * median(times[len(asked) :]), 2),
        "slowest ms": round(1e3 * max(times), 1),
        "runs": runs[: len(asked)],
    }


def compared(title: str, tokens: Numbers, asked: list[Numbers], names: Sequence[str]) -> None:
    """Every method in a process of its own; one table; whether all found the same."""
    print(f"\n{title}: {len(tokens):,} tokens, {len(asked)} outputs of {LENGTH}")
    with tempfile.TemporaryDirectory() as place:
        np.save(Path(place) / "tokens", tokens)
        np.savez(Path(place) / "outputs", *asked)
        rows = []
        for name in names:
            done = subprocess.run(
                [sys.executable, __file__, "--one", name, place], capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"| {name} | failed: {done.stderr.strip().splitlines()[-1]}")
                continue
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    heads = [head for head in rows[0] if head != "runs"]
    print("|", " | ".join(heads), "|\n|" + "---|" * len(heads))
    for row in rows:
        print("|", " | ".join(str(row[head]) for head in heads), "|")
    same = all(row["runs"] == rows[0]["runs"] for row in rows)
    print(f"runs found: {sum(map(len, rows[0]['runs']))}; " + ("all methods the same" if same else "THEY DIFFER"))


def near(works: Sequence[Sequence[str]], outputs: Sequence[Sequence[str]]) -> None:
    """What the product does with text: reading and sorting, and near copies beside quotations."""
    start = time.perf_counter()
    held = Suffixes({str(at): " ".join(work) for at, work in enumerate(works)})
    read = time.perf_counter() - start
    copies, times = NearCopies(held), []
    for output in outputs:
        start = time.perf_counter()
        copies.find(" ".join(output))
        times.append(time.perf_counter() - start)
    print(f"from text, tokens read and sorted: {read:.2f} s; near copies of an output: {1e3 * median(times):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=20_000_000)
    parser.add_argument("--outputs", type=int, default=20)
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--one", nargs=2)
    told = parser.parse_args()
    if told.one:
        print(json.dumps(measured(told.one[0], Path(told.one[1]))))
        return
    names = told.only.split(",")
    try:
        print("infini-gram", version("infini-gram"), "· pydivsufsort", version("pydivsufsort"))
    except PackageNotFoundError:
        names = [name for name in names if name != "infini-gram"]
        print("infini-gram is not installed: pip install infini-gram")
    works, outputs = sotu(told.outputs)
    compared("sotu", *numbered(works, outputs), names)
    near(works, outputs)
    compared("synthetic", *synthetic(told.tokens, told.outputs), names)


if __name__ == "__main__":
    main()

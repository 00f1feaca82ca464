"""Feed the parsers with bytes that a fuzzer finds by looking at what the code does with them (Atheris, libFuzzer).

python -m fuzz.run [--only NAME] [--go-on] [options of libFuzzer, such as -max_total_time=600]

Without ``--only`` the first byte of an input chooses the parser. With ``--go-on`` the run does not end with the first
failure: each is said once, with an input. See README.md.
"""

import sys
import tempfile
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gongfen", "fuzz.parsers", "rfc8785", "yaml", "zipfile"]):
    from fuzz.parsers import PARSERS, parse
    from fuzz.seeds import SEEDS, TOKENS

NAMES = sorted(PARSERS)


def corpus(folder: Path, chosen: str | None) -> None:
    """The seeds as files."""
    for name, seeds in SEEDS.items():
        for number, seed in enumerate(seeds if chosen in (None, name) else ()):
            first = b"" if chosen else bytes([NAMES.index(name)])
            (folder / f"{NAMES.index(name)}-{number}").write_bytes(first + seed)


def dictionary(path: Path) -> None:
    """The tokens, as libFuzzer reads them."""
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in token[:60]) + '"' for token in TOKENS)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


class Failures:
    """Each failure once: the parser, the error, the place in the code where it arose."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, str]] = set()

    def note(self, name: str, data: bytes, error: BaseException) -> None:
        """Say it, if it is new."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        which = (name, type(error).__name__, f"{Path(last.filename).name}:{last.lineno}")
        if which not in self._seen:
            self._seen.add(which)
            sys.stderr.write(f"FAILURE {which} {str(error)[:100]!r} {data[:300]!r}\n")


def main() -> None:
    """Run until the time is over, or something other than a named error comes out."""
    chosen = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else None
    failures = Failures() if "--go-on" in sys.argv else None
    options = [word for word in sys.argv[1:] if word not in ("--only", "--go-on", chosen)]

    def one_input(data: bytes) -> None:
        name = chosen or NAMES[data[0] % len(NAMES) if data else 0]
        try:
            parse(name, data if chosen else data[1:])
        except Exception as error:
            if failures is None:
                raise
            failures.note(name, data, error)

    with tempfile.TemporaryDirectory() as place:
        seeds = Path(place) / "seeds"
        seeds.mkdir()
        corpus(seeds, chosen)
        dictionary(Path(place) / "tokens")
        limits = [f"-dict={place}/tokens", "-timeout=20", "-rss_limit_mb=4096", "-max_len=65536"]
        atheris.Setup([sys.argv[0], *limits, *options, str(seeds)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

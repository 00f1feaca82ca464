"""What every verb shares: the application, its options, its errors, its progress bars."""

import gc
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from gongfen.cli.help import Explained
from gongfen.cli.mistakes import complain, mistyped
from gongfen.errors import GongfenError, InputError
from gongfen.reports.text.replies import Running
from gongfen.reports.words import Words, preferred

app = typer.Typer(
    cls=Explained,
    name="gongfen",
    help="Gongfen 工分: who made it, out of whose labour, what is it worth, who is owed what — and the proof.",
    epilog="GONGFEN_LANG=zh answers in Chinese, GONGFEN_LANG=en in English; else the locale decides.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BookPath = Annotated[
    str | None,
    typer.Option(
        "--book",
        envvar="GONGFEN_BOOK",
        metavar="PATH",
        help="The book's file, or its address on a server: postgresql://…",
        show_default="gongfen.db",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]

BLANKS = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)
"""What fills a line up to the width, and does not show."""
MISTAKE = 2
"""Exit code of a person's mistake or a damaged input; nothing has been written."""


@app.callback()
def main(book: BookPath = None) -> None:
    """Gongfen 工分: who made it, out of whose labour, what is it worth, who is owed what — and the proof."""
    if book is not None:
        os.environ["GONGFEN_BOOK"] = book  # `gongfen --book PATH verb` says the same as `gongfen verb --book PATH`


def words() -> Words:
    """The reader's language: ``GONGFEN_LANG``, else the locale."""
    return Words(preferred(os.environ))


@contextmanager
def reading() -> Iterator[None]:
    """Around a verb that only reads: whatever goes wrong, there is nothing to say of what was left behind."""
    try:
        yield
    except GongfenError as error:
        error.left = ""
        raise


def show(answer: object, *, as_json: bool, draw: Callable[[], RenderableType], sample: bool = False) -> None:
    """Print an answer: as JSON for programs, or drawn for people. ``sample``: the book holds sample data; say so."""
    try:
        _print(answer, as_json=as_json, draw=draw, sample=sample)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, UnicodeError) as error:
        problem = InputError("the answer", f"cannot be printed: {error}", "look at what was done: gongfen log")
        problem.left = "it was done; only the answer is missing"
        raise problem from None


def _print(answer: object, *, as_json: bool, draw: Callable[[], RenderableType], sample: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False, indent=2) + "\n")
    else:
        drawn, console = draw(), Console()
        if isinstance(drawn, Group):
            drawn = Group(*(Running.assemble(part) if isinstance(part, Text) else part for part in drawn.renderables))
        with console.capture() as captured:
            # Text alone keeps its lines, and a command beside a table its own: it can be copied. Tables fit the width.
            console.print(drawn, soft_wrap=isinstance(drawn, Text), crop=False)
            if sample:
                note = f"◇ {words().gettext('sample data: some of these numbers rest on examples')}"
                console.print(note, style="yellow", soft_wrap=True)
        sys.stdout.write(BLANKS.sub(r"\1", captured.get()))


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for everything that may take longer than a second; a function (done, of) moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def move(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of or None)

        yield move


@contextmanager
def several_steps() -> Iterator[None]:
    """Around a verb that records step by step: when a later one fails, those that were finished stay."""
    try:
        yield
    except GongfenError as error:
        error.left = FINISHED_STAY
        raise
    except ImportError as error:
        problem = not_installed(error)
        problem.left = FINISHED_STAY
        raise problem from None


def not_installed(error: ImportError) -> GongfenError:
    """What a verb needs and does not find; raises the error itself when a part of Gongfen is what is missing."""
    module = (error.name or "").partition(".")[0]
    if module in {"", "gongfen"}:
        raise error
    reason = f"needs {module}, which is not installed"
    if not isinstance(error, ModuleNotFoundError):
        reason = f"needs {module}, which cannot be loaded ({error})"
    package = "'gongfen[studio]'" if module in STUDIO else module
    return InputError("the command", reason, f"install it: pip install {package}")


FINISHED_STAY = "steps that were finished stay recorded"
STUDIO = {
    "accelerate", "gguf", "numkong", "numpy", "peft", "pydivsufsort", "rensa", "safetensors", "scipy", "tokenizers",
    "torch", "transformers", "uniseg",
}  # fmt: skip
"""What comes with ``gongfen[studio]``: training, writing and tracing need it, and nothing else does (ADR 4)."""
COLLECT = (100_000, 20, 20)
"""When rubbish is looked for: facts and answers hold no cycles, and to walk large tables for some costs a fifth."""


def run() -> None:
    """The command ``gongfen``. A mistake is said in three parts, and exits with 2."""
    gc.set_threshold(*COLLECT)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character shows its number
    if sys.stderr is None:
        sys.stderr = io.StringIO()  # whoever closed it does not want to hear of mistakes; the exit code tells them
    try:
        if sys.stdout is None:
            raise InputError("standard output", "is closed", "give the answer a file, a program or a terminal")
        code = app(prog_name="gongfen", standalone_mode=False)
        raise SystemExit(code if isinstance(code, int) else 0)
    except typer.TyperException as error:
        mistyped(error)
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        sys.stderr.write("\n")
        raise SystemExit(1) from None
    except GongfenError as error:
        _complain(error)
        raise SystemExit(MISTAKE) from None
    except ImportError as error:
        _complain(not_installed(error))
        raise SystemExit(MISTAKE) from None
    except BrokenPipeError:
        # The reader has gone (`gongfen log | head`): nothing to complain about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except (UnicodeError, RecursionError, OSError) as error:
        # The last net: what no room has named better is still said in three parts, and never as a traceback.
        _complain(
            InputError("the command", f"cannot use what it was given: {error}", "check its files, names and texts")
        )
        raise SystemExit(MISTAKE) from None
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):  # what torch says of memory
            raise
        remedy = "close other programs, or give less at once: to a model, fewer works or fewer tokens a work"
        _complain(InputError("the command", "asks for more memory than there is", remedy))
        raise SystemExit(MISTAKE) from None


def _complain(error: GongfenError) -> None:
    complain(error, words(), as_json="--json" in sys.argv)

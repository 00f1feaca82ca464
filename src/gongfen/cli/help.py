"""Help in the reader's language: ``gongfen --help``, and that of every verb, in Chinese too.

The texts stand in English where the verbs are. When help is asked for, and only then, they are looked up in
``locale/zh_Hans.po`` beside this file: an answer that is no help reads no catalogue of helps.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from typer.core import TyperGroup

from gongfen.reports.text.replies import Running
from gongfen.reports.words import LANGUAGES, Words, preferred

INDENT = 2
WIDEST_NAME = 30
"""What is longer than so many columns has its explanation below, not beside it."""
LINE = "1000"
"""Columns of a line that no explanation fills."""
TYPE = re.compile(r"<[^<>|]+>")
"""What an option takes, as typer writes it. A choice is no type: it is written as it stands."""
EXTRAS = re.compile(
    r"^(.*?) *\[(?:env var: (\S+?))?(?:; )?(?:default: (.*?))?(?:; )?(\S*x[<>]=\S+)?(?:; )?(required)?\]$"
)
"""What typer adds to an explanation: the variable, the default, the range, and whether it is required."""


def words() -> Words:
    """The reader's language, with the catalogue of helps."""
    return Words(preferred(os.environ), __package__)


class Asked(typer.Context):
    """One call of a verb. Asked for help, it answers in the reader's language; a shell that completes asks, too."""

    def __init__(self, *args: Any, **keywords: Any) -> None:  # noqa: ANN401 - typer's
        super().__init__(*args, **keywords)
        if self.resilient_parsing:  # only completion parses so
            os.environ["COLUMNS"] = LINE  # an explanation that typer breaks is two completions to the shell
            if (speak := words()).lang != LANGUAGES[0]:
                translate(self, speak)

    def get_help(self) -> str:
        """The help of this verb."""
        speak = words()
        if speak.lang == LANGUAGES[0]:
            return super().get_help()
        translate(self, speak)
        page = Page(self.make_formatter().width, speak)
        self.command.format_help(self, page)  # type: ignore[arg-type]  # all of a formatter that is used
        return page.getvalue().rstrip("\n")


class Explained(TyperGroup):
    """The command ``gongfen``, whose verbs, and theirs, answer a call for help as :class:`Asked`."""

    context_class = Asked

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - typer's, of no public type
        """A verb."""
        found = super().get_command(ctx, cmd_name)
        for verb in [found, *getattr(found, "commands", {}).values()]:
            if verb is not None:
                verb.context_class = Asked
        return found


def translate(ctx: Any, speak: Words) -> None:  # noqa: ANN401 - typer's context
    """Put the texts of a verb into another language. The verb was made for this call, and ends with it."""
    verb = ctx.command
    verb.help, verb.epilog = said(verb.help, speak), said(verb.epilog, speak)
    verb.options_metavar = said(verb.options_metavar, speak)
    for inner in getattr(verb, "commands", {}).values():
        first, mark, _ = said(inner.help, speak).partition("\n\n")[0].partition("。")
        inner.short_help = first + mark
    if hasattr(verb, "commands"):
        verb.subcommand_metavar = said(verb.subcommand_metavar, speak)
    for one in verb.get_params(ctx):
        one.help = said(one.help, speak)
        one.metavar = said(one.metavar, speak) or None
        if isinstance(one.show_default, str):
            one.show_default = said(one.show_default, speak)
        if one.param_type_name == "argument" and one.metavar is None:
            one.name = said(one.name, speak)


def said(text: str | None, speak: Words) -> str:
    """A text of one or more paragraphs in another language; each of them is a message."""
    return "\n\n".join(speak.gettext(" ".join(part.split())) for part in (text or "").split("\n\n") if part.strip())


class Page:
    """What typer writes help on, for a script whose signs are two columns wide and which has no spaces to break at."""

    def __init__(self, width: int, speak: Words) -> None:
        """A page of ``width`` columns."""
        self.width = width
        self._speak = speak
        self._console = Console()
        self._indent = 0
        self._lines: list[str] = []

    def getvalue(self) -> str:
        """The page."""
        return "\n".join(self._lines)

    def write_paragraph(self) -> None:
        """An empty line."""
        self._lines.append("")

    @contextmanager
    def indentation(self) -> Iterator[None]:
        """What stands further to the right."""
        self._indent += INDENT
        yield
        self._indent -= INDENT

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A part with a heading."""
        self.write_paragraph()
        self._lines.append(f"{' ' * self._indent}{said(name, self._speak)}：")
        with self.indentation():
            yield

    def write_usage(self, prog: str, args: str) -> None:
        """How the verb is written."""
        self._beside(f"{said('Usage', self._speak)}：{prog} ", args)

    def write_text(self, text: str) -> None:
        """Running text."""
        for place, part in enumerate(text.split("\n\n")):
            if place:
                self.write_paragraph()
            self._beside("", part)

    def write_dl(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names, each with its explanation."""
        named = [
            (TYPE.sub(lambda kind: said(kind[0], self._speak), name), self._explained(text)) for name, text in rows
        ]
        column = min(max(cell_len(name) for name, _ in named), WIDEST_NAME) + INDENT
        for name, text in named:
            gap = column - cell_len(name)
            if gap < INDENT:
                self._lines.append(" " * self._indent + name)
            self._beside(name + " " * gap if gap >= INDENT else " " * column, text)

    def _explained(self, text: str) -> str:
        """An explanation, with what typer has added to it."""
        found = EXTRAS.match(text)
        if found is None:
            return text
        plain, variable, default, bounds, required = found.groups()
        parts = [
            variable and f"{said('env var', self._speak)}：{variable}",
            default and f"{said('default', self._speak)}：{default.removeprefix('(').removesuffix(')')}",
            bounds,
            required and said(required, self._speak),
        ]
        return f"{plain}（{'；'.join(part for part in parts if part)}）"

    def _beside(self, left: str, text: str) -> None:
        """A text to the right of another, broken into lines that fit."""
        room = self.width - self._indent - cell_len(left)
        for line in Running(text).wrap(self._console, room) or [Running("")]:
            self._lines.append((" " * self._indent + left + line.plain).rstrip())
            left = " " * cell_len(left)

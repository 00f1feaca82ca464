"""What a person did wrong, as the command line says it: an error in three parts, a call that typer cannot take."""

import json
import re
import sys
from typing import Any

from rich.console import Console

from gongfen.cli import help as helps
from gongfen.errors import GongfenError, ProofError
from gongfen.reports.words import LANGUAGES, Words

LONG_KEY = re.compile(r"([A-Za-z0-9+/]{44})[A-Za-z0-9+/]{200,}=*")
"""The base64 of an ML-DSA-44 key has 1,752 characters; 44 of them tell two keys apart."""


def brief_keys(text: str) -> str:
    """A text in which long keys are cut: the screen is for people; files and ``--json`` have them whole."""
    return LONG_KEY.sub(r"\1…", text)


def complain(error: GongfenError, words: Words, *, as_json: bool) -> None:
    """Say an error on standard error. As JSON it is for programs, and in English."""
    if as_json:
        parts = {"error": type(error).__name__, "thing": error.thing, "reason": error.reason, "remedy": error.remedy}
        sys.stderr.write(json.dumps(parts | {"left": error.left}, ensure_ascii=False) + "\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(brief_keys(what(error, words)), style="bold red", markup=False)
    console.print(brief_keys(f"  → {told(error.remedy, words)}"), markup=False)
    stop = "; " if words.lang == LANGUAGES[0] else "；"
    left = stop + told(error.left, words) if error.left else ""
    console.print(f"  {type(error).__name__}{left}", style="dim", markup=False)


def what(error: GongfenError, words: Words) -> str:
    """The thing and what is wrong with it, as one sentence."""
    thing = error.thing if error.thing.strip() else f'"{error.thing}"'
    if words.lang == LANGUAGES[0]:
        return f"{thing} {error.reason}"
    from gongfen.cli.mistakes.sentences import joined, templates  # noqa: PLC0415 - no verb starts slower for it

    said = templates(words.lang)
    # Proofs speak of receipts, bundles and requests; any other error may speak of a work that is called so.
    return joined(said.said(thing, name=not isinstance(error, ProofError)), said.said(error.reason))


def told(text: str, words: Words) -> str:
    """A sentence about something that went wrong, in the reader's language."""
    if words.lang == LANGUAGES[0]:
        return text
    from gongfen.cli.mistakes.sentences import templates  # noqa: PLC0415 - no verb starts slower for it

    return templates(words.lang).said(text)


def mistyped(error: Any) -> None:  # noqa: ANN401 - typer's, of no public type
    """Say that typer could not take a call: how it is written, where to read on, and what was wrong."""
    words = helps.words()
    if words.lang == LANGUAGES[0] or error.ctx is None or error.message == error.ctx.get_help():
        error.show()  # called with nothing at all, a group of verbs says its help
        return
    helps.translate(error.ctx, words)
    page = helps.Page(error.ctx.make_formatter().width, words)
    error.ctx.command.format_usage(error.ctx, page)
    asking = told(f"Try '{error.ctx.command_path} {error.ctx.help_option_names[0]}' for help.", words)
    sys.stderr.write(f"{page.getvalue()}\n{asking}\n\n{told(f'Error: {error.format_message()}', words)}\n")

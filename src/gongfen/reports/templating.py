"""Templates that speak one language: all text escaped, every missing name an error."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gongfen.reports.words import Words


def environment(words: Words, **filters: Callable[..., Any]) -> Environment:
    """Our templates, with these filters beside those that say numbers and money."""
    found = Environment(
        loader=PackageLoader("gongfen.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    found.filters.update(number=words.number, money=words.money, **filters)
    return found


def style_sheet(name: str) -> str:
    """A style sheet that lies beside the templates, as text."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")

"""Lines of the page's small ledgers: what, how much, and its bar."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gongfen.reports.charts.row_bars import Span, bars


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a small ledger: what, how much, and its bar."""

    what: str | Markup
    amount: str
    bar: Markup
    note: str = ""


def row_bar(spans: Sequence[Span], high: int, key: str, low: int = 0, mark: int | None = None) -> Markup:
    """The bar of a line, on a scale from ``low`` to ``high``; ``mark`` is a line across it."""
    return Markup(bars(spans, low=low, high=high, key=key, mark=mark))  # noqa: S704 — numbers and classes only

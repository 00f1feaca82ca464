"""The tornado: one assumption a row, between its two ends, around the answer as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gongfen.reports.charts.drawing import SMALL, Saying, num, shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class Sway:
    """One assumption: its name, its two settings, what they give; ``None`` is unknown."""

    name: str
    settings: str
    gives: str
    low: int | None
    high: int | None
    approximate: bool = False


def tornado(rows: Sequence[Sway], *, base: int, said: str, saying: Saying, narrow: bool = False) -> str:
    """Bars on one scale, the first the widest; ``said`` is the base in words."""
    width, left, right, pitch, drop = (320.0, 6.0, 6.0, 72.0, 44.0) if narrow else (1080.0, 330.0, 260.0, 46.0, 12.0)
    top = 26.0
    height = top + pitch * max(len(rows), 1) + 6
    ends = [base, *(end for row in rows for end in (row.low, row.high) if end is not None)]
    low, high = min(ends), max(ends)
    scale = (width - left - right) / max(high - low, 1)

    def place(value: int) -> float:
        return left + (value - low) * scale

    middle = place(base)
    parts = [saying.head(width, height, "chart tornado " + ("upright" if narrow else "wide"))]
    anchor = "start" if middle < width * 0.35 else "end" if middle > width * 0.65 else "middle"
    parts.append(f'<text class="head" x="{num(middle)}" y="14" text-anchor="{anchor}">{escape(said)}</text>')
    for at, row in enumerate(rows):
        y = top + at * pitch
        parts += _said(row, y, width, left, right, narrow=narrow)
        if row.low is None or row.high is None:
            box = f'x="{num(left)}" y="{num(y + drop)}" width="{num(width - left - right)}" height="16"'
            parts.append(f'<rect class="open" {box}/>')
        else:
            parts += _bar(row, place(row.low), place(row.high), middle, y + drop)
        start, end = (y + drop - 2, y + drop + 20) if narrow else (y - 6, y + pitch - 6)
        parts.append(f'<path class="base" d="M{num(middle)} {num(start)}V{num(end)}"/>')
    return "".join(parts) + "</svg>"


def _said(row: Sway, y: float, width: float, left: float, right: float, *, narrow: bool) -> list[str]:
    """Name and settings, and what they give."""
    if narrow:
        lines = (
            (row.name, "name", 0.0, y + 12),
            (row.settings, "amount", 0.0, y + 26),
            (row.gives, "amount", 0.0, y + 40),
        )
        return [_text(kind, x, at, "start", shorten(text, width, SMALL), text) for text, kind, x, at in lines]
    return [
        _text("name", left - 20, y + 16, "end", shorten(row.name, left - 20), row.name),
        _text("amount", left - 20, y + 33, "end", shorten(row.settings, left - 20, SMALL), row.settings),
        _text("name", width - right + 16, y + 25, "start", shorten(row.gives, right - 16), row.gives),
    ]


def _bar(row: Sway, low: float, high: float, middle: float, y: float) -> list[str]:
    """From the answer at the low setting to that at the high one: two shades that meet at the base."""
    kind = "swing approximate" if row.approximate else "swing"
    parts = []
    for shade, end in (("at-low", low), ("at-high", high)):
        start, stop = sorted((middle, end))
        if stop - start > 0.01:
            parts.append(
                f'<rect class="{kind} {shade}" x="{num(start)}" y="{num(y)}" width="{num(stop - start)}" height="16"/>'
            )
    return parts


def _text(kind: str, x: float, y: float, anchor: str, text: str, full: str) -> str:
    title = f"<title>{escape(full)}</title>" if full != text else ""
    return f'<text class="{kind}" x="{num(x)}" y="{num(y)}" text-anchor="{anchor}">{title}{escape(text)}</text>'

"""Stacked bars: what an amount is made of, part beside part, all rows on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gongfen.reports.charts.drawing import SMALL, Saying, breadth, num, shorten

_SHADES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of a bar; ``code`` is what stands below it, where there is room."""

    value: int
    tone: str
    code: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A bar with its name and its amount."""

    name: str
    amount: str
    pieces: tuple[Piece, ...]
    open: bool = False
    """The true amount is at least this."""


def stacked_bars(stacks: Sequence[Stack], *, saying: Saying, narrow: bool = False) -> str:
    """Rows of bars; names stand to the left, or above where the page is narrow."""
    width, left, right, pitch, top = (320.0, 0.0, 12.0, 66.0, 22.0) if narrow else (1080.0, 190.0, 170.0, 50.0, 6.0)
    thick, most = 20.0, max([sum(piece.value for piece in stack.pieces) for stack in stacks] + [1])
    scale = (width - left - right) / most
    height = pitch * max(len(stacks), 1) + 2
    parts = [saying.head(width, height, "chart stacked " + ("upright" if narrow else "wide"))]
    for row, stack in enumerate(stacks):
        y = row * pitch + top
        if narrow:
            parts.append(_text("name", 0, y - 7, "start", shorten(stack.name, width * 0.55, SMALL), stack.name))
            parts.append(_text("amount", width - right, y - 7, "end", stack.amount))
        else:
            parts.append(_text("name", left - 14, y + 15, "end", shorten(stack.name, left - 14), stack.name))
        end = _bar(parts, stack, left, y, scale, thick)
        if not narrow:
            parts.append(_text("amount", end + 12, y + 15, "start", stack.amount))
    return "".join(parts) + "</svg>"


def _bar(parts: list[str], stack: Stack, left: float, y: float, scale: float, thick: float) -> float:
    """The pieces one after the other, each with its code below it; gives where the bar ends."""
    x, free, shade = left, left, dict.fromkeys((piece.tone for piece in stack.pieces), 0)
    for piece in stack.pieces:
        wide = piece.value * scale
        if piece.value > 0:
            kind = f"piece {piece.tone} shade-{shade[piece.tone] % _SHADES}"
            shade[piece.tone] += 1
            parts.append(
                f'<rect class="{kind}" x="{num(x)}" y="{num(y)}" width="{num(max(wide, 1))}" height="{num(thick)}">'
                f"<title>{escape(piece.note)}</title></rect>"
            )
            room = breadth(piece.code, SMALL)
            start = max(x + wide / 2 - room / 2, free)
            if room <= wide + 6 and start <= x + max(wide - room, 0) + 3:
                parts.append(_text("code", start + room / 2, y + thick + 14, "middle", piece.code))
                free = start + room + 5
        x += wide
    if stack.open:
        parts.append(f'<path class="open" d="M{num(x + 4)} {num(y - 2)}V{num(y + thick + 2)}"/>')
    return x


def _text(kind: str, x: float, y: float, anchor: str, text: str, full: str = "") -> str:
    title = f"<title>{escape(full)}</title>" if full and full != text else ""
    return f'<text class="{kind}" x="{num(x)}" y="{num(y)}" text-anchor="{anchor}">{title}{escape(text)}</text>'

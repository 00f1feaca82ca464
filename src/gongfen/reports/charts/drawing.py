"""What every picture is made of: SVG text, labels and how wide they are, tones, and hatches for what was not measured.

Labels come ready to print; a *tone* (``living``, ``past``, ``machine``, ``influence``, ``rent``, …) and a *quality*
(``measured``, ``estimated``, ``imputed``) become CSS classes, and quality also becomes a hatch, so that nothing is told
by colour alone.
"""

import unicodedata
from dataclasses import dataclass
from html import escape

TONES = ("living", "past", "machine", "influence", "rent")
QUALITIES = ("measured", "estimated", "imputed")
"""How well a number is known, best first; a quality that we have not heard of is drawn as the worst."""
TEXT = 13
"""Height of a label in the pictures' own units; the style sheet sets the same."""
SMALL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What a reader who does not see the picture is told: a title and the finding, and the ids they carry."""

    key: str
    title: str
    finding: str

    def head(self, width: float, height: float, kind: str) -> str:
        """The opening tag, the title and the description."""
        return (
            f'<svg class="{kind}" viewBox="0 0 {num(width)} {num(height)}" role="img"'
            f' aria-labelledby="{self.key}-t" aria-describedby="{self.key}-d">'
            f'<title id="{self.key}-t">{escape(self.title)}</title>'
            f'<desc id="{self.key}-d">{escape(self.finding)}</desc>'
        )


def num(value: float) -> str:
    """A coordinate: two decimals at most, no trailing zeros, no minus zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def breadth(text: str, size: int = TEXT) -> float:
    """About how wide a label will be: Chinese letters are square, others a little over half as wide, in a wide face."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.6 for c in text) * size


def shorten(text: str, room: float, size: int = TEXT) -> str:
    """The label, cut with an ellipsis when it is wider than its room."""
    if breadth(text, size) <= room:
        return text
    while text and breadth(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def patterns(key: str) -> str:
    """The hatches that row bars and flows share: once on each page, under ids that begin with ``key``."""
    made = []
    for tone in TONES:
        for quality, step in (("estimated", 5), ("imputed", 9)):
            made.append(
                f'<pattern id="{key}-{quality}-{tone}" width="{step}" height="{step}" patternUnits="userSpaceOnUse"'
                f' patternTransform="rotate(45)"><rect class="ground {tone}" width="{step}" height="{step}"/>'
                f'<path class="hatch {tone}" d="M0 0V{step}"/></pattern>'
            )
    return f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs>{"".join(made)}</defs></svg>'


def swatch(tone: str, quality: str, key: str) -> str:
    """The sample of a tone and a quality in a legend."""
    return (
        f'<svg class="swatch" width="28" height="14" aria-hidden="true">'
        f'<rect {ink(key, tone, quality)} x="1" y="1" width="26" height="12"/></svg>'
    )


def ink(key: str, tone: str, quality: str) -> str:
    """Class and, for what was not measured, the hatch of a shape."""
    quality = quality if quality in QUALITIES else "imputed"
    hatch = f' fill="url(#{key}-{quality}-{tone})"' if quality != QUALITIES[0] and tone in TONES else ""
    return f'class="{tone} {quality}"{hatch}'

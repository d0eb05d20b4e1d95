"""Shapes and texts as SVG. All text is escaped here, whatever it holds: students write some."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from pytest_mpgrade.system.text import clean, one_line

_NO_XML = re.compile("[\ufffe\uffff]")
"""What `clean` lets through, and XML does not allow."""
_WIDE = 0.57
"""The width of an average letter of a sans-serif font, as a part of the font's size; a little more
than it is, for texts must not run into one another in any font.
"""
_MONO = 0.62
"""The same of a font in which all letters are equally wide."""
_LONGEST = 400
"""Characters of one text. No drawing has room for more."""


def letters(text: str) -> str:
    """Return a text for the content of an element: on one line, and escaped."""
    return escape(_NO_XML.sub("\ufffd", one_line(text))[:_LONGEST])


def text_width(text: str, size: float, *, mono: bool = False) -> float:
    """Return how wide a text is at most, in pixels, in most fonts."""
    return len(text) * size * (_MONO if mono else _WIDE)


def fitted_lines(
    text: str, width: float, size: float, *, mono: bool = False, most: int = 4
) -> list[str]:
    """Return a text in lines that are not wider than *width* pixels, at most so many."""
    room = max(int(width / (size * (_MONO if mono else _WIDE))), 8)
    lines = textwrap.wrap(one_line(text)[:_LONGEST], room)
    if len(lines) > most:
        lines[most - 1 :] = [lines[most - 1][: room - 2] + " …"]
    return lines


class Canvas:
    """An SVG drawing of a given width, to which shapes are added from back to front."""

    def __init__(self, width: int, ident: str) -> None:
        self.width = width
        # Only what an id may hold: it stands in URLs of patterns.
        self.ident = re.sub(r"[^\w-]", "-", clean(ident), flags=re.ASCII) or "timeline"
        self._parts: list[str] = []

    def rect(
        self, box: tuple[float, float, float, float], kind: str, fill: str = "", title: str = ""
    ) -> None:
        """Add a rectangle (x, y, width, height) of a class; *fill* names a pattern."""
        x, y, width, height = (_number(each) for each in box)
        pattern = f' fill="url(#{self.ident}-{fill})"' if fill else ""
        named = f"<title>{letters(title)}</title>" if title else ""
        self._parts.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"{pattern}'
            + (f">{named}</rect>" if named else "/>")
        )

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """Add a straight line."""
        (x1, y1), (x2, y2) = ([_number(each) for each in point] for point in (start, end))
        self._parts.append(f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>')

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Add a line through points."""
        steps = " L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._parts.append(f'<path class="{kind}" d="M{steps}"/>')

    def head(self, tip: tuple[float, float], towards: str, kind: str = "head") -> None:
        """Add the head of an arrow that points "up", "down", "left" or "right"."""
        x, y = tip
        back, side = 6.0, 3.5
        corners = {
            "up": [(x - side, y + back), (x + side, y + back)],
            "down": [(x - side, y - back), (x + side, y - back)],
            "left": [(x + back, y - side), (x + back, y + side)],
            "right": [(x - back, y - side), (x - back, y + side)],
        }[towards]
        steps = " ".join(f"{_number(a)},{_number(b)}" for a, b in [tip, *corners])
        self._parts.append(f'<polygon class="{kind}" points="{steps}"/>')

    def text(self, at: tuple[float, float], text: str, kind: str = "", anchor: str = "") -> None:
        """Add a text whose baseline begins, or has its *anchor*, at a point."""
        x, y = (_number(each) for each in at)
        kinds = f' class="{kind}"' if kind else ""
        anchored = f' text-anchor="{anchor}"' if anchor else ""
        self._parts.append(f'<text{kinds} x="{x}" y="{y}"{anchored}>{letters(text)}</text>')

    def drawing(self, height: float, title: str, description: str, head: str) -> str:
        """Return the whole drawing; *head* has its styles and patterns."""
        size = f'viewBox="0 0 {self.width} {_number(height)}"'
        named = quoteattr(f"{self.ident}-title {self.ident}-desc")
        return (
            f'<svg class="tl" id="{self.ident}" xmlns="http://www.w3.org/2000/svg" {size}'
            f' width="{self.width}" height="{_number(height)}" role="img" aria-labelledby={named}>'
            f'<title id="{self.ident}-title">{letters(title)}</title>'
            f'<desc id="{self.ident}-desc">{letters(description)}</desc>{head}'
            + "".join(self._parts)
            + "</svg>"
        )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

"""A student's own source as HTML, with the lines marked that a page speaks of.

The only user of Pygments. Source is shown as it was handed in: characters that would turn the
direction of text, or that no page may have, are escapes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from pytest_mpgrade.report.pages.html import anchor
from pytest_mpgrade.system.text import clean

MOST_LINES, LONGEST_LINE = 2000, 300
"""Lines of a file that are shown, and characters of one of them."""
_MOST_CHARACTERS = 30_000
"""Characters of a file that is highlighted; Pygments takes seconds for some longer ones, which may
be made for that.
"""
_LINE_ENDS = re.compile(r"\r\n?|\n")
"""What ends a line of Python; `splitlines` knows others, by which the numbers would differ."""


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """One line of a file as it is shown."""

    number: int
    anchor: str
    code: Markup
    marks: tuple[str, ...]  # what the page says of it


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file as it is shown."""

    name: str
    lines: tuple[SourceLine, ...]
    left_out: int  # lines
    marked: int


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True, classprefix="k-")


@cache
def _lexer() -> PythonLexer:
    return PythonLexer(stripnl=False, ensurenl=True)


def source_file(name: str, text: str, marks: Mapping[int, Sequence[str]]) -> SourceFile:
    """Return a file with its lines highlighted, and those marked of which something is said."""
    whole = _LINE_ENDS.split(text.removesuffix("\n"))
    kept = [_shortened(clean(line.expandtabs()).rstrip()) for line in whole[:MOST_LINES]]
    lines = tuple(
        SourceLine(
            number=number,
            anchor=anchor(name, number),
            code=Markup(code),  # noqa: S704 - Pygments has escaped it
            marks=tuple(dict.fromkeys(marks.get(number, ()))),
        )
        for number, code in enumerate(_highlighted(kept), 1)
    )
    return SourceFile(
        name=name,
        lines=lines,
        left_out=len(whole) - len(kept),
        marked=sum(bool(line.marks) for line in lines),
    )


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …"


def _highlighted(lines: Sequence[str]) -> list[str]:
    """Return the HTML of each line; a text over several lines is marked in each of them.

    The formatter closes its elements at the end of each line, so each line is whole by itself.
    """
    text = "\n".join(lines)
    if len(text) > _MOST_CHARACTERS:
        return [str(escape(line)) for line in lines]
    return highlight(text, _lexer(), _formatter()).split("\n")[: len(lines)]

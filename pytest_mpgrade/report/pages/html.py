"""Make a page of a template; the only user of Jinja2.

All values are escaped, whatever they hold: names, messages and output come from students. A page is
one file. Its policy forbids every request, and every style and script but our own, which it knows
by their hashes, also where something should get through.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pytest_mpgrade.system.text import clean, counted, one_line, points

_LONGEST = 2000
"""Characters of one text on a page; a submission may print a line of megabytes."""
_MOST_LINES = 400
"""Lines of one block of text on a page."""
_FOLDER = Path(__file__).with_name("templates")
_BASE = ("base.css",)
_ICONS = {
    "passed": "✓",
    "failed": "✗",
    "error": "!",
    "inconclusive": "?",
    "absent": "∅",
    "skipped": "–",
    "not run": "·",
    "graded": "✓",
    "ungradable": "✗",
}
"""A sign for each outcome and status, beside its word and its colour."""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pytest_mpgrade.report.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": points,
        "line": _line,
        "block": _block,
        "address": partial(quote, safe="/#"),
        "linked": linked,
        "counted": counted,
    }
    environment.globals["icons"] = _ICONS
    return environment


def html_page(
    template: str,
    values: dict[str, object],
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    more_style: str = "",
) -> str:
    """Return the page that a template, named without its folder, makes of these values.

    *styles* and *scripts* are files of the templates' folder, which the page has in it, and
    *more_style* is a style sheet itself.
    """
    style, script = _joined((*_BASE, *styles)) + more_style, _joined(tuple(scripts))
    own = {"style": markup(style), "script": markup(script), "policy": _policy(style, script)}
    return _environment().get_template(template).render(values | own) + "\n"


@cache
def _joined(names: tuple[str, ...]) -> str:
    return "".join((_FOLDER / name).read_text("utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    allowed = [("style-src", style), *([("script-src", script)] if script else [])]
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{what} '{_hash(text)}'" for what, text in allowed),
            "form-action 'none'",
            "base-uri 'none'",
        ]
    )


@cache
def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def markup(html: str) -> Markup:
    """Return HTML that we have made ourselves, and that is not to be escaped."""
    return Markup(html)  # noqa: S704 - the caller has made it of no text but its own


def anchor(file: str, line: int) -> str:
    """Return the name of a line of a file within a page."""
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', file)}-{line}"


def linked(text: str, files: Collection[str]) -> Markup:
    """Return text of several lines in which each ``FILE:LINE`` leads to the line, for own *files*.

    The page has a line of each of these.
    """
    if not files:
        return escape(text)
    names = "|".join(re.escape(name) for name in sorted(files, key=len, reverse=True))
    pieces = re.split(rf"(?<![\w/.-])((?:{names}):\d{{1,6}})(?!\d)", text)
    return Markup("").join(
        escape(piece) if number % 2 == 0 else _link(piece) for number, piece in enumerate(pieces)
    )


def _link(place: str) -> Markup:
    file, _, line = place.rpartition(":")
    return Markup('<a href="#{}">{}</a>').format(anchor(file, int(line)), place)


def _line(text: object) -> str:
    return _cut(one_line(str(text)))


def _block(lines: Sequence[str]) -> str:
    shown = [_cut(clean(line)) for line in lines[:_MOST_LINES]]
    if len(lines) > len(shown):
        shown.append(f"… and {len(lines) - len(shown)} more lines")
    return "\n".join(shown)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"

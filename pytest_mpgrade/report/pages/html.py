"""Make a page of a template; the only user of Jinja2.

All values are escaped, whatever they hold: names, messages and output come from students. The
templates' policy forbids scripts and every request, also where something should get through.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from pytest_mpgrade.system.text import clean, one_line, points

_LONGEST = 2000
"""Characters of one text on a page; a submission may print a line of megabytes."""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pytest_mpgrade.report.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": points, "line": _line, "block": _block}
    return environment


def html_page(template: str, values: dict[str, object]) -> str:
    """Return the page that a template, named without its folder, makes of these values."""
    return _environment().get_template(template).render(values) + "\n"


def _line(text: object) -> str:
    return _cut(one_line(str(text)))


def _block(lines: list[str]) -> str:
    return "\n".join(_cut(clean(line)) for line in lines)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"

"""The section "fix this first": what to change, where, and what hangs on it."""

from __future__ import annotations

from pytest_mpgrade.report import causes, evidence, grouping
from pytest_mpgrade.report.parts import CausePart, ResultFile
from pytest_mpgrade.report.terminal.page import Page
from pytest_mpgrade.system.text import counted, one_line

HEADING = "Fix this first"
_LONGEST = 110
"""Characters of a message; the explanation of the call has all of it."""


def fix_first(result: ResultFile, width: int = 80, color: bool = False) -> str:
    """Return the section; "" where nothing failed."""
    page = Page(width, color)
    add_fix_first(page, result)
    return page.text


def add_fix_first(page: Page, result: ResultFile) -> None:
    """Add the most basic causes of the failures of a result to a page."""
    if not result.causes:
        return
    page.line("")
    page.line((HEADING, "bold"))
    for number, cause in enumerate(result.causes[: causes.MOST], 1):
        _add(page, number, cause)
    if rest := result.causes[causes.MOST :]:
        page.line(f"… and then {counted(len(rest), 'other cause')}", indent=2, hang=4)


def _add(page: Page, number: int, cause: CausePart) -> None:
    page.line((f"{number}. ", "bold"), one_line(cause.change), indent=2, hang=3)
    if cause.seen != cause.change:
        page.line((_cut(one_line(cause.seen)), "dim"), indent=5, hang=4)
    if place := evidence.line_words(cause.source):
        page.line((place, "cyan"), indent=5, hang=4)
    page.line(grouping.hangs_on_it(cause), indent=5, hang=4)


def _cut(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST].rpartition(' ')[0]} …"

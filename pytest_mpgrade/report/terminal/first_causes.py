"""The section "fix this first": what to change, where, and what hangs on it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.report import causes, evidence
from pytest_mpgrade.report.parts import CausePart, ResultFile
from pytest_mpgrade.report.terminal.page import Page
from pytest_mpgrade.system.text import counted, joined, one_line, points

HEADING = "Fix this first"
_MOST_QUESTIONS = 2
"""Questions that are named; of more than these the first one is, and the others are counted."""
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
    page.line(_hangs_on_it(cause), indent=5, hang=4)


def _cut(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST].rpartition(' ')[0]} …"


def _hangs_on_it(cause: CausePart) -> str:
    """Return how many points a cause costs, and which questions fail for it."""
    worth = f"{points(cause.points)} {'point' if cause.points == 1 else 'points'}"
    methods = f" under {joined(cause.start_methods)}" if cause.start_methods else ""
    return f"{cause.concern}, {worth}: {_questions(cause.questions)}{methods}"


def _questions(ids: Sequence[str]) -> str:
    names = [one_line(each.rpartition("::")[2]) for each in ids]
    if len(names) > _MOST_QUESTIONS:
        rest = len(names) - _MOST_QUESTIONS + 1
        names = [*names[:-rest], f"{rest} other questions"]
    return joined(names) or "nothing could be tried"

"""A class at a glance: one row per submission, what all did, and who has no grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report.grade_words import grade_words, reason_line
from pytest_mpgrade.report.overview import Overview
from pytest_mpgrade.report.terminal.page import STYLES, Page
from pytest_mpgrade.system.text import counted, one_line, points


def class_table(results: Iterable[Overview], width: int = 80, color: bool = False) -> str:
    """Return one row per submission, sorted by name, and what the class as a whole did."""
    page = Page(width, color)
    rows = sorted(results, key=lambda each: each.id)
    late = any(row.late for row in rows)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Submission", overflow="fold")
    table.add_column("Status", no_wrap=True)
    table.add_column("Points", justify="right", no_wrap=True)
    if late:
        table.add_column("After late rule", justify="right")
    table.add_column("Failed concerns", overflow="fold")
    for row in rows:
        style = STYLES[Outcome.PASSED] if row.status is Status.GRADED else STYLES[Outcome.ERROR]
        score = f"{'* ' * row.by_hand}{grade_words(row, ' / ')}"
        after = (
            [("?" if row.final is None else points(row.final)) if row.late else ""] if late else []
        )
        table.add_row(
            one_line(row.id), Text(row.status.value, style), score, *after, ", ".join(row.concerns)
        )
    page.table(table)
    for line in _totals(rows):
        page.line(line, indent=2, hang=4)
    return page.text


def _totals(rows: Sequence[Overview]) -> Iterable[str]:
    counts = Counter(row.status for row in rows)
    kinds = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    yield f"{counted(len(rows), 'submission')}: {kinds or 'none'}"
    graded = sorted(row.score for row in rows if row.status is Status.GRADED)
    if graded:
        middle = (graded[(len(graded) - 1) // 2] + graded[len(graded) // 2]) / 2
        mean = points(sum(graded) / len(graded))
        spread = f"from {points(graded[0])} to {points(graded[-1])}"
        yield f"points of the graded: mean {mean}, median {points(middle)}, {spread}"
    if changed := sum(row.by_hand for row in rows):
        yield f"* {counted(changed, 'submission')} with points set by hand"
    faults = Counter(concern for row in rows for concern in row.concerns)
    if faults:
        yield (
            f"failed: {', '.join(f'{concern} {count}' for concern, count in faults.most_common())}"
        )


def ungradable(results: Iterable[Overview], width: int = 80, color: bool = False) -> str:
    """Return the submissions without a grade, one line each with why; "" when there are none."""
    page = Page(width, color)
    for row in sorted(results, key=lambda each: each.id):
        if row.status is not Status.GRADED:
            page.line((f"{one_line(row.id)}: ", "bold"), reason_line(row), hang=4)
    return page.text

"""What one student reads of a grading: short, and readable on a phone.

It has the points, what to fix first with its evidence, the rubric, and what a person has changed.
It is made of the students' view of a result; see `report.redaction`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report import adjustments, causes, evidence, grouping, terminal
from pytest_mpgrade.report.exports.criteria import criterion_lines
from pytest_mpgrade.report.pages.html import html_page
from pytest_mpgrade.report.parts import CausePart
from pytest_mpgrade.report.result_json import ResultFile


@dataclass(frozen=True, kw_only=True)
class ShownCause:
    """A cause, with the call that shows it best."""

    change: str
    seen: str  # "" where it says the same as `change`
    place: str  # the student's own line; "" where unknown
    worth: str
    subject: str
    evidence: tuple[str, ...]


def student_page(shown: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return the page of the students' view of a result and its rubric."""
    first, rest = shown.causes[: causes.MOST], shown.causes[causes.MOST :]
    graded = shown.status is Status.GRADED
    return html_page(
        "student.html",
        {
            "result": shown,
            "graded": graded,
            "late": adjustments.late_words(shown),
            "changes": adjustments.change_lines(shown),
            "causes": [_shown(cause, shown) for cause in first],
            "others": [_shown(cause, shown) for cause in rest],
            "lines": criterion_lines(shown, criteria),
            "about": list(terminal.about_points(shown)) if graded else [],
            "unsure": list(_unsure(shown)),
        },
    )


def _shown(cause: CausePart, result: ResultFile) -> ShownCause:
    check, others = grouping.shown_by(cause, result.checks)
    return ShownCause(
        change=cause.change,
        seen=cause.seen if cause.seen != cause.change else "",
        place=evidence.line_words(cause.source),
        worth=grouping.hangs_on_it(cause),
        subject=grouping.subject(check, cause.start_methods, others),
        evidence=tuple(evidence.evidence_lines(check.evidence)),
    )


def _unsure(result: ResultFile) -> Iterator[str]:
    """Say what nobody could decide; a person should look at it."""
    for outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
        for why, _ in grouping.reasons(result.checks, outcome):
            yield f"{outcome}: {why}"

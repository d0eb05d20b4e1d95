"""The grade of a submission in words, the same wherever it stands."""

from __future__ import annotations

from pytest_mpgrade.records import Status
from pytest_mpgrade.report.overview import Overview
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system.text import one_line, points

NOT_GRADED = "not graded"
"""What stands everywhere in place of the points of a submission that has no grade."""


def grade_words(result: ResultFile | Overview, between: str = " of ") -> str:
    """Return the points of a submission; `NOT_GRADED` where it has no grade."""
    if result.status is not Status.GRADED:
        return NOT_GRADED
    return f"{points(result.score)}{between}{points(result.max_score)}"


def reason_line(result: ResultFile | Overview) -> str:
    """Return why a submission has no grade; "" where it has one."""
    return "" if result.status is Status.GRADED else f"{result.status}: {one_line(result.reason)}"

"""What the tables of a class need of one result.

It is small, so that a batch of thousands can keep one for each submission.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report.result_json import ResultFile

UNSURE = (Outcome.ERROR, Outcome.INCONCLUSIVE)
"""The outcomes of a check that nobody could decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """One submission of a class."""

    id: str
    status: Status
    reason: str
    score: float
    max_score: float
    final: float | None  # the grade that is exported
    late: bool
    problem: str  # why the late rule could not say
    by_hand: bool
    concerns: tuple[str, ...]  # of failed checks
    undecided: tuple[str, ...]  # "check (outcome)"
    seconds: float


def overview(result: ResultFile) -> Overview:
    """Return what is kept of a result."""
    failed = [check.concern.value for check in result.checks if check.outcome is Outcome.FAILED]
    return Overview(
        id=result.submission.id,
        status=result.status,
        reason=result.reason,
        score=result.score,
        max_score=result.max_score,
        final=result.final,
        late=result.late is not None,
        problem=result.late.problem if result.late else "",
        by_hand=bool(result.overrides),
        concerns=tuple(dict.fromkeys(failed)),
        undecided=tuple(
            f"{check.id} ({check.outcome})" for check in result.checks if check.outcome in UNSURE
        ),
        seconds=result.seconds,
    )

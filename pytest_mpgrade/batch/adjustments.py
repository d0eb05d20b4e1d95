"""Overrides and the late rule, applied to each result of a batch when its grading is done.

They are applied anew by each run of the batch. A result keeps what the machine said, so a resumed
batch starts from there, and an override that was taken back has no effect any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_mpgrade.course import late
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.records import RESULT_FILE, Criterion, LateRules, Status
from pytest_mpgrade.report import adjustments, result_json
from pytest_mpgrade.report.adjustments import Override
from pytest_mpgrade.report.result_json import LatePart, ResultFile


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Applies what people have decided to a grading, and rewrites its result file if needed."""

    criteria: Sequence[Criterion]
    overrides: Mapping[str, Sequence[Override]] = field(default_factory=dict)
    late: Mapping[str, float | None] = field(default_factory=dict)  # seconds, if late
    rules: LateRules | None = None
    step: float = 0.01  # scores are rounded to multiples of it

    @property
    def columns(self) -> tuple[str, ...]:
        """The gradebook's columns that say what was decided."""
        late = ("late_hours", "score_after_late") if self.rules else ()
        return (*(("by_hand",) if self.overrides else ()), *late)

    def __call__(self, grading: Grading) -> Grading:
        """Return the grading with what was decided in its result.

        Raises UsageError where that cannot be written.
        """
        result = self.result(grading.result.by_machine())
        if result == grading.result:
            return grading
        result_json.write_result(result, grading.folder / RESULT_FILE)
        return replace(grading, result=result)

    def result(self, result: ResultFile) -> ResultFile:
        """Return a machine's result with all that was decided about it."""
        id = result.submission.id
        changed = adjustments.with_overrides(result, self.overrides.get(id, ()), self.criteria)
        if self.rules is None or id not in self.late or changed.status is not Status.GRADED:
            return changed
        return replace(changed, late=_late(changed, self.rules, self.late[id], self.step))


def _late(result: ResultFile, rules: LateRules, seconds: float | None, step: float) -> LatePart:
    score, problem = None, ""
    try:
        score = late.late_points(rules, result.score, result.max_score, seconds, step)
    except ValueError as error:
        problem = str(error)
    return LatePart(
        seconds=seconds, score=score, problem=problem, penalty=rules.penalty, drop=rules.drop
    )

"""The points of one submission by criterion and question, as pages show them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Criterion, CriterionScore, Outcome, QuestionScore, Status, Unit
from pytest_mpgrade.report.parts import ResultFile
from pytest_mpgrade.system.text import one_line


@dataclass(frozen=True, kw_only=True)
class UnitsOf:
    """How a question ended under one start method."""

    start_method: str  # "" where it is asked under none
    outcome: Outcome
    passed: int
    asked: int


@dataclass(frozen=True, kw_only=True)
class PointsRow:
    """A criterion, or one of its questions."""

    title: str
    points: float
    max_points: float  # 0: nothing of it was decided, or asked
    reason: str = ""
    hidden: bool = False
    units: tuple[UnitsOf, ...] = ()
    questions: tuple[PointsRow, ...] = ()

    @property
    def share(self) -> float:
        """The part of its points that is earned, 0 to 1."""
        return self.points / self.max_points if self.max_points else 0.0

    @property
    def outcome(self) -> Outcome:
        """How it ended, in the words that a check's end has."""
        if not self.max_points:
            return Outcome.NOT_RUN
        return Outcome.PASSED if self.points >= self.max_points else Outcome.FAILED


def points_rows(result: ResultFile, criteria: Sequence[Criterion]) -> list[PointsRow]:
    """Return a row for each criterion, with its questions; what was not graded has no points."""
    return [_row(each, result.criterion(each.name), result.status) for each in criteria]


def _row(criterion: Criterion, score: CriterionScore | None, status: Status) -> PointsRow:
    title = criterion.title or criterion.name
    if score is None or status is not Status.GRADED:
        most = criterion.points if status is not Status.GRADED else 0.0
        return PointsRow(title=title, points=0.0, max_points=most, hidden=criterion.hidden)
    questions = tuple(_question(each) for each in score.questions)
    alone = len(questions) == 1 and questions[0].title.rstrip(".") == title
    return PointsRow(
        title=title,
        points=score.points,
        max_points=score.max_points,
        reason=score.reason,
        hidden=criterion.hidden,
        units=questions[0].units if alone else (),
        questions=() if alone else questions,
    )


def _question(score: QuestionScore) -> PointsRow:
    return PointsRow(
        title=one_line(score.title or score.id).rstrip("."),
        points=score.points,
        max_points=score.max_points,
        units=tuple(_units(score.units)),
    )


def _units(units: Sequence[Unit]) -> Iterator[UnitsOf]:
    for method in dict.fromkeys(each.start_method for each in units):
        mine = [each for each in units if each.start_method == method]
        passed = sum(each.outcome is Outcome.PASSED for each in mine)
        bad = [each.outcome for each in mine if each.outcome is not Outcome.PASSED]
        worst = min(bad, key=list(Outcome).index) if bad else Outcome.PASSED
        yield UnitsOf(start_method=method, outcome=worst, passed=passed, asked=len(mine))

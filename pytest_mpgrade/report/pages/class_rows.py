"""What a class page needs of one result: small, so that a class of many hundreds fits in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report import adjustments
from pytest_mpgrade.report.overview import UNSURE
from pytest_mpgrade.report.parts import CausePart, ResultFile

_MOST_QUESTIONS = 400
"""Questions of one result; an assignment has some dozens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionCell:
    """A question of one submission."""

    id: str
    title: str
    criterion: str
    points: float
    max_points: float  # 0: it was not decided
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRow:
    """One submission of a class, and where its pages are."""

    id: str
    staff: str  # addresses, relative to the class page; "": there is none
    student: str
    status: Status
    reason: str
    points: float | None  # the grade that is exported; None: there is none
    score: float
    max_points: float
    late: str  # in words; "": in time
    changed: tuple[str, ...]  # what a person has set
    undecided: int  # checks that are `inconclusive`
    errors: int
    seconds: float
    sha256: str
    causes: tuple[CausePart, ...]  # without their checks
    questions: tuple[QuestionCell, ...]


def class_row(result: ResultFile, staff: str = "", student: str = "") -> ClassRow:
    """Return what a class page needs of a result."""
    return ClassRow(
        id=result.submission.id,
        staff=staff,
        student=student,
        status=result.status,
        reason=result.reason,
        points=result.final,
        score=result.score,
        max_points=result.max_score,
        late=adjustments.late_words(result),
        changed=tuple(adjustments.change_lines(result)),
        undecided=result.count(Outcome.INCONCLUSIVE),
        errors=result.count(Outcome.ERROR),
        seconds=result.seconds,
        sha256=result.submission.sha256,
        causes=tuple(replace(each, checks=(), source={}) for each in result.causes),
        questions=_questions(result) if result.status is Status.GRADED else (),
    )


def _questions(result: ResultFile) -> tuple[QuestionCell, ...]:
    """Return the questions as the machine has graded them; a person sets criteria only."""
    own = result.by_machine().criteria
    cells = tuple(
        QuestionCell(
            id=each.id,
            title=each.title,
            criterion=criterion.title or criterion.name,
            points=each.points,
            max_points=each.max_points,
            outcome=_outcome(each.points, each.max_points, [unit.outcome for unit in each.units]),
        )
        for criterion in own
        for each in criterion.questions
    )
    return cells[:_MOST_QUESTIONS]


def _outcome(points: float, most: float, units: list[Outcome]) -> Outcome:
    if not most:
        return next((each for each in units if each in UNSURE), Outcome.NOT_RUN)
    return Outcome.PASSED if points >= most else Outcome.FAILED

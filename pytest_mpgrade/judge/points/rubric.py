"""From findings to the points of a rubric; docs/contract.md, points. Pure.

The plugin calls this before it writes each result file. The questions of a criterion share its
points, and the units of a question share the question's. What could not be decided here leaves the
sum at each of these places, and the rest takes over its points: a right solution has all points on
every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_mpgrade.course import rounding
from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.judge.points.shares import (
    CriterionShare,
    Placed,
    QuestionShare,
    criterion,
    grouped,
    is_decided,
    with_requirements,
)
from pytest_mpgrade.records import (
    Asked,
    Concern,
    Criterion,
    CriterionScore,
    Finding,
    Outcome,
    QuestionScore,
    Score,
    Status,
    Undecided,
)

MOST_UNSURE = Fraction(1, 4)
"""There is no grade if a larger part of the points than this is unsure."""
STEP = 0.01
"""The step to which points are rounded, unless the assignment sets another."""
_CENT = Fraction(1, 100)
_NONE = (Fraction(0), Fraction(0))


def score(criteria: Sequence[Criterion], placed: Sequence[Placed], step: float = STEP) -> Score:
    """Return the points of all findings, criterion by criterion.

    The sum is rounded half up to *step*. Raises AssignmentError for a criterion that the assignment
    does not have.
    """
    known = {each.name for each in criteria}
    if wrong := [
        each.asked.criterion for each in placed if each.asked.criterion not in {"", *known}
    ]:
        raise AssignmentError(
            f"a test names the criterion {wrong[0]!r}, but the assignment has:"
            f" {', '.join(sorted(known))}"
        )
    shares = [
        criterion(rule, [each for each in placed if each.asked.criterion == rule.name])
        for rule in criteria
    ]
    counted = with_requirements(shares)
    return Score(
        criteria=_rounded(counted, Fraction(str(step))),
        undecided=Undecided(
            points=_points(
                rounding.half_up(
                    sum((each.lost("undecided") for each in shares), Fraction(0)), _CENT
                )
            ),
            why=_why(placed),
        ),
        unsure=float(sum((each.lost("unsure") for each in shares), Fraction(0))),
    )


def _rounded(shares: Sequence[CriterionShare], step: Fraction) -> tuple[CriterionScore, ...]:
    """Share the assignment's points among the criteria that count, in proportion, and round them.

    Criteria without a question that was asked, as with pytest's -k, are not part of the sum.
    """
    counts = [each for each in shares if each.share is not None and each.points]
    whole = sum((each.points for each in shares if each.questions), Fraction(0))
    worth = sum((each.points for each in counts), Fraction(0))
    most = [each.points * whole / worth for each in counts]
    exact = [(each.share or Fraction(0)) * top for each, top in zip(counts, most, strict=True)]
    total = min(rounding.half_up(sum(exact, Fraction(0)), step), whole)
    points = rounding.earned(exact, total, step)
    tops = (
        rounding.most_points(most, points, [each.share == 1 for each in counts], whole, step)
        if counts
        else []
    )
    shown = {
        each.rule.name: pair
        for each, pair in zip(counts, zip(points, tops, strict=True), strict=True)
    }
    return tuple(_criterion_score(each, *shown.get(each.rule.name, _NONE), step) for each in shares)


def _criterion_score(
    criterion_share: CriterionShare, points: Fraction, most: Fraction, step: Fraction
) -> CriterionScore:
    counts = [each for each in criterion_share.questions if each.share is not None]
    weights = criterion_share.weights
    tops = [most * each.weight / weights for each in counts]
    exact = [(each.share or Fraction(0)) * top for each, top in zip(counts, tops, strict=True)]
    own = rounding.earned(exact, points, step) if counts else []
    full = [each.share == 1 for each in counts]
    shown = rounding.most_points(tops, own, full, most, step) if counts else []
    by_id = {
        each.first.question: pair
        for each, pair in zip(counts, zip(own, shown, strict=True), strict=True)
    }
    return CriterionScore(
        name=criterion_share.rule.name,
        title=criterion_share.rule.title or criterion_share.rule.name,
        points=_points(points),
        max_points=_points(most),
        undecided=_points(rounding.half_up(criterion_share.lost("undecided"), _CENT)),
        reason=criterion_share.reason,
        questions=tuple(
            _question_score(each, *by_id.get(each.first.question, _NONE))
            for each in criterion_share.questions
        ),
    )


def _question_score(
    question_share: QuestionShare, points: Fraction, most: Fraction
) -> QuestionScore:
    return QuestionScore(
        id=question_share.first.question,
        title=question_share.first.title,
        points=_points(points),
        max_points=_points(most),
        units=question_share.units,
    )


def _points(exact: Fraction) -> float:
    return round(float(exact), 6)


def _why(placed: Sequence[Placed]) -> tuple[str, ...]:
    """Return why units could not be decided, each reason once."""
    reasons: dict[str, None] = {}
    for test in grouped(placed, "test"):
        if not any(is_decided(each.finding) for each in test):
            reasons |= {
                " ".join(f"{each.finding.check}: {each.finding.message}".strip(": ").split()): None
                for each in test
            }
    return tuple(reasons)


def ungraded(criteria: Sequence[Criterion]) -> Score:
    """Return the score of a submission that was not graded: 0 of all points."""
    return Score(
        criteria=tuple(
            CriterionScore(
                name=each.name,
                title=each.title or each.name,
                points=0.0,
                max_points=float(each.points),
            )
            for each in criteria
        )
    )


def not_run_yet(asked: Asked) -> Placed:
    """Return a placeholder for a test that has not been run yet."""
    # The checks of a test, and so their concerns, are known only after it has run. Until then the
    # concern is "results".
    finding = Finding(check="", title=asked.title, concern=Concern.RESULTS, outcome=Outcome.NOT_RUN)
    return Placed(asked=asked, finding=finding)


def status(findings: Sequence[Finding], graded: Score) -> tuple[Status, str]:
    """Return the status of the submission, and the reason where it is not `graded`.

    Checks that were not run, and a sum without any points, make no grade: a missing verdict is
    never a pass.
    """
    if not findings:
        return Status.ERROR, "no check was run"
    counts: Mapping[Outcome, int] = Counter(finding.outcome for finding in findings)
    if missing := counts.get(Outcome.NOT_RUN, 0):
        return Status.ERROR, f"{missing} of {len(findings)} checks were not run"
    if not graded.max_points:
        ended = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        return Status.ERROR, f"no check could be decided ({ended})"
    unsure = Fraction(str(graded.unsure))  # the float next to a tenth is more than a quarter of 0.4
    if unsure > MOST_UNSURE * Fraction(str(graded.max_points)):
        lost, why = float(rounding.half_up(unsure, _CENT)), "; ".join(graded.undecided.why[:3])
        return (
            Status.ERROR,
            f"{lost:g} of {graded.max_points:g} points could not be decided here: {why}",
        )
    return Status.GRADED, ""

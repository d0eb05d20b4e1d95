"""Points over random trees of criteria, questions, units and outcomes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mpgrade.judge.points import rubric
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import (
    Asked,
    Concern,
    Criterion,
    CriterionScore,
    Finding,
    Outcome,
    QuestionScore,
    Score,
)

UNDECIDED = (Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.SKIPPED)
EVERY = settings(deadline=None, max_examples=200, derandomize=True)
"""The same examples in each run, however slow the machine is."""
Rubric = tuple[tuple[Criterion, ...], tuple[Placed, ...]]


def finding(outcome: Outcome, *, by: str = "", credit: float = 0.0) -> Finding:
    """Return a check that ended so."""
    return Finding(
        check="check",
        title="",
        concern=Concern.RESULTS,
        outcome=outcome,
        undecided_by=by,
        credit=credit,
        message="m",
    )


GOOD = st.sampled_from([Outcome.PASSED, *UNDECIDED]).map(finding)
BAD = st.one_of(
    st.sampled_from([Outcome.FAILED, Outcome.ABSENT]).map(finding),
    st.just(finding(Outcome.SKIPPED, by="another")),
    st.integers(0, 99).map(lambda part: finding(Outcome.FAILED, credit=part / 100)),
)
ANY = st.one_of(GOOD, BAD)


@st.composite
def rubrics(draw: st.DrawFn, findings: st.SearchStrategy[Finding]) -> Rubric:
    """Draw criteria with their questions, the units of these, and the checks of those."""
    criteria: list[Criterion] = []
    placed: list[Placed] = []
    for number in range(draw(st.integers(1, 5))):
        name = f"c{number}"
        required = tuple(each.name for each in criteria if draw(st.integers(0, 4)) == 0)
        points = draw(st.integers(0, 1000)) / 100
        criteria.append(Criterion(name=name, points=points, requires=required))
        for question in range(draw(st.integers(1, 4))):
            weight = draw(st.sampled_from([0.5, 1.0, 2.0, 3.0]))
            for unit in range(draw(st.integers(1, 4))):
                asked = Asked(
                    test=f"t.py::{name}_{question}[{unit}]",
                    question=f"t.py::{name}_{question}",
                    title="",
                    criterion=name,
                    weight=weight,
                    variant=str(unit),
                )
                placed += [
                    Placed(asked=asked, finding=draw(findings))
                    for _ in range(draw(st.integers(1, 3)))
                ]
    return tuple(criteria), tuple(placed)


def most(criteria: Sequence[Criterion]) -> Fraction:
    """Return the assignment's points."""
    return sum((Fraction(str(each.points)) for each in criteria), Fraction(0))


def decided_points(score: Score, criteria: Sequence[Criterion]) -> bool:
    """Tell whether anything that is worth something could be decided."""
    return any(each.max_points for each in score.criteria) and bool(most(criteria))


def exact(value: float) -> Fraction:
    """Return points as the decimals that are written."""
    return Fraction(str(value))


def add_up(parts: Sequence[CriterionScore | QuestionScore]) -> tuple[Fraction, Fraction]:
    """Return the sums of points and of the most points."""
    points = sum((exact(each.points) for each in parts), Fraction(0))
    return points, sum((exact(each.max_points) for each in parts), Fraction(0))


@given(rubrics(GOOD))
@EVERY
def test_right_is_always_all_points(drawn: Rubric) -> None:
    """Where every check has passed or could not be decided, all points are earned, exactly the
    assignment's.
    """
    criteria, placed = drawn
    score = rubric.score(criteria, placed)
    if decided_points(score, criteria):
        assert exact(score.points) == exact(score.max_points) == most(criteria)
        assert all(each.points == each.max_points for each in score.criteria)


@given(rubrics(ANY))
@EVERY
def test_sums(drawn: Rubric) -> None:
    """The criteria add up to the score, the questions to their criterion; nothing exceeds what
    could be had.
    """
    criteria, placed = drawn
    score = rubric.score(criteria, placed)
    if decided_points(score, criteria):
        assert exact(score.max_points) == most(criteria)
    assert add_up(score.criteria) == (exact(score.points), exact(score.max_points))
    for criterion in score.criteria:
        assert 0 <= criterion.points <= criterion.max_points
        assert add_up(criterion.questions) == (exact(criterion.points), exact(criterion.max_points))
        assert all(0 <= each.points <= each.max_points for each in criterion.questions)


@given(rubrics(ANY), st.sampled_from([0.01, 0.1, 0.5, 1.0]))
@EVERY
def test_points_are_multiples_of_the_step(drawn: Rubric, step: float) -> None:
    """The score is a multiple of the assignment's step, and so is each part of it."""
    drawn_criteria, placed = drawn
    criteria = tuple(replace(each, points=float(math.ceil(each.points))) for each in drawn_criteria)
    score = rubric.score(criteria, placed, step)
    assert exact(score.points) % exact(step) == 0
    assert all(exact(each.points) % exact(step) == 0 for each in score.criteria)
    assert add_up(score.criteria) == (exact(score.points), exact(score.max_points))


@given(rubrics(ANY), st.data())
@EVERY
def test_failing_never_raises_the_score(drawn: Rubric, data: st.DataObject) -> None:
    """Whatever a check had ended as: where it fails instead, nobody has more points."""
    criteria, placed = drawn
    place = data.draw(st.integers(0, len(placed) - 1))
    worse = [*placed]
    worse[place] = replace(placed[place], finding=finding(Outcome.FAILED))
    before, after = rubric.score(criteria, placed), rubric.score(criteria, worse)
    if before.max_points:
        assert after.points <= before.points


@given(rubrics(ANY))
@EVERY
def test_score_is_the_rounded_exact_sum(drawn: Rubric) -> None:
    """The score is the exact one, computed here by hand without requirements, rounded half up
    once.
    """
    criteria, placed = drawn
    plain = tuple(replace(each, requires=()) for each in criteria)
    score = rubric.score(plain, placed)
    shares = {
        each.name: by_hand([one for one in placed if one.asked.criterion == each.name])
        for each in plain
    }
    counted = [each for each in plain if shares[each.name] is not None and each.points]
    worth = most(counted)
    if worth:
        whole = sum(
            (Fraction(str(each.points)) * (shares[each.name] or 0) for each in counted), Fraction(0)
        )
        scaled = whole * most(plain) / worth
        assert exact(score.points) == Fraction(math.floor(scaled * 100 + Fraction(1, 2)), 100)


def by_hand(placed: Sequence[Placed]) -> Fraction | None:
    """Return the part of a criterion that is earned, written down a second time."""
    total, weights = Fraction(0), Fraction(0)
    for question in dict.fromkeys(each.asked.question for each in placed):
        units = []
        own = [each for each in placed if each.asked.question == question]
        for test in dict.fromkeys(each.asked.test for each in own):
            found = [each.finding for each in own if each.asked.test == test]
            kept = [f for f in found if not (f.outcome in UNDECIDED and not f.undecided_by)]
            if kept:
                units.append(
                    min(
                        Fraction(f.outcome is Outcome.PASSED) or Fraction(str(f.credit))
                        for f in kept
                    )
                )
        if units:
            weight = Fraction(str(own[0].asked.weight))
            total, weights = total + weight * sum(units) / len(units), weights + weight
    return total / weights if weights else None

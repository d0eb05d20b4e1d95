"""From findings to points; docs/contract.md, points."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.judge.points.rubric import not_run_yet, score, status, ungraded
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Criterion, CriterionScore, Finding, Outcome, Status
from support.results import asked, finding, outcomes, placed

PASSED, FAILED, INCONCLUSIVE, ERROR = (
    Outcome.PASSED,
    Outcome.FAILED,
    Outcome.INCONCLUSIVE,
    Outcome.ERROR,
)
UNDECIDED = finding(Outcome.SKIPPED, message="no fork on this platform")
CRITERIA = (Criterion(name="results", points=4), Criterion(name="shutdown", points=1))


def unit(
    test: str, *findings: Finding | Outcome, criterion: str = "results", weight: float = 1.0
) -> list[Placed]:
    """Return the findings of one unit; an outcome is a finding of the same."""
    made = [each if isinstance(each, Finding) else finding(each) for each in findings]
    return list(placed(test, *made, criterion=criterion, weight=weight))


def points(
    *groups: Sequence[Placed], criteria: Sequence[Criterion] = CRITERIA, step: float = 0.01
) -> list[float]:
    """Return the points of each criterion."""
    return [
        each.points
        for each in score(criteria, [each for group in groups for each in group], step).criteria
    ]


def worth(found: CriterionScore) -> list[tuple[float, float]]:
    """Return the points of each question of a criterion, and how many could be had."""
    return [(each.points, each.max_points) for each in found.questions]


# --- outcomes


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (finding(PASSED), (2.0, 2.0)),
        (finding(FAILED), (0.0, 2.0)),
        (finding(FAILED, credit=0.25), (0.5, 2.0)),
        (finding(Outcome.ABSENT), (0.0, 2.0)),
        (finding(Outcome.SKIPPED, undecided_by="met"), (0.0, 2.0)),
        (finding(Outcome.NOT_RUN), (0.0, 2.0)),
        (UNDECIDED, (0.0, 0.0)),
        (finding(INCONCLUSIVE), (0.0, 0.0)),
        (finding(ERROR), (0.0, 0.0)),
    ],
    ids=[
        "passed",
        "failed",
        "in part",
        "absent",
        "by another",
        "not run",
        "platform",
        "inconclusive",
        "error",
    ],
)
def test_each_outcome_has_its_worth(given: Finding, expected: tuple[float, float]) -> None:
    """An outcome earns what docs/contract.md, outcomes, says; what is not decided leaves its points
    to the others.
    """
    found = score(CRITERIA, [*unit("t.py::a", given), *unit("t.py::b", PASSED)])
    first, second = worth(found.criteria[0])
    # Nobody was asked for "shutdown", so it is no part of the sum.
    assert found.max_points == 4.0
    assert first == expected
    assert second == ((2.0, 2.0) if expected[1] else (4.0, 4.0))


@pytest.mark.parametrize(
    ("findings", "share"),
    [
        ((finding(PASSED), finding(PASSED)), 1),
        ((finding(PASSED), finding(FAILED)), 0),
        ((finding(PASSED), finding(Outcome.ABSENT)), 0),
        ((finding(FAILED, credit=0.75), finding(FAILED, credit=0.5), finding(PASSED)), 0.5),
        ((finding(FAILED, credit=0.75), finding(FAILED)), 0),
        ((finding(PASSED), UNDECIDED, finding(ERROR), finding(INCONCLUSIVE)), 1),
        ((finding(FAILED), finding(ERROR)), 0),
    ],
)
def test_unit_is_earned_when_all_its_checks_have_passed(
    findings: tuple[Finding, ...], share: float
) -> None:
    """A unit has the least of what its decided checks earn; a check that is not decided leaves
    it.
    """
    found = score(CRITERIA, unit("t.py::a[fork]", *findings))
    (question,) = found.criteria[0].questions
    assert [each.share for each in question.units] == [share]
    assert question.points == 4 * share
    assert found.undecided.points == 0


def test_number_of_checks_gives_no_weight() -> None:
    """A question with ten checks is worth what a question with one is."""
    many = [finding(PASSED, check=f"c{number}") for number in range(10)]
    assert points(unit("t.py::a", *many), unit("t.py::b", FAILED)) == [2.0, 0.0]


# --- questions and units


def test_question_is_shared_by_its_units() -> None:
    """A question is asked under each start method and for each variant, and each of these is an
    equal part of it.
    """
    found = score(
        CRITERIA,
        [
            *unit("t.py::a[fork-small]", PASSED),
            *unit("t.py::a[fork-large]", FAILED),
            *unit("t.py::a[spawn-small]", PASSED),
            *unit("t.py::a[spawn-large]", PASSED),
            *unit("t.py::b", PASSED),
        ],
    )
    first, second = found.criteria[0].questions
    assert [(each.start_method, each.variant, each.share) for each in first.units] == [
        ("fork", "small", 1),
        ("fork", "large", 0),
        ("spawn", "small", 1),
        ("spawn", "large", 1),
    ]
    assert (first.id, first.points, first.max_points) == ("t.py::a", 1.5, 2.0)
    assert (second.id, second.points, second.max_points) == ("t.py::b", 2.0, 2.0)


def test_questions_have_weights() -> None:
    """A question with the weight 3 is worth three of the others, however often each is asked."""
    found = score(
        CRITERIA,
        [
            *unit("t.py::a[fork]", PASSED, weight=3),
            *unit("t.py::b[fork]", FAILED),
            *unit("t.py::b[spawn]", PASSED),
        ],
    )
    assert worth(found.criteria[0]) == [(3.0, 3.0), (0.5, 1.0)]


def test_units_keep_the_order_of_the_tests() -> None:
    """Criteria come in the order of the rubric, questions and units in that of their first
    findings.
    """
    given = [
        *unit("t.py::b[spawn]", PASSED),
        *unit("t.py::z", PASSED, criterion="shutdown"),
        *unit("t.py::a", PASSED),
        *unit("t.py::b[fork]", PASSED),
    ]
    results, shutdown = score(CRITERIA, given).criteria
    assert (results.name, shutdown.name) == ("results", "shutdown")
    assert [each.id for each in results.questions] == ["t.py::b", "t.py::a"]
    assert [each.start_method for each in results.questions[0].units] == ["spawn", "fork"]


def test_unit_says_how_it_ended() -> None:
    """A unit ends as the worst of its decided checks did; as an undecided one only where it has no
    other.
    """
    for findings, expected in (
        ((PASSED, ERROR), PASSED),
        ((PASSED, FAILED, Outcome.ABSENT), FAILED),
        ((PASSED, Outcome.ABSENT), Outcome.ABSENT),
        ((INCONCLUSIVE, ERROR), ERROR),
        ((INCONCLUSIVE, UNDECIDED), Outcome.SKIPPED),
    ):
        (made,) = score(CRITERIA, unit("t.py::a", *findings)).criteria[0].questions[0].units
        assert (made.outcome, made.undecided) == (expected, expected in (ERROR, Outcome.SKIPPED))


# --- what could not be decided here


def test_undecided_unit_leaves_its_question() -> None:
    """The other units of the question take its part over, and other questions have no more by
    it.
    """
    found = score(
        CRITERIA,
        [
            *unit("t.py::a[fork]", PASSED),
            *unit("t.py::a[spawn]", FAILED),
            *unit("t.py::a[forkserver]", UNDECIDED),
            *unit("t.py::b", PASSED),
        ],
    )
    assert worth(found.criteria[0]) == [(1.0, 2.0), (2.0, 2.0)]
    assert found.undecided.points == pytest.approx(0.67)  # a third of the half of four points


def test_undecided_question_leaves_its_criterion() -> None:
    """The other questions take its weight over in proportion to theirs."""
    found = score(
        CRITERIA,
        [
            *unit("t.py::a", PASSED, weight=3),
            *unit("t.py::b", FAILED, weight=1),
            *unit("t.py::c", INCONCLUSIVE, weight=4),
        ],
    )
    assert worth(found.criteria[0]) == [(3.0, 3.0), (0.0, 1.0), (0.0, 0.0)]
    assert found.undecided.points == 2.0


def test_undecided_criterion_leaves_the_rubric() -> None:
    """The other criteria take its points over in proportion to theirs: the sum is always the
    assignment's.
    """
    criteria = (
        Criterion(name="results", points=6),
        Criterion(name="shutdown", points=2),
        Criterion(name="speed", points=2),
    )
    found = score(
        criteria,
        [
            *unit("t.py::a", PASSED),
            *unit("t.py::b", FAILED, criterion="shutdown"),
            *unit(
                "t.py::c", finding(INCONCLUSIVE, check="faster", message="busy"), criterion="speed"
            ),
        ],
    )
    assert [(each.points, each.max_points) for each in found.criteria] == [
        (7.5, 7.5),
        (0.0, 2.5),
        (0.0, 0.0),
    ]
    assert (found.points, found.max_points) == (7.5, 10.0)
    assert (found.undecided.points, found.undecided.why) == (2.0, ("faster: busy",))


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("outcome", [INCONCLUSIVE, ERROR, Outcome.SKIPPED])
def test_right_solution_has_all_points_whatever_was_not_decided(
    place: int, outcome: Outcome
) -> None:
    """Of thirds and sevenths too, all passed or undecided is the maximum to the bit."""
    criteria = tuple(
        Criterion(name=f"c{number}", points=value) for number, value in enumerate((0.1, 3.3, 16.6))
    )
    given = [
        each
        for number in range(3)
        for question in range(7)
        for method in ("fork", "spawn", "forkserver")
        for each in unit(
            f"t.py::c{number}_{question}[{method}]",
            outcome if number == place and (question or method == "fork") else PASSED,
            criterion=f"c{number}",
        )
    ]
    found = score(criteria, given)
    assert found.points == found.max_points == 20.0
    assert found.undecided.points > 0


def test_why_is_said_once() -> None:
    """Each reason is told once; of a unit that was decided all the same nothing is told."""
    given = [
        *unit("t.py::a[fork]", finding(INCONCLUSIVE, check="keeps_up", message="busy")),
        *unit("t.py::a[spawn]", finding(INCONCLUSIVE, check="keeps_up", message="busy")),
        *unit("t.py::b[fork]", finding(ERROR, check="x", message="broke"), PASSED),
        *unit("t.py::b[spawn]", UNDECIDED),
    ]
    assert score(CRITERIA, given).undecided.why == (
        "keeps_up: busy",
        "values: no fork on this platform",
    )


def test_what_was_decided_leaves_nothing_undecided() -> None:
    """Where each unit has a verdict, for or against, nothing is undecided."""
    given = [
        *unit("t.py::a", PASSED),
        *unit("t.py::b", finding(Outcome.SKIPPED, undecided_by="met")),
    ]
    found = score(CRITERIA, given)
    assert (found.undecided.points, found.undecided.why, found.unsure) == (0.0, (), 0.0)


# --- criteria that require others

REQUIRES = (
    Criterion(name="results", points=4, title="Right results"),
    Criterion(name="parallel", points=4, requires=("results",)),
    Criterion(name="speed", points=2, requires=("parallel",)),
)
OTHERS = [
    *unit("t.py::p", PASSED, criterion="parallel"),
    *unit("t.py::s", PASSED, criterion="speed"),
]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ((PASSED, FAILED), [2.0, 4.0, 2.0]),
        ((PASSED, FAILED, FAILED), [1.33, 0.0, 0.0]),
        ((FAILED,), [0.0, 0.0, 0.0]),
        ((INCONCLUSIVE,), [0.0, 6.67, 3.33]),
    ],
    ids=["just half", "a third", "nothing", "undecided"],
)
def test_criterion_is_earned_only_with_those_that_it_requires(
    ended: tuple[Outcome, ...], expected: list[float]
) -> None:
    """Half is enough, less takes it, and what requires it in turn; what could not be decided is
    held against nobody.
    """
    given = outcomes(*ended, criterion="results")
    found = score(REQUIRES, [*given, *OTHERS])
    assert [each.points for each in found.criteria] == expected
    assert found.max_points == 10.0
    taken = [each for each in found.criteria if each.reason]
    assert [each.name for each in taken] == (["parallel", "speed"] if expected[1] == 0 else [])
    assert [
        each.share for one in taken for question in one.questions for each in question.units
    ] == [0] * len(taken)


def test_required_criterion_is_named_by_its_title() -> None:
    """The reason is in the words of the rubric, and the check's own outcome stays what it was."""
    found = score(REQUIRES, [*outcomes(FAILED, criterion="results"), *OTHERS])
    parallel = found.criteria[1]
    assert parallel.reason == "not earned: less than half of the points of 'Right results'"
    assert [each.outcome for each in parallel.questions[0].units] == [PASSED]


def test_requirement_takes_no_undecided_points() -> None:
    """What was undecided in a criterion that is not earned stays undecided, and does not come back
    as failed.
    """
    given = [
        *outcomes(FAILED, criterion="results"),
        *unit("t.py::p", INCONCLUSIVE, criterion="parallel"),
        *unit("t.py::s", PASSED, criterion="speed"),
    ]
    found = score(REQUIRES, given)
    assert [(each.points, each.max_points, each.reason) for each in found.criteria] == [
        (0.0, 6.67, ""),
        (0.0, 0.0, ""),
        (3.33, 3.33, ""),
    ]
    assert found.undecided.points == 4.0


# --- rounding


@pytest.mark.parametrize(
    ("passed", "of", "step", "expected"),
    [
        (1, 3, 0.01, 3.33),
        (2, 3, 0.01, 6.67),
        (1, 8, 0.1, 1.3),
        (3, 8, 0.1, 3.8),
        (1, 8, 0.5, 1.5),
        (1, 20, 1, 1.0),
        (1, 40, 0.5, 0.5),
        (1, 41, 0.5, 0.0),
        (39, 40, 0.5, 10.0),
        (7, 7, 0.5, 10.0),
        (0, 7, 0.5, 0.0),
    ],
)
def test_score_is_rounded_half_up_once(passed: int, of: int, step: float, expected: float) -> None:
    """The sum is rounded to the assignment's step, halves up, and never above what there is."""
    given = outcomes(*[PASSED] * passed, *[FAILED] * (of - passed))
    found = score((Criterion(name="all", points=10),), given, step)
    assert (found.points, found.max_points) == (expected, 10.0)


@pytest.mark.parametrize("count", [1, 3, 7, 11, 49, 300])
@pytest.mark.parametrize("failed", [0, 1, 2])
def test_rounded_parts_add_up(count: int, failed: int) -> None:
    """However many questions share a criterion, those of each criterion and the criteria add up, in
    whole steps.
    """
    criteria = (Criterion(name="results", points=4), Criterion(name="shutdown", points=0.1))
    found = score(
        criteria,
        [
            *outcomes(
                *[FAILED] * min(failed, count), *[PASSED] * (count - failed), criterion="results"
            ),
            *outcomes(PASSED, PASSED, PASSED, criterion="shutdown", test="t.py::s{}"),
        ],
    )
    for one in found.criteria:
        assert math.fsum(each.points for each in one.questions) == pytest.approx(
            one.points, abs=1e-9
        )
        assert math.fsum(each.max_points for each in one.questions) == pytest.approx(
            one.max_points, abs=1e-9
        )
        assert all(each.points <= each.max_points for each in one.questions)
    assert found.max_points == 4.1
    assert found.points == pytest.approx(0.1 + 4 * max(0, count - failed) / count, abs=0.005)
    assert found.criteria[1].points == 0.1


def test_many_small_losses_are_rounded_once() -> None:
    """Each criterion loses a third of a hundredth; the sum loses what they lose together, and no
    criterion is full.
    """
    criteria = tuple(Criterion(name=f"c{number}", points=1) for number in range(3))
    given = [
        each
        for criterion in criteria
        for each in outcomes(
            FAILED, *[PASSED] * 299, criterion=criterion.name, test=f"t.py::{criterion.name}_{{}}"
        )
    ]
    assert score(criteria, given).points == 2.99


# --- the first moment, and the status


def test_first_moment_holds_every_test_and_no_points() -> None:
    """Before anything has run, all points can be had and none is given."""
    given = [
        not_run_yet(asked("t.py::a[fork]", "results")),
        not_run_yet(asked("t.py::b", "shutdown")),
    ]
    found = score(CRITERIA, given)
    assert [each.finding.outcome for each in given] == [Outcome.NOT_RUN] * 2
    assert [(each.points, each.max_points) for each in found.criteria] == [(0.0, 4.0), (0.0, 1.0)]
    assert [each.entry().id for each in given] == ["t.py::a[fork]", "t.py::b"]
    assert status([each.finding for each in given], found) == (
        Status.ERROR,
        "2 of 2 checks were not run",
    )


def test_what_has_not_been_run_keeps_its_share() -> None:
    """A grading that is ended in the middle never looks like full marks."""
    given = [*unit("t.py::a", PASSED), not_run_yet(asked("t.py::b", "results"))]
    found = score(CRITERIA, given)
    assert (found.points, found.max_points) == (2.0, 4.0)
    assert status([each.finding for each in given], found) == (
        Status.ERROR,
        "1 of 2 checks were not run",
    )


def test_what_was_not_graded_could_have_all_points() -> None:
    """An ungradable submission has 0 of the assignment's points, criterion by criterion."""
    found = ungraded(CRITERIA)
    assert [(each.name, each.points, each.max_points) for each in found.criteria] == [
        ("results", 0.0, 4.0),
        ("shutdown", 0.0, 1.0),
    ]


def test_nothing_left_to_sum_is_an_error() -> None:
    """Where no check could be decided, there is no grade, whatever the score says."""
    given = outcomes(ERROR, INCONCLUSIVE, ERROR, criterion="results")
    found = score(CRITERIA, given)
    assert status([each.finding for each in given], found) == (
        Status.ERROR,
        "no check could be decided (2 error, 1 inconclusive)",
    )
    assert status((), score(CRITERIA, ())) == (Status.ERROR, "no check was run")


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        # a quarter is not more than a quarter
        ((PASSED, PASSED, PASSED, INCONCLUSIVE), Status.GRADED),
        ((PASSED, PASSED, INCONCLUSIVE), Status.ERROR),
        ((PASSED, PASSED, ERROR), Status.ERROR),
        ((PASSED, Outcome.SKIPPED, Outcome.SKIPPED), Status.GRADED),  # the platform's
        ((FAILED, FAILED, ERROR), Status.ERROR),
        ((FAILED, FAILED), Status.GRADED),
    ],
)
def test_more_than_a_quarter_unsure_is_no_grade(
    ended: tuple[Outcome, ...], expected: Status
) -> None:
    """What this machine or the grader could not decide may be a quarter of the points; what the
    platform lacks, any.
    """
    given = outcomes(*ended)
    found = score((Criterion(name="all", points=2),), given)
    said, reason = status([each.finding for each in given], found)
    assert said is expected
    if expected is Status.ERROR:
        assert reason == "0.67 of 2 points could not be decided here: values: m"


@pytest.mark.parametrize("points", [0.4, 1, 4.4, 5.2, 20])
def test_just_a_quarter_unsure_is_a_grade(points: float) -> None:
    """A quarter is no more than a quarter, also of points of which no float holds it."""
    given = outcomes(PASSED, PASSED, PASSED, ERROR)
    assert status(
        [each.finding for each in given], score((Criterion(name="all", points=points),), given)
    ) == (
        Status.GRADED,
        "",
    )


def test_platforms_part_of_a_unit_is_not_unsure() -> None:
    """A unit of which one check is inconclusive and another passed is decided: it makes nothing
    unsure.
    """
    given = unit("t.py::a", PASSED, INCONCLUSIVE)
    found = score(CRITERIA, given)
    assert (found.unsure, status([each.finding for each in given], found)) == (
        0.0,
        (Status.GRADED, ""),
    )


# --- outside the rubric


def test_finding_outside_the_rubric_is_worth_nothing() -> None:
    """A test without a criterion is reported, and counts for nothing."""
    assert points(unit("t.py::a", FAILED, criterion=""), unit("t.py::b", PASSED)) == [4.0, 0.0]


def test_unknown_criterion_is_the_authors_mistake() -> None:
    """A criterion that the assignment does not have is named, with those that it has."""
    with pytest.raises(AssignmentError, match=r"'result'.*results, shutdown"):
        score(CRITERIA, unit("t.py::a", PASSED, criterion="result"))

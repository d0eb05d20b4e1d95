"""From findings to points."""

from __future__ import annotations

import math

import pytest

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.judge.rubric import Placed, not_run, place, status, waiting
from pytest_mpgrade.records import Concern, Criterion, Finding, Outcome, Status

CRITERIA = (Criterion(name="results", points=4), Criterion(name="shutdown", points=0.1))


def placed(outcome: Outcome, criterion: str = "results", undecided_by: str = "", number: int = 0) -> Placed:
    """Return one finding in its place."""
    finding = Finding(
        check="equal", title="", concern=Concern.RESULTS, outcome=outcome, undecided_by=undecided_by, message="m"
    )
    return Placed(id=f"t.py::test_{number}[fork]/equal", criterion=criterion, start_method="fork", finding=finding)


@pytest.mark.parametrize(
    ("outcome", "undecided_by", "expected"),
    [
        (Outcome.PASSED, "", (2.0, 2.0)),
        (Outcome.FAILED, "", (0.0, 2.0)),
        (Outcome.ABSENT, "", (0.0, 2.0)),
        (Outcome.SKIPPED, "met", (0.0, 2.0)),
        (Outcome.NOT_RUN, "", (0.0, 2.0)),
        (Outcome.SKIPPED, "", (0.0, 0.0)),
        (Outcome.INCONCLUSIVE, "", (0.0, 0.0)),
        (Outcome.ERROR, "", (0.0, 0.0)),
    ],
)
def test_each_outcome_has_its_worth(outcome: Outcome, undecided_by: str, expected: tuple[float, float]) -> None:
    """What an outcome earns, and what it leaves to be had, are as CONTRACT section 4 says; others keep their share."""
    first, second = place(CRITERIA, [placed(outcome, undecided_by=undecided_by), placed(Outcome.PASSED)])
    assert (first.points, first.max_points) == expected
    assert (second.points, second.max_points) == (2.0, 2.0)


@pytest.mark.parametrize("count", [1, 3, 7, 11, 49, 300])
def test_criteria_sum_up(count: int) -> None:
    """However many findings share a criterion, they add up to its points and no criterion touches another."""
    entries = place(
        CRITERIA,
        [placed(Outcome.PASSED, number=number) for number in range(count)]
        + [placed(Outcome.PASSED, "shutdown") for _ in range(3)],
    )
    assert math.fsum(entry.points for entry in entries if entry.criterion == "results") == pytest.approx(4, abs=1e-12)
    assert round(math.fsum(entry.points for entry in entries), 6) == 4.1
    assert len({entry.points for entry in entries}) == 2


def test_order_and_places_are_kept() -> None:
    """Entries come in the order of the findings and say where each one belongs."""
    entries = place(CRITERIA, [placed(Outcome.PASSED, number=2), placed(Outcome.FAILED, "shutdown", number=1)])
    assert [(entry.id, entry.criterion, entry.start_method) for entry in entries] == [
        ("t.py::test_2[fork]/equal", "results", "fork"),
        ("t.py::test_1[fork]/equal", "shutdown", "fork"),
    ]


def test_finding_outside_the_rubric_is_worth_nothing() -> None:
    """A test without a criterion is reported, and counts for nothing."""
    entry, _ = place(CRITERIA, [placed(Outcome.FAILED, ""), placed(Outcome.PASSED)])
    assert (entry.points, entry.max_points) == (0.0, 0.0)


def test_unknown_criterion_is_the_authors_mistake() -> None:
    """A criterion that the assignment does not have is named, with those that it has."""
    with pytest.raises(AssignmentError, match=r"'result'.*results, shutdown"):
        place(CRITERIA, [placed(Outcome.PASSED, "result")])


def test_first_moment_holds_every_test_and_no_points() -> None:
    """Before anything has run, all points can be had and none is given."""
    entries = not_run(CRITERIA, [("t.py::a[fork]", "results", "fork", "right"), ("t.py::b", "shutdown", "", "ends")])
    assert [entry.finding.outcome for entry in entries] == [Outcome.NOT_RUN] * 2
    assert [(entry.points, entry.max_points) for entry in entries] == [(0.0, 4.0), (0.0, 0.1)]
    assert status(entries) == (Status.ERROR, "2 of 2 checks were not run")


def test_what_has_not_been_run_keeps_its_share() -> None:
    """A grading that is ended in the middle never looks like full marks."""
    entries = place(CRITERIA, [placed(Outcome.PASSED), waiting("t.py::b", "results", "", "")])
    assert sum(entry.points for entry in entries) == 2
    assert sum(entry.max_points for entry in entries) == 4
    assert status(entries) == (Status.ERROR, "1 of 2 checks were not run")


def test_nothing_left_to_sum_is_an_error() -> None:
    """Where no check could be decided, there is no grade, whatever the score says."""
    undecided = [placed(Outcome.ERROR), placed(Outcome.INCONCLUSIVE), placed(Outcome.ERROR)]
    assert status(place(CRITERIA, undecided)) == (Status.ERROR, "no check could be decided (2 error, 1 inconclusive)")
    assert status(()) == (Status.ERROR, "no check was run")


def test_failures_are_a_grade() -> None:
    """A submission that fails everything is graded, with nothing."""
    assert status(place(CRITERIA, [placed(Outcome.FAILED)])) == (Status.GRADED, "")

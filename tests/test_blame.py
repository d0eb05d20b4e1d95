"""One symptom is blamed on one concern, whatever the order in which tests ran."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from pytest_mpgrade.judge.blame import accuse, attribute
from pytest_mpgrade.judge.shutdown import ALIVE
from pytest_mpgrade.records import Concern, Finding, Outcome

Placed = tuple[str, Finding]


def failing(check: str, concern: Concern, symptom: str, method: str = "fork") -> Placed:
    """Return a failure in its place."""
    finding = Finding(
        check=check,
        title="",
        concern=concern,
        outcome=Outcome.FAILED,
        message=f"{check} saw it",
        hint="do otherwise",
        symptom=symptom,
    )
    return method, finding


RESULTS = failing("values_in_any_order", Concern.RESULTS, "values")
EDGE = failing("values_in_any_order", Concern.EDGE, "values")
LATE = failing("late_result_arrives", Concern.RESULTS, "values")
DRAINED = failing("drains", Concern.DEADLOCK, "values")
EDGE_SPAWN = failing("values_in_any_order", Concern.EDGE, "values", "spawn")
STAYS = failing("ended_by_sentinel", Concern.SENTINEL, ALIVE)
STAYS_AFTER_ERROR = failing("all_shut_down", Concern.FAILURE, ALIVE)
IN_CALLER = failing("in_children", Concern.WORKERS, "in the caller")
ZOMBIES = failing("no_leftovers", Concern.CLEANUP, "not joined")
ZOMBIES_EDGE = failing("child_ended", Concern.EDGE, "not joined")
WIRED = failing("uses_the_default", Concern.START_METHOD, "start method")
OTHER = failing("drains", Concern.DEADLOCK, "hang")
PASSING = ("fork", Finding(check="met", title="", concern=Concern.CONCURRENCY, outcome=Outcome.PASSED))
ABSENT = ("fork", Finding(check="met", title="", concern=Concern.CONCURRENCY, outcome=Outcome.ABSENT, message="none"))


@pytest.mark.parametrize(
    ("owner", "other"),
    [
        pytest.param(RESULTS, EDGE, id="results before edge"),
        pytest.param(RESULTS, DRAINED, id="results before deadlock"),
        pytest.param(EDGE, DRAINED, id="edge before deadlock"),
        pytest.param(STAYS, STAYS_AFTER_ERROR, id="sentinel before failure"),
        pytest.param(ZOMBIES, ZOMBIES_EDGE, id="cleanup before edge"),
    ],
)
def test_one_symptom_has_one_concern(owner: Placed, other: Placed) -> None:
    """Of two failures with the same symptom the concern that it belongs to keeps it; the other names that check."""
    for order in permutations((owner, other)):
        found = attribute(order)
        assert found[order.index(owner)] == owner[1]
        skipped = found[order.index(other)]
        assert (skipped.outcome, skipped.undecided_by, skipped.hint) == (Outcome.SKIPPED, owner[1].check, "")
        assert skipped.message.startswith(f"left undecided by {owner[1].check}: ")
        assert skipped.concern is other[1].concern


@pytest.mark.parametrize(
    "placed",
    [
        pytest.param((EDGE,), id="alone"),
        pytest.param((STAYS_AFTER_ERROR,), id="owner passed"),
        pytest.param((RESULTS, LATE), id="same concern"),
        pytest.param((RESULTS, EDGE_SPAWN), id="other start method"),
        pytest.param((RESULTS, OTHER), id="other symptom"),
        pytest.param((RESULTS, STAYS, IN_CALLER, ZOMBIES, WIRED), id="independent faults"),
        pytest.param(
            (failing("met", Concern.CONCURRENCY, ""), failing("drains", Concern.DEADLOCK, "")), id="no symptom"
        ),
        pytest.param((PASSING, ABSENT, RESULTS), id="not failed"),
    ],
)
def test_what_is_no_consequence_stays_failed(placed: Sequence[Placed]) -> None:
    """A symptom alone in its concern, under another start method, or of another kind stays as it is."""
    for order in permutations(placed):
        assert attribute(order) == [finding for _, finding in order]


def test_order_has_no_say() -> None:
    """Whatever the order of the tests, each finding ends the same."""
    placed = [
        RESULTS,
        EDGE,
        LATE,
        DRAINED,
        EDGE_SPAWN,
        STAYS,
        STAYS_AFTER_ERROR,
        IN_CALLER,
        ZOMBIES,
        ZOMBIES_EDGE,
        OTHER,
    ]
    placed += [WIRED, PASSING, ABSENT]
    expected = {id(one): finding.outcome for one, finding in zip(placed, attribute(placed), strict=True)}
    draw = random.Random(507)
    for _ in range(300):
        order = draw.sample(placed, len(placed))
        found = attribute(order)
        assert {id(one): finding.outcome for one, finding in zip(order, found, strict=True)} == expected
        for finding in found:
            blamed = [one for one in found if one.check == finding.undecided_by and one.outcome is Outcome.FAILED]
            assert blamed or not finding.undecided_by


def test_order_has_no_say_in_what_is_named() -> None:
    """Where two checks could be named for a symptom, it is the same one in any order."""
    assert len({attribute(order)[order.index(EDGE)].undecided_by for order in permutations((RESULTS, LATE, EDGE))}) == 1


def test_every_failure_leaves_one() -> None:
    """Among the failures of one symptom and start method at least one stays failed, so that no fault gets lost."""
    given = [RESULTS, EDGE, DRAINED, STAYS, STAYS_AFTER_ERROR, ZOMBIES, ZOMBIES_EDGE]
    for size in range(1, len(given) + 1):
        for placed in permutations(given, size) if size < 4 else [tuple(given[:size])]:
            found = attribute(placed)
            left = {one.symptom for one in found if one.outcome is Outcome.FAILED}
            assert left == {one.symptom for _, one in placed}


def test_settled_findings_settle_no_more() -> None:
    """Attributing twice changes nothing."""
    once = attribute([RESULTS, EDGE, STAYS, STAYS_AFTER_ERROR])
    assert attribute([("fork", finding) for finding in once]) == once
    assert attribute([]) == []


def undecided(by: str) -> Placed:
    """Return a finding that was left undecided by a check."""
    method, finding = PASSING
    return method, replace(
        finding, check="meets", outcome=Outcome.SKIPPED, undecided_by=by, message="left undecided: f() did not wait"
    )


def test_undecided_by_what_has_passed_fails_and_says_so() -> None:
    """No points are lost without a failure that says why: where what it was laid to has passed, it fails itself."""
    _, found = accuse([PASSING, undecided("met")])
    assert (found.outcome, found.undecided_by) == (Outcome.FAILED, "")
    assert found.message == "f() did not wait (it shows only here: met has not failed)"


def test_undecided_by_what_has_failed_stays_so() -> None:
    """One fault costs points once."""
    blamed = undecided("drains")
    assert accuse([OTHER, blamed]) == [OTHER[1], blamed[1]]

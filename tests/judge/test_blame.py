"""One symptom is blamed on one concern, whatever the order in which tests ran."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from pytest_mpgrade import checks
from pytest_mpgrade.judge.examples.schedules import BROKEN
from pytest_mpgrade.judge.points.blame import accuse, attribute
from pytest_mpgrade.judge.symptoms import ALIVE, FORCED
from pytest_mpgrade.records import Concern, Finding, Instead, Outcome

MethodFinding = tuple[str, Finding]


def failing(check: str, concern: Concern, symptom: str, method: str = "fork") -> MethodFinding:
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
PASSING = (
    "fork",
    Finding(check="met", title="", concern=Concern.CONCURRENCY, outcome=Outcome.PASSED),
)
ABSENT = (
    "fork",
    Finding(
        check="met", title="", concern=Concern.CONCURRENCY, outcome=Outcome.ABSENT, message="none"
    ),
)


@pytest.mark.parametrize(
    ("owner", "other"),
    [
        pytest.param(RESULTS, EDGE, id="results before edge"),
        pytest.param(RESULTS, DRAINED, id="results before deadlock"),
        pytest.param(EDGE, DRAINED, id="edge before deadlock"),
        pytest.param(
            failing("values_in_any_order", Concern.RESULTS, "raised RuntimeError"),
            failing("drains", Concern.DEADLOCK, "raised RuntimeError"),
            id="an exception of plain calls",
        ),
        pytest.param(STAYS, STAYS_AFTER_ERROR, id="sentinel before failure"),
        pytest.param(ZOMBIES, ZOMBIES_EDGE, id="cleanup before edge"),
    ],
)
def test_one_symptom_has_one_concern(owner: MethodFinding, other: MethodFinding) -> None:
    """Of two failures with the same symptom the concern that it belongs to keeps it; the other
    names that check.
    """
    for order in permutations((owner, other)):
        found = attribute(order)
        assert found[order.index(owner)] == owner[1]
        skipped = found[order.index(other)]
        assert (skipped.outcome, skipped.undecided_by, skipped.hint) == (
            Outcome.SKIPPED,
            owner[1].check,
            "",
        )
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
            (failing("met", Concern.CONCURRENCY, ""), failing("drains", Concern.DEADLOCK, "")),
            id="no symptom",
        ),
        pytest.param((PASSING, ABSENT, RESULTS), id="not failed"),
    ],
)
def test_what_is_no_consequence_stays_failed(placed: Sequence[MethodFinding]) -> None:
    """A symptom alone in its concern, under another start method, or of another kind stays as it
    is.
    """
    for order in permutations(placed):
        assert attribute(order) == [finding for _, finding in order]


@pytest.mark.parametrize(
    ("found", "laid"),
    [
        pytest.param(failing("ended_by_sentinel", Concern.SENTINEL, FORCED), True, id="their end"),
        pytest.param(RESULTS, False, id="values"),
    ],
)
def test_a_schedule_shows_no_second_fault(found: MethodFinding, laid: bool) -> None:
    """How workers end is no race where another call shows it without any hold."""
    assert BROKEN.broken is not None
    explored = replace(BROKEN, broken=replace(BROKEN.broken, finding=found[1]))
    race = checks.holds_under_every_schedule()(explored)
    assert (race.outcome, race.concern) == (Outcome.FAILED, Concern.RACE)
    _, settled = attribute([found, ("fork", race)])
    assert (settled.outcome is Outcome.SKIPPED) is laid
    assert settled.undecided_by == ("ended_by_sentinel" if laid else "")


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
    expected = {
        id(one): finding.outcome for one, finding in zip(placed, attribute(placed), strict=True)
    }
    draw = random.Random(507)
    for _ in range(300):
        order = draw.sample(placed, len(placed))
        found = attribute(order)
        assert {
            id(one): finding.outcome for one, finding in zip(order, found, strict=True)
        } == expected
        for finding in found:
            blamed = [
                one
                for one in found
                if one.check == finding.undecided_by and one.outcome is Outcome.FAILED
            ]
            assert blamed or not finding.undecided_by


def test_of_several_the_first_of_the_test_file_is_named() -> None:
    """Where two checks could be named for a symptom, it is the one that the test file asks
    first.
    """
    assert attribute((RESULTS, LATE, EDGE))[2].undecided_by == "values_in_any_order"
    assert attribute((LATE, RESULTS, EDGE))[2].undecided_by == "late_result_arrives"


def test_of_several_the_one_about_the_same_run_is_named() -> None:
    """A failure that was seen in the same run says more of it than any other."""
    same = ("fork", replace(LATE[1], run="a run"))
    edge = ("fork", replace(EDGE[1], run="a run"))
    assert attribute((RESULTS, same, edge))[2].undecided_by == "late_result_arrives"


def test_every_failure_leaves_one() -> None:
    """Among the failures of one symptom and start method at least one stays failed, so that no
    fault gets lost.
    """
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


def undecided(
    by: str,
    *,
    seen: str = "f() never came back",
    run: str = "one",
    method: str = "fork",
    **more: Any,
) -> MethodFinding:
    """Return a finding that was left undecided by a check, and what it says of its run."""
    concern = more.pop("concern", Concern.DEADLOCK)
    instead = Instead(
        concern=concern,
        message=seen,
        symptom="hang",
        explained="hang",
        run=run,
        function="f",
        came_back=False,
    )
    finding = Finding(
        check="met",
        title="",
        concern=Concern.CONCURRENCY,
        outcome=Outcome.SKIPPED,
        undecided_by=by,
        run=run,
        message=f"left undecided: {seen}",
        instead=replace(instead, **more),
        function="f",
    )
    return method, finding


def seen_in(
    placed: MethodFinding, run: str = "one", method: str = "fork", function: str = "f"
) -> MethodFinding:
    """Return a finding about a run."""
    return method, replace(placed[1], run=run, function=function)


def passing(check: str, run: str = "one", outcome: Outcome = Outcome.PASSED) -> MethodFinding:
    """Return a check that has not failed."""
    return seen_in(
        ("fork", replace(PASSING[1], check=check, outcome=outcome, message="the machine is busy")),
        run,
    )


def test_what_no_failure_explains_fails_with_what_its_run_shows() -> None:
    """No points are lost without a failure that says why: it has the concern of its own run, and no
    word of others.
    """
    _, found = accuse([passing("drains"), undecided("drains")])
    assert (found.outcome, found.concern, found.undecided_by) == (
        Outcome.FAILED,
        Concern.DEADLOCK,
        "",
    )
    assert found.message == "f() never came back"


@pytest.mark.parametrize(
    "failed",
    [
        pytest.param(
            seen_in(failing("drains", Concern.RESULTS, "values")), id="the named check, same run"
        ),
        pytest.param(
            seen_in(failing("comes_back", Concern.DEADLOCK, "hang")), id="same run, same symptom"
        ),
        pytest.param(
            seen_in(failing("comes_back", Concern.RESULTS, "slow")),
            id="same run that did not come back",
        ),
        pytest.param(seen_in(OTHER, "another"), id="another run that hangs for the same reason"),
        pytest.param(
            seen_in(failing("drains", Concern.EDGE, "hang"), "another"),
            id="the named check, another run",
        ),
    ],
)
def test_undecided_by_what_explains_its_run_stays_so(failed: MethodFinding) -> None:
    """One fault costs points once: the finding stays undecided, and names the check that has failed
    for it.
    """
    _, found = accuse([failed, undecided("drains")])
    assert (found.outcome, found.undecided_by) == (Outcome.SKIPPED, failed[1].check)


@pytest.mark.parametrize(
    "failed",
    [
        pytest.param(
            seen_in(failing("met", Concern.CONCURRENCY, "no overlap"), "another"),
            id="another symptom",
        ),
        pytest.param(
            seen_in(failing("values_in_any_order", Concern.EDGE, "hang"), "another"),
            id="another concern",
        ),
        pytest.param(seen_in(OTHER, "another", "spawn"), id="another start method"),
        pytest.param(seen_in(OTHER, "another", function="g"), id="another function"),
        pytest.param(
            seen_in(failing("drains", Concern.DEADLOCK, "values"), "another"),
            id="the named check, otherwise",
        ),
    ],
)
def test_a_failure_of_something_else_explains_nothing(failed: MethodFinding) -> None:
    """That some check has failed under the same start method is no reason why this run could not be
    judged.
    """
    _, found = accuse([failed, undecided("drains")])
    assert (found.outcome, found.message) == (Outcome.FAILED, "f() never came back")


def test_one_hang_has_one_accuser() -> None:
    """Of several checks that one hang leaves undecided the first fails, and the others name it."""
    first, second, third = accuse(
        [undecided("drains"), undecided("drains"), undecided("comes_back")]
    )
    assert first.outcome is Outcome.FAILED
    assert {(one.outcome, one.undecided_by) for one in (second, third)} == {
        (Outcome.SKIPPED, first.check)
    }


def test_undecided_by_what_could_not_be_decided_costs_nothing() -> None:
    """Where the machine was too busy for the check that is named, it was too busy for this one."""
    _, found = accuse(
        [passing("drains", outcome=Outcome.INCONCLUSIVE), undecided("drains", came_back=True)]
    )
    assert found.outcome is Outcome.INCONCLUSIVE


def test_failure_that_is_laid_to_another_names_that() -> None:
    """A check that names one whose symptom belongs to a third names the third."""
    edge = seen_in(failing("values_in_any_order", Concern.EDGE, "values"))
    _, skipped, found = accuse(
        [seen_in(LATE, "plain"), edge, undecided("values_in_any_order", came_back=True)]
    )
    assert (skipped.outcome, skipped.undecided_by) == (Outcome.SKIPPED, "late_result_arrives")
    assert (found.outcome, found.undecided_by) == (Outcome.SKIPPED, "late_result_arrives")


def test_what_explains_why_a_run_ended_explains_it_to_all_who_ask() -> None:
    """A process per task keeps 10,000 tasks from ending: whoever cannot judge that run names who
    has said so.
    """
    too_many = seen_in(failing("in_children", Concern.WORKERS, "too many workers"), "another")
    drains = undecided(
        "in_children",
        concern=Concern.WORKERS,
        symptom="too many workers",
        explained="too many workers",
    )
    found = accuse([too_many, drains, undecided("comes_back")])
    assert [one.undecided_by for one in found[1:]] == ["in_children", "in_children"]


def test_what_explains_the_named_check_explains_who_names_it() -> None:
    """A chain of names ends at a check that has failed, in whichever order they were asked."""
    message = seen_in(failing("still_running", Concern.RESULTS, "message"), "another")
    unnoticed: dict[str, Any] = {
        "came_back": True,
        "symptom": "death unnoticed",
        "explained": "death unnoticed",
    }
    names = undecided("met", concern=Concern.FAILURE, **unnoticed)
    says = undecided(
        "still_running",
        concern=Concern.RESULTS,
        came_back=True,
        symptom="message",
        explained="message",
    )
    for order in permutations((message, names, says)):
        found = accuse(order)
        assert {one.undecided_by for one in found} == {"", "still_running"}


def test_absent_needs_a_failure_that_says_why_nothing_was_done() -> None:
    """Where nothing was done that could be judged, and no check has failed for that, this one
    does.
    """
    absent = replace(undecided("")[1], outcome=Outcome.ABSENT, undecided_by="")
    assert accuse([("fork", absent)])[0].outcome is Outcome.FAILED
    assert accuse([IN_CALLER, ("fork", absent)])[1].outcome is Outcome.ABSENT


def test_check_of_a_course_that_names_what_has_passed_fails() -> None:
    """A custom check that says nothing else fails with what it has said."""
    custom = replace(
        PASSING[1],
        check="mine",
        outcome=Outcome.SKIPPED,
        undecided_by="drains",
        message="f() was late",
    )
    _, found = accuse([passing("drains"), ("fork", custom)])
    assert (found.outcome, found.message) == (Outcome.FAILED, "f() was late")

"""Results as a grading makes them: findings in their tests, and points by the rubric's own
rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pytest_mpgrade.judge.points import rubric
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import (
    Asked,
    Concern,
    Criterion,
    Finding,
    Outcome,
    Report,
    Status,
    Submission,
)
from pytest_mpgrade.report.result_json import ResultFile, as_result

METHODS = ("fork", "spawn", "forkserver")
ALL = (Criterion(name="all", points=1.0),)


def finding(outcome: Outcome = Outcome.FAILED, **more: Any) -> Finding:
    """Return what a check has found, with a message and a hint where nothing else is asked for."""
    usual: dict[str, Any] = {
        "check": "values",
        "title": "t",
        "concern": Concern.RESULTS,
        "message": "m",
        "hint": "h",
    }
    return Finding(outcome=outcome, **usual | more)


def asked(test: str, criterion: str = "all", *, weight: float = 1.0, title: str = "t") -> Asked:
    """Return what a test asks by its id: ``t.py::test_met[fork-3]`` asks test_met under fork, for
    the variant 3.
    """
    question, _, parameters = test.partition("[")
    parts = parameters.removesuffix("]").split("-") if parameters else []
    return Asked(
        test=test,
        question=question,
        title=title,
        criterion=criterion,
        weight=weight,
        start_method=next((part for part in parts if part in METHODS), ""),
        variant="-".join(part for part in parts if part not in METHODS),
    )


def placed(test: str, *findings: Finding, criterion: str = "all", **more: Any) -> Iterator[Placed]:
    """Yield what the checks of one test have found, in their place; more is for `asked`."""
    for each in findings:
        yield Placed(asked=asked(test, criterion, **more), finding=each)


def report(
    found: Sequence[Placed], criteria: Sequence[Criterion] = ALL, *, step: float = 0.01, **more: Any
) -> Report:
    """Return the report of a grading that has found this; its status is what the findings say."""
    score = rubric.score(criteria, found, step) if found else rubric.ungraded(criteria)
    status, reason = rubric.status([each.finding for each in found], score)
    usual: dict[str, Any] = {
        "assignment": "x",
        "submission": Submission(id="a", path="a", module="a.py"),
        "status": status,
        "reason": reason,
        "started": "2026-11-23T03:00:00Z",
        "seconds": 1.0,
    }
    return Report(score=score, entries=tuple(each.entry() for each in found), **usual | more)


def result(found: Sequence[Placed], criteria: Sequence[Criterion] = ALL, **more: Any) -> ResultFile:
    """Return what is written of a grading that has found this."""
    return as_result(report(found, criteria, **more))


def outcomes(
    *given: Outcome, criterion: str = "all", test: str = "test_x.py::test_{}"
) -> list[Placed]:
    """Return findings of as many questions, each with one check that ended so."""
    return [
        each
        for number, outcome in enumerate(given)
        for each in placed(test.format(number), finding(outcome), criterion=criterion)
    ]


def ungraded(criteria: Sequence[Criterion] = ALL, **more: Any) -> ResultFile:
    """Return what is written of a submission in which no check was run."""
    return result([], criteria, **{"status": Status.UNGRADABLE, "reason": "no module"} | more)

"""Results of an assignment with two criteria."""

from __future__ import annotations

from pytest_mpgrade.records import Criterion, Outcome, Status, Submission
from pytest_mpgrade.report.result_json import ResultFile
from support import results

CRITERIA = (Criterion(name="results", points=1), Criterion(name="shutdown", points=2))


def result(id: str, *outcomes: Outcome) -> ResultFile:
    """Return a result whose criteria have three questions each, with these outcomes over and
    over.
    """
    placed = [
        each
        for criterion in CRITERIA
        if outcomes
        for each in results.outcomes(
            *(outcomes * 3)[:3], criterion=criterion.name, test=f"t.py::test_{criterion.name}{{}}"
        )
    ]
    return results.result(
        placed,
        CRITERIA,
        submission=Submission(id=id, path=id),
        status=Status.GRADED if outcomes else Status.UNGRADABLE,
        reason="",
    )

"""How a test ends for pytest: as it does for its points."""

from __future__ import annotations

import pytest

from pytest_mpgrade.records import Finding, Outcome
from pytest_mpgrade.session.items import judge_test
from support.results import finding

PASSED = finding(Outcome.PASSED)
NOT_POSSIBLE = finding(Outcome.SKIPPED, check="joined", message="zombies cannot be seen here")
BLAMED = finding(Outcome.SKIPPED, check="told", message="not tried", undecided_by="values")
UNSURE = finding(Outcome.INCONCLUSIVE, check="quick", message="this machine was too busy")
ABSENT = finding(Outcome.ABSENT, check="met", message="no task was there")


@pytest.mark.parametrize(
    ("findings", "outcome", "reason"),
    [
        ([PASSED, PASSED], "passed", ""),
        ([PASSED, NOT_POSSIBLE], "passed", ""),
        ([NOT_POSSIBLE, NOT_POSSIBLE], "skipped", "joined: zombies cannot be seen here"),
        ([NOT_POSSIBLE, PASSED, BLAMED], "skipped", "told: not tried"),
        ([PASSED, UNSURE], "skipped", "quick: this machine was too busy"),
        ([PASSED, ABSENT], "skipped", "met: no task was there"),
        ([PASSED, finding(Outcome.FAILED), NOT_POSSIBLE], "failed", "values: m"),
    ],
)
def test_outcome(findings: list[Finding], outcome: str, reason: str) -> None:
    """What is not possible here costs nothing, and makes no test skipped that passes else."""
    report = pytest.TestReport(
        nodeid="t.py::test_x",
        location=("t.py", 3, "test_x"),
        keywords={},
        outcome="passed",
        longrepr=None,
        when="call",
    )
    judge_test(report, findings, hidden=False)
    assert report.outcome == outcome
    assert reason in str(report.longrepr or "")

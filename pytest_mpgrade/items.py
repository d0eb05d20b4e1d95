"""What one test item of pytest says of itself, and what its findings make of its report."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pytest_mpgrade.judge.rubric import Placed
from pytest_mpgrade.records import Concern, Finding, Outcome
from pytest_mpgrade.report import students, terminal


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a test's report brings, also from a worker of pytest-xdist."""

    test: str
    place: int
    items: list[tuple[str, str, str, str]]  # all tests, with the first report of each process; then none
    total: int
    partial: bool
    placed: list[Placed]
    not_imported: str


def name_of(item: pytest.Item) -> str:
    """Return the test's id as results name it, wherever pytest was started."""
    return f"{item.path.name}::{item.name}"


def criterion_of(item: pytest.Item) -> str:
    """Return the criterion that a test's findings count for."""
    marker = item.get_closest_marker("criterion")
    return str(marker.args[0]) if marker and marker.args else ""


def method_of(item: pytest.Item) -> str:
    """Return the start method under which a test runs."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("start_method", "")) if callspec else ""


def title_of(item: pytest.Item) -> str:
    """Return what a test asks, in one sentence."""
    function = getattr(item, "function", None)
    return ((function.__doc__ or "").strip().splitlines() or [item.name])[0]


def passed(item: pytest.Item) -> Finding:
    """A test that makes no check, and whose own asserts hold, counts as one."""
    return Finding(check="test", title=title_of(item), concern=Concern.RESULTS, outcome=Outcome.PASSED)


def own_finding(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> list[Finding]:
    """A test that skips, or whose own assert fails, or that breaks, has a finding of its own."""
    if call.excinfo is None:
        return []
    if report.skipped:
        outcome, message = Outcome.SKIPPED, str(call.excinfo.value)
    elif call.excinfo.errisinstance(AssertionError):
        outcome, message = Outcome.FAILED, str(call.excinfo.value).partition("\n")[0]
    else:
        outcome, message = Outcome.ERROR, f"the test itself broke: {call.excinfo.exconly()}"
    return [Finding(check="test", title=title_of(item), concern=Concern.RESULTS, outcome=outcome, message=message)]


def judge_test(report: pytest.TestReport, findings: list[Finding], *, hidden: bool) -> None:
    """A test fails if a check failed, and is skipped if none failed and none could be passed in full.

    Of one that is *hidden* from students, only that is told.
    """
    failed = [finding for finding in findings if finding.outcome is Outcome.FAILED]
    if failed and not report.failed:
        report.outcome = "failed"
        calls = dict.fromkeys(finding.call for finding in findings)
        report.longrepr = "\n".join(
            terminal.explain(call, [finding for finding in findings if finding.call == call]) for call in calls
        )
    elif report.passed and findings:
        open_ones = [finding for finding in findings if finding.outcome is not Outcome.PASSED]
        if open_ones:
            report.outcome = "skipped"
            first = open_ones[0]
            report.longrepr = (
                report.location[0],
                (report.location[1] or 0) + 1,
                f"Skipped: {first.check}: {first.message}",
            )
    if hidden:
        _cover(report)


def _cover(report: pytest.TestReport) -> None:
    report.sections.clear()
    if report.failed:
        report.longrepr = f"{students.HIDDEN} failed"
    elif report.skipped:
        report.longrepr = (report.location[0], 0, f"Skipped: {students.HIDDEN}")

"""What one test item of pytest says of itself, and what its findings make of its report."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass

import pytest

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.judge.points.shares import Placed, is_decided
from pytest_mpgrade.records import Asked, Concern, Finding, Outcome, Timeline
from pytest_mpgrade.report import redaction, terminal
from pytest_mpgrade.session.authoring import GRADED, in_words
from pytest_mpgrade.system.text import first_paragraph


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a test's report brings, also from a worker of pytest-xdist."""

    test: str
    place: int
    items: list[Asked]  # all tests, with the first report of each process; none with later ones
    total: int
    partial: bool
    placed: list[Placed]
    not_imported: str
    timelines: dict[str, Timeline]  # by the key of the run


PLACED = "mpgrade_placed"
"""The attribute of a test's report that brings what the test has found."""


def is_graded(report: pytest.TestReport) -> bool:
    """Tell whether a report is that of a test about the submission."""
    return hasattr(report, PLACED)


def is_question(item: pytest.Item) -> bool:
    """Tell whether a test is about the submission."""
    return not GRADED.isdisjoint(getattr(item, "fixturenames", ()))


def asked(item: pytest.Item) -> Asked:
    """Return which question a test asks, under which start method, for which variant.

    Raises AssignmentError for a weight from which no share can be computed.
    """
    marker = item.get_closest_marker("criterion")
    criterion = str(marker.args[0]) if marker and marker.args else ""
    weight = marker.kwargs.get("weight", 1) if marker else 1
    name = test_id(item)
    if (
        isinstance(weight, bool)
        or not isinstance(weight, (int, float))
        or not 0 < weight < math.inf
    ):
        raise AssignmentError(
            f"{name}: criterion({criterion!r}, weight={weight!r}): a weight is a number above 0"
        )
    callspec = getattr(item, "callspec", None)
    method = start_method_of(item)
    return Asked(
        test=name,
        question=(
            f"{item.path.name}::"
            + (getattr(item, "originalname", None) or item.name.partition("[")[0])
        ),
        title=title_of(item),
        criterion=criterion,
        weight=float(weight),
        start_method=method,
        variant=_without(str(callspec.id), method) if callspec else "",
    )


def _without(parameters: str, method: str) -> str:
    """Return a test's parameters, such as ``spawn-large results``, without its start method.

    pytest joins the names of parameters by "-".
    """
    for found in (rf"\A{method}-", rf"-{method}\Z", rf"\A{method}\Z", rf"-{method}(?=-)"):
        if method and re.search(found, parameters):
            return re.sub(found, "", parameters, count=1)
    return parameters


def test_id(item: pytest.Item) -> str:
    """Return the test's id as results name it, wherever pytest was started."""
    return f"{item.path.name}::{item.name}"


def title_of(item: pytest.Item) -> str:
    """Return what a test asks: the first paragraph of its docstring, else its name."""
    function = getattr(item, "function", None)
    return first_paragraph(inspect.getdoc(function) or "") or item.name


def passed(item: pytest.Item) -> Finding:
    """Return the finding of a test that makes no check, and whose own asserts hold."""
    return Finding(
        check="test", title=title_of(item), concern=Concern.RESULTS, outcome=Outcome.PASSED
    )


def own_finding(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> list[Finding]:
    """Return the finding of a test that skips or breaks, or whose own assert fails; else none."""
    if call.excinfo is None:
        return []
    if report.skipped:
        outcome, message = Outcome.SKIPPED, str(call.excinfo.value)
    elif call.excinfo.errisinstance(AssertionError):
        outcome, message = Outcome.FAILED, str(call.excinfo.value).partition("\n")[0]
    else:
        own = [entry.lineno + 1 for entry in call.excinfo.traceback if entry.path == item.path]
        place = f" at {item.path.name}:{own[-1]}" if own else ""
        words = in_words(call.excinfo.value)
        outcome, message = Outcome.ERROR, f"the test itself broke{place}: {words}"
    return [
        Finding(
            check="test",
            title=title_of(item),
            concern=Concern.RESULTS,
            outcome=outcome,
            message=message,
        )
    ]


def judge_test(report: pytest.TestReport, findings: list[Finding], *, hidden: bool) -> None:
    """Set the outcome of a test by its findings.

    A test fails if a check failed. It passes where all checks did but those that are not possible
    here, as it does for its points. Else it is skipped.

    The report of a test that is *hidden* from students says only that a hidden check failed, or was
    skipped.
    """
    failed = [finding for finding in findings if finding.outcome is Outcome.FAILED]
    if failed and not report.failed:
        report.outcome = "failed"
        calls = dict.fromkeys(finding.call for finding in findings)
        report.longrepr = "\n".join(
            terminal.explain_test(call, [finding for finding in findings if finding.call == call])
            for call in calls
        )
    elif report.passed and findings:
        not_passed = [finding for finding in findings if finding.outcome is not Outcome.PASSED]
        open_ones = [finding for finding in not_passed if not _not_possible(finding)]
        if open_ones or len(not_passed) == len(findings):
            report.outcome = "skipped"
            first = (open_ones or not_passed)[0]
            report.longrepr = (
                report.location[0],
                (report.location[1] or 0) + 1,
                f"Skipped: {first.check}: {first.message}",
            )
    if hidden:
        _cover(report)


def _not_possible(finding: Finding) -> bool:
    return finding.outcome is Outcome.SKIPPED and not is_decided(finding)


def _cover(report: pytest.TestReport) -> None:
    report.sections.clear()
    if report.failed:
        report.longrepr = f"{redaction.HIDDEN} failed"
    elif report.skipped:
        report.longrepr = (report.location[0], 0, f"Skipped: {redaction.HIDDEN}")


def start_method_of(item: pytest.Item) -> str:
    """Return the start method under which a test runs; "" for one that runs once."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("start_method", "")) if callspec else ""


def later(item: pytest.Item) -> list[pytest.Item]:
    """Return the tests that come after this one."""
    return item.session.items[item.session.items.index(item) + 1 :]


def other_start_methods(item: pytest.Item, start_method: str) -> tuple[str, ...]:
    """Return the other start methods under which this process runs the same test later."""
    if hasattr(item.config, "workerinput"):  # pytest-xdist may have another worker do so
        return ()
    base = item.nodeid.partition("[")[0]
    methods = [
        start_method_of(each) for each in later(item) if each.nodeid.partition("[")[0] == base
    ]
    return tuple(dict.fromkeys(method for method in methods if method not in ("", start_method)))

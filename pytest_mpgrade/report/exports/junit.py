"""JUnit XML, a test case for each check, with points, concern and start method as its properties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report.exports.lines import summary
from pytest_mpgrade.report.result_json import CheckPart, ResultFile

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, section 2.2."""
_KINDS = {Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.NOT_RUN: "error"}


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:  # noqa: ARG001 - the rubric is in the properties
    """Return a document with one suite; one that was not graded has an error in a case of its own."""
    suite = ElementTree.Element("testsuite", name=_text(f"mpgrade.{result.assignment}"), time=f"{result.seconds:.2f}")
    if result.status is not Status.GRADED:
        case = ElementTree.SubElement(suite, "testcase", classname="mpgrade", name="graded")
        ElementTree.SubElement(case, "error", message=_text(summary(result)))
    for check in result.checks:
        _case(suite, check, check.points if result.status is Status.GRADED else 0.0)
    cases = list(suite)
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    suite.attrib |= {
        "tests": str(len(cases)), "failures": str(counts["failure"]), "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
    }  # fmt: skip
    document = ElementTree.Element("testsuites")
    document.append(suite)
    ElementTree.indent(document)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(document, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, check: CheckPart, points: float) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_text(check.test), name=_text(check.check or check.id), time=f"{check.seconds:.3f}"
    )
    properties = ElementTree.SubElement(case, "properties")
    told = {
        "points": f"{points:g}", "max_points": f"{check.max_points:g}", "criterion": check.criterion,
        "concern": str(check.concern), "start_method": check.start_method, "outcome": str(check.outcome),
    }  # fmt: skip
    for name, value in told.items():
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    if check.outcome is not Outcome.PASSED:
        part = ElementTree.SubElement(case, _KINDS.get(check.outcome, "skipped"), message=_text(check.message))
        part.text = _text(check.hint)


def _text(value: str) -> str:
    return _NO_XML.sub("\ufffd", value)

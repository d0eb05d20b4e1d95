"""JUnit XML: a test case for each unit of a question.

Its properties are points, concerns and start method.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report.exports.criteria import first_causes, result_summary
from pytest_mpgrade.report.result_json import CheckPart, ResultFile, UnitOf
from pytest_mpgrade.system.text import points

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, section 2.2."""
_KINDS = {Outcome.FAILED: "failure", Outcome.ERROR: "error", Outcome.NOT_RUN: "error"}


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:  # noqa: ARG001 - the rubric is in the properties
    """Return a document with one suite.

    A submission that was not graded has an error in a test case of its own. What to fix first is
    the suite's `system-out`, which comes after its cases.
    """
    suite = ElementTree.Element(
        "testsuite", name=_text(f"mpgrade.{result.assignment}"), time=f"{result.seconds:.2f}"
    )
    if result.status is not Status.GRADED:
        case = ElementTree.SubElement(suite, "testcase", classname="mpgrade", name="graded")
        ElementTree.SubElement(case, "error", message=_text(result_summary(result)))
    for unit in result.units():
        _case(suite, unit, unit.points if result.status is Status.GRADED else 0.0)
    for check in result.checks:
        if not check.criterion:
            _outside(suite, check)
    cases = list(suite)
    counts = {
        kind: sum(case.find(kind) is not None for case in cases)
        for kind in ("failure", "error", "skipped")
    }
    suite.attrib |= {
        "tests": str(len(cases)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
    }
    if first := first_causes(result):
        ElementTree.SubElement(suite, "system-out").text = _text(first)
    document = ElementTree.Element("testsuites")
    document.append(suite)
    ElementTree.indent(document)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        + ElementTree.tostring(document, encoding="unicode")
        + "\n"
    )


def _case(suite: ElementTree.Element, found: UnitOf, earned: float) -> None:
    file, _, name = found.test.partition("::")
    seconds = sum(check.seconds for check in found.checks)
    case = ElementTree.SubElement(
        suite, "testcase", classname=_text(file), name=_text(name or file), time=f"{seconds:.3f}"
    )
    open_ones = [check for check in found.checks if check.outcome is not Outcome.PASSED]
    told = {
        "points": points(earned),
        "max_points": points(found.max_points),
        "criterion": found.criterion,
        "question": found.question.id,
        "concern": ", ".join(dict.fromkeys(str(each.concern) for each in found.checks)),
        "start_method": found.unit.start_method,
        "outcome": str(found.unit.outcome),
    }
    properties = ElementTree.SubElement(case, "properties")
    for key, value in told.items():
        ElementTree.SubElement(properties, "property", name=key, value=_text(value))
    if found.unit.outcome is not Outcome.PASSED:
        first = found.telling.message if found.telling else ""
        part = ElementTree.SubElement(
            case, _KINDS.get(found.unit.outcome, "skipped"), message=_text(first)
        )
        part.text = _text("\n".join(_said(check) for check in open_ones))
    elif found.reason:
        ElementTree.SubElement(case, "skipped", message=_text(found.reason))


def _outside(suite: ElementTree.Element, check: CheckPart) -> None:
    """Add a check that is no part of the rubric."""
    case = ElementTree.SubElement(
        suite, "testcase", classname=_text(check.test), name=_text(check.check or check.id)
    )
    if check.outcome is not Outcome.PASSED:
        part = ElementTree.SubElement(
            case, _KINDS.get(check.outcome, "skipped"), message=_text(check.message)
        )
        part.text = _text(check.hint)


def _said(check: CheckPart) -> str:
    hint = f" (hint: {check.hint})" if check.hint else ""
    return f"{check.check}: {check.outcome}: {check.message}{hint}"


def _text(value: str) -> str:
    return _NO_XML.sub("\ufffd", value)

"""Properties for the tests in the file that pytest's own ``--junitxml`` writes.

Points depend on how many checks all tests make, so they are known only when pytest has written its file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from pytest_mpgrade.records import Report
from pytest_mpgrade.report import atomic
from pytest_mpgrade.report.result_json import CheckPart, as_result


def add(file: str, report: Report, hidden: Collection[str] = ()) -> None:
    """Add points, criterion, concern and start method to each test case; of *hidden* criteria the points only.

    Raises OSError and ElementTree.ParseError where pytest has written no such file.
    """
    path = Path(os.path.expanduser(os.path.expandvars(file)))  # as pytest reads the option
    checks = as_result(report).checks
    document = ElementTree.parse(path)  # noqa: S314 - pytest's own file
    for case in document.iter("testcase"):
        mine = [check for check in checks if _is_of(check.test, case)]
        if mine:
            properties = case.find("properties")
            if properties is None:
                properties = ElementTree.Element("properties")
                case.insert(0, properties)
            for name, value in _told(mine, mine[0].criterion in hidden):
                ElementTree.SubElement(properties, "property", name=name, value=value)
    atomic.write_bytes(ElementTree.tostring(document.getroot(), "utf-8", xml_declaration=True), path)


def _is_of(test: str, case: ElementTree.Element) -> bool:
    """Tell whether a case is of a test, which is named by its file and its own name."""
    file, _, name = test.partition("::")
    return case.get("name") == name and file.removesuffix(".py") in case.get("classname", "").split(".")


def _told(checks: Sequence[CheckPart], hidden: bool) -> Iterator[tuple[str, str]]:
    yield "points", f"{sum(check.points for check in checks):g}"
    yield "max_points", f"{sum(check.max_points for check in checks):g}"
    yield "visibility", "hidden" if hidden else "visible"
    if not hidden:
        yield "criterion", checks[0].criterion
        yield "concern", ", ".join(dict.fromkeys(str(check.concern) for check in checks))
        yield "start_method", checks[0].start_method

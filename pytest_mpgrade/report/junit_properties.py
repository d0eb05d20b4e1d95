"""Properties for the tests in the file that pytest's own ``--junitxml`` writes.

Points depend on what could be decided in all tests, so they are known only when pytest has written
its file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from xml.etree import ElementTree

from pytest_mpgrade.records import Report
from pytest_mpgrade.report.result_json import UnitOf, as_result
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import points


def add(file: str, report: Report, hidden: Collection[str] = ()) -> None:
    """Add points, criterion, concern and start method to each test case.

    Test cases of *hidden* criteria get their points only.

    Raises OSError and ElementTree.ParseError where pytest has written no such file, and UsageError
    where it cannot be replaced.
    """
    path = Path(os.path.expanduser(os.path.expandvars(file)))  # as pytest reads the option
    units = list(as_result(report).units())
    document = ElementTree.parse(path)  # noqa: S314 - pytest's own file
    for case in document.iter("testcase"):
        mine = next((unit for unit in units if _is_of(unit.test, case)), None)
        if mine is not None:
            properties = case.find("properties")
            if properties is None:
                properties = ElementTree.Element("properties")
                case.insert(0, properties)
            for name, value in _told(mine, mine.criterion in hidden):
                ElementTree.SubElement(properties, "property", name=name, value=value)
    atomic_write.write_bytes(
        ElementTree.tostring(document.getroot(), "utf-8", xml_declaration=True), path
    )


def _is_of(test: str, case: ElementTree.Element) -> bool:
    """Tell whether a case is of a test, which is named by its file and its own name."""
    file, _, name = test.partition("::")
    return case.get("name") == name and file.removesuffix(".py") in case.get("classname", "").split(
        "."
    )


def _told(found: UnitOf, hidden: bool) -> Iterator[tuple[str, str]]:
    yield "points", points(found.points)
    yield "max_points", points(found.max_points)
    yield "visibility", "hidden" if hidden else "visible"
    if not hidden:
        yield "criterion", found.criterion
        yield "concern", ", ".join(dict.fromkeys(str(check.concern) for check in found.checks))
        yield "start_method", found.unit.start_method

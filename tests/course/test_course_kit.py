"""The course kit in examples/course: its pages are the assignments', its class can be graded."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.records import RESULT_FILE, Status
from pytest_mpgrade.report.result_json import read_result
from pytest_mpgrade.submission.discover import discover
from support.running import ROOT

KIT = ROOT / "examples" / "course"
WRITER = runpy.run_path(str(KIT / "write_handouts.py"))
CLASS = sorted(path for path in (KIT / "class").glob("*/*") if path.is_dir())


@pytest.mark.parametrize("week", WRITER["WEEKS"])
def test_handouts_are_up_to_date(week: str) -> None:
    """Each page is what the program writes of the assignment as it is now, and fits on a page."""
    page = (KIT / "handouts" / f"{week}.md").read_text("utf-8")
    assert page == WRITER["pages"]()[f"{week}.md"]
    assert len(page.splitlines()) <= 60


def test_every_page_and_week_is_named() -> None:
    """The plan names the weeks' pages, and there is no other page."""
    assert {path.stem for path in (KIT / "handouts").glob("*.md")} == {*WRITER["WEEKS"]}
    text = (KIT / "README.md").read_text("utf-8")
    assert [week for week in WRITER["WEEKS"] if f"(handouts/{week}.md)" not in text] == []
    assert {path.parent.name for path in CLASS} <= {*WRITER["WEEKS"]}


@pytest.mark.parametrize("folder", CLASS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_submissions_are_found(folder: Path) -> None:
    """Each made-up submission has the module that its assignment asks for, and is told of."""
    found = discover(folder, find_assignment(folder.parent.name))
    assert found.module == find_assignment(folder.parent.name).module
    assert f"`{folder.parent.name}/{folder.name}`" in (KIT / "README.md").read_text("utf-8")


REPORTED = ROOT / "docs" / "example-class"


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples/class").iterdir()))
def test_the_report_of_the_site_is_on_this_class(name: str) -> None:
    """The results that are kept are of these files, and of the criteria as they are now."""
    result = read_result(REPORTED / name / RESULT_FILE)
    assignment = find_assignment("mp_apply")
    worth = {each.name: each.points for each in assignment.criteria}
    assert {each.name: each.max_points for each in result.criteria} == worth
    if result.status is Status.GRADED:
        handed_in = discover(ROOT / "examples" / "class" / name, assignment)
        assert result.submission.sha256 == handed_in.sha256

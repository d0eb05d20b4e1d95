"""Handouts say what is asked for how many points, as the tests have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.grade import outline
from pytest_mpgrade.report.terminal.question_table import BEGIN, END, markdown


@pytest.mark.parametrize("name", [each.name for each in assignments.shipped()])
def test_table_of_points_is_the_rubric(name: str) -> None:
    """The table in a handout is what `mpgrade rubric --markdown` prints now."""
    assignment = assignments.find_assignment(name)
    text = Path(assignment.folder, "README.md").read_text("utf-8")
    start, end = text.index(BEGIN), text.index(END) + len(END)
    assert text[start:end] == markdown(outline.collect(assignment), assignment)

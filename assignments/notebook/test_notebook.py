"""Grading of the notebook `multiprocess`: executed from a fresh kernel, once under each start
method.
"""

from __future__ import annotations

import pytest

from pytest_mpgrade import checks
from pytest_mpgrade.student.notebook import StudentNotebook

LISTS = ("results", "results1", "results2")


@pytest.fixture(autouse=True)
def prepared(notebook: StudentNotebook) -> None:
    """Execute the notebook under all start methods side by side."""
    notebook.prepare()


@pytest.mark.criterion("runs")
def test_runs_from_top_to_bottom(notebook: StudentNotebook) -> None:
    """All cells come to their end, from a fresh kernel."""
    notebook.check(notebook.run(), checks.runs_top_to_bottom())


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize("name", LISTS)
def test_results_are_there(notebook: StudentNotebook, name: str) -> None:
    """The named results are lists with something in them."""
    notebook.check(notebook.run(), checks.has_list(name))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("any")
@pytest.mark.parametrize("name", LISTS)
def test_tasks_ran_in_children(notebook: StudentNotebook, name: str) -> None:
    """The tasks of the named results ran in child processes."""
    notebook.check(notebook.run(), checks.made_by_children(name))


@pytest.mark.criterion("cross_validation")
@pytest.mark.start_methods("any")
def test_cross_validation_shows_its_folds(notebook: StudentNotebook) -> None:
    """The cell tagged parallel-cv shows a row for each fold."""
    notebook.check(notebook.run(), checks.shows_rows("parallel-cv"))


@pytest.mark.criterion("cleanup")
def test_no_process_is_left(notebook: StudentNotebook) -> None:
    """No child process outlives the last cell, or the kernel."""
    notebook.check(notebook.run(), checks.no_process_left())

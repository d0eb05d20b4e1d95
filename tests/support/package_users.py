"""An assignment that allows packages, and submissions that use some."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from support.running import code_cell, run_command

TOML = """
name = "small"
title = "Something small"
module = "cv_funcs.py"
points = 3
functions = ["mp_apply(tasks, n_processes=2)"]
start_methods = ["fork", "spawn"]
test = "test_small.py"

[environment]
packages = ["numpy", "scikit-learn", "mpgrade-absent"]

[[criteria]]
name = "interface"
points = 1

[[criteria]]
name = "values"
points = 2
"""

TESTS = '''
import pytest
from pytest_mpgrade import checks, tasks

SQUARES = tasks.square([3, 1, 2])

@pytest.mark.criterion("interface")
def test_imports(student):
    """It imports."""
    student.check(student.imported(), checks.imports_cleanly())

@pytest.mark.criterion("values")
def test_values(student):
    """It computes."""
    run = student.call("mp_apply", SQUARES, n_processes=2)
    student.check(run, checks.values_in_any_order(SQUARES))
'''

SOLUTION = """
import multiprocessing as mp
{top}

def _do(task):
    {worker}
    func, args = task
    return func(*args)


def mp_apply(tasks, n_processes=2):
    {caller}
    with mp.Pool(n_processes) as pool:
        found = pool.map(_do, [tuple(task) for task in tasks])
        pool.close()
        pool.join()
    return found
"""


def solution(top: str = "", worker: str = "pass", caller: str = "pass") -> str:
    """Return a right solution with statements in it at its top, in its worker, and in its
    caller.
    """
    return SOLUTION.format(top=top, worker=worker, caller=caller)


def author(folder: Path, toml: str = TOML, tests: str = TESTS) -> Path:
    """Write an assignment."""
    course = folder / "small"
    course.mkdir()
    (course / "assignment.toml").write_text(toml)
    (course / "test_small.py").write_text(tests)
    return course


def grade(course: Path, submission: Path, python: str = sys.executable) -> Any:
    """Grade with `mpgrade grade`; return the result, with its exit code and what was printed."""
    words = [
        "grade",
        str(submission),
        "--assignment",
        str(course),
        "--out",
        "out",
        "--no-require-isolation",
    ]
    done = run_command(
        [python, "-m", "pytest_mpgrade", *words, "--isolation", "none"], course.parent
    )
    found = json.loads((course.parent / "out" / submission.stem / "result.json").read_text("utf-8"))
    return found | {"code": done.returncode, "printed": done.stdout + done.stderr}


def failed(result: Any) -> list[Any]:
    """Return the checks that failed."""
    return [check for check in result["checks"] if check["outcome"] == "failed"]


NOTEBOOK_TOML = """
name = "small"
title = "A small notebook"
module = "small.ipynb"
points = 1
start_methods = ["fork"]
test = "test_small.py"

[environment]
packages = ["numpy", "mpgrade-absent"]

[[criteria]]
name = "runs"
points = 1

[notebook]
python = "PYTHON"
"""

NOTEBOOK_TESTS = '''
import pytest
from pytest_mpgrade import checks

@pytest.mark.criterion("runs")
def test_runs(notebook):
    """It runs."""
    notebook.check(notebook.run(), checks.runs_top_to_bottom())
'''


def grade_notebook(folder: Path, cells: Sequence[str], python: str = "", **beside: str) -> Any:
    """Grade a notebook of these cells, by a kernel of an interpreter."""
    course = author(folder, NOTEBOOK_TOML.replace("PYTHON", python), NOTEBOOK_TESTS)
    (folder / "ada").mkdir()
    for name, text in beside.items():
        (folder / "ada" / f"{name}.py").write_text(text)
    nbformat.write(
        nbformat.v4.new_notebook(cells=[code_cell(cell) for cell in cells]),
        folder / "ada" / "small.ipynb",
    )
    return grade(course, folder / "ada")

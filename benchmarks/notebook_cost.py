"""What grading a notebook costs: a notebook of ten cells with NumPy, executed by us and by bare
nbclient, in turn.

The aim: a supervised and isolated execution takes at most 1.3 times as long as nbclient's own, in
the median. Beside it whole commands, with the start of each program: `mpgrade grade`, `pytest
--nbmake` (where it is installed) and `jupyter execute`. All are made in turn, so that other work on
the machine meets them alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from pytest_mpgrade.course.assignment import load_assignment
from pytest_mpgrade.isolation import choose
from pytest_mpgrade.run.client import notebook_run, supervisor_pool
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.submission import notebooks
from pytest_mpgrade.submission.discover import discover

CELLS = (
    "import numpy as np",
    "rng = np.random.default_rng(507)",
    "x = rng.normal(size=(500, 20))",
    "y = x @ np.arange(20) + rng.normal(size=500)",
    "beta, *_ = np.linalg.lstsq(x, y, rcond=None)",
    "beta.round(2)",
    "residuals = y - x @ beta",
    "print(f'standard deviation {residuals.std():.3f}')",
    "boot = np.array([rng.choice(residuals, 500).mean() for _ in range(1000)])",
    "np.percentile(boot, [2.5, 97.5])",
)
ASSIGNMENT = """
name = "bench"
title = "Ten cells"
module = "ten.ipynb"
points = 1
start_methods = ["fork"]
test = "test_bench.py"

[[criteria]]
name = "runs"
points = 1
"""
TEST = """
import pytest
from pytest_mpgrade import checks

@pytest.mark.criterion("runs")
def test_runs(notebook):
    notebook.check(notebook.run(), checks.runs_top_to_bottom())
"""


def main() -> None:
    """Time all ways, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="of each (default: 15)")
    parser.add_argument(
        "--commands", type=int, default=5, help="of each whole command (default: 5)"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as path:
        folder = Path(path)
        folder.chmod(0o755)
        book = folder / "in" / "ten.ipynb"
        book.parent.mkdir()
        cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), book)
        (folder / "assignment.toml").write_text(ASSIGNMENT)
        (folder / "test_bench.py").write_text(TEST)
        _compare("one execution", _executions(folder, book), given.runs)
        _compare("a whole command", _commands(folder, book), given.commands)


def _executions(folder: Path, book: Path) -> dict[str, Callable[[], object]]:
    assignment = load_assignment(folder)
    setting = Setting(
        assignment=assignment,
        submission=discover(book.parent, assignment),
        isolation=choose.choose_isolation("auto", module=str(book)),
    )

    def ours() -> None:
        done = notebook_run.run_notebook(notebooks.document(book, book.name), "fork", setting)
        assert done.failing is None, done.failing

    def bare() -> None:
        NotebookClient(nbformat.read(book, as_version=4), kernel_name="python3").execute()

    return {"nbclient": bare, "mpgrade": ours}


def _commands(folder: Path, book: Path) -> dict[str, Callable[[], object]]:
    def run(*words: str) -> Callable[[], object]:
        command = [sys.executable, "-m", *words]
        return lambda: subprocess.run(command, cwd=folder, capture_output=True, check=True)

    found = {"jupyter execute": run("jupyter", "execute", "--output", "out.ipynb", str(book))}
    if importlib.util.find_spec("nbmake"):
        found["pytest --nbmake"] = run("pytest", "-q", "-p", "no:mpgrade", "--nbmake", str(book))
    words = ("grade", str(book.parent), "--assignment", str(folder), "--out", str(folder / "out"))
    return found | {"mpgrade grade": run("pytest_mpgrade", *words, "--no-require-isolation")}


def _compare(title: str, ways: dict[str, Callable[[], object]], runs: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs + 1):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            if number:  # the first ones load what all later ones use
                times[name].append(time.perf_counter() - began)
    supervisor_pool.end_all()
    first = next(iter(times))
    print(f"{title}, {runs} of each in turn")
    for name, taken in times.items():
        ratios = [mine / base for mine, base in zip(taken, times[first], strict=True)]
        print(
            f"  {name:18} {statistics.median(taken):6.2f} s median, {min(taken):6.2f} s at least, "
            f"{statistics.median(ratios):5.2f} times {first}"
        )


if __name__ == "__main__":
    main()

"""What other graders say of the same four programs, with the plainest test that each can have.

    python -m venv others
    others/bin/pip install nbgrader otter-grader check50 gradescope-utils
    python benchmarks/other_graders.py others/bin

The test is the same everywhere: eight tasks, and the sorted list of what they return. Each grader
has its own time limit set to `SECONDS` where it has one. Each command is stopped after `PATIENCE`
seconds, and what it has left running is counted a second after its end, then killed. Printed is a
table in Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

from pytest_mpgrade.cli.verify_cases import REFERENCE, wrong_solution
from pytest_mpgrade.course.assignment import find_assignment

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 20
"""The time limit of a test, where a grader has one."""
PATIENCE = 120
"""Seconds that a command gets."""
MARK = "MPGRADE_BENCHMARK"
"""The variable by which processes of a command are known."""
SUBMISSIONS = {
    REFERENCE: "is right",
    "serial": "computes in the calling process",
    "zombies_only": "never joins its workers",
    "no_sentinel_join": "joins workers that nobody tells to stop, and hangs",
}
CALL = "sorted(mp_apply([(abs, (-k,)) for k in range(8)]))"
WANTED = "[0, 1, 2, 3, 4, 5, 6, 7]"

GRADESCOPE = f"""
import unittest
from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

class Values(unittest.TestCase):
    @weight(1)
    def test_values(self):
        from cv_funcs import mp_apply
        self.assertEqual({CALL}, {WANTED})

if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Values)
    with open("results.json", "w") as file:
        JSONTestRunner(visibility="visible", stream=file).run(suite)
"""
OTTER = f"""
from otter.test_files import test_case
OK_FORMAT = False
name, points = "values", 1

@test_case(points=1)
def test_values(env):
    mp_apply = env["mp_apply"]
    assert {CALL} == {WANTED}
"""
CHECK50 = f"""
import check50

@check50.check(timeout={SECONDS})
def values():
    \"\"\"mp_apply returns the results\"\"\"
    program = "from cv_funcs import mp_apply; print({CALL})"
    check50.run(f"python3 -c '{{program}}'").stdout("{WANTED}", regex=False).exit(0)
"""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one grader says of one program."""

    verdict: str
    seconds: float
    left: int  # processes that still run, or are zombies, a second after its end

    def __str__(self) -> str:
        """Return a cell of the table."""
        many = f", {self.left} process{'es' * (self.left > 1)} left" if self.left else ""
        return f"{self.verdict}, {self.seconds:.0f} s{many}"


def marked(mark: str) -> list[psutil.Process]:
    """Return the living processes that a command with this mark has started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def timed(command: list[str], folder: Path, verdict: Callable[[str], str], path: str) -> Said:
    """Run a command; *verdict* makes words of what it printed."""
    mark = uuid.uuid4().hex
    env: Mapping[str, str] = {**os.environ, MARK: mark, "PATH": f"{path}:{os.environ['PATH']}"}
    began = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
    ) as running:
        try:
            printed, _ = running.communicate(timeout=PATIENCE)
            words = verdict(printed)
        except subprocess.TimeoutExpired:
            running.kill()
            words = "no end"
        seconds = time.monotonic() - began
        time.sleep(1)
        left = [each for each in marked(mark) if each.pid != running.pid]
        for each in left:
            with contextlib.suppress(psutil.Error):
                each.kill()
    return Said(verdict=words, seconds=seconds, left=len(left))


def gradescope(folder: Path, path: str) -> Said:
    """Grade by gradescope-utils."""
    (folder / "run_tests.py").write_text(GRADESCOPE)

    def verdict(_: str) -> str:
        (test,) = json.loads((folder / "results.json").read_text("utf-8"))["tests"]
        return str(test["status"])

    return timed(["python", "run_tests.py"], folder, verdict, path)


def otter(folder: Path, path: str) -> Said:
    """Grade by otter-grader."""
    (folder / "tests").mkdir()
    (folder / "tests" / "values.py").write_text(OTTER)
    return timed(
        ["otter", "check", "cv_funcs.py", "-t", "tests"],
        folder,
        lambda printed: "passed" if "All tests passed" in printed else "failed",
        path,
    )


def check50(folder: Path, path: str) -> Said:
    """Grade by check50, on this machine."""
    checks = folder / "checks"
    checks.mkdir()
    (checks / ".cs50.yml").write_text("check50: true\n")
    (checks / "__init__.py").write_text(CHECK50)

    def verdict(printed: str) -> str:
        text = printed[printed.index("{") :]
        (check,) = json.JSONDecoder().raw_decode(text)[0]["results"]
        if check["passed"]:
            return "passed"
        return f"failed: {check['cause']['rationale']}"

    command = ["check50", "--dev", "--log-level", "warning", "-o", "json", "--", str(checks)]
    return timed(command, folder, verdict, path)


def nbgrader(folder: Path, path: str) -> Said:
    """Grade a notebook that imports the program by nbgrader."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("from cv_funcs import mp_apply"),
            nbformat.v4.new_code_cell(
                f"assert {CALL} == {WANTED}",
                metadata={
                    "nbgrader": {
                        "grade": True,
                        "grade_id": "values",
                        "locked": True,
                        "points": 1,
                        "schema_version": 3,
                        "solution": False,
                        "task": False,
                    }
                },
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    for place in ("source/week", "submitted/ada/week"):
        (folder / place).mkdir(parents=True)
        nbformat.write(notebook, folder / place / "tasks.ipynb")
        (folder / place / "cv_funcs.py").write_bytes((folder / "cv_funcs.py").read_bytes())
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'c'\nc.Execute.timeout = {SECONDS}\n"
    )
    timed(["nbgrader", "generate_assignment", "week", "--force"], folder, str, path)

    def verdict(_: str) -> str:
        graded = folder / "autograded" / "ada" / "week" / "tasks.ipynb"
        if not graded.is_file():
            return "not graded"
        cell = nbformat.read(graded, as_version=4).cells[-1]
        errors = [each.ename for each in cell.outputs if each.output_type == "error"]
        return f"failed: {errors[0]}" if errors else "passed"

    return timed(["nbgrader", "autograde", "week"], folder, verdict, path)


def ours(folder: Path, _: str) -> Said:
    """Grade by `mpgrade grade`, with all questions but those that time."""
    command = [sys.executable, "-m", "pytest_mpgrade", "grade", "cv_funcs.py"]

    def verdict(_: str) -> str:
        (file,) = (folder / "out").glob("*/result.json")
        result = json.loads(file.read_text("utf-8"))
        causes = dict.fromkeys(each["concern"] for each in result.get("causes", []))
        return f"{result['score']:g} of 20" + (f": {', '.join(causes)}" if causes else "")

    return timed([*command, "--assignment", "mp_apply", "--out", "out"], folder, verdict, "")


GRADERS: Mapping[str, Callable[[Path, str], Said]] = {
    "gradescope-utils": gradescope,
    "otter-grader": otter,
    "check50": check50,
    "nbgrader": nbgrader,
    "pytest-mpgrade": ours,
}


def text_of(name: str) -> str:
    """Return the program of a submission."""
    assignment = find_assignment("mp_apply")
    if name == REFERENCE:
        return (ROOT / "reference" / "mp_apply" / "cv_funcs.py").read_text("utf-8")
    return wrong_solution(assignment, name).content().decode()


def main() -> None:
    """Grade and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", help="folder of the other graders' commands")
    parser.add_argument("--only", default="", help="graders whose name contains it")
    arguments = parser.parse_args()
    path = str(Path(arguments.path).absolute())
    print("| |", " | ".join(SUBMISSIONS.values()), "|")
    print("|---" * (len(SUBMISSIONS) + 1) + "|")
    for grader, run in GRADERS.items():
        if arguments.only not in grader:
            continue
        cells = []
        for name in SUBMISSIONS:
            with tempfile.TemporaryDirectory(prefix="mpgrade-") as made:
                folder = Path(made)
                (folder / "cv_funcs.py").write_text(text_of(name))
                cells.append(str(run(folder, path)))
        print(f"| {grader} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()

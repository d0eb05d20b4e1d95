"""A small assignment, "double a number", a class that has handed it in, and a batch that grades
it.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.running import run_command

TOML = """
name = "double"
title = "Double a number"
module = "double.py"
points = 1
functions = ["double(x)"]
start_methods = ["fork"]
test = "test_double.py"

[[criteria]]
name = "values"
points = 1
"""

TESTS = """
import pytest

@pytest.mark.criterion("values")
def test_double(student):
    run = student.call("double", 21)
    assert run.value == 42, "double(21) is not 42"
"""

RIGHT = "def double(x):\n    return 2 * x\n"

SOLUTIONS = {
    "ada": RIGHT,
    "ben": "def double(x):\n    return x\n",
    "chloe": "def double(x)\n    return x\n",
    "dan": "import time\n\ndef double(x):\n    time.sleep(3600)\n",
    "Zoë O'Hara, jr.": RIGHT,
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a folder with an assignment and a class."""
    return set_up(tmp_path, SOLUTIONS)


def set_up(folder: Path, names: Iterable[str]) -> Path:
    """Write the assignment, and the solutions of these students, into a folder; return it."""
    assignment = folder / "double"
    assignment.mkdir()
    limits = "\n[limits]\nseconds = 2\npatience = 1\n"
    (assignment / "assignment.toml").write_text(TOML + limits)
    (assignment / "test_double.py").write_text(TESTS)
    for name in names:
        hand_in(folder, name, SOLUTIONS[name])
    return folder


def hand_in(course: Path, name: str, text: str) -> None:
    """Write a submission, over an older one."""
    folder = course / "class" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "double.py").write_text(text)


def words(*options: str) -> list[str]:
    """Return the command line of a batch."""
    command = [
        sys.executable,
        "-m",
        "pytest_mpgrade",
        "batch",
        "class",
        "--assignment",
        "double",
        "--out",
        "out",
    ]
    return [*command, "--no-require-isolation", *options]


def batch(course: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a batch to its end."""
    return run_command(words(*options), course)


def gradebook(course: Path) -> dict[str, tuple[str, str]]:
    """Return status and score of each submission."""
    with (course / "out" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: (row["status"], row["score"]) for row in csv.DictReader(file)}


def results(course: Path) -> dict[str, Any]:
    """Return all result files by the names of their submissions."""
    found = [json.loads(path.read_text("utf-8")) for path in (course / "out").glob("*/result.json")]
    return {each["submission"]["id"]: each for each in found}


def below(pid: int) -> list[list[str]]:
    """Return the command lines of all processes below one."""
    return [command(process) for process in psutil.Process(pid).children(recursive=True)]


def command(process: psutil.Process) -> list[str]:
    """Return the command line of a process; [] of one that is ending."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []

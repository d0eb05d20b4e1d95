"""What a submission prints, where users of pytest look for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support import small_class
from support.running import run_command
from support.small_assignment import put

SUBMISSION = """
import sys

def double(x):
    print("hello \\x1b[31m from double")
    print("careful", file=sys.stderr)
    return {value}
"""
TESTS = (
    small_class.TESTS
    + '''

@pytest.mark.criterion("values")
def test_again(student):
    """The same call once more."""
    student.call("double", 21)
'''
)


@pytest.fixture
def printing(tmp_path: Path) -> Path:
    """Return a folder with an assignment, and a right and a wrong submission that print."""
    put(tmp_path / "double" / "assignment.toml", small_class.TOML)
    put(tmp_path / "double" / "test_double.py", TESTS)
    put(tmp_path / "right" / "double.py", SUBMISSION.format(value="2 * x"))
    put(tmp_path / "wrong" / "double.py", SUBMISSION.format(value="x"))
    return tmp_path


def run_pytest(folder: Path, submission: str, *options: str) -> str:
    """Grade a submission with pytest; return what it shows."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
    command += ["--mpgrade=double", f"--mpgrade-submission={submission}", *options]
    return run_command(command, folder).stdout


def test_of_passed_tests_on_request(printing: Path) -> None:
    """With -rP each test that has passed has pytest's own sections with what its call printed, and
    whose it is, without the controls of a terminal.
    """
    shown = run_pytest(printing, "right", "-rP")
    section = " Captured stdout call "
    assert shown.count(section) == 2
    after = shown.partition(section)[2].splitlines()[1:3]
    assert after == ["double(21) under fork printed:", "hello \\x1b[31m from double"]
    assert " Captured stderr call " in shown
    assert "careful" in shown
    assert "\x1b" not in shown


def test_nothing_is_shown_unasked(printing: Path) -> None:
    """Without -s and -rP nothing that a right submission prints is shown."""
    assert "hello" not in run_pytest(printing, "right")


@pytest.mark.parametrize("submission", ["right", "wrong"])
def test_shown_at_once_without_capture(printing: Path, submission: str) -> None:
    """With -s each call's output is shown once, when the test ends that asks for it, and before
    pytest's sections.
    """
    shown = run_pytest(printing, submission, "-s")
    tests = shown.partition("test_double.py")[2].partition("mpgrade: FAILURES")[0]
    told = "double(21) under fork printed:\nhello \\x1b[31m from double\n"
    assert tests.count(told) == 1
    assert shown.index(told) < shown.index("  Criterion")
    assert "\x1b" not in shown


def test_of_hidden_checks_nothing_is_shown(printing: Path) -> None:
    """What a call of a hidden criterion prints could tell what it was given, and is not shown."""
    file = printing / "double" / "assignment.toml"
    file.write_text(file.read_text().replace("points = 1\n", "points = 1\nhidden = true\n"))
    toml = file.read_text().replace("points = 1\nhidden = true\nfunctions", "points = 1\nfunctions")
    file.write_text(toml)
    shown = run_pytest(printing, "right", "-s", "-rP")
    assert "2 passed" in shown
    assert "hello" not in shown

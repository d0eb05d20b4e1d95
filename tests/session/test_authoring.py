"""What an author gets wrong in a test file is told in one line, with its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.running import run_command
from support.small_class import TESTS, set_up

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")

CHECKED = """
from pytest_mpgrade import checks
import pytest

@pytest.mark.criterion("values")
def test_double(student):
    run = student.call("double", 21)
    student.check(run, {})
"""


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        pytest.param(
            TESTS.replace("(student):", "(student)"),
            "test_double.py:5: SyntaxError: expected ':'",
            id="syntax",
        ),
        pytest.param(
            f"import no_such_thing\n{TESTS}",
            "test_double.py:1: ModuleNotFoundError: No module named 'no_such_thing'",
            id="import",
        ),
        pytest.param(
            TESTS.replace("(student)", "(studnt)"),
            "test_double.py:4: test_double: there is no fixture 'studnt'; did you mean 'student'?",
            id="fixture",
        ),
        pytest.param(
            TESTS.replace("(student)", "(student, studnet)"),
            "test_double.py:4: test_double: there is no fixture 'studnet'; did you mean 'student'?",
            id="second fixture",
        ),
        pytest.param(
            CHECKED.format("checks.returns_valu(42)"),
            "'pytest_mpgrade.judge.checks' has no attribute 'returns_valu'; did you mean"
            " 'returns_value'?",
            id="misspelt check",
        ),
        pytest.param(
            CHECKED.replace("    student.check(run, {})", "    checks.returns_value(42)"),
            "test_double.py:8: checks.returns_value(…) alone checks nothing: give it to"
            " student.check(run, …)",
            id="check that nobody makes",
        ),
        pytest.param(
            TESTS.replace("(student)", "(assignment)"),
            "test_double.py:4: test_double: it is a question of a criterion, and asks for neither"
            " student nor notebook",
            id="no fixture",
        ),
        pytest.param(
            CHECKED.format("checks.returns_value"),
            "the test itself broke at test_double.py:8: TypeError: checks.returns_value makes a"
            " check: call it, checks.returns_value(…)",
            id="no parentheses",
        ),
        pytest.param(
            CHECKED.format("lambda run: 3"),
            "the test itself broke at test_double.py:8: TypeError: <lambda>() returned int; a check"
            " returns a Finding",
            id="no finding",
        ),
    ],
)
def test_mistake_in_a_test_file(tmp_path: Path, tests: str, said: str) -> None:
    """The line names the file, the line and what is wrong, and nothing is graded."""
    course = set_up(tmp_path, ["ada"])
    (course / "double" / "test_double.py").write_text(tests)
    words = ["check", "double", "class/ada", "--out", "out"]
    done = run_command([sys.executable, "-m", "pytest_mpgrade", *words], course)
    assert done.returncode == 3
    assert said in " ".join(done.stdout.split())
    assert "INTERNALERROR" not in (course / "out" / "ada" / "pytest.log").read_text("utf-8")


@pytest.mark.parametrize("asked", [[], ["test_double.py"], ["test_double.py::test_double"]])
def test_tests_alone_are_told_what_they_need(tmp_path: Path, asked: list[str]) -> None:
    """An author who types `pytest` beside the tests gets one line in place of their tracebacks."""
    folder = set_up(tmp_path, []) / "double"
    done = run_command([sys.executable, "-m", "pytest", *asked], folder)
    assert done.returncode == 4
    assert f"{folder} is an assignment, and its tests need a submission: " in done.stderr
    assert "Error" not in done.stdout

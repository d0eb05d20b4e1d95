"""Tests of an assignment that are chosen as users of pytest and of editors choose them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.session import selection
from support.small_assignment import WRONG, author

__all__ = ["author"]  # a fixture

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")

Collect = Callable[..., list[str]]


@pytest.fixture
def folder(author: Path, pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a student's folder, as the starter is handed out."""
    pytester.makefile(".py", twice=WRONG)
    pytester.makeini(f"[pytest]\nmpgrade_assignment = {author / 'course' / 'twice'}\n")
    return pytester


def collected(folder: pytest.Pytester, *words: str) -> list[str]:
    """Return the ids that pytest lists for these words, as editors ask for them."""
    done = folder.runpytest_subprocess("--collect-only", "-q", *words)
    assert done.ret == 0, done.stdout.str()
    return [line for line in done.outlines if "::" in line]


def test_ids_can_be_used_again(folder: pytest.Pytester) -> None:
    """What pytest lists can be typed after it, one by one, also without the file's name."""
    ids = collected(folder)
    assert ids[0].startswith("test_twice.py::")
    assert len(ids) == 6
    assert collected(folder, ids[2], ids[4]) == [ids[2], ids[4]]
    assert collected(folder, ids[2].removeprefix("test_twice.py")) == [ids[2]]
    assert collected(folder, ".") == collected(folder, "test_twice.py") == ids


def test_failed_ones_are_listed_and_run_again(folder: pytest.Pytester) -> None:
    """`-v` names one failed test of each question; it, `--lf` and `-x` run as usual."""
    first = folder.runpytest_subprocess("-v")
    named = [line.split()[1] for line in first.outlines if line.startswith("FAILED ")]
    assert [name.partition("[")[0] for name in named] == [
        "test_twice.py::test_values",
        "test_twice.py::test_one",
    ]
    folder.runpytest_subprocess(named[1]).assert_outcomes(failed=1)
    folder.runpytest_subprocess("--lf").assert_outcomes(failed=3, deselected=3)
    folder.runpytest_subprocess("--lf", "-x").assert_outcomes(failed=1, deselected=3)


def test_failed_ones_of_one_criterion_run_again(folder: pytest.Pytester) -> None:
    """`--lf` leaves out whole criteria where nothing of them has failed."""
    folder.runpytest_subprocess("-k", "own")
    again = folder.runpytest_subprocess("--lf")
    again.assert_outcomes(failed=1, deselected=5)


def test_name_without_a_file_is_told(folder: pytest.Pytester) -> None:
    """A test's name alone is no file: a line says what to type, and blames nobody else."""
    done = folder.runpytest_subprocess("test_values")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert done.errlines[0] == (
        "ERROR: there is no file test_values; a test is named so: pytest ::test_values"
    )
    missing = folder.runpytest_subprocess("test_values.py")
    assert missing.ret == pytest.ExitCode.USAGE_ERROR
    assert "criterion" not in "".join(missing.errlines)


def test_criteria_are_keywords_and_markers(folder: pytest.Pytester) -> None:
    """What the rubric is made of can be chosen."""
    own = collected(folder, "-k", "own")
    assert own == collected(folder, "-m", "own", "--strict-markers")
    assert [each.partition("[")[0] for each in own] == ["test_twice.py::test_one"]


def test_module_is_no_test_file(folder: pytest.Pytester) -> None:
    """Who names the module is told in one line what to type."""
    done = folder.runpytest_subprocess("twice.py")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [each for each in done.errlines + done.outlines if each.startswith("ERROR")]
    assert "twice.py is what is graded, and holds no tests" in line
    assert 'pytest "test_twice.py::' in line


def test_each_cause_is_told_once(folder: pytest.Pytester) -> None:
    """Failures under both start methods are one entry, and no traceback is shown."""
    done = folder.runpytest_subprocess()
    text = done.stdout.str()
    assert text.count("no task ran in a child") <= 2  # its explanation, and what to fix first
    assert "under fork and spawn" in text
    assert "Traceback" not in text
    done.assert_outcomes(failed=3, passed=3)


def test_other_tests_fail_as_usual(folder: pytest.Pytester) -> None:
    """A test of a student's own keeps its traceback, beside those of the assignment."""
    own = folder.makepyfile(test_mine="def test_mine():\n    assert 1 == 2\n")
    done = folder.runpytest_subprocess("test_twice.py", own.name)
    done.assert_outcomes(failed=4, passed=3)
    done.stdout.fnmatch_lines(["*_ test_mine _*", "*assert 1 == 2*", "Fix this first"])


def test_own_files_are_left_alone(tmp_path: Path) -> None:
    """What a student has written is meant where it exists; a folder with tests is one of theirs."""
    theirs = tmp_path / "elsewhere" / "test_x.py"
    (tmp_path / "x.py").write_text("")
    assert selection.places(["a_test.py::t"], tmp_path, theirs, "x.py") == ["a_test.py::t"]
    assert selection.places(["."], tmp_path, theirs, "x.py") == [f"{theirs}"]
    (tmp_path / "test_x.py").write_text("")
    assert selection.places([".", "test_x.py::t"], tmp_path, theirs, "x.py") == [
        ".",
        "test_x.py::t",
    ]
    with pytest.raises(UsageError):
        selection.places(["x.py"], tmp_path, theirs, "x.py")

"""Gradings with pytest's own options, and beside the plugins that many projects have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.export_formats import HIDDEN_TESTS, HIDDEN_TOML
from support.running import run_command
from support.small_assignment import (
    RIGHT,
    RIGHT_OUTCOMES,
    author,
    command,
    grade,
    outcomes,
    put,
    result,
)

__all__ = ["author"]  # a fixture

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="POSIX signals, and observes with ptrace"
)


def test_help_and_markers(pytester: pytest.Pytester) -> None:
    """`pytest --help` and `--markers` name what the plugin adds, with or without an assignment."""
    said = pytester.runpytest_subprocess("--help").stdout.str()
    assert "grading of assignments on process-based parallelism" in said
    for option in (
        "--mpgrade=ASSIGNMENT",
        "--mpgrade-submission=PATH",
        "--mpgrade-isolation",
        "mpgrade_assignment",
    ):
        assert option in said
    markers = pytester.runpytest_subprocess("--markers").stdout.str()
    assert "@pytest.mark.criterion(name, weight=1): " in markers
    assert "@pytest.mark.start_methods(*names): " in markers


def with_cache(author: Path, submission: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Grade with pytest's cache."""
    words = [word for word in command(author, submission, *options) if word != "no:cacheprovider"]
    words.remove("-p")
    return run_command([*words, "-o", f"cache_dir={author / 'cache'}"], author)


def test_last_failed(author: Path) -> None:
    """`--lf` grades only what failed before, and its result holds nothing else."""
    assert with_cache(author, "wrong").returncode == 1
    failed = {
        id.partition("/")[0]
        for id, outcome in outcomes(result(author / "out")).items()
        if outcome == "failed"
    }
    assert with_cache(author, "right", "--lf").returncode == 0
    found = outcomes(result(author / "out"))
    assert {id.partition("/")[0] for id in found} == failed
    assert set(found.values()) == {"passed"}


def test_verbose(author: Path) -> None:
    """`-v` names each test with its start method, and shows the rubric."""
    said = grade(author, "right", "-v").stdout
    assert "::test_values[spawn] PASSED" in said
    assert "Right values" in said


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_junit_properties(author: Path, spread: tuple[str, ...]) -> None:
    """`--junitxml` has points, concerns and start method for each test, and the points add up to
    the score.
    """
    assert grade(author, "wrong", "--junitxml=junit.xml", *spread).returncode == 1
    cases = {
        case.get("name"): case for case in ElementTree.parse(author / "junit.xml").iter("testcase")
    }
    told = {
        str(name): {one.get("name"): one.get("value") for one in case.iter("property")}
        for name, case in cases.items()
    }
    found = result(author / "out")
    for name, properties in told.items():
        checks = [check for check in found["checks"] if f"::{name}/" in check["id"]]
        passed = all(check["outcome"] == "passed" for check in checks)
        assert properties["points"] == (properties["max_points"] if passed else "0")
        assert properties["start_method"] == checks[0]["start_method"]
    assert sum(float(str(each["points"])) for each in told.values()) == pytest.approx(
        found["score"], abs=1e-9
    )
    assert sum(float(str(each["max_points"])) for each in told.values()) == pytest.approx(
        4.0, abs=1e-9
    )
    assert told["test_values[spawn]"]["concern"] == "results, workers"
    assert told["test_one[fork]"] == {
        "points": "0",
        "max_points": "1",
        "visibility": "visible",
        "criterion": "own",
        "concern": "results",
        "start_method": "fork",
    }
    assert cases["test_one[fork]"].find("failure") is not None


def test_junit_properties_of_hidden_checks(tmp_path: Path) -> None:
    """Where a student runs pytest, the file has of hidden tests the points only."""
    put(tmp_path / "double" / "assignment.toml", HIDDEN_TOML)
    put(tmp_path / "double" / "test_double.py", HIDDEN_TESTS)
    put(tmp_path / "ada" / "double.py", "def double(x):\n    return 42\n")
    words = [
        "-p",
        "no:cacheprovider",
        "--mpgrade=double",
        "--mpgrade-submission=ada",
        "--junitxml=junit.xml",
    ]
    run_command([sys.executable, "-m", "pytest", *words], tmp_path)
    text = (tmp_path / "junit.xml").read_text("utf-8")
    (case,) = (
        case
        for case in ElementTree.fromstring(text).iter("testcase")
        if "secret" in case.get("name", "")
    )
    assert {one.get("name") for one in case.iter("property")} == {
        "points",
        "max_points",
        "visibility",
    }
    assert "secret message" not in text
    assert "secret_criterion" not in text


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_coverage(author: Path, spread: tuple[str, ...]) -> None:
    """Beside pytest-cov the result is the same, and coverage is reported."""
    pytest.importorskip("pytest_cov")
    done = grade(author, "right", "--cov=course", "--cov-report=xml:coverage.xml", *spread)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(result(author / "out")) == RIGHT_OUTCOMES
    assert "test_twice.py" in (author / "coverage.xml").read_text("utf-8")


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_html(author: Path, spread: tuple[str, ...]) -> None:
    """pytest-html shows the explanation of what failed."""
    pytest.importorskip("pytest_html")
    assert (
        grade(author, "wrong", "--html=report.html", "--self-contained-html", *spread).returncode
        == 1
    )
    page = (author / "report.html").read_text("utf-8")
    assert "no task ran in a child" in page
    assert result(author / "out")["status"] == "graded"


def test_collection_of_several_processes_runs_nothing(author: Path) -> None:
    """`--co` imports no submission under pytest-xdist either, where a grading would."""
    put(author / "right" / "twice.py", f"open({str(author / 'was here')!r}, 'w').close()\n" + RIGHT)
    assert grade(author, "right", "--mpgrade-isolation=none", "--co", "-n", "2").returncode == 0
    assert not (author / "was here").exists()
    assert (
        grade(author, "right", "--mpgrade-isolation=none", "-k", "test_one", "-n", "2").returncode
        == 0
    )
    assert (author / "was here").exists()

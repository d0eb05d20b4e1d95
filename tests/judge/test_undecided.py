"""What this machine could not decide costs a right solution nothing, from the first check to a
course's gradebook.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from pytest_mpgrade.report.exports import FORMATS
from support.export_formats import READ
from support.running import run_command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="POSIX signals")

TOML = """
name = "double"
title = "Double a number"
module = "double.py"
points = 20
functions = ["double(x)"]
start_methods = ["fork", "spawn"]
test = "test_double.py"

[[criteria]]
name = "values"
points = 9.7

[[criteria]]
name = "more"
points = 7.3
requires = ["values"]

[[criteria]]
name = "speed"
points = 3
requires = ["values", "more"]

[limits]
seconds = 10
"""
TESTS = '''
import pytest

from pytest_mpgrade import checks
from pytest_mpgrade.records import Concern, Finding, Outcome


def busy(run):
    """What `keeps_up_with_reference` says where other programs have the cores."""
    return Finding(
        check="keeps_up", title="keeps up", concern=Concern.SPEEDUP,
        outcome=Outcome.INCONCLUSIVE, message="this machine was too busy",
    )


@pytest.mark.criterion("values")
@pytest.mark.parametrize("x", [1, 2, 21])
def test_values(student, x):
    """Values are right."""
    student.check(student.call("double", x), checks.returns_value(2 * x))


@pytest.mark.criterion("values", weight=0.3)
def test_partly(student):
    """A check of a unit is left undecided, beside one that has passed."""
    student.check(student.call("double", 3), checks.returns_value(6), busy)


@pytest.mark.criterion("more")
@pytest.mark.start_methods("any")
def test_more(student):
    """More values are right."""
    student.check(student.call("double", 4), checks.returns_value(8))


@pytest.mark.criterion("more")
def test_not_here(student, start_method):
    """This platform cannot show it under spawn."""
    if start_method == "spawn":
        pytest.skip("not to be seen under spawn")
    student.check(student.call("double", 5), checks.returns_value(10))


@pytest.mark.criterion("more", weight=0.2)
@pytest.mark.start_methods("any")
def test_breaks(student):
    """The grader breaks."""
    raise RuntimeError("the grader broke")


@pytest.mark.criterion("speed")
@pytest.mark.start_methods("any")
def test_speed(student):
    """It keeps up."""
    student.check(student.call("double", 6), busy)
'''
RIGHT = "def double(x):\n    return 2 * x\n"
WRONG = "def double(x):\n    return 2 * x if x < 21 else x\n"
SHEET = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Double a number (12345)\n"
    "    Points Possible,,,,,20\n"
    "Ada,1,,ada,A,\nBen,2,,ben,A,\n"
)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a folder with the assignment, a right submission and one that has one value wrong."""
    files = {
        "double/assignment.toml": TOML,
        "double/test_double.py": TESTS,
        "class/ada/double.py": RIGHT,
        "class/ben/double.py": WRONG,
        "sheet.csv": SHEET,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def mpgrade(course: Path, *words: str) -> str:
    """Run a command that ends well, or with failed checks; return what it says."""
    common = ("--assignment", "double", "--out", "out", "--no-require-isolation")
    done = run_command([sys.executable, "-m", "pytest_mpgrade", *words, *common], course)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_class_with_undecided_checks(course: Path) -> None:
    """In result.json, gradebook.csv and the course's sheet the right solution has 20 of 20, the
    wrong one less.
    """
    mpgrade(course, "batch", "class", "--gradebook", "canvas", "sheet.csv")
    ada = json.loads((course / "out" / "ada" / "result.json").read_text("utf-8"))
    assert (ada["status"], ada["score"], ada["max_score"]) == ("graded", 20.0, 20.0)
    # Speed's 3 points; of 7.3 a question that breaks (0.2 of 2.2), and of one with the weight 1 a
    # unit of two.
    assert ada["undecided"]["points"] == pytest.approx(
        3 + 7.3 * 0.2 / 2.2 + 7.3 / 2.2 / 2, abs=0.005
    )
    assert ada["undecided"]["why"] == [
        "test: not to be seen under spawn",
        "test: the test itself broke at test_double.py:48: RuntimeError: the grader broke",
        "keeps_up: this machine was too busy",
    ]
    assert [each["points"] for each in ada["criteria"]] == [
        each["max_points"] for each in ada["criteria"]
    ]
    with (course / "out" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    assert (rows["ada"]["score"], rows["ada"]["max_score"], rows["ada"]["speed"]) == (
        "20",
        "20",
        "0",
    )
    # Of "values", 9.7 of the 17 points that count, ben lacks a third of the weight 1 of 1.3.
    left = 20 - 20 * 9.7 / 17 / 1.3 / 3
    assert float(rows["ben"]["score"]) == pytest.approx(left, abs=0.005)
    assert rows["ben"]["max_score"] == "20"
    with (course / "out" / "sheet.csv").open(encoding="utf-8", newline="") as file:
        filled = {row[3]: row[5] for row in csv.reader(file)}
    assert (filled["ada"], filled["ben"]) == ("20", rows["ben"]["score"])


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_exports_with_undecided_checks(course: Path, name: str) -> None:
    """Every format gives the right solution exactly all points, and the other one those of its
    result.
    """
    formats = [f"--format={each}=res/{each}" for each in FORMATS]
    said = mpgrade(course, "grade", f"class/{name}", *formats)
    result = json.loads((course / "out" / name / "result.json").read_text("utf-8"))
    for each in FORMATS:
        points, graded = READ[each]((course / "res" / each).read_text("utf-8"))
        assert graded, each
        assert points == (20.0 if name == "ada" else pytest.approx(result["score"], abs=0.011)), (
            each
        )
    shared = "of the points could not be decided here, and were spread over the others"
    assert shared in " ".join(said.split())
    assert ("20 / 20" in said) is (name == "ada")

"""The result in the formats of the places where it is awaited: right, and fail closed, whatever happens."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from conftest import run_command, variables, wait_until
from test_batch import RIGHT, SOLUTIONS, TESTS, TOML

from pytest_mpgrade.records import Criterion, Status
from pytest_mpgrade.report.exports import FORMATS, classroom50
from pytest_mpgrade.report.result_json import CheckPart, ResultFile, SubmissionPart

NUMBER, TEXT, WHOLE = {"type": "number", "minimum": 0}, {"type": "string"}, {"type": "integer", "minimum": 0}
GRADESCOPE: dict[str, Any] = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": NUMBER, "execution_time": NUMBER, "output": TEXT, "stdout_visibility": {"const": "hidden"},
        "output_format": {"enum": ["text", "html", "simple_format", "md", "ansi"]}, "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "score", "max_score"],
                "properties": {
                    "name": TEXT, "number": TEXT, "score": NUMBER, "max_score": NUMBER, "output": TEXT,
                    "status": {"enum": ["passed", "failed"]}, "output_format": {"const": "text"},
                    "tags": {"type": "array", "items": TEXT},
                },
            },
        },
    },
}  # fmt: skip
CLASSROOM50: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "schema", "classroom", "assignment", "submission", "commit", "release", "review", "datetime", "score",
        "max-score", "tests",
    ],
    "properties": {
        **dict.fromkeys(("classroom", "assignment", "commit", "release", "review"), TEXT),
        "schema": {"const": "classroom50/result/v1"},
        "submission": {"pattern": "^(submit/|$)"},
        "datetime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "score": WHOLE,
        "max-score": WHOLE,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {"test-name": TEXT, "passed": {"type": "boolean"}, "score": WHOLE, "max-score": WHOLE},
            },
        },
    },
}  # fmt: skip
PRAIRIELEARN: dict[str, Any] = {
    "type": "object",
    "required": ["gradable", "score", "tests"],
    "properties": {
        "gradable": {"type": "boolean"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "tests": {
            "type": "array",
            "items": {"type": "object", "required": ["name", "points", "max_points"], "properties": {"points": NUMBER}},
        },
    },
}


def gradescope(text: str) -> tuple[float, bool]:
    """Hold a file against the format; return the points that it gives, and whether it says that it is graded."""
    body = json.loads(text)
    jsonschema.validate(body, GRADESCOPE)
    assert body["score"] == pytest.approx(sum(test["score"] for test in body["tests"]))
    return body["score"], body["extra_data"]["status"] == "graded"


def hundredths(text: str) -> tuple[float, bool]:
    """Hold a file of Classroom 50 against its schema."""
    body = json.loads(text)
    jsonschema.validate(body, CLASSROOM50)
    assert body["score"] == sum(test["score"] for test in body["tests"]) <= body["max-score"]
    return body["score"] / 100, body["tests"][-1]["test-name"] != "graded"


def prairielearn(text: str) -> tuple[float, bool]:
    """Hold a file of PrairieLearn against its format."""
    body = json.loads(text)
    jsonschema.validate(body, PRAIRIELEARN)
    assert len(text) < 1_000_000
    return sum(test["points"] for test in body["tests"]), body["gradable"]


def autolab(text: str) -> tuple[float, bool]:
    """Read the last line, as Autolab does."""
    body = json.loads(text.strip().splitlines()[-1])
    assert body["scoreboard"] == [sum(body["scores"].values())]
    return body["scoreboard"][0], "not graded" not in text


def junit(text: str) -> tuple[float, bool]:
    """Add up the properties of all cases."""
    suite = ElementTree.fromstring(text)[0]
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    points = [float(each.attrib["value"]) for each in suite.iter("property") if each.attrib["name"] == "points"]
    return sum(points), all(case.attrib["name"] != "graded" for case in cases)


READ: dict[str, Callable[[str], tuple[float, bool]]] = {
    "gradescope": gradescope, "classroom50": hundredths, "prairielearn": prairielearn, "autolab": autolab,
    "junit": junit,
}  # fmt: skip


def test_all_are_held_against_their_formats() -> None:
    """No export is left out here."""
    assert READ.keys() == FORMATS.keys()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with an assignment of a point."""
    (tmp_path / "double").mkdir()
    (tmp_path / "double" / "assignment.toml").write_text(TOML + "\n[limits]\nseconds = 2\n")
    (tmp_path / "double" / "test_double.py").write_text(TESTS)
    return tmp_path


def words(place: Path, text: str, *options: str) -> list[str]:
    """Return the command line that grades a submission into all formats."""
    (place / "ada").mkdir()
    (place / "ada" / "double.py").write_text(text)
    command = [sys.executable, "-m", "pytest_mpgrade", "grade", "ada", "--assignment", "double", "--out", "out"]
    command += ["--no-require-isolation", *(f"--format={name}=res/{name}" for name in FORMATS)]
    return [*command, *options]


def read(place: Path) -> set[tuple[float, bool]]:
    """Return what the files say; all say the same."""
    return {read(((place / "res") / name).read_text("utf-8")) for name, read in READ.items()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RIGHT, (1.0, True)),
        (SOLUTIONS["ben"], (0.0, True)),
        (SOLUTIONS["dan"], (0.0, True)),  # hangs
        (SOLUTIONS["chloe"], (0.0, False)),  # a syntax error
        ("raise ValueError('\x1b[31m <&> \x00')".replace("\x00", ""), (0.0, False)),
    ],
)
def test_endings(place: Path, text: str, said: tuple[float, bool]) -> None:
    """Success, failure, a hang, and what cannot be imported."""
    done = run_command(words(place, text), place)
    assert read(place) == {said}, done.stderr


def test_killed_grader(place: Path) -> None:
    """A grader that is killed leaves files that give nothing, and say so."""
    process = subprocess.Popen(
        words(place, SOLUTIONS["dan"], "--limit", "seconds=60", "--limit", "patience=60"), cwd=place, env=variables(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert wait_until(lambda: (place / "out" / "ada" / "pytest.log").exists())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read(place) == {(0.0, False)}


def test_unknown_format(place: Path) -> None:
    """A name that there is not is one line."""
    done = run_command([*words(place, RIGHT)[:-1], "--format", "grade_scope"], place)
    assert done.returncode == 2
    assert "'grade_scope' is none of gradescope, " in done.stderr


def test_awkward_text() -> None:
    """Whatever a submission printed, files can be read."""
    check = CheckPart(
        id="test_x.py::test_é/values", title="t", concern="results", criterion="all", start_method="fork",  # type: ignore[arg-type]
        outcome="failed", points=0.0, max_points=1.0, message="\x00\x1b[31m ]]> <&>\udc80", hint="h", evidence={},  # type: ignore[arg-type]
        seconds=0.1,
    )  # fmt: skip
    result = ResultFile(
        schema="mpgrade.result/1", assignment="x", submission=SubmissionPart(id="a", path="a", module="a", sha256=""),
        score=0.0, max_score=1.0, status=Status.GRADED, checks=(check,), started="2026-11-23T03:00:00Z",
    )  # fmt: skip
    for name, (_, render) in FORMATS.items():
        text = render(result, (Criterion(name="all", points=1.0),)).encode("utf-8", "backslashreplace").decode()
        assert READ[name](text) == (0.0, True), name


def test_classroom_50_says_which_commit(place: Path) -> None:
    """What its hook has in the environment stands in the result."""
    names = {"SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d", "CLASSROOM": "c", "ASSIGNMENT": "a"}
    result = ResultFile(
        schema="s", assignment="x", submission=SubmissionPart(id="a", path="a", module="a", sha256=""), score=0.0,
        max_score=0.0, status=Status.ERROR, reason="r", checks=(), started="2026-11-23T03:00:00Z",
    )  # fmt: skip
    body = json.loads(classroom50.render(dataclasses.replace(result), (), names))
    assert (body["submission"], body["classroom"]) == (names["SUBMISSION_TAG"], "c")

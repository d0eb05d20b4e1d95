"""An author's own small assignment, "apply tasks in child processes", and `mpgrade grade` on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_mpgrade.records import Concern, Outcome
from support.running import run_command

OUTCOMES = [str(outcome) for outcome in Outcome]

CONCERNS = [str(concern) for concern in Concern]

TEXT = {"type": "string"}

NUMBER = {"type": "number", "minimum": 0}

SHARE = {"type": "number", "minimum": 0, "maximum": 1}

UNIT: dict[str, Any] = {
    "type": "object",
    "required": ["start_method", "variant", "outcome", "share"],
    "additionalProperties": False,
    "properties": {
        "start_method": {"enum": ["", "fork", "spawn", "forkserver"]},
        "variant": TEXT,
        "outcome": {"enum": OUTCOMES},
        "share": SHARE,
        "undecided": {"const": True},
    },
    "if": {"properties": {"outcome": {"enum": ["passed", "failed"]}}},
    "else": {"properties": {"share": {"const": 0}}},
}

QUESTION: dict[str, Any] = {
    "type": "object",
    "required": ["id", "title", "points", "max_points", "units"],
    "additionalProperties": False,
    "properties": {
        "id": {"pattern": r"^[^\[]+$"},
        "title": {"type": "string", "minLength": 1},
        "points": NUMBER,
        "max_points": NUMBER,
        "units": {"type": "array", "items": UNIT, "minItems": 1},
    },
}

CRITERION: dict[str, Any] = {
    "type": "object",
    "required": ["name", "title", "points", "max_points", "questions"],
    "additionalProperties": False,
    "properties": {
        "name": TEXT,
        "title": {"type": "string", "minLength": 1},
        "points": NUMBER,
        "max_points": NUMBER,
        "undecided": NUMBER,
        "reason": TEXT,
        "questions": {"type": "array", "items": QUESTION},
    },
}

CAUSE: dict[str, Any] = {
    "type": "object",
    "required": ["concern", "change", "seen", "points", "questions", "start_methods", "checks"],
    "additionalProperties": False,
    "properties": {
        "concern": {"enum": CONCERNS},
        "change": {"type": "string", "minLength": 1},
        "seen": {"type": "string", "minLength": 1},
        "source": {"type": "object", "required": ["file"]},
        "points": NUMBER,
        "questions": {"type": "array", "items": TEXT},
        "start_methods": {"type": "array", "items": TEXT},
        "checks": {"type": "array", "items": TEXT, "minItems": 1},
    },
}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [
        "schema",
        "assignment",
        "submission",
        "score",
        "max_score",
        "status",
        "undecided",
        "criteria",
        "checks",
        "containment",
        "environment",
        "started",
        "seconds",
    ],
    "properties": {
        "schema": {"const": "mpgrade.result/2"},
        "assignment": TEXT,
        "submission": {
            "type": "object",
            "required": ["id", "path", "module", "sha256"],
            "properties": {
                "id": TEXT,
                "path": TEXT,
                "module": TEXT,
                "sha256": {"pattern": "^([0-9a-f]{64})?$"},
            },
        },
        "score": NUMBER,
        "max_score": NUMBER,
        "status": {"enum": ["graded", "ungradable", "error"]},
        "reason": TEXT,
        "undecided": {
            "type": "object",
            "required": ["points", "why"],
            "additionalProperties": False,
            "properties": {"points": NUMBER, "why": {"type": "array", "items": TEXT}},
        },
        "criteria": {"type": "array", "items": CRITERION, "minItems": 1},
        "causes": {"type": "array", "items": CAUSE, "minItems": 1},
        "checks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    "id",
                    "title",
                    "concern",
                    "criterion",
                    "question",
                    "start_method",
                    "outcome",
                    "message",
                    "hint",
                    "evidence",
                    "seconds",
                ],
                "properties": {
                    "id": {"type": "string", "minLength": 1},
                    "title": {"type": "string", "minLength": 1},
                    "concern": {"enum": CONCERNS},
                    "criterion": TEXT,
                    "start_method": {"enum": ["", "fork", "spawn", "forkserver"]},
                    "outcome": {"enum": OUTCOMES},
                    "question": TEXT,
                    "message": TEXT,
                    "hint": TEXT,
                    "evidence": {"type": "object"},
                    "seconds": NUMBER,
                },
                "not": {"required": ["points"]},
            },
        },
        "containment": {"type": "object", "required": ["level", "missing"]},
        "environment": {"type": "object", "required": ["python", "platform", "cpus", "mpgrade"]},
        "started": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "seconds": NUMBER,
    },
    "if": {"properties": {"status": {"const": "graded"}}},
    "else": {"required": ["reason"], "properties": {"reason": {"minLength": 1}}},
}
"""As docs/contract.md, result-file, has them."""

TOML = """
name = "twice"
title = "Apply tasks in child processes"
module = "twice.py"
points = 4
functions = ["apply_all(tasks)", "one()"]
start_methods = ["fork", "spawn"]
test = "test_twice.py"
criteria = [
    {name = "values", points = 3, title = "Right values"},
    {name = "own", points = 1, title = "Says one"},
]

[limits]
seconds = 10
import_seconds = 5
patience = 1
"""

TESTS = '''
"""Grading of twice."""

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Concern, Ending, Finding, Outcome

FEW = tasks.square([3, 5])


def in_children(run):
    """Judge as a course author would: a plain function from a Run to a Finding."""
    senders = {event.pid for event in run.trace.events}
    inside = run.trace.caller in senders or not senders
    return Finding(
        check="in_children",
        title="the tasks run in child processes",
        concern=Concern.WORKERS,
        outcome=Outcome.FAILED if inside else Outcome.PASSED,
        message="no task ran in a child" if inside else "",
    )


@pytest.mark.criterion("values")
def test_import(student):
    """The module can be imported."""
    student.check(student.imported(), checks.imports_cleanly())


@pytest.mark.criterion("values")
def test_values(student):
    """Every task has its value."""
    run = student.call("apply_all", FEW)
    student.check(run, checks.values_in_any_order(FEW), in_children)


@pytest.mark.criterion("own")
@pytest.mark.start_methods("any")
def test_one(student, assignment):
    """one() is one."""
    run = student.call("one")
    assert run.value == 1, f"one() of {assignment.name} gave {run.value}"


@pytest.mark.criterion("values")
@pytest.mark.start_methods("fork")
def test_as_the_reference(student, reference):
    """The values are those of the trusted solution."""
    values = [sorted(each.call("apply_all", FEW).value) for each in (student, reference)]
    assert values[0] == values[1]
'''

RIGHT = """
import multiprocessing as mp


def _work(todo, done):
    for func, args in iter(todo.get, "STOP"):
        done.put(func(*args))


def apply_all(tasks):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    p = mp.Process(target=_work, args=(todo, done))
    p.start()
    for task in [*tasks, "STOP"]:
        todo.put(task)
    results = [done.get() for _ in tasks]
    p.join()
    return results


def one():
    return 1
"""

WRONG = """
def apply_all(tasks):
    return [func(*args) for func, args in tasks]


def one():
    return 2
"""


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """Return a course author's folder: an assignment `twice` with its reference beside it, and two
    submissions.
    """
    put(tmp_path / "course" / "twice" / "assignment.toml", TOML)
    put(tmp_path / "course" / "twice" / "test_twice.py", TESTS)
    put(tmp_path / "course" / "twice" / "reference" / "twice.py", RIGHT)
    put(tmp_path / "right" / "twice.py", RIGHT)
    put(tmp_path / "wrong" / "twice.py", WRONG)
    return tmp_path


def put(path: Path, text: str) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def command(author: Path, submission: str, *options: str) -> list[str]:
    """Return the command line that grades a submission with pytest into the folder `out`."""
    course = author / "course" / "twice"
    return [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--color=no",
        "--rootdir",
        str(course),
        f"--mpgrade={course}",
        f"--mpgrade-submission={author / submission}",
        f"--mpgrade-out={author / 'out'}",
        *options,
    ]


def grade(author: Path, submission: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Grade a submission with pytest."""
    return run_command(command(author, submission, *options), author)


def result(path: Path) -> Any:
    """Read a result file and hold it against the contract."""
    found = json.loads((path / "result.json").read_text("utf-8"))
    jsonschema.validate(found, SCHEMA)
    asked = {question["id"] for each in found["criteria"] for question in each["questions"]}
    for key, whole in (("points", "score"), ("max_points", "max_score")):
        assert found[whole] == pytest.approx(sum(each[key] for each in found["criteria"]), abs=1e-9)
        for each in found["criteria"]:
            if asked or found["status"] == "graded":  # what was not even collected has no questions
                assert each[key] == pytest.approx(
                    sum(one[key] for one in each["questions"]), abs=1e-9
                )
    assert asked == {check["question"] for check in found["checks"] if check["criterion"]}
    assert len({check["id"] for check in found["checks"]}) == len(found["checks"])
    return found


def outcomes(found: Any) -> dict[str, str]:
    """Return the outcome of each check."""
    return {check["id"]: check["outcome"] for check in found["checks"]}


RIGHT_OUTCOMES = {
    "test_twice.py::test_import[fork]/imports_cleanly": "passed",
    "test_twice.py::test_import[spawn]/imports_cleanly": "passed",
    "test_twice.py::test_values[fork]/values_in_any_order": "passed",
    "test_twice.py::test_values[fork]/in_children": "passed",
    "test_twice.py::test_values[spawn]/values_in_any_order": "passed",
    "test_twice.py::test_values[spawn]/in_children": "passed",
    "test_twice.py::test_one[fork]/test": "passed",
    "test_twice.py::test_as_the_reference[fork]/test": "passed",
}

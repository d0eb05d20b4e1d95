"""Each export read back as the place that awaits it would, and results to export."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report.result_json import ResultFile
from support import github_actions
from support.results import ALL, finding, placed
from support.results import result as graded
from support.running import ROOT
from support.small_class import TESTS, TOML

NUMBER, TEXT, WHOLE = (
    {"type": "number", "minimum": 0},
    {"type": "string"},
    {"type": "integer", "minimum": 0},
)
GRADESCOPE: dict[str, Any] = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": NUMBER,
        "execution_time": NUMBER,
        "output": TEXT,
        "stdout_visibility": {"const": "hidden"},
        **{
            key: {"const": "text"}
            for key in ("output_format", "test_output_format", "test_name_format")
        },
        "visibility": {"const": "visible"},
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "score", "max_score"],
                "properties": {
                    "name": TEXT,
                    "number": TEXT,
                    "score": NUMBER,
                    "max_score": NUMBER,
                    "output": TEXT,
                    "status": {"enum": ["passed", "failed"]},
                    "output_format": {"const": "text"},
                    "name_format": {"const": "text"},
                    "tags": {"type": "array", "items": TEXT},
                    "visibility": {"const": "visible"},
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {
                    "name": TEXT,
                    "value": {"type": ["number", "string"]},
                    "order": {"const": "asc"},
                },
            },
        },
    },
}

CLASSROOM50: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "schema",
        "classroom",
        "assignment",
        "submission",
        "commit",
        "release",
        "review",
        "datetime",
        "score",
        "max-score",
        "tests",
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
                "properties": {
                    "test-name": TEXT,
                    "passed": {"type": "boolean"},
                    "score": WHOLE,
                    "max-score": WHOLE,
                },
            },
        },
    },
}

PRAIRIELEARN: dict[str, Any] = {
    "type": "object",
    "required": ["gradable", "score", "tests"],
    "properties": {
        "gradable": {"type": "boolean"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "points", "max_points"],
                "properties": {"points": NUMBER},
            },
        },
    },
}


def gradescope(text: str) -> tuple[float, bool]:
    """Hold a file against the format; return the points that it gives, and whether it says that it
    is graded.
    """
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
    assert body["scoreboard"] == [pytest.approx(math.fsum(body["scores"].values()), abs=1e-9)]
    return body["scoreboard"][0], "not graded" not in text


def junit(text: str) -> tuple[float, bool]:
    """Add up the properties of all cases, each of which is one unit."""
    suite = ElementTree.fromstring(text)[0]
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    points = [
        float(each.attrib["value"])
        for each in suite.iter("property")
        if each.attrib["name"] == "points"
    ]
    return round(math.fsum(points), 6), all(case.attrib["name"] != "graded" for case in cases)


def github(text: str) -> tuple[float, bool]:
    """Add up what the runners of GitHub's reporter give; tests/test_github.py has more."""
    body = json.loads(text)
    for each in body["outputs"].values():
        jsonschema.validate(each, github_actions.PAYLOAD)
    runners = [body["outputs"][name] for name in body["runners"].split(",")]
    score = sum(test["score"] for each in runners for test in each["tests"])
    return score, body["outputs"]["result"]["status"] != "error"


def schema(name: str) -> Any:
    """Return a schema that others publish; tests/data/schemas says where it is from."""
    return json.loads((ROOT / "tests" / "data" / "schemas" / name).read_text("utf-8"))


def sarif(text: str) -> tuple[float, bool]:
    """Hold a log against the schema of OASIS; each result names one of its rules."""
    body = json.loads(text)
    jsonschema.validate(body, schema("sarif-2.1.0.json"), jsonschema.Draft202012Validator)
    (run,) = body["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
    said = run["properties"]
    return math.fsum(said["points"].values()), said["status"] == "graded"


def ctrf(text: str) -> tuple[float, bool]:
    """Hold a report against its schema; its counts are those of its tests."""
    body = json.loads(text)
    jsonschema.validate(body, schema("ctrf-schema-0.0.json"), jsonschema.Draft7Validator)
    tests, summary = body["results"]["tests"], body["results"]["summary"]
    assert summary["tests"] == len(tests)
    kinds = ("passed", "failed", "skipped", "pending", "other")
    assert [summary[kind] for kind in kinds] == [
        sum(test["status"] == kind for test in tests) for kind in kinds
    ]
    earned = math.fsum(test.get("extra", {}).get("points", 0) for test in tests)
    return round(earned, 6), all(test["name"] != "graded" for test in tests)


READ: dict[str, Callable[[str], tuple[float, bool]]] = {
    "gradescope": gradescope,
    "classroom50": hundredths,
    "prairielearn": prairielearn,
    "autolab": autolab,
    "junit": junit,
    "github": github,
    "sarif": sarif,
    "ctrf": ctrf,
}

HIDDEN_TOML = (
    TOML.replace("points = 1", "points = 2", 1)
    + """
[[criteria]]
name = "secret_criterion"
title = "Secret title"
points = 1
hidden = true
"""
)

HIDDEN_TESTS = (
    TESTS
    + """

@pytest.mark.criterion("secret_criterion")
def test_secret_name(student):
    run = student.call("double", 123454321)
    assert run.value == 246908642, "secret message"
"""
)


def check_part(
    test: str = "test_x.py::test_x[fork]",
    criterion: str = "all",
    outcome: Outcome = Outcome.FAILED,
    **more: Any,
) -> Placed:
    """Return what the check of a test has found."""
    (one,) = placed(test, finding(outcome, **more), criterion=criterion)
    return one


def result_of(*found: Placed, criteria: Sequence[Criterion] = ALL) -> ResultFile:
    """Return the result of a grading that has found this."""
    return graded(found, criteria, status=Status.GRADED, reason="")

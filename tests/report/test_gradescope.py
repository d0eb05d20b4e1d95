"""What Gradescope is told: of the grading, of lateness and earlier submissions, and for its
leaderboard.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_mpgrade.records import Criterion, Outcome
from pytest_mpgrade.report.exports import gradescope
from support.export_formats import GRADESCOPE, check_part, result_of

CRITERIA = (Criterion(name="all", title="All of it", points=1.0),)
METADATA: dict[str, Any] = {
    "id": 123456,
    "created_at": "2026-07-01T14:22:32.365935-07:00",
    "assignment": {
        "due_date": "2026-06-29T18:00:00.000000-07:00",
        "late_due_date": None,
        "title": "HW3",
    },
    "submission_method": "upload",
    "users": [{"email": "ada@x.edu", "id": 1, "name": "Ada"}],
    "previous_submissions": [
        {
            "submission_time": "2026-06-28T10:00:00.000000-07:00",
            "score": "0.5",
            "autograder_error": False,
        },
        {
            "submission_time": "2026-06-28T11:00:00.000000-07:00",
            "score": None,
            "autograder_error": True,
        },
    ],
}
"""As gradescope/autograder_samples/docs/specs.md has it."""


def rendered(path: Path, *checks: Any) -> Any:
    """Return the file for a result, held against the schema."""
    body = json.loads(gradescope.render(result_of(*checks), CRITERIA, path))
    jsonschema.validate(body, GRADESCOPE)
    return body


@pytest.mark.parametrize(
    ("change", "days", "said"),
    [
        ({}, 2, "late by 1 d 20 h 23 min"),
        ({"created_at": "2026-06-29T18:00:00.000000-07:00"}, 0, ""),
        ({"created_at": "2026-06-30T01:00:01Z"}, 1, "late by 0 d 0 h 1 min"),
        ({"users": [{"assignment": {"due_date": "2026-07-02T18:00:00-07:00"}}]}, 0, ""),
        ({"assignment": {"due_date": None}}, 0, ""),
        ({"assignment": None, "users": None, "created_at": 5}, 0, ""),
    ],
    ids=["late", "in time", "a second late", "extension", "never due", "other kinds"],
)
def test_lateness_is_told_and_not_judged(
    tmp_path: Path, change: dict[str, Any], days: int, said: str
) -> None:
    """Begun days after the due date, or an extension, are shown, and cost no points."""
    path = tmp_path / "submission_metadata.json"
    path.write_text(json.dumps(METADATA | change))
    body = rendered(path, check_part(outcome=Outcome.PASSED))
    assert (body["score"], body["extra_data"]["late_days"]) == (1.0, days)
    assert ("late by" in body["output"]) is bool(said)
    assert said in body["output"]
    assert "submission 3; the earlier ones had: 0.5, no score" in body["output"]


@pytest.mark.parametrize("text", ["", "[]", "{", None])
def test_without_metadata(tmp_path: Path, text: str | None) -> None:
    """A file that is not there, or is not what it should be, changes nothing."""
    path = tmp_path / "submission_metadata.json"
    if text is not None:
        path.write_text(text)
    assert "late_days" not in rendered(path, check_part())["extra_data"]


def test_leaderboard(tmp_path: Path) -> None:
    """What was timed can be compared: less is better for times, more for how much faster it is."""
    waiting = {"ms per task": 1.0, "reference": 1.0, "ratio": 1.02, "at least": 0.9, "pairs": 5}
    evidence = {
        "waiting": waiting,
        "computing": waiting | {"ratio": 1.1},
        "faster than one process": {"yours": 1.8, "reference": 1.9, "cores": 2},
    }
    board = rendered(tmp_path / "none", check_part(), check_part(evidence=evidence))["leaderboard"]
    assert [(entry["value"], entry.get("order")) for entry in board] == [
        (1.02, "asc"),
        (1.1, "asc"),
        (1.8, None),
    ]
    assert rendered(tmp_path / "none", check_part(evidence={"waiting": "no"}))["leaderboard"] == []


def test_tags(tmp_path: Path) -> None:
    """A test is tagged by the concerns that failed, and by the start methods under which they
    did.
    """
    (test,) = rendered(tmp_path / "none", check_part(), check_part("test_x.py::test_x[spawn]"))[
        "tests"
    ]
    assert test["tags"] == ["results", "fork", "spawn"]


def test_what_was_not_decided_is_no_failure(tmp_path: Path) -> None:
    """A check that this machine could not decide costs nothing and is not called failed."""
    open_one = check_part(outcome=Outcome.INCONCLUSIVE, message="0.5 cores")
    (test,) = rendered(tmp_path / "none", open_one)["tests"]
    assert (test["score"], test["max_score"], test.get("status")) == (0.0, 0.0, None)
    assert "0.5 cores" in test["output"]
    assert rendered(tmp_path / "none", check_part())["tests"][0]["status"] == "failed"

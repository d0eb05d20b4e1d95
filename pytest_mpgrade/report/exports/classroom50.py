"""Classroom 50's ``result.json`` (schemas/result-v1.schema.json): whole numbers only, so points are in hundredths.

What the classroom is, and which commit, stands in the environment of its hook.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports.criteria import CriterionLine, criterion_lines, result_summary
from pytest_mpgrade.report.result_json import ResultFile

SCHEMA = "classroom50/result/v1"
SCALE = 100
"""Points are multiplied by this and rounded."""
_VARIABLES = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}


def render(result: ResultFile, criteria: Sequence[Criterion], variables: Mapping[str, str] = os.environ) -> str:
    """Return a test for each criterion, points times 100."""
    found = [_test(line) for line in criterion_lines(result, criteria)]
    body: dict[str, Any] = {
        "schema": SCHEMA,
        **{key: variables.get(name, "") for key, name in _VARIABLES.items()},
        "datetime": result.started,
        "score": sum(test["score"] for test in found),
        "max-score": sum(test["max-score"] for test in found),
        "tests": found,
    }
    if result_summary(result):
        body["tests"].append({"test-name": "graded", "passed": False, "score": 0, "max-score": 0,
                              "message": result_summary(result)})  # fmt: skip
    return json.dumps(body, ensure_ascii=False, indent=1)


def _test(line: CriterionLine) -> dict[str, Any]:
    most = round(line.max_score * SCALE)
    return {
        "test-name": line.title,
        "passed": line.passed,
        "score": min(round(line.score * SCALE), most),
        "max-score": most,
        "message": line.text,
        "scale": f"1 point is {SCALE}",
    }

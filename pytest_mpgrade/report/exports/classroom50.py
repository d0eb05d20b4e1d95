"""Classroom 50's ``result.json`` (schemas/result-v1.schema.json).

It takes whole numbers only, so points are in hundredths. The environment of its hook names the
classroom and the commit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TypedDict

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports.criteria import (
    CriterionLine,
    criterion_lines,
    first_causes,
    result_summary,
)
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.first_causes import HEADING

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
_Test = TypedDict(
    "_Test",
    {
        "test-name": str,
        "passed": bool,
        "score": int,
        "max-score": int,
        "message": str,
        "scale": str,
    },
    total=False,
)


def render(
    result: ResultFile, criteria: Sequence[Criterion], variables: Mapping[str, str] = os.environ
) -> str:
    """Return what to fix first, as a test without points, and a test for each criterion."""
    tests = [_test(line) for line in criterion_lines(result, criteria)]
    scores = {
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
    }
    if first := first_causes(result):
        tests.insert(0, _remark(HEADING, first.removeprefix(f"{HEADING}\n")))
    if said := result_summary(result):
        tests.append(_remark("graded", said))
    body = {
        "schema": SCHEMA,
        **{key: variables.get(name, "") for key, name in _VARIABLES.items()},
        "datetime": result.started,
        **scores,
        "tests": tests,
    }
    return json.dumps(body, ensure_ascii=False, indent=1)


def _test(line: CriterionLine) -> _Test:
    most = round(line.max_score * SCALE)
    return {
        "test-name": line.title,
        "passed": line.passed,
        "score": min(round(line.score * SCALE), most),
        "max-score": most,
        "message": line.text,
        "scale": f"1 point is {SCALE}",
    }


def _remark(name: str, text: str) -> _Test:
    """Return a test that is worth nothing: the format has no other place for words."""
    return {"test-name": name, "passed": False, "score": 0, "max-score": 0, "message": text}

"""Gradescope's ``/autograder/results/results.json`` (gradescope/autograder_samples, docs/specs.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports.lines import Line, lines, summary
from pytest_mpgrade.report.result_json import ResultFile


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return a test for each criterion; the score is that of the result, the sum of the tests."""
    found = lines(result, criteria)
    body: dict[str, Any] = {
        "score": round(sum(line.score for line in found), 6),
        "execution_time": result.seconds,
        "output": summary(result) or f"graded by mpgrade {result.environment.get('mpgrade', '')}".strip(),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": [_test(number, line) for number, line in enumerate(found, 1)],
        "extra_data": {"assignment": result.assignment, "status": str(result.status), "max_score": result.max_score},
    }
    return json.dumps(body, ensure_ascii=False, indent=1)


def _test(number: int, line: Line) -> dict[str, Any]:
    return {
        "name": line.title,
        "number": str(number),
        "score": line.score,
        "max_score": line.max_score,
        "status": "passed" if line.passed and not line.text else "failed",
        "output": line.text,
        "output_format": "text",
        "tags": list(line.concerns),
    }

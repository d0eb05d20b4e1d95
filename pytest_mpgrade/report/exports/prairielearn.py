"""PrairieLearn's ``/grade/results/results.json``: a score from 0 to 1, and points for each test.

The whole is to be below 1 MB, so long texts are cut.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_mpgrade.records import Criterion, Status
from pytest_mpgrade.report.exports.criteria import criterion_lines, first_causes, result_summary
from pytest_mpgrade.report.result_json import ResultFile

LONGEST = 20_000
"""Characters of one text, which PrairieLearn stores with each attempt of each
student.
"""


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return a test for each criterion.

    A submission that cannot be graded gets `gradable: false`, which costs no attempt.
    """
    lines = criterion_lines(result, criteria)
    most = sum(line.max_score for line in lines)
    gradable = result.status is Status.GRADED
    body = {
        "gradable": gradable,
        "score": sum(line.score for line in lines) / most if gradable and most else 0.0,
        "message": result_summary(result),
        "output": first_causes(result)[:LONGEST],
        "format_errors": [] if gradable else [result_summary(result)],
        "tests": [
            {
                "name": line.title,
                "description": line.name,
                "points": line.score,
                "max_points": line.max_score,
                "message": line.text[:LONGEST],
                "output": "",
            }
            for line in lines
        ],
    }
    return json.dumps(body, ensure_ascii=False, indent=1)

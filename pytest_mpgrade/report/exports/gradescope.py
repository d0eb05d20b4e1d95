"""Gradescope's ``/autograder/results/results.json`` (gradescope/autograder_samples/docs/specs.md).

Texts are plain, so that words of a submission are no markup. Lateness and earlier submissions are
reported, and do not change the score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.exports import gradescope_metadata
from pytest_mpgrade.report.exports.criteria import (
    CriterionLine,
    criterion_lines,
    first_causes,
    result_summary,
)
from pytest_mpgrade.report.result_json import ResultFile

METADATA = Path("/autograder/submission_metadata.json")
"""Where Gradescope says who submitted what, and when."""


def render(result: ResultFile, criteria: Sequence[Criterion], metadata: Path = METADATA) -> str:
    """Return a test for each criterion; the score is that of the result, the sum of the tests."""
    lines = criterion_lines(result, criteria)
    about = gradescope_metadata.read_metadata(metadata)
    head = (
        result_summary(result)
        or f"graded by mpgrade {result.environment.get('mpgrade', '')}".strip()
    )
    body: dict[str, object] = {
        "score": round(math.fsum(line.score for line in lines), 6),
        "execution_time": result.seconds,
        "output": "\n\n".join(
            filter(None, ("\n".join([head, *(about.lines if about else ())]), first_causes(result)))
        ),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, line) for number, line in enumerate(lines, 1)],
        "leaderboard": list(_leaderboard(result)),
        "extra_data": {
            "assignment": result.assignment,
            "status": str(result.status),
            "max_score": result.max_score,
            "sha256": result.submission.sha256,
            "module": result.submission.module,
            "containment": result.containment.get("level", ""),
            "environment": result.environment,
            **({"late_days": about.late_days, "attempt": about.attempt} if about else {}),
        },
    }
    return json.dumps(body, ensure_ascii=False, indent=1)


def _test(number: int, line: CriterionLine) -> dict[str, object]:
    return {
        "name": line.title,
        "name_format": "text",
        "number": str(number),
        "score": line.score,
        "max_score": line.max_score,
        **_status(line),
        "output": line.text,
        "output_format": "text",
        "tags": [*line.concerns, *line.start_methods],
        "visibility": "visible",  # one that is not would hide the whole score from its student
        "extra_data": {"criterion": line.name},
    }


def _status(line: CriterionLine) -> dict[str, str]:
    """Return the status of a criterion: passed, failed, or none.

    A criterion has none where it lost no point and something is open, such as a check that this
    machine could not decide.
    """
    if line.passed:
        return {} if line.text else {"status": "passed"}
    return {"status": "failed"}


def _leaderboard(result: ResultFile) -> Iterator[dict[str, object]]:
    """Yield what the first timed check has measured.

    See `judge.checks.speed` for its evidence.
    """
    timed = next(
        (
            check.evidence
            for check in result.checks
            if "ms per task" in _part(check.evidence, "waiting")
        ),
        {},
    )
    for name, what in (("waiting", "wait"), ("computing", "compute")):
        ratio = _part(timed, name).get("ratio")
        if isinstance(ratio, (int, float)):
            yield {
                "name": f"time on tasks that {what} (the reference's is 1)",
                "value": ratio,
                "order": "asc",
            }
    times = _part(timed, "faster than one process").get("yours")
    if isinstance(times, (int, float)):
        yield {"name": "times as fast as one process", "value": times}


def _part(evidence: dict[str, object], name: str) -> dict[str, object]:
    found = evidence.get(name)
    return found if isinstance(found, dict) else {}

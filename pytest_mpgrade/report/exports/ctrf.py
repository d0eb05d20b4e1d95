"""CTRF, the Common Test Report Format (ctrf.io): a test for each unit of a question.

`filePath` and `line` name the student's own line where a check names one, and not the test, which
is no file of theirs: reporters that annotate code use these two. The test's id is the name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_mpgrade.records import Criterion, Outcome, Status
from pytest_mpgrade.report import evidence, grouping
from pytest_mpgrade.report.exports.criteria import first_causes, own_file, result_summary
from pytest_mpgrade.report.result_json import CheckPart, ResultFile, UnitOf
from pytest_mpgrade.system.timestamps import instant

SPEC = "0.0.0"
"""The version of the specification; the format has had no release that is not a draft."""
_STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.ABSENT: "skipped",
    Outcome.SKIPPED: "skipped",
    Outcome.NOT_RUN: "pending",
    Outcome.INCONCLUSIVE: "other",
    Outcome.ERROR: "other",
}
_Test = dict[str, Any]


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:  # noqa: ARG001 - the rubric is in the tests
    """Return a report; a submission that was not graded has a failed test of its own for that."""
    graded = result.status is Status.GRADED
    tests = [] if graded else [_test("graded", "failed", 0.0, message=result_summary(result))]
    tests += [_unit(result, unit, unit.points if graded else 0.0) for unit in result.units()]
    tests += [_outside(result, check) for check in result.checks if not check.criterion]
    start = round(instant(result.started).timestamp() * 1000) if result.started else 0
    counts = {
        status: sum(test["status"] == status for test in tests)
        for status in ("passed", "failed", "skipped", "pending", "other")
    }
    body = {
        "reportFormat": "CTRF",
        "specVersion": SPEC,
        "generatedBy": "mpgrade",
        "results": {
            "tool": {"name": "mpgrade", "version": str(result.environment.get("mpgrade", ""))},
            "summary": {
                "tests": len(tests),
                **counts,
                "start": start,
                "stop": start + _milliseconds(result.seconds),
            },
            "tests": tests,
            "extra": {
                "assignment": result.assignment,
                "submission": result.submission.id,
                "status": str(result.status),
                "causes": first_causes(result).splitlines(),
            },
        },
    }
    return json.dumps(body, ensure_ascii=False, indent=1)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _test(name: str, status: str, seconds: float, **more: Any) -> _Test:
    said = {key: value for key, value in more.items() if value}
    return {"name": name, "status": status, "duration": _milliseconds(seconds), **said}


def _unit(result: ResultFile, found: UnitOf, earned: float) -> _Test:
    ended = found.unit.outcome
    file, _, name = found.test.partition("::")
    seconds = sum(check.seconds for check in found.checks)
    telling = found.telling if ended is not Outcome.PASSED else None
    return _test(
        name or file,
        _STATUS[ended],
        seconds,
        suite=[found.criterion, found.question.title or found.question.id],
        rawStatus=str(ended),
        tags=list(dict.fromkeys(str(check.concern) for check in found.checks)),
        **(_told(result, telling) if telling else {"message": found.reason}),
        extra={
            "id": found.test,
            "points": earned,
            "max_points": found.max_points,
            "criterion": found.criterion,
            "question": found.question.id,
            "start_method": found.unit.start_method,
            "variant": found.unit.variant,
        },
    )


def _outside(result: ResultFile, check: CheckPart) -> _Test:
    """Return a check that is no part of the rubric."""
    return _test(
        check.check or check.id,
        _STATUS[check.outcome],
        check.seconds,
        rawStatus=str(check.outcome),
        tags=[str(check.concern)],
        **(_told(result, check) if check.outcome is not Outcome.PASSED else {}),
    )


def _told(result: ResultFile, check: CheckPart) -> _Test:
    """Return what a check says, and its own line; a key without a value is left out later."""
    file, line = grouping.source_place(check) or ("", 0)
    said = [check.message or check.title, *([f"hint: {check.hint}"] if check.hint else [])]
    return {
        "message": "\n".join(said),
        "trace": "\n".join(_lines(check)),
        "snippet": str(check.evidence["source"].get("code", "")) if file else "",
        "filePath": own_file(result, file) if file else "",
        "line": line,
    }


def _lines(check: CheckPart) -> Iterator[str]:
    if place := evidence.source_line(check.evidence):
        yield place
    yield from evidence.evidence_lines(check.evidence)

"""SARIF 2.1.0 (OASIS), which editors and code scanning show at a student's own lines.

A rule is a check, a result what it says of a line, whatever the number of calls and start methods.
A result without a line of its own is about the module. What nobody could decide, and why there is
no grade, are notifications. GitHub's code scanning shows no result without a place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pytest_mpgrade.records import Concern, Criterion, Outcome, Status
from pytest_mpgrade.report import grouping
from pytest_mpgrade.report.exports.criteria import (
    criterion_lines,
    first_causes,
    own_file,
    result_summary,
)
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.system.text import joined, one_line

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
_UNSURE = {Outcome.ERROR: "error", Outcome.INCONCLUSIVE: "warning"}
"""The level of the notification about a check that was not decided."""


def render(result: ResultFile, criteria: Sequence[Criterion]) -> str:
    """Return a log of one run; the points are among its properties."""
    groups = grouping.alike(result.checks)
    rules = {_rule_id(same[0]): _rule(same[0]) for same in groups}
    lines = criterion_lines(result, criteria)
    run = {
        "tool": {
            "driver": {
                "name": "mpgrade",
                "semanticVersion": str(result.environment.get("mpgrade", "")),
                "rules": list(rules.values()),
            }
        },
        "invocations": [
            {
                "executionSuccessful": result.status is not Status.ERROR,
                "toolExecutionNotifications": list(_notifications(result)),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, same, list(rules)) for same in groups],
        "properties": {
            "assignment": result.assignment,
            "submission": result.submission.id,
            "status": str(result.status),
            "points": {line.name: line.score for line in lines},
            "max_points": {line.name: line.max_score for line in lines},
            "causes": first_causes(result).splitlines(),
        },
    }
    body = {"$schema": SCHEMA, "version": VERSION, "runs": [run]}
    return json.dumps(body, ensure_ascii=False, indent=1)


def _rule_id(check: CheckPart) -> str:
    return "hidden" if check.concern is Concern.HIDDEN else check.check or check.id


def _rule(check: CheckPart) -> dict[str, object]:
    return {
        "id": _rule_id(check),
        "shortDescription": {"text": _words(check.title)},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": [str(check.concern)]},
    }


def _result(result: ResultFile, same: Sequence[CheckPart], rules: Sequence[str]) -> dict[str, Any]:
    """Return what several checks say alike, at the line that they name."""
    first, methods = same[0], grouping.methods_of(same)
    under = f" (under {joined(methods)})" if methods else ""
    hint = f"\nhint: {_words(first.hint)}" if first.hint else ""
    said: dict[str, Any] = {
        "ruleId": _rule_id(first),
        "ruleIndex": rules.index(_rule_id(first)),
        "level": "error",
        "message": {"text": f"{_words(first.message or first.title)}{under}{hint}"},
        "properties": {
            "concern": str(first.concern),
            "call": first.call,
            "criteria": list(dict.fromkeys(check.criterion for check in same)),
            "checks": [check.id for check in same],
        },
    }
    hidden = first.concern is Concern.HIDDEN
    if not hidden and (location := _location(result, first)):
        said["locations"] = [{"physicalLocation": location}]
    return said


def _location(result: ResultFile, check: CheckPart) -> dict[str, Any] | None:
    """Return a student's own line, or the first one of the module where the check names none."""
    place = grouping.source_place(check)
    file, line = place or (result.submission.module, 1)
    if not file:
        return None
    region: dict[str, Any] = {"startLine": line}
    source = check.evidence.get("source")
    if place and isinstance(source, Mapping) and source.get("code"):
        region["snippet"] = {"text": str(source["code"])}
    return {"artifactLocation": {"uri": quote(own_file(result, file))}, "region": region}


def _notifications(result: ResultFile) -> Iterator[dict[str, object]]:
    if said := result_summary(result):
        yield {"level": "error", "message": {"text": _words(said)}}
    for outcome, level in _UNSURE.items():
        for why, _ in grouping.reasons(result.checks, outcome):
            yield {"level": level, "message": {"text": f"{outcome}: {_words(why)}"}}


def _words(text: str) -> str:
    """Return a text in which no link is embedded (SARIF 2.1.0, 3.11.6): students may write it."""
    return one_line(text).replace("](", "] (") or "-"

"""What GitHub does with what a step leaves: its runner's commands and outputs, and the totals of
its reporter.

Written after actions/runner (ActionCommand.cs, FileCommandManager.cs) and
classroom-resources/autograding-grading- reporter (releases/v1 and its main branch, which adds up
scores in the table too).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

import jsonschema

TEXT, NUMBER = {"type": "string"}, {"type": "number", "minimum": 0}
SHORT = {"type": "string", "maxLength": 500}
PAYLOAD: dict[str, Any] = {
    "type": "object",
    "required": ["version", "status", "max_score", "tests"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 3},
        "status": {"enum": ["pass", "fail", "error"]},
        "max_score": NUMBER,
        "tests": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "name",
                    "status",
                    "score",
                    "message",
                    "test_code",
                    "filename",
                    "line_no",
                    "duration",
                    "output",
                ],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "status": {"enum": ["pass", "fail", "error"]},
                    "score": NUMBER,
                    "message": SHORT,
                    "test_code": SHORT,
                    "filename": TEXT,
                    "line_no": {"type": "integer", "minimum": 0},
                    "duration": NUMBER,
                    "output": SHORT,
                },
            },
        },
    },
}
COMMANDS = frozenset(
    (
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    )
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that a step has printed."""

    name: str
    properties: dict[str, str]
    data: str


def commands(printed: str) -> list[Command]:
    """Return what the runner obeys of what was printed, in both of its notations."""
    found = (_command(line.lstrip()) or _old(line) for line in re.split(r"\r\n|\r|\n", printed))
    return [each for each in found if each]


def _command(line: str) -> Command | None:
    if not line.startswith("::") or (end := line.find("::", 2)) < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    if name.lower() not in COMMANDS:
        return None
    pairs = (part.split("=", 1) for part in rest.strip().split(",") if "=" in part)
    properties = {
        key: _plain(value.replace("%3A", ":").replace("%2C", ",")) for key, value in pairs
    }
    return Command(name=name, properties=properties, data=_plain(line[end + 2 :]))


def _plain(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def _old(line: str) -> Command | None:
    found = re.search(r"##\[([^\]]*)\](.*)", line)
    name = found[1].partition(" ")[0] if found else ""
    return (
        Command(name=name, properties={}, data=found[2])
        if found and name.lower() in COMMANDS
        else None
    )


def outputs(file: str) -> dict[str, str]:
    """Return a step's outputs: of several lines with one name the last."""
    found: dict[str, str] = {}
    for line in filter(None, file.split("\n")):
        assert re.fullmatch(r"[a-z][a-z0-9]*=[A-Za-z0-9+/=]+", line)
        name, _, value = line.partition("=")
        found[name] = value
    return found


def payload(encoded: str) -> dict[str, Any]:
    """Return what an output holds, held against the format."""
    found: dict[str, Any] = json.loads(base64.b64decode(encoded, validate=True).decode("utf-8"))
    jsonschema.validate(found, PAYLOAD)
    return found


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What the reporter shows."""

    scores: tuple[float, ...]  # of each runner, in the table
    summed: tuple[float, ...]  # the same in its main branch
    most: tuple[float, ...]
    notice: dict[str, float] | None
    failed: str  # the job's
    printed: str


def report(runners: str, variables: dict[str, str]) -> Reported:
    """Do what the reporter does with its input and its variables."""
    found = [
        payload(variables[f"{runner.strip().upper()}_RESULTS"])
        for runner in re.split(r"[\s,]", runners)
        if runner
    ]
    statuses = [each["status"] for each in found]
    worst = next((status for status in ("fail", "error") if status in statuses), "")
    return Reported(
        scores=tuple(_score(each) for each in found),
        summed=tuple(_add(test["score"] for test in each["tests"]) for each in found),
        most=tuple(each["max_score"] or 0 for each in found),
        notice=_notice(found),
        failed={"fail": "Some tests failed.", "error": "Some tests errored.", "": ""}[worst],
        printed="\n".join(_printed(test) for each in found for test in each["tests"]),
    )


def _score(each: dict[str, Any]) -> float:
    passed = sum(test["status"] == "pass" for test in each["tests"])
    return float(passed / len(each["tests"]) * (each["max_score"] or 1))


def _add(numbers: Any) -> float:
    # Python's sum() corrects for rounding from 3.12 on, JavaScript's reduce() does not.
    total = 0.0
    for number in numbers:
        total += number
    return total


def _notice(found: list[dict[str, Any]]) -> dict[str, float] | None:
    counted = [each for each in found if each["max_score"]]
    most = _add(each["max_score"] for each in counted)
    total = _add(test["score"] for each in counted for test in each["tests"])
    return {"totalPoints": total, "maxPoints": most} if most else None


def _printed(test: dict[str, Any]) -> str:
    return f"{test['name']}\n{test['message']}\nTest code:\n{test['test_code']}\n"

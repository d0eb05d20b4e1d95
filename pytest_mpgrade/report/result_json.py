"""The result file, `result.json`: written, and read back; docs/contract.md, result-file.

The only user of msgspec in reports. What is written is the same record that is read: a Report
becomes a ResultFile first, so that tables, gradebooks and exports need not know whether a grading
has just ended or lies weeks back.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import (
    RESULT_FILE,
    RESULT_SCHEMA,
    CriterionScore,
    Entry,
    Lane,
    LaneArrow,
    LaneSpan,
    LaneThread,
    QuestionScore,
    Report,
    Timeline,
    Undecided,
    Unit,
)
from pytest_mpgrade.report.causes import causes_of
from pytest_mpgrade.report.parts import CausePart as CausePart
from pytest_mpgrade.report.parts import CheckPart as CheckPart
from pytest_mpgrade.report.parts import LatePart as LatePart
from pytest_mpgrade.report.parts import MachinePart as MachinePart
from pytest_mpgrade.report.parts import OverridePart as OverridePart
from pytest_mpgrade.report.parts import ResultFile as ResultFile
from pytest_mpgrade.report.parts import SubmissionPart as SubmissionPart
from pytest_mpgrade.report.parts import UnitOf as UnitOf
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import clean, one_line

_OPTIONAL = frozenset(
    ("note", "reason", "undecided_by", "causes", "overrides", "machine", "late", "problem")
) | {"run", "timelines"}
"""The result file has these keys only where they are not empty."""

_DEPTH = 20
"""Evidence is a few levels deep. What is nested deeper was made by a student, and is shown as text.
"""
_INTEGERS = range(-(2**63), 2**63)
"""The integers that JSON readers can hold.

Others are written as hexadecimal text, since Python limits the digits of decimal text.
"""


def as_result(report: Report) -> ResultFile:
    """Return what is written of a report; all text in it is clean."""
    result = as_interim(report)
    return dataclasses.replace(result, causes=causes_of(result))


def as_interim(report: Report) -> ResultFile:
    """Return what is written of a grading that goes on, after each test: all but the causes."""
    handed_in = report.submission
    return ResultFile(
        schema=RESULT_SCHEMA,
        assignment=report.assignment,
        submission=SubmissionPart(
            id=clean(handed_in.id),
            path=clean(handed_in.path),
            module=clean(handed_in.module),
            sha256=handed_in.sha256,
            note=clean(handed_in.note),
        ),
        score=report.score.points,
        max_score=report.score.max_points,
        status=report.status,
        reason=clean(report.reason),
        undecided=Undecided(
            points=report.score.undecided.points,
            why=tuple(map(one_line, report.score.undecided.why)),
        ),
        criteria=tuple(map(_criterion, report.score.criteria)),
        checks=tuple(_check(entry, report.timelines) for entry in report.entries),
        timelines={key: _timeline(each) for key, each in report.timelines.items()},
        containment=_clean_dict(report.containment),
        environment=_clean_dict(report.environment),
        started=report.started,
        seconds=round(report.seconds, 3),
    )


def _criterion(found: CriterionScore) -> CriterionScore:
    return dataclasses.replace(
        found,
        name=clean(found.name),
        title=clean(found.title),
        reason=clean(found.reason),
        questions=tuple(map(_question, found.questions)),
    )


def _question(found: QuestionScore) -> QuestionScore:
    units = tuple(
        dataclasses.replace(each, variant=clean(each.variant), share=round(each.share, 4))
        for each in found.units
    )
    return dataclasses.replace(found, id=clean(found.id), title=clean(found.title), units=units)


def _check(entry: Entry, timelines: Mapping[str, Timeline]) -> CheckPart:
    finding = entry.finding
    evidence = _clean_dict(finding.evidence)
    if finding.call:
        evidence.setdefault("call", clean(finding.call))
    return CheckPart(
        id=clean(entry.id),
        title=clean(finding.title),
        concern=finding.concern,
        criterion=clean(entry.criterion),
        question=clean(entry.question),
        start_method=clean(entry.start_method),
        outcome=finding.outcome,
        message=clean(finding.message),
        hint=clean(finding.hint),
        evidence=evidence,
        seconds=round(finding.seconds, 3),
        variant=clean(entry.variant),
        undecided_by=clean(finding.undecided_by),
        run=finding.run if finding.run in timelines else "",
    )


def _timeline(seen: Timeline) -> Timeline:
    return msgspec.convert(_plain(msgspec.to_builtins(seen), 1), Timeline)


def _clean_dict(values: Mapping[str, object]) -> dict[str, object]:
    return {clean(str(key)): _plain(value, 1) for key, value in values.items()}


def _plain(value: object, depth: int) -> object:
    """Return *value* as JSON that every reader takes; whatever is not JSON becomes its text."""
    if value is None or isinstance(value, (bool, float)):
        return value if not isinstance(value, float) or math.isfinite(value) else str(value)
    if isinstance(value, int):
        return value if value in _INTEGERS else f"{value:#x}"
    if depth < _DEPTH and isinstance(value, Mapping):
        return {clean(str(key)): _plain(item, depth + 1) for key, item in value.items()}
    if depth < _DEPTH and isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    return clean(str(value))


def dumps(report: Report | ResultFile) -> bytes:
    """Return the JSON of a report: UTF-8, indented, with a newline at its end."""
    result = report if isinstance(report, ResultFile) else as_result(report)
    return msgspec.json.format(msgspec.json.encode(_keys(result)), indent=2) + b"\n"


_OPTIONAL_OF = {
    Unit: frozenset(("undecided",)),
    CriterionScore: _OPTIONAL | {"undecided"},
    CheckPart: _OPTIONAL | {"variant"},
    CausePart: _OPTIONAL | {"source"},
    Timeline: frozenset(("sentences", "arrows", "more_lanes", "more_events")),
    Lane: frozenset(("left", "says", "file", "line", "code", "threads", "spans", "marks")),
    LaneThread: frozenset(("file", "line", "code")),
    LaneSpan: frozenset(("text",)),
    LaneArrow: frozenset(("text",)),
}
"""The optional keys of types that differ from the others in this."""


def _keys(part: Any) -> dict[str, object]:
    """Return the keys and values that the file has of a part.

    Keys that are optional and empty are left out.
    """
    optional = _OPTIONAL_OF.get(type(part), _OPTIONAL)
    keys: dict[str, object] = {}
    for each in dataclasses.fields(part):
        value = getattr(part, each.name)
        if isinstance(value, tuple):
            value = [_keys(item) if dataclasses.is_dataclass(item) else item for item in value]
        elif dataclasses.is_dataclass(value):
            value = _keys(value)
        elif each.name == "timelines":
            value = {key: _keys(timeline) for key, timeline in value.items()}
        if value or each.name not in optional:
            keys[each.name] = value
    return keys


def write_result(report: Report | ResultFile, path: Path) -> None:
    """Replace the result file in one step.

    A reader finds a whole file at every moment, also after the grader was killed.
    """
    atomic_write.write_bytes(dumps(report), path)


def result_files(place: Path) -> list[Path]:
    """Return the result files in a folder of a batch, or of a single grading; or that file itself.

    Raises UsageError where there is none.
    """
    if place.is_file():
        return [place]
    own = place / RESULT_FILE
    if files := [own] if own.is_file() else sorted(place.glob(f"*/{RESULT_FILE}")):
        return files
    raise UsageError(f"there are no results in {place}")


def read_result(path: Path) -> ResultFile:
    """Return a result file. Raises UsageError where there is none, or none of ours."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the result file {path}: {error.strerror}") from error
    try:
        schema = msgspec.json.decode(data, type=dict[str, object]).get("schema")
        if schema != RESULT_SCHEMA:
            raise UsageError(
                f"{path} has the schema {schema!r}; this version reads {RESULT_SCHEMA!r}"
            )
        return msgspec.json.decode(data, type=ResultFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not a result file: {error}") from error

"""The result file, `result.json`: written, and read back; CONTRACT section 5. The only user of msgspec in reports.

What is written is the same record that is read: a Report becomes a ResultFile first, so that tables, gradebooks and
exports need not know whether a grading has just ended or lies weeks back.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import RESULT_SCHEMA, Concern, Criterion, Entry, Finding, Outcome, Report, Status
from pytest_mpgrade.report import atomic
from pytest_mpgrade.report.text import clean

_OPTIONAL = frozenset(("note", "reason", "undecided_by", "overrides", "machine", "late", "problem"))
"""Keys that are left out where they are empty."""

_DEPTH = 20
_INTEGERS = range(-(2**63), 2**63)
"""What JSON readers can hold; others are written as hexadecimal text (decimal digits are limited by Python)."""


@dataclass(frozen=True, kw_only=True)
class SubmissionPart:
    """The key `submission` of a result file."""

    id: str
    path: str
    module: str
    sha256: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckPart:
    """One of the key `checks` of a result file."""

    id: str
    title: str
    concern: Concern
    criterion: str
    start_method: str
    outcome: Outcome
    points: float
    max_points: float
    message: str
    hint: str
    evidence: dict[str, Any]
    seconds: float
    undecided_by: str = ""

    @property
    def test(self) -> str:
        """The test's id: all before the check's name."""
        return self.id.removesuffix(f"/{self.check}")

    @property
    def check(self) -> str:
        """The check's name; "" where its test has not been run."""
        # The name of a file in a folder holds slashes too, so only what follows the file is looked at.
        _, slash, check = self.id.rpartition("::")[2].rpartition("/")
        return check if slash else ""

    @property
    def call(self) -> str:
        """The call that the check is about, e.g. ``mp_apply(12 tasks, n_processes=3)``; "" where there is none."""
        return str(self.evidence.get("call", ""))

    def finding(self) -> Finding:
        """Return the finding that this was written from, as far as a result file keeps it."""
        return Finding(
            check=self.check,
            title=self.title,
            concern=self.concern,
            outcome=self.outcome,
            message=self.message,
            hint=self.hint,
            evidence=self.evidence,
            call=self.call,
            undecided_by=self.undecided_by,
            seconds=self.seconds,
        )


@dataclass(frozen=True, kw_only=True)
class OverridePart:
    """One of the key `overrides`: the points of a criterion that a person has set, and what they were."""

    criterion: str
    points: float
    max_points: float
    was: float
    was_of: float
    reason: str
    who: str


@dataclass(frozen=True, kw_only=True)
class MachinePart:
    """The key `machine`: what the grading itself said, where a person has set points."""

    score: float
    max_score: float
    status: Status
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class LatePart:
    """The key `late`: how late it was, and what the assignment's rule makes of the score."""

    seconds: float | None  # None: it is marked late, and nothing says by how much
    score: float | None  # after the rule; None: the rule could not say, for this reason
    problem: str = ""
    penalty: str
    drop: str


@dataclass(frozen=True, kw_only=True)
class ResultFile:
    """A result file, key by key, in its order; checks are always the machine's, whoever set the score."""

    schema: str
    assignment: str
    submission: SubmissionPart
    score: float
    max_score: float
    status: Status
    reason: str = ""
    checks: tuple[CheckPart, ...]
    containment: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    started: str = ""
    seconds: float = 0.0
    overrides: tuple[OverridePart, ...] = ()
    machine: MachinePart | None = None
    late: LatePart | None = None

    @property
    def final(self) -> float | None:
        """The grade that is exported: after overrides and the late rule; None where there is none."""
        if self.status is not Status.GRADED:
            return None
        return self.late.score if self.late else self.score

    def by_machine(self) -> ResultFile:
        """Return the result as the grading made it: without what people and the late rule changed."""
        own = dataclasses.asdict(self.machine) if self.machine else {}
        return dataclasses.replace(self, **own, overrides=(), machine=None, late=None)

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended so."""
        return sum(check.outcome is outcome for check in self.checks)

    def earned(self, criterion: str) -> float:
        """Return the points earned in one criterion."""
        by_hand = [each.points for each in self.overrides if each.criterion == criterion]
        return round(math.fsum(by_hand or (check.points for check in self.of(criterion))), 6)

    def most(self, criterion: str) -> float:
        """Return the points that could be had in one criterion."""
        by_hand = [each.max_points for each in self.overrides if each.criterion == criterion]
        return round(math.fsum(by_hand or (check.max_points for check in self.of(criterion))), 6)

    def of(self, criterion: str) -> tuple[CheckPart, ...]:
        """Return the checks of one criterion."""
        return tuple(check for check in self.checks if check.criterion == criterion)


def as_result(report: Report) -> ResultFile:
    """Return what is written of a report; all text in it is clean."""
    handed_in = report.submission
    # Without a single check nothing was decided against anybody: all points could have been had.
    most = report.max_score if report.entries else _all_points(report.criteria)
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
        score=float(report.score),
        max_score=float(most),
        status=report.status,
        reason=clean(report.reason),
        checks=tuple(_check(entry) for entry in report.entries),
        containment=_clean_dict(report.containment),
        environment=_clean_dict(report.environment),
        started=report.started,
        seconds=round(report.seconds, 3),
    )


def _all_points(criteria: tuple[Criterion, ...]) -> float:
    return round(math.fsum(criterion.points for criterion in criteria), 6)


def _check(entry: Entry) -> CheckPart:
    finding = entry.finding
    evidence = _clean_dict(finding.evidence)
    if finding.call:
        evidence.setdefault("call", clean(finding.call))
    return CheckPart(
        id=clean(entry.id),
        title=clean(finding.title),
        concern=finding.concern,
        criterion=clean(entry.criterion),
        start_method=clean(entry.start_method),
        outcome=finding.outcome,
        points=float(entry.points),
        max_points=float(entry.max_points),
        message=clean(finding.message),
        hint=clean(finding.hint),
        evidence=evidence,
        seconds=round(finding.seconds, 3),
        undecided_by=clean(finding.undecided_by),
    )


def _clean_dict(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {clean(str(key)): _plain(value, 1) for key, value in values.items()}


def _plain(value: Any, depth: int) -> Any:
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


_Part = ResultFile | CheckPart | SubmissionPart | OverridePart | MachinePart | LatePart


def _keys(part: _Part) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in dataclasses.fields(part):
        value = getattr(part, each.name)
        if isinstance(value, (SubmissionPart, MachinePart, LatePart)):
            value = _keys(value)
        elif isinstance(value, tuple):
            value = [_keys(check) for check in value]
        if value or each.name not in _OPTIONAL:
            found[each.name] = value
    return found


def write(report: Report | ResultFile, path: Path) -> None:
    """Replace the result file at once: whoever reads it, and whenever the grader is killed, it is whole."""
    atomic.write_bytes(dumps(report), path)


def read(path: Path) -> ResultFile:
    """Return a result file. Raises UsageError where there is none, or none of ours."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the result file {path}: {error.strerror}") from error
    try:
        schema = msgspec.json.decode(data, type=dict[str, Any]).get("schema")
        if schema != RESULT_SCHEMA:
            raise UsageError(f"{path} has the schema {schema!r}; this version reads {RESULT_SCHEMA!r}")
        return msgspec.json.decode(data, type=ResultFile)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is not a result file: {error}") from error

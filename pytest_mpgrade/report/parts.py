"""What a result file holds, key by key; docs/contract.md, result-file.

`result_json` writes and reads it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from pytest_mpgrade.course import rounding
from pytest_mpgrade.records import (
    Concern,
    CriterionScore,
    Finding,
    Outcome,
    QuestionScore,
    Status,
    Timeline,
    Undecided,
    Unit,
)

_CENT = Fraction(1, 100)


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
    question: str
    start_method: str
    outcome: Outcome
    message: str
    hint: str
    evidence: dict[str, Any]
    seconds: float
    variant: str = ""  # of its question
    undecided_by: str = ""
    run: str = ""  # the key of its run's timeline; "" where there is none

    @property
    def test(self) -> str:
        """The test's id: all before the check's name."""
        return self.id.removesuffix(f"/{self.check}")

    @property
    def check(self) -> str:
        """The check's name; "" where its test has not been run."""
        # The name of a file in a folder holds slashes too, so only what follows the file is looked
        # at.
        _, slash, check = self.id.rpartition("::")[2].rpartition("/")
        return check if slash else ""

    @property
    def call(self) -> str:
        """The call that the check is about, e.g.

        ``mp_apply(12 tasks, n_processes=3)``; "" where there is none.
        """
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
class UnitOf:
    """One unit of a question, with its points and its checks."""

    criterion: str
    question: QuestionScore
    unit: Unit
    points: float
    max_points: float
    reason: str  # why it is not earned, whatever its checks say
    checks: tuple[CheckPart, ...]

    @property
    def test(self) -> str:
        """The id of the test that asked it."""
        return self.checks[0].test if self.checks else self.question.id

    @property
    def title(self) -> str:
        """What it asks, for which variant and under which start method."""
        told = ", ".join(filter(None, (self.unit.variant, self.unit.start_method)))
        return f"{self.question.title or self.question.id}{f' ({told})' if told else ''}"

    @property
    def telling(self) -> CheckPart | None:
        """The check that says most about it: the first that ended as the unit did."""
        return next((each for each in self.checks if each.outcome is self.unit.outcome), None)


@dataclass(frozen=True, kw_only=True)
class CausePart:
    """One of the key `causes`: what to change, and what hangs on it."""

    concern: Concern
    change: str  # what to do; where that is not known, what was seen
    seen: str  # the message of its first check
    source: dict[str, Any] = field(default_factory=dict)  # file, line, code; {} where unknown
    points: float  # that are not earned, and cannot be while this is so
    questions: tuple[str, ...]
    start_methods: tuple[str, ...]
    checks: tuple[str, ...]  # ids; the first one shows it best


@dataclass(frozen=True, kw_only=True)
class OverridePart:
    """One of the key `overrides`: points that a person has set, and what they were."""

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
    undecided: Undecided = field(default_factory=Undecided)
    criteria: tuple[CriterionScore, ...] = ()


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
    """A result file, key by key, in its order; checks are the machine's, whoever set the score."""

    schema: str
    assignment: str
    submission: SubmissionPart
    score: float
    max_score: float
    status: Status
    reason: str = ""
    undecided: Undecided = field(default_factory=Undecided)
    criteria: tuple[CriterionScore, ...] = ()
    causes: tuple[CausePart, ...] = ()  # the most basic one first
    checks: tuple[CheckPart, ...]
    timelines: dict[str, Timeline] = field(default_factory=dict)  # by the key of the run
    containment: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    started: str = ""
    seconds: float = 0.0
    overrides: tuple[OverridePart, ...] = ()
    machine: MachinePart | None = None
    late: LatePart | None = None

    @property
    def final(self) -> float | None:
        """The exported grade, after overrides and the late rule; None where there is none."""
        if self.status is not Status.GRADED:
            return None
        return self.late.score if self.late else self.score

    def by_machine(self) -> ResultFile:
        """Return the result as the grading made it, without overrides and the late rule."""
        if self.machine is None:
            return dataclasses.replace(self, late=None)
        own = {
            each.name: getattr(self.machine, each.name) for each in dataclasses.fields(MachinePart)
        }
        return dataclasses.replace(self, **own, overrides=(), machine=None, late=None)

    def count(self, outcome: Outcome) -> int:
        """Return how many checks ended so."""
        return sum(check.outcome is outcome for check in self.checks)

    def criterion(self, name: str) -> CriterionScore | None:
        """Return the points of one criterion; None where the result says nothing of it."""
        return next((each for each in self.criteria if each.name == name), None)

    def earned(self, criterion: str) -> float:
        """Return the points earned in one criterion."""
        found = self.criterion(criterion)
        return found.points if found else 0.0

    def units(self) -> Iterator[UnitOf]:
        """Yield the units of all questions, each with its points and its checks."""
        own: dict[tuple[str, str, str], list[CheckPart]] = {}
        for check in self.checks:
            own.setdefault((check.question, check.start_method, check.variant), []).append(check)
        for criterion in self.criteria:
            for question in criterion.questions:
                yield from _units(criterion, question, own)

    def of(self, criterion: str) -> tuple[CheckPart, ...]:
        """Return the checks of one criterion."""
        return tuple(check for check in self.checks if check.criterion == criterion)


def _units(
    criterion: CriterionScore,
    question: QuestionScore,
    own: Mapping[tuple[str, str, str], Sequence[CheckPart]],
) -> Iterator[UnitOf]:
    """Yield the units of a question with their points.

    *own* has the checks by question, start method and variant. Units that are decided share the
    question's points equally, in hundredths that add up to these points.
    """
    counted = [unit for unit in question.units if not unit.undecided]
    worth = iter(_worth(question, [Fraction(str(unit.share)) for unit in counted]))
    for unit in question.units:
        place = (question.id, unit.start_method, unit.variant)
        points, most = (0.0, 0.0) if unit.undecided else next(worth)
        yield UnitOf(
            criterion=criterion.name,
            question=question,
            unit=unit,
            points=points,
            max_points=most,
            reason=criterion.reason,
            checks=tuple(own.get(place, ())),
        )


def _worth(question: QuestionScore, shares: Sequence[Fraction]) -> list[tuple[float, float]]:
    """Return for each decided unit its points and the most that it could have.

    *shares* are the parts of their points that the units have earned.
    """
    if not shares:
        return []
    points, most = Fraction(str(question.points)), Fraction(str(question.max_points))
    earned = sum(shares, Fraction(0))
    own = rounding.earned(
        [points * share / earned if earned else earned for share in shares], points, _CENT
    )
    tops = rounding.most_points(
        [most / len(shares)] * len(shares), own, [share == 1 for share in shares], most, _CENT
    )
    return [(float(mine), float(top)) for mine, top in zip(own, tops, strict=True)]

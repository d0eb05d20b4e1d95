"""The exact part of each question and criterion that is earned; docs/contract.md, points. Pure.

A question is asked in units: once under each of its start methods, and for each of its variants. A
check that could not be decided here leaves its unit. A unit without a decided check leaves its
question. A question without a decided unit leaves its criterion. The others share its weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_mpgrade.records import Asked, Criterion, Entry, Finding, Outcome, Unit

UNSURE = frozenset((Outcome.INCONCLUSIVE, Outcome.ERROR))
"""Outcomes that a person has to look at: this machine, or the grader, could not decide."""
HALF = Fraction(1, 2)
"""The part of a criterion that has to be earned for a criterion that requires it to count."""
_TELLING = (
    Outcome.FAILED,
    Outcome.NOT_RUN,
    Outcome.ABSENT,
    Outcome.SKIPPED,
    Outcome.PASSED,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
)
"""The order by which a unit gets its outcome from its checks: the first of these that occurs.

Only decided checks count, where the unit has any.
"""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A finding, and the test that it belongs to."""

    asked: Asked
    finding: Finding

    def entry(self) -> Entry:
        """Return the finding as reports have it."""
        return Entry(
            id=f"{self.asked.test}/{self.finding.check}" if self.finding.check else self.asked.test,
            criterion=self.asked.criterion,
            question=self.asked.question,
            variant=self.asked.variant,
            start_method=self.asked.start_method,
            finding=self.finding,
        )


@dataclass(frozen=True, kw_only=True)
class QuestionShare:
    """A question with the exact part of it that is earned; None: it could not be decided."""

    first: Asked
    units: tuple[Unit, ...]
    share: Fraction | None
    unsure: Fraction  # the part of its units that is inconclusive or in error

    @property
    def weight(self) -> Fraction:
        """Its weight among the questions of its criterion."""
        return Fraction(str(self.first.weight))

    @property
    def undecided(self) -> Fraction:
        """The part of its units of which nothing could be decided here."""
        return Fraction(sum(unit.undecided for unit in self.units), len(self.units))


@dataclass(frozen=True, kw_only=True)
class CriterionShare:
    """A criterion, with its questions and the exact part of it that is earned."""

    rule: Criterion
    questions: tuple[QuestionShare, ...]
    share: Fraction | None
    reason: str = ""

    @property
    def points(self) -> Fraction:
        """Its points as the assignment has them."""
        # By its decimal text, because 0.1 in a rubric is a tenth and not the float next to it.
        return Fraction(str(self.rule.points))

    @property
    def weights(self) -> Fraction:
        """The weights of the questions that count."""
        return sum((each.weight for each in self.questions if each.share is not None), Fraction(0))

    def lost(self, part: str) -> Fraction:
        """Return how many of its points belong to units that are `undecided`, or `unsure`."""
        weights = sum((each.weight for each in self.questions), Fraction(0))
        parts = sum((each.weight * getattr(each, part) for each in self.questions), Fraction(0))
        return self.points * parts / weights if weights else Fraction(0)


def criterion(rule: Criterion, placed: Sequence[Placed]) -> CriterionShare:
    """Return what of a criterion the findings that belong to it earn."""
    questions = tuple(_question(each) for each in grouped(placed, "question"))
    counts = [each for each in questions if each.share is not None]
    weights = sum((each.weight for each in counts), Fraction(0))
    earned = sum(
        (each.weight * each.share for each in counts if each.share is not None), Fraction(0)
    )
    return CriterionShare(
        rule=rule, questions=questions, share=earned / weights if weights else None
    )


def _question(placed: Sequence[Placed]) -> QuestionShare:
    tests = grouped(placed, "test")
    units, shares = zip(*map(_unit, tests), strict=True)
    counts = [share for share in shares if share is not None]
    unsure = sum(
        unit.undecided and any(each.finding.outcome in UNSURE for each in test)
        for unit, test in zip(units, tests, strict=True)
    )
    return QuestionShare(
        first=placed[0].asked,
        units=units,
        share=sum(counts, Fraction(0)) / len(counts) if counts else None,
        unsure=Fraction(unsure, len(units)),
    )


def grouped(placed: Iterable[Placed], key: str) -> list[list[Placed]]:
    """Return findings in groups of the same "question", or of the same "test".

    The groups are in the order of their first findings.
    """
    groups: dict[str, list[Placed]] = {}
    for each in placed:
        groups.setdefault(getattr(each.asked, key), []).append(each)
    return list(groups.values())


def _unit(placed: Sequence[Placed]) -> tuple[Unit, Fraction | None]:
    """Return a unit, and which part of it is earned; None where no check could be decided.

    The part is the least that one of its decided checks earns.
    """
    asked = placed[0].asked
    findings = [each.finding for each in placed]
    decided = [finding for finding in findings if is_decided(finding)]
    share = min(map(_earned, decided)) if decided else None
    ended = {finding.outcome for finding in decided or findings}
    unit = Unit(
        start_method=asked.start_method,
        variant=asked.variant,
        outcome=next(outcome for outcome in _TELLING if outcome in ended),
        share=float(share or 0),
        undecided=share is None,
    )
    return unit, share


def is_decided(finding: Finding) -> bool:
    """Tell whether a check counts, for the submission or against it."""
    if finding.outcome is Outcome.SKIPPED:
        return bool(finding.undecided_by)
    return finding.outcome not in UNSURE


def _earned(finding: Finding) -> Fraction:
    """Return the part that a finding earns.

    A check may fail in part: its credit says, in decimals, which part is earned nevertheless.
    """
    if finding.outcome is Outcome.FAILED:
        return Fraction(str(finding.credit))
    return Fraction(finding.outcome is Outcome.PASSED)


def with_requirements(criteria: Sequence[CriterionShare]) -> list[CriterionShare]:
    """Take the points of criteria that require another of which less than half is earned.

    A required criterion that could not be decided takes no points from anybody.
    """
    by_name = {each.rule.name: each for each in criteria}
    settled: dict[str, CriterionShare] = {}

    def settle(name: str) -> CriterionShare:
        if name not in settled:
            # Assignments have no cycles. In a cycle, the criterion that was asked first would count
            # as it is.
            settled[name] = by_name[name]
            for other in map(settle, by_name[name].rule.requires):
                if (
                    other.share is not None
                    and other.share < HALF
                    and by_name[name].share is not None
                ):
                    reason = (
                        "not earned: less than half of the points of"
                        f" {other.rule.title or other.rule.name!r}"
                    )
                    settled[name] = replace(_nothing(by_name[name]), reason=reason)
        return settled[name]

    return [settle(each.rule.name) for each in criteria]


def _nothing(criterion: CriterionShare) -> CriterionShare:
    """Return a criterion without any points, whatever its units have earned."""
    questions = tuple(
        replace(
            each,
            share=None if each.share is None else Fraction(0),
            units=tuple(replace(unit, share=0.0) for unit in each.units),
        )
        for each in criterion.questions
    )
    return replace(criterion, questions=questions, share=Fraction(0))

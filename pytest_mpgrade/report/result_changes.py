"""What changed between two gradings of a class, submission by submission. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_mpgrade.records import QuestionScore, Status
from pytest_mpgrade.report import adjustments
from pytest_mpgrade.report.grade_words import grade_words
from pytest_mpgrade.report.parts import ResultFile
from pytest_mpgrade.system.text import one_line, points


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changed for one submission."""

    id: str
    before: str  # its grade in words; "" where it is only in the new ones
    after: str  # "" where it is not in the new ones
    by: float | None  # points; None where one of them has no grade
    questions: tuple[str, ...] = ()  # which have other points, in words
    checks: tuple[str, ...] = ()  # which ended otherwise
    by_hand: tuple[str, ...] = ()  # what a person has set, or set no more


def result_changes(
    old: Mapping[str, ResultFile], new: Mapping[str, ResultFile]
) -> Iterator[Change]:
    """Yield the submissions whose points or status changed, by name."""
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            before, after = (_grade(each[name]) if name in each else "" for each in (old, new))
            yield Change(id=name, before=before, after=after, by=None)
            continue
        change = _change(name, old[name], new[name])
        if change.before != change.after or change.by_hand:
            yield change


def _change(name: str, before: ResultFile, after: ResultFile) -> Change:
    known = before.final is not None and after.final is not None
    return Change(
        id=name,
        before=_grade(before),
        after=_grade(after),
        by=round((after.final or 0) - (before.final or 0), 6) if known else None,
        questions=tuple(_questions(before, after)),
        checks=tuple(_checks(before, after)),
        by_hand=tuple(_by_hand(before, after)),
    )


def _grade(result: ResultFile) -> str:
    status = "" if result.status is Status.GRADED else f" ({result.status})"
    late = result.late
    after = (
        f", {'unknown' if late.score is None else points(late.score)} after the late rule"
        if late
        else ""
    )
    return f"{grade_words(result)}{after}{status}"


def _questions(before: ResultFile, after: ResultFile) -> Iterator[str]:
    old, new = ({each.id: each for each in _own_questions(each)} for each in (before, after))
    for id in dict.fromkeys([*old, *new]):
        was, now = old.get(id), new.get(id)
        if was is None or now is None or not _is_as_good(was, now):
            yield f"{one_line(id)}: {_worth(was)} -> {_worth(now)}"


def _is_as_good(was: QuestionScore, now: QuestionScore) -> bool:
    """Tell whether two questions have the same points, or each all that it is worth.

    Shares of a criterion are rounded: a full third may be 0.33 in one grading, and 0.34 in another.
    """
    full = was.points == was.max_points and now.points == now.max_points
    return full or (was.points, was.max_points) == (now.points, now.max_points)


def _checks(before: ResultFile, after: ResultFile) -> Iterator[str]:
    had, has = (
        {check.id: str(check.outcome) for check in result.checks} for result in (before, after)
    )
    for id in dict.fromkeys([*had, *has]):
        if had.get(id) != has.get(id):
            yield f"{one_line(id)}: {had.get(id, 'not made')} -> {has.get(id, 'not made')}"


def _own_questions(result: ResultFile) -> Iterator[QuestionScore]:
    own = result.machine.criteria if result.machine else result.criteria
    return (question for criterion in own for question in criterion.questions)


def _worth(question: QuestionScore | None) -> str:
    return (
        f"{points(question.points)} of {points(question.max_points)} points"
        if question
        else "not asked"
    )


def _by_hand(before: ResultFile, after: ResultFile) -> list[str]:
    """Say which points are set by hand now, and which no more."""
    old, new = adjustments.change_lines(before), adjustments.change_lines(after)
    return [line for line in new if line not in old] + [
        f"no more: {line}" for line in old if line not in new
    ]

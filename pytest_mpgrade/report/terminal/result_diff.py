"""What changed between two gradings of a class: whose points, and by which checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mpgrade.records import QuestionScore, Status
from pytest_mpgrade.report import adjustments, result_json
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.page import grade_words
from pytest_mpgrade.system.text import one_line, points


def read_results(folder: Path) -> dict[str, ResultFile]:
    """Return the results in a folder of a batch, or of a single grading.

    Their keys are the names of submissions. Raises UsageError where there is none.
    """
    files = result_json.result_files(folder)
    return {result.submission.id: result for result in map(result_json.read_result, files)}


def changes(old: Mapping[str, ResultFile], new: Mapping[str, ResultFile]) -> Iterator[str]:
    """Yield a line for each submission whose points or status changed.

    After it come lines for the questions, checks and overrides that differ.
    """
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield (
                f"{one_line(name)}:"
                f" {'only in the new ones' if name in new else 'not in the new ones'}"
            )
            continue
        before, after = old[name], new[name]
        details = [*_checks(before, after), *_by_hand(before, after)]
        if _grade(before) != _grade(after) or _by_hand(before, after):
            yield f"{one_line(name)}: {_grade(before)} -> {_grade(after)}"
            yield from (f"    {line}" for line in details)


def _grade(result: ResultFile) -> str:
    status = "" if result.status is Status.GRADED else f" ({result.status})"
    late = result.late
    after = (
        f", {'unknown' if late.score is None else points(late.score)} after the late rule"
        if late
        else ""
    )
    return f"{grade_words(result)}{after}{status}"


def _checks(before: ResultFile, after: ResultFile) -> Iterator[str]:
    """Yield which questions have other points now, and which checks ended otherwise."""
    old, new = ({each.id: each for each in _questions(result)} for result in (before, after))
    for id in dict.fromkeys([*old, *new]):
        was, now = (_worth(questions.get(id)) for questions in (old, new))
        if was != now:
            yield f"{one_line(id)}: {was} -> {now}"
    checks = (
        {check.id: str(check.outcome) for check in result.checks} for result in (before, after)
    )
    had, has = checks
    for id in dict.fromkeys([*had, *has]):
        if had.get(id) != has.get(id):
            yield f"{one_line(id)}: {had.get(id, 'not made')} -> {has.get(id, 'not made')}"


def _questions(result: ResultFile) -> Iterator[QuestionScore]:
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

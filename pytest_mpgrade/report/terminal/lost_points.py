"""Why points were lost, from a result file alone: a few lines for a person."""

from __future__ import annotations

import dataclasses

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import CriterionScore, Outcome, Status
from pytest_mpgrade.report import terminal
from pytest_mpgrade.report.causes import causes_of
from pytest_mpgrade.report.grade_words import grade_words, reason_line
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.first_causes import add_fix_first
from pytest_mpgrade.report.terminal.page import Page
from pytest_mpgrade.system.did_you_mean import nearest_or_all
from pytest_mpgrade.system.text import one_line, points


def lost_points(result: ResultFile, width: int = 80, color: bool = False) -> str:
    """Return the score, its most basic causes, and the criteria that are not earned in full."""
    page = Page(width, color)
    handed_in = result.submission
    score = grade_words(result) + " points" * (result.status is Status.GRADED)
    page.line((f"{one_line(result.assignment)}: {one_line(handed_in.id)}: {score}", "bold"), hang=4)
    if reason := reason_line(result):
        page.line(reason, indent=2, hang=4)
    add_fix_first(page, result)
    page.line("")
    short = [each for each in result.criteria if each.points < each.max_points]
    if result.status is Status.GRADED and (lost := [_not_earned(each) for each in short]):
        page.line(f"Not earned: {', '.join(lost)}", hang=4)
    for words in terminal.about_points(result):
        page.line(one_line(words), hang=4)
    for outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
        if count := result.count(outcome):
            page.line(f"{count} checks ended as {outcome}; a person should look", hang=4)
    return page.text


def _not_earned(score: CriterionScore) -> str:
    lost = score.max_points - score.points
    return f"{one_line(score.name)} {points(round(lost, 2))} of {points(score.max_points)}"


def of_question(result: ResultFile, name: str) -> ResultFile:
    """Return a result with nothing but the questions of this name, and what they show.

    *name* is the name of a test function, with or without its file. Raises UsageError if the
    result has no such question.
    """
    ids = [each.id for criterion in result.criteria for each in criterion.questions]
    meant = {id for id in ids if name in (id, id.rpartition("::")[2])}
    if not meant:
        known = sorted({id.rpartition("::")[2] for id in ids})
        raise UsageError(f"the result has no question {name!r} ({nearest_or_all(name, known)})")
    criteria = tuple(
        dataclasses.replace(
            criterion, questions=tuple(each for each in criterion.questions if each.id in meant)
        )
        for criterion in result.criteria
    )
    part = dataclasses.replace(
        result,
        criteria=tuple(each for each in criteria if each.questions),
        checks=tuple(each for each in result.checks if each.question in meant),
    )
    return dataclasses.replace(part, causes=causes_of(part))


def question(result: ResultFile, name: str, width: int = 80, color: bool = False) -> str:
    """Return for one question its units and points, and each failure with its evidence."""
    part = of_question(result, name)
    page = Page(width, color)
    for unit in part.units():
        earned = f"{points(unit.points)} of {points(unit.max_points)}"
        page.line(f"{one_line(unit.title)}: {unit.unit.outcome}, {earned} points", hang=4)
        telling = unit.telling
        if telling is not None and telling.outcome not in (Outcome.PASSED, Outcome.FAILED):
            page.line(one_line(telling.message), indent=4, hang=4)
    explained = terminal.explanations(part, width, color)
    return "\n\n".join(filter(None, (page.text, explained, terminal.fix_first(part, width, color))))

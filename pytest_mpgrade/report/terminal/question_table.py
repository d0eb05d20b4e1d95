"""What an assignment's questions are worth, for a terminal and for its handout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_mpgrade.records import Assignment, Criterion, QuestionScore
from pytest_mpgrade.report.redaction import HIDDEN
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system.text import joined, one_line, points

BEGIN, END = "<!-- rubric: made by mpgrade rubric --markdown -->", "<!-- end of the rubric -->"
"""The marks around the table in a handout."""


@dataclass(frozen=True, kw_only=True)
class RubricRow:
    """A criterion, or one of its questions."""

    title: str
    points: str
    # in which a question is asked: their number, or start methods × variants; "": a criterion
    units: str = ""
    requires: str = ""


def rubric_rows(
    found: ResultFile, assignment: Assignment, *, for_students: bool = False
) -> Iterator[RubricRow]:
    """Yield a row for each criterion, and after it one for each of its questions.

    Of hidden criteria students get the points only.
    """
    rules = {each.name: each for each in assignment.criteria}
    titles = {
        each.name: HIDDEN if each.hidden and for_students else one_line(each.title or each.name)
        for each in assignment.criteria
    }
    for criterion in found.criteria:
        rule = rules[criterion.name]
        worth = points(criterion.max_points)
        if rule.hidden and for_students:
            yield RubricRow(title=HIDDEN.capitalize(), points=worth)
            continue
        title = titles[rule.name] + (" (hidden)" if rule.hidden else "")
        yield RubricRow(title=title, points=worth, requires=_requires(rule, titles))
        for question in criterion.questions:
            worth = points(question.max_points)
            title = one_line(question.title).rstrip(".")
            yield RubricRow(title=title, points=worth, units=_units(question))


def _units(question: QuestionScore) -> str:
    """Return how many units there are, as a product where each method has the same variants."""
    methods = len({each.start_method for each in question.units})
    variants = len({each.variant for each in question.units})
    number = len(question.units)
    return (
        f"{methods} × {variants}" if variants > 1 and methods * variants == number else f"{number}"
    )


def _requires(rule: Criterion, titles: Mapping[str, str]) -> str:
    names = dict.fromkeys(f"“{titles[name]}”" for name in rule.requires)
    return f"only with half of the points of {joined(tuple(names))}" if names else ""


def markdown(found: ResultFile, assignment: Assignment) -> str:
    """Return the table that a handout has: criteria in bold, their questions below."""
    lines = [BEGIN, "", "| what is asked | points |", "|---|--:|"]
    for row in rubric_rows(found, assignment, for_students=True):
        if row.units:
            lines.append(f"| {_cell(row.title)} | {row.points} |")
        else:
            only = f" ({row.requires})" if row.requires else ""
            lines.append(f"| **{_cell(row.title)}**{_cell(only)} | **{row.points}** |")
    lines.append(f"| **Total** | **{points(found.max_score)}** |")
    return "\n".join([*lines, "", END])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

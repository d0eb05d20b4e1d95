"""What an assignment's questions are worth, for a terminal and for its handout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Assignment, Criterion
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system.text import joined, one_line, points

BEGIN, END = "<!-- rubric: made by mpgrade rubric --markdown -->", "<!-- end of the rubric -->"
"""The marks around the table in a handout."""


@dataclass(frozen=True, kw_only=True)
class RubricRow:
    """A criterion, or one of its questions."""

    title: str
    points: str
    # in which a question is asked: start methods times variants; 0: it is a criterion
    units: int = 0
    requires: str = ""


def rubric_rows(found: ResultFile, assignment: Assignment) -> Iterator[RubricRow]:
    """Yield a row for each criterion, and after it one for each of its questions."""
    rules = {each.name: each for each in assignment.criteria}
    for criterion in found.criteria:
        rule = rules[criterion.name]
        title = one_line(criterion.title) + (" (hidden)" if rule.hidden else "")
        yield RubricRow(
            title=title,
            points=points(criterion.max_points),
            requires=_requires(rule, assignment.criteria),
        )
        for question in criterion.questions:
            worth = points(question.max_points)
            yield RubricRow(
                title=one_line(question.title).rstrip("."), points=worth, units=len(question.units)
            )


def _requires(rule: Criterion, criteria: Sequence[Criterion]) -> str:
    titles = {each.name: one_line(each.title or each.name) for each in criteria}
    names = [f"“{titles[name]}”" for name in rule.requires]
    return f"only with half of the points of {joined(names)}" if names else ""


def markdown(found: ResultFile, assignment: Assignment) -> str:
    """Return the table that a handout has: criteria in bold, their questions below."""
    lines = [BEGIN, "", "| what is asked | points |", "|---|--:|"]
    for row in rubric_rows(found, assignment):
        if row.units:
            lines.append(f"| {_cell(row.title)} | {row.points} |")
        else:
            only = f" ({row.requires})" if row.requires else ""
            lines.append(f"| **{_cell(row.title)}**{_cell(only)} | **{row.points}** |")
    lines.append(f"| **Total** | **{points(found.max_score)}** |")
    return "\n".join([*lines, "", END])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

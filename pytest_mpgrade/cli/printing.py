"""Commands of `mpgrade` that only print, and grade nothing; each returns its exit code."""

from __future__ import annotations

import argparse
import sys

from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import points


def list_assignments(arguments: argparse.Namespace) -> int:
    """Run `mpgrade list`: the assignments, the packages that one of them allows, or the checks."""
    from pytest_mpgrade.course.assignment import find_assignment, shipped
    from pytest_mpgrade.course.packages import installed_as

    if arguments.checks:
        from pytest_mpgrade.judge import reference

        console.say(reference.page())
        return 0
    if arguments.packages:
        for name in find_assignment(arguments.packages).environment.packages:
            console.say(installed_as(name))
        return 0
    assignments = list(shipped())
    width = max((len(each.name) for each in assignments), default=0)
    for each in assignments:
        console.say(f"{each.name:{width}}  {points(each.points):>4} points  {each.title}")
    return 0


def print_rubric(arguments: argparse.Namespace) -> int:
    """Run `mpgrade rubric`.

    Raises MpgradeError for an assignment that does not exist, or whose tests are broken.
    """
    from pytest_mpgrade.course.assignment import find_assignment
    from pytest_mpgrade.grade import outline
    from pytest_mpgrade.report import terminal
    from pytest_mpgrade.report.terminal.question_table import markdown

    assignment = find_assignment(arguments.assignment)
    questions = outline.collect(assignment)
    if arguments.markdown:
        console.say(markdown(questions, assignment))
    else:
        console.say(
            terminal.outline(questions, assignment, console.width(), console.color(sys.stdout))
        )
    return 0


def print_schema(arguments: argparse.Namespace) -> int:
    """Run `mpgrade schema`."""
    from pytest_mpgrade.cli import schemas

    console.say(schemas.text(arguments.kind))
    return 0


def diff(arguments: argparse.Namespace) -> int:
    """Run `mpgrade diff`; 1 where points have changed.

    Raises UsageError where there are no results.
    """
    from pytest_mpgrade.report.terminal import result_diff

    old, new = result_diff.read_results(arguments.old), result_diff.read_results(arguments.new)
    changes = list(result_diff.changes(old, new))
    for line in changes:
        console.say(line)
    if not changes:
        console.say(f"no points changed in {len(new)} submissions")
    return 1 if changes else 0

"""`mpgrade wrong`: list the wrong solutions of an assignment, or print one with marks."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Sequence

from pytest_mpgrade.cli.verify_cases import Case, wrong_cases, wrong_solution
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.system import console

_COLUMNS = 80
"""The width of a terminal, as everywhere."""


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade wrong`: list all, or print one as it is graded.

    Raises UsageError for an unknown name.
    """
    assignment = find_assignment(arguments.assignment)
    if arguments.name:
        case = wrong_solution(assignment, arguments.name)
        text = (
            (case.path / assignment.module).read_text("utf-8")
            if case.path.is_dir()
            else case.content().decode()
        )
        console.say(text.rstrip("\n"))
    else:
        for line in _listed(wrong_cases(assignment)):
            console.say(line)
    return 0


def _listed(cases: Sequence[Case]) -> Iterator[str]:
    """Yield the name and concerns of each solution, and its description below them."""
    width = max((len(case.name) for case in cases), default=0)
    for case in cases:
        yield f"{case.name:{width}}  {', '.join(case.concerns)}"
        yield from textwrap.wrap(
            case.about, _COLUMNS, initial_indent="    ", subsequent_indent="    "
        )

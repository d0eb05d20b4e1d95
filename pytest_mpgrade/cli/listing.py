"""`mpgrade list`: all assignments that have a name, and where each is from."""

from __future__ import annotations

import argparse
import sys

from pytest_mpgrade.cli.exit_codes import RIGHT, USAGE
from pytest_mpgrade.course import catalogue
from pytest_mpgrade.course.assignment import find_assignment, load_assignment
from pytest_mpgrade.course.packages import installed_as
from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import joined, points


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade list`: the assignments, or the packages that one of them allows.

    Returns 2 where a place that should have assignments cannot be read, or one of them.
    """
    if arguments.packages:
        for name in find_assignment(arguments.packages).environment.packages:
            console.say(installed_as(name))
        return RIGHT
    found = list(catalogue.all_sources())
    width = max((len(each.name) for source in found for each in source.found), default=0)
    taken: set[str] = set()
    faults: list[str] = []
    for source in found:
        console.say(f"{source.origin}{'' if source.found else ' (no assignment there)'}")
        faults += [f"{source.origin}: {source.fault}"] if source.fault else []
        for each in source.found:
            try:
                console.say(f"  {_line(each, width)}")
            except AssignmentError as error:
                faults += error.lines
            if each.name in taken:
                console.say(f"  {'':{width}}  not taken by its name: there is one above")
            taken.add(each.name)
    for fault in faults:
        console.say(f"mpgrade: {fault}", sys.stderr)
    return USAGE if faults else RIGHT


def tell_of_others(name: str) -> None:
    """Say on standard error which assignment is taken where several have the same name."""
    found = catalogue.listed_as(name)
    if len(found) > 1:
        also = joined([each.origin for each in found[1:]])
        words = f"{name} is taken from {found[0].origin}; there is one too from {also}"
        console.say(f"mpgrade: {words}", sys.stderr)


def _line(listed: catalogue.Listed, width: int) -> str:
    assignment = load_assignment(listed.folder)
    return f"{listed.name:{width}}  {points(assignment.points):>4} points  {assignment.title}"

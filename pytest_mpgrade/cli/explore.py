"""The command `mpgrade explore`: look for races in one's own solution, or replay one."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import tempfile
from pathlib import Path

from pytest_mpgrade.cli.grading_options import exit_code, grading_options
from pytest_mpgrade.course.assignment import find_assignment, shipped
from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.grade.grading import grade
from pytest_mpgrade.records import Assignment, Concern, Outcome, schedule_in
from pytest_mpgrade.report import redaction, terminal
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.submission.sources import read_sources
from pytest_mpgrade.submission.syntax import module_syntax, parse_module
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import one_line

RACES = "races"
"""The criterion whose questions explore."""


def main(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.assignment:
        assignment = find_assignment(arguments.assignment)
    else:
        assignment = _meant(arguments.path, arguments.function)
    named = [each.name for each in assignment.criteria if each.name == RACES]
    if not named:
        raise UsageError(f"{assignment.name} asks for no schedules: it has no criterion {RACES!r}")
    keyword = named[0]
    if arguments.replay:
        try:
            keyword += f" and {schedule_in(arguments.replay).start_method}"
        except ValueError as error:
            raise UsageError(f"--replay: {error}") from None
    rules = dataclasses.replace(
        assignment.explore,
        replay=arguments.replay,
        seconds=arguments.seconds or assignment.explore.seconds,
        depth=arguments.depth or assignment.explore.depth,
    )
    options = dataclasses.replace(grading_options(arguments), keyword=keyword)
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
        chosen = dataclasses.replace(assignment, explore=rules)
        result = grade(arguments.path, chosen, Path(scratch), options=options).result
    _say(result, assignment)
    return exit_code(result)


def _meant(path: Path, function: str) -> Assignment:
    """Return the one assignment with schedules whose functions a submission has."""
    exploring = [
        each for each in shipped() if RACES in {criterion.name for criterion in each.criteria}
    ]
    found = [
        each
        for each in exploring
        if (not function or function in each.functions) and _has(path, each)
    ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in found or exploring)
    which = "the functions of several" if found else "not all functions of any"
    raise UsageError(f"{path} has {which}: choose with --assignment ({names})")


def _has(path: Path, assignment: Assignment) -> bool:
    """Tell whether a submission defines all functions of an assignment."""
    try:
        submission = discover(path, assignment)
    except UngradableError:
        return False
    sources = read_sources(submission, notebook=False).sources
    names: set[str] = set()
    for (file, _), text in sources.items():
        with contextlib.suppress(UngradableError):
            names |= module_syntax(parse_module(file, text)).names
    return names >= {*assignment.functions}


def _say(result: ResultFile, assignment: Assignment) -> None:
    """Print the failures, and what was tried where there is none."""
    shown, _ = redaction.redacted(result, assignment.criteria)
    width, color = console.width(), console.color(sys.stdout)
    if text := terminal.explanations(shown, width, color):
        console.say(text + "\n")
    if fix_first := terminal.fix_first(shown, width, color):
        console.say(fix_first)
    for check in shown.checks:
        if check.outcome is Outcome.PASSED and check.concern is Concern.RACE:
            tried = one_line(str(check.evidence.get("right under", "each schedule")))
            console.say(f"{check.call}: right under {tried}; this is no proof")
        elif check.concern is not Concern.RACE and check.outcome is not Outcome.PASSED:
            console.say(
                f"no schedule was tried under {check.start_method}: the call fails without any"
                f" delay, and mpgrade check {assignment.name} says what to do about that"
            )
        elif check.outcome is not Outcome.FAILED:
            console.say(f"{check.start_method}: {one_line(check.message)}")
    if not shown.checks and result.reason:
        console.say(one_line(result.reason))

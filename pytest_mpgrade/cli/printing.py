"""Commands of `mpgrade` that only print, and grade nothing; each returns its exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system import console

if TYPE_CHECKING:
    from pytest_mpgrade.report.result_json import ResultFile


def print_checks(arguments: argparse.Namespace) -> int:
    """Run `mpgrade checks`.

    Raises UsageError for a name that is neither a check's nor a concern's.
    """
    from pytest_mpgrade.judge import reference
    from pytest_mpgrade.system.did_you_mean import nearest

    known = reference.check_names()
    for name in arguments.names:
        if name not in known:
            raise UsageError(f"there is no check or concern {name!r}{nearest(name, known)}")
    console.say(reference.parts_about(arguments.names) if arguments.names else reference.page())
    return 0


def print_tasks(_: argparse.Namespace) -> int:
    """Run `mpgrade tasks`: each function that makes tasks, with the beginning of its docstring."""
    from pytest_mpgrade import tasks

    _print_functions("tasks", {name: getattr(tasks, name) for name in tasks.__all__})
    return 0


def print_fixtures(_: argparse.Namespace) -> int:
    """Run `mpgrade fixtures`: what tests can do with a submission, and the steps of a play."""
    from pytest_mpgrade import steps
    from pytest_mpgrade.student import Student
    from pytest_mpgrade.student.notebook import StudentNotebook

    _print_functions("student", vars(Student))
    _print_functions("notebook", vars(StudentNotebook))
    _print_functions("steps", {name: getattr(steps, name) for name in steps.__all__})
    return 0


def _print_functions(owner: str, named: Mapping[str, object]) -> None:
    """Print the public functions among these as they are called, with what they do."""
    import inspect

    from pytest_mpgrade.system.text import first_paragraph

    for name, function in named.items():
        if not inspect.isfunction(function) or name.startswith("_"):
            continue
        bare = [
            each.replace(annotation=each.empty)
            for each in inspect.signature(function).parameters.values()
            if each.name != "self"
        ]
        console.say(f"{owner}.{name}{inspect.Signature(bare)}")
        console.say(f"    {first_paragraph(inspect.getdoc(function) or '')}")


def print_rubric(arguments: argparse.Namespace) -> int:
    """Run `mpgrade rubric`.

    Raises MpgradeError for an assignment that does not exist, or whose tests are broken.
    """
    from pytest_mpgrade.course.assignment import find_assignment
    from pytest_mpgrade.grade import outline
    from pytest_mpgrade.report import terminal
    from pytest_mpgrade.report.terminal.policy import policy
    from pytest_mpgrade.report.terminal.question_table import markdown

    assignment = find_assignment(arguments.assignment)
    questions = outline.collect(assignment)
    if arguments.markdown:
        console.say(markdown(questions, assignment))
    else:
        form = console.width(), console.color(sys.stdout)
        console.say(terminal.outline(questions, assignment, *form) + "\n")
        console.say(policy(questions, assignment, *form))
    return 0


def print_schema(arguments: argparse.Namespace) -> int:
    """Run `mpgrade schema`."""
    from pytest_mpgrade.cli import schemas

    console.say(schemas.text(arguments.kind))
    return 0


def show_result(arguments: argparse.Namespace) -> int:
    """Run `mpgrade show`.

    Raises UsageError where there is no such result, or no such question in it.
    """
    from pytest_mpgrade.report.terminal import lost_points

    result = _one_result(arguments.results, arguments.student)
    form = console.width(), console.color(sys.stdout)
    if arguments.question:
        console.say(lost_points.question(result, arguments.question, *form))
    else:
        console.say(lost_points.lost_points(result, *form))
    part = lost_points.of_question(result, arguments.question) if arguments.question else result
    if arguments.timeline:
        from pytest_mpgrade.report.terminal.timelines import timelines_text

        drawn = timelines_text(part, *form)
        console.say(f"\n{drawn or 'the result has no timeline of a failure'}")
    if arguments.trace:
        _write_trace(part, arguments.trace)
    return 0


def _write_trace(result: ResultFile, path: Path) -> None:
    from pytest_mpgrade.report.timeline import chrome_trace, timeline_groups
    from pytest_mpgrade.system import atomic_write

    timelines = [each for group in timeline_groups(result) for each in group.timelines]
    if not timelines:
        raise UsageError("the result has no timeline of a failure, so there is no trace to write")
    distinct = list({id(each): each for each in timelines}.values())
    atomic_write.write_bytes(chrome_trace(distinct), path)
    console.say(f"trace: {path} (open it in https://ui.perfetto.dev or chrome://tracing)")


def _one_result(place: Path, student: str) -> ResultFile:
    from pytest_mpgrade.report import result_json
    from pytest_mpgrade.report.terminal import result_diff
    from pytest_mpgrade.system.did_you_mean import nearest_or_all, what_there_is

    if place.is_file():
        return result_json.read_result(place)
    results = result_diff.read_results(place)
    if student and student not in results:
        raise UsageError(f"there is no result of {student!r} ({nearest_or_all(student, results)})")
    if not student and len(results) > 1:
        raise UsageError(f"which result? Name one with --student ({what_there_is(results)})")
    return results[student] if student else next(iter(results.values()))


def causes(arguments: argparse.Namespace) -> int:
    """Run `mpgrade causes`. Raises UsageError where there are no results."""
    from pytest_mpgrade.report.terminal import class_causes, result_diff

    results = result_diff.read_results(arguments.results).values()
    shared = class_causes.shared_causes(results)
    form = console.width(), console.color(sys.stdout)
    console.say(class_causes.page_of_causes(shared, len(results), *form))
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
    if arguments.html:
        _write_diff(arguments, old, new)
    return 1 if changes else 0


def _write_diff(
    arguments: argparse.Namespace, old: dict[str, ResultFile], new: dict[str, ResultFile]
) -> None:
    from pytest_mpgrade.report.pages.diff_page import diff_page
    from pytest_mpgrade.report.result_changes import result_changes
    from pytest_mpgrade.system import atomic_write

    assignment = next(iter(new.values())).assignment
    places = str(arguments.old), str(arguments.new)
    page = diff_page(assignment, *places, list(result_changes(old, new)), len(new))
    atomic_write.write_bytes(page.encode("utf-8", "backslashreplace"), arguments.html)
    console.say(f"as a page: {arguments.html}")

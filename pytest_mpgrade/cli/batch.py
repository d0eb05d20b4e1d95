"""`mpgrade batch`: grade every submission of a class, and print a table of the results."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import signal
import sys
from pathlib import Path

from pytest_mpgrade.batch import class_files, plan, progress
from pytest_mpgrade.batch.cluster import executors
from pytest_mpgrade.batch.mapping import MAPPING
from pytest_mpgrade.batch.run import GRADEBOOK, grade_jobs, wait_for_earlier
from pytest_mpgrade.cli import feedback
from pytest_mpgrade.cli.exit_codes import RIGHT, UNGRADABLE
from pytest_mpgrade.cli.grading_options import grading_options
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.errors import Mistakes, UsageError
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report import terminal
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import one_line


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade batch`; 3 where some submissions could not be graded."""
    if hasattr(signal, "SIGHUP"):
        # A terminal that goes away, as with a lost connection, must not cost an hour's results.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assignment, out = find_assignment(arguments.assignment), arguments.out
    options = grading_options(arguments)
    wait_for_earlier(out, lambda words: console.say(one_line(words), sys.stderr))
    choice, ready, gradebook = _checked(arguments, assignment, options)
    console.say(
        f"{len(ready.source.jobs)} submissions, layout: {ready.source.layout}; what became of"
        f" what: {out / MAPPING}"
    )
    if gradebook:
        console.say(f"grades go into the column {gradebook.checked.column!r} of {gradebook.file}")
    for words in ready.words():
        console.say(one_line(words), sys.stderr)
    graded, before = _grade_all(arguments, assignment, options, choice, ready)
    missing = _print_class(arguments, ready, gradebook, graded, before)
    written = feedback.after_batch(arguments.feedback, ready.source, assignment, out)
    for words in (*map(one_line, written), *choice.notes()):
        console.say(words)
    return UNGRADABLE if missing else RIGHT


def _checked(
    arguments: argparse.Namespace, assignment: Assignment, options: Options
) -> tuple[executors.Choice, plan.Prepared, class_files.Gradebook | None]:
    """Return all inputs of the batch. Raises UsageError with the mistakes of all of them."""
    mistakes = Mistakes()
    gradebook: class_files.Gradebook | None = None
    with mistakes.collected():
        choice = executors.choice(arguments, assignment, options)
    with mistakes.collected():
        if arguments.gradebook:
            system, file = arguments.gradebook
            column = arguments.gradebook_column
            gradebook = class_files.Gradebook.read(system, Path(file), assignment, column)
        elif arguments.gradebook_column:
            raise UsageError("--gradebook-column names a column of the file of --gradebook")
    with mistakes.collected():
        choices = ("layout", "roster", "overrides", "due")
        named = {name: getattr(arguments, name) for name in choices}
        ready = plan.prepare(arguments.source, assignment, arguments.out, **named)
        if gradebook:
            gradebook.hold(ready.source.keys)
    mistakes.tell()
    return choice, ready, gradebook


def _grade_all(
    arguments: argparse.Namespace,
    assignment: Assignment,
    options: Options,
    choice: executors.Choice,
    ready: plan.Prepared,
) -> tuple[class_files.Class, int]:
    """Grade all submissions and show the progress.

    Returns the results of the class, and how many of them are taken from an earlier batch.
    """
    jobs, out = ready.source.jobs, arguments.out
    width, color = console.width(), console.color(sys.stdout)
    graded, before = class_files.Class(), 0
    board = progress.Board(len(jobs), out, options.stop.is_set)
    with progress.progress_shown(board, color) as shown:
        gradings = grade_jobs(
            jobs,
            assignment,
            out,
            options,
            choice.execute,
            resume=choice.resume,
            settled=ready.settled,
            mapping=ready.source.mapping,
            begun=shown.begun,
        )
        with contextlib.closing(gradings):
            for grading in gradings:
                graded.add(grading.result)
                before += grading.kept
                shown.done(grading)
                if arguments.rubric:
                    shown.say(terminal.rubric(grading.result, width, color) + "\n")
    return graded, before


def _print_class(
    arguments: argparse.Namespace,
    ready: plan.Prepared,
    gradebook: class_files.Gradebook | None,
    graded: class_files.Class,
    before: int,
) -> bool:
    """Print the table of the class, and write its files.

    Returns whether some submission has no grade.
    """
    out = arguments.out
    width, color = console.width(), console.color(sys.stdout)
    console.say("\n" + terminal.class_table(graded.rows, width, color))
    console.say(
        f"  gradebook: {out / GRADEBOOK}" + (f"; {before} were graded before" if before else "")
    )
    notes = [graded.statistics(ready.source.jobs, out)]
    if gradebook:
        notes.append(gradebook.write(out, graded.rows, ready.source.keys))
    for words in itertools.chain(*notes, ready.summary()):
        console.say(one_line(words))
    if missing := terminal.ungradable(graded.rows, width, color):
        console.say("\nwithout a grade:\n" + missing)
    return bool(missing)

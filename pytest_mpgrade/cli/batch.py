"""`mpgrade batch`: grade every submission of a class, and print a table of the results."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.batch import class_files, plan, progress
from pytest_mpgrade.batch.chosen import chosen_submissions
from pytest_mpgrade.batch.cluster import executors
from pytest_mpgrade.batch.feedback import check_sources
from pytest_mpgrade.batch.mapping import MAPPING, sources_of
from pytest_mpgrade.batch.run import grade_jobs, wait_for_earlier
from pytest_mpgrade.cli import choice_arguments, feedback
from pytest_mpgrade.cli.exit_codes import RIGHT, UNGRADABLE
from pytest_mpgrade.cli.grading_options import grading_options
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.errors import Mistakes, UsageError
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report import terminal
from pytest_mpgrade.report.grade_words import NOT_GRADED
from pytest_mpgrade.report.tables import class_gradebook
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import clean, counted, one_line, some_of


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade batch`; 3 where some submissions could not be graded."""
    if hasattr(signal, "SIGHUP"):
        # A terminal that goes away, as with a lost connection, must not cost an hour's results.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assignment, out = find_assignment(arguments.assignment), arguments.out
    options = grading_options(arguments)
    choice = executors.choice(arguments, assignment, options)  # before anything is written
    wait_for_earlier(out, lambda words: console.say(one_line(words), sys.stderr))
    inputs = _checked(arguments, assignment, choice)
    _print_inputs(inputs, out)
    graded = _grade_all(arguments, assignment, options, inputs)
    missing = _print_class(arguments, inputs, graded)
    written = feedback.after_batch(arguments.feedback, inputs.ready.source, assignment, out)
    if arguments.html:
        from pytest_mpgrade.cli import report  # with what draws and colours: not for every batch

        pages = report.pages_after_batch(inputs.ready.source, assignment, out, arguments.html)
        written = itertools.chain(written, pages)
    for words in (*map(one_line, written), *inputs.choice.notes()):
        console.say(words)
    return UNGRADABLE if missing else RIGHT


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """All that a batch is given, read and checked."""

    choice: executors.Choice
    ready: plan.Prepared
    only: frozenset[str] | None
    gradebook: class_files.Gradebook | None


def _checked(
    arguments: argparse.Namespace, assignment: Assignment, choice: executors.Choice
) -> _Inputs:
    """Return all inputs of the batch. Raises UsageError with the mistakes of all of them."""
    mistakes = Mistakes()
    only: frozenset[str] | None = None
    gradebook: class_files.Gradebook | None = None
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
        check_sources(arguments.feedback, sources_of(ready.source.mapping))
        if asked := choice_arguments.asked_only(arguments):
            names = [clean(job.id) for job in ready.source.jobs]
            only = chosen_submissions(asked, arguments.out, names)
    mistakes.tell()
    return _Inputs(choice=choice, ready=ready, only=only, gradebook=gradebook)


def _print_inputs(inputs: _Inputs, out: Path) -> None:
    source, gradebook = inputs.ready.source, inputs.gradebook
    console.say(
        f"{counted(len(source.jobs), 'submission')}, layout: {source.layout}; what became of"
        f" what: {out / MAPPING}"
    )
    if inputs.only is not None:
        console.say(one_line(f"graded again: {some_of(sorted(inputs.only))}"))
    if gradebook:
        column = gradebook.checked.column
        console.say(one_line(f"grades go into the column {column!r} of {gradebook.file}"))
    for words in inputs.ready.words():
        console.say(one_line(words), sys.stderr)


def _grade_all(
    arguments: argparse.Namespace, assignment: Assignment, options: Options, inputs: _Inputs
) -> class_files.Class:
    """Grade all submissions and show the progress."""
    ready, out = inputs.ready, arguments.out
    width, color = console.width(), console.color(sys.stdout)
    graded = class_files.Class()
    asked = None if inputs.only is None else len(inputs.only)
    board = progress.Board(len(ready.source.jobs), out, options.stop.is_set, asked)
    with progress.progress_shown(board, color) as shown:
        gradings = grade_jobs(
            ready.source.jobs,
            assignment,
            out,
            options,
            inputs.choice.execute,
            resume=inputs.choice.resume,
            only=inputs.only,
            settled=ready.settled,
            mapping=ready.source.mapping,
            begun=shown.begun,
        )
        with contextlib.closing(gradings):
            for grading in gradings:
                graded.add(grading)
                shown.done(grading)
                if arguments.rubric and (inputs.only is None or not grading.kept):
                    shown.say(terminal.rubric(grading.result, width, color) + "\n")
    return graded


def _print_class(arguments: argparse.Namespace, inputs: _Inputs, graded: class_files.Class) -> bool:
    """Print the table of the class, and write its files.

    Returns whether some submission has no grade.
    """
    out, source = arguments.out, inputs.ready.source
    width, color = console.width(), console.color(sys.stdout)
    console.say("\n" + terminal.class_table(graded.rows, width, color))
    before = f"; {graded.kept} were graded before" if graded.kept else ""
    console.say(f"  gradebook: {out / class_gradebook.FILE}{before}")
    notes = [graded.statistics(source.jobs, out), graded.left_behind(source.jobs)]
    if inputs.gradebook:
        notes.append(inputs.gradebook.write(out, graded.rows, source.keys))
    for words in itertools.chain(*notes, inputs.ready.summary()):
        console.say(one_line(words))
    if missing := terminal.ungradable(graded.rows, width, color):
        console.say(f"\n{NOT_GRADED}:\n{missing}")
    return bool(missing) or len(graded.rows) < len(source.jobs)

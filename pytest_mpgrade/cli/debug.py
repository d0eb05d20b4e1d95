"""The command `mpgrade debug`: make one call of a question in the student's own terminal."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from pytest_mpgrade.cli.debug_program import run_program
from pytest_mpgrade.cli.exit_codes import RIGHT, WRONG
from pytest_mpgrade.course import start_methods
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment, OpenGates, Submission
from pytest_mpgrade.session.question_calls import Question, question_calls
from pytest_mpgrade.student.call_script import Repeated, lines_of
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.submission.staging import importable
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import counted, one_line


def main(assignment: Assignment, arguments: argparse.Namespace) -> int:
    """Run the command."""
    if assignment.notebook:
        raise UsageError(
            f"{assignment.name} asks for a notebook: run its cells in Jupyter, where print, input()"
            " and breakpoint() work; mpgrade check shows the failing cell"
        )
    method = arguments.start_method
    if method and not start_methods.available(method):
        raise UsageError(f"{sys.platform} has no start method {method}")
    submission = _importable(arguments.path, assignment)
    question = question_calls(assignment, submission, arguments.question, method)
    text = lines_of(_repeated(question, submission, arguments.call))
    console.say(f"{text}\n{_remarks(question, arguments.call)}\n")
    call = f"{question.test.rpartition('::')[2].partition('[')[0]}, call {arguments.call}"
    code = run_program(text, call, question.start_method, str(submission.folder))
    return RIGHT if code == 0 else WRONG


def _importable(path: Path, assignment: Assignment) -> Submission:
    submission = discover(path, assignment)
    if not importable(submission):
        raise UsageError(
            f"{submission.module} cannot be imported by its name: save your functions as"
            f" {assignment.module}, and debug that"
        )
    return submission


def _repeated(question: Question, submission: Submission, number: int) -> Repeated:
    if question.timed:
        raise UsageError(
            f"{question.test} times many calls in turn with the reference: debug a question that"
            " makes one call"
        )
    if not 0 < number <= max(1, len(question.plays)):
        raise UsageError(f"{question.test} makes {counted(len(question.plays), 'call')}")
    steps = question.plays[number - 1] if question.plays else ()
    return Repeated(
        about=f"{question.test}: {one_line(question.title)}",
        steps=steps,
        start_method=question.start_method,
        folder=submission.folder,
        module=submission.module.removesuffix(".py"),
        packages=tuple(name for name in submission.imports if name == "multiprocess"),
    )


def _remarks(question: Question, number: int) -> str:
    """Return what a user has to know of the call that is made now."""
    lines = ["The lines above repeat it without mpgrade; they run now. Ctrl-C ends them."]
    if not question.plays:
        lines.append("This question asks about the import alone.")
    if len(question.plays) > 1:
        lines.append(
            f"It is call {number} of the {len(question.plays)} that this question asks about;"
            " --call N makes another."
        )
    if question.variants > 1:
        lines.append(
            f"The question is asked in {question.variants} units: name one by its id, as"
            f" {question.test.rpartition('::')[2]!r}, to choose."
        )
    steps = question.plays[number - 1] if question.plays else ()
    if any(not isinstance(step.gates, OpenGates) or step.do in ("meet", "let") for step in steps):
        lines.append("A grading holds some of its tasks at gates; here all run freely.")
    return "\n".join(textwrap.fill(line, console.width()) for line in lines)

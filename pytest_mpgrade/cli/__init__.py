"""The command `mpgrade`: parses arguments, calls a command, and prints its error.

Imports happen inside functions, so that it starts fast.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from pytest_mpgrade.cli import printing
from pytest_mpgrade.cli.arguments import parser
from pytest_mpgrade.cli.exit_codes import RIGHT, UNGRADABLE, USAGE
from pytest_mpgrade.errors import MpgradeError, UngradableError, UsageError
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import encodable, one_line

if TYPE_CHECKING:
    from pytest_mpgrade.records import Assignment
    from pytest_mpgrade.report.result_json import ResultFile

_GRADING = frozenset(("check", "explore", "grade", "batch", "verify"))
"""Commands that continue when the reader of their output has gone away."""

_BROKEN_PIPE = 128 + 13  # the exit status by which a shell reports SIGPIPE


class _Ended(KeyboardInterrupt):
    """A signal other than SIGINT has ended the command, such as SIGTERM from a CI job.

    It is a KeyboardInterrupt so that it ends a running grading, too.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Called by the console script and by `python -m pytest_mpgrade`.
    """
    try:
        with _signals():
            code = _run(argv)
            sys.stdout.flush()
        return code
    except UngradableError as error:
        return _complain(str(error), UNGRADABLE)
    except UsageError as error:
        return max(_complain(line, USAGE) for line in error.lines)
    except MpgradeError as error:
        return _complain(str(error), USAGE)
    except BrokenPipeError:
        # The reader has gone, as in `mpgrade … | head`. Without this, Python would print another
        # error when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        return _complain(
            f"{error.strerror}: {error.filename}" if error.filename else str(error), USAGE
        )
    except KeyboardInterrupt as error:
        return _complain(
            "interrupted", 128 + (error.number if isinstance(error, _Ended) else signal.SIGINT)
        )


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser(_COMMANDS).parse_args(argv)
    except SystemExit:  # argparse has printed --help or --version
        return RIGHT
    if name := getattr(arguments, "assignment", ""):
        from pytest_mpgrade.cli import listing

        listing.tell_of_others(name)
    with console.lasting() if arguments.command in _GRADING else contextlib.nullcontext():
        code: int = arguments.run(arguments)
    return code


def _complain(message: str, code: int) -> int:
    console.say(f"mpgrade: {one_line(message)}", sys.stderr)
    return code


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that it can end its grading.

    A signal that was ignored when we were started stays ignored, as POSIX asks: SIGHUP below
    nohup(1), SIGINT in a script's background job. A batch ignores SIGHUP itself, see `batch.main`.
    A program that calls `main` in another thread than its first keeps its own handlers.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Ended(number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [
        signal.Signals[name]
        for name in names
        if signal.getsignal(signal.Signals[name]) is signal.SIG_DFL
        and threading.current_thread() is threading.main_thread()
    ]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _find(name: str) -> Assignment:
    from pytest_mpgrade.course.assignment import find_assignment

    return find_assignment(name)


def _check(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import check

    return check.main(_find(arguments.assignment), arguments)


def _debug(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import debug

    return debug.main(_find(arguments.assignment), arguments)


def _explore(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import explore

    return explore.main(arguments)


def _grade(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli.grading_options import exit_code, grading_options
    from pytest_mpgrade.grade.grading import grade
    from pytest_mpgrade.records import RESULT_FILE
    from pytest_mpgrade.report import redaction, terminal

    assignment = _find(arguments.assignment)
    grading = grade(arguments.path, assignment, arguments.out, options=grading_options(arguments))
    # Students read this output in CI.
    shown, _ = redaction.redacted(grading.result, assignment.criteria)
    console.say(terminal.rubric(shown, console.width(), console.color(sys.stdout)))
    console.say(f"\nresult: {grading.folder / RESULT_FILE}")
    if arguments.feedback:
        from pytest_mpgrade.cli import feedback

        feedback.say_after_grade(arguments.feedback, grading, assignment, arguments.path)
    if arguments.html:
        from pytest_mpgrade.batch.report_folder import write_report

        files = [grading.folder / RESULT_FILE]
        for words in write_report(files, assignment.criteria, arguments.html):
            console.say(one_line(words))
    if "github" in dict(arguments.format):
        _annotate(shown, arguments.path)
    return RIGHT if arguments.exit_code == "always-0" else exit_code(grading.result)


def _annotate(result: ResultFile, path: Path) -> None:
    from pytest_mpgrade.report.exports.github import annotation_places, step

    for command in annotation_places.marks(result, step.locate(path)):
        print(encodable(command, sys.stdout.encoding), flush=True)


def _package(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade import package
    from pytest_mpgrade.course.assignment import reference_folder

    assignment = _find(arguments.assignment)
    out = arguments.out or Path(f"{arguments.system}-{assignment.name}.zip")
    package.write_archive(
        arguments.system,
        assignment,
        out,
        wheel_file=arguments.wheel,
        extras=arguments.extra,
        deadline=arguments.deadline,
    )
    console.say(f"{out}: {package.KINDS[arguments.system].next_step}")
    if reference_folder(assignment) is None:
        console.say(
            "without the reference, which is not here: what is timed against it will be skipped",
            sys.stderr,
        )
    return RIGHT


def _list(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import listing

    return listing.main(arguments)


def _doctor(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade import doctor

    return doctor.main(_find(arguments.assignment) if arguments.assignment else None)


def _batch(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import batch

    return batch.main(arguments)


def _report(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import report

    return report.main(arguments)


def _feedback(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import feedback

    return feedback.main(arguments)


def _export(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import export

    return export.main(arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import verify, verify_mutants

    if arguments.mutate:
        return verify_mutants.main(arguments)
    return verify.main(arguments)


def _new(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import new

    return new.main(arguments)


def _starter(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import starter

    return starter.main(arguments)


def _wrong(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import wrong_solutions

    return wrong_solutions.main(arguments)


_COMMANDS = {
    "check": _check,
    "debug": _debug,
    "explore": _explore,
    "grade": _grade,
    "batch": _batch,
    "list": _list,
    "rubric": printing.print_rubric,
    "schema": printing.print_schema,
    "checks": printing.print_checks,
    "tasks": printing.print_tasks,
    "fixtures": printing.print_fixtures,
    "show": printing.show_result,
    "causes": printing.causes,
    "diff": printing.diff,
    "report": _report,
    "feedback": _feedback,
    "export": _export,
    "doctor": _doctor,
    "package": _package,
    "verify": _verify,
    "new": _new,
    "starter": _starter,
    "wrong": _wrong,
}

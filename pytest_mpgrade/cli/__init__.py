"""The command `mpgrade`: parses, calls, words the error. Light to start: it imports late."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from pytest_mpgrade.cli import printing
from pytest_mpgrade.cli.arguments import parser
from pytest_mpgrade.errors import MpgradeError, UngradableError
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import encodable, one_line

if TYPE_CHECKING:
    from pytest_mpgrade.batch.class_files import Class
    from pytest_mpgrade.batch.cluster.executors import Choice
    from pytest_mpgrade.batch.plan import Prepared
    from pytest_mpgrade.grade.pytest_run import Options
    from pytest_mpgrade.records import Assignment
    from pytest_mpgrade.report.result_json import ResultFile

RIGHT, WRONG, USAGE, UNGRADABLE = 0, 1, 2, 3
"""No check failed, some did, wrong usage, some submission could not be graded; docs/contract.md,
exit-codes.
"""

_GRADING = frozenset(("check", "grade", "batch", "verify"))
"""Commands that go on where nobody reads what they print."""

_BROKEN_PIPE = 128 + 13  # as a shell reports SIGPIPE


class _Ended(KeyboardInterrupt):
    """Somebody ended us: Ctrl-C, or a CI job's SIGTERM, which must not leave a grading running
    either.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; called by the console script and by `python -m
    pytest_mpgrade`.
    """
    try:
        with _signals():
            code = _run(argv)
            sys.stdout.flush()
        return code
    except UngradableError as error:
        return _complain(str(error), UNGRADABLE)
    except MpgradeError as error:
        return _complain(str(error), USAGE)
    except BrokenPipeError:
        # `mpgrade … | head`: nobody reads on. Python would complain once more when it closes
        # stdout.
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
    with console.lasting() if arguments.command in _GRADING else contextlib.nullcontext():
        code: int = arguments.run(arguments)
    return code


def _complain(message: str, code: int) -> int:
    console.say(f"mpgrade: {one_line(message)}", sys.stderr)
    return code


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that it can end its grading.

    What is ignored when we are started stays ignored, as POSIX has it: SIGHUP below nohup(1),
    SIGINT in a script's background job. A batch ignores SIGHUP itself, see `_batch`.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Ended(number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [
        signal.Signals[name]
        for name in names
        if signal.getsignal(signal.Signals[name]) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _options(arguments: argparse.Namespace) -> Options:
    from pytest_mpgrade.grade.pytest_run import Options

    return Options(
        observer=arguments.observer,
        isolation=arguments.isolation,
        require_isolation=_required(arguments),
        limits=tuple(arguments.limit),
        seconds=arguments.time_limit,
        deadline=getattr(arguments, "deadline", 0.0),
        keyword=getattr(arguments, "keyword", ""),
        id=getattr(arguments, "id", ""),
        exports=tuple(getattr(arguments, "format", ())),
    )


def _required(arguments: argparse.Namespace) -> bool:
    """Tell whether isolation is required: as asked; else for batches and where nobody watches."""
    asked: bool | None = getattr(arguments, "require_isolation", False)
    if asked is None:
        return arguments.command == "batch" or os.environ.get("CI", "").lower() in (
            "1",
            "true",
            "yes",
        )
    return asked


def _find(name: str) -> Assignment:
    from pytest_mpgrade.course.assignment import find_assignment

    return find_assignment(name)


def _check(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.grade.grading import grade
    from pytest_mpgrade.grade.pytest_run import LOG
    from pytest_mpgrade.records import Status
    from pytest_mpgrade.report import redaction, terminal

    assignment = _find(arguments.assignment)
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
        graded = grade(
            arguments.path, assignment, arguments.out or Path(scratch), options=_options(arguments)
        )
        result, logged = graded.result, (graded.folder / LOG).exists()
    shown, _ = redaction.redacted(result, assignment.criteria)
    if text := terminal.explanations(shown, console.width(), console.color(sys.stdout)):
        console.say(text + "\n")
    console.say(terminal.rubric(shown, console.width(), console.color(sys.stdout)))
    if result.status is Status.ERROR and logged and not arguments.out:
        console.say("\nwith --out DIR the grading's own log is kept there")
    return _code(result)


def _grade(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.grade.grading import grade
    from pytest_mpgrade.records import RESULT_FILE
    from pytest_mpgrade.report import redaction, terminal

    assignment = _find(arguments.assignment)
    grading = grade(arguments.path, assignment, arguments.out, options=_options(arguments))
    # In CI this is what students read.
    shown, _ = redaction.redacted(grading.result, assignment.criteria)
    console.say(terminal.rubric(shown, console.width(), console.color(sys.stdout)))
    console.say(f"\nresult: {grading.folder / RESULT_FILE}")
    if "github" in dict(arguments.format):
        _annotate(shown, arguments.path)
    return RIGHT if arguments.exit_code == "always-0" else _code(grading.result)


def _annotate(result: ResultFile, path: Path) -> None:
    from pytest_mpgrade.report.exports.github import annotation_places, step

    for command in annotation_places.marks(result, step.locate(path)):
        print(encodable(command, sys.stdout.encoding), flush=True)


def _code(result: ResultFile) -> int:
    from pytest_mpgrade.records import Outcome, Status

    if result.status is not Status.GRADED:
        return UNGRADABLE
    return WRONG if result.count(Outcome.FAILED) else RIGHT


def _batch(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.batch import class_files, plan, source
    from pytest_mpgrade.batch.cluster import executors
    from pytest_mpgrade.batch.run import GRADEBOOK, wait_for_earlier
    from pytest_mpgrade.report import terminal

    if hasattr(signal, "SIGHUP"):
        # A terminal that goes away, as a lost connection does to it, must not cost an hour's
        # results.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assignment, out = _find(arguments.assignment), arguments.out
    if arguments.gradebook:
        class_files.check_sheet(*arguments.gradebook)
    options = _options(arguments)
    choice = executors.choice(arguments, assignment, options)
    wait_for_earlier(out, lambda words: console.say(one_line(words), sys.stderr))
    choices = {name: getattr(arguments, name) for name in ("layout", "roster", "overrides", "due")}
    ready = plan.prepare(arguments.source, assignment, out, **choices)
    found, jobs = ready.source, ready.source.jobs
    console.say(
        f"{len(jobs)} submissions, layout: {found.layout}; what became of what:"
        f" {out / source.MAPPING}"
    )
    for words in ready.words():
        console.say(one_line(words), sys.stderr)
    whole, before = _class(arguments, assignment, options, choice, ready)
    width, color = console.width(), console.color(sys.stdout)
    console.say("\n" + terminal.class_table(whole.rows, width, color))
    console.say(
        f"  gradebook: {out / GRADEBOOK}" + (f"; {before} were graded before" if before else "")
    )
    told = [whole.statistics(jobs, out)]
    if arguments.gradebook:
        system, file = arguments.gradebook
        put = whole.rows, found.keys, arguments.gradebook_column
        told.append(class_files.write_filled(system, Path(file), out, assignment, *put))
    for words in itertools.chain(*told):
        console.say(one_line(words))
    if missing := terminal.ungradable(whole.rows, width, color):
        console.say("\nwithout a grade:\n" + missing)
    for words in choice.notes():
        console.say(words)
    return UNGRADABLE if missing else RIGHT


def _class(
    arguments: argparse.Namespace,
    assignment: Assignment,
    options: Options,
    choice: Choice,
    ready: Prepared,
) -> tuple[Class, int]:
    """Grade all, and show it meanwhile; return what is known of the class, and how many were graded
    before.
    """
    from pytest_mpgrade.batch import class_files, progress
    from pytest_mpgrade.batch.run import grade_jobs
    from pytest_mpgrade.report import terminal

    jobs, out = ready.source.jobs, arguments.out
    width, color = console.width(), console.color(sys.stdout)
    whole, before = class_files.Class(), 0
    with progress.progress_shown(
        progress.Board(len(jobs), out, options.stop.is_set), color
    ) as shown:
        graded = grade_jobs(
            jobs,
            assignment,
            out,
            options,
            choice.execute,
            resume=choice.resume,
            settled=ready.settled,
            begun=shown.begun,
        )
        with contextlib.closing(graded):
            for grading in graded:
                whole.add(grading.result)
                before += grading.kept
                shown.done(grading)
                if arguments.rubric:
                    shown.say(terminal.rubric(grading.result, width, color) + "\n")
    return whole, before


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


def _doctor(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade import doctor

    return doctor.main(_find(arguments.assignment) if arguments.assignment else None)


def _verify(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import verify

    return verify.main(arguments)


def _wrong(arguments: argparse.Namespace) -> int:
    from pytest_mpgrade.cli import wrong

    return wrong.main(arguments)


_COMMANDS = {
    "check": _check,
    "grade": _grade,
    "batch": _batch,
    "list": printing.list_assignments,
    "rubric": printing.print_rubric,
    "schema": printing.print_schema,
    "diff": printing.diff,
    "doctor": _doctor,
    "package": _package,
    "verify": _verify,
    "wrong": _wrong,
}

"""The command line of `mpgrade`: its commands and their options, as argparse sees them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mpgrade import __version__
from pytest_mpgrade.cli import choice_arguments, values
from pytest_mpgrade.cli.authoring_arguments import add_authoring
from pytest_mpgrade.cli.debug_arguments import add_debug
from pytest_mpgrade.cli.explore_arguments import add_explore
from pytest_mpgrade.cli.one_line_parser import Parser
from pytest_mpgrade.cli.reading_arguments import add_reading
from pytest_mpgrade.cli.shared_arguments import add_common, add_places

Command = Callable[[argparse.Namespace], int]
"""A function that runs a command and returns its exit code."""


def parser(run: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser of all commands.

    The namespace that it returns has the function to call in `run`, and its name in `command`.
    """
    top = Parser(prog="mpgrade", description="Grade assignments on process-based parallelism.")
    top.add_argument("--version", action="version", version=f"mpgrade {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_check(commands)
    add_debug(commands)
    add_explore(commands)
    _add_grade(commands)
    _add_batch(commands)
    _add_printing(commands)
    _add_package(commands)
    _add_verify(commands)
    add_authoring(commands)
    for name, command in commands.choices.items():
        command.set_defaults(run=run[name], command=name)
    return top


def _add_printing(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the commands that grade nothing and only print."""
    listed = commands.add_parser("list", help="list all assignments, and where each is from")
    allowed = "list the packages that it allows instead, one a line, as pip install -r reads them"
    listed.add_argument("--packages", metavar="ASSIGNMENT", default="", help=allowed)
    what = "say what each check asks, how it may end, and whom it blames, as Markdown"
    checks = commands.add_parser("checks", help=what)
    named = "only of this check, or of those of this concern"
    checks.add_argument("names", metavar="NAME", nargs="*", help=named)
    commands.add_parser("tasks", help="say which tasks a test can hand to a submission")
    commands.add_parser("fixtures", help="say what a test can do with the fixtures, and its steps")
    rubric = commands.add_parser("rubric", help="say what each question of an assignment is worth")
    rubric.add_argument("assignment", metavar="ASSIGNMENT", help="name or folder of the assignment")
    rubric.add_argument("--markdown", action="store_true", help="as the table of a handout")
    schema = commands.add_parser(
        "schema", help="print the JSON Schema of result.json or assignment.toml"
    )
    schema.add_argument("kind", choices=("result", "assignment"), help="of which of the two files")
    doctor = commands.add_parser(
        "doctor", help="say what this machine can and cannot do for a grading"
    )
    looked = "of which the packages are looked for (default: those that come with mpgrade)"
    doctor.add_argument("assignment", metavar="ASSIGNMENT", nargs="?", default="", help=looked)
    add_reading(commands)


def _add_check(commands: argparse._SubParsersAction[Parser]) -> None:
    check = commands.add_parser("check", help="check your own solution, and explain what is wrong")
    check.add_argument(
        "assignment",
        metavar="ASSIGNMENT",
        help="name (see mpgrade list) or folder of the assignment",
    )
    check.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        default=".",
        type=Path,
        help="folder or file (default: .)",
    )
    check.add_argument("--out", metavar="DIR", type=Path, help="keep the result file there")
    page = "also write the explanation as a page, feedback.html, into FOLDER"
    check.add_argument("--html", metavar="FOLDER", type=Path, help=page)
    check.add_argument(
        "-k", dest="keyword", metavar="EXPR", default="", help="run only tests whose name fits EXPR"
    )
    drawn = "also draw what each process did and when, for each failure about processes"
    check.add_argument("--timeline", action="store_true", help=drawn)
    add_common(check)


def _add_grade(commands: argparse._SubParsersAction[Parser]) -> None:
    grade = commands.add_parser("grade", help="grade one submission")
    grade.add_argument("path", metavar="PATH", type=Path, help="the submission: a folder or a file")
    known = "gradescope, classroom50, prairielearn, autolab, junit, github, sarif or ctrf"
    grade.add_argument(
        "--format",
        metavar="NAME[=FILE]",
        action="append",
        type=values.format_value,
        default=[],
        help=(
            f"also write the result for {known} (default: beside result.json); may be given several"
            " times"
        ),
    )
    code = "end with 1 or 3 as the result is, or with 0 where there is one (default: by-result)"
    grade.add_argument(
        "--exit-code", choices=("by-result", "always-0"), default="by-result", help=code
    )
    grade.add_argument(
        "--id", metavar="NAME", default="", help="whose it is (default: the name of PATH)"
    )
    add_places(grade)
    add_common(grade)


def _add_batch(commands: argparse._SubParsersAction[Parser]) -> None:
    batch = commands.add_parser("batch", help="grade every submission in a folder")
    source = (
        "a folder with a folder, module or archive for each submission; or a course system's"
        " download or its zip"
    )
    batch.add_argument("source", metavar="SOURCE", type=Path, help=source)
    layouts = ("canvas", "moodle", "blackboard", "gradescope", "nbgrader", "classroom")
    batch.add_argument(
        "--layout",
        choices=("auto", "plain", *layouts),
        default="auto",
        help="whose download SOURCE is (default: by names)",
    )
    _add_class(batch)
    batch.add_argument("--rubric", action="store_true", help="print each submission's rubric")
    several = "gradings at a time (default: two for each core, and one)"
    batch.add_argument(
        "-j", dest="jobs", metavar="N", type=values.count_value, default=0, help=several
    )
    batch.add_argument(
        "--resume",
        action="store_true",
        help="grade only what is missing, has changed, or was an error",
    )
    choice_arguments.add_only(batch)
    _add_elsewhere(batch)
    add_places(batch)
    add_common(batch)


def _add_class(batch: Parser) -> None:
    """Add options for the roster, overrides, the due time, and the gradebook of a class."""
    listed = (
        "CSV of all students: who is missing is listed; its columns submitted, due and"
        " extension_days may say when each handed in, and had to"
    )
    batch.add_argument("--roster", metavar="FILE", type=Path, help=listed)
    by_hand = (
        "CSV of points set by hand: submission, criterion, points, reason, who (default:"
        " DIR/overrides.csv)"
    )
    batch.add_argument("--overrides", metavar="FILE", type=Path, help=by_hand)
    due = (
        "when it was due, for the assignment's late rule, e.g. 2026-03-02T23:59:00+01:00 (default:"
        " the assignment's)"
    )
    batch.add_argument("--due", metavar="TIME", type=values.time_value, help=due)
    fill = (
        "fill FILE, exported by canvas, moodle, blackboard or nbgrader; the copy with grades in it"
        " is below DIR"
    )
    batch.add_argument("--gradebook", nargs=2, metavar=("SYSTEM", "FILE"), help=fill)
    batch.add_argument(
        "--gradebook-column",
        metavar="NAME",
        default="",
        help="where the grade goes, if that is open",
    )


def _add_elsewhere(batch: Parser) -> None:
    group = batch.add_argument_group(
        "beyond this machine", "each goes on with an earlier batch, as --resume does"
    )
    engines = ("local", "dask")
    group.add_argument(
        "--executor", choices=engines, help="who runs the gradings (default: as the others ask)"
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        default="",
        help="of a Dask scheduler, e.g. tls://head:8786",
    )
    kinds = ("slurm", "pbs", "lsf", "sge")
    group.add_argument(
        "--cluster", choices=kinds, help="start Dask workers as jobs there (-j of them at most)"
    )
    array = "write a job array for sbatch; run again, take in its results"
    group.add_argument("--slurm-array", action="store_true", help=array)
    cores = "cores that each grading has to itself on a node (default: 2)"
    group.add_argument("--cores", metavar="N", type=values.cores_value, default=2, help=cores)


def _add_package(commands: argparse._SubParsersAction[Parser]) -> None:
    package = commands.add_parser(
        "package", help="pack an assignment with mpgrade for a course system that runs it"
    )
    package.add_argument("system", choices=("gradescope", "classroom50"), help="the course system")
    package.add_argument(
        "assignment", metavar="ASSIGNMENT", help="name or folder of the assignment"
    )
    package.add_argument(
        "--out", metavar="FILE.zip", type=Path, help="default: SYSTEM-ASSIGNMENT.zip, here"
    )
    built = "of mpgrade, if it is not to be made of the one that runs"
    package.add_argument("--wheel", metavar="FILE", type=Path, help=built)
    more = (
        "of mpgrade's optional parts, to be installed besides what the assignment allows; may be"
        " given several times"
    )
    package.add_argument(
        "--extra", choices=("course", "notebook", "all"), action="append", default=[], help=more
    )
    host = (
        "for one grading; less than the system's own limit (default: 540 for gradescope, 720 for"
        " classroom50)"
    )
    package.add_argument(
        "--deadline", metavar="SECONDS", type=values.seconds_value, default=0.0, help=host
    )


def _add_verify(commands: argparse._SubParsersAction[Parser]) -> None:
    verify = commands.add_parser(
        "verify", help="prove that an assignment passes right and fails wrong solutions"
    )
    verify.add_argument("assignment", metavar="ASSIGNMENT", help="name or folder of the assignment")
    verify.add_argument(
        "--repeat",
        metavar="N",
        type=values.count_value,
        default=1,
        help="gradings of the right solution",
    )
    verify.add_argument(
        "--wrong-repeat",
        metavar="N",
        type=values.count_value,
        default=1,
        help="gradings of each wrong one",
    )
    verify.add_argument(
        "--load", metavar="K", type=values.count_value, default=0, help="busy loops beside it"
    )
    verify.add_argument(
        "-j",
        dest="jobs",
        metavar="N",
        type=values.count_value,
        default=1,
        help="gradings at a time",
    )
    verify.add_argument(
        "--untimed", action="store_true", help="without the tests named test_speed, which take long"
    )
    _add_choice(verify)
    verify.add_argument("--resume", metavar="FILE", type=Path, help="journal to go on from")
    add_common(verify)


def _add_choice(verify: Parser) -> None:
    """Add options that choose the solutions to grade."""
    verify.add_argument(
        "--mutate",
        action="store_true",
        help="grade small changes of the reference, each of which should lose points",
    )
    verify.add_argument(
        "--only", metavar="NAME", nargs="+", default=[], help="only these solutions"
    )
    verify.add_argument(
        "--part",
        metavar="K/N",
        type=values.part_value,
        help="every N-th wrong solution only, from the K-th on",
    )
    verify.add_argument(
        "--right", metavar="PATH", nargs="+", type=Path, default=[], help="further right solutions"
    )

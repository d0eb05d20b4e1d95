"""The command line of the commands that read results."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeVar

from pytest_mpgrade.cli.shared_arguments import FEEDBACK

_Parser = TypeVar("_Parser", bound=argparse.ArgumentParser)


def add_reading(commands: argparse._SubParsersAction[_Parser]) -> None:
    """Add the commands that read results."""
    show = commands.add_parser("show", help="say why points were lost, from a result alone")
    results = "a result file, its folder, or the folder of a batch (--out)"
    show.add_argument("results", metavar="RESULTS", type=Path, help=results)
    show.add_argument("--student", metavar="NAME", default="", help="whose result, of a batch's")
    asked = "only this test function: its units, and each failure with its evidence"
    show.add_argument("--question", metavar="NAME", default="", help=asked)
    drawn = "also draw what each process did and when, for each failure about processes"
    show.add_argument("--timeline", action="store_true", help=drawn)
    trace = "write the same for chrome://tracing and ui.perfetto.dev (Chrome Trace JSON)"
    show.add_argument("--trace", metavar="FILE", type=Path, help=trace)
    _add_report(commands)
    _add_feedback(commands)
    causes = commands.add_parser(
        "causes", help="group the failures of a class by what has to be changed, and say who"
    )
    causes.add_argument("results", metavar="RESULTS", type=Path, help="folder of a batch (--out)")
    _add_export(commands)
    diff = commands.add_parser(
        "diff", help="show whose points changed between two gradings, and by which checks"
    )
    diff.add_argument(
        "old", metavar="OLD", type=Path, help="folder with results (--out of grade or batch)"
    )
    diff.add_argument("new", metavar="NEW", type=Path, help="another one")
    page = "also write the changes into FILE, as a page for staff"
    diff.add_argument("--html", metavar="FILE", type=Path, help=page)


def _add_report(commands: argparse._SubParsersAction[_Parser]) -> None:
    report = commands.add_parser(
        "report", help="write pages in HTML: of each student, and of the class"
    )
    results = "folder with results (--out of grade or batch), or a result file"
    report.add_argument("results", metavar="RESULTS", type=Path, help=results)
    out = "a new folder for the pages, or that of an earlier report (default: RESULTS/report)"
    report.add_argument("--out", metavar="FOLDER", type=Path, help=out)
    hidden = "name or folder of the assignment, which says what is hidden (default: as in RESULTS)"
    report.add_argument("--assignment", metavar="NAME", default="", help=hidden)


def _add_feedback(commands: argparse._SubParsersAction[_Parser]) -> None:
    feedback = commands.add_parser(
        "feedback",
        help="write what students read, as their course system takes it in, below RESULTS/feedback",
    )
    results = "folder with results (--out of grade or batch), or a result file"
    feedback.add_argument("results", metavar="RESULTS", type=Path, help=results)
    system = f"{', '.join(FEEDBACK[:-1])} or {FEEDBACK[-1]}; may be given several times"
    feedback.add_argument(
        "--for",
        dest="systems",
        choices=FEEDBACK,
        action="append",
        required=True,
        metavar="SYSTEM",
        help=system,
    )
    source = "the download that was graded, where RESULTS has no mapping.csv with its names"
    feedback.add_argument("--source", metavar="DOWNLOAD", type=Path, help=source)
    hidden = "name or folder of the assignment, which says what is hidden (default: as in RESULTS)"
    feedback.add_argument("--assignment", metavar="NAME", default="", help=hidden)


def _add_export(commands: argparse._SubParsersAction[_Parser]) -> None:
    export = commands.add_parser(
        "export", help="lay the submissions of a class out for a plagiarism checker"
    )
    place = "folder of a batch (--out), or what a batch is given: a folder, a download or its zip"
    export.add_argument("place", metavar="RESULTS|SOURCE", type=Path, help=place)
    export.add_argument("--format", choices=("jplag", "dolos"), required=True, help="the checker")
    out = "a new folder for it"
    export.add_argument("--out", metavar="DIR", type=Path, required=True, help=out)
    starter = "name or folder of the assignment, whose starter all have (default: as in RESULTS)"
    export.add_argument("--assignment", metavar="NAME", default="", help=starter)

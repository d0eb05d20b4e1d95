"""Options that several commands of `mpgrade` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_mpgrade.cli import values

FEEDBACK = ("canvas", "moodle", "nbgrader", "gradescope", "github")
"""The systems for which there is feedback; `batch.feedback` is not loaded for a command line."""


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add options that `grade` and `batch` share: assignment, output folder, deadline."""
    parser.add_argument(
        "--assignment", metavar="NAME", required=True, help="name or folder of the assignment"
    )
    parser.add_argument(
        "--out", metavar="DIR", required=True, type=Path, help="where results go; may exist"
    )
    host = (
        "a number of seconds from now, or an ISO time: what is not graded in time is ended before"
        " it, and said"
    )
    parser.add_argument(
        "--deadline", metavar="TIME", type=values.deadline_value, default=0.0, help=host
    )
    form = (
        "also write what students read, in the form in which their course system takes it in, below"
        " DIR/feedback (grade: below the submission's own folder); may be given several times"
    )
    parser.add_argument(
        "--feedback", choices=FEEDBACK, action="append", default=[], metavar="SYSTEM", help=form
    )
    pages = "also write pages in HTML into FOLDER, for staff and to hand out; see mpgrade report"
    parser.add_argument("--html", metavar="FOLDER", type=Path, help=pages)
    refuse = (
        "award no points where student code cannot be kept apart (default: for batches, and where"
        " CI=true)"
    )
    parser.add_argument(
        "--require-isolation", action=argparse.BooleanOptionalAction, default=None, help=refuse
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add options of every command that runs submissions: observer, isolation and limits."""
    choices = ("auto", "ptrace", "psutil")
    parser.add_argument(
        "--observer",
        choices=choices,
        default="auto",
        help="how processes are watched (default: auto)",
    )
    limit = "for one submission (default: the assignment's, 1800)"
    parser.add_argument(
        "--time-limit", metavar="SECONDS", type=values.seconds_value, default=0.0, help=limit
    )
    layers = ("auto", "uid", "bwrap", "landlock", "none")
    apart = (
        "what keeps student code apart (default: the strongest that works here; see mpgrade doctor)"
    )
    parser.add_argument("--isolation", choices=layers, default="auto", help=apart)
    other = "another limit, e.g. memory_bytes=1GB or processes=64; may be given several times"
    parser.add_argument("--limit", metavar="NAME=VALUE", action="append", default=[], help=other)

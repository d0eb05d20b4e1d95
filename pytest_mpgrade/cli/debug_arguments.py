"""The options of `mpgrade debug`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_mpgrade.cli import values


def add_debug(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]  # - of Parser, which imports this
    """Add the command that repeats a call of a question in the user's own terminal."""
    what = "make one call of a question in this terminal, where print, input() and pdb work"
    debug = commands.add_parser("debug", help=what)
    debug.add_argument("assignment", metavar="ASSIGNMENT", help="name or folder of the assignment")
    named = "a test's name or id as mpgrade check and pytest print it, such as test_raising_task"
    debug.add_argument("question", metavar="QUESTION", help=named)
    debug.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        default=".",
        type=Path,
        help="folder or file (default: .)",
    )
    methods = ("fork", "spawn", "forkserver")
    first = "of multiprocessing (default: the first under which the question is asked)"
    debug.add_argument("--start-method", choices=methods, default="", help=first)
    several = "which of the question's calls (default: the first)"
    debug.add_argument("--call", metavar="N", type=values.count_value, default=1, help=several)

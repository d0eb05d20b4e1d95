"""The options of `mpgrade explore`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_mpgrade.cli import values
from pytest_mpgrade.cli.shared_arguments import add_common


def add_explore(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]  # - of Parser, which imports this
    """Add the command that tries schedules, each with a process or thread held back."""
    what = "look for races: hold a process or thread back at each of its points"
    explore = commands.add_parser("explore", help=what)
    explore.add_argument("path", metavar="SUBMISSION", type=Path, help="folder or file")
    whose = "name or folder of the assignment (default: the one whose functions SUBMISSION has)"
    explore.add_argument("--assignment", metavar="NAME", default="", help=whose)
    which = "a function that the assignment asks for, where SUBMISSION has those of several"
    explore.add_argument("--function", metavar="NAME", default="", help=which)
    seconds = "about how long it may take: 16 schedules for each second (default: the assignment's)"
    explore.add_argument(
        "--seconds", metavar="N", type=values.seconds_value, default=0.0, help=seconds
    )
    explore.add_argument(
        "--depth", metavar="D", type=int, choices=(1, 2, 3), default=0, help="delays of a schedule"
    )
    again = "the only schedule that is played, as a failure gives it"
    explore.add_argument("--replay", metavar="TOKEN", default="", help=again)
    add_common(explore)

"""Options of the commands that begin an assignment, hand it out, and show wrong solutions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_authoring(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `new`, `starter` and `wrong`."""
    new = commands.add_parser("new", help="begin an assignment of your own, in a new folder")
    new.add_argument("name", metavar="NAME", help="of the assignment, and of its module NAME.py")
    asked = 'what students write, such as "parallel_sum(values, n_processes=2)" (default: NAME)'
    new.add_argument("--function", metavar="SIGNATURE", default="", help=asked)
    given = 'arguments for it, such as "([1, 2, 3],)" (default: by the names of its parameters)'
    new.add_argument("--example", metavar="TUPLE", default="", help=given)
    value = "what it returns for them (default: a list or sum of something simple)"
    new.add_argument("--expected", metavar="VALUE", default="", help=value)
    where = "the assignment's folder: new or empty (default: ./NAME)"
    new.add_argument("--out", metavar="DIR", type=Path, help=where)
    starter = commands.add_parser(
        "starter", help="write what students begin with: the starter, and the handout"
    )
    starter.add_argument(
        "assignment", metavar="ASSIGNMENT", help="name or folder of the assignment"
    )
    place = "new, empty, or a repository without files (default: ./NAME)"
    starter.add_argument("--out", metavar="DIR", type=Path, help=place)
    wrong = commands.add_parser(
        "wrong", help="list the wrong solutions of an assignment, or print one"
    )
    wrong.add_argument("assignment", metavar="ASSIGNMENT", help="name or folder of the assignment")
    wrong.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="print this one, with its fault marked"
    )

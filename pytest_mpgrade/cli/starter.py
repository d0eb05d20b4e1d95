"""`mpgrade starter`: what students begin with, in a folder or template repository of their own."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from pytest_mpgrade.cli.exit_codes import RIGHT
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.system import console
from pytest_mpgrade.system.ignored_names import IGNORED

_HANDOUT = "README.md"


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade starter`. Raises UsageError where there is no starter, or files are already."""
    assignment = find_assignment(arguments.assignment)
    folder = arguments.out or Path(assignment.name)
    files = starter_files(assignment)
    if folder.exists() and (not folder.is_dir() or {each.name for each in folder.iterdir()} - _GIT):
        raise UsageError(f"{folder} is there already and is not empty: nothing was written")
    for name, data in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    console.say(f"{folder}: what students begin with in {assignment.name}")
    for name in files:
        console.say(f"  {name}")
    console.say(f"Students work in that folder: cd {shlex.quote(str(folder))}, then pytest")
    return RIGHT


_GIT = {".git"}
"""What a folder may have already: a template is a repository."""


def starter_files(assignment: Assignment) -> dict[str, bytes]:
    """Return the files that students begin with, by their names: the starter, and the handout.

    Raises UsageError where the assignment has no starter.
    """
    home = Path(assignment.folder, "starter")
    files = {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and IGNORED.isdisjoint(path.relative_to(home).parts)
    }
    if not files:
        raise UsageError(f"the assignment {assignment.name} has no folder starter/")
    handout = Path(assignment.folder, _HANDOUT)
    if _HANDOUT not in files and handout.is_file():
        files[_HANDOUT] = handout_beside_starter(assignment).encode()
    return files


def handout_beside_starter(assignment: Assignment) -> str:
    """Return the handout for a reader who has the starter's files beside it, in no folder."""
    text = Path(assignment.folder, _HANDOUT).read_text("utf-8")
    return text.replace("`starter/`", "this folder").replace("`starter/", "`")

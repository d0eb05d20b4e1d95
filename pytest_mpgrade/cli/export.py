"""`mpgrade export`: the submissions of a class, laid out for a plagiarism checker."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.batch.mapping import MAPPING
from pytest_mpgrade.batch.packing import left_out
from pytest_mpgrade.batch.plagiarism import CHECKERS
from pytest_mpgrade.batch.plagiarism.program import Program, read_program
from pytest_mpgrade.batch.source import load_source
from pytest_mpgrade.cli.exit_codes import RIGHT
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.report.result_json import read_result, result_files
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import counted, one_line


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade export`."""
    out = arguments.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already: name a new folder with --out")
    programs, assignment = _programs(arguments.place)
    written = [each for each in programs if each.files]
    if not written:
        raise UsageError(f"there is no Python in the submissions of {arguments.place}")
    base = _starter(arguments.assignment or assignment)
    command = CHECKERS[arguments.format](written, base, out)
    for words in _notes(programs, bool(base)):
        console.say(one_line(words))
    console.say(f"{counted(len(written), 'submission')} for {arguments.format}; to compare them:")
    console.say(f"  {command}")
    return RIGHT


def _programs(place: Path) -> tuple[list[Program], str]:
    """Return the programs of a class, and the assignment's name, where the results say it.

    A folder of a batch has a mapping. Raises UsageError where there is none, and no source either.
    """
    if not (place / MAPPING).is_file():
        with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
            source = load_source(place, Path(scratch))
            return [
                read_program(job.id, job.path, source.handed_in.get(job.id, ""))
                for job in source.jobs
            ], ""
    found, name = [], ""
    for file in result_files(place):
        result = read_result(file)
        name = result.assignment
        path = Path(result.submission.path)
        if not path.exists():
            raise UsageError(
                f"{one_line(str(path))} is not there, seen from here: call it where the batch was"
                " called, or name the download itself"
            )
        found.append(read_program(result.submission.id, path))
    return found, name


def _starter(assignment: str) -> dict[str, bytes]:
    """Return the Python of an assignment's starter, which everybody has; {} where it is unknown.

    Raises UsageError for an assignment that does not exist.
    """
    if not assignment:
        return {}
    folder = Path(find_assignment(assignment).folder, "starter")
    return dict(read_program("starter", folder).files) if folder.is_dir() else {}


def _notes(programs: list[Program], base: bool) -> Iterator[str]:
    """Say what was left out, and where nothing of the starter is."""
    if empty := [each.id for each in programs if not each.files]:
        yield left_out(empty, "they hold no Python that can be read")
    for each in programs:
        yield from (f"{each.id}: {words}" for words in each.left_out)
    if not base:
        yield "without the starter's code: name the assignment with --assignment"

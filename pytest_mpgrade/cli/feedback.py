"""`mpgrade feedback`, and the option `--feedback` of `grade` and `batch`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.batch.feedback import FOLDER, write_feedback
from pytest_mpgrade.batch.feedback.student import read_students
from pytest_mpgrade.batch.mapping import MAPPING, read_mapping, sources_of
from pytest_mpgrade.batch.source import BatchSource, load_source
from pytest_mpgrade.cli.exit_codes import RIGHT, USAGE
from pytest_mpgrade.course.assignment import find_assignment, fingerprint
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import ASSIGNED, Grading
from pytest_mpgrade.records import RESULT_FILE, Assignment
from pytest_mpgrade.report.result_json import read_result, result_files
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import one_line

_Sources = Mapping[str, Sequence[str]]


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade feedback`; 2 where nothing of what was asked for could be written."""
    files = result_files(arguments.results)
    assignment = assignment_of(files, arguments.assignment)
    folder = files[0].parent if arguments.results.is_file() else arguments.results
    sources = _sources(arguments.source, folder)
    for words in _written(arguments.systems, files, assignment, sources, folder):
        console.say(one_line(words))
    written = any((folder / FOLDER / system).is_dir() for system in arguments.systems)
    return RIGHT if written else USAGE


def after_batch(
    systems: Sequence[str], source: BatchSource, assignment: Assignment, out: Path
) -> Iterator[str]:
    """Write the feedback for a class below *out*; yield lines about it."""
    places = [out / job.folder / RESULT_FILE for job in source.jobs]
    files = [file for file in places if file.is_file()]
    yield from _written(systems, files, assignment, sources_of(source.mapping), out)


def say_after_grade(
    systems: Sequence[str], grading: Grading, assignment: Assignment, handed_in: Path
) -> None:
    """Write the feedback on one submission into its own folder, and say what was written."""
    id = grading.result.submission.id
    files, sources = [grading.folder / RESULT_FILE], {id: [handed_in.resolve().name]}
    for words in _written(systems, files, assignment, sources, grading.folder):
        console.say(one_line(words))


def _written(
    systems: Sequence[str],
    files: Sequence[Path],
    assignment: Assignment,
    sources: _Sources,
    out: Path,
) -> Iterator[str]:
    return write_feedback(systems, lambda: read_students(files, assignment.criteria, sources), out)


def assignment_of(files: Sequence[Path], name: str = "") -> Assignment:
    """Return the assignment, which alone says what is hidden from students.

    Without a *name* it is the one that comes with mpgrade under the name in the result, if the
    result is really of that one: a course's own may have the same name.
    """
    if name:
        return find_assignment(name)
    # One that could not be graded does not say by which tests; of a class few have to be read.
    graded = (each for each in map(read_result, files) if ASSIGNED in each.environment)
    result = next(graded, None) or read_result(files[0])
    ask = f"say with --assignment whose results these are ({one_line(result.assignment)!r})"
    try:
        found = find_assignment(result.assignment)
    except UsageError as error:
        raise UsageError(ask) from error
    if result.environment.get(ASSIGNED, "") not in ("", fingerprint(found)):
        raise UsageError(f"{ask}: the one of this name has other tests, limits or points")
    return found


def _sources(download: Path | None, results: Path) -> dict[str, tuple[str, ...]]:
    """Return the names of the download's entries, from itself or as the batch has kept them."""
    if download is not None:
        with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
            return sources_of(load_source(download, Path(scratch)).mapping)
    kept = results / MAPPING
    return sources_of(read_mapping(kept)) if kept.is_file() else {}

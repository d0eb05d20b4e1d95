"""`mpgrade report`, and the option `--html` of `check`, `grade` and `batch`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mpgrade.batch.mapping import MAPPING, NOTHING, Mapped, read_mapping
from pytest_mpgrade.batch.report_folder import FOLDER, write_report
from pytest_mpgrade.batch.source import BatchSource
from pytest_mpgrade.cli.exit_codes import RIGHT
from pytest_mpgrade.cli.feedback import assignment_of
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import RESULT_FILE, Assignment, Criterion
from pytest_mpgrade.report.result_json import result_files
from pytest_mpgrade.system import console
from pytest_mpgrade.system.text import one_line


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade report`."""
    files = result_files(arguments.results)
    folder = files[0].parent if arguments.results.is_file() else arguments.results
    mapping = read_mapping(folder / MAPPING) if (folder / MAPPING).is_file() else ()
    criteria: Sequence[Criterion] | None = None
    try:
        criteria = assignment_of(files, arguments.assignment).criteria
    except UsageError as error:
        if arguments.assignment:
            raise
        console.say(
            one_line(
                f"no pages for students, since what is hidden from them is not known: {error}"
            ),
            sys.stderr,
        )
    for words in write_report(files, criteria, arguments.out or folder / FOLDER, _missing(mapping)):
        console.say(one_line(words))
    return RIGHT


def pages_after_batch(
    source: BatchSource, assignment: Assignment, out: Path, into: Path
) -> Iterator[str]:
    """Write the pages of a class; yield lines about them."""
    places = [out / job.folder / RESULT_FILE for job in source.jobs]
    files = [file for file in places if file.is_file()]
    yield from write_report(files, assignment.criteria, into, _missing(source.mapping))


def _missing(mapping: Sequence[Mapped]) -> list[str]:
    return [each.source for each in mapping if each.what == NOTHING]

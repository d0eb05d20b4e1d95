"""The class's grades as one CSV table; CONTRACT section 5."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report import atomic
from pytest_mpgrade.report.result_json import ResultFile


def dumps(results: Iterable[ResultFile], criteria: Sequence[Criterion]) -> str:
    """Return one row per submission, sorted by name: submission, status, score, max_score, points per criterion.

    Rows end with a newline alone and fields are quoted where they have to be (RFC 4180). Names are written as they
    are, also those that start with = + - or @, because scripts match them with a course's own lists; a spreadsheet
    may take such a name for a formula: import the column `submission` as text.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = [criterion.name for criterion in criteria]
    writer.writerow(["submission", "status", "score", "max_score", *names])
    for result in sorted(results, key=lambda each: each.submission.id):
        earned = [result.earned(name) for name in names]
        writer.writerow([result.submission.id, result.status.value, result.score, result.max_score, *earned])
    return table.getvalue()


def write(results: Iterable[ResultFile], criteria: Sequence[Criterion], path: Path) -> None:
    """Replace the gradebook at once, so that one that is open in the middle of a batch is whole."""
    atomic.write_bytes(dumps(results, criteria).encode(), path)

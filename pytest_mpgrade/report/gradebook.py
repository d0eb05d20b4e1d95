"""The class's grades as one CSV table; CONTRACT section 5."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report import atomic
from pytest_mpgrade.report.result_json import ResultFile

Row = tuple[str | float, ...]
"""What the table has of one submission."""


def row(result: ResultFile, criteria: Sequence[Criterion]) -> Row:
    """Return a submission's row: its name, status, score, max_score, and points per criterion."""
    earned = [result.earned(criterion.name) for criterion in criteria]
    return (result.submission.id, result.status.value, result.score, result.max_score, *earned)


def dumps(rows: Iterable[Row], criteria: Sequence[Criterion]) -> str:
    """Return the table, sorted by name.

    Rows end with a newline alone and fields are quoted where they have to be (RFC 4180). Names are written as they
    are, also those that start with = + - or @, because scripts match them with a course's own lists; a spreadsheet
    may take such a name for a formula: import the column `submission` as text.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["submission", "status", "score", "max_score", *(criterion.name for criterion in criteria)])
    ordered: list[Row] = sorted(rows, key=lambda each: str(each[0]))
    writer.writerows(ordered)
    return table.getvalue()


def write(rows: Iterable[Row], criteria: Sequence[Criterion], path: Path) -> None:
    """Replace the gradebook at once, so that one that is open in the middle of a batch is whole."""
    atomic.write_bytes(dumps(rows, criteria).encode(), path)

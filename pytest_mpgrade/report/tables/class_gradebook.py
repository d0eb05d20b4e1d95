"""The class's grades as one CSV table; docs/contract.md, gradebook."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report import adjustments
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import points

FILE = "gradebook.csv"
"""The file below a batch's results."""

GradebookRow = tuple[str | float, ...]
"""The values of one submission in the table."""


def _late_hours(result: ResultFile) -> str | float:
    if result.late is None:
        return 0.0
    return "unknown" if result.late.seconds is None else round(result.late.seconds / 3600, 2)


def _after_late(result: ResultFile) -> str | float:
    return "" if result.final is None else result.final


BY_HAND = "by_hand"
MORE: Mapping[str, Callable[[ResultFile], str | float]] = {
    BY_HAND: lambda result: "; ".join(adjustments.change_lines(result)),
    "late_hours": _late_hours,
    "score_after_late": _after_late,
}
"""Columns after the criteria's, of a batch that has overrides or a late rule.

`score` is the score before the late rule.
"""


def row(
    result: ResultFile, criteria: Sequence[Criterion], more: Sequence[str] = ()
) -> GradebookRow:
    """Return a submission's row: name, status, score, max_score, points per criterion.

    The *more* columns come last.
    """
    earned = [result.earned(criterion.name) for criterion in criteria]
    others = [MORE[name](result) for name in more]
    return (
        result.submission.id,
        result.status.value,
        result.score,
        result.max_score,
        *earned,
        *others,
    )


def gradebook_csv(
    rows: Iterable[GradebookRow], criteria: Sequence[Criterion], more: Sequence[str] = ()
) -> str:
    """Return the table, sorted by name.

    Rows end with a newline alone and fields are quoted where they have to be (RFC 4180). Names are
    written as they are, also those that start with = + - or @, because scripts match them with a
    course's own lists; a spreadsheet may take such a name for a formula: import the column
    `submission` as text.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        [
            "submission",
            "status",
            "score",
            "max_score",
            *(criterion.name for criterion in criteria),
            *more,
        ]
    )
    ordered: list[GradebookRow] = sorted(rows, key=lambda each: str(each[0]))
    writer.writerows(
        [points(cell) if isinstance(cell, float) else cell for cell in each] for each in ordered
    )
    return table.getvalue()


def write_gradebook(
    rows: Iterable[GradebookRow],
    criteria: Sequence[Criterion],
    path: Path,
    more: Sequence[str] = (),
) -> None:
    """Replace the gradebook at once, so that one that is open in the middle of a batch is whole."""
    atomic_write.write_bytes(gradebook_csv(rows, criteria, more).encode(), path)

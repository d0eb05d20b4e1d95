"""The files that a batch writes for a class: check statistics and the course system's gradebook."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report.overview import Overview, overview
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.tables import course_gradebook, item_analysis
from pytest_mpgrade.report.tables.course_gradebook import Filled, Grade
from pytest_mpgrade.submission import handed_in
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import one_line

ITEMS = "items.csv"


class Class:
    """What a batch keeps of a class: one row for each submission, and sums for each check.

    The results themselves are not kept in memory.
    """

    def __init__(self) -> None:
        self.rows: list[Overview] = []
        self._tally = item_analysis.Tally()

    def add(self, result: ResultFile) -> None:
        """Add one result to the rows and sums."""
        self.rows.append(overview(result))
        self._tally.add(result)

    def statistics(self, jobs: Sequence[Job], out: Path) -> Iterator[str]:
        """Write the statistics of the checks below *out*; yield lines for a person to look at."""
        items = self._tally.items()
        item_analysis.write_item_analysis(items, out / ITEMS)
        yield from item_analysis.worth_a_look(self.rows, items)
        if len(jobs) >= item_analysis.FEWEST:
            large = heapq.nlargest(
                item_analysis.SHOWN, ((_bytes(job.path), job.id) for job in jobs)
            )
            yield "largest: " + ", ".join(f"{one_line(id)} {_size(size)}" for size, id in large)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _bytes(path: Path) -> int:
    """Return the size in bytes of a submission, without symbolic links."""
    total = 0
    with suppress(UngradableError):  # too many files: the size of the first ones
        for file in handed_in.files(path):
            total += 0 if file.path.is_symlink() else file.size
    return total


def check_sheet(system: str, file: str) -> None:
    """Raise UsageError before the batch starts where a gradebook could not be filled at its end."""
    if system not in course_gradebook.SYSTEMS:
        raise UsageError(
            f"there is no course system {system!r} (there are:"
            f" {', '.join(course_gradebook.SYSTEMS)})"
        )
    if not Path(file).is_file():
        raise UsageError(f"there is no file {file}")


def write_filled(
    system: str,
    file: Path,
    out: Path,
    assignment: Assignment,
    rows: Iterable[Overview],
    keys: Mapping[str, tuple[str, ...]],
    column: str = "",
) -> Iterator[str]:
    """Write a copy of *file*, with the grades filled in, below *out*; yield lines about it.

    *keys* has the names by which the course system knows each submission's student. Only a
    submission that was graded gets a grade: its score after overrides and the late rule. *file*
    itself is never changed. Raises UsageError where it cannot be read as a gradebook of *system*.
    """
    try:
        text, encoding = course_gradebook.decode_sheet(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    grades = [
        Grade(submission=row.id, keys=frozenset({row.id, *keys.get(row.id, ())}), score=row.final)
        for row in rows
        if row.final is not None
    ]
    filled = course_gradebook.fill(system, text, assignment, grades, column)
    target = out / file.name
    if target.resolve() == file.resolve():
        target = out / f"filled-{file.name}"
    atomic_write.write_bytes(filled.text.encode(encoding), target)
    yield from _words(filled, target)


def _words(filled: Filled, target: Path) -> Iterator[str]:
    yield f"{filled.filled} grades in the column {filled.column!r}: {target}"
    for name in filled.without_row:
        yield f"  {name} has a grade and no row in it"
    if filled.without_grade:
        yield f"  {len(filled.without_grade)} of its students have no grade (see mapping.csv)"
